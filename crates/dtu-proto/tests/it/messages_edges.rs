//! Short messages where two things meet: a disk that fails, a modem that goes, a prompt that is open.
#![allow(missing_docs, clippy::unwrap_used)]

use sms_codec::address::Address;
use sms_codec::user_data::{Body, UserData};

use bytes::Bytes;
use dtu_proto::config::{Config, FactoryPassword, Options, WorkingMode};
use dtu_proto::event::{Input, ModemInput, SerialInput};
use dtu_proto::testing::pdu::{deliver, parts, report, stamp};
use dtu_proto::testing::{Bench, LINK1, Net, one_link};
use dtu_proto::time::Duration;

const PHONE: &str = "+8613800138000";

fn in_mode(mode: WorkingMode) -> Config {
    Config {
        mode,
        heartbeat_interval: 0,
        restart_time: 0,
        password: "abc".into(),
        ..Config::default()
    }
}

fn booted(config: Config) -> Bench {
    let mut dev = Bench::with_modem(config);
    dev.at(1000).printed();
    dev
}

fn not_taken(dev: &Bench) -> u32 {
    dev.dtu.status(dev.now).messages.not_taken
}

// ---- a disk that fails

#[test]
fn what_was_printed_before_the_disk_said_no_is_taken_when_it_says_no() {
    let mut dev = booted(in_mode(WorkingMode::Sms));
    (dev.store.slow, dev.store.works) = (true, false);
    dev.at(1000).sms_from(PHONE, "x").prints("x");
    assert!(dev.modem.taken.is_empty());
    dev.disk_answers();
    assert_eq!(dev.modem.taken, [1]);
    // While a failing disk is tried again it is known to fail.
    dev.store.slow = true;
    dev.wait(30_000).sms_from(PHONE, "y").prints("y");
    assert_eq!(dev.modem.taken, [1, 2]);
}

#[test]
fn all_parts_of_a_printed_message_are_taken_while_the_disk_fails() {
    let mut dev = booted(in_mode(WorkingMode::Sms));
    dev.store.works = false;
    let text = "0123456789".repeat(40);
    dev.at(1000).sms_from(PHONE, &text).prints(&text);
    dev.modem.taken.sort_unstable();
    assert_eq!(dev.modem.taken, [1, 2, 3]);
}

#[test]
fn a_command_that_was_run_is_taken_while_the_disk_fails() {
    let mut dev = booted(in_mode(WorkingMode::Sms));
    dev.store.works = false;
    dev.at(1000)
        .sms_from(PHONE, "abc,AT")
        .network_takes(&[(PHONE, "OK")]);
    assert_eq!(dev.modem.taken, [1]);
}

#[test]
fn copies_and_scraps_find_no_endless_room_while_the_disk_fails() {
    let mut dev = booted(in_mode(WorkingMode::Transparent));
    dev.store.works = false;
    let pdu = deliver(
        Address::number(PHONE).unwrap(),
        UserData::plain(Body::text("x")),
        stamp(0),
    );
    for _ in 0..2000 {
        dev.brings(&pdu);
    }
    assert!(
        not_taken(&dev) > 0,
        "the list of what is to be told has no bound"
    );
    dev.store.works = true;
    dev.wait(60_000);
    assert_eq!(not_taken(&dev), 0);
    for scrap in 0..2000_u16 {
        dev.store.works = false;
        dev.brings(&Bytes::copy_from_slice(&scrap.to_be_bytes()));
    }
    // They stay with the modem (decisions 16.15).
    assert!(dev.modem.taken.len() < 2000);
}

// ---- bounds

#[test]
fn a_message_that_the_shut_door_does_not_hear_waits_for_room_like_any_other() {
    let config = Config {
        password: "admin".into(),
        ..in_mode(WorkingMode::Transparent)
    };
    let options = Options {
        setup_window: Duration::ZERO,
        factory_password: FactoryPassword::Off,
        ..Options::default()
    };
    let mut dev = Bench::with(config, options);
    dev.modem_comes();
    dev.at(1000).printed();
    for _ in 0..60 {
        dev.sms_from(PHONE, "admin,AT+CSQ");
    }
    assert_eq!((dev.modem.taken.len(), not_taken(&dev)), (50, 10));
}

#[test]
fn a_message_that_waits_and_comes_again_is_taken_under_both_numbers() {
    let mut dev = booted(in_mode(WorkingMode::Sms));
    dev.dte_stops();
    dev.at(1000);
    for place in 0..80 {
        dev.sms_from(PHONE, &place.to_string());
    }
    let pdu = deliver(
        Address::number(PHONE).unwrap(),
        UserData::plain(Body::text("last")),
        stamp(1000),
    );
    let ids = [dev.brings(&pdu), dev.brings(&pdu)];
    assert!(not_taken(&dev) > 0);
    dev.dte_reads_on();
    let printed = dev.wait(1000).printed();
    assert!(printed.ends_with("79last"), "{printed}");
    assert!(
        ids.iter().all(|id| dev.modem.taken.contains(id)),
        "{:?} in {:?}",
        ids,
        dev.modem.taken
    );
}

#[test]
fn a_long_message_for_a_dte_that_is_not_there_survives_a_kill() {
    let config = in_mode(WorkingMode::AtCommand);
    let mut dev = booted(config.clone());
    dev.at(1000)
        .command("AT+CNMI=2,2;+CMEE=1;W", "\r\nOK\r\n")
        .wait(1000);
    dev.dte_stops();
    let mut config = config;
    config.cmee = 1;
    config.messages.notify.messages = 2;
    let long = parts(PHONE, Body::text(&"x".repeat(100 * 153)), 7, stamp(9));
    assert_eq!(long.len(), 100);
    for part in &long {
        dev.brings(part);
    }
    dev.killed(config).at(1000);
    let mut printed = String::new();
    for _ in 0..120 {
        printed += &dev.wait(1000).printed();
    }
    assert_eq!(printed.matches("+CMT: ").count(), 100);
}

#[test]
fn what_finds_no_room_is_counted() {
    let mut dev = booted(in_mode(WorkingMode::Transparent));
    dev.at(1000)
        .escape()
        .command("AT+CNMI=2,1,0,1", "\r\nOK\r\n")
        .command("AT+ENTM", "\r\nOK\r\n");
    for reference in 0..40 {
        dev.brings(&report(PHONE, reference));
    }
    let counted = |dev: &Bench| {
        let status = dev.dtu.status(dev.now);
        (
            status.serial.counters.dropped_urcs,
            status.messages.counters.turned_away,
        )
    };
    assert_eq!(counted(&dev), (8, 0));
    for text in 0..50 + 256 + 3 {
        dev.sms_from(PHONE, &text.to_string());
    }
    // Of the 50 that are stored each is told, and makes room of an older one.
    assert_eq!(counted(&dev), (8 + 50, 3));
}

// ---- a modem that goes

#[test]
fn nothing_is_given_to_a_modem_that_is_gone() {
    let mut dev = booted(in_mode(WorkingMode::Sms));
    dev.modem.silent = true;
    dev.at(1000).serial("one").wait(100);
    dev.console_line("AT+CIPNUM=10010").serial("two").wait(100);
    assert_eq!(dev.modem.given.len(), 1);
    dev.modem.unanswered.clear();
    dev.news(ModemInput::Gone).wait(1000);
    assert_eq!(dev.modem.given.len(), 1, "the modem is not there");
    dev.modem.silent = false;
    dev.modem_comes().wait(6000);
    let mut taken = dev.submits();
    taken.sort();
    assert_eq!(
        taken,
        [
            ("10010".to_string(), "two".to_string()),
            ("10086".to_string(), "one".to_string())
        ]
    );
}

// ---- an open prompt

#[test]
fn what_stands_before_a_prompt_on_its_line_is_done_behind_it() {
    let mut dev = booted(in_mode(WorkingMode::Transparent));
    dev.at(1000).escape().command("AT+CMGF=1", "\r\nOK\r\n");
    dev.command("AT+ENTM;+CMGS=\"10086\"", "\r\n> ").wait(500);
    dev.serial("hello\x1a")
        .prints("\r\n+CMGS: 42\r\n\r\nOK\r\n")
        .network_takes(&[("10086", "hello")]);
    // Now it is the data state: no command.
    dev.wait(1000).serial("AT\r").wait(1000).prints_nothing();
}

#[test]
fn a_link_that_changes_the_mode_waits_for_the_end_of_a_prompt() {
    let mut dev = booted(Config {
        network_at: true,
        password: "abc".into(),
        ..one_link()
    });
    dev.at(1000).escape().command("AT+CMGF=1", "\r\nOK\r\n");
    dev.net(LINK1, Net::Stuck);
    dev.network(LINK1, "abc,AT+CIMOD=4;+CIAPPLY").wait(100);
    dev.command("AT+CMGS=\"10086\"", "\r\n> ").wait(5000);
    dev.serial("hello\x1a")
        .wait(100)
        .prints("\r\n+CMGS: 42\r\n\r\nOK\r\n");
    dev.network_takes(&[("10086", "hello")]);
    // Then it changes: a frame is a message.
    dev.wait(3000)
        .serial("x")
        .wait(200)
        .network_takes(&[("10086", "x")]);
}

#[test]
fn a_prompt_ends_with_the_dte_that_it_asked() {
    let mut dev = booted(in_mode(WorkingMode::AtCommand));
    dev.at(1000)
        .command("AT+CMGF=1", "\r\nOK\r\n")
        .command("AT+CMGS=\"10086\"", "\r\n> ");
    dev.serial("half")
        .input(Input::Serial(SerialInput::Gone))
        .wait(1000);
    dev.input(Input::Serial(SerialInput::Present))
        .command("AT", "\r\nOK\r\n");
    dev.command("AT+CMGS=\"10010\"", "\r\n> ")
        .serial("text\x1a")
        .wait(100);
    dev.network_takes(&[("10010", "text")]);
}

#[test]
fn a_frame_cut_by_its_size_in_the_middle_of_a_character_stays_text() {
    let mut dev = booted(in_mode(WorkingMode::Sms));
    let pump = [0xCB, 0xAE]; // 水 in GBK
    let frame = [&b"a"[..], &pump.repeat(520)].concat();
    dev.at(1000).serial(&frame).wait(100);
    let sent: Vec<String> = dev.submits().into_iter().map(|(_, text)| text).collect();
    assert_eq!(sent.concat(), "a".to_owned() + &"水".repeat(520));
}

#[test]
fn a_text_that_is_typed_when_the_modem_has_gone_fails_at_once() {
    let mut dev = booted(in_mode(WorkingMode::AtCommand));
    dev.command("AT+CMGF=1", "\r\nOK\r\n")
        .command("AT+CMGS=\"10086\"", "\r\n> ");
    dev.news(ModemInput::Gone).serial("hi\x1A");
    let printed = dev.printed();
    assert!(printed.contains("ERROR"), "{printed}");
}

#[test]
fn a_message_that_breaks_off_with_the_line_is_no_frame_of_a_connection() {
    let mut dev = booted(in_mode(WorkingMode::AtCommand));
    dev.command("AT+CMGF=1", "\r\nOK\r\n")
        .command("AT+CMGS=\"10086\"", "\r\n> ");
    dev.serial("half")
        .input(Input::Serial(SerialInput::Gone))
        .wait(5000);
    let counters = dev.dtu.status(dev.now).at_connection.counters;
    assert_eq!((counters.dropped_frames, counters.dropped_bytes), (0, 0));
    assert!(dev.modem.given.is_empty());
}
