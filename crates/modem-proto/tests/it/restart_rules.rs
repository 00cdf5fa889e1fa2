//! What a start, a restart and a silence leave behind, and what they must not: as timed scripts.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

use dtu_proto::config::Apn;
use dtu_proto::radio::{ModemInput, ModemOutput, Operator, Registration, SimState};
use dtu_proto::time::Duration;
use modem_proto::{Event, Input, Limitation, Pin, Settings};

use crate::common::{Bench, limitations, opened, started};

fn registrations(bench: &Bench) -> Vec<Registration> {
    let told = bench.news.iter().filter_map(|news| match news {
        ModemInput::Registration(registration) => Some(*registration),
        _ => None,
    });
    told.collect()
}

/// One that is to connect.
fn connecting(change: impl FnOnce(&mut Bench)) -> Bench {
    let settings = Settings {
        activate: true,
        ..Settings::default()
    };
    started(settings, 30, |bench| {
        let address: &[&str] = &["+CGPADDR: 1,\"10.5.6.7\"", "OK"];
        bench.device.on("AT+CGPADDR=1", &[address]);
        bench.device.on("AT+CGACT?", &[&["+CGACT: 1,1", "OK"]]);
        bench.order(ModemOutput::UseApn(Apn {
            name: "cmnet".into(),
            ..Apn::default()
        }));
        change(bench);
    })
}

#[test]
fn a_modem_that_comes_back_is_connected_again() {
    let mut bench = connecting(|_| {});
    let attached = ModemInput::Attached("10.5.6.7".parse().unwrap());
    assert!(bench.has(&attached));
    bench.pull();
    bench.news.clear();
    bench.device.commands.clear();
    bench.open();
    bench.run(30);
    assert!(bench.has(&attached));
    assert_eq!(bench.count("AT+CGACT=1,1"), 1);
}

#[test]
fn nothing_is_connected_outside_a_network() {
    let mut bench = connecting(|bench| bench.device.registration = "2".into());
    bench.run(120);
    assert_eq!(bench.count("AT+CGACT=1,1"), 0);
    bench.device.registration = "1".into();
    bench.run(70);
    assert_eq!(bench.count("AT+CGACT=1,1"), 1);
}

/// Another card, or another modem: what the one before knew of its network counts no more.
#[test]
fn the_network_of_before_a_restart_is_forgotten() {
    let mut bench = Bench::new(Settings::default());
    bench.device.registration = "0".into();
    bench.device.on("AT+CEREG=2", &[&["OK"]]);
    bench.device.on("AT+CEREG?", &[&["+CEREG: 2,1", "OK"]]);
    bench.open();
    bench.run(20);
    assert_eq!(registrations(&bench).last(), Some(&Registration::Home));
    bench.pull();
    bench.news.clear();
    bench.device.on("AT+CEREG=2", &[&["ERROR"]]);
    bench.device.on("AT+CEREG?", &[&["ERROR"]]);
    bench.open();
    bench.run(20);
    assert_eq!(registrations(&bench), [Registration::NotRegistered]);
}

#[test]
fn the_operator_of_before_a_restart_is_forgotten() {
    let mut bench = Bench::ready();
    bench.pull();
    let named: &[&str] = &["+COPS: 0,0,\"Other\"", "OK"];
    bench.device.on("AT+COPS?", &[named]);
    bench.open();
    bench.run(20);
    let operator = Operator {
        name: "Other".into(),
        code: String::new(),
    };
    assert!(bench.has(&ModemInput::Operator(Some(operator))));
}

#[test]
fn what_a_modem_lacks_is_forgotten_with_it() {
    let mut bench = opened(20, |bench| {
        bench.device.refuse("AT+CSQ", "ERROR");
        bench.device.refuse("AT+COPS?", "ERROR");
    });
    assert!(!limitations(&bench).is_empty());
    bench.pull();
    assert_eq!(limitations(&bench), []);
}

/// The best of the three: a network, else one that is looked for or was denied, else none.
#[test]
fn searching_for_lte_is_told_where_gsm_does_not_search() {
    let bench = opened(20, |bench| {
        bench.device.registration = "0".into();
        bench.device.on("AT+CEREG=2", &[&["OK"]]);
        bench.device.on("AT+CEREG?", &[&["+CEREG: 2,2", "OK"]]);
    });
    assert_eq!(registrations(&bench).last(), Some(&Registration::Searching));
}

/// 27.007 9.2: 14 = SIM busy. That is no "I do not know it".
#[test]
fn a_busy_modem_does_not_lack_its_registration() {
    let bench = opened(15, |bench| {
        bench.device.refuse("AT+CREG?", "+CME ERROR: 14");
    });
    assert_eq!(limitations(&bench), []);
}

/// Mode 0 from a modem that has shown mode 2 before: it forgot what it was told, so it restarted.
#[test]
fn a_modem_that_reports_the_registration_no_more_has_restarted() {
    let mut bench = Bench::ready();
    bench.run(70);
    let asked: &[&str] = &["+CREG: 0,1", "OK"];
    bench.device.on("AT+CREG?", &[asked, &["+CREG: 2,1", "OK"]]);
    bench.run(70);
    assert_eq!(bench.gone(), 1);
    assert!(bench.events.contains(&Event::Restarted));
}

/// 27.007 7.2: the routing area has two digits, the cell four or more.
#[test]
fn two_digits_behind_two_digits_are_no_cell() {
    let mut bench = Bench::ready();
    bench.says("+CREG: 1,\"00C6\",\"2A\",\"71\",0");
    bench.run(1);
    let cell = dtu_proto::radio::Cell {
        area: 0xC6,
        id: 0x2A,
    };
    assert!(bench.has(&ModemInput::Cell(Some(cell))));
}

#[test]
fn a_card_that_is_pulled_takes_its_number_along() {
    let mut bench = Bench::ready();
    bench.device.on("AT+CPIN?", &[&["+CME ERROR: 10"]]);
    bench.says("+CPIN: NOT INSERTED");
    bench.run(5);
    assert_eq!(bench.identity().unwrap().imsi, "");
    assert!(bench.has(&ModemInput::Sim(SimState::Missing)));
}

/// `OK` alone to `AT+CPIN?` belongs to something older; what the card is, the next answer says.
#[test]
fn an_ok_without_a_word_says_nothing_of_the_card() {
    let bench = opened(20, |bench| {
        let ready: &[&str] = &["+CPIN: READY", "OK"];
        bench.device.on("AT+CPIN?", &[&["OK"], ready]);
    });
    let sims: Vec<_> = bench
        .news
        .iter()
        .filter(|news| matches!(news, ModemInput::Sim(_)))
        .collect();
    assert_eq!(sims, [&ModemInput::Sim(SimState::Ready)]);
    assert_eq!(bench.identity().unwrap().imsi, "460001234567890");
}

/// The card opens some seconds after its PIN. One that stays shut for ten looks does not open any more.
#[test]
fn a_card_is_looked_at_ten_times_after_its_pin() {
    let settings = Settings {
        pin: Pin::new("1234"),
        ..Settings::default()
    };
    let bench = started(settings, 60, |bench| {
        bench.device.on("AT+CPIN?", &[&["+CPIN: SIM PIN", "OK"]]);
        bench.device.on("AT+CPIN=\"1234\"", &[&["OK"]]);
    });
    let commands = bench.commands();
    let sent: Vec<_> = (0..commands.len())
        .filter(|at| commands[*at] == "AT+CPIN=\"1234\"")
        .collect();
    let looks = commands[sent[0]..sent[1]]
        .iter()
        .filter(|command| **command == "AT+CPIN?");
    assert_eq!(looks.count(), 11, "and one that finds it shut");
}

/// Makers' URCs of the card come while the modem boots; the start asks for the card anyway.
#[test]
fn news_of_the_card_during_the_start_ask_nothing_twice() {
    let mut bench = Bench::new(Settings::default());
    bench.open();
    bench.run_for(Duration::from_millis(400));
    bench.says("+CPIN: NOT READY");
    bench.run(20);
    assert_eq!(bench.count("AT+CPIN?"), 1);
}

#[test]
fn bytes_of_a_device_that_is_closed_are_nobodys() {
    let mut bench = Bench::ready();
    bench.pull();
    let events = bench.events.len();
    let unknown = bench.modem.counters().unknown_lines;
    bench
        .modem
        .handle_input(Input::Bytes(b"\r\nWHAT\r\n"), bench.now);
    assert!(bench.modem.poll_output().is_none());
    assert_eq!(bench.events.len(), events);
    assert_eq!(bench.modem.counters().unknown_lines, unknown);
}

/// Answers to older probes: each line that comes makes the silence begin again, so none is taken for a later answer.
#[test]
fn the_silence_behind_the_first_answer_lasts_until_nothing_comes() {
    let mut bench = Bench::new(Settings::default());
    bench.open();
    bench.run_for(Duration::from_millis(50));
    let mut last = bench.now;
    for _ in 0..5 {
        bench.run_for(Duration::from_millis(250));
        last = bench.now;
        bench.says("OK");
    }
    bench.run(2);
    let first = |command: &str| {
        let sent = bench.device.commands.iter();
        let mut sent = sent.filter(|(_, sent)| sent == command).map(|(at, _)| *at);
        sent.next().unwrap()
    };
    assert!(first("ATE0") >= last + Duration::from_millis(300));
}

/// A host may wake late, each time.
#[test]
fn a_host_that_is_always_late_starts_the_modem_too() {
    let mut bench = Bench::new(Settings::default());
    bench.open();
    bench.run_late(Duration::from_secs(30), Duration::from_millis(7));
    assert!(bench.identity().is_some(), "{:?}", bench.events);
}

#[test]
fn a_modem_that_is_given_up_is_counted() {
    let mut bench = Bench::ready();
    bench.device.silent = true;
    bench.run(200);
    assert_eq!(bench.gone(), 1);
    assert_eq!(bench.modem.counters().given_up, 1);
}

#[test]
fn nothing_is_counted_where_nothing_went_wrong() {
    let bench = Bench::ready();
    assert_eq!(bench.modem.counters().overlong_lines, 0);
    assert_eq!(bench.modem.counters().unanswered, 0);
}

/// SIM7600 manual: `AT+CRESET`. One that refuses it is told the plain way, and one that refuses that is opened again.
#[test]
fn a_refused_reset_of_the_maker_is_followed_by_the_plain_one() {
    let sim7600 = |bench: &mut Bench| {
        bench
            .device
            .on("AT+CGMI", &[&["SIMCOM INCORPORATED", "OK"]]);
        bench.device.on("AT+CGMM", &[&["SIM7600E-H", "OK"]]);
        bench.device.refuse("AT+CRESET", "ERROR");
    };
    for (plain, reopened) in [("OK", 0), ("ERROR", 1)] {
        let mut bench = opened(20, sim7600);
        bench.device.on("AT+CFUN=1,1", &[&[plain]]);
        bench.order(ModemOutput::Reset);
        bench.run(2);
        let tried = (bench.count("AT+CRESET"), bench.count("AT+CFUN=1,1"));
        assert_eq!((tried, bench.reopens.len()), ((1, 1), reopened), "{plain}");
    }
}

#[test]
fn a_modem_of_the_standard_that_refuses_its_reset_is_not_asked_twice() {
    let mut bench = Bench::ready();
    bench.device.refuse("AT+CFUN=1,1", "ERROR");
    bench.order(ModemOutput::Reset);
    bench.run(2);
    assert_eq!((bench.count("AT+CFUN=1,1"), bench.reopens.len()), (1, 1));
}

/// A reset that is not answered at all: the modem may be on its way down.
#[test]
fn a_reset_of_the_maker_without_an_answer_is_not_followed_by_another() {
    let mut bench = opened(20, |bench| {
        bench
            .device
            .on("AT+CGMI", &[&["SIMCOM INCORPORATED", "OK"]]);
        bench.device.on("AT+CGMM", &[&["SIM7600E-H", "OK"]]);
        bench.device.never_answers("AT+CRESET");
    });
    bench.order(ModemOutput::Reset);
    bench.run(60);
    assert_eq!((bench.count("AT+CFUN=1,1"), bench.reopens.len()), (0, 1));
    assert!(!limitations(&bench).contains(&Limitation::Sim));
}
