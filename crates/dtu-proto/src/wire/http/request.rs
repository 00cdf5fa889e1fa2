//! A request's bytes (RFC 9112 3): the user's head lines as typed, and what is missing of the rest.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::setting::{HOST, HeadLine, LENGTH, Server};

/// How a frame travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// In the request target.
    #[default]
    Get,
    /// As the body.
    Post,
}

impl Method {
    /// All, as `HTPTP` counts them.
    pub const ALL: [Self; 2] = [Self::Get, Self::Post];

    /// Its word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// What all requests have in common.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// How a frame travels.
    pub method: Method,
    /// To whom.
    pub server: &'a Server,
    /// The request target, without the frame: what [`super::url`] gives.
    pub url: &'a [u8],
    /// The user's head lines.
    pub lines: &'a [HeadLine],
}

impl Request<'_> {
    /// The request that carries this frame. Nothing of the frame is in its head but what may stand in a request target.
    #[must_use]
    pub fn encode(&self, frame: &[u8]) -> Vec<u8> {
        let (query, body) = match self.method {
            Method::Get => (without_line_end(frame), &[][..]),
            Method::Post => (&[][..], frame),
        };
        let mut out = Vec::with_capacity(HEAD_GUESS + frame.len());
        out.extend_from_slice(self.method.name().as_bytes());
        out.push(b' ');
        target(&[self.url, query].concat(), &mut out);
        out.extend_from_slice(b" HTTP/1.1\r\n");
        self.head_lines(&body.len().to_string(), &mut out);
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body);
        out
    }

    /// Whether the user lets the connection stand (RFC 9112 9.3).
    #[must_use]
    pub fn may_go_on(&self) -> bool {
        !self
            .lines
            .iter()
            .any(|line| line.is("Connection") && line.lists("close"))
    }

    fn head_lines(&self, length: &str, out: &mut Vec<u8>) {
        for line in self.lines {
            // A length that is not the body's would make another request of a part of it.
            let value = if line.is(LENGTH) {
                length.as_bytes()
            } else {
                line.value()
            };
            push(&[line.name(), b":", line.blanks(), value], out);
        }
        if self.lacks(HOST) {
            push(
                &[HOST.as_bytes(), b": ", self.server.host_field().as_bytes()],
                out,
            );
        }
        if self.method == Method::Post && self.lacks(LENGTH) {
            push(&[LENGTH.as_bytes(), b": ", length.as_bytes()], out);
        }
        if self.lacks(CONNECTION) {
            push(&[CONNECTION.as_bytes(), b": keep-alive"], out);
        }
    }

    fn lacks(&self, name: &str) -> bool {
        !self.lines.iter().any(|line| line.is(name))
    }
}

fn push(pieces: &[&[u8]], out: &mut Vec<u8>) {
    pieces.iter().for_each(|piece| out.extend_from_slice(piece));
    out.extend_from_slice(b"\r\n");
}

/// A frame often is a line; its end is no part of what is asked.
fn without_line_end(mut frame: &[u8]) -> &[u8] {
    while let [rest @ .., b'\r' | b'\n'] = frame {
        frame = rest;
    }
    frame
}

/// Bytes as they may stand in a request target; what may not becomes `%` and two hex digits.
fn target(bytes: &[u8], out: &mut Vec<u8>) {
    for (at, byte) in bytes.iter().enumerate() {
        let escaped = *byte == b'%' && bytes.get(at + 1..at + 3).is_some_and(is_hex);
        // mutant: target-escaped
        if escaped || may_stand(*byte) {
            out.push(*byte);
        } else {
            let digits = [b'%', digit(byte >> 4), digit(byte & 15)];
            out.extend_from_slice(&digits);
        }
    }
}

fn is_hex(digits: &[u8]) -> bool {
    digits.iter().all(u8::is_ascii_hexdigit)
}

const fn digit(value: u8) -> u8 {
    match value {
        0..10 => b'0' + value,
        _ => b'A' + value - 10,
    }
}

/// RFC 3986 3.3, 3.4: a path and a query, without the brackets that stand in hosts only.
const fn may_stand(byte: u8) -> bool {
    matches!(byte,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~'
        | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'='
        | b':' | b'@' | b'/' | b'?')
}

/// Room for a usual head.
const HEAD_GUESS: usize = 256;
const CONNECTION: &str = "Connection";
