//! The escape from the working mode into the command state (manual 2.8.2, decisions 4).
//!
//! ```text
//! DTE     |> 200 ms| + |< gap| + |< gap| + | 20 ms |         | a | 20 ms |
//! device                                          a  (≤ 3 s)            \r\n+ok\r\n
//! ```
//! The gap is 50 ms, as programs send it, unless the settings say otherwise: fingers take longer.
//!
//! Every byte that might belong to the handshake is held with its time of arrival. Whatever does not complete
//! it gives the held bytes back, so they join the frame that they belong to as if they had never been held.

use bytes::Bytes;

use super::{Line, LineState};
use crate::cx::Cx;
use crate::line::port::Purpose;
use crate::time::{Duration, Instant};

/// Silence before the first `+` must be longer than this (T1).
const GUARD: Duration = Duration::from_millis(200);
/// Silence behind the third `+`, and behind the DTE's `a`.
const SETTLE: Duration = Duration::from_millis(20);
/// The DTE's `a` must come this soon after the device's (T5).
const ANSWER: Duration = Duration::from_secs(3);
/// The device's `a` may wait this long behind other bytes for a slow DTE.
const OFFER: Duration = Duration::from_secs(600);
/// `+++`, CR, LF, `a`, CR, LF.
const HELD_MAX: usize = 8;

/// Whether this is `+++` alone, with one CR and one LF at most.
pub(crate) fn is_escape(frame: &[u8]) -> bool {
    let end = frame.strip_prefix(b"+++");
    matches!(end, Some(b"" | b"\r" | b"\n" | b"\r\n" | b"\n\r"))
}

/// Bytes held back, each with its time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Held {
    bytes: [u8; HELD_MAX],
    times: [Instant; HELD_MAX],
    len: u8,
}

impl Held {
    fn push(&mut self, byte: u8, at: Instant) {
        let index = self.len();
        if let (Some(slot), Some(time)) = (self.bytes.get_mut(index), self.times.get_mut(index)) {
            (*slot, *time) = (byte, at);
            self.len += 1;
        }
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.len)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The oldest bytes, as many as came in one read, and when that was.
    pub(crate) fn first_read(&self) -> (&[u8], Instant) {
        let at = self.times[0];
        let times = &self.times[..self.len()];
        let len = times.iter().take_while(|time| **time == at).count();
        (&self.bytes[..len], at)
    }

    /// Lets go of the oldest bytes.
    pub(crate) fn consume(&mut self, len: usize) {
        let len = len.min(self.len());
        self.bytes.copy_within(len.., 0);
        self.times.copy_within(len.., 0);
        self.len -= u8::try_from(len).unwrap_or(self.len);
    }

    /// Keeps the oldest bytes only.
    fn truncate(&mut self, len: usize) {
        self.len = u8::try_from(len).map_or(self.len, |len| self.len.min(len));
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }

    /// `+++` and nothing else.
    pub(crate) fn is_an_escape(&self) -> bool {
        self.bytes() == b"+++"
    }
}

/// What became of a read.
#[derive(Debug)]
pub(crate) enum FeedResult {
    /// All of it is held. `released` bytes of an earlier attempt are data now.
    Held { released: Held },
    /// All of it is data, behind the `released` bytes.
    Data { released: Held },
    /// All of it is data, and nothing was held: what nearly every read is.
    Plain,
}

/// What a deadline brings.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Write `a` to the DTE and report it with [`EscapeDetector::offer_written`].
    Offer,
    /// The handshake is complete; so many bytes of it are used up.
    Complete { used: usize },
    /// The held bytes are data.
    Released(Held),
}

/// The state of the handshake.
#[derive(Clone, Debug)]
pub(crate) struct EscapeDetector {
    /// The gaps inside `+++` must be shorter than this (T2, T3).
    gap: Duration,
    state: State,
    held: Held,
    last_byte: Option<Instant>,
    /// `a`s on their way to the DTE; only the last one counts.
    offers: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Data.
    Idle,
    /// One or two `+`.
    Pluses { count: u8, until: Instant },
    /// Three `+`: nothing may follow but one CR and/or LF.
    Settling { line_end: LineEnd, until: Instant },
    /// `a` is on its way to the DTE or there.
    Offered {
        line_end: LineEnd,
        written: bool,
        until: Instant,
    },
    /// The DTE's `a` is here: nothing may follow but one CR and/or LF.
    Answered { line_end: LineEnd, until: Instant },
}

/// Which of CR and LF were seen; each is tolerated once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct LineEnd {
    cr: bool,
    lf: bool,
}

impl LineEnd {
    /// Takes a CR or LF in, if it is the first of its kind.
    const fn with(self, byte: u8) -> Option<Self> {
        match byte {
            b'\r' if !self.cr => Some(Self { cr: true, ..self }),
            b'\n' if !self.lf => Some(Self { lf: true, ..self }),
            _ => None,
        }
    }
}

impl EscapeDetector {
    pub(crate) fn new(gap: Duration) -> Self {
        Self {
            gap,
            state: State::Idle,
            held: Held::default(),
            last_byte: None,
            offers: 0,
        }
    }

    /// Looks at one read of the working mode. Either all of it is held or all of it is data: inside one read
    /// there is no silence, so a handshake can only begin with its first byte.
    pub(crate) fn feed(&mut self, data: &[u8], at: Instant) -> FeedResult {
        if self.state == State::Idle && data.first().is_some_and(|byte| *byte != b'+') {
            self.last_byte = Some(at);
            return FeedResult::Plain;
        }
        let before = self.held.len();
        for (index, &byte) in data.iter().enumerate() {
            if self.takes(byte, at) {
                continue;
            }
            let mut released = self.reset();
            let fresh_start = index == 0 && self.begins(byte, at);
            if !fresh_start {
                released.truncate(before);
                self.last_byte = Some(at);
                return FeedResult::Data { released };
            }
            if before > 0 {
                return self.feed_fresh(released, &data[1..], at);
            }
        }
        if !data.is_empty() {
            self.last_byte = Some(at);
        }
        FeedResult::Held {
            released: Held::default(),
        }
    }

    /// The rest of a read whose first byte ended one attempt and began the next.
    fn feed_fresh(&mut self, released: Held, rest: &[u8], at: Instant) -> FeedResult {
        self.last_byte = Some(at);
        if rest.iter().all(|&byte| self.takes(byte, at)) {
            return FeedResult::Held { released };
        }
        self.reset();
        FeedResult::Data { released }
    }

    /// Notes bytes that were no data (commands), for the silence before the next escape.
    pub(crate) const fn note_byte(&mut self, at: Instant) {
        self.last_byte = Some(at);
    }

    /// Whether what comes now comes behind the silence of an escape.
    pub(crate) fn is_behind_guard(&self, at: Instant) -> bool {
        // mutant: guard-time
        self.last_byte.is_none_or(|last| at.since(last) > GUARD)
    }

    /// The device's `a` is out.
    pub(crate) fn offer_written(&mut self, now: Instant) {
        self.offers = self.offers.saturating_sub(1);
        if let State::Offered { written, until, .. } = &mut self.state
            && !*written
            && self.offers == 0
        {
            *written = true;
            *until = now + ANSWER;
        }
    }

    pub(crate) const fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Idle => None,
            State::Pluses { until, .. }
            | State::Settling { until, .. }
            | State::Offered { until, .. }
            | State::Answered { until, .. } => Some(until),
        }
    }

    /// The deadline has come.
    pub(crate) fn fire(&mut self, at: Instant) -> Outcome {
        match self.state {
            State::Settling { line_end, .. } => {
                self.state = State::Offered {
                    line_end,
                    written: false,
                    until: at + OFFER,
                };
                self.offers += 1;
                Outcome::Offer
            }
            State::Answered { .. } => Outcome::Complete {
                used: self.reset().len(),
            },
            // mutant: escape-fails
            State::Idle | State::Pluses { .. } | State::Offered { .. } => {
                Outcome::Released(self.reset())
            }
        }
    }

    /// Ends the attempt; its bytes are data.
    pub(crate) fn reset(&mut self) -> Held {
        self.state = State::Idle;
        core::mem::take(&mut self.held)
    }

    pub(crate) const fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    fn begins(&mut self, byte: u8, at: Instant) -> bool {
        if byte != b'+' || !self.is_behind_guard(at) {
            return false;
        }
        self.state = State::Pluses {
            count: 1,
            until: at + self.gap,
        };
        self.held.push(byte, at);
        true
    }

    /// Whether the byte goes on with the handshake under way.
    fn takes(&mut self, byte: u8, at: Instant) -> bool {
        let next = match self.state {
            State::Idle => None,
            State::Pluses { count, .. } => (byte == b'+').then_some(if count == 1 {
                // mutant: escape-gap
                State::Pluses {
                    count: 2,
                    until: at + self.gap,
                }
            } else {
                State::Settling {
                    line_end: LineEnd::default(),
                    until: at + SETTLE,
                }
            }),
            State::Settling { line_end, .. } => {
                line_end.with(byte).map(|line_end| State::Settling {
                    line_end,
                    until: at + SETTLE,
                })
            }
            // mutant: escape-answer
            State::Offered { written: true, .. } if byte | 0x20 == b'a' => Some(State::Answered {
                line_end: LineEnd::default(),
                until: at + SETTLE,
            }),
            State::Offered {
                line_end,
                written,
                until,
            } => line_end.with(byte).map(|line_end| State::Offered {
                line_end,
                written,
                until,
            }),
            State::Answered { line_end, .. } => {
                line_end.with(byte).map(|line_end| State::Answered {
                    line_end,
                    until: at + SETTLE,
                })
            }
        };
        if let Some(next) = next {
            self.state = next;
            self.held.push(byte, at);
        }
        next.is_some()
    }
}

impl Line {
    pub(crate) const fn escape_deadline(&self) -> Option<Instant> {
        self.escape.deadline()
    }

    /// A silence of the escape is over. What that releases comes from [`Self::next`].
    pub(crate) fn escape_due(&mut self, at: Instant, cx: &mut Cx<'_>) {
        match self.escape.fire(at) {
            Outcome::Offer => {
                let offer = Bytes::from_static(b"a");
                self.printer.write_for(Purpose::EscapeOffer, offer, cx);
            }
            Outcome::Complete { used } => {
                self.counters.command_bytes += used as u64;
                self.write(Bytes::from_static(b"\r\n+ok\r\n"), cx);
                if self.state == LineState::OnlineCommand {
                    // An attempt before this one was typed: no command begins with it.
                    self.assembler.clear();
                } else {
                    self.enter_online_command(cx);
                }
            }
            Outcome::Released(held)
                if self.state == LineState::OnlineCommand && held.is_an_escape() =>
            {
                // It was answered, and nobody went on with it: the next line is not spoiled (decisions 16.9).
                self.counters.command_bytes += held.len() as u64;
            }
            Outcome::Released(held) => self.released = held,
        }
    }

    /// Whether `+++` is answered though the line is in the online command state already: programs that begin with it find
    /// this state as they find any other (decisions 16.9).
    pub(super) const fn answers_escape(&self) -> bool {
        self.escape.holds() || self.assembler.is_empty()
    }
}

#[cfg(test)]
mod tests;
