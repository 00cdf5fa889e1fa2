//! The dialogue: fields, the contract's methods, which line goes where.

use alloc::collections::VecDeque;
use alloc::string::String;

use dtu_proto::radio::{ModemIdentity, ModemInput, ModemOutput, SubmitFailure};
use dtu_proto::time::{Duration, Instant};

use crate::backoff::Backoff;
use crate::call::Calls;
use crate::command::{Command, CommandQueue};
use crate::data::Data;
use crate::dialect::{Dialect, GENERIC};
use crate::event::{Counters, Deadline, Event, Input, Output, Timer};
use crate::exchange::{Exchange, Request};
use crate::limitation::Limitations;
use crate::line::Piece;
use crate::mailbox::Mailbox;
use crate::network::{self, Network};
use crate::response::{Outcome, Response};
use crate::settings::Settings;
use crate::sim::Sim;
use crate::start::{Echo, Phase};

/// We as the host of one modem. See the [crate's page](crate) for the contract.
#[derive(Debug)]
pub struct Modem {
    pub(crate) settings: Settings,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) exchange: Exchange,
    pub(crate) queue: CommandQueue,
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
    pub(crate) mailbox: Mailbox,
    pub(crate) calls: Calls,
    pub(crate) counters: Counters,
    pub(crate) limitations: Limitations,
    pub(crate) backoff: Backoff,
    /// It was said that nothing answers here.
    pub(crate) doubted: bool,
}

impl Modem {
    /// A dialogue that waits for its device. Nothing is told before the modem is known.
    #[must_use]
    pub fn new(settings: Settings, _now: Instant) -> Self {
        let sim = Sim::new(settings.pin_history);
        Self {
            settings,
            outputs: VecDeque::new(),
            exchange: Exchange::default(),
            queue: CommandQueue::default(),
            phase: Phase::Closed,
            quiet_until: None,
            echo: Echo::Unknown,
            dialect: &GENERIC,
            identity: ModemIdentity::default(),
            present: false,
            sim,
            network: Network::default(),
            data: Data::default(),
            mailbox: Mailbox::default(),
            calls: Calls::default(),
            counters: Counters::default(),
            limitations: Limitations::default(),
            backoff: Backoff::default(),
            doubted: false,
        }
    }

    /// Something happened. Due deadlines fire first.
    pub fn handle_input(&mut self, input: Input<'_>, now: Instant) {
        self.handle_timeout(now);
        match input {
            Input::Opened => self.opened(now),
            Input::Gone => self.vanished(now),
            Input::Bytes(bytes) => bytes.iter().for_each(|byte| self.on_byte(*byte, now)),
            Input::Order(order) => self.handle_order(order, now),
            Input::PinNotSaved => self.on_pin_not_saved(now),
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
            deadline(self.exchange.deadline(), Timer::Answer),
            deadline(probe, Timer::Quiet),
            deadline(self.queue.next_due(), Timer::Poll),
            deadline(
                self.mailbox
                    .submission
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
            overlong_lines: self.exchange.overlong_lines(),
            ..self.counters
        }
    }

    fn expire(&mut self, now: Instant) {
        if let Some((request, response)) = self.exchange.expire(now) {
            self.command_timeout(request, &response, now);
        }
        self.end_quiet(now);
        while let Some(command) = self.queue.pop_due(now) {
            if matches!(command, Command::ListCalls) {
                self.queue.push_urgent(command)
            } else {
                self.queue.push(command)
            }
        }
        self.give_up_submit(now);
        self.expire_calls(now);
    }

    fn on_byte(&mut self, byte: u8, now: Instant) {
        if self.phase == Phase::Closed {
            return;
        }
        match self.exchange.push(byte) {
            None => {}
            Some(Piece::Prompt) => {
                self.log(Event::Received(">".into()));
                if let Some(body) = self.exchange.prompted(now) {
                    self.write(body);
                }
            }
            Some(Piece::Line(line)) => self.on_line(&line, now),
        }
    }

    fn on_line(&mut self, line: &str, now: Instant) {
        let masked = self.mask(line);
        self.log(Event::Received(masked));
        self.disturb_quiet(now);
        if self.exchange.is_echo(line) || self.exchange.announces(line) {
            return;
        }
        if let Some(announced) = self.exchange.pair(line) {
            return self.on_pdu(&announced, now);
        }
        if let Some((request, response)) = self.exchange.finish(line) {
            return self.on_response(request, &response, now);
        }
        if network::is_registration_urc(line) || !self.exchange.collect(line) {
            self.on_urc(line, now);
        } else if line.starts_with("+CMGS:") {
            // The network has it; only the result code is missing.
            self.exchange.hurry(now + AFTER_REFERENCE);
        }
    }

    /// A line that answers nothing.
    fn on_urc(&mut self, line: &str, now: Instant) {
        let known = self.on_boot_urc(line, now)
            || self.on_network_urc(line, now)
            || self.on_sim_urc(line, now)
            || self.on_data_urc(line, now)
            || self.on_message_urc(line, now)
            || self.on_call_urc(line, now);
        if !known {
            self.counters.unknown_lines += 1;
        }
    }

    fn on_response(&mut self, request: Request, response: &Response, now: Instant) {
        if self.notice_echo(request.command, now) {
            return;
        }
        if response.is_ok() && response.lines.is_empty() && has_text(request.command) {
            // That was the end of something older: from here on every answer would be taken for another one's.
            let response = Response {
                outcome: Outcome::TimedOut,
                ..response.clone()
            };
            return self.command_timeout(request, &response, now);
        }
        self.dispatch(&request, response, now);
    }

    /// No answer in time: whatever comes now may belong to it, so the modem is asked `AT` until it answers, and then
    /// left alone for a moment.
    fn command_timeout(&mut self, request: Request, response: &Response, now: Instant) {
        let had_body = request.body.is_some();
        let is_probe = matches!(request.command, Command::Probe(_) | Command::Reset { .. });
        self.dispatch(&request, response, now);
        if !is_probe {
            self.counters.unanswered += 1;
            self.resynchronize(had_body, now);
        }
    }

    fn handle_order(&mut self, order: &ModemOutput, now: Instant) {
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
        while self.exchange.is_idle() && self.quiet_until.is_none() {
            let Some(command) = self.next_command(now) else {
                return;
            };
            if command == Command::SelectDialect {
                self.choose(now);
            } else if command == Command::ReportPresent {
                self.introduce(now);
            } else {
                self.begin(command, now);
            }
        }
    }

    fn next_command(&mut self, now: Instant) -> Option<Command> {
        match &self.phase {
            Phase::Closed => None,
            Phase::Probing(probing) => {
                (probing.next <= now).then_some(Command::Probe(probing.tries))
            }
            Phase::Starting | Phase::Ready | Phase::Resetting { .. } => self.queue.pop(),
        }
    }

    fn begin(&mut self, command: Command, now: Instant) {
        let command = self.in_pdu_mode(command);
        let command = self.with_storage(command);
        let Some(request) = self.request(command) else {
            return;
        };
        if command == Command::EnterPin {
            self.pin_goes_out();
        } else if matches!(command, Command::Probe(_)) {
            self.note_probe(now);
        }
        let text = self.mask(&request.text);
        self.log(Event::Sent(text));
        let bytes = self.exchange.start(request, now);
        self.write(bytes);
    }

    /// Everything that hangs on a modem ends: it is gone, or about to be.
    pub(crate) fn leave(&mut self) {
        self.exchange.abandon();
        self.queue.clear();
        self.quiet_until = None;
        self.echo = Echo::Unknown;
        self.fail_submit(SubmitFailure::NO_MODEM);
        self.drop_call();
        self.mailbox.forget();
        self.limitations.forget();
        self.exchange.text_mode = false;
        self.network = Network::default();
        self.data.forget();
        self.sim.forget();
        if core::mem::take(&mut self.present) {
            self.emit(ModemInput::Gone);
        }
    }

    pub(crate) fn emit(&mut self, news: ModemInput) {
        self.outputs.push_back(Output::Report(news));
    }

    pub(crate) fn log(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(crate) fn write(&mut self, bytes: bytes::Bytes) {
        self.outputs.push_back(Output::Write(bytes));
    }

    /// Says that a command failed where its failure costs something.
    pub(crate) fn complain(&mut self, request: &Request, response: &Response) {
        let why = match response.outcome {
            Outcome::Ok => return,
            Outcome::Failed(failure) => alloc::format!("{failure}"),
            Outcome::Call(_) => "with a lost call".into(),
            Outcome::TimedOut => "not at all".into(),
        };
        let command = self.mask(&request.text);
        self.log(Event::Refused { command, why });
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
const fn has_text(command: Command) -> bool {
    matches!(
        command,
        Command::QueryRadio
            | Command::QuerySim
            | Command::QueryRegistration(_)
            | Command::QuerySignal
            | Command::QueryClock
            | Command::QueryStorages
    )
}

/// Rounds of one `handle_timeout`.
const MOST_ROUNDS: usize = 1000;
/// Between the network's reference and the result code.
const AFTER_REFERENCE: Duration = Duration::from_secs(5);
