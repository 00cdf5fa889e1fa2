//! The dialogue: fields, the contract's methods, which line goes where.

use alloc::collections::VecDeque;
use alloc::string::String;

use dtu_proto::radio::{ModemIdentity, ModemInput, ModemOutput, SubmitFailure};
use dtu_proto::time::{Duration, Instant};

use crate::answer::{Answer, Outcome};
use crate::call::Calls;
use crate::channel::{Channel, Request};
use crate::data::Data;
use crate::dialect::{Dialect, GENERIC};
use crate::event::{Counters, Deadline, Event, Input, Output, Timer};
use crate::job::{Agenda, Job};
use crate::lack::Lacks;
use crate::line::Piece;
use crate::mail::Mail;
use crate::network::{self, Network};
use crate::patience::Patience;
use crate::settings::Settings;
use crate::sim::Sim;
use crate::start::{Echo, Phase};

/// We as the host of one modem. See the [crate's page](crate) for the contract.
#[derive(Debug)]
pub struct Modem {
    pub(crate) settings: Settings,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) channel: Channel,
    pub(crate) agenda: Agenda,
    pub(crate) phase: Phase,
    /// Nothing is sent before.
    pub(crate) quiet_until: Option<Instant>,
    pub(crate) echo: Echo,
    pub(crate) dialect: &'static Dialect,
    pub(crate) identity: ModemIdentity,
    /// `Present` was told, and not taken back.
    pub(crate) present: bool,
    pub(crate) sim: Sim,
    pub(crate) network: Network,
    pub(crate) data: Data,
    pub(crate) mail: Mail,
    pub(crate) calls: Calls,
    pub(crate) counters: Counters,
    pub(crate) lacks: Lacks,
    pub(crate) patience: Patience,
    /// It was said that nothing answers here.
    pub(crate) doubted: bool,
}

impl Modem {
    /// A dialogue that waits for its device. Nothing is told before the modem is known.
    #[must_use]
    pub fn new(settings: Settings, _now: Instant) -> Self {
        let sim = Sim::new(settings.pin_past);
        Self {
            settings,
            outputs: VecDeque::new(),
            channel: Channel::default(),
            agenda: Agenda::default(),
            phase: Phase::Closed,
            quiet_until: None,
            echo: Echo::Unknown,
            dialect: &GENERIC,
            identity: ModemIdentity::default(),
            present: false,
            sim,
            network: Network::default(),
            data: Data::default(),
            mail: Mail::default(),
            calls: Calls::default(),
            counters: Counters::default(),
            lacks: Lacks::default(),
            patience: Patience::default(),
            doubted: false,
        }
    }

    /// Something happened. Due deadlines fire first.
    pub fn handle_input(&mut self, input: Input<'_>, now: Instant) {
        self.handle_timeout(now);
        match input {
            Input::Opened => self.opened(now),
            Input::Gone => self.vanished(now),
            Input::Bytes(bytes) => bytes.iter().for_each(|byte| self.hear(*byte, now)),
            Input::Order(order) => self.obey(order, now),
            Input::PinUnkept => self.pin_unkept(now),
        }
        self.pump(now);
    }

    /// The deadline of [`Self::poll_timeout`] is there. A spurious call does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        // Each round ends at least one deadline; the bound is for what no round can end.
        for _ in 0..MOST_ROUNDS {
            if self.poll_timeout().is_none_or(|deadline| deadline.at > now) {
                return;
            }
            self.expire(now);
            self.pump(now);
        }
    }

    /// What is to be done next; to be drained to `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When `handle_timeout` wants to be called; `None` = only while the device is not open.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        let deadline = |at: Option<Instant>, timer| at.map(|at| Deadline { at, timer });
        let probe = self.quiet_until.or_else(|| self.next_probe());
        let moments = [
            deadline(self.channel.deadline(), Timer::Answer),
            deadline(probe, Timer::Quiet),
            deadline(self.agenda.next_due(), Timer::Poll),
            deadline(
                self.mail
                    .submitting
                    .as_ref()
                    .map(|submit| submit.give_up_at),
                Timer::Submit,
            ),
            deadline(self.calls.deadline(), Timer::Call),
        ];
        moments
            .into_iter()
            .flatten()
            .min_by_key(|deadline| deadline.at)
    }

    /// What was dropped or went wrong so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            overlong_lines: self.channel.overlong_lines(),
            ..self.counters
        }
    }

    fn expire(&mut self, now: Instant) {
        if let Some((request, answer)) = self.channel.expire(now) {
            self.unanswered(request, &answer, now);
        }
        self.end_quiet(now);
        while let Some(job) = self.agenda.pop_due(now) {
            if matches!(job, Job::Calls) {
                self.agenda.soon(job)
            } else {
                self.agenda.push(job)
            }
        }
        self.give_up_submit(now);
        self.expire_calls(now);
    }

    fn hear(&mut self, byte: u8, now: Instant) {
        if self.phase == Phase::Closed {
            return;
        }
        match self.channel.push(byte) {
            None => {}
            Some(Piece::Prompt) => {
                self.note(Event::Heard(">".into()));
                if let Some(body) = self.channel.prompted(now) {
                    self.write(body);
                }
            }
            Some(Piece::Line(line)) => self.hear_line(&line, now),
        }
    }

    fn hear_line(&mut self, line: &str, now: Instant) {
        let masked = self.mask(line);
        self.note(Event::Heard(masked));
        self.disturb_quiet(now);
        if self.channel.is_echo(line) || self.channel.announces(line) {
            return;
        }
        if let Some(headed) = self.channel.pair(line) {
            return self.hear_pdu(&headed, now);
        }
        if let Some((request, answer)) = self.channel.finish(line) {
            return self.answered(request, &answer, now);
        }
        if network::is_registration_news(line) || !self.channel.collect(line) {
            self.hear_news(line, now);
        } else if line.starts_with("+CMGS:") {
            // The network has it; only the result code is missing.
            self.channel.hurry(now + AFTER_REFERENCE);
        }
    }

    /// A line that answers nothing.
    fn hear_news(&mut self, line: &str, now: Instant) {
        let known = self.start_news(line, now)
            || self.network_news(line, now)
            || self.sim_news(line, now)
            || self.data_news(line, now)
            || self.mail_news(line, now)
            || self.call_news(line, now);
        if !known {
            self.counters.unknown_lines += 1;
        }
    }

    fn answered(&mut self, request: Request, answer: &Answer, now: Instant) {
        if self.notice_echo(request.job, now) {
            return;
        }
        if answer.is_ok() && answer.lines.is_empty() && has_text(request.job) {
            // That was the end of something older: from here on every answer would be taken for another one's.
            let answer = Answer {
                outcome: Outcome::TimedOut,
                ..answer.clone()
            };
            return self.unanswered(request, &answer, now);
        }
        self.settle(&request, answer, now);
    }

    /// No answer in time: whatever comes now may belong to it, so the modem is asked `AT` until it answers, and then
    /// left alone for a moment.
    fn unanswered(&mut self, request: Request, answer: &Answer, now: Instant) {
        let had_body = request.body.is_some();
        let is_probe = matches!(request.job, Job::Probe(_) | Job::Reset { .. });
        self.settle(&request, answer, now);
        if !is_probe {
            self.counters.unanswered += 1;
            self.resynchronize(had_body, now);
        }
    }

    fn obey(&mut self, order: &ModemOutput, now: Instant) {
        match order {
            ModemOutput::Reset => self.reset(now),
            ModemOutput::UseApn(apn) => self.use_apn(apn),
            ModemOutput::Submit { token, pdu } => self.submit(*token, pdu, now),
            ModemOutput::Taken(id) => self.taken(*id),
            ModemOutput::Dial(number) => self.dial(*number),
            ModemOutput::Answer => self.answer_call(),
            ModemOutput::HangUp => self.hang_up(now),
        }
    }

    /// Sends what is next, if nothing is outstanding.
    fn pump(&mut self, now: Instant) {
        while self.channel.is_idle() && self.quiet_until.is_none() {
            let Some(job) = self.next_job(now) else {
                return;
            };
            if job == Job::Chosen {
                self.choose(now);
            } else if job == Job::Introduce {
                self.introduce(now);
            } else {
                self.begin(job, now);
            }
        }
    }

    fn next_job(&mut self, now: Instant) -> Option<Job> {
        match &self.phase {
            Phase::Closed => None,
            Phase::Probing(probing) => (probing.next <= now).then_some(Job::Probe(probing.tries)),
            Phase::Starting | Phase::Ready | Phase::Resetting { .. } => self.agenda.pop(),
        }
    }

    fn begin(&mut self, job: Job, now: Instant) {
        let job = self.in_pdu_mode(job);
        let job = self.with_storage(job);
        let Some(request) = self.request(job) else {
            return;
        };
        if job == Job::Pin {
            self.pin_goes_out();
        } else if matches!(job, Job::Probe(_)) {
            self.note_probe(now);
        }
        let text = self.mask(&request.text);
        self.note(Event::Sent(text));
        let bytes = self.channel.start(request, now);
        self.write(bytes);
    }

    /// Everything that hangs on a modem ends: it is gone, or about to be.
    pub(crate) fn leave(&mut self) {
        self.channel.abandon();
        self.agenda.clear();
        self.quiet_until = None;
        self.echo = Echo::Unknown;
        self.fail_submit(SubmitFailure::NO_MODEM);
        self.drop_call();
        self.mail.forget();
        self.lacks.forget();
        self.channel.text_mode = false;
        self.network = Network::default();
        self.data.forget();
        self.sim.forget();
        if core::mem::take(&mut self.present) {
            self.tell(ModemInput::Gone);
        }
    }

    pub(crate) fn tell(&mut self, news: ModemInput) {
        self.outputs.push_back(Output::News(news));
    }

    pub(crate) fn note(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(crate) fn write(&mut self, bytes: bytes::Bytes) {
        self.outputs.push_back(Output::Write(bytes));
    }

    /// Says that a command failed where its failure costs something.
    pub(crate) fn complain(&mut self, request: &Request, answer: &Answer) {
        let why = match answer.outcome {
            Outcome::Ok => return,
            Outcome::Failed(failure) => alloc::format!("{failure}"),
            Outcome::Call(_) => "with a lost call".into(),
            Outcome::TimedOut => "not at all".into(),
        };
        let command = self.mask(&request.text);
        self.note(Event::Refused { command, why });
    }

    /// A text without the PIN and the password of the access point, wherever they stand in it, and without what the
    /// user's own lines set: that may be another password.
    pub(crate) fn mask(&self, text: &str) -> String {
        let pin = self.settings.pin.as_ref().map(crate::Pin::as_str);
        let password = self.data.apn.as_ref().map(|apn| apn.password.as_str());
        let secrets = [pin, password]
            .into_iter()
            .flatten()
            .filter(|secret| !secret.is_empty());
        let text = self
            .settings
            .init
            .iter()
            .fold(String::from(text), |text, line| {
                let name = line.split_once('=').map(|(name, _)| name);
                name.map_or_else(
                    || text.clone(),
                    |name| text.replace(line, &alloc::format!("{name}=****")),
                )
            });
        secrets.fold(text, |text, secret| text.replace(secret, "****"))
    }
}

/// Questions that no modem answers with a bare `OK`.
const fn has_text(job: Job) -> bool {
    matches!(
        job,
        Job::Function | Job::Sim | Job::Registration(_) | Job::Signal | Job::Clock | Job::Storages
    )
}

/// Rounds of one `handle_timeout`.
const MOST_ROUNDS: usize = 1000;
/// Between the network's reference and the result code.
const AFTER_REFERENCE: Duration = Duration::from_secs(5);
