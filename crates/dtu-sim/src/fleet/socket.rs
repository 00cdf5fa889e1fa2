//! The TCP socket of one device: what the device orders is done at once, as far as the kernel takes it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use dtu_proto::event::{CloseReason, Payload};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::{Errno, IoSlice};
use socket2::{Domain, SockAddr, Socket as Raw, Type};

use super::host::Wrote;
use super::timers::NEVER;

/// The registration packet is asked for soon: how long it takes is measured. Then as `dtud` asks.
const FIRST_QUERY: u32 = 2000;
const QUERY: u32 = 200_000;
const LONGEST_QUERY: u32 = 400_000;
/// Bytes between two queries of what is acknowledged.
const QUERY_EVERY: u64 = 4096;

/// A socket that connects, or is connected.
#[derive(Debug)]
pub(super) struct Socket {
    fd: OwnedFd,
    token: u64,
    watched: EventFlags,
    pub(super) up: bool,
    /// When the device asked for it.
    pub(super) since: u64,
    sending: Option<Payload>,
    done: u32,
    /// Bytes handed to the kernel.
    pub(super) written: u64,
    queried: u64,
    pub(super) acked: u64,
    /// When to ask next what is acknowledged.
    pub(super) query_at: u64,
    query_pause: u32,
}

impl Socket {
    /// Begins to connect.
    pub(super) fn connect(
        to: SocketAddr,
        from: Option<Ipv4Addr>,
        epoll: &OwnedFd,
        token: u64,
        now: u64,
    ) -> io::Result<Self> {
        let raw = Raw::new(Domain::for_address(to), Type::STREAM.nonblocking(), None)?;
        link_socket::set_options(&raw)?;
        if let Some(from) = from {
            raw.bind(&SockAddr::from(SocketAddr::from((from, 0))))?;
        }
        match raw.connect(&SockAddr::from(to)) {
            Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => {
                return Err(error);
            }
            Ok(()) | Err(_) => {}
        }
        let fd = OwnedFd::from(raw);
        epoll::add(epoll, &fd, EventData::new_u64(token), EventFlags::OUT)?;
        Ok(Self {
            fd,
            token,
            watched: EventFlags::OUT,
            up: false,
            since: now,
            sending: None,
            done: 0,
            written: 0,
            queried: 0,
            acked: 0,
            query_at: NEVER,
            query_pause: FIRST_QUERY,
        })
    }

    /// The socket says that it connected, or failed.
    pub(super) fn finish_connecting(&mut self) -> io::Result<SocketAddr> {
        let raw = socket2::SockRef::from(&self.fd);
        if let Some(error) = raw.take_error()? {
            return Err(error);
        }
        let (local, peer) = (raw.local_addr()?, raw.peer_addr()?);
        // Without a server a port of this host may meet itself (simultaneous open).
        if local == peer {
            raw.set_linger(Some(Duration::ZERO))?;
            return Err(Errno::CONNREFUSED.into());
        }
        self.up = true;
        local.as_socket().ok_or_else(|| Errno::ADDRNOTAVAIL.into())
    }

    /// Keeps a payload that may not go yet.
    pub(super) fn hold(&mut self, payload: Payload) {
        self.sending = Some(payload);
        self.done = 0;
    }

    /// Whether a payload is not yet with the kernel.
    pub(super) const fn is_sending(&self) -> bool {
        self.sending.is_some()
    }

    pub(super) fn go_on(&mut self, now: u64) -> io::Result<Wrote> {
        while let Some(payload) = &self.sending {
            let done = self.done as usize;
            let prefix = payload.prefix.get(done..).unwrap_or_default();
            let body = payload
                .body
                .get(done.saturating_sub(payload.prefix.len())..);
            let body = body.unwrap_or_default();
            let wrote = if prefix.is_empty() {
                rustix::io::write(&self.fd, body)
            } else {
                rustix::io::writev(&self.fd, &[IoSlice::new(prefix), IoSlice::new(body)])
            };
            match wrote {
                Ok(count) => {
                    self.done += count as u32;
                    self.written += count as u64;
                    if self.done as usize >= payload.len() {
                        self.sending = None;
                    }
                    if self.query_at == NEVER {
                        self.query_at = now + u64::from(self.query_pause);
                    }
                }
                Err(Errno::AGAIN) => return Ok(Wrote::Part),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Wrote::All)
    }

    /// One read; `Ok(None)` = nothing there.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            match rustix::io::read(&self.fd, &mut *buffer) {
                Ok(count) => return Ok(Some(count)),
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Asks what is acknowledged, where it is time to, or an answer has just come: that mostly brought the
    /// acknowledgement along. Says whether there is news.
    pub(super) fn acknowledged(&mut self, now: u64, answered: bool) -> bool {
        if self.query_at == NEVER {
            return false;
        }
        if !answered && now < self.query_at && self.written - self.queried < QUERY_EVERY {
            return false;
        }
        let news = self.query();
        if self.acked >= self.written {
            self.query_at = NEVER;
            self.query_pause = QUERY;
        } else if now >= self.query_at {
            self.query_pause = (self.query_pause * 2).min(LONGEST_QUERY);
            self.query_at = now + u64::from(self.query_pause);
        }
        news
    }

    fn query(&mut self) -> bool {
        self.queried = self.written;
        let Ok(unsent) = link_socket::unsent(&self.fd) else {
            return false;
        };
        let acked = self.written.saturating_sub(unsent as u64).max(self.acked);
        let news = acked > self.acked;
        self.acked = acked;
        news
    }

    /// The last word on what is acknowledged: the kernel knows it up to the moment the socket is closed.
    pub(super) fn last_acknowledged(&mut self) -> u64 {
        if self.up {
            self.query();
        }
        self.acked
    }

    /// Bytes of the peer that nobody has read.
    pub(super) fn unread(&self) -> u64 {
        if self.up {
            rustix::io::ioctl_fionread(&self.fd).unwrap_or(0)
        } else {
            0
        }
    }

    /// Watches for what is wanted now; costs a call only where that has changed.
    pub(super) fn watch(&mut self, epoll: &OwnedFd, reads: bool) -> io::Result<()> {
        let mut wanted = EventFlags::empty();
        if !self.up || self.sending.is_some() {
            wanted |= EventFlags::OUT;
        }
        if self.up && reads {
            wanted |= EventFlags::IN | EventFlags::RDHUP;
        }
        if wanted != self.watched {
            self.watched = wanted;
            epoll::modify(epoll, &self.fd, EventData::new_u64(self.token), wanted)?;
        }
        Ok(())
    }

    /// Looks at it no longer, whatever happens to it: to the peer it is a connection that has gone silent.
    pub(super) fn go_dark(&mut self, epoll: &OwnedFd) -> io::Result<()> {
        Ok(epoll::delete(epoll, &self.fd)?)
    }

    pub(super) fn come_back(&mut self, epoll: &OwnedFd) -> io::Result<()> {
        Ok(epoll::add(
            epoll,
            &self.fd,
            EventData::new_u64(self.token),
            self.watched,
        )?)
    }

    /// Looks at it again, under another name, for what the peer says.
    pub(super) fn listen(&mut self, epoll: &OwnedFd, token: u64) -> io::Result<()> {
        if self.token == token {
            return Ok(());
        }
        self.token = token;
        let flags = EventFlags::IN | EventFlags::RDHUP;
        Ok(epoll::add(
            epoll,
            &self.fd,
            EventData::new_u64(token),
            flags,
        )?)
    }

    /// What the kernel has of it goes when it is closed: the peer gets a reset.
    pub(super) fn abort_when_closed(&self) {
        let _ = socket2::SockRef::from(&self.fd).set_linger(Some(Duration::ZERO));
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// What an error of the system means for the device.
pub(super) fn reason(error: &io::Error) -> CloseReason {
    match error.raw_os_error() {
        // Its source address has no port left.
        Some(code) if code == Errno::ADDRNOTAVAIL.raw_os_error() => CloseReason::LocalPortTaken,
        Some(_) | None => link_socket::reason(error),
    }
}
