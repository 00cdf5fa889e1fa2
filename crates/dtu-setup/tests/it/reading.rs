//! Reading what a device stores.

use std::ops::RangeInclusive;

use dtu_proto::config::{Config, WorkingMode};
use dtu_setup::door::{Door as _, DoorError};
use dtu_setup::reading::{Unread, Why};
use dtu_setup::{Key, Schema};

use crate::device::{Loses, enter, key, read};

#[test]
fn a_new_device_tells_its_factory_values() {
    let schema = Schema::new();
    let mut door = enter(Config::default());
    let reading = read(&mut door).unwrap();
    for group in schema.groups() {
        if reading.unread.iter().any(|unread| unread.group == group) {
            continue;
        }
        let told: Vec<String> = reading
            .values
            .group(&schema, &group)
            .into_iter()
            .map(|value| value.unwrap().to_owned())
            .collect();
        if group.label() == "CSTT" || group.label() == "CSCA" {
            continue; // those of the modem
        }
        assert_eq!(told, schema.factory(&group), "{group}");
    }
}

#[test]
fn only_what_has_no_read_form_stays_unread() {
    let mut door = enter(Config::default());
    let unread = read(&mut door).unwrap().unread;
    let (without, refused): (Vec<_>, Vec<_>) = unread
        .into_iter()
        .partition(|unread| unread.why == Why::NoReadForm);
    let names = |of: &[Unread]| -> Vec<String> {
        of.iter().map(|unread| unread.group.to_string()).collect()
    };
    assert_eq!(names(&without), ["ATE", "ATV", "ATQ", "CIPSW"]);
    // The bench has no modem.
    assert_eq!(names(&refused), ["CREG", "CGREG", "CEREG", "CSCA"]);
}

/// Nothing but the escape is sent to a device that carries data, and it is left behind as it was.
#[test]
fn the_device_carries_data_again_behind_a_reading() {
    let mut door = enter(dtu_proto::testing::one_link());
    read(&mut door).unwrap();
    door.leave().unwrap();
    let mut line = door.into_port();
    line.bench.wait(1000).serial("meter").wait(100);
    line.bench.sends(dtu_proto::testing::LINK1, "meter");
}

/// Whichever reply is lost, the rest is read; a device that has fallen silent is not asked for all the rest.
#[test]
fn a_reply_may_be_lost_and_three_in_a_row_end_the_reading() {
    let mut door = enter(Config::default());
    let mut loses = |lost: RangeInclusive<usize>| {
        let mut loses = Loses {
            door: &mut door,
            lost,
            count: 0,
        };
        (read(&mut loses), loses.count)
    };
    let (whole, commands) = loses(0..=0);
    let whole = whole.unwrap();
    assert!(commands > 5, "{commands}");
    for nth in 1..=commands {
        for lost in [nth..=nth, nth..=nth + 1] {
            let reading = loses(lost.clone()).0.unwrap();
            for (key, value) in reading.values.iter() {
                assert_eq!(whole.values.get(key), Some(value), "{lost:?}: {key}");
            }
            let unread = |key: &Key| reading.unread.iter().any(|it| it.group == key.group);
            let mut keys = whole.values.iter().map(|(key, _)| key);
            assert!(
                keys.all(|key| reading.values.get(key).is_some() || unread(key)),
                "{lost:?}"
            );
        }
    }
    for nth in 1..=commands - 2 {
        let (reading, count) = loses(nth..=usize::MAX);
        assert!(
            matches!(reading, Err(DoorError::FellSilent { commands: 3 })),
            "{nth}"
        );
        assert_eq!(count, nth + 2);
    }
}

#[test]
fn a_device_that_has_fallen_silent_is_not_asked_for_its_whole_status() {
    let mut door = enter(Config::default());
    let mut loses = Loses {
        door: &mut door,
        lost: 2..=usize::MAX,
        count: 0,
    };
    let told = dtu_setup::status::read_status(&mut loses);
    assert!(
        matches!(told, Err(DoorError::FellSilent { commands: 3 })),
        "{told:?}"
    );
    assert_eq!(loses.count, 4);
}

/// The handshake is answered in every mode, in mode 2 too.
#[test]
fn every_working_mode_is_read() {
    for mode in WorkingMode::ALL {
        let mut door = enter(Config {
            mode,
            ..Config::default()
        });
        let reading = read(&mut door).unwrap();
        let told = reading.values.get(&key("CIMOD")).map(str::to_owned);
        assert_eq!(told, Some(mode.number().to_string()));
    }
}
