//! What people see: values before and after, and what goes on.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

use dtu_setup::apply::{Failure, Outcome, Plan, Step};
use dtu_setup::reading::{Reading, Why};
use dtu_setup::values::Change;

/// Text of a device, which never drives the terminal: what does not print is written out.
pub(crate) fn plain(text: &str) -> String {
    let is_odd = |char: char| {
        char.is_control()
            || matches!(char, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().fold(String::new(), |mut shown, char| {
        if is_odd(char) {
            shown.extend(char.escape_default());
        } else {
            shown.push(char);
        }
        shown
    })
}

/// One line a value: `- old`, `+ new`; and what the device has not.
pub(crate) fn diff(plan: &Plan) -> String {
    let mut text = changes(&plan.changes);
    for unread in &plan.no_counterpart {
        let _ = writeln!(
            text,
            "! {}: the device has no such setting ({})",
            unread.key,
            plain(&unread.why)
        );
    }
    text
}

/// One line a value: `- old`, `+ new`.
pub(crate) fn changes(changes: &[Change]) -> String {
    let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let (red, green, plain_again) = if colours {
        ("\x1b[31m", "\x1b[32m", "\x1b[0m")
    } else {
        ("", "", "")
    };
    let mut text = String::new();
    for change in changes {
        let Change { key, .. } = change;
        let (from, to) = shown(change);
        let _ = writeln!(text, "{red}- {key} = {from}{plain_again}");
        let _ = writeln!(text, "{green}+ {key} = {to}{plain_again}");
    }
    text
}

fn shown(change: &Change) -> (String, String) {
    if change.secret {
        return ("****".to_owned(), "**** (new)".to_owned());
    }
    let from = change
        .from
        .as_deref()
        .map_or("(not told)".to_owned(), quoted);
    (from, quoted(&change.to))
}

fn quoted(value: &str) -> String {
    format!("\"{}\"", plain(value))
}

/// What the device did not tell, for people.
pub(crate) fn unread(reading: &Reading) -> String {
    let mut text = String::new();
    for unread in &reading.unread {
        let why = match &unread.why {
            Why::NoReadForm => "no reply tells it".to_owned(),
            Why::Refused(words) => plain(words),
            Why::NotTold => "the device did not tell it".to_owned(),
        };
        let _ = writeln!(text, "not read: {}: {why}", unread.group);
    }
    text
}

/// A line that is written over, where somebody looks.
pub(crate) struct Progress {
    shows: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            shows: io::stderr().is_terminal(),
        }
    }

    pub(crate) fn step(&self, step: &Step) {
        let text = match step {
            Step::Reading(at, of) => format!("reading {at}/{of}"),
            Step::Setting(line, at, of) => format!("setting {at}/{of}: {}", plain(line)),
            Step::Saving => "saving".to_owned(),
            Step::Trying(seconds) => format!("on trial for {seconds} s"),
            Step::Restarting => "restarting".to_owned(),
            Step::PuttingBack => "putting the old values back".to_owned(),
        };
        if self.shows {
            let _ = write!(io::stderr(), "\r\x1b[K{text}");
            let _ = io::stderr().flush();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shows {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// How it ended, in words.
pub(crate) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::NothingToDo => "nothing to do\n".to_owned(),
        Outcome::Done { not_verifiable } => {
            let mut text = "done: set, stored, read back\n".to_owned();
            for key in not_verifiable {
                let _ = writeln!(text, "not verifiable: {key} (no reply tells it)");
            }
            text
        }
        Outcome::PutBack(failure) => format!("{}the old values are back\n", failure_text(failure)),
        Outcome::Mixed(failure, groups) => {
            let mut text = failure_text(failure);
            text.push_str("these settings may have new values, and are not back:\n");
            for group in groups {
                let _ = writeln!(text, "  {group}");
            }
            text
        }
    }
}

/// What failed, in words.
pub(crate) fn failure_text(failure: &Failure) -> String {
    match failure {
        Failure::Refused(line, words) => {
            format!("the device refused {}: {}\n", plain(line), plain(words))
        }
        Failure::Door(words) => format!("{}\n", plain(words)),
        Failure::Differs(changes) => {
            let mut text = "the device took it, and reads back otherwise:\n".to_owned();
            for change in changes {
                let (has, wanted) = shown(change);
                let _ = writeln!(text, "  {} is {has}, not {wanted}", change.key);
            }
            text
        }
    }
}
