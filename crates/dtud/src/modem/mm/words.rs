//! ModemManager's words in the device's: states, errors, places, times.

use dtu_proto::radio::{CallEnd, Cell, NetworkTime, Signal, SimState, SubmitFailure};
use sms_codec::time::{Civil, TimeStamp};

/// `MMModemState`: the modem has failed.
pub(super) const FAILED: i32 = -1;
/// It waits for a PIN.
pub(super) const LOCKED: i32 = 2;
/// It can be enabled.
pub(super) const DISABLED: i32 = 3;
/// It is enabled; from here on it may be registered.
pub(super) const ENABLED: i32 = 6;
/// It is registered, connected with the rest.
pub(super) const REGISTERED: i32 = 8;

/// Of a modem in `state`, waiting for `lock` (`MMModemLock`), or failed because of `reason`
/// (`MMModemStateFailedReason`).
pub(super) const fn sim_state(state: i32, lock: u32, reason: u32) -> SimState {
    match (state, lock, reason) {
        (FAILED, _, 2..=4) => SimState::Missing,
        (FAILED, ..) => SimState::Unknown,
        (LOCKED, 2, _) => SimState::PinNeeded,
        (LOCKED, 4, _) => SimState::PukNeeded,
        (..=LOCKED, ..) => SimState::Unknown,
        _ => SimState::Ready,
    }
}

/// Of the percentage that MM makes of `+CSQ`.
pub(super) fn signal(percent: u32) -> Signal {
    let strength = (percent.min(100) * 31 + 50) / 100;
    Signal {
        strength: u8::try_from(strength).unwrap_or(99),
        error_rate: 99,
    }
}

/// `MCC,MNC,LAC,CI,TAC`: the last three in hex. LTE has a tracking area and leaves the location area at 0 or FFFE.
pub(super) fn cell(text: &str) -> Option<Cell> {
    let fields: Vec<&str> = text.split(',').map(str::trim).collect();
    let hex = |place: usize| {
        fields
            .get(place)
            .and_then(|field| u32::from_str_radix(field, 16).ok())
    };
    let area = hex(2)
        .filter(|area| !matches!(area, 0 | 0xFFFE))
        .or_else(|| hex(4))
        .or_else(|| hex(2))?;
    let id = hex(3)?;
    (area != 0 || id != 0).then_some(Cell { area, id })
}

/// Of an error's D-Bus name: 27.005 3.2.5.
pub(super) fn failure(name: &str) -> SubmitFailure {
    let Some(error) = name.strip_prefix("org.freedesktop.ModemManager1.Error.") else {
        return match name {
            "org.freedesktop.DBus.Error.NoReply" | "org.freedesktop.DBus.Error.Timeout" => {
                SubmitFailure::TIMED_OUT
            }
            "org.freedesktop.DBus.Error.AccessDenied" => SubmitFailure(302),
            _ => SubmitFailure::UNKNOWN,
        };
    };
    match error {
        "Message.MeFailure" => SubmitFailure(300),
        "Message.SmsServiceReserved" => SubmitFailure(301),
        "Message.NotAllowed" | "Core.Unauthorized" => SubmitFailure(302),
        "Message.NotSupported" | "Core.Unsupported" => SubmitFailure(303),
        "Message.InvalidPduParameter" | "Core.InvalidArgs" => SubmitFailure(304),
        "Message.InvalidTextParameter" => SubmitFailure(305),
        "Message.SimNotInserted" | "MobileEquipment.SimNotInserted" => SubmitFailure::NO_SIM,
        "Message.SimPin" | "MobileEquipment.SimPin" => SubmitFailure(311),
        "Message.PhSimPin" => SubmitFailure(312),
        "Message.SimFailure" | "MobileEquipment.SimFailure" => SubmitFailure(313),
        "Message.SimBusy" | "MobileEquipment.SimBusy" => SubmitFailure(314),
        "Message.SimWrong" | "MobileEquipment.SimWrong" => SubmitFailure(315),
        "Message.SimPuk" | "MobileEquipment.SimPuk" => SubmitFailure(316),
        "Message.SimPin2" => SubmitFailure(317),
        "Message.SimPuk2" => SubmitFailure(318),
        "Message.MemoryFailure" => SubmitFailure(320),
        "Message.InvalidIndex" => SubmitFailure(321),
        "Message.MemoryFull" => SubmitFailure(322),
        "Message.SmscAddressUnknown" => SubmitFailure(330),
        "Message.NoNetwork" | "MobileEquipment.NoNetwork" | "Core.WrongState" => {
            SubmitFailure::NO_NETWORK
        }
        "Message.NetworkTimeout" | "MobileEquipment.NetworkTimeout" | "Core.Timeout" => {
            SubmitFailure::TIMED_OUT
        }
        _ if error.starts_with("Serial.") => SubmitFailure::TIMED_OUT,
        _ => SubmitFailure::UNKNOWN,
    }
}

/// Why a call is over (`MMCallStateReason`), which had been answered, or was ringing at the other end.
pub(super) const fn call_end(reason: u32, answered: bool, alerted: bool) -> CallEnd {
    match reason {
        5 if !answered => CallEnd::Busy,
        6 => CallEnd::NoCarrier,
        _ if answered => CallEnd::HungUp,
        _ if alerted => CallEnd::NoAnswer,
        _ => CallEnd::NoCarrier,
    }
}

/// `2026-11-22T17:00:00+08`, with the zone's minutes or without; older versions write no zone.
fn civil(text: &str) -> Option<(Civil, bool)> {
    let (date, time) = text.trim().split_once('T')?;
    let (time, zone) = time.split_at_checked(8)?;
    let mut date = date.split('-').map(str::parse);
    let mut clock = time.split(':').map(str::parse);
    let mut next_of_date = || date.next()?.ok();
    let year = next_of_date()?;
    let (month, day) = (
        u8::try_from(next_of_date()?).ok()?,
        u8::try_from(next_of_date()?).ok()?,
    );
    let mut next_of_clock = || clock.next()?.ok();
    let (hour, minute, second) = (next_of_clock()?, next_of_clock()?, next_of_clock()?);
    let quarters = quarters(zone);
    let zone = quarters.unwrap_or(0);
    Some((
        Civil {
            year,
            month,
            day,
            hour,
            minute,
            second,
            zone,
        },
        quarters.is_some(),
    ))
}

/// `+08`, `+0530`, `-03:30`, `Z`.
fn quarters(zone: &str) -> Option<i8> {
    if zone == "Z" {
        return Some(0);
    }
    let negative = zone.starts_with('-');
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let hours: i8 = digits.get(..2)?.parse().ok()?;
    let minutes: i8 = digits
        .get(2..4)
        .map_or(Some(0), |minutes| minutes.parse().ok())?;
    let quarters = hours.checked_mul(4)? + minutes / 15;
    Some(if negative { -quarters } else { quarters })
}

/// The stamp of a message; zeros where there is none.
pub(super) fn time_stamp(text: &str) -> TimeStamp {
    civil(text)
        .and_then(|(civil, _)| TimeStamp::of(civil))
        .unwrap_or_default()
}

/// The network's time.
pub(super) fn network_time(text: &str) -> Option<NetworkTime> {
    let (civil, has_zone) = civil(text)?;
    // Looks whether there is such a time.
    TimeStamp::of(civil)?;
    let days = days_since_2000(civil)?;
    let seconds = days * 86_400
        + u32::from(civil.hour) * 3600
        + u32::from(civil.minute) * 60
        + u32::from(civil.second);
    Some(NetworkTime {
        seconds,
        zone: has_zone.then_some(civil.zone),
    })
}

fn days_since_2000(civil: Civil) -> Option<u32> {
    let years = u32::from(civil.year.checked_sub(2000)?);
    let leap = |year: u32| year.is_multiple_of(4);
    let february = if leap(years) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before: u32 = months
        .iter()
        .take(usize::from(civil.month.checked_sub(1)?))
        .sum();
    Some(years * 365 + years.div_ceil(4) + before + u32::from(civil.day) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_read_with_its_location_or_tracking_area() {
        assert_eq!(
            cell("460,00,5315,852D,0"),
            Some(Cell {
                area: 0x5315,
                id: 0x852D
            })
        );
        assert_eq!(
            cell("310,26,FFFE,1A2D001,2A0F"),
            Some(Cell {
                area: 0x2A0F,
                id: 0x01A2_D001
            })
        );
        assert_eq!(
            cell("310,26,0,1A2D001,002A0F"),
            Some(Cell {
                area: 0x2A0F,
                id: 0x01A2_D001
            })
        );
        for nothing in ["", "460,00", "460,00,0,0,0", "460,00,XX,1,1"] {
            assert_eq!(cell(nothing).filter(|cell| cell.id != 1), None, "{nothing}");
        }
    }

    #[test]
    fn a_percentage_goes_back_to_the_csq_it_came_from() {
        for csq in 0..=31u8 {
            assert_eq!(signal(u32::from(csq) * 100 / 31).strength, csq);
        }
        assert_eq!(signal(250).strength, 31);
    }

    #[test]
    fn errors_have_their_numbers() {
        let mm = |name: &str| failure(&format!("org.freedesktop.ModemManager1.Error.{name}"));
        assert_eq!(mm("Message.NoNetwork"), SubmitFailure::NO_NETWORK);
        assert_eq!(mm("Message.SmscAddressUnknown"), SubmitFailure(330));
        assert_eq!(mm("Serial.ResponseTimeout"), SubmitFailure::TIMED_OUT);
        assert!(!mm("Core.InvalidArgs").is_temporary());
        assert!(!mm("Core.Unsupported").is_temporary());
        assert!(mm("Core.WrongState").is_temporary() && mm("Core.Failed").is_temporary());
        assert_eq!(
            failure("org.freedesktop.DBus.Error.NoReply"),
            SubmitFailure::TIMED_OUT
        );
    }

    #[test]
    fn times_are_read_with_every_kind_of_zone() {
        let zone = |text: &str| network_time(text).unwrap().zone;
        assert_eq!(zone("2026-11-22T17:00:00+08"), Some(32));
        assert_eq!(zone("2026-11-22T17:00:00+05:30"), Some(22));
        assert_eq!(zone("2026-11-22T17:00:00-0330"), Some(-14));
        assert_eq!(zone("2026-11-22T17:00:00Z"), Some(0));
        assert_eq!(zone("2026-11-22T17:00:00"), None);
        assert_eq!(
            time_stamp("2014-09-10T15:06:10+08:00").to_string(),
            "2014-09-10T15:06:10+08:00"
        );
        for wrong in [
            "",
            "2026-13-01T00:00:00",
            "yesterday",
            "2026-11-22T17:00",
            "2026-11-22T1é:00:00",
        ] {
            assert_eq!(network_time(wrong), None, "{wrong}");
            assert_eq!(time_stamp(wrong), TimeStamp::default());
        }
    }

    #[test]
    fn seconds_are_counted_from_2000_through_leap_years() {
        let seconds = |text: &str| network_time(text).unwrap().seconds;
        assert_eq!(seconds("2000-01-01T00:00:00"), 0);
        assert_eq!(seconds("2000-03-01T00:00:00"), 60 * 86_400);
        assert_eq!(seconds("2001-01-01T00:00:01"), 366 * 86_400 + 1);
        assert_eq!(seconds("2026-01-01T00:00:00+08:00"), 820_540_800);
    }

    #[test]
    fn sim_states_follow_lock_and_failure() {
        assert_eq!(sim_state(FAILED, 0, 2), SimState::Missing);
        assert_eq!(sim_state(LOCKED, 2, 0), SimState::PinNeeded);
        assert_eq!(sim_state(LOCKED, 4, 0), SimState::PukNeeded);
        assert_eq!(sim_state(1, 0, 0), SimState::Unknown);
        assert_eq!(sim_state(DISABLED, 1, 0), SimState::Ready);
        assert_eq!(
            sim_state(REGISTERED, 3, 0),
            SimState::Ready,
            "a PIN2 is asked for by nothing here"
        );
    }

    #[test]
    fn a_call_ends_for_the_reason_that_fits_its_life() {
        assert_eq!(call_end(5, false, true), CallEnd::Busy);
        assert_eq!(call_end(4, true, true), CallEnd::HungUp);
        assert_eq!(call_end(4, false, true), CallEnd::NoAnswer);
        assert_eq!(call_end(4, false, false), CallEnd::NoCarrier);
        assert_eq!(call_end(6, true, true), CallEnd::NoCarrier);
    }
}
