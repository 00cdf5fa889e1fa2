//! Calls: as timed scripts.
#![allow(missing_docs, clippy::wildcard_enum_match_arm, clippy::unwrap_used)]

use crate::common;

use common::Bench;
use dtu_proto::radio::{CallEnd, CallNews, ModemOutput, PhoneNumber};
use modem_proto::Settings;

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::new(text).unwrap()
}

/// A modem that knows no `AT+CLCC`.
fn without_list() -> Bench {
    let mut bench = Bench::new(Settings::default());
    bench.device.on("AT+CLCC", &[&["ERROR"]]);
    bench.open();
    bench.run(20);
    assert!(bench.identity().unwrap().abilities.calls);
    bench.news.clear();
    bench
}

fn dialled() -> Bench {
    let mut bench = Bench::ready();
    bench.order(ModemOutput::Dial(number("10086")));
    bench.device.calls = vec!["+CLCC: 1,0,2,0,0,\"10086\",129".into()];
    bench.run(3);
    assert_eq!(bench.count("ATD10086;"), 1);
    bench
}

#[test]
fn a_call_rings_there_is_answered_and_ends() {
    let mut bench = dialled();
    assert_eq!(bench.calls(), []);
    bench.device.calls = vec!["+CLCC: 1,0,3,0,0,\"10086\",129".into()];
    bench.run(3);
    bench.device.calls = vec!["+CLCC: 1,0,0,0,0,\"10086\",129".into()];
    bench.run(60);
    bench.device.calls.clear();
    bench.says("NO CARRIER");
    bench.run(3);
    let story = [
        CallNews::Alerting,
        CallNews::Answered,
        CallNews::Ended(CallEnd::HungUp),
    ];
    assert_eq!(bench.calls(), story);
    let polls = bench.count("AT+CLCC");
    bench.run(60);
    assert_eq!(bench.count("AT+CLCC"), polls, "no call, no question");
}

#[test]
fn busy_and_no_answer_are_told_as_the_modem_says() {
    for (line, end) in [
        ("BUSY", CallEnd::Busy),
        ("NO ANSWER", CallEnd::NoAnswer),
        ("NO CARRIER", CallEnd::NoCarrier),
    ] {
        let mut bench = dialled();
        bench.device.calls.clear();
        bench.says(line);
        bench.run(3);
        assert_eq!(bench.calls(), [CallNews::Ended(end)], "{line}");
    }
}

#[test]
fn a_list_that_cannot_be_had_keeps_no_call_alive() {
    let mut bench = dialled();
    bench.device.on("AT+CLCC", &[&["+CME ERROR: 3"]]);
    bench.run(10);
    assert_eq!(bench.calls(), []);
    bench.says("BUSY");
    bench.run(3);
    assert_eq!(bench.calls(), [CallNews::Ended(CallEnd::Busy)]);
}

#[test]
fn a_result_in_place_of_ok_ends_the_call() {
    let mut bench = Bench::ready();
    bench.device.on("ATD10086;", &[&["NO DIALTONE"]]);
    bench.order(ModemOutput::Dial(number("10086")));
    bench.run(3);
    assert_eq!(bench.calls(), [CallNews::Ended(CallEnd::NoCarrier)]);
}

#[test]
fn hanging_up_ends_the_call_by_either_command() {
    let mut bench = dialled();
    bench.order(ModemOutput::HangUp);
    bench.run(1);
    assert_eq!(bench.calls(), [CallNews::Ended(CallEnd::HungUp)]);
    let mut bench = dialled();
    bench.device.on("AT+CHUP", &[&["ERROR"]]);
    bench.order(ModemOutput::HangUp);
    bench.run(1);
    assert_eq!((bench.count("ATH"), bench.calls().len()), (1, 1));
}

#[test]
fn hanging_up_without_a_call_does_nothing() {
    let mut bench = Bench::ready();
    bench.order(ModemOutput::HangUp);
    bench.order(ModemOutput::Answer);
    bench.run(3);
    assert_eq!(
        (bench.count("AT+CHUP"), bench.count("ATA"), bench.calls()),
        (0, 0, vec![])
    );
}

#[test]
fn an_incoming_call_is_told_once_with_its_number_and_answered() {
    let mut bench = Bench::ready();
    bench.device.calls = vec!["+CLCC: 1,1,4,0,0,\"+8613800138000\",145".into()];
    for _ in 0..3 {
        bench.says("RING");
        bench.says("+CLIP: \"+8613800138000\",145,\"\",,\"\",0");
        bench.run(5);
    }
    let incoming = CallNews::Incoming {
        from: PhoneNumber::new("+8613800138000"),
    };
    assert_eq!(bench.calls(), [incoming]);
    bench.order(ModemOutput::Answer);
    bench.device.calls = vec!["+CLCC: 1,1,0,0,0,\"+8613800138000\",145".into()];
    bench.run(3);
    assert_eq!(bench.calls(), [incoming, CallNews::Answered]);
}

#[test]
fn a_caller_who_gives_up_is_told() {
    let mut bench = Bench::ready();
    bench.device.calls = vec!["+CLCC: 1,1,4,0,0,\"10010\",129".into()];
    bench.says("+CRING: VOICE");
    bench.run(5);
    bench.device.calls.clear();
    bench.run(5);
    let incoming = CallNews::Incoming {
        from: PhoneNumber::new("10010"),
    };
    assert_eq!(bench.calls(), [incoming, CallNews::Ended(CallEnd::HungUp)]);
}

#[test]
fn a_call_without_a_number_is_told_without_one() {
    let mut bench = without_list();
    bench.says("RING");
    bench.run(3);
    assert_eq!(bench.calls(), [CallNews::Incoming { from: None }]);
    bench.run(10);
    assert_eq!(bench.calls().len(), 2, "it rings no more");
}

#[test]
fn a_second_caller_is_refused_once_and_the_first_call_stands() {
    let mut bench = dialled();
    let first = "+CLCC: 1,0,0,0,0,\"10086\",129";
    bench.device.calls = vec![first.into(), "+CLCC: 2,1,5,0,0,\"10010\",129".into()];
    bench.says("+CCWA: \"10010\",129,1");
    bench.run(5);
    assert_eq!(
        (
            bench.count("AT+CHLD=0"),
            bench.modem.counters().refused_calls
        ),
        (1, 1)
    );
    assert_eq!(bench.calls(), [CallNews::Answered]);
}

#[test]
fn a_call_that_a_former_host_left_is_hung_up() {
    let mut bench = Bench::new(Settings::default());
    bench.device.calls = vec!["+CLCC: 1,0,0,0,0,\"10086\",129".into()];
    bench.open();
    bench.run(20);
    assert_eq!((bench.count("AT+CHUP"), bench.calls()), (1, vec![]));
}

#[test]
fn a_call_ends_with_its_modem() {
    let mut bench = dialled();
    bench.pull();
    assert_eq!(bench.calls(), [CallNews::Ended(CallEnd::NoCarrier)]);
    assert_eq!(bench.gone(), 1);
}

#[test]
fn a_call_without_a_modem_ends_at_once() {
    let mut bench = Bench::new(Settings::default());
    bench.order(ModemOutput::Dial(number("10086")));
    assert_eq!(bench.calls(), [CallNews::Ended(CallEnd::NoCarrier)]);
}

#[test]
fn hanging_up_breaks_off_a_modem_that_answers_only_when_somebody_takes_the_call() {
    let mut bench = Bench::ready();
    bench.device.never_answers("ATD10086;");
    bench.order(ModemOutput::Dial(number("10086")));
    bench.run(2);
    bench.order(ModemOutput::HangUp);
    bench.run(5);
    assert_eq!(bench.calls(), [CallNews::Ended(CallEnd::HungUp)]);
}
