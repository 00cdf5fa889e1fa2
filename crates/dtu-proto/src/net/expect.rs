//! The reply that a server is expected to give to registration or heartbeat (decisions 7 and 16.6, `expect`).
//!
//! A matched reply is the device's own: it does not go on to the line. What may be the beginning of one waits a moment
//! for the rest.

use alloc::vec::Vec;

use crate::config::Expect;
use crate::time::{Duration, Instant, earliest};

/// The rest of a reply comes this soon behind its beginning; else the beginning is data.
const REST_WITHIN: Duration = Duration::from_millis(500);
/// A socket that was not read for a while is read so long at least before its peer can be late.
const HEARD_FOR: Duration = Duration::from_secs(1);

/// Waits for one reply.
#[derive(Debug, Default)]
pub(crate) struct Awaiting {
    clock: Clock,
    misses: u8,
    /// The end of what came, where the reply may have begun.
    tail: Vec<u8>,
    /// So much of it went on already: the rest took too long, but it may still come.
    passed: usize,
    /// When the tail goes on.
    release_at: Option<Instant>,
    /// The socket is not read: the peer cannot be late.
    deaf: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Clock {
    #[default]
    Off,
    Until(Instant),
    /// Stands still, with so much left.
    Left(Duration),
}

/// A reply did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// So often in a row that the link is to be closed.
    pub(crate) last: bool,
}

impl Awaiting {
    /// What asks for the reply was sent. A reply that is awaited already stays due when it was.
    pub(crate) fn expect(&mut self, expect: Option<&Expect>, now: Instant) {
        if let (Some(expect), Clock::Off) = (expect, self.clock) {
            self.clock = if self.deaf {
                Clock::Left(expect.within)
            } else {
                Clock::Until(now + expect.within)
            };
        }
    }

    pub(crate) fn is_awaited(&self) -> bool {
        self.clock != Clock::Off
    }

    /// Whether the socket is read: the reply's time stands still while it is not.
    pub(crate) fn be_heard(&mut self, is_read: bool, now: Instant) {
        if self.deaf != is_read {
            return;
        }
        self.deaf = !is_read;
        // It runs while the socket is read, and only then.
        self.clock = match self.clock {
            Clock::Off => Clock::Off,
            Clock::Until(at) => Clock::Left(at.since(now)),
            Clock::Left(left) => Clock::Until(now + left.max(HEARD_FOR)),
        };
    }

    /// Looks for the reply in what came, over the borders of reads. What goes on is added to `rest`.
    pub(crate) fn take_out(
        &mut self,
        data: &[u8],
        expect: Option<&Expect>,
        now: Instant,
        rest: &mut Vec<u8>,
    ) {
        if data.is_empty() {
            return;
        }
        let (Some(expect), true) = (expect, self.is_awaited()) else {
            rest.extend_from_slice(data);
            return;
        };
        self.tail.extend_from_slice(data);
        let reply = expect.reply.as_slice();
        let found = self
            .tail
            .windows(reply.len().max(1))
            .position(|window| window == reply);
        if let Some(begin) = found {
            // mutant: expected-reply
            let end = if expect.pass {
                begin
            } else {
                begin + reply.len()
            };
            rest.extend_from_slice(self.tail.get(self.passed..begin).unwrap_or_default());
            rest.extend_from_slice(self.tail.get(self.passed.max(end)..).unwrap_or_default());
            *self = Self {
                deaf: self.deaf,
                ..Self::default()
            };
            return;
        }
        // Only what may be the beginning of the reply waits.
        let begins = |len: &usize| self.tail.ends_with(&reply[..*len]);
        let keep = (0..reply.len().min(self.tail.len() + 1))
            .rev()
            .find(begins)
            .unwrap_or(0);
        let goes = self.tail.len() - keep;
        let passed = if expect.pass { self.tail.len() } else { goes };
        rest.extend_from_slice(self.tail.get(self.passed..passed).unwrap_or_default());
        self.tail.drain(..goes);
        self.passed = self.passed.max(passed).saturating_sub(goes);
        self.release_at = (self.passed < keep).then(|| now + REST_WITHIN);
    }

    /// Nobody waits for it any more: what might have been its beginning goes on.
    pub(crate) fn give_up(&mut self, rest: &mut Vec<u8>) {
        rest.extend_from_slice(self.tail.get(self.passed..).unwrap_or_default());
        *self = Self {
            deaf: self.deaf,
            ..Self::default()
        };
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let reply_due = match self.clock {
            Clock::Until(at) => Some(at),
            Clock::Off | Clock::Left(_) => None,
        };
        earliest([reply_due, self.release_at])
    }

    /// A time may be over.
    pub(crate) fn fire(
        &mut self,
        expect: Option<&Expect>,
        now: Instant,
        rest: &mut Vec<u8>,
    ) -> Option<Missing> {
        if self.release_at.take_if(|at| *at <= now).is_some() {
            rest.extend_from_slice(self.tail.get(self.passed..).unwrap_or_default());
            self.passed = self.tail.len();
        }
        if !matches!(self.clock, Clock::Until(at) if at <= now) {
            return None;
        }
        let misses = self.misses.saturating_add(1);
        self.give_up(rest);
        self.misses = misses;
        Some(Missing {
            last: expect.is_some_and(|expect| misses >= expect.misses),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    fn expect() -> Expect {
        Expect {
            reply: b"OK!".to_vec(),
            within: Duration::from_secs(5),
            misses: 2,
            pass: false,
        }
    }

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    fn take(awaiting: &mut Awaiting, data: &str, expect: &Expect) -> String {
        let mut rest = Vec::new();
        awaiting.take_out(data.as_bytes(), Some(expect), at(0), &mut rest);
        String::from_utf8(rest).unwrap()
    }

    #[test]
    fn d14_the_reply_is_taken_out_over_the_border_of_reads() {
        let (expect, mut awaiting) = (expect(), Awaiting::default());
        awaiting.expect(Some(&expect), at(0));
        assert_eq!(take(&mut awaiting, "xxO", &expect), "xx");
        assert!(awaiting.is_awaited());
        assert_eq!(take(&mut awaiting, "OK", &expect), "O");
        assert_eq!(take(&mut awaiting, "!..", &expect), "..");
        assert!(!awaiting.is_awaited());
        assert_eq!(take(&mut awaiting, "OK!", &expect), "OK!", "nobody asked");
    }

    #[test]
    fn d14_a_reply_may_pass() {
        let (mut expect, mut awaiting) = (expect(), Awaiting::default());
        expect.pass = true;
        awaiting.expect(Some(&expect), at(0));
        assert_eq!(take(&mut awaiting, "xxO", &expect), "xxO");
        assert_eq!(take(&mut awaiting, "K!..", &expect), "K!..");
        assert!(!awaiting.is_awaited());
    }

    #[test]
    fn d14_what_only_began_like_the_reply_goes_on_in_order() {
        let (expect, mut awaiting) = (expect(), Awaiting::default());
        awaiting.expect(Some(&expect), at(0));
        assert_eq!(take(&mut awaiting, "aOK", &expect), "a");
        assert_eq!(take(&mut awaiting, "b", &expect), "OKb");
        assert_eq!(take(&mut awaiting, "OK", &expect), "");
        assert_eq!(awaiting.deadline(), Some(at(500)));
        let mut rest = Vec::new();
        assert_eq!(awaiting.fire(Some(&expect), at(500), &mut rest), None);
        assert_eq!(rest, b"OK");
        // The rest comes late: it is the reply all the same.
        assert_eq!(take(&mut awaiting, "!c", &expect), "c");
        assert!(!awaiting.is_awaited());
    }

    #[test]
    fn asking_again_does_not_move_the_time() {
        let (expect, mut awaiting) = (expect(), Awaiting::default());
        for second in 0..5 {
            awaiting.expect(Some(&expect), at(second * 1000));
        }
        assert_eq!(awaiting.deadline(), Some(at(5000)));
    }

    #[test]
    fn d4_the_time_stands_still_while_the_socket_is_not_read() {
        let (expect, mut awaiting) = (expect(), Awaiting::default());
        awaiting.expect(Some(&expect), at(0));
        awaiting.be_heard(false, at(2000));
        assert_eq!(awaiting.deadline(), None);
        awaiting.be_heard(true, at(60_000));
        assert_eq!(awaiting.deadline(), Some(at(63_000)));
        awaiting.be_heard(false, at(62_900));
        awaiting.be_heard(true, at(70_000));
        assert_eq!(
            awaiting.deadline(),
            Some(at(71_000)),
            "time to read what came meanwhile"
        );
    }

    #[test]
    fn the_last_of_the_misses_in_a_row_is_said() {
        let (expect, mut awaiting) = (expect(), Awaiting::default());
        for (due, last) in [(5000, false), (10_000, true)] {
            awaiting.expect(Some(&expect), at(due - 5000));
            let mut rest = Vec::new();
            assert_eq!(
                awaiting.fire(Some(&expect), at(due), &mut rest),
                Some(Missing { last })
            );
        }
    }
}
