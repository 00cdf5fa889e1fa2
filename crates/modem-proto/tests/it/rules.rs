//! Rules of registration, card, data and calls that nothing else guards: each as a timed script.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

use dtu_proto::config::Apn;
use dtu_proto::radio::{Cell, ModemInput, ModemOutput, Operator, PhoneNumber, Signal, SimState};
use dtu_proto::time::Duration;
use modem_proto::{Event, Limitation, Pin, PinHistory, Settings};

use crate::common::{Bench, limitations, opened, seconds, started};

fn with_pin(history: PinHistory) -> Settings {
    Settings {
        pin: Pin::new("1234"),
        pin_history: history,
        ..Settings::default()
    }
}

fn logged(bench: &Bench, event: &Event) -> usize {
    bench.events.iter().filter(|seen| *seen == event).count()
}

fn sims(bench: &Bench) -> Vec<SimState> {
    let states = bench.news.iter().filter_map(|report| match report {
        ModemInput::Sim(state) => Some(*state),
        _ => None,
    });
    states.collect()
}

fn signals(bench: &Bench) -> Vec<(u8, u8)> {
    let signals = bench.news.iter().filter_map(|report| match report {
        ModemInput::Signal(Signal {
            strength,
            error_rate,
        }) => Some((*strength, *error_rate)),
        _ => None,
    });
    signals.collect()
}

fn cells(bench: &Bench) -> Vec<Option<(u32, u32)>> {
    let cells = bench.news.iter().filter_map(|report| match report {
        ModemInput::Cell(cell) => Some(cell.map(|Cell { area, id }| (area, id))),
        _ => None,
    });
    cells.collect()
}

#[test]
fn each_question_is_asked_again_at_its_time() {
    let mut bench = Bench::ready();
    bench.device.commands.clear();
    bench.run(8000);
    for (command, pause) in [
        ("AT+CSQ", 30),
        ("AT+CREG?", 60),
        ("AT+CPIN?", 120),
        ("AT+CMGL=4", 300),
        ("AT+COPS=3,2", 600),
        ("AT+COPS=3,0", 600),
        ("AT+CCLK?", 3600),
    ] {
        let pauses = seconds(&bench, command);
        assert!(!pauses.is_empty(), "{command}");
        assert!(
            pauses.iter().all(|seen| *seen == pause),
            "{command}: {pauses:?}"
        );
    }
}

#[test]
fn a_question_that_is_refused_is_asked_less_and_less_often() {
    let mut bench = Bench::ready();
    bench.device.commands.clear();
    bench.device.refuse("AT+CSQ", "ERROR");
    bench.device.refuse("AT+CREG?", "ERROR");
    bench.run(1500);
    let pauses = seconds(&bench, "AT+CSQ");
    assert_eq!(pauses, [30, 30, 30, 30, 32, 64, 128, 256, 300, 300]);
    let pauses = seconds(&bench, "AT+CREG?");
    assert_eq!(pauses, [60, 60, 60, 60, 60, 64, 128, 256, 300, 300]);
}

#[test]
fn urcs_of_the_signal_are_those_of_all_makers() {
    let mut bench = Bench::ready();
    for (line, signal) in [
        ("+CSQ: 17,3", (17, 3)),
        ("+CSQN: 18,7", (18, 7)),
        ("+QIND: \"csq\",19,8", (19, 99)),
        ("+CSQ: 103,0", (0, 0)),
        ("+CSQ: 105,0", (1, 0)),
        ("+CSQ: 192,0", (99, 0)),
    ] {
        bench.says(line);
        bench.run(1);
        assert_eq!(signals(&bench).last(), Some(&signal), "{line}");
    }
    assert_eq!(bench.modem.counters().unknown_lines, 0);
}

/// 27.007 7.2: `+CREG: stat,lac,ci,AcT`; some put the routing area, two digits, in front of the cell.
#[test]
fn the_cell_stands_behind_the_area_or_behind_the_routing_area() {
    let mut bench = Bench::ready();
    for (line, cell) in [
        ("+CREG: 1,\"00C4\",\"1A2B\",0", Some((0xC4, 0x1A2B))),
        ("+CREG: 1,\"00C5\",\"2A\",\"1A2B\",0", Some((0xC5, 0x1A2B))),
        ("+CREG: 1,\"00C6\",\"2A\",\"7\",0", Some((0xC6, 0x2A))),
        ("+CREG: 1,\"00C7\",\"1A2B\",\"777\",0", Some((0xC7, 0x1A2B))),
        ("+CREG: 1,\"00C8\",\"2A\",\"1A2B\"", Some((0xC8, 0x2A))),
        ("+CREG: 2,\"00C8\",\"2A\"", None),
    ] {
        bench.says(line);
        bench.run(1);
        assert_eq!(cells(&bench).last(), Some(&cell), "{line}");
    }
}

#[test]
fn a_registration_that_no_domain_shows_is_missing_at_once_and_not_before() {
    let refuse = |bench: &mut Bench| bench.device.refuse("AT+CREG?", "ERROR");
    let bench = opened(15, refuse);
    assert_eq!(limitations(&bench), [Limitation::Registration]);
    let bench = opened(15, |bench| {
        refuse(bench);
        bench.device.on("AT+CEREG=2", &[&["OK"]]);
        bench.device.on("AT+CEREG?", &[&["+CEREG: 2,1", "OK"]]);
    });
    assert_eq!(limitations(&bench), []);
    let said = bench.events.iter();
    let mut said = said.filter(|event| matches!(event, Event::Limitation(_)));
    assert!(
        said.next().is_none(),
        "before LTE was asked it is not known"
    );
}

/// 27.007 7.3: the code by format 2, the name by format 0; a modem that ignores the format gives one of them.
#[test]
fn an_operator_has_a_code_of_five_digits_and_a_name() {
    for (shown, code, name) in [
        ("46000", "46000", ""),
        ("4600", "", "4600"),
        ("CHINA", "", "CHINA"),
        ("46O00", "", "46O00"),
    ] {
        let bench = opened(20, |bench| {
            let line = format!("+COPS: 0,0,\"{shown}\"");
            bench.device.on("AT+COPS?", &[&[&line, "OK"]]);
        });
        let operator = Operator {
            code: code.into(),
            name: name.into(),
        };
        assert!(bench.has(&ModemInput::Operator(Some(operator))), "{shown}");
    }
    let bench = opened(20, |bench| {
        bench.device.on("AT+COPS?", &[&["+COPS: 0", "OK"]]);
    });
    let known = bench.news.iter();
    let mut known = known.filter(|report| matches!(report, ModemInput::Operator(Some(_))));
    assert!(known.next().is_none());
}

#[test]
fn a_lost_registration_takes_operator_and_cell_away_and_a_new_one_asks_for_them() {
    let mut bench = Bench::ready();
    bench.says("+CREG: 2");
    bench.run(1);
    assert!(bench.has(&ModemInput::Operator(None)));
    assert!(bench.has(&ModemInput::Cell(None)));
    bench.device.commands.clear();
    bench.says("+CREG: 5,\"00C3\",\"1A2B\"");
    bench.run(4);
    for command in ["AT+COPS=3,2", "AT+COPS=3,0", "AT+CSQ", "AT+CCLK?"] {
        assert!(bench.count(command) >= 1, "{command}");
    }
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

#[test]
fn each_line_that_means_nothing_is_counted() {
    let mut bench = Bench::ready();
    let before = bench.modem.counters().unknown_lines;
    for line in ["hello", "world", "+XYZ: 1"] {
        bench.says(line);
        bench.run(1);
    }
    assert_eq!(bench.modem.counters().unknown_lines - before, 3);
}

#[test]
fn an_echo_of_a_message_is_no_unknown_line() {
    let mut bench = Bench::new(Settings::default());
    bench.device.refuse("ATE0", "ERROR");
    bench.open();
    bench.run(20);
    let before = bench.modem.counters().unknown_lines;
    bench.submit(1);
    bench.run(5);
    assert_eq!(bench.submitted(), [(1, Ok(1))]);
    assert_eq!(bench.modem.counters().unknown_lines, before);
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

fn apn(name: &str, user: &str) -> Apn {
    Apn {
        name: name.into(),
        user: user.into(),
        password: user.into(),
    }
}

/// 27.007 10.1.1, 10.1.31: set once, whichever case the modem shows it in; user and password are taken back.
#[test]
fn an_access_point_is_set_where_the_modem_shows_another_one() {
    for (shown, is_set) in [
        ("+CGDCONT: 1,\"IP\",\"CMNET\"", false),
        ("+CGDCONT: 2,\"IP\",\"cmnet\"", true),
        ("+CGDCONT: 1,\"IP\",\"cmnet2\"", true),
    ] {
        let mut bench = Bench::ready();
        bench.device.on("AT+CGDCONT?", &[&[shown, "OK"]]);
        bench.order(ModemOutput::UseApn(apn("cmnet", "")));
        bench.run(5);
        let count = bench.count("AT+CGDCONT=1,\"IP\",\"cmnet\"");
        assert_eq!(count, usize::from(is_set), "{shown}");
        assert_eq!(
            bench.count("AT+CGAUTH=1,0"),
            0,
            "there is nothing to take back"
        );
    }
    let mut bench = Bench::ready();
    bench.order(ModemOutput::UseApn(apn("cmnet", "me")));
    bench.run(5);
    assert_eq!(bench.count("AT+CGAUTH=1,1,\"me\",\"me\""), 1);
    bench.order(ModemOutput::UseApn(apn("cmnet", "")));
    bench.run(5);
    assert_eq!(bench.count("AT+CGAUTH=1,0"), 1);
}

#[test]
fn an_access_point_that_changes_while_the_old_one_is_set_is_set_next() {
    let mut bench = Bench::ready();
    bench.device.delay = Duration::from_secs(2);
    bench.order(ModemOutput::UseApn(apn("first", "")));
    bench.run(3);
    bench.order(ModemOutput::UseApn(apn("second", "")));
    bench.run(20);
    assert_eq!(bench.count("AT+CGDCONT?"), 2);
    assert_eq!(bench.count("AT+CGDCONT=1,\"IP\",\"second\""), 1);
    bench.device.commands.clear();
    bench.order(ModemOutput::UseApn(apn("second", "")));
    bench.run(20);
    assert_eq!(bench.count("AT+CGDCONT?"), 0, "the same again");
}

fn connected(change: impl FnOnce(&mut Bench)) -> Bench {
    let settings = Settings {
        activate: true,
        ..Settings::default()
    };
    let mut bench = started(settings, 20, change);
    bench.order(ModemOutput::UseApn(apn("cmnet", "")));
    bench.run(10);
    bench
}

fn addresses(bench: &Bench) -> Vec<Option<String>> {
    let changes = bench.news.iter().filter_map(|report| match report {
        ModemInput::Attached(address) => Some(Some(address.to_string())),
        ModemInput::Detached => Some(None),
        _ => None,
    });
    changes.collect()
}

/// 27.007 10.1.10, 10.1.12, 10.1.23: context 1 counts, and a URC makes the look come soon.
#[test]
fn a_connection_is_looked_at_each_minute_and_soon_after_a_urc() {
    let address = |bench: &mut Bench| {
        let lines = ["+CGPADDR: 1,\"10.0.0.2\"", "OK"];
        bench.device.on("AT+CGPADDR=1", &[&lines]);
        let lines = ["+CGACT: 2,0", "+CGACT: 1,1", "OK"];
        bench.device.on("AT+CGACT?", &[&lines]);
    };
    let mut bench = connected(address);
    assert_eq!(addresses(&bench), [Some("10.0.0.2".into())]);
    bench.run(200);
    assert_eq!(seconds(&bench, "AT+CGACT?"), [60, 60]);
    bench.device.commands.clear();
    let unknown = bench.modem.counters().unknown_lines;
    bench.says("+CGEV: NW DEACT");
    bench.run(3);
    assert_eq!(bench.count("AT+CGACT?"), 1);
    assert_eq!(bench.modem.counters().unknown_lines, unknown);
    bench
        .device
        .on("AT+CGACT?", &[&["+CGACT: 2,1", "+CGACT: 1,0", "OK"]]);
    bench.says("+CGEV: NW DEACT");
    bench.run(3);
    assert_eq!(
        addresses(&bench).get(1),
        Some(&None),
        "lost, and opened again"
    );
    bench.run(3);
    assert_eq!(addresses(&bench).len(), 3);
    // Without a wish for it nothing is asked.
    let mut bench = Bench::ready();
    bench.says("+CGEV: NW DEACT");
    bench.run(5);
    assert_eq!(bench.count("AT+CGACT?"), 0);
}

#[test]
fn a_connection_that_is_refused_is_tried_again_after_half_a_minute() {
    let mut bench = connected(|bench| bench.device.refuse("AT+CGACT=1,1", "+CME ERROR: 30"));
    bench.run(70);
    assert_eq!(seconds(&bench, "AT+CGACT=1,1"), [30, 30]);
    assert_eq!(limitations(&bench), [Limitation::Connection]);
    for (shown, is_one) in [("0.0.0.0", false), ("10.0.0.3", true)] {
        let line = format!("+CGPADDR: 1,{shown}");
        let bench = connected(|bench| {
            bench.device.on("AT+CGPADDR=1", &[&[&line, "OK"]]);
        });
        assert_eq!(!addresses(&bench).is_empty(), is_one, "{shown}");
    }
}

#[test]
fn an_attach_that_is_not_answered_is_tried_again() {
    let mut bench = connected(|bench| bench.device.never_answers("AT+CGATT=1"));
    bench.run(150);
    assert_eq!(bench.count("AT+CGATT=1"), 2);
    assert_eq!(bench.count("AT+CGACT=1,1"), 0);
    let bench = connected(|bench| bench.device.refuse("AT+CGATT=1", "ERROR"));
    assert_eq!(bench.count("AT+CGACT=1,1"), 1, "many attach by themselves");
}

#[test]
fn the_character_set_is_gsm_only_where_ira_is_refused() {
    let bench = opened(15, |bench| bench.device.refuse("AT+CSCS=\"IRA\"", "ERROR"));
    assert_eq!(bench.count("AT+CSCS=\"GSM\""), 1);
    assert_eq!(opened(15, |_| {}).count("AT+CSCS=\"GSM\""), 0);
}

/// What is asked of a silent modem, and how long each waits: 1 s three times, 2 s three times, 4 s, then 8 s.
#[test]
fn a_silent_modem_is_asked_in_all_the_ways_that_may_wake_it() {
    let bench = opened(30, |bench| bench.device.silent = true);
    let sent = bench.events.iter().filter_map(|event| match event {
        Event::Sent(line) => Some(line.as_str()),
        _ => None,
    });
    let sent: Vec<_> = sent.collect();
    let round = ["AT", "\u{1b}AT", "ATQ0V1E0", "+++"];
    let wanted: Vec<_> = round.iter().cycle().take(sent.len()).copied().collect();
    assert_eq!(sent, wanted);
    assert_eq!(sent.len(), 11, "after 0 1 2 3 5 7 9 13 17 21 29 s");
    assert_eq!(logged(&bench, &Event::NoAnswer(Duration::from_secs(7))), 1);
}

#[test]
fn a_modem_that_refuses_at_is_asked_quickly_three_times_and_then_slowly() {
    let bench = opened(12, |bench| bench.device.refuse("A", "ERROR"));
    let times: Vec<_> = bench.device.commands.iter().map(|(at, _)| *at).collect();
    let pairs = times.windows(2);
    let pauses: Vec<_> = pairs.map(|pair| (pair[1] - pair[0]).as_millis()).collect();
    assert!(pauses[..2].iter().all(|pause| *pause < 400), "{pauses:?}");
    assert!(pauses[3..].iter().all(|pause| *pause > 1000), "{pauses:?}");
}

#[test]
fn a_modem_that_answers_late_at_the_start_does_not_answer_again() {
    let mut bench = Bench::new(Settings::default());
    bench.device.silent = true;
    bench.open();
    bench.run(15);
    bench.device.silent = false;
    bench.run(20);
    assert!(bench.identity().is_some());
    assert_eq!(logged(&bench, &Event::AnswersAgain), 0);
    bench.device.silent = true;
    bench.run(60);
    assert_eq!(logged(&bench, &Event::Silent), 1);
    bench.device.silent = false;
    bench.run(20);
    assert_eq!(logged(&bench, &Event::AnswersAgain), 1);
    // A short silence is not worth a word.
    bench.device.never_answers("AT+CSQ");
    bench.run(60);
    assert_eq!(logged(&bench, &Event::AnswersAgain), 1);
}

#[test]
fn a_call_of_a_modem_that_lists_none_stops_ringing_after_8_seconds() {
    let mut bench = opened(20, |bench| bench.device.refuse("AT+CLCC", "ERROR"));
    bench.news.clear();
    bench.says("RING");
    bench.run(5);
    bench.says("+CLIP: \"10086\",129");
    bench.run(7);
    assert_eq!(bench.calls().len(), 1, "{:?}", bench.calls());
    bench.run(2);
    assert_eq!(bench.calls().len(), 2, "{:?}", bench.calls());
}

#[test]
fn a_call_is_dialled_to_its_number_once() {
    let mut bench = Bench::ready();
    bench.device.calls = vec!["+CLCC: 1,0,2,0,0".into()];
    let number = PhoneNumber::new("10086").unwrap();
    bench.order(ModemOutput::Dial(number));
    bench.order(ModemOutput::Dial(number));
    bench.run(3);
    assert_eq!(bench.count("ATD10086;"), 1);
    assert_eq!(seconds(&bench, "AT+CLCC").last(), Some(&1));
}

/// `ATA` goes out for a call that rings, and its result is believed (V.250 6.3.5).
#[test]
fn an_order_to_answer_takes_the_call_that_rings() {
    for (reply, reports) in [("OK", 2), ("NO CARRIER", 2), ("ERROR", 2)] {
        let mut bench = opened(20, |bench| bench.device.refuse("AT+CLCC", "ERROR"));
        bench.news.clear();
        bench.order(ModemOutput::Answer);
        bench.run(1);
        assert_eq!(bench.count("ATA"), 0, "nothing rings");
        bench.device.on("ATA", &[&[reply]]);
        bench.says("RING");
        bench.says("+CLIP: \"10086\",129");
        bench.run(1);
        bench.order(ModemOutput::Answer);
        bench.run(1);
        assert_eq!(bench.count("ATA"), 1, "{reply}");
        assert_eq!(bench.calls().len(), reports, "{reply}: {:?}", bench.calls());
    }
    // With a list, a refusal is not believed: the call still rings in it.
    let mut bench = Bench::ready();
    bench.device.calls = vec!["+CLCC: 1,1,4,0,0,\"10086\",129".into()];
    bench.device.on("ATA", &[&["ERROR"]]);
    bench.says("RING");
    bench.run(1);
    bench.order(ModemOutput::Answer);
    bench.run(3);
    assert_eq!(bench.calls().len(), 1, "{:?}", bench.calls());
}

/// The number comes with `+CLIP` or the list; a list without it does not hurry the report.
#[test]
fn a_call_without_a_number_is_reported_two_seconds_after_its_first_ring() {
    let mut bench = Bench::ready();
    bench.device.calls = vec!["+CLCC: 1,1,4,0,0".into()];
    bench.says("RING");
    bench.run_for(Duration::from_millis(1900));
    assert_eq!(bench.calls().len(), 0);
    bench.run_for(Duration::from_millis(200));
    assert_eq!(bench.calls().len(), 1);
}

/// 27.007 10.1.31: a user without a password, and a password without a user, are set too.
#[test]
fn a_user_or_a_password_alone_is_set() {
    for (user, password) in [("me", ""), ("", "secret")] {
        let mut bench = Bench::ready();
        bench.order(ModemOutput::UseApn(Apn {
            name: "cmnet".into(),
            user: user.into(),
            password: password.into(),
        }));
        bench.run(5);
        let command = format!("AT+CGAUTH=1,1,\"{user}\",\"{password}\"");
        assert_eq!(bench.count(&command), 1, "{command}");
    }
}
