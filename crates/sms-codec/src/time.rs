//! Time stamps of the service centre: 3GPP TS 23.040 9.2.3.11.

use core::fmt;

/// Seven octets of swapped digits: year, month, day, hour, minute, second, zone. They are kept as they came, for a
/// message with a bad time is still a message.
///
/// ```
/// use sms_codec::time::TimeStamp;
///
/// let stamp = TimeStamp([0x52, 0x21, 0x13, 0x32, 0x95, 0x85, 0x49]);
/// assert_eq!(stamp.to_string(), "2025-12-31T23:59:58-03:30");
/// assert_eq!(TimeStamp::of(stamp.civil().unwrap()), Some(stamp));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TimeStamp(pub [u8; 7]);

/// A local time with its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Civil {
    /// 1990..=2089: two digits travel, and 90 to 99 are of the last century.
    pub year: u16,
    /// 1..=12.
    pub month: u8,
    /// 1..=31, as the month has.
    pub day: u8,
    /// 0..=23.
    pub hour: u8,
    /// 0..=59.
    pub minute: u8,
    /// 0..=59.
    pub second: u8,
    /// Local time ahead of GMT, in quarters of an hour: -79..=79.
    pub zone: i8,
}

impl TimeStamp {
    /// The stamp of a time; `None` if there is no such time.
    #[must_use]
    pub fn of(civil: Civil) -> Option<Self> {
        let Civil {
            year,
            month,
            day,
            hour,
            minute,
            second,
            zone,
        } = civil;
        let year = u8::try_from(if year < 2000 {
            year.checked_sub(1900)?
        } else {
            year - 2000
        })
        .ok()?;
        let sign = if zone < 0 { MINUS } else { 0 };
        let digits = [year, month, day, hour, minute, second, zone.unsigned_abs()];
        let mut octets = digits.map(|value| ((value % 10) << 4) | (value / 10 % 10));
        octets[6] |= sign;
        let stamp = Self(octets);
        (stamp.civil() == Some(civil)).then_some(stamp)
    }

    /// The time, if the octets are one.
    #[must_use]
    pub fn civil(self) -> Option<Civil> {
        let [year, month, day, hour, minute, second, zone] = self.0;
        let year = match digits(year)? {
            year @ 90.. => 1900 + u16::from(year),
            year => 2000 + u16::from(year),
        };
        let quarters = i8::try_from(digits(zone & !MINUS)?).ok()?;
        let civil = Civil {
            year,
            month: digits(month)?,
            day: digits(day)?,
            hour: digits(hour)?,
            minute: digits(minute)?,
            second: digits(second)?,
            zone: if zone & MINUS == 0 {
                quarters
            } else {
                -quarters
            },
        };
        civil.is_time().then_some(civil)
    }
}

impl Civil {
    fn is_time(self) -> bool {
        (1..=days_of(self.year, self.month)).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second < 60
    }
}

impl fmt::Display for Civil {
    /// ISO 8601: `2014-09-10T15:06:10+08:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            zone,
        } = self;
        let (sign, quarters) = (if *zone < 0 { '-' } else { '+' }, zone.unsigned_abs());
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        write!(f, "{sign}{:02}:{:02}", quarters / 4, quarters % 4 * 15)
    }
}

impl fmt::Display for TimeStamp {
    /// ISO 8601, or the octets in hex where they are no time.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.civil() {
            Some(civil) => civil.fmt(f),
            None => self.0.iter().try_for_each(|octet| write!(f, "{octet:02X}")),
        }
    }
}

/// Two digits, the low semi-octet first.
fn digits(octet: u8) -> Option<u8> {
    let (tens, ones) = (octet & 15, octet >> 4);
    (tens < 10 && ones < 10).then_some(tens * 10 + ones)
}

fn days_of(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        1..=12 => 31,
        _ => 0,
    }
}

/// The sign of the zone, in its first digit as it is sent.
const MINUS: u8 = 0x08;

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn the_century_turns_at_90() {
        let year = |octet| {
            TimeStamp([octet, 0x10, 0x10, 0, 0, 0, 0])
                .civil()
                .map(|civil| civil.year)
        };
        assert_eq!(
            [year(0x98), year(0x09), year(0x99)],
            [Some(2089), Some(1990), Some(1999)]
        );
    }

    #[test]
    fn what_is_no_time_is_shown_as_it_came() {
        for octets in [
            [0; 7],
            [0x62, 0x20, 0x92, 0, 0, 0, 0],
            [0x62, 0x10, 0x10, 0x42, 0, 0, 0],
            [0xFF; 7],
        ] {
            assert_eq!(TimeStamp(octets).civil(), None, "{octets:02X?}");
        }
        assert_eq!(TimeStamp([0xFF; 7]).to_string(), "FFFFFFFFFFFFFF");
        assert_eq!(
            TimeStamp([0x42, 0x20, 0x92, 0, 0, 0, 0x08]).to_string(),
            "2024-02-29T00:00:00+00:00"
        );
    }

    #[test]
    fn a_time_that_two_digits_cannot_say_has_no_stamp() {
        let civil = Civil {
            year: 2090,
            month: 1,
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
            zone: 0,
        };
        assert_eq!(TimeStamp::of(civil), None);
        assert_eq!(
            TimeStamp::of(Civil {
                year: 2026,
                zone: -80,
                ..civil
            }),
            None
        );
        assert_eq!(
            TimeStamp::of(Civil {
                year: 2026,
                month: 13,
                ..civil
            }),
            None
        );
    }
}
