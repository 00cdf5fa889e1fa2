//! PDU mode that is refused or lost, PDUs that are none (M2, M3).

use super::*;

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
