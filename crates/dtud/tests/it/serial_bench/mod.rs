//! The program under test, with somebody on its line.
#![allow(clippy::unwrap_used, missing_docs, reason = "helpers of tests")]

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::termios::OptionalActions;

/// For everything that should come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Device {
    folder: tempfile::TempDir,
    line: PathBuf,
    serial: String,
    at: Vec<String>,
    process: Option<Child>,
}

impl Device {
    /// A device on a pty of its own, with TIME 0 and no heartbeats.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let line = folder.path().join("line");
        let serial = format!("pty:{}", line.display());
        Self {
            folder,
            line,
            serial,
            at: vec!["CIPCFG=1,0,0,0,10,0".to_owned()],
            process: None,
        }
    }

    pub(crate) fn on_line(mut self, line: &Path) -> Self {
        self.serial = format!("pty:{}", line.display());
        self
    }

    pub(crate) fn on_tty(mut self, device: &Path) -> Self {
        self.serial = format!("tty:{}", device.display());
        self
    }

    pub(crate) fn on_server(mut self, port: u16) -> Self {
        self.serial = format!("tcp:127.0.0.1:{port}");
        self
    }

    pub(crate) fn at(mut self, line: &str) -> Self {
        self.at.push(line.to_owned());
        self
    }

    pub(crate) fn link(self, number: u8, protocol: &str, port: u16) -> Self {
        self.at(&format!(
            "CIPSCONT={number},\"{protocol}\",\"127.0.0.1\",{port},1"
        ))
    }

    /// What its settings file says.
    pub(crate) fn settings(self, text: &str) -> Self {
        std::fs::write(self.folder.path().join("dtud.toml"), text).unwrap();
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn line(&self) -> PathBuf {
        self.line.clone()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dtud"));
        command
            .args(["--console", "off", "--setup-window", "0"])
            .args(["--serial", &self.serial, "--state"])
            .arg(self.folder.path());
        for line in &self.at {
            command.args(["--at", line]);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .env_remove("RUST_LOG");
        command
    }

    /// Runs it until its line is open.
    pub(crate) fn start(mut self) -> Self {
        self.start_again();
        self
    }

    pub(crate) fn start_again(&mut self) {
        self.start_without_waiting();
        self.wait_until_ready();
    }

    pub(crate) fn start_without_waiting(&mut self) {
        self.process = Some(self.command().stderr(Stdio::null()).spawn().unwrap());
    }

    /// Whether the ready line is there already.
    pub(crate) fn has_spoken(&self) -> bool {
        let out = self
            .process
            .as_ref()
            .and_then(|process| process.stdout.as_ref())
            .unwrap();
        let mut fds = [PollFd::new(out, PollFlags::IN)];
        rustix::event::poll(&mut fds, Some(&Timespec::default())) == Ok(1)
    }

    pub(crate) fn wait_until_ready(&mut self) {
        let out = self.process.as_mut().unwrap().stdout.take().unwrap();
        let mut line = String::new();
        wait_readable(&out);
        BufReader::new(out).read_line(&mut line).unwrap();
        assert!(
            line.starts_with("ready serial=") && line.ends_with(" console=off\n"),
            "{line:?}"
        );
    }

    /// Runs one that ends by itself: status, stdout, stderr.
    pub(crate) fn run_to_end(&mut self) -> (Option<i32>, String, String) {
        let output = self.command().stderr(Stdio::piped()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    pub(crate) fn dte(&self) -> Dte {
        Dte::open(&self.line)
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| process.try_wait().unwrap().is_none())
    }

    /// Asks it to end, and gives its exit status.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let mut process = self.process.take()?;
        let id = rustix::process::Pid::from_child(&process);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        process.wait().unwrap().code()
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program that has the line open.
pub(crate) struct Dte {
    pub(crate) file: File,
}

impl Dte {
    pub(crate) fn open(line: &Path) -> Self {
        let fd = rustix::fs::open(
            line,
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .unwrap();
        let mut attributes = rustix::termios::tcgetattr(&fd).unwrap();
        attributes.make_raw();
        rustix::termios::tcsetattr(&fd, OptionalActions::Now, &attributes).unwrap();
        Self { file: fd.into() }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.file.write_all(bytes).unwrap();
    }

    /// Exactly so many bytes; fails when they do not come.
    pub(crate) fn read(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < count {
            wait_readable(&self.file);
            let mut buf = vec![0; count - bytes.len()];
            let read = self.file.read(&mut buf).unwrap();
            assert!(read > 0, "the line ended after {bytes:?}");
            bytes.extend_from_slice(&buf[..read]);
        }
        bytes
    }

    pub(crate) fn expect_banner(&mut self) {
        assert_eq!(self.read(19), b"\r\nUSR-GPRS232-DTU\r\n");
    }
}

fn wait_readable(from: &impl std::os::fd::AsFd) {
    let patience = Timespec {
        tv_sec: 10,
        tv_nsec: 0,
    };
    let mut fds = [PollFd::new(from, PollFlags::IN)];
    assert_eq!(
        rustix::event::poll(&mut fds, Some(&patience)),
        Ok(1),
        "nothing came in ten seconds"
    );
}

/// The device's next connection.
pub(crate) fn accept(listener: &TcpListener) -> TcpStream {
    wait_readable(listener);
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

pub(crate) fn read_exactly(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// A port that nobody uses at the moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
