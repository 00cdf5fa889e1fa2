//! The device's own time: microseconds since power-on of the host program.

use core::ops::{Add, AddAssign, Sub};
pub use core::time::Duration;

/// A point in time, measured from the moment the host started. Time only enters the device as an
/// argument; nothing in this crate reads a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The start of time.
    pub const ZERO: Self = Self(0);
    /// The end of time: stands for a time that does not come.
    pub const NEVER: Self = Self(u64::MAX);

    /// The instant `micros` microseconds after the start.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The instant `millis` milliseconds after the start.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// Microseconds since the start.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        // Not by way of `Duration::as_micros`, whose 128 bits cost more than the sum.
        let micros = by
            .as_secs()
            .saturating_mul(1_000_000)
            .saturating_add(u64::from(by.subsec_micros()));
        Self(self.0.saturating_add(micros))
    }
}

/// The first of these times.
pub(crate) fn earliest<const N: usize>(all: [Option<Instant>; N]) -> Option<Instant> {
    let first = all.into_iter().fold(Instant::NEVER, |first, at| {
        first.min(at.unwrap_or(Instant::NEVER))
    });
    (first < Instant::NEVER).then_some(first)
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, by: Duration) {
        *self = *self + by;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}
