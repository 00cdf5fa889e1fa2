//! Parameters: what a value may be, how it is read, and how its range is told to people.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::parse::Arg;
use super::reply::{Hex, Shown};
use crate::config::Role;
use crate::event::LinkId;

/// One parameter of a set form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) factory: Option<&'static str>,
    pub(super) absent: Absent,
    pub(super) secret: bool,
    /// What the read form says in the place of a secret; there it is none.
    pub(super) told: &'static [&'static str],
    pub(super) help: &'static str,
}

/// What a missing value means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// An error.
    Refused,
    /// Nothing between two commas gives this.
    Empty(&'static str),
    /// As `Empty`, and it may be left off at the end.
    LeftOff(&'static str),
}

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Decimal digits.
    Number { min: u32, max: u32 },
    /// Zero, or a number of the range.
    ZeroOr { min: u32, max: u32 },
    /// One of some numbers, each with its meaning (or an empty one).
    Choice(&'static [(u32, &'static str)]),
    /// One of some words, whatever their case; the value is its place.
    Words(&'static [&'static str]),
    /// Text of so many bytes.
    Text {
        min: usize,
        max: usize,
        chars: Chars,
    },
    /// Bytes as pairs of hex digits.
    Hex { max: usize },
    /// So many bytes, whatever they are.
    Bytes { min: usize, max: usize },
    /// Digits, `+` in front allowed.
    Phone,
    /// `always` or `backup:m`.
    Role,
    /// Anything printable; the command looks at it. The text tells its shape.
    Shape(&'static str),
}

/// What text may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chars {
    /// Anything printable, in UTF-8.
    Any,
    /// Printable ASCII.
    Ascii,
    /// Printable ASCII without comma or blank.
    Token,
    /// What stands in names and addresses of hosts.
    Host,
}

/// A value that fits its parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(u32),
    Text(String),
    Bytes(Vec<u8>),
    Role(Role),
}

impl Param {
    pub(super) const fn new(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self {
            name,
            kind,
            factory: None,
            absent: Absent::Refused,
            secret: false,
            told: &[],
            help,
        }
    }

    pub(super) const fn factory(mut self, value: &'static str) -> Self {
        self.factory = Some(value);
        self
    }

    pub(super) const fn empty_is(mut self, value: &'static str) -> Self {
        self.absent = Absent::Empty(value);
        self
    }

    pub(super) const fn left_off_is(mut self, value: &'static str) -> Self {
        self.absent = Absent::LeftOff(value);
        self
    }

    pub(super) const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// A secret of which the read form tells one of these words only.
    pub(super) const fn secret_told_as(mut self, words: &'static [&'static str]) -> Self {
        self.told = words;
        self.secret()
    }

    /// The value, or what is wrong with it.
    pub(super) fn read(&self, arg: Option<&Arg>) -> Result<Value, String> {
        let bytes = match (arg, self.absent) {
            (Some(arg), _) if !arg.is_absent() => arg.bytes.as_slice(),
            (Some(_), Absent::Empty(default) | Absent::LeftOff(default))
            | (None, Absent::LeftOff(default)) => default.as_bytes(),
            (Some(_), Absent::Refused) | (None, Absent::Refused | Absent::Empty(_)) => {
                return Err(format!(
                    "{} is missing; it must be {}{}",
                    self.name,
                    self.kind.range(),
                    self.comma()
                ));
            }
        };
        self.kind.read(bytes).ok_or_else(|| self.refusal(bytes))
    }

    /// How a value that is missing at the end is left to its default.
    fn comma(&self) -> String {
        match self.absent {
            Absent::Empty("") => "; write , for an empty one".to_owned(),
            Absent::Empty(default) => format!("; write , for {default}"),
            Absent::LeftOff(_) | Absent::Refused => String::new(),
        }
    }

    fn refusal(&self, bytes: &[u8]) -> String {
        let range = self.kind.range();
        if self.secret {
            return format!("{} must be {range}, got {} bytes", self.name, bytes.len());
        }
        let cure = self
            .kind
            .cure(bytes)
            .map(|cure| format!("; {cure}"))
            .unwrap_or_default();
        format!("{} must be {range}, got {}{cure}", self.name, Shown(bytes))
    }
}

impl Kind {
    fn read(self, bytes: &[u8]) -> Option<Value> {
        match self {
            Self::Number { min, max } => number(bytes)
                .filter(|n| (min..=max).contains(n))
                .map(Value::Number),
            Self::ZeroOr { min, max } => number(bytes)
                .filter(|n| *n == 0 || (min..=max).contains(n))
                .map(Value::Number),
            Self::Choice(choices) => number(bytes)
                .filter(|n| choices.iter().any(|(choice, _)| choice == n))
                .map(Value::Number),
            Self::Words(words) => words
                .iter()
                .position(|word| word.as_bytes().eq_ignore_ascii_case(bytes))
                .and_then(|place| u32::try_from(place).ok())
                .map(Value::Number),
            Self::Text { min, max, chars } => text(bytes, min, max, chars),
            Self::Hex { max } => unhex(bytes)
                .filter(|bytes| bytes.len() <= max)
                .map(Value::Bytes),
            Self::Bytes { min, max } => (min..=max)
                .contains(&bytes.len())
                .then(|| Value::Bytes(bytes.to_vec())),
            Self::Phone => phone(bytes),
            Self::Role => role(bytes).map(Value::Role),
            Self::Shape(_) => text(bytes, 0, usize::MAX, Chars::Any),
        }
    }

    /// What to type instead, where it is plain what was meant.
    fn cure(self, bytes: &[u8]) -> Option<String> {
        let text = core::str::from_utf8(bytes)
            .ok()
            .filter(|text| text.chars().all(|char| !char.is_control()))?;
        match self {
            Self::Hex { max }
                if bytes.len() <= max && text.chars().any(|char| !char.is_ascii_hexdigit()) =>
            {
                Some(format!("text \"{text}\" in hex is {}", Hex(bytes)))
            }
            Self::Choice(choices) => {
                let named = choices
                    .iter()
                    .find(|(_, meaning)| meaning.eq_ignore_ascii_case(text));
                let number = match text.to_ascii_lowercase().as_str() {
                    "on" | "yes" | "true" if is_switch(choices) => 1,
                    "off" | "no" | "false" if is_switch(choices) => 0,
                    _ => named?.0,
                };
                Some(format!("write {number}")).filter(|_| !text.is_empty())
            }
            Self::Phone => {
                let digits: String = text
                    .chars()
                    .filter(|char| !" -()./".contains(*char))
                    .collect();
                phone(digits.as_bytes()).map(|_| format!("write {digits}"))
            }
            Self::Text {
                chars: Chars::Host, ..
            } => {
                if let Some((host, port)) = with_port(text) {
                    return Some(format!(
                        "the port is a value of its own: write {host},{port}"
                    ));
                }
                if is_odd_address(text) {
                    return Some("each number of an address is 0..=255".to_owned());
                }
                let (_, host) = text.split_once("://")?;
                let host = host.split('/').next().filter(|host| !host.is_empty())?;
                Some(format!("write the name or address alone: {host}"))
            }
            Self::Number { .. }
            | Self::ZeroOr { .. }
            | Self::Words(_)
            | Self::Text { .. }
            | Self::Hex { .. }
            | Self::Bytes { .. }
            | Self::Role
            | Self::Shape(_) => None,
        }
    }

    /// What is allowed, in the words of an error.
    pub(super) fn range(self) -> String {
        match self {
            Self::Number { min, max } => format!("{min}..={max}"),
            Self::ZeroOr { min, max } => format!("0 or {min}..={max}"),
            Self::Choice(choices) => alternatives(choices.iter().map(|choice| meaning(*choice))),
            Self::Words(words) => alternatives(words.iter().map(|word| (*word).to_owned())),
            Self::Text { min, max, chars } => format!("{min}..={max} {}", chars.name()),
            Self::Hex { max } => {
                format!(
                    "an even number of hex digits, at most {} ({max} bytes)",
                    max.saturating_mul(2)
                )
            }
            Self::Bytes { min, max } => format!("{min}..={max} bytes"),
            Self::Phone => format!("1..={PHONE_MAX} digits, + in front allowed"),
            Self::Role => format!("always or backup:1..={}", LinkId::ALL.len()),
            Self::Shape(shape) => shape.to_owned(),
        }
    }

    /// What is allowed, as `=?` prints it (V.250 5.4.3.2, 5.7).
    pub(super) fn test_text(self) -> String {
        match self {
            Self::Number { min, max } => format!("({min}-{max})"),
            Self::ZeroOr { min, max } => format!("(0,{min}-{max})"),
            Self::Choice(choices) => listed(choices.iter().map(|(number, _)| number.to_string())),
            Self::Words(words) => listed(words.iter().map(|word| format!("\"{word}\""))),
            Self::Text { min, max, .. } => format!("({min}-{max} characters)"),
            Self::Hex { max } => format!("(0-{} hex digits)", max.saturating_mul(2)),
            Self::Bytes { min, max } => format!("({min}-{max} bytes)"),
            Self::Phone => format!("(1-{PHONE_MAX} digits)"),
            Self::Role => {
                "(\"always\",\"backup:1\",\"backup:2\",\"backup:3\",\"backup:4\")".to_owned()
            }
            Self::Shape(shape) => format!("({shape})"),
        }
    }
}

impl Chars {
    const fn name(self) -> &'static str {
        match self {
            Self::Any => "bytes of printable UTF-8 text",
            Self::Ascii => "printable ASCII characters",
            Self::Token => "printable ASCII characters without comma or blank",
            Self::Host => "letters, digits and . - _ : % [ ]",
        }
    }

    fn allows(self, char: char) -> bool {
        match self {
            Self::Any => !char.is_control(),
            Self::Ascii => char == ' ' || char.is_ascii_graphic(),
            Self::Token => char.is_ascii_graphic() && char != ',',
            Self::Host => char.is_ascii_alphanumeric() || ".-_:%[]".contains(char),
        }
    }
}

/// Digits and nothing else: no sign, no blank, no overflow.
fn number(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0_u32, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

fn text(bytes: &[u8], min: usize, max: usize, chars: Chars) -> Option<Value> {
    let text = core::str::from_utf8(bytes).ok()?;
    let is_host = || with_port(text).is_none() && !is_odd_address(text);
    let fits = (min..=max).contains(&text.len()) && text.chars().all(|char| chars.allows(char));
    (fits && (chars != Chars::Host || is_host())).then(|| Value::Text(text.to_owned()))
}

/// Off and on, whatever they are called.
const fn is_switch(choices: &[(u32, &str)]) -> bool {
    matches!(choices, [(0, _), (1, _)])
}

/// A host and the port that somebody wrote behind it. An IPv6 address has more colons than one.
fn with_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_port && !host.is_empty() && (!host.contains(':') || host.ends_with(']')))
        .then_some((host, port))
}

/// Four numbers with dots between, and no address: no name looks like that.
fn is_odd_address(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split('.').count() == 4
        && text.split('.').all(is_number)
        && text.parse::<core::net::Ipv4Addr>().is_err()
}

fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?))
        .collect()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

fn phone(bytes: &[u8]) -> Option<Value> {
    let digits = bytes.strip_prefix(b"+").unwrap_or(bytes);
    let fits =
        !digits.is_empty() && bytes.len() <= PHONE_MAX && digits.iter().all(u8::is_ascii_digit);
    let text = core::str::from_utf8(bytes).ok()?;
    fits.then(|| Value::Text(text.to_owned()))
}

fn role(bytes: &[u8]) -> Option<Role> {
    if bytes.eq_ignore_ascii_case(b"always") {
        return Some(Role::Always);
    }
    let (word, of) = bytes.split_at_checked(7)?;
    let link = number(of)
        .and_then(|of| u8::try_from(of).ok())
        .and_then(LinkId::from_number)?;
    word.eq_ignore_ascii_case(b"backup:")
        .then_some(Role::Backup(link))
}

fn meaning((number, meaning): (u32, &str)) -> String {
    if meaning.is_empty() {
        number.to_string()
    } else {
        format!("{number} ({meaning})")
    }
}

fn alternatives(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = words.collect();
    let last = words.pop().unwrap_or_default();
    if words.is_empty() {
        last
    } else {
        format!("{} or {last}", words.join(", "))
    }
}

fn listed(words: impl Iterator<Item = String>) -> String {
    format!("({})", words.collect::<Vec<_>>().join(","))
}

const PHONE_MAX: usize = 20;
