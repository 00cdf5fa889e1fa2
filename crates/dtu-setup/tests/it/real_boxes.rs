//! Real hardware: its ways are borne, and its classic troubles have clear words.

use std::time::Duration;

use dtu_proto::config::Config;
use dtu_setup::apply::{Failure, Outcome, apply, apply_in_new_mode, plan};
use dtu_setup::door::Door as _;
use dtu_setup::reading::Reading;
use dtu_setup::serial::Serial;
use dtu_setup::{Schema, Values, file};

use crate::device::{enter, key, read};
use crate::gm1::{Gm1, Ways};

fn all_ways() -> [Ways; 5] {
    let plain = Ways::default();
    [
        plain,
        Ways {
            echo: true,
            ..plain
        },
        Ways {
            double_ends: true,
            ..plain
        },
        Ways {
            no_result_codes: true,
            ..plain
        },
        Ways {
            echo: true,
            double_ends: true,
            no_result_codes: true,
            no_blanks: true,
            ..plain
        },
    ]
}

fn open(ways: Ways) -> Serial<Gm1> {
    let Ok(serial) = Serial::enter(Gm1::new(ways)) else {
        panic!("no command state: {ways:?}");
    };
    serial
}

fn reading(ways: Ways) -> Reading {
    let mut serial = open(ways);
    let reading = read(&mut serial).unwrap();
    serial.leave().unwrap();
    assert_eq!(
        serial.into_port().data,
        b"",
        "nothing reaches the data center"
    );
    reading
}

#[test]
fn manual_2_8_6_32_a_box_is_read_whatever_its_ways() {
    let expected = reading(Ways::default());
    let value = |name: &str| expected.values.get(&key(name)).map(str::to_owned);
    for (name, told) in [
        ("CIPCFG.HEAT", "45"),
        ("CIPPACK.1.DATA", "31303031"),
        ("CSTT.PASSWORD", "s3cret"),
        ("CIPSCONT.1.ADDRESS", "meters.example.com"),
        ("CIPSCONT.2.PROTOCOL", "UDP"),
        ("CINETPT.1", "8234"),
        ("CIPR", "9600"),
    ] {
        assert_eq!(value(name).as_deref(), Some(told), "{name}");
    }
    for ways in all_ways() {
        assert_eq!(reading(ways).values, expected.values, "{ways:?}");
    }
}

/// What the dump tells in part is asked for by itself.
#[test]
fn a_dump_of_fewer_fields_leaves_none_unread() {
    let ways = Ways {
        short_dump: true,
        ..Ways::default()
    };
    assert_eq!(reading(ways).values, reading(Ways::default()).values);
}

/// Moving house: every value of the old box arrives on ours.
#[test]
fn a_box_moves_to_our_device() {
    let schema = Schema::new();
    for ways in all_ways() {
        let old = reading(ways);
        let text = file::write(&schema, &old.values, file::Format::Toml);
        let wanted = file::read(&schema, text.as_bytes()).unwrap();
        let mut ours = enter(Config::default());
        let before = read(&mut ours).unwrap();
        let plan = plan(&schema, &before, &wanted, &ours).unwrap();
        assert_eq!(plan.no_counterpart, []);
        let outcome = apply(&mut ours, &schema, &plan, &mut |_| {});
        assert_eq!(
            outcome,
            Outcome::Done {
                not_verifiable: Vec::new()
            }
        );
        let after = read(&mut ours).unwrap();
        assert_eq!(after.values.changes_to(&schema, &old.values), []);
    }
}

/// And the other way: what the box has no setting for is named, and not sent.
#[test]
fn our_settings_move_to_a_box_as_far_as_it_has_them() {
    let schema = Schema::new();
    let mut config = Config::default();
    config.links[0].address = "new.example.com".to_owned();
    config.restart_time = 3600;
    let ours = read(&mut enter(config)).unwrap();
    for ways in all_ways() {
        let mut old = open(ways);
        let before = read(&mut old).unwrap();
        let plan = plan(&schema, &before, &ours.values, &old).unwrap();
        let named: Vec<String> = plan
            .no_counterpart
            .iter()
            .map(|it| it.key.to_string())
            .collect();
        for name in ["CIROLE.1", "HTPSV.SERVER", "CISOCLINK"] {
            assert!(named.contains(&name.to_owned()), "{name}: {named:?}");
        }
        let outcome = apply(&mut old, &schema, &plan, &mut |_| {});
        assert_eq!(
            outcome,
            Outcome::Done {
                not_verifiable: Vec::new()
            },
            "{ways:?}"
        );
        let old = old.into_port();
        assert_eq!(
            old.dumped("CIPSTART")[0],
            "1,\"TCP\",\"new.example.com\",10101,0"
        );
        assert_eq!(old.dumped("CIPCFG")[0], "1,30,0,100,10,3600");
        assert_eq!((old.saves, old.restarts), (1, 1));
    }
}

#[test]
fn the_classic_troubles_have_clear_words() {
    let plain = Ways::default();
    let cases = [
        (
            Ways {
                dead: true,
                ..plain
            },
            "nothing answers: is this the right port, and are RX and TX (and GND) connected?",
        ),
        (
            Ways {
                other_rate: true,
                ..plain
            },
            "what answers makes no sense at 115200 Bd",
        ),
        (
            Ways {
                no_escape: true,
                ..plain
            },
            "nothing answers",
        ),
    ];
    for (ways, words) in cases {
        let Err((port, error)) = Serial::enter(Gm1::new(ways)) else {
            panic!("{ways:?}");
        };
        assert!(error.to_string().starts_with(words), "{ways:?}: {error}");
        assert!(
            !port.data.windows(2).any(|pair| pair == b"AT"),
            "no command reaches the data center"
        );
    }
}

/// A line that comes behind the refusal is no restart.
#[test]
fn a_restart_that_is_refused_is_none() {
    let schema = Schema::new();
    let ways = Ways {
        no_restart: true,
        ..Ways::default()
    };
    let mut box_ = open(ways);
    let refused = box_.restart("AT+CIRESET", Some(9600)).unwrap_err();
    let words = "the device refused AT+CIRESET: ERROR";
    assert_eq!(refused.to_string(), words);
    use dtu_setup::serial::Port as _;
    assert_eq!(box_.port_mut().baud(), 115_200, "the rate is the old one");

    let mut wanted = Values::default();
    wanted.set(key("CIMOD"), "1".to_owned());
    let before = read(&mut box_).unwrap();
    let plan = plan(&schema, &before, &wanted, &box_).unwrap();
    let outcome = apply(&mut box_, &schema, &plan, &mut |_| {});
    let Outcome::PutBack(Failure::Refused(line, _)) = &outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(line, "AT+CIRESET");
    let box_ = box_.into_port();
    assert_eq!(box_.dumped("CIMOD"), ["0"]);
    assert_eq!(box_.restarts, 0);
}

/// The manual has no answer to it (2.8.6.50): the greeting behind it is one.
#[test]
fn manual_2_8_6_50_a_restart_without_an_answer_is_known_by_its_greeting() {
    for tells_its_name in [false, true] {
        let mut box_ = open(Ways {
            restarts_in_silence: true,
            tells_its_name,
            ..Ways::default()
        });
        box_.restart("AT+CIRESET", None).unwrap();
        assert_eq!(box_.port_mut().restarts, 1);
        box_.leave().unwrap();
        assert_eq!(box_.into_port().data, b"");
    }
}

/// A box that was never away answers `AT` just as well.
#[test]
fn a_restart_without_an_answer_and_without_a_greeting_is_none() {
    for (says, tells_its_name) in [
        ("+CIEV: 1", false),
        ("RING", false),
        ("OK", false),
        ("+CIEV: 1", true),
        ("\x7F\u{FFFD}", false),
    ] {
        let mut box_ = open(Ways {
            stays_and_says: Some(says),
            tells_its_name,
            ..Ways::default()
        });
        let failed = box_.restart("AT+CIRESET", None).unwrap_err();
        assert!(
            failed.to_string().contains("may not have restarted"),
            "{says}: {failed}"
        );
        assert_eq!(box_.port_mut().restarts, 0);
    }
}

/// Whatever it greets with: decorated, or what looks like a report, or nothing, or in another charset.
#[test]
fn a_box_that_has_restarted_is_known_by_any_greeting() {
    for named in [
        ("N2", "[N2] V1.3"),
        ("N2", "GPRS DTU ready"),
        ("", ""),
        ("", "+CREG: 1"),
        ("+N2", "+N2"),
        ("RING", "RING"),
        ("站1泵", "站1泵"),
        ("站1泵", "[站1泵] V1"),
    ] {
        let mut box_ = open(Ways {
            restarts_in_silence: true,
            named: Some(named),
            ..Ways::default()
        });
        let before = box_.now();
        box_.restart("AT+CIRESET", None)
            .unwrap_or_else(|error| panic!("{named:?}: {error}"));
        let took = box_.now() - before;
        assert!(took < Duration::from_secs(50), "{named:?}: {took:?}");
        box_.leave().unwrap();
        assert_eq!(box_.into_port().data, b"");
    }
}

fn change_of_mode(box_: &mut Serial<Gm1>, mode: &str) -> Outcome {
    let schema = Schema::new();
    let mut wanted = Values::default();
    wanted.set(key("CIMOD"), mode.to_owned());
    let before = read(box_).unwrap();
    let plan = plan(&schema, &before, &wanted, box_).unwrap();
    apply(box_, &schema, &plan, &mut |_| {})
}

/// Its data center would get each command, the old secrets among them.
#[test]
fn a_box_that_does_not_answer_the_escape_behind_a_restart_gets_no_command() {
    for restarts_in_silence in [false, true] {
        let mut box_ = open(Ways {
            loses_escape: true,
            restarts_in_silence,
            ..Ways::default()
        });
        let outcome = change_of_mode(&mut box_, "1");
        let Outcome::Mixed(Failure::Door(why), groups) = outcome else {
            panic!("{outcome:?}");
        };
        assert!(why.english().contains("does not answer +++"), "{why}");
        assert_eq!(groups.len(), 1);
        let left = box_.leave().unwrap_err().to_string();
        assert!(left.starts_with("the device carries data"), "{left}");
        let data = box_.into_port().data;
        assert!(
            !data.windows(2).any(|pair| pair == b"AT"),
            "{}",
            data.escape_ascii()
        );
    }
}

/// In mode 2 there is no data center, and a real box may not know the escape there.
#[test]
fn a_box_that_takes_commands_alone_needs_no_escape_behind_a_restart() {
    let mut box_ = open(Ways {
        loses_escape: true,
        commands_alone: true,
        ..Ways::default()
    });
    let not_verifiable = Vec::new();
    let done = Outcome::Done { not_verifiable };
    assert_eq!(change_of_mode(&mut box_, "2"), done);
}

#[test]
fn a_box_that_dies_of_a_restart_is_named_so() {
    let mut box_ = open(Ways {
        dies: true,
        ..Ways::default()
    });
    let words = box_.restart("AT+CIRESET", None).unwrap_err().to_string();
    let expected = "the device did not come back within 60 s of its restart";
    assert_eq!(words, expected);
}

/// What was put back is looked at, whatever is known of its restart.
#[test]
fn a_box_that_never_restarts_has_its_old_values_back() {
    let mut box_ = open(Ways {
        stays_and_says: Some("+CIEV: 1"),
        escapes_anywhere: true,
        ..Ways::default()
    });
    let outcome = change_of_mode(&mut box_, "1");
    let Outcome::PutBack(Failure::Door(why)) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(why.english().contains("may not have restarted"), "{why}");
    assert_eq!(box_.into_port().dumped("CIMOD"), ["0"]);
}

/// A full one keeps the old values, unless the new ones are stored already.
#[test]
fn a_box_that_cannot_store_has_its_old_values_back_where_nothing_new_is_stored() {
    for (most_saves, is_back) in [(0, true), (1, false)] {
        let mut box_ = open(Ways {
            most_saves: Some(most_saves),
            no_restart: true,
            ..Ways::default()
        });
        let outcome = change_of_mode(&mut box_, "1");
        assert_eq!(
            matches!(outcome, Outcome::PutBack(Failure::Refused(..))),
            is_back,
            "{outcome:?}"
        );
        assert_eq!(box_.into_port().dumped("CIMOD"), ["0"]);
    }
}

/// The way in that a box without the escape leaves: switched off and on, it takes commands for 5 s.
#[test]
fn a_box_that_is_switched_on_is_caught_in_its_window() {
    let ways = Ways {
        no_escape: true,
        ..Ways::default()
    };
    let Ok(mut serial) = Serial::by_window(Gm1::new(ways).power_cycled(), Duration::from_secs(60))
    else {
        panic!("the window was missed");
    };
    let values: Values = read(&mut serial).unwrap().values;
    assert_eq!(values.get(&key("CIPCFG.HEAT")), Some("45"));
    serial.leave().unwrap();
    let mut box_ = serial.into_port();
    use dtu_setup::serial::Port as _;
    let _ = box_.write(b"meter");
    assert_eq!(box_.data, b"meter", "it carries data again");
}

/// Values that exist only in the mode that is set by the same file get a second pass.
#[test]
fn what_a_box_has_in_its_new_mode_alone_is_set_behind_the_change() {
    let schema = Schema::new();
    let mut box_ = open(Ways {
        http_in_its_mode: true,
        ..Ways::default()
    });
    let mut wanted = Values::default();
    for (name, value) in [("CIMOD", "3"), ("HTPURL", "/meter.php?"), ("HTPFLT", "OFF")] {
        wanted.set(key(name), value.to_owned());
    }
    let before = read(&mut box_).unwrap();
    let mut plan = plan(&schema, &before, &wanted, &box_).unwrap();
    assert_eq!(plan.no_counterpart.len(), 2);
    let outcome = apply_in_new_mode(&mut box_, &schema, &mut plan, &wanted, &mut |_| {});
    let not_verifiable = Vec::new();
    assert_eq!(outcome, Outcome::Done { not_verifiable });
    let left: Vec<String> = plan
        .no_counterpart
        .iter()
        .map(|it| it.key.to_string())
        .collect();
    assert_eq!(left, ["HTPFLT"]);
    let after = read(&mut box_).unwrap();
    assert_eq!(after.values.get(&key("HTPURL")), Some("/meter.php?"));
}
