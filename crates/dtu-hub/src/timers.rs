//! When which part wants to be called: a heap with one live entry a key.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::time::Instant;

/// The entry of one key, kept by its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planned(Instant);

impl Default for Planned {
    fn default() -> Self {
        Self(Instant::NEVER)
    }
}

impl Planned {
    /// Whether an entry that came out of the heap is the live one. It is spent then.
    pub(crate) fn take(&mut self, at: Instant) -> bool {
        let live = self.0 == at;
        if live {
            self.0 = Instant::NEVER;
        }
        live
    }
}

/// All that is planned. Who is called looks at its own state and plans anew: a time that moves on with each chunk of
/// bytes costs nothing.
#[derive(Debug)]
pub(crate) struct Timers<K: Ord>(BinaryHeap<Reverse<(Instant, K)>>);

impl<K: Ord + Copy> Default for Timers<K> {
    fn default() -> Self {
        Self(BinaryHeap::new())
    }
}

impl<K: Ord + Copy> Timers<K> {
    /// The key wants to be called at `at`, or sooner.
    pub(crate) fn plan(&mut self, key: K, planned: &mut Planned, at: Instant) {
        if at < planned.0 {
            planned.0 = at;
            self.0.push(Reverse((at, key)));
        }
    }

    /// When the next entry is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes an entry that is due; its owner asks [`Planned::take`] whether it is live.
    pub(crate) fn due(&mut self, now: Instant) -> Option<(Instant, K)> {
        self.next().filter(|at| *at <= now)?;
        self.0.pop().map(|Reverse(entry)| entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_time_takes_the_place_of_a_later_one() {
        let at = Instant::from_millis;
        let (mut timers, mut planned) = (Timers::default(), Planned::default());
        timers.plan(3, &mut planned, at(100));
        timers.plan(3, &mut planned, at(200));
        assert_eq!(timers.next(), Some(at(100)));
        timers.plan(3, &mut planned, at(50));
        assert_eq!(timers.due(at(49)), None);
        assert_eq!(timers.due(at(50)), Some((at(50), 3)));
        assert!(planned.take(at(50)));
        assert_eq!(timers.due(at(100)), Some((at(100), 3)));
        assert!(!planned.take(at(100)), "that entry is void");
        assert_eq!(timers.due(Instant::NEVER), None);
    }
}
