//! `dtu-sim`: worlds in virtual time, replays of recorded logs, AT modems, and fleets of devices with real sockets.
#![forbid(unsafe_code)]

mod fleet_command;
mod serve;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use dtu_sim::{Failure, Fnv, Run, Summary, Trial};

/// Threads that share a range of seeds.
const THREADS: u64 = 2;

#[derive(Debug, Parser)]
#[command(
    version,
    about = "Worlds in virtual time for the DTU core, a simulated radio, and fleets of real devices for a server"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The device in virtual time under seeded faults, watched by checkers that stand outside.
    World {
        /// One seed.
        #[arg(long, conflicts_with = "seeds")]
        seed: Option<u64>,
        /// Seeds A..B, both included.
        #[arg(long, value_name = "A..B", value_parser = parse_seeds)]
        seeds: Option<RangeInclusive<u64>>,
        /// Length of the faulty part in virtual hours (as each seed says, if not given).
        #[arg(long, value_parser = parse_hours)]
        hours: Option<f64>,
        /// Print every line of the story.
        #[arg(long)]
        trace: bool,
        /// The worlds are in mode 1, 2 or 3, go from mode to mode (9) or are in none of these (0), whatever the seed says.
        #[arg(long, value_parser = clap::value_parser!(u8).range(0..=9))]
        mode: Option<u8>,
        /// Go on after a failure, and list all seeds that failed.
        #[arg(long)]
        all: bool,
    },
    /// Runs a log that `dtud --record FILE` wrote, and says what the device does.
    Replay {
        /// The log.
        file: PathBuf,
        /// Only the counters of the end.
        #[arg(long)]
        quiet: bool,
    },
    /// A simulated network with AT modems on ptys, for other programs. Lines of the script language on standard
    /// input happen at once; what phones receive is printed.
    Modem(serve::ModemArgs),
    /// Many real devices with real sockets, at one server: sends frames, checks the answers, and ends with an account of
    /// every frame. Exit 1 if one is missing.
    Fleet(Box<fleet_command::FleetArgs>),
    /// A server that sends back what it gets, for tests and measurements of fleets.
    Echo(fleet_command::EchoArgs),
    /// Many devices and one server that goes and comes back, in virtual time: how they come back. Without --outage: all the trials that
    /// they must stand, of 0.5 to 300 s.
    Herd {
        /// Devices.
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        count: u32,
        /// Seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Milliseconds that the server is away.
        #[arg(long, value_parser = clap::value_parser!(u64).range(100..=86_400_000))]
        outage: Option<u64>,
        /// How often it goes.
        #[arg(long, default_value_t = 1, requires = "outage", value_parser = clap::value_parser!(u32).range(1..=1000))]
        cuts: u32,
        /// Milliseconds from when all must be back to the next time.
        #[arg(long, default_value_t = 60_000, requires = "outage", value_parser = clap::value_parser!(u64).range(100..=86_400_000))]
        pause: u64,
        /// While it is away, SYNs vanish; else they are refused.
        #[arg(long, requires = "outage")]
        dropped: bool,
    },
}

fn parse_seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wrong =
        || format!("\"{text}\" is no range of seeds; wanted is A..B with A <= B, as 1..1000");
    let (first, last) = text.split_once("..").ok_or_else(wrong)?;
    let last = last.strip_prefix('=').unwrap_or(last);
    let seeds = first.parse().map_err(|_| wrong())?..=last.parse().map_err(|_| wrong())?;
    if seeds.is_empty() {
        Err(wrong())
    } else {
        Ok(seeds)
    }
}

fn parse_hours(text: &str) -> Result<f64, String> {
    let hours = text
        .parse()
        .map_err(|_| format!("\"{text}\" is no number of hours"))?;
    if (0.001..=1000.0).contains(&hours) {
        Ok(hours)
    } else {
        Err("hours must be 0.001..=1000".to_owned())
    }
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::World {
            seed,
            seeds,
            hours,
            trace,
            mode,
            all,
        } => {
            let how = Run {
                length: hours.map(micros),
                print: trace,
                mode,
            };
            world(seed, seeds, how, all)
        }
        Command::Replay { file, quiet } => exit(replay(&file, quiet)),
        Command::Modem(args) => exit(serve::serve(&args)),
        Command::Fleet(args) => fleet_command::run_fleet(*args),
        Command::Echo(args) => fleet_command::run_echo(&args),
        Command::Herd {
            count,
            seed,
            outage,
            cuts,
            pause,
            dropped,
        } => {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            let cuts = usize::try_from(cuts).unwrap_or(usize::MAX);
            let one = |outage| {
                vec![Trial {
                    seed,
                    count,
                    outage,
                    pause,
                    cuts,
                    dropped,
                }]
            };
            let all = || {
                dtu_sim::herd_trials(seed)
                    .into_iter()
                    .map(|trial| Trial { count, ..trial })
                    .collect()
            };
            herd(outage.map_or_else(all, one))
        }
    }
}

/// A line to stdout. A reader that is gone, as `head`, has seen what it wanted: the program ends.
fn print(line: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    match writeln!(std::io::stdout(), "{line}") {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            eprintln!("dtu-sim: stdout: {error}");
            std::process::exit(1)
        }
    }
}

fn exit(done: anyhow::Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("dtu-sim: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

fn herd(trials: Vec<Trial>) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for trial in trials {
        let start = dtu_sim::clock::now();
        let fleet = dtu_sim::run_herd(trial);
        print(format_args!(
            "{trial}: {} of {} back after {} (half), {} (nine in ten), {} ms (all); {} in the busiest 100 ms; {} in vain; \
             took {:.1} s",
            fleet.back,
            trial.count,
            fleet.half / 1000,
            fleet.most / 1000,
            fleet.last / 1000,
            fleet.busiest,
            fleet.in_vain,
            start.elapsed().as_secs_f64()
        ));
        if let Err(problem) = fleet.judge(&trial) {
            eprintln!("herd: {problem}");
            code = ExitCode::FAILURE;
        }
    }
    code
}

fn replay(file: &Path, quiet: bool) -> anyhow::Result<()> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let emit = |line: &str| {
        if !quiet {
            print(format_args!("{line}"));
        }
    };
    let done = dtu_sim::replay(&text, emit).with_context(|| file.display().to_string())?;
    print(format_args!(
        "{} inputs, {} outputs\n{}",
        done.entries, done.outputs, done.report
    ));
    Ok(())
}

fn world(seed: Option<u64>, seeds: Option<RangeInclusive<u64>>, how: Run, all: bool) -> ExitCode {
    let seeds = seeds.unwrap_or_else(|| seed.map_or(1..=100, |seed| seed..=seed));
    let failures = run_all(&seeds, how, all);
    for failure in &failures {
        report(failure);
    }
    if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be 0.001..=1000"
)]
fn micros(hours: f64) -> u64 {
    (hours * 3.6e9) as u64
}

/// Runs all seeds on a few threads and prints what they came to.
fn run_all(seeds: &RangeInclusive<u64>, how: Run, all: bool) -> Vec<Failure> {
    let next = AtomicU64::new(*seeds.start());
    let stop = AtomicBool::new(false);
    let work = || {
        let (mut sums, mut failures) = (Vec::new(), Vec::new());
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > *seeds.end() {
                break;
            }
            match dtu_sim::run(seed, how) {
                Ok(sum) => sums.push(sum),
                Err(failure) => {
                    failures.push(*failure);
                    stop.store(!all, Ordering::Relaxed);
                }
            }
        }
        (sums, failures)
    };
    let (mut sums, mut failures) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let mut both = (Vec::new(), Vec::new());
        for thread in threads {
            let (sums, failures) = thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            both.0.extend(sums);
            both.1.extend(failures);
        }
        both
    });
    print_sum(&sums);
    if failures.is_empty() {
        print(format_args!("all outputs: {:016x}", digest(&mut sums)));
    }
    failures.sort_by_key(|failure| failure.seed);
    failures
}

/// One number over all outputs of all worlds, in the order of their seeds.
fn digest(sums: &mut [Summary]) -> u64 {
    sums.sort_by_key(|sum| sum.seed);
    let mut all = Fnv::default();
    sums.iter()
        .for_each(|sum| all.mix(&sum.outputs.to_le_bytes()));
    all.get()
}

fn print_sum(sums: &[Summary]) {
    let total = |pick: fn(&Summary) -> u64| sums.iter().map(pick).sum::<u64>();
    print(format_args!(
        "{} worlds held, {:.1} virtual hours, {} calls: {} frames ({} deliveries, {} repeats, {} counted drops), \
         {} connections ({} back in time after an outage), {} reads printed, {} commands, {} escapes, {} heartbeats, {} restarts \
         ({} stops), \
         {} texts to phones, {} printed, {} replies by message, {} requests ({} answers), {} packets, {} texts typed, \
         {} changes of mode",
        sums.len(),
        total(|sum| sum.micros / 1_000_000) as f64 / 3600.0,
        total(|sum| sum.calls),
        total(|sum| sum.frames),
        total(|sum| sum.delivered),
        total(|sum| sum.repeated),
        total(|sum| sum.dropped),
        total(|sum| sum.connections),
        total(|sum| sum.returns),
        total(|sum| sum.reads),
        total(|sum| sum.commands),
        total(|sum| sum.escapes),
        total(|sum| sum.heartbeats),
        total(|sum| sum.restarts),
        total(|sum| sum.stops),
        total(|sum| sum.phone_sms),
        total(|sum| sum.printed_sms),
        total(|sum| sum.replies),
        total(|sum| sum.requests),
        total(|sum| sum.answers),
        total(|sum| sum.packets),
        total(|sum| sum.typed),
        total(|sum| sum.switches),
    ));
}

fn report(failure: &Failure) {
    for line in &failure.trace {
        eprintln!("{line}");
    }
    eprintln!(
        "seed {} at {}: {:?}: {}",
        failure.seed, failure.time, failure.rule, failure.text
    );
}
