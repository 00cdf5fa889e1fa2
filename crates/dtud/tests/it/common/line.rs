//! The DTE's end of the serial line.

use std::io::Result;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fs::{Mode, OFlags};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::pump::{read_now, ready, write_now};
use super::within;

/// An open, raw, non-blocking serial line.
#[derive(Debug)]
pub(crate) struct Line {
    fd: OwnedFd,
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<OwnedFd> for Line {
    fn from(fd: OwnedFd) -> Self {
        Self { fd }
    }
}

impl Line {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let fd = rustix::fs::open(
            path,
            OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK,
            Mode::empty(),
        )?;
        let mut termios = tcgetattr(&fd)?;
        termios.make_raw();
        tcsetattr(&fd, OptionalActions::Now, &termios)?;
        Ok(Self { fd })
    }

    /// All of `bytes`, or a panic after `wait`.
    pub(crate) fn send_within(&self, bytes: &[u8], wait: Duration) {
        let deadline = within(wait);
        let mut rest = bytes;
        while !rest.is_empty() {
            let n = write_now(self, rest).expect("write to the line");
            rest = &rest[n..];
            if n == 0 {
                let writable = ready(self, PollFlags::OUT, deadline).expect("poll the line");
                assert!(
                    writable,
                    "the line took only {} of {} bytes",
                    bytes.len() - rest.len(),
                    bytes.len()
                );
            }
        }
    }

    /// All of `bytes`, soon.
    pub(crate) fn send(&self, bytes: &[u8]) {
        self.send_within(bytes, super::SOON);
    }

    /// Exactly `count` bytes, or a panic.
    pub(crate) fn receive(&self, count: usize, wait: Duration) -> Vec<u8> {
        self.receive_while(wait, &format!("{count} bytes"), |got| got.len() < count)
    }

    /// Exactly these bytes come next, or a panic.
    #[track_caller]
    pub(crate) fn prints(&self, bytes: &[u8], wait: Duration) {
        let got = self.receive(bytes.len(), wait);
        assert_eq!(
            got.escape_ascii().to_string(),
            bytes.escape_ascii().to_string()
        );
    }

    /// Everything up to and with `end`, or a panic.
    pub(crate) fn receive_to(&self, end: &[u8], wait: Duration) -> Vec<u8> {
        self.receive_while(wait, &String::from_utf8_lossy(end), |got| {
            !got.ends_with(end)
        })
    }

    /// Reads byte by byte, so that what follows stays in the line.
    fn receive_while(&self, wait: Duration, what: &str, more: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let deadline = within(wait);
        let mut got = Vec::new();
        while more(&got) {
            let mut byte = [0];
            if read_now(self, &mut byte)
                .expect("read from the line")
                .is_some()
            {
                got.push(byte[0]);
            } else {
                let there = ready(self, PollFlags::IN, deadline).expect("poll the line");
                assert!(
                    there,
                    "waited {wait:?} on the line for {what:?}, got {:?}",
                    got.escape_ascii().to_string()
                );
            }
        }
        got
    }

    /// What comes until the line has been silent for `silence`.
    pub(crate) fn drain(&self, silence: Duration) -> Vec<u8> {
        let mut got = Vec::new();
        let mut buffer = [0; 4096];
        while ready(self, PollFlags::IN, within(silence)).expect("poll the line") {
            if let Some(n) = read_now(self, &mut buffer).expect("read from the line") {
                got.extend_from_slice(&buffer[..n]);
            }
        }
        got
    }

    /// One command in the command state: everything up to the final result code, `OK` or an error line.
    pub(crate) fn command(&self, line: &str) -> String {
        self.send(format!("{line}\r").as_bytes());
        self.reply(line)
    }

    /// The reply to `line`, up to its result code.
    pub(crate) fn reply(&self, line: &str) -> String {
        let deadline = within(super::SOON);
        let mut got = Vec::new();
        while !is_whole_reply(&got) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "no result code to {line}, got {:?}",
                got.escape_ascii().to_string()
            );
            got.extend(self.receive_to(b"\n", left));
        }
        String::from_utf8(got).expect("replies are text")
    }

    /// From the working mode to the command state (decisions 4). The guard times are times: they must be waited.
    pub(crate) fn escape(&self) {
        std::thread::sleep(Duration::from_millis(260));
        self.send(b"+++");
        self.receive_to(b"a", super::SOON);
        self.send(b"a");
        self.receive_to(b"\r\n+ok\r\n", super::SOON);
    }
}

fn is_whole_reply(got: &[u8]) -> bool {
    let last = got
        .strip_suffix(b"\r\n")
        .and_then(|text| text.rsplit(|&byte| byte == b'\n').next());
    last.is_some_and(|last| last == b"OK" || last == b"ERROR" || last.starts_with(b"+CME ERROR"))
}
