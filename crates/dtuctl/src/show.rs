//! What people see: values before and after, and what goes on.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

use dtu_setup::apply::{Failure, Outcome, Plan, Step};
use dtu_setup::reading::{Reading, Why};
use dtu_setup::say::{Language, Sentence, Spoken as _};
use dtu_setup::values::Change;

use crate::say::{self, said};

/// Text of others (a device, a file, an argument), which never drives the terminal: what does not print is written out.
pub(crate) fn plain(text: &str) -> String {
    written_out(text, is_odd)
}

/// The same for text of several lines.
pub(crate) fn plain_lines(text: &str) -> String {
    written_out(text, |char| char != '\n' && is_odd(char))
}

/// Control characters, and those that turn the direction of what stands behind them.
fn is_odd(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{61C}'
                | '\u{200E}'
                | '\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2066}'..='\u{2069}'
        )
}

fn written_out(text: &str, is_odd: impl Fn(char) -> bool) -> String {
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
        let missing = say::no_such_setting(&unread.key, unread.why.map(plain));
        let _ = writeln!(text, "! {}", said(missing));
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
        let _ = writeln!(text, "{red}- {key} = {}{plain_again}", said(from));
        let _ = writeln!(text, "{green}+ {key} = {}{plain_again}", said(to));
    }
    text
}

fn shown(change: &Change) -> (Sentence, Sentence) {
    if change.secret {
        return (Sentence::as_it_came("****"), say::new_secret());
    }
    let from = change
        .from
        .as_deref()
        .map_or_else(say::value_not_told, quoted);
    (from, quoted(&change.to))
}

fn quoted(value: &str) -> Sentence {
    Sentence::as_it_came(format!("\"{}\"", plain(value)))
}

/// What the device did not tell, for people.
pub(crate) fn unread(reading: &Reading) -> String {
    let mut text = String::new();
    for unread in &reading.unread {
        let why = match &unread.why {
            Why::NoText => say::told_no_text(),
            Why::NoReadForm | Why::Refused(_) | Why::NotTold => unread.why.spoken().map(plain),
        };
        let _ = writeln!(text, "{}", said(say::not_read(&unread.group, why)));
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
        if self.shows {
            let _ = write!(io::stderr(), "\r\x1b[K{}", plain(&said(step)));
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
pub(crate) fn outcome(outcome: &Outcome, language: Language) -> String {
    let mut text = String::new();
    let mut line = |what: Sentence| {
        let _ = writeln!(text, "{}", what.said_in(language));
    };
    match outcome {
        Outcome::NothingToDo => line(say::nothing_to_do()),
        Outcome::Done { not_verifiable } => {
            line(say::done());
            for key in not_verifiable {
                line(say::not_verifiable(key));
            }
        }
        Outcome::PutBack(why) => {
            line(failure(why));
            line(say::old_values_back());
        }
        Outcome::Mixed(why, groups) => {
            line(failure(why));
            line(say::not_back());
            for group in groups {
                line(Sentence::as_it_came(format!("  {group}")));
            }
        }
    }
    text
}

/// What failed, in words: a line, or one more for each value that reads back otherwise.
pub(crate) fn failure(failure: &Failure) -> Sentence {
    let Failure::Differs(changes) = failure else {
        return failure.spoken().map(plain);
    };
    let values = changes.iter().map(|change| {
        let (has, wanted) = shown(change);
        say::is_not(&change.key, has, wanted)
    });
    values.fold(say::reads_back_otherwise(), |all, value| {
        Sentence::new(
            format!("{}\n  {}", all.english(), value.english()),
            format!("{}\n  {}", all.chinese(), value.chinese()),
        )
    })
}
