//! A command line as a log may show it: without its secrets, and on one line.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::parse::{self, Arg, Form, Piece};
use super::table;

/// A command line as a log may show it: without its secrets.
#[must_use]
pub fn shown_command(line: &str) -> String {
    ShownLine::of(line.as_bytes()).text
}

/// A line of an answer such as `+CSTT: …`, where a secret stands in it: without that.
#[must_use]
pub fn shown_answer(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix('+')?;
    let (name, values) = rest.split_once(':')?;
    let shown = ShownLine::of(format!("AT+{name}={}", values.trim_start()).as_bytes());
    shown
        .has_secrets()
        .then(|| shown.text.replacen("AT", "", 1).replacen('=', ": ", 1))
}

/// A line and its answer, for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShownLine {
    pub(crate) text: String,
    secrets: Vec<Vec<u8>>,
}

impl ShownLine {
    pub(crate) fn of(line: &[u8]) -> Self {
        let mut secrets = Vec::new();
        let quoted = parse::quote_free_text(line);
        let whole = parse::normalize(quoted.as_deref().unwrap_or(line));
        let whole = parse::trim(&whole);
        let Some(mut rest) = parse::behind_at(whole) else {
            return Self {
                text: bounded(&printable(whole)),
                secrets,
            };
        };
        let mut text = String::from("AT");
        while let Some((piece, behind)) = parse::next(rest) {
            let typed = parse::trim(&rest[..rest.len() - behind.len()]);
            let from = typed
                .iter()
                .position(|byte| *byte != b';')
                .unwrap_or(typed.len());
            let bare = typed[from..].strip_suffix(b";").unwrap_or(&typed[from..]);
            text.push_str(if from > 0 { ";" } else { "" });
            if let Ok(piece) = piece {
                text.push_str(&readable(&piece, bare, &mut secrets));
                text.push_str(if typed.ends_with(b";") { ";" } else { "" });
                rest = behind;
            } else {
                // Where it would go on is not known.
                text.push_str(&unreadable(&rest[from..], &mut secrets));
                break;
            }
        }
        Self {
            text: bounded(&text),
            secrets,
        }
    }

    pub(crate) const fn has_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// The text of a refusal, unless a secret may be in it.
    pub(crate) fn refusal(&self, text: &str) -> String {
        let gives_away = |secret: &Vec<u8>| {
            let start =
                String::from_utf8_lossy(&secret[..secret.len().min(GIVEN_AWAY)]).into_owned();
            start.is_empty() || text.contains(&start)
        };
        if self.secrets.iter().any(gives_away) {
            String::from("refused; why is not logged, for a secret may be in it")
        } else {
            bounded(&printable(text.as_bytes()))
        }
    }
}

/// A command that can be read: only its secret values are left out.
fn readable(piece: &Piece, typed: &[u8], secrets: &mut Vec<Vec<u8>>) -> String {
    let Some(command) = table::find(&piece.name) else {
        return name_alone(typed, secrets);
    };
    // A value too many can be the secret, which has slipped a place.
    let is_secret = |place: usize| {
        command
            .params
            .get(place)
            .map_or(command.has_secret(), |param| param.secret)
    };
    let hides = |(place, arg): (usize, &Arg)| is_secret(place) && !arg.bytes.is_empty();
    if piece.form != Form::Set || !piece.args.iter().enumerate().any(hides) {
        return printable(typed);
    }
    let values = piece.args.iter().enumerate().map(|(place, arg)| {
        if hides((place, arg)) {
            secrets.push(arg.bytes.clone());
            HIDDEN.to_string()
        } else if arg.quoted {
            format!("\"{}\"", printable(&arg.bytes))
        } else {
            printable(&arg.bytes)
        }
    });
    let values: Vec<String> = values.collect();
    format!("{}={}", piece.name, values.join(","))
}

/// From a fault of spelling on: which value is the secret cannot be told.
fn unreadable(typed: &[u8], secrets: &mut Vec<Vec<u8>>) -> String {
    let upper = typed.to_ascii_uppercase();
    let names_secret = table::all()
        .filter(|command| command.has_secret())
        .any(|command| {
            upper
                .windows(command.name.len())
                .any(|part| part == command.name.as_bytes())
        });
    let is_known =
        core::str::from_utf8(name_of(&upper)).is_ok_and(|name| table::find(name).is_some());
    if is_known && !names_secret {
        return printable(typed);
    }
    name_alone(typed, secrets)
}

/// What a command that nobody knows may hold, nobody knows: a password with a slip in the name of its command.
fn name_alone(typed: &[u8], secrets: &mut Vec<Vec<u8>>) -> String {
    let end = name_of(typed).len();
    // Without a sign between, what follows the longest name could be the value.
    let shown = &typed[..end.min(NAME_MAX)];
    if shown.len() == typed.len() {
        return printable(typed);
    }
    // Nothing of the refusal is shown.
    secrets.push(Vec::new());
    let mark = if typed.get(end) == Some(&b'=') && end == shown.len() {
        "="
    } else {
        ""
    };
    format!("{}{mark}{HIDDEN}", printable(shown))
}

/// What a line begins with, as far as it can be the name of a command.
fn name_of(typed: &[u8]) -> &[u8] {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'+';
    &typed[..typed
        .iter()
        .position(|byte| !is_name(byte))
        .unwrap_or(typed.len())]
}

/// One line of what was typed. Text stays text; what does not print is written out.
fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() {
                text.extend(character.escape_default());
            } else {
                text.push(character);
            }
        }
        chunk
            .invalid()
            .iter()
            .for_each(|byte| text.push_str(&format!("\\x{byte:02X}")));
    }
    text
}

fn bounded(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_string(),
    }
}

const HIDDEN: &str = "****";
/// No command has a longer name.
const NAME_MAX: usize = 12;
/// Characters of a line that are shown.
const SHOWN_MAX: usize = 200;
/// So many bytes of a secret in a text give it away; error texts cut long values short.
const GIVEN_AWAY: usize = 4;
