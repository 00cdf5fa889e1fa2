//! Settings on trial: in force, stored only when kept, back by themselves.

use dtu_proto::config::Config;
use dtu_setup::apply::{Failure, Outcome, plan};
use dtu_setup::door::Door;
use dtu_setup::trial::{Began, begin, current, go_back, keep};
use dtu_setup::{Schema, Values};

use crate::device::{Loses, enter, key, read};

fn wanted(pairs: &[(&str, &str)]) -> Values {
    let mut values = Values::default();
    for (name, value) in pairs {
        values.set(key(name), (*value).to_owned());
    }
    values
}

fn tried(door: &mut dyn Door, pairs: &[(&str, &str)]) -> Began {
    let schema = Schema::new();
    let reading = read(door).unwrap();
    let plan = plan(&schema, &reading, &wanted(pairs), door).unwrap();
    begin(door, &schema, &plan, 60, &mut |_| {})
}

fn value(door: &mut dyn Door, name: &str) -> String {
    read(door)
        .unwrap()
        .values
        .get(&key(name))
        .unwrap()
        .to_owned()
}

#[test]
fn a_trial_is_in_force_and_not_stored_until_it_is_kept() {
    let mut door = enter(Config::default());
    assert_eq!(current(&mut door).unwrap(), None);
    let Began::OnTrial(Some(trial), not_verifiable) =
        tried(&mut door, &[("CIPCFG.HEAT", "77"), ("CIPSW", "pump8")])
    else {
        panic!("it does not begin");
    };
    assert_eq!((trial.id, not_verifiable), (1, vec![key("CIPSW")]));
    assert!((1..=60).contains(&trial.seconds_left), "{trial:?}");
    assert_eq!(value(&mut door, "CIPCFG.HEAT"), "77");
    keep(&mut door).unwrap();
    assert_eq!(current(&mut door).unwrap(), None);
    door.restart("AT+CIRESET", None).unwrap();
    assert_eq!(value(&mut door, "CIPCFG.HEAT"), "77");
}

#[test]
fn the_old_values_come_back_on_request_and_with_a_restart() {
    let mut door = enter(Config::default());
    assert!(matches!(
        tried(&mut door, &[("CIPCFG.HEAT", "77")]),
        Began::OnTrial(..)
    ));
    go_back(&mut door).unwrap();
    assert_eq!(value(&mut door, "CIPCFG.HEAT"), "30");
    assert!(go_back(&mut door).is_err(), "there is none");
    assert!(matches!(
        tried(&mut door, &[("CIPCFG.HEAT", "78")]),
        Began::OnTrial(..)
    ));
    door.restart("AT+CIRESET", None).unwrap();
    assert_eq!(value(&mut door, "CIPCFG.HEAT"), "30");
}

#[test]
fn what_is_refused_on_the_way_leaves_the_old_values() {
    let mut door = enter(Config::default());
    let pairs = [
        ("CIPCFG.HEAT", "77"),
        ("CINETPT.1", "5000"),
        ("CINETPT.2", "5000"),
    ];
    let began = tried(&mut door, &pairs);
    let Began::Not(Outcome::PutBack(Failure::Refused(line, _))) = &began else {
        panic!("{began:?}");
    };
    assert!(line.contains("CINETPT"), "{line}");
    for (name, old) in [("CIPCFG.HEAT", "30"), ("CINETPT.1", "0")] {
        assert_eq!(value(&mut door, name), old, "{name}");
    }
    assert_eq!(
        tried(&mut door, &[("CIPCFG.HEAT", "030")]),
        Began::Not(Outcome::NothingToDo)
    );
}

/// Of somebody else, between the reading and the setting.
#[test]
fn a_trial_of_somebody_else_is_left_alone() {
    let mut door = enter(Config::default());
    let schema = Schema::new();
    let reading = read(&mut door).unwrap();
    let plan = plan(&schema, &reading, &wanted(&[("CIPCFG.HEAT", "78")]), &door).unwrap();
    assert!(matches!(
        tried(&mut door, &[("CIPCFG.HEAT", "77")]),
        Began::OnTrial(..)
    ));
    let began = begin(&mut door, &schema, &plan, 60, &mut |_| {});
    assert!(
        matches!(began, Began::Not(Outcome::Mixed(Failure::Refused(..), _))),
        "{began:?}"
    );
    assert_eq!(current(&mut door).unwrap().unwrap().id, 1);
    assert_eq!(value(&mut door, "CIPCFG.HEAT"), "77");
}

/// Whatever answer is lost, the device has all of the old values or all of the new ones on trial.
#[test]
fn a_lost_answer_leaves_no_half_of_it() {
    let schema = Schema::new();
    for nth in 1..=12 {
        let mut door = enter(Config::default());
        let reading = read(&mut door).unwrap();
        let pairs = [("CIPCFG.HEAT", "77"), ("CIPNUM", "10010")];
        let plan = plan(&schema, &reading, &wanted(&pairs), &door).unwrap();
        let mut loses = Loses {
            door: &mut door,
            lost: nth..=nth,
            count: 0,
        };
        let began = begin(&mut loses, &schema, &plan, 60, &mut |_| {});
        let on_trial = current(&mut door).unwrap().is_some();
        assert_eq!(
            matches!(began, Began::OnTrial(..)),
            on_trial,
            "{nth}: {began:?}"
        );
        let has = (value(&mut door, "CIPCFG.HEAT"), value(&mut door, "CIPNUM"));
        let wanted = if on_trial {
            ("77", "10010")
        } else {
            ("30", "10086")
        };
        assert_eq!((has.0.as_str(), has.1.as_str()), wanted, "{nth}: {began:?}");
    }
}
