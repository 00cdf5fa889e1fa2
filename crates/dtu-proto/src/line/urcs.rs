//! URCs that wait for the line to rest (decisions 10.5): one queue for those of calls, of the network and of messages.

use alloc::collections::VecDeque;
use bytes::Bytes;

use crate::time::Instant;

/// So many wait at most.
const URCS_MAX: usize = 32;

/// A result code that nobody asked for. `at` has the texts of those that have none here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Urc {
    /// As it is printed.
    Text(Bytes),
    /// Likewise: a call rings. A newer one replaces it, the end of that call takes it back.
    Ring(Bytes),
    /// Likewise, how a call goes: a DTE that ends that is told no more about it.
    Call(Bytes),
    /// A message came to this place. Told only if it is still there.
    Message { place: u8 },
    /// A status report, likewise.
    Report { place: u8 },
}

/// For how long a URC is worth waiting: one that is worth less makes no room for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Keep {
    /// Until the line carries data: behind that it is no news any more.
    UntilData,
    /// Also while the line carries data (27.005 3.4.1, modes 2 and 3).
    OverData,
    /// Likewise, and it makes no room for another one: what it tells counts as told.
    Always,
}

#[derive(Debug)]
struct Waiting {
    urc: Urc,
    keep: Keep,
    since: Instant,
}

impl Waiting {
    const fn is_ring(&self) -> bool {
        matches!(self.urc, Urc::Ring(_))
    }
}

/// The queue, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct UrcQueue {
    waiting: VecDeque<Waiting>,
}

impl UrcQueue {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether one more is taken: there is room, or an older one makes it.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < URCS_MAX || self.oldest_to_go(Keep::Always).is_some()
    }

    /// What makes room for one that is kept so: the oldest that data would cost goes first.
    fn oldest_to_go(&self, keep: Keep) -> Option<usize> {
        // mutant: kept-makes-room
        [Keep::UntilData, Keep::OverData]
            .into_iter()
            .filter(|kept| *kept <= keep)
            .find_map(|kept| self.waiting.iter().position(|waiting| waiting.keep == kept))
    }

    /// Says how many were dropped: none, the one that made room, or this one.
    pub(super) fn push(&mut self, urc: Urc, keep: Keep, now: Instant) -> u64 {
        // mutant: rings-pile-up
        if let Urc::Ring(_) = urc
            && let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.is_ring())
        {
            waiting.urc = urc;
            return 0;
        }
        let mut dropped = 0;
        if self.waiting.len() >= URCS_MAX {
            dropped = 1;
            match self.oldest_to_go(keep) {
                Some(oldest) => drop(self.waiting.remove(oldest)),
                None => return dropped,
            }
        }
        self.waiting.push_back(Waiting {
            urc,
            keep,
            since: now,
        });
        dropped
    }

    /// How the next one is kept, and since when it waits.
    pub(super) fn next(&self) -> Option<(Keep, Instant)> {
        self.waiting
            .front()
            .map(|waiting| (waiting.keep, waiting.since))
    }

    pub(super) fn pop(&mut self) -> Option<Urc> {
        self.waiting.pop_front().map(|waiting| waiting.urc)
    }

    /// The line carries data, or starts over. Says how many that costs.
    pub(super) fn drop_unkept(&mut self) -> u64 {
        let before = self.waiting.len();
        self.waiting
            .retain(|waiting| waiting.keep != Keep::UntilData);
        (before - self.waiting.len()) as u64
    }

    /// Nothing is told any more. Says how many that costs.
    pub(super) fn abandon(&mut self) -> u64 {
        core::mem::take(&mut self.waiting).len() as u64
    }

    /// A DTE that ends or answers the call knows.
    pub(super) fn forget_calls(&mut self) {
        self.waiting
            .retain(|waiting| !matches!(waiting.urc, Urc::Ring(_) | Urc::Call(_)));
    }

    /// No call rings any more.
    pub(super) fn forget_rings(&mut self) {
        self.waiting.retain(|waiting| !waiting.is_ring());
    }
}
