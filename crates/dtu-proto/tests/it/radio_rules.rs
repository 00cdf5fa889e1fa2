//! The device and its modem: access point, calls in the first moments, messages behind a lost modem; as timed scripts.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

use dtu_proto::config::{Config, WorkingMode};
use dtu_proto::event::{ModemInput, ModemOutput};
use dtu_proto::radio::{CallNews, PhoneNumber, SubmitFailure};
use dtu_proto::testing::{Bench, one_link};

const PHONE: &str = "+8613800138000";

fn sms_mode() -> Config {
    Config {
        mode: WorkingMode::Sms,
        sms_number: PHONE.into(),
        restart_time: 0,
        ..Config::default()
    }
}

fn at_mode() -> Config {
    Config {
        mode: WorkingMode::AtCommand,
        ..one_link()
    }
}

fn booted(config: Config) -> Bench {
    let mut dev = Bench::with_modem(config);
    dev.at(1000).printed();
    dev
}

fn access_points(dev: &Bench) -> Vec<&str> {
    let names = dev.modem.orders.iter().filter_map(|order| match order {
        ModemOutput::UseApn(apn) => Some(apn.name.as_str()),
        _ => None,
    });
    names.collect()
}

/// Setting it costs the modem its connection.
#[test]
fn the_modem_is_told_its_access_point_once_and_again_where_it_changes() {
    let mut config = one_link();
    config.apn.name = "cmnet".into();
    let mut dev = booted(config);
    assert_eq!(access_points(&dev), ["cmnet"]);
    dev.escape()
        .command("AT+CSTT=\"other\",\"\",\"\"", "\r\nOK\r\n");
    dev.command("AT&W", "\r\nOK\r\n").console_line("AT+CIRESET");
    dev.wait(10_000);
    assert_eq!(access_points(&dev).last(), Some(&"other"));
    let told = access_points(&dev).len();
    dev.console_line("AT+CIRESET").wait(10_000);
    assert_eq!(access_points(&dev).len(), told);
}

#[test]
fn a_call_that_comes_right_behind_an_order_to_dial_rings_in_its_own_time() {
    let mut dev = booted(at_mode());
    dev.serial("ATD10086;\r").wait(100);
    dev.news(ModemInput::Call(CallNews::Incoming {
        from: PhoneNumber::new(PHONE),
    }));
    dev.wait(4000);
    let printed = dev.printed();
    assert_eq!(printed.matches("RING").count(), 1, "{printed}");
    dev.wait(1500);
    assert_eq!(dev.printed().matches("RING").count(), 1);
}

#[test]
fn calls_are_counted_one_by_one() {
    let mut dev = booted(at_mode());
    dev.serial("ATD10086;\r").wait(1000);
    assert_eq!(dev.dtu.status(dev.now).call.counters.dialled, 1);
}

/// One that came back into a network is tried with what waits at once, and one that only says so again is not.
#[test]
fn a_message_that_waits_goes_at_once_when_the_network_is_back() {
    let mut dev = booted(sms_mode());
    dev.modem.answers.extend([Err(SubmitFailure::NETWORK); 3]);
    dev.serial("hello").wait(500).network_takes(&[]);
    let given = dev.modem.given.len();
    assert!(given >= 1);
    dev.registered(true).wait(10);
    assert_eq!(dev.modem.given.len(), given, "it was there all the time");
    dev.registered(false).wait(10).registered(true).wait(10);
    assert!(dev.modem.given.len() > given);
}

/// The driver answers for what it had before it says that its modem is gone; else nobody does.
#[test]
fn a_message_that_went_with_the_modem_is_sent_by_the_next_one() {
    let mut dev = booted(sms_mode());
    dev.serial("first")
        .wait(500)
        .network_takes(&[(PHONE, "first")]);
    dev.modem.silent = true;
    dev.serial("second").wait(500);
    assert_eq!(dev.modem.unanswered.len(), 1);
    dev.modem.unanswered.clear();
    dev.modem.silent = false;
    dev.news(ModemInput::Gone).modem_comes();
    dev.wait(60_000).network_takes(&[(PHONE, "second")]);
}

/// Nothing is asked of the device while all that it has is with the modem.
#[test]
fn a_message_with_the_modem_is_waited_for_and_not_expired() {
    let mut dev = booted(sms_mode());
    dev.modem.silent = true;
    dev.serial("hello").wait(500);
    let deadline = dev.dtu.poll_timeout().unwrap();
    assert!(deadline.at > dev.now, "{deadline:?}");
    dev.wait(60_000).modem_answers();
    dev.wait(500).network_takes(&[(PHONE, "hello")]);
    let counters = dev.dtu.status(dev.now).messages.counters;
    assert_eq!((counters.sent, counters.expired), (1, 0));
}

/// A day is over while the modem has it: it may be out already, so it is not told as lost.
#[test]
fn a_message_with_the_modem_outlives_its_day() {
    let mut dev = booted(sms_mode());
    dev.registered(false).serial("hello").wait(86_340_000);
    dev.modem.silent = true;
    dev.registered(true).wait(120_000);
    assert_eq!(dev.modem.unanswered.len(), 1);
    dev.modem_answers().wait(500);
    dev.network_takes(&[(PHONE, "hello")]);
    let counters = dev.dtu.status(dev.now).messages.counters;
    assert_eq!((counters.sent, counters.expired), (1, 0));
}

/// 27.005 3.5.1: of a message of several parts, what comes behind a refused part is not sent.
#[test]
fn a_command_ends_with_its_first_refused_part() {
    let mut dev = booted(at_mode());
    dev.modem.answers.push_back(Err(SubmitFailure(21)));
    let text = "x".repeat(200);
    dev.serial(format!("AT+CISMSSEND=\"10086\",1,\"{text}\"\r"))
        .wait(2000);
    assert!(dev.printed().contains("ERROR"));
    assert_eq!(dev.modem.given.len(), 1);
    dev.serial("AT+CISMSSEND=\"10086\",1,\"short\"\r")
        .wait(2000);
    assert_eq!(dev.submits(), [("10086".into(), "short".into())]);
}

/// 23.040 9.2.3.24.1: parts of one message have one reference, and another one than those of the next message.
#[test]
fn long_messages_have_references_that_count() {
    let mut dev = booted(sms_mode());
    let mut seen = Vec::new();
    for _ in 0..3 {
        dev.serial("y".repeat(200)).wait(2000);
        let parts: Vec<_> = dev.modem.sent.drain(..).collect();
        assert_eq!(parts.len(), 2);
        let reference = |at: usize| format!("{:?}", parts[at].data.header);
        assert_ne!(reference(0), reference(1), "part 1 and part 2");
        seen.push(reference(0));
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "{seen:?}");
}

/// 23.040 9.2.3.16: the length of the user data is told, and must be there.
#[test]
fn a_pdu_without_all_its_user_data_is_not_stored() {
    let mut dev = booted(at_mode());
    dev.serial("AT+CMEE=2\r")
        .wait(100)
        .serial("AT+CMGF=0\r")
        .wait(100);
    for (pdu, missing) in [
        ("0011000581018 0F60000AA0241", true),
        ("0011000581018 0F60000AA0241E1", false),
    ] {
        let pdu = pdu.replace(' ', "");
        let length = pdu.len() / 2 - 1;
        dev.serial(format!("AT+CMGW={length}\r"))
            .wait(100)
            .printed();
        dev.serial(format!("{pdu}\u{1A}")).wait(1000);
        let printed = dev.printed();
        assert_eq!(printed.contains("missing"), missing, "{printed}");
        assert_eq!(printed.contains("+CMGW: "), !missing, "{printed}");
    }
}
