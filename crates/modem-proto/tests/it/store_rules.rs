//! What is remembered of stored messages, and how messages go out: as timed scripts.
#![allow(missing_docs, clippy::unwrap_used)]

use bytes::Bytes;
use dtu_proto::radio::ModemOutput;
use modem_proto::Limitation;

use crate::common::{Bench, PDU, PDU2, SUBMIT, limitations, opened};

/// A modem with this message in its first place, told and not taken.
fn untaken() -> Bench {
    let mut bench = opened(20, |bench| {
        bench.takes = false;
        bench.device.storage.insert(1, (0, PDU.into()));
    });
    assert_eq!(bench.messages().len(), 1);
    bench.device.commands.clear();
    bench
}

/// By then the storage was looked at once more.
fn another_look(bench: &mut Bench) {
    let looks = bench.count("AT+CMGL=4");
    bench.run(301);
    assert!(bench.count("AT+CMGL=4") > looks);
}

#[test]
fn a_message_that_somebody_deleted_is_new_when_it_comes_again() {
    let mut bench = untaken();
    bench.device.storage.clear();
    another_look(&mut bench);
    bench.device.storage.insert(1, (0, PDU.into()));
    bench.says("+CMTI: \"SM\",1");
    bench.run(2);
    let ids: Vec<_> = bench.messages().iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, [1, 2]);
}

#[test]
fn a_look_that_fails_forgets_no_message() {
    let mut bench = untaken();
    bench.device.on("AT+CMGL=4", &[&["+CMS ERROR: 500"]]);
    another_look(&mut bench);
    bench.device.replies.remove("AT+CMGL=4");
    bench.run(100);
    assert_eq!(bench.messages().len(), 1, "it is told once");
}

#[test]
fn a_look_at_one_storage_forgets_nothing_of_another() {
    let mut bench = Bench::ready();
    bench.takes = false;
    bench.device.storage.insert(1, (0, PDU.into()));
    bench.device.on("AT+CMGL=4", &[&["OK"]]);
    bench.says("+CMTI: \"ME\",1");
    bench.run(2);
    assert_eq!(bench.messages().len(), 1);
    // Both are looked at, and the one in ME is shown there.
    let line = "+CMGL: 1,0,,27";
    let shown: &[&str] = &[line, PDU, "OK"];
    bench
        .device
        .on("AT+CMGL=4", &[shown, &["OK"], shown, &["OK"], shown]);
    bench.run(400);
    assert_eq!(bench.messages().len(), 1);
}

/// Looks are repeated, and one that shows text is no proof of a modem that cannot do otherwise.
#[test]
fn one_look_in_text_mode_is_no_lack() {
    let text: &[&str] = &[
        "+CMGL: 1,\"REC UNREAD\",\"10086\",,\"26/11/22,16:40:00+32\"",
        "hello",
        "OK",
    ];
    let bench = opened(8, |bench| {
        bench.device.on("AT+CMGL=4", &[text, &["OK"]]);
    });
    assert!(bench.count("AT+CMGL=4") >= 2);
    assert_eq!(limitations(&bench), []);
    let said = format!("{:?}", bench.events);
    let pdu_mode = format!("{:?}", Limitation::PduMode);
    assert!(!said.contains(&pdu_mode), "{said}");
}

/// A message that a person wrote into the modem stays as long as there is room.
#[test]
fn of_messages_that_were_not_received_only_what_makes_room_is_deleted() {
    let mut bench = opened(20, |bench| {
        bench.device.places = 2;
        bench.device.storage.insert(1, (0, PDU.into()));
        bench.device.storage.insert(2, (2, PDU2.into()));
    });
    bench.run(3);
    // Taken, and deleted: there is room again.
    assert!(!bench.device.storage.contains_key(&1));
    bench.device.storage.clear();
    bench.device.storage.insert(7, (2, PDU2.into()));
    bench.says("+CMTI: \"SM\",7");
    bench.run(3);
    assert!(bench.device.storage.contains_key(&7));
}

/// 27.005 3.5.1: the length counts the octets behind the service centre.
#[test]
fn the_length_of_a_message_leaves_its_service_centre_out() {
    let mut bench = Bench::ready();
    let center = [7, 0x91, 0x68, 0x31, 0x08, 0x50, 0x44, 0x05];
    let pdu = Bytes::from([&center[..], &SUBMIT[1..]].concat());
    bench.order(ModemOutput::Submit { token: 9, pdu });
    bench.run(3);
    assert_eq!(bench.count("AT+CMGS=13"), 1);
    assert_eq!(bench.submitted(), [(9, Ok(1))]);
}

#[test]
fn a_modem_in_pdu_mode_is_not_told_so_when_its_card_is_ready() {
    let mut bench = Bench::ready();
    bench.device.commands.clear();
    bench.says("SMS Ready");
    bench.run(2);
    assert_eq!(bench.count("AT+CMGF=0"), 0);
}

#[test]
fn only_news_of_a_ready_card_try_a_refused_pdu_mode_again() {
    let mut bench = opened(20, |bench| bench.device.refuse("AT+CMGF=0", "ERROR"));
    bench.run(200);
    bench.device.commands.clear();
    bench.says("+XYZ: 1");
    bench.run(2);
    assert_eq!(bench.count("AT+CMGF=0"), 0);
    bench.says("SMS Ready");
    bench.run(2);
    assert_eq!(bench.count("AT+CMGF=0"), 1);
}
