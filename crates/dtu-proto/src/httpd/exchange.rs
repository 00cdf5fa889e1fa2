//! One request and its answer.

use alloc::vec::Vec;

use crate::channel::Down;
use crate::event::LinkDownReason;
use crate::time::{Duration, Instant};
use crate::wire::http::{Answer, Fault, Step};

/// The host must get a request rid of within this time, or the server take some more of it.
const SEND_PATIENCE: Duration = Duration::from_secs(60);

/// A request that was given to the host.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) answer: Answer,
    /// Where the request begins and ends in the connection.
    begin: u64,
    end: u64,
    /// The connection had carried an answer before.
    reused: bool,
    /// The host has handed all of it to the socket.
    pub(super) sent: bool,
    /// A byte of the answer has come.
    begun: bool,
    /// Bytes of its body so far.
    pub(super) body: u64,
    pub(super) timeout: Duration,
    /// The head of the answer is not printed.
    filters: bool,
    /// The user lets the connection stand.
    may_go_on: bool,
    /// The last sign of life.
    alive_at: Instant,
    /// The device takes no bytes: the server cannot be blamed.
    held_up: bool,
}

/// What an exchange is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) reused: bool,
    pub(super) timeout: Duration,
    pub(super) filters: bool,
    pub(super) may_go_on: bool,
}

/// What bytes of the server meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// More must come. Whether the head has just become whole.
    More { head: bool },
    /// The answer is whole; so many bytes are left behind it.
    Whole { head: bool, left: usize },
    /// That is no answer.
    Bad(Fault),
}

impl Exchange {
    pub(super) fn new(terms: Terms, now: Instant) -> Self {
        let Terms { begin, end, reused, timeout, filters, may_go_on } = terms;
        Self {
            answer: Answer::new(),
            begin,
            end,
            reused,
            sent: false,
            begun: false,
            body: 0,
            timeout,
            filters,
            may_go_on,
            alive_at: now,
            held_up: false,
        }
    }

    /// The socket has all of it, or some more.
    pub(super) const fn progress(&mut self, sent: bool, now: Instant) {
        if sent || !self.sent {
            self.alive_at = now;
        }
        self.sent |= sent;
    }

    /// Bytes of the server. What goes to the serial line is added to `print`.
    pub(super) fn take(&mut self, mut data: &[u8], now: Instant, print: &mut Vec<u8>) -> Taken {
        self.alive_at = now;
        self.begun |= !data.is_empty();
        let mut head = false;
        loop {
            match self.answer.step(&mut data) {
                Ok(Step::More) => return Taken::More { head },
                Ok(Step::End) => return Taken::Whole { head, left: data.len() },
                Ok(Step::Head) => {
                    head = true;
                    if !self.filters {
                        print.extend_from_slice(self.answer.head());
                    }
                }
                Ok(Step::Body(bytes)) => {
                    self.body += bytes.len() as u64;
                    print.extend_from_slice(bytes);
                }
                Err(fault) => return Taken::Bad(fault),
            }
        }
    }

    /// Whether the device takes bytes; while it does not, no time passes.
    pub(super) const fn hold_up(&mut self, held_up: bool, now: Instant) {
        if self.held_up && !held_up {
            self.alive_at = now;
        }
        self.held_up = held_up;
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match (self.sent, self.held_up) {
            (false, _) => Some(self.alive_at + SEND_PATIENCE),
            (true, false) => Some(self.alive_at + self.timeout),
            (true, true) => None,
        }
    }

    /// Whether a byte of the answer has come.
    pub(super) const fn begun(&self) -> bool {
        self.begun
    }

    /// Whether the connection may carry the next request, now that the answer is whole.
    pub(super) fn lets_go_on(&self) -> bool {
        self.sent && self.may_go_on && self.answer.may_go_on()
    }

    /// Whether the server cannot have got the request: it never left whole, or it came too late for a connection that
    /// the server had closed already.
    pub(super) const fn may_be_repeated(&self, down: &Down) -> bool {
        let network = matches!(down.reason, LinkDownReason::Network(_));
        let unseen = if self.sent {
            network && self.reused && down.acked <= self.begin
        } else {
            down.acked < self.end
        };
        unseen && !self.begun
    }
}
