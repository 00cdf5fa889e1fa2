//! The AT lines of the console: one at a time is given to the device, when it takes one.

use std::collections::VecDeque;
use std::time::Duration;

use dtu_proto::time::Instant;

use super::inbox::Line;

#[derive(Default)]
pub(super) struct Lines {
    waiting: VecDeque<(Line, Instant)>,
    running: Option<Running>,
}

struct Running {
    /// `None`: who asked was told that no answer came, which may still come.
    line: Option<Line>,
    until: Instant,
}

impl Lines {
    /// Of too many the new one is dropped: who asked is told so.
    pub(super) fn queue(&mut self, line: Line, now: Instant) {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push_back((line, now + TURN_WITHIN));
        }
    }

    /// `free`: no command of another origin is under way. One that lasts keeps nobody waiting for ever: the device tells
    /// that it is busy.
    pub(super) fn next(&mut self, free: bool, now: Instant) -> Option<String> {
        if self.running.is_some() {
            return None;
        }
        let (_, turn_by) = self.waiting.front()?;
        if !free && now < *turn_by {
            return None;
        }
        let (line, _) = self.waiting.pop_front()?;
        let text = line.text.clone();
        self.running = Some(Running {
            line: Some(line),
            until: now + ANSWER_WITHIN,
        });
        Some(text)
    }

    pub(super) const fn runs(&self) -> bool {
        self.running.is_some()
    }

    pub(super) fn reply(&mut self, reply: &str) -> bool {
        let Some(running) = self.running.take() else {
            return false;
        };
        if let Some(line) = running.line {
            // Who asked may be gone.
            let _ = line.answer.try_send(reply.to_owned());
        }
        true
    }

    pub(super) fn give_up(&mut self, now: Instant) {
        let Some(running) = self.running.take_if(|running| running.until <= now) else {
            return;
        };
        // Once more as long for an answer that belongs to nobody: the next line must not take it for its own.
        if running.line.is_some() {
            self.running = Some(Running {
                line: None,
                until: now + ANSWER_WITHIN,
            });
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let turn = self.waiting.front().map(|(_, turn_by)| *turn_by);
        let answer = self.running.as_ref().map(|running| running.until);
        answer.or(turn)
    }
}

const WAITING_MAX: usize = 16;
/// For another command to end.
const TURN_WITHIN: Duration = Duration::from_secs(5);
/// A message of ten parts takes the network as long.
const ANSWER_WITHIN: Duration = Duration::from_secs(200);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, sync_channel};

    use super::*;

    fn line(text: &str) -> (Line, Receiver<String>) {
        let (answer, receiver) = sync_channel(1);
        let text = text.to_owned();
        (Line { text, answer }, receiver)
    }

    #[test]
    fn one_line_runs_at_a_time_and_each_gets_its_own_answer() {
        let mut lines = Lines::default();
        let (now, (first, answer1), (second, answer2)) =
            (Instant::ZERO, line("AT"), line("AT+CSQ"));
        lines.queue(first, now);
        lines.queue(second, now);
        assert_eq!(lines.next(false, now), None);
        assert_eq!(lines.next(true, now).as_deref(), Some("AT"));
        assert_eq!(lines.next(true, now), None);
        assert!(lines.reply("one"));
        assert_eq!(lines.next(true, now).as_deref(), Some("AT+CSQ"));
        assert!(lines.reply("two") && !lines.reply("three"));
        assert_eq!(
            (answer1.recv().unwrap(), answer2.recv().unwrap()),
            ("one".to_owned(), "two".to_owned())
        );
    }

    #[test]
    fn a_busy_device_is_asked_all_the_same_in_the_end() {
        let mut lines = Lines::default();
        let (first, _answer) = line("AT");
        lines.queue(first, Instant::ZERO);
        let at = lines.deadline().unwrap();
        assert_eq!(at, Instant::ZERO + TURN_WITHIN);
        assert_eq!(lines.next(false, at).as_deref(), Some("AT"));
    }

    #[test]
    fn a_late_answer_is_not_that_of_the_next_line() {
        let mut lines = Lines::default();
        let ((first, answer1), (second, answer2)) = (line("AT"), line("ATI"));
        lines.queue(first, Instant::ZERO);
        lines.queue(second, Instant::ZERO);
        lines.next(true, Instant::ZERO);
        let now = lines.deadline().unwrap();
        lines.give_up(now);
        assert!(answer1.recv().is_err(), "who asked waits no longer");
        assert_eq!(lines.next(true, now), None);
        assert!(lines.reply("late"));
        assert_eq!(lines.next(true, now).as_deref(), Some("ATI"));
        assert!(lines.reply("own"));
        assert_eq!(answer2.recv().unwrap(), "own");
        lines.give_up(now);
    }
}
