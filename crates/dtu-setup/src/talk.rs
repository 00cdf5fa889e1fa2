//! One command and its reply, on whatever carries bytes.

use std::time::Duration;

use dtu_proto::shown_command;

use crate::charset::{Charset, decode_line};
use crate::door::{DoorError, End, Reply};
use crate::serial::Port;

/// The first byte of a reply.
pub(crate) const REPLY: Duration = Duration::from_secs(5);
/// A reply of many lines at 110 Bd.
pub(crate) const REPLY_MOST: Duration = Duration::from_secs(120);
/// A line that is never silent for that long has had its chance.
const CLEARED: Duration = Duration::from_secs(1);
/// Reply bytes that are kept; beyond is no reply of a DTU.
pub(crate) const REPLY_BYTES: usize = 64 * 1024;

/// What comes until it has been silent for so long; of a long talk the beginning.
pub(crate) fn drain(
    port: &mut impl Port,
    silence: Duration,
    most: Duration,
) -> Result<Vec<u8>, DoorError> {
    let mut heard = Vec::new();
    let mut buffer = [0; 256];
    let most = port.now() + most;
    while port.now() < most {
        let until = port.now() + silence;
        let count = port.read(&mut buffer, until)?;
        if count == 0 {
            break;
        }
        if heard.len() < REPLY_BYTES {
            heard.extend_from_slice(&buffer[..count]);
        }
    }
    Ok(heard)
}

/// Forgets what has come: it belongs to nothing that is asked.
pub(crate) fn clear(port: &mut impl Port) -> Result<(), DoorError> {
    drain(port, Duration::ZERO, CLEARED).map(|_| ())
}

/// How long a reply is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    /// For its first line.
    pub(crate) first: Duration,
    /// Between its lines.
    pub(crate) gap: Duration,
    /// For all of it, whatever goes on coming.
    pub(crate) most: Duration,
}

/// The reply to `line`, which was just sent. What came behind its end goes to `behind`.
pub(crate) fn reply(
    port: &mut impl Port,
    behind: &mut Vec<u8>,
    line: &str,
    charset: Charset,
    Waits { first, gap, most }: Waits,
) -> Result<Reply, DoorError> {
    let sent = port.now();
    let most = sent + most;
    let mut until = sent + first;
    let mut collected = Collected::new(line, charset);
    let mut buffer = [0; 1024];
    loop {
        let count = port.read(&mut buffer, until.min(most))?;
        if count == 0 || port.now() >= most {
            return collected.at_silence().ok_or_else(|| DoorError::NoReply {
                line: shown_command(line),
                within: first,
            });
        }
        if let Some((reply, rest)) = collected.take(&buffer[..count]) {
            behind.extend_from_slice(rest);
            return Ok(reply);
        }
        // The echo comes at once; the reply may take as long as ever.
        if collected.has_lines() {
            until = port.now() + gap;
        }
    }
}

/// The reply in a text that is whole.
#[must_use]
pub fn whole_reply(line: &str, text: &str) -> Reply {
    let mut collected = Collected::new(line, Charset::Utf8);
    if let Some((reply, _)) = collected.take(text.as_bytes()) {
        return reply;
    }
    collected.at_silence().unwrap_or(Reply {
        lines: Vec::new(),
        end: End::Silence,
    })
}

/// What came back so far.
struct Collected<'a> {
    line: &'a str,
    charset: Charset,
    lines: Vec<String>,
    partial: Vec<u8>,
    bytes: usize,
}

impl<'a> Collected<'a> {
    const fn new(line: &'a str, charset: Charset) -> Self {
        Self {
            line,
            charset,
            lines: Vec::new(),
            partial: Vec::new(),
            bytes: 0,
        }
    }

    fn has_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    /// The reply, if it has ended, and what came behind it.
    fn take<'b>(&mut self, bytes: &'b [u8]) -> Option<(Reply, &'b [u8])> {
        self.bytes += bytes.len();
        for (place, byte) in bytes.iter().enumerate() {
            if !matches!(byte, b'\r' | b'\n') {
                if self.partial.len() < REPLY_BYTES {
                    self.partial.push(*byte);
                }
                continue;
            }
            let line = decode_line(
                self.charset,
                core::mem::take(&mut self.partial).trim_ascii(),
            );
            if line.is_empty() || line == self.line {
                continue;
            }
            if let Some(end) = end(&line) {
                let lines = core::mem::take(&mut self.lines);
                let behind = bytes[place + 1..].trim_ascii_start();
                return Some((Reply { lines, end }, behind));
            }
            if self.bytes < REPLY_BYTES {
                self.lines.push(line);
            }
        }
        None
    }

    /// The reply, if lines of one are there.
    fn at_silence(mut self) -> Option<Reply> {
        // Some write their last line without an end.
        let closed = self.take(b"\r").map(|(reply, _)| reply);
        closed.or_else(|| {
            (!self.lines.is_empty()).then(|| Reply {
                lines: core::mem::take(&mut self.lines),
                end: End::Silence,
            })
        })
    }
}

/// What ends a reply (V.250 5.7.1, 27.007 9.2).
pub(crate) fn end(line: &str) -> Option<End> {
    let upper = line.to_ascii_uppercase();
    match upper.as_str() {
        "OK" | "0" | "CLOSE OK" => Some(End::Ok),
        "ERROR" | "4" | "NO CARRIER" => Some(End::Refused(line.to_owned())),
        _ if upper.starts_with("+CME ERROR") || upper.starts_with("+CMS ERROR") => {
            let words = line.split_once(':').map_or(line, |(_, words)| words);
            Some(End::Refused(words.trim().to_owned()))
        }
        _ => None,
    }
}
