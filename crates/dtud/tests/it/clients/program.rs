//! A foreign program as a child process, with a deadline.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::common::eventually;

/// What a program said and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) success: bool,
    pub(crate) out: String,
}

/// Runs a program to its end; its output and errors come together.
#[track_caller]
pub(crate) fn run(program: &str, arguments: &[&dyn AsRef<OsStr>], wait: Duration) -> Outcome {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("log");
    let file = std::fs::File::create(&log).expect("a log file");
    let mut command = Command::new(program);
    command.args(arguments.iter().map(|argument| argument.as_ref()));
    command
        .stdin(Stdio::null())
        .stdout(file.try_clone().expect("a second handle"))
        .stderr(file);
    let mut running = Running::start(command, program);
    let status = eventually(program, wait, || {
        running.0.try_wait().expect("wait for the program")
    });
    let out = String::from_utf8_lossy(&std::fs::read(log).expect("read the log")).into_owned();
    Outcome {
        success: status.success(),
        out,
    }
}

/// A program in the background; killed when dropped.
#[derive(Debug)]
pub(crate) struct Running(pub(crate) Child);

impl Running {
    #[track_caller]
    pub(crate) fn start(mut command: Command, name: &str) -> Self {
        let child = command.spawn();
        Self(
            child.unwrap_or_else(|error| panic!("{name}: {error}; scripts/clients.sh installs it")),
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The files of a folder, as text.
pub(crate) fn texts(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("read a folder");
    let files = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file());
    files
        .filter_map(|path| std::fs::read(path).ok())
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .collect()
}
