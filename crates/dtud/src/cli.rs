//! The command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{CommandFactory as _, Parser, Subcommand};
use dtu_proto::config::Config;

use crate::arguments;
use crate::at_lines::StartLine;
use crate::console;
use crate::control::{Control, HangUp, listen_to_signals};
#[cfg(feature = "demo")]
use crate::demo;
use crate::log;
use crate::machine::{BadStart, End, Machine, Setup};
use crate::modem;
use crate::reactor;
use crate::rehearsal;
use crate::serial::Address;
use crate::settings::{ConsoleAddress, FileKey, Settings};
use crate::status;
use crate::tls;

/// A software GPRS DTU: a serial line carried over four network links.
#[derive(Debug, Parser)]
#[command(name = "dtud", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// The serial line: pty:PATH (a link to a new pty), tty:DEVICE or tcp:HOST:PORT [default: the settings file's, else
    /// pty:./dtu0]
    #[arg(long, value_name = "LINE", value_parser = Address::parse)]
    serial: Option<Address>,
    /// The radio: sim (simulated), at:DEVICE (a modem with AT commands on a serial line), mm or mm:INDEX (the first
    /// modem of ModemManager, or that of the number), none (the host's own network, no SIM) [default: the settings file's,
    /// else sim]
    #[arg(long, value_name = "MODEM", value_parser = modem::Address::parse)]
    modem: Option<modem::Address>,
    /// Folder of stored parameters and undelivered frames [default: one for each line, below $XDG_STATE_HOME/dtud, else
    /// ~/.local/state/dtud]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Settings file (TOML); -FILE = if it is there [default: dtud.toml in the state folder, if it is there]
    #[arg(long, value_name = "FILE", allow_hyphen_values = true, value_parser = NamedFile::parse)]
    settings: Option<NamedFile>,
    /// Where the web console listens: ADDRESS:PORT, a port of this host, or off; beyond this host it needs a password
    /// (dtud console-password) [default: the settings file's, else port 7200 of this host, or the next free one]
    #[arg(long, value_name = "ADDR", value_parser = parse_console)]
    console: Option<ConsoleAddress>,
    /// Length of the set-up window after power-on, in seconds [default: the settings file's, else 5]
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u16).range(0..=3600))]
    setup_window: Option<u16>,
    /// An AT command to run at power-on, as if typed in the set-up window; may be given many times
    #[arg(long, value_name = "COMMAND")]
    at: Vec<String>,
    /// AT commands to run behind those of --at, one a line (- = standard input; a line that begins with # is a comment):
    /// for passwords, which would stand in the list of processes
    #[arg(long, value_name = "FILE")]
    at_file: Option<PathBuf>,
    /// What the log tells: error, warn, info, debug, trace, off, or as RUST_LOG has it [default: RUST_LOG, else info]
    #[arg(long, value_name = "LEVEL", value_parser = parse_level)]
    log: Option<String>,
    /// Write the dialogue with the modem (at:) into this file, secrets masked; dtu-sim modem --replay plays it back
    #[arg(long, value_name = "FILE")]
    modem_log: Option<PathBuf>,
    /// Write a log of all inputs, which dtu-sim replays
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look whether a settings file is right; exit 2 with file:line:column on the first fault
    CheckSettings {
        /// The file
        file: PathBuf,
    },
    /// How a running device is: its links, what waits, what was dropped, the radio
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// The line of the device [default: pty:./dtu0]
        #[arg(long, value_name = "LINE", value_parser = Address::parse)]
        serial: Option<Address>,
        /// Its state folder [default: that of the line, else that of the one device that runs]
        #[arg(long, value_name = "DIR")]
        state: Option<PathBuf>,
    },
    /// Set the password of the web console, which it wants beyond this host and from other users; it is asked for, or
    /// read from standard input. Who is logged in with the old one is logged out
    ConsolePassword {
        /// That of a viewer, who sees states and counts, and changes nothing
        #[arg(long)]
        viewer: bool,
        /// Take the password away
        #[arg(long)]
        remove: bool,
        /// The line of the device [default: pty:./dtu0]
        #[arg(long, value_name = "LINE", value_parser = Address::parse)]
        serial: Option<Address>,
        /// Its state folder [default: that of the line]
        #[arg(long, value_name = "DIR")]
        state: Option<PathBuf>,
    },
    #[cfg(feature = "demo")]
    /// A whole scene on this machine: a meter on the serial line, the device, a data center, and an outage without loss
    Demo {
        /// End after so many seconds
        #[arg(long, value_name = "N")]
        seconds: Option<u64>,
        /// Where the device's web console listens, as without demo; it is gone with the demo, passwords too
        #[arg(long, value_name = "ADDR", value_parser = parse_console)]
        console: Option<ConsoleAddress>,
    },
    /// Completions of a shell, on stdout
    #[command(hide = true)]
    Completions {
        /// Which
        shell: clap_complete::Shell,
    },
    /// The man page, on stdout; or those of all subcommands as well, in a folder
    #[command(hide = true)]
    Man {
        /// Where to
        folder: Option<PathBuf>,
    },
}

/// A settings file that may be missing, where a `-` stands in front of its name: as in units of systemd.
#[derive(Clone, Debug)]
struct NamedFile {
    path: PathBuf,
    may_miss: bool,
}

impl NamedFile {
    fn parse(text: &str) -> Result<Self, String> {
        let (path, may_miss) = text
            .strip_prefix('-')
            .map_or((text, false), |path| (path, true));
        if path.is_empty() || (may_miss && path.starts_with('-')) {
            return Err("the name of a file is missing".to_owned());
        }
        Ok(Self {
            path: path.into(),
            may_miss,
        })
    }

    fn present(self) -> Option<PathBuf> {
        let missing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
        let is_missing = self.may_miss
            && std::fs::symlink_metadata(&self.path)
                .as_ref()
                .is_err_and(missing);
        (!is_missing).then_some(self.path)
    }
}

fn parse_console(text: &str) -> Result<ConsoleAddress, String> {
    ConsoleAddress::parse(text).ok_or_else(|| {
        format!("{text:?} is not off, a port, or ADDRESS:PORT as in 127.0.0.1:7200 or [::1]:7200")
    })
}

fn parse_level(text: &str) -> Result<String, String> {
    log::check_filter(text).map(|()| text.to_owned())
}

impl Cli {
    /// Does what the command line asks.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let done = match &self.command {
            Some(Command::CheckSettings { file }) => return check_settings(file),
            Some(Command::Status {
                json,
                serial,
                state,
            }) => show_status(state.clone(), serial.as_ref(), *json),
            Some(Command::ConsolePassword {
                viewer,
                remove,
                serial,
                state,
            }) => {
                let line = serial.clone().unwrap_or_default();
                let folder = state.clone().map_or_else(|| default_state(&line), Ok);
                folder.and_then(|folder| console::change_password(&folder, *viewer, *remove))
            }
            #[cfg(feature = "demo")]
            Some(Command::Demo { seconds, console }) => {
                demo::run(seconds.map(Duration::from_secs), *console)
            }
            Some(Command::Completions { shell }) => completions(*shell),
            Some(Command::Man { folder }) => man(folder.as_deref()),
            None => self.run_device(),
        };
        done.unwrap_or_else(|error| {
            complain(format_args!("dtud: {error:#}"));
            ExitCode::FAILURE
        })
    }

    fn run_device(self) -> anyhow::Result<ExitCode> {
        arguments::hide_secrets();
        if let Err(why) = log::start(self.log.as_deref(), "info") {
            return Ok(refuse(&why));
        }
        let mut at: Vec<StartLine> = self
            .at
            .iter()
            .map(|line| StartLine::argument(line))
            .collect();
        if let Some(path) = &self.at_file {
            match arguments::read_at_file(path) {
                Ok(lines) => at.extend(lines),
                Err(why) => return Ok(refuse(&why)),
            }
        }
        // The file may name the line, the line the state folder, and the folder may hold the file: a file that was named
        // is read first.
        let file = self.settings.and_then(NamedFile::present);
        let named = match file.as_deref().map(Settings::load).transpose() {
            Ok(named) => named,
            Err(why) => return Ok(refuse(&why)),
        };
        let line = |settings: Option<&Settings>| {
            let of_file = settings.and_then(|settings| settings.serial.line.clone());
            self.serial.clone().or(of_file).unwrap_or_default()
        };
        let state = self
            .state
            .clone()
            .map_or_else(|| default_state(&line(named.as_ref())), Ok)?;
        let own = state.join("dtud.toml");
        let may_miss = named.is_none() && std::fs::symlink_metadata(&own).is_err();
        let loaded = named.map_or_else(|| Settings::load(&own), Ok);
        let settings_path = file.unwrap_or(own);
        let mut settings = match loaded {
            Ok(settings) => settings,
            Err(_) if may_miss => Settings::default(),
            Err(why) => return Ok(refuse(&why)),
        };
        let serial = line(Some(&settings));
        let modem = self
            .modem
            .or(settings.modem.device.clone())
            .unwrap_or(modem::Address::Sim);
        settings.modem.log = self.modem_log;
        for warning in settings.warnings(&settings_path) {
            tracing::warn!("settings: {warning}");
        }
        if modem == modem::Address::Sim
            && let Err(why) = check_script(&settings_path, &settings)
        {
            return Ok(refuse(&why));
        }
        if let Err(why) = check_roots(&settings_path, &settings) {
            return Ok(refuse(&why));
        }
        at.splice(..0, settings.start_lines(&settings_path));
        let console = console::config(self.console, &settings.console, &state);
        if let Some(Err(why)) = console.as_ref().map(console::check) {
            return Ok(refuse(&format_args!("dtud: {why}")));
        }
        let kind = console::Kind::new(&modem, &serial);
        let setup = Setup {
            serial,
            modem,
            state,
            settings,
            settings_path: Some(settings_path),
            setup_window: self
                .setup_window
                .map(|seconds| Duration::from_secs(seconds.into())),
            at,
            record: self.record,
        };
        let runtime = runtime()?;
        let end = reactor::block_on(runtime, async {
            let control = Arc::new(Control::default());
            listen_to_signals(Arc::clone(&control), on_hang_up())?;
            let machine = Machine::new(setup, Arc::clone(&control))?;
            let Some(config) = console else {
                let machine = machine.announcing("off");
                return anyhow::Ok(machine.await);
            };
            let (server, console) = console::start(config, kind, &control)?;
            let machine = machine.with_console(console).announcing(server.told());
            let end = machine.await;
            server.stop();
            anyhow::Ok(end)
        })?;
        let end = match end {
            Err(error) if error.is::<BadStart>() => {
                return Ok(refuse(&format_args!("dtud: {error}")));
            }
            end => end?,
        };
        Ok(match end {
            End::Stopped => ExitCode::SUCCESS,
            End::AtRefused => ExitCode::from(2),
            End::FramesLost => ExitCode::from(3),
        })
    }
}

/// A program of a terminal ends with it; a daemon reads its settings again.
fn on_hang_up() -> HangUp {
    use std::io::IsTerminal as _;
    if std::io::stdin().is_terminal() {
        HangUp::Stop
    } else {
        HangUp::Reload
    }
}

/// What the loop does not do itself: one thread, and those that ask for names and save parameters.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Fifteen for names (fourteen sockets, the serial line), one for root certificates, the rest for the disk. A
        // thread that nobody needs ends.
        .max_blocking_threads(20)
        .thread_keep_alive(Duration::from_secs(1))
        .build()
}

/// A line to stdout. A reader that is gone, or a full disk, ends nothing.
pub(crate) fn print_line(line: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// A line to stderr, as `say`.
pub(crate) fn complain(line: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn show_status(
    state: Option<PathBuf>,
    line: Option<&Address>,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let is_named = state.is_some() || line.is_some();
    let state = state.map_or_else(|| default_state(&line.cloned().unwrap_or_default()), Ok)?;
    let told = match status::ask(&state, as_json) {
        Err(error) if !is_named => status::ask(&the_only_device(&state).ok_or(error)??, as_json)?,
        told => told?,
    };
    print_line(format_args!("{told}"));
    Ok(ExitCode::SUCCESS)
}

/// The folder of the device that runs, where there is one; several are named.
fn the_only_device(default: &Path) -> Option<anyhow::Result<PathBuf>> {
    let mut found = status::running(default.parent()?, &[Path::new(SERVICE_STATE)]);
    let last = found.pop()?;
    if found.is_empty() {
        return Some(Ok(last));
    }
    let all: Vec<String> = found
        .iter()
        .chain([&last])
        .map(|state| state.display().to_string())
        .collect();
    Some(Err(anyhow::anyhow!(
        "several devices run; name the folder of one with --state: {}",
        all.join(", ")
    )))
}

/// Of the packaged unit.
const SERVICE_STATE: &str = "/var/lib/dtud";

fn completions(shell: clap_complete::Shell) -> anyhow::Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dtud", &mut text);
    std::io::Write::write_all(&mut std::io::stdout(), &text)?;
    Ok(ExitCode::SUCCESS)
}

fn man(folder: Option<&Path>) -> anyhow::Result<ExitCode> {
    match folder {
        Some(folder) => clap_mangen::generate_to(Cli::command(), folder)?,
        None => clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn check_settings(file: &Path) -> ExitCode {
    let settings = match Settings::load(file) {
        Ok(settings) => settings,
        Err(why) => return refuse(&why),
    };
    let checks = [check_script, check_roots, check_console, check_lines];
    if let Err(why) = checks.iter().try_for_each(|check| check(file, &settings)) {
        return refuse(&why);
    }
    for warning in settings.warnings(file) {
        complain(format_args!("warning: {warning}"));
    }
    print_line(format_args!("{}: good", file.display()));
    ExitCode::SUCCESS
}

/// The script of the simulated radio is part of the settings.
fn check_script(file: &Path, settings: &Settings) -> Result<(), String> {
    let Some(script) = settings.modem.script.as_deref() else {
        return Ok(());
    };
    let read = modem::read_script(script).map(drop);
    read.map_err(|why| settings.fault(file, FileKey::Script, &format!("{why:#}")))
}

/// So are the certificates.
fn check_roots(file: &Path, settings: &Settings) -> Result<(), String> {
    tls::check(&settings.http).map_err(|why| settings.fault(file, FileKey::ExtraRoot, &why))
}

fn check_console(file: &Path, settings: &Settings) -> Result<(), String> {
    console::check_files(&settings.console).map_err(|why| format!("{}: {why}", file.display()))
}

/// Its AT lines, as a new device would take them.
fn check_lines(file: &Path, settings: &Settings) -> Result<(), String> {
    let lines = settings.start_lines(file);
    let identity = settings
        .modem
        .device
        .as_ref()
        .unwrap_or(&modem::Address::Sim)
        .identity();
    let found = rehearsal::first_fault(&lines, &Config::default(), &settings.options(), &identity);
    found.map_or(Ok(()), |found| Err(rehearsal::complaint(found)))
}

/// What does not mend itself: a start again does not help.
fn refuse(why: &dyn std::fmt::Display) -> ExitCode {
    complain(format_args!("{why}"));
    ExitCode::from(2)
}

/// One for each line: two devices of one user must not share a state.
fn default_state(line: &Address) -> anyhow::Result<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .map(|base| base.join("dtud").join(line.folder_name()))
        .inspect(|state| warn_of_older_state(state))
        .ok_or_else(|| anyhow::anyhow!("no home folder; name one with --state"))
}

/// Before there was one for each line all was kept in the folder above.
fn warn_of_older_state(state: &Path) {
    if let Some(older) = state
        .parent()
        .filter(|older| older.join("parameters").is_file() && !state.exists())
    {
        let (older, state) = (older.display(), state.display());
        tracing::warn!(
            "settings of an earlier version are in {older}; to keep them: mkdir -m 700 {state} && mv {older}/parameters* {state}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settings_file_with_a_dash_in_front_may_be_missing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dtud.toml");
        let present = |text: String| NamedFile::parse(&text).unwrap().present();
        assert_eq!(present(format!("-{}", path.display())), None);
        assert_eq!(
            present(path.display().to_string()),
            Some(path.clone()),
            "an error is to name it"
        );
        std::fs::write(&path, "").unwrap();
        assert_eq!(present(format!("-{}", path.display())), Some(path));
        assert!(NamedFile::parse("-").is_err() && NamedFile::parse("--log").is_err());
    }

    #[test]
    fn a_faulty_script_is_a_fault_of_the_settings_with_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("dtud.toml");
        std::fs::write(&file, "[modem]\nscript = \"radio.txt\"").unwrap();
        let check = || check_script(&file, &Settings::load(&file).unwrap());
        let said = check().unwrap_err();
        // H9: with its place in the settings file.
        assert!(
            said.starts_with(&format!("{}:2:10: script: ", file.display())),
            "{said}"
        );
        assert!(said.contains("radio.txt: No such file"), "{said}");
        std::fs::write(dir.path().join("radio.txt"), "at 1s reset\nat 10s smms").unwrap();
        assert!(
            check()
                .unwrap_err()
                .contains("radio.txt:2:8: \"smms\" is no verb")
        );
        std::fs::write(dir.path().join("radio.txt"), "at 1s reset").unwrap();
        assert_eq!(check(), Ok(()));
    }
}
