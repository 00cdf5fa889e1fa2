//! The modem's clock, `AT+CCLK?` (27.007 8.15).

use dtu_proto::radio::NetworkTime;

/// `yy/MM/dd,hh:mm:ss±zz`, zz in quarters of an hour (27.007 8.15). A modem that got no time from a network counts
/// from a date of its maker; such a year is no time.
pub(crate) fn network_time(text: &str) -> Option<NetworkTime> {
    let number = |at: usize| text.get(at..at + 2)?.parse::<u32>().ok();
    let separators = [(2, "/"), (5, "/"), (8, ","), (11, ":"), (14, ":")];
    if separators
        .into_iter()
        .any(|(at, sign)| text.get(at..at + 1) != Some(sign))
    {
        return None;
    }
    let (year, month, day) = (number(0)?, number(3)?, number(6)?);
    let (hour, minute, second) = (number(9)?, number(12)?, number(15)?);
    let days_of = |month: u32| match month {
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let is_time = PLAUSIBLE_YEARS.contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_of(month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !is_time {
        return None;
    }
    let days = year * 365 + year.div_ceil(4) + (1..month).map(days_of).sum::<u32>() + day - 1;
    let zone = text
        .get(17..)
        .and_then(|zone| zone.parse::<i8>().ok())
        .filter(|zone| zone.abs() <= 96);
    Some(NetworkTime {
        seconds: days * 86_400 + hour * 3600 + minute * 60 + second,
        zone,
    })
}

const PLAUSIBLE_YEARS: core::ops::Range<u32> = 20..70;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modem_s_clock_is_read_with_its_zone() {
        let time = network_time("26/11/22,16:40:00+32").unwrap();
        // date -u -d "2026-11-22 16:40:00" +%s, less that of 2000-01-01.
        assert_eq!(
            (time.seconds, time.zone),
            (1_795_365_600 - 946_684_800, Some(32))
        );
        assert_eq!(
            network_time("24/02/29,00:00:00-12").and_then(|time| time.zone),
            Some(-12)
        );
        assert_eq!(
            network_time("26/11/22,16:40:00").map(|time| time.zone),
            Some(None)
        );
    }

    #[test]
    fn a_clock_that_nobody_set_is_no_time() {
        for text in [
            "80/01/06,00:00:05+00",
            "04/01/01,00:00:00+00",
            "26/02/29,00:00:00+00",
            "26/11/22",
            "",
            "é",
        ] {
            assert_eq!(network_time(text), None, "{text}");
        }
    }

    /// `date -u -d "2024-03-01" +%s`, less that of 2000-01-01.
    #[test]
    fn seconds_are_counted_from_2000_through_leap_years() {
        for (text, seconds) in [
            ("20/01/01,00:00:00", 631_152_000),
            ("24/03/01,00:00:00", 762_566_400),
            ("21/05/31,12:34:56", 675_779_696),
            ("28/02/29,23:59:59", 888_796_799),
            ("69/12/31,23:59:59", 2_209_075_199),
        ] {
            let time = network_time(text).map(|time| time.seconds);
            assert_eq!(time, Some(seconds), "{text}");
        }
    }

    #[test]
    fn each_field_of_a_time_has_its_range() {
        for text in [
            "19/12/31,23:59:59",
            "70/01/01,00:00:00",
            "26/00/10,00:00:00",
            "26/13/10,00:00:00",
            "26/01/00,00:00:00",
            "26/01/32,00:00:00",
            "26/04/31,00:00:00",
            "26/06/31,00:00:00",
            "26/09/31,00:00:00",
            "26/11/31,00:00:00",
            "24/02/30,00:00:00",
            "26/01/10,24:00:00",
            "26/01/10,00:60:00",
            "26/01/10,00:00:60",
            "26-01/10,00:00:00",
            "26/01-10,00:00:00",
            "26/01/10 00:00:00",
            "26/01/10,00-00:00",
            "26/01/10,00:00-00",
        ] {
            assert_eq!(network_time(text), None, "{text}");
        }
        for day in ["01/31", "03/31", "04/30", "12/31"] {
            let text = alloc::format!("26/{day},00:00:00");
            assert!(network_time(&text).is_some(), "{text}");
        }
    }

    /// Quarters of an hour; 96 are a day.
    #[test]
    fn a_zone_of_more_than_a_day_is_none() {
        for (zone, wanted) in [
            ("+96", Some(96)),
            ("-96", Some(-96)),
            ("+97", None),
            ("-97", None),
        ] {
            let text = alloc::format!("26/11/22,16:40:00{zone}");
            let time = network_time(&text).map(|time| time.zone);
            assert_eq!(time, Some(wanted), "{zone}");
        }
    }
}
