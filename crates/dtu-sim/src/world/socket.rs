//! One socket of the host: a bounded buffer, the TCP of the peer that acknowledges, and what is on its way back. What is
//! done with it in time is `network`'s business, who stands behind it `peers`'.

use std::collections::VecDeque;

use cellular_sim::Rng;
use dtu_proto::config::Protocol;
use dtu_proto::event::{CloseReason, Connect, LINKS, Payload, SocketId};

use crate::SEC;
use crate::http::Print;

/// `SO_SNDBUF`, as the host sets it.
const SEND_BUFFER: u64 = 32 * 1024;
/// What a peer's TCP acknowledges at once.
const SEGMENTS: u64 = 2920;
/// A server paces the line so long after it has taken something.
const PACES_FOR: u64 = 5 * SEC;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SocketEvent {
    Up,
    Down(CloseReason),
    /// The socket has taken the whole send.
    Sent,
    /// Bytes come to the peer.
    Arrive,
    /// The device is told what has arrived.
    Report,
    /// The host reads.
    Read,
    /// The peer's own clock.
    Peer,
    /// The peer closes, if it has nothing to do.
    HangUp,
    Fault,
    Wake,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Idle,
    Connecting,
    Up,
    Closing,
}

/// Bytes on their way to the device.
#[derive(Debug)]
struct Inbound {
    bytes: Vec<u8>,
    print: Print,
    /// Of `Print::Whole`: what the device has already.
    before: Vec<u8>,
    /// A datagram, or a segment that is read alone.
    alone: bool,
}

/// What the device has heard of the server of a link: heartbeats and the pace of the line depend on it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Signs {
    /// Last byte received or acknowledged, as the device was told; where heartbeats are answered, received or sent as one.
    pub(super) last: u64,
    /// A heartbeat was due when the last data came, and something else was being sent.
    pub(super) heartbeat_waits: bool,
    /// Since when something is not acknowledged, as far as the device knows.
    unreported_since: u64,
    last_report: u64,
    /// When a reply that is awaited counts as missing.
    reply_due: Option<u64>,
}

impl Signs {
    /// Of a connection that stands since now.
    pub(super) const fn since(now: u64) -> Self {
        Self {
            last: now,
            heartbeat_waits: false,
            unreported_since: 0,
            last_report: now,
            reply_due: None,
        }
    }

    /// The device was told that more is acknowledged.
    pub(super) const fn note_report(&mut self, now: u64, replies_expected: bool) {
        self.last_report = now;
        if !replies_expected {
            self.last = now;
        }
    }

    /// A question was sent whose reply is expected within so long.
    pub(super) fn expect_reply(&mut self, now: u64, within: u64) {
        self.reply_due = self
            .reply_due
            .filter(|due| now < *due)
            .or(Some(now + within));
    }

    /// A reply is here: whether it is surely awaited.
    pub(super) fn take_reply(&mut self, now: u64) -> bool {
        self.reply_due.take().is_some_and(|due| now < due)
    }
}

/// One socket's side of the network.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) id: SocketId,
    pub(super) state: State,
    pub(super) generation: u64,
    pub(super) rng: Rng,
    pub(super) to: Option<Connect>,
    /// The outstanding send: bytes of it that the socket has not taken.
    pub(super) send: Option<u64>,
    /// What the device has given and the peer does not have.
    outbound: VecDeque<u8>,
    /// Bytes of the connection that the device has given, that the socket has taken, that the peer has, and that the
    /// device knows the peer to have.
    given: u64,
    pub(super) handed: u64,
    pub(super) arrived: u64,
    pub(super) reported: u64,
    /// An arrival is planned.
    pub(super) is_ticking: bool,
    /// The peer reads nothing (or its answers do not come): nothing moves.
    pub(super) is_stalled: bool,
    inbound: VecDeque<Inbound>,
    pub(super) inbound_bytes: usize,
    /// The peer has closed; the device sees that behind all that comes.
    pub(super) is_closed: bool,
    pub(super) read_planned: bool,
    /// Bytes of the peer that the device has read on this connection.
    pub(super) read: u64,
    pub(super) signs: Signs,
    /// Bytes that the server of a link has sent, on all its connections.
    pub(super) server_position: u64,
    /// Attempts in which ten seconds.
    pub(super) attempts: (u64, u32),
}

impl Socket {
    pub(super) fn new(id: SocketId, rng: Rng) -> Self {
        Self {
            id,
            state: State::Idle,
            generation: 0,
            rng,
            to: None,
            send: None,
            outbound: VecDeque::new(),
            given: 0,
            handed: 0,
            arrived: 0,
            reported: 0,
            is_ticking: false,
            is_stalled: false,
            inbound: VecDeque::new(),
            inbound_bytes: 0,
            is_closed: false,
            read_planned: false,
            read: 0,
            signs: Signs::default(),
            server_position: 0,
            attempts: (0, 0),
        }
    }

    /// Another connection, or none: whatever was planned for the last is void.
    pub(super) fn reset(&mut self, state: State) {
        *self = Self {
            state,
            generation: self.generation + 1,
            server_position: self.server_position,
            attempts: self.attempts,
            ..Self::new(self.id, self.rng.clone())
        };
    }

    pub(super) fn is_udp(&self) -> bool {
        self.to
            .as_ref()
            .is_some_and(|to| to.protocol == Protocol::Udp)
    }

    const fn is_of_link(&self) -> bool {
        self.id.link().is_some()
    }

    /// Its number in the story: of a link, or behind those of the links.
    pub(super) fn number(&self) -> u8 {
        let behind = |place: usize| u8::try_from(10 + place - LINKS).unwrap_or(0);
        self.id
            .link()
            .map_or_else(|| behind(self.id.index()), |link| link.number())
    }

    /// The device gives it another payload.
    pub(super) fn give(&mut self, payload: &Payload, now: u64) {
        if self.given == self.reported {
            self.signs.unreported_since = now;
        }
        self.outbound.extend(payload.prefix.iter());
        self.outbound.extend(payload.body.iter());
        let length = payload.len() as u64;
        self.given += length;
        self.send = Some(length);
    }

    /// The socket takes what it has room for. Whether that was the end of the send.
    pub(super) fn fill(&mut self) -> bool {
        let Some(waiting @ 1..) = self.send else {
            return false;
        };
        let part = if self.is_udp() {
            waiting
        } else {
            waiting.min(SEND_BUFFER.saturating_sub(self.handed - self.arrived))
        };
        self.handed += part;
        self.send = Some(waiting - part);
        part == waiting
    }

    /// Whether bytes are on their way to the peer.
    pub(super) fn moves_on(&self, attached: bool) -> bool {
        !self.is_udp() && self.handed > self.arrived && !self.is_stalled && attached
    }

    /// How much comes to the peer next.
    pub(super) fn next_segments(&self) -> u64 {
        (self.handed - self.arrived).min(SEGMENTS)
    }

    /// The first `upto` bytes of the connection are with the peer's program: those that are new to it.
    pub(super) fn arrive(&mut self, upto: u64) -> Vec<u8> {
        let count = usize::try_from(upto - self.arrived).unwrap_or(usize::MAX);
        self.arrived = upto;
        self.outbound.drain(..count).collect()
    }

    /// The socket is closed by the host: whether the kernel still delivers what it has, though nobody hears of it.
    pub(super) fn delivers_the_rest(&mut self) -> bool {
        if self.is_of_link() {
            return self.rng.chance(50) && !self.is_stalled;
        }
        // Of a request that it has not confirmed this world's kernel delivers nothing, for nobody could then tell whether
        // to send it again.
        !self.is_udp() && !self.is_stalled && self.send.is_none() && self.rng.chance(50)
    }

    /// What the host says was acknowledged when the connection ended; of a link or destination it may be an old count.
    /// Towards an HTTP server the last word is the truth: a request that was not acknowledged did not arrive.
    pub(super) fn last_count(&mut self) -> u64 {
        let is_true = self.id == SocketId::Httpd || self.rng.chance(60);
        match is_true {
            _ if self.is_udp() => 0,
            true => self.arrived,
            false => self.reported,
        }
    }

    /// Whether the peer takes bytes, as far as the device was told.
    pub(super) fn paces(&self, now: u64) -> bool {
        let since = self.signs.last_report.max(self.signs.unreported_since);
        self.state == State::Up && (self.given == self.reported || now < since + PACES_FOR)
    }

    pub(super) fn queue(&mut self, bytes: Vec<u8>, print: Print, alone: bool) {
        self.inbound_bytes += bytes.len();
        self.inbound.push_back(Inbound {
            bytes,
            print,
            before: Vec::new(),
            alone,
        });
    }

    /// Whether the host would find something to read. What a link's server has sent is in the host's buffer already.
    pub(super) fn is_readable(&self, attached: bool) -> bool {
        let comes = self.is_of_link() || (!self.is_stalled && attached);
        comes && self.state == State::Up && (!self.inbound.is_empty() || self.is_closed)
    }

    /// One read of the host: bytes, and what of them is to be printed. `None`: the peer has closed behind all.
    pub(super) fn take_read(&mut self, most: usize) -> Option<(Vec<u8>, Vec<u8>)> {
        let (mut bytes, mut printed) = (Vec::new(), Vec::new());
        self.inbound.front()?;
        while let Some(next) = self.inbound.front_mut() {
            if !bytes.is_empty() && (next.alone || bytes.len() >= most) {
                break;
            }
            let part = if next.alone {
                next.bytes.len()
            } else {
                next.bytes.len().min(most - bytes.len())
            };
            let rest = next.bytes.split_off(part);
            bytes.extend_from_slice(&next.bytes);
            match next.print {
                Print::Nothing => {}
                Print::Stream => printed.extend_from_slice(&next.bytes),
                Print::Whole => next.before.append(&mut next.bytes),
            }
            if !rest.is_empty() {
                next.bytes = rest;
                break;
            }
            let alone = next.alone;
            printed.append(&mut next.before);
            self.inbound.pop_front();
            if alone {
                break;
            }
        }
        self.inbound_bytes -= bytes.len();
        self.read += bytes.len() as u64;
        Some((bytes, printed))
    }
}
