//! Registration, operator, signal, cell, clock, data: as timed scripts.
#![allow(missing_docs, clippy::wildcard_enum_match_arm)]

use crate::common;

use common::Bench;
use dtu_proto::config::Apn;
use dtu_proto::radio::{Cell, ModemInput, ModemOutput, Operator, Registration, Signal};
use modem_proto::{Event, Settings};

fn apn(name: &str) -> Apn {
    Apn {
        name: name.into(),
        ..Apn::default()
    }
}

fn registrations(bench: &Bench) -> Vec<Registration> {
    let one = |news: &ModemInput| match news {
        ModemInput::Registration(registration) => Some(*registration),
        _ => None,
    };
    bench.news.iter().filter_map(one).collect()
}

#[test]
fn registration_operator_signal_cell_and_time_are_told() {
    let mut bench = Bench::new(Settings::default());
    let numbers: &[&str] = &["+COPS: 0,2,\"46000\"", "OK"];
    bench.device.on(
        "AT+COPS?",
        &[numbers, &["+COPS: 0,0,\"China Mobile\"", "OK"]],
    );
    bench.open();
    bench.run(30);
    assert!(bench.has(&ModemInput::Registration(Registration::Home)));
    assert!(bench.has(&ModemInput::Cell(Some(Cell {
        area: 0xC3,
        id: 0x1A2B
    }))));
    assert!(bench.has(&ModemInput::Signal(Signal {
        strength: 20,
        error_rate: 0
    })));
    let operator = Operator {
        name: "China Mobile".into(),
        code: "46000".into(),
    };
    assert!(bench.has(&ModemInput::Operator(Some(operator))));
    assert!(
        bench
            .news
            .iter()
            .any(|news| matches!(news, ModemInput::Clock(time) if time.zone == Some(32)))
    );
}

#[test]
fn what_did_not_change_is_not_told_again() {
    let mut bench = Bench::ready();
    bench.run(3500);
    assert_eq!(bench.news, []);
    assert!(bench.count("AT+CSQ") > 100);
}

#[test]
fn news_of_registration_count_at_once_whatever_runs() {
    let mut bench = Bench::ready();
    bench.says("+CREG: 2");
    bench.run(1);
    assert_eq!(registrations(&bench), [Registration::Searching]);
    assert!(bench.has(&ModemInput::Cell(None)) && bench.has(&ModemInput::Operator(None)));
    bench.says("+CREG: 5,\"00D1\",\"0001\"");
    bench.run(1);
    assert_eq!(registrations(&bench).last(), Some(&Registration::Roaming));
    assert!(bench.has(&ModemInput::Cell(Some(Cell { area: 0xD1, id: 1 }))));
}

#[test]
fn a_modem_that_knows_only_lte_is_registered_there() {
    let mut bench = Bench::new(Settings::default());
    bench.device.registration = "0".into();
    bench.device.on("AT+CEREG=2", &[&["OK"]]);
    bench
        .device
        .on("AT+CEREG?", &[&["+CEREG: 2,1,\"1A\",\"01234567\",7", "OK"]]);
    bench.open();
    bench.run(30);
    assert_eq!(registrations(&bench).last(), Some(&Registration::Home));
    assert!(bench.has(&ModemInput::Cell(Some(Cell {
        area: 0x1A,
        id: 0x0123_4567
    }))));
}

#[test]
fn an_hour_without_a_network_restarts_nothing_and_ends_when_the_network_is_back() {
    let mut bench = Bench::ready();
    bench.device.registration = "2".into();
    bench.device.on("AT+CSQ", &[&["+CSQ: 99,99", "OK"]]);
    bench.says("+CREG: 2");
    bench.run(3600);
    assert_eq!(
        (
            bench.gone(),
            bench.reopens.len(),
            bench.count("AT+CFUN=1,1")
        ),
        (0, 0, 0)
    );
    assert!(bench.has(&ModemInput::Signal(Signal::UNKNOWN)));
    bench.device.registration = "1,\"00C3\",\"1A2B\"".into();
    bench.run(70);
    assert_eq!(
        registrations(&bench),
        [Registration::Searching, Registration::Home]
    );
}

#[test]
fn a_radio_that_is_switched_off_is_switched_on() {
    let mut bench = Bench::new(Settings::default());
    bench.device.on("AT+CFUN?", &[&["+CFUN: 4", "OK"]]);
    bench.open();
    bench.run(20);
    let commands = bench.commands();
    let at = |wanted: &str| {
        commands
            .iter()
            .position(|command| *command == wanted)
            .unwrap()
    };
    assert!(at("AT+CFUN=1") < at("AT+CPIN?"));
}

#[test]
fn the_time_is_asked_when_the_network_tells_it() {
    for line in [
        "*PSUTTZ: 2026,11,22,8,40,0,\"+32\",0",
        "+CTZV: +32",
        "+CTZE: \"+32\",0,\"2026/11/22,08:40:00\"",
    ] {
        let mut bench = Bench::ready();
        bench.says(line);
        bench.run(5);
        assert_eq!(bench.news.len(), 1, "{line}: {:?}", bench.news);
        assert!(matches!(bench.news[0], ModemInput::Clock(_)));
    }
}

#[test]
fn an_access_point_that_is_set_already_is_left_alone() {
    let mut bench = Bench::ready();
    bench.device.on(
        "AT+CGDCONT?",
        &[&["+CGDCONT: 1,\"IP\",\"CMNET\",\"0.0.0.0\",0,0", "OK"]],
    );
    bench.order(ModemOutput::UseApn(apn("cmnet")));
    bench.order(ModemOutput::UseApn(apn("cmnet")));
    bench.run(5);
    assert_eq!(
        bench
            .commands()
            .iter()
            .filter(|command| command.contains("CGDCONT="))
            .count(),
        0
    );
    assert_eq!(bench.count("AT+CGDCONT?"), 1);
}

#[test]
fn a_new_access_point_is_set_also_while_the_old_one_is() {
    let mut bench = Bench::ready();
    for name in ["one", "two", "three"] {
        bench.order(ModemOutput::UseApn(apn(name)));
    }
    bench.run(5);
    let sets: Vec<_> = bench
        .commands()
        .into_iter()
        .filter(|command| command.contains("CGDCONT="))
        .collect();
    assert_eq!(sets.last(), Some(&"AT+CGDCONT=1,\"IP\",\"three\""));
}

#[test]
fn an_access_point_that_would_break_out_of_its_quotes_is_refused() {
    let mut bench = Bench::ready();
    for name in ["a\"b", "a\rAT+CFUN=0", "é"] {
        bench.order(ModemOutput::UseApn(apn(name)));
    }
    bench.run(5);
    assert_eq!(bench.count("AT+CGDCONT?"), 0);
    assert_eq!(
        bench
            .events
            .iter()
            .filter(|event| **event == Event::ApnRefused)
            .count(),
        3
    );
}

#[test]
fn the_connection_is_opened_where_wanted_and_its_address_told() {
    let mut bench = Bench::new(Settings {
        activate: true,
        ..Settings::default()
    });
    bench
        .device
        .on("AT+CGPADDR=1", &[&["+CGPADDR: 1,\"10.5.6.7\"", "OK"]]);
    bench
        .device
        .on("AT+CGACT=1,1", &[&["+CME ERROR: 148"], &["OK"]]);
    bench.device.on("AT+CGACT?", &[&["+CGACT: 1,1", "OK"]]);
    bench.order(ModemOutput::UseApn(apn("cmnet")));
    bench.open();
    bench.run(60);
    let attached = ModemInput::Attached("10.5.6.7".parse().unwrap());
    assert!(bench.has(&attached));
    bench.news.clear();
    bench.device.on(
        "AT+CGACT?",
        &[&["+CGACT: 1,0", "OK"], &["+CGACT: 1,1", "OK"]],
    );
    bench.says("+CGEV: NW PDN DEACT 1");
    bench.run(60);
    assert_eq!(bench.news, [ModemInput::Detached, attached]);
}

#[test]
fn without_that_wish_no_connection_is_touched() {
    let mut bench = Bench::ready();
    bench.order(ModemOutput::UseApn(apn("cmnet")));
    bench.run(600);
    let touched = |command: &&str| command.contains("CGACT") || command.contains("CGATT");
    assert_eq!(
        bench
            .commands()
            .iter()
            .filter(|command| touched(command))
            .count(),
        0
    );
}
