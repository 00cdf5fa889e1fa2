//! One network link: carries out `LinkOutput`, reports `LinkInput`.
//!
//! ```text
//! Idle ─Connect─► Connecting ─┬─ Connected ─► Up ─┬─ peer's end, error ─► Closed ─► Idle
//!   ▲                         └─ failed ─► Closed  └─ Close ─► Closed{Local}
//!   └──────────────────────────────────────────────────────────────┘
//! ```

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use dtu_proto::config::Protocol;
use dtu_proto::event::{CloseReason, LinkOutput, Payload};
use dtu_proto::time::Instant;
use tracing::debug;

use crate::connect::{self, Established};
use crate::port::Port;
use crate::sys;

/// What a link has to tell; `LinkInput` without its borrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkNews {
    Connected {
        local: SocketAddr,
    },
    /// So many bytes are in the buffer that was lent.
    Data(usize),
    Sent,
    Acked(u64),
    Closed {
        reason: CloseReason,
        acked: u64,
    },
}

#[derive(Default)]
pub(crate) struct Link {
    interface: Option<String>,
    state: State,
    /// The answer to a `Close`, or the end of a connection, that is still to be told.
    closed: Option<LinkNews>,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    Connecting(Attempt, Protocol),
    Up(Connection),
}

type Attempt = Pin<Box<dyn Future<Output = Result<Established, CloseReason>>>>;

impl Link {
    /// A link that uses only `interface`, where one is named.
    pub(crate) fn new(interface: Option<String>) -> Self {
        Self { interface, ..Self::default() }
    }

    /// From the next connection on.
    pub(crate) fn use_interface(&mut self, interface: Option<String>) {
        self.interface = interface;
    }

    /// Carries out an order. Writes at once what the socket takes.
    pub(crate) fn order(&mut self, order: LinkOutput, now: Instant, cx: &mut Context<'_>) {
        match order {
            LinkOutput::Connect(target) => {
                let protocol = target.protocol;
                let attempt = Box::pin(connect::connect(target, self.interface.clone()));
                self.state = State::Connecting(attempt, protocol);
            }
            LinkOutput::Send(payload) => {
                if let State::Up(connection) = &mut self.state {
                    connection.start_sending(payload, now, cx);
                }
            }
            LinkOutput::Close => self.end(CloseReason::Local),
        }
    }

    /// The next news, if any. Reads only where `wanted`.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        wanted: bool,
        buf: &mut [u8],
    ) -> Option<LinkNews> {
        if let Some(news) = self.closed.take() {
            return Some(news);
        }
        match &mut self.state {
            State::Idle => None,
            State::Connecting(attempt, protocol) => {
                let protocol = *protocol;
                match attempt.as_mut().poll(cx) {
                    Poll::Pending => None,
                    Poll::Ready(Ok(established)) => Some(self.begin(established, protocol)),
                    Poll::Ready(Err(reason)) => {
                        self.end(reason);
                        self.closed.take()
                    }
                }
            }
            State::Up(connection) => match connection.poll(cx, now, wanted, buf) {
                Ok(news) => news,
                Err(reason) => {
                    self.end(reason);
                    self.closed.take()
                }
            },
        }
    }

    /// When `poll` has something to do without any news of the socket.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Up(connection) => {
                [connection.acknowledgement_due, connection.unread_until].into_iter().flatten().min()
            }
            State::Idle | State::Connecting(..) => None,
        }
    }

    fn begin(&mut self, established: Established, protocol: Protocol) -> LinkNews {
        let Established { port, local } = established;
        self.state = State::Up(Connection::new(port, protocol));
        LinkNews::Connected { local }
    }

    fn end(&mut self, reason: CloseReason) {
        let acked = match std::mem::take(&mut self.state) {
            State::Up(mut connection) => connection.last_acknowledged(),
            State::Idle | State::Connecting(..) => 0,
        };
        self.closed = Some(LinkNews::Closed { reason, acked });
    }
}

struct Connection {
    port: Port,
    protocol: Protocol,
    sending: Option<Sending>,
    sent: bool,
    failed: Option<CloseReason>,
    /// Bytes handed to the socket since it connected.
    written: u64,
    /// `written` at the last query of what is acknowledged.
    queried: u64,
    acked: u64,
    acknowledgement_due: Option<Instant>,
    acknowledgement_pause: Duration,
    /// The connection is over, but not all is read: until then it may wait for the DTE.
    unread_until: Option<Instant>,
}

struct Sending {
    payload: Payload,
    done: usize,
    /// UDP: one write was answered with the refusal of an earlier datagram.
    refused: bool,
}

impl Sending {
    fn rest(&self) -> (&[u8], &[u8]) {
        let Payload { prefix, body } = &self.payload;
        let first = prefix.get(self.done..).unwrap_or_default();
        let second = body.get(self.done.saturating_sub(prefix.len())..).unwrap_or_default();
        (first, second)
    }
}

impl Connection {
    fn new(port: Port, protocol: Protocol) -> Self {
        Self {
            port,
            protocol,
            sending: None,
            sent: false,
            failed: None,
            written: 0,
            queried: 0,
            acked: 0,
            acknowledgement_due: None,
            acknowledgement_pause: FIRST_QUERY,
            unread_until: None,
        }
    }

    fn start_sending(&mut self, payload: Payload, now: Instant, cx: &mut Context<'_>) {
        self.sending = Some(Sending { payload, done: 0, refused: false });
        self.send(now, cx);
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        wanted: bool,
        buf: &mut [u8],
    ) -> Result<Option<LinkNews>, CloseReason> {
        if self.sending.is_some() {
            self.send(now, cx);
        }
        if std::mem::take(&mut self.sent) {
            return Ok(Some(LinkNews::Sent));
        }
        if let Some(acked) = self.newly_acknowledged(now) {
            return Ok(Some(LinkNews::Acked(acked)));
        }
        if !wanted {
            return self.give_up_unread(cx, now).map_or(Ok(None), Err);
        }
        self.unread_until = None;
        // What the peer said before it went is read before a failed write ends the connection.
        match self.read(cx, buf)? {
            Some(news) => Ok(Some(news)),
            None => self.failed.map_or(Ok(None), Err),
        }
    }

    /// While the DTE does not take what the peer said, a connection that is over ends without it at last: the other
    /// direction must not stand still for ever.
    fn give_up_unread(&mut self, cx: &mut Context<'_>, now: Instant) -> Option<CloseReason> {
        let over = self.failed.is_some() || (self.protocol == Protocol::Tcp && self.port.peer_closed(cx));
        if !over {
            return None;
        }
        let until = *self.unread_until.get_or_insert(now + UNREAD_FOR);
        (now >= until).then(|| self.failed.unwrap_or(CloseReason::PeerClosed))
    }

    fn read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Result<Option<LinkNews>, CloseReason> {
        loop {
            match self.port.poll_read(cx, buf) {
                Poll::Pending => return Ok(None),
                Poll::Ready(Ok(0)) if self.protocol == Protocol::Tcp => return Err(CloseReason::PeerClosed),
                Poll::Ready(Ok(0)) => {}
                Poll::Ready(Ok(count)) => return Ok(Some(LinkNews::Data(count))),
                Poll::Ready(Err(error)) => self.judge(&error)?,
            }
        }
    }

    /// Sends what is left of the payload, unless the peer is known to be gone: such bytes would be lost.
    fn send(&mut self, now: Instant, cx: &mut Context<'_>) {
        if self.failed.is_some() || (self.protocol == Protocol::Tcp && self.port.peer_closed(cx)) {
            return;
        }
        while let Some(sending) = &mut self.sending {
            let (first, second) = sending.rest();
            match self.port.poll_write(cx, first, second) {
                Poll::Pending => return,
                Poll::Ready(Ok(count)) => {
                    sending.done += count;
                    self.written += count as u64;
                    let whole = self.protocol == Protocol::Udp || sending.done >= sending.payload.len();
                    self.finish_if(whole);
                    self.expect_acknowledgement(now);
                }
                Poll::Ready(Err(error)) => match judge(self.protocol, &error) {
                    // The error of an earlier datagram: this one did not go yet.
                    None if !sending.refused => sending.refused = true,
                    None => self.finish_if(true),
                    Some(reason) => {
                        self.failed = Some(reason);
                        return;
                    }
                },
            }
        }
    }

    fn finish_if(&mut self, whole: bool) {
        if whole {
            self.sending = None;
            self.sent = true;
        }
    }

    fn judge(&self, error: &io::Error) -> Result<(), CloseReason> {
        judge(self.protocol, error).map_or(Ok(()), Err)
    }

    fn expect_acknowledgement(&mut self, now: Instant) {
        if self.protocol == Protocol::Tcp && self.acknowledgement_due.is_none() {
            self.acknowledgement_pause = FIRST_QUERY;
            self.acknowledgement_due = Some(now + FIRST_QUERY);
        }
    }

    fn newly_acknowledged(&mut self, now: Instant) -> Option<u64> {
        let due = self.acknowledgement_due?;
        if now < due && self.written - self.queried < QUERY_EVERY {
            return None;
        }
        let changed = self.query();
        if self.acked >= self.written {
            self.acknowledgement_due = None;
        } else if now >= due {
            self.acknowledgement_pause = (self.acknowledgement_pause * 2).min(LONGEST_QUERY);
            self.acknowledgement_due = Some(now + self.acknowledgement_pause);
        }
        changed.then_some(self.acked)
    }

    fn query(&mut self) -> bool {
        self.queried = self.written;
        let Ok(unsent) = sys::unsent(&self.port) else { return false };
        let acked = self.written.saturating_sub(unsent as u64);
        let changed = acked > self.acked;
        self.acked = self.acked.max(acked);
        changed
    }

    /// The kernel still answers after a reset, up to the moment the socket is closed.
    fn last_acknowledged(&mut self) -> u64 {
        if self.protocol == Protocol::Udp {
            return 0;
        }
        self.query();
        self.acked
    }
}

/// Why the link ends; `None` where it need not.
fn judge(protocol: Protocol, error: &io::Error) -> Option<CloseReason> {
    let reason = connect::reason(error);
    if protocol == Protocol::Udp && matches!(reason, CloseReason::Refused | CloseReason::Os(libc::EMSGSIZE)) {
        debug!("a datagram was refused: {error}");
        return None;
    }
    Some(reason)
}

/// Bytes between two queries of what is acknowledged.
const QUERY_EVERY: u64 = 4096;
/// First and longest time between two queries while bytes are on their way.
const FIRST_QUERY: Duration = Duration::from_millis(50);
const LONGEST_QUERY: Duration = Duration::from_millis(400);
/// How long a connection that is over waits for the DTE to take what it brought.
const UNREAD_FOR: Duration = Duration::from_secs(10);
