//! What can be made to happen: the verbs of scripts, of people at a terminal, and of tests.

use std::collections::VecDeque;

use dtu_proto::radio::{Cell, Operator, PhoneNumber, Registration, Signal};
use dtu_proto::time::{Duration, Instant};
use sms_codec::pdu::Pdu;
use sms_codec::user_data::Body;

use super::network::{Network, VerbError};
use super::phone::Answering;
use super::script::{Script, Step};
use super::settings::{Faults, Id, Span};

/// Problems that nobody has looked at.
const PROBLEMS_MAX: usize = 100;

/// One thing that happens. Who it happens to is said beside it: a modem by its number, 1 and up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A phone sends a text, to a number or to the modem.
    Text {
        /// The phone.
        from: PhoneNumber,
        /// The receiver, if it is not the modem.
        to: Option<PhoneNumber>,
        /// The text.
        text: String,
    },
    /// A phone sends octets (8-bit data).
    Data {
        /// The phone.
        from: PhoneNumber,
        /// The octets.
        octets: Vec<u8>,
    },
    /// This PDU, the service centre in front, comes to the modem as it is.
    Pdu(Box<Pdu>),
    /// A phone calls a number, or the modem.
    Call {
        /// The phone.
        from: PhoneNumber,
        /// The called number, if it is not the modem's.
        to: Option<PhoneNumber>,
    },
    /// A phone answers.
    Answer(PhoneNumber),
    /// A phone hangs up or refuses.
    HangUp(PhoneNumber),
    /// What a phone does from now on.
    Phone(PhoneNumber, Answering),
    /// Registration, for a time or for good.
    Registration(Registration, Option<Duration>),
    /// The signal.
    Signal(Signal),
    /// The signal moves about this often from now on, or (`None`) is steady.
    SignalMoves(Option<Duration>),
    /// The cell.
    Cell(Cell),
    /// The operator.
    Operator(Operator),
    /// The modem resets; it is away for so long, or as the network's settings say.
    Reset(Option<Duration>),
    /// The modem is pulled out, for a time or until `Back`.
    Leave(Option<Duration>),
    /// It is plugged in again.
    Back,
    /// What goes wrong, of a hundred.
    Faults(Faults),
    /// From a submission to its answer.
    SubmitTime(Span),
    /// From the centre to the receiver.
    DeliveryTime(Span),
    /// Bad habits of an AT modem; a device on the port itself sees nothing of them.
    Modem(ModemFault),
}

/// What an AT modem does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModemFault {
    /// It hears nothing and says nothing for so long.
    Silent(Duration),
    /// Its answers are late by this.
    Slow(Duration),
    /// Line ends are doubled.
    BlankLines(bool),
    /// The prompt has no blank.
    BarePrompt(bool),
    /// So many prompts are followed by ERROR.
    PromptErrors(u8),
    /// Unsolicited lines come in the middle of answers.
    LinesInside(bool),
    /// Every PIN is answered OK, and opens nothing.
    PinUnheeded(bool),
    /// Wrong PINs do not show in the tries that are left.
    TriesStay(bool),
    /// Its device is pulled out.
    Vanish,
}

impl ModemFault {
    /// Its word in scripts.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Silent(_) => "silent",
            Self::Slow(_) => "slow",
            Self::BlankLines(_) => "blank-lines",
            Self::BarePrompt(_) => "bare-prompt",
            Self::PromptErrors(_) => "prompt-errors",
            Self::LinesInside(_) => "lines-inside",
            Self::PinUnheeded(_) => "pin-unheeded",
            Self::TriesStay(_) => "tries-stay",
            Self::Vanish => "vanish",
        }
    }
}

/// What a network plays by itself, and what came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Play {
    steps: VecDeque<Step>,
    faults: VecDeque<(Id, ModemFault)>,
    problems: VecDeque<String>,
}

impl Play {
    pub(super) fn timeout(&self) -> Option<Instant> {
        self.steps.front().map(|step| Instant::ZERO + step.at)
    }
}

impl Network {
    /// The network plays this from now on; its times count from the start of time.
    pub fn play(&mut self, script: Script) {
        self.play.steps = script.steps.into();
    }

    /// Faults that are an AT modem's to show.
    pub fn poll_fault(&mut self) -> Option<(Id, ModemFault)> {
        self.play.faults.pop_front()
    }

    /// What a script wanted and could not be done, in words.
    pub fn poll_problem(&mut self) -> Option<String> {
        self.play.problems.pop_front()
    }

    pub(super) fn run_script(&mut self, now: Instant) {
        while self.play.timeout().is_some_and(|at| at <= now)
            && let Some(step) = self.play.steps.pop_front()
        {
            if let Err(problem) = self.carry_out(step.modem, &step.verb, now) {
                self.note_problem(format!("line {}: {problem}", step.line));
            }
        }
    }

    fn note_problem(&mut self, text: String) {
        if self.play.problems.len() < PROBLEMS_MAX {
            self.play.problems.push_back(text);
        }
    }

    /// Makes it happen to the modem of that number (1 and up), or around it.
    ///
    /// # Errors
    /// There is no such modem, or what [`VerbError`] says.
    pub fn carry_out(&mut self, modem: usize, verb: &Verb, now: Instant) -> Result<(), VerbError> {
        let id = modem
            .checked_sub(1)
            .map(Id)
            .filter(|id| id.0 < self.ports.len())
            .ok_or(VerbError::NoSuchModem)?;
        let own = self
            .ports
            .get(id.0)
            .and_then(|port| port.subscriber.number)
            .ok_or(VerbError::NoSuchNumber)?;
        match verb {
            Verb::Text { from, to, text } => self.send_text(*from, to.unwrap_or(own), text, now)?,
            Verb::Data { from, octets } => {
                self.send_body(*from, own, Body::Octets(octets.clone()), now)?
            }
            Verb::Pdu(pdu) => self.inject(id, pdu.tpdu.clone(), now)?,
            Verb::Call { from, to } => self.call(*from, to.unwrap_or(own), now)?,
            Verb::Answer(phone) => self.answer(*phone, now)?,
            Verb::HangUp(phone) => self.hang_up(*phone, now)?,
            Verb::Phone(phone, answering) => self.set_answering(*phone, *answering, now)?,
            Verb::Faults(faults) => self.set_faults(*faults),
            Verb::SubmitTime(span) => self.settings.submit = *span,
            Verb::DeliveryTime(span) => self.settings.delivery = *span,
            Verb::Registration(..)
            | Verb::Signal(_)
            | Verb::SignalMoves(_)
            | Verb::Cell(_)
            | Verb::Operator(_)
            | Verb::Reset(_)
            | Verb::Leave(_)
            | Verb::Back
            | Verb::Modem(_) => self.happen_to(id, verb, now),
        }
        Ok(())
    }

    fn happen_to(&mut self, id: Id, verb: &Verb, now: Instant) {
        match verb {
            Verb::Registration(registration, during) => {
                self.force_registration(id, *registration, *during, now)
            }
            Verb::Signal(signal) => self.set_signal(id, *signal),
            Verb::SignalMoves(mean) => self.set_signal_moves(id, *mean, now),
            Verb::Cell(cell) => self.set_cell(id, *cell),
            Verb::Operator(operator) => self.set_operator(id, operator.clone()),
            Verb::Reset(away) => {
                let away = away.unwrap_or_else(|| self.settings.reset.draw(&mut self.rng));
                self.leave(id, Some(away), now);
            }
            Verb::Leave(away) => {
                self.play.faults.push_back((id, ModemFault::Vanish));
                self.leave(id, *away, now);
            }
            Verb::Back => self.come_back(id, now),
            Verb::Modem(fault) => self.play.faults.push_back((id, *fault)),
            Verb::Text { .. }
            | Verb::Data { .. }
            | Verb::Pdu(_)
            | Verb::Call { .. }
            | Verb::Answer(_)
            | Verb::HangUp(_)
            | Verb::Phone(..)
            | Verb::Faults(_)
            | Verb::SubmitTime(_)
            | Verb::DeliveryTime(_) => {}
        }
    }
}
