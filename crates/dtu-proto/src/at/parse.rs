//! A command line taken apart (V.250 5.2), with what people really type and paste: blanks anywhere, quotes or none,
//! full-width punctuation from a Chinese manual in UTF-8 or GBK bytes.

use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use super::reply::Shown;
use crate::line::assembler::is_printable;

/// How a command is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `AT+X`
    Run,
    /// `AT+X?`
    Read,
    /// `AT+X=?`
    Test,
    /// `AT+X=…`
    Set,
}

/// One value as it was typed, without its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arg {
    pub(super) bytes: Vec<u8>,
    pub(super) quoted: bool,
}

impl Arg {
    /// Nothing at all stands between two commas; `""` is a value.
    pub(super) fn is_absent(&self) -> bool {
        self.bytes.is_empty() && !self.quoted
    }
}

/// One command of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// In capitals, with its `+` or `&`.
    pub(super) name: String,
    pub(super) form: Form,
    pub(super) args: Vec<Arg>,
}

/// The line from its first `AT` on, where something that nobody types stands right in front of it: what a line picks up
/// while it is plugged in, or the end of an earlier dialogue (decisions 16.9).
pub(super) fn without_noise(line: &[u8]) -> &[u8] {
    let Some(at) = line
        .windows(2)
        .position(|pair| pair.eq_ignore_ascii_case(b"AT"))
    else {
        return line;
    };
    let (before, command) = line.split_at(at);
    match before.iter().rposition(|byte| *byte != b' ') {
        Some(last) if !is_printable(&before[last]) => command,
        Some(_) | None => line,
    }
}

/// The line with full-width punctuation outside quoted text as ASCII, and without ESC (gammu sends it to leave a
/// prompt that is not there).
pub(super) fn normalize(line: &[u8]) -> Vec<u8> {
    let slips = without_slips(line);
    let line = slips.as_deref().unwrap_or(line);
    let utf8 = core::str::from_utf8(line).is_ok();
    let mut out = Vec::with_capacity(line.len());
    let mut inside = Inside::Nothing;
    let mut rest = line;
    while !rest.is_empty() {
        let (char, behind) = rest.split_at(char_width(rest, utf8));
        rest = behind;
        if char != [ESC] {
            inside.take(char, &mut out);
        }
    }
    out
}

/// A line with the full-width `＋` behind `AT` and `？` at its end as ASCII: an input method that was left on. Elsewhere they
/// are text. `None`: there are none.
fn without_slips(line: &[u8]) -> Option<Vec<u8>> {
    let rest = behind_at(trim(line))?;
    let plus = FULL_PLUS.into_iter().find(|sign| rest.starts_with(sign));
    let middle = plus.map_or(rest, |sign| &rest[sign.len()..]);
    let asks = |sign: &&[u8]| {
        let Some(name) = middle.strip_suffix(*sign) else {
            return false;
        };
        name.iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+=".contains(byte))
    };
    let ask = FULL_ASK.into_iter().find(|sign| asks(sign));
    if plus.is_none() && ask.is_none() {
        return None;
    }
    let name = ask.map_or(middle, |sign| &middle[..middle.len() - sign.len()]);
    let (plus, ask) = (
        plus.map_or(&b""[..], |_| b"+"),
        ask.map_or(&b""[..], |_| b"?"),
    );
    Some([b"AT", plus, name, ask].concat())
}

/// The plus in UTF-8 and GBK.
pub(super) const FULL_PLUS: [&[u8]; 2] = [b"\xEF\xBC\x8B", b"\xA3\xAB"];
const FULL_ASK: [&[u8]; 2] = [b"\xEF\xBC\x9F", b"\xA3\xBF"];

/// A line whose last value is free text (of `CISMSSEND` everything behind the second comma), with that text in quotes.
/// `None`: there is no such text, or it stands in quotes already.
pub(super) fn quote_free_text(line: &[u8]) -> Option<Vec<u8>> {
    let command = behind_at(trim(line)).map(trim)?;
    let (values, commas) = FREE_TEXT.iter().find_map(|(name, commas)| {
        let (head, rest) = command.split_at_checked(name.len())?;
        head.eq_ignore_ascii_case(name)
            .then_some((trim(rest), *commas))
    })?;
    let rest = behind_values(values, commas, core::str::from_utf8(line).is_ok())?;
    // What `trim` took from the end is no part of the text.
    let line = trim_end(line);
    let head = &line[..line.len() - rest.len()];
    let text = trim_start(rest);
    let utf8 = core::str::from_utf8(line).is_ok();
    let first = text.get(..char_width(text, utf8).min(text.len()))?;
    if first.is_empty() || first == b"\"" || ascii_twin(first) == Some(b'"') || text == b"?" {
        return None;
    }
    let text = text.iter().flat_map(|byte| {
        if *byte == b'"' {
            &b"\"\""[..]
        } else {
            core::slice::from_ref(byte)
        }
    });
    Some(
        head.iter()
            .chain(b"\"")
            .chain(text)
            .chain(b"\"")
            .copied()
            .collect(),
    )
}

/// What stands behind the equals sign and so many commas outside quotes.
fn behind_values(values: &[u8], commas: usize, utf8: bool) -> Option<&[u8]> {
    let (mut rest, mut marks, mut quoted) = (values, 0, false);
    while marks <= commas {
        let (char, behind) = rest.split_at(char_width(rest, utf8).min(rest.len()));
        let twin =
            ascii_twin(char).or_else(|| char.first().copied().filter(|_| char.len() == 1))?;
        let mark = if marks == 0 { b'=' } else { b',' };
        if marks == 0 && twin != mark {
            return None; // another form, or a longer name
        }
        quoted ^= twin == b'"';
        marks += usize::from(twin == mark && !quoted);
        rest = behind;
    }
    Some(rest)
}

/// The commands whose last value is free text, and the commas in front of it.
const FREE_TEXT: [(&[u8], usize); 3] = [(b"+CISMSSEND", 2), (b"+HTPURL", 0), (b"+HTPHD", 0)];

/// What kind of quotes are open.
enum Inside {
    Nothing,
    Ascii,
    Wide,
}

impl Inside {
    fn take(&mut self, char: &[u8], out: &mut Vec<u8>) {
        let twin = ascii_twin(char);
        match self {
            Self::Nothing => {
                match twin {
                    Some(b'"') => *self = Self::Wide,
                    Some(_) | None if char == b"\"" => *self = Self::Ascii,
                    Some(_) | None => {}
                }
                push(char, twin, out);
            }
            Self::Ascii => {
                if char == b"\"" {
                    *self = Self::Nothing;
                }
                out.extend_from_slice(char);
            }
            Self::Wide if char == b"\"" || twin == Some(b'"') => {
                *self = Self::Nothing;
                out.push(b'"');
            }
            Self::Wide => out.extend_from_slice(char),
        }
    }
}

fn push(char: &[u8], twin: Option<u8>, out: &mut Vec<u8>) {
    match twin {
        Some(twin) => out.push(twin),
        None => out.extend_from_slice(char),
    }
}

/// Bytes of the first character, as far as it may have a twin: in UTF-8 those have three. A line that is not UTF-8 is
/// read as GBK, where the second byte may be anything from 0x40: stepping by pairs keeps the border of two characters
/// from looking like a third.
fn char_width(bytes: &[u8], utf8: bool) -> usize {
    match bytes {
        [0xE0..=0xEF, ..] if utf8 => 3,
        [0x81..=0xFE, 0x40..=0xFE, ..] if !utf8 => 2,
        _ => 1,
    }
}

/// The ASCII twin of a full-width character, in UTF-8 (3 bytes) or GBK (2 bytes).
fn ascii_twin(char: &[u8]) -> Option<u8> {
    match char {
        [0xEF, 0xBC, 0x8C] | [0xA3, 0xAC] => Some(b','),
        [0xEF, 0xBC, 0x9B] | [0xA3, 0xBB] => Some(b';'),
        [0xEF, 0xBC, 0x9D] | [0xA3, 0xBD] => Some(b'='),
        [0xE2, 0x80, 0x9C | 0x9D] | [0xA1, 0xB0 | 0xB1] => Some(b'"'),
        _ => None,
    }
}

/// The next command of a normalized line (behind its `AT`), and what is left behind it. `None`: there is none.
/// A fault of spelling is text, to be shown.
pub(super) fn next(line: &[u8]) -> Option<(Result<Piece, String>, &[u8])> {
    let mut cursor = Cursor { rest: line };
    while cursor.skip_blanks().eat(b';') {}
    cursor.peek()?;
    let piece = cursor.piece();
    Some((piece, cursor.rest))
}

/// Whether the line begins with `AT`; what stands behind it.
pub(super) fn behind_at(line: &[u8]) -> Option<&[u8]> {
    match line {
        [b'A' | b'a', b'T' | b't', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// The line without blanks at either end.
pub(super) fn trim(line: &[u8]) -> &[u8] {
    trim_end(trim_start(line))
}

fn trim_start(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = line {
        line = rest;
    }
    line
}

fn trim_end(mut line: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn skip_blanks(&mut self) -> &mut Self {
        while self.eat(b' ') || self.eat(b'\t') {}
        self
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self
            .rest
            .iter()
            .position(|byte| !wanted(*byte))
            .unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn piece(&mut self) -> Result<Piece, String> {
        match self.peek().map(|byte| byte.to_ascii_uppercase()) {
            Some(b'+') => self.extended(),
            Some(b'D') => Ok(self.dial()),
            Some(b'S') => self.register(),
            Some(letter @ (b'&' | b'A'..=b'Z')) => self.basic(letter),
            Some(_) | None => {
                let what = self.take_while(|byte| byte != b';');
                Err(format!("{} is no command; AT+HELP lists them", Shown(what)))
            }
        }
    }

    /// `+NAME`, `+NAME?`, `+NAME=?`, `+NAME=value,…`
    fn extended(&mut self) -> Result<Piece, String> {
        self.eat(b'+');
        let name = self
            .skip_blanks()
            .take_while(|byte| byte.is_ascii_alphanumeric());
        let name = capitals(b"+", name);
        self.skip_blanks();
        let (form, args) = if self.eat(b'?') {
            (Form::Read, Vec::new())
        } else if !self.eat(b'=') {
            (Form::Run, Vec::new())
        } else if self.is_test() {
            (Form::Test, Vec::new())
        } else {
            (
                Form::Set,
                self.values()
                    .map_err(|fault| format!("{}: {fault}", &name[1..]))?,
            )
        };
        self.end_of_command(&name[1..])?;
        Ok(Piece { name, form, args })
    }

    /// Whether only `?` follows; it is eaten.
    fn is_test(&mut self) -> bool {
        let mut ahead = Cursor { rest: self.rest };
        let asks = ahead.skip_blanks().eat(b'?')
            && matches!(ahead.skip_blanks().peek(), None | Some(b';'));
        if asks {
            self.rest = ahead.rest;
        }
        asks
    }

    fn end_of_command(&mut self, name: &str) -> Result<(), String> {
        self.skip_blanks();
        if self.rest.is_empty() || self.eat(b';') {
            return Ok(());
        }
        let what = self.take_while(|byte| byte != b';');
        Err(format!(
            "{name}: {} does not belong behind the command",
            Shown(what)
        ))
    }

    fn values(&mut self) -> Result<Vec<Arg>, String> {
        let mut values = vec![self.value()?];
        while self.eat(b',') {
            values.push(self.value()?);
        }
        Ok(values)
    }

    /// One value, up to the comma or semicolon behind it.
    fn value(&mut self) -> Result<Arg, String> {
        if !self.skip_blanks().eat(b'"') {
            let bytes = trim_end(self.take_while(|byte| byte != b',' && byte != b';')).to_vec();
            return Ok(Arg {
                bytes,
                quoted: false,
            });
        }
        let bytes = self.quoted()?;
        match self.skip_blanks().peek() {
            None | Some(b',' | b';') => Ok(Arg {
                bytes,
                quoted: true,
            }),
            Some(_) => Err(format!(
                "{} stands behind a closing quote",
                Shown(self.rest)
            )),
        }
    }

    /// Up to the closing quote; a doubled quote is one quote of the text.
    fn quoted(&mut self) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        loop {
            bytes.extend_from_slice(self.take_while(|byte| byte != b'"'));
            if !self.eat(b'"') {
                return Err(format!("the quote before {} is not closed", Shown(&bytes)));
            }
            if !self.eat(b'"') {
                return Ok(bytes);
            }
            bytes.push(b'"');
        }
    }

    /// `E0`, `&C1`, `Z`: a letter and a number that may be left off.
    fn basic(&mut self, letter: u8) -> Result<Piece, String> {
        self.rest = &self.rest[1..];
        let mut name = String::from(char::from(letter));
        if letter == b'&' {
            let second = self.take_one_letter().ok_or("AT&: a letter must follow")?;
            name.push(second);
        }
        Ok(Piece {
            name,
            form: Form::Run,
            args: self.number(),
        })
    }

    fn take_one_letter(&mut self) -> Option<char> {
        let letter = self.peek().filter(u8::is_ascii_alphabetic)?;
        self.rest = &self.rest[1..];
        Some(char::from(letter.to_ascii_uppercase()))
    }

    /// The digits that follow, as one value; none if there are none.
    fn number(&mut self) -> Vec<Arg> {
        let digits = self.skip_blanks().take_while(|byte| byte.is_ascii_digit());
        if digits.is_empty() {
            Vec::new()
        } else {
            vec![Arg {
                bytes: digits.to_vec(),
                quoted: false,
            }]
        }
    }

    /// `S0?`, `S0=5` (V.250 5.3.2)
    fn register(&mut self) -> Result<Piece, String> {
        self.rest = &self.rest[1..];
        let name = capitals(b"S", self.take_while(|byte| byte.is_ascii_digit()));
        if self.skip_blanks().eat(b'?') {
            return Ok(Piece {
                name,
                form: Form::Read,
                args: Vec::new(),
            });
        }
        if self.eat(b'=') {
            return Ok(Piece {
                name,
                form: Form::Set,
                args: self.number(),
            });
        }
        Err(format!("AT{name}: = or ? must follow"))
    }

    /// `DL`, or `D` and everything up to the semicolon of a voice call, which stays with it (V.250 6.3.1).
    fn dial(&mut self) -> Piece {
        self.rest = &self.rest[1..];
        let number = trim(self.take_while(|byte| byte != b';'));
        let semicolon: &[u8] = if self.eat(b';') { b";" } else { b"" };
        let again = number.eq_ignore_ascii_case(b"L");
        let bytes = [number, semicolon].concat();
        let args = if again {
            Vec::new()
        } else {
            vec![Arg {
                bytes,
                quoted: false,
            }]
        };
        Piece {
            name: String::from(if again { "DL" } else { "D" }),
            form: Form::Run,
            args,
        }
    }
}

/// A name of ASCII bytes in capitals.
fn capitals(mark: &[u8], name: &[u8]) -> String {
    mark.iter()
        .chain(name)
        .map(|byte| char::from(byte.to_ascii_uppercase()))
        .collect()
}

pub(super) const ESC: u8 = 0x1B;
