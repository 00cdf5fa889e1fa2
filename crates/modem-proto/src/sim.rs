//! The SIM card and its PIN (27.007 8.3), and whether the radio is switched on (8.2).
//!
//! Three wrong PINs lock a card, and only a person can unlock it. So: a PIN is sent once. One whose answer was lost, or
//! that was answered OK and opened nothing, once more, where the card says that it has all its tries (a wrong one would
//! have cost one, [`PinHistory::may_be_sent`]). One that opened the card is sent after each restart of the modem, by the same
//! rule. A `READY` says that it was right only where it is the first clear answer behind the PIN, of the same modem, or comes
//! so soon that nobody can have exchanged the card, or where the card is one that took the PIN before, by its IMSI. One that was refused is never sent again, whatever restarts and whatever the card says. None is sent where two
//! wrong ones have been before.

use alloc::string::String;

use dtu_proto::radio::SimState;
use dtu_proto::time::{Duration, Instant};

use crate::backoff::LONGEST_PAUSE;
use crate::command::Command;
use crate::cx::Cx;
use crate::event::Event;
use crate::limitation::Limitation;
use crate::response::{Failure, Outcome, Response};
use crate::settings::PinHistory;

/// What is known of the card.
#[derive(Debug)]
pub(crate) struct SimCard {
    state: SimState,
    pin: PinHistory,
    /// It was sent, and the card has given no clear answer since.
    is_answer_due: bool,
    /// The IMSI of the card that took it.
    taken_by: String,
    /// The next IMSI is that one.
    is_taken: bool,
    /// Until then the card is the one that it was sent to, whatever restarts.
    same_until: Option<Instant>,
    /// The modem said OK to it a moment ago.
    opening: bool,
    /// It was logged that a person is needed.
    is_logged: bool,
    /// Questions since the card last gave a clear answer.
    doubts: u32,
}

impl SimCard {
    pub(crate) const fn new(pin: PinHistory) -> Self {
        Self {
            state: SimState::Unknown,
            pin,
            is_answer_due: false,
            taken_by: String::new(),
            is_taken: false,
            same_until: None,
            opening: false,
            is_logged: false,
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
        self.is_answer_due = false;
        self.is_taken = false;
        self.opening = false;
        self.doubts = 0;
    }

    pub(crate) const fn state(&self) -> SimState {
        self.state
    }

    /// `AT+CFUN?`: in mode 0 and 4 the radio is off.
    pub(crate) fn on_radio(&mut self, cx: &mut Cx, response: &Response) {
        let mode = response.fields().first().and_then(|field| field.number());
        if matches!(mode, Some(0u8 | 4)) {
            cx.queue.push_front(Command::EnableRadio);
        }
    }

    pub(crate) fn on_pin_query(&mut self, cx: &mut Cx, response: &Response) {
        let word = response.text();
        match (word, response.outcome) {
            (Some(word), _) => self.on_pin_word(cx, word),
            (None, Outcome::Failed(failure)) => self.on_pin_query_failure(cx, failure),
            (None, Outcome::Ok | Outcome::Call(_)) => self.on_state(cx, SimState::Unknown),
            // It is asked again once the modem answers.
            (None, Outcome::TimedOut) => self.on_pin_query_failure(cx, Failure::Plain),
        }
    }

    /// `is_ready`: the start of the dialogue is over. `+CPIN:` by itself: the card has been put in, pulled out or unlocked.
    pub(crate) fn on_urc(&mut self, cx: &mut Cx, is_ready: bool, line: &str) -> bool {
        let is_state = line.starts_with("+CPIN:");
        let changed = is_state || SIM_CHANGED.iter().any(|head| line.starts_with(head));
        let settled = self.state == SimState::Ready && (line == "+CPIN: READY" || !is_state);
        if changed && is_ready && !settled {
            cx.queue.schedule(cx.now + SIM_SETTLES, Command::QuerySim);
        }
        changed
    }

    fn on_pin_word(&mut self, cx: &mut Cx, word: &str) {
        cx.clear_limitation(Limitation::Sim);
        match word {
            // The second PIN guards a list of numbers that nobody here uses.
            "READY" | "SIM PIN2" | "SIM PUK2" => self.on_state(cx, SimState::Ready),
            "SIM PIN" => self.on_pin_required(cx),
            "SIM PUK" => self.on_state(cx, SimState::PukNeeded),
            // Locks of operators and makers: PH-NET PIN, PH-SIM PIN, …
            _ if word.starts_with("PH-") => self.on_state(cx, SimState::PukNeeded),
            _ => self.on_missing(cx),
        }
    }

    fn on_pin_query_failure(&mut self, cx: &mut Cx, failure: Failure) {
        match failure {
            _ if failure.is_busy() && self.doubts < LONGEST_BUSY => {
                self.doubts += 1;
                cx.queue.schedule(cx.now + SIM_SETTLES, Command::QuerySim);
            }
            Failure::Cme(11) | Failure::Cms(311) => self.on_pin_required(cx),
            Failure::Cme(12) | Failure::Cms(316) => self.on_state(cx, SimState::PukNeeded),
            // A modem that does not know the question may work all the same.
            _ if failure.is_unknown_command()
                && (self.doubts >= FEW || cx.limitations.has(Limitation::Sim)) =>
            {
                cx.add_limitation(Limitation::Sim);
                self.on_state(cx, SimState::Unknown);
            }
            _ if failure.is_unknown_command() => {
                self.doubts += 1;
                cx.queue.schedule(cx.now + SIM_SETTLES, Command::QuerySim);
            }
            Failure::Plain | Failure::Cme(_) | Failure::Cms(_) => self.on_missing(cx),
        }
    }

    /// A card that has just been opened may start anew.
    fn on_missing(&mut self, cx: &mut Cx) {
        if !self.is_still_opening(cx) {
            self.on_state(cx, SimState::Missing);
        }
    }

    fn is_still_opening(&mut self, cx: &mut Cx) -> bool {
        let is_opening = self.opening && self.doubts < LONGEST_OPENING;
        if is_opening {
            self.doubts += 1;
            cx.queue.schedule(cx.now + SIM_SETTLES, Command::QuerySim);
        }
        is_opening
    }

    fn on_pin_required(&mut self, cx: &mut Cx) {
        if self.is_still_opening(cx) {
            return;
        }
        if core::mem::take(&mut self.opening) {
            self.doubts = 0;
            // Once more: the host's disk may have refused the note before, and takes it now.
            if self.pin.is_in_doubt() {
                self.set_pin_history(cx, self.pin);
            }
            cx.log(Event::PinWithoutEffect);
        }
        // However many tries the card has: then it need not be asked for them.
        if cx.settings.pin.is_none() || !self.pin.may_be_sent(Some(u8::MAX)) {
            self.log_once(cx, Event::PinMissing);
            self.on_state(cx, SimState::PinNeeded);
        } else {
            cx.queue.push_front(Command::QueryPinTries);
        }
    }

    /// How many tries the card allows; where the modem cannot say, one is made.
    pub(crate) fn on_pin_tries(&mut self, cx: &mut Cx, response: &Response) {
        let field = cx.dialect.pin_tries.2;
        let tries = response
            .fields()
            .get(field)
            .and_then(|field| field.number::<u8>());
        let tries = tries.filter(|_| response.is_ok());
        if let Some(tries) = tries.filter(|tries| *tries <= 1) {
            self.log_once(cx, Event::PinWithheld(tries));
            self.on_state(cx, SimState::PinNeeded);
        } else if !self.pin.may_be_sent(tries) {
            self.log_once(cx, Event::PinMissing);
            self.on_state(cx, SimState::PinNeeded);
        } else {
            cx.queue.push_front(Command::EnterPin);
        }
    }

    /// From now on it is in doubt, until the card says that it was right.
    pub(crate) fn on_pin_sent(&mut self, cx: &mut Cx) {
        self.is_answer_due = true;
        self.same_until = Some(cx.now + EXCHANGE);
        self.set_pin_history(cx, self.pin.sent());
    }

    /// Nobody would know of it at the next start, which would send it again: it stays here. The host says why.
    pub(crate) fn on_pin_not_saved(&mut self, cx: &mut Cx) {
        cx.exchange.abandon();
        self.pin = PinHistory::Refused;
        self.is_logged = true;
        self.on_state(cx, SimState::PinNeeded);
    }

    fn set_pin_history(&mut self, cx: &mut Cx, pin: PinHistory) {
        self.pin = pin;
        cx.log(Event::PinState(pin));
    }

    pub(crate) fn on_pin(&mut self, cx: &mut Cx, response: &Response) {
        // OK alone opens nothing: there are modems that say it and go on asking.
        self.opening = response.is_ok();
        self.doubts = 0;
        let pause = match response.failure() {
            // It has not looked at the PIN, and needs some time.
            Some(failure) if failure.is_busy() => SIM_POLL,
            Some(_) => {
                self.set_pin_history(cx, PinHistory::Refused);
                cx.log(Event::PinRefused);
                SIM_SETTLES
            }
            None => SIM_SETTLES,
        };
        cx.queue.schedule(cx.now + pause, Command::QuerySim);
    }

    fn on_state(&mut self, cx: &mut Cx, state: SimState) {
        let is_answer = core::mem::take(&mut self.is_answer_due)
            || self.same_until.is_some_and(|until| cx.now < until);
        if state == SimState::Ready && self.pin.is_in_doubt() && is_answer {
            self.on_pin_taken(cx);
        }
        self.opening = false;
        self.doubts = 0;
        let was = core::mem::replace(&mut self.state, state);
        if state == SimState::Ready {
            self.is_logged = false;
        }
        match (cx.present, was == state) {
            (true, true) => self.schedule_query(cx),
            (true, false) if state != SimState::Ready => {
                cx.identity.imsi.clear();
                cx.queue.push(Command::ReportPresent);
            }
            _ if state == SimState::Ready => cx.queue.push(Command::QueryImsi),
            (true | false, _) => cx.queue.push(Command::ReportPresent),
        }
    }

    fn on_pin_taken(&mut self, cx: &mut Cx) {
        self.is_taken = true;
        self.set_pin_history(cx, PinHistory::Accepted);
        cx.log(Event::PinAccepted);
    }

    pub(crate) fn on_imsi(&mut self, cx: &mut Cx, response: &Response) {
        let busy = response.failure().is_some_and(Failure::is_busy) && self.doubts < LONGEST_BUSY;
        if busy {
            self.doubts += 1;
            return cx.queue.schedule(cx.now + SIM_SETTLES, Command::QueryImsi);
        }
        self.doubts = 0;
        cx.identity.imsi = response.digits();
        let is_known = !self.taken_by.is_empty() && self.taken_by == cx.identity.imsi;
        if is_known && self.pin.is_in_doubt() {
            self.on_pin_taken(cx);
        }
        if core::mem::take(&mut self.is_taken) {
            self.taken_by.clone_from(&cx.identity.imsi);
        }
        cx.limited_if_unknown(response, Limitation::Imsi);
        cx.queue.push(Command::ReportPresent);
    }

    /// A card can be put in, unlocked or pulled at any time, and not every modem says so.
    pub(crate) fn schedule_query(&mut self, cx: &mut Cx) {
        let pause = match self.state {
            SimState::Ready => READY_SIM_POLL,
            _ if cx.limitations.has(Limitation::Sim) => LONGEST_PAUSE,
            SimState::Unknown | SimState::Missing | SimState::PinNeeded | SimState::PukNeeded => {
                SIM_POLL
            }
        };
        cx.queue.schedule(cx.now + pause, Command::QuerySim);
    }

    fn log_once(&mut self, cx: &mut Cx, event: Event) {
        if !core::mem::replace(&mut self.is_logged, true) {
            cx.log(event);
        }
    }
}

/// Whether the line says that the card is ready for messages.
pub(crate) fn is_messages_ready(line: &str) -> bool {
    MESSAGES_READY.iter().any(|head| line.starts_with(head))
}

/// A card that was just put in or unlocked needs a moment.
const SIM_SETTLES: Duration = Duration::from_secs(1);
/// Nobody exchanges a card, and starts the modem again, in so short a time.
const EXCHANGE: Duration = Duration::from_secs(15);
/// Looks at a card that was given the PIN before it counts as one that stayed shut.
const LONGEST_OPENING: u32 = 10;
/// Between two looks at a card that cannot be used.
const SIM_POLL: Duration = Duration::from_secs(30);
/// Between two looks at a card that works.
const READY_SIM_POLL: Duration = Duration::from_secs(120);
/// Answers "busy" in a row before the card counts as broken.
const LONGEST_BUSY: u32 = 30;
/// Plain errors in a row before the modem counts as one that cannot be asked.
const FEW: u32 = 3;
/// URCs that say that the card can be used for messages.
const MESSAGES_READY: [&str; 4] = ["SMS Ready", "+CPIN: READY", "+QIND: SMS DONE", "SMS DONE"];
/// Makers' own URCs of the card.
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
