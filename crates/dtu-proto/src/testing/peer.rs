//! The peers of the device's sockets, and the network between.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{Bench, text};
use crate::event::{
    CloseReason, Connect, Input, LinkId, Payload, SocketId, SocketInput, SocketOutput,
};
use crate::record::OwnedInput;
use crate::time::Instant;

/// What the network does with the connections of a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Net {
    /// Connects at once, takes and acknowledges everything.
    #[default]
    Good,
    /// Connects at once, takes everything, acknowledges nothing.
    Unacked,
    /// Connects, and never takes a byte.
    Stuck,
    /// Refuses every attempt.
    Refused,
    /// Connects at once, and resets the connection.
    Resets,
    /// Never answers an attempt.
    BlackHole,
}

/// A server under test, at the other end of a socket ([`Bench::serve`]). It gets what [`Net::Good`] brings.
pub trait Server {
    /// A new connection.
    fn accepts(&mut self) {}

    /// Bytes of the device, as its host sent them. What is returned is sent back at once; empty = nothing.
    fn receives(&mut self, bytes: &[u8]) -> Vec<u8>;
}

/// The test looks into the server while the bench has it.
impl<S: Server> Server for Rc<RefCell<S>> {
    fn accepts(&mut self) {
        self.borrow_mut().accepts();
    }

    fn receives(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.borrow_mut().receives(bytes)
    }
}

/// The other end of a socket.
#[derive(Default)]
pub struct Peer {
    /// Each `Connect`, with its time.
    pub connects: Vec<(Instant, Connect)>,
    /// `Close`s so far.
    pub closes: u32,
    /// Bytes that the socket took, of this connection.
    pub sent_bytes: u64,
    /// Of these, what the peer's TCP has acknowledged.
    pub acked_bytes: u64,
    net: Net,
    server: Option<Box<dyn Server>>,
    /// What it got since the last look, an entry a `Send`.
    sends: VecDeque<Vec<u8>>,
    /// The host has a socket, or tries to.
    open: bool,
    /// The host has not said that a `Close` is done.
    closing: bool,
    device: DeviceSide,
}

/// What the device knows of its connection.
#[derive(Default)]
struct DeviceSide {
    /// It has asked for one, and has not been told that it is over.
    wanted: bool,
    connected: bool,
    /// It has not been told that its last `Send` is done.
    sending: bool,
}

impl Peer {
    pub(super) fn told(&mut self, news: SocketInput<'_>) {
        match news {
            SocketInput::Connected { .. } => self.device.connected = true,
            SocketInput::Sent => self.device.sending = false,
            SocketInput::Closed { .. } => {
                (self.open, self.device) = (false, DeviceSide::default());
            }
            SocketInput::Acked(bytes) => self.acked_bytes = bytes,
            SocketInput::Data(_) => {}
        }
    }

    pub(super) fn forget(&mut self) {
        (self.sends, self.connects) = (VecDeque::new(), Vec::new());
    }

    fn begins(&mut self) {
        (self.open, self.closing, self.device.wanted) = (true, false, true);
        (self.sent_bytes, self.acked_bytes) = (0, 0);
    }

    /// The connection is over; what its peer has acknowledged.
    fn ends(&mut self) -> u64 {
        (self.open, self.closing) = (false, false);
        if self.net == Net::Good {
            self.sent_bytes
        } else {
            self.acked_bytes
        }
    }

    fn sees(&mut self, payload: &Payload) -> Vec<u8> {
        let whole = [&payload.prefix[..], &payload.body[..]].concat();
        let answer = match &mut self.server {
            Some(server) if self.net == Net::Good => server.receives(&whole),
            _ => Vec::new(),
        };
        self.sends.push_back(whole);
        answer
    }
}

impl Bench {
    /// The other end of a socket.
    #[must_use]
    pub fn peer(&self, socket: impl Into<SocketId>) -> &Peer {
        &self.peers[socket.into().index()]
    }

    /// What the network does from now on with a socket.
    pub fn net(&mut self, socket: impl Into<SocketId>, net: Net) -> &mut Self {
        self.peer_mut(socket.into()).net = net;
        self
    }

    /// The same for all links.
    pub fn net_of_links(&mut self, net: Net) -> &mut Self {
        for link in LinkId::ALL {
            self.net(link, net);
        }
        self
    }

    /// A server at the other end of a socket.
    pub fn serve(
        &mut self,
        socket: impl Into<SocketId>,
        server: impl Server + 'static,
    ) -> &mut Self {
        self.peer_mut(socket.into()).server = Some(Box::new(server));
        self
    }

    /// The peer sends, and the host reads it at once.
    #[track_caller]
    pub fn network(&mut self, socket: impl Into<SocketId>, data: impl AsRef<[u8]>) -> &mut Self {
        self.input(Input::Socket(
            socket.into(),
            SocketInput::Data(data.as_ref()),
        ))
    }

    /// The next thing that the peer got was exactly this.
    ///
    /// # Panics
    /// It was something else, or nothing.
    #[track_caller]
    pub fn sends(&mut self, socket: impl Into<SocketId>, data: impl AsRef<[u8]>) -> &mut Self {
        let socket = socket.into();
        let sent = self.peer_mut(socket).sends.pop_front();
        assert_eq!(
            sent.as_deref().map(text),
            Some(text(data.as_ref())),
            "{socket} at {:?}",
            self.now
        );
        self
    }

    /// The peer got nothing more.
    ///
    /// # Panics
    /// It got something.
    #[track_caller]
    pub fn sends_nothing(&mut self, socket: impl Into<SocketId>) -> &mut Self {
        let socket = socket.into();
        let waiting: Vec<_> = self
            .peer(socket)
            .sends
            .iter()
            .map(|sent| text(sent))
            .collect();
        assert!(
            waiting.is_empty(),
            "{socket} at {:?}: {waiting:?}",
            self.now
        );
        self
    }

    /// All that the peer got since the last look.
    pub fn received(&mut self, socket: impl Into<SocketId>) -> Vec<u8> {
        self.peer_mut(socket.into())
            .sends
            .drain(..)
            .flatten()
            .collect()
    }

    /// The attempt succeeds (for [`Net::BlackHole`]).
    #[track_caller]
    pub fn connects(&mut self, socket: impl Into<SocketId>) -> &mut Self {
        let news = SocketInput::Connected { local: local() };
        self.input(Input::Socket(socket.into(), news))
    }

    /// The peer's TCP acknowledges all that the socket took.
    #[track_caller]
    pub fn acknowledges(&mut self, socket: impl Into<SocketId>) -> &mut Self {
        let socket = socket.into();
        let sent = self.peer(socket).sent_bytes;
        self.acked(socket, sent)
    }

    /// The peer's TCP has acknowledged so many bytes of this connection.
    #[track_caller]
    pub fn acked(&mut self, socket: impl Into<SocketId>, bytes: u64) -> &mut Self {
        self.input(Input::Socket(socket.into(), SocketInput::Acked(bytes)))
    }

    /// The connection ends, with so many of its bytes acknowledged.
    #[track_caller]
    pub fn lose(
        &mut self,
        socket: impl Into<SocketId>,
        reason: CloseReason,
        acked: u64,
    ) -> &mut Self {
        let socket = socket.into();
        self.peer_mut(socket).sent_bytes = 0;
        self.input(Input::Socket(socket, SocketInput::Closed { reason, acked }))
    }

    /// The connection ends, with acknowledged what the host was last told.
    #[track_caller]
    pub fn breaks(&mut self, socket: impl Into<SocketId>, reason: CloseReason) -> &mut Self {
        let socket = socket.into();
        self.lose(socket, reason, self.peer(socket).acked_bytes)
    }

    /// The host says that a socket is closed, where [`Bench::late_closes`] is set.
    ///
    /// # Panics
    /// No `Close` was ordered.
    #[track_caller]
    pub fn closed(&mut self, socket: impl Into<SocketId>) -> &mut Self {
        let socket = socket.into();
        assert!(
            self.peer(socket).closing,
            "no close of {socket} was ordered"
        );
        self.says_closed(socket, CloseReason::Local);
        self.drain();
        self
    }

    fn peer_mut(&mut self, socket: SocketId) -> &mut Peer {
        &mut self.peers[socket.index()]
    }

    #[track_caller]
    pub(super) fn socket(&mut self, socket: SocketId, order: SocketOutput) {
        match order {
            SocketOutput::Connect(connect) => self.connect(socket, connect),
            SocketOutput::Send(payload) => self.send(socket, &payload),
            SocketOutput::Close => self.close(socket),
        }
    }

    #[track_caller]
    fn connect(&mut self, socket: SocketId, connect: Connect) {
        let (now, lean) = (self.now, self.lean);
        let peer = self.peer_mut(socket);
        assert!(
            lean || !peer.device.wanted || peer.closing,
            "at {now:?}: {socket} connects, and has a connection"
        );
        peer.begins();
        if !lean {
            peer.connects.push((now, connect));
        }
        match peer.net {
            Net::Good | Net::Unacked | Net::Stuck => {
                if let Some(server) = &mut peer.server {
                    server.accepts();
                }
                self.tells(socket, SocketInput::Connected { local: local() });
            }
            Net::Refused => self.says_closed(socket, CloseReason::Refused),
            Net::Resets => {
                self.tells(socket, SocketInput::Connected { local: local() });
                self.says_closed(socket, CloseReason::Reset);
            }
            Net::BlackHole => {}
        }
    }

    #[track_caller]
    fn send(&mut self, socket: SocketId, payload: &Payload) {
        let (now, lean) = (self.now, self.lean);
        let peer = self.peer_mut(socket);
        let device = &mut peer.device;
        assert!(
            lean || device.connected,
            "at {now:?}: {socket} sends without a connection"
        );
        assert!(
            lean || !device.sending,
            "at {now:?}: {socket} sends twice at once"
        );
        device.sending = true;
        let net = peer.net;
        if net == Net::Stuck {
            return;
        }
        peer.sent_bytes += payload.len() as u64;
        let sent = peer.sent_bytes;
        let answer = if lean { Vec::new() } else { peer.sees(payload) };
        self.tells(socket, SocketInput::Sent);
        if net == Net::Good {
            self.tells(socket, SocketInput::Acked(sent));
        }
        if !answer.is_empty() {
            self.answers
                .push_back(OwnedInput::SocketData(socket, answer));
        }
    }

    fn close(&mut self, socket: SocketId) {
        let late = self.late_closes;
        let peer = self.peer_mut(socket);
        peer.closes += 1;
        // Else it has crossed a `Closed`, and needs no answer.
        if peer.open {
            peer.closing = true;
            if !late {
                self.says_closed(socket, CloseReason::Local);
            }
        }
    }

    fn says_closed(&mut self, socket: SocketId, reason: CloseReason) {
        let acked = self.peer_mut(socket).ends();
        self.tells(socket, SocketInput::Closed { reason, acked });
    }

    fn tells(&mut self, socket: SocketId, news: SocketInput<'static>) {
        self.answer(Input::Socket(socket, news));
    }
}

fn local() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 40_000)
}
