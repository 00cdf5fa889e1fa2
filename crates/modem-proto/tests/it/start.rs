//! From an open device to a modem that is known, silence, restarts, the SIM and its PIN: as timed scripts.
#![allow(missing_docs, clippy::wildcard_enum_match_arm)]

use crate::common;

use common::Bench;
use dtu_proto::config::Apn;
use dtu_proto::radio::{ModemInput, ModemOutput, PhoneNumber, SimState};
use dtu_proto::time::Duration;
use modem_proto::{Event, Input, Pin, PinHistory, Settings};

fn with_pin(pin: &str) -> Bench {
    Bench::new(Settings {
        pin: Pin::new(pin),
        ..Settings::default()
    })
}

fn sims(bench: &Bench) -> Vec<SimState> {
    let state = |news: &ModemInput| match news {
        ModemInput::Sim(state) => Some(*state),
        _ => None,
    };
    bench.news.iter().filter_map(state).collect()
}

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
fn a_pin_opens_the_card_and_what_needs_it_comes_after() {
    let mut bench = with_pin("1234");
    bench.device.pin = Some("1234");
    bench.open();
    bench.run(30);
    assert_eq!(bench.device.pins, ["1234"]);
    assert_eq!(sims(&bench), [SimState::Ready]);
    assert_eq!(bench.identity().unwrap().imsi, "460001234567890");
    assert!(bench.events.contains(&Event::PinAccepted));
    assert_eq!(pasts(&bench), [PinHistory::Sent, PinHistory::Accepted]);
}

/// What a note on the disk went through.
fn pasts(bench: &Bench) -> Vec<PinHistory> {
    let past = |event: &Event| {
        if let Event::PinState(past) = event {
            Some(*past)
        } else {
            None
        }
    };
    bench.events.iter().filter_map(past).collect()
}

/// The program starts again and again, with the same modem and what the note says.
fn later_starts(mut bench: Bench) -> Bench {
    let mut note = PinHistory::Unsent;
    for _ in 0..3 {
        note = pasts(&bench).last().copied().unwrap_or(note);
        let commands = bench.device.commands.len();
        bench = Bench {
            device: bench.device,
            ..with_pin_past("1234", note)
        };
        bench.device.echo = true;
        bench.open();
        bench.run(60);
        assert!(
            bench.device.commands.len() > commands + 5,
            "the start went on"
        );
        assert!(bench.events.contains(&Event::PinMissing));
    }
    bench
}

fn with_pin_past(pin: &str, pin_history: PinHistory) -> Bench {
    Bench::new(Settings {
        pin: Pin::new(pin),
        pin_history,
        ..Settings::default()
    })
}

/// Four starts with a state folder that could not be written locked the card.
#[test]
fn k6_a_pin_that_cannot_be_noted_stays_here_and_the_rest_works() {
    let mut bench = with_pin("9999");
    bench.keeps_notes = false;
    bench.device.pin = Some("1234");
    bench.open();
    bench.run(300);
    bench.order(ModemOutput::Reset);
    bench.run(300);
    assert_eq!(
        (bench.count("AT+CPIN=\"9999\""), sims(&bench).first()),
        (0, Some(&SimState::PinNeeded))
    );
    assert_eq!(pasts(&bench), [PinHistory::Sent], "said to the host once");
    assert!(
        !bench
            .events
            .iter()
            .any(|event| matches!(event, Event::Sent(text) if text.contains("CPIN=")))
    );
    // A person opens the card: that says nothing of the PIN of the settings.
    bench.device.pin = None;
    bench.run(60);
    assert_eq!(sims(&bench).last(), Some(&SimState::Ready));
    assert!(!bench.events.contains(&Event::PinAccepted));
    // At the wrong moment it means nothing.
    bench.modem.handle_input(Input::PinNotSaved, bench.now);
    bench.run(300);
    assert_eq!(sims(&bench).last(), Some(&SimState::Ready));
}

/// It was sent 48 times in 48 s.
#[test]
fn k6_an_ok_that_opens_nothing_counts_as_a_try() {
    for (tries, sent) in [("+CPINR: SIM PIN,3,3", 2), ("+CPINR: SIM PIN,2,3", 1)] {
        let mut bench = with_pin("1234");
        bench.device.pin = Some("1234");
        bench.device.on("AT+CPIN=\"1234\"", &[&["OK"]]);
        bench.device.on(
            "AT+CPINR=\"SIM PIN\"",
            &[&["+CPINR: SIM PIN,3,3", "OK"], &[tries, "OK"]],
        );
        bench.open();
        bench.run(600);
        assert_eq!(bench.count("AT+CPIN=\"1234\""), sent, "{tries}");
        assert_eq!(
            bench
                .events
                .iter()
                .filter(|event| **event == Event::PinWithoutEffect)
                .count(),
            sent
        );
        assert!(!bench.events.contains(&Event::PinAccepted));
        assert_eq!(sims(&bench), [SimState::PinNeeded]);
        let bench = later_starts(bench);
        assert_eq!(
            bench.count("AT+CPIN=\"1234\""),
            sent,
            "{tries}: later starts"
        );
    }
}

#[test]
fn k6_a_card_that_needs_some_seconds_to_open_gets_its_pin_once() {
    let mut bench = with_pin("1234");
    let shut: &[&str] = &["+CPIN: SIM PIN", "OK"];
    bench.device.on(
        "AT+CPIN?",
        &[shut, shut, shut, shut, shut, shut, &["+CPIN: READY", "OK"]],
    );
    bench.device.on("AT+CPIN=\"1234\"", &[&["OK"]]);
    bench.open();
    bench.run(60);
    assert_eq!(bench.count("AT+CPIN=\"1234\""), 1);
    assert_eq!(
        (sims(&bench), pasts(&bench)),
        (
            vec![SimState::Ready],
            vec![PinHistory::Sent, PinHistory::Accepted]
        )
    );
    assert!(!bench.events.contains(&Event::PinWithoutEffect));
}

/// A modem whose count of tries stands still had the PIN refused at each start, until the card was locked.
#[test]
fn k6_a_refused_pin_is_never_sent_again_whatever_the_modem_says_of_its_tries() {
    for refusal in [
        "+CME ERROR: 16",
        "+CME ERROR: incorrect password",
        "+CME ERROR: 3",
        "ERROR",
    ] {
        let mut bench = with_pin("1234");
        bench.device.pin = Some("4321");
        bench.device.on("AT+CPIN=\"1234\"", &[&[refusal]]);
        bench.open();
        bench.run(60);
        assert_eq!(
            pasts(&bench),
            [PinHistory::Sent, PinHistory::Refused],
            "{refusal}"
        );
        let bench = later_starts(bench);
        assert_eq!(bench.count("AT+CPIN=\"1234\""), 1, "{refusal}");
    }
}

#[test]
fn k6_a_person_who_unlocks_the_card_does_not_make_a_refused_pin_good() {
    let mut bench = with_pin("9999");
    bench.device.pin = Some("1234");
    bench.open();
    bench.run(60);
    bench.device.pin = None;
    bench.run(60);
    assert_eq!(sims(&bench), [SimState::PinNeeded, SimState::Ready]);
    bench.device.pin = Some("1234");
    bench.says("RDY");
    bench.run(120);
    assert_eq!(bench.device.pins, ["9999"]);
    assert_eq!(pasts(&bench), [PinHistory::Sent, PinHistory::Refused]);
}

#[test]
fn k6_a_card_that_was_busy_has_not_looked_at_the_pin() {
    let mut bench = with_pin("1234");
    bench.device.pin = Some("1234");
    bench.device.on("AT+CPIN=\"1234\"", &[&["+CME ERROR: 14"]]);
    bench.open();
    bench.run(25);
    assert_eq!(bench.count("AT+CPIN=\"1234\""), 1);
    bench.device.replies.clear();
    bench.run(60);
    assert_eq!(
        (sims(&bench), bench.device.pins.len()),
        (vec![SimState::Ready], 1)
    );
}

#[test]
fn a_wrong_pin_is_sent_once_whatever_restarts() {
    let mut bench = with_pin("9999");
    bench.device.pin = Some("1234");
    bench.device.on("AT+CPINR=\"SIM PIN\"", &[&["ERROR"]]);
    bench.open();
    bench.run(300);
    bench.says("RDY");
    bench.run(300);
    bench.order(ModemOutput::Reset);
    bench.run(300);
    bench.pull();
    bench.open();
    bench.run(300);
    assert_eq!(bench.device.pins, ["9999"]);
    assert_eq!(sims(&bench).last(), Some(&SimState::PinNeeded));
    assert!(bench.events.contains(&Event::PinRefused));
}

#[test]
fn a_pin_that_was_sent_before_this_program_started_is_sent_again_only_if_it_cost_no_try() {
    for (tries, sent) in [
        ("+CPINR: SIM PIN,2,3", 0),
        ("+CPINR: SIM PIN,3,3", 1),
        ("", 0),
    ] {
        let mut bench = with_pin_past("1234", PinHistory::Sent);
        bench.device.pin = Some("1234");
        let refused: &[&str] = &["ERROR"];
        let answer: &[&str] = &[tries, "OK"];
        bench.device.on(
            "AT+CPINR=\"SIM PIN\"",
            &[if tries.is_empty() { refused } else { answer }],
        );
        bench.open();
        bench.run(300);
        assert_eq!(bench.device.pins.len(), sent, "{tries}");
        assert_eq!(
            bench
                .events
                .iter()
                .filter(|event| **event == Event::PinMissing)
                .count(),
            1 - sent
        );
    }
}

/// Whatever became of it: somebody may have exchanged the card, and not every modem's count can be trusted.
#[test]
fn k6_a_pin_goes_out_twice_at_most_until_a_card_is_seen_to_take_it() {
    let opens_nothing: &[&[&str]] = &[&["OK", "+CPIN: SIM PIN"]];
    // The count of the card, what is noted, and how often the PIN goes out in an hour.
    for (tries, past, sent) in [
        ("+CPINR: SIM PIN,3,3", PinHistory::Accepted, 2),
        ("+CPINR: SIM PIN,2,3", PinHistory::Accepted, 1),
        ("+CPINR: SIM PIN,2,3", PinHistory::SentAgain, 0),
        ("", PinHistory::Accepted, 1),
        ("", PinHistory::SentAgain, 0),
        ("+CPINR: SIM PIN,3,3", PinHistory::Unsent, 2),
    ] {
        for answer in [&[&[] as &[&str]] as &[&[&str]], opens_nothing] {
            let mut bench = with_pin_past("1234", past);
            bench.device.pin = Some("4321");
            bench.device.on("AT+CPIN=\"1234\"", answer);
            let refused: &[&str] = &["ERROR"];
            let count: &[&str] = &[tries, "OK"];
            bench.device.on(
                "AT+CPINR=\"SIM PIN\"",
                &[if tries.is_empty() { refused } else { count }],
            );
            bench.open();
            bench.run(3600);
            assert_eq!(
                bench.count("AT+CPIN=\"1234\""),
                sent,
                "{tries} {past:?} {:?}",
                pasts(&bench)
            );
        }
    }
}

/// It may be another card by now. The note is written again when nothing has opened: a disk that was full may take it.
#[test]
fn k6_a_pin_that_was_right_and_opens_nothing_is_sent_twice_at_most() {
    let mut bench = with_pin_past("1234", PinHistory::Accepted);
    bench.device.pin = Some("4321");
    bench.device.on("AT+CPIN=\"1234\"", &[&["OK"]]);
    bench.open();
    bench.run(600);
    assert_eq!(
        pasts(&bench),
        [
            PinHistory::SentAgain,
            PinHistory::SentAgain,
            PinHistory::SentTwice,
            PinHistory::SentTwice
        ]
    );
    assert_eq!(bench.count("AT+CPIN=\"1234\""), 2);
}

#[test]
fn the_last_try_of_a_pin_is_left_to_a_person() {
    for tries in [0, 1] {
        let mut bench = with_pin("1234");
        bench.device.pin = Some("1234");
        bench.device.pin_tries = tries;
        bench.open();
        bench.run(300);
        assert!(bench.device.pins.is_empty());
        assert!(bench.events.contains(&Event::PinWithheld(tries)));
        assert_eq!(sims(&bench), [SimState::PinNeeded]);
    }
}

#[test]
fn a_pin_whose_answers_are_lost_is_sent_twice_at_most() {
    let mut bench = with_pin("1234");
    bench.device.pin = Some("1234");
    bench.device.never_answers("AT+CPIN=\"1234\"");
    bench.open();
    bench.run(600);
    assert_eq!(
        bench.count("AT+CPIN=\"1234\""),
        2,
        "the card has all its tries"
    );
    let mut bench = with_pin("1234");
    bench.device.pin = Some("1234");
    bench.device.on("AT+CPINR=\"SIM PIN\"", &[&["ERROR"]]);
    bench.device.never_answers("AT+CPIN=\"1234\"");
    bench.open();
    bench.run(600);
    assert_eq!(bench.count("AT+CPIN=\"1234\""), 1, "nobody knows");
}

#[test]
fn a_good_pin_is_sent_again_after_a_restart_of_the_modem() {
    let mut bench = with_pin("1234");
    bench.device.pin = Some("1234");
    bench.open();
    bench.run(30);
    bench.device.pin = Some("1234");
    bench.says("RDY");
    bench.run(30);
    assert_eq!(bench.device.pins, ["1234", "1234"]);
    assert_eq!(sims(&bench), [SimState::Ready, SimState::Ready]);
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
fn a_modem_silent_for_a_minute_goes_on_as_if_nothing_had_been() {
    let mut bench = Bench::ready();
    bench.run(7);
    bench.device.silent = true;
    bench.run(60);
    bench.device.silent = false;
    bench.run(60);
    assert_eq!(bench.gone(), 0);
    assert_eq!(bench.identity(), None, "introduced once");
    assert!(bench.events.contains(&Event::Silent) && bench.events.contains(&Event::AnswersAgain));
    bench.submit(1);
    bench.run(5);
    assert_eq!(bench.submitted(), [(1, Ok(1))]);
}

#[test]
fn a_modem_silent_for_longer_is_gone_told_to_restart_and_opened_again() {
    let mut bench = Bench::ready();
    bench.device.silent = true;
    bench.run(150);
    assert_eq!(bench.gone(), 1);
    assert_eq!(bench.reopens.len(), 1);
    assert!(bench.events.contains(&Event::Sent("AT+CFUN=1,1".into())));
    bench.run(600);
    assert!(bench.reopens.len() > 2, "it is opened again and again");
    assert_eq!(
        bench
            .events
            .iter()
            .filter(|event| matches!(event, Event::NoAnswer(_)))
            .count(),
        1
    );
    bench.device.silent = false;
    bench.run(60);
    assert!(bench.identity().is_some());
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

#[test]
fn a_modem_that_restarts_by_itself_is_gone_and_introduced_again() {
    for line in ["RDY", "NORMAL POWER DOWN", "^SYSSTART"] {
        let mut bench = Bench::ready();
        bench.device.echo = true;
        bench.says(line);
        bench.run(20);
        assert_eq!(bench.gone(), 1, "{line}");
        assert!(bench.identity().is_some());
    }
}

#[test]
fn a_restart_without_a_word_is_seen_by_the_echo() {
    let mut bench = Bench::ready();
    bench.device.echo = true;
    bench.run(60);
    assert_eq!(bench.gone(), 1);
    assert!(bench.identity().is_some() && bench.events.contains(&Event::Restarted));
}

#[test]
fn a_restart_without_a_word_is_seen_by_what_it_forgot() {
    let mut bench = Bench::ready();
    bench
        .device
        .on("AT+CREG?", &[&["+CREG: 0,1", "OK"], &["+CREG: 2,1", "OK"]]);
    bench.run(90);
    assert_eq!((bench.gone(), bench.modem.counters().restarts), (1, 1));
}

#[test]
fn a_modem_that_vanishes_and_comes_back_under_another_name_starts_over() {
    let mut bench = Bench::ready();
    bench.submit(9);
    bench.pull();
    assert_eq!(
        bench.submitted(),
        [(9, Err(dtu_proto::radio::SubmitFailure::NO_MODEM))]
    );
    assert_eq!(bench.news.last(), Some(&ModemInput::Gone));
    bench.run(100);
    bench.device = common::Device::default();
    bench.device.on("AT+CGSN", &[&["111111111111119", "OK"]]);
    bench.open();
    bench.run(20);
    assert_eq!(bench.identity().unwrap().imei, "111111111111119");
}

#[test]
fn a_reset_is_done_by_command_and_the_modem_is_introduced_again() {
    let mut bench = Bench::ready();
    bench.order(ModemOutput::Reset);
    bench.run(60);
    assert_eq!(bench.count("AT+CFUN=1,1"), 1);
    assert_eq!(bench.gone(), 1);
    assert!(bench.identity().is_some() && bench.reopens.is_empty());
}

#[test]
fn a_reset_that_the_modem_refuses_opens_the_device_again() {
    let mut bench = Bench::ready();
    bench.device.on("AT+CFUN=1,1", &[&["ERROR"]]);
    bench.order(ModemOutput::Reset);
    bench.run(60);
    assert_eq!(bench.reopens.len(), 1);
    assert!(bench.identity().is_some());
}

#[test]
fn a_modem_that_refuses_even_at_is_opened_again() {
    let mut bench = Bench::new(Settings::default());
    for probe in ["AT", "ATQ0V1E0"] {
        bench.device.on(probe, &[&["ERROR"]]);
    }
    bench.open();
    bench.run(200);
    assert!((2..=8).contains(&bench.reopens.len()) && bench.news.is_empty());
    assert!(
        bench
            .events
            .iter()
            .any(|event| matches!(event, Event::NoAnswer(_)))
    );
    bench.device.replies.clear();
    bench.run(90);
    assert!(bench.identity().is_some());
}

#[test]
fn a_device_that_is_no_modem_is_not_told_to_restart() {
    let mut bench = Bench::new(Settings::default());
    bench.device.silent = true;
    bench.open();
    bench.run(400);
    let resets = bench
        .events
        .iter()
        .filter(|event| event.to_string().contains("CFUN"))
        .count();
    assert_eq!((resets, bench.news.len()), (0, 0));
    assert!(!bench.reopens.is_empty());
}
