//! Chance.

use crate::time::Duration;

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
    pub(crate) fn up_to(&mut self, limit: Duration) -> Duration {
        let micros = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX).max(1);
        Duration::from_micros(self.next() % micros)
    }

    /// Anything between the half and the whole of `limit`.
    pub(crate) fn upper_half(&mut self, limit: Duration) -> Duration {
        // mutant: upper-half
        limit / 2 + self.up_to(limit / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first figures of SplitMix64 as its authors publish them: a seed gives the same pauses in each version.
    #[test]
    fn a_seed_gives_the_figures_of_splitmix64() {
        let mut rng = Rng::new(1_234_567);
        let figures = [rng.next(), rng.next(), rng.next()];
        assert_eq!(
            figures,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }
}
