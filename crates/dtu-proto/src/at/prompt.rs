//! Commands that ask the DTE for a text.

use sms_codec::address::Address;

use crate::line::framer::FRAME_MAX;
pub(super) use crate::line::prompt::Ends;
pub(crate) use crate::line::prompt::Entry;
use crate::sms::State;

/// A command that has asked the DTE for a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// Which command, and its values.
    pub(super) what: PromptKind,
    /// Bytes of text at most; more is an error when the text ends.
    pub(crate) max: usize,
    pub(crate) ends: Ends,
}

/// Which command has asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PromptKind {
    Message(MessagePrompt),
    /// `CISEND`
    Frame,
    /// `CISEND` with a length.
    Count(usize),
}

/// Which command has asked for the text of a message, with its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MessagePrompt {
    /// `CMGS` in PDU mode: octets behind the service centre.
    SendPdu(usize),
    /// `CMGS` in text mode.
    SendText(Address),
    /// `CMGW` in PDU mode.
    WritePdu(usize, State),
    /// `CMGW` in text mode.
    WriteText(Address, State),
}

impl MessagePrompt {
    /// Bytes of text that can make sense.
    pub(super) const fn max(&self) -> usize {
        match self {
            Self::SendPdu(_) | Self::WritePdu(..) => PDU_TEXT_MAX,
            Self::SendText(_) | Self::WriteText(..) => TEXT_MAX,
        }
    }

    pub(super) const fn command(&self) -> &'static str {
        match self {
            Self::SendPdu(_) | Self::SendText(_) => "CMGS",
            Self::WritePdu(..) | Self::WriteText(..) => "CMGW",
        }
    }
}

/// Bytes that one `CISEND` sends at most: those of a frame.
pub(super) const CISEND_MAX: usize = FRAME_MAX;
/// A PDU has at most 12 + 164 octets, two digits each; some clients add blanks or line ends.
const PDU_TEXT_MAX: usize = 512;
/// Ten parts of 67 characters, four hex digits each, and some more.
const TEXT_MAX: usize = 4096;
