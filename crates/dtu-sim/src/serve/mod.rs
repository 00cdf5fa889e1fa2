//! `dtu-sim modem`: AT modems on ptys, by the real clock. Everything they do is in [`cellular_sim::modem`].

mod replay;
mod show;

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use cellular_sim::modem::{Dialect, Oddities, Rack, RackOutput, Setup};
use cellular_sim::radio::{Script, Settings, Subscriber};
use dtu_proto::radio::PhoneNumber;
use dtu_proto::time::{Duration, Instant};
use dtu_sim::clock::{now, wall_clock};
use dtu_sim::pty::Pty;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// A line on standard input.
const LINE_MAX: usize = 64 * 1024;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct ModemArgs {
    /// Path of a link to a pty with a modem on it; each one more is a further modem of the same network.
    #[arg(long, value_name = "PATH", required = true)]
    pty: Vec<PathBuf>,
    /// Number of the first, second … modem: digits, + in front where it is international.
    #[arg(long, value_name = "NUMBER", value_parser = parse_number, allow_hyphen_values = true)]
    number: Vec<PhoneNumber>,
    /// What happens: a script, see docs/radio.md.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Habits of the modems: generic, sim800, ec2x.
    #[arg(long, default_value = "generic", value_parser = parse_dialect)]
    dialect: Dialect,
    /// The modem out of a log that `dtud --modem-log FILE` wrote: answers as they were recorded, news in their time.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["script", "dialect", "pin", "odd", "number"])]
    replay: Option<PathBuf>,
    /// Oddities of modems in the field, names with commas between them; "help" lists them.
    #[arg(long, value_name = "NAMES", value_parser = parse_odd, default_value = "", hide_default_value = true)]
    odd: Oddities,
    /// PIN that the SIM cards want: 4 to 8 digits.
    #[arg(long, value_parser = parse_pin)]
    pin: Option<String>,
    /// Places for messages on each SIM: 1 to 255.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u8).range(1..=255))]
    places: u8,
    /// Seed of delays and faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn parse_number(text: &str) -> Result<PhoneNumber, String> {
    PhoneNumber::new(text).ok_or_else(|| {
        format!("\"{text}\" is no number; wanted are up to 20 digits, + in front or not")
    })
}

fn parse_dialect(text: &str) -> Result<Dialect, String> {
    Dialect::named(text)
        .ok_or_else(|| format!("\"{text}\" is no dialect; allowed: generic, sim800, ec2x"))
}

fn parse_odd(text: &str) -> Result<Oddities, String> {
    if text == "help" {
        return Err(format!("there are:\n{}", Oddities::list()));
    }
    Oddities::parse(text)
}

fn parse_pin(text: &str) -> Result<String, String> {
    let is_pin = (4..=8).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
    if is_pin {
        Ok(text.to_owned())
    } else {
        Err(format!("\"{text}\" is no PIN; wanted are 4 to 8 digits"))
    }
}

/// Runs until a signal ends it.
pub(crate) fn serve(args: &ModemArgs) -> anyhow::Result<()> {
    let (mut ending, handler) = UnixStream::pair()?;
    ending.set_nonblocking(true)?;
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::low_level::pipe::register(signal, handler.try_clone()?)?;
    }
    if let Some(log) = &args.replay {
        return replay::serve(log, &args.pty, &mut ending);
    }
    let mut server = Server::new(args)?;
    while !ended(&mut ending) {
        server.turn(&ending)?;
    }
    for (path, pty) in server.paths.iter().zip(&server.ptys) {
        if let Some(lost) = pty.as_ref().map(|pty| pty.lost).filter(|lost| *lost > 0) {
            eprintln!("dtu-sim: {}: {lost} bytes found no reader", path.display());
        }
    }
    Ok(())
}

fn ended(signals: &mut UnixStream) -> bool {
    signals.read(&mut [0; 16]).is_ok()
}

struct Server {
    rack: Rack,
    paths: Vec<PathBuf>,
    /// One a modem; `None` while it is pulled out.
    ptys: Vec<Option<Pty>>,
    start: std::time::Instant,
    /// What was typed and is no whole line yet; `None` when standard input is at its end.
    typed: Option<Vec<u8>>,
}

impl Server {
    fn new(args: &ModemArgs) -> anyhow::Result<Self> {
        if args.number.len() > args.pty.len() {
            bail!(
                "{} numbers for {} modems",
                args.number.len(),
                args.pty.len()
            );
        }
        let clock = wall_clock();
        let mut rack = Rack::new(
            args.seed,
            Settings {
                clock,
                ..Settings::default()
            },
        );
        if let Some(path) = &args.script {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            let script = Script::parse(&text)
                .map_err(|error| anyhow::anyhow!("{}:{error}", path.display()))?;
            rack.play(script);
        }
        let mut server = Self {
            rack,
            paths: args.pty.clone(),
            ptys: Vec::new(),
            start: now(),
            typed: Some(Vec::new()),
        };
        for place in 0..args.pty.len() {
            let setup = Setup {
                dialect: args.dialect,
                pin: args.pin.clone(),
                places: args.places.into(),
                odd: args.odd,
                ..Setup::default()
            };
            let number = args.number.get(place).copied();
            let subscriber = Subscriber {
                number,
                imei: own_imei(place),
                imsi: own_imsi(place),
                ..Subscriber::default()
            };
            server.rack.add(setup, subscriber, Instant::ZERO);
            server.ptys.push(None);
            server.open(place)?;
        }
        Ok(server)
    }

    fn open(&mut self, place: usize) -> anyhow::Result<()> {
        let (Some(path), Some(slot)) = (self.paths.get(place), self.ptys.get_mut(place)) else {
            return Ok(());
        };
        *slot = Some(Pty::open(path)?);
        let number = self
            .rack
            .number(place)
            .map(|number| number.to_string())
            .unwrap_or_default();
        say(&format!("ready modem={} number={number}", path.display()))
    }

    fn now(&self) -> Instant {
        Instant::ZERO + now().duration_since(self.start)
    }

    /// Waits for bytes, lines, time or a signal, and does what follows.
    fn turn(&mut self, signals: &UnixStream) -> anyhow::Result<()> {
        self.carry_out()?;
        let stdin = io::stdin();
        let mut places = Vec::new();
        let mut fds = vec![PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN)];
        if self.typed.is_some() {
            fds.push(PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN));
        }
        for (place, pty) in self.ptys.iter().enumerate() {
            let Some(pty) = pty else { continue };
            let out = if pty.is_waiting() {
                PollFlags::OUT
            } else {
                PollFlags::empty()
            };
            fds.push(PollFd::from_borrowed_fd(
                pty.fd().as_fd(),
                PollFlags::IN | out,
            ));
            places.push(place);
        }
        match poll(&mut fds, self.sleep().as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        let own = ready.len() - places.len();
        if own == 2 && ready.get(1) == Some(&true) {
            self.read_lines()?;
        }
        for (place, _) in places
            .into_iter()
            .zip(&ready[own..])
            .filter(|(_, ready)| **ready)
        {
            self.serve_pty(place)?;
        }
        let now = self.now();
        self.rack.handle_timeout(now);
        self.carry_out()
    }

    fn sleep(&self) -> Option<Timespec> {
        let wait = self.rack.poll_timeout()?.since(self.now());
        // Up to the next whole millisecond, so that it is not early.
        Timespec::try_from(wait + Duration::from_micros(500)).ok()
    }

    fn serve_pty(&mut self, place: usize) -> anyhow::Result<()> {
        let mut buffer = [0; 4096];
        let Some(Some(pty)) = self.ptys.get_mut(place) else {
            return Ok(());
        };
        pty.flush()?;
        let count = pty.read(&mut buffer)?;
        let now = self.now();
        self.rack
            .read(place, buffer.get(..count).unwrap_or_default(), now);
        Ok(())
    }

    fn read_lines(&mut self) -> anyhow::Result<()> {
        let mut buffer = [0; 4096];
        let count = io::stdin().read(&mut buffer)?;
        let Some(typed) = &mut self.typed else {
            return Ok(());
        };
        if count == 0 {
            self.typed = None;
            return Ok(());
        }
        typed.extend(buffer.iter().take(count));
        let mut lines: Vec<Vec<u8>> = typed
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        *typed = lines
            .pop()
            .filter(|rest| rest.len() <= LINE_MAX)
            .unwrap_or_default();
        for line in lines {
            self.handle_line(&String::from_utf8_lossy(&line));
        }
        Ok(())
    }

    fn handle_line(&mut self, line: &str) {
        match Script::parse_now(line.trim_end()) {
            Ok(Some((modem, verb))) => {
                let now = self.now();
                self.rack.carry_out(modem, &verb, now);
            }
            Ok(None) => {}
            Err(error) => eprintln!("dtu-sim: column {}: {}", error.column, error.problem),
        }
    }

    fn carry_out(&mut self) -> anyhow::Result<()> {
        while let Some(output) = self.rack.poll_output() {
            match output {
                RackOutput::Bytes(place, bytes) => {
                    if let Some(Some(pty)) = self.ptys.get_mut(place) {
                        pty.send(&bytes)?;
                    }
                }
                RackOutput::Vanished(place) => {
                    if let Some(slot) = self.ptys.get_mut(place) {
                        *slot = None;
                    }
                    let path = self
                        .paths
                        .get(place)
                        .map(|path| path.display().to_string())
                        .unwrap_or_default();
                    say(&format!("gone modem={path}"))?;
                }
                RackOutput::Appeared(place) => self.open(place)?,
                RackOutput::Phone(event) => say(&show::line(&event))?,
                RackOutput::Problem(problem) => eprintln!("dtu-sim: {problem}"),
            }
        }
        Ok(())
    }
}

/// A line on standard output, at once: others wait for it. Nobody need read it.
fn say(line: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The manual's identity for the first, and the next numbers for others.
fn own_imei(place: usize) -> String {
    (135_790_246_811_220 + place as u64).to_string()
}

fn own_imsi(place: usize) -> String {
    (460_023_633_887_978 + place as u64).to_string()
}
