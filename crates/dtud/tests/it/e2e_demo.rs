//! `dtud demo`: the story of an outage without loss, in a terminal and without one.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common;

use common::{SOON, eventually};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;

fn demo() -> Command {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_dtud"));
    demo.arg("demo");
    demo
}

/// A terminal of 80 x 24 with the demo in it. It is not the controlling terminal, so no SIGHUP comes.
struct Screen {
    child: Child,
    master: fs::File,
    seen: Vec<u8>,
}

impl Screen {
    fn open() -> io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = rustix::pty::openpt(flags)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&master, size)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let name = Path::new(OsStr::from_bytes(name.as_bytes()));
        let terminal = || fs::File::options().read(true).write(true).open(name);
        let child = demo()
            .stdin(terminal()?)
            .stdout(terminal()?)
            .stderr(terminal()?)
            .spawn()?;
        Ok(Self {
            child,
            master: fs::File::from(master),
            seen: Vec::new(),
        })
    }

    /// Reads until the words come behind what was seen before; returns them all.
    fn wait_for(&mut self, words: &str) -> String {
        let mut buf = [0; 4096];
        loop {
            let seen = String::from_utf8_lossy(&self.seen).into_owned();
            if seen.contains(words) {
                self.seen.clear();
                return seen;
            }
            let count = self
                .master
                .read(&mut buf)
                .unwrap_or_else(|error| panic!("{error}: {seen}"));
            self.seen.extend_from_slice(&buf[..count]);
        }
    }
}

/// Without a terminal, and the lines that it prints.
fn playing(demo: &mut Command) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut child = demo
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("dtud starts");
    let out = child.stdout.take().expect("its output is piped");
    (
        child,
        BufReader::new(out)
            .lines()
            .map(|line| line.expect("lines of text")),
    )
}

#[test]
fn a_demo_plays_an_outage_without_loss() {
    let (mut child, mut lines) = playing(&mut demo());
    let cut = lines
        .find(|line| line.contains("THE NETWORK IS CUT"))
        .unwrap();
    assert!(
        cut.contains("registered 1  heartbeats 1 "),
        "before the cut: {cut}"
    );
    let waiting = lines
        .find(|line| line.contains(" 5 frames wait") || line.contains(" 6 frames wait"))
        .unwrap();
    assert!(
        waiting.contains("link 1 WAITING (retry)") || waiting.contains("link 1 CONNECTING"),
        "{waiting}"
    );
    let whole = lines
        .find(|line| line.contains(" frames that waited came "))
        .unwrap();
    assert!(
        whole.ends_with("lost 0.") && whole.contains("registered 2 "),
        "{whole}"
    );
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let summary = lines.last().unwrap();
    assert!(
        summary.starts_with("summary: sent ") && summary.contains(" lost 0;"),
        "{summary}"
    );
    assert!(child.wait().unwrap().success());
}

/// The ready line tells where, and what the page asks comes from the device of the scene.
#[test]
fn the_demo_is_live_on_its_console() {
    let (mut child, mut lines) = playing(demo().args(["--console", "127.0.0.1:0"]));
    let ready = lines
        .find(|line| line.starts_with("ready serial="))
        .unwrap();
    let (_, url) = ready.split_once(" console=").unwrap();
    let api = crate::e2e_console::Api::at(url);
    eventually("readings in the traffic", SOON, || {
        (!api.rows("link1", "out").is_empty()).then_some(())
    });
    assert_eq!(api.get("api/status")["links"][0]["state"], "connected");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let summary = lines.last().unwrap();
    assert!(summary.contains(" lost 0;"), "{summary}");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_key_of_the_demo_cuts_the_network_and_heals_it() {
    let mut screen = Screen::open().unwrap();
    screen.wait_for("#0001");
    screen.master.write_all(b"c").unwrap();
    screen.wait_for("╳");
    screen.wait_for("#0004");
    screen.master.write_all(b"c").unwrap();
    screen.wait_for("═══════════");
    screen.master.write_all(b"q").unwrap();
    let end = screen.wait_for(" heartbeats\r\n");
    assert!(
        end.contains("under way 0 + lost 0;") && end.contains("; 2 registrations"),
        "{end}"
    );
    assert!(screen.child.wait().unwrap().success());
}

#[test]
fn a_demo_that_nobody_reads_ends() {
    let mut child = demo()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = eventually("the end of the demo", LONG, || child.try_wait().unwrap());
    assert_eq!(ended.code(), Some(1));
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_demo_whose_terminal_goes_away_ends() {
    let mut screen = Screen::open().unwrap();
    screen.wait_for("demo");
    let Screen {
        mut child, master, ..
    } = screen;
    drop(master);
    let ended = eventually("the end of the demo", LONG, || child.try_wait().unwrap());
    assert!(ended.code().is_some(), "{ended}");
}

/// A demo waits for its last readings.
const LONG: Duration = SOON.saturating_mul(2);
