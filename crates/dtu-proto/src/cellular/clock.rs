//! The wall clock of `AT+CCLK` (27.007 8.15): local time as it was set, counted on by the device's own time.

use alloc::format;
use alloc::string::String;

use crate::time::Instant;

/// The device's wall clock. It is not stored; it keeps the time zone of whoever set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Microseconds from 2000-01-01 00:00:00 to the instant zero; may be negative.
    offset: i64,
}

impl Clock {
    /// A clock that nobody has set, of a device that powers on now: 2014-01-01 00:00:00.
    pub(crate) fn power_on(now: Instant) -> Self {
        let mut clock = Self { offset: 0 };
        clock.set(POWER_ON_SECONDS, now);
        clock
    }

    /// Sets it to so many seconds after 2000-01-01 00:00:00.
    pub(crate) fn set(&mut self, seconds: u32, now: Instant) {
        self.offset = i64::from(seconds) * MICROS - micros(now);
    }

    /// `yy/MM/dd,hh:mm:ss`
    pub(crate) fn text(self, now: Instant) -> String {
        let seconds = self
            .offset
            .saturating_add(micros(now))
            .div_euclid(MICROS)
            .rem_euclid(CENTURY_SECONDS);
        let (days, time) = (seconds / DAY, seconds % DAY);
        let (year, month, day) = date(days);
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        format!("{year:02}/{month:02}/{day:02},{hour:02}:{minute:02}:{second:02}")
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::power_on(Instant::ZERO)
    }
}

/// Reads `yy/MM/dd,hh:mm:ss`, with or without `±zz` behind it (quarters of an hour, -96..=96), as seconds since
/// 2000-01-01 00:00:00. The zone is checked and not kept: the time is local time.
pub(crate) fn parse_clock(text: &str) -> Option<u32> {
    let (stamp, zone) = text.as_bytes().split_at_checked(STAMP)?;
    if !is_zone(zone) {
        return None;
    }
    let [
        y1,
        y2,
        b'/',
        m1,
        m2,
        b'/',
        d1,
        d2,
        b',',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
    ] = stamp
    else {
        return None;
    };
    let year = two(*y1, *y2, 0, 99)?;
    let month = two(*m1, *m2, 1, 12)?;
    let day = two(*d1, *d2, 1, month_days(year, month))?;
    let hour = two(*h1, *h2, 0, 23)?;
    let minute = two(*n1, *n2, 0, 59)?;
    let second = two(*s1, *s2, 0, 59)?;
    let days =
        year_start(year) + (1..month).map(|month| month_days(year, month)).sum::<u32>() + day - 1;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

fn is_zone(zone: &[u8]) -> bool {
    match zone {
        [] => true,
        [b'+' | b'-', tens, ones] => two(*tens, *ones, 0, 96).is_some(),
        _ => false,
    }
}

/// Two digits within a range.
fn two(tens: u8, ones: u8, min: u32, max: u32) -> Option<u32> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    let value = digit(tens)? * 10 + digit(ones)?;
    (min..=max).contains(&value).then_some(value)
}

/// Days from 2000-01-01 to the first of a year; of 2000..=2099 every fourth is a leap year.
const fn year_start(year: u32) -> u32 {
    year * 365 + year.div_ceil(4)
}

const fn month_days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year, month and day of a day counted from 2000-01-01.
fn date(days: i64) -> (u32, u32, u32) {
    let days = u32::try_from(days).unwrap_or_default();
    let year = (0..=99)
        .rev()
        .find(|year| year_start(*year) <= days)
        .unwrap_or_default();
    let mut day = days - year_start(year);
    let mut month = 1;
    while day >= month_days(year, month) {
        day -= month_days(year, month);
        month += 1;
    }
    (year, month, day + 1)
}

fn micros(now: Instant) -> i64 {
    i64::try_from(now.as_micros()).unwrap_or(i64::MAX / 2)
}

const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400;
const CENTURY_SECONDS: i64 = 36_525 * DAY;
/// Bytes of `yy/MM/dd,hh:mm:ss`.
const STAMP: usize = 17;
/// 2014-01-01 00:00:00.
const POWER_ON_SECONDS: u32 = 441_849_600;
