//! Reading what a device stores.

use dtu_proto::config::{Config, WorkingMode};
use dtu_setup::Schema;
use dtu_setup::door::Door as _;
use dtu_setup::reading::{Unread, Why};

use crate::device::{enter, key, read};

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
