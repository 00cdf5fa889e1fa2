//! Short messages that are not done with: what the DTE has stored, what waits for the serial line, parts that wait for
//! each other, and what is to be sent. All of it, but for the counters, is in the text that the host keeps, so the end
//! of the program loses no message.
//!
//! Nothing here knows the device: it tells the mailbox what came, and carries out what it gives.

mod change;
mod charset;
mod compose;
mod inbox;
mod line;
mod outbox;
mod saving;
mod seen;
mod show;
mod storage;
mod text;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;
use sms_codec::join::{Concatenation, Limits};

use crate::status::{MessageCounters, MessageStatus};
use crate::time::{Duration, Instant};

pub(crate) use change::MailboxChange;
pub(crate) use charset::{decode_text, digits, encode_text, from_serial, to_serial, torn_end};
pub(crate) use compose::{Template, compose, parts_of_reply};
pub(crate) use inbox::{Inbox, ReceivedPart, UnreadPdu};
pub(crate) use line::{LineKind, LineQueue};
pub(crate) use outbox::{Outbox, Progress, numbered, refuses_copies};
pub(crate) use saving::Saving;
pub(crate) use seen::{Seen, digest, digest_of};
pub(crate) use show::{Head, show, stamp, tpdu_length};
pub(crate) use storage::{PLACES, State, Storage, Stored};

/// Everything of messages that outlives a restart, and what goes with it.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub(crate) inbox: Inbox,
    pub(crate) storage: Storage,
    /// Parts of messages that are whole and for which the storage has no room yet, and whether `+CISMS` has printed
    /// them. While there are some nothing else is taken.
    pub(crate) overflow: VecDeque<(Bytes, bool)>,
    pub(crate) joiner: Concatenation<ReceivedPart, Instant>,
    pub(crate) line: LineQueue,
    pub(crate) outbox: Outbox,
    pub(crate) seen: Seen,
    pub(crate) saving: Saving,
    pub(crate) counters: MessageCounters,
    /// Number of the next message of several parts (23.040 9.2.3.24.1).
    concat_reference: u8,
    /// What `CPMS` calls the storage for reading, for writing and for what comes: all three are one.
    pub(crate) names: [Memory; 3],
    /// The DTE looks after the storage itself until then: it lists, reads or deletes.
    managed_until: Option<Instant>,
}

impl Default for Mailbox {
    fn default() -> Self {
        Self {
            inbox: Inbox::default(),
            storage: Storage::default(),
            overflow: VecDeque::new(),
            joiner: Concatenation::new(Limits::default()),
            line: LineQueue::default(),
            outbox: Outbox::default(),
            seen: Seen::default(),
            saving: Saving::default(),
            counters: MessageCounters::default(),
            concat_reference: 0,
            names: [Memory::Sim; 3],
            managed_until: None,
        }
    }
}

impl Mailbox {
    /// Must be stored anew.
    pub(crate) const fn changed(&mut self) {
        self.saving.changed = true;
    }

    /// Whether nothing waits here for the line, the modem, the disk, a place or a part. What is stored does not.
    pub(crate) fn rests(&self) -> bool {
        self.inbox.is_empty()
            && self.overflow.is_empty()
            && self.joiner.poll_timeout().is_none()
            && self.line.len() == 0
            && self.outbox.len() == 0
            && self.saving.rests()
    }

    /// A message of the modem has its place here, or is done with: the modem may forget it once that is stored.
    pub(crate) fn take(&mut self, ids: &[u64]) {
        self.saving.taken.extend_from_slice(ids);
        self.changed();
    }

    /// What the next message of several parts will have; [`Self::take_concat_reference`] uses it up.
    pub(crate) const fn next_concat_reference(&self) -> u8 {
        self.concat_reference.wrapping_add(1)
    }

    pub(crate) const fn take_concat_reference(&mut self) -> u8 {
        self.concat_reference = self.next_concat_reference();
        self.changed();
        self.concat_reference
    }

    /// The DTE lists, reads or deletes: what it has not read stays for it.
    pub(crate) fn managed(&mut self, now: Instant) {
        self.managed_until = Some(now + storage::MANAGED);
    }

    pub(crate) fn end_managed(&mut self, now: Instant) {
        self.managed_until.take_if(|until| *until <= now);
    }

    pub(crate) fn is_managed(&self, now: Instant) -> bool {
        self.managed_until.is_some_and(|until| now < until)
    }

    /// When messages that wait for room are to be tried again.
    pub(crate) fn room_deadline(&self) -> Option<Instant> {
        let waits = !self.overflow.is_empty() || !self.inbox.is_empty();
        self.managed_until.filter(|_| waits)
    }

    /// Whether a message of the storage can be taken.
    pub(crate) fn has_room(&self, now: Instant) -> bool {
        self.overflow.is_empty() && self.storage.has_room(!self.is_managed(now))
    }

    /// Stores what came; gives the place, and whether a message that was read had to go.
    pub(crate) fn store(
        &mut self,
        pdu: Bytes,
        announced: bool,
        now: Instant,
    ) -> Option<(u8, bool)> {
        let (index, evicted) = self.storage.put(
            Stored {
                state: State::Unread,
                announced,
                pdu,
            },
            !self.is_managed(now),
        )?;
        self.counters.stored += 1;
        self.counters.evicted += u64::from(evicted);
        self.changed();
        Some((index, evicted))
    }

    /// What the storage of messages that come is called.
    pub(crate) const fn memory(&self) -> &'static str {
        self.names[2].name()
    }

    pub(crate) fn status(&self) -> MessageStatus {
        let held = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        MessageStatus {
            counters: self.counters,
            stored: held(self.storage.used()),
            parts: held(self.joiner.held().count()),
            for_line: held(self.line.len()),
            outgoing: held(self.outbox.len()),
            not_taken: held(self.inbox.len() + self.overflow.len()),
        }
    }
}

/// A name of the storage (27.005 3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// `SM`
    Sim,
    /// `ME`
    Phone,
    /// `MT`
    Any,
}

impl Memory {
    pub(crate) const ALL: [Self; 3] = [Self::Sim, Self::Phone, Self::Any];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sim => "SM",
            Self::Phone => "ME",
            Self::Any => "MT",
        }
    }
}

/// Parts wait so long for their fellows (decisions 10).
pub(crate) const HOLD: Duration = Duration::from_secs(24 * 3600);

/// A message of several parts that is whole, or is given up as it is.
pub(crate) fn in_order(parts: Vec<Option<ReceivedPart>>) -> Vec<ReceivedPart> {
    parts.into_iter().flatten().collect()
}

#[cfg(test)]
mod edges;
#[cfg(test)]
mod tests;
