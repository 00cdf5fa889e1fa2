//! What the head of an answer says about its body and about the connection (RFC 9112 6, 9.3).

use alloc::vec::Vec;
use httparse::{EMPTY_HEADER, Error, Header, ParserConfig, Response, Status};

use super::fault::{FIELDS_MAX, Fault};

/// Where the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// With the chunk of size 0 and the trailer behind it.
    Chunked,
    /// After so many bytes.
    Counted(u64),
    /// With the connection.
    UntilClose,
}

/// What is used of a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) framing: Framing,
    /// Whether the server keeps the connection.
    pub(super) keeps: bool,
    /// `Keep-Alive: timeout`: it closes a connection that has been idle for so many seconds.
    pub(super) keeps_for: Option<u64>,
    pub(super) location: Option<Vec<u8>>,
}

impl Head {
    /// `None`: it is not whole.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>, Fault> {
        let mut fields = [EMPTY_HEADER; FIELDS_MAX];
        let mut response = Response::new(&mut fields);
        let text = cleaned(bytes);
        match rules()
            .parse_response(&mut response, &text)
            .map_err(fault)?
        {
            Status::Partial => return Ok(None),
            Status::Complete(_) => {}
        }
        let (Some(status), Some(minor)) = (response.code, response.version) else {
            return Err(Fault::NotHttp);
        };
        Self::of(status, minor, response.headers).map(Some)
    }

    fn of(status: u16, minor: u8, fields: &[Header<'_>]) -> Result<Self, Fault> {
        if status == SWITCHING {
            return Err(Fault::Switching);
        }
        let coded = is_chunked(fields)?;
        let length = if coded { None } else { length(fields)? };
        let both = coded && values(fields, "Content-Length").next().is_some();
        let framing = match length {
            _ if (100..200).contains(&status) || matches!(status, 204 | 304) => Framing::Counted(0),
            _ if coded => Framing::Chunked,
            Some(length) => Framing::Counted(length),
            None => Framing::UntilClose,
        };
        // RFC 9112 6.1: where the framing is in doubt, the connection ends with this answer.
        let doubtful = both || (coded && minor == 0);
        let keeps =
            minor == 1 && !doubtful && !listed(fields, "Connection").any(|word| is(word, "close"));
        let location = values(fields, "Location").next().map(<[u8]>::to_vec);
        Ok(Self {
            status,
            framing,
            keeps,
            keeps_for: keeps_for(fields),
            location,
        })
    }

    /// 1xx: another answer follows.
    pub(super) const fn is_interim(&self) -> bool {
        matches!(self.status, 100..200)
    }
}

/// The head without control characters, whose lines end in LF: RFC 9110 5.5 and RFC 9112 2.2 let a blank stand for a NUL
/// and for a CR within a line. One that begins a line makes it no field: a blank there would add it to the line before.
fn cleaned(head: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(head.len());
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let end = line
            .iter()
            .rposition(|byte| !matches!(byte, b'\r' | b'\n'))
            .map_or(0, |last| last + 1);
        text.extend(line[..end].iter().enumerate().map(|(at, byte)| match byte {
            b'\t' => b'\t',
            byte if byte.is_ascii_control() => {
                if at == 0 {
                    NO_NAME
                } else {
                    b' '
                }
            }
            byte => *byte,
        }));
        if line.ends_with(b"\n") {
            text.push(b'\n');
        }
    }
    text
}

/// As tolerant as clients are: old servers fold lines and put blanks in front of the colon. A line that is no field is
/// passed over (decisions 16.16).
fn rules() -> ParserConfig {
    let mut rules = ParserConfig::default();
    rules.allow_spaces_after_header_name_in_responses(true);
    rules.allow_obsolete_multiline_headers_in_responses(true);
    rules.ignore_invalid_headers_in_responses(true);
    rules.allow_multiple_spaces_in_response_status_delimiters(true);
    rules
}

const fn fault(error: Error) -> Fault {
    match error {
        Error::HeaderName | Error::HeaderValue => Fault::BadField,
        Error::TooManyHeaders => Fault::TooManyFields,
        Error::NewLine | Error::Status | Error::Token | Error::Version => Fault::NotHttp,
    }
}

/// Whether the last transfer coding is `chunked`, and there is no other that changes the bytes.
fn is_chunked(fields: &[Header<'_>]) -> Result<bool, Fault> {
    let mut codings = listed(fields, "Transfer-Encoding").filter(|word| !is(word, "identity"));
    match (codings.next(), codings.next()) {
        (None, _) => Ok(false),
        (Some(word), None) if is(word, "chunked") => Ok(true),
        (Some(_), _) => Err(Fault::UnknownCoding),
    }
}

/// The one value of all `Content-Length` fields.
fn length(fields: &[Header<'_>]) -> Result<Option<u64>, Fault> {
    let mut found = None;
    for value in
        values(fields, "Content-Length").flat_map(|value| value.split(|byte| *byte == b','))
    {
        let length = number(value.trim_ascii()).ok_or(Fault::BadLength)?;
        if found.is_some_and(|earlier| earlier != length) {
            return Err(Fault::BadLength);
        }
        found = Some(length);
    }
    Ok(found)
}

fn keeps_for(fields: &[Header<'_>]) -> Option<u64> {
    let seconds = listed(fields, "Keep-Alive").filter_map(|element| {
        let equals = element.iter().position(|byte| *byte == b'=')?;
        let (name, value) = element.split_at(equals);
        is(name.trim_ascii(), "timeout").then(|| number(value[1..].trim_ascii()))?
    });
    seconds.min()
}

/// Digits and nothing else.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

fn values<'h>(fields: &'h [Header<'h>], name: &'static str) -> impl Iterator<Item = &'h [u8]> {
    fields
        .iter()
        .filter(move |field| field.name.eq_ignore_ascii_case(name))
        .map(|field| field.value)
}

/// The elements of a list over all fields of this name.
fn listed<'h>(fields: &'h [Header<'h>], name: &'static str) -> impl Iterator<Item = &'h [u8]> {
    let elements = values(fields, name).flat_map(|value| value.split(|byte| *byte == b','));
    elements
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
}

const fn is(element: &[u8], word: &str) -> bool {
    element.eq_ignore_ascii_case(word.as_bytes())
}

/// A name of a field begins with no such character.
const NO_NAME: u8 = b'?';
/// 101, Switching Protocols.
const SWITCHING: u16 = 101;
