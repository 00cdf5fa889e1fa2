//! The real `dtud` as a child process.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use rustix::process::{Pid, Resource, Signal, getrlimit, kill_process, prlimit};

use super::line::Line;
use super::{SOON, eventually, usage};

/// How to start it. The folder holds its state, settings and line, and outlives it.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    folder: PathBuf,
    settings: String,
    modem: Option<String>,
    at: Vec<String>,
    /// Added to the environment.
    environment: Vec<(String, String)>,
    record: Option<PathBuf>,
    modem_log: Option<PathBuf>,
    console: String,
}

impl Setup {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            settings: String::new(),
            at: Vec::new(),
            modem: None,
            environment: Vec::new(),
            record: None,
            modem_log: None,
            console: "off".to_owned(),
        }
    }

    /// Adds text to the settings file.
    pub(crate) fn settings(mut self, toml: &str) -> Self {
        writeln!(self.settings, "{toml}").expect("a string takes text");
        self
    }

    /// Another modem than the default.
    pub(crate) fn modem(mut self, modem: &str) -> Self {
        self.modem = Some(modem.to_owned());
        self
    }

    /// Sets a variable of its environment.
    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a log of all inputs.
    pub(crate) fn record(mut self, file: &Path) -> Self {
        self.record = Some(file.to_owned());
        self
    }

    /// Writes the dialogue with the modem.
    pub(crate) fn modem_log(mut self, file: &Path) -> Self {
        self.modem_log = Some(file.to_owned());
        self
    }

    /// With a web console at a port of this machine.
    pub(crate) fn console(self) -> Self {
        self.console_at("127.0.0.1:0")
    }

    /// With a web console there.
    pub(crate) fn console_at(mut self, address: &str) -> Self {
        address.clone_into(&mut self.console);
        self
    }

    /// A command at power-on.
    pub(crate) fn at(mut self, command: &str) -> Self {
        self.at.push(command.to_owned());
        self
    }

    /// TCP link `number` to this machine.
    pub(crate) fn link(self, number: u8, port: u16) -> Self {
        self.at(&format!("CIPSCONT={number},\"TCP\",\"127.0.0.1\",{port},1"))
    }

    /// Working mode 0 to 4.
    pub(crate) fn mode(self, mode: u8) -> Self {
        self.at(&format!("CIMOD={mode}"))
    }

    /// Heartbeats and restart timer off, frames close after `milliseconds` of silence.
    pub(crate) fn packing(self, milliseconds: u16) -> Self {
        self.at(&format!("CIPCFG=1,0,0,{milliseconds},0,0"))
    }

    pub(crate) fn start(&self) -> Daemon {
        self.start_program(Path::new(env!("CARGO_BIN_EXE_dtud")))
    }

    /// Another build of it.
    pub(crate) fn start_program(&self, program: &Path) -> Daemon {
        self.start_as(Command::new(program))
    }

    /// In this network namespace.
    pub(crate) fn start_in(&self, namespace: &str) -> Daemon {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace, env!("CARGO_BIN_EXE_dtud")]);
        self.start_as(command)
    }

    fn start_as(&self, mut command: Command) -> Daemon {
        let settings = self.folder.join("settings.toml");
        std::fs::write(&settings, &self.settings).expect("write the settings");
        let line = self.folder.join("line");
        command
            .arg("--serial")
            .arg(format!("pty:{}", line.display()));
        command
            .arg("--state")
            .arg(self.state())
            .arg("--settings")
            .arg(settings);
        command.args(["--console", &self.console, "--setup-window", "0"]);
        command.args(self.modem.iter().flat_map(|modem| ["--modem", modem]));
        command.args(
            self.record
                .iter()
                .flat_map(|file| [OsStr::new("--record"), file.as_os_str()]),
        );
        command.args(
            self.modem_log
                .iter()
                .flat_map(|file| [OsStr::new("--modem-log"), file.as_os_str()]),
        );
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.args(self.at.iter().flat_map(|command| ["--at", command]));
        Daemon::spawn(command, line)
    }

    /// Where it keeps its state.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join("state")
    }
}

/// A running daemon; killed when dropped.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    line: PathBuf,
    /// What the ready line tells of the console.
    console: String,
    messages: Arc<Mutex<String>>,
}

impl Daemon {
    fn spawn(mut command: Command, line: PathBuf) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("start dtud");
        let messages = collect(child.stderr.take().expect("stderr is a pipe"));
        let (tell, told) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        std::thread::spawn(move || {
            stdout
                .lines()
                .map_while(Result::ok)
                .for_each(|line| drop(tell.send(line)))
        });
        let mut daemon = Self {
            child,
            line,
            console: String::new(),
            messages,
        };
        let ready = format!("ready serial={} console=", daemon.line.display());
        match told.recv_timeout(SOON) {
            Ok(first) => match first.strip_prefix(&ready) {
                Some(console) => console.clone_into(&mut daemon.console),
                None => panic!("{first}; stderr: {}", daemon.messages()),
            },
            Err(error) => panic!("no ready line ({error}); stderr: {}", daemon.messages()),
        }
        daemon
    }

    /// Where its console is, as the ready line tells.
    pub(crate) fn console(&self) -> &str {
        &self.console
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Opens the line as a DTE that was there before the power came on: the banner is still to be read.
    pub(crate) fn line_with_banner(&self) -> Line {
        Line::open(&self.line).expect("open the line")
    }

    /// The line, with the banner read.
    pub(crate) fn line(&self) -> Line {
        let line = self.line_with_banner();
        line.receive_to(b"\r\nUSR-GPRS232-DTU\r\n", SOON);
        line
    }

    /// What it has said on stderr.
    pub(crate) fn messages(&self) -> String {
        self.messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The memory of its own.
    pub(crate) fn rss_anon_kib(&self) -> u64 {
        usage::rss_anon_kib(self.pid()).expect("the daemon is alive")
    }

    pub(crate) fn rss_file_kib(&self) -> u64 {
        usage::rss_file_kib(self.pid()).expect("the daemon is alive")
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait for the killed");
    }

    /// SIGHUP.
    pub(crate) fn reload(&self) {
        self.signal(Signal::HUP);
    }

    /// Waits until it says this on stderr.
    pub(crate) fn says(&self, text: &str) {
        eventually(text, SOON, || self.messages().contains(text).then_some(()));
    }

    /// The size that files of the process may have.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        self.limit(Resource::Fsize, bytes);
    }

    /// So much of this the process may have; `None` = as this one.
    pub(crate) fn limit(&self, of: Resource, most: Option<u64>) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).expect("a process id"));
        let mut limit = getrlimit(of);
        limit.current = most.or(limit.maximum);
        prlimit(pid, of, limit).expect("prlimit");
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid())
            .ok()
            .and_then(Pid::from_raw)
            .expect("a process id");
        kill_process(pid, signal).expect("a signal");
    }

    /// SIGTERM, how it ended, and all that it has said.
    pub(crate) fn terminate_and_tell(mut self) -> (ExitStatus, String) {
        self.signal(Signal::TERM);
        let status = eventually("the end of dtud", Duration::from_secs(20), || {
            self.child.try_wait().expect("wait")
        });
        (status, self.messages())
    }

    /// SIGTERM, and how it ended.
    pub(crate) fn terminate(self) -> ExitStatus {
        self.terminate_and_tell().0
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            eprintln!("stderr of dtud:\n{}", self.messages());
        }
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let into = Arc::clone(&text);
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        while let Ok(n @ 1..) = pipe.read(&mut buffer) {
            let new = String::from_utf8_lossy(&buffer[..n]);
            into.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push_str(&new);
        }
    });
    text
}

/// Whether this number is in the file of losses.
pub(crate) fn counted_on_disk(setup: &Setup, count: u64) -> bool {
    let bytes = std::fs::read(setup.state().join("losses")).expect("the file of losses");
    // Words begin at multiples of 8. Not at every byte: a checksum with zeros behind it looks like a small number.
    bytes
        .chunks_exact(8)
        .any(|word| word == count.to_le_bytes())
}

/// A figure of one link, or another line, out of the reply to `AT+CISTAT`.
pub(crate) fn figure(reply: &str, of: impl std::fmt::Display, name: &str) -> u64 {
    let line = reply
        .lines()
        .find_map(|line| line.strip_prefix(&format!("+CISTAT:{of},")));
    let value = line.and_then(|line| {
        line.split(',')
            .find_map(|pair| pair.strip_prefix(&format!("{name}=")))
    });
    let value = value.unwrap_or_else(|| panic!("no {name} of {of} in {reply}"));
    value
        .parse()
        .unwrap_or_else(|error| panic!("{name}={value}: {error}"))
}
