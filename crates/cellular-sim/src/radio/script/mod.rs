//! The script language: one thing a line, `[at TIME] [repeat N every TIME] [modem N] VERB …`, `#` begins a comment.
//! `docs/radio.md` lists the verbs with their units and ranges.

#[cfg(test)]
mod tests;
mod verbs;
mod words;

use dtu_proto::time::Duration;

use super::verb::Verb;
use verbs::{modem, verb};
pub use words::ScriptError;
use words::Words;

/// Steps of a script, repeats with them.
const STEPS_MAX: usize = 100_000;
/// Bytes of texts and data, repeats with them.
const TEXTS_MAX: usize = 16 << 20;

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
