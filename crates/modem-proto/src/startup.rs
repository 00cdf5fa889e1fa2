//! From an open device to a modem that is known; silence, restarts and resets (27.007 8.2, V.250 6.1.1).

use alloc::format;

use dtu_proto::time::{Duration, Instant};

use crate::action::Action;
use crate::backoff::{PROBING_TIME, StartBackoff};
use crate::command::{Command, SETTLE};
use crate::cx::Cx;
use crate::dialect::{Dialect, GENERIC};
use crate::event::{Event, Output};
use crate::exchange::ESCAPE_SEQUENCE;
use crate::response::{Outcome, Response};

/// Where the dialogue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The device is not open.
    Closed,
    /// `AT` until it answers.
    Probing(Probe),
    /// It answers, and is asked who it is.
    Starting,
    /// It was reported; orders are carried out.
    Ready,
    /// It was ordered to restart.
    Resetting {
        /// The device is opened again afterwards, for the modem is silent.
        reopen: bool,
    },
}

/// Asking for an answer, whichever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Probe {
    tries: u32,
    since: Instant,
    next: Instant,
    /// The dialogue that goes on when it answers; `None` = it begins.
    resume: Option<ResumePhase>,
    answered: bool,
    /// It was logged that nothing answers.
    is_logged: bool,
    /// It restarts too often, and is left alone whatever it says.
    waits: bool,
    /// When the first probe went out.
    asked: Option<Instant>,
    /// After an answer: nothing may come for so long. The answers to all probes that were sent must be in, so a modem
    /// that took a second for the first is given a second for the last.
    settle: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ResumePhase {
    Starting,
    Ready,
}

/// Whether the modem sends back what it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Echo {
    Unknown,
    /// `ATE0` was taken.
    Asked,
    /// And a command did not come back since. So one that does comes from a modem that forgot: it restarted.
    Off,
}

/// Where the dialogue stands, and how it came there.
#[derive(Debug)]
pub(crate) struct Startup {
    phase: Phase,
    echo: Echo,
    backoff: StartBackoff,
    /// It was logged that nothing answers here.
    no_answer_logged: bool,
}

impl Startup {
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::Closed,
            echo: Echo::Unknown,
            backoff: StartBackoff::default(),
            no_answer_logged: false,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// The modem was reported, and is not asked whether it still answers.
    pub(crate) fn is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// The modem is about to be reported.
    pub(crate) const fn on_present(&mut self) {
        self.phase = Phase::Ready;
    }

    /// What is sent next, if nothing is outstanding.
    pub(crate) fn next_command(&self, cx: &mut Cx) -> Option<Command> {
        match &self.phase {
            Phase::Closed => None,
            Phase::Probing(probe) => (probe.next <= cx.now).then_some(Command::Probe(probe.tries)),
            Phase::Starting | Phase::Ready | Phase::Resetting { .. } => cx.queue.pop(),
        }
    }

    pub(crate) fn on_opened(&mut self, cx: &mut Cx) {
        self.forget(cx);
        cx.exchange.clear();
        let wait = self.backoff.pause_before_probing(cx.now);
        self.probe_from(cx, cx.now + wait, None, 0);
    }

    /// The device is gone: with its modem, perhaps for a moment.
    pub(crate) fn on_gone(&mut self, cx: &mut Cx) {
        if self.phase != Phase::Closed && self.backoff.on_restart(cx.now).1 {
            cx.log(Event::RestartsOften);
        }
        self.close(cx);
    }

    fn close(&mut self, cx: &mut Cx) {
        self.forget(cx);
        cx.exchange.clear();
        self.phase = Phase::Closed;
    }

    fn forget(&mut self, cx: &mut Cx) {
        self.echo = Echo::Unknown;
        cx.forget_modem();
    }

    fn probe_from(&mut self, cx: &mut Cx, next: Instant, resume: Option<ResumePhase>, tries: u32) {
        self.phase = Phase::Probing(Probe {
            tries,
            since: cx.now,
            next,
            resume,
            answered: false,
            is_logged: false,
            waits: next > cx.now + cx.dialect.boot && self.backoff.is_looping(cx.now),
            asked: None,
            settle: SETTLE,
        });
    }

    /// A probe goes out.
    pub(crate) fn on_probe_sent(&mut self, now: Instant) {
        if let Phase::Probing(probe) = &mut self.phase {
            probe.asked.get_or_insert(now);
        }
    }

    /// When the next probe goes out, if nothing else holds it.
    pub(crate) fn next_probe(&self, cx: &Cx) -> Option<Instant> {
        match &self.phase {
            Phase::Probing(probe) if cx.exchange.is_idle() => Some(probe.next),
            Phase::Probing(_)
            | Phase::Closed
            | Phase::Starting
            | Phase::Ready
            | Phase::Resetting { .. } => None,
        }
    }

    /// An answer did not come. `prompt` = the modem may still wait for a text; ESC gets it out.
    pub(crate) fn resynchronize(&mut self, cx: &mut Cx, prompt: bool) {
        let resume = match self.phase {
            Phase::Starting => ResumePhase::Starting,
            Phase::Ready => ResumePhase::Ready,
            Phase::Closed | Phase::Probing(_) | Phase::Resetting { .. } => return,
        };
        self.probe_from(cx, cx.now, Some(resume), u32::from(prompt));
    }

    /// Carries out an order to reset, or does it because nothing else helps.
    pub(crate) fn reset(&mut self, cx: &mut Cx) {
        if self.phase == Phase::Closed || matches!(self.phase, Phase::Resetting { .. }) {
            return;
        }
        let is_silent = matches!(self.phase, Phase::Probing(_));
        self.restart_by_command(cx, is_silent);
    }

    fn restart_by_command(&mut self, cx: &mut Cx, reopen: bool) {
        self.forget(cx);
        self.phase = Phase::Resetting { reopen };
        cx.queue.push(Command::Reset { plain: false });
        // A command that was running when this was decided may still be answered.
        cx.quiet_until = Some(cx.now + SETTLE);
    }

    /// It forgot its settings: everything starts over.
    pub(crate) fn on_restarted(&mut self, cx: &mut Cx) {
        cx.counters.restarts += 1;
        let (pause, first) = self.backoff.on_restart(cx.now);
        if first {
            cx.log(Event::RestartsOften);
        } else if pause.is_zero() {
            cx.log(Event::Restarted);
        }
        self.forget(cx);
        self.probe_from(cx, cx.now + SETTLE.max(pause), None, 0);
    }

    /// Whether what came back shows that the modem forgot `ATE0`.
    pub(crate) fn on_echo(&mut self, cx: &mut Cx, command: Command) -> bool {
        if matches!(
            command,
            Command::Probe(_) | Command::EchoOff | Command::Reset { .. }
        ) {
            return false;
        }
        match (self.echo, cx.exchange.echoes) {
            (Echo::Asked, false) => self.echo = Echo::Off,
            (Echo::Off, true) => {
                self.on_restarted(cx);
                return true;
            }
            (Echo::Unknown | Echo::Asked | Echo::Off, _) => {}
        }
        false
    }

    pub(crate) fn on_urc(&mut self, cx: &mut Cx, line: &str) -> bool {
        let boots = BOOTED.contains(&line);
        if !boots && !SWITCHED_OFF.contains(&line) {
            return false;
        }
        match &mut self.phase {
            Phase::Starting | Phase::Ready => self.on_restarted(cx),
            Phase::Probing(probe) if boots && !probe.waits => {
                probe.next = probe.next.min(cx.now + SETTLE);
                cx.exchange.hurry(cx.now + SETTLE);
            }
            Phase::Probing(_) | Phase::Closed | Phase::Resetting { .. } => {}
        }
        true
    }

    /// Silence after an answer of the probe lasts until nothing comes any more.
    pub(crate) fn extend_quiet(&mut self, cx: &mut Cx) {
        if let (Some(until), Phase::Probing(probe)) = (cx.quiet_until, &self.phase) {
            let longest = probe.since + PROBING_TIME;
            cx.quiet_until = Some(until.max((cx.now + probe.settle).min(longest)));
        }
    }

    pub(crate) fn end_quiet(&mut self, cx: &mut Cx) {
        if cx.quiet_until.is_none_or(|until| until > cx.now) {
            return;
        }
        cx.quiet_until = None;
        let Phase::Probing(probe) = self.phase else {
            return;
        };
        if !probe.answered {
            return;
        }
        if probe.is_logged && probe.resume.is_some() {
            cx.log(Event::AnswersAgain);
        }
        match probe.resume {
            Some(ResumePhase::Starting) => self.phase = Phase::Starting,
            Some(ResumePhase::Ready) => self.phase = Phase::Ready,
            None => self.start(cx),
        }
    }

    fn start(&mut self, cx: &mut Cx) {
        self.phase = Phase::Starting;
        self.no_answer_logged = false;
        self.backoff.on_answer();
        cx.queue.clear();
        let who = [
            Command::QueryManufacturer,
            Command::QueryModel,
            Command::QueryImei,
            Command::SelectDialect,
        ];
        [
            Command::EchoOff,
            Command::EnableCmeErrors,
            Command::SetCharset(0),
        ]
        .into_iter()
        .chain(who)
        .for_each(|command| {
            cx.queue.push(command);
        });
    }

    /// Maker and model are known: the dialect, and the rest of the start.
    pub(crate) fn on_identified(&mut self, cx: &mut Cx) {
        let event = Event::Identified {
            model: cx.identity.model.clone(),
            dialect: cx.dialect.name,
        };
        // In a loop of starts that is nothing new any more.
        if !self.backoff.is_looping(cx.now) {
            cx.log(event);
        }
        (0..cx.dialect.init.len()).for_each(|number| cx.queue.push(Command::DialectInit(number)));
        (0..cx.settings.init.len()).for_each(|number| cx.queue.push(Command::UserInit(number)));
        [
            Command::SetPduMode,
            Command::TestCallList,
            Command::EnableClip,
            Command::QueryRadio,
            Command::QuerySim,
        ]
        .into_iter()
        .for_each(|command| cx.queue.push(command));
    }

    pub(crate) fn on_echo_off(&mut self, response: &Response) {
        self.echo = if response.is_ok() {
            Echo::Asked
        } else {
            Echo::Unknown
        };
    }

    pub(crate) fn on_model(cx: &mut Cx, response: &Response) {
        let model = response.text().unwrap_or_default();
        cx.dialect = Dialect::of(&cx.identity.model, model);
        // Some give the maker once more in front of the model.
        if model.contains(cx.identity.model.as_str()) {
            cx.identity.model.clear();
        }
        let name = format!("{} {model}", cx.identity.model);
        // It goes into logs, and what a confused modem sends may be anything.
        cx.identity.model = cx.mask(name.trim());
    }

    pub(crate) fn on_probe(&mut self, cx: &mut Cx, response: &Response) {
        let Phase::Probing(probe) = &mut self.phase else {
            return;
        };
        match response.outcome {
            Outcome::Ok => {
                probe.answered = true;
                let took = probe.asked.map_or(Duration::ZERO, |asked| cx.now - asked);
                probe.settle = SETTLE + took.min(LONGEST_SETTLE);
                cx.quiet_until = Some(cx.now + probe.settle);
            }
            // It lives; `ERROR` is the answer to something older, or to garbage in front of the `AT`.
            Outcome::Failed(_) | Outcome::Call(_) => {
                probe.tries += 1;
                probe.next = cx.now
                    + if probe.tries <= QUICK_TRIES {
                        SETTLE
                    } else {
                        probe_limit(probe.tries)
                    };
                self.on_probe_failed(cx);
            }
            Outcome::TimedOut => {
                probe.tries += 1;
                probe.next = cx.now;
                self.on_probe_failed(cx);
            }
        }
    }

    fn on_probe_failed(&mut self, cx: &mut Cx) {
        let Phase::Probing(probe) = &mut self.phase else {
            return;
        };
        let silent = cx.now.since(probe.asked.unwrap_or(probe.since));
        let longest = if probe.resume.is_some() {
            PROBING_TIME
        } else {
            self.backoff.probing_time()
        };
        let first = !probe.is_logged && probe.tries >= PROBES_BEFORE_LOG;
        probe.is_logged |= first;
        let back = probe.resume.is_some();
        if first && (back || !core::mem::replace(&mut self.no_answer_logged, true)) {
            cx.log(if back {
                Event::Silent
            } else {
                Event::NoAnswer(silent)
            });
        }
        if silent < longest {
            return;
        }
        if back {
            cx.counters.given_up += 1;
            cx.log(Event::GivenUp);
            self.restart_by_command(cx, true);
        } else {
            // Who never answered may be no modem, and is not sent the command to restart.
            self.backoff.on_silence();
            self.reopen(cx);
        }
    }

    pub(crate) fn on_reset(&mut self, cx: &mut Cx, plain: bool, response: &Response) {
        let Phase::Resetting { reopen } = self.phase else {
            return;
        };
        let refused = response.failure().is_some() && !plain && cx.dialect.reset != GENERIC.reset;
        if refused {
            cx.queue.push_front(Command::Reset { plain: true });
        } else if reopen || !response.is_ok() {
            self.reopen(cx);
        } else {
            self.probe_from(cx, cx.now + cx.dialect.boot, None, 0);
        }
    }

    fn reopen(&mut self, cx: &mut Cx) {
        self.close(cx);
        cx.act(Action::Output(Output::Reopen));
    }
}

/// What makes a modem answer that is in some state of a former user: plain; inside a prompt; without words or
/// results (`ATV0`, `ATQ1`); in online data state.
pub(crate) const fn probe_text(tries: u32) -> &'static str {
    match tries % 4 {
        0 => "AT",
        1 => "\u{1b}AT",
        2 => "ATQ0V1E0",
        _ => ESCAPE_SEQUENCE,
    }
}

/// Longer and longer, for a modem that boots takes its time and one that is not there needs no hurry.
pub(crate) const fn probe_limit(tries: u32) -> Duration {
    Duration::from_secs(match tries {
        0..=2 => 1,
        3..=5 => 2,
        6..=8 => 4,
        _ => 8,
    })
}

/// Lines of modems that have just booted.
const BOOTED: [&str; 5] = ["RDY", "^SYSSTART", "*ATREADY: 1", "SYSSTART", "START"];
/// Lines of modems that stop.
const SWITCHED_OFF: [&str; 4] = [
    "NORMAL POWER DOWN",
    "POWERED DOWN",
    "UNDER-VOLTAGE POWER DOWN",
    "OVER-VOLTAGE POWER DOWN",
];
/// A modem slower than that answers no command in time anyway.
const LONGEST_SETTLE: Duration = Duration::from_secs(5);
/// Answers in a row that are errors, before they are waited for longer.
const QUICK_TRIES: u32 = 3;
/// Unanswered probes before it is logged.
const PROBES_BEFORE_LOG: u32 = 5;
