//! The SIM card and its PIN (27.007 8.3), and whether the radio is switched on (8.2).
//!
//! Three wrong PINs lock a card, and only a person can unlock it. So: a PIN is sent once. One whose answer was lost, or
//! that was answered OK and opened nothing, once more, where the card says that it has all its tries (a wrong one would
//! have cost one, [`PinHistory::may_be_sent`]). One that opened the card is sent after each restart of the modem, by the same
//! rule. One that was refused is never sent again, whatever restarts and whatever the card says. None is sent where two
//! wrong ones have been before.

use dtu_proto::radio::SimState;
use dtu_proto::time::{Duration, Instant};

use crate::backoff::LONGEST;
use crate::command::Command;
use crate::event::{Event, Output};
use crate::limitation::Limitation;
use crate::modem::Modem;
use crate::response::{Failure, Outcome, Response};
use crate::settings::PinHistory;
use crate::start::{Phase, digits};

/// What is known of the card.
#[derive(Debug)]
pub(crate) struct Sim {
    pub(crate) state: SimState,
    pin: PinHistory,
    /// The modem said OK to it a moment ago.
    opening: bool,
    /// It was said that a person is needed.
    said: bool,
    /// Questions since the card last gave a clear answer.
    doubts: u32,
}

impl Sim {
    pub(crate) const fn new(pin: PinHistory) -> Self {
        Self {
            state: SimState::Unknown,
            pin,
            opening: false,
            said: false,
            doubts: 0,
        }
    }

    /// Ready, or in a modem that cannot be asked.
    pub(crate) fn is_usable(&self) -> bool {
        matches!(self.state, SimState::Ready | SimState::Unknown)
    }

    /// The modem is gone; what is known of the PIN stays.
    pub(crate) const fn forget(&mut self) {
        self.state = SimState::Unknown;
        self.opening = false;
        self.doubts = 0;
    }
}

impl Modem {
    /// `AT+CFUN?`: in mode 0 and 4 the radio is off.
    pub(crate) fn on_function(&mut self, response: &Response) {
        let mode = response.fields().first().and_then(|field| field.number());
        if matches!(mode, Some(0u8 | 4)) {
            self.queue.push_front(Command::EnableRadio);
        }
    }

    pub(crate) fn on_sim(&mut self, response: &Response, now: Instant) {
        let word = response.text();
        match (word, response.outcome) {
            (Some(word), _) => self.sim_says(word, now),
            (None, Outcome::Failed(failure)) => self.sim_fails(failure, now),
            (None, Outcome::Ok | Outcome::Call(_)) => self.sim_found(SimState::Unknown, now),
            // It is asked again once the modem answers.
            (None, Outcome::TimedOut) => self.sim_fails(Failure::Plain, now),
        }
    }

    /// `+CPIN:` by itself: the card has been put in, pulled out or unlocked.
    pub(crate) fn on_sim_urc(&mut self, line: &str, now: Instant) -> bool {
        let is_state = line.starts_with("+CPIN:");
        let changed = is_state || SIM_CHANGED.iter().any(|head| line.starts_with(head));
        let settled = self.sim.state == SimState::Ready && (line == "+CPIN: READY" || !is_state);
        if READY.iter().any(|head| line.starts_with(head)) {
            self.messages_are_ready(now);
        }
        if changed && self.phase == Phase::Ready && !settled {
            self.queue.schedule(now + SIM_SETTLES, Command::QuerySim);
        }
        changed
    }

    fn sim_says(&mut self, word: &str, now: Instant) {
        self.clear_limitation(Limitation::Sim);
        match word {
            // The second PIN guards a list of numbers that nobody here uses.
            "READY" | "SIM PIN2" | "SIM PUK2" => self.sim_found(SimState::Ready, now),
            "SIM PIN" => self.pin_wanted(now),
            "SIM PUK" => self.sim_found(SimState::PukNeeded, now),
            // Locks of operators and makers: PH-NET PIN, PH-SIM PIN, …
            _ if word.starts_with("PH-") => self.sim_found(SimState::PukNeeded, now),
            _ => self.sim_found(SimState::Missing, now),
        }
    }

    fn sim_fails(&mut self, failure: Failure, now: Instant) {
        match failure {
            _ if failure.is_busy() && self.sim.doubts < LONGEST_BUSY => {
                self.sim.doubts += 1;
                self.queue.schedule(now + SIM_SETTLES, Command::QuerySim);
            }
            Failure::Cme(11) | Failure::Cms(311) => self.pin_wanted(now),
            Failure::Cme(12) | Failure::Cms(316) => self.sim_found(SimState::PukNeeded, now),
            // A modem that does not know the question may work all the same.
            _ if failure.is_unknown_command()
                && (self.sim.doubts >= FEW || self.limitations.has(Limitation::Sim)) =>
            {
                self.add_limitation(Limitation::Sim);
                self.sim_found(SimState::Unknown, now);
            }
            _ if failure.is_unknown_command() => {
                self.sim.doubts += 1;
                self.queue.schedule(now + SIM_SETTLES, Command::QuerySim);
            }
            Failure::Plain | Failure::Cme(_) | Failure::Cms(_) => {
                self.sim_found(SimState::Missing, now)
            }
        }
    }

    fn pin_wanted(&mut self, now: Instant) {
        if self.sim.opening && self.sim.doubts < LONGEST_OPENING {
            self.sim.doubts += 1;
            return self.queue.schedule(now + SIM_SETTLES, Command::QuerySim);
        }
        if core::mem::take(&mut self.sim.opening) {
            self.sim.doubts = 0;
            if self.sim.pin.unheeded() != self.sim.pin {
                self.set_pin_history(self.sim.pin.unheeded());
            }
            self.log(Event::PinWithoutEffect);
        }
        // However many tries the card has: then it need not be asked for them.
        if self.settings.pin.is_none() || !self.sim.pin.may_be_sent(Some(u8::MAX)) {
            self.say_pin(Event::PinMissing);
            self.sim_found(SimState::PinNeeded, now);
        } else {
            self.queue.push_front(Command::QueryPinTries);
        }
    }

    /// How many tries the card allows; where the modem cannot say, one is made.
    pub(crate) fn on_pin_tries(&mut self, response: &Response, now: Instant) {
        let field = self.dialect.pin_tries.2;
        let tries = response
            .fields()
            .get(field)
            .and_then(|field| field.number::<u8>());
        let tries = tries.filter(|_| response.is_ok());
        if let Some(tries) = tries.filter(|tries| *tries <= 1) {
            self.say_pin(Event::PinWithheld(tries));
            self.sim_found(SimState::PinNeeded, now);
        } else if !self.sim.pin.may_be_sent(tries) {
            self.say_pin(Event::PinMissing);
            self.sim_found(SimState::PinNeeded, now);
        } else {
            self.queue.push_front(Command::EnterPin);
        }
    }

    /// From now on it is in doubt, until the card says that it was right.
    pub(crate) fn pin_goes_out(&mut self) {
        self.set_pin_history(self.sim.pin.sent());
    }

    /// Nobody would know of it at the next start, which would send it again: it stays here. The host says why.
    pub(crate) fn on_pin_not_saved(&mut self, now: Instant) {
        if self.exchange.command() != Some(&Command::EnterPin) {
            return;
        }
        self.exchange.abandon();
        self.outputs
            .retain(|output| !matches!(output, Output::Write(_) | Output::Event(Event::Sent(_))));
        self.sim.pin = PinHistory::Refused;
        self.sim.said = true;
        self.sim_found(SimState::PinNeeded, now);
    }

    fn set_pin_history(&mut self, pin: PinHistory) {
        self.sim.pin = pin;
        self.log(Event::PinState(pin));
    }

    pub(crate) fn on_pin(&mut self, response: &Response, now: Instant) {
        // OK alone opens nothing: there are modems that say it and go on asking.
        self.sim.opening = response.is_ok();
        self.sim.doubts = 0;
        let pause = match response.failure() {
            // It has not looked at the PIN, and needs some time.
            Some(failure) if failure.is_busy() => SIM_POLL,
            Some(_) => {
                self.set_pin_history(PinHistory::Refused);
                self.log(Event::PinRefused);
                SIM_SETTLES
            }
            None => SIM_SETTLES,
        };
        self.queue.schedule(now + pause, Command::QuerySim);
    }

    fn sim_found(&mut self, state: SimState, now: Instant) {
        if state == SimState::Ready && self.sim.pin.is_in_doubt() {
            self.set_pin_history(PinHistory::Accepted);
            self.log(Event::PinAccepted);
        }
        self.sim.opening = false;
        self.sim.doubts = 0;
        let was = core::mem::replace(&mut self.sim.state, state);
        if state == SimState::Ready {
            self.sim.said = false;
        }
        match (self.present, was == state) {
            (true, true) => self.ask_sim_again(now),
            (true, false) if state != SimState::Ready => {
                self.identity.imsi.clear();
                self.queue.push(Command::ReportPresent);
            }
            _ if state == SimState::Ready => self.queue.push(Command::QueryImsi),
            (true | false, _) => self.queue.push(Command::ReportPresent),
        }
    }

    pub(crate) fn on_imsi(&mut self, response: &Response, now: Instant) {
        let busy =
            response.failure().is_some_and(Failure::is_busy) && self.sim.doubts < LONGEST_BUSY;
        if busy {
            self.sim.doubts += 1;
            return self.queue.schedule(now + SIM_SETTLES, Command::QueryImsi);
        }
        self.sim.doubts = 0;
        self.identity.imsi = digits(response);
        self.limited_if_unknown(response, Limitation::Imsi);
        self.queue.push(Command::ReportPresent);
    }

    /// A card can be put in, unlocked or pulled at any time, and not every modem tells.
    pub(crate) fn ask_sim_again(&mut self, now: Instant) {
        let pause = match self.sim.state {
            SimState::Ready => READY_SIM_POLL,
            _ if self.limitations.has(Limitation::Sim) => LONGEST,
            SimState::Unknown | SimState::Missing | SimState::PinNeeded | SimState::PukNeeded => {
                SIM_POLL
            }
        };
        self.queue.schedule(now + pause, Command::QuerySim);
    }

    fn say_pin(&mut self, event: Event) {
        if !core::mem::replace(&mut self.sim.said, true) {
            self.log(event);
        }
    }
}

/// A card that was just put in or unlocked needs a moment.
const SIM_SETTLES: Duration = Duration::from_secs(1);
/// Looks at a card that was told the PIN before it counts as one that stayed shut.
const LONGEST_OPENING: u32 = 10;
/// Between two looks at a card that cannot be used.
const SIM_POLL: Duration = Duration::from_secs(30);
/// Between two looks at a card that works.
const READY_SIM_POLL: Duration = Duration::from_secs(120);
/// Answers "busy" in a row before the card counts as broken.
const LONGEST_BUSY: u32 = 30;
/// Plain errors in a row before the modem counts as one that cannot be asked.
const FEW: u32 = 3;
/// News that the card can be used for messages.
const READY: [&str; 4] = ["SMS Ready", "+CPIN: READY", "+QIND: SMS DONE", "SMS DONE"];
/// Makers' own news of the card.
const SIM_CHANGED: [&str; 8] = [
    "SMS DONE",
    "+QIND: SMS DONE",
    "+QUSIM:",
    "^SIMST:",
    "+SIMCARD:",
    "Call Ready",
    "SMS Ready",
    "+QSIMSTAT:",
];
