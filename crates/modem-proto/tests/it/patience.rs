//! Modems that are silent, refuse or start again for hours: how often they are asked, and how much the log says of it.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

use crate::common;

use common::Bench;
use dtu_proto::radio::{ModemInput, Registration};
use dtu_proto::time::{Duration, Instant};
use modem_proto::{Event, Level, Settings};

const HOUR: u64 = 3600;

/// What happened from then on.
struct Since {
    events: usize,
    news: usize,
    reopens: usize,
}

fn mark(bench: &Bench) -> Since {
    Since {
        events: bench.events.len(),
        news: bench.news.len(),
        reopens: bench.reopens.len(),
    }
}

/// Lines that a person sees: of the dialogue, and those that the host writes of news.
fn log_lines(bench: &Bench, since: &Since) -> Vec<String> {
    let events = bench.events.iter().skip(since.events);
    let said = events
        .filter(|event| event.level() > Level::Trace)
        .map(ToString::to_string);
    let news = bench.news.iter().skip(since.news).filter(|news| {
        matches!(
            news,
            ModemInput::Present(_)
                | ModemInput::Gone
                | ModemInput::Sim(_)
                | ModemInput::Registration(_)
        )
    });
    said.chain(news.map(|news| format!("{news:?}"))).collect()
}

/// Everything that was written to the device.
fn writes(bench: &Bench, since: &Since) -> usize {
    bench
        .events
        .iter()
        .skip(since.events)
        .filter(|event| matches!(event, Event::Sent(_)))
        .count()
}

fn silent() -> Bench {
    let mut bench = Bench::new(Settings::default());
    bench.device.silent = true;
    bench.open();
    bench
}

#[test]
fn m_a_modem_that_never_answers_is_asked_less_and_less_often_and_told_once() {
    let mut bench = silent();
    let first = mark(&bench);
    bench.run(HOUR);
    assert_eq!(
        log_lines(&bench, &first).len(),
        1,
        "{:?}",
        log_lines(&bench, &first)
    );
    let later = mark(&bench);
    bench.run(HOUR);
    assert!(
        bench.reopens.len() - later.reopens <= 12,
        "{} times opened",
        bench.reopens.len() - later.reopens
    );
    assert!(
        writes(&bench, &later) <= 120,
        "{} probes",
        writes(&bench, &later)
    );
    assert_eq!(log_lines(&bench, &later).len(), 0);
    // It is found within the longest pause.
    bench.device.silent = false;
    bench.run(330);
    assert!(bench.identity().is_some());
}

#[test]
fn m_a_modem_that_boots_is_not_kept_waiting() {
    let mut bench = silent();
    bench.run(HOUR);
    while bench.modem.poll_timeout().unwrap().at - bench.now < Duration::from_secs(60) {
        bench.run(1);
    }
    bench.device.silent = false;
    bench.says("RDY");
    bench.run(10);
    assert!(bench.identity().is_some());
}

#[test]
fn m_a_modem_that_falls_silent_backs_off_too() {
    let mut bench = Bench::ready();
    bench.device.silent = true;
    bench.run(HOUR);
    let later = mark(&bench);
    bench.run(HOUR);
    assert!(
        writes(&bench, &later) <= 120,
        "{} probes",
        writes(&bench, &later)
    );
    assert_eq!(log_lines(&bench, &later).len(), 0);
    bench.device.silent = false;
    bench.run(330);
    assert!(bench.identity().is_some());
    // And from the start again the next time.
    bench.device.silent = true;
    bench.run(150);
    bench.device.silent = false;
    bench.news.clear();
    bench.run(30);
    assert!(bench.identity().is_some());
}

#[test]
fn m_a_modem_that_refuses_even_at_backs_off() {
    let mut bench = Bench::new(Settings::default());
    bench.device.refuse("AT", "ERROR");
    bench.open();
    let first = mark(&bench);
    bench.run(HOUR);
    assert_eq!(
        log_lines(&bench, &first).len(),
        1,
        "{:?}",
        log_lines(&bench, &first)
    );
    let later = mark(&bench);
    bench.run(HOUR);
    assert!(
        writes(&bench, &later) <= 120,
        "{} probes",
        writes(&bench, &later)
    );
}

#[test]
fn m_a_modem_that_refuses_every_command_of_the_start_is_asked_little() {
    let mut bench = Bench::new(Settings::default());
    bench.device.on("AT", &[&["OK"]]);
    bench.device.refuse("AT", "ERROR");
    bench.open();
    bench.run(HOUR);
    let later = mark(&bench);
    bench.run(HOUR);
    assert!(
        writes(&bench, &later) <= 150,
        "{} commands",
        writes(&bench, &later)
    );
    assert_eq!(
        log_lines(&bench, &later).len(),
        0,
        "{:?}",
        log_lines(&bench, &later)
    );
}

/// In the middle of every start, and before it was introduced.
#[test]
fn m_a_modem_that_restarts_in_the_middle_of_every_start_is_told_once() {
    let mut bench = Bench::new(Settings::default());
    bench.open();
    let end = Instant::ZERO + Duration::from_secs(2 * HOUR);
    let mut later = None;
    while bench.now < end {
        let asked = bench.count("AT+CGSN");
        while bench.count("AT+CGSN") == asked && bench.now < end {
            bench.run_for(Duration::from_millis(100));
        }
        bench.says("RDY");
        if bench.now >= Instant::ZERO + Duration::from_secs(HOUR) && later.is_none() {
            later = Some((mark(&bench), bench.modem.counters().restarts));
        }
    }
    let (later, restarts) = later.unwrap();
    assert!((10..=13).contains(&(bench.modem.counters().restarts - restarts)));
    assert_eq!(
        log_lines(&bench, &later).len(),
        0,
        "{:?}",
        log_lines(&bench, &later)
    );
    bench.run(330);
    assert!(bench.identity().is_some());
}

/// A bad plug, or a supply that is too weak.
#[test]
fn m_a_device_that_vanishes_and_comes_back_every_few_seconds_is_left_alone() {
    let mut bench = Bench::new(Settings::default());
    let mut later = None;
    for round in 0..1440 {
        bench.open();
        bench.run(3);
        bench.pull();
        bench.run(2);
        if round == 720 {
            later = Some(mark(&bench));
        }
    }
    let later = later.unwrap();
    assert!(
        writes(&bench, &later) <= 12 * 30,
        "{} commands",
        writes(&bench, &later)
    );
    assert_eq!(
        log_lines(&bench, &later).len(),
        0,
        "{:?}",
        log_lines(&bench, &later)
    );
    // When it stays, it is asked after five minutes at most.
    bench.open();
    bench.run(330);
    assert!(bench.identity().is_some());
}

#[test]
fn m_a_modem_that_never_registers_is_restarted_by_nobody() {
    let mut bench = Bench::new(Settings::default());
    bench.device.registration = "2".into();
    bench.open();
    bench.run(HOUR);
    let later = mark(&bench);
    bench.run(HOUR);
    assert!(
        writes(&bench, &later) <= 400,
        "{} commands",
        writes(&bench, &later)
    );
    assert_eq!(
        log_lines(&bench, &later).len(),
        0,
        "{:?}",
        log_lines(&bench, &later)
    );
    assert_eq!(
        (
            bench.gone(),
            bench.reopens.len(),
            bench.count("AT+CFUN=1,1")
        ),
        (0, 0, 0)
    );
    bench.device.registration = "1".into();
    bench.run(61);
    assert!(bench.has(&ModemInput::Registration(Registration::Home)));
}
