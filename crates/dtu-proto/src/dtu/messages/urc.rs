//! What the DTE is told of messages without having asked, and whether (`CNMI`, decisions 10.4).

use sms_codec::address::Address;
use sms_codec::join::Content;
use sms_codec::time::TimeStamp;

use super::Dtu;
use crate::at;
use crate::line::{Keep, LineState, Urc};
use crate::sms::LineKind;
use crate::time::Instant;

impl Dtu {
    /// `+CISMS` in the command state; says whether it is told.
    ///
    /// A DTE that has asked for error numbers (`AT+CMEE=1`) is a program written for any modem: gammu, smstools3 and
    /// their like send that first. A text that they do not know, on the way to the answer that they wait for, stops
    /// them for a minute.
    pub(super) fn announce(&mut self, from: &Address, stamp: TimeStamp, content: &Content) -> bool {
        if !self.wants_texts() {
            return false;
        }
        let text = at::message_text(from, stamp, content, self.options.charset);
        self.urc(Urc::Text(text), Keep::Always)
    }

    pub(super) fn wants_texts(&self) -> bool {
        self.line.state() == LineState::OnlineCommand && self.config.cmee != ERROR_NUMBERS
    }

    /// Tells the DTE; where the line carries data, later or not at all, as `CNMI` says.
    pub(super) fn indicate(&mut self, urc: Urc) {
        let keep = match self.config.messages.notify.mode {
            0 => return,
            1 => Keep::UntilData,
            _ => Keep::OverData,
        };
        self.urc(urc, keep);
    }

    /// When a `+CMT` can be printed.
    pub(super) fn direct_at(&self) -> Option<Instant> {
        self.mailbox
            .line
            .waits(LineKind::Notice)
            .then(|| {
                let since = self.messages.direct_since;
                self.line.direct_at(since, self.dialogue(), &self.config)
            })
            .flatten()
    }
}

/// `AT+CMEE`: errors as numbers.
const ERROR_NUMBERS: u8 = 1;
