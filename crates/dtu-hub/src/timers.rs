//! When which part wants to be called: one entry a key, in order of time.

use std::collections::BTreeSet;

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
    /// Whether an entry that is due is this owner's. It is spent then.
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
pub(crate) struct Timers<K: Ord>(BTreeSet<(Instant, K)>);

impl<K: Ord + Copy> Default for Timers<K> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<K: Ord + Copy> Timers<K> {
    /// The key wants to be called at `at`, or sooner.
    pub(crate) fn plan(&mut self, key: K, planned: &mut Planned, at: Instant) {
        if at < planned.0 {
            self.forget(key, planned);
            planned.0 = at;
            self.0.insert((at, key));
        }
    }

    /// The key wants nothing more. A later entry that an earlier one displaced, or one whose owner is no more, would
    /// stay until it is due: days, of which somebody outside may ask for any number.
    pub(crate) fn forget(&mut self, key: K, planned: &mut Planned) {
        if planned.0 < Instant::NEVER {
            self.0.remove(&(planned.0, key));
            planned.0 = Instant::NEVER;
        }
    }

    /// When the next entry is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes an entry that is due; its owner notes that by [`Planned::take`].
    pub(crate) fn due(&mut self, now: Instant) -> Option<(Instant, K)> {
        self.next().filter(|at| *at <= now)?;
        self.0.pop_first()
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
        assert_eq!(timers.due(Instant::NEVER), None, "the later one is gone");
    }

    /// A stream whose messages end with a silence has a short deadline with each of them, and a far one between.
    #[test]
    fn a_key_has_one_entry_at_most() {
        let at = Instant::from_millis;
        let (mut timers, mut planned) = (Timers::default(), Planned::default());
        for n in 0..1000 {
            timers.plan(3, &mut planned, at(3_600_000 + n));
            timers.plan(3, &mut planned, at(n));
            assert_eq!(timers.due(at(n)), Some((at(n), 3)));
            assert!(planned.take(at(n)));
        }
        timers.plan(3, &mut planned, at(3_600_000));
        assert_eq!(timers.len(), 1);
    }
}
