//! The network's time, as stamps of messages and as the clock of modems.

use dtu_proto::radio::NetworkTime;
use dtu_proto::time::Instant;
use sms_codec::time::{Civil, TimeStamp};

/// The stamp of that time; the start of the century where the time cannot be said in two digits.
pub(super) fn stamp(clock: NetworkTime) -> TimeStamp {
    let civil = civil(clock);
    TimeStamp::of(civil).unwrap_or(TimeStamp([0, 0x10, 0x10, 0, 0, 0, 0]))
}

/// What the clock shows after that time has run.
pub(super) fn at(start: NetworkTime, now: Instant) -> NetworkTime {
    let run = u32::try_from(now.as_micros() / 1_000_000).unwrap_or(u32::MAX);
    NetworkTime {
        seconds: start.seconds.saturating_add(run),
        zone: start.zone,
    }
}

/// Years from 2000 on; the calendar of the century has a leap year every four years until 2100.
pub(crate) fn civil(clock: NetworkTime) -> Civil {
    let (days, rest) = (clock.seconds / 86_400, clock.seconds % 86_400);
    let (year, month, day) = date(days);
    let small = |value: u32| u8::try_from(value).unwrap_or(0);
    Civil {
        year,
        month,
        day,
        hour: small(rest / 3600),
        minute: small(rest / 60 % 60),
        second: small(rest % 60),
        zone: clock.zone.unwrap_or(0).clamp(-79, 79),
    }
}

/// The seconds since 2000 of year, month, day, hour, minute, second; `None` if there is no such time before 2100.
pub(crate) fn seconds_of([year, month, day, hour, minute, second]: [u16; 6]) -> Option<u32> {
    let small = |value: u16| u8::try_from(value).ok();
    let (month, day) = (small(month)?, small(day)?);
    let is_time = (2000..2100).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day.into())
        && hour < 24
        && minute < 60
        && second < 60;
    let years: u32 = (2000..year)
        .map(|year| 365 + u32::from(is_leap(year)))
        .sum();
    let months: u32 = (1..month).map(|month| days_of(year, month)).sum();
    let days = years + months + u32::from(day).checked_sub(1)?;
    let seconds =
        days * 86_400 + u32::from(hour) * 3600 + u32::from(minute) * 60 + u32::from(second);
    is_time.then_some(seconds)
}

fn date(mut days: u32) -> (u16, u8, u8) {
    let mut year = 2000;
    while days >= 365 + u32::from(is_leap(year)) {
        days -= 365 + u32::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    while days >= days_of(year, month) {
        days -= days_of(year, month);
        month += 1;
    }
    (year, month, u8::try_from(days + 1).unwrap_or(1))
}

const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of(year: u16, month: u8) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + is_leap(year) as u32,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_a_date() {
        let text = |seconds, zone| civil(NetworkTime { seconds, zone }).to_string();
        assert_eq!(text(0, None), "2000-01-01T00:00:00+00:00");
        assert_eq!(text(820_540_800, Some(32)), "2026-01-01T00:00:00+08:00");
        assert_eq!(
            text(59 * 86_400 + 86_399, Some(-14)),
            "2000-02-29T23:59:59-03:30"
        );
        assert_eq!(seconds_of([2026, 1, 1, 0, 0, 0]), Some(820_540_800));
        assert_eq!(seconds_of([2026, 2, 29, 0, 0, 0]), None);
        assert_eq!(text(60 * 86_400, Some(0)), "2000-03-01T00:00:00+00:00");
    }
}
