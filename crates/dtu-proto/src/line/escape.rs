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
pub(crate) const HELD_MAX: usize = 8;

/// Bytes held back, each with its time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Held {
    bytes: [(u8, Instant); HELD_MAX],
    len: usize,
}

impl Held {
    fn push(&mut self, byte: u8, at: Instant) {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = (byte, at);
            self.len += 1;
        }
    }

    pub(crate) fn as_slice(&self) -> &[(u8, Instant)] {
        &self.bytes[..self.len]
    }

    /// `+++` and nothing else.
    pub(crate) fn is_an_escape(&self) -> bool {
        self.len == 3 && self.as_slice().iter().all(|(byte, _)| *byte == b'+')
    }
}

/// What became of a read.
#[derive(Debug)]
pub(crate) enum Fed {
    /// All of it is held. `released` bytes of an earlier attempt are data now.
    Held { released: Held },
    /// All of it is data, behind the `released` bytes.
    Data { released: Held },
}

/// What a deadline brings.
#[derive(Debug)]
pub(crate) enum Fired {
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
    pub(crate) fn feed(&mut self, data: &[u8], at: Instant) -> Fed {
        let before = self.held.len;
        for (index, &byte) in data.iter().enumerate() {
            if self.takes(byte, at) {
                continue;
            }
            let mut released = self.reset();
            let fresh_start = index == 0 && self.begins(byte, at);
            if !fresh_start {
                released.len = released.len.min(before);
                self.last_byte = Some(at);
                return Fed::Data { released };
            }
            if before > 0 {
                return self.feed_fresh(released, &data[1..], at);
            }
        }
        if !data.is_empty() {
            self.last_byte = Some(at);
        }
        Fed::Held {
            released: Held::default(),
        }
    }

    /// The rest of a read whose first byte ended one attempt and began the next.
    fn feed_fresh(&mut self, released: Held, rest: &[u8], at: Instant) -> Fed {
        self.last_byte = Some(at);
        if rest.iter().all(|&byte| self.takes(byte, at)) {
            return Fed::Held { released };
        }
        self.reset();
        Fed::Data { released }
    }

    /// Notes bytes that were no data (commands), for the silence before the next escape.
    pub(crate) const fn note_byte(&mut self, at: Instant) {
        self.last_byte = Some(at);
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
    pub(crate) fn fire(&mut self, at: Instant) -> Fired {
        match self.state {
            State::Settling { line_end, .. } => {
                self.state = State::Offered {
                    line_end,
                    written: false,
                    until: at + OFFER,
                };
                self.offers += 1;
                Fired::Offer
            }
            State::Answered { .. } => Fired::Complete {
                used: self.reset().len,
            },
            // mutant: escape-fails
            State::Idle | State::Pluses { .. } | State::Offered { .. } => {
                Fired::Released(self.reset())
            }
        }
    }

    /// Ends the attempt; its bytes are data.
    pub(crate) fn reset(&mut self) -> Held {
        self.state = State::Idle;
        core::mem::take(&mut self.held)
    }

    pub(crate) const fn holds(&self) -> bool {
        self.held.len > 0
    }

    fn begins(&mut self, byte: u8, at: Instant) -> bool {
        // mutant: guard-time
        let silent = self.last_byte.is_none_or(|last| at.since(last) > GUARD);
        if byte != b'+' || !silent {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn ms(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    /// Feeds timed pieces as the device does: due deadlines first; `a` is written 1 ms after it was offered.
    /// Returns the data and the time at which the handshake completed.
    fn run(pieces: &[(u64, &[u8])]) -> (Vec<u8>, Vec<u64>, Option<u64>) {
        run_with_gap(50, pieces)
    }

    fn run_with_gap(gap: u64, pieces: &[(u64, &[u8])]) -> (Vec<u8>, Vec<u64>, Option<u64>) {
        let mut esc = EscapeDetector::new(Duration::from_millis(gap));
        let mut written_at = None;
        let (mut data, mut offers, mut done) = (Vec::new(), Vec::new(), None);
        let end = pieces.last().map_or(0, |p| p.0) + 10_000;
        let mut pieces = pieces.iter().peekable();
        for now in 0..=end {
            if written_at == Some(now) {
                esc.offer_written(ms(now));
            }
            while let Some(at) = esc.deadline().filter(|d| *d <= ms(now)) {
                match esc.fire(at) {
                    Fired::Offer => {
                        offers.push(now);
                        written_at = Some(now + 1);
                    }
                    Fired::Complete { .. } => done = Some(now),
                    Fired::Released(held) => data.extend(held.as_slice().iter().map(|b| b.0)),
                }
            }
            while let Some((_, bytes)) = pieces.next_if(|p| p.0 == now) {
                match esc.feed(bytes, ms(now)) {
                    Fed::Held { released } => data.extend(released.as_slice().iter().map(|b| b.0)),
                    Fed::Data { released } => {
                        data.extend(released.as_slice().iter().map(|b| b.0));
                        data.extend_from_slice(bytes);
                    }
                }
            }
        }
        (data, offers, done)
    }

    #[test]
    fn manual_2_8_2_the_escape_in_one_piece() {
        let (data, offers, done) = run(&[(1000, b"+++"), (1100, b"a")]);
        assert_eq!(
            (data.as_slice(), offers.as_slice(), done),
            (&b""[..], &[1020][..], Some(1120))
        );
    }

    #[test]
    fn a_capital_a_and_line_ends_are_tolerated() {
        for answer in [&b"A"[..], b"a\r\n", b"A\r", b"a\n"] {
            let (data, _, done) = run(&[(1000, b"+++\r\n"), (1500, answer)]);
            assert!(data.is_empty() && done.is_some(), "{answer:?}");
        }
    }

    #[test]
    fn a_late_line_end_behind_the_offer_is_tolerated() {
        let (data, _, done) = run(&[(1000, b"+++"), (1200, b"\r"), (1500, b"a\r")]);
        assert!(data.is_empty() && done.is_some());
    }

    #[test]
    fn the_guard_time_is_more_than_200_ms() {
        for (at, enters) in [(199, false), (200, false), (201, true)] {
            let (data, _, done) = run(&[(0, b"x"), (at, b"+++"), (at + 100, b"a")]);
            assert_eq!(done.is_some(), enters, "{at}");
            assert_eq!(data, if enters { &b"x"[..] } else { b"x+++a" });
        }
    }

    #[test]
    fn the_inner_gap_is_less_than_50_ms() {
        for (gap, enters) in [(49, true), (50, false), (51, false)] {
            let (data, _, done) = run(&[
                (1000, b"+"),
                (1000 + gap, b"+"),
                (1000 + 2 * gap, b"+"),
                (1300, b"a"),
            ]);
            assert_eq!(done.is_some(), enters, "{gap}");
            assert_eq!(data, if enters { &b""[..] } else { b"+++a" });
        }
    }

    #[test]
    fn the_inner_gap_of_the_settings_is_that_of_fingers() {
        for (gap, enters) in [(49, true), (180, true), (499, true), (500, false)] {
            let (data, _, done) = run_with_gap(
                500,
                &[
                    (1000, b"+"),
                    (1000 + gap, b"+"),
                    (1000 + 2 * gap, b"+"),
                    (3000, b"a"),
                ],
            );
            assert_eq!(done.is_some(), enters, "{gap}");
            assert_eq!(data, if enters { &b""[..] } else { b"+++a" });
        }
    }

    #[test]
    fn the_answer_comes_within_3_s_of_the_written_offer() {
        for (at, enters) in [(1021 + 2990, true), (1021 + 3010, false)] {
            let (data, _, done) = run(&[(1000, b"+++"), (at, b"a")]);
            assert_eq!(done.is_some(), enters);
            assert_eq!(data, if enters { &b""[..] } else { b"+++a" });
        }
    }

    #[test]
    fn an_answer_before_the_offer_is_written_is_data() {
        let (data, _, done) = run(&[(1000, b"+++"), (1020, b"a")]);
        assert_eq!((data.as_slice(), done), (&b"+++a"[..], None));
    }

    #[test]
    fn a_payload_that_begins_with_the_escape_prints_nothing() {
        for payload in [&b"+++abc"[..], b"+++a", b"++++", b"+++\r\r", b"++x", b"+a"] {
            let (data, offers, done) = run(&[(1000, payload)]);
            assert_eq!((data.as_slice(), offers.len(), done), (payload, 0, None));
        }
    }

    #[test]
    fn an_answer_must_stand_alone() {
        for answer in [&b"ab"[..], b"xa", b"a\r\r", b"aa"] {
            let (data, _, done) = run(&[(1000, b"+++"), (1100, answer)]);
            assert!(done.is_none());
            assert_eq!(data, [b"+++", answer].concat());
        }
    }

    #[test]
    fn a_second_attempt_gives_the_first_back() {
        let (data, offers, done) = run(&[(1000, b"+++"), (2000, b"+++"), (2100, b"a")]);
        assert_eq!((data.as_slice(), offers.len()), (&b"+++"[..], 2));
        assert!(done.is_some());
    }

    #[test]
    fn a_second_attempt_that_fails_keeps_the_order() {
        let (data, _, done) = run(&[(1000, b"+++"), (2000, b"+x"), (2300, b"y")]);
        assert_eq!((data.as_slice(), done), (&b"++++xy"[..], None));
    }

    proptest::proptest! {
        /// Whatever the chunks and gaps: either the handshake completes, or every byte comes out, in order.
        #[test]
        fn nothing_is_lost_whatever_the_chunking(
            pieces in proptest::collection::vec(
                (0u64..260, proptest::collection::vec(proptest::sample::select(b"++++++a\rA\nx".to_vec()), 1..5)), 1..9)
        ) {
            let mut at = 0;
            let mut timed = Vec::new();
            let mut sent = Vec::new();
            for (gap, bytes) in &pieces {
                at += gap;
                timed.push((at, bytes.as_slice()));
                sent.extend_from_slice(bytes);
            }
            let (data, offers, done) = run(&timed);
            if done.is_none() {
                proptest::prop_assert_eq!(&data, &sent);
            } else {
                proptest::prop_assert!(!offers.is_empty());
                proptest::prop_assert!(data.len() < sent.len());
            }
        }
    }
}
