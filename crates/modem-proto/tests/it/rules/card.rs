//! The card and its PIN.

use super::*;

fn with_pin(history: PinHistory) -> Settings {
    Settings {
        pin: Pin::new("1234"),
        pin_history: history,
        ..Settings::default()
    }
}

fn sims(bench: &Bench) -> Vec<SimState> {
    let states = bench.news.iter().filter_map(|report| match report {
        ModemInput::Sim(state) => Some(*state),
        _ => None,
    });
    states.collect()
}

/// The card's own number and its service centre may come late.
#[test]
fn what_the_card_has_is_asked_again_while_it_is_busy_and_when_it_is_ready() {
    let bench = opened(40, |bench| {
        bench.device.refuse("AT+CSCA?", "+CME ERROR: 14");
    });
    assert_eq!(seconds(&bench, "AT+CSCA?"), [2, 4, 8, 16]);
    let mut bench = Bench::ready();
    bench.device.commands.clear();
    bench.says("SMS Ready");
    bench.run(2);
    assert_eq!(
        bench.count("AT+CSCA?") + bench.count("AT+CNUM"),
        0,
        "they are known"
    );
    let mut bench = opened(20, |bench| bench.device.on("AT+CNUM", &[&["OK"]]));
    bench.device.commands.clear();
    bench.says("SMS Ready");
    bench.run(2);
    assert_eq!((bench.count("AT+CSCA?"), bench.count("AT+CNUM")), (0, 1));
}

/// 27.007 8.3, 9.2, 27.005 3.2.5: what a card's answer says of it.
#[test]
fn words_and_errors_of_a_card_say_its_state() {
    for (says, state) in [
        ("+CPIN: READY", SimState::Ready),
        ("+CPIN: SIM PIN2", SimState::Ready),
        ("+CPIN: SIM PUK2", SimState::Ready),
        ("+CPIN: SIM PUK", SimState::PukNeeded),
        ("+CPIN: PH-NET PIN", SimState::PukNeeded),
        ("+CPIN: SIM PIN", SimState::PinNeeded),
        ("+CPIN: NOT INSERTED", SimState::Missing),
        ("+CME ERROR: 10", SimState::Missing),
        ("+CME ERROR: 11", SimState::PinNeeded),
        ("+CMS ERROR: 311", SimState::PinNeeded),
        ("+CME ERROR: 12", SimState::PukNeeded),
        ("+CMS ERROR: 316", SimState::PukNeeded),
        ("+CME ERROR: 13", SimState::Missing),
    ] {
        let bench = opened(15, |bench| {
            let lines = [says, "OK"];
            let count = if says.starts_with("+CPIN") { 2 } else { 1 };
            bench.device.on("AT+CPIN?", &[&lines[..count]]);
        });
        assert_eq!(sims(&bench), [state], "{says}");
        let is_used = bench.count("AT+CNMI=2,1,0,1,0") > 0;
        assert_eq!(is_used, state == SimState::Ready, "{says}");
        assert_eq!(
            bench.count("AT+CPINR=\"SIM PIN\""),
            0,
            "there is no PIN to try"
        );
        let missing = logged(&bench, &Event::PinMissing);
        assert_eq!(missing, usize::from(state == SimState::PinNeeded), "{says}");
    }
}

#[test]
fn a_card_is_looked_at_as_often_as_it_may_change() {
    for (says, pause) in [("+CPIN: READY", 120), ("+CPIN: SIM PUK", 30)] {
        let bench = opened(400, |bench| {
            bench.device.on("AT+CPIN?", &[&[says, "OK"]]);
        });
        let pauses = seconds(&bench, "AT+CPIN?");
        assert!(pauses.len() >= 2, "{says}");
        assert!(
            pauses.iter().all(|seen| *seen == pause),
            "{says}: {pauses:?}"
        );
    }
    // A plain refusal three times more, each a second later; then the modem is one that cannot be asked.
    let bench = opened(1000, |bench| bench.device.refuse("AT+CPIN?", "ERROR"));
    assert_eq!(seconds(&bench, "AT+CPIN?"), [1, 1, 1, 300, 300, 300]);
    assert_eq!(sims(&bench), [SimState::Unknown]);
    assert_eq!(limitations(&bench), [Limitation::Sim]);
}

#[test]
fn a_busy_card_is_asked_each_second_for_half_a_minute_and_then_missing() {
    let bench = opened(60, |bench| {
        bench.device.refuse("AT+CPIN?", "+CME ERROR: 14");
    });
    assert_eq!(sims(&bench), [SimState::Missing]);
    assert_eq!(seconds(&bench, "AT+CPIN?"), [1; 30]);
    let bench = opened(60, |bench| {
        bench.device.refuse("AT+CIMI", "+CME ERROR: 14");
    });
    assert_eq!(seconds(&bench, "AT+CIMI"), [1; 30]);
    assert_eq!(bench.identity().unwrap().imsi, "");
}

#[test]
fn a_urc_of_the_card_makes_it_looked_at_where_it_may_say_something_new() {
    for (line, looks) in [
        ("+CPIN: READY", 0),
        ("+CPIN: NOT READY", 1),
        ("+QSIMSTAT: 1,0", 0),
        ("Call Ready", 0),
        ("hello", 0),
    ] {
        let mut bench = Bench::ready();
        bench.device.commands.clear();
        let before = bench.modem.counters().unknown_lines;
        bench.says(line);
        bench.run(3);
        assert_eq!(bench.count("AT+CPIN?"), looks, "{line}");
        let unknown = bench.modem.counters().unknown_lines - before;
        assert_eq!(unknown, u64::from(line == "hello"), "{line}");
    }
    let mut bench = opened(15, |bench| {
        bench.device.on("AT+CPIN?", &[&["+CME ERROR: 10"]]);
    });
    bench.device.commands.clear();
    bench.says("+QSIMSTAT: 1,1");
    bench.run(3);
    assert_eq!(bench.count("AT+CPIN?"), 1, "a card that was missing");
}

/// 31.101: a PIN that was refused, or sent twice in vain, is not even asked about.
#[test]
fn a_pin_that_may_not_be_sent_is_missing_and_its_tries_are_not_asked_for() {
    for history in [PinHistory::Refused, PinHistory::SentTwice] {
        let bench = started(with_pin(history), 15, |bench| {
            bench.device.pin = Some("1234")
        });
        assert_eq!(bench.count("AT+CPINR=\"SIM PIN\""), 0);
        assert_eq!(bench.device.pins.len(), 0);
        assert_eq!(logged(&bench, &Event::PinMissing), 1, "{history:?}");
        assert_eq!(sims(&bench), [SimState::PinNeeded]);
    }
    // In doubt: the card must have all its tries.
    for (tries, sent) in [(2, 0), (3, 1)] {
        let bench = started(with_pin(PinHistory::Sent), 15, |bench| {
            bench.device.pin = Some("1234");
            bench.device.pin_tries = tries;
        });
        assert_eq!(bench.device.pins.len(), sent, "{tries} tries");
    }
}

#[test]
fn the_last_tries_are_withheld_by_number() {
    for (tries, is_withheld) in [(0, true), (1, true), (2, false)] {
        let bench = started(with_pin(PinHistory::Unsent), 15, |bench| {
            bench.device.pin = Some("1234");
            bench.device.pin_tries = tries;
        });
        let withheld = logged(&bench, &Event::PinWithheld(tries));
        assert_eq!(withheld, usize::from(is_withheld), "{tries} tries");
        assert_eq!(bench.device.pins.is_empty(), is_withheld, "{tries} tries");
    }
}

/// What a card was about to do is forgotten with its modem: the next one is asked for its tries at once.
#[test]
fn a_card_that_was_being_opened_is_forgotten_with_its_modem() {
    let mut bench = Bench::new(with_pin(PinHistory::Unsent));
    bench.device.pin = Some("1234");
    bench.device.on("AT+CPIN=\"1234\"", &[&["OK"]]);
    bench.open();
    bench.run(4);
    assert_eq!(bench.count("AT+CPIN=\"1234\""), 1);
    bench.pull();
    bench.device.commands.clear();
    bench.open();
    bench.run(5);
    let commands = bench.commands();
    let at = |wanted: &str| commands.iter().position(|command| *command == wanted);
    let tries = at("AT+CPINR=\"SIM PIN\"").unwrap();
    assert_eq!(at("AT+CPIN?").map(|at| at + 1), Some(tries));
}
