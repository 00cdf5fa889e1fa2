//! A host that lets bytes of a long run wait, beside one that reads each as it comes.
#![allow(missing_docs)]

use dtu_proto::config::{Config, LineFormat, Options};
use dtu_proto::event::{Input, SerialInput};
use dtu_proto::rest::Rests;
use dtu_proto::seen::{Cut, Seen};
use dtu_proto::testing::{Bench, LINK1, one_link};
use dtu_proto::time::{Duration, Instant};
use proptest::collection::vec;
use proptest::prelude::*;

/// Silence that closes a frame, in ms.
const TIME: u16 = 50;
/// What an adapter delivers at once at 115200 Bd, and how often.
const SLICE: usize = 57;
const EVERY: u64 = 4950;

/// Bytes as the line delivers them, with the time in us. None: the server talks.
type Delivery = (u64, Vec<u8>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Frame {
    /// When it was cut, in us.
    at: u64,
    len: usize,
    cut: Cut,
}

#[derive(Debug, Default)]
struct Outcome {
    frames: Vec<Frame>,
    bytes: Vec<u8>,
    reads: usize,
    /// What the device said to the DTE.
    printed: Vec<u8>,
}

struct Host {
    dev: Bench,
    rests: Option<Rests>,
    /// It wakes so much too late, in us, but for bytes of the line.
    late: u64,
    kernel: Vec<u8>,
    rest: Option<Instant>,
    outcome: Outcome,
}

impl Host {
    fn new(config: Config, options: Options, rests: bool) -> Self {
        let mut dev = Bench::with(config, options);
        dev.dtu.watch();
        dev.at(1000).printed();
        Self {
            dev,
            rests: rests.then(Rests::default),
            late: 0,
            kernel: Vec::new(),
            rest: None,
            outcome: Outcome::default(),
        }
    }

    fn note(&mut self, at: Instant) {
        for seen in std::iter::from_fn(|| self.dev.dtu.poll_seen()).collect::<Vec<_>>() {
            if let Seen::Frame { bytes, cut } = seen {
                let (at, len) = (at.as_micros(), bytes.len());
                self.outcome.frames.push(Frame { at, len, cut });
                self.outcome.bytes.extend_from_slice(&bytes);
            }
        }
        self.outcome.printed.extend(self.dev.take_printed());
    }

    /// Deadlines and ends of rests up to a time, as the daemon does it.
    fn run_to(&mut self, end: u64) {
        let end = Instant::from_micros(end);
        loop {
            let late = Duration::from_micros(self.late);
            let deadline = self.dev.dtu.poll_timeout().map(|deadline| deadline.at);
            // While the line rests, deadlines wait for its end.
            let Some(next) = self
                .rest
                .or(deadline)
                .map(|at| at + late)
                .filter(|at| *at <= end)
            else {
                break;
            };
            if self.rest.is_some_and(|over| over <= next) {
                self.rest = None;
                self.read(next);
            } else {
                self.dev.until(next.max(self.dev.now));
            }
            self.note(next);
            self.decide(next);
        }
        self.dev.now = self.dev.now.max(end);
    }

    fn read(&mut self, now: Instant) {
        let bytes = std::mem::take(&mut self.kernel);
        assert!(
            bytes.len() < 4095,
            "{} bytes wait in the kernel",
            bytes.len()
        );
        self.outcome.reads += 1;
        let rests = self.rests.as_mut();
        let came = rests.map_or(now, |rests| rests.read(bytes.len(), now));
        if !bytes.is_empty() {
            // The device's time goes forward, whatever the host says.
            self.dev.now = came;
            self.dev.input(Input::Serial(SerialInput::Data(&bytes)));
        }
        self.dev.now = now;
    }

    fn decide(&mut self, now: Instant) {
        if let Some(rests) = &mut self.rests {
            self.rest = rests.until(self.dev.dtu.packing(), now);
        }
    }

    fn play(mut self, script: &[Delivery]) -> Outcome {
        for (at, bytes) in script {
            self.run_to(*at);
            let now = Instant::from_micros(*at);
            if bytes.is_empty() {
                let rests = self.rests.as_ref();
                self.dev.now = rests.map_or(now, |rests| rests.device_time(now));
                self.dev.network(LINK1, "x");
                continue;
            }
            self.kernel.extend_from_slice(bytes);
            if self.rest.is_none() {
                self.read(now);
                self.note(now);
                self.decide(now);
            }
        }
        let end = script.last().map_or(0, |(at, _)| *at) + 5_000_000;
        self.run_to(end);
        self.outcome
    }
}

fn packed() -> Config {
    Config {
        packing_time: TIME,
        restart_time: 0,
        ..one_link()
    }
}

/// The same script for both: who reads at once, and who rests.
fn both(script: &[Delivery]) -> [Outcome; 2] {
    [false, true].map(|rests| Host::new(packed(), options(), rests).play(script))
}

fn options() -> Options {
    Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    }
}

/// So many deliveries from a time on, at the line's rate.
fn run(from: u64, count: u64) -> Vec<Delivery> {
    paced(from, count, SLICE, EVERY)
}

fn paced(from: u64, count: u64, slice: usize, every: u64) -> Vec<Delivery> {
    let delivery = |number| (from + number * every, vec![b'u'; slice]);
    (0..count).map(delivery).collect()
}

/// When the last delivery of a script comes.
fn end(script: &[Delivery]) -> u64 {
    script.last().expect("a delivery").0
}

const START: u64 = 2_000_000;

#[test]
fn a_long_run_is_read_some_times_a_frame_and_cut_as_by_who_reads_at_once() {
    let script = run(START, 2000);
    let [at_once, rested] = both(&script);
    assert_eq!(at_once.reads, 2000);
    // 41 deliveries until the run is known; 1024 bytes take 89 ms, and a rest at most 47.5.
    let frames = 2000 * SLICE / 1024;
    assert!(rested.reads < 41 + 5 * frames / 2, "{}", rested.reads);
    assert_eq!(rested.bytes, at_once.bytes);
    assert_eq!(rested.frames.len(), at_once.frames.len());
    for (rested, at_once) in rested.frames.iter().zip(&at_once.frames) {
        assert_eq!((rested.len, rested.cut), (at_once.len, at_once.cut));
        let late = rested.at.abs_diff(at_once.at);
        assert!(late <= 2 * EVERY, "{rested:?} {at_once:?}");
    }
}

#[test]
fn requests_and_short_runs_never_bring_a_rest() {
    // 4 x TIME are 41 deliveries.
    for count in [1, 2, 8, 40] {
        for pause in [60_000, 20_000] {
            let mut script = Vec::new();
            for _ in 0..50 {
                let from = script.last().map_or(START, |(at, _)| at + pause);
                script.extend(run(from, count));
            }
            let [at_once, rested] = both(&script);
            assert_eq!(rested.reads, at_once.reads, "{count} {pause}");
            assert_eq!(rested.frames, at_once.frames, "{count} {pause}");
        }
    }
}

#[test]
fn a_run_that_is_slower_or_faster_than_the_line_brings_no_rest() {
    // A pty delivers what its DTE writes, whatever the rate says.
    for every in [EVERY * 2, EVERY * 4 / 3, EVERY * 2 / 3, EVERY / 2, 300] {
        let [at_once, rested] = both(&paced(START, 2000, SLICE, every));
        assert_eq!(rested.reads, at_once.reads, "{every}");
        assert_eq!(rested.frames, at_once.frames, "{every}");
    }
    let [at_once, rested] = both(&paced(START, 500, 1024, 1000));
    assert_eq!(rested.reads, at_once.reads);
}

#[test]
fn a_pty_that_becomes_fast_waits_for_one_rest_at_most() {
    let mut script = run(START, 200);
    script.extend(paced(end(&script) + 100, 400, SLICE, 1000));
    let [_, rested] = both(&script);
    assert!(rested.reads > 400, "{}", rested.reads);
}

#[test]
fn a_silence_behind_a_long_run_closes_the_frame_to_within_a_delivery() {
    // In each phase of the rests, 47 ms long at most.
    for count in 100..140 {
        for (pause, is_cut) in [
            (30_000, false),
            (39_000, false),
            (50_001, true),
            (55_000, true),
        ] {
            let mut script = run(START, count);
            let stop = end(&script);
            script.extend(run(stop + pause, 12));
            let [at_once, rested] = both(&script);
            assert_eq!(rested.bytes, at_once.bytes);
            let lengths = |outcome: &Outcome| -> Vec<(usize, Cut)> {
                outcome.frames.iter().map(|it| (it.len, it.cut)).collect()
            };
            assert_eq!(lengths(&rested), lengths(&at_once), "{count} {pause}");
            let cuts = rested.frames.iter().filter(|it| it.cut == Cut::Silence);
            let whole = (count as usize * SLICE).is_multiple_of(1024);
            assert_eq!(
                cuts.count(),
                1 + usize::from(is_cut && !whole),
                "{count} {pause}"
            );
            for (rested, at_once) in rested.frames.iter().zip(&at_once.frames) {
                let late = rested.at.saturating_sub(at_once.at);
                let early = at_once.at.saturating_sub(rested.at);
                assert!(
                    late <= 2 * EVERY && early <= 2 * EVERY,
                    "{rested:?} {at_once:?}"
                );
            }
        }
    }
}

/// The one thing that nobody can know: a few bytes behind a silence in a rest count as come before it.
#[test]
fn a_silence_within_a_rest_closes_the_frame_early_by_that_rest_at_most() {
    let mut earliest = 0;
    for count in 100..140 {
        let mut script = run(START, count);
        script.extend(run(end(&script) + 39_000, 1));
        let [at_once, rested] = both(&script).map(|it| it.frames.last().expect("a frame").clone());
        assert_eq!(rested.len, at_once.len, "{count}");
        assert!(rested.at <= at_once.at + EVERY, "{count}");
        earliest = earliest.max(at_once.at.saturating_sub(rested.at));
    }
    assert!((20_000..50_000).contains(&earliest), "{earliest}");
}

#[test]
fn the_guard_time_counts_from_the_last_byte_of_a_long_run() {
    for count in 100..140 {
        let last = end(&run(START, count));
        // 0 is in the run, 150 ms is less than the guard time by more than a rest.
        for (pause, is_heard) in [(EVERY, false), (150_000, false), (200_001, true)] {
            let mut script = run(START, count);
            script.push((last + pause, b"+++".to_vec()));
            let [at_once, rested] = both(&script);
            let said: &[u8] = if is_heard { b"a" } else { b"" };
            assert_eq!(at_once.printed, said, "{count} {pause}");
            assert_eq!(rested.printed, said, "{count} {pause}");
            assert_eq!(rested.bytes, at_once.bytes);
        }
    }
}

#[test]
fn what_else_comes_in_a_rest_takes_no_byte_its_time() {
    for count in 100..140 {
        let mut script = run(START, count);
        let last = end(&script);
        script.extend((1..12).map(|number| (last + number * EVERY, Vec::new())));
        script.push((last + 200_001, b"+++".to_vec()));
        let [at_once, rested] = both(&script);
        assert_eq!(at_once.printed, b"xxxxxxxxxxxa");
        assert_eq!(rested.printed, at_once.printed, "{count}");
    }
}

#[test]
fn a_host_that_wakes_late_behind_a_rest_cuts_nothing() {
    for late in [5_000, 20_000, 40_000] {
        let mut host = Host::new(packed(), options(), true);
        host.late = late;
        let outcome = host.play(&run(START, 1000));
        let silent = outcome.frames.iter().filter(|it| it.cut == Cut::Silence);
        assert_eq!(silent.count(), 1, "{late}: {:?}", outcome.frames);
    }
}

#[test]
fn len_closes_frames_as_soon_as_they_are_full() {
    let config = Config {
        packing_length: 300,
        ..packed()
    };
    let options = Options {
        length_enabled: true,
        ..options()
    };
    let script = run(START, 1000);
    let [at_once, rested] = [false, true].map(|rests| {
        let mut host = Host::new(config.clone(), options.clone(), rests);
        // As any timer: else each delivery comes just behind a rest.
        host.late = 100;
        host.play(&script)
    });
    assert!(rested.reads < at_once.reads / 2, "{}", rested.reads);
    assert_eq!(rested.frames.len(), at_once.frames.len());
    for (rested, at_once) in rested.frames.iter().zip(&at_once.frames) {
        assert_eq!((rested.len, rested.cut), (at_once.len, at_once.cut));
        assert!(rested.at - at_once.at.min(rested.at) <= 2 * EVERY);
    }
}

#[test]
fn where_each_read_goes_on_at_once_and_in_the_command_state_there_is_no_rest() {
    let config = Config {
        packing_time: 0,
        ..packed()
    };
    let script = run(START, 300);
    let host = |config: &Config| Host::new(config.clone(), options(), true);
    assert_eq!(host(&config).play(&script).reads, 300);
    let mut commands = host(&packed());
    commands.dev.escape();
    commands.dev.at(1999);
    assert_eq!(commands.play(&script).reads, 300);
}

/// A run of bytes, as a line of 115200 Bd may deliver it, and the silence behind it in ms.
fn piece() -> impl Strategy<Value = (u64, u64, u64)> {
    let pause = prop_oneof![
        4 => 1..TIME as u64 * 3,
        2 => 195..210_u64,
        1 => 500..900_u64,
    ];
    // No real line is faster than its rate; a pty is.
    let percent = prop_oneof![9 => 60..=99_u64, 1 => 140..500_u64];
    (1..90_u64, percent, pause)
}

proptest! {
    /// Whatever comes when: each byte, in order; runs of a real line that are a little more than TIME apart are never in one
    /// frame; and `+++` behind its silence is heard.
    #[test]
    fn runs_of_a_real_line_stay_apart_and_no_byte_is_lost(
        slice in 1..200_usize, pieces in vec(piece(), 1..12), escape in any::<bool>(),
    ) {
        let format = LineFormat::default();
        let character = 1_000_000_000 * 10 / u64::from(format.baud);
        let (mut at, mut script, mut runs) = (START, Vec::new(), Vec::new());
        let is_real = pieces.iter().all(|(_, percent, _)| *percent <= 100);
        for (count, percent, pause) in pieces {
            let every = slice as u64 * character * 100 / percent / 1000;
            let begin = at;
            for _ in 0..count {
                script.push((at, vec![b'u'; slice]));
                at += every.max(1);
            }
            let last = end(&script);
            runs.push((begin, last, slice * usize::try_from(count).expect("small")));
            at = last + every.max(pause * 1000);
        }
        if escape {
            script.push((end(&script) + 200_001, b"+++".to_vec()));
        }
        let [at_once, rested] = both(&script);
        prop_assert_eq!(&rested.bytes, &at_once.bytes);
        if escape {
            prop_assert_eq!(&at_once.printed, b"a");
        }
        if !is_real {
            return Ok(());
        }
        prop_assert_eq!(&rested.printed, &at_once.printed);
        let mut borders = std::collections::BTreeSet::new();
        let mut sum = 0;
        for frame in &rested.frames {
            sum += frame.len;
            borders.insert(sum);
        }
        let mut sum = 0;
        for pair in runs.windows(2) {
            sum += pair[0].2;
            if pair[1].0 - pair[0].1 > u64::from(TIME) * 1000 + 12_000 {
                prop_assert!(borders.contains(&sum), "no cut behind {} bytes: {:?}", sum, rested.frames);
            }
        }
    }
}
