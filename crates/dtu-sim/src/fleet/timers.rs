//! When which device wants to be called: one live entry a device, in a heap.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Stands for a time that does not come.
pub(super) const NEVER: u64 = u64::MAX;

/// Times are µs since the start.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Timers {
    /// The device wants to be called at `at`. `planned` is its entry: a later time leaves that in place, and is looked at
    /// again when it is due; so a timer that moves on with each frame costs nothing.
    pub(super) fn plan(&mut self, device: u32, planned: &mut u64, at: u64) {
        if at < *planned {
            *planned = at;
            self.heap.push(Reverse((at, device)));
        }
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.heap.clear();
    }

    /// When the next entry is due.
    pub(super) fn next(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes an entry that is due. It is void where the device's `planned` is another time by now.
    pub(super) fn due(&mut self, now: u64) -> Option<(u64, u32)> {
        self.next().filter(|at| *at <= now)?;
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_time_takes_the_place_of_a_later_one() {
        let mut timers = Timers::default();
        let mut planned = NEVER;
        timers.plan(3, &mut planned, 100);
        timers.plan(3, &mut planned, 200);
        assert_eq!((planned, timers.next()), (100, Some(100)));
        timers.plan(3, &mut planned, 50);
        assert_eq!((planned, timers.due(49)), (50, None));
        assert_eq!(timers.due(50), Some((50, 3)));
        // The entry for 100 is void: who is called looks at `planned`.
        planned = NEVER;
        assert_eq!(timers.due(100), Some((100, 3)));
        assert_ne!(planned, 100);
        assert_eq!(timers.due(NEVER), None);
    }
}
