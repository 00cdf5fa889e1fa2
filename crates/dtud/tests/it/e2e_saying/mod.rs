//! What the program says of itself: to the log, to journald, to systemd, and in the list of processes.

use crate::common;
use common::daemon::Setup;
use common::server::Server;
use common::{SOON, eventually};
use rustix::pty::OpenptFlags;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::process::{Command, Stdio};

mod log;
mod start;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// `dtud`, to be run to its end or stopped by the caller.
fn dtud(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dtud"));
    command.args([
        "--serial",
        &format!("pty:{}", folder.join("line").display()),
    ]);
    command
        .args(["--console", "off", "--setup-window", "0", "--state"])
        .arg(folder.join("state"));
    command
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn kill(child: &std::process::Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, signal).expect("a signal");
}
