//! How long the service centre tries: 3GPP TS 23.040 9.2.3.3 (format) and 9.2.3.12 (period).

use core::time::Duration;

use super::time::TimeStamp;

/// The validity period of a submitted message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Validity {
    /// None given: the network decides.
    #[default]
    Network,
    /// One octet: 5 minutes to 63 weeks.
    Relative(u8),
    /// Seven octets: an indicator, then a period in one of three forms.
    Enhanced([u8; 7]),
    /// Until this time.
    Absolute(TimeStamp),
}

impl Validity {
    /// The shortest relative period that is not shorter than `period`; the longest, 63 weeks, for all beyond.
    #[must_use]
    pub fn for_at_least(period: Duration) -> Self {
        let octet = (0..=u8::MAX).find(|octet| relative(*octet) >= period);
        Self::Relative(octet.unwrap_or(u8::MAX))
    }

    /// The period, where one is given as such.
    #[must_use]
    pub fn period(self) -> Option<Duration> {
        match self {
            Self::Relative(octet) => Some(relative(octet)),
            Self::Enhanced([indicator, first, second, third, ..]) => match indicator & 7 {
                1 => Some(relative(first)),
                2 => Some(Duration::from_secs(u64::from(first))),
                3 => clock(first, second, third),
                _ => None,
            },
            Self::Network | Self::Absolute(_) => None,
        }
    }

    /// The format bits of the first octet: 0 none, 1 enhanced, 2 relative, 3 absolute.
    #[must_use]
    pub const fn format(self) -> u8 {
        match self {
            Self::Network => 0,
            Self::Enhanced(_) => 1,
            Self::Relative(_) => 2,
            Self::Absolute(_) => 3,
        }
    }
}

/// 9.2.3.12.1: steps of 5 minutes to 12 hours, of 30 minutes to a day, of a day to 30 days, then of a week.
fn relative(octet: u8) -> Duration {
    let octet = u64::from(octet);
    let minutes = match octet {
        0..=143 => (octet + 1) * 5,
        144..=167 => 12 * 60 + (octet - 143) * 30,
        168..=196 => (octet - 166) * DAY,
        _ => (octet - 192) * 7 * DAY,
    };
    Duration::from_secs(minutes * 60)
}

/// 9.2.3.12.3: hours, minutes, seconds in swapped digits.
fn clock(hours: u8, minutes: u8, seconds: u8) -> Option<Duration> {
    let [hours, minutes, seconds] = [hours, minutes, seconds].map(|octet| {
        let (tens, ones) = (octet & 15, octet >> 4);
        (tens < 10 && ones < 10).then_some(u64::from(tens * 10 + ones))
    });
    Some(Duration::from_secs(
        (hours? * 60 + minutes?) * 60 + seconds?,
    ))
}

/// Minutes.
const DAY: u64 = 24 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_relative_octet_is_the_shortest_of_its_period() {
        for octet in 0..=u8::MAX {
            assert_eq!(
                Validity::for_at_least(relative(octet)),
                Validity::Relative(octet)
            );
        }
        let hours = |hours: u64| Validity::for_at_least(Duration::from_secs(hours * 3600));
        assert_eq!(
            [hours(0), hours(12), hours(24), hours(25)].map(Validity::period),
            {
                let period = |minutes: u64| Some(Duration::from_secs(minutes * 60));
                [period(5), period(12 * 60), period(DAY), period(2 * DAY)]
            }
        );
        assert_eq!(hours(u64::MAX / 3600), Validity::Relative(255));
    }

    #[test]
    fn enhanced_periods_have_three_forms() {
        let enhanced = |octets: [u8; 4]| {
            let [a, b, c, d] = octets;
            Validity::Enhanced([a, b, c, d, 0, 0, 0]).period()
        };
        assert_eq!(enhanced([1, 167, 0, 0]), Some(Duration::from_secs(86_400)));
        assert_eq!(enhanced([2, 90, 0, 0]), Some(Duration::from_secs(90)));
        assert_eq!(
            enhanced([3, 0x10, 0x20, 0x30]),
            Some(Duration::from_secs(3723))
        );
        assert_eq!(enhanced([3, 0xFF, 0, 0]), None);
        assert_eq!(enhanced([0, 1, 1, 1]), None);
    }
}
