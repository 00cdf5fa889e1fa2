//! `dtu-sim modem` as a program: ptys, its standard input and output, signals.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

struct Program {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    folder: tempfile::TempDir,
}

impl Program {
    fn start(more: &[&str], script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("script"), script).unwrap();
        Self::start_in(folder, more)
    }

    fn start_in(folder: tempfile::TempDir, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dtu-sim"))
            .current_dir(folder.path())
            .args(["modem", "--pty", "m1", "--script", "script"])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            out.lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        Self {
            input: child.stdin.take(),
            child,
            lines,
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    fn end(&mut self) -> ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn open(path: &Path) -> File {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap()
}

/// Reads until that text has come.
fn read_to(file: &mut File, wanted: &str) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 256];
    while !String::from_utf8_lossy(&seen).contains(wanted) {
        let count = file.read(&mut buffer).unwrap();
        seen.extend(&buffer[..count]);
    }
    String::from_utf8(seen).unwrap()
}

#[test]
fn two_modems_answer_on_their_ptys_and_the_links_go_at_the_end() {
    let mut program = Program::start(&["--pty", "m2", "--number", "+8613800000007"], "");
    assert_eq!(program.line(), "ready modem=m1 number=+8613800000007");
    assert_eq!(program.line(), "ready modem=m2 number=+8613800100001");
    for name in ["m1", "m2"] {
        let mut file = open(&program.path(name));
        file.write_all(b"AT+CSQ\r").unwrap();
        assert_eq!(
            read_to(&mut file, "OK\r\n"),
            "AT+CSQ\r\r\n+CSQ: 31,99\r\n\r\nOK\r\n"
        );
    }
    assert!(program.end().success());
    assert!(!program.path("m1").is_symlink() && !program.path("m2").is_symlink());
}

#[test]
fn a_host_may_close_and_open_and_lines_on_standard_input_happen_at_once() {
    let mut program = Program::start(&[], "delivery 1ms");
    program.line();
    open(&program.path("m1"))
        .write_all(b"ATE0+CNMI=2,1\r")
        .unwrap();
    program.tell("nonsense");
    program.tell("sms from +8613912345678 \"hello\"");
    let mut file = open(&program.path("m1"));
    assert!(read_to(&mut file, "+CMTI").contains("OK\r\n"));
    file.write_all(b"AT+CMGF=1\rAT+CMGS=\"+8613912345678\"\r")
        .unwrap();
    read_to(&mut file, "> ");
    file.write_all(b"say \"hi\"\x1a").unwrap();
    read_to(&mut file, "+CMGS: 1");
    assert_eq!(
        program.line(),
        "phone +8613912345678 sms from +8613800100001 \"say \\\"hi\\\"\""
    );
    // The end of standard input ends nothing.
    program.input = None;
    file.write_all(b"AT\r").unwrap();
    read_to(&mut file, "OK");
    assert!(program.end().success());
}

#[test]
fn a_modem_that_is_pulled_out_takes_its_device_with_it_and_comes_back() {
    let mut program = Program::start(&[], "");
    program.line();
    let mut file = open(&program.path("m1"));
    program.tell("leave");
    assert_eq!(program.line(), "gone modem=m1");
    assert!(!program.path("m1").is_symlink());
    assert!(matches!(file.read(&mut [0; 1]), Ok(0) | Err(_)));
    program.tell("back");
    assert!(program.line().starts_with("ready modem=m1"));
    let mut file = open(&program.path("m1"));
    file.write_all(b"AT\r").unwrap();
    read_to(&mut file, "OK");
}

#[test]
fn a_dead_link_is_replaced_and_anything_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("script"), "").unwrap();
    std::os::unix::fs::symlink("/dev/pts/99999", folder.path().join("m1")).unwrap();
    let program = Program::start_in(folder, &[]);
    assert!(program.line().starts_with("ready"));

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("script"), "").unwrap();
    fs::write(folder.path().join("m1"), "mine").unwrap();
    let mut program = Program::start_in(folder, &[]);
    assert_eq!(program.child.wait().unwrap().code(), Some(1));
    assert_eq!(fs::read_to_string(program.path("m1")).unwrap(), "mine");
}

#[test]
fn wrong_usage_is_refused_with_what_is_allowed() {
    let run = |more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_dtu-sim"))
            .args(["modem", "--pty", "/nowhere/m"])
            .args(more)
            .output();
        let output = output.unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    for (more, wanted) in [
        (["--dialect", "hayes"], "allowed: generic, sim800, ec2x"),
        (["--pin", "12"], "wanted are 4 to 8 digits"),
        (["--number", "Bob"], "wanted are up to 20 digits"),
        (["--places", "0"], "1..=255"),
    ] {
        let (code, text) = run(&more);
        assert!(code == Some(2) && text.contains(wanted), "{more:?}: {text}");
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("s");
    fs::write(&script, "\nat 5s signal 40\n").unwrap();
    let (code, text) = run(&["--script", script.to_str().unwrap()]);
    assert!(
        code == Some(1) && text.contains("s:2:14: \"40\" is no signal; allowed: 0..=31 or 99"),
        "{text}"
    );
    let (code, text) = run(&[]);
    assert!(code == Some(1) && text.contains("/nowhere/m: "), "{text}");
}

#[test]
fn h9_a_reader_that_has_seen_enough_ends_a_replay_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut text = "dtu-record 1\nseed 1\nstarted 0\nimei -\nimsi -\nversion 1\nbegin\n".to_owned();
    // More than a pipe holds.
    (0..5000).for_each(|time| writeln!(text, "{} serial data 68656c6c6f", time * 1000).unwrap());
    fs::write(&log, text).unwrap();
    let mut replay = Command::new(env!("CARGO_BIN_EXE_dtu-sim"));
    replay
        .arg("replay")
        .arg(&log)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = replay.spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
}
