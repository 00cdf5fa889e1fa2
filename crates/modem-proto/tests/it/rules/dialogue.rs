//! Lines, silence, the start, calls.

use super::*;

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
