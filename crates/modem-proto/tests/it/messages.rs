//! Messages both ways: as timed scripts.
#![allow(missing_docs, clippy::wildcard_enum_match_arm)]

use crate::common;

use common::{Bench, PDU, PDU2, SUBMIT};
use dtu_proto::radio::{ModemInput, ModemOutput, SubmitFailure};
use dtu_proto::time::Duration;
use modem_proto::{Event, Settings};

#[test]
fn an_announced_message_is_read_told_and_deleted_when_it_is_taken() {
    let mut bench = Bench::ready();
    bench.takes = false;
    bench.device.storage.insert(3, (0, PDU.into()));
    bench.says("+CMTI: \"SM\",3");
    bench.run(5);
    assert_eq!(bench.messages(), [(1, PDU.into())]);
    assert!(bench.device.storage.contains_key(&3), "not taken yet");
    bench.order(ModemOutput::Taken(1));
    bench.run(5);
    assert!(bench.device.storage.is_empty());
    assert_eq!(bench.modem.counters().deleted, 1);
}

#[test]
fn messages_that_came_before_are_found_at_the_start() {
    let mut bench = Bench::new(Settings::default());
    bench.device.storage.insert(1, (1, PDU.into()));
    bench.device.storage.insert(7, (0, PDU2.into()));
    bench.open();
    bench.run(30);
    assert_eq!(bench.messages(), [(1, PDU.into()), (2, PDU2.into())]);
    assert!(bench.device.storage.is_empty());
}

#[test]
fn a_message_that_nobody_announced_is_found_within_minutes() {
    let mut bench = Bench::ready();
    bench.device.storage.insert(2, (0, PDU.into()));
    bench.run(320);
    assert_eq!(bench.messages().len(), 1);
}

#[test]
fn a_modem_that_announces_nothing_is_looked_at_often() {
    let mut bench = Bench::new(Settings::default());
    bench.device.refuse("AT+CNMI=", "+CMS ERROR: 303");
    bench.open();
    bench.run(30);
    bench.device.storage.insert(2, (0, PDU.into()));
    bench.run(25);
    assert_eq!(bench.messages().len(), 1);
}

/// Somebody else deleted the message, and its place has got another one: the word for the old one is none for the new.
#[test]
fn what_is_taken_is_the_message_that_was_told_and_not_its_place() {
    let mut bench = Bench::ready();
    bench.takes = false;
    bench.device.storage.insert(3, (0, PDU.into()));
    bench.says("+CMTI: \"SM\",3");
    bench.run(5);
    bench.device.storage.insert(3, (0, PDU2.into()));
    bench.run(700);
    assert_eq!(bench.messages(), [(1, PDU.into()), (2, PDU2.into())]);
    bench.order(ModemOutput::Taken(1));
    bench.run(700);
    assert!(
        bench.device.storage.contains_key(&3),
        "nobody has the new one"
    );
    bench.order(ModemOutput::Taken(2));
    bench.run(5);
    assert!(bench.device.storage.is_empty());
}

#[test]
fn a_message_that_is_not_taken_is_told_once_and_again_after_ten_minutes() {
    let mut bench = Bench::ready();
    bench.takes = false;
    bench.device.storage.insert(3, (0, PDU.into()));
    bench.says("+CMTI: \"SM\",3");
    bench.run(595);
    assert_eq!(bench.messages().len(), 1);
    bench.run(400);
    assert_eq!(bench.messages().len(), 2, "the device may have lost it");
    bench.order(ModemOutput::Taken(1));
    bench.run(5);
    assert!(bench.device.storage.is_empty(), "either number takes it");
}

#[test]
fn a_place_that_is_used_again_is_read_again() {
    let mut bench = Bench::ready();
    bench.device.storage.insert(1, (0, PDU.into()));
    bench.says("+CMTI: \"SM\",1");
    bench.run(5);
    bench.device.storage.insert(1, (0, PDU2.into()));
    bench.says("+CMTI: \"SM\",1");
    bench.run(5);
    assert_eq!(bench.messages(), [(1, PDU.into()), (2, PDU2.into())]);
    assert!(bench.device.storage.is_empty());
}

#[test]
fn a_deletion_that_failed_is_tried_again_and_the_message_is_not_told_again() {
    let mut bench = Bench::ready();
    bench.device.storage.insert(1, (0, PDU.into()));
    bench.device.on("AT+CMGD=1", &[&["+CMS ERROR: 314"]]);
    bench.says("+CMTI: \"SM\",1");
    bench.run(5);
    bench.device.replies.clear();
    bench.run(310);
    assert!(bench.device.storage.is_empty());
    assert_eq!(bench.messages().len(), 1);
}

#[test]
fn after_a_restart_of_the_modem_an_old_number_deletes_nothing() {
    let mut bench = Bench::ready();
    bench.takes = false;
    bench.device.storage.insert(1, (0, PDU.into()));
    bench.says("+CMTI: \"SM\",1");
    bench.run(5);
    bench.pull();
    bench.device.storage.insert(1, (0, PDU2.into()));
    bench.open();
    bench.order(ModemOutput::Taken(1));
    bench.run(30);
    assert_eq!(
        bench.messages(),
        [(1, PDU.into()), (2, PDU2.into())],
        "numbers go on"
    );
    assert!(bench.device.storage.contains_key(&1));
}

#[test]
fn messages_in_another_storage_are_read_there() {
    let mut bench = Bench::ready();
    bench
        .device
        .on("AT+CPMS=\"ME\"", &[&["+CPMS: 1,100,0,20,0,20", "OK"]]);
    bench.device.storage.insert(5, (0, PDU.into()));
    bench.says("+CMTI: \"ME\",5");
    bench.run(5);
    assert_eq!(bench.messages().len(), 1);
    let commands = bench.commands();
    let at = |wanted: &str| {
        commands
            .iter()
            .rposition(|command| *command == wanted)
            .unwrap()
    };
    assert!(at("AT+CPMS=\"ME\"") < at("AT+CMGR=5") && at("AT+CMGR=5") < at("AT+CMGD=5"));
}

#[test]
fn news_between_the_head_and_the_pdu_of_an_answer_break_nothing() {
    let mut bench = Bench::ready();
    let answer = format!(
        "\r\n+CMGR: 0,,{}\r\n\r\nRING\r\n\r\n+CREG: 5,\"00C3\",\"1A2C\"\r\n{PDU}\r\n\r\n+CMTI: \"SM\",4\r\n\r\nOK\r\n",
        common::length(PDU)
    );
    bench.device.answers_raw("AT+CMGR=3", &answer);
    bench.device.storage.insert(4, (0, PDU2.into()));
    bench.says("+CMTI: \"SM\",3");
    bench.run(5);
    assert_eq!(bench.messages(), [(1, PDU.into()), (2, PDU2.into())]);
    assert!(bench.has(&ModemInput::Registration(
        dtu_proto::radio::Registration::Roaming
    )));
}

#[test]
fn directly_delivered_messages_and_reports_are_told() {
    let mut bench = Bench::ready();
    bench.says(&format!("+CMT: ,{}\r\n{PDU}", common::length(PDU)));
    bench.says(&format!("+CDS: {}\r\n{PDU2}", common::length(PDU2)));
    bench.run(1);
    assert_eq!(bench.messages(), [(1, PDU.into()), (2, PDU2.into())]);
}

#[test]
fn a_directly_delivered_message_of_the_start_waits_for_the_introduction() {
    let mut bench = Bench::new(Settings::default());
    bench.open();
    bench.run_for(Duration::from_millis(400));
    bench.says(&format!("+CMT: ,{}\r\n{PDU}", common::length(PDU)));
    bench.run(20);
    assert!(matches!(bench.news[0], ModemInput::Present(_)));
    assert_eq!(bench.messages(), [(1, PDU.into())]);
}

#[test]
fn a_full_storage_is_told_and_what_somebody_else_wrote_makes_room() {
    let mut bench = Bench::new(Settings::default());
    bench.device.places = 2;
    bench.takes = false;
    bench.device.storage.insert(1, (3, SUBMITTED.into()));
    bench.device.storage.insert(2, (0, PDU.into()));
    bench.open();
    bench.run(20);
    assert!(bench.events.contains(&Event::StorageFull {
        storage: "SM".into(),
        places: 2
    }));
    assert_eq!(
        bench.device.storage.keys().collect::<Vec<_>>(),
        [&2],
        "only the one of no use is deleted"
    );
}

#[test]
fn drafts_of_somebody_else_stay_while_there_is_room() {
    let mut bench = Bench::new(Settings::default());
    bench.device.storage.insert(1, (2, SUBMITTED.into()));
    bench.open();
    bench.run(700);
    assert!(bench.device.storage.contains_key(&1) && bench.messages().is_empty());
}

#[test]
fn a_flood_of_messages_is_told_in_portions() {
    let mut bench = Bench::new(Settings::default());
    bench.takes = false;
    bench.device.places = 255;
    (1..=200).for_each(|index| {
        bench.device.storage.insert(index, (0, PDU.into()));
    });
    bench.open();
    bench.run(30);
    assert_eq!(bench.messages().len(), 64);
    bench.takes = true;
    (1..=64).for_each(|id| bench.order(ModemOutput::Taken(id)));
    bench.run(600);
    assert_eq!(bench.messages().len(), 200);
    assert!(bench.device.storage.is_empty());
}

#[test]
fn a_pdu_that_is_none_is_counted_and_stays() {
    let mut bench = Bench::ready();
    bench.device.answers_raw(
        "AT+CMGR=3",
        "\r\n+CMGR: 0,,24\r\n08916831085044051\r\n\r\nOK\r\n",
    );
    bench.says("+CMTI: \"SM\",3");
    bench.run(3);
    assert!(bench.messages().is_empty());
    assert_eq!(bench.modem.counters().bad_messages, 1);
}

#[test]
fn a_message_goes_out_with_its_length_and_its_reference_comes_back() {
    let mut bench = Bench::ready();
    bench.submit(7);
    bench.run(5);
    assert_eq!(bench.count("AT+CMGS=13"), 1);
    assert_eq!(bench.device.submitted, [sms_codec::hex::encode(SUBMIT)]);
    assert_eq!(bench.submitted(), [(7, Ok(1))]);
}

#[test]
fn prompts_of_every_kind_are_prompts() {
    for prompt in ["\r\n> ", "\r\n>", "> ", ">", "\r\n\r\n> ", "\r\n>\r\n"] {
        let mut bench = Bench::ready();
        bench.device.prompt = prompt;
        bench.submit(1);
        bench.run(2);
        assert_eq!(bench.submitted(), [(1, Ok(1))], "{prompt:?}");
    }
}

#[test]
fn an_error_in_place_of_the_prompt_or_after_it_is_the_answer() {
    let mut bench = Bench::ready();
    bench.device.on("AT+CMGS=13", &[&["+CMS ERROR: 330"]]);
    bench.submit(1);
    bench.run(5);
    bench
        .device
        .answers_raw("AT+CMGS=13", "\r\n> \r\nERROR\r\n");
    bench.submit(2);
    bench.run(5);
    bench.device.replies.clear();
    bench.device.submit_reply = Some(vec!["+CMS ERROR: 38".into()]);
    bench.submit(3);
    bench.run(5);
    bench.device.submit_reply = Some(vec!["+CME ERROR: 30".into()]);
    bench.submit(4);
    bench.run(5);
    let failures = [
        (1, Err(SubmitFailure(330))),
        (2, Err(SubmitFailure::UNKNOWN)),
        (3, Err(SubmitFailure::NETWORK)),
        (4, Err(SubmitFailure::NO_NETWORK)),
    ];
    assert_eq!(bench.submitted(), failures);
    bench.run(120);
    assert_eq!((bench.gone(), bench.modem.counters().unanswered), (0, 0));
}

#[test]
fn a_prompt_that_does_not_come_is_left_by_esc() {
    let mut bench = Bench::ready();
    bench.device.never_answers("AT+CMGS=13");
    bench.submit(1);
    bench.run(30);
    assert_eq!(bench.submitted(), [(1, Err(SubmitFailure::TIMED_OUT))]);
    assert!(bench.events.contains(&Event::Sent("\u{1b}AT".into())));
    bench.device.replies.clear();
    bench.submit(2);
    bench.run(5);
    assert_eq!(bench.submitted().last(), Some(&(2, Ok(1))));
}

#[test]
fn a_network_that_does_not_answer_is_a_time_out_within_three_minutes() {
    let mut bench = Bench::ready();
    bench.device.submit_reply = None;
    bench.submit(1);
    bench.run(180);
    assert_eq!(bench.submitted(), [(1, Err(SubmitFailure::TIMED_OUT))]);
    assert_eq!(bench.gone(), 0);
}

#[test]
fn a_reference_without_a_result_code_is_a_success() {
    let mut bench = Bench::ready();
    bench.device.submit_reply = Some(vec!["+CMGS: 77".into()]);
    bench.submit(1);
    bench.run(30);
    assert_eq!(bench.submitted(), [(1, Ok(77))]);
}

#[test]
fn a_late_reference_is_not_taken_for_the_next_message() {
    let mut bench = Bench::ready();
    bench.device.submit_reply = None;
    bench.submit(1);
    bench.run_for(Duration::from_millis(100_500));
    let now = bench.now;
    bench
        .device
        .send(now, b"\r\n+CMGS: 88\r\n\r\nOK\r\n".to_vec());
    bench.device.submit_reply = Some(vec![]);
    bench.submit(2);
    bench.run(30);
    assert_eq!(
        bench.submitted(),
        [(1, Err(SubmitFailure::TIMED_OUT)), (2, Ok(2))]
    );
}

#[test]
fn a_message_waits_no_longer_than_three_minutes_for_a_modem_that_is_silent() {
    let mut bench = Bench::ready();
    bench.device.silent = true;
    bench.run(31);
    bench.submit(1);
    bench.run(175);
    assert_eq!(bench.submitted().len(), 1);
    assert!(bench.submitted()[0].1.is_err());
}

#[test]
fn without_a_modem_the_answer_comes_at_once() {
    let mut bench = Bench::new(Settings::default());
    bench.submit(5);
    assert_eq!(bench.submitted(), [(5, Err(SubmitFailure::NO_MODEM))]);
}

#[test]
fn what_is_no_pdu_is_refused_at_once() {
    let mut bench = Bench::ready();
    bench.order(ModemOutput::Submit {
        token: 1,
        pdu: bytes::Bytes::from_static(&[7]),
    });
    assert_eq!(bench.submitted(), [(1, Err(SubmitFailure(304)))]);
}

#[test]
fn a_modem_without_messages_says_so() {
    let mut bench = Bench::new(Settings::default());
    bench.device.on("AT+CMGF=0", &[&["ERROR"]]);
    bench.open();
    bench.run(20);
    assert!(!bench.identity().unwrap().abilities.messages);
    assert_eq!(bench.count("AT+CMGL=4"), 0);
}

/// A SUBMIT as a phone stores it.
const SUBMITTED: &str = "00110005810180F60000AA0241E1";
