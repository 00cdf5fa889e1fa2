//! One socket, of a link or of a working mode: carries out `SocketOutput`, reports `SocketInput`.
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
use dtu_proto::event::{
    CloseReason, Connect, Input, Lost, Payload, SocketId, SocketInput, SocketOutput,
};
use dtu_proto::time::Instant;
use tracing::debug;

use crate::connect::{self, Attempt, Established, Route};
use crate::port::{Port, part};
use crate::serial::{Line, Progress};
use crate::sys;
use crate::tls;
use crate::words::{Count, Span};

mod drops;
mod name;

use drops::{Drops, waiting_datagrams};
use name::Name;

/// What a socket has to tell; `SocketInput` without its borrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SocketEvent {
    Connected {
        local: SocketAddr,
    },
    /// So many bytes are in the buffer that was lent.
    Data(usize),
    Sent,
    Acked(u64),
    /// So many bytes were never read, and are lost.
    Unread(u64),
    /// So many datagrams found no room in the socket.
    Datagrams(u64),
    Closed {
        reason: CloseReason,
        acked: u64,
    },
}

impl SocketEvent {
    /// As the device takes it from this socket; `buf` is what was lent.
    pub(crate) fn input(self, of: SocketId, buf: &[u8]) -> Input<'_> {
        let news = match self {
            Self::Unread(count) => return Input::Lost(Lost::Unread(of, count)),
            Self::Datagrams(count) => return Input::Lost(Lost::Datagrams(of, count)),
            Self::Connected { local } => SocketInput::Connected { local },
            Self::Data(count) => SocketInput::Data(buf.get(..count).unwrap_or_default()),
            Self::Sent => SocketInput::Sent,
            Self::Acked(total) => SocketInput::Acked(total),
            Self::Closed { reason, acked } => SocketInput::Closed { reason, acked },
        };
        Input::Socket(of, news)
    }
}

#[derive(Default)]
pub(crate) struct Socket {
    route: Route,
    state: State,
    /// The socket had all of a `Send` when the connection ended: that is told first.
    sent: bool,
    /// What it never read of the peer is told next.
    unread: Option<SocketEvent>,
    /// The answer to a `Close`, or the end of a connection, that is still to be told.
    closed: Option<SocketEvent>,
    /// What the peer had not acknowledged when the connection was closed does not reach it later.
    is_at_most_once: bool,
    contact: Contact,
}

/// What the log says of a socket beside its state.
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
    Connecting(Attempt, Box<Connect>),
    Up(Box<Connection>),
}

impl Socket {
    /// A socket that uses only `interface`, where one is named.
    pub(crate) fn new(interface: Option<String>, tls: tls::Client) -> Self {
        Self {
            route: Route {
                interface,
                tls,
                ..Route::default()
            },
            ..Self::default()
        }
    }

    /// For a mode whose bytes must not arrive behind its back: it may have sent them by another connection since.
    pub(crate) const fn at_most_once(mut self) -> Self {
        self.is_at_most_once = true;
        self
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

    /// Whether a send is done that was not told yet.
    pub(crate) const fn has_sent(&self) -> bool {
        matches!(&self.state, State::Up(connection) if connection.sent)
    }

    /// What the log says of it.
    pub(crate) const fn contact(&self) -> &Contact {
        &self.contact
    }

    /// How long the peer of a TCP connection takes to acknowledge.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        match &self.state {
            State::Up(connection) if connection.protocol == Protocol::Tcp => {
                sys::round_trip(&connection.port)
            }
            State::Idle | State::Connecting(..) | State::Up(_) => None,
        }
    }

    /// Carries out an order. Writes at once what the socket takes.
    pub(crate) fn order(&mut self, order: SocketOutput, now: Instant, cx: &mut Context<'_>) {
        match order {
            SocketOutput::Connect(target) => {
                let attempt = Box::pin(connect::connect(target.clone(), self.route.clone()));
                self.state = State::Connecting(attempt, Box::new(target));
            }
            SocketOutput::Send(payload) => {
                if let State::Up(connection) = &mut self.state {
                    connection.start_sending(payload, now, cx);
                }
            }
            SocketOutput::Close => {
                if let State::Up(connection) = &mut self.state {
                    connection.close_notify(cx);
                    if self.is_at_most_once {
                        connection.take_back();
                    }
                }
                self.end(CloseReason::Local);
            }
        }
    }

    /// The next news, if any. Reads only where `wanted`; where it is not, `line` is what must take bytes first.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        wanted: bool,
        line: &dyn Line,
        buf: &mut [u8],
    ) -> Option<SocketEvent> {
        if let Some(news) = self.pending_close() {
            return Some(news);
        }
        match &mut self.state {
            State::Idle => None,
            State::Connecting(attempt, target) => match attempt.as_mut().poll(cx) {
                Poll::Pending => None,
                Poll::Ready(Ok(established)) => {
                    let target = (**target).clone();
                    Some(self.begin(established, target, now))
                }
                Poll::Ready(Err(failure)) => {
                    self.contact.trouble = failure.text;
                    self.end(failure.reason);
                    self.pending_close()
                }
            },
            State::Up(connection) => match connection.poll(cx, now, wanted, line, buf) {
                Ok(news) => {
                    if let (Some(SocketEvent::Connected { .. }), Some(name)) =
                        (news, &connection.name)
                    {
                        self.contact.peer = Some(name.peer());
                    }
                    news
                }
                Err(reason) => {
                    self.contact.trouble = std::mem::take(&mut connection.trouble);
                    self.end(reason);
                    self.pending_close()
                }
            },
        }
    }

    /// When `poll` has something to do without any news of the socket.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Up(connection) => connection.deadline(),
            State::Idle | State::Connecting(..) => None,
        }
    }

    fn begin(&mut self, established: Established, target: Connect, now: Instant) -> SocketEvent {
        let Established {
            port,
            session,
            local,
            peer,
        } = established;
        self.contact = Contact {
            peer: Some(peer),
            trouble: String::new(),
        };
        let mut connection = Connection::new(port, session, target.protocol);
        if target.protocol == Protocol::Udp {
            connection.name = Name::new(target, self.route.clone(), peer, now).map(Box::new);
        }
        self.state = State::Up(Box::new(connection));
        SocketEvent::Connected { local }
    }

    /// What is still to be told of a connection that is over.
    fn pending_close(&mut self) -> Option<SocketEvent> {
        if std::mem::take(&mut self.sent) {
            return Some(SocketEvent::Sent);
        }
        self.unread.take().or_else(|| self.closed.take())
    }

    fn end(&mut self, reason: CloseReason) {
        let acked = match std::mem::take(&mut self.state) {
            State::Up(mut connection) => {
                self.sent = connection.sent;
                self.unread = connection.never_read();
                connection.last_acknowledged()
            }
            State::Idle | State::Connecting(..) => 0,
        };
        self.closed = Some(SocketEvent::Closed { reason, acked });
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
    /// The connection is over, but not all is read.
    unread: Option<Unread>,
    drops: Drops,
    /// UDP, where a name was given.
    name: Option<Box<Name>>,
}

/// What the peer said before it went waits for the line. The clock runs from the last byte that the line took
/// (decisions 16.4), never from the first that waits.
#[derive(Clone, Copy)]
struct Unread {
    until: Instant,
    /// How far the line had come when the clock began.
    seen: Progress,
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
        let second = body
            .get(self.done.saturating_sub(prefix.len())..)
            .unwrap_or_default();
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
            unread: None,
            drops: Drops::default(),
            name: None,
        }
    }

    fn start_sending(&mut self, payload: Payload, now: Instant, cx: &mut Context<'_>) {
        self.sending = Some(Sending {
            payload,
            done: 0,
            refused: false,
        });
        self.send(now, cx);
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        wanted: bool,
        line: &dyn Line,
        buf: &mut [u8],
    ) -> Result<Option<SocketEvent>, CloseReason> {
        if self.sending.is_some() {
            self.send(now, cx);
        }
        // Before `Sent`, which brings the next frame at once: the cache of a busy link would never be emptied.
        if let Some(acked) = self.newly_acknowledged(now) {
            return Ok(Some(SocketEvent::Acked(acked)));
        }
        if std::mem::take(&mut self.sent) {
            return Ok(Some(SocketEvent::Sent));
        }
        let news = if wanted {
            self.read_peer(cx, now, buf)?
        } else {
            self.pause_reading(cx, now, line)?
        };
        Ok(news.or_else(|| self.move_on(cx, now)))
    }

    /// What the peer says, up to its end.
    fn read_peer(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        buf: &mut [u8],
    ) -> Result<Option<SocketEvent>, CloseReason> {
        self.unread = None;
        // What the peer said before it went is read before a failed write ends the connection.
        match self.read(cx, buf)? {
            Some(news) => {
                self.drops.look = true;
                self.name.iter_mut().for_each(|name| name.on_data());
                Ok(Some(news))
            }
            None if self.drops.look || self.drops.is_due(now) => Ok(self.dropped_datagrams(now)),
            None => self.failed.map_or(Ok(None), Err),
        }
    }

    /// The line takes nothing: neither does this.
    fn pause_reading(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        line: &dyn Line,
    ) -> Result<Option<SocketEvent>, CloseReason> {
        match self.dropped_datagrams(now) {
            None => self.give_up_unread(cx, now, line).map_or(Ok(None), Err),
            news => Ok(news),
        }
    }

    /// The peer's name has another address by now: what comes next goes there, by a socket of its own.
    fn move_on(&mut self, cx: &mut Context<'_>, now: Instant) -> Option<SocketEvent> {
        let established = self.name.as_mut()?.poll(cx, now)?;
        let unread = self.drops.newly(&self.port) + waiting_datagrams(&self.port);
        self.port = established.port;
        self.drops.moved(unread, now);
        Some(SocketEvent::Connected {
            local: established.local,
        })
    }

    fn deadline(&self) -> Option<Instant> {
        let unread = self.unread.map(|unread| unread.until);
        let name = self.name.as_ref().and_then(|name| name.deadline());
        [self.acknowledgement_due, unread, self.drops.due, name]
            .into_iter()
            .flatten()
            .min()
    }

    /// Datagrams that the kernel had no room for since this was last told, at most once a second.
    fn dropped_datagrams(&mut self, now: Instant) -> Option<SocketEvent> {
        if self.protocol != Protocol::Udp {
            return None;
        }
        let count = self.drops.count(&self.port, now)?;
        Some(SocketEvent::Datagrams(count))
    }

    /// While the line takes nothing, a connection that is over ends at last without what the peer said: the other
    /// direction must not stand still for ever.
    fn give_up_unread(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        line: &dyn Line,
    ) -> Option<CloseReason> {
        if self.failed.is_none() && !self.is_over(cx) {
            return None;
        }
        if self.unread.is_some_and(|unread| now < unread.until) {
            return None;
        }
        let seen = line.progress();
        if self.unread.is_none_or(|unread| unread.seen != seen) {
            self.unread = Some(Unread {
                until: now + line.patience(),
                seen,
            });
            return None;
        }
        let (lost, pause) = (Count(self.waits(), "byte"), Span(line.patience()));
        self.trouble =
            format!("{lost} that it sent are lost, the serial line took nothing for {pause}");
        // What was cut must not pass for whole: a body that ends with the connection would be taken as complete.
        let whole = self.waits() == 0 && self.tls.is_none();
        Some(self.failed.unwrap_or(if whole {
            CloseReason::PeerClosed
        } else {
            CloseReason::Reset
        }))
    }

    /// Bytes that can be read; with TLS as they came over the wire.
    fn waits(&self) -> u64 {
        rustix::io::ioctl_fionread(&self.port).unwrap_or(0)
    }

    /// What a connection that ends leaves unread.
    fn never_read(&mut self) -> Option<SocketEvent> {
        match self.protocol {
            // What waits there may be no more than TLS's own.
            Protocol::Tcp if self.tls.is_some() && self.unread.is_none() => None,
            Protocol::Tcp => Some(self.waits())
                .filter(|count| *count > 0)
                .map(SocketEvent::Unread),
            Protocol::Udp => {
                let count = self.drops.newly(&self.port) + waiting_datagrams(&self.port);
                (count > 0).then_some(SocketEvent::Datagrams(count))
            }
        }
    }

    fn read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Result<Option<SocketEvent>, CloseReason> {
        let buf = if self.protocol == Protocol::Udp {
            buf
        } else {
            part(buf, STREAM_READ)
        };
        loop {
            let read = match &mut self.tls {
                None => self.port.poll_read(cx, buf),
                Some(tls) => tls.poll_read(&mut self.port, cx, buf),
            };
            match read {
                Poll::Pending => return Ok(None),
                Poll::Ready(Ok(0)) if self.protocol == Protocol::Tcp => {
                    return Err(CloseReason::PeerClosed);
                }
                // An empty datagram is nothing to the device, but its turn is over: many must not keep others waiting.
                Poll::Ready(Ok(count)) => return Ok(Some(SocketEvent::Data(count))),
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
                    let whole =
                        self.protocol == Protocol::Udp || sending.done >= sending.payload.len();
                    self.finish_if(whole);
                    self.expect_acknowledgement(now);
                }
                Poll::Ready(Err(error)) => {
                    // The error of an earlier datagram, at first: this one did not go yet.
                    let again = std::mem::replace(&mut sending.refused, true);
                    match self.judge(&error) {
                        Ok(()) => self.finish_if(again),
                        Err(reason) => {
                            self.failed = Some(reason);
                            return;
                        }
                    }
                }
            }
        }
    }

    /// Whether the peer is known to send no more.
    fn is_over(&self, cx: &mut Context<'_>) -> bool {
        let said = self.tls.as_ref().is_some_and(|tls| tls.is_over());
        said || (self.protocol == Protocol::Tcp && self.port.peer_closed(cx))
    }

    fn close_notify(&mut self, cx: &mut Context<'_>) {
        if let Some(tls) = &mut self.tls {
            tls.close_notify(&mut self.port, cx);
        }
    }

    /// The kernel would go on sending what nobody has acknowledged, for minutes.
    fn take_back(&mut self) {
        if self.protocol == Protocol::Tcp && self.last_acknowledged() < self.written {
            let _ = self.port.abort_when_closed();
        }
    }

    fn finish_if(&mut self, whole: bool) {
        if whole {
            self.sending = None;
            self.sent = true;
        }
    }

    fn judge(&mut self, error: &io::Error) -> Result<(), CloseReason> {
        if let Some(name) = self
            .name
            .as_mut()
            .filter(|_| error.kind() == io::ErrorKind::ConnectionRefused)
        {
            name.refused();
        }
        judge(self.protocol, error).map_or(Ok(()), |reason| Err(self.refine_reason(reason, error)))
    }

    /// Keeps the words of an error whose reason is too wide to help anybody.
    fn refine_reason(&mut self, reason: CloseReason, error: &io::Error) -> CloseReason {
        if matches!(
            reason,
            CloseReason::Tls | CloseReason::Certificate | CloseReason::Os(_)
        ) {
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
        let Ok(unsent) = sys::unsent(&self.port) else {
            return false;
        };
        let acked = self.queried.saturating_sub(unsent as u64);
        let acked = self
            .tls
            .as_mut()
            .map_or(acked, |tls| tls.acknowledged(acked));
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

/// Why the connection ends; `None` where it need not.
fn judge(protocol: Protocol, error: &io::Error) -> Option<CloseReason> {
    let reason = connect::reason(error);
    if protocol == Protocol::Udp
        && matches!(
            reason,
            CloseReason::Refused | CloseReason::Os(libc::EMSGSIZE)
        )
    {
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

#[cfg(test)]
mod tests;
