//! What is on its way to the disk: one batch is being written, the next is collected.

use std::collections::VecDeque;

use crate::event::Subscription;
use crate::event::{Row, StoreOutput};
use crate::ids::{ConnectionId, MessageId, SessionEpoch};
use crate::program::SessionKey;
use crate::time::{Duration, Instant};

/// A batch is collected for so long, or for as long as the one before takes.
const INTERVAL: Duration = Duration::from_millis(10);
/// Bytes of rows that wait, at most: devices are not read, and programs refused, above it.
const ROOM: usize = 8 * 1024 * 1024;
/// What a row costs beside its payload.
const ROW: usize = 128;

/// What happens when a row is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The connection has its session.
    Session(ConnectionId, u32, SessionEpoch),
    /// A message of a program for this device is answered.
    Accepted(u32, MessageId),
    /// A message for this device can be sent.
    Noted(u32, MessageId),
    /// A subscription is granted.
    Subscribed(SessionKey, Subscription),
}

/// Rows, and what follows them.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    rows: Vec<Row>,
    room: usize,
    /// Bytes of the batch that is being written.
    writing: usize,
    number: u64,
    outstanding: bool,
    /// The last batch that is on disk.
    on_disk: u64,
    /// When the batch is due.
    due: Option<Instant>,
    then: VecDeque<(u64, Then)>,
    failing: bool,
}

impl Journal {
    /// A row; the batch that will have it goes out in time.
    pub(crate) fn push(&mut self, row: Row, now: Instant) {
        self.room += ROW + row.payload();
        self.rows.push(row);
        self.touch(now);
    }

    /// Rows come when the batch goes out.
    pub(crate) fn touch(&mut self, now: Instant) {
        self.due.get_or_insert(now + INTERVAL);
    }

    /// A row, and what follows it when it is on disk.
    pub(crate) fn push_then(&mut self, row: Row, then: Then, now: Instant) {
        self.push(row, now);
        self.then.push_back((self.number + 1, then));
    }

    /// Whether rows find room.
    pub(crate) const fn has_room(&self) -> bool {
        self.room + self.writing < ROOM
    }

    /// Whether the store could not write, the last time it tried.
    pub(crate) const fn is_failing(&self) -> bool {
        self.failing
    }

    /// All batches up to this one are on disk.
    pub(crate) const fn on_disk(&self) -> u64 {
        self.on_disk
    }

    /// All rows so far are in this batch or an earlier one.
    pub(crate) const fn next_batch(&self) -> u64 {
        self.number + 1
    }

    pub(crate) fn deadline(&self) -> Instant {
        match self.due {
            Some(due) if !self.outstanding => due,
            Some(_) | None => Instant::NEVER,
        }
    }

    /// The batch, where it is due.
    pub(crate) fn batch(&mut self, now: Instant) -> Option<StoreOutput> {
        if now < self.deadline() {
            return None;
        }
        self.due = None;
        self.outstanding = true;
        self.number += 1;
        self.writing = std::mem::take(&mut self.room);
        let rows = std::mem::take(&mut self.rows);
        Some(StoreOutput::Batch(self.number, rows))
    }

    /// The batch is on disk. True where the store failed before.
    pub(crate) fn committed(&mut self, number: u64) -> bool {
        if self.outstanding && number == self.number {
            self.outstanding = false;
            self.on_disk = number;
            self.writing = 0;
        }
        std::mem::take(&mut self.failing)
    }

    /// The next that follows from what is on disk, in the order of rows.
    pub(crate) fn follows(&mut self, number: u64) -> Option<Then> {
        // mutant: hub-answered
        let is_due = self.then.front().is_some_and(|(batch, _)| *batch <= number);
        is_due
            .then(|| self.then.pop_front())
            .flatten()
            .map(|(_, then)| then)
    }

    /// The batch could not be written. True the first time.
    pub(crate) const fn failed(&mut self) -> bool {
        !std::mem::replace(&mut self.failing, true)
    }

    /// Connections that wait for their session, of this device where one is named: it does not come now.
    pub(crate) fn take_sessions(&mut self, of: Option<u32>) -> Vec<ConnectionId> {
        let mut taken = Vec::new();
        self.then.retain(|(_, then)| match then {
            Then::Session(connection, device, _) if of.is_none_or(|of| of == *device) => {
                taken.push(*connection);
                false
            }
            Then::Session(..) | Then::Accepted(..) | Then::Noted(..) | Then::Subscribed(..) => true,
        });
        taken
    }
}

impl Row {
    const fn payload(&self) -> usize {
        match self {
            Self::Uplink { bytes, .. } | Self::Accepted { bytes, .. } => bytes.len(),
            Self::Session(..)
            | Self::Sending(_)
            | Self::Done(..)
            | Self::Event(_)
            | Self::Program(..)
            | Self::Subscribed(..)
            | Self::Unsubscribed(..)
            | Self::Cursor(..)
            | Self::CursorEnded(..)
            | Self::ProgramEnded(..)
            | Self::Removed(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    /// "Commit interval = max(10 ms, one fsync)"
    #[test]
    fn a_batch_is_collected_for_10_ms_or_one_fsync() {
        let mut journal = Journal::default();
        let then = |n| Then::Accepted(0, MessageId(n));
        journal.push_then(Row::Sending(MessageId(1)), then(1), at(0));
        journal.push(Row::Sending(MessageId(2)), at(5));
        assert_eq!(journal.batch(at(9)), None);
        assert!(
            matches!(journal.batch(at(10)), Some(StoreOutput::Batch(1, rows)) if rows.len() == 2)
        );
        journal.push_then(Row::Sending(MessageId(3)), then(3), at(11));
        assert_eq!(
            (journal.deadline(), journal.batch(at(90))),
            (Instant::NEVER, None)
        );
        assert!(!journal.committed(1));
        assert_eq!(
            (journal.follows(1), journal.follows(1)),
            (Some(then(1)), None)
        );
        assert!(
            matches!(journal.batch(at(90)), Some(StoreOutput::Batch(2, rows)) if rows.len() == 1)
        );
    }

    #[test]
    fn what_waits_is_bounded_while_the_store_stands_still() {
        let mut journal = Journal::default();
        let mut rows = 0;
        while journal.has_room() {
            journal.push(Row::Sending(MessageId(1)), at(0));
            rows += 1;
            if rows == 1000 {
                assert!(journal.batch(at(10)).is_some());
            }
        }
        assert_eq!(rows, ROOM / ROW);
        journal.committed(1);
        assert!(journal.has_room());
    }
}
