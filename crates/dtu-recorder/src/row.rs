//! What the recorder keeps: rows of traffic and events, and lines of the log.

use std::fmt;

use serde::{Serialize, Serializer};

/// Where something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The serial line.
    Line,
    /// A link, 1..=4.
    Link(u8),
    /// The connection of mode 2 (`AT+CIOPEN`).
    At,
    /// The connection to the HTTP server (mode 3).
    Httpd,
    /// A destination of mode 1, 1..=8.
    Destination(u8),
    /// The device's own console: AT lines of the web page, of `--at` and of the settings file.
    Console,
    /// The device itself; events only.
    Device,
    /// The radio; events only.
    Radio,
}

const WORDS: [&str; 18] = [
    "line", "link1", "link2", "link3", "link4", "at", "httpd", "to1", "to2", "to3", "to4", "to5",
    "to6", "to7", "to8", "console", "device", "radio",
];

impl Place {
    /// Number of places.
    pub(super) const COUNT: usize = WORDS.len();

    /// All, in the order of their indices.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).filter_map(Self::from_index)
    }

    /// A number out of range is that of the device.
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Line => 0,
            Self::Link(number @ 1..=4) => number as usize,
            Self::At => 5,
            Self::Httpd => 6,
            Self::Destination(number @ 1..=8) => 6 + number as usize,
            Self::Console => 15,
            Self::Device | Self::Link(_) | Self::Destination(_) => 16,
            Self::Radio => 17,
        }
    }

    pub(super) const fn from_index(index: usize) -> Option<Self> {
        Some(match index {
            0 => Self::Line,
            1..=4 => Self::Link(index as u8),
            5 => Self::At,
            6 => Self::Httpd,
            7..=14 => Self::Destination(index as u8 - 6),
            15 => Self::Console,
            16 => Self::Device,
            17 => Self::Radio,
            _ => return None,
        })
    }

    /// Its word in the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        WORDS[self.index()]
    }

    /// The place of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        WORDS
            .iter()
            .position(|found| *found == word)
            .and_then(Self::from_index)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// Seen from the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Dir {
    /// Line: the DTE sent it. Link: the peer sent it.
    In,
    /// To the DTE, or to the peer.
    Out,
}

/// Bytes, or something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Bytes that passed.
    Data,
    /// Something that happened; the note says what.
    Event,
}

/// A row of the traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its number; they have no gaps.
    pub seq: u64,
    /// Milliseconds since 1970.
    #[serde(rename = "at", serialize_with = "as_millis")]
    pub at_micros: u64,
    /// Where.
    pub of: Place,
    /// Which way.
    pub dir: Dir,
    /// Somebody has put it in by hand.
    pub injected: bool,
    /// Its true length in bytes.
    pub len: u32,
    /// What is kept of it.
    #[serde(serialize_with = "as_base64")]
    pub data: Vec<u8>,
    /// Why the frame was cut, what it is, or what happened.
    pub note: Option<String>,
    /// Bytes or event.
    pub kind: Kind,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// Its number; they have no gaps, and are not those of rows.
    pub seq: u64,
    /// Milliseconds since 1970.
    #[serde(rename = "at", serialize_with = "as_millis")]
    pub at_micros: u64,
    /// How bad it is.
    pub level: Level,
    /// What it is about, where it is about one thing.
    pub of: Option<Place>,
    /// As the log shows it.
    pub text: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something does not work.
    Error,
    /// Something needs a look.
    Warn,
    /// What happens.
    Info,
    /// For who looks for a fault.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    pub(super) const fn from_index(index: u8) -> Self {
        match index {
            0 => Self::Error,
            1 => Self::Warn,
            2 => Self::Info,
            3 => Self::Debug,
            _ => Self::Trace,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn as_millis<S: Serializer>(micros: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(micros / 1000)
}

fn as_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&base64(bytes))
}

/// Base64 as RFC 4648, 4 has it.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |place: usize| u32::from(group.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            text.push(if place > group.len() {
                '='
            } else {
                SIGNS[(bits >> (18 - 6 * place) & 63) as usize].into()
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_rfc_4648_has_it() {
        for (text, wanted) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), wanted);
        }
        assert_eq!(base64(&[0xFB, 0xFF, 0xBF]), "+/+/");
    }

    #[test]
    fn every_place_has_a_word_that_leads_back_to_it() {
        for (index, place) in Place::all().enumerate() {
            assert_eq!(
                (place.index(), Place::from_word(place.word())),
                (index, Some(place))
            );
        }
        assert_eq!(Place::all().count(), Place::COUNT);
        assert_eq!(Place::from_word("link5"), None);
    }
}
