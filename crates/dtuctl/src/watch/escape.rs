//! `+++` with the times of manual 2.8.2, while everything else goes on.

use std::time::Duration;

use dtu_setup::Sentence;
use dtu_setup::serial::{ESCAPE_ANSWER, GUARD, is_escape_answer};

use crate::say;

/// On the way into the command state.
#[derive(Debug)]
pub(super) struct Escape {
    state: State,
    until: Duration,
    heard: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Silence in front of `+++`.
    Guard,
    /// `+++` is sent: the device answers `a`.
    Asked,
    /// `a` is sent: the device answers `+ok`.
    Answered,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Wait,
    Send(&'static [u8]),
    Entered,
    Failed(Sentence),
}

impl Escape {
    /// `last_sent`: when the last byte was sent.
    pub(super) fn begin(now: Duration, last_sent: Option<Duration>) -> Self {
        let until = last_sent.map_or(now, |at| now.max(at + GUARD));
        Self {
            state: State::Guard,
            until,
            heard: Vec::new(),
        }
    }

    /// When [`Escape::due`] is to be called.
    pub(super) const fn until(&self) -> Duration {
        self.until
    }

    pub(super) fn due(&mut self, now: Duration) -> Step {
        if now < self.until {
            return Step::Wait;
        }
        match self.state {
            State::Guard => {
                self.go(State::Asked, now);
                Step::Send(b"+++")
            }
            State::Asked => Step::Failed(say::no_answer_to_escape()),
            State::Answered => Step::Failed(say::no_answer_to_a()),
        }
    }

    pub(super) fn heard(&mut self, bytes: &[u8], now: Duration) -> Step {
        self.heard.extend_from_slice(bytes);
        match self.state {
            State::Asked if is_escape_answer(&self.heard) => {
                self.go(State::Answered, now);
                Step::Send(b"a")
            }
            State::Answered if self.heard.windows(3).any(|word| word == b"+ok") => Step::Entered,
            State::Guard | State::Asked | State::Answered => Step::Wait,
        }
    }

    fn go(&mut self, state: State, now: Duration) {
        self.state = state;
        self.until = now + ESCAPE_ANSWER;
        self.heard.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn manual_2_8_2_the_guard_time_is_kept() {
        let mut escape = Escape::begin(ms(1000), Some(ms(900)));
        assert_eq!(escape.until(), ms(1200));
        assert_eq!(escape.due(ms(1199)), Step::Wait);
        assert_eq!(escape.due(ms(1200)), Step::Send(b"+++"));
        assert_eq!(escape.heard(b"a", ms(1400)), Step::Send(b"a"));
        assert_eq!(escape.heard(b"\r\n+o", ms(1410)), Step::Wait);
        assert_eq!(escape.heard(b"k\r\n", ms(1420)), Step::Entered);
    }

    #[test]
    fn an_a_inside_data_is_no_answer() {
        let mut escape = Escape::begin(ms(0), None);
        assert_eq!(escape.heard(b"a", ms(0)), Step::Wait);
        assert_eq!(escape.due(ms(0)), Step::Send(b"+++"));
        assert_eq!(escape.heard(b"data", ms(10)), Step::Wait);
        assert_eq!(
            escape.due(ms(1500)),
            Step::Failed(say::no_answer_to_escape())
        );
    }
}
