//! The text of a recorded run: what the device started from, then every input with its time. Because
//! [`Input`] is the only way into the device, such a log replays the run exactly.
//!
//! ```text
//! dtu-record 1
//! seed 42
//! started 0
//! imei 135790246811220
//! imsi 460023633887978
//! version 0.1.0
//! option setup_window_us 5000000            every option, links as `option link.1.cache 1048576`
//! stored AT+CIPR=115200,8,1,NONE,NFC        one for each line of the stored parameters
//! restored 1 17 68656c6c6f                  frames given to the device before its first input: queue, number, bytes
//! message …                               the messages that were kept, a line each
//! lost 1 3 120 0                          what was lost in earlier runs: queue or `line`, frames, bytes, not spooled
//! begin
//! 1500 serial data 68656c6c6f               microseconds since power-on, kind, fields; bytes in hex
//! 2500 timeout
//! 3000 link 1 connected 10.0.0.2:40000
//! 3100 link 1 closed reset 128
//! ```
//! Empty bytes and empty text are `-`. Text is one word: what is not graphic ASCII, and `%`, is `%XX`.

use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt::{self, Write as _};

use crate::config::Options;
use crate::event::{Input, QueueId};
use crate::identity::Identity;
use crate::status::{Loss, Losses};
use crate::time::Instant;

mod input;
mod modem;
mod options;
#[cfg(test)]
mod tests;
mod word;

pub use input::OwnedInput;

/// What the device started from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The seed given to `Dtu::new`.
    pub seed: u64,
    /// The time given to `Dtu::new`.
    pub started: Instant,
    /// Who the device is.
    pub identity: Identity,
    /// The knobs of the settings file.
    pub options: Options,
    /// The stored parameters, as `to_store_text` gives them.
    pub stored: String,
    /// What was given to `Dtu::restore`, in order.
    pub restored: Vec<(QueueId, u64, Bytes)>,
    /// What was given to `Dtu::restore_messages`.
    pub messages: String,
    /// What was given to `Dtu::restore_losses`.
    pub losses: Losses,
}

/// One line behind the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Instant,
    /// What.
    pub what: Happening,
}

/// What a host does with the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// `Dtu::handle_input`.
    Input(OwnedInput),
    /// `Dtu::handle_timeout`.
    Timeout,
}

/// A line that is not of this format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, and what is allowed.
    pub text: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

impl core::error::Error for Error {}

/// The header as text, up to and with the `begin` line.
#[must_use]
pub fn encode_header(header: &Header) -> String {
    let Header {
        seed,
        started,
        identity,
        options,
        stored,
        restored,
        messages,
        losses,
    } = header;
    let Identity {
        imei,
        imsi,
        version,
    } = identity;
    let mut out = String::from(FIRST_LINE);
    let _ = write!(out, "\nseed {seed}\nstarted {}\n", started.as_micros());
    for (name, text) in [("imei", imei), ("imsi", imsi), ("version", version)] {
        let _ = writeln!(out, "{name} {}", word::Text(text));
    }
    options::encode(&mut out, options);
    for line in stored.split_inclusive('\n') {
        let _ = writeln!(out, "stored {}", word::Text(line));
    }
    for (queue, number, frame) in restored {
        let _ = writeln!(
            out,
            "restored {} {number} {}",
            queue.word(),
            word::Hex(frame)
        );
    }
    for line in messages.split_inclusive('\n') {
        let _ = writeln!(out, "message {}", word::Text(line));
    }
    for queue in QueueId::ALL {
        encode_loss(&mut out, queue.word(), &losses.queues[queue.index()]);
    }
    encode_loss(&mut out, LINE, &losses.line);
    for (place, count) in losses
        .others
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
    {
        let _ = writeln!(out, "counted {place} {count}");
    }
    out.push_str("begin\n");
    out
}

fn encode_loss(out: &mut String, whose: &str, loss: &Loss) {
    if *loss != Loss::default() {
        let _ = writeln!(
            out,
            "lost {whose} {} {} {}",
            loss.frames, loss.bytes, loss.spool_refused
        );
    }
}

/// Appends the line of one `Dtu::handle_input` to `out`.
pub fn encode_input(out: &mut String, at: Instant, input: &Input<'_>) {
    let _ = write!(out, "{} ", at.as_micros());
    input::encode(out, input);
    out.push('\n');
}

/// Appends the line of one `Dtu::handle_timeout` to `out`.
pub fn encode_timeout(out: &mut String, at: Instant) {
    let _ = writeln!(out, "{} timeout", at.as_micros());
}

/// Reads a whole log: the header at once, the entries as they are asked for.
///
/// # Errors
/// The first line of the header that is not of this format.
pub fn parse(text: &str) -> Result<(Header, Entries<'_>), Error> {
    let mut lines = Entries {
        rest: text,
        line: 0,
    };
    let first = lines.next_line().unwrap_or_default();
    if first != FIRST_LINE {
        return Err(lines.error(alloc::format!("a recorded log begins with `{FIRST_LINE}`")));
    }
    let mut header = Header::default();
    loop {
        let Some(line) = lines.next_line() else {
            return Err(Error {
                line: lines.line + 1,
                text: "the log ends before its `begin` line".into(),
            });
        };
        if line == "begin" {
            return Ok((header, lines));
        }
        header_line(&mut header, line).map_err(|text| lines.error(text))?;
    }
}

fn header_line(header: &mut Header, line: &str) -> Result<(), String> {
    let mut words = word::Words::new(line);
    match words.any("a key")? {
        "seed" => header.seed = words.number("the seed")?,
        "started" => header.started = Instant::from_micros(words.number("microseconds")?),
        "imei" => header.identity.imei = words.text("the IMEI")?,
        "imsi" => header.identity.imsi = words.text("the IMSI")?,
        "version" => header.identity.version = words.text("the version")?,
        "option" => options::decode(&mut header.options, &mut words)?,
        "stored" => header
            .stored
            .push_str(&words.text("a line of the stored parameters")?),
        "restored" => {
            let (queue, number) = (words.queue()?, words.number("the number of the frame")?);
            header
                .restored
                .push((queue, number, Bytes::from(words.hex()?)));
        }
        "lost" => {
            let whose = words.any("whose")?;
            let loss = match QueueId::from_word(whose) {
                Some(queue) => &mut header.losses.queues[queue.index()],
                None if whose == LINE => &mut header.losses.line,
                None => {
                    return Err(word::unknown(
                        whose,
                        "queue",
                        "1 to 4, httpd, serial-command, line",
                    ));
                }
            };
            loss.frames = words.number("frames")?;
            loss.bytes = words.number("bytes")?;
            loss.spool_refused = words.number("frames")?;
        }
        "counted" => {
            let place: usize = words.number("a place")?;
            let others = &mut header.losses.others;
            let most = others.len();
            let other = others
                .get_mut(place)
                .ok_or_else(|| alloc::format!("a place is below {most}, got {place}"))?;
            *other = words.number("a count")?;
        }
        "message" => header
            .messages
            .push_str(&words.text("a line of the messages")?),
        other => return Err(word::unknown(other, "header line", HEADER_KEYS)),
    }
    words.end()
}

/// The lines behind the header.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Entries<'a> {
    fn next_line(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        self.line += 1;
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        Some(line)
    }

    const fn error(&self, text: String) -> Error {
        Error {
            line: self.line,
            text,
        }
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, Error>;

    /// The next entry; an error names its line, and the one behind it can still be asked for.
    fn next(&mut self) -> Option<Self::Item> {
        let whole = self.rest.contains('\n');
        let line = self.next_line()?;
        if !whole {
            return Some(Err(
                self.error("the log ends in the middle of this line".into())
            ));
        }
        Some(entry(line).map_err(|text| self.error(text)))
    }
}

fn entry(line: &str) -> Result<Entry, String> {
    let mut words = word::Words::new(line);
    let at = Instant::from_micros(words.number("microseconds")?);
    let what = match words.any("what happened")? {
        "timeout" => Happening::Timeout,
        kind => Happening::Input(input::decode(kind, &mut words)?),
    };
    words.end()?;
    Ok(Entry { at, what })
}

const FIRST_LINE: &str = "dtu-record 1";
const HEADER_KEYS: &str =
    "seed, started, imei, imsi, version, option, stored, restored, message, lost, counted, begin";
/// Whose losses: the serial line's.
const LINE: &str = "line";
