//! Words of a line: numbers, hex bytes, text without blanks.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::{FromStr, Split};

use crate::event::{LinkId, QueueId, SocketId};

/// Bytes as hex digits; none is `-`.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("-");
        }
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Text as one word; none is `-`.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => return f.write_str("-"),
            "-" => return f.write_str("%2d"),
            _ => {}
        }
        self.0.bytes().try_for_each(|byte| match byte {
            b'%' => f.write_str("%25"),
            b'!'..=b'~' => write!(f, "{}", char::from(byte)),
            _ => write!(f, "%{byte:02x}"),
        })
    }
}

/// The words of one line, taken from the left.
pub(super) struct Words<'a>(Split<'a, char>);

impl<'a> Words<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self(line.split(' '))
    }

    pub(super) fn any(&mut self, what: &str) -> Result<&'a str, String> {
        self.0
            .next()
            .filter(|word| !word.is_empty())
            .ok_or_else(|| format!("{what} is missing"))
    }

    pub(super) fn number<T: FromStr>(&mut self, what: &str) -> Result<T, String> {
        let word = self.any(what)?;
        word.parse()
            .map_err(|_| format!("{what}: `{word}` is not allowed here"))
    }

    /// As [`Self::number`]; an older record may not have the word.
    pub(super) fn number_or<T: FromStr>(&mut self, what: &str, absent: T) -> Result<T, String> {
        match self.0.clone().next() {
            None => Ok(absent),
            Some(_) => self.number(what),
        }
    }

    pub(super) fn link(&mut self) -> Result<LinkId, String> {
        let number = self.number("a link, 1..=4")?;
        LinkId::from_number(number).ok_or_else(|| format!("a link is 1..=4, got {number}"))
    }

    pub(super) fn channel(&mut self) -> Result<SocketId, String> {
        let word = self.any("a channel")?;
        let socket = SocketId::from_word(word).filter(|socket| socket.link().is_none());
        socket.ok_or_else(|| unknown(word, "channel", "at, httpd, to-1 to to-8"))
    }

    pub(super) fn queue(&mut self) -> Result<QueueId, String> {
        let word = self.any("a queue")?;
        QueueId::from_word(word)
            .ok_or_else(|| unknown(word, "queue", "1 to 4, httpd, serial-command"))
    }

    pub(super) fn hex(&mut self) -> Result<Vec<u8>, String> {
        match self.any("bytes in hex, or -")? {
            "-" => Ok(Vec::new()),
            digits => unhex(digits.as_bytes())
                .ok_or_else(|| "bytes must be an even number of hex digits, or -".into()),
        }
    }

    pub(super) fn text(&mut self, what: &str) -> Result<String, String> {
        text(self.any(what)?, what)
    }

    pub(super) fn optional_text(&mut self, what: &str) -> Result<Option<String>, String> {
        self.optional().map(|word| text(word, what)).transpose()
    }

    pub(super) fn end(&mut self) -> Result<(), String> {
        self.0.next().map_or(Ok(()), |word| {
            Err(format!("`{word}`: nothing more is allowed on this line"))
        })
    }

    pub(super) fn optional(&mut self) -> Option<&'a str> {
        self.0.next()
    }
}

fn text(word: &str, what: &str) -> Result<String, String> {
    if word == "-" {
        return Ok(String::new());
    }
    let text = unescape(word.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| {
        format!("{what}: `{word}` is not text with %XX for what is not graphic ASCII")
    })
}

pub(super) fn unknown(word: &str, what: &str, allowed: &str) -> String {
    format!("unknown {what} `{word}`, allowed: {allowed}")
}

pub(super) fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks_exact(2).map(pair).collect()
}

fn pair(digits: &[u8]) -> Option<u8> {
    let &[high, low] = digits else { return None };
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    Some(digit(high)? << 4 | digit(low)?)
}

fn unescape(mut word: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(word.len());
    while let Some((&first, rest)) = word.split_first() {
        if first == b'%' {
            bytes.push(pair(rest.get(..2)?)?);
            word = rest.get(2..)?;
        } else {
            bytes.push(first);
            word = rest;
        }
    }
    Some(bytes)
}
