//! Boxes that are played on a pty.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;

use crate::common::pump::{read_now, ready, write_now};
use crate::common::within;

/// What a box does.
pub(crate) trait Plays: Send + 'static {
    /// Takes what came (often nothing), at that time since it was switched on; what it says.
    fn play(&mut self, bytes: &[u8], now: Duration) -> Vec<u8>;
}

/// A box on a pty, played until this is dropped.
pub(crate) struct OnPty<B> {
    pub(crate) played: Arc<Mutex<B>>,
    path: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl<B: Plays> OnPty<B> {
    pub(crate) fn start(player: B) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = rustix::pty::openpt(flags).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        rustix::io::ioctl_fionbio(&master, true).unwrap();
        let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
        let path = PathBuf::from(OsStr::from_bytes(name.as_bytes()));
        // Without an open slave the master answers EIO.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(&path, flags, Mode::empty()).unwrap();
        let mut termios = rustix::termios::tcgetattr(&slave).unwrap();
        termios.make_raw();
        rustix::termios::tcsetattr(&slave, OptionalActions::Now, &termios).unwrap();
        let played = Arc::new(Mutex::new(player));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (played, stop) = (Arc::clone(&played), Arc::clone(&stop));
            std::thread::spawn(move || serve(&master, slave, &played, &stop))
        };
        Self {
            played,
            path,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn port(&self) -> &Path {
        &self.path
    }

    /// Looks at the box.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&B) -> R) -> R {
        look(&self.played.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<B> Drop for OnPty<B> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn serve<B: Plays>(master: &OwnedFd, slave: OwnedFd, played: &Mutex<B>, stop: &AtomicBool) {
    let start = Instant::now();
    let mut buffer = [0; 1024];
    while !stop.load(Ordering::Relaxed) {
        // What a box says by itself is due at a time of its own.
        let there = ready(master, PollFlags::IN, within(Duration::from_millis(5))).unwrap();
        let count = if there {
            read_now(master, &mut buffer).unwrap().unwrap_or_default()
        } else {
            0
        };
        let mut player = played.lock().unwrap_or_else(PoisonError::into_inner);
        let mut said = player.play(&buffer[..count], start.elapsed());
        drop(player);
        while !said.is_empty() && !stop.load(Ordering::Relaxed) {
            let written = write_now(master, &said).unwrap();
            said.drain(..written);
        }
    }
    drop(slave);
}

/// A box that knows the escape, and answers each command by a text.
pub(crate) struct Scripted<F> {
    state: State,
    typed: Vec<u8>,
    answer: F,
    /// The commands that it was given.
    pub(crate) commands: Vec<String>,
    /// What came while it carried data.
    pub(crate) data: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Data,
    Asked,
    Command,
}

impl<F: FnMut(&str) -> String + Send + 'static> Scripted<F> {
    /// `answer` gives the lines of a reply, with its end; nothing: it stays silent.
    pub(crate) fn start(answer: F) -> OnPty<Self> {
        OnPty::start(Self::new(answer))
    }

    pub(crate) const fn new(answer: F) -> Self {
        Self {
            state: State::Data,
            typed: Vec::new(),
            answer,
            commands: Vec::new(),
            data: Vec::new(),
        }
    }

    pub(crate) fn carries_data(&self) -> bool {
        self.state == State::Data
    }
}

impl<F: FnMut(&str) -> String + Send + 'static> Plays for Scripted<F> {
    fn play(&mut self, bytes: &[u8], _: Duration) -> Vec<u8> {
        let mut said = Vec::new();
        match (self.state, bytes) {
            (_, b"") => {}
            (State::Data, b"+++") => {
                self.state = State::Asked;
                said.extend_from_slice(b"a");
            }
            (State::Asked, b"a") => {
                self.state = State::Command;
                said.extend_from_slice(b"\r\n+ok\r\n");
            }
            (State::Data | State::Asked, data) => {
                self.state = State::Data;
                self.data.extend_from_slice(data);
            }
            (State::Command, typed) => {
                for byte in typed {
                    if *byte != b'\r' {
                        self.typed.push(*byte);
                        continue;
                    }
                    let line = String::from_utf8(std::mem::take(&mut self.typed)).unwrap();
                    if line == "AT+ENTM" {
                        self.state = State::Data;
                        said.extend_from_slice(b"\r\nOK\r\n");
                    } else {
                        let answer = (self.answer)(&line);
                        said.extend_from_slice(answer.as_bytes());
                    }
                    self.commands.push(line);
                }
            }
        }
        said
    }
}
