//! `dtu-sim fleet` and `dtu-sim echo`: the command line, and what is shown while they run.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use dtu_sim::echo::{Echo, Packets};
use dtu_sim::fleet::limits::raise_descriptors;
use dtu_sim::fleet::{
    self, Bound, Check, Fault, FleetError, Plan, Scenario, Simulated, Simulation, Template,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use view::Screen;

mod view;

/// What the command line says of a fleet.
#[derive(Debug, clap::Args)]
pub(crate) struct FleetArgs {
    /// All of it in a file, see docs/fleet.md; the options below go before what it says.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// The server: tcp://HOST:PORT.
    #[arg(long, value_name = "tcp://HOST:PORT", value_parser = fleet::parse_target)]
    target: Option<SocketAddr>,
    /// Devices: 1..=1000000.
    #[arg(long, value_name = "N", value_parser = |text: &str| Bound::COUNT.parse(text))]
    count: Option<f64>,
    /// Devices that are switched on in a second.
    #[arg(long, value_name = "N", value_parser = |text: &str| Bound::RAMP.parse(text))]
    ramp: Option<f64>,
    /// Seconds between two frames of a device; 0 = no frames.
    #[arg(long, value_name = "S", value_parser = |text: &str| Bound::PERIOD.parse(text))]
    period: Option<f64>,
    /// Part of the period by which it is longer or shorter: 0..=1.
    #[arg(long, value_name = "PART", value_parser = |text: &str| Bound::JITTER.parse(text))]
    jitter: Option<f64>,
    /// Bytes of a frame, 16..=1024, or LEAST..MOST.
    #[arg(long, value_name = "N", value_parser = fleet::parse_bytes)]
    bytes: Option<(u16, u16)>,
    /// Frames of each device, then it is silent.
    #[arg(long, value_name = "N", value_parser = |text: &str| Bound::FRAMES.parse(text))]
    frames: Option<f64>,
    /// Rate of the serial lines in Bd; 0 = as fast as it goes.
    #[arg(long, value_name = "BD", value_parser = |text: &str| Bound::SPEED.parse(text))]
    line_speed: Option<f64>,
    /// Milliseconds of silence that close a frame, as AT+CIPCFG; 0 = no packing.
    #[arg(long, value_name = "MS", value_parser = |text: &str| Bound::PACKING.parse(text))]
    packing: Option<f64>,
    /// Registration packet, with {id}, {imei}, {index} in it.
    #[arg(long, value_name = "TEMPLATE", value_parser = parse_template)]
    register: Option<Template>,
    /// Heartbeat, with the same.
    #[arg(long, value_name = "TEMPLATE", value_parser = parse_template)]
    heartbeat: Option<Template>,
    /// Seconds between heartbeats, as AT+CIPCFG; 0 = none.
    #[arg(long, value_name = "S", value_parser = |text: &str| Bound::HEARTBEAT.parse(text))]
    heartbeat_every: Option<f64>,
    /// What is expected of the server: echo, acknowledgement; script with the steps of a scenario file.
    #[arg(long, value_name = "WHAT", value_parser = fleet::parse_check)]
    check: Option<Check>,
    /// What goes wrong: KIND,KEY=VALUE,... as half-open,at=10,for=30,share=0.1. Can be given several times.
    #[arg(long, value_name = "FAULT", value_parser = fleet::parse_fault)]
    fault: Vec<Fault>,
    /// These devices, from 1, have a pty as their serial line: N or A..B. Links fleet-N lead to them.
    #[arg(long, value_name = "A..B", value_parser = fleet::parse_ptys)]
    pty: Option<RangeInclusive<u32>>,
    /// Seconds of sending, from the start; without it until all frames are sent, or Ctrl-C.
    #[arg(long, value_name = "S", value_parser = |text: &str| Bound::DURATION.parse(text))]
    duration: Option<f64>,
    /// Seconds that answers may take behind the last frame.
    #[arg(long, value_name = "S", value_parser = |text: &str| Bound::DRAIN.parse(text))]
    drain: Option<f64>,
    /// Seed of all chance.
    #[arg(long, value_name = "N", value_parser = |text: &str| Bound::SEED.parse(text))]
    seed: Option<f64>,
    /// No sockets and no clock: a network and a server in memory, in virtual time. Needs --duration or --frames.
    #[arg(long = "virtual")]
    in_virtual_time: bool,
    /// Threads that share the devices; as many as there are cores.
    #[arg(long, value_name = "N", requires = "in_virtual_time", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Milliseconds from a device to the server, and as many back.
    #[arg(long, value_name = "MS", requires = "in_virtual_time", value_parser = |text: &str| Bound::DELAY.parse(text))]
    delay: Option<f64>,
    /// The server keeps about each so many-th packet for itself: to see that missing frames are found.
    #[arg(long, value_name = "N", requires = "in_virtual_time", value_parser = clap::value_parser!(u32).range(1..))]
    swallow: Option<u32>,
    /// The account as one JSON object.
    #[arg(long)]
    json: bool,
    /// Nothing is shown while it runs.
    #[arg(long)]
    quiet: bool,
}

/// What the command line says of an echo server.
#[derive(Debug, clap::Args)]
pub(crate) struct EchoArgs {
    /// Address and port.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// Registration packet that connections begin with; it is counted and not sent back.
    #[arg(long, value_name = "TEMPLATE", value_parser = parse_template)]
    register: Option<Template>,
    /// Heartbeat; it is counted and not sent back. Packets that are neither that nor frames of a fleet are counted, too.
    #[arg(long, value_name = "TEMPLATE", value_parser = parse_template)]
    heartbeat: Option<Template>,
    /// Connections at once.
    #[arg(long, value_name = "N", default_value_t = 16_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    most: u32,
    /// Nothing is shown while it runs.
    #[arg(long)]
    quiet: bool,
}

fn parse_template(text: &str) -> Result<Template, String> {
    Template::parse(text).map_err(|error| error.to_string())
}

/// Wrong usage.
const USAGE: u8 = 2;

pub(crate) fn run_fleet(args: FleetArgs) -> ExitCode {
    let (json, quiet) = (args.json, args.quiet);
    let simulation = args.in_virtual_time.then(|| simulation(&args));
    let planned = scenario(args).and_then(|mut scenario| {
        // Nobody connects to it: but a device wants to know where to.
        let nobody = || SocketAddr::from(([127, 0, 0, 1], 9000));
        scenario.target = scenario.target.or_else(|| simulation.map(|_| nobody()));
        scenario.plan()
    });
    let plan = match planned {
        Ok(plan) => plan,
        Err(problem) => return wrong(&problem),
    };
    let stop = match signals() {
        Ok(stop) => stop,
        Err(error) => return failed(&error),
    };
    if let Some(simulation) = simulation {
        return in_virtual_time(&plan, simulation, &stop, json, quiet);
    }
    let mut screen = Screen::new(quiet, io::stderr().is_terminal());
    let account = match fleet::run(&plan, &stop, &mut screen) {
        Ok(account) => account,
        Err(FleetError::Plan(problem)) => return wrong(&problem),
        Err(error @ FleetError::System(..)) => return failed(&error),
    };
    screen.end();
    if json {
        crate::print(format_args!("{}", account.json()));
    } else {
        crate::print(format_args!("{}", account.to_string().trim_end()));
    }
    match account.judge() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => failed(&problem),
    }
}

fn simulation(args: &FleetArgs) -> Simulation {
    let known = Simulation::default();
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    Simulation {
        threads: args.threads.map_or_else(cores, usize::from),
        delay: args
            .delay
            .map_or(known.delay, |ms| Duration::from_secs_f64(ms / 1000.0)),
        swallow: args.swallow,
    }
}

fn in_virtual_time(
    plan: &Plan,
    simulation: Simulation,
    stop: &UnixStream,
    json: bool,
    quiet: bool,
) -> ExitCode {
    let mut progress = view::Progress::new(quiet, io::stderr().is_terminal());
    let start = dtu_sim::clock::now();
    let done = fleet::simulate(plan, simulation, |now| {
        progress.look(&now, start.elapsed());
        // A signal has come.
        let mut byte = [0; 1];
        !matches!((&mut &*stop).read(&mut byte), Ok(1))
    });
    let cost = Cost {
        took: start.elapsed(),
        cpu: dtu_sim::clock::cpu_time(),
        threads: simulation.threads,
    };
    progress.end();
    let done = match done {
        Ok(done) => done,
        Err(FleetError::Plan(problem)) => return wrong(&problem),
        Err(error @ FleetError::System(..)) => return failed(&error),
    };
    let frames = done.account.sent;
    if json {
        let mut all = done.account.json();
        all["server"] = done.served.json();
        all["speed"] = cost.json(frames);
        crate::print(format_args!("{all}"));
    } else {
        let Simulated { account, served } = &done;
        crate::print(format_args!(
            "{account}server        {served}\n{}",
            cost.text(frames)
        ));
    }
    match done.account.judge() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => failed(&problem),
    }
}

/// What a run in virtual time cost.
struct Cost {
    took: Duration,
    cpu: Duration,
    threads: usize,
}

impl Cost {
    fn rates(&self, frames: u64) -> (f64, f64) {
        let rate = |time: Duration| frames as f64 / time.as_secs_f64().max(1e-9);
        (rate(self.took), rate(self.cpu))
    }

    fn text(&self, frames: u64) -> String {
        let (rate, cpu_rate) = self.rates(frames);
        let Self { took, cpu, threads } = self;
        format!(
            "speed         {rate:.0} frames/s: {:.2} s on {threads} threads, {:.2} s of CPU ({cpu_rate:.0} frames a second of it)",
            took.as_secs_f64(),
            cpu.as_secs_f64()
        )
    }

    fn json(&self, frames: u64) -> serde_json::Value {
        let (rate, cpu_rate) = self.rates(frames);
        serde_json::json!({
            "threads": self.threads,
            "wall_seconds": self.took.as_secs_f64(),
            "cpu_seconds": self.cpu.as_secs_f64(),
            "frames_per_second": rate,
            "frames_per_cpu_second": cpu_rate,
        })
    }
}

fn scenario(args: FleetArgs) -> Result<Scenario, String> {
    let file = match &args.scenario {
        Some(path) => Scenario::load(path).map_err(|error| error.to_string())?,
        None => Scenario::default(),
    };
    let said = Scenario {
        count: args.count,
        target: args.target,
        ramp: args.ramp,
        seed: args.seed,
        duration: args.duration,
        drain: args.drain,
        check: args.check,
        register: args.register,
        heartbeat: args.heartbeat,
        heartbeat_every: args.heartbeat_every,
        packing: args.packing,
        period: args.period,
        bytes: args.bytes,
        jitter: args.jitter,
        frames: args.frames,
        line_speed: args.line_speed,
        recorded: None,
        script: None,
        texts: None,
        ptys: args.pty,
        faults: args.fault,
    };
    Ok(said.or(file))
}

pub(crate) fn run_echo(args: &EchoArgs) -> ExitCode {
    if let Err(problem) = raise_descriptors(u64::from(args.most)) {
        return failed(&problem);
    }
    let packets = Packets {
        register: args.register.clone(),
        heartbeat: args.heartbeat.clone(),
    };
    let echo = match Echo::bind(args.listen, packets) {
        Ok(echo) => echo,
        Err(error) => return failed(&format_args!("{}: {error}", args.listen)),
    };
    let stop = match signals() {
        Ok(stop) => stop,
        Err(error) => return failed(&error),
    };
    crate::print(format_args!("ready listen={}", echo.local()));
    let quiet = args.quiet;
    let done = echo.run(&stop, |seen| {
        if !quiet {
            let _ = writeln!(io::stderr(), "{seen}");
        }
    });
    match done {
        Ok(sum) => {
            crate::print(format_args!("{sum}"));
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

/// Can be read once for each signal that asks for the end.
fn signals() -> io::Result<UnixStream> {
    let (asked, handler) = UnixStream::pair()?;
    asked.set_nonblocking(true)?;
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::low_level::pipe::register(signal, handler.try_clone()?)?;
    }
    Ok(asked)
}

fn wrong(problem: &str) -> ExitCode {
    eprintln!("dtu-sim: {problem}");
    ExitCode::from(USAGE)
}

fn failed(problem: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("dtu-sim: {problem}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use clap::Args as _;
    use dtu_sim::echo::Echoed;
    use dtu_sim::fleet::{Account, FaultKind};

    use super::*;

    /// What people read of it.
    const PAGE: &str = include_str!("../../../docs/fleet.md");

    #[test]
    fn the_page_has_every_option_fault_and_key() {
        let command = FleetArgs::augment_args(clap::Command::new("fleet"));
        let mut wanted: Vec<String> = command
            .get_arguments()
            .filter_map(|arg| arg.get_long())
            .map(|long| format!("`--{long}`"))
            .collect();
        assert!(wanted.len() > 20, "{wanted:?}");
        wanted.extend(FaultKind::NAMES.map(|name| format!("`{name}`")));
        let mut account = Account::default().json();
        account["server"] = Echoed::default().json();
        account["speed"] = Cost {
            took: Duration::ZERO,
            cpu: Duration::ZERO,
            threads: 1,
        }
        .json(0);
        let inner = ["server", "speed"].map(|key| account[key].clone());
        let keys = |value: &serde_json::Value| value.as_object().unwrap().clone();
        let all = inner.iter().flat_map(keys).chain(keys(&account));
        wanted.extend(all.map(|(key, _)| {
            if key.starts_with("texts_") {
                "`texts_*`".to_owned()
            } else {
                format!("`{key}`")
            }
        }));
        for word in wanted {
            assert!(PAGE.contains(&word), "docs/fleet.md has no {word}");
        }
    }
}
