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
    /// Those of them, and of the set that is being written, that are done with: should the disk fail, the modem may
    /// forget them all the same.
    done: Vec<u64>,
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
    /// The number of the set that is to be written now, if one is. `outgoing`: the last change of the outbox.
    pub(crate) const fn rests(&self) -> bool {
        !self.changed && self.writing.is_none()
    }

    pub(crate) fn begin(&mut self, outgoing: u64, now: Instant) -> Option<u64> {
        let waits = self.writing.is_some() || self.retry_at.is_some_and(|at| now < at);
        if waits || !self.changed {
            return None;
        }
        self.changed = false;
        self.number += 1;
        let taken = core::mem::take(&mut self.taken);
        self.writing = Some(Writing {
            number: self.number,
            taken,
            outgoing,
            until: now + PATIENCE,
        });
        Some(self.number)
    }

    /// The set of that number is on the disk: what the modem may forget, and the last change of the outbox in it.
    pub(crate) fn saved(&mut self, number: u64) -> Option<(Vec<u64>, u64)> {
        let writing = self.writing.take_if(|writing| writing.number <= number)?;
        self.retry_at = None;
        self.done.retain(|id| !writing.taken.contains(id));
        Some((writing.taken, writing.outgoing))
    }

    /// It is not; true the first time.
    pub(crate) fn failed(&mut self, now: Instant) -> bool {
        let Some(writing) = self.writing.take() else {
            return false;
        };
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

    /// These were delivered, or carried out: nothing of them has to be kept.
    pub(crate) fn delivered(&mut self, ids: &[u64]) {
        for id in ids {
            if self.is_to_be_told(*id) && !self.done.contains(id) {
                self.done.push(*id);
            }
        }
    }

    /// What the modem may forget though the disk fails; each is given once.
    pub(crate) fn done_with(&mut self) -> Vec<u64> {
        if !self.is_failing() {
            return Vec::new();
        }
        let done = core::mem::take(&mut self.done);
        self.taken.retain(|id| !done.contains(id));
        if let Some(writing) = &mut self.writing {
            writing.taken.retain(|id| !done.contains(id));
        }
        done
    }

    fn is_to_be_told(&self, id: u64) -> bool {
        let written = self
            .writing
            .as_ref()
            .is_some_and(|writing| writing.taken.contains(&id));
        // mutant: told-once
        written || self.taken.contains(&id)
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
        self.writing
            .as_ref()
            .is_some_and(|writing| writing.until <= now)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let retry = self
            .retry_at
            .filter(|_| self.changed && self.writing.is_none());
        self.writing.as_ref().map(|writing| writing.until).or(retry)
    }
}

/// A bound that is far from what modems hold.
const TAKEN_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_millis(1000);

    /// A set with these messages of the modem is being written.
    fn writing(taken: &[u64]) -> Saving {
        let mut saving = Saving {
            changed: true,
            taken: taken.to_vec(),
            ..Saving::default()
        };
        assert_eq!(saving.begin(7, NOW), Some(1));
        saving
    }

    #[test]
    fn nothing_is_written_without_a_change_and_one_set_at_a_time() {
        let mut saving = Saving::default();
        assert_eq!(
            (saving.begin(0, NOW), saving.is_settled(), saving.deadline()),
            (None, true, None)
        );
        saving.changed = true;
        assert!(!saving.is_settled());
        assert_eq!(saving.begin(0, NOW), Some(1));
        saving.changed = true;
        assert_eq!((saving.begin(0, NOW), saving.is_settled()), (None, false));
        assert_eq!(saving.saved(1), Some((Vec::new(), 0)));
        assert_eq!(
            saving.begin(0, NOW),
            Some(2),
            "what changed meanwhile is in the next"
        );
    }

    #[test]
    fn a_set_on_the_disk_makes_its_messages_safe_and_no_later_ones() {
        let mut saving = writing(&[1, 2]);
        saving.taken.push(3);
        assert_eq!(saving.saved(0), None, "an older set");
        assert_eq!(saving.saved(1), Some((Vec::from([1, 2]), 7)));
        assert_eq!((saving.saved(1), saving.taken.as_slice()), (None, &[3][..]));
    }

    #[test]
    fn a_refusal_is_told_once_and_keeps_the_order_and_the_time_of_the_next_try() {
        let mut saving = writing(&[1, 2]);
        saving.taken.push(3);
        assert!(saving.failed(NOW), "the first time");
        assert!(!saving.failed(NOW), "nothing is being written");
        assert_eq!(saving.taken, [1, 2, 3]);
        let retry = NOW + RETRY;
        assert_eq!(
            (
                saving.deadline(),
                saving.begin(0, Instant::from_millis(30_999))
            ),
            (Some(retry), None)
        );
        assert_eq!(saving.begin(0, retry), Some(2));
        assert!(!saving.failed(retry), "not the first time");
        saving.try_again();
        assert_eq!(saving.begin(0, retry), Some(3));
        saving.saved(3);
        assert!(!saving.is_failing());
    }

    #[test]
    fn a_disk_that_does_not_answer_is_late_after_its_patience() {
        let saving = writing(&[]);
        let until = NOW + PATIENCE;
        assert_eq!(saving.deadline(), Some(until));
        assert!(!saving.is_late(Instant::from_millis(10_999)) && saving.is_late(until));
        assert!(!Saving::default().is_late(until));
    }

    #[test]
    fn while_the_disk_fails_each_delivered_message_is_done_with_once_and_only_one_that_waits_for_the_disk()
     {
        let mut saving = writing(&[1, 2]);
        saving.delivered(&[1, 1, 9]);
        assert_eq!(saving.done_with(), [0; 0], "the disk works");
        saving.failed(NOW);
        saving.taken.push(3);
        saving.delivered(&[3, 8, 1]);
        assert_eq!(
            saving.done,
            [1, 3],
            "8 and 9 wait for nothing: nobody would ever take them out"
        );
        assert_eq!(saving.done_with(), [1, 3]);
        assert_eq!(
            (saving.done_with(), saving.taken.as_slice()),
            (Vec::new(), &[2][..])
        );
        // Also one of the set that is being written: it is not told twice.
        saving.begin(7, NOW + RETRY);
        saving.delivered(&[2]);
        assert_eq!(saving.done_with(), [2]);
        assert_eq!(saving.saved(2), Some((Vec::new(), 7)));
    }

    #[test]
    fn a_message_that_the_disk_has_is_not_done_with_again() {
        let mut saving = writing(&[1]);
        saving.delivered(&[1]);
        saving.saved(1);
        assert_eq!(saving.done, [0; 0]);
        saving.changed = true;
        saving.begin(7, NOW);
        saving.failed(NOW);
        assert_eq!(saving.done_with(), [0; 0]);
    }

    #[test]
    fn more_messages_are_taken_up_to_the_bound() {
        let mut saving = Saving::default();
        saving.taken.resize(TAKEN_MAX - 1, 1);
        assert!(saving.has_room());
        saving.taken.push(1);
        assert!(!saving.has_room());
    }

    #[test]
    fn what_the_disk_refused_is_tried_once_more_at_the_end_and_not_for_ever() {
        let mut saving = Saving {
            changed: true,
            ..Saving::default()
        };
        let now = Instant::from_millis(1000);
        assert_eq!(saving.begin(0, now), Some(1));
        assert!(saving.failed(now));
        assert_eq!(saving.begin(0, now), None);
        assert!(
            saving.is_settled(),
            "a disk that fails does not hold up the end"
        );
        saving.try_again();
        assert!(!saving.is_settled());
        assert_eq!(saving.begin(0, now), Some(2));
        saving.failed(now);
        assert!(saving.is_settled());
    }
}
