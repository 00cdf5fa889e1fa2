//! Calls and their list (M9).

use super::*;

fn dial(bench: &mut Bench) {
    bench.order(ModemOutput::Dial(PhoneNumber::new("10086").unwrap()));
}

/// Dials, and the first list ends the call, with these words.
fn dial_until_list(bench: &mut Bench, says: Option<&str>) {
    let lists = bench.count("AT+CLCC");
    bench.device.calls = vec!["+CLCC: 1,0,2,0,0,\"10086\",129".into()];
    dial(bench);
    while bench.count("AT+CLCC") == lists {
        bench.run_for(dtu_proto::time::Duration::from_millis(100));
    }
    bench.device.calls.clear();
    says.into_iter().for_each(|line| bench.says(line));
    bench.run(20);
}

/// Two calls are lost to it: the first raises the question, the second answers it. Later ones are dialled without.
#[test]
fn m9_a_call_that_the_list_ends_is_dialled_without_it() {
    for says in [Some("NO CARRIER"), None] {
        let mut bench = Bench::ready();
        let from = bench.now;
        dial_until_list(&mut bench, says);
        dial_until_list(&mut bench, says);
        assert!((bench.now - from).as_secs() > 40);
        assert_eq!(
            bench.calls(),
            [CallNews::Ended(CallEnd::NoCarrier); 2],
            "{says:?}"
        );
        assert_eq!(lacks(&bench), [Limitation::ListWhileDialling], "{says:?}");
        for _ in 0..2 {
            let lists = bench.count("AT+CLCC");
            dial(&mut bench);
            bench.run(5);
            bench.says("^ORIG:1,0");
            bench.run(30);
            assert_eq!(bench.count("AT+CLCC"), lists, "{says:?}");
            bench.device.calls = vec!["+CLCC: 1,0,0,0,0,\"10086\",129".into()];
            bench.says("^CONN:1,0");
            bench.run(2);
            assert_eq!(bench.calls().last(), Some(&CallNews::Answered), "{says:?}");
            // A call that stands is watched as any other.
            bench.run(10);
            assert!(bench.count("AT+CLCC") > lists + 8, "{says:?}");
            bench.device.calls.clear();
            bench.says("NO CARRIER");
            bench.run(5);
        }
        // Without any word, late.
        dial(&mut bench);
        bench.device.calls = vec!["+CLCC: 1,0,0,0,0,\"10086\",129".into()];
        bench.run(70);
        assert_eq!(bench.calls().last(), Some(&CallNews::Answered), "{says:?}");
        assert_eq!(lacks(&bench), [Limitation::ListWhileDialling], "{says:?}");
    }
}

/// Answered before the list was tried: the question stays, and the next call is dialled without as well.
#[test]
fn m9_a_call_that_was_taken_in_time_clears_nothing() {
    let mut bench = Bench::ready();
    dial_until_list(&mut bench, Some("NO CARRIER"));
    for _ in 0..2 {
        let lists = bench.count("AT+CLCC");
        bench.device.calls = vec!["+CLCC: 1,0,0,0,0,\"10086\",129".into()];
        dial(&mut bench);
        bench.run(3);
        assert_eq!(bench.count("AT+CLCC"), lists);
        bench.run(10);
        assert_eq!(bench.calls().last(), Some(&CallNews::Answered));
        bench.order(ModemOutput::HangUp);
        bench.run(2);
    }
}

/// A network that refuses every call at once is no modem whose list ends them.
#[test]
fn m9_a_call_that_ends_without_the_list_as_well_clears_it() {
    let mut bench = Bench::ready();
    dial_until_list(&mut bench, Some("NO CARRIER"));
    dial(&mut bench);
    bench.run(1);
    bench.says("NO CARRIER");
    bench.run(20);
    let lists = bench.count("AT+CLCC");
    bench.device.calls = vec!["+CLCC: 1,0,3,0,0,\"10086\",129".into()];
    dial(&mut bench);
    bench.run(3);
    assert!(bench.count("AT+CLCC") > lists);
    assert_eq!(bench.calls().last(), Some(&CallNews::Alerting));
    assert_eq!(lacks(&bench), []);
}

/// One call that ends at once, and the next that lives: with a list, too.
#[test]
fn m9_a_call_that_outlives_its_list_clears_it() {
    let mut bench = Bench::ready();
    dial_until_list(&mut bench, Some("NO CARRIER"));
    bench.device.calls = vec!["+CLCC: 1,0,2,0,0,\"10086\",129".into()];
    for _ in 0..2 {
        let lists = bench.count("AT+CLCC");
        dial(&mut bench);
        bench.run(12);
        assert!(bench.count("AT+CLCC") > lists + 6);
        bench.order(ModemOutput::HangUp);
        bench.run(2);
    }
    assert_eq!(lacks(&bench), []);
}
