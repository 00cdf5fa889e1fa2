//! The words of a line, as what each must be: a time, a number, a phone number, a text. What is wrong is told with its
//! place.

use std::collections::VecDeque;
use std::fmt;

use dtu_proto::radio::PhoneNumber;
use dtu_proto::time::Duration;
use sms_codec::hex;
use sms_codec::pdu::Pdu;

use crate::radio::settings::Span;

/// Characters of a fault; the middle of a longer one is left out.
const PROBLEM_MAX: usize = 400;
/// The longest time: 30 days.
const TIME_MAX: Duration = Duration::from_secs(30 * 24 * 3600);

/// What is wrong with a script, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// From 1.
    pub line: usize,
    /// Characters from 1.
    pub column: usize,
    /// What was found, and what is allowed.
    pub problem: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.problem)
    }
}

impl std::error::Error for ScriptError {}

/// A fault goes to terminals and logs, and what was found may be anything, of any length.
fn printable(problem: &str) -> String {
    let clean = |c: char| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    let length = problem.chars().count();
    if length <= PROBLEM_MAX {
        return problem.chars().map(clean).collect();
    }
    let (head, tail) = (
        problem.chars().take(PROBLEM_MAX / 5),
        problem.chars().skip(length - PROBLEM_MAX * 4 / 5),
    );
    head.chain(['…']).chain(tail).map(clean).collect()
}

/// `1m30s`, `500ms`: at most 30 days.
pub(super) fn time(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = rest.split_at(digits);
        let letters = behind.len()
            - behind
                .trim_start_matches(|c: char| c.is_ascii_alphabetic())
                .len();
        let (unit, behind) = behind.split_at(letters);
        let millis: u64 = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        let part = Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(millis)?);
        sum = sum.checked_add(part)?;
        rest = behind;
    }
    (!text.is_empty() && sum <= TIME_MAX).then_some(sum)
}

/// The words of a line, each with its column.
#[derive(Debug)]
pub(super) struct Words<'a> {
    pub(super) line: usize,
    /// Column behind the last character.
    end: usize,
    words: VecDeque<Word>,
    text: &'a str,
}

#[derive(Debug)]
struct Word {
    column: usize,
    text: String,
    quoted: bool,
}

impl<'a> Words<'a> {
    pub(super) fn new(text: &'a str, line: usize) -> Result<Self, ScriptError> {
        let mut words = Self {
            line,
            end: text.chars().count() + 1,
            words: VecDeque::new(),
            text,
        };
        words.split()?;
        Ok(words)
    }

    fn split(&mut self) -> Result<(), ScriptError> {
        let mut rest = self.text.chars().enumerate().peekable();
        while let Some((at, c)) = rest.next() {
            match c {
                '#' => break,
                c if c.is_whitespace() => {}
                '"' => {
                    let text =
                        quoted(&mut rest).map_err(|problem| self.error_at(at + 1, problem))?;
                    self.words.push_back(Word {
                        column: at + 1,
                        text,
                        quoted: true,
                    });
                }
                c => {
                    let mut text = c.to_string();
                    while let Some((_, c)) = rest.next_if(|(_, c)| !c.is_whitespace() && *c != '#')
                    {
                        text.push(c);
                    }
                    self.words.push_back(Word {
                        column: at + 1,
                        text,
                        quoted: false,
                    });
                }
            }
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(super) fn error_at(&self, column: usize, problem: impl Into<String>) -> ScriptError {
        ScriptError {
            line: self.line,
            column,
            problem: printable(&problem.into()),
        }
    }

    fn next(&mut self, what: &str, allowed: &str) -> Result<Word, ScriptError> {
        let end = self.end;
        self.words
            .pop_front()
            .ok_or_else(|| self.error_at(end, format!("{what} is missing; allowed: {allowed}")))
    }

    pub(super) fn word(
        &mut self,
        what: &str,
        allowed: &str,
    ) -> Result<(usize, String), ScriptError> {
        let word = self.next(what, allowed)?;
        if word.quoted {
            return Err(self.error_at(
                word.column,
                format!("{what} stands here without quotes; allowed: {allowed}"),
            ));
        }
        Ok((word.column, word.text))
    }

    pub(super) fn take_if(&mut self, wanted: &str) -> bool {
        let found = self
            .words
            .front()
            .is_some_and(|word| word.text == wanted && !word.quoted);
        if found {
            self.words.pop_front();
        }
        found
    }

    pub(super) fn expect(&mut self, wanted: &str) -> Result<(), ScriptError> {
        let (column, word) = self.word(&format!("the word \"{wanted}\""), wanted)?;
        if word == wanted {
            return Ok(());
        }
        Err(self.error_at(
            column,
            format!("\"{word}\" stands where \"{wanted}\" is wanted"),
        ))
    }

    pub(super) fn end(&mut self) -> Result<(), ScriptError> {
        let Some(word) = self.words.pop_front() else {
            return Ok(());
        };
        Err(self.error_at(
            word.column,
            format!(
                "\"{}\" stands behind the end of what is wanted here",
                word.text
            ),
        ))
    }

    pub(super) fn time(&mut self, what: &str) -> Result<Duration, ScriptError> {
        const ALLOWED: &str = "a time as 500ms, 10s, 5m, 2h, 1d or 1m30s, at most 30d";
        let (column, word) = self.word(&format!("the time of \"{what}\""), ALLOWED)?;
        time(&word).ok_or_else(|| {
            self.error_at(column, format!("\"{word}\" is no time; allowed: {ALLOWED}"))
        })
    }

    pub(super) fn optional_time(&mut self) -> Result<Option<Duration>, ScriptError> {
        if self.is_empty() {
            Ok(None)
        } else {
            self.time("it").map(Some)
        }
    }

    /// `200ms..1s`, or one time for both ends.
    pub(super) fn span(&mut self) -> Result<Span, ScriptError> {
        const ALLOWED: &str = "A..B with A <= B, as 200ms..1s, or one time";
        let (column, word) = self.word("a span of time", ALLOWED)?;
        let (from, to) = word.split_once("..").unwrap_or((&word, &word));
        match (time(from), time(to)) {
            (Some(from), Some(to)) if from <= to => Ok(Span { from, to }),
            _ => Err(self.error_at(
                column,
                format!("\"{word}\" is no span of time; allowed: {ALLOWED}"),
            )),
        }
    }

    pub(super) fn number(
        &mut self,
        what: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<u64, ScriptError> {
        let allowed = format!("{}..={}", range.start(), range.end());
        let (column, word) = self.word(&format!("the number of \"{what}\""), &allowed)?;
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            self.error_at(
                column,
                format!("\"{word}\" is not allowed for {what}; allowed: {allowed}"),
            )
        })
    }

    pub(super) fn phone(&mut self) -> Result<PhoneNumber, ScriptError> {
        const ALLOWED: &str = "up to 20 digits, + in front where it is international";
        let (column, word) = self.word("a phone number", ALLOWED)?;
        PhoneNumber::new(&word).ok_or_else(|| {
            self.error_at(
                column,
                format!("\"{word}\" is no phone number; allowed: {ALLOWED}"),
            )
        })
    }

    pub(super) fn quoted(&mut self) -> Result<String, ScriptError> {
        let word = self.next("a text", "a text in quotes, \"like this\"")?;
        if word.quoted {
            return Ok(word.text);
        }
        Err(self.error_at(word.column, format!("{} is no text in quotes", word.text)))
    }

    pub(super) fn octets(&mut self) -> Result<Vec<u8>, ScriptError> {
        let (column, word) = self.word("octets", "hex digits, an even number")?;
        hex::decode(&word).map_err(|error| self.error_at(column, error.to_string()))
    }

    pub(super) fn pdu(&mut self) -> Result<Pdu, ScriptError> {
        let column = self.words.front().map_or(self.end, |word| word.column);
        let octets = self.octets()?;
        let decoded =
            Pdu::decode(&octets).map_err(|error| self.error_at(column, error.to_string()))?;
        Ok(decoded.pdu)
    }

    pub(super) fn switch(&mut self) -> Result<bool, ScriptError> {
        let (column, word) = self.word("on or off", "on, off")?;
        match word.as_str() {
            "on" => Ok(true),
            "off" => Ok(false),
            word => {
                Err(self.error_at(column, format!("\"{word}\" is no switch; allowed: on, off")))
            }
        }
    }
}

/// What stands in quotes, up to the closing one; `\n`, `\r`, `\t`, `\\`, `\"` as in C.
fn quoted(rest: &mut impl Iterator<Item = (usize, char)>) -> Result<String, String> {
    let mut text = String::new();
    while let Some((_, c)) = rest.next() {
        match c {
            '"' => return Ok(text),
            '\\' => match rest.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 'r')) => text.push('\r'),
                Some((_, 't')) => text.push('\t'),
                Some((_, c @ ('"' | '\\'))) => text.push(c),
                Some((_, c)) => {
                    return Err(format!(
                        "\\{c} is no escape; allowed: \\n \\r \\t \\\\ \\\""
                    ));
                }
                None => break,
            },
            c => text.push(c),
        }
    }
    Err("the quote is not closed".to_owned())
}
