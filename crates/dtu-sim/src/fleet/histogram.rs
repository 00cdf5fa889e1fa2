//! Times in buckets that are a sixteenth wide: percentiles of millions of values in 8 KiB.

/// Buckets of one power of two.
const STEPS: u64 = 16;
const SHIFT: u32 = STEPS.trailing_zeros();

/// How often which time occurred, in µs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    sum: u64,
    max: u64,
}

impl Histogram {
    /// One more value.
    pub fn add(&mut self, micros: u64) {
        let place = place(micros);
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] += 1;
        self.count += 1;
        self.sum = self.sum.saturating_add(micros);
        self.max = self.max.max(micros);
    }

    /// The values of another one as well.
    pub fn add_all(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        self.max = self.max.max(other.max);
    }

    /// How many values there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The largest.
    #[must_use]
    pub const fn max(&self) -> u64 {
        self.max
    }

    /// So many of a thousand values are not above this; at most a sixteenth too much. 0 without any value.
    #[must_use]
    pub fn permille(&self, permille: u64) -> u64 {
        let wanted = (self.count * permille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (place, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return upper(place).min(self.max);
            }
        }
        self.max
    }
}

fn place(value: u64) -> usize {
    let value = value.max(1);
    let power = value.ilog2();
    if power < SHIFT {
        return value as usize;
    }
    let step = (value >> (power - SHIFT)) & (STEPS - 1);
    (u64::from(power - SHIFT + 1) * STEPS + step) as usize
}

/// The largest value of a bucket.
fn upper(place: usize) -> u64 {
    let place = place as u64;
    if place < STEPS {
        return place;
    }
    let (power, step) = (place / STEPS - 1, place % STEPS);
    ((STEPS + step + 1) << power) - 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentiles_of_known_values() {
        let mut times = Histogram::default();
        assert_eq!(times.permille(500), 0);
        (1..=1000).for_each(|value| times.add(value * 1000));
        for (permille, wanted) in [(500, 500_000), (990, 990_000), (1000, 1_000_000)] {
            let got = times.permille(permille);
            assert!(
                got >= wanted && got <= wanted + wanted / 16,
                "{permille}: {got}"
            );
        }
        assert_eq!((times.count(), times.max()), (1000, 1_000_000));
    }

    proptest! {
        #[test]
        fn two_come_to_the_same_as_one(
            values in prop::collection::vec(1_u64..1 << 40, 0..40), at in 0_usize..40,
        ) {
            let of = |values: &[u64]| {
                let mut times = Histogram::default();
                values.iter().for_each(|value| times.add(*value));
                times
            };
            let (first, second) = values.split_at(at.min(values.len()));
            let mut sum = of(first);
            sum.add_all(&of(second));
            prop_assert_eq!(sum, of(&values));
        }

        #[test]
        fn a_value_lies_in_its_bucket(value in 1_u64..1 << 50) {
            let upper = upper(place(value));
            prop_assert!(value <= upper && upper - value <= value / 16, "{value} {upper}");
            prop_assert!(place(upper + 1) == place(value) + 1);
        }
    }
}
