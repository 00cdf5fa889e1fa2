//! A fault of a settings file, with its place.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::words::in_words;

/// A fault of a settings file. Shown as `FILE:LINE:COLUMN: what is wrong, what is allowed`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    path: PathBuf,
    place: Option<Place>,
    message: String,
}

/// Line and column (in characters), both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    line: usize,
    column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        if let Some(place) = self.place {
            write!(f, "{place}:")?;
        }
        write!(f, " {}", self.message)
    }
}

impl Error {
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self {
            path: path.into(),
            place: None,
            message: format!("cannot be read: {error}"),
        }
    }

    /// Reading a pipe would wait for ever, and opening a device may do something.
    pub(super) fn unless_file(path: &Path) -> Result<(), Self> {
        use std::os::unix::fs::FileTypeExt as _;
        let kind = match std::fs::metadata(path).map(|metadata| metadata.file_type()) {
            Ok(kind) if kind.is_fifo() => "a pipe",
            Ok(kind) if kind.is_socket() => "a socket",
            Ok(kind) if kind.is_char_device() || kind.is_block_device() => "a device",
            // What is wrong with the others shows when they are read.
            Ok(_) | Err(_) => return Ok(()),
        };
        Err(Self {
            path: path.into(),
            place: None,
            message: format!("is {kind}; a settings file is a plain file"),
        })
    }

    pub(super) fn not_text(path: &Path, bytes: &[u8], error: &std::str::Utf8Error) -> Self {
        let (good, bad) = bytes.split_at(error.valid_up_to());
        let message = format!(
            "byte 0x{:02X} is not UTF-8; a settings file is UTF-8 text",
            bad.first().unwrap_or(&0)
        );
        Self {
            path: path.into(),
            place: Some(place(&String::from_utf8_lossy(good), good.len())),
            message,
        }
    }

    pub(super) fn of_toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        Self::at(path, text, error.span(), &in_words(error.message()))
    }

    /// A fault at a range of bytes of the text; one that is a value is named by its key.
    pub(super) fn at(path: &Path, text: &str, span: Option<Range<usize>>, message: &str) -> Self {
        let mut message = message.trim().replace('\n', ", ");
        if let Some(key) = span.as_ref().and_then(|span| key_before(text, span.start)) {
            message = format!("{key}: {message}");
        }
        Self {
            path: path.into(),
            place: span.map(|span| place(text, span.start)),
            message,
        }
    }
}

pub(super) fn place(text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    Place {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

/// `within` where the text before `at` ends with `within = `, and `init` where it ends amid the list of `init = [`.
fn key_before(text: &str, at: usize) -> Option<&str> {
    let before = text.get(..at)?;
    let blanks = [' ', '\t'];
    let open = before
        .rmatch_indices('[')
        .map(|(open, _)| before.split_at(open));
    let mut lists = open.filter(|(front, _)| front.trim_end_matches(blanks).ends_with('='));
    let front = match lists.find(|(_, list)| is_open(list)) {
        Some((front, _)) => front,
        None => before,
    };
    let key = front
        .trim_end_matches(blanks)
        .strip_suffix('=')?
        .trim_end_matches(blanks);
    let start = key
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .map_or(0, |end| end + 1);
    key.get(start..).filter(|key| !key.is_empty())
}

/// Whether a list that begins here has not ended.
fn is_open(list: &str) -> bool {
    let mut signs = list.chars();
    let mut depth = 0_usize;
    while let Some(sign) = signs.next() {
        match sign {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '#' => drop(signs.find(|sign| *sign == '\n')),
            '\'' => drop(signs.find(|sign| *sign == '\'')),
            '"' => {
                while let Some(sign) = signs.next().filter(|sign| *sign != '"') {
                    if sign == '\\' {
                        signs.next();
                    }
                }
            }
            _ => {}
        }
        if depth == 0 {
            return false;
        }
    }
    true
}
