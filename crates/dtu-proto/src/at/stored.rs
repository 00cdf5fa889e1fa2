//! The stored file: one AT set command a line, from the same table that serves AT commands of every origin.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::parse::{self, Form, Piece};
use super::reply::Error;
use super::table;
use crate::config::{Charset, Config, Problem};

/// All stored parameters as text.
#[must_use]
pub fn to_store_text(config: &Config) -> String {
    store_lines(config)
        .into_iter()
        .fold(String::new(), |text, line| text + &line + "\n")
}

/// The parameters in `text`; what it does not name has its factory value. Lines that cannot be used (of a later
/// version, say) are passed over and reported; empty ones and those that begin with `#` say nothing.
#[must_use]
pub fn from_store_text(text: &str) -> (Config, Vec<Problem>) {
    let mut config = Config::default();
    let mut problems = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if let Err(text) = load_setting(content, &mut config) {
            problems.push(Problem { line, text });
        }
    }
    (config, problems)
}

/// A stored setting taken apart, for set-up tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The set command that stores it, as `ATW` writes it: `AT+CIPSCONT=1,"TCP","host",10101,1`.
    pub line: String,
    /// The command without its `AT`, in capitals: `+CIPSCONT`, `E`.
    pub name: String,
    /// Its values as text, without quotes.
    pub values: Vec<String>,
}

/// All stored settings, in the order of the stored file.
#[must_use]
pub fn settings(config: &Config) -> Vec<Setting> {
    let apart = |line: String| {
        let (name, values) = take_apart(line.as_bytes())?;
        Some(Setting { line, name, values })
    };
    store_lines(config).into_iter().filter_map(apart).collect()
}

/// A set command taken apart into its name (without `AT`, in capitals) and its values, whoever wrote it: with blanks or
/// quotes or without. `None`: it is no such command. What is not UTF-8 in a value is replaced.
#[must_use]
pub fn take_apart(line: &[u8]) -> Option<(String, Vec<String>)> {
    let line = parse::normalize(line);
    let (piece, rest) = parse::next(parse::behind_at(parse::trim(&line))?)?;
    let piece = piece.ok().filter(|_| parse::next(rest).is_none())?;
    let text = |arg: parse::Arg| String::from_utf8_lossy(&arg.bytes).into_owned();
    (piece.form == Form::Set || piece.form == Form::Run)
        .then(|| (piece.name, piece.args.into_iter().map(text).collect()))
}

/// The set commands that make this configuration out of the factory one.
pub(super) fn store_lines(config: &Config) -> Vec<String> {
    table::all()
        .filter_map(|command| command.saved)
        .flat_map(|lines| lines(config))
        .collect()
}

/// Applies one stored line, as the device does when it starts. An error says what is wrong, and the configuration is as
/// before.
///
/// # Errors
/// What a device would answer to that line.
pub fn load_setting(line: &str, config: &mut Config) -> Result<(), String> {
    let line = parse::normalize(line.as_bytes());
    let rest = parse::behind_at(parse::trim(&line)).ok_or("the line does not begin with AT")?;
    let (piece, rest) = parse::next(rest).ok_or("the line has no command")?;
    let piece = piece?;
    if parse::next(rest).is_some() {
        return Err(String::from("the line has more than one command"));
    }
    let saved = table::find(&piece.name).is_none_or(|command| command.saved.is_some());
    if !saved || matches!(piece.form, Form::Read | Form::Test) {
        return Err(format!("{} is no stored setting", piece.name));
    }
    read(&piece, config).map_err(|error| error.text)
}

fn read(piece: &Piece, config: &mut Config) -> Result<(), Error> {
    let command = table::served(&piece.name)?;
    let set = command.loader(piece.form)?;
    // The file is UTF-8, whatever the charset of the serial line.
    set(
        &command.values(piece.form, &piece.args, Charset::Utf8)?,
        config,
    )
}
