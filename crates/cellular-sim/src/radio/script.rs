//! The script language: one thing a line, `[at TIME] [repeat N every TIME] [modem N] VERB …`, `#` begins a comment.
//! `docs/radio.md` lists the verbs with their units and ranges.

use std::fmt;

use dtu_proto::radio::{Cell, Operator, PhoneNumber, Registration, Signal};
use dtu_proto::time::Duration;
use sms_codec::hex;
use sms_codec::pdu::Pdu;

use super::phone::Answering;
use super::settings::{Faults, Span};
use super::verb::{ModemFault, Verb};

/// Steps of a script, repeats with them.
const STEPS_MAX: usize = 100_000;
/// Bytes of texts and data, repeats with them.
const TEXTS_MAX: usize = 16 << 20;
/// Characters of a fault; the middle of a longer one is left out.
const PROBLEM_MAX: usize = 400;
/// The longest time: 30 days.
const TIME_MAX: Duration = Duration::from_secs(30 * 24 * 3600);
const VERBS: &str = "sms, data, pdu, call, answer, hangup, phone, registration, signal, cell, operator, reset, leave, \
                     back, faults, submit, delivery, silent, slow, blank-lines, bare-prompt, prompt-errors, lines-inside, \
                     pin-unheeded, tries-stay";

/// A script that was read: what happens, in the order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The steps, by their time.
    pub steps: Vec<Step>,
}

/// One thing of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, from the start.
    pub at: Duration,
    /// To which modem: 1 and up.
    pub modem: usize,
    /// What.
    pub verb: Verb,
    /// The line of the script, from 1.
    pub line: usize,
}

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

impl Script {
    /// Reads a whole script.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let mut steps = Vec::new();
        let mut room = TEXTS_MAX;
        for (number, line) in text.lines().enumerate() {
            let mut words = Words::new(line, number + 1)?;
            if words.is_empty() {
                continue;
            }
            read_line(&mut words, &mut steps, &mut room)?;
            if steps.len() > STEPS_MAX {
                return Err(words.error_at(1, format!("more than {STEPS_MAX} steps in all")));
            }
        }
        steps.sort_by_key(|step| step.at);
        Ok(Self { steps })
    }

    /// Reads one line without a time: what happens now. `None` for a blank line or a comment.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse_now(line: &str) -> Result<Option<(usize, Verb)>, ScriptError> {
        let mut words = Words::new(line, 1)?;
        if words.is_empty() {
            return Ok(None);
        }
        let modem = modem(&mut words)?;
        let verb = verb(&mut words)?;
        words.end()?;
        Ok(Some((modem, verb)))
    }
}

/// `room` is what the texts of the script may still take.
fn read_line(
    words: &mut Words<'_>,
    steps: &mut Vec<Step>,
    room: &mut usize,
) -> Result<(), ScriptError> {
    let mut at = Duration::ZERO;
    if words.take_if("at") {
        at = words.time("at")?;
    }
    let (mut times, mut every) = (1, Duration::ZERO);
    if words.take_if("repeat") {
        times = words.number("repeat", 1..=10_000)?;
        words.expect("every")?;
        every = words.time("every")?;
    }
    let modem = modem(words)?;
    let verb = verb(words)?;
    words.end()?;
    for n in 0..times {
        let verb = numbered(&verb, n + 1);
        *room = room.checked_sub(size(&verb)).ok_or_else(|| {
            words.error_at(1, format!("more than {TEXTS_MAX} bytes of texts in all"))
        })?;
        let at = at + every * u32::try_from(n).unwrap_or(u32::MAX);
        steps.push(Step {
            at,
            modem,
            verb,
            line: words.line,
        });
    }
    Ok(())
}

/// In a repeated text `{n}` is the number of the repeat, from 1.
fn numbered(verb: &Verb, n: u64) -> Verb {
    let mut verb = verb.clone();
    if let Verb::Text { text, .. } = &mut verb {
        *text = text.replace("{n}", &n.to_string());
    }
    verb
}

/// Bytes of its text or data.
const fn size(verb: &Verb) -> usize {
    if let Verb::Text { text, .. } = verb {
        text.len()
    } else if let Verb::Data { octets, .. } = verb {
        octets.len()
    } else {
        0
    }
}

fn modem(words: &mut Words<'_>) -> Result<usize, ScriptError> {
    if !words.take_if("modem") {
        return Ok(1);
    }
    let number = words.number("modem", 1..=1000)?;
    Ok(usize::try_from(number).unwrap_or(1))
}

fn verb(words: &mut Words<'_>) -> Result<Verb, ScriptError> {
    let (column, name) = words.word("a verb", VERBS)?;
    Ok(match name.as_str() {
        "sms" => {
            let (from, to) = parties(words)?;
            Verb::Text {
                from,
                to,
                text: words.quoted()?,
            }
        }
        "data" => {
            words.expect("from")?;
            let from = words.phone()?;
            Verb::Data {
                from,
                octets: words.octets()?,
            }
        }
        "pdu" => Verb::Pdu(Box::new(words.pdu()?)),
        "call" => {
            let (from, to) = parties(words)?;
            Verb::Call { from, to }
        }
        "answer" => Verb::Answer(words.phone()?),
        "hangup" => Verb::HangUp(words.phone()?),
        "phone" => Verb::Phone(words.phone()?, answering(words)?),
        "registration" => Verb::Registration(registration(words)?, words.optional_time()?),
        "signal" => signal(words)?,
        "cell" => {
            let area = words.number("area", 0..=0xFF_FFFF)?;
            let id = words.number("cell", 0..=0xFFF_FFFF)?;
            Verb::Cell(Cell {
                area: narrow(area),
                id: narrow(id),
            })
        }
        "operator" => operator(words)?,
        "reset" => Verb::Reset(words.optional_time()?),
        "leave" => Verb::Leave(words.optional_time()?),
        "back" => Verb::Back,
        "faults" => Verb::Faults(faults(words)?),
        "submit" => Verb::SubmitTime(words.span()?),
        "delivery" => Verb::DeliveryTime(words.span()?),
        name => match modem_fault(name, words)? {
            Some(fault) => Verb::Modem(fault),
            None => {
                return Err(
                    words.error_at(column, format!("\"{name}\" is no verb; allowed: {VERBS}"))
                );
            }
        },
    })
}

fn modem_fault(name: &str, words: &mut Words<'_>) -> Result<Option<ModemFault>, ScriptError> {
    Ok(Some(match name {
        "silent" => ModemFault::Silent(words.time("silent")?),
        "slow" => ModemFault::Slow(words.time("slow")?),
        "blank-lines" => ModemFault::BlankLines(words.switch()?),
        "bare-prompt" => ModemFault::BarePrompt(words.switch()?),
        "lines-inside" => ModemFault::LinesInside(words.switch()?),
        "pin-unheeded" => ModemFault::PinUnheeded(words.switch()?),
        "tries-stay" => ModemFault::TriesStay(words.switch()?),
        "prompt-errors" => {
            let count = words.number("prompt-errors", 0..=255)?;
            ModemFault::PromptErrors(u8::try_from(count).unwrap_or(u8::MAX))
        }
        _ => return Ok(None),
    }))
}

fn parties(words: &mut Words<'_>) -> Result<(PhoneNumber, Option<PhoneNumber>), ScriptError> {
    words.expect("from")?;
    let from = words.phone()?;
    let to = if words.take_if("to") {
        Some(words.phone()?)
    } else {
        None
    };
    Ok((from, to))
}

fn answering(words: &mut Words<'_>) -> Result<Answering, ScriptError> {
    const ALLOWED: &str = "answers [TIME], busy, rings, off";
    let (column, word) = words.word("what the phone does", ALLOWED)?;
    Ok(match word.as_str() {
        "answers" => Answering::After(words.optional_time()?.unwrap_or(Duration::from_secs(5))),
        "busy" => Answering::Busy,
        "rings" => Answering::Rings,
        "off" => Answering::Off,
        word => {
            return Err(words.error_at(
                column,
                format!("\"{word}\" is nothing a phone does; allowed: {ALLOWED}"),
            ));
        }
    })
}

fn registration(words: &mut Words<'_>) -> Result<Registration, ScriptError> {
    const ALLOWED: &str = "home, roaming, searching, denied, lost, unknown";
    let (column, word) = words.word("a registration", ALLOWED)?;
    Ok(match word.as_str() {
        "home" => Registration::Home,
        "roaming" => Registration::Roaming,
        "searching" => Registration::Searching,
        "denied" => Registration::Denied,
        "lost" => Registration::NotRegistered,
        "unknown" => Registration::Unknown,
        word => {
            return Err(words.error_at(
                column,
                format!("\"{word}\" is no registration; allowed: {ALLOWED}"),
            ));
        }
    })
}

fn signal(words: &mut Words<'_>) -> Result<Verb, ScriptError> {
    if words.take_if("moves") {
        return Ok(Verb::SignalMoves(Some(words.time("moves")?)));
    }
    if words.take_if("steady") {
        return Ok(Verb::SignalMoves(None));
    }
    const ALLOWED: &str = "0..=31 or 99, then 0..=7 or 99; moves TIME; steady";
    let mut class = |most: u64| -> Result<u8, ScriptError> {
        let (column, word) = words.word("a signal", ALLOWED)?;
        let number = word
            .parse()
            .ok()
            .filter(|number: &u64| *number <= most || *number == 99);
        let number = number.and_then(|number| u8::try_from(number).ok());
        number.ok_or_else(|| {
            words.error_at(
                column,
                format!("\"{word}\" is no signal; allowed: {ALLOWED}"),
            )
        })
    };
    let strength = class(31)?;
    let error_rate = if words.is_empty() {
        99
    } else {
        signal_rate(words)?
    };
    Ok(Verb::Signal(Signal {
        strength,
        error_rate,
    }))
}

fn signal_rate(words: &mut Words<'_>) -> Result<u8, ScriptError> {
    let (column, word) = words.word("an error rate", "0..=7 or 99")?;
    let rate = word.parse().ok().filter(|rate| *rate <= 7 || *rate == 99);
    rate.ok_or_else(|| {
        words.error_at(
            column,
            format!("\"{word}\" is no error rate; allowed: 0..=7 or 99"),
        )
    })
}

fn operator(words: &mut Words<'_>) -> Result<Verb, ScriptError> {
    let name = words.quoted()?;
    let (column, code) = words.word("a network code", "5 or 6 digits")?;
    if !(5..=6).contains(&code.len()) || !code.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(words.error_at(
            column,
            format!("\"{code}\" is no network code; allowed: 5 or 6 digits"),
        ));
    }
    Ok(Verb::Operator(Operator { name, code }))
}

fn faults(words: &mut Words<'_>) -> Result<Faults, ScriptError> {
    const ALLOWED: &str =
        "none, lost N, answer-lost N, refused N, doubled N, overtaken N (of a hundred)";
    let mut faults = Faults::default();
    if words.take_if("none") {
        return Ok(faults);
    }
    loop {
        let (column, name) = words.word("a fault", ALLOWED)?;
        let slot = match name.as_str() {
            "lost" => &mut faults.lost,
            "answer-lost" => &mut faults.answer_lost,
            "refused" => &mut faults.refused,
            "doubled" => &mut faults.doubled,
            "overtaken" => &mut faults.overtaken,
            name => {
                return Err(words.error_at(
                    column,
                    format!("\"{name}\" is no fault; allowed: {ALLOWED}"),
                ));
            }
        };
        *slot = u8::try_from(words.number(&name, 0..=100)?).unwrap_or(100);
        if words.is_empty() {
            return Ok(faults);
        }
    }
}

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

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// `1m30s`, `500ms`: at most 30 days.
fn time(text: &str) -> Option<Duration> {
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
struct Words<'a> {
    line: usize,
    /// Column behind the last character.
    end: usize,
    words: std::collections::VecDeque<Word>,
    text: &'a str,
}

#[derive(Debug)]
struct Word {
    column: usize,
    text: String,
    quoted: bool,
}

impl<'a> Words<'a> {
    fn new(text: &'a str, line: usize) -> Result<Self, ScriptError> {
        let mut words = Self {
            line,
            end: text.chars().count() + 1,
            words: std::collections::VecDeque::new(),
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

    fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    fn error_at(&self, column: usize, problem: impl Into<String>) -> ScriptError {
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

    fn word(&mut self, what: &str, allowed: &str) -> Result<(usize, String), ScriptError> {
        let word = self.next(what, allowed)?;
        if word.quoted {
            return Err(self.error_at(
                word.column,
                format!("{what} stands here without quotes; allowed: {allowed}"),
            ));
        }
        Ok((word.column, word.text))
    }

    fn take_if(&mut self, wanted: &str) -> bool {
        let found = self
            .words
            .front()
            .is_some_and(|word| word.text == wanted && !word.quoted);
        if found {
            self.words.pop_front();
        }
        found
    }

    fn expect(&mut self, wanted: &str) -> Result<(), ScriptError> {
        let (column, word) = self.word(&format!("the word \"{wanted}\""), wanted)?;
        if word == wanted {
            return Ok(());
        }
        Err(self.error_at(
            column,
            format!("\"{word}\" stands where \"{wanted}\" is wanted"),
        ))
    }

    fn end(&mut self) -> Result<(), ScriptError> {
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

    fn time(&mut self, what: &str) -> Result<Duration, ScriptError> {
        const ALLOWED: &str = "a time as 500ms, 10s, 5m, 2h, 1d or 1m30s, at most 30d";
        let (column, word) = self.word(&format!("the time of \"{what}\""), ALLOWED)?;
        time(&word).ok_or_else(|| {
            self.error_at(column, format!("\"{word}\" is no time; allowed: {ALLOWED}"))
        })
    }

    fn optional_time(&mut self) -> Result<Option<Duration>, ScriptError> {
        if self.is_empty() {
            Ok(None)
        } else {
            self.time("it").map(Some)
        }
    }

    /// `200ms..1s`, or one time for both ends.
    fn span(&mut self) -> Result<Span, ScriptError> {
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

    fn number(
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

    fn phone(&mut self) -> Result<PhoneNumber, ScriptError> {
        const ALLOWED: &str = "up to 20 digits, + in front where it is international";
        let (column, word) = self.word("a phone number", ALLOWED)?;
        PhoneNumber::new(&word).ok_or_else(|| {
            self.error_at(
                column,
                format!("\"{word}\" is no phone number; allowed: {ALLOWED}"),
            )
        })
    }

    fn quoted(&mut self) -> Result<String, ScriptError> {
        let word = self.next("a text", "a text in quotes, \"like this\"")?;
        if word.quoted {
            return Ok(word.text);
        }
        Err(self.error_at(word.column, format!("{} is no text in quotes", word.text)))
    }

    fn octets(&mut self) -> Result<Vec<u8>, ScriptError> {
        let (column, word) = self.word("octets", "hex digits, an even number")?;
        hex::decode(&word).map_err(|error| self.error_at(column, error.to_string()))
    }

    fn pdu(&mut self) -> Result<Pdu, ScriptError> {
        let column = self.words.front().map_or(self.end, |word| word.column);
        let octets = self.octets()?;
        let decoded =
            Pdu::decode(&octets).map_err(|error| self.error_at(column, error.to_string()))?;
        Ok(decoded.pdu)
    }

    fn switch(&mut self) -> Result<bool, ScriptError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        Script::parse(text)
            .map(|_| String::new())
            .unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn times_have_units() {
        let millis = |text| time(text).map(|time| time.as_millis());
        assert_eq!(millis("1m30s"), Some(90_000));
        assert_eq!(millis("500ms"), Some(500));
        assert_eq!(millis("2h"), Some(7_200_000));
        for bad in [
            "",
            "10",
            "s",
            "10 s",
            "-1s",
            "31d",
            "99999999999999999999s",
            "1.5s",
        ] {
            assert_eq!(time(bad), None, "{bad}");
        }
        assert_eq!(
            time(&"18446744073709551615ms".repeat(1100)),
            None,
            "longer than any time"
        );
    }

    #[test]
    fn a_fault_is_one_printable_line_whatever_was_found() {
        let said = problem(&format!("\u{1b}[2J{}", "\0".repeat(100_000)));
        assert!(
            said.chars().count() < 450 && !said.contains(char::is_control),
            "{said}"
        );
        assert!(
            said.starts_with("1:1: \"\u{fffd}[2J") && said.ends_with("tries-stay"),
            "{said}"
        );
    }

    #[test]
    fn a_repeat_of_long_texts_does_not_take_all_memory() {
        let line = format!(
            "repeat 10000 every 1s sms from 10086 \"{}\"\n",
            "x".repeat(20_000)
        );
        assert_eq!(
            problem(&line),
            "1:1: more than 16777216 bytes of texts in all"
        );
        assert_eq!(problem(&line.replace("10000", "800")), "");
    }

    #[test]
    fn a_script_is_read_in_the_order_of_time() {
        let text = "# a day\nat 60s registration lost 300s\nat 10s sms from +8613912345678 \"hi # there\\n\" # note\n\n\
                    at 20s repeat 2 every 5s modem 2 sms from 10086 to +86138 \"{n}\"";
        let script = Script::parse(text).unwrap();
        let shown: Vec<_> = script
            .steps
            .iter()
            .map(|step| (step.at.as_secs(), step.modem, step.line))
            .collect();
        assert_eq!(shown, [(10, 1, 3), (20, 2, 5), (25, 2, 5), (60, 1, 2)]);
        let Verb::Text { text, to, .. } = &script.steps[2].verb else {
            panic!("{script:?}")
        };
        assert_eq!(
            (text.as_str(), to.map(|to| to.to_string())),
            ("2", Some("+86138".into()))
        );
        let Verb::Text { text, .. } = &script.steps[0].verb else {
            panic!("{script:?}")
        };
        assert_eq!(text, "hi # there\n");
    }

    #[test]
    fn every_verb_can_be_written() {
        let all = [
            "sms from 10086 \"x\"",
            "data from 10086 00ff",
            "pdu 0891683108504405F0240D91688159142058F700004190015160012307743A9DAE3FA301",
            "call from 10086",
            "call from 10086 to 10010",
            "answer 10086",
            "hangup 10086",
            "phone 10086 answers 3s",
            "phone 10086 busy",
            "phone 10086 rings",
            "phone 10086 off",
            "registration denied",
            "registration lost 5m",
            "signal 12",
            "signal 12 3",
            "signal 99 99",
            "signal moves 10s",
            "signal steady",
            "cell 21269 34093",
            "operator \"China Unicom\" 46001",
            "reset",
            "reset 5s",
            "leave",
            "leave 30s",
            "back",
            "faults none",
            "faults lost 1 answer-lost 2 refused 3 doubled 4 overtaken 5",
            "submit 200ms..1s",
            "delivery 1s",
            "silent 60s",
            "slow 300ms",
            "blank-lines on",
            "bare-prompt off",
            "prompt-errors 2",
            "lines-inside on",
            "pin-unheeded on",
            "tries-stay off",
        ];
        for line in all {
            assert!(
                matches!(Script::parse_now(line), Ok(Some((1, _)))),
                "{line}: {:?}",
                Script::parse_now(line)
            );
            assert_eq!(problem(&format!("at 1s modem 3 {line}")), "");
        }
        assert_eq!(Script::parse_now("  # nothing"), Ok(None));
    }

    #[test]
    fn faults_of_a_script_are_told_with_line_column_and_what_is_allowed() {
        let all = [
            (
                "\nat 5s regstration lost",
                "2:7: \"regstration\" is no verb; allowed: sms, data",
            ),
            (
                "at 5 reset",
                "1:4: \"5\" is no time; allowed: a time as 500ms",
            ),
            (
                "sms +8613912345678 \"x\"",
                "1:5: \"+8613912345678\" stands where \"from\" is wanted",
            ),
            (
                "sms from Bob \"x\"",
                "1:10: \"Bob\" is no phone number; allowed: up to 20 digits",
            ),
            ("sms from 10086 x", "1:16: x is no text in quotes"),
            ("sms from 10086 \"x", "1:16: the quote is not closed"),
            ("sms from 10086 \"\\q\"", "1:16: \\q is no escape"),
            (
                "sms from 10086",
                "1:15: a text is missing; allowed: a text in quotes",
            ),
            (
                "signal 32",
                "1:8: \"32\" is no signal; allowed: 0..=31 or 99",
            ),
            (
                "signal 3 8",
                "1:10: \"8\" is no error rate; allowed: 0..=7 or 99",
            ),
            (
                "registration gone",
                "1:14: \"gone\" is no registration; allowed: home, roaming",
            ),
            (
                "faults lost 101",
                "1:13: \"101\" is not allowed for lost; allowed: 0..=100",
            ),
            (
                "faults swapped 1",
                "1:8: \"swapped\" is no fault; allowed: none, lost N",
            ),
            (
                "phone 10086 asleep",
                "1:13: \"asleep\" is nothing a phone does; allowed: answers",
            ),
            (
                "operator \"X\" 46",
                "1:14: \"46\" is no network code; allowed: 5 or 6 digits",
            ),
            ("pdu 00", "1:5: "),
            ("data from 1 0g", "1:13: octet 0: 'g' is no hex digit"),
            ("submit 2s..1s", "1:8: \"2s..1s\" is no span of time"),
            ("back now", "1:6: \"now\" stands behind the end"),
            (
                "blank-lines yes",
                "1:13: \"yes\" is no switch; allowed: on, off",
            ),
            (
                "repeat 3 reset",
                "1:10: \"reset\" stands where \"every\" is wanted",
            ),
            (
                "modem 0 reset",
                "1:7: \"0\" is not allowed for modem; allowed: 1..=1000",
            ),
        ];
        for (text, wanted) in all {
            assert!(
                problem(text).starts_with(wanted),
                "{text:?}: {}",
                problem(text)
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_it_panic(text in "\\PC*") {
            let _ = Script::parse(&text);
        }

        #[test]
        fn no_line_of_known_words_makes_it_panic(
            words in proptest::collection::vec(proptest::sample::select(vec![
                "at", "5s", "sms", "from", "10086", "\"x\"", "signal", "faults", "lost", "repeat", "every", "phone", "modem", "call", "to", "\"",
            ]), 0..8)
        ) {
            let _ = Script::parse(&words.join(" "));
        }
    }
}
