//! Rules of messages that nothing else guards: each as a timed script.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

use dtu_proto::radio::{ModemOutput, SubmitFailure};
use modem_proto::{Event, Limitation, Settings};

use crate::common::{Bench, PDU, PDU2, SUBMIT, limitations, opened, seconds};

/// Another PDU with that number in its time stamp.
fn pdu(number: u16) -> String {
    let (head, tail) = PDU.split_at(PDU.len() - 2);
    assert_eq!(tail.len(), 2);
    format!("{head}{:02X}", number % 256)
}

/// The slots mean nothing any more: another card may be in the modem when it is back.
#[test]
fn what_was_reported_is_forgotten_with_the_modem_and_reported_again_under_a_new_number() {
    let mut bench = Bench::ready();
    bench.takes = false;
    bench.device.storage.insert(3, (0, PDU.into()));
    bench.says("+CMTI: \"SM\",3");
    bench.run(5);
    bench.pull();
    bench.open();
    bench.run(30);
    assert_eq!(bench.messages(), [(1, PDU.into()), (2, PDU.into())]);
    bench.order(ModemOutput::Taken(1));
    bench.run(5);
    assert!(
        !bench.device.storage.is_empty(),
        "a number of before the restart"
    );
}

#[test]
fn a_message_that_is_not_taken_is_deleted_by_any_of_its_numbers() {
    for number in [1, 2] {
        let mut bench = Bench::ready();
        bench.takes = false;
        bench.device.storage.insert(3, (0, PDU.into()));
        bench.says("+CMTI: \"SM\",3");
        bench.run(590);
        assert_eq!(bench.messages().len(), 1);
        bench.run(320);
        assert_eq!(bench.messages().len(), 2);
        bench.order(ModemOutput::Taken(number));
        bench.run(5);
        assert!(bench.device.storage.is_empty(), "{number}");
        bench.order(ModemOutput::Taken(number));
        bench.run(5);
        assert_eq!(bench.modem.counters().deleted, 1, "once");
    }
}

#[test]
fn sixty_four_messages_wait_at_most_and_a_taken_one_makes_room_at_once() {
    let mut bench = Bench::new(Settings::default());
    bench.takes = false;
    for number in 1..=70 {
        bench.device.storage.insert(number, (0, pdu(number)));
    }
    bench.device.places = 255;
    bench.open();
    bench.run(60);
    assert_eq!(bench.messages().len(), 64);
    bench.order(ModemOutput::Taken(1));
    bench.run(20);
    assert_eq!(bench.messages().len(), 65);
    assert_eq!(bench.modem.counters().messages, 65);
}

/// 27.005 3.1: 0 and 1 are received; what somebody wrote into the modem is none of ours.
#[test]
fn states_of_stored_messages_are_numbers_or_words() {
    for (state, is_ours) in [
        ("0", true),
        ("1", true),
        ("2", false),
        ("3", false),
        ("\"REC UNREAD\"", true),
        ("\"STO UNSENT\"", false),
        ("\"STO SENT\"", false),
    ] {
        let mut bench = Bench::ready();
        let header = format!("+CMGR: {state},,{}", crate::common::length(PDU));
        bench.device.on("AT+CMGR=3", &[&[&header, PDU, "OK"]]);
        bench.says("+CMTI: \"SM\",3");
        bench.run(5);
        assert_eq!(bench.messages().len(), usize::from(is_ours), "{state}");
        let header = format!("+CMGL: 4,{state},,{}", crate::common::length(PDU));
        let mut bench = opened(0, |bench| {
            bench.device.on("AT+CMGL=4", &[&[&header, PDU, "OK"]]);
        });
        bench.run(20);
        assert_eq!(
            bench.messages().len(),
            usize::from(is_ours),
            "{state}, listed"
        );
    }
}

/// 27.005 3.2.2: `used,total` of the storage that is read.
#[test]
fn a_storage_is_full_when_all_its_places_are_used_and_that_is_said_once() {
    for (fill, full) in [
        ("20,20", 1),
        ("21,20", 1),
        ("19,20", 0),
        ("0,0", 0),
        ("5,0", 0),
    ] {
        let line = format!("+CPMS: {fill},0,20,0,20");
        let mut bench = opened(20, |bench| {
            bench.device.on("AT+CPMS=\"SM\"", &[&[&line, "OK"]]);
        });
        bench.run(700);
        let said = bench.events.iter();
        let said = said.filter(|event| matches!(event, Event::StorageFull { .. }));
        assert_eq!(said.count(), full, "{fill}");
    }
    let mut bench = opened(20, |bench| {
        let full: &[&str] = &["+CPMS: 20,20", "OK"];
        let room: &[&str] = &["+CPMS: 19,20", "OK"];
        bench.device.on("AT+CPMS=\"SM\"", &[full, room, full]);
    });
    bench.run(700);
    let said = bench.events.iter();
    let said = said.filter(|event| matches!(event, Event::StorageFull { .. }));
    assert_eq!(said.count(), 2, "it had room in between");
}

#[test]
fn a_urc_of_a_full_storage_makes_it_looked_at() {
    for line in [
        "+SMSFULL",
        "*SMSFULL",
        "^SMMEMFULL: \"SM\"",
        "+SMS FULL",
        "+QIND: \"smsfull\",\"SM\"",
    ] {
        let mut bench = Bench::ready();
        bench.device.commands.clear();
        bench.says(line);
        bench.run(5);
        assert_eq!(bench.count("AT+CPMS?"), 1, "{line}");
        assert_eq!(bench.count("AT+CMGL=4"), 1, "{line}");
        assert_eq!(bench.modem.counters().unknown_lines, 0, "{line}");
    }
}

/// 27.005 3.2.2: the third storage is where received messages go; a modem that shows one has one.
#[test]
fn the_storage_that_received_messages_go_to_is_read() {
    for (shown, selected) in [
        (
            "+CPMS: \"ME\",0,20,\"SM\",0,20,\"MT\",0,20",
            "AT+CPMS=\"MT\"",
        ),
        ("+CPMS: \"ME\",0,20", "AT+CPMS=\"ME\""),
    ] {
        let bench = opened(20, |bench| {
            bench.device.on("AT+CPMS?", &[&[shown, "OK"]]);
        });
        assert_eq!(bench.count(selected), 1, "{shown}");
    }
    // It has one, and no word for it: nothing is selected.
    let bench = opened(20, |bench| bench.device.refuse("AT+CPMS", "ERROR"));
    assert_eq!(bench.count("AT+CMGL=4"), 1);
    assert_eq!(bench.count("AT+CPMS=\"SM\""), 0);
}

#[test]
fn a_storage_question_that_is_busy_is_asked_again_each_second_for_half_a_minute() {
    let bench = opened(60, |bench| {
        bench.device.refuse("AT+CPMS?", "+CMS ERROR: 314");
    });
    assert_eq!(seconds(&bench, "AT+CPMS?"), [1; 30]);
    assert_eq!(bench.count("AT+CMGL=4"), 1, "then it is read as it is");
    let bench = opened(60, |bench| {
        bench.device.refuse("AT+CNMI", "+CMS ERROR: 314");
    });
    assert_eq!(seconds(&bench, "AT+CNMI=2,1,0,1,0")[..30], [1; 30]);
}

#[test]
fn a_storage_that_is_refused_is_read_where_the_modem_reads_anyway_or_later() {
    // Shown as the one that is read: it is read without its name.
    let bench = opened(20, |bench| bench.device.refuse("AT+CPMS=", "ERROR"));
    assert_eq!(bench.count("AT+CMGL=4"), 1);
    assert_eq!(limitations(&bench), [Limitation::Storage]);
    // Another one: it is tried again after half a minute, and nothing is read meanwhile.
    let bench = opened(70, |bench| {
        let shown = ["+CPMS: \"ME\",0,20,\"SM\",0,20,\"SM\",0,20", "OK"];
        bench.device.on("AT+CPMS?", &[&shown]);
        bench.device.refuse("AT+CPMS=", "ERROR");
    });
    assert_eq!(bench.count("AT+CMGL=4"), 0);
    assert_eq!(seconds(&bench, "AT+CPMS=\"SM\""), [30, 30]);
    assert_eq!(bench.count("AT+CPMS=\"SM\",\"SM\",\"SM\""), 3);
    assert_eq!(limitations(&bench), [Limitation::Storage]);
    // One that is announced, and neither read nor where messages go: no word about it.
    let mut bench = Bench::ready();
    bench.device.refuse("AT+CPMS=\"ME\"", "ERROR");
    bench.says("+CMTI: \"ME\",3");
    bench.run(3);
    assert_eq!(limitations(&bench), []);
    assert_eq!(bench.count("AT+CMGR=3"), 0);
}

/// 27.005 3.4.1, 3.4.4: what was switched on by `AT+CSMS=1` is acknowledged until `AT+CSMS=0` is taken.
#[test]
fn reports_are_acknowledged_while_phase_2_is_on() {
    let report = |bench: &mut Bench| {
        bench.device.commands.clear();
        let length = crate::common::length(PDU);
        bench.says(&format!("+CDS: {length}"));
        bench.says(PDU);
        bench.run(3);
        bench.count("AT+CNMA")
    };
    let refuse_most = |bench: &mut Bench| {
        for form in ["2,1,0,1", "2,1,0,2"] {
            bench.device.refuse(&format!("AT+CNMI={form}"), "ERROR");
        }
    };
    let mut bench = opened(20, refuse_most);
    assert_eq!(report(&mut bench), 0, "phase 2 was switched off");
    assert_eq!(limitations(&bench), [Limitation::Reports]);
    let mut bench = opened(20, |bench| {
        refuse_most(bench);
        bench.device.refuse("AT+CSMS=0", "ERROR");
    });
    assert_eq!(report(&mut bench), 1, "it could not be switched off");
    // Without phase 2 its forms are not tried again.
    let mut bench = opened(20, |bench| {
        refuse_most(bench);
        bench.device.refuse("AT+CSMS=1", "ERROR");
    });
    assert_eq!(bench.count("AT+CNMI=2,1,0,1,0"), 1);
    assert_eq!(bench.count("AT+CNMI=2,1,0,0,0"), 1);
    assert_eq!(report(&mut bench), 0);
}

#[test]
fn a_modem_that_knows_no_form_of_the_announcement_gets_all_and_is_looked_at_each_20_seconds() {
    let bench = opened(70, |bench| bench.device.refuse("AT+CNMI=", "ERROR"));
    for form in [
        "2,1,0,1,0",
        "2,1,0,2,0",
        "2,1,0,1,1",
        "2,1,0,2,1",
        "2,1,0,0,0",
        "1,1,0,0,0",
        "2,1",
    ] {
        assert!(bench.count(&format!("AT+CNMI={form}")) >= 1, "{form}");
    }
    assert_eq!(
        limitations(&bench),
        [Limitation::Announcements, Limitation::Reports]
    );
    let looks = seconds(&bench, "AT+CMGL=4");
    assert!(
        looks.len() >= 2 && looks.iter().all(|pause| *pause == 20),
        "{looks:?}"
    );
}

#[test]
fn a_message_that_cannot_be_read_is_found_by_the_list_five_seconds_later() {
    let mut bench = Bench::ready();
    bench.device.commands.clear();
    bench.device.on("AT+CMGR=3", &[&["+CMS ERROR: 321"]]);
    bench.device.storage.insert(3, (0, PDU.into()));
    bench.says("+CMTI: \"SM\",3");
    bench.run(4);
    assert_eq!(bench.count("AT+CMGL=4"), 0);
    bench.run(3);
    assert_eq!(bench.messages().len(), 1);
}

#[test]
fn a_list_that_is_refused_is_asked_for_later_and_later_and_missing_after_four_times() {
    let mut bench = opened(20, |bench| bench.device.refuse("AT+CMGL", "ERROR"));
    bench.run(60);
    assert_eq!(limitations(&bench), []);
    bench.run(20);
    assert_eq!(limitations(&bench), [Limitation::List]);
    bench.run(900);
    assert_eq!(
        seconds(&bench, "AT+CMGL=4"),
        [30, 30, 30, 30, 32, 64, 128, 256, 300]
    );
    bench.device.refused.clear();
    bench.run(310);
    assert_eq!(limitations(&bench), []);
}

#[test]
fn four_storages_are_looked_at_at_most() {
    let mut bench = Bench::ready();
    let header = format!("+CMGR: 0,,{}", crate::common::length(PDU));
    bench.device.on("AT+CMGR=1", &[&[&header, PDU, "OK"]]);
    for storage in ["ME", "MT", "SR", "BM", "TA"] {
        bench.says(&format!("+CMTI: \"{storage}\",1"));
        bench.run(10);
    }
    bench.device.commands.clear();
    bench.run(330);
    let selected = |storage: &str| bench.count(&format!("AT+CPMS=\"{storage}\"")) > 0;
    let looked_at = ["SM", "ME", "MT", "SR", "BM", "TA"].map(selected);
    assert_eq!(looked_at, [true, true, true, true, false, false]);
}

#[test]
fn sixteen_messages_wait_for_the_report_of_the_modem_and_the_rest_is_counted() {
    let mut bench = Bench::new(Settings::default());
    let busy: &[&str] = &["+CME ERROR: 14"];
    let mut replies = vec![busy; 20];
    replies.push(&["+CPIN: READY", "OK"]);
    bench.device.on("AT+CPIN?", &replies);
    bench.open();
    bench.run(10);
    let length = crate::common::length(PDU);
    for number in 0..18 {
        bench.says(&format!("+CMT: ,{length}"));
        bench.says(&pdu(number));
    }
    bench.run(1);
    assert_eq!(bench.messages().len(), 0);
    assert_eq!(bench.modem.counters().bad_messages, 2);
    bench.run(60);
    assert_eq!(bench.messages().len(), 16);
}

#[test]
fn each_pdu_that_is_none_is_counted() {
    let mut bench = Bench::ready();
    for _ in 0..3 {
        bench.says("+CMT: ,99");
        bench.says(PDU);
        bench.run(1);
    }
    assert_eq!(bench.modem.counters().bad_messages, 3);
    assert_eq!(limitations(&bench), [Limitation::SomeMessages]);
    let before = bench.modem.counters().unknown_lines;
    for _ in 0..2 {
        bench.says(&format!("+CBM: {}", crate::common::length(PDU)));
        bench.says(PDU);
        bench.run(1);
    }
    assert_eq!(
        bench.modem.counters().unknown_lines - before,
        2,
        "broadcasts"
    );
}

/// The device is answered once a message, and one waits at a time.
#[test]
fn a_second_message_and_what_is_no_pdu_are_refused_at_once() {
    let mut bench = Bench::ready();
    bench.device.submit_reply = None;
    bench.submit(1);
    bench.submit(2);
    assert_eq!(bench.submitted(), [(2, Err(SubmitFailure(304)))]);
    bench.run(130);
    assert_eq!(bench.submitted()[1], (1, Err(SubmitFailure::TIMED_OUT)));
    assert_eq!(bench.device.submitted.len(), 1);
    assert_eq!(SUBMIT.len(), 14);
}

/// A command between two others does not cost a message its mode: nothing but the message asks for it.
#[test]
fn pdu_mode_is_set_and_looked_at_in_front_of_each_message_only() {
    let mut bench = Bench::ready();
    bench.device.commands.clear();
    bench.submit(1);
    bench.run(5);
    bench.submit(2);
    bench.run(5);
    assert_eq!((bench.count("AT+CMGF=0"), bench.count("AT+CMGF?")), (2, 2));
    bench.device.delay = dtu_proto::time::Duration::from_secs(2);
    bench.says("+CMTI: \"SM\",9");
    bench.submit(3);
    bench.run(20);
    assert_eq!((bench.count("AT+CMGF=0"), bench.count("AT+CMGF?")), (3, 3));
    assert_eq!(bench.submitted().len(), 3);
}

#[test]
fn pdu_mode_that_is_refused_later_is_missing_after_four_times_and_asked_again() {
    let mut bench = Bench::ready();
    bench.device.refuse("AT+CMGF=0", "ERROR");
    bench.submit(1);
    bench.run(3);
    assert_eq!(bench.submitted(), [(1, Err(SubmitFailure(302)))]);
    assert_eq!(limitations(&bench), []);
    bench.run(12);
    assert_eq!(limitations(&bench), [Limitation::Messages]);
    bench.device.commands.clear();
    bench.run(60);
    assert_eq!(seconds(&bench, "AT+CMGF=0"), [32]);
    bench.device.refused.clear();
    bench.run(70);
    assert_eq!(limitations(&bench), []);
}

#[test]
fn a_place_with_another_message_reports_it_and_a_taken_one_is_deleted_again() {
    let mut bench = Bench::ready();
    bench
        .device
        .on("AT+CMGD=3", &[&["+CMS ERROR: 500"], &["OK"]]);
    bench.device.storage.insert(3, (0, PDU.into()));
    bench.says("+CMTI: \"SM\",3");
    bench.run(320);
    assert_eq!(bench.messages().len(), 1);
    assert_eq!(bench.count("AT+CMGD=3"), 2);
    assert_eq!(bench.modem.counters().deleted, 1);
    bench.device.storage.insert(3, (0, PDU2.into()));
    bench.says("+CMTI: \"SM\",3");
    bench.run(3);
    assert_eq!(bench.messages().len(), 2);
}
