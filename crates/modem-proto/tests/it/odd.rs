//! Modems that nobody would believe: each oddity of the field as a script, by its row.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

use sms_codec::address::Address;
use sms_codec::pdu::{Pdu, Submit, Tpdu};
use sms_codec::user_data::{Body, UserData};

use crate::common;

use bytes::Bytes;
use cellular_sim::modem::{Oddities, Rack, RackOutput, Setup};
use cellular_sim::radio::{PhoneEvent, Verb};
use common::{Bench, PDU};
use dtu_proto::config::Apn;
use dtu_proto::radio::{
    CallEnd, CallNews, Cell, ModemInput, ModemOutput, PhoneNumber, Registration, SubmitFailure,
};
use dtu_proto::time::{Duration, Instant};
use modem_proto::{Event, Input, Limitation, Modem, Output, Settings};

fn bench(change: impl FnOnce(&mut Bench)) -> Bench {
    let mut bench = Bench::new(Settings::default());
    change(&mut bench);
    bench.open();
    bench.run(30);
    bench
}

fn lacks(bench: &Bench) -> Vec<Limitation> {
    let one = |event: &Event| {
        if let Event::Limitation(lack) = event {
            Some(*lack)
        } else {
            None
        }
    };
    bench.events.iter().filter_map(one).collect()
}

fn stored(bench: &mut Bench) {
    bench.device.storage.insert(2, (0, PDU.into()));
    bench.says("+CMTI: \"SM\",2");
    bench.run(40);
}

const PHONE: &str = "+8613900000002";
const SM: &str = "AT+CPMS=\"SM\"";

#[test]
fn m1_a_modem_that_wants_all_three_storages_is_read() {
    let mut bench = bench(|bench| {
        bench.device.on(SM, &[&["+CMS ERROR: 303"]]);
        bench.device.on(
            "AT+CPMS=\"SM\",\"SM\",\"SM\"",
            &[&["+CPMS: 1,20,1,20,1,20", "OK"]],
        );
    });
    stored(&mut bench);
    assert_eq!(bench.messages().len(), 1);
    assert!(bench.device.storage.is_empty());
    assert_eq!(lacks(&bench), []);
}

#[test]
fn m1_a_bare_ok_is_an_answer() {
    let mut bench = bench(|bench| bench.device.on(SM, &[&["OK"]]));
    stored(&mut bench);
    assert_eq!(bench.messages().len(), 1);
    assert_eq!(bench.modem.counters().unanswered, 0);
}

#[test]
fn m1_a_modem_that_takes_no_form_reads_what_it_shows_and_that_is_said_once() {
    let mut bench = bench(|bench| bench.device.refuse("AT+CPMS=", "ERROR"));
    stored(&mut bench);
    bench.run(1000);
    assert_eq!(bench.messages().len(), 1);
    assert!(bench.device.storage.is_empty());
    assert_eq!(lacks(&bench), [Limitation::Storage]);
}

#[test]
fn m14_a_busy_storage_is_asked_again_in_a_second() {
    let mut bench = Bench::ready();
    bench.device.on(
        SM,
        &[&["+CME ERROR: 515"], &["+CPMS: 1,20,1,20,1,20", "OK"]],
    );
    bench.run(300);
    bench.device.on(
        SM,
        &[&["+CME ERROR: 515"], &["+CPMS: 1,20,1,20,1,20", "OK"]],
    );
    bench.device.storage.insert(2, (0, PDU.into()));
    bench.says("+CMTI: \"SM\",2");
    bench.run(3);
    assert_eq!(bench.messages().len(), 1);
}

#[test]
fn m2_pdu_mode_that_is_refused_before_the_card_is_ready_is_asked_for_again() {
    for refusal in ["ERROR", "+CME ERROR: 3", "+CMS ERROR: 302"] {
        let mut bench = bench(|bench| {
            bench
                .device
                .on("AT+CMGF=0", &[&[refusal], &[refusal], &["OK"]])
        });
        bench.run(10);
        assert!(bench.identity().unwrap().abilities.messages, "{refusal}");
        stored(&mut bench);
        assert_eq!(bench.messages().len(), 1, "{refusal}");
        assert_eq!(lacks(&bench), []);
    }
}

#[test]
fn m2_sms_ready_is_heeded_at_once() {
    let mut bench = bench(|bench| bench.device.on("AT+CMGF=0", &[&["ERROR"]]));
    assert!(!bench.identity().unwrap().abilities.messages);
    bench.run(100);
    assert_eq!(lacks(&bench), [Limitation::Messages]);
    bench.device.on("AT+CMGF=0", &[&["OK"]]);
    bench.says("SMS Ready");
    bench.run(3);
    assert!(bench.identity().unwrap().abilities.messages);
}

/// A card that opens may bring its own mode with it.
#[test]
fn m2_pdu_mode_is_set_again_behind_the_pin_and_in_front_of_the_messages() {
    let mut bench = Bench::new(Settings {
        pin: modem_proto::Pin::new("1234"),
        ..Settings::default()
    });
    bench.device.pin = Some("1234");
    bench.open();
    bench.run(30);
    let commands = bench.commands();
    let at = |command: &str| commands.iter().position(|sent| *sent == command).unwrap();
    let between = &commands[at("AT+CPIN=\"1234\"")..at("AT+CMGL=4")];
    assert!(between.contains(&"AT+CMGF=0"), "{between:?}");
}

/// An answer that does not come is no yes: the device was told of no messages, and never of any.
#[test]
fn m2_silence_between_refusals_does_not_hide_the_yes_that_follows() {
    let mut bench = bench(|bench| bench.device.on("AT+CMGF=0", &[&["ERROR"]]));
    assert!(!bench.identity().unwrap().abilities.messages);
    bench.device.silent = true;
    bench.run(60);
    bench.device.on("AT+CMGF=0", &[&["OK"]]);
    bench.device.silent = false;
    bench.run(360);
    assert!(bench.identity().unwrap().abilities.messages);
    stored(&mut bench);
    assert_eq!(bench.messages().len(), 1);
}

#[test]
fn m2_number_and_service_centre_are_asked_again_when_the_card_was_busy() {
    let mut bench = bench(|bench| {
        for (command, line) in [
            ("AT+CSCA?", "+CSCA: \"+8613800531500\",145"),
            ("AT+CNUM", "+CNUM: \"\",\"10086\",129"),
        ] {
            bench.device.on(
                command,
                &[&["+CME ERROR: 14"], &["+CME ERROR: 14"], &[line, "OK"]],
            );
        }
    });
    bench.run(30);
    assert!(bench.has(&ModemInput::OwnNumber(PhoneNumber::new("10086"))));
    assert!(bench.has(&ModemInput::ServiceCenter(PhoneNumber::new(
        "+8613800531500"
    ))));
}

/// The text is a UCS2 one, `CSCS="UCS2"`: only hex digits.
#[test]
fn m3_a_text_in_hex_is_no_pdu_and_stays_in_the_modem() {
    let mut bench = Bench::ready();
    let head = "+CMGR: \"REC UNREAD\",\"+8613900000002\",,\"26/07/26,11:42:15+32\"";
    let text = [head, "4F60597D4F60597D4F60597D4F60597D", "OK"];
    let pdu = ["+CMGL: 2,1,,27", PDU, "OK"];
    bench.device.storage.insert(2, (0, PDU.into()));
    bench.device.on("AT+CMGR=2", &[&text]);
    bench.device.on("AT+CMGL=4", &[&["OK"]]);
    let before = bench.count("AT+CMGF=0");
    bench.says("+CMTI: \"SM\",2");
    bench.device.on("AT+CMGL=4", &[&pdu]);
    bench.run(10);
    assert_eq!(bench.count("AT+CMGF=0"), before + 1);
    assert_eq!(bench.messages().len(), 1);
    assert_eq!(bench.messages()[0].1, PDU);
}

/// A head of PDU mode, and a line that is not as long as it says: no message, and none is deleted.
#[test]
fn m3_a_message_of_another_length_than_its_head_says_stays_in_the_modem() {
    let mut bench = Bench::ready();
    bench
        .device
        .on("AT+CMGR=2", &[&["+CMGR: 0,,26", PDU, "OK"]]);
    bench
        .device
        .on("AT+CMGL=4", &[&["+CMGL: 2,0,,26", PDU, "OK"]]);
    bench.says("+CMTI: \"SM\",2");
    bench.run(700);
    assert!(bench.messages().is_empty());
    assert!(
        !bench
            .commands()
            .iter()
            .any(|command| command.starts_with("AT+CMGD"))
    );
    assert_eq!(lacks(&bench), [Limitation::SomeMessages]);
}

#[test]
fn m3_a_modem_that_stays_in_text_mode_keeps_its_messages_and_that_is_said() {
    let mut bench = Bench::ready();
    let head = "+CMGL: 2,\"REC READ\",\"+8613900000002\",,\"26/07/26,11:42:15+32\"";
    bench
        .device
        .on("AT+CMGL=4", &[&[head, "4F60597D4F60597D4F60597D", "OK"]]);
    bench.run(3600);
    assert!(bench.messages().is_empty());
    assert!(
        !bench
            .commands()
            .iter()
            .any(|command| command.starts_with("AT+CMGD"))
    );
    assert_eq!(lacks(&bench), [Limitation::PduMode]);
    assert!(bench.count("AT+CMGF=0") < 30);
}

/// It says OK to PDU mode, and would take the length for a number and send it the digits.
#[test]
fn m3_a_modem_that_stays_in_text_mode_sends_nothing_and_that_is_said() {
    let mut bench = Bench::ready();
    bench.device.on("AT+CMGF?", &[&["+CMGF: 1", "OK"]]);
    for token in 1..=2 {
        bench.submit(token);
        bench.run(5);
    }
    assert_eq!(
        bench.submitted(),
        [(1, Err(SubmitFailure(303))), (2, Err(SubmitFailure(303)))]
    );
    assert!(!SubmitFailure(303).is_temporary());
    assert_eq!(bench.count("AT+CMGS=13"), 0);
    assert_eq!(lacks(&bench), [Limitation::Sending], "said once");
    assert!(bench.has(&ModemInput::Lacks(vec![Limitation::Sending.words().into()])));
    let lost = |event: &&Event| matches!(event, Event::Refused { why, .. } if why.contains("stays in text mode"));
    assert_eq!(
        bench.events.iter().filter(lost).count(),
        2,
        "each message that was not sent"
    );
    bench.device.on("AT+CMGF?", &[&["+CMGF: 0", "OK"]]);
    bench.submit(3);
    bench.run(5);
    assert_eq!(bench.submitted().last(), Some(&(3, Ok(1))));
    assert_eq!(bench.modem.limitations().count(), 0);
}

#[test]
fn m3_the_simulated_modem_that_stays_in_text_mode_sends_nothing() {
    let mut sim = Sim::run("text-only", 60);
    assert_eq!(sim.submit(1), Some(Err(SubmitFailure(303))));
    assert_eq!(sim.delivered, []);
    assert!(sim.lacks().contains(&Limitation::Sending));
}

/// Between `AT+CMGF=0` and the message as well.
#[test]
fn m3_a_modem_that_falls_back_to_text_mode_is_set_again_in_front_of_the_message() {
    let mut bench = Bench::ready();
    bench
        .device
        .on("AT+CMGF?", &[&["+CMGF: 1", "OK"], &["+CMGF: 0", "OK"]]);
    let before = bench.commands().len();
    bench.submit(1);
    bench.run(5);
    assert_eq!(bench.submitted(), [(1, Ok(1))]);
    let wanted = [
        "AT+CMGF=0",
        "AT+CMGF?",
        "AT+CMGF=0",
        "AT+CMGF?",
        "AT+CMGS=13",
    ];
    assert_eq!(bench.commands()[before..], wanted);
    assert_eq!(lacks(&bench), []);
}

/// Each fourth message that is deleted makes this one fall back.
#[test]
fn m3_the_simulated_modem_that_falls_back_sends_each_message_to_its_number() {
    let mut sim = Sim::run("text-mode", 60);
    for token in 1..=6 {
        let from = PhoneNumber::new(PHONE).unwrap();
        let text = Verb::Text {
            from,
            to: None,
            text: format!("text {token}"),
        };
        sim.rack.carry_out(1, &text, sim.now);
        sim.run_on(60);
        assert!(
            matches!(sim.submit(token), Some(Ok(_))),
            "{token}: {:?}",
            sim.events
        );
    }
    assert_eq!(
        sim.news
            .iter()
            .filter(|news| matches!(news, ModemInput::Message { .. }))
            .count(),
        6
    );
    assert_eq!(sim.delivered, [PhoneNumber::new(PHONE).unwrap(); 6]);
    assert_eq!(sim.lacks(), []);
}

#[test]
fn m3_a_modem_without_the_question_or_without_a_word_for_its_mode_sends_as_ever() {
    for answer in [
        &["ERROR"][..],
        &["+CME ERROR: 4"],
        &["OK"],
        &["+CMGF:0", "OK"],
    ] {
        let mut bench = Bench::ready();
        bench.device.on("AT+CMGF?", &[answer]);
        bench.submit(1);
        bench.run(5);
        assert_eq!(bench.submitted(), [(1, Ok(1))], "{answer:?}");
        assert_eq!(lacks(&bench), []);
    }
}

/// No word of its mode: it may be sent later.
#[test]
fn m3_a_question_that_is_not_answered_sends_nothing_for_now() {
    let mut bench = Bench::ready();
    bench.device.never_answers("AT+CMGF?");
    bench.submit(1);
    bench.run(20);
    assert_eq!(bench.submitted(), [(1, Err(SubmitFailure(302)))]);
    assert_eq!(bench.count("AT+CMGS=13"), 0);
}

#[test]
fn m4_reports_that_are_stored_are_read() {
    let mut bench = bench(|bench| {
        bench
            .device
            .on("AT+CNMI=2,1,0,1,0", &[&["+CMS ERROR: 303"]]);
        bench
            .device
            .on("AT+CPMS=\"SR\"", &[&["+CPMS: 1,20,1,20,1,20", "OK"]]);
    });
    assert_eq!(bench.count("AT+CNMI=2,1,0,2,0"), 1);
    bench.device.storage.insert(7, (0, PDU.into()));
    bench.says("+CDSI: \"SR\",7");
    bench.run(10);
    assert_eq!(bench.messages().len(), 1);
    assert!(bench.device.storage.is_empty());
    assert_eq!(lacks(&bench), []);
}

#[test]
fn m4_a_modem_that_knows_reports_in_phase_2_gets_its_acknowledgement() {
    let mut bench = bench(|bench| {
        for form in ["2,1,0,1,0", "2,1,0,2,0", "2,1,0,1,1", "2,1,0,2,1"] {
            bench.device.on(&format!("AT+CNMI={form}"), &[&["ERROR"]]);
        }
        bench.device.on("AT+CNMI=2,1,0,1,0", &[&["ERROR"], &["OK"]]);
    });
    assert_eq!(bench.count("AT+CSMS=1"), 1);
    bench.says("+CDS: 27");
    bench.says(PDU);
    bench.run(2);
    assert_eq!((bench.messages().len(), bench.count("AT+CNMA")), (1, 1));
}

#[test]
fn m4_a_modem_without_reports_says_so() {
    let bench = bench(|bench| {
        for ds in [1, 2] {
            bench.device.refuse(&format!("AT+CNMI=2,1,0,{ds}"), "ERROR");
        }
    });
    assert_eq!(bench.count("AT+CNMI=2,1,0,0,0"), 1);
    assert_eq!(lacks(&bench), [Limitation::Reports]);
}

#[test]
fn m5_not_allowed_yet_is_temporary() {
    assert!(SubmitFailure(302).is_temporary());
    assert!(!SubmitFailure(304).is_temporary());
}

#[test]
fn m5_a_modem_that_refuses_every_message_is_reset_once_an_hour_at_most() {
    let mut bench = Bench::ready();
    bench.device.submit_reply = Some(vec!["+CMS ERROR: 500".into()]);
    let from = bench.now;
    for token in 0..90 {
        bench.submit(token);
        bench.run(60);
    }
    let resets: Vec<_> = bench
        .device
        .commands
        .iter()
        .filter(|(_, line)| line == "AT+CFUN=1,1")
        .map(|(at, _)| (*at - from).as_secs() / 60)
        .collect();
    assert_eq!(resets, [10, 70], "{:?}", bench.submitted());
    assert_eq!(
        bench
            .events
            .iter()
            .filter(|event| **event == Event::RefusesMessages)
            .count(),
        2
    );
}

#[test]
fn m6_a_modem_that_shows_0_is_believed_once_and_then_asked() {
    let mut bench = bench(|bench| bench.device.on("AT+CREG?", &[&["+CREG: 0,1", "OK"]]));
    bench.run(600);
    assert_eq!(bench.modem.counters().restarts, 1);
    assert!(bench.has(&ModemInput::Registration(Registration::Home)));
    assert_eq!(lacks(&bench), [Limitation::RegistrationUrc]);
    bench.device.on("AT+CREG?", &[&["+CREG: 0,5", "OK"]]);
    bench.run(11);
    assert!(bench.has(&ModemInput::Registration(Registration::Roaming)));
}

#[test]
fn m6_starts_in_a_loop_back_off_and_are_told_once() {
    let mut bench = Bench::ready();
    for _ in 0..3600 {
        bench.says("RDY");
        bench.run(1);
    }
    let restarts = bench.modem.counters().restarts;
    assert!((8..=40).contains(&restarts), "{restarts}");
    let told = |wanted: &Event| bench.events.iter().filter(|event| *event == wanted).count();
    assert_eq!(
        (told(&Event::Restarted), told(&Event::RestartsOften)),
        (3, 1)
    );
    bench.run(400);
    assert!(bench.gone() <= 40 && bench.identity().is_some());
    assert_eq!(
        bench
            .news
            .iter()
            .rev()
            .find(|news| matches!(news, ModemInput::Present(_) | ModemInput::Gone))
            .map(|news| *news == ModemInput::Gone),
        Some(false)
    );
}

#[test]
fn m7_what_modems_write_otherwise_is_read() {
    let bench = bench(|bench| {
        bench.device.answers_raw(
            "AT+COPS?",
            "\r\n+COPS: 0,0,\"\r\r\nMobile\r\r\n\"\r\n\r\nOK\r\n",
        );
        bench
            .device
            .on("AT+CCLK?", &[&["+CCLK: 26/07/26,11:42:15+32", "OK"]]);
        bench.device.on("AT+CREG?", &[&["ERROR"]]);
        bench
            .device
            .on("AT+CEREG?", &[&["+CEREG: 2,1, 1F00, 20 ,79D903 ,7", "OK"]]);
        bench.device.on("AT+CEREG=2", &[&["OK"]]);
        let maker =
            "\r\nACME\r\n+CUSD: 0,\"Your balance\r\nis 5.00\r\nthank you\",15\r\n\r\nOK\r\n";
        bench.device.answers_raw("AT+CGMI", maker);
    });
    let operator = bench.news.iter().find_map(|news| match news {
        ModemInput::Operator(Some(operator)) => Some(operator.name.clone()),
        _ => None,
    });
    assert_eq!(operator.as_deref(), Some("Mobile"));
    assert!(
        bench
            .news
            .iter()
            .any(|news| matches!(news, ModemInput::Clock(time) if time.zone == Some(32)))
    );
    assert!(
        bench.has(&ModemInput::Cell(Some(Cell {
            area: 0x1F00,
            id: 0x0079_D903
        }))),
        "{:?}",
        bench.news
    );
    assert_eq!(bench.identity().unwrap().model, "ACME M1");
}

#[test]
fn m7_news_that_come_first_are_no_maker() {
    let bench = bench(|bench| {
        let maker =
            "\r\n+CUSD: 0,\"Your balance\r\nis 5.00\r\nthank you\",15\r\nACME\r\n\r\nOK\r\n";
        bench.device.answers_raw("AT+CGMI", maker);
    });
    assert_eq!(bench.identity().unwrap().model, "ACME M1");
}

#[test]
fn m7_registration_without_quotes_is_news() {
    let mut bench = Bench::ready();
    bench.says("+CREG: 5,0001,0010,0");
    bench.run(2);
    assert!(bench.has(&ModemInput::Registration(Registration::Roaming)));
    assert!(bench.has(&ModemInput::Cell(Some(Cell { area: 1, id: 16 }))));
}

#[test]
fn m8_no_access_point_leaves_the_modem_s_own_alone_and_another_is_logged() {
    let mut bench = Bench::ready();
    bench
        .device
        .on("AT+CGDCONT?", &[&["+CGDCONT: 1,\"IP\",\"own\"", "OK"]]);
    bench.order(ModemOutput::UseApn(Apn::default()));
    bench.run(5);
    assert!(
        !bench
            .commands()
            .iter()
            .any(|command| command.starts_with("AT+CGDCONT="))
    );
    bench.order(ModemOutput::UseApn(Apn {
        name: "cmiot".into(),
        ..Apn::default()
    }));
    bench.run(5);
    assert_eq!(bench.count("AT+CGDCONT=1,\"IP\",\"cmiot\""), 1);
    assert!(bench.events.contains(&Event::ApnSet("cmiot".into())));
}

fn dial(bench: &mut Bench) {
    bench.order(ModemOutput::Dial(PhoneNumber::new("10086").unwrap()));
}

/// Dials, and the first list ends the call, with these words.
fn dial_until_list(bench: &mut Bench, says: Option<&str>) {
    let lists = bench.count("AT+CLCC");
    bench.device.calls = vec!["+CLCC: 1,0,2,0,0,\"10086\",129".into()];
    dial(bench);
    while bench.count("AT+CLCC") == lists {
        bench.run_for(dtu_proto::time::Duration::from_millis(100));
    }
    bench.device.calls.clear();
    says.into_iter().for_each(|line| bench.says(line));
    bench.run(20);
}

/// Two calls are lost to it: the first raises the question, the second answers it. Later ones are dialled without.
#[test]
fn m9_a_call_that_the_list_ends_is_dialled_without_it() {
    for says in [Some("NO CARRIER"), None] {
        let mut bench = Bench::ready();
        let from = bench.now;
        dial_until_list(&mut bench, says);
        dial_until_list(&mut bench, says);
        assert!((bench.now - from).as_secs() > 40);
        assert_eq!(
            bench.calls(),
            [CallNews::Ended(CallEnd::NoCarrier); 2],
            "{says:?}"
        );
        assert_eq!(lacks(&bench), [Limitation::ListWhileDialling], "{says:?}");
        for _ in 0..2 {
            let lists = bench.count("AT+CLCC");
            dial(&mut bench);
            bench.run(5);
            bench.says("^ORIG:1,0");
            bench.run(30);
            assert_eq!(bench.count("AT+CLCC"), lists, "{says:?}");
            bench.device.calls = vec!["+CLCC: 1,0,0,0,0,\"10086\",129".into()];
            bench.says("^CONN:1,0");
            bench.run(2);
            assert_eq!(bench.calls().last(), Some(&CallNews::Answered), "{says:?}");
            // A call that stands is watched as any other.
            bench.run(10);
            assert!(bench.count("AT+CLCC") > lists + 8, "{says:?}");
            bench.device.calls.clear();
            bench.says("NO CARRIER");
            bench.run(5);
        }
        // Without any word, late.
        dial(&mut bench);
        bench.device.calls = vec!["+CLCC: 1,0,0,0,0,\"10086\",129".into()];
        bench.run(70);
        assert_eq!(bench.calls().last(), Some(&CallNews::Answered), "{says:?}");
        assert_eq!(lacks(&bench), [Limitation::ListWhileDialling], "{says:?}");
    }
}

/// Answered before the list was tried: the question stays, and the next call is dialled without as well.
#[test]
fn m9_a_call_that_was_taken_in_time_clears_nothing() {
    let mut bench = Bench::ready();
    dial_until_list(&mut bench, Some("NO CARRIER"));
    for _ in 0..2 {
        let lists = bench.count("AT+CLCC");
        bench.device.calls = vec!["+CLCC: 1,0,0,0,0,\"10086\",129".into()];
        dial(&mut bench);
        bench.run(3);
        assert_eq!(bench.count("AT+CLCC"), lists);
        bench.run(10);
        assert_eq!(bench.calls().last(), Some(&CallNews::Answered));
        bench.order(ModemOutput::HangUp);
        bench.run(2);
    }
}

/// A network that refuses every call at once is no modem whose list ends them.
#[test]
fn m9_a_call_that_ends_without_the_list_as_well_clears_it() {
    let mut bench = Bench::ready();
    dial_until_list(&mut bench, Some("NO CARRIER"));
    dial(&mut bench);
    bench.run(1);
    bench.says("NO CARRIER");
    bench.run(20);
    let lists = bench.count("AT+CLCC");
    bench.device.calls = vec!["+CLCC: 1,0,3,0,0,\"10086\",129".into()];
    dial(&mut bench);
    bench.run(3);
    assert!(bench.count("AT+CLCC") > lists);
    assert_eq!(bench.calls().last(), Some(&CallNews::Alerting));
    assert_eq!(lacks(&bench), []);
}

/// One call that ends at once, and the next that lives: with a list, too.
#[test]
fn m9_a_call_that_outlives_its_list_clears_it() {
    let mut bench = Bench::ready();
    dial_until_list(&mut bench, Some("NO CARRIER"));
    bench.device.calls = vec!["+CLCC: 1,0,2,0,0,\"10086\",129".into()];
    for _ in 0..2 {
        let lists = bench.count("AT+CLCC");
        dial(&mut bench);
        bench.run(12);
        assert!(bench.count("AT+CLCC") > lists + 6);
        bench.order(ModemOutput::HangUp);
        bench.run(2);
    }
    assert_eq!(lacks(&bench), []);
}

/// The dialogue with the simulated modem.
struct Sim {
    rack: Rack,
    modem: Modem,
    now: Instant,
    news: Vec<ModemInput>,
    events: Vec<Event>,
    commands: usize,
    /// The phones that a message has reached.
    delivered: Vec<PhoneNumber>,
}

impl Sim {
    /// The dialogue of so many seconds.
    fn run(odd: &str, seconds: u64) -> Self {
        let mut rack = Rack::new(1, cellular_sim::radio::Settings::default());
        let odd = Oddities::parse(odd).unwrap();
        rack.add(
            Setup {
                odd,
                ..Setup::default()
            },
            cellular_sim::radio::Subscriber::default(),
            Instant::ZERO,
        );
        let mut modem = Modem::new(Settings::default(), Instant::ZERO);
        modem.handle_input(Input::Opened, Instant::ZERO);
        let (news, events) = (Vec::new(), Vec::new());
        let mut sim = Self {
            rack,
            modem,
            now: Instant::ZERO,
            news,
            events,
            commands: 0,
            delivered: Vec::new(),
        };
        sim.run_on(seconds);
        sim
    }

    fn run_on(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while self.now < end {
            self.carry_out();
            let modem = self.modem.poll_timeout().map(|deadline| deadline.at);
            let next = [modem, self.rack.poll_timeout()]
                .into_iter()
                .flatten()
                .min()
                .unwrap_or(end);
            self.now = next.clamp(self.now, end);
            self.rack.handle_timeout(self.now);
            self.modem.handle_timeout(self.now);
        }
        self.carry_out();
    }

    fn carry_out(&mut self) {
        loop {
            if let Some(output) = self.modem.poll_output() {
                self.obey(output);
            } else if let Some(output) = self.rack.poll_output() {
                match output {
                    RackOutput::Bytes(_, bytes) => {
                        self.modem.handle_input(Input::Bytes(&bytes), self.now)
                    }
                    RackOutput::Phone(PhoneEvent::Text { phone, .. }) => self.delivered.push(phone),
                    _ => {}
                }
            } else {
                return;
            }
        }
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::Write(bytes) => {
                self.commands += 1;
                self.rack.read(0, &bytes, self.now);
            }
            Output::Report(news) => {
                if let ModemInput::Message { id, .. } = &news {
                    self.order(&ModemOutput::Taken(*id));
                }
                self.news.push(news);
            }
            Output::Event(event) => self.events.push(event),
            Output::Reopen => self.modem.handle_input(Input::Opened, self.now),
        }
    }

    fn order(&mut self, order: &ModemOutput) {
        self.modem.handle_input(Input::Order(order), self.now);
    }

    fn submit(&mut self, token: u32) -> Option<Result<u8, SubmitFailure>> {
        let data = UserData {
            header: None,
            body: Body::text("out"),
        };
        let submit = Submit::new(Address::number(PHONE).unwrap(), data);
        let pdu = Pdu {
            smsc: None,
            tpdu: Tpdu::Submit(submit),
        }
        .encode()
        .unwrap();
        self.order(&ModemOutput::Submit {
            token,
            pdu: Bytes::from(pdu),
        });
        self.run_on(60);
        self.news.iter().find_map(|news| match news {
            ModemInput::Submitted { token: of, outcome } if *of == token => Some(*outcome),
            _ => None,
        })
    }

    fn lacks(&self) -> Vec<Limitation> {
        self.modem.limitations().collect()
    }
}

/// Whatever is odd about it: it is known, its registration is, nothing runs in circles, and each word is said once.
#[test]
fn m_every_oddity_ends_as_works_with_less_and_says_what_is_missing() {
    for oddity in cellular_sim::modem::Oddity::ALL {
        let sim = Sim::run(oddity.name(), 1800);
        assert!(
            sim.news
                .iter()
                .any(|news| matches!(news, ModemInput::Present(_))),
            "{oddity:?}: unknown"
        );
        assert!(
            sim.commands < 1200,
            "{oddity:?}: {} commands in half an hour",
            sim.commands
        );
        let mut said: Vec<_> = sim
            .events
            .iter()
            .filter(|event| event.level() == modem_proto::Level::Warning)
            .collect();
        said.retain(|event| matches!(event, Event::Limitation(_) | Event::RestartsOften));
        let lines = said.len();
        said.dedup();
        assert_eq!(said.len(), lines, "{oddity:?}");
        let registered = sim
            .news
            .contains(&ModemInput::Registration(Registration::Home));
        assert_eq!(
            registered,
            oddity != cellular_sim::modem::Oddity::Refuses,
            "{oddity:?}"
        );
    }
}

#[test]
fn m_what_is_missing_is_said_by_name() {
    for (odd, wanted) in [
        ("", vec![]),
        ("cpms3", vec![]),
        // In text mode `AT+CMGL=4` is refused.
        ("text-only", vec![Limitation::List]),
        ("cnmi-2", vec![]),
        ("cnmi-0", vec![Limitation::Reports]),
        ("creg-0", vec![Limitation::RegistrationUrc]),
    ] {
        assert_eq!(Sim::run(odd, 600).lacks(), wanted, "{odd}");
    }
    let refuses = Sim::run("refuses", 600).lacks();
    for lack in [
        Limitation::Messages,
        Limitation::Registration,
        Limitation::Signal,
        Limitation::Calls,
    ] {
        assert!(refuses.contains(&lack), "{lack:?} in {refuses:?}");
    }
}

#[test]
fn m_what_is_missing_is_told_to_the_device() {
    let sim = Sim::run("cnmi-0", 600);
    let told = sim.news.iter().rev().find_map(|news| {
        if let ModemInput::Lacks(words) = news {
            Some(&words[..])
        } else {
            None
        }
    });
    assert_eq!(
        told,
        Some(&["no delivery reports (AT+CNMI)".to_owned()][..])
    );
}

/// M: a modem without a name left a gap in the log.
#[test]
fn m_a_modem_without_a_name_is_told_in_words() {
    let known = Event::Identified {
        model: String::new(),
        dialect: "plain",
    };
    assert_eq!(
        known.to_string(),
        "a modem that does not name itself answers (dialect plain)"
    );
}
