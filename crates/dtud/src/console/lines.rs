//! The AT lines of the console: one at a time is given to the device, when it takes one.

use std::collections::VecDeque;
use std::time::Duration;

use dtu_proto::shown_command;
use dtu_proto::time::Instant;
use dtu_setup::Sentence;
use tracing::warn;

use super::inbox::{Line, Purpose};
use super::words;

#[derive(Default)]
pub(super) struct Lines {
    waiting: VecDeque<Waiting>,
    running: Option<Running>,
    /// Lines that never ran.
    dropped: u64,
}

struct Waiting {
    line: Line,
    turn_by: Instant,
    /// Later it does not run: who asked is told so, and does not wait.
    begin_by: Instant,
}

struct Running {
    /// `None`: who asked was told that no answer came, which may still come.
    line: Option<Line>,
    purpose: Purpose,
    until: Instant,
}

impl Lines {
    /// Of too many the new one is dropped: who asked is told so.
    pub(super) fn queue(&mut self, line: Line, now: Instant) {
        if self.waiting.len() >= WAITING_MAX {
            return self.drop_line(&line, words::many_lines());
        }
        self.waiting.push_back(Waiting {
            line,
            turn_by: now + TURN_WITHIN,
            begin_by: now + BEGIN_WITHIN,
        });
    }

    fn drop_line(&mut self, line: &Line, why: Sentence) {
        self.dropped += 1;
        let (shown, so_far) = (shown_command(&line.text), self.dropped);
        warn!("console: {shown} is dropped, {so_far} so far: {why}");
        // Who asked may be gone.
        let _ = line.answer.try_send(Err(why));
    }

    /// The oldest stands in front.
    fn drop_late(&mut self, now: Instant) {
        let is_late = |waiting: &Waiting| waiting.begin_by <= now;
        while self.waiting.front().is_some_and(is_late)
            && let Some(late) = self.waiting.pop_front()
        {
            self.drop_line(&late.line, words::waited(BEGIN_WITHIN.as_secs()));
        }
    }

    /// `free`: no command of another origin is under way. One that lasts keeps nobody waiting for ever: the device tells
    /// that it is busy.
    pub(super) fn next(&mut self, free: bool, now: Instant) -> Option<String> {
        if self.running.is_some() {
            return None;
        }
        self.drop_late(now);
        if !free && now < self.waiting.front()?.turn_by {
            return None;
        }
        let Waiting { line, .. } = self.waiting.pop_front()?;
        let (text, purpose) = (line.text.clone(), line.purpose);
        self.running = Some(Running {
            line: Some(line),
            purpose,
            until: now + ANSWER_WITHIN,
        });
        Some(text)
    }

    pub(super) fn any(&self) -> bool {
        self.running.is_some() || !self.waiting.is_empty()
    }

    pub(super) const fn runs(&self) -> bool {
        self.running.is_some()
    }

    /// What the line is for that runs.
    pub(super) fn purpose(&self) -> Purpose {
        let running = self.running.as_ref();
        running.map_or(Purpose::Own, |running| running.purpose)
    }

    pub(super) fn reply(&mut self, reply: &str) -> bool {
        let Some(running) = self.running.take() else {
            return false;
        };
        if let Some(line) = running.line {
            // Who asked may be gone.
            let _ = line.answer.try_send(Ok(reply.to_owned()));
        }
        true
    }

    pub(super) fn give_up(&mut self, now: Instant) {
        self.drop_late(now);
        let Some(running) = self.running.take_if(|running| running.until <= now) else {
            return;
        };
        // Once more as long for an answer that belongs to nobody: the next line must not take it for its own.
        if running.line.is_some() {
            self.running = Some(Running {
                line: None,
                purpose: running.purpose,
                until: now + ANSWER_WITHIN,
            });
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let front = self.waiting.front();
        match (&self.running, front) {
            (Some(running), Some(front)) => Some(running.until.min(front.begin_by)),
            (Some(running), None) => Some(running.until),
            (None, front) => front.map(|front| front.turn_by),
        }
    }
}

const WAITING_MAX: usize = 16;
/// For another command to end.
const TURN_WITHIN: Duration = Duration::from_secs(5);
/// For the line in front to be answered.
const BEGIN_WITHIN: Duration = Duration::from_secs(8);
/// From the queue to the answer, or to its end.
pub(super) const WITHIN: Duration = BEGIN_WITHIN.saturating_add(ANSWER_WITHIN);
/// A message of ten parts takes the network as long.
const ANSWER_WITHIN: Duration = Duration::from_secs(200);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, sync_channel};

    use super::*;

    fn line(text: &str) -> (Line, Receiver<Result<String, Sentence>>) {
        let (answer, receiver) = sync_channel(1);
        let line = Line {
            text: text.to_owned(),
            purpose: Purpose::Own,
            answer,
        };
        (line, receiver)
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
            (Ok("one".to_owned()), Ok("two".to_owned()))
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
        lines.next(true, Instant::ZERO);
        let now = lines.deadline().unwrap();
        lines.give_up(now);
        lines.queue(second, now);
        assert!(answer1.recv().is_err(), "who asked waits no longer");
        assert_eq!(lines.next(true, now), None);
        assert!(lines.reply("late"));
        assert_eq!(lines.next(true, now).as_deref(), Some("ATI"));
        assert!(lines.reply("own"));
        assert_eq!(answer2.recv().unwrap(), Ok("own".to_owned()));
        lines.give_up(now);
    }

    /// Who asked has done something else since.
    #[test]
    fn a_line_that_has_waited_too_long_never_runs() {
        let mut lines = Lines::default();
        let ((first, _answer1), (second, answer2)) = (line("AT+CMGS"), line("AT+CIRESET"));
        lines.queue(first, Instant::ZERO);
        lines.next(true, Instant::ZERO);
        lines.queue(second, Instant::ZERO);
        let now = lines.deadline().unwrap();
        assert_eq!(now, Instant::ZERO + BEGIN_WITHIN);
        lines.give_up(now);
        let why = answer2.try_recv().unwrap().unwrap_err();
        assert_eq!(why, words::waited(8));
        lines.reply("late");
        assert_eq!((lines.next(true, now), lines.dropped), (None, 1));

        // The loop may come late.
        let (third, answer3) = line("AT");
        lines.queue(third, now);
        assert_eq!(lines.next(true, now + BEGIN_WITHIN), None);
        assert!(answer3.try_recv().unwrap().is_err());
        assert_eq!(lines.deadline(), None);
    }

    #[test]
    fn who_finds_no_room_is_told_so_at_once() {
        let mut lines = Lines::default();
        let asked: Vec<_> = (0..=WAITING_MAX)
            .map(|_| {
                let (line, answer) = line("AT");
                lines.queue(line, Instant::ZERO);
                answer
            })
            .collect();
        let (last, others) = asked.split_last().unwrap();
        assert_eq!(last.try_recv().unwrap(), Err(words::many_lines()));
        assert!(others.iter().all(|answer| answer.try_recv().is_err()));
        assert_eq!(lines.dropped, 1);
    }
}
