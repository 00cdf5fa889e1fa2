//! Whose a call is, and what becomes of it: rules of `AT+CLCC` and of modems without it, as timed scripts.
#![allow(missing_docs, clippy::unwrap_used)]

use dtu_proto::radio::{CallEnd, CallNews, ModemOutput, PhoneNumber};

use crate::common::{Bench, opened};

const OUTGOING: &str = "+CLCC: 1,0,0,0,0,\"10086\",129";

fn incoming(from: &str) -> CallNews {
    CallNews::Incoming {
        from: PhoneNumber::new(from),
    }
}

fn without_list() -> Bench {
    let mut bench = opened(20, |bench| bench.device.on("AT+CLCC", &[&["ERROR"]]));
    bench.news.clear();
    bench
}

fn dialled(list: &str) -> Bench {
    let mut bench = Bench::ready();
    bench.device.calls = vec![list.into()];
    bench.order(ModemOutput::Dial(PhoneNumber::new("10086").unwrap()));
    bench.run(3);
    bench
}

#[test]
fn a_call_that_rings_there_cannot_be_answered_here() {
    let mut bench = dialled("+CLCC: 1,0,3,0,0,\"10086\",129");
    assert_eq!(bench.calls(), [CallNews::Alerting]);
    bench.order(ModemOutput::Answer);
    bench.run(3);
    assert_eq!(bench.count("ATA"), 0);
}

/// The last `RING` of a modem without a list may come behind its OK to `ATA`.
#[test]
fn a_ring_of_a_call_that_was_answered_ends_nothing() {
    let mut bench = without_list();
    bench.says("RING");
    bench.run(3);
    bench.order(ModemOutput::Answer);
    bench.run(1);
    bench.says("RING");
    bench.run(30);
    let story = [CallNews::Incoming { from: None }, CallNews::Answered];
    assert_eq!(bench.calls(), story);
}

#[test]
fn a_caller_who_rings_is_no_waiting_one() {
    let mut bench = Bench::ready();
    bench.device.calls = vec!["+CLCC: 1,1,4,0,0,\"10010\",129".into()];
    bench.says("RING");
    bench.run(5);
    assert_eq!(bench.calls(), [incoming("10010")]);
    assert_eq!(bench.count("AT+CHLD=0"), 0);
}

/// Some modems show him as incoming (4), not as waiting (5).
#[test]
fn a_caller_beside_an_outgoing_call_is_refused_however_he_is_shown() {
    for state in ["4", "5"] {
        let mut bench = dialled(OUTGOING);
        let second = format!("+CLCC: 2,1,{state},0,0,\"10010\",129");
        bench.device.calls.push(second);
        bench.run(3);
        assert_eq!(bench.count("AT+CHLD=0"), 1, "{state}");
        assert_eq!(bench.calls(), [CallNews::Answered], "{state}");
    }
}

#[test]
fn a_waiting_caller_in_front_of_the_call_is_not_taken_for_it() {
    let mut bench = Bench::ready();
    bench.device.calls = vec!["+CLCC: 1,1,4,0,0,\"10010\",129".into()];
    bench.says("RING");
    bench.run(3);
    let waiting = "+CLCC: 2,1,5,0,0,\"10011\",129";
    bench.device.calls = vec![waiting.into(), "+CLCC: 1,1,0,0,0,\"10010\",129".into()];
    bench.order(ModemOutput::Answer);
    bench.run(3);
    bench.device.calls = vec![waiting.into()];
    bench.run(5);
    let story = [
        incoming("10010"),
        CallNews::Answered,
        CallNews::Ended(CallEnd::HungUp),
    ];
    assert_eq!(bench.calls(), story);
}

/// 27.007 7.18: direction 1 is incoming; state 4 rings, 0 stands.
#[test]
fn of_the_calls_that_a_former_host_left_only_one_that_rings_here_is_kept() {
    for (listed, hung_up, told) in [
        ("+CLCC: 1,1,4,0,0,\"10010\",129", 0, vec![incoming("10010")]),
        ("+CLCC: 1,1,0,0,0,\"10010\",129", 1, vec![]),
        ("+CLCC: 1,0,2,0,0,\"10010\",129", 1, vec![]),
        ("+CLCC: 1,0,4,0,0,\"10010\",129", 1, vec![]),
    ] {
        let bench = opened(5, |bench| bench.device.calls = vec![listed.into()]);
        assert_eq!(bench.count("AT+CHUP").min(1), hung_up, "{listed}");
        assert_eq!(bench.calls(), told, "{listed}");
    }
}

/// A device that answers by number need not wait for `+CLIP`.
#[test]
fn a_number_that_the_list_shows_is_told_at_once() {
    let mut bench = Bench::ready();
    bench.device.calls = vec!["+CLCC: 1,1,4,0,0,\"10010\",129".into()];
    bench.says("RING");
    bench.run(1);
    assert_eq!(bench.calls(), [incoming("10010")]);
}

#[test]
fn a_call_that_one_list_does_not_show_goes_on_and_two_end_it() {
    let mut bench = Bench::ready();
    let shown: &[&str] = &[OUTGOING, "OK"];
    let lists = [&["OK"], shown, &["OK"], shown, &["OK"], &["OK"]];
    bench.device.on("AT+CLCC", &lists);
    bench.order(ModemOutput::Dial(PhoneNumber::new("10086").unwrap()));
    bench.run(4);
    assert_eq!(bench.calls(), [CallNews::Answered]);
    bench.run(5);
    let story = [CallNews::Answered, CallNews::Ended(CallEnd::HungUp)];
    assert_eq!(bench.calls(), story);
}
