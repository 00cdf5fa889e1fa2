//! Questions, registration, signal, cell.

use super::*;

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
