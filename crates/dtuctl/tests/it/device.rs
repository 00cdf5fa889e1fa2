//! The real device, in a process of its own: this test program, started once more as `dtud`.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use clap::Parser as _;

use crate::common::SOON;
use crate::common::line::Line;

/// Arguments of `dtud`, one a line.
const ARGUMENTS: &str = "DTUD_ARGUMENTS";

/// Not a test by itself: as `dtud` it runs until it is killed.
#[test]
fn plays_the_device() {
    if let Ok(arguments) = std::env::var(ARGUMENTS) {
        let cli = dtud::cli::Cli::parse_from(arguments.lines());
        assert_eq!(format!("{:?}", cli.run()), "ExitCode(unix_exit_status(0))");
    }
}

/// A running device; killed when dropped.
pub(crate) struct Device {
    child: Child,
    /// Of its web console, if it has one.
    console: String,
    folder: tempfile::TempDir,
}

impl Device {
    /// A new one, with these commands at power-on.
    pub(crate) fn start(at: &[&str]) -> Self {
        Self::with_window(0, at)
    }

    /// With a set-up window of so many seconds.
    pub(crate) fn with_window(seconds: u32, at: &[&str]) -> Self {
        Self::with_modem(seconds, "sim", at)
    }

    /// With a modem of its own.
    pub(crate) fn with_modem(seconds: u32, modem: &str, at: &[&str]) -> Self {
        let mut more = format!("--console\noff\n--modem\n{modem}\n--setup-window\n{seconds}");
        for command in at {
            write!(more, "\n--at\n{command}").unwrap();
        }
        Self::with("", &more)
    }

    /// With a settings file, and a web console of its own.
    pub(crate) fn with_console(settings: &str) -> Self {
        Self::with(settings, "--console\n127.0.0.1:0\n--setup-window\n0")
    }

    /// `more`: arguments, one a line.
    fn with(settings: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::write(path("settings.toml"), settings).unwrap();
        let arguments = format!(
            "dtud\n--serial\npty:{}\n--state\n{}\n--settings\n{}\n{more}",
            path("line"),
            path("state"),
            path("settings.toml"),
        );
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "device::plays_the_device", "--nocapture"])
            .env(ARGUMENTS, arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let ready = wait_until_ready(child.stdout.take().unwrap(), folder.path());
        let console = ready.rsplit("http://").next().unwrap_or_default();
        Self {
            child,
            console: console.trim_end_matches('/').to_owned(),
            folder,
        }
    }

    /// The address of its web console.
    pub(crate) fn console(&self) -> &str {
        &self.console
    }

    /// The line to it.
    pub(crate) fn port(&self) -> PathBuf {
        self.folder.path().join("line")
    }

    /// A DTE on it, with the banner read.
    pub(crate) fn dte(&self) -> Line {
        let line = Line::open(&self.port()).unwrap();
        line.receive_to(b"\r\nUSR-GPRS232-DTU\r\n", SOON);
        line
    }

    /// A DTE on it whose banner somebody else has read.
    pub(crate) fn dte_without_banner(&self) -> Line {
        Line::open(&self.port()).unwrap()
    }

    /// A file with this in it.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("log"));
            eprintln!("stderr of dtud:\n{}", log.unwrap_or_default());
        }
    }
}

fn wait_until_ready(stdout: std::process::ChildStdout, folder: &Path) -> String {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if line.contains("ready serial=") {
                let _ = tell.send(line);
            }
        }
    });
    told.recv_timeout(SOON).unwrap_or_else(|_| {
        let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
        panic!("dtud did not start: {log}");
    })
}
