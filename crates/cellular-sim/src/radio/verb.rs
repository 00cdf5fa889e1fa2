//! What can be made to happen: the verbs of scripts, of people at a terminal, and of tests.

use dtu_proto::radio::{Cell, Operator, PhoneNumber, Registration, Signal};
use dtu_proto::time::Duration;
use sms_codec::pdu::Pdu;

use super::phone::Answering;
use super::settings::{Faults, Span};

/// One thing that happens (`docs/radio.md` has each as a line of a script). Who it happens to is said beside it: a modem
/// by its number, 1 and up.
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
    /// The strength moves by 1 about this often from now on, or (`None`) is steady.
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
    /// What goes wrong with messages, of a hundred.
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
    /// So many prompts, 0..=255, are followed by ERROR.
    PromptErrors(u8),
    /// URCs come in the middle of answers.
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
