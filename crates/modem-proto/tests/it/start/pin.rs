//! The card is opened by its PIN, which cannot lock it.

use super::*;

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

/// It was sent to the first card and opened nothing. A second card that needs no PIN says `READY`; then the first one is
/// back. Whether the modem stays, or goes right behind the PIN.
#[test]
fn a_ready_of_another_card_does_not_make_a_pin_in_doubt_good() {
    for goes in [false, true] {
        let mut bench = with_pin("1234");
        bench.device.pin = Some("4321");
        bench.device.on("AT+CPIN=\"1234\"", &[&["OK"]]);
        bench.device.on("AT+CPINR=\"SIM PIN\"", &[&["ERROR"]]);
        bench.open();
        bench.run(2);
        assert_eq!(bench.count("AT+CPIN=\"1234\""), 1);
        for (pin, state) in [(None, SimState::Ready), (Some("4321"), SimState::PinNeeded)] {
            if goes {
                bench.pull();
            }
            bench.run(20);
            bench.device.pin = pin;
            if goes {
                bench.open();
            }
            bench.run(200);
            assert_eq!(sims(&bench).last(), Some(&state), "goes: {goes}");
        }
        assert_eq!(bench.count("AT+CPIN=\"1234\""), 1, "goes: {goes}");
        assert!(pasts(&bench).iter().all(|past| *past == PinHistory::Sent));
    }
}

/// Its last word of the start before, or it does start again: so soon nobody has exchanged the card.
#[test]
fn a_modem_that_restarts_right_behind_the_pin_has_taken_it() {
    let mut bench = with_pin("1234");
    bench.device.pin = Some("1234");
    bench.open();
    while bench.device.pins.is_empty() {
        bench.run_for(Duration::from_millis(10));
    }
    bench.says("RDY");
    bench.run(10);
    assert_eq!(pasts(&bench), [PinHistory::Sent, PinHistory::Accepted]);
}

/// It is in doubt, for the modem was away; the card is the one that took it an hour ago.
#[test]
fn a_ready_of_the_card_that_took_the_pin_before_makes_it_good_again() {
    for (is_same, last) in [(true, PinHistory::Accepted), (false, PinHistory::SentAgain)] {
        let mut bench = with_pin("1234");
        bench.device.pin = Some("1234");
        bench.open();
        bench.run(30);
        assert_eq!(pasts(&bench).last(), Some(&PinHistory::Accepted));
        bench.device.pin = Some("1234");
        bench.says("RDY");
        while bench.device.pins.len() < 2 {
            bench.run_for(Duration::from_millis(10));
        }
        bench.pull();
        bench.run(60);
        if !is_same {
            bench.device.on("AT+CIMI", &[&["460009999999999", "OK"]]);
        }
        bench.open();
        bench.run(60);
        assert_eq!(sims(&bench).last(), Some(&SimState::Ready));
        assert_eq!(
            pasts(&bench).last(),
            Some(&last),
            "the same card: {is_same}"
        );
    }
}

#[test]
fn a_card_that_starts_anew_behind_its_pin_is_neither_missing_nor_in_doubt() {
    for away in ["+CPIN: NOT READY", "+CME ERROR: 10"] {
        let mut bench = with_pin("1234");
        let shut: &[&str] = &["+CPIN: SIM PIN", "OK"];
        let gone: &[&str] = if away.contains("ERROR") {
            &[away]
        } else {
            &[away, "OK"]
        };
        bench
            .device
            .on("AT+CPIN?", &[shut, gone, gone, &["+CPIN: READY", "OK"]]);
        bench.device.on("AT+CPIN=\"1234\"", &[&["OK"]]);
        bench.open();
        bench.run(60);
        assert_eq!(sims(&bench), [SimState::Ready], "{away}");
        assert_eq!(pasts(&bench), [PinHistory::Sent, PinHistory::Accepted]);
    }
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
