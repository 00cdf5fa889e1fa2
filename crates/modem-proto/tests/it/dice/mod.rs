//! Chance for the seeded tests.

use std::ops::RangeInclusive;

use dtu_proto::time::Duration;

/// splitmix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn throw(&mut self, range: RangeInclusive<u64>) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        range.start() + (z ^ (z >> 31)) % (range.end() - range.start() + 1)
    }

    pub(crate) fn seconds(&mut self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.throw(range.start() * 1000..=range.end() * 1000))
    }
}

/// Runs the seeds from 1 to `SEEDS` (else `count`) and names all that fail; with `SEED` that one only, which then tells
/// its story.
pub(crate) fn for_each_seed(count: u64, run: fn(u64, bool)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    if let Some(seed) = number("SEED") {
        return run(seed, true);
    }
    let seeds = 1..=number("SEEDS").unwrap_or(count);
    let failed: Vec<_> = seeds
        .filter(|seed| std::panic::catch_unwind(|| run(*seed, false)).is_err())
        .collect();
    assert_eq!(failed, [0; 0], "these seeds fail");
}

/// Up to three oddities with which every message still arrives.
pub(crate) fn odd(dice: &mut Dice) -> cellular_sim::modem::Oddities {
    use cellular_sim::modem::{Oddities, Oddity};
    let hopeless = [
        Oddity::TextOnly,
        Oddity::Cnmi0,
        Oddity::Cmgs500,
        Oddity::Refuses,
        Oddity::Restarts,
        Oddity::ClccEnds,
        Oddity::ClccDrops,
    ];
    let all: Vec<_> = Oddity::ALL
        .into_iter()
        .filter(|oddity| !hopeless.contains(oddity))
        .collect();
    (0..dice.throw(0..=3)).fold(Oddities::default(), |odd, _| {
        odd.with(all[usize::try_from(dice.throw(0..=all.len() as u64 - 1)).expect("a place")])
    })
}
