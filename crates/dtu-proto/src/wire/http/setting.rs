//! What the user sets: server, URL and head lines, as they are typed (manual 2.1.3).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv6Addr;

/// Bytes of a typed URL at most.
pub const URL_MAX: usize = 1024;
/// Bytes of a name or address at most.
const HOST_MAX: usize = 255;

/// Why a setting cannot be used: one line, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError(String);

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for SettingError {}

fn wrong<T>(text: impl Into<String>) -> Result<T, SettingError> {
    Err(SettingError(text.into()))
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Name or address, an IPv6 address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// https.
    pub tls: bool,
}

impl Server {
    /// The value of the field `Host` (RFC 9110 7.2): the port only where it is not the usual one.
    #[must_use]
    pub fn host_field(&self) -> String {
        let name = self.host.split('%').next().unwrap_or_default(); // a zone means nothing to the server
        let host = if name.contains(':') {
            format!("[{name}]")
        } else {
            name.to_string()
        };
        let usual = if self.tls { HTTPS_PORT } else { HTTP_PORT };
        if self.port == usual {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }
}

/// The server that `typed` names: a name or an address, `http://` or `https://` in front allowed.
///
/// # Errors
///
/// It is no name or address; it has a path or a port.
pub fn server(typed: &str, port: u16) -> Result<Server, SettingError> {
    let (tls, host) = match (behind(typed, "https://"), behind(typed, "http://")) {
        (Some(host), _) => (true, host),
        (None, Some(host)) => (false, host),
        (None, None) => (false, typed),
    };
    let host = host.strip_suffix('/').unwrap_or(host);
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    if is_v6(bare) {
        return Ok(Server {
            host: bare.to_string(),
            port,
            tls,
        });
    }
    if is_name(host) {
        return Ok(Server {
            host: host.to_string(),
            port,
            tls,
        });
    }
    let hint = match host {
        _ if host.contains('/') => "; the path belongs to HTPURL",
        _ if host.contains(':') => "; the port is a value of its own",
        _ => "",
    };
    wrong(format!(
        "must be a name or an address of 1..={HOST_MAX} letters, digits and - . _, http:// or https:// in front \
         allowed, got {}{hint}",
        shown(typed)
    ))
}

/// An IPv6 address, a zone behind it allowed.
fn is_v6(text: &str) -> bool {
    let (address, zone) = text.split_once('%').unwrap_or((text, "any"));
    address.parse::<Ipv6Addr>().is_ok() && is_name(zone)
}

fn is_name(text: &str) -> bool {
    let fits = |char: char| char.is_ascii_alphanumeric() || "-._".contains(char);
    (1..=HOST_MAX).contains(&text.len()) && text.chars().all(fits)
}

/// What was typed, in an error.
fn shown(typed: &str) -> String {
    match typed.char_indices().nth(SHOWN_MAX) {
        _ if typed.is_empty() => "nothing".to_string(),
        None => typed.to_string(),
        Some((end, _)) => format!("{}... ({} bytes)", &typed[..end], typed.len()),
    }
}

/// What stands behind a scheme, whatever its case.
fn behind<'t>(typed: &'t str, scheme: &str) -> Option<&'t str> {
    let (head, rest) = typed.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// The bytes of a URL in which `[3F]` may stand for a byte.
///
/// # Errors
///
/// It does not begin with `/`, or is too long.
pub fn url(typed: &str) -> Result<Vec<u8>, SettingError> {
    if typed.len() > URL_MAX {
        return wrong(format!(
            "must have at most {URL_MAX} bytes, got {}",
            typed.len()
        ));
    }
    let bytes = unescape(typed);
    if bytes.first() != Some(&b'/') {
        return wrong(format!("must begin with /, got {}", shown(typed)));
    }
    Ok(bytes)
}

/// A line of the head, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadLine {
    bytes: Vec<u8>,
    /// Where the colon stands, and where the value begins behind its blanks.
    colon: usize,
    value: usize,
}

impl HeadLine {
    /// The field's name.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.bytes[..self.colon]
    }

    /// What stands between the colon and the value.
    #[must_use]
    pub fn blanks(&self) -> &[u8] {
        &self.bytes[self.colon + 1..self.value]
    }

    /// The field's value, with blanks behind it.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.bytes[self.value..]
    }

    /// Whether it is the field of this name.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name.as_bytes())
    }

    /// Whether its value is a list with this word in it.
    pub(super) fn lists(&self, word: &str) -> bool {
        let mut words = self
            .value()
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii);
        words.any(|listed| listed.eq_ignore_ascii_case(word.as_bytes()))
    }

    fn parse(bytes: Vec<u8>) -> Result<Self, String> {
        if bytes.is_empty() {
            return Err("is empty, which would end the head".to_string());
        }
        if let Some(byte) = bytes.iter().find(|byte| is_control(**byte)) {
            return Err(format!("has the control character [{byte:02X}]"));
        }
        let Some(colon) = bytes.iter().position(|byte| *byte == b':') else {
            return Err("must be name:value, there is no colon".to_string());
        };
        if colon == 0 || !bytes[..colon].iter().all(|byte| is_token(*byte)) {
            return Err(
                "must be name:value; a name has letters, digits and !#$%&'*+-.^_`|~ only"
                    .to_string(),
            );
        }
        let blanks = bytes[colon + 1..]
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        let line = Self {
            colon,
            value: colon + 1 + blanks,
            bytes,
        };
        match MOVERS.iter().find(|name| line.is(name)) {
            Some(name) => Err(format!(
                "{name} is not possible: it would change where requests end"
            )),
            None => Ok(line),
        }
    }
}

/// The user's head lines, divided by `||` or `[0D][0A]`; `[7C]` stands for a byte, behind the division. Empty lines at
/// the end are passed over.
///
/// # Errors
///
/// A line that is no field, one that would move the borders of requests, or a second `Host` or `Content-Length`.
pub fn head_lines(typed: &str) -> Result<Vec<HeadLine>, SettingError> {
    let mut texts = divide(typed);
    while texts.pop_if(|text| text.is_empty()).is_some() {}
    let mut lines = Vec::with_capacity(texts.len());
    for (number, text) in (1..).zip(texts) {
        let line = match HeadLine::parse(unescape(text)) {
            Ok(line) => line,
            Err(fault) => return wrong(format!("line {number} {fault}")),
        };
        if let Some(name) = ONCE
            .into_iter()
            .find(|name| line.is(name) && lines.iter().any(|l: &HeadLine| l.is(name)))
        {
            return wrong(format!("line {number} is a second {name}"));
        }
        lines.push(line);
    }
    Ok(lines)
}

/// The texts between the marks.
fn divide(typed: &str) -> Vec<&str> {
    let (mut texts, mut begin, mut at) = (Vec::new(), 0, 0);
    while let Some(rest) = typed.as_bytes().get(at..).filter(|rest| !rest.is_empty()) {
        let mark = MARKS.into_iter().find(|mark| {
            rest.get(..mark.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(mark.as_bytes()))
        });
        match mark {
            Some(mark) => {
                texts.push(&typed[begin..at]);
                at += mark.len();
                begin = at;
            }
            None => at += 1,
        }
    }
    texts.push(&typed[begin..]);
    texts
}

/// The bytes of a text in which `[3F]` stands for a byte; brackets around anything else are themselves.
fn unescape(typed: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::with_capacity(typed.len()), typed.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        let escaped = match rest {
            [b'[', high, low, b']', behind @ ..] => nibbles(*high, *low).map(|byte| (byte, behind)),
            _ => None,
        };
        let (byte, behind) = escaped.unwrap_or((*first, behind));
        bytes.push(byte);
        rest = behind;
    }
    bytes
}

fn nibbles(high: u8, low: u8) -> Option<u8> {
    let value = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    Some(value(high)? << 4 | value(low)?)
}

/// What may not stand in a field (RFC 9110 5.5).
const fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=8 | 10..=31 | 127)
}

/// RFC 9110 5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.'
        )
        || matches!(byte, b'^' | b'_' | b'`' | b'|' | b'~')
}

const MARKS: [&str; 3] = ["||", "[0D][0A]", "\r\n"];
/// Fields that change where a request ends, or what follows it.
const MOVERS: [&str; 4] = ["Transfer-Encoding", "Trailer", "Upgrade", "TE"];
pub(super) const HOST: &str = "Host";
pub(super) const LENGTH: &str = "Content-Length";
const ONCE: [&str; 2] = [HOST, LENGTH];
/// Characters of a refused text that an error shows.
const SHOWN_MAX: usize = 40;
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;
