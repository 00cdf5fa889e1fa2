//! `watch`: JSON lines into a pipe, and the terminal.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;
use serde_json::Value;

use crate::common::pump::{read_now, ready};
use crate::common::{SOON, within};
use crate::device::Device;
use crate::program::{Ended, command, interrupt, on, started};
use crate::scripted::{OnPty, Plays};

/// A device in the transparent mode, and the center's end of its link.
pub(crate) fn transparent() -> (Device, TcpStream) {
    let center = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = center.local_addr().unwrap().port();
    let device = Device::start(&[
        "CIPCFG=1,0,0,20,0,0",
        &format!("CIPSCONT=1,\"TCP\",\"127.0.0.1\",{port},1"),
    ]);
    let (connection, _) = center.accept().unwrap();
    connection.set_read_timeout(Some(SOON)).unwrap();
    (device, connection)
}

fn objects(child: &mut Child) -> impl Iterator<Item = Value> + use<> {
    let stdout = BufReader::new(child.stdout.take().unwrap());
    stdout
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

#[test]
fn into_a_pipe_every_read_is_a_json_line() {
    let (device, mut center) = transparent();
    let mut child = started(&device.port(), &["watch"]);
    let mut objects = objects(&mut child);
    let says = |object: &Value, word: &str| object["text"].as_str().unwrap().ends_with(word);
    objects
        .find(|object| object["text"].as_str().unwrap().contains("-DTU"))
        .unwrap();
    center.write_all(b"42 kWh\x1b[31m").unwrap();
    let data = objects.find(|object| says(object, "42 kWh.[31m")).unwrap();
    assert_eq!(data["from"], "device");
    let hex = data["hex"].as_str().unwrap();
    assert!(hex.ends_with("3432206B57681B5B33316D"), "{data}");
    assert_eq!(data["bytes"], hex.len() / 2);
    assert!(data["time"].as_str().unwrap().ends_with('Z'), "{data}");
    interrupt(&child);
    assert_eq!(objects.next(), None);
    Ended::from(child.wait_with_output().unwrap()).with(0);
}

/// Says the same all the time.
struct Chatter(&'static str);

impl Plays for Chatter {
    fn play(&mut self, _: &[u8], _: Duration) -> Vec<u8> {
        self.0.as_bytes().to_vec()
    }
}

#[test]
fn a_plug_that_is_pulled_is_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("line");
    let first = OnPty::start(Chatter("one"));
    std::os::unix::fs::symlink(first.port(), &path).unwrap();
    let mut child = started(&path, &["watch"]);
    let mut objects = objects(&mut child);
    let mut finds = |what: &dyn Fn(&Value) -> bool| objects.find(|object| what(object)).unwrap();
    let says =
        |object: &Value, word: &str| object["text"].as_str().is_some_and(|it| it.contains(word));
    finds(&|object| says(object, "one"));
    std::fs::remove_file(&path).unwrap();
    drop(first);
    let gone = finds(&|object| object["event"] == "gone");
    assert!(gone["why"].is_string(), "{gone}");
    let second = OnPty::start(Chatter("two"));
    std::os::unix::fs::symlink(second.port(), &path).unwrap();
    let back = finds(&|object| object["event"] == "back");
    assert!(back["gap_ms"].is_u64(), "{back}");
    finds(&|object| says(object, "two"));
    interrupt(&child);
    child.wait().unwrap();
}

/// The master of a terminal of 100 columns, and its slave.
pub(crate) fn terminal() -> (OwnedFd, OwnedFd) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = rustix::pty::openpt(flags).unwrap();
    rustix::pty::grantpt(&master).unwrap();
    rustix::pty::unlockpt(&master).unwrap();
    rustix::io::ioctl_fionbio(&master, true).unwrap();
    let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
    let slave = rustix::fs::open(&*name, flags, rustix::fs::Mode::empty()).unwrap();
    let size = Winsize {
        ws_row: 30,
        ws_col: 100,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    rustix::termios::tcsetwinsize(&slave, size).unwrap();
    (master, slave)
}

/// Reads the screen until this stands on it.
pub(crate) fn shows(master: &OwnedFd, text: &str) {
    let deadline = within(SOON);
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(text) {
        let mut buffer = [0; 4096];
        if let Some(count) = read_now(master, &mut buffer).unwrap() {
            seen.extend_from_slice(&buffer[..count]);
        } else {
            let there = ready(master, PollFlags::IN, deadline).unwrap();
            assert!(there, "no {text:?} on the screen: {}", seen.escape_ascii());
        }
    }
}

fn watch_on(slave: OwnedFd, device: &Device) -> Child {
    let port = device.port();
    command(&["--port", port.to_str().unwrap(), "watch"])
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .stdin(Stdio::from(slave.try_clone().unwrap()))
        .stdout(Stdio::from(slave))
        .spawn()
        .unwrap()
}

/// A closed window, an ssh that broke: nobody could end it any more.
#[test]
fn the_end_of_the_terminal_ends_it() {
    let (device, _center) = transparent();
    let (master, slave) = terminal();
    let mut child = watch_on(slave, &device);
    shows(&master, "F2 +++");
    drop(master);
    let deadline = Instant::now() + SOON;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it watches on");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_terminal_shows_sends_escapes_and_leaves_the_device_at_work() {
    let (device, mut center) = transparent();
    let (master, slave) = terminal();
    let types = |keys: &[u8]| {
        rustix::io::write(&master, keys).unwrap();
    };
    let mut child = watch_on(slave, &device);
    shows(&master, "F2 +++");
    center.write_all(b"42kWh\x1b]0;owned\x07").unwrap();
    shows(&master, "42kWh.]0;owne");
    types(b"hello\r");
    let mut got = [0; 6];
    center.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"hello\r");
    // F2; then a command that is completed.
    types(b"\x1bOQ");
    shows(&master, "AT+ENTM leaves it");
    types(b"AT+CS");
    types(b"Q\r");
    shows(&master, "+CSQ:");
    types(b"\x1b");
    let ended = child.wait().unwrap();
    assert!(ended.success(), "{ended}");
    // It carries data again.
    let dte = device.dte_without_banner();
    dte.send(b"data");
    let mut got = [0; 4];
    center.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"data");
}

#[test]
fn watch_sends_nothing_to_find_a_rate() {
    let refused = crate::program::dtuctl(&["--baud", "auto", "--port", "x", "watch"]).with(2);
    assert!(refused.err.contains("--baud N"), "{}", refused.err);
    let refused = on(std::path::Path::new("/nowhere"), &["watch"]).with(1);
    assert!(refused.err.contains("/nowhere"), "{}", refused.err);
}
