//! When the mailbox goes to the disk, and what may happen only then.

use alloc::vec::Vec;

use crate::time::{Duration, Instant};

/// The host must store within this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// After a failure the disk is tried again so much later.
const RETRY: Duration = Duration::from_secs(30);

/// One set is being written at a time; what changes meanwhile is in the next.
#[derive(Debug, Default)]
pub(crate) struct Saving {
    /// There is something to store.
    pub(crate) changed: bool,
    /// Messages of the modem that the next set makes safe.
    pub(crate) taken: Vec<u64>,
    number: u64,
    writing: Option<Writing>,
    retry_at: Option<Instant>,
}

#[derive(Debug)]
struct Writing {
    number: u64,
    taken: Vec<u64>,
    outgoing: u64,
    until: Instant,
}

impl Saving {
    /// The number of the set that is to be written now, if one is. `outgoing`: the last message of the outbox.
    pub(crate) fn begin(&mut self, outgoing: u64, now: Instant) -> Option<u64> {
        let waits = self.writing.is_some() || self.retry_at.is_some_and(|at| now < at);
        if waits || !self.changed {
            return None;
        }
        self.changed = false;
        self.number += 1;
        let taken = core::mem::take(&mut self.taken);
        self.writing = Some(Writing { number: self.number, taken, outgoing, until: now + PATIENCE });
        Some(self.number)
    }

    /// The set of that number is on the disk: what the modem may forget, and the last message of the outbox in it.
    pub(crate) fn saved(&mut self, number: u64) -> Option<(Vec<u64>, u64)> {
        let writing = self.writing.take_if(|writing| writing.number <= number)?;
        self.retry_at = None;
        Some((writing.taken, writing.outgoing))
    }

    /// It is not; true the first time.
    pub(crate) fn failed(&mut self, now: Instant) -> bool {
        let Some(writing) = self.writing.take() else { return false };
        let first = self.retry_at.is_none();
        let newer = core::mem::replace(&mut self.taken, writing.taken);
        self.taken.extend(newer);
        self.changed = true;
        self.retry_at = Some(now + RETRY);
        first
    }

    /// The device ends: what the disk refused is tried once more, at once.
    pub(crate) const fn try_again(&mut self) {
        self.retry_at = None;
    }

    /// Whether the disk refused the last set.
    pub(crate) const fn is_failing(&self) -> bool {
        self.retry_at.is_some()
    }

    /// These were delivered: the modem may forget them though the disk fails. Those that are still to be told of.
    pub(crate) fn delivered(&mut self, ids: &[u64]) -> Vec<u64> {
        if !self.is_failing() {
            return Vec::new();
        }
        let (told, kept) = core::mem::take(&mut self.taken).into_iter().partition(|id| ids.contains(id));
        self.taken = kept;
        told
    }

    /// Whether everything is on the disk.
    pub(crate) const fn is_settled(&self) -> bool {
        self.writing.is_none() && (!self.changed || self.is_failing())
    }

    /// Whether more of the modem's messages can be taken before the next set is written.
    pub(crate) fn has_room(&self) -> bool {
        self.taken.len() < TAKEN_MAX
    }

    pub(crate) fn is_late(&self, now: Instant) -> bool {
        self.writing.as_ref().is_some_and(|writing| writing.until <= now)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let retry = self.retry_at.filter(|_| self.changed && self.writing.is_none());
        self.writing.as_ref().map(|writing| writing.until).or(retry)
    }
}

/// A bound that is far from what modems hold.
const TAKEN_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_disk_refused_is_tried_once_more_at_the_end_and_not_for_ever() {
        let mut saving = Saving { changed: true, ..Saving::default() };
        let now = Instant::from_millis(1000);
        assert_eq!(saving.begin(0, now), Some(1));
        assert!(saving.failed(now));
        assert_eq!(saving.begin(0, now), None);
        assert!(saving.is_settled(), "a disk that fails does not hold up the end");
        saving.try_again();
        assert!(!saving.is_settled());
        assert_eq!(saving.begin(0, now), Some(2));
        saving.failed(now);
        assert!(saving.is_settled());
    }
}
