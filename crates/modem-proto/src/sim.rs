//! The SIM card and its PIN (27.007 8.3), and whether the radio is switched on (8.2).
//!
//! Three wrong PINs lock a card, and only a person can unlock it. So: a PIN is sent once. One whose answer was lost, or
//! that was answered OK and opened nothing, once more, where the card says that it has all its tries (a wrong one would
//! have cost one, [`PinPast::may_be_sent`]). One that opened the card is sent after each restart of the modem, by the same
//! rule. One that was refused is never sent again, whatever restarts and whatever the card says. None is sent where two
//! wrong ones have been before.

use dtu_proto::radio::SimState;
use dtu_proto::time::{Duration, Instant};

use crate::answer::{Answer, Failure, Outcome};
use crate::event::{Event, Output};
use crate::job::Job;
use crate::lack::Lack;
use crate::modem::Modem;
use crate::patience::LONGEST;
use crate::settings::PinPast;
use crate::start::{Phase, digits};

/// What is known of the card.
#[derive(Debug)]
pub(crate) struct Sim {
    pub(crate) state: SimState,
    pin: PinPast,
    /// The modem said OK to it a moment ago.
    opening: bool,
    /// It was said that a person is needed.
    said: bool,
    /// Questions since the card last gave a clear answer.
    patience: u32,
}

impl Sim {
    pub(crate) const fn new(pin: PinPast) -> Self {
        Self {
            state: SimState::Unknown,
            pin,
            opening: false,
            said: false,
            patience: 0,
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
        self.patience = 0;
    }
}

impl Modem {
    /// `AT+CFUN?`: in mode 0 and 4 the radio is off.
    pub(crate) fn know_function(&mut self, answer: &Answer) {
        let mode = answer.fields().first().and_then(|field| field.number());
        if matches!(mode, Some(0u8 | 4)) {
            self.agenda.first(Job::FunctionOn);
        }
    }

    pub(crate) fn know_sim(&mut self, answer: &Answer, now: Instant) {
        let word = answer.text();
        match (word, answer.outcome) {
            (Some(word), _) => self.sim_says(word, now),
            (None, Outcome::Failed(failure)) => self.sim_fails(failure, now),
            (None, Outcome::Ok | Outcome::Call(_)) => self.sim_found(SimState::Unknown, now),
            // It is asked again once the modem answers.
            (None, Outcome::TimedOut) => self.sim_fails(Failure::Plain, now),
        }
    }

    /// `+CPIN:` by itself: the card has been put in, pulled out or unlocked.
    pub(crate) fn sim_news(&mut self, line: &str, now: Instant) -> bool {
        let is_state = line.starts_with("+CPIN:");
        let changed = is_state || SIM_CHANGED.iter().any(|head| line.starts_with(head));
        let settled = self.sim.state == SimState::Ready && (line == "+CPIN: READY" || !is_state);
        if READY.iter().any(|head| line.starts_with(head)) {
            self.messages_are_ready(now);
        }
        if changed && self.phase == Phase::Ready && !settled {
            self.agenda.later(now + SIM_SETTLES, Job::Sim);
        }
        changed
    }

    fn sim_says(&mut self, word: &str, now: Instant) {
        self.lack_no_more(Lack::Sim);
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
            _ if failure.is_busy() && self.sim.patience < LONGEST_BUSY => {
                self.sim.patience += 1;
                self.agenda.later(now + SIM_SETTLES, Job::Sim);
            }
            Failure::Cme(11) | Failure::Cms(311) => self.pin_wanted(now),
            Failure::Cme(12) | Failure::Cms(316) => self.sim_found(SimState::PukNeeded, now),
            // A modem that does not know the question may work all the same.
            _ if failure.is_unknown_command()
                && (self.sim.patience >= FEW || self.lacks.has(Lack::Sim)) =>
            {
                self.lack(Lack::Sim);
                self.sim_found(SimState::Unknown, now);
            }
            _ if failure.is_unknown_command() => {
                self.sim.patience += 1;
                self.agenda.later(now + SIM_SETTLES, Job::Sim);
            }
            Failure::Plain | Failure::Cme(_) | Failure::Cms(_) => {
                self.sim_found(SimState::Missing, now)
            }
        }
    }

    fn pin_wanted(&mut self, now: Instant) {
        if self.sim.opening && self.sim.patience < LONGEST_OPENING {
            self.sim.patience += 1;
            return self.agenda.later(now + SIM_SETTLES, Job::Sim);
        }
        if core::mem::take(&mut self.sim.opening) {
            self.sim.patience = 0;
            if self.sim.pin.unheeded() != self.sim.pin {
                self.pin_is(self.sim.pin.unheeded());
            }
            self.note(Event::PinUnheeded);
        }
        // However many tries the card has: then it need not be asked for them.
        if self.settings.pin.is_none() || !self.sim.pin.may_be_sent(Some(u8::MAX)) {
            self.say_pin(Event::PinMissing);
            self.sim_found(SimState::PinNeeded, now);
        } else {
            self.agenda.first(Job::PinTries);
        }
    }

    /// How many tries the card allows; where the modem cannot say, one is made.
    pub(crate) fn know_pin_tries(&mut self, answer: &Answer, now: Instant) {
        let field = self.dialect.pin_tries.2;
        let tries = answer
            .fields()
            .get(field)
            .and_then(|field| field.number::<u8>());
        let tries = tries.filter(|_| answer.is_ok());
        if let Some(tries) = tries.filter(|tries| *tries <= 1) {
            self.say_pin(Event::PinSpared(tries));
            self.sim_found(SimState::PinNeeded, now);
        } else if !self.sim.pin.may_be_sent(tries) {
            self.say_pin(Event::PinMissing);
            self.sim_found(SimState::PinNeeded, now);
        } else {
            self.agenda.first(Job::Pin);
        }
    }

    /// From now on it is in doubt, until the card says that it was right.
    pub(crate) fn pin_goes_out(&mut self) {
        self.pin_is(self.sim.pin.sent());
    }

    /// Nobody would know of it at the next start, which would send it again: it stays here. The host says why.
    pub(crate) fn pin_unkept(&mut self, now: Instant) {
        if self.channel.job() != Some(&Job::Pin) {
            return;
        }
        self.channel.abandon();
        self.outputs
            .retain(|output| !matches!(output, Output::Write(_) | Output::Event(Event::Sent(_))));
        self.sim.pin = PinPast::Refused;
        self.sim.said = true;
        self.sim_found(SimState::PinNeeded, now);
    }

    fn pin_is(&mut self, pin: PinPast) {
        self.sim.pin = pin;
        self.note(Event::PinIs(pin));
    }

    pub(crate) fn know_pin(&mut self, answer: &Answer, now: Instant) {
        // OK alone opens nothing: there are modems that say it and go on asking.
        self.sim.opening = answer.is_ok();
        self.sim.patience = 0;
        let pause = match answer.failure() {
            // It has not looked at the PIN, and needs some time.
            Some(failure) if failure.is_busy() => SIM_POLL,
            Some(_) => {
                self.pin_is(PinPast::Refused);
                self.note(Event::PinRefused);
                SIM_SETTLES
            }
            None => SIM_SETTLES,
        };
        self.agenda.later(now + pause, Job::Sim);
    }

    fn sim_found(&mut self, state: SimState, now: Instant) {
        if state == SimState::Ready && self.sim.pin.is_in_doubt() {
            self.pin_is(PinPast::Taken);
            self.note(Event::PinAccepted);
        }
        self.sim.opening = false;
        self.sim.patience = 0;
        let was = core::mem::replace(&mut self.sim.state, state);
        if state == SimState::Ready {
            self.sim.said = false;
        }
        match (self.present, was == state) {
            (true, true) => self.ask_sim_again(now),
            (true, false) if state != SimState::Ready => {
                self.identity.imsi.clear();
                self.agenda.push(Job::Introduce);
            }
            _ if state == SimState::Ready => self.agenda.push(Job::Imsi),
            (true | false, _) => self.agenda.push(Job::Introduce),
        }
    }

    pub(crate) fn know_imsi(&mut self, answer: &Answer, now: Instant) {
        let busy =
            answer.failure().is_some_and(Failure::is_busy) && self.sim.patience < LONGEST_BUSY;
        if busy {
            self.sim.patience += 1;
            return self.agenda.later(now + SIM_SETTLES, Job::Imsi);
        }
        self.sim.patience = 0;
        self.identity.imsi = digits(answer);
        self.lack_if_unknown(answer, Lack::Imsi);
        self.agenda.push(Job::Introduce);
    }

    /// A card can be put in, unlocked or pulled at any time, and not every modem tells.
    pub(crate) fn ask_sim_again(&mut self, now: Instant) {
        let pause = match self.sim.state {
            SimState::Ready => READY_SIM_POLL,
            _ if self.lacks.has(Lack::Sim) => LONGEST,
            SimState::Unknown | SimState::Missing | SimState::PinNeeded | SimState::PukNeeded => {
                SIM_POLL
            }
        };
        self.agenda.later(now + pause, Job::Sim);
    }

    fn say_pin(&mut self, event: Event) {
        if !core::mem::replace(&mut self.sim.said, true) {
            self.note(event);
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
