//! What the device tells of itself, and what a start, a silence or a full request does to what was begun.
#![allow(missing_docs, clippy::unwrap_used)]

use dtu_proto::config::{Config, HeartbeatTo, Options, WorkingMode};
use dtu_proto::event::{Event, HttpdEvent, Input};
use dtu_proto::testing::{Bench, LINK1, one_link};
use dtu_proto::time::Duration;
use dtu_proto::{settings, take_apart};

use crate::text_mode::desk;

#[test]
fn a_setting_is_a_name_and_its_values_however_it_is_typed() {
    for line in [
        "AT+CIPR=9600,8",
        " at+cipr = 9600 , 8 ",
        "AT+CIPR=\"9600\",\"8\"",
    ] {
        let (name, values) = take_apart(line.as_bytes()).unwrap();
        assert_eq!(
            (name.as_str(), values),
            ("+CIPR", vec!["9600".into(), "8".into()]),
            "{line}"
        );
    }
    assert_eq!(take_apart(b"AT+CIRESET"), Some(("+CIRESET".into(), vec![])));
    for line in [
        "AT",
        "AT+CIPR?",
        "AT+CIPR=?",
        "AT+CIPR=9600;+CIAPPLY",
        "hello",
    ] {
        assert_eq!(take_apart(line.as_bytes()), None, "{line}");
    }
    let config = Config {
        password: "gehei".into(),
        ..Config::default()
    };
    let all = settings(&config);
    let password = all.iter().find(|setting| setting.name == "+CIPSW").unwrap();
    assert_eq!(password.values, ["gehei"]);
    assert!(password.line.starts_with("AT+CIPSW="), "{}", password.line);
}

#[test]
fn losses_are_new_once() {
    let mut dev = Bench::new(Config::default());
    dev.at(1000);
    assert!(!dev.dtu.has_new_losses());
    // No link takes it.
    dev.serial("lost").wait(1000);
    assert!(dev.dtu.has_new_losses());
    assert!(!dev.dtu.has_new_losses());
}

/// 27.005 3.4.2: without a value it lists what was not read, which then is.
#[test]
fn a_list_without_a_value_is_of_the_unread_messages() {
    let mut dev = desk();
    dev.sms_from("10086", "news").wait(1000).printed();
    for shown in [true, false] {
        dev.serial("AT+CMGL\r").wait(100);
        assert_eq!(dev.printed().contains("news"), shown);
    }
    dev.serial("AT+CSDH?\r").wait(100);
    assert!(dev.printed().contains("+CSDH: 0"));
}

/// 27.005 3.5.4, `<delflag>`: 1 read, 2 and sent, 3 and unsent, 4 all.
#[test]
fn each_flag_deletes_the_states_up_to_its_own() {
    for (flag, left) in [
        (1, &["news", "unsent", "sent"][..]),
        (2, &["news", "unsent"]),
        (3, &["news"]),
        (4, &[]),
    ] {
        let mut dev = desk();
        dev.sms_from("10086", "old").wait(1000);
        dev.serial("AT+CMGR=1\r").wait(100);
        dev.sms_from("10086", "news").wait(1000);
        for (state, text) in [("STO UNSENT", "unsent"), ("STO SENT", "sent")] {
            dev.serial(format!("AT+CMGW=\"10086\",129,\"{state}\"\r"))
                .wait(100);
            dev.serial(format!("{text}\u{1A}")).wait(1000);
        }
        dev.serial(format!("AT+CMGD=1,{flag}\r"))
            .wait(1000)
            .printed();
        dev.serial("AT+CMGL=\"ALL\"\r").wait(100);
        let listed = dev.printed();
        for text in ["old", "news", "unsent", "sent"] {
            let line = format!("\\r\\n{text}\\r\\n");
            assert_eq!(
                listed.contains(&line),
                left.contains(&text),
                "{flag}: {listed}"
            );
        }
    }
}

/// The driver answers within three minutes. One that does not is given the next message all the same.
#[test]
fn a_modem_that_never_answers_a_message_is_given_the_next_one() {
    let mut dev = desk();
    dev.modem.silent = true;
    dev.serial("AT+CISMSSEND=\"10086\",1,\"first\"\r")
        .wait(200_000);
    assert!(dev.printed().contains("ERROR"));
    dev.modem.unanswered.clear();
    dev.modem.silent = false;
    dev.serial("AT+CISMSSEND=\"10086\",1,\"second\"\r")
        .wait(2000);
    assert_eq!(dev.submits(), [("10086".into(), "second".into())]);
}

#[test]
fn a_restart_ends_the_mode_until_the_window_is_over() {
    let options = Options {
        setup_window: Duration::from_secs(5),
        ..Options::default()
    };
    let mut dev = Bench::with(one_link(), options);
    dev.at(20_000);
    assert!(dev.dtu.status(dev.now).mode_started);
    dev.console_line("AT+CIRESET").wait(2000);
    assert!(!dev.dtu.status(dev.now).mode_started);
    dev.wait(10_000);
    assert!(dev.dtu.status(dev.now).mode_started);
}

#[test]
fn a_command_of_the_line_is_counted_as_one() {
    let config = Config {
        serial_at: true,
        password: "gehei".into(),
        ..one_link()
    };
    let mut dev = Bench::new(config);
    dev.at(1000).serial("gehei,AT+CIPR?").wait(200);
    let counters = dev.dtu.status(dev.now).serial.counters;
    assert_eq!(counters.command_bytes, "gehei,AT+CIPR?".len() as u64);
}

#[test]
fn heartbeats_of_the_line_come_each_interval_and_never_where_it_is_0() {
    for (interval, count) in [(10, 3), (0, 0)] {
        let config = Config {
            heartbeat_interval: interval,
            heartbeat: b"beat".to_vec(),
            heartbeat_to: HeartbeatTo::Serial,
            ..one_link()
        };
        let mut dev = Bench::new(config);
        dev.at(35_000);
        assert_eq!(dev.printed().matches("beat").count(), count);
        let counters = dev.dtu.status(dev.now).serial.counters;
        assert_eq!(counters.heartbeats, count as u64);
    }
}

#[test]
fn what_the_dte_has_not_read_when_the_device_ends_is_told() {
    let mut dev = Bench::new(one_link());
    dev.at(1000).dte_stops();
    for _ in 0..10 {
        dev.network(LINK1, "0123456789").wait(10);
    }
    dev.input(Input::Shutdown).wait(60_000);
    let counters = dev.dtu.status(dev.now).serial.counters;
    assert_eq!(counters.undelivered_bytes, 100);
    assert!(
        dev.events
            .iter()
            .any(|event| matches!(event, Event::LineDropped { .. }))
    );
}

/// Manual 2.6.1: behind `+++` one CR and one LF are passed over, and nothing else.
#[test]
fn an_escape_with_two_line_ends_of_a_kind_is_data() {
    for data in ["+++\n\n", "+++\r\r", "+++\r\n\n"] {
        let mut dev = Bench::new(one_link());
        dev.at(1000).printed();
        dev.serial(data)
            .wait(1000)
            .prints_nothing()
            .sends(LINK1, data);
    }
}

/// A frame as long as a request may be is one request; what goes on behind it without a silence was cut off.
#[test]
fn a_request_is_cut_only_where_the_frame_goes_on() {
    for (silence, cut) in [(10, true), (500, false)] {
        let config = Config {
            mode: WorkingMode::Httpd,
            heartbeat_interval: 0,
            ..Config::default()
        };
        let mut dev = Bench::new(config);
        dev.at(1000);
        dev.serial("x".repeat(8192)).wait(silence);
        dev.serial("y").wait(1000);
        let told = dev
            .events
            .iter()
            .any(|event| matches!(event, Event::Httpd(HttpdEvent::Cut { .. })));
        assert_eq!(told, cut, "{silence} ms");
    }
}
