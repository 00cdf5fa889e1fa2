//! The AT lines of the command line and the settings file.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use dtu_proto::time::Instant;
use tracing::warn;

use crate::cli;

/// An AT line for the start, and where it is written.
#[derive(Clone, PartialEq, Eq)]
pub struct StartLine {
    text: String,
    /// `FILE:LINE` and the like; `None` = `--at`.
    place: Option<String>,
}

impl StartLine {
    /// Of `--at`.
    #[must_use]
    pub fn argument(line: &str) -> Self {
        Self {
            text: at_line(line),
            place: None,
        }
    }

    /// Of a file.
    pub(crate) fn of_file(line: &str, place: impl fmt::Display) -> Self {
        Self {
            text: at_line(line),
            place: Some(place.to_string()),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// The line in quotes, without its secrets.
impl fmt::Display for StartLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", dtu_proto::shown_command(&self.text))
    }
}

impl fmt::Debug for StartLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {self}", Place(self))
    }
}

/// Where a line is written: `--at`, or `FILE:LINE:`.
pub(crate) struct Place<'a>(pub(crate) &'a StartLine);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.place {
            Some(place) => write!(f, "{place}:"),
            None => f.write_str("--at"),
        }
    }
}

/// The lines of the start: run at power-on and after each restart of the device.
///
/// They are given at the very moment of the power-on, so they come before the end of the set-up window, however
/// short it is. Only a line behind one that waits for the disk (`ATW`) may be later; then `CIAPPLY` ends the row.
#[derive(Debug, Default)]
pub(crate) struct AtLines {
    lines: Vec<StartLine>,
    waiting: VecDeque<StartLine>,
    running: Option<StartLine>,
    answer_by: Option<Instant>,
    powered_on: Instant,
    waited: bool,
    refused: bool,
    restarted: bool,
}

impl AtLines {
    pub(crate) fn new(lines: Vec<StartLine>) -> Self {
        Self {
            lines,
            ..Self::default()
        }
    }

    /// They are to be given from the first.
    pub(crate) fn power_on(&mut self, now: Instant) {
        self.restarted = now > self.powered_on && self.powered_on > Instant::ZERO;
        self.powered_on = now;
        self.waiting = self.lines.iter().cloned().collect();
        self.running = None;
        self.answer_by = None;
        self.waited = false;
    }

    /// The next line, and the time at which to give it.
    pub(crate) fn next(&mut self, now: Instant) -> Option<(String, Instant)> {
        if self.running.is_some() {
            self.waited = true;
            return None;
        }
        let line = self.waiting.pop_front()?;
        if self.waited && self.waiting.is_empty() && line.text != APPLY {
            self.waiting.push_back(StartLine {
                text: APPLY.to_owned(),
                place: line.place.clone(),
            });
        }
        self.answer_by = Some(now + ANSWER_WITHIN);
        let text = line.text.clone();
        self.running = Some(line);
        Some((text, if self.waited { now } else { self.powered_on }))
    }

    /// The device's answer to the last one.
    pub(crate) fn reply(&mut self, reply: &str) {
        self.answer_by = None;
        let Some(line) = self.running.take() else {
            return;
        };
        let reply = reply.trim();
        if !is_refusal(reply) {
            self.log_reply(&line.text, reply);
        } else if self.restarted || reply.contains(NOT_STORED) {
            // Nothing is wrong with the line; a device whose disk is full works all the same.
            warn!("console: {} {line}: {reply}", Place(&line));
        } else {
            cli::complain(format_args!("dtud: {} {line}: {reply}", Place(&line)));
            self.refused = true;
            self.waiting.clear();
        }
    }

    /// The answer to a question, the first time (decisions 16.28). Where a secret is in the question, one may be in the
    /// answer.
    fn log_reply(&self, line: &str, reply: &str) {
        let answer = reply.strip_suffix("OK").unwrap_or(reply).trim();
        if !self.restarted && !answer.is_empty() && !holds_a_secret(line) {
            cli::complain(format_args!("{answer}"));
        }
    }

    /// Whether there is none to give, and nothing to be told of the last.
    pub(crate) fn is_done(&self) -> bool {
        self.running.is_none() && self.waiting.is_empty() && !self.refused
    }

    /// Whether one waits for its answer.
    pub(crate) const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// When the answer must have come.
    pub(crate) const fn answer_by(&self) -> Option<Instant> {
        self.answer_by
    }

    /// Waits no longer for an answer that is late.
    pub(crate) fn give_up(&mut self, now: Instant) {
        if self.answer_by.take_if(|at| *at <= now).is_some()
            && let Some(line) = self.running.take()
        {
            warn!("console: {} {line}: no answer", Place(&line));
        }
    }

    /// Whether one was refused since the last look.
    pub(crate) const fn take_refused(&mut self) -> bool {
        std::mem::replace(&mut self.refused, false)
    }
}

/// Whether a line was not done, or not all of it.
pub(crate) fn is_refusal(reply: &str) -> bool {
    reply.contains("ERROR")
}

/// What a save that failed is answered with.
const NOT_STORED: &str = "not stored";
const APPLY: &str = "AT+CIAPPLY";

/// `CIPR=9600`, `+CIPR=9600` and `AT+CIPR=9600` are the same to a person.
pub(crate) fn at_line(line: &str) -> String {
    let line = line.trim();
    if line
        .get(..2)
        .is_some_and(|start| start.eq_ignore_ascii_case("AT"))
    {
        line.to_owned()
    } else {
        format!("AT+{}", line.strip_prefix('+').unwrap_or(line))
    }
}

/// Whether the line gives a password away.
pub(crate) fn sets_a_secret(line: &str) -> bool {
    dtu_proto::shown_command(&at_line(line)).contains("****")
}

/// Whether a command of the line has a value that is a password.
fn holds_a_secret(line: &str) -> bool {
    let upper = line.to_ascii_uppercase();
    dtu_proto::commands().any(|command| {
        command.parameters.iter().any(|parameter| parameter.secret)
            && upper.contains(command.name.trim_start_matches("AT"))
    })
}

/// For the answer to one `--at` line.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_an_at_line_may_be_left_out() {
        for line in ["CIPR=9600", "+CIPR=9600", "AT+CIPR=9600", " CIPR=9600 "] {
            assert_eq!(at_line(line), "AT+CIPR=9600");
        }
        assert_eq!(at_line("ATW"), "ATW");
        assert_eq!(at_line("at+csq"), "at+csq");
    }

    #[test]
    fn a_question_whose_answer_may_be_a_password_is_known() {
        for line in ["AT+HTPHD?", "AT+CSTT?", "AT+CIPR?;+HTPHD?"] {
            assert!(holds_a_secret(line), "{line}");
        }
        assert!(!holds_a_secret("AT+CIPSCONT?"));
    }
}
