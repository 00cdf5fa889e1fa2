//! The one command that runs, and which lines are its response.

use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;

use dtu_proto::time::{Duration, Instant};

use crate::command::Command;
use crate::line::{LineAssembler, Piece};
use crate::response::{Outcome, Response, fields, final_result};

/// A command ready to be sent.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) command: Command,
    pub(crate) text: String,
    pub(crate) limit: Duration,
    pub(crate) info: InfoText,
    /// What goes out after the prompt, and how long its answer may take.
    pub(crate) body: Option<(Bytes, Duration)>,
}

/// Which lines are information text of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InfoText {
    None,
    /// Lines that begin so.
    Prefix(&'static str),
    /// Lines without any (`+CGMI`, `+CIMI`, …), or with this one.
    Bare(&'static str),
}

#[derive(Debug)]
struct Outstanding {
    request: Request,
    deadline: Instant,
    awaited: Awaited,
    lines: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    /// The prompt is awaited.
    Prompt,
    /// The final result is.
    Result,
}

/// A PDU with the line that announced it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnnouncedPdu {
    pub(crate) header: String,
    pub(crate) digits: String,
    /// It is as long as the header says.
    pub(crate) length_matches: bool,
}

/// At most one command is outstanding, each with a deadline.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    assembler: LineAssembler,
    current: Option<Outstanding>,
    /// Lines that announce a PDU in the next line. URCs may come between the two.
    headers: Vec<String>,
    /// The command came back, although echo is off.
    pub(crate) echoes: bool,
    /// A message was shown as text, not as a PDU.
    pub(crate) text_mode: bool,
    /// A URC of several lines: its text in quotes is not at its end.
    quoted_urc_lines: u8,
}

impl Exchange {
    pub(crate) fn is_idle(&self) -> bool {
        self.current.is_none()
    }

    pub(crate) fn command(&self) -> Option<&Command> {
        self.current
            .as_ref()
            .map(|current| &current.request.command)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.current.as_ref().map(|current| current.deadline)
    }

    pub(crate) fn overlong_lines(&self) -> u64 {
        self.assembler.dropped
    }

    /// What to write for this command.
    pub(crate) fn start(&mut self, request: Request, now: Instant) -> Bytes {
        let mut text = request.text.clone();
        // What leaves online data state wants silence behind it.
        if text != ESCAPE_SEQUENCE {
            text.push('\r');
        }
        let awaited = if request.body.is_some() {
            Awaited::Prompt
        } else {
            Awaited::Result
        };
        let deadline = now + request.limit;
        self.echoes = false;
        self.current = Some(Outstanding {
            request,
            deadline,
            awaited,
            lines: Vec::new(),
        });
        Bytes::from(text)
    }

    /// The command has no more time than that.
    pub(crate) fn hurry(&mut self, by: Instant) {
        if let Some(current) = &mut self.current {
            current.deadline = current.deadline.min(by);
        }
    }

    /// Forgets everything: the device is closed.
    pub(crate) fn clear(&mut self) {
        self.assembler.clear();
        self.current = None;
        self.headers.clear();
    }

    pub(crate) fn push(&mut self, byte: u8) -> Option<Piece> {
        let prompt = self
            .current
            .as_ref()
            .is_some_and(|current| current.awaited == Awaited::Prompt);
        self.assembler.push(byte, prompt)
    }

    /// The prompt is there: what goes out now.
    pub(crate) fn take_body(&mut self, now: Instant) -> Option<Bytes> {
        let current = self
            .current
            .as_mut()
            .filter(|current| current.awaited == Awaited::Prompt)?;
        let (body, limit) = current.request.body.clone()?;
        current.awaited = Awaited::Result;
        current.deadline = now + limit;
        Some(body)
    }

    /// Whether the line is what was sent, come back.
    pub(crate) fn is_echo(&mut self, line: &str) -> bool {
        let Some(current) = &self.current else {
            return false;
        };
        let command = current
            .request
            .text
            .trim_start_matches(|character: char| character.is_control());
        let body = current.request.body.as_ref().is_some_and(|(body, _)| {
            let line = line.trim_end_matches(|character: char| character.is_control());
            !line.is_empty()
                && body.trim_ascii_end().strip_suffix(&[SUBSTITUTE]) == Some(line.as_bytes())
        });
        let line = line.trim_start_matches(|character: char| character.is_control());
        let command = !command.is_empty() && line == command;
        self.echoes |= command;
        command || body
    }

    /// Whether the line announces a PDU; then it waits for it.
    pub(crate) fn take_pdu_header(&mut self, line: &str) -> bool {
        let announces = PDU_HEADERS.iter().any(|header| line.starts_with(header));
        // mutant: text-mode-head
        if announces && is_of_text_mode(line) {
            self.text_mode = true;
        } else if announces {
            if self.headers.len() >= MAX_PDU_HEADERS {
                self.headers.remove(0);
            }
            self.headers.push(line.into());
        }
        announces
    }

    /// The announced PDU, where the line is its digits. Hex digits of another length are a text (`CSCS="UCS2"`).
    pub(crate) fn match_pdu(&mut self, line: &str) -> Option<AnnouncedPdu> {
        let is_pdu =
            line.len() >= SHORTEST_PDU && line.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_pdu || self.headers.is_empty() {
            return None;
        }
        let length = tpdu_length(line);
        let fits = self
            .headers
            .iter()
            .rposition(|header| length.is_some() && announced_length(header) == length);
        let header = self.headers.remove(fits.unwrap_or(self.headers.len() - 1));
        Some(AnnouncedPdu {
            header,
            digits: line.into(),
            length_matches: fits.is_some(),
        })
    }

    /// The answer that this line completes.
    pub(crate) fn complete(&mut self, line: &str) -> Option<(Request, Response)> {
        let current = self.current.as_ref()?;
        let is_call = matches!(
            current.request.command,
            Command::Dial(_) | Command::AnswerCall
        );
        // `ATV0` of a former user: the probe asks for words.
        let is_digit = matches!(current.request.command, Command::Probe(_)) && line == "0";
        let outcome = if is_digit {
            Outcome::Ok
        } else {
            final_result(line, is_call)?
        };
        // Before the prompt only a refusal can be meant; an `OK` is the late end of something older.
        let is_meant = current.awaited == Awaited::Result || outcome != Outcome::Ok;
        if is_meant { self.end(outcome) } else { None }
    }

    /// The command is over without a final result.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<(Request, Response)> {
        self.deadline().filter(|deadline| *deadline <= now)?;
        self.end(Outcome::TimedOut)
    }

    /// The running command is over, whatever becomes of it.
    pub(crate) fn abandon(&mut self) -> Option<Request> {
        self.end(Outcome::TimedOut).map(|(request, _)| request)
    }

    fn end(&mut self, outcome: Outcome) -> Option<(Request, Response)> {
        let current = self.current.take()?;
        self.quoted_urc_lines = 0;
        // What was announced as part of this answer and did not come does not come any more.
        self.headers
            .retain(|header| !header.starts_with("+CMGR") && !header.starts_with("+CMGL"));
        Some((
            current.request,
            Response {
                outcome,
                lines: current.lines,
            },
        ))
    }

    /// Whether the line is information text of the command; then it is kept.
    pub(crate) fn take_info_line(&mut self, line: &str) -> bool {
        let Some(current) = &mut self.current else {
            return false;
        };
        if current.awaited == Awaited::Prompt {
            return false;
        }
        if self.quoted_urc_lines > 0 && !line.starts_with(URC_SIGNS) {
            self.quoted_urc_lines = if has_open_quote(line) {
                0
            } else {
                self.quoted_urc_lines - 1
            };
            return false;
        }
        // An operator's name with line ends in it.
        if let (InfoText::Prefix("+COPS:"), Some(last)) =
            (current.request.info, current.lines.last_mut())
            && has_open_quote(last)
            && !line.starts_with(URC_SIGNS)
        {
            last.push_str(line);
            return true;
        }
        let belongs = match current.request.info {
            InfoText::None => false,
            InfoText::Prefix(prefix) => line.starts_with(prefix),
            // No echo of another command either.
            InfoText::Bare(prefix) => {
                line.starts_with(prefix)
                    || !(line.starts_with(URC_SIGNS) || line.starts_with("AT+"))
            }
        };
        if belongs && current.lines.len() < MAX_LINES {
            current.lines.push(line.into());
        } else if line.starts_with("+CUSD:") && has_open_quote(line) {
            self.quoted_urc_lines = MAX_QUOTED_LINES;
        }
        belongs
    }
}

/// The length that a header announces: its last value, octets without the service centre.
fn announced_length(header: &str) -> Option<usize> {
    fields(header).last().and_then(|field| field.number())
}

/// PDU mode: `+CMGR: stat,[alpha],length`. Text mode has numbers and times in quotes in its place (27.005 3.4.3).
fn is_of_text_mode(header: &str) -> bool {
    let most = match header.get(..6) {
        Some("+CMGR:") => 3,
        Some("+CMGL:") => 4,
        Some("+CMT: " | "+CMT:,") => 2,
        _ => return false,
    };
    announced_length(header).is_none() || fields(header).len() > most
}

fn has_open_quote(line: &str) -> bool {
    line.bytes().filter(|byte| *byte == b'"').count() % 2 == 1
}

fn tpdu_length(digits: &str) -> Option<usize> {
    let center = usize::from(u8::from_str_radix(digits.get(..2)?, 16).ok()?);
    (digits.len() / 2).checked_sub(1 + center)
}

/// Ends a body (27.005 3.5.1).
pub(crate) const SUBSTITUTE: u8 = 0x1A;
/// Leaves online data state (V.250 does not say so, everybody does).
pub(crate) const ESCAPE_SEQUENCE: &str = "+++";
/// Lines that are followed by a PDU.
const PDU_HEADERS: [&str; 5] = ["+CMGR:", "+CMGL:", "+CMT:", "+CDS:", "+CBM:"];
/// How URCs begin.
const URC_SIGNS: [char; 7] = ['+', '^', '*', '$', '#', '%', '@'];
const MAX_PDU_HEADERS: usize = 4;
/// Lines of one URC.
const MAX_QUOTED_LINES: u8 = 16;
const MAX_LINES: usize = 64;
/// Hex digits of the shortest PDU that a modem gives: a status report without anything optional.
const SHORTEST_PDU: usize = 16;

#[cfg(test)]
mod tests;
