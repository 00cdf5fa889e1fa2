//! `cargo bench -p dtud --bench e2e -- [--quick] [--only RUN]`: pty -> device -> TCP and back, against `socat` and
//! a bare poll loop, interleaved in one run; `OLD_DTUD=FILE` adds an earlier build.
//!
//! Shared machines are noisy: in every round each program does the same run, in rotated order and piece by piece in
//! turn, and what is compared is the ratio inside a round. A difference is claimed only where all ratios lie on one side of 1.
//! Exit 1 (by a panic that says which) when a figure cannot be measured or the device loses a byte; never for speed.

use std::process::ExitCode;
use std::time::{Duration, Instant};

mod bare;
#[path = "../../tests/it/common/mod.rs"]
#[allow(dead_code, reason = "shared with the end-to-end tests")]
mod common;
mod fan;
mod figures;
mod load;
mod paced;
mod peer;
mod runs;

use figures::Figures;
use peer::Peer;

/// How much to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    rounds: usize,
    /// Bytes of a throughput run.
    bulk: u64,
    /// Bytes pushed at a server that stops reading.
    stall_bytes: u64,
    round_trips: usize,
    /// Of a paced run.
    paced: Duration,
    outage: Duration,
    stall: Duration,
    idle: Duration,
}

const MIB: u64 = 1024 * 1024;

const FULL: Plan = Plan {
    rounds: 9,
    bulk: 32 * MIB,
    stall_bytes: 24 * MIB,
    round_trips: 3000,
    paced: Duration::from_secs(5),
    outage: Duration::from_secs(5),
    stall: Duration::from_secs(4),
    idle: Duration::from_secs(5),
};

const QUICK: Plan = Plan {
    rounds: 2,
    bulk: 8 * MIB,
    stall_bytes: 12 * MIB,
    round_trips: 300,
    paced: Duration::from_secs(1),
    outage: Duration::from_secs(2),
    stall: Duration::from_secs(1),
    idle: Duration::from_secs(2),
};

/// Name, and what it does.
type Run = (&'static str, fn(&Plan, &[Peer], &mut Figures));

const RUNS: &[Run] = &[
    ("bulk", runs::bulk),
    ("roundtrip", runs::round_trips),
    ("paced", paced::slices),
    ("outage", paced::outage),
    ("stall", runs::stall),
    ("fan", fan::out),
    ("idle", runs::idle),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["bare", path, port] => bare::run(path, port),
        ["bare", path, ref ports @ ..] => bare::run_fan_out(path, ports),
        [] => measure(&FULL, None),
        ["--quick"] => measure(&QUICK, None),
        ["--only", run] => measure(&FULL, Some(run)),
        ["--quick", "--only", run] | ["--only", run, "--quick"] => measure(&QUICK, Some(run)),
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    let names: Vec<&str> = RUNS.iter().map(|(name, _)| *name).collect();
    eprintln!(
        "usage: e2e [--quick] [--only RUN]; RUN is one of {}",
        names.join(", ")
    );
    ExitCode::from(2)
}

fn measure(plan: &Plan, only: Option<&str>) -> ExitCode {
    let chosen: Vec<&Run> = RUNS
        .iter()
        .filter(|(name, _)| only.is_none_or(|only| only == *name))
        .collect();
    if chosen.is_empty() {
        return usage();
    }
    let peers = peer::present();
    let begin = Instant::now();
    let mut figures = Figures::default();
    for (name, run) in chosen {
        eprintln!("{name} …");
        run(plan, &peers, &mut figures);
    }
    println!("{}", figures.table());
    eprintln!("took {:.0} s", begin.elapsed().as_secs_f64());
    ExitCode::SUCCESS
}
