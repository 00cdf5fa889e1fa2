//! A command line as a log may show it: without its secrets, and on one line.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::parse::{self, Arg, Form, Piece};
use super::table;
use crate::line::assembler::{BACKSPACE, DELETE};

/// A command line as a log may show it: without its secrets.
#[must_use]
pub fn shown_command(line: &str) -> String {
    ShownLine::of(line.as_bytes()).text
}

/// A line of an answer such as `+CSTT: …`, where a secret stands in it: without that.
#[must_use]
pub fn shown_answer(line: &str) -> Option<String> {
    hidden(line.as_bytes())
}

/// Text of several lines, commands and answers, where a secret stands in one of them: without that. `None`: there is none.
#[must_use]
pub fn shown_text(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut any = false;
    for line in text.split_inclusive(|byte| is_end(*byte)) {
        let end = line.iter().position(|byte| is_end(*byte));
        let (words, end) = line.split_at(end.unwrap_or(line.len()));
        match hidden(words) {
            Some(shown) => {
                any = true;
                out.extend_from_slice(shown.as_bytes());
            }
            None => out.extend_from_slice(words),
        }
        out.extend_from_slice(end);
    }
    any.then_some(out)
}

/// A line that is a command, the echo of one, or an answer; `None`: nothing of it is a secret.
fn hidden(line: &[u8]) -> Option<String> {
    let line = rubbed_out(line);
    let is_answer = parse::trim(&line).starts_with(b"+");
    let shown = ShownLine::read(&line, !is_answer);
    shown.has_secrets().then_some(shown.text)
}

/// An echo repeats what was typed, and what rubs it out.
fn rubbed_out(line: &[u8]) -> Cow<'_, [u8]> {
    let edits = [BACKSPACE, DELETE, parse::ESC];
    if !line.iter().any(|byte| edits.contains(byte)) {
        return line.into();
    }
    let mut left = Vec::with_capacity(line.len());
    for byte in line {
        if !edits.contains(byte) {
            left.push(*byte);
        } else if *byte != parse::ESC {
            left.pop();
        }
    }
    left.into()
}

const fn is_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// A line and its answer, for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShownLine {
    pub(crate) text: String,
    secrets: Vec<Vec<u8>>,
}

impl ShownLine {
    pub(crate) fn of(line: &[u8]) -> Self {
        Self::read(line, true)
    }

    /// `typed`: what follows an `AT+` anywhere is a command. Answers speak of commands, so in them only names of those that
    /// have a secret count.
    fn read(line: &[u8], typed: bool) -> Self {
        let mut secrets = Vec::new();
        let line = parse::trim(line);
        let text = match Start::find(line, typed) {
            None => printable(&parse::normalize(line)),
            Some((start, noise, rest)) => {
                let front = if start == Start::At {
                    without_password(noise, &mut secrets)
                } else {
                    printable(noise)
                };
                front + &start.shown(rest, &mut secrets)
            }
        };
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

/// What stands in front of a command: `psw,AT+…` (manual 2.8.6) begins with a password, whether it is the right one or not.
fn without_password(noise: &[u8], secrets: &mut Vec<Vec<u8>>) -> String {
    let Some(front) = parse::trim(noise).strip_suffix(b",") else {
        return printable(noise);
    };
    let word = front
        .iter()
        .rposition(|byte| matches!(byte, b',' | b' '))
        .map_or(0, |at| at + 1);
    let (before, password) = front.split_at(word);
    if password.is_empty() {
        return printable(noise);
    }
    secrets.push(password.to_vec());
    printable(before) + HIDDEN + ","
}

/// What a command begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    At,
    Plus,
    /// The plus is missing.
    Name,
}

impl Start {
    /// Of the first command of a line: what stands before it, and behind its start.
    fn find(line: &[u8], typed: bool) -> Option<(Self, &[u8], &[u8])> {
        if let Some(rest) = parse::behind_at(line) {
            return Some((Self::At, &[], rest));
        }
        (0..line.len()).find_map(|at| {
            let (noise, rest) = line.split_at(at);
            let behind_at = parse::behind_at(rest)
                .filter(|behind| typed && behind_plus(parse::trim(behind)).is_some());
            let (start, rest) = match behind_at {
                Some(behind) => (Self::At, behind),
                None => Self::of_secret(rest)?,
            };
            Some((start, noise, rest))
        })
    }

    /// The name of a command that has a secret, right here. Without a plus a value must follow: it may be a word.
    fn of_secret(rest: &[u8]) -> Option<(Self, &[u8])> {
        if let Some(name) = behind_plus(rest).map(parse::trim) {
            return behind_secret_name(name).map(|_| (Self::Plus, name));
        }
        let behind = parse::trim(behind_secret_name(rest)?);
        let sets = EQUALS.iter().any(|sign| behind.starts_with(sign));
        sets.then_some((Self::Name, rest))
    }

    fn shown(self, rest: &[u8], secrets: &mut Vec<Vec<u8>>) -> String {
        if self == Self::At {
            return String::from("AT") + &commands(rest, secrets);
        }
        // `+CSTT: …` has the form of an answer.
        let mut command = [b"+", rest].concat();
        let end = name_of(&command).len();
        let blanks = command[end..]
            .iter()
            .take_while(|byte| **byte == b' ')
            .count();
        let answers = command.get(end + blanks) == Some(&b':');
        if answers && tells_a_word(&command[..end], &command[end + blanks + 1..]) {
            return printable(&command);
        }
        if answers {
            command[end + blanks] = b'=';
        }
        let shown = commands(&command, secrets);
        let shown = if answers {
            shown.replacen('=', ": ", 1)
        } else {
            shown
        };
        match self {
            Self::Name => String::from(&shown[1..]),
            Self::At | Self::Plus => shown,
        }
    }
}

/// Whether an answer of this command has a word in the place of the secret, which tells nothing of it.
fn tells_a_word(name: &[u8], value: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name).to_ascii_uppercase();
    let params = table::find(&name).map_or(&[][..], |command| command.params);
    let value = parse::trim(value);
    matches!(params, [only] if only.told.iter().any(|word| word.as_bytes() == value))
}

fn behind_plus(rest: &[u8]) -> Option<&[u8]> {
    let signs = [&b"+"[..]].into_iter().chain(parse::FULL_PLUS);
    signs.into_iter().find_map(|sign| rest.strip_prefix(sign))
}

/// What stands behind the name of a command that has a secret.
fn behind_secret_name(rest: &[u8]) -> Option<&[u8]> {
    table::all()
        .filter(|command| command.has_secret())
        .find_map(|command| {
            let (name, behind) = rest.split_at_checked(command.name.len() - 1)?;
            name.eq_ignore_ascii_case(&command.name.as_bytes()[1..])
                .then_some(behind)
        })
}

/// Where such a name ends, anywhere in a text.
fn end_of_secret_name(text: &[u8]) -> Option<usize> {
    (0..text.len()).find_map(|at| {
        let (_, rest) = Start::of_secret(&text[at..])?;
        Some(text.len() - behind_secret_name(rest)?.len())
    })
}

/// The commands behind an `AT`.
fn commands(behind_at: &[u8], secrets: &mut Vec<Vec<u8>>) -> String {
    let line = [b"AT", behind_at].concat();
    let quoted = parse::quote_free_text(&line);
    let whole = parse::normalize(quoted.as_deref().unwrap_or(&line));
    let mut rest = parse::behind_at(parse::trim(&whole)).unwrap_or_default();
    let mut text = String::new();
    while let Some((piece, behind)) = parse::next(rest) {
        let typed = parse::trim(&rest[..rest.len() - behind.len()]);
        let from = typed
            .iter()
            .position(|byte| *byte != b';')
            .unwrap_or(typed.len());
        let bare = typed[from..].strip_suffix(b";").unwrap_or(&typed[from..]);
        text.push_str(if from > 0 { ";" } else { "" });
        if let Some((Start::Name, _)) = Start::of_secret(rest[from..].trim_ascii_start()) {
            text.push_str(&name_alone(rest[from..].trim_ascii_start(), secrets));
            break;
        }
        if let Ok(piece) = piece {
            text.push_str(&readable(&piece, bare, secrets));
            text.push_str(if typed.ends_with(b";") { ";" } else { "" });
            rest = behind;
        } else {
            // Where it would go on is not known.
            text.push_str(&unreadable(&rest[from..], secrets));
            break;
        }
    }
    text
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
    if !command.has_secret() {
        return open(typed, secrets);
    }
    let is_plain = |(place, arg): (usize, &Arg)| {
        !hides((place, arg)) && end_of_secret_name(&arg.bytes).is_none()
    };
    if piece.form != Form::Set || piece.args.iter().enumerate().all(is_plain) {
        return printable(typed);
    }
    let values = piece.args.iter().enumerate().map(|(place, arg)| {
        if hides((place, arg)) {
            secrets.push(arg.bytes.clone());
            HIDDEN.to_string()
        } else if arg.quoted {
            format!("\"{}\"", open(&arg.bytes, secrets))
        } else {
            open(&arg.bytes, secrets)
        }
    });
    let values: Vec<String> = values.collect();
    format!("{}={}", piece.name, values.join(","))
}

/// Where a command with a secret is part of another one's text, its values are left out, and what is behind them.
fn open(typed: &[u8], secrets: &mut Vec<Vec<u8>>) -> String {
    match end_of_secret_name(typed) {
        Some(end) if end < typed.len() => {
            secrets.push(Vec::new());
            printable(&typed[..end]) + HIDDEN
        }
        Some(_) | None => printable(typed),
    }
}

/// From a fault of spelling on: which value is the secret cannot be told.
fn unreadable(typed: &[u8], secrets: &mut Vec<Vec<u8>>) -> String {
    let upper = typed.to_ascii_uppercase();
    let names_secret = end_of_secret_name(typed).is_some();
    // `AT` alone is a command, whose name is nothing.
    let is_known = core::str::from_utf8(name_of(&upper))
        .is_ok_and(|name| !name.is_empty() && table::find(name).is_some());
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
/// As it is typed, or pasted full-width in UTF-8 or GBK.
const EQUALS: [&[u8]; 3] = [b"=", "＝".as_bytes(), &[0xA3, 0xBD]];
/// No command has a longer name.
const NAME_MAX: usize = 12;
/// Characters of a line that are shown.
const SHOWN_MAX: usize = 200;
/// So many bytes of a secret in a text give it away; error texts cut long values short.
const GIVEN_AWAY: usize = 4;
