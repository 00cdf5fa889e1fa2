//! The program as it is called.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// Its code must be this.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// What it printed, which must be one JSON object.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A call with pipes, and nothing on stdin.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dtuctl"));
    command
        .args(arguments)
        // Whoever runs the tests may speak Chinese.
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs to its end.
pub(crate) fn dtuctl(arguments: &[&str]) -> Ended {
    command(arguments).output().unwrap().into()
}

/// For the device on that port.
pub(crate) fn on(port: &Path, arguments: &[&str]) -> Ended {
    dtuctl(&[&["--port", port.to_str().unwrap()], arguments].concat())
}

/// A call that still runs; its end is waited for.
pub(crate) fn started(port: &Path, arguments: &[&str]) -> Child {
    let port = ["--port", port.to_str().unwrap()];
    command(&[&port, arguments].concat()).spawn().unwrap()
}

/// Waits until the program has printed this on stderr; all that it has said until then.
pub(crate) fn says(child: &mut Child, text: &str) -> String {
    read_to(child.stderr.as_mut().unwrap(), text)
}

/// Waits until the program has printed this on stdout.
pub(crate) fn prints(child: &mut Child, text: &str) -> String {
    read_to(child.stdout.as_mut().unwrap(), text)
}

fn read_to(mut pipe: impl Read, text: &str) -> String {
    let mut said = Vec::new();
    let mut byte = [0];
    while !said.ends_with(text.as_bytes()) {
        let count = pipe.read(&mut byte).unwrap();
        let shown = String::from_utf8_lossy(&said);
        assert_eq!(count, 1, "it ended without {text:?}: {shown}");
        said.push(byte[0]);
    }
    String::from_utf8(said).unwrap()
}

/// Asks it to stop, as Ctrl-C does.
pub(crate) fn interrupt(child: &Child) {
    send(child, rustix::process::Signal::INT);
}

pub(crate) fn send(child: &Child, signal: rustix::process::Signal) {
    let pid = i32::try_from(child.id()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}
