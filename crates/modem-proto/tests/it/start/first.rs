//! The first words, echoes, dialects, the user's commands, late answers.

use super::*;

#[test]
fn a_modem_tells_who_it_is_and_what_it_can() {
    let mut bench = Bench::new(Settings::default());
    bench.open();
    bench.run(20);
    let identity = bench.identity().unwrap();
    assert_eq!(
        (identity.imei.as_str(), identity.imsi.as_str()),
        ("867459041234567", "460001234567890")
    );
    assert_eq!(identity.model, "ACME M1");
    assert!(identity.abilities.messages && identity.abilities.calls);
    assert_eq!(sims(&bench), [SimState::Ready]);
    assert!(bench.has(&ModemInput::OwnNumber(PhoneNumber::new("13800138000"))));
    assert!(bench.has(&ModemInput::ServiceCenter(PhoneNumber::new(
        "+8613800531500"
    ))));
    assert_eq!(bench.gone(), 0);
}

#[test]
fn every_framing_of_the_field_is_understood() {
    for (before, behind) in [
        ("\r\n", "\r\n"),
        ("", "\r\n"),
        ("\r\n\r\n", "\r\n\r\n"),
        ("\r\r\n", "\r\n"),
        ("\n", "\r"),
    ] {
        for chunk in [1, 3, usize::MAX] {
            let mut bench = Bench::new(Settings::default());
            bench.device.frame = (before, behind);
            bench.device.chunk = chunk;
            bench.open();
            bench.run(20);
            assert_eq!(
                bench.identity().unwrap().model,
                "ACME M1",
                "{before:?} {behind:?} {chunk}"
            );
            assert_eq!(bench.modem.counters().unanswered, 0);
        }
    }
}

#[test]
fn a_modem_that_cannot_switch_its_echo_off_is_understood() {
    let mut bench = Bench::new(Settings::default());
    bench.device.on("ATE0", &[&["ERROR"]]);
    bench.open();
    bench.run(20);
    assert_eq!(bench.identity().unwrap().model, "ACME M1");
    bench.submit(1);
    bench.run(5);
    assert_eq!(bench.submitted(), [(1, Ok(1))]);
    assert_eq!(bench.gone(), 0);
}

#[test]
fn a_prompt_that_a_former_host_left_is_left_by_esc_and_nothing_is_sent() {
    let mut bench = Bench::new(Settings::default());
    bench.device.leave_in_prompt();
    bench.open();
    bench.run(20);
    assert!(bench.identity().is_some());
    assert!(bench.device.submitted.is_empty());
}

#[test]
fn zeros_and_garbage_of_a_boot_do_no_harm() {
    let mut bench = Bench::new(Settings::default());
    let now = bench.now;
    bench.device.send(now, vec![0; 300]);
    bench.device.send(now, vec![0xFF; 5000]);
    bench
        .device
        .send(now, b"\r\nRDY\r\n\r\n+CFUN: 1\r\n".to_vec());
    bench.open();
    bench.run(20);
    assert!(bench.identity().is_some());
    assert_eq!(bench.modem.counters().overlong_lines, 1);
}

#[test]
fn each_dialect_gets_its_own_commands() {
    let tables = [
        (
            "SIMCOM_Ltd",
            "SIMCOM_SIM800L",
            "AT+CLTS=1",
            "AT+SPIC",
            "AT+CSTT=\"cmiot\",\"u\",\"secret\"",
        ),
        (
            "SIMCOM INCORPORATED",
            "SIM7600E-H",
            "AT+CTZR=1",
            "AT+SPIC",
            "AT+CGAUTH=1,1,\"secret\",\"u\"",
        ),
        (
            "Quectel",
            "EC25",
            "AT+CTZU=3",
            "AT+QPINC=\"SC\"",
            "AT+QICSGP=1,1,\"cmiot\",\"u\",\"secret\",3",
        ),
        (
            "ACME",
            "M1",
            "AT+CTZU=1",
            "AT+CPINR=\"SIM PIN\"",
            "AT+CGAUTH=1,1,\"u\",\"secret\"",
        ),
    ];
    for (maker, model, init, tries, authentication) in tables {
        let mut bench = with_pin("1234");
        bench.device.pin = Some("1234");
        bench.device.on("AT+CGMI", &[&[maker, "OK"]]);
        bench.device.on("AT+CGMM", &[&[model, "OK"]]);
        let apn = Apn {
            name: "cmiot".into(),
            user: "u".into(),
            password: "secret".into(),
        };
        bench.order(ModemOutput::UseApn(apn));
        bench.open();
        bench.run(30);
        for command in [
            init,
            tries,
            "AT+CPIN=\"1234\"",
            "AT+CGDCONT=1,\"IP\",\"cmiot\"",
            authentication,
        ] {
            assert_eq!(
                bench.count(command),
                1,
                "{model}: {command} in {:?}",
                bench.commands()
            );
        }
    }
}

#[test]
fn no_secret_is_ever_logged() {
    let mut bench = with_pin("4711");
    bench.device.pin = Some("4711");
    bench.device.on("ATE0", &[&["ERROR"]]);
    let apn = Apn {
        name: "cmiot".into(),
        user: "u".into(),
        password: "hush".into(),
    };
    bench.order(ModemOutput::UseApn(apn));
    bench.open();
    bench.run(30);
    assert_eq!(bench.device.pins, ["4711"]);
    assert!(
        bench
            .events
            .contains(&Event::Sent("AT+CPIN=\"****\"".into()))
    );
    for event in &bench.events {
        let text = format!("{event} {event:?}");
        assert!(!text.contains("4711") && !text.contains("hush"), "{text}");
    }
}

#[test]
fn commands_of_the_user_are_sent_at_each_start_and_a_refused_one_is_told() {
    let init = vec![
        "AT+QURCCFG=\"urcport\",\"usbat\"".to_owned(),
        "AT+NO".into(),
    ];
    let mut bench = Bench::new(Settings {
        init,
        ..Settings::default()
    });
    bench.device.on("AT+NO", &[&["+CME ERROR: 4"]]);
    bench.open();
    bench.run(20);
    bench.says("RDY");
    bench.run(20);
    assert_eq!(bench.count("AT+QURCCFG=\"urcport\",\"usbat\""), 2);
    let refused = Event::Refused {
        command: "AT+NO".into(),
        why: "+CME ERROR: 4".into(),
    };
    assert!(bench.events.contains(&refused));
}

#[test]
fn what_the_users_commands_set_is_shown_nowhere() {
    let init = vec!["AT+CGAUTH=1,1,\"u\",\"geheim\"".to_owned(), "ATX4".into()];
    let mut bench = Bench::new(Settings {
        init,
        ..Settings::default()
    });
    bench
        .device
        .on("AT+CGAUTH=1,1,\"u\",\"geheim\"", &[&["ERROR"]]);
    bench.open();
    bench.run(20);
    assert!(bench.events.contains(&Event::Sent("AT+CGAUTH=****".into())));
    assert!(bench.events.contains(&Event::Sent("ATX4".into())));
    for event in &bench.events {
        let text = format!("{event} {event:?}");
        assert!(!text.contains("geheim"), "{text}");
    }
}

#[test]
fn a_card_that_is_put_in_later_is_found() {
    let mut bench = Bench::new(Settings::default());
    bench.device.on("AT+CPIN?", &[&["+CME ERROR: 10"]]);
    bench.open();
    bench.run(60);
    assert_eq!(sims(&bench), [SimState::Missing]);
    assert_eq!(bench.identity().unwrap().imsi, "");
    bench.device.replies.clear();
    bench.run(60);
    assert_eq!(sims(&bench), [SimState::Missing, SimState::Ready]);
    assert_eq!(bench.identity().unwrap().imsi, "460001234567890");
}

#[test]
fn a_card_that_is_busy_for_a_while_is_waited_for() {
    let mut bench = Bench::new(Settings::default());
    let busy: &[&str] = &["+CME ERROR: SIM busy"];
    bench.device.on(
        "AT+CPIN?",
        &[busy, busy, busy, busy, &["+CPIN: READY", "OK"]],
    );
    bench.open();
    bench.run(20);
    assert_eq!(sims(&bench), [SimState::Ready]);
}

#[test]
fn a_card_that_is_pulled_is_told() {
    let mut bench = Bench::ready();
    bench.device.on("AT+CPIN?", &[&["+CME ERROR: 10"]]);
    bench.says("+CPIN: NOT INSERTED");
    bench.run(5);
    assert_eq!(sims(&bench), [SimState::Missing]);
}

#[test]
fn a_modem_that_answers_slower_than_it_is_asked_is_understood() {
    for millis in [900, 1044, 1500, 2500, 4500] {
        let mut bench = with_pin("1234");
        bench.device.pin = Some("1234");
        bench.device.delay = Duration::from_millis(millis);
        bench.open();
        bench.run(300);
        assert_eq!(bench.identity().unwrap().model, "ACME M1", "{millis} ms");
        assert_eq!(bench.device.pins, ["1234"], "{millis} ms");
        assert!(bench.events.contains(&Event::PinAccepted));
        assert_eq!(
            (bench.gone(), bench.modem.counters().unanswered),
            (0, 0),
            "{millis} ms"
        );
    }
}

#[test]
fn an_answer_without_its_text_is_the_end_of_an_older_one() {
    let mut bench = Bench::ready();
    bench.device.on("AT+CSQ", &[&["OK"], &["+CSQ: 9,0", "OK"]]);
    bench.run(90);
    let signal = dtu_proto::radio::Signal {
        strength: 9,
        error_rate: 0,
    };
    assert!(bench.has(&ModemInput::Signal(signal)));
    assert_eq!((bench.gone(), bench.modem.counters().unanswered), (0, 1));
}

#[test]
fn a_late_answer_is_not_taken_for_the_next_one() {
    let mut bench = Bench::ready();
    // Signal and registration are asked; the answer to one comes seven seconds later than it may.
    bench.device.answers_raw("AT+CSQ", "");
    let asked = bench.count("AT+CSQ");
    while bench.count("AT+CSQ") == asked {
        bench.run_for(Duration::from_millis(100));
    }
    bench.run_for(Duration::from_millis(5100));
    let now = bench.now;
    bench
        .device
        .send(now, b"\r\n+CSQ: 7,0\r\n\r\nOK\r\n".to_vec());
    bench.device.replies.clear();
    bench
        .device
        .on("AT+CREG?", &[&["+CREG: 2,5,\"00C3\",\"1A2B\"", "OK"]]);
    bench.run(120);
    assert_eq!(bench.modem.counters().unanswered, 1);
    assert_eq!(bench.gone(), 0);
    assert!(bench.has(&ModemInput::Registration(
        dtu_proto::radio::Registration::Roaming
    )));
}
