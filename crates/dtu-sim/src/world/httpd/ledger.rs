//! The ledger of the requests: what waits, what is on its way, what became of each frame.

use std::collections::VecDeque;
use std::rc::Rc;

use dtu_proto::event::{HttpdEvent, HttpdTrouble};
use dtu_proto::status::HttpdStatus;

use crate::http::{self, Request};
use crate::scenario::HttpStyle;

/// A frame of mode 3.
#[derive(Debug)]
struct QueuedFrame {
    number: u64,
    bytes: Rc<[u8]>,
    /// The socket had it once: the disk need not keep it.
    handed: bool,
}

/// The request that is under way.
#[derive(Debug)]
struct PendingRequest {
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
pub(in crate::world) struct HttpCounts {
    pub(in crate::world) given: u64,
    pub(in crate::world) given_bytes: u64,
    /// Exchanges that ended with a whole answer: of the kind 2xx, and others.
    pub(in crate::world) good: u64,
    pub(in crate::world) other: u64,
    /// Exchanges that ended without.
    pub(in crate::world) failed: u64,
    /// Requests that were sent again, for they could not have been heard.
    pub(in crate::world) again: u64,
}

#[derive(Debug, Default)]
pub(in crate::world) struct HttpLedger {
    frames: VecDeque<QueuedFrame>,
    pending: Option<PendingRequest>,
    /// The device has ended the connection of the one that is under way, by which nothing came back.
    ordered: bool,
    /// And its server has not acknowledged a byte of it: the device says whether that was for the silence.
    swallowed: Option<PendingRequest>,
    /// Bytes sent on this connection that are no whole request yet, and how many were before them.
    sending: Vec<u8>,
    sent_before: u64,
    requests: u64,
    /// The last answer of this connection does not let it go on.
    spent: bool,
    /// Passed over: they must be among the counted drops.
    skipped: u64,
    pub(in crate::world) dropped: u64,
    /// The last frame that the server has read.
    arrived: u64,
    arrivals: VecDeque<(u64, Request)>,
    pub(in crate::world) counts: HttpCounts,
}

impl HttpLedger {
    pub(in crate::world) fn give(&mut self, bytes: &Rc<[u8]>) {
        self.counts.given += 1;
        self.counts.given_bytes += bytes.len() as u64;
        self.frames.push_back(QueuedFrame {
            number: self.counts.given,
            bytes: Rc::clone(bytes),
            handed: false,
        });
    }

    pub(in crate::world) fn waiting(&self) -> usize {
        self.frames.len()
    }

    pub(super) fn connected(&mut self) {
        self.sending.clear();
        self.arrivals.clear();
        (self.sent_before, self.requests, self.spent) = (0, 0, false);
    }

    /// Bytes for the server.
    pub(super) fn send(
        &mut self,
        bytes: &[u8],
        style: &HttpStyle,
        read: u64,
    ) -> Result<(), String> {
        self.sending.extend_from_slice(bytes);
        let Some((request, len)) = http::take_request(&self.sending)? else {
            return Ok(());
        };
        if len < self.sending.len() {
            return Err("more than one request".to_owned());
        }
        if self.pending.is_some() {
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
        self.pending = Some(PendingRequest {
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

    pub(in crate::world) fn sent(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.sent = true;
            if let Some(frame) = self.frames.front_mut() {
                frame.handed = true;
            }
        }
    }

    /// The device has read the last byte of an answer.
    pub(super) fn answered(&mut self, status: u16, goes_on: bool) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        self.spent = !goes_on;
        if (200..300).contains(&status) {
            self.counts.good += 1
        } else {
            self.counts.other += 1
        }
        self.done(pending.number);
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
    pub(super) fn closing(&mut self, read: u64) {
        let kept = self
            .pending
            .as_ref()
            .filter(|it| it.sent && it.reused && read == it.read_before);
        self.ordered = kept.is_some();
        if !self.ordered {
            self.closed(u64::MAX, 0);
        }
    }

    /// The connection is over. What cannot have been heard waits again, all else is done with.
    pub(super) fn closed(&mut self, acked: u64, read: u64) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        if std::mem::take(&mut self.ordered) && acked <= pending.start {
            self.swallowed = Some(pending);
            return;
        }
        let silent = read == pending.read_before && acked <= pending.start;
        if !pending.sent || (pending.reused && silent) {
            self.counts.again += 1;
            if let Some(frame) = self.frames.front_mut() {
                frame.handed = false;
            }
        } else {
            self.counts.failed += 1;
            self.done(pending.number);
        }
    }

    /// What the device made of a request that a connection swallowed.
    pub(in crate::world) fn judge_swallowed(&mut self, event: &HttpdEvent) -> Result<(), String> {
        let (again, silence) = match event {
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
    pub(super) fn arrives(&mut self, request: &Request) -> Result<(), String> {
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
    pub(in crate::world) fn settled(&self) -> Result<(), String> {
        let left = self.frames.len() as u64 + self.skipped;
        if left > self.dropped {
            return Err(format!(
                "{left} frames were never sent, {} are counted as dropped",
                self.dropped
            ));
        }
        Ok(())
    }

    /// The device's counters against the ledger.
    pub(in crate::world) fn agrees(&self, status: &HttpdStatus) -> Result<(), String> {
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
    pub(in crate::world) fn crashed(&mut self, kept: &[Vec<u8>]) {
        *self = Self::default();
        for bytes in kept {
            self.give(&Rc::from(bytes.as_slice()));
        }
    }

    /// What waited must be on the disk; what may be on its way to the server must not be given back.
    pub(in crate::world) fn spool_holds(&self, kept: &[Vec<u8>]) -> Result<(), String> {
        let excused = self.dropped - self.skipped;
        let going = self.pending.as_ref().map(|pending| pending.number);
        let goes = |frame: &&QueuedFrame| frame.handed || Some(frame.number) == going;
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
