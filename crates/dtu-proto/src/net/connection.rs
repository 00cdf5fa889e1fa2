//! One connection of a socket: what the host was told, and what it may be told next. Links, and the modes that open
//! connections for themselves, have one each.
//!
//! ```text
//! Idle ─connect─► Connecting ─Connected─► Up ─close, Closed─┐
//!   ▲                 └─close─► Closing ◄─────────close─────┤
//!   └──────────────── Closed, or the host is silent ────────┘
//! ```
//! It has no cache and does not connect by itself: that is its owner's business, and so is what a log hears of its end.

use alloc::collections::VecDeque;

use crate::event::{
    CloseReason, Connect, Event, LinkDownReason, Output, Payload, SocketId, SocketInput,
    SocketOutput,
};
use crate::time::{Duration, Instant};

/// The host closes at once.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: SocketId,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Connecting {
        until: Instant,
    },
    Up(Up),
    /// `sending`: a `Send` was outstanding; the host may still say that the socket has it.
    Closing {
        reason: LinkDownReason,
        was_up: bool,
        sending: bool,
        until: Instant,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Up {
    /// A `Send` is outstanding.
    sending: bool,
    /// Bytes handed to the host.
    sent: u64,
    /// Of these, acknowledged by the peer's TCP.
    acked: u64,
}

/// What an input or a deadline meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News<'a> {
    /// Nothing: it belongs to a connection that the device has given up.
    Nothing,
    /// The connection stands.
    Up,
    /// It leads to another address of the peer's name by now (UDP).
    Moved,
    /// Bytes of the peer.
    Data(&'a [u8]),
    /// The outstanding `Send` is in the socket's hands.
    Sent,
    /// More is acknowledged.
    Acked,
    /// The connection, or the attempt, is over.
    Down(Down),
}

/// The end of a connection or attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Down {
    pub(crate) reason: LinkDownReason,
    pub(crate) was_up: bool,
    /// Bytes of the connection that the peer's TCP had acknowledged.
    pub(crate) acked: u64,
}

impl Connection {
    pub(crate) const fn new(socket: SocketId) -> Self {
        Self {
            socket,
            state: State::Idle,
        }
    }

    /// Begins an attempt, which is given up at `until`. Only where it is idle.
    pub(crate) fn connect(
        &mut self,
        connect: Connect,
        until: Instant,
        outputs: &mut VecDeque<Output>,
    ) {
        if self.is_idle() {
            self.state = State::Connecting { until };
            outputs.push_back(Output::Socket(self.socket, SocketOutput::Connect(connect)));
        }
    }

    /// Hands bytes over, where [`Connection::is_free`]. Says where in the stream they end.
    pub(crate) fn send(&mut self, payload: Payload, outputs: &mut VecDeque<Output>) -> u64 {
        let State::Up(up) = &mut self.state else {
            return 0;
        };
        up.sending = true;
        up.sent += payload.len() as u64;
        outputs.push_back(Output::Socket(self.socket, SocketOutput::Send(payload)));
        up.sent
    }

    /// Orders the end of a connection or attempt; false if there was none. `Down` follows, with this reason.
    pub(crate) fn close(
        &mut self,
        reason: LinkDownReason,
        now: Instant,
        outputs: &mut VecDeque<Output>,
    ) -> bool {
        let (was_up, sending) = match self.state {
            State::Up(up) => (true, up.sending),
            State::Connecting { .. } => (false, false),
            State::Idle | State::Closing { .. } => return false,
        };
        self.state = State::Closing {
            reason,
            was_up,
            sending,
            until: now + CLOSE_PATIENCE,
        };
        outputs.push_back(Output::Socket(self.socket, SocketOutput::Close));
        true
    }

    /// Takes news of the socket in.
    pub(crate) fn handle<'a>(
        &mut self,
        input: SocketInput<'a>,
        outputs: &mut VecDeque<Output>,
    ) -> News<'a> {
        match (&mut self.state, input) {
            (State::Connecting { .. }, SocketInput::Connected { .. }) => {
                self.state = State::Up(Up::default());
                outputs.push_back(Output::Event(Event::Connected(self.socket)));
                News::Up
            }
            (State::Up(_), SocketInput::Connected { .. }) => News::Moved,
            (State::Up(_), SocketInput::Data(data)) => News::Data(data),
            (State::Up(Up { sending, .. }) | State::Closing { sending, .. }, SocketInput::Sent)
                if *sending =>
            {
                *sending = false;
                News::Sent
            }
            (State::Up(up), SocketInput::Acked(total)) if total > up.acked => {
                up.acked = total;
                News::Acked
            }
            (_, SocketInput::Closed { reason, acked }) => self.closed(reason, acked),
            _ => News::Nothing,
        }
    }

    fn closed(&mut self, reason: CloseReason, acked: u64) -> News<'static> {
        let network = LinkDownReason::Network(reason);
        let down = match self.state {
            State::Idle => return News::Nothing,
            State::Connecting { .. } => Down {
                reason: network,
                was_up: false,
                acked: 0,
            },
            State::Up(up) => Down {
                reason: network,
                was_up: true,
                acked: acked.max(up.acked),
            },
            State::Closing { reason, was_up, .. } => Down {
                reason,
                was_up,
                acked,
            },
        };
        self.ended(down)
    }

    const fn ended(&mut self, down: Down) -> News<'static> {
        self.state = State::Idle;
        News::Down(down)
    }

    /// What a log hears of an end.
    pub(crate) const fn event(&self, down: &Down) -> Output {
        let Down { reason, was_up, .. } = *down;
        Output::Event(Event::Disconnected {
            socket: self.socket,
            reason,
            was_up,
        })
    }

    /// When the host must have answered.
    pub(crate) const fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Connecting { until } | State::Closing { until, .. } => Some(until),
            State::Idle | State::Up(_) => None,
        }
    }

    /// The deadline is here: the host did not answer in time. An attempt is closed first: `Down` follows that.
    pub(crate) fn fire(&mut self, now: Instant, outputs: &mut VecDeque<Output>) -> News<'static> {
        match self.state {
            State::Connecting { .. } => {
                self.close(LinkDownReason::Network(CloseReason::TimedOut), now, outputs);
                News::Nothing
            }
            State::Closing { reason, was_up, .. } => self.ended(Down {
                reason,
                was_up,
                acked: 0,
            }),
            State::Idle | State::Up(_) => News::Nothing,
        }
    }

    /// Nobody acknowledges a datagram: that the kernel took it is all that is known.
    pub(crate) const fn acknowledge_all(&mut self) {
        if let State::Up(up) = &mut self.state {
            up.acked = up.sent;
        }
    }

    /// The socket that it is of.
    pub(crate) const fn socket(&self) -> SocketId {
        self.socket
    }

    pub(crate) const fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    pub(crate) const fn is_connecting(&self) -> bool {
        matches!(self.state, State::Connecting { .. })
    }

    pub(crate) const fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    /// Bytes of the connection that stands that were handed to the host.
    pub(crate) const fn sent(&self) -> u64 {
        match self.state {
            State::Up(up) => up.sent,
            State::Idle | State::Connecting { .. } | State::Closing { .. } => 0,
        }
    }

    /// Bytes of the connection that stands that the peer's TCP has acknowledged.
    pub(crate) const fn acked(&self) -> u64 {
        match self.state {
            State::Up(up) => up.acked,
            State::Idle | State::Connecting { .. } | State::Closing { .. } => 0,
        }
    }

    /// Whether bytes may be handed over.
    pub(crate) const fn is_free(&self) -> bool {
        matches!(self.state, State::Up(Up { sending: false, .. }))
    }

    /// Whether it was ordered to close, and the host has not said that it is.
    pub(crate) const fn is_closing(&self) -> bool {
        matches!(self.state, State::Closing { .. })
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use core::net::{Ipv4Addr, SocketAddr};

    use bytes::Bytes;

    use super::*;
    use crate::config::Protocol;

    fn connected(outputs: &mut VecDeque<Output>) -> Connection {
        let mut connection = Connection::new(SocketId::AtMode);
        let (protocol, address) = (Protocol::Tcp, String::from("host"));
        connection.connect(
            Connect {
                protocol,
                address,
                port: 1,
                local_port: 0,
                tls: false,
            },
            Instant::ZERO,
            outputs,
        );
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        assert_eq!(
            connection.handle(SocketInput::Connected { local }, outputs),
            News::Up
        );
        connection
    }

    #[test]
    fn one_send_is_outstanding_and_the_end_tells_what_was_acknowledged() {
        let mut outputs = VecDeque::new();
        let mut connection = connected(&mut outputs);
        let payload = Payload {
            prefix: Bytes::new(),
            body: Bytes::from_static(b"abc"),
        };
        assert_eq!(connection.send(payload, &mut outputs), 3);
        assert!(!connection.is_free());
        assert_eq!(
            connection.handle(SocketInput::Sent, &mut outputs),
            News::Sent
        );
        assert!(connection.is_free());
        assert_eq!(
            connection.handle(SocketInput::Acked(2), &mut outputs),
            News::Acked
        );
        assert_eq!(
            connection.handle(SocketInput::Acked(1), &mut outputs),
            News::Nothing
        );
        let closed = SocketInput::Closed {
            reason: CloseReason::PeerClosed,
            acked: 3,
        };
        let reason = LinkDownReason::Network(CloseReason::PeerClosed);
        let down = Down {
            reason,
            was_up: true,
            acked: 3,
        };
        assert_eq!(connection.handle(closed, &mut outputs), News::Down(down));
        assert!(connection.is_idle());
    }

    #[test]
    fn after_close_nothing_but_the_end_counts_and_a_silent_host_does_not_hold_it_up() {
        let mut outputs = VecDeque::new();
        let mut connection = connected(&mut outputs);
        assert!(connection.close(LinkDownReason::Ordered, Instant::ZERO, &mut outputs));
        assert!(!connection.close(LinkDownReason::Ordered, Instant::ZERO, &mut outputs));
        assert_eq!(
            connection.handle(SocketInput::Data(b"late"), &mut outputs),
            News::Nothing
        );
        let due = connection.deadline().expect("the host must answer");
        let down = Down {
            reason: LinkDownReason::Ordered,
            was_up: true,
            acked: 0,
        };
        assert_eq!(connection.fire(due, &mut outputs), News::Down(down));
        let late = SocketInput::Closed {
            reason: CloseReason::Local,
            acked: 0,
        };
        assert_eq!(connection.handle(late, &mut outputs), News::Nothing);
    }

    #[test]
    fn what_the_socket_has_is_told_though_the_end_was_ordered() {
        let mut outputs = VecDeque::new();
        let mut connection = connected(&mut outputs);
        let payload = Payload {
            prefix: Bytes::new(),
            body: Bytes::from_static(b"abc"),
        };
        connection.send(payload, &mut outputs);
        connection.close(LinkDownReason::Ordered, Instant::ZERO, &mut outputs);
        assert_eq!(
            connection.handle(SocketInput::Sent, &mut outputs),
            News::Sent
        );
        assert_eq!(
            connection.handle(SocketInput::Sent, &mut outputs),
            News::Nothing
        );
    }
}
