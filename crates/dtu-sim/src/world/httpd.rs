//! The HTTPD client (mode 3) against a server: the books of its requests, and the server itself.
//!
//! A request is judged when it is handed to the socket (right frame, right bytes, not sent before unless it may be)
//! and again when the server reads it (each frame at most once). What must be printed of an answer is known, for the
//! server wrote it.

use std::collections::VecDeque;
use std::rc::Rc;

use cellular_sim::Rng;
use dtu_proto::config::Protocol;
use dtu_proto::event::{CloseReason, Connect, HttpdEvent, HttpdTrouble, SocketId};

use dtu_proto::status::HttpdStatus;

use super::socket::{SocketEvent, State};
use super::{Rule, World};
use crate::http::{self, Answer, End, Request};
use crate::scenario::HttpStyle;
use crate::{MS, SEC};

/// A frame of mode 3.
#[derive(Debug)]
struct Frame {
    number: u64,
    bytes: Rc<[u8]>,
    /// The socket had it once: the disk need not keep it.
    handed: bool,
}

/// The request that is under way.
#[derive(Debug)]
struct UnderWay {
    number: u64,
    /// Where it begins in its connection.
    start: u64,
    /// The host has told that the socket has it.
    sent: bool,
    /// It is not the first of its connection.
    reused: bool,
    /// Bytes that the device had read on the connection before it.
    read_before: u64,
}

/// What became of the frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct HttpCounts {
    pub(super) given: u64,
    pub(super) given_bytes: u64,
    /// Exchanges that ended with a whole answer: of the kind 2xx, and others.
    pub(super) good: u64,
    pub(super) other: u64,
    /// Exchanges that ended without.
    pub(super) failed: u64,
    /// Requests that were sent again, for they could not have been heard.
    pub(super) again: u64,
}

#[derive(Debug, Default)]
pub(super) struct HttpBook {
    frames: VecDeque<Frame>,
    under_way: Option<UnderWay>,
    /// The device has ended the connection of the one that is under way, by which nothing came back.
    ordered: bool,
    /// And its server has not acknowledged a byte of it: the device says whether that was for the silence.
    swallowed: Option<UnderWay>,
    /// Bytes sent on this connection that are no whole request yet, and how many were before them.
    sending: Vec<u8>,
    sent_before: u64,
    requests: u64,
    /// The last answer of this connection does not let it go on.
    spent: bool,
    /// Passed over: they must be among the counted drops.
    skipped: u64,
    pub(super) dropped: u64,
    /// The last frame that the server has read.
    arrived: u64,
    arrivals: VecDeque<(u64, Request)>,
    pub(super) counts: HttpCounts,
}

impl HttpBook {
    pub(super) fn give(&mut self, bytes: &Rc<[u8]>) {
        self.counts.given += 1;
        self.counts.given_bytes += bytes.len() as u64;
        self.frames.push_back(Frame {
            number: self.counts.given,
            bytes: Rc::clone(bytes),
            handed: false,
        });
    }

    pub(super) fn waiting(&self) -> usize {
        self.frames.len()
    }

    fn connected(&mut self) {
        self.sending.clear();
        self.arrivals.clear();
        (self.sent_before, self.requests, self.spent) = (0, 0, false);
    }

    /// Bytes for the server.
    fn send(&mut self, bytes: &[u8], style: &HttpStyle, read: u64) -> Result<(), String> {
        self.sending.extend_from_slice(bytes);
        let Some((request, len)) = http::take_request(&self.sending)? else {
            return Ok(());
        };
        if len < self.sending.len() {
            return Err("more than one request".to_owned());
        }
        if self.under_way.is_some() {
            return Err("a request while the last one is not answered".to_owned());
        }
        if self.spent {
            return Err("a request on a connection that was not to go on".to_owned());
        }
        let number = self.find(&request, style)?;
        let start = self.sent_before;
        self.sent_before += len as u64;
        self.sending.clear();
        let reused = self.requests > 0;
        self.requests += 1;
        self.arrivals.push_back((number, request));
        self.under_way = Some(UnderWay {
            number,
            start,
            sent: false,
            reused,
            read_before: read,
        });
        Ok(())
    }

    /// The frame of a request: the next one, or a later one if those before it were dropped.
    fn find(&mut self, request: &Request, style: &HttpStyle) -> Result<u64, String> {
        let may_skip = usize::try_from(self.dropped - self.skipped).unwrap_or(usize::MAX);
        let at = self
            .frames
            .iter()
            .take(may_skip + 1)
            .position(|frame| is_of(request, &frame.bytes, style));
        let Some(at) = at else {
            let due = self
                .frames
                .front()
                .map(|frame| frame.bytes.escape_ascii().to_string());
            return Err(format!(
                "{request:?} is not what frame {due:?} makes, {may_skip} may be passed over"
            ));
        };
        self.skipped += at as u64;
        self.frames.drain(..at);
        Ok(self.frames[0].number)
    }

    pub(super) fn sent(&mut self) {
        if let Some(under_way) = &mut self.under_way {
            under_way.sent = true;
            if let Some(frame) = self.frames.front_mut() {
                frame.handed = true;
            }
        }
    }

    /// The device has read the last byte of an answer.
    fn answered(&mut self, status: u16, goes_on: bool) {
        let Some(under_way) = self.under_way.take() else {
            return;
        };
        self.spent = !goes_on;
        if (200..300).contains(&status) {
            self.counts.good += 1
        } else {
            self.counts.other += 1
        }
        self.done(under_way.number);
    }

    fn done(&mut self, number: u64) {
        if self
            .frames
            .front()
            .is_some_and(|frame| frame.number == number)
        {
            self.frames.pop_front();
        }
    }

    /// The device orders the end. Whatever it has sent is not sent again, unless the connection has swallowed it.
    fn closing(&mut self, read: u64) {
        let kept = self
            .under_way
            .as_ref()
            .filter(|it| it.sent && it.reused && read == it.read_before);
        self.ordered = kept.is_some();
        if !self.ordered {
            self.closed(u64::MAX, 0);
        }
    }

    /// The connection is over. What cannot have been heard waits again, all else is done with.
    fn closed(&mut self, acked: u64, read: u64) {
        let Some(under_way) = self.under_way.take() else {
            return;
        };
        if std::mem::take(&mut self.ordered) && acked <= under_way.start {
            self.swallowed = Some(under_way);
            return;
        }
        let silent = read == under_way.read_before && acked <= under_way.start;
        if !under_way.sent || (under_way.reused && silent) {
            self.counts.again += 1;
            if let Some(frame) = self.frames.front_mut() {
                frame.handed = false;
            }
        } else {
            self.counts.failed += 1;
            self.done(under_way.number);
        }
    }

    /// What the device made of a request that a connection swallowed.
    pub(super) fn told(&mut self, news: &HttpdEvent) -> Result<(), String> {
        let (again, silence) = match news {
            HttpdEvent::Repeated(_) => (true, false),
            HttpdEvent::Failed(trouble) => {
                (false, matches!(trouble, HttpdTrouble::NoAnswer { .. }))
            }
            HttpdEvent::Answered { .. }
            | HttpdEvent::Redirect { .. }
            | HttpdEvent::Cut { .. }
            | HttpdEvent::Stray { .. } => {
                return Ok(());
            }
        };
        let Some(swallowed) = self.swallowed.take() else {
            return Ok(());
        };
        if silence {
            return Err(
                "a request that a kept connection swallowed is not tried by another".to_owned(),
            );
        }
        if again {
            self.counts.again += 1;
            self.frames
                .front_mut()
                .into_iter()
                .for_each(|frame| frame.handed = false);
        } else {
            self.counts.failed += 1;
            self.done(swallowed.number);
        }
        Ok(())
    }

    /// The server has read a whole request.
    fn arrives(&mut self, request: &Request) -> Result<(), String> {
        let Some((number, sent)) = self.arrivals.pop_front() else {
            return Err("a request that nobody sent".to_owned());
        };
        if sent != *request {
            return Err("a request is not what was sent".to_owned());
        }
        if number <= self.arrived {
            return Err(format!(
                "frame {number} comes to the server again, or behind frame {}",
                self.arrived
            ));
        }
        self.arrived = number;
        Ok(())
    }

    /// Everything has drained: what never left was dropped.
    pub(super) fn settled(&self) -> Result<(), String> {
        let left = self.frames.len() as u64 + self.skipped;
        if left > self.dropped {
            return Err(format!(
                "{left} frames were never sent, {} are counted as dropped",
                self.dropped
            ));
        }
        Ok(())
    }

    /// The device's counters against the books.
    pub(super) fn agrees(&self, status: &HttpdStatus) -> Result<(), String> {
        let of = &status.counters;
        let counts = &self.counts;
        let is = [
            of.frames_in,
            of.bytes_in,
            of.answered,
            of.answered_other,
            of.failed + of.timed_out,
            of.retried,
        ];
        let should = [
            counts.given,
            counts.given_bytes,
            counts.good,
            counts.other,
            counts.failed,
            counts.again,
        ];
        let done = of.answered + of.answered_other + of.failed + of.timed_out;
        let waiting = status.waiting_frames as u64;
        if is != should || of.dropped_frames != self.dropped {
            let names = "frames, bytes, answered, others, failed, again";
            return Err(format!(
                "the device counts {names} {is:?}, the world {should:?}: {of:?}"
            ));
        }
        if of.frames_in != done + of.dropped_frames + waiting {
            return Err(format!("in is not done + dropped + waiting: {status:?}"));
        }
        Ok(())
    }

    /// The device object is gone. `kept`: what the host will restore.
    pub(super) fn crashed(&mut self, kept: &[Vec<u8>]) {
        *self = Self::default();
        for bytes in kept {
            self.give(&Rc::from(bytes.as_slice()));
        }
    }

    /// What waited must be on the disk; what may be on its way to the server must not be given back.
    pub(super) fn spool_holds(&self, kept: &[Vec<u8>]) -> Result<(), String> {
        let excused = self.dropped - self.skipped;
        let going = self.under_way.as_ref().map(|under_way| under_way.number);
        let goes = |frame: &&Frame| frame.handed || Some(frame.number) == going;
        // Short frames may look like others.
        let long = self
            .frames
            .iter()
            .filter(goes)
            .filter(|frame| frame.bytes.len() >= TELLING);
        if let Some(frame) = long
            .into_iter()
            .find(|frame| kept.iter().any(|bytes| bytes[..] == frame.bytes[..]))
        {
            let text = frame.bytes.escape_ascii();
            return Err(format!(
                "\"{text}\" may have reached the server, and would be sent again"
            ));
        }
        let lost = self.frames.iter().filter(|frame| !goes(frame));
        let lost = lost
            .filter(|frame| !kept.iter().any(|bytes| bytes[..] == frame.bytes[..]))
            .count();
        if lost as u64 > excused {
            Err(format!("{lost} frames for the server are not on the spool"))
        } else {
            Ok(())
        }
    }
}

/// Bytes that no two frames have in common by chance.
const TELLING: usize = 12;

/// Whether this is the request that decisions 9 makes of a frame.
fn is_of(request: &Request, frame: &[u8], style: &HttpStyle) -> bool {
    let url = style.url.1.as_bytes();
    let (method, query, body): (_, &[u8], &[u8]) = if style.post {
        ("POST", b"", frame)
    } else {
        ("GET", frame, b"")
    };
    let mut head: Vec<String> = style
        .head
        .1
        .iter()
        .map(|line| with_length(line, body.len()))
        .collect();
    let has = |head: &[String], name: &str| {
        head.iter().any(|line| {
            line.split(':')
                .next()
                .is_some_and(|found| found.eq_ignore_ascii_case(name))
        })
    };
    if !has(&head, "host") {
        let usual = if style.tls { 443 } else { 80 };
        let port = if style.port == usual {
            String::new()
        } else {
            format!(":{}", style.port)
        };
        head.push(format!("Host: {}{port}", style.host));
    }
    if style.post && !has(&head, "content-length") {
        head.push(format!("Content-Length: {}", body.len()));
    }
    if !has(&head, "connection") {
        head.push("Connection: keep-alive".to_owned());
    }
    request.method == method
        && request.target == http::target_of(url, query)
        && request.body == body
        && request.head.len() == head.len()
        && request
            .head
            .iter()
            .zip(&head)
            .all(|(is, should)| is == should.as_bytes())
}

/// A length that the user typed carries the true one.
fn with_length(line: &str, length: usize) -> String {
    if line.starts_with("Content-Length") {
        format!("Content-Length: {length}")
    } else {
        line.to_owned()
    }
}

/// The server's side.
#[derive(Debug, Default)]
pub(super) struct Server {
    inbox: Vec<u8>,
    plan: VecDeque<http::Piece>,
    end: Option<(End, u16)>,
}

impl World {
    pub(super) fn http_may_connect(&self, connect: &Connect) -> Result<(), String> {
        let style = &self.scenario.modes.http;
        let set = (Protocol::Tcp, style.host.as_str(), style.port, 0, style.tls);
        let is = (
            connect.protocol,
            connect.address.as_str(),
            connect.port,
            connect.local_port,
            connect.tls,
        );
        if is != set {
            return Err(format!(
                "the HTTPD client connects to {is:?}, set is {set:?}"
            ));
        }
        if self.books.http.waiting() == 0 {
            return Err("the HTTPD client connects though nothing waits".to_owned());
        }
        Ok(())
    }

    pub(super) fn http_connected(&mut self) {
        self.books.http.connected();
        self.server = Server::default();
    }

    pub(super) fn http_send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let read = self.sockets[SocketId::Httpd.index()].read;
        self.books.http.send(bytes, &self.scenario.modes.http, read)
    }

    /// Bytes come to the server. It answers one request at a time.
    pub(super) fn http_receives(&mut self, bytes: &[u8]) {
        if self.sockets[SocketId::Httpd.index()].is_closed {
            return;
        }
        self.server.inbox.extend_from_slice(bytes);
        let taken = match http::take_request(&self.server.inbox) {
            Ok(None) => return,
            Ok(Some(taken)) => taken,
            Err(text) => {
                return self
                    .break_rule(Rule::Requests, format!("the server cannot read it: {text}"));
            }
        };
        let (request, len) = taken;
        self.server.inbox.drain(..len);
        let arrived = self.books.http.arrives(&request);
        self.hold(Rule::Requests, arrived);
        self.sum.requests += 1;
        self.server_thinks(&request);
    }

    fn server_thinks(&mut self, request: &Request) {
        let style = self.scenario.modes.http.clone();
        let socket = &mut self.sockets[SocketId::Httpd.index()];
        let length = socket.rng.size(0, style.body_max);
        let body = body(&mut self.said, length);
        let Answer {
            pieces,
            end,
            status,
        } = http::draw_answer(
            &mut socket.rng,
            &body,
            style.filter,
            request.closes(),
            style.faults,
        );
        self.server.plan = pieces.into();
        self.server.end = Some((end, status));
        self.server_goes_on();
    }

    fn server_goes_on(&mut self) {
        let think = self.scenario.modes.http.think;
        let wait = self.sockets[SocketId::Httpd.index()]
            .rng
            .range(1, think.max(2));
        self.socket_after(SocketId::Httpd, wait, SocketEvent::Peer);
    }

    /// The next piece of an answer, or its end, or the end of a connection that is idle.
    pub(super) fn server_acts(&mut self) {
        let socket = &mut self.sockets[SocketId::Httpd.index()];
        if socket.state != State::Up || socket.is_closed {
            return;
        }
        let at_once = socket.rng.chance(60);
        while let Some(piece) = self.server.plan.pop_front() {
            socket.queue(piece.bytes, piece.print, false);
            if !at_once && !self.server.plan.is_empty() {
                self.plan_socket_read(SocketId::Httpd);
                return self.server_goes_on();
            }
        }
        self.server_ends();
        self.plan_socket_read(SocketId::Httpd);
    }

    fn server_ends(&mut self) {
        let socket = &mut self.sockets[SocketId::Httpd.index()];
        let impatience = self.scenario.modes.http.impatience;
        let wait = socket.rng.range(1, 50) * MS;
        match self.server.end.map(|(end, _)| end) {
            Some(End::Close | End::AtClose | End::Cut) => socket.is_closed = true,
            Some(End::Reset) => {
                self.socket_after(SocketId::Httpd, wait, SocketEvent::Down(CloseReason::Reset));
            }
            Some(End::Silent | End::Broken) => {}
            Some(End::Keep) | None if socket.rng.chance(impatience) => {
                let wait = socket.rng.wait(10 * SEC);
                self.socket_after(SocketId::Httpd, wait, SocketEvent::HangUp);
            }
            Some(End::Keep) | None => {}
        }
    }

    /// Whether the server may close: it is not amid an answer.
    pub(super) const fn server_is_idle(&self) -> bool {
        self.server.end.is_none()
    }

    /// The device has the next bytes of an answer. Before it sees them.
    pub(super) fn http_read(&mut self) {
        let socket = &self.sockets[SocketId::Httpd.index()];
        let all = socket.inbound_bytes == 0 && self.server.plan.is_empty();
        let Some((end, status)) = self.server.end.filter(|_| all) else {
            return;
        };
        if matches!(end, End::Keep | End::Close) {
            self.server.end = None;
            self.sum.answers += 1;
            self.ways[SocketId::Httpd.index()].succeeds();
            self.books.http.answered(status, end == End::Keep);
        }
    }

    /// The device orders the end.
    pub(super) fn http_closing(&mut self) {
        self.server.end = None;
        let read = self.sockets[SocketId::Httpd.index()].read;
        self.books.http.closing(read);
    }

    pub(super) fn http_closed(&mut self, acked: u64, reason: CloseReason) {
        let read = self.sockets[SocketId::Httpd.index()].read;
        let all =
            self.sockets[SocketId::Httpd.index()].inbound_bytes == 0 && self.server.plan.is_empty();
        if let Some((End::AtClose, status)) = self.server.end
            && all
            && reason == CloseReason::PeerClosed
        {
            self.sum.answers += 1;
            self.ways[SocketId::Httpd.index()].succeeds();
            self.books.http.answered(status, false);
        }
        self.server.end = None;
        self.books.http.closed(acked, read);
    }
}

/// The next bytes of all bodies.
pub(super) fn body(position: &mut u64, len: usize) -> Vec<u8> {
    (0..len)
        .map(|_| {
            *position += 1;
            0x80 | Rng::new(*position).word().to_le_bytes()[2]
        })
        .collect()
}
