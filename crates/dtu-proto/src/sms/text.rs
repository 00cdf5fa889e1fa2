//! The mailbox as text, and back.
//!
//! ```text
//! dtu-messages 1
//! references 12 3                     TP-MR and long-message number given last
//! used 10 11 12                       TP-MRs that the service centre knows, the newest last
//! place 7 unread announced 0891…      index, state, whether +CISMS printed it, PDU
//! overflow - 0891…                    waits for a place: whether +CISMS printed it, PDU
//! part 86000 0891…                    of a long message: seconds it still waits, PDU
//! line data 6869                      for the serial line: kind, bytes
//! out 10086 86000 0011… 0011…         to be sent: receiver, seconds left, a PDU for each part
//! seen 00000000000000000000000000000000
//! ```

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt::Write as _;
use core::str::{FromStr, SplitAsciiWhitespace};
use sms_codec::hex;
use sms_codec::join::{Outcome, Part};
use sms_codec::pdu::{Deliver, Pdu, Tpdu};
use sms_codec::udh::Header;

use super::{LineKind, Mailbox, PLACES, ReceivedPart, State, Stored};
use crate::config::Problem;
use crate::radio::PhoneNumber;
use crate::time::{Duration, Instant};

impl Mailbox {
    /// Everything but the counters; empty where there is nothing.
    pub(crate) fn to_text(&self, now: Instant) -> String {
        let mut out = String::new();
        let _ = writeln!(
            out,
            "references {} {}",
            self.outbox.reference(),
            self.concat_reference
        );
        // mutant: used-stored
        if self.outbox.used().len() > 0 {
            let used: String = self
                .outbox
                .used()
                .map(|number| format!(" {number}"))
                .collect();
            let _ = writeln!(out, "used{used}");
        }
        for (index, stored) in self.storage.by_age() {
            let (state, announced) = (state_word(stored.state), announced_word(stored.announced));
            let _ = writeln!(
                out,
                "place {index} {state} {announced} {}",
                hex::encode(&stored.pdu)
            );
        }
        for (pdu, announced) in &self.overflow {
            let _ = writeln!(
                out,
                "overflow {} {}",
                announced_word(*announced),
                hex::encode(pdu)
            );
        }
        for part in self.joiner.held() {
            let _ = writeln!(
                out,
                "part {} {}",
                part.until.since(now).as_secs(),
                hex::encode(&part.pdu)
            );
        }
        // mutant: lines-stored
        for (kind, bytes) in self.line.items() {
            let _ = writeln!(out, "line {} {}", kind_word(kind), hex::encode(bytes));
        }
        // mutant: outbox-stored
        for message in self.outbox.messages() {
            let _ = write!(
                out,
                "out {} {}",
                message.to,
                message.until.since(now).as_secs()
            );
            let parts: String = message
                .parts
                .iter()
                .map(|part| format!(" {}", hex::encode(part)))
                .collect();
            let _ = writeln!(out, "{parts}");
        }
        for digest in self.seen.digests() {
            let _ = writeln!(out, "seen {digest:032x}");
        }
        if out == NOTHING {
            String::new()
        } else {
            format!("{FIRST_LINE}\n{out}")
        }
    }

    /// Puts back what the text holds. A line that cannot be used is passed over and reported.
    pub(crate) fn restore(&mut self, text: &str, now: Instant) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (line, content) in (1..).zip(text.lines()) {
            let content = content.trim();
            if content.is_empty() || (line == 1 && content == FIRST_LINE) {
                continue;
            }
            if let Err(text) = self.restore_line(content, now) {
                problems.push(Problem { line, text });
            }
        }
        problems
    }

    fn restore_line(&mut self, line: &str, now: Instant) -> Result<(), String> {
        let mut words = Words(line.split_ascii_whitespace());
        match words.word("a kind of line")? {
            "references" => {
                self.outbox.set_reference(words.number("a reference")?);
                self.concat_reference = words.number("a reference")?;
            }
            "used" => {
                while words.has_more() {
                    self.outbox.note_used(words.number("a reference")?);
                }
            }
            "place" => self.restore_place(&mut words)?,
            "overflow" => {
                let announced = words.one_of(&[false, true], announced_word)?;
                let pdu = words.octets()?;
                deliver_of(&pdu)?;
                room(self.overflow.len() < OVERFLOW_MAX, "overflow")?;
                self.overflow.push_back((pdu, announced));
            }
            "part" => self.restore_part(&mut words, now)?,
            "line" => {
                let kind = words.one_of(&[LineKind::Data, LineKind::Notice], kind_word)?;
                let bytes = words.octets()?;
                room(self.line.has_room_to_restore(), "line")?;
                self.line.push(kind, bytes, Vec::new());
            }
            "out" => self.restore_outgoing(&mut words, now)?,
            "seen" => self.seen.remember(words.digest()?),
            other => return Err(format!("`{other}` is none of {KINDS}")),
        }
        words.end()
    }

    fn restore_place(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        let index = words.number("an index")?;
        let state = words.one_of(&State::ALL, state_word)?;
        let announced = words.one_of(&[false, true], announced_word)?;
        let pdu = words.octets()?;
        Pdu::decode(&pdu).map_err(|error| error.to_string())?;
        if !(1..=PLACES).contains(&index) {
            return Err(format!("an index is 1..={PLACES}, got {index}"));
        }
        room(self.storage.get(index).is_none(), "this place")?;
        self.storage.put_at(
            index,
            Stored {
                state,
                announced,
                pdu,
            },
        );
        Ok(())
    }

    fn restore_part(&mut self, words: &mut Words<'_>, now: Instant) -> Result<(), String> {
        let left = Duration::from_secs(words.number("seconds")?).min(Duration::from_secs(DAY));
        let pdu = words.octets()?;
        let deliver = deliver_of(&pdu)?;
        let concat = deliver.data.header.as_ref().and_then(Header::concat);
        let concat = concat.ok_or("the message is no part of a long one")?;
        let (sender, stamp) = (deliver.from.clone(), deliver.stamp);
        let value = ReceivedPart {
            ids: Vec::new(),
            pdu,
            deliver,
            until: now + left,
        };
        let arrival = self.joiner.insert_for(
            Part {
                sender: &sender,
                concat,
                stamp,
                value,
            },
            now,
            left,
        );
        match arrival.outcome {
            Outcome::Waiting if arrival.given_up.is_empty() => Ok(()),
            Outcome::Complete(parts) => {
                // No text of ours holds all parts of a message.
                self.overflow
                    .extend(parts.into_iter().map(|part| (part.pdu, false)));
                Ok(())
            }
            Outcome::Waiting | Outcome::Duplicate => {
                Err("the part stands twice, or there is no room for it".to_string())
            }
        }
    }

    fn restore_outgoing(&mut self, words: &mut Words<'_>, now: Instant) -> Result<(), String> {
        let to = words.word("a receiver")?;
        let to = PhoneNumber::new(to).ok_or_else(|| format!("`{to}` is no phone number"))?;
        let left = Duration::from_secs(words.number("seconds")?);
        let mut parts = VecDeque::from([words.octets()?]);
        for more in words.0.by_ref() {
            parts.push_back(octets(more)?);
        }
        for part in &parts {
            let decoded = Pdu::decode(part).map_err(|error| error.to_string())?;
            if !matches!(decoded.pdu.tpdu, Tpdu::Submit(_)) {
                return Err("only a SUBMIT can be sent".to_string());
            }
        }
        room(self.outbox.restore(to, parts, now, left), "out")
    }
}

/// A received message that begins with the service centre.
pub(crate) fn deliver_of(pdu: &[u8]) -> Result<Deliver, String> {
    match Pdu::decode(pdu)
        .map_err(|error| error.to_string())?
        .pdu
        .tpdu
    {
        Tpdu::Deliver(deliver) => Ok(deliver),
        Tpdu::Submit(_) | Tpdu::StatusReport(_) => {
            Err("the message is no received one".to_string())
        }
    }
}

struct Words<'a>(SplitAsciiWhitespace<'a>);

impl<'a> Words<'a> {
    fn word(&mut self, what: &str) -> Result<&'a str, String> {
        self.0.next().ok_or_else(|| format!("{what} is missing"))
    }

    fn number<T: FromStr>(&mut self, what: &str) -> Result<T, String> {
        let word = self.word(what)?;
        word.parse()
            .map_err(|_| format!("{what} is a number, got `{}`", shown(word)))
    }

    fn has_more(&self) -> bool {
        self.0.clone().next().is_some()
    }

    fn octets(&mut self) -> Result<Bytes, String> {
        octets(self.word("hex digits")?)
    }

    fn digest(&mut self) -> Result<u128, String> {
        let word = self.word("a digest")?;
        u128::from_str_radix(word, 16)
            .map_err(|_| format!("a digest is 32 hex digits, got `{}`", shown(word)))
    }

    fn one_of<T: Copy>(&mut self, all: &[T], name: fn(T) -> &'static str) -> Result<T, String> {
        let word = self.word("a word")?;
        let found = all.iter().copied().find(|value| name(*value) == word);
        found.ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|value| name(*value)).collect();
            format!("`{}` is none of {}", shown(word), names.join(", "))
        })
    }

    fn end(&mut self) -> Result<(), String> {
        match self.0.next() {
            None => Ok(()),
            Some(more) => Err(format!("`{}` does not belong here", shown(more))),
        }
    }
}

fn octets(word: &str) -> Result<Bytes, String> {
    hex::decode(word)
        .map(Bytes::from)
        .map_err(|error| error.to_string())
}

/// The beginning of a word of a damaged file.
fn shown(word: &str) -> &str {
    word.char_indices()
        .nth(SHOWN_MAX)
        .map_or(word, |(end, _)| &word[..end])
}

fn room(there_is: bool, what: &str) -> Result<(), String> {
    if there_is {
        Ok(())
    } else {
        Err(format!("there is no room for {what}"))
    }
}

const fn state_word(state: State) -> &'static str {
    match state {
        State::Unread => "unread",
        State::Read => "read",
        State::Unsent => "unsent",
        State::Sent => "sent",
    }
}

const fn announced_word(announced: bool) -> &'static str {
    if announced { "announced" } else { "-" }
}

const fn kind_word(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Data => "data",
        LineKind::Notice => "notice",
    }
}

const FIRST_LINE: &str = "dtu-messages 1";
const NOTHING: &str = "references 0 0\n";
const KINDS: &str = "references, used, place, overflow, part, line, out, seen";
const DAY: u64 = 24 * 3600;
/// Parts of a long message.
const OVERFLOW_MAX: usize = 255;
const SHOWN_MAX: usize = 40;
