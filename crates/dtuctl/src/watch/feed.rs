//! The port as it comes and goes: a plug that is pulled is a gap, and the port is opened again.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use dtu_setup::say::{Sentence, Spoken as _};
use dtu_setup::serial::Port as _;

use crate::port::{OpenPort, pause};

/// What happened.
#[derive(Debug)]
pub(super) enum News {
    Bytes(Vec<u8>),
    /// The port is gone.
    Gone(Sentence),
    /// It is back, after so long.
    Back(Duration),
}

pub(super) struct Feed {
    name: String,
    baud: u32,
    state: State,
}

enum State {
    Open(OpenPort),
    Gone(Instant),
}

/// A port that is gone is looked for so often: nothing tells of a path that comes back.
pub(super) const LOOKS: Duration = Duration::from_millis(300);

impl Feed {
    pub(super) fn open(name: &str, baud: u32) -> anyhow::Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            baud,
            state: State::Open(OpenPort::open(name, baud)?),
        })
    }

    /// What is to be polled; `None` while the port is gone.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.state {
            State::Open(port) => Some(port.as_fd()),
            State::Gone(_) => None,
        }
    }

    /// The next thing that happens within that time.
    ///
    /// # Errors
    /// This program is to stop.
    pub(super) fn next(&mut self, within: Duration) -> io::Result<Option<News>> {
        match &mut self.state {
            State::Open(port) => {
                let mut buffer = [0; 4096];
                let until = port.now() + within;
                match port.read(&mut buffer, until) {
                    Ok(0) => Ok(None),
                    Ok(count) => Ok(Some(News::Bytes(buffer[..count].to_vec()))),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
                    Err(error) => Ok(Some(self.gone(&error))),
                }
            }
            State::Gone(since) => {
                if let Ok(port) = OpenPort::open(&self.name, self.baud) {
                    let gap = since.elapsed();
                    self.state = State::Open(port);
                    return Ok(Some(News::Back(gap)));
                }
                pause(within.min(LOOKS))?;
                Ok(None)
            }
        }
    }

    fn gone(&mut self, error: &io::Error) -> News {
        self.state = State::Gone(Instant::now());
        News::Gone(error.spoken())
    }

    /// Sends; where the port is gone, so are the bytes.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Option<News> {
        let State::Open(port) = &mut self.state else {
            return None;
        };
        let error = port.write(bytes).err()?;
        Some(self.gone(&error))
    }
}
