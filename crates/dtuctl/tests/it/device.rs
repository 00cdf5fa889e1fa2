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
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut arguments = format!(
            "dtud\n--serial\npty:{}\n--state\n{}\n--console\noff\n--modem\n{modem}\n\
             --setup-window\n{seconds}",
            path("line"),
            path("state"),
        );
        for command in at {
            write!(arguments, "\n--at\n{command}").unwrap();
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "device::plays_the_device", "--nocapture"])
            .env(ARGUMENTS, arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        wait_until_ready(child.stdout.take().unwrap(), folder.path());
        Self { child, folder }
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

fn wait_until_ready(stdout: std::process::ChildStdout, folder: &Path) {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if line.contains("ready serial=") {
                let _ = tell.send(());
            }
        }
    });
    if told.recv_timeout(SOON).is_err() {
        let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
        panic!("dtud did not start: {log}");
    }
}
