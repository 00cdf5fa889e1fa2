//! From an open device to a modem that is known; silence, restarts and resets.

use alloc::format;

use dtu_proto::radio::ModemInput;
use dtu_proto::time::{Duration, Instant};

use crate::backoff::LONGEST_PROBING;
use crate::call::ListEnds;
use crate::command::Command;
use crate::dialect::{Dialect, GENERIC};
use crate::event::{Event, Output};
use crate::limitation::Limitation;
use crate::modem::Modem;
use crate::request::probe_limit;
use crate::response::{Failure, Outcome, Response};

/// Where the dialogue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The device is not open.
    Closed,
    /// `AT` until it answers.
    Probing(Probing),
    /// It answers, and is asked who it is.
    Starting,
    /// It was introduced; orders are carried out.
    Ready,
    /// It is told to restart.
    Resetting {
        /// The device is opened again afterwards, for the modem is silent.
        reopen: bool,
    },
}

/// Asking for an answer, whichever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Probing {
    pub(crate) tries: u32,
    since: Instant,
    pub(crate) next: Instant,
    /// The dialogue that goes on when it answers; `None` = it begins.
    back_to: Option<Back>,
    answered: bool,
    said: bool,
    /// It restarts too often, and is left alone whatever it says.
    waits: bool,
    /// When the first probe went out.
    asked: Option<Instant>,
    /// After an answer: nothing may come for so long. The answers to all probes that were sent must be in, so a modem
    /// that took a second for the first is given a second for the last.
    settle: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Back {
    Starting,
    Ready,
}

/// Whether the modem sends back what it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Echo {
    Unknown,
    /// `ATE0` was taken.
    Asked,
    /// And a command did not come back since. So one that does comes from a modem that forgot: it restarted.
    Off,
}

impl Modem {
    pub(crate) fn opened(&mut self, now: Instant) {
        self.leave();
        self.exchange.clear();
        let wait = self.backoff.before_asking(now);
        self.probe_from(now + wait, None, 0, now);
    }

    /// The device is gone: with its modem, perhaps for a moment.
    pub(crate) fn vanished(&mut self, now: Instant) {
        if self.phase != Phase::Closed && self.backoff.restarted(now).1 {
            self.log(Event::RestartsOften);
        }
        self.closed();
    }

    pub(crate) fn closed(&mut self) {
        self.leave();
        self.exchange.clear();
        self.phase = Phase::Closed;
    }

    fn probe_from(&mut self, next: Instant, back_to: Option<Back>, tries: u32, now: Instant) {
        self.phase = Phase::Probing(Probing {
            tries,
            since: now,
            next,
            back_to,
            answered: false,
            said: false,
            waits: next > now + SETTLE
                && next > now + self.dialect.boot
                && self.backoff.is_looping(now),
            asked: None,
            settle: SETTLE,
        });
    }

    /// A probe goes out.
    pub(crate) fn note_probe(&mut self, now: Instant) {
        if let Phase::Probing(probing) = &mut self.phase {
            probing.asked.get_or_insert(now);
        }
    }

    /// When the next probe goes out, if nothing else holds it.
    pub(crate) fn next_probe(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Probing(probing) if self.exchange.is_idle() => Some(probing.next),
            Phase::Probing(_)
            | Phase::Closed
            | Phase::Starting
            | Phase::Ready
            | Phase::Resetting { .. } => None,
        }
    }

    /// An answer did not come. `prompt` = the modem may still wait for a text; ESC gets it out.
    pub(crate) fn resynchronize(&mut self, prompt: bool, now: Instant) {
        let back_to = match self.phase {
            Phase::Starting => Back::Starting,
            Phase::Ready => Back::Ready,
            Phase::Closed | Phase::Probing(_) | Phase::Resetting { .. } => return,
        };
        self.probe_from(now, Some(back_to), u32::from(prompt), now);
    }

    /// Carries out an order to reset, or does it because nothing else helps.
    pub(crate) fn reset(&mut self, now: Instant) {
        if self.phase == Phase::Closed || matches!(self.phase, Phase::Resetting { .. }) {
            return;
        }
        let is_silent = matches!(self.phase, Phase::Probing(_));
        self.restart_by_command(is_silent, now);
    }

    fn restart_by_command(&mut self, reopen: bool, now: Instant) {
        self.leave();
        self.phase = Phase::Resetting { reopen };
        self.queue.push(Command::Reset { plain: false });
        // A command that was running when this was decided may still be answered.
        self.quiet_until = Some(now + SETTLE);
    }

    /// It forgot what it was told: everything starts over.
    pub(crate) fn restarted(&mut self, now: Instant) {
        self.counters.restarts += 1;
        let (pause, first) = self.backoff.restarted(now);
        if first {
            self.log(Event::RestartsOften);
        } else if pause.is_zero() {
            self.log(Event::Restarted);
        }
        self.leave();
        self.probe_from(now + SETTLE.max(pause), None, 0, now);
    }

    /// Whether what came back shows that the modem forgot `ATE0`.
    pub(crate) fn notice_echo(&mut self, command: Command, now: Instant) -> bool {
        if matches!(
            command,
            Command::Probe(_) | Command::EchoOff | Command::Reset { .. }
        ) {
            return false;
        }
        match (self.echo, self.exchange.echoes) {
            (Echo::Asked, false) => self.echo = Echo::Off,
            (Echo::Off, true) => {
                self.restarted(now);
                return true;
            }
            (Echo::Unknown | Echo::Asked | Echo::Off, _) => {}
        }
        false
    }

    pub(crate) fn on_boot_urc(&mut self, line: &str, now: Instant) -> bool {
        let boots = BOOTED.contains(&line);
        if !boots && !SWITCHED_OFF.contains(&line) {
            return false;
        }
        match &mut self.phase {
            Phase::Starting | Phase::Ready => self.restarted(now),
            Phase::Probing(probing) if boots && !probing.waits => {
                probing.next = probing.next.min(now + SETTLE);
                self.exchange.hurry(now + SETTLE);
            }
            Phase::Probing(_) | Phase::Closed | Phase::Resetting { .. } => {}
        }
        true
    }

    /// Silence after an answer of the probe lasts until nothing comes any more.
    pub(crate) fn disturb_quiet(&mut self, now: Instant) {
        if let (Some(until), Phase::Probing(probing)) = (self.quiet_until, &self.phase) {
            let longest = probing.since + LONGEST_PROBING;
            self.quiet_until = Some(until.max((now + probing.settle).min(longest)));
        }
    }

    pub(crate) fn end_quiet(&mut self, now: Instant) {
        if self.quiet_until.is_none_or(|until| until > now) {
            return;
        }
        self.quiet_until = None;
        let Phase::Probing(probing) = self.phase else {
            return;
        };
        if !probing.answered {
            return;
        }
        if probing.said && probing.back_to.is_some() {
            self.log(Event::AnswersAgain);
        }
        match probing.back_to {
            Some(Back::Starting) => self.phase = Phase::Starting,
            Some(Back::Ready) => self.phase = Phase::Ready,
            None => self.start(),
        }
    }

    fn start(&mut self) {
        self.phase = Phase::Starting;
        self.doubted = false;
        self.backoff.answers();
        self.queue.clear();
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
            self.queue.push(command);
        });
    }

    /// Maker and model are known: the dialect, and the rest of the start.
    pub(crate) fn choose(&mut self, now: Instant) {
        let event = Event::Identified {
            model: self.identity.model.clone(),
            dialect: self.dialect.name,
        };
        // In a loop of starts that is no news any more.
        if !self.backoff.is_looping(now) {
            self.log(event);
        }
        (0..self.dialect.init.len())
            .for_each(|number| self.queue.push(Command::DialectInit(number)));
        (0..self.settings.init.len()).for_each(|number| self.queue.push(Command::UserInit(number)));
        [
            Command::SetPduMode,
            Command::TestCallList,
            Command::EnableClip,
            Command::QueryRadio,
            Command::QuerySim,
        ]
        .into_iter()
        .for_each(|command| self.queue.push(command));
    }

    /// Who it is goes to the device; what was told before is void.
    pub(crate) fn introduce(&mut self, now: Instant) {
        self.phase = Phase::Ready;
        self.present = true;
        self.network.forget_told();
        let identity = self.identity.clone();
        self.emit(ModemInput::Present(identity));
        self.emit(ModemInput::Sim(self.sim.state));
        self.watch_network();
        if self.identity.abilities.calls {
            self.queue.push(Command::ListCalls);
        }
        self.ask_sim_again(now);
        if self.sim.is_usable() {
            self.open_mailbox();
            self.queue.push(Command::QueryServiceCenter);
            self.queue.push(Command::QueryOwnNumber);
            self.data_wanted();
        }
        let calls = self.identity.abilities.calls;
        self.limited_if(!calls, Limitation::Calls);
        self.limited_if(calls && !self.calls.are_listed, Limitation::CallList);
        self.limited_if(
            self.calls.list_ends == ListEnds::Yes,
            Limitation::ListWhileDialling,
        );
        if self.limitations().next().is_some() {
            self.emit_limitations();
        }
    }

    /// What a plain "no" to a test means for the abilities.
    pub(crate) fn on_ability(&mut self, command: Command, response: &Response, now: Instant) {
        let has = !response.failure().is_some_and(Failure::is_unknown_command);
        if command == Command::SetPduMode {
            self.on_message_mode(response, now);
        } else {
            self.calls.are_listed = has;
            self.identity.abilities.calls = has;
        }
    }

    pub(crate) fn on_model(&mut self, model: &str) {
        self.dialect = Dialect::of(&self.identity.model, model);
        // Some give the maker once more in front of the model.
        if model.contains(self.identity.model.as_str()) {
            self.identity.model.clear();
        }
        let name = format!("{} {model}", self.identity.model);
        // It goes into logs, and what a confused modem sends may be anything.
        self.identity.model = self.mask(name.trim());
    }

    pub(crate) fn probed(&mut self, response: &Response, now: Instant) {
        let Phase::Probing(probing) = &mut self.phase else {
            return;
        };
        match response.outcome {
            Outcome::Ok => {
                probing.answered = true;
                let took = probing.asked.map_or(Duration::ZERO, |asked| now - asked);
                probing.settle = SETTLE + took.min(LONGEST_SETTLE);
                self.quiet_until = Some(now + probing.settle);
            }
            // It lives; `ERROR` is the answer to something older, or to garbage in front of the `AT`.
            Outcome::Failed(_) | Outcome::Call(_) => {
                probing.tries += 1;
                probing.next = now
                    + if probing.tries <= QUICK_TRIES {
                        SETTLE
                    } else {
                        probe_limit(probing.tries)
                    };
                self.probe_failed(now);
            }
            Outcome::TimedOut => {
                probing.tries += 1;
                probing.next = now;
                self.probe_failed(now);
            }
        }
    }

    fn probe_failed(&mut self, now: Instant) {
        let Phase::Probing(probing) = &mut self.phase else {
            return;
        };
        let silent = now.since(probing.asked.unwrap_or(probing.since));
        let longest = if probing.back_to.is_some() {
            LONGEST_PROBING
        } else {
            self.backoff.asks_for()
        };
        let first = !probing.said && probing.tries >= TRIES_BEFORE_WORD;
        probing.said |= first;
        let back = probing.back_to.is_some();
        if first && (back || !core::mem::replace(&mut self.doubted, true)) {
            self.log(if back {
                Event::Silent
            } else {
                Event::NoAnswer(silent)
            });
        }
        if silent < longest {
            return;
        }
        if back {
            self.counters.given_up += 1;
            self.log(Event::GivenUp);
            self.restart_by_command(true, now);
        } else {
            // Who never answered may be no modem, and is not told to restart.
            self.backoff.stayed_silent();
            self.reopen();
        }
    }

    pub(crate) fn told_to_restart(&mut self, plain: bool, response: &Response, now: Instant) {
        let Phase::Resetting { reopen } = self.phase else {
            return;
        };
        let refused = response.failure().is_some() && !plain && self.dialect.reset != GENERIC.reset;
        if refused {
            self.queue.push_front(Command::Reset { plain: true });
        } else if reopen || !response.is_ok() {
            self.reopen();
        } else {
            self.probe_from(now + self.dialect.boot, None, 0, now);
        }
    }

    fn reopen(&mut self) {
        self.closed();
        self.outputs.push_back(Output::Reopen);
    }
}

/// The 15 digits of an IMEI or IMSI, wherever they stand.
pub(crate) fn digits(response: &Response) -> alloc::string::String {
    let text = response.text().unwrap_or_default();
    let is_number =
        (14..=17).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        text.into()
    } else {
        Default::default()
    }
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
/// So long nothing must come before the next command.
pub(crate) const SETTLE: Duration = Duration::from_millis(300);
/// A modem slower than that answers no command in time anyway.
const LONGEST_SETTLE: Duration = Duration::from_secs(5);
/// Answers in a row that are errors, before they are waited for longer.
const QUICK_TRIES: u32 = 3;
/// Unanswered probes before it is said.
const TRIES_BEFORE_WORD: u32 = 5;
