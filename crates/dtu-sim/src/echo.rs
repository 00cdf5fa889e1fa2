//! A server that sends back what it gets, for tests and measurements of fleets: one thread, one `epoll`, one buffer.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::SocketFlags;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::fleet::{HEAD_BEGINS, Template};

/// The token of the descriptor that ends it, and of the listener.
const STOP: u64 = u64::MAX;
const LISTENER: u64 = u64::MAX - 1;
const BUFFER: usize = 64 * 1024;
const EVENTS: usize = 512;
const BACKLOG: i32 = 4096;
/// A peer that takes nothing is not read any more once so much waits for it.
const QUEUE_MAX: usize = 256 * 1024;

/// What an echo server saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Echoed {
    /// Connections that were taken.
    pub connections: u64,
    /// Of these, such as began with a registration packet.
    pub registered: u64,
    /// Such as began with something else, where there is a registration packet.
    pub wrong_registrations: u64,
    /// Heartbeats, where they are known.
    pub heartbeats: u64,
    /// Where they are known: packets that are none, and do not begin as a frame of a fleet does.
    pub strange: u64,
    /// Most connections at once.
    pub most: u64,
    /// Bytes sent back.
    pub bytes: u64,
    /// Connections that broke.
    pub broken: u64,
    /// Reads that it kept for itself.
    pub swallowed: u64,
}

impl fmt::Display for Echoed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            connections,
            registered,
            most,
            bytes,
            broken,
            wrong_registrations,
            strange,
            ..
        } = self;
        write!(
            f,
            "{connections} connections ({registered} registered, {broken} broken), {bytes} bytes sent back"
        )?;
        if *most > 0 {
            write!(f, "; {most} connections at once")?;
        }
        if wrong_registrations + strange > 0 {
            write!(
                f,
                "; {wrong_registrations} wrong registration packets, {strange} packets that are neither data nor heartbeat"
            )?;
        }
        Ok(())
    }
}

impl Echoed {
    /// One object.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "connections": self.connections,
            "registered": self.registered,
            "wrong_registrations": self.wrong_registrations,
            "heartbeats": self.heartbeats,
            "strange": self.strange,
            "bytes": self.bytes,
            "broken": self.broken,
            "swallowed": self.swallowed,
        })
    }

    /// What another one saw as well.
    pub(crate) fn add(&mut self, other: &Self) {
        let Self {
            connections,
            registered,
            wrong_registrations,
            heartbeats,
            strange,
            most,
            bytes,
            broken,
            swallowed,
        } = *other;
        self.connections += connections;
        self.registered += registered;
        self.wrong_registrations += wrong_registrations;
        self.heartbeats += heartbeats;
        self.strange += strange;
        self.most = self.most.max(most);
        self.bytes += bytes;
        self.broken += broken;
        self.swallowed += swallowed;
    }
}

/// What a server knows of what devices send beside data.
#[derive(Clone, Debug, Default)]
pub struct Packets {
    /// What connections begin with.
    pub register: Option<Template>,
    /// What comes now and then.
    pub heartbeat: Option<Template>,
}

impl Packets {
    /// Counts a packet, the first of its connection or not, and says how many of its bytes are no data.
    pub(crate) fn hear(&self, begun: &mut bool, packet: &[u8], sum: &mut Echoed) -> usize {
        let mut own = 0;
        if !std::mem::replace(begun, true)
            && let Some(register) = &self.register
        {
            match register.matches(packet) {
                Some(length) => {
                    sum.registered += 1;
                    own = length;
                }
                None => {
                    sum.wrong_registrations += 1;
                    return 0;
                }
            }
        }
        let rest = packet.get(own..).unwrap_or_default();
        if let Some(heartbeat) = &self.heartbeat
            && let Some(first) = rest.first()
            && *first != HEAD_BEGINS
        {
            if heartbeat.matches(rest) == Some(rest.len()) {
                sum.heartbeats += 1;
                own = packet.len();
            } else {
                sum.strange += 1;
            }
        }
        own
    }
}

/// The server.
#[derive(Debug)]
pub struct Echo {
    listener: OwnedFd,
    local: SocketAddr,
    packets: Packets,
    swallow: Option<u64>,
}

struct Peer {
    fd: OwnedFd,
    begun: bool,
    queue: VecDeque<u8>,
    watched: EventFlags,
}

struct Server<'a> {
    echo: &'a Echo,
    poll: OwnedFd,
    peers: Vec<Option<Peer>>,
    free: Vec<u32>,
    open: u64,
    reads: u64,
    sum: Echoed,
}

impl Echo {
    /// Listens. Packets that it knows are counted, and are not sent back.
    ///
    /// # Errors
    /// The address cannot be had.
    pub fn bind(address: SocketAddr, packets: Packets) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM.nonblocking(),
            None,
        )?;
        socket.set_reuse_address(true)?;
        socket.bind(&SockAddr::from(address))?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from(socket);
        Ok(Self {
            local: listener.local_addr()?,
            listener: listener.into(),
            packets,
            swallow: None,
        })
    }

    /// Keeps each so many-th read for itself: a server with a fault, for tests.
    #[must_use]
    pub const fn swallowing(mut self, each: u64) -> Self {
        self.swallow = Some(each);
        self
    }

    /// Where it listens.
    #[must_use]
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Serves until `stop` can be read. Behind a second without news `look` gets what was seen so far.
    ///
    /// # Errors
    /// The system refuses to go on.
    pub fn run(&self, stop: impl AsFd, mut look: impl FnMut(&Echoed)) -> io::Result<Echoed> {
        let poll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&poll, &stop, EventData::new_u64(STOP), EventFlags::IN)?;
        epoll::add(
            &poll,
            &self.listener,
            EventData::new_u64(LISTENER),
            EventFlags::IN,
        )?;
        let mut server = Server {
            echo: self,
            poll,
            peers: Vec::new(),
            free: Vec::new(),
            open: 0,
            reads: 0,
            sum: Echoed::default(),
        };
        let mut buffer = vec![0; BUFFER];
        let mut events: Vec<Event> = Vec::with_capacity(EVENTS);
        let mut shown = Echoed::default();
        let second = rustix::event::Timespec::try_from(Duration::from_secs(1)).ok();
        loop {
            match epoll::wait(&server.poll, spare_capacity(&mut events), second.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            // A second without any news: what came before is told.
            if events.is_empty() && shown != server.sum {
                shown = server.sum;
                look(&shown);
            }
            for event in events.drain(..) {
                match event.data.u64() {
                    STOP => return Ok(server.sum),
                    LISTENER => server.accept()?,
                    token => server.serve(token as usize, event.flags, &mut buffer),
                }
            }
        }
    }
}

impl Server<'_> {
    fn accept(&mut self) -> io::Result<()> {
        loop {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let fd = match rustix::net::accept_with(&self.echo.listener, flags) {
                Ok(fd) => fd,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR | Errno::CONNABORTED) => continue,
                Err(error) => return Err(error.into()),
            };
            rustix::net::sockopt::set_tcp_nodelay(&fd, true)?;
            let place = self.free.pop().unwrap_or_else(|| {
                self.peers.push(None);
                self.peers.len() as u32 - 1
            });
            let watched = EventFlags::IN | EventFlags::RDHUP;
            epoll::add(
                &self.poll,
                &fd,
                EventData::new_u64(u64::from(place)),
                watched,
            )?;
            if let Some(slot) = self.peers.get_mut(place as usize) {
                *slot = Some(Peer {
                    fd,
                    begun: false,
                    queue: VecDeque::new(),
                    watched,
                });
            }
            self.open += 1;
            self.sum.connections += 1;
            self.sum.most = self.sum.most.max(self.open);
        }
    }

    fn serve(&mut self, place: usize, flags: EventFlags, buffer: &mut [u8]) {
        let Some(Some(peer)) = self.peers.get_mut(place) else {
            return;
        };
        let mut done = Ok(true);
        if flags.contains(EventFlags::OUT) {
            done = peer.flush();
        }
        if done.is_ok()
            && flags
                .intersects(EventFlags::IN | EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR)
        {
            done = match rustix::io::read(&peer.fd, &mut *buffer) {
                Ok(0) => Ok(false),
                Ok(count) => {
                    let mut bytes = buffer.get(..count).unwrap_or_default();
                    let own = self
                        .echo
                        .packets
                        .hear(&mut peer.begun, bytes, &mut self.sum);
                    bytes = bytes.get(own..).unwrap_or_default();
                    self.reads += u64::from(!bytes.is_empty());
                    let swallowed = self
                        .echo
                        .swallow
                        .is_some_and(|each| !bytes.is_empty() && self.reads.is_multiple_of(each));
                    if swallowed {
                        self.sum.swallowed += 1;
                        Ok(true)
                    } else {
                        self.sum.bytes += bytes.len() as u64;
                        peer.send(bytes)
                    }
                }
                Err(Errno::AGAIN | Errno::INTR) => Ok(true),
                Err(error) => Err(error),
            };
        }
        let goes_on = match done {
            Ok(true) => peer.watch(&self.poll, place).is_ok(),
            Ok(false) => false,
            Err(_) => {
                self.sum.broken += 1;
                false
            }
        };
        if !goes_on {
            self.peers[place] = None;
            self.free.push(place as u32);
            self.open -= 1;
        }
    }
}

impl Peer {
    fn send(&mut self, mut bytes: &[u8]) -> Result<bool, Errno> {
        while self.queue.is_empty() && !bytes.is_empty() {
            match rustix::io::write(&self.fd, bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        self.queue.extend(bytes);
        Ok(true)
    }

    fn flush(&mut self) -> Result<bool, Errno> {
        while !self.queue.is_empty() {
            match rustix::io::write(&self.fd, self.queue.as_slices().0) {
                Ok(count) => drop(self.queue.drain(..count)),
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
        Ok(true)
    }

    fn watch(&mut self, poll: &OwnedFd, place: usize) -> Result<(), Errno> {
        let mut wanted = EventFlags::empty();
        if self.queue.len() < QUEUE_MAX {
            wanted |= EventFlags::IN | EventFlags::RDHUP;
        }
        if !self.queue.is_empty() {
            wanted |= EventFlags::OUT;
        }
        if wanted != self.watched {
            self.watched = wanted;
            epoll::modify(poll, &self.fd, EventData::new_u64(place as u64), wanted)?;
        }
        Ok(())
    }
}
