//! What the DTE is told of messages without having asked: `+CMTI`, `+CDSI`, `+CISMS`, and when.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use sms_codec::address::Address;
use sms_codec::join::Content;
use sms_codec::time::TimeStamp;

use super::{Dtu, MessageQueues};
use crate::line::LineState;
use crate::sms::{self, LineKind};
use crate::time::{Duration, Instant};

/// A line that nobody asked for.
#[derive(Debug)]
pub(super) enum Notice {
    Text(Bytes),
    /// `+CMTI` or `+CDSI`: said only if the message is still in its place.
    Stored {
        what: &'static str,
        place: u8,
    },
}

impl Dtu {
    /// `+CISMS` in the command state; says whether it is printed.
    ///
    /// A DTE that has asked for error numbers (`AT+CMEE=1`) is a program written for any modem: gammu, smstools3 and
    /// their like send that first. A text that they do not know, on the way to the answer that they wait for, stops
    /// them for a minute.
    pub(super) fn announce(&mut self, from: &Address, stamp: TimeStamp, content: &Content) -> bool {
        let reads = self.line.takes_replies() && self.messages.texts() < TEXTS_MAX;
        if !self.wants_texts() || !reads {
            return false;
        }
        let bytes = match content {
            Content::Text(text) => sms::to_serial(text, self.options.charset),
            Content::Octets(octets) => octets.clone(),
        };
        let head = sms::to_serial(
            &format!("+CISMS:{from},{},", short(stamp)),
            self.options.charset,
        );
        let line = head
            .into_iter()
            .chain(bytes)
            .map(|byte| if byte.is_ascii_control() { b' ' } else { byte });
        let framed: Vec<u8> = b"\r\n"
            .iter()
            .copied()
            .chain(line)
            .chain(*b"\r\n")
            .collect();
        self.messages
            .push(Notice::Text(Bytes::from(framed)), self.now);
        true
    }

    pub(super) fn wants_texts(&self) -> bool {
        self.line.state() == LineState::OnlineCommand && self.config.cmee != ERROR_NUMBERS
    }

    /// Tells the DTE now, or later where `CNMI` wants that.
    pub(super) fn notice(&mut self, notice: Notice) {
        let reserved = self.line.state() != LineState::OnlineCommand;
        match self.config.messages.notify.mode {
            0 => {}
            1 if reserved => {}
            _ => {
                if !self.messages.push(notice, self.now) {
                    self.line.reply_dropped();
                }
            }
        }
    }

    /// When what waits for the DTE is printed. Programs that talk with a modem take a line that they do not know for
    /// the answer they wait for, so it is not printed amid a dialogue.
    pub(super) fn notices_at(&self) -> Option<Instant> {
        let reads = self.line.state() == LineState::OnlineCommand && self.line.takes_replies();
        let can = reads && self.is_idle() && !self.messages.notices.is_empty();
        can.then(|| {
            match self
                .messages
                .told
                .filter(|told| *told >= self.line.last_from_dte())
            {
                Some(told) => told + NOTICE_GAP,
                None => self.rests_at().min(self.messages.noticed + NOTICE_PATIENCE),
            }
        })
    }

    /// When the line will have rested.
    pub(super) fn rests_at(&self) -> Instant {
        self.line.last_from_dte().max(self.line.last_to_dte()) + DIALOGUE_GAP
    }

    /// When a `+CMT` can be printed.
    pub(super) fn direct_at(&self) -> Option<Instant> {
        let can = self.line.state() == LineState::OnlineCommand
            && self.line.is_present()
            && self.is_idle();
        (can && self.mailbox.line.waits(LineKind::Notice)).then(|| self.rests_at())
    }

    /// Prints the next line that waits. Those behind it wait for the line to rest again: programs that read two at once
    /// take them for one.
    pub(super) fn tell(&mut self) {
        if self.notices_at().is_none_or(|at| at > self.now) {
            return;
        }
        while let Some(notice) = self.messages.notices.pop_front() {
            if let Some(line) = self.notice_line(notice) {
                self.messages.noticed = self.now;
                self.messages.told = Some(self.now);
                self.write_serial(line);
                return;
            }
        }
    }

    fn notice_line(&self, notice: Notice) -> Option<Bytes> {
        match notice {
            Notice::Text(text) => Some(text),
            Notice::Stored { what, place } => {
                self.mailbox.storage.get(place)?;
                let memory = self.mailbox.memory();
                Some(Bytes::from(format!("\r\n{what}: \"{memory}\",{place}\r\n")))
            }
        }
    }
}

impl MessageQueues {
    pub(super) fn rests(&self) -> bool {
        self.notices.is_empty()
    }

    fn texts(&self) -> usize {
        self.notices
            .iter()
            .filter(|notice| matches!(notice, Notice::Text(_)))
            .count()
    }

    /// The oldest place that is not told yet gives way to a newer one; a text that finds no room is not told (false).
    fn push(&mut self, notice: Notice, now: Instant) -> bool {
        if self.notices.is_empty() {
            self.noticed = now;
        }
        let is_place = |notice: &Notice| matches!(notice, Notice::Stored { .. });
        let places = self
            .notices
            .iter()
            .filter(|notice| is_place(notice))
            .count();
        if is_place(&notice) && places >= PLACES_MAX {
            let oldest = self.notices.iter().position(is_place);
            oldest.and_then(|oldest| self.notices.remove(oldest));
        } else if !is_place(&notice) && self.texts() >= TEXTS_MAX {
            return false;
        }
        self.notices.push_back(notice);
        true
    }
}

/// `yy-mm-dd-hh:mm:ss`, local time of the service centre.
fn short(stamp: TimeStamp) -> String {
    stamp.civil().map_or_else(
        || String::from("00-00-00-00:00:00"),
        |civil| {
            let (year, month, day) = (civil.year % 100, civil.month, civil.day);
            let (hour, minute, second) = (civil.hour, civil.minute, civil.second);
            format!("{year:02}-{month:02}-{day:02}-{hour:02}:{minute:02}:{second:02}")
        },
    )
}

/// Silence of the line that ends a dialogue.
const DIALOGUE_GAP: Duration = Duration::from_millis(500);
/// Between two lines that nobody asked for: python-gsmmodem, for one, takes two that it reads at once for one.
const NOTICE_GAP: Duration = Duration::from_millis(100);
/// A DTE that never stops talking is told all the same.
const NOTICE_PATIENCE: Duration = Duration::from_secs(10);
/// Places that wait to be told at most; the oldest goes.
const PLACES_MAX: usize = 16;
/// Texts that wait to be told at most; what `+CISMS` does not tell stays in the storage as not told.
const TEXTS_MAX: usize = 32;
/// `AT+CMEE`: errors as numbers.
const ERROR_NUMBERS: u8 = 1;
