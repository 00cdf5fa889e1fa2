//! The socket of one network link, or of a channel beside the links: carries out `LinkOutput`, reports `LinkInput`.
//!
//! ```text
//! Idle ─Connect─► Connecting ─┬─ Connected ─► Up ─┬─ peer's end, error ─► Closed ─► Idle
//!   ▲                         └─ failed ─► Closed  └─ Close ─► Closed{Local}
//!   └──────────────────────────────────────────────────────────────┘
//! ```

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use dtu_proto::config::Protocol;
use dtu_proto::event::{CloseReason, LinkInput, LinkOutput, Payload};
use dtu_proto::time::Instant;
use tracing::debug;

use crate::connect::{self, Attempt, Established, Route};
use crate::port::{Port, part};
use crate::sys;
use crate::tls;
use crate::words::{Count, Span};

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

impl LinkNews {
    /// As the device takes it; `buf` is what was lent.
    pub(crate) fn input(self, buf: &[u8]) -> LinkInput<'_> {
        match self {
            Self::Connected { local } => LinkInput::Connected { local },
            Self::Data(count) => LinkInput::Data(buf.get(..count).unwrap_or_default()),
            Self::Sent => LinkInput::Sent,
            Self::Acked(total) => LinkInput::Acked(total),
            Self::Closed { reason, acked } => LinkInput::Closed { reason, acked },
        }
    }
}

#[derive(Default)]
pub(crate) struct Link {
    route: Route,
    state: State,
    /// The socket had all of a `Send` when the connection ended: that is told first.
    sent: bool,
    /// The answer to a `Close`, or the end of a connection, that is still to be told.
    closed: Option<LinkNews>,
    contact: Contact,
}

/// What the log says of a link beside its state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contact {
    /// The other end of the last connection.
    pub(crate) peer: Option<SocketAddr>,
    /// Why the last attempt or connection failed, in words; empty where the reason says all.
    pub(crate) trouble: String,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    Connecting(Attempt, Protocol),
    Up(Box<Connection>),
}

impl Link {
    /// A link that uses only `interface`, where one is named.
    pub(crate) fn new(interface: Option<String>, tls: tls::Client) -> Self {
        Self { route: Route { interface, tls, ..Route::default() }, ..Self::default() }
    }

    /// From the next connection on.
    pub(crate) fn use_interface(&mut self, interface: Option<String>) {
        self.route.interface = interface;
    }

    /// From the next connection on.
    pub(crate) fn use_tls(&mut self, tls: tls::Client) {
        self.route.tls = tls;
    }

    /// Whether there is nothing to poll until the next order.
    pub(crate) const fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle) && self.closed.is_none()
    }

    /// What the log says of it.
    pub(crate) const fn contact(&self) -> &Contact {
        &self.contact
    }

    /// Carries out an order. Writes at once what the socket takes.
    pub(crate) fn order(&mut self, order: LinkOutput, now: Instant, cx: &mut Context<'_>) {
        match order {
            LinkOutput::Connect(target) => {
                let protocol = target.protocol;
                let attempt = Box::pin(connect::connect(target, self.route.clone()));
                self.state = State::Connecting(attempt, protocol);
            }
            LinkOutput::Send(payload) => {
                if let State::Up(connection) = &mut self.state {
                    connection.start_sending(payload, now, cx);
                }
            }
            LinkOutput::Close => {
                if let State::Up(connection) = &mut self.state {
                    connection.say_goodbye(cx);
                }
                self.end(CloseReason::Local);
            }
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
        if let Some(news) = self.last_words() {
            return Some(news);
        }
        match &mut self.state {
            State::Idle => None,
            State::Connecting(attempt, protocol) => {
                let protocol = *protocol;
                match attempt.as_mut().poll(cx) {
                    Poll::Pending => None,
                    Poll::Ready(Ok(established)) => Some(self.begin(established, protocol)),
                    Poll::Ready(Err(failure)) => {
                        self.contact.trouble = failure.text;
                        self.end(failure.reason);
                        self.last_words()
                    }
                }
            }
            State::Up(connection) => match connection.poll(cx, now, wanted, buf) {
                Ok(news) => news,
                Err(reason) => {
                    self.contact.trouble = std::mem::take(&mut connection.trouble);
                    self.end(reason);
                    self.last_words()
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
        let Established { port, session, local, peer } = established;
        self.contact = Contact { peer: Some(peer), trouble: String::new() };
        self.state = State::Up(Box::new(Connection::new(port, session, protocol)));
        LinkNews::Connected { local }
    }

    /// What is still to be told of a connection that is over.
    fn last_words(&mut self) -> Option<LinkNews> {
        if std::mem::take(&mut self.sent) { Some(LinkNews::Sent) } else { self.closed.take() }
    }

    fn end(&mut self, reason: CloseReason) {
        let acked = match std::mem::take(&mut self.state) {
            State::Up(mut connection) => {
                self.sent = connection.sent;
                connection.last_acknowledged()
            }
            State::Idle | State::Connecting(..) => 0,
        };
        self.closed = Some(LinkNews::Closed { reason, acked });
    }
}

struct Connection {
    port: Port,
    tls: Option<Box<tls::Session>>,
    protocol: Protocol,
    sending: Option<Sending>,
    sent: bool,
    failed: Option<CloseReason>,
    /// What ended it, in words, where the reason does not say it.
    trouble: String,
    /// Bytes handed to the socket since it connected.
    written: u64,
    /// Bytes on the wire (with TLS more than `written`) at the last query of what is acknowledged.
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
    fn new(port: Port, tls: Option<Box<tls::Session>>, protocol: Protocol) -> Self {
        Self {
            port,
            tls,
            protocol,
            sending: None,
            sent: false,
            failed: None,
            trouble: String::new(),
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
        // Before `Sent`, which brings the next frame at once: the cache of a busy link would never be emptied.
        if let Some(acked) = self.newly_acknowledged(now) {
            return Ok(Some(LinkNews::Acked(acked)));
        }
        if std::mem::take(&mut self.sent) {
            return Ok(Some(LinkNews::Sent));
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
        if self.failed.is_none() && !self.is_over(cx) {
            return None;
        }
        let until = *self.unread_until.get_or_insert(now + UNREAD_FOR);
        if now < until {
            return None;
        }
        let lost = rustix::io::ioctl_fionread(&self.port).unwrap_or(0);
        let (lost_bytes, pause) = (Count(lost, "byte"), Span(UNREAD_FOR));
        self.trouble = format!("{lost_bytes} that it sent are lost, the DTE did not read for {pause}");
        // What was cut must not pass for whole: a body that ends with the connection would be taken as complete.
        let whole = lost == 0 && self.tls.is_none();
        Some(self.failed.unwrap_or(if whole { CloseReason::PeerClosed } else { CloseReason::Reset }))
    }

    fn read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Result<Option<LinkNews>, CloseReason> {
        let buf = if self.protocol == Protocol::Udp { buf } else { part(buf, STREAM_READ) };
        loop {
            let read = match &mut self.tls {
                None => self.port.poll_read(cx, buf),
                Some(tls) => tls.poll_read(&mut self.port, cx, buf),
            };
            match read {
                Poll::Pending => return Ok(None),
                Poll::Ready(Ok(0)) if self.protocol == Protocol::Tcp => return Err(CloseReason::PeerClosed),
                // An empty datagram is nothing to the device, but its turn is over: many must not keep others waiting.
                Poll::Ready(Ok(count)) => return Ok(Some(LinkNews::Data(count))),
                Poll::Ready(Err(error)) => self.judge(&error)?,
            }
        }
    }

    /// Sends what is left of the payload, unless the peer is known to be gone: such bytes would be lost.
    fn send(&mut self, now: Instant, cx: &mut Context<'_>) {
        if self.failed.is_some() || self.is_over(cx) {
            return;
        }
        while let Some(sending) = &mut self.sending {
            let (first, second) = sending.rest();
            let written = match &mut self.tls {
                None => self.port.poll_write(cx, first, second),
                Some(tls) => tls.poll_write(&mut self.port, cx, first, second),
            };
            match written {
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
                        self.failed = Some(self.tell_apart(reason, &error));
                        return;
                    }
                },
            }
        }
    }

    /// Whether the peer is known to send no more.
    fn is_over(&self, cx: &mut Context<'_>) -> bool {
        let said = self.tls.as_ref().is_some_and(|tls| tls.is_over());
        said || (self.protocol == Protocol::Tcp && self.port.peer_closed(cx))
    }

    fn say_goodbye(&mut self, cx: &mut Context<'_>) {
        if let Some(tls) = &mut self.tls {
            tls.say_goodbye(&mut self.port, cx);
        }
    }

    fn finish_if(&mut self, whole: bool) {
        if whole {
            self.sending = None;
            self.sent = true;
        }
    }

    fn judge(&mut self, error: &io::Error) -> Result<(), CloseReason> {
        judge(self.protocol, error).map_or(Ok(()), |reason| Err(self.tell_apart(reason, error)))
    }

    /// Keeps the words of an error whose reason is too wide to help anybody.
    fn tell_apart(&mut self, reason: CloseReason, error: &io::Error) -> CloseReason {
        if matches!(reason, CloseReason::Tls | CloseReason::Certificate | CloseReason::Os(_)) {
            self.trouble = tls::in_words(error);
        }
        reason
    }

    fn expect_acknowledgement(&mut self, now: Instant) {
        if self.protocol == Protocol::Tcp && self.acknowledgement_due.is_none() {
            self.acknowledgement_pause = FIRST_QUERY;
            self.acknowledgement_due = Some(now + FIRST_QUERY);
        }
    }

    fn newly_acknowledged(&mut self, now: Instant) -> Option<u64> {
        let due = self.acknowledgement_due?;
        if now < due && self.wire() - self.queried < QUERY_EVERY {
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

    /// Bytes written to the socket.
    fn wire(&self) -> u64 {
        self.tls.as_ref().map_or(self.written, |tls| tls.wire())
    }

    fn query(&mut self) -> bool {
        self.queried = self.wire();
        let Ok(unsent) = sys::unsent(&self.port) else { return false };
        let acked = self.queried.saturating_sub(unsent as u64);
        let acked = self.tls.as_mut().map_or(acked, |tls| tls.acknowledged(acked));
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
/// First and longest time between two queries while bytes are on their way. Each is a wake-up; what is freed later for
/// it is nothing but room in the cache, for a connection that ends is asked once more.
const FIRST_QUERY: Duration = Duration::from_millis(200);
const LONGEST_QUERY: Duration = Duration::from_millis(400);
/// The longest read of a stream: two writes of a pty, half the calls of one.
const STREAM_READ: usize = 8192;
/// How long a connection that is over waits for the DTE to take what it brought.
const UNREAD_FOR: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
