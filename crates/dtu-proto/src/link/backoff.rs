//! When to try again: exponential, with full jitter (decisions 6).

use crate::time::Duration;

/// The first attempt comes within this time.
const FIRST: Duration = Duration::from_millis(100);
/// The second comes within this time, each further one within twice the time of the last.
const BASE: Duration = Duration::from_secs(1);
/// Never sooner than this, so that jitter makes no hot loop.
const LEAST: Duration = Duration::from_millis(50);

/// A small, seeded source of chance (SplitMix64). Not for secrets.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Anything up to `limit`.
    fn up_to(&mut self, limit: Duration) -> Duration {
        let micros = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX).max(1);
        Duration::from_micros(self.next() % micros)
    }
}

/// The pauses of one link.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// How long to wait before the next attempt.
    pub(crate) fn next(&mut self, longest: Duration, rng: &mut Rng) -> Duration {
        let attempt = self.attempts;
        self.attempts = self.attempts.saturating_add(1);
        let Some(doublings) = attempt.checked_sub(1) else { return rng.up_to(FIRST) };
        let limit = BASE.saturating_mul(1 << doublings.min(16)).min(longest);
        rng.up_to(limit).max(LEAST)
    }

    /// The connection was good, or the settings are new.
    pub(crate) const fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_start_over() {
        let mut backoff = Backoff::default();
        let mut rng = Rng::new(7);
        let longest = Duration::from_secs(30);
        assert!(backoff.next(longest, &mut rng) < FIRST);
        for limit in [1, 2, 4, 8, 16, 30, 30, 30] {
            let pause = backoff.next(longest, &mut rng);
            assert!(pause >= LEAST && pause < Duration::from_secs(limit), "{limit}: {pause:?}");
        }
        backoff.reset();
        assert!(backoff.next(longest, &mut rng) < FIRST);
    }

    #[test]
    fn a_thousand_devices_come_back_spread_out() {
        let mut buckets = [0u32; 10];
        for seed in 0..1000 {
            let mut backoff = Backoff { attempts: 5 };
            let pause = backoff.next(Duration::from_secs(10), &mut Rng::new(seed));
            buckets[usize::try_from(pause.as_millis() / 1000).unwrap()] += 1;
        }
        assert!(buckets.iter().all(|n| (50..200).contains(n)), "{buckets:?}");
    }
}
