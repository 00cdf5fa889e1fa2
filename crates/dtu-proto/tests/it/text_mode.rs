//! Messages typed and shown in text mode (27.005 3.1, 4.1 to 4.4), as scripts.
#![allow(missing_docs, clippy::unwrap_used)]

use dtu_proto::config::{Config, WorkingMode};
use dtu_proto::event::{Event, ModemInput};
use dtu_proto::testing::{Bench, one_link};
use sms_codec::validity::Validity;

/// A device in the AT mode whose DTE has chosen text messages and errors in words; its banner has been read.
pub(crate) fn desk() -> Bench {
    let config = Config {
        mode: WorkingMode::AtCommand,
        restart_time: 0,
        ..one_link()
    };
    let mut dev = Bench::with_modem(config);
    dev.at(1000).printed();
    for line in ["AT+CMGF=1", "AT+CMEE=2"] {
        dev.serial(format!("{line}\r")).wait(100);
    }
    dev.printed();
    dev
}

/// 23.040 9.2.2.2: what the first octet says, bit by bit.
#[test]
fn a_typed_message_has_the_parameters_of_csmp() {
    for (octet, duplicates, report, reply) in [
        (17, false, false, false),
        (17 + 4, true, false, false),
        (17 + 32, false, true, false),
        (17 + 128, false, false, true),
    ] {
        let mut dev = desk();
        dev.serial(format!("AT+CSMP={octet},167,0,0\r")).wait(100);
        dev.serial("AT+CMGS=\"10086\"\r").wait(100);
        dev.serial("hello\u{1A}").wait(2000);
        let sent = dev.modem.sent.pop_back().unwrap();
        let bits = (sent.reject_duplicates, sent.report, sent.reply_path);
        assert_eq!(bits, (duplicates, report, reply), "{octet}");
        assert_eq!(sent.validity, Validity::Relative(167));
    }
}

/// Format 3: until a time; format 0: as the network wants.
#[test]
fn the_validity_of_a_message_is_of_the_format_that_the_octet_names() {
    let validity = |values: &str| {
        let mut dev = desk();
        dev.serial(format!("AT+CSMP={values},0,0\r")).wait(100);
        let said = dev.printed();
        assert!(said.contains("OK"), "{said}");
        dev.serial("AT+CMGS=\"10086\"\r").wait(100);
        dev.serial("hello\u{1A}").wait(2000);
        dev.modem.sent.pop_back().unwrap().validity
    };
    let until = validity("25,\"26/11/29,10:02:03+32\"");
    assert!(matches!(until, Validity::Absolute(_)), "{until:?}");
    assert_eq!(validity("1,167"), Validity::Network);
}

/// 27.005 3.1, `<vp>`: shown with the other details where `CSDH` is 1.
#[test]
fn a_message_that_waits_to_be_sent_shows_its_validity() {
    let mut dev = desk();
    dev.serial("AT+CSDH=1\r").wait(100);
    dev.serial("AT+CSMP=17,143,0,0\r").wait(100);
    dev.serial("AT+CMGW=\"10086\"\r").wait(100);
    dev.serial("hello\u{1A}").wait(2000).printed();
    dev.serial("AT+CMGR=1\r").wait(100);
    let shown = dev.printed();
    assert!(
        shown.contains("STO UNSENT") && shown.contains(",143,"),
        "{shown}"
    );
}

/// A quote in a name would end it for whoever reads the line.
#[test]
fn the_name_of_a_sender_keeps_no_quote() {
    let mut dev = desk();
    dev.named_sms_from("A\"B", "hello").wait(1000).printed();
    dev.serial("AT+CMGR=1\r").wait(100);
    let shown = dev.printed();
    assert!(
        shown.contains("A B") && !shown.contains("A\\\"B"),
        "{shown}"
    );
}

/// Of a message of two parts each has the modem's time.
#[test]
fn a_long_message_has_time_for_all_its_parts() {
    let mut dev = desk();
    dev.modem.silent = true;
    let text = "x".repeat(200);
    dev.serial(format!("AT+CISMSSEND=\"10086\",1,\"{text}\"\r"));
    for reference in 1..=2 {
        dev.wait(150_000);
        let (token, _) = dev.modem.unanswered.pop_front().unwrap();
        let outcome = Ok(reference);
        dev.news(ModemInput::Submitted { token, outcome });
    }
    dev.wait(1000);
    let said = dev.printed();
    assert!(said.contains("OK") && !said.contains("ERROR"), "{said}");
}

/// 23.040 9.2.3.24.1
#[test]
fn each_long_message_of_a_command_has_a_reference_of_its_own() {
    let mut dev = desk();
    let text = "x".repeat(200);
    let mut seen = Vec::new();
    for _ in 0..3 {
        dev.serial(format!("AT+CISMSSEND=\"10086\",1,\"{text}\"\r"))
            .wait(3000);
        let parts: Vec<_> = dev.modem.sent.drain(..).collect();
        seen.push(format!("{:?}", parts[0].data.header));
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "{seen:?}");
}

/// A disk that does not answer is told of, also where nothing else waits.
#[test]
fn a_change_that_the_disk_never_answers_is_told() {
    let mut dev = desk();
    dev.sms_from("10086", "hello").wait(1000);
    dev.store.slow = true;
    dev.events.clear();
    dev.serial("AT+CMGD=1\r").wait(120_000);
    assert!(dev.store.waits());
    let told = dev
        .events
        .iter()
        .any(|event| matches!(event, Event::MessagesNotStored(_)));
    assert!(told, "{:?}", dev.events);
}

/// The DTE has just looked: nothing goes for a new message, which waits, and is tried again ten minutes later. The
/// device has nothing to do meanwhile.
#[test]
fn a_message_without_a_place_waits_without_work() {
    let mut dev = desk();
    for count in 0..50 {
        dev.sms_from("10086", &format!("message {count}"));
    }
    dev.wait(1000).printed();
    dev.serial("AT+CMGD=50\r").wait(100);
    dev.sms_from("10086", "one").sms_from("10086", "more");
    dev.wait(1000);
    assert_eq!(dev.dtu.status(dev.now).messages.not_taken, 1);
    dev.wait(700_000);
    let outputs = dev.outputs;
    dev.wait(3_600_000);
    assert_eq!(dev.dtu.status(dev.now).messages.stored, 50);
    assert_eq!(dev.outputs, outputs);
    if let Some(deadline) = dev.dtu.poll_timeout() {
        assert!(deadline.at > dev.now, "{deadline:?}");
    }
}
