//! Making a device equal to a file.

use std::time::Duration;

use dtu_proto::config::{Config, Options};
use dtu_setup::apply::{Failure, Outcome, Plan, apply, plan};
use dtu_setup::door::Door;
use dtu_setup::file;
use dtu_setup::serial::Serial;
use dtu_setup::{Schema, Values};

use crate::device::{Line, enter, key, read};

fn wanted(pairs: &[(&str, &str)]) -> Values {
    let mut values = Values::default();
    for (name, value) in pairs {
        values.set(key(name), (*value).to_owned());
    }
    values
}

fn planned(door: &mut Serial<Line>, wanted: &Values) -> Plan {
    let reading = read(door).unwrap();
    plan(&Schema::new(), &reading, wanted, door).unwrap()
}

fn applied(door: &mut Serial<Line>, wanted: &Values) -> Outcome {
    let plan = planned(door, wanted);
    apply(door, &Schema::new(), &plan, &mut |_| {})
}

fn done() -> Outcome {
    Outcome::Done {
        not_verifiable: Vec::new(),
    }
}

#[test]
fn values_are_set_stored_and_read_back_over_a_restart() {
    let mut door = enter(Config::default());
    let wanted = wanted(&[
        ("CIPSCONT.1.ADDRESS", "data.example.com"),
        ("CIPSCONT.1.START", "1"),
        ("CIPCFG.HEAT", "60"),
        ("CIMOD", "1"),
    ]);
    assert_eq!(applied(&mut door, &wanted), done());
    let bench = &door.into_port().bench;
    assert_eq!(bench.dtu.config().links[0].address, "data.example.com");
    assert_eq!(bench.dtu.config().heartbeat_interval, 60);
    assert_eq!(bench.power.len(), 1, "it restarted once");
}

/// dump, then apply what was dumped: nothing is sent, and nothing restarts.
#[test]
fn a_device_that_has_it_all_is_left_alone() {
    let schema = Schema::new();
    let mut door = enter(Config::default());
    let reading = read(&mut door).unwrap();
    for format in [file::Format::Toml, file::Format::Json] {
        let text = file::write(&schema, &reading.values, format);
        let wanted = file::read(&schema, text.as_bytes()).unwrap();
        assert_eq!(wanted, reading.values, "{text}");
        assert_eq!(applied(&mut door, &wanted), Outcome::NothingToDo);
    }
    assert!(door.into_port().bench.power.is_empty());
}

/// Values are compared, not text.
#[test]
fn another_spelling_is_no_change() {
    let mut door = enter(Config::default());
    let wanted = wanted(&[("CIPCFG.HEAT", "030"), ("CIPSCONT.2.PROTOCOL", "tcp")]);
    assert_eq!(applied(&mut door, &wanted), Outcome::NothingToDo);
}

/// Another rate of the line goes last, and the reply behind the restart comes at it.
#[test]
fn the_rate_goes_last() {
    let mut door = enter(Config::default());
    let wanted = wanted(&[("CIPR", "9600"), ("CIMODID", "meter 7"), ("CICOMAT", "1")]);
    let plan = planned(&mut door, &wanted);
    assert_eq!(plan.lines.last().unwrap().text, "AT+CIPR=9600");
    assert_eq!(apply(&mut door, &Schema::new(), &plan, &mut |_| {}), done());
}

/// The device's own banner may be empty, and it may stay in the command state: the state is proved by `AT`.
#[test]
fn a_device_without_banner_comes_back() {
    let mut door = enter(Config::default());
    let wanted = wanted(&[("CIMODID", ""), ("CIPCFG.AUTO", "0"), ("CIMOD", "2")]);
    assert_eq!(applied(&mut door, &wanted), done());
}

/// A device in the command state whose set-up window is so long.
fn with_window(window: u64) -> Serial<Line> {
    let mut config = Config::default();
    config.apn.password = "geheim".to_owned();
    let options = Options {
        setup_window: dtu_proto::time::Duration::from_secs(window),
        ..Options::default()
    };
    let mut line = Line::with(config, options);
    line.bench.at(10_000).take_printed();
    let Ok(door) = Serial::enter(line) else {
        panic!("no command state");
    };
    door
}

/// What was sent behind the restart.
fn behind_restart(door: &mut Serial<Line>) -> String {
    let sent = door.port_mut().sent();
    let behind = sent.split_once(r"AT+CIRESET\r").expect("a restart").1;
    behind.to_owned()
}

/// Until it has answered the escape it may carry data, and each byte would go to the data center; in its window it hears
/// no escape, and keeps it for that.
#[test]
fn nothing_but_one_escape_is_sent_to_a_device_that_has_restarted() {
    for window in [0, 1, 5] {
        let mut door = with_window(window);
        assert_eq!(applied(&mut door, &wanted(&[("CIMOD", "1")])), done());
        let behind = behind_restart(&mut door);
        assert!(behind.starts_with("+++aAT+"), "{window}: {behind}");
    }
}

/// Ctrl-C behind the restart: the old values go back only when the device is in its command state again.
#[test]
fn a_stop_behind_the_restart_sends_no_command_to_a_device_that_carries_data() {
    for (window, within) in [(0, 60), (5, 60)] {
        let mut door = with_window(window);
        let wanted = wanted(&[("CSTT.APN", "uninet"), ("CSTT.PASSWORD", "neu")]);
        let plan = planned(&mut door, &wanted);
        door.port_mut().stops_behind = Some(b"AT+CIRESET");
        let before = door.now();
        let outcome = apply(&mut door, &Schema::new(), &plan, &mut |_| {});
        let took = door.now() - before;
        assert!(
            matches!(outcome, Outcome::PutBack(Failure::Door(_))),
            "{window}: {outcome:?}"
        );
        assert!(took < Duration::from_secs(within), "{window}: {took:?}");
        let behind = behind_restart(&mut door);
        let escape = behind.trim_start_matches("+++");
        assert!(escape.starts_with("aAT+CSTT="), "{window}: {behind}");
        let config = door.into_port().bench.dtu.config().clone();
        assert_eq!(config.apn.password, "geheim");
    }
}

/// A busy host gets the last reply and the banner in one read.
#[test]
fn a_banner_right_behind_the_reply_is_seen() {
    let mut line = Line::new(Config::default());
    line.lag = 200;
    let Ok(mut door) = Serial::enter(line) else {
        panic!("no command state");
    };
    let before = door.now();
    assert_eq!(
        applied(&mut door, &wanted(&[("CIMODID", "meter 7")])),
        done()
    );
    assert_eq!(applied(&mut door, &wanted(&[("CISOCLINK", "0")])), done());
    let took = door.now() - before;
    assert!(took < Duration::from_secs(45), "{took:?}");
}

/// A setting with a value that may be left off.
#[test]
fn a_setting_of_fewer_values_is_set() {
    let mut door = enter(Config::default());
    let wanted = file::read(
        &Schema::new(),
        b"AT+CSMP=17
",
    )
    .unwrap();
    assert_eq!(applied(&mut door, &wanted), Outcome::NothingToDo);
    let toml = "[CSCA]\nNUMBER = \"8613800531500\"\nTOA = 145\n";
    assert!(file::read(&Schema::new(), toml.as_bytes()).is_ok());
}

#[test]
fn a_password_is_named_as_not_verifiable() {
    let mut door = enter(Config::default());
    let outcome = applied(&mut door, &wanted(&[("CIPSW", "m7x3q")]));
    assert_eq!(
        outcome,
        Outcome::Done {
            not_verifiable: vec![key("CIPSW")]
        }
    );
}

/// A reply that is lost leaves a setting unread: it is never sent, whichever reply it is.
#[test]
fn an_unread_setting_is_never_sent() {
    let schema = Schema::new();
    let all = read(&mut enter(Config::default())).unwrap().values;
    for n in 1..60 {
        let mut line = Line::new(Config::default());
        line.drops_reply = Some(n);
        let Ok(mut door) = Serial::enter(line) else {
            panic!("no command state");
        };
        let reading = read(&mut door).unwrap();
        let mut wanted = all.clone();
        for (key, value) in all.iter() {
            if reading.values.get(key).is_none() {
                wanted.set(key.clone(), format!("{value}9"));
            }
        }
        let plan = plan(&schema, &reading, &wanted, &door).unwrap();
        assert!(plan.lines.is_empty(), "{n}: {:?}", plan.lines);
    }
}

#[test]
fn a_refused_value_is_named_before_anything_is_sent() {
    let mut door = enter(Config::default());
    let reading = read(&mut door).unwrap();
    let wanted = wanted(&[("CIPCFG.HEAT", "99999")]);
    let error = plan(&Schema::new(), &reading, &wanted, &door).unwrap_err();
    assert_eq!(error.english(), "CIPCFG: HEAT must be 0..=65535, got 99999");
}

/// The port of link 2 is that of link 1, which only the device finds.
#[test]
fn what_the_device_refuses_puts_the_old_values_back() {
    let mut config = Config::default();
    config.links[0].local_port = 4000;
    let mut door = enter(config);
    let wanted = wanted(&[
        ("CIPCFG.HEAT", "60"),
        ("CIPPACK.1.DATA", "31303031"),
        ("CINETPT.2", "4000"),
    ]);
    let outcome = applied(&mut door, &wanted);
    let Outcome::PutBack(Failure::Refused(line, words)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(line, "AT+CINETPT=2,4000");
    assert!(
        words.english().contains("is the local port of link 1"),
        "{words}"
    );
    let port = door.into_port();
    assert_eq!(port.bench.dtu.config().heartbeat_interval, 30);
    assert!(
        port.bench.dtu.config().registration.is_empty(),
        "{}",
        port.sent()
    );
}

#[test]
fn a_half_known_setting_wants_its_other_half() {
    let schema = Schema::new();
    let door: &dyn Door = &enter(Config::default());
    let reading = dtu_setup::reading::Reading::default();
    let wanted = wanted(&[("CSTT.APN", "uninet")]);
    let error = dtu_setup::apply::planned(&schema, &reading, &wanted, door).unwrap_err();
    assert_eq!(error.key.to_string(), "CSTT.USER", "to be given");
    assert_eq!(
        error.why.english(),
        "CSTT.USER is not known: the device does not tell it, so it must be given"
    );
    assert_eq!(
        plan(&schema, &reading, &wanted, door).unwrap_err(),
        error.why
    );
}

/// `****` of a file leaves the password as it is, also where another value of the same command changes.
#[test]
fn a_secret_that_stays_is_not_overwritten_by_stars() {
    let mut config = Config::default();
    config.apn.password = "geheim".to_owned();
    let mut door = enter(config);
    let wanted = wanted(&[("CSTT.APN", "uninet"), ("CSTT.PASSWORD", "****")]);
    assert_eq!(applied(&mut door, &wanted), done());
    let bench = &door.into_port().bench;
    assert_eq!(bench.dtu.config().apn.name, "uninet");
    assert_eq!(bench.dtu.config().apn.password, "geheim");
}
