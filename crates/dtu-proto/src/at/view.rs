//! What a command sees of the device.

use crate::cellular::Clock;
use crate::config::{Charset, Config, Options};
use crate::identity::Identity;
use crate::ids::Origin;
use crate::mode::at::AtConnection;
use crate::sms::Mailbox;
use crate::status::Status;

/// The device as a command sees it. What it wants changed it says in its [`super::outcome::Outcome`].
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) config: &'a Config,
    /// What is stored: `ATZ` goes back to its E, V, Q and CMEE.
    pub(super) stored: &'a Config,
    pub(super) options: &'a Options,
    pub(super) identity: &'a Identity,
    /// As it was when the line began.
    pub(super) status: &'a Status,
    pub(super) clock: &'a Clock,
    pub(super) mailbox: &'a Mailbox,
    pub(super) connection: &'a AtConnection,
    pub(super) origin: Origin,
}

impl View<'_> {
    /// What text is typed in, and shown: that of the serial line, but for phones and the console.
    pub(super) const fn charset(&self) -> Charset {
        match self.origin {
            Origin::Serial | Origin::SerialFrame | Origin::Link(_) => self.options.charset,
            Origin::Sms(_) | Origin::Console => Charset::Utf8,
        }
    }

    /// The text, unless it is a secret and the reply goes over a network.
    pub(super) fn secret<'s>(&self, text: &'s str) -> &'s str {
        if matches!(self.origin, Origin::Link(_) | Origin::Sms(_)) && !text.is_empty() {
            HIDDEN
        } else {
            text
        }
    }
}

const HIDDEN: &str = "****";
