//! Settings as a file: TOML, JSON, or set commands a line. Reading names the place of a fault.

use std::fmt;
use std::fmt::Write as _;

use dtu_proto::take_apart;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::charset::{Charset, has_all};
use crate::chinese::{self, words_of_device};
use crate::reply;
use crate::say::{Sentence, Spoken};
use crate::schema::{Key, Schema};
use crate::values::Values;
use crate::words;

/// How settings are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// With what each value means, for people.
    Toml,
    /// For programs.
    Json,
}

/// A file with more keys is not read: no device has as many.
pub const KEYS: usize = 1000;
/// A device takes no longer line.
const LINE: usize = 1024;
/// No command has a longer name.
const NAME: usize = 16;
/// `S10`
const BASIC_NAME: usize = 3;

fn too_many(place: (usize, usize)) -> Fault {
    let text = words::too_many_keys(KEYS);
    Fault { place, text }
}

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line and column (in characters), both from 1.
    pub place: (usize, usize),
    /// What is wrong, and what is allowed.
    pub text: Sentence,
}

impl Spoken for Fault {
    fn spoken(&self) -> Sentence {
        let (line, column) = self.place;
        words::at_place(line, column, &self.text)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spoken().fmt(f)
    }
}

impl std::error::Error for Fault {}

/// The values of a file in any of the formats, told apart by how it begins. What the file does not name stays as it is.
///
/// # Errors
/// The first fault: an unknown key, a value that no device takes, or a fault of spelling.
pub fn read(schema: &Schema, bytes: &[u8]) -> Result<Values, Fault> {
    read_for(schema, bytes, Charset::Utf8)
}

/// As [`read`], for a line of this charset.
///
/// # Errors
/// As there, or a character that the charset lacks.
pub fn read_for(schema: &Schema, bytes: &[u8], charset: Charset) -> Result<Values, Fault> {
    let mut text = decode(bytes)?;
    // Of old Macs, and of the one line end of a serial line.
    if !text.contains('\n') {
        text = text.replace('\r', "\n");
    }
    if text.trim_start().starts_with('{') || is_json_list(&text) {
        read_json(schema, &text, charset)
    } else if begins_with_command(&text) {
        read_commands(schema, &text, charset)
    } else {
        read_toml(schema, &text, charset)
    }
}

/// Editors of all lands save files: UTF-8 with a mark or without, UTF-16, GBK.
fn decode(bytes: &[u8]) -> Result<String, Fault> {
    let fault = |text: Sentence| Fault {
        place: (1, 1),
        text,
    };
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16(&units)
            .ok()
            .filter(|_| rest.is_empty())
            .ok_or_else(|| fault(words::no_utf16()))
    };
    match bytes {
        // The one of little-endian UTF-16 is the beginning of it.
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Err(fault(words::utf32())),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => {
            let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
            if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
                let text = String::from_utf8_lossy(&bytes[..at]);
                let text = (place(&text, text.len()), words::holds_nul());
                return Err(if is_utf32_without_mark(bytes) {
                    fault(words::utf32())
                } else if is_utf16_without_mark(bytes) {
                    fault(words::utf16_without_mark())
                } else {
                    let (place, text) = text;
                    Fault { place, text }
                });
            }
            if let Ok(text) = std::str::from_utf8(bytes) {
                return Ok(text.to_owned());
            }
            let (text, _, faulty) = encoding_rs::GBK.decode(bytes);
            if faulty {
                return Err(fault(words::no_charset()));
            }
            Ok(text.into_owned())
        }
    }
}

/// Settings in it, however much of them is Chinese: what all files have is ASCII.
fn is_utf16_without_mark(bytes: &[u8]) -> bool {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let is_text = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16(&units).is_ok_and(|text| has_settings(&text))
    };
    rest.is_empty() && (is_text(u16::from_le_bytes) || is_text(u16::from_be_bytes))
}

fn is_utf32_without_mark(bytes: &[u8]) -> bool {
    let (fours, rest) = bytes.as_chunks::<4>();
    let is_text = |code: fn([u8; 4]) -> u32| {
        let chars = fours.iter().map(|four| char::from_u32(code(*four)));
        let text: Option<String> = chars.collect();
        text.is_some_and(|text| has_settings(&text))
    };
    rest.is_empty() && (is_text(u32::from_le_bytes) || is_text(u32::from_be_bytes))
}

fn has_settings(text: &str) -> bool {
    let is_odd = |char: char| char.is_control() && !matches!(char, '\t' | '\r' | '\n');
    text.contains(['=', ':']) && !text.contains(is_odd)
}

/// `[` begins a table of TOML, too.
fn is_json_list(text: &str) -> bool {
    let Some(rest) = text.trim_start().strip_prefix('[') else {
        return false;
    };
    rest.trim_start().starts_with(['{', ']']) || serde_json::from_str::<Json>(text).is_ok()
}

fn begins_with_command(text: &str) -> bool {
    let first = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| {
        // `ATE = 0` of a TOML file is none.
        is_at(line) && (line[2..].starts_with('+') || !line.contains(" ="))
    })
}

fn read_commands(schema: &Schema, text: &str, charset: Charset) -> Result<Values, Fault> {
    let mut values = Values::default();
    let mut commands = 0;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fault = |text: Sentence| Fault {
            place: (number, 1),
            text,
        };
        commands += 1;
        if commands > KEYS {
            return Err(too_many((number, 1)));
        }
        if line.len() > LINE {
            return Err(fault(words::long_line(LINE, line.len())));
        }
        let (group, typed) = reply::set(schema, line).ok_or_else(|| fault(unread(line)))?;
        if values.has(&group) {
            return Err(fault(words::given_twice(&group)));
        }
        let canonical = schema
            .canonical(&group, &typed)
            .map_err(|refusal| fault(words_of_device(&refusal)))?;
        for (key, value) in schema.keys(&group).zip(&canonical.values) {
            has_all(schema, charset, &key, value).map_err(fault)?;
        }
        values.set_group(schema, &group, canonical.values);
    }
    Ok(values)
}

/// Why a line sets nothing. A secret may stand anywhere in it, so that only the name of its command is told.
fn unread(line: &str) -> Sentence {
    match command_name(line) {
        None => words::no_set_command(),
        Some(name) if take_apart(line.as_bytes()).is_some() => words::sets_nothing(name),
        Some(name) => words::misspelled(name),
    }
}

/// `AT+CSTT` of a line that begins with a command; none where that may as well be a word.
fn command_name(line: &str) -> Option<&str> {
    let body = line.get(2..).filter(|_| is_at(line))?;
    let letters = body.strip_prefix('+').unwrap_or(body);
    let most = if letters.len() < body.len() {
        NAME
    } else {
        BASIC_NAME
    };
    let count = letters
        .bytes()
        .take_while(u8::is_ascii_alphanumeric)
        .count();
    let name = &line[..line.len() - letters.len() + count];
    (1..=most).contains(&count).then_some(name)
}

/// A line of commands begins so, in any case (V.250 5.2.1).
fn is_at(line: &str) -> bool {
    line.get(..2)
        .is_some_and(|head| head.eq_ignore_ascii_case("AT"))
}

/// What a device keeps, in the lines in which it keeps it; that has more than settings.
#[must_use]
pub fn kept(schema: &Schema, lines: &str) -> Values {
    let mut values = Values::default();
    for line in lines.lines() {
        if let Some((group, typed)) = reply::set(schema, line.trim())
            && let Ok(canonical) = schema.canonical(&group, &typed)
        {
            values.set_group(schema, &group, canonical.values);
        }
    }
    values
}

fn read_toml(schema: &Schema, text: &str, charset: Charset) -> Result<Values, Fault> {
    let table = DeTable::parse(text).map_err(|error| Fault {
        place: place(text, error.span().map_or(0, |span| span.start)),
        text: Sentence::as_it_came(error.message()),
    })?;
    let mut reader = Reader::new(schema, text, charset);
    reader.table("", table.get_ref())?;
    reader.finish()
}

struct Reader<'a> {
    schema: &'a Schema,
    text: &'a str,
    charset: Charset,
    values: Values,
    /// Names so far, of tables and of keys.
    names: usize,
}

impl<'a> Reader<'a> {
    fn new(schema: &'a Schema, text: &'a str, charset: Charset) -> Self {
        Self {
            schema,
            text,
            charset,
            values: Values::default(),
            names: 0,
        }
    }

    fn count(&mut self, at: usize) -> Result<(), Fault> {
        self.names += 1;
        if self.names > KEYS {
            return Err(too_many(place(self.text, at)));
        }
        Ok(())
    }

    fn table(&mut self, path: &str, table: &DeTable<'_>) -> Result<(), Fault> {
        for (name, value) in table {
            self.count(name.span().start)?;
            let path = below(path, name.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) => self.table(&path, inner)?,
                DeValue::String(_)
                | DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_) => {
                    let key = self
                        .schema
                        .key(&path)
                        .map_err(|error| self.fault(name.span().start, error.spoken()))?;
                    let text = self.scalar(&path, &key, value)?;
                    self.set(key, text, name.span().start)?;
                }
            }
        }
        Ok(())
    }

    /// A name may be written in several ways: none of its values is more meant than the others.
    fn set(&mut self, key: Key, value: String, at: usize) -> Result<(), Fault> {
        let text = words::given_twice(&key);
        match self.values.set(key, value) {
            None => Ok(()),
            Some(_) => Err(self.fault(at, text)),
        }
    }

    /// What it stands for where the two choices are no and yes.
    fn switch(&self, key: &Key, on: bool, at: usize) -> Result<String, Fault> {
        let field = self.schema.field(key);
        if let Some((no, yes)) = field.off_and_on() {
            return Ok(if on { yes } else { no }.to_owned());
        }
        let range = Sentence::new(field.range.clone(), chinese::range(&field.range));
        Err(self.fault(at, words::no_switch(key, range, on.to_string())))
    }

    fn scalar(&self, path: &str, key: &Key, value: &Spanned<DeValue<'_>>) -> Result<String, Fault> {
        let wrong =
            |what: Sentence| Err(self.fault(value.span().start, words::no_scalar(path, what)));
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
            DeValue::Integer(_) => wrong(words::not_decimal()),
            DeValue::Boolean(on) => self.switch(key, *on, value.span().start),
            DeValue::Float(_) => wrong(words::fraction()),
            DeValue::Datetime(_) => wrong(words::date()),
            DeValue::Array(_) => wrong(words::list()),
            DeValue::Table(_) => wrong(words::table()),
        }
    }

    fn fault(&self, at: usize, text: Sentence) -> Fault {
        Fault {
            place: place(self.text, at),
            text,
        }
    }

    /// Each value must be one that a device takes.
    fn finish(self) -> Result<Values, Fault> {
        for (key, value) in self.values.iter() {
            let problem = crate::check::value(self.schema, key, value);
            let has_all = || has_all(self.schema, self.charset, key, value);
            if let Err(text) = problem.and_then(|()| has_all()) {
                return Err(self.fault(self.find(key), text));
            }
        }
        Ok(self.values)
    }

    /// Where the key's last part stands, behind the head of its table.
    fn find(&self, key: &Key) -> usize {
        let name = key.to_string();
        let mut at = 0;
        for part in name.split('.') {
            at += self.text[at..].find(part).unwrap_or_default();
        }
        at
    }
}

fn read_json(schema: &Schema, text: &str, charset: Charset) -> Result<Values, Fault> {
    let json: Json = serde_json::from_str(text).map_err(|error| Fault {
        place: (error.line(), error.column()),
        text: Sentence::as_it_came(error.to_string()),
    })?;
    let mut reader = Reader::new(schema, text, charset);
    if !matches!(json, Json::Object(_)) {
        let start = text.len() - text.trim_start().len();
        return Err(reader.fault(start, words::no_object()));
    }
    reader.json("", &json, 0)?;
    reader.finish()
}

/// JSON with all of its keys: a map would keep one of two that are equal.
enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List,
    Object(Vec<(String, Self)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyJson)
    }
}

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, on: bool) -> Result<Json, E> {
        Ok(Json::Bool(on))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Json::Number(serde_json::Value::from(number).to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Json::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Json::Object(entries))
    }
}

impl Reader<'_> {
    fn json(&mut self, path: &str, value: &Json, from: usize) -> Result<(), Fault> {
        let wrong = |what: Sentence| Err(self.fault(from, words::no_scalar(path, what)));
        let text = match value {
            Json::Object(inner) => {
                for (place, (name, value)) in inner.iter().enumerate() {
                    self.count(from)?;
                    let quoted = format!("\"{name}\"");
                    let equal = inner[..place].iter().filter(|(other, _)| other == name);
                    let mut places = self.text[from..].match_indices(&quoted);
                    let at = places.nth(equal.clone().count()).map_or(0, |(at, _)| at);
                    let (at, path) = (from + at, below(path, name));
                    if equal.count() > 0 {
                        return Err(self.fault(at, words::given_twice(&path)));
                    }
                    self.json(&path, value, at)?;
                }
                return Ok(());
            }
            // What a device did not tell is to stay as it is.
            Json::Null => return Ok(()),
            Json::Bool(_) => None,
            Json::Number(text) | Json::Text(text) => Some(text.clone()),
            Json::List => return wrong(words::list()),
        };
        let key = self
            .schema
            .key(path)
            .map_err(|error| self.fault(from, error.spoken()))?;
        let text = match (text, value) {
            (None, Json::Bool(on)) => self.switch(&key, *on, from)?,
            (text, _) => text.unwrap_or_default(),
        };
        self.set(key, text, from)
    }
}

/// The key of that name in the table at `path`.
fn below(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    (line, before[start..].chars().count() + 1)
}

/// The values as a file.
#[must_use]
pub fn write(schema: &Schema, values: &Values, format: Format) -> String {
    match format {
        Format::Toml => write_toml(schema, values),
        Format::Json => write_json(values),
    }
}

fn write_toml(schema: &Schema, values: &Values) -> String {
    let mut text = String::new();
    let mut head = String::new();
    // What stands alone comes first: behind the head of a table it would belong to that.
    let stands_alone = |key: &Key| !key.to_string().contains('.');
    for (key, value) in values.iter().filter(|(key, _)| stands_alone(key)) {
        line(&mut text, schema, key, value);
    }
    for (key, value) in values.iter().filter(|(key, _)| !stands_alone(key)) {
        let name = key.to_string();
        let table = name.rsplit_once('.').map_or("", |(table, _)| table);
        if table != head {
            table.clone_into(&mut head);
            let _ = write!(text, "\n# {}\n[{head}]\n", schema.command(&key.group).help);
        }
        line(&mut text, schema, key, value);
    }
    text
}

fn line(text: &mut String, schema: &Schema, key: &Key, value: &str) {
    let field = schema.field(key);
    let name = key.to_string();
    let name = name.rsplit('.').next().unwrap_or_default();
    let means = if field.help.is_empty() && name == key.to_string() {
        schema.command(&key.group).help
    } else {
        field.help
    };
    let means = if means.is_empty() {
        String::new()
    } else {
        format!("{means}; ")
    };
    let value = if is_number(value) {
        value.to_owned()
    } else {
        toml::Value::String(value.to_owned()).to_string()
    };
    let _ = writeln!(text, "{name} = {value}  # {means}{}", field.range);
}

/// As both formats write numbers.
fn is_number(value: &str) -> bool {
    let digits = !value.is_empty() && value.len() < 10 && value.bytes().all(|b| b.is_ascii_digit());
    digits && (value == "0" || !value.starts_with('0'))
}

fn write_json(values: &Values) -> String {
    use serde_json::{Map, Value};
    let mut root = Map::new();
    for (key, value) in values.iter() {
        let value = match value.parse::<u32>() {
            Ok(number) if is_number(value) => Value::from(number),
            Ok(_) | Err(_) => Value::from(value),
        };
        let name = key.to_string();
        let mut at = &mut root;
        let (path, last) = name.rsplit_once('.').unwrap_or(("", &name));
        for part in path.split('.').filter(|part| !part.is_empty()) {
            let inner = at.entry(part).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(map) = inner else {
                return String::new();
            };
            at = map;
        }
        at.insert(last.to_owned(), value);
    }
    format!("{:#}\n", Value::Object(root))
}
