//! Silence, restarts, resets, a device that vanishes.

use super::*;

#[test]
fn a_modem_silent_for_a_minute_goes_on_as_if_nothing_had_been() {
    let mut bench = Bench::ready();
    bench.run(7);
    bench.device.silent = true;
    bench.run(60);
    bench.device.silent = false;
    bench.run(60);
    assert_eq!(bench.gone(), 0);
    assert_eq!(bench.identity(), None, "introduced once");
    assert!(bench.events.contains(&Event::Silent) && bench.events.contains(&Event::AnswersAgain));
    bench.submit(1);
    bench.run(5);
    assert_eq!(bench.submitted(), [(1, Ok(1))]);
}

#[test]
fn a_modem_silent_for_longer_is_gone_told_to_restart_and_opened_again() {
    let mut bench = Bench::ready();
    bench.device.silent = true;
    bench.run(150);
    assert_eq!(bench.gone(), 1);
    assert_eq!(bench.reopens.len(), 1);
    assert!(bench.events.contains(&Event::Sent("AT+CFUN=1,1".into())));
    bench.run(600);
    assert!(bench.reopens.len() > 2, "it is opened again and again");
    assert_eq!(
        bench
            .events
            .iter()
            .filter(|event| matches!(event, Event::NoAnswer(_)))
            .count(),
        1
    );
    bench.device.silent = false;
    bench.run(60);
    assert!(bench.identity().is_some());
}

#[test]
fn a_modem_that_restarts_by_itself_is_gone_and_introduced_again() {
    for line in ["RDY", "NORMAL POWER DOWN", "^SYSSTART"] {
        let mut bench = Bench::ready();
        bench.device.echo = true;
        bench.says(line);
        bench.run(20);
        assert_eq!(bench.gone(), 1, "{line}");
        assert!(bench.identity().is_some());
    }
}

#[test]
fn a_restart_without_a_word_is_seen_by_the_echo() {
    let mut bench = Bench::ready();
    bench.device.echo = true;
    bench.run(60);
    assert_eq!(bench.gone(), 1);
    assert!(bench.identity().is_some() && bench.events.contains(&Event::Restarted));
}

#[test]
fn a_restart_without_a_word_is_seen_by_what_it_forgot() {
    let mut bench = Bench::ready();
    bench
        .device
        .on("AT+CREG?", &[&["+CREG: 0,1", "OK"], &["+CREG: 2,1", "OK"]]);
    bench.run(90);
    assert_eq!((bench.gone(), bench.modem.counters().restarts), (1, 1));
}

#[test]
fn a_modem_that_vanishes_and_comes_back_under_another_name_starts_over() {
    let mut bench = Bench::ready();
    bench.submit(9);
    bench.pull();
    assert_eq!(
        bench.submitted(),
        [(9, Err(dtu_proto::radio::SubmitFailure::NO_MODEM))]
    );
    assert_eq!(bench.news.last(), Some(&ModemInput::Gone));
    bench.run(100);
    bench.device = common::Device::default();
    bench.device.on("AT+CGSN", &[&["111111111111119", "OK"]]);
    bench.open();
    bench.run(20);
    assert_eq!(bench.identity().unwrap().imei, "111111111111119");
}

#[test]
fn a_reset_is_done_by_command_and_the_modem_is_introduced_again() {
    let mut bench = Bench::ready();
    bench.order(ModemOutput::Reset);
    bench.run(60);
    assert_eq!(bench.count("AT+CFUN=1,1"), 1);
    assert_eq!(bench.gone(), 1);
    assert!(bench.identity().is_some() && bench.reopens.is_empty());
}

#[test]
fn a_reset_that_the_modem_refuses_opens_the_device_again() {
    let mut bench = Bench::ready();
    bench.device.on("AT+CFUN=1,1", &[&["ERROR"]]);
    bench.order(ModemOutput::Reset);
    bench.run(60);
    assert_eq!(bench.reopens.len(), 1);
    assert!(bench.identity().is_some());
}

#[test]
fn a_modem_that_refuses_even_at_is_opened_again() {
    let mut bench = Bench::new(Settings::default());
    for probe in ["AT", "ATQ0V1E0"] {
        bench.device.on(probe, &[&["ERROR"]]);
    }
    bench.open();
    bench.run(200);
    assert!((2..=8).contains(&bench.reopens.len()) && bench.news.is_empty());
    assert!(
        bench
            .events
            .iter()
            .any(|event| matches!(event, Event::NoAnswer(_)))
    );
    bench.device.replies.clear();
    bench.run(90);
    assert!(bench.identity().is_some());
}

#[test]
fn a_device_that_is_no_modem_is_not_told_to_restart() {
    let mut bench = Bench::new(Settings::default());
    bench.device.silent = true;
    bench.open();
    bench.run(400);
    let resets = bench
        .events
        .iter()
        .filter(|event| event.to_string().contains("CFUN"))
        .count();
    assert_eq!((resets, bench.news.len()), (0, 0));
    assert!(!bench.reopens.is_empty());
}
