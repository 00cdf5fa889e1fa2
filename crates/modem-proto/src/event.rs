//! What goes into the dialogue and what comes out: the whole contract with the host.

use alloc::string::String;
use bytes::Bytes;
use core::fmt;

use dtu_proto::radio::{ModemInput, ModemOutput};
use dtu_proto::time::{Duration, Instant};

use crate::limitation::Limitation;
use crate::settings::PinHistory;

/// Everything that can happen to the dialogue. The only door in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// The device is open, for the first time or again. What was outstanding is forgotten; `AT` goes out (V.250 6.1).
    Opened,
    /// Bytes of the modem, as one read of the host returned them: any number, cut anywhere.
    Bytes(&'a [u8]),
    /// The device is missing (unplugged, or the modem restarts its USB); the host goes on trying to open it.
    Gone,
    /// An order of the device: its reset, access point (27.007 10.1), messages (27.005 3.5) and calls (27.007 6).
    Order(&'a ModemOutput),
    /// Said at once on an [`Event::PinState`] before the PIN is sent: what it says cannot be kept. The PIN stays here.
    PinNotSaved,
}

/// What the dialogue wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write all of it to the device. What could not be written when `Reopen` comes, or before `Input::Gone`, is
    /// forgotten. No more than a few hundred bytes are ever outstanding, for a modem that does not answer is asked
    /// nothing but `AT`. Never to be logged: [`Event::Sent`] has the same without secrets.
    Write(Bytes),
    /// To the device: [`dtu_proto::event::Input::Modem`].
    Report(ModemInput),
    /// Close the device, open it again and say [`Input::Opened`].
    Reopen,
    /// For logs. Only [`Event::PinAccepted`] wants something done.
    Event(Event),
}

/// For logs, and for the note about the PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A line to the modem, secrets masked as `****`. Of a message only its `AT+CMGS`.
    Sent(String),
    /// A line of the modem without its end, secrets masked, of 2048 bytes at most; `>` = the prompt of 27.005 3.5.1.
    Received(String),
    /// The modem answers and is known: maker, model, and which table of dialects drives it.
    Identified {
        /// Maker and model (27.007 5.1, 5.2); empty where it names neither.
        model: String,
        /// The dialect: `generic`, `SIM800`, `SIM7600` or `EC2x`.
        dialect: &'static str,
    },
    /// Opened, and no answer to `AT` for so long, 7 s and more; said once until it answers.
    NoAnswer(Duration),
    /// It answered before, and is silent now: it is asked until it answers.
    Silent,
    /// It answers again.
    AnswersAgain,
    /// It is reset, or opened again, because it stayed silent.
    GivenUp,
    /// It has restarted by itself (or somebody pulled its supply).
    Restarted,
    /// A command was refused or not answered. Only where that costs something.
    Refused {
        /// The command, secrets masked.
        command: String,
        /// What the modem said: `ERROR`, `+CME ERROR: n` (27.007 9.2), `+CMS ERROR: n` (27.005 3.2.5), `not at all`.
        why: String,
    },
    /// What has become of the PIN: keep it, before the write that follows, where it outlives this program, or say
    /// [`Input::PinNotSaved`].
    PinState(PinHistory),
    /// The card took it, and is open.
    PinAccepted,
    /// The card refused it; it is never sent again.
    PinRefused,
    /// The modem said OK to it, and the card still asks for it ten seconds later (27.007 8.3).
    PinWithoutEffect,
    /// So few tries are left, 0 or 1, that the PIN was not sent (3GPP TS 31.101).
    PinWithheld(u8),
    /// The card waits for a PIN, and the settings have none (or one that was refused).
    PinMissing,
    /// It cannot do something; it is used without.
    Limitation(Limitation),
    /// It restarts (or its device vanishes) again and again, and is left alone
    /// for longer and longer, 1 s to 5 min; said once each time that begins.
    RestartsOften,
    /// It refused five messages in a row, over ten minutes at least: it is reset, once an hour at most.
    RefusesMessages,
    /// This access point is written into its context 1 (`AT+CGDCONT`, 27.007 10.1.1).
    ApnSet(String),
    /// The message storage is full (27.005 3.2.2); said once each time.
    StorageFull {
        /// Its name, `SM` or `ME` mostly: 1 to 4 letters, digits or `_`.
        storage: String,
        /// How many messages it can hold: 1 and more.
        places: u16,
    },
    /// Access point, user or password has a character that no AT command can carry; it is not set.
    ApnRefused,
}

/// Whether people should see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The dialogue, line by line.
    Trace,
    /// What works.
    Info,
    /// What does not.
    Warning,
}

impl Event {
    /// How much it matters.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self {
            Self::Sent(_) | Self::Received(_) | Self::PinState(_) => Level::Trace,
            Self::Identified { .. } | Self::AnswersAgain | Self::PinAccepted | Self::ApnSet(_) => {
                Level::Info
            }
            Self::NoAnswer(_)
            | Self::Silent
            | Self::GivenUp
            | Self::Restarted
            | Self::Refused { .. }
            | Self::PinRefused
            | Self::PinWithoutEffect
            | Self::PinWithheld(_)
            | Self::PinMissing
            | Self::Limitation(_)
            | Self::RestartsOften
            | Self::RefusesMessages
            | Self::StorageFull { .. }
            | Self::ApnRefused => Level::Warning,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent(line) => write!(f, "-> {line}"),
            Self::Received(line) => write!(f, "<- {line}"),
            Self::Identified { model, dialect } if model.is_empty() => {
                write!(f, "a modem that does not name itself answers (dialect {dialect})")
            }
            Self::Identified { model, dialect } => write!(f, "{model} answers (dialect {dialect})"),
            Self::NoAnswer(time) => {
                write!(f, "no answer to AT for {} s: wrong port, wrong rate, or no modem", time.as_secs())
            }
            Self::Silent => f.write_str("silent in the middle of the dialogue; asked until it answers"),
            Self::AnswersAgain => f.write_str("answers again"),
            Self::GivenUp => f.write_str("stays silent: told to restart, and opened again"),
            Self::Restarted => f.write_str("has restarted by itself"),
            Self::Refused { command, why } => write!(f, "{command} was answered {why}"),
            Self::PinState(PinHistory::Unsent | PinHistory::Accepted) => f.write_str("the PIN may be sent"),
            Self::PinState(PinHistory::Sent | PinHistory::SentTwice | PinHistory::SentAgain) => {
                f.write_str("the PIN is sent to the SIM")
            }
            Self::PinState(PinHistory::Refused) => f.write_str("the PIN is not sent any more"),
            Self::PinAccepted => f.write_str("the SIM took the PIN"),
            Self::PinRefused => f.write_str("the SIM refused the PIN; it is not tried again"),
            Self::PinWithoutEffect => f.write_str("the modem said OK to the PIN, and the SIM still waits for it"),
            Self::PinWithheld(tries) => {
                write!(f, "the SIM allows {tries} more PIN tries; the last ones are left to a person")
            }
            Self::Limitation(limitation) => write!(f, "works with less: {limitation}"),
            Self::RestartsOften => f.write_str(
                "restarts or vanishes again and again; asked after longer and longer pauses, 5 min at most",
            ),
            Self::RefusesMessages => f.write_str("refused every message for 10 min; it is reset"),
            Self::ApnSet(name) => write!(f, "the access point {name} is written into context 1"),
            Self::PinMissing => f.write_str("the SIM waits for a PIN, and there is none to be tried"),
            Self::StorageFull { storage, places } => {
                write!(
                    f,
                    "the message storage {storage} is full ({places} messages); new ones wait in the network"
                )
            }
            Self::ApnRefused => {
                f.write_str("the access point is not set: a quote or control character cannot be sent")
            }
        }
    }
}

/// When the dialogue wants to be called, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The time, on the clock of the inputs; in the past where the host is late.
    pub at: Instant,
    /// The reason.
    pub timer: Timer,
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The modem must have answered: 1 s to 120 s after the command, by its kind.
    Answer,
    /// The modem is left alone for a moment: it boots, or an answer that came too late passes by.
    Quiet,
    /// Something is asked again: signal, registration, SIM, storage, calls.
    Poll,
    /// A message of the device must have been answered: 170 s after the order.
    Submit,
    /// An incoming call is reported without its number, or has stopped ringing.
    Call,
}

/// What was dropped or went wrong since the start, for consoles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Lines longer than 2048 bytes.
    pub overlong_lines: u64,
    /// Lines that mean nothing here.
    pub unknown_lines: u64,
    /// Commands without an answer in time, probes not counted.
    pub unanswered: u64,
    /// Times that the modem restarted by itself.
    pub restarts: u64,
    /// Times that a silent modem was given up.
    pub given_up: u64,
    /// Messages reported to the device, each time counted.
    pub messages: u64,
    /// PDUs that are no octets, or that came without their head.
    pub bad_messages: u64,
    /// Messages deleted from the modem's storage.
    pub deleted: u64,
    /// Second callers that were refused.
    pub refused_calls: u64,
}
