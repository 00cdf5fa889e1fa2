//! The line that is typed: editing, history, completion by the command table, bytes that do not print.

use std::collections::VecDeque;

use dtu_proto::{CommandDescription, commands};
use dtu_setup::charset::{Charset, encode};
use dtu_setup::{Language, Sentence, chinese};

use crate::say::{self, language, said};

/// What is sent behind the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LineEnd {
    #[default]
    Cr,
    CrLf,
    Lf,
    None,
}

impl LineEnd {
    pub(super) const fn next(self) -> Self {
        match self {
            Self::Cr => Self::CrLf,
            Self::CrLf => Self::Lf,
            Self::Lf => Self::None,
            Self::None => Self::Cr,
        }
    }

    pub(super) fn name(self) -> String {
        match self {
            Self::Cr => "CR".to_owned(),
            Self::CrLf => "CR LF".to_owned(),
            Self::Lf => "LF".to_owned(),
            Self::None => said(say::line_end_none()),
        }
    }

    const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Cr => b"\r",
            Self::CrLf => b"\r\n",
            Self::Lf => b"\n",
            Self::None => b"",
        }
    }
}

#[derive(Debug)]
pub(super) struct Prompt {
    pub(super) text: String,
    pub(super) line_end: LineEnd,
    /// That of the line.
    pub(super) charset: Charset,
    history: VecDeque<String>,
    /// Where in the history, from its end.
    at: usize,
    table: Vec<CommandDescription>,
}

const HISTORY: usize = 100;

impl Default for Prompt {
    fn default() -> Self {
        Self {
            text: String::new(),
            line_end: LineEnd::default(),
            charset: Charset::default(),
            history: VecDeque::new(),
            at: 0,
            table: commands().collect(),
        }
    }
}

impl Prompt {
    /// The bytes of the line, which is empty then.
    ///
    /// # Errors
    /// What is wrong with an escape in it, or a character that the charset lacks; the line stays.
    pub(super) fn take(&mut self) -> Result<Vec<u8>, Sentence> {
        let mut bytes = unescaped(&self.text, self.charset)?;
        bytes.extend_from_slice(self.line_end.bytes());
        let line = std::mem::take(&mut self.text);
        self.at = 0;
        if !line.is_empty() && self.history.back() != Some(&line) {
            if self.history.len() == HISTORY {
                self.history.pop_front();
            }
            self.history.push_back(line);
        }
        Ok(bytes)
    }

    pub(super) fn older(&mut self) {
        self.at = (self.at + 1).min(self.history.len());
        self.recall();
    }

    pub(super) fn newer(&mut self) {
        self.at = self.at.saturating_sub(1);
        self.recall();
    }

    fn recall(&mut self) {
        let place = self.history.len().checked_sub(self.at);
        let line = place.and_then(|place| self.history.get(place));
        self.text = line.cloned().unwrap_or_default();
    }

    fn fitting(&self) -> impl Iterator<Item = &CommandDescription> {
        let typed = self.text.to_ascii_uppercase();
        self.table
            .iter()
            .filter(move |command| typed.starts_with("AT") && command.name.starts_with(&typed))
    }

    /// As far as all that fit are equal.
    pub(super) fn complete(&mut self) {
        let Some(first) = self.fitting().next().map(|command| command.name.clone()) else {
            return;
        };
        let common = self.fitting().fold(first.as_str(), |common, command| {
            let equal = common
                .bytes()
                .zip(command.name.bytes())
                .take_while(|(one, other)| one == other)
                .count();
            &common[..equal]
        });
        self.text = common.to_owned();
    }

    /// What can be typed, or what the typed command does.
    pub(super) fn hint(&self) -> String {
        let typed = self.text.to_ascii_uppercase();
        let name = typed.split(['=', '?']).next().unwrap_or_default();
        if let Some(command) = self.table.iter().find(|command| command.name == name) {
            let ranges = command.parameters.iter();
            let is_chinese = language() == Language::Chinese;
            let ranges: Vec<String> = ranges
                .map(|parameter| {
                    if is_chinese {
                        format!("{}：{}", parameter.name, chinese::range(&parameter.range))
                    } else {
                        format!("{}: {}", parameter.name, parameter.range)
                    }
                })
                .collect();
            let help = if is_chinese {
                chinese::explained(command).0
            } else {
                command.help
            };
            return format!(
                "{help} | {} | {}",
                command.forms.join(" "),
                ranges.join("; ")
            );
        }
        let names: Vec<&str> = self
            .fitting()
            .map(|command| command.name.as_str())
            .collect();
        names.join("  ")
    }
}

/// `\x02`, `\r`, `\n`, `\t`, `\\`; everything else as it is, in the charset of the line.
fn unescaped(text: &str, charset: Charset) -> Result<Vec<u8>, Sentence> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend(encode(charset, &rest[..at])?);
        let escape = &rest[at + 1..];
        let (byte, taken) = match escape.bytes().next() {
            Some(b'r') => (b'\r', 1),
            Some(b'n') => (b'\n', 1),
            Some(b't') => (b'\t', 1),
            Some(b'\\') => (b'\\', 1),
            Some(b'x') => {
                let digits = escape.get(1..3).unwrap_or_default();
                let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                let byte = u8::from_str_radix(digits, 16).ok().filter(|_| is_hex);
                (byte.ok_or_else(say::two_hex_digits)?, 3)
            }
            _ => return Err(say::escapes()),
        };
        bytes.push(byte);
        rest = &escape[taken..];
    }
    bytes.extend(encode(charset, rest)?);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Prompt {
        Prompt {
            text: text.to_owned(),
            ..Prompt::default()
        }
    }

    #[test]
    fn commands_are_completed_by_the_table() {
        let mut prompt = typed("at+cips");
        assert!(prompt.hint().contains("AT+CIPSCONT") && prompt.hint().contains("AT+CIPSW"));
        prompt.complete();
        assert_eq!(prompt.text, "AT+CIPS");
        let mut prompt = typed("AT+CIPSC");
        prompt.complete();
        assert_eq!(prompt.text, "AT+CIPSCONT");
        assert!(prompt.hint().contains("PROTOCOL: "), "{}", prompt.hint());
        let mut prompt = typed("hello");
        prompt.complete();
        assert_eq!(
            (prompt.text.as_str(), prompt.hint().as_str()),
            ("hello", "")
        );
    }

    #[test]
    fn bytes_that_do_not_print_can_be_sent() {
        let mut prompt = typed("\\x02QPW\\x03");
        assert_eq!(prompt.take().unwrap(), b"\x02QPW\x03\r");
        prompt.line_end = LineEnd::None;
        prompt.text = "a\\\\b\\r\\n\\t".to_owned();
        assert_eq!(prompt.take().unwrap(), b"a\\b\r\n\t");
        for wrong in ["\\", "\\x0", "\\xg1", "\\q", "\\x+1"] {
            prompt.text = wrong.to_owned();
            assert!(prompt.take().is_err(), "{wrong}");
            assert_eq!(prompt.text, wrong, "it stays");
        }
    }

    #[test]
    fn text_goes_out_in_the_charset_of_the_line() {
        let mut prompt = typed("AT+CIMODID=泵\\x00站");
        assert_eq!(prompt.take().unwrap(), b"AT+CIMODID=\xB1\xC3\x00\xD5\xBE\r");
        prompt.text = "Ä".to_owned();
        let lacks = prompt.take().unwrap_err();
        assert!(lacks.english().starts_with("Ä is not in GBK"), "{lacks}");
        prompt.charset = Charset::Utf8;
        assert_eq!(prompt.take().unwrap(), "Ä\r".as_bytes());
    }

    #[test]
    fn lines_come_back_from_the_history() {
        let mut prompt = Prompt::default();
        for line in ["AT+CSQ", "AT+CIVER?", "AT+CIVER?"] {
            prompt.text = line.to_owned();
            prompt.take().unwrap();
        }
        let mut seen = Vec::new();
        for _ in 0..3 {
            prompt.older();
            seen.push(prompt.text.clone());
        }
        assert_eq!(seen, ["AT+CIVER?", "AT+CSQ", "AT+CSQ"]);
        prompt.newer();
        prompt.newer();
        assert_eq!(prompt.text, "");
    }
}
