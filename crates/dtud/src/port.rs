//! A descriptor that one task reads and writes without ever waiting in a call.
//!
//! Reading is registered with the reactor, but for a port that is left alone for a while. Writing is registered only once
//! a write found no room, and is taken back after a run of writes that did: a pty would else wake this program each time
//! its reader reads.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::io::{Errno, IoSlice};

use crate::reactor::{Interest, Watched};

/// What a short read proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShortRead {
    /// Nothing more is there (stream sockets; but a read ends in front of an urgent byte).
    Empty,
    /// The same of a tty, which returns at most 4095 bytes at once, and one line where somebody has set line mode.
    EmptyTty,
    /// Nothing (datagrams).
    Unknown,
}

impl ShortRead {
    /// Whether a read that brought so many bytes has left nothing behind. What comes later is news to the reactor.
    fn is_proof(self, read: &[u8], room: usize) -> bool {
        match self {
            Self::Empty => read.len() < room,
            Self::EmptyTty => read.len() < room.min(TTY_READ) && read.last() != Some(&b'\n'),
            Self::Unknown => false,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Port {
    read: Watched,
    write: Option<Watched>,
    roomy_writes: u8,
    short_read: ShortRead,
    /// What comes wakes nobody; each read asks the kernel.
    is_left: bool,
}

impl Port {
    /// `fd` must not block.
    pub(crate) fn new(fd: OwnedFd, short_read: ShortRead) -> io::Result<Self> {
        let interest = match short_read {
            ShortRead::Empty => Interest::ReadableOrUrgent,
            ShortRead::EmptyTty | ShortRead::Unknown => Interest::Readable,
        };
        let read = Watched::new(fd, interest)?;
        Ok(Self {
            read,
            write: None,
            roomy_writes: 0,
            short_read,
            is_left: false,
        })
    }

    /// Whether the other end is known to be gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.read.is_closed()
    }

    /// From now on bytes that come wake nobody.
    pub(crate) fn leave(&mut self) -> io::Result<()> {
        if !self.is_left {
            self.read.leave()?;
            self.is_left = true;
        }
        Ok(())
    }

    /// They do so again, as do those that are there.
    pub(crate) fn watch(&mut self) -> io::Result<()> {
        if self.is_left {
            self.read.watch_again()?;
            self.is_left = false;
        }
        Ok(())
    }

    /// One read. `Ok(0)` is the end of the stream (or an empty datagram).
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            if !self.is_left {
                ready!(self.read.poll_ready(cx));
            }
            match rustix::io::read(&self.read, &mut *buf) {
                Ok(count) => {
                    // The reactor keeps the news of a close through this, so an end behind the bytes is not missed.
                    let room = buf.len();
                    let read = part(buf, count);
                    let short = count > 0 && self.short_read.is_proof(read, room);
                    if short && !self.read.had_urgent() {
                        self.read.clear_ready();
                    }
                    return Poll::Ready(Ok(count));
                }
                Err(Errno::AGAIN) if self.is_left => return Poll::Pending,
                Err(Errno::AGAIN) => self.read.clear(),
                Err(Errno::INTR) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    /// What the kernel has of a TCP connection goes with it.
    pub(crate) fn abort_when_closed(&self) -> io::Result<()> {
        socket2::SockRef::from(&self.read).set_linger(Some(Duration::ZERO))
    }

    /// Whether another read may bring anything. Else the task is woken when it may.
    pub(crate) fn may_have_more(&self) -> bool {
        self.read.is_ready()
    }

    /// Whether the peer is known to have closed its side. Costs no system call.
    pub(crate) fn peer_closed(&self, cx: &Context<'_>) -> bool {
        // So that the task is woken when it closes.
        let _ = self.read.poll_ready(cx);
        self.read.is_closed()
    }

    /// One write of both pieces; says how much went.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        first: &[u8],
        second: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let Some(write) = &self.write else {
                match write_now(&self.read, first, second) {
                    Err(Errno::AGAIN) => self.watch_for_room()?,
                    done => return Poll::Ready(done.map_err(io::Error::from)),
                }
                continue;
            };
            ready!(write.poll_ready(cx));
            match write_now(&self.read, first, second) {
                Err(Errno::AGAIN) => {
                    self.roomy_writes = 0;
                    write.clear();
                }
                done => {
                    self.count_roomy_write();
                    return Poll::Ready(done.map_err(io::Error::from));
                }
            }
        }
    }

    fn watch_for_room(&mut self) -> io::Result<()> {
        // A second descriptor of the same file: the reactor takes each descriptor once.
        let twin = self.read.as_fd().try_clone_to_owned()?;
        self.write = Some(Watched::new(twin, Interest::Writable)?);
        self.roomy_writes = 0;
        Ok(())
    }

    fn count_roomy_write(&mut self) {
        self.roomy_writes += 1;
        if self.roomy_writes >= ROOMY_WRITES {
            self.write = None;
        }
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.read.as_fd()
    }
}

fn write_now(fd: &Watched, first: &[u8], second: &[u8]) -> Result<usize, Errno> {
    loop {
        let done = if first.is_empty() {
            rustix::io::write(fd, second)
        } else if second.is_empty() {
            rustix::io::write(fd, first)
        } else {
            rustix::io::writev(fd, &[IoSlice::new(first), IoSlice::new(second)])
        };
        if done != Err(Errno::INTR) {
            return done;
        }
    }
}

/// The first `most` bytes of the buffer that is lent.
pub(crate) fn part(buf: &mut [u8], most: usize) -> &mut [u8] {
    let len = buf.len().min(most);
    buf.get_mut(..len).unwrap_or_default()
}

/// The longest read of a tty that the kernel gives.
const TTY_READ: usize = 4095;
/// Writes in a row that found room before the watch for room is taken back.
const ROOMY_WRITES: u8 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_read_of_a_tty_is_no_proof_where_it_may_be_one_line_of_more() {
        let is_proof = |read: &[u8]| ShortRead::EmptyTty.is_proof(read, 8192);
        assert!(is_proof(b"+++") && is_proof(&[0; 4094]));
        assert!(!is_proof(b"one\n"), "line mode returns a line a read");
        assert!(!is_proof(&[0; 4095]), "no tty returns more at once");
        assert!(
            !ShortRead::EmptyTty.is_proof(&[0; 64], 64) && !ShortRead::Unknown.is_proof(b"x", 64)
        );
        assert!(
            ShortRead::Empty.is_proof(b"one\n", 64) && !ShortRead::Empty.is_proof(&[0; 64], 64)
        );
    }
}
