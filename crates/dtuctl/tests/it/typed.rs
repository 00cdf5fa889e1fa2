//! What is typed at a question, on a terminal of its own.

use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::termios::{LocalModes, tcgetattr};

use crate::common::pump::{read_now, ready};
use crate::common::{SOON, within};
use crate::program::Ended;
use crate::watch::{shows, terminal};

/// A call whose terminal this is: its Ctrl-C is a signal. The test keeps a slave, and with it the modes.
fn at_terminal(slave: &OwnedFd, arguments: &[&str]) -> Child {
    // Who starts a session is given its terminal by util-linux.
    Command::new("setsid")
        .arg("--ctty")
        .arg(env!("CARGO_BIN_EXE_dtuctl"))
        .args(arguments)
        .env("LC_ALL", "C")
        .env_remove("DTUCTL_PASSWORD")
        .stdin(Stdio::from(slave.try_clone().unwrap()))
        .stdout(Stdio::piped())
        .stderr(Stdio::from(slave.try_clone().unwrap()))
        .spawn()
        .unwrap()
}

fn has_echo(slave: &OwnedFd) -> bool {
    let modes = tcgetattr(slave).unwrap().local_modes;
    modes.contains(LocalModes::ECHO)
}

fn types(master: &OwnedFd, keys: &[u8]) {
    rustix::io::write(master, keys).unwrap();
}

/// A call that goes on must not keep the test.
fn ended(mut child: Child, keys: &str) -> Ended {
    let deadline = Instant::now() + SOON;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it goes on behind {keys}");
        }
        std::thread::yield_now();
    }
    child.wait_with_output().unwrap().into()
}

/// What stands on the screen behind what was read.
fn rest_of(master: &OwnedFd) -> String {
    let mut seen = Vec::new();
    while ready(master, PollFlags::IN, within(Duration::ZERO)).unwrap() {
        let mut buffer = [0; 4096];
        let count = read_now(master, &mut buffer).unwrap().unwrap_or_default();
        seen.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&seen).into_owned()
}

const QUESTIONS: [(&[&str], &str); 4] = [
    (&["--port", "/nowhere", "set", "CIPSW=@-"], "CIPSW: "),
    (
        &["--via", "tcp:127.0.0.1:1", "dump"],
        "Password of the device: ",
    ),
    (
        &["--port", "/nowhere", "set", "CSTT.PASSWORD=@-", "CIPSW=@-"],
        "CSTT.PASSWORD: ",
    ),
    (&["--port", "/nowhere", "factory"], "Go on? [y/N] "),
];

#[test]
fn ctrl_c_at_a_question_is_told_and_leaves_the_terminal_as_it_was() {
    for (call, question) in QUESTIONS {
        let (master, slave) = terminal();
        let child = at_terminal(&slave, call);
        shows(&master, question);
        assert_eq!(has_echo(&slave), question.contains("[y/N]"), "{call:?}");
        types(&master, b"\x03");
        ended(child, "Ctrl-C").with(1);
        shows(&master, "stopped by the user (Ctrl-C, or a signal)");
        assert!(has_echo(&slave), "{call:?}");
    }
}

/// They would stop or kill it where the terminal has no echo.
#[test]
fn other_keys_with_signals_do_nothing_while_a_secret_is_typed() {
    for key in [b"\x1a", b"\x1c"] {
        let (master, slave) = terminal();
        let child = at_terminal(&slave, QUESTIONS[0].0);
        shows(&master, "CIPSW: ");
        types(&master, key);
        // The line is emptied by Ctrl-U, as ever.
        types(&master, b"\x15pump7\n");
        ended(child, &key.escape_ascii().to_string()).with(1);
        shows(&master, "/nowhere: ");
        assert!(has_echo(&slave));
        let keys = tcgetattr(&slave).unwrap().special_codes;
        let suspends = keys[rustix::termios::SpecialCodeIndex::VSUSP];
        assert_eq!(suspends, 0x1a);
    }
}

/// What somebody types is on no screen, and each question is asked in its turn.
#[test]
fn a_typed_secret_is_seen_by_nobody() {
    let (master, slave) = terminal();
    let child = at_terminal(&slave, QUESTIONS[2].0);
    shows(&master, "CSTT.PASSWORD: ");
    types(&master, b"geheim\n");
    shows(&master, "CIPSW: ");
    types(&master, b"pump7\n");
    ended(child, "Enter").with(1);
    let seen = rest_of(&master);
    assert!(seen.contains("/nowhere: "), "{seen}");
    assert!(
        !seen.contains("pump7") && !seen.contains("geheim"),
        "{seen}"
    );
}

/// Nothing is no answer: an empty value has a spelling of its own.
#[test]
fn an_empty_line_is_no_secret() {
    for keys in [b"\n", b"\x04"] {
        let (master, slave) = terminal();
        let child = at_terminal(&slave, QUESTIONS[0].0);
        shows(&master, "CIPSW: ");
        types(&master, keys);
        ended(child, "Enter").with(2);
        shows(&master, "CIPSW: nothing was given");
        assert!(has_echo(&slave));
    }
}

/// What the parser of arguments repeats. On a terminal it has colours of its own.
#[test]
fn an_argument_does_not_drive_the_terminal() {
    let (master, slave) = terminal();
    let child = at_terminal(&slave, &["status", "--lang", "\u{1b}[5mzh\u{202E}"]);
    ended(child, "nothing").with(2);
    let seen = rest_of(&master);
    assert!(
        seen.contains("invalid value") && seen.contains("\\u{202e}"),
        "{seen:?}"
    );
    assert!(!seen.contains(['\u{1b}', '\u{202E}']), "{seen:?}");
}
