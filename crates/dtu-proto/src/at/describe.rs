//! A command as plain data, for docs, consoles and set-up tools.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::command::{Command, Missing, TakesEffect};
use super::param::{Absent, Kind, Param};

/// One AT command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandDescription {
    /// Its subject.
    pub group: &'static str,
    /// As it is typed, without parameters: `AT+CIPCFG`.
    pub name: String,
    /// Sections of the manual, or the standard it comes from, or `own`.
    pub section: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
    /// A line that people type, and its answer by a device with a modem; its lines apart by LF.
    pub example: (&'static str, &'static str),
    /// More about it; often empty.
    pub notes: &'static str,
    /// The forms that can be typed, written out.
    pub forms: Vec<String>,
    /// The parameters of its set form (of a basic command: the number behind it).
    pub parameters: Vec<ParameterDescription>,
    /// Whether `ATW` stores it.
    pub stored: bool,
    /// When a change takes effect; `None` for commands that set nothing.
    pub takes_effect: Option<TakesEffect>,
    /// Why this version does not serve it, if so.
    pub missing: Option<&'static str>,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterDescription {
    /// Its name, as in the manual where that has one.
    pub name: &'static str,
    /// What is allowed.
    pub range: String,
    /// The same for forms: which control fits.
    pub kind: ParameterKind,
    /// Its value in a new device, where there is one.
    pub factory: Option<&'static str>,
    /// What nothing at its place means; `None` = it must be given.
    pub absent: Option<&'static str>,
    /// Whether it is hidden in replies over a network.
    pub secret: bool,
    /// What it means, with its unit.
    pub help: &'static str,
}

/// What a parameter may be, as far as a form needs to know; the device decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// A number.
    Number {
        /// Not below.
        min: u32,
        /// Not above.
        max: u32,
    },
    /// One of these values, each with its meaning (or an empty one).
    Choice(Vec<(String, &'static str)>),
    /// Text of so many bytes.
    Text {
        /// At least.
        min: usize,
        /// At most; `None`: no more than a line takes.
        max: Option<usize>,
    },
    /// Bytes in hex digits.
    Hex {
        /// At most so many bytes.
        max: usize,
    },
}

fn describe_kind(kind: Kind) -> ParameterKind {
    let text = |min, max| ParameterKind::Text { min, max };
    match kind {
        Kind::Number { min, max } => ParameterKind::Number { min, max },
        Kind::ZeroOr { max, .. } => ParameterKind::Number { min: 0, max },
        Kind::Choice(choices) => {
            let choice = |(number, meaning): &(u32, &'static str)| (number.to_string(), *meaning);
            ParameterKind::Choice(choices.iter().map(choice).collect())
        }
        Kind::Words(words) => {
            ParameterKind::Choice(words.iter().map(|word| (word.to_string(), "")).collect())
        }
        Kind::Text { min, max, .. } | Kind::Bytes { min, max } => text(min, Some(max)),
        Kind::Hex { max } => ParameterKind::Hex { max },
        Kind::Phone | Kind::Role | Kind::Shape(_) => text(0, None),
    }
}

pub(super) fn describe(group: &'static str, command: &Command) -> CommandDescription {
    CommandDescription {
        group,
        name: command.typed(),
        section: command.section,
        help: command.help,
        example: command.example,
        notes: command.notes,
        forms: command.forms(),
        parameters: command.params.iter().map(describe_parameter).collect(),
        stored: command.saved.is_some(),
        takes_effect: command.takes_effect,
        missing: command.missing.map(Missing::text),
    }
}

pub(super) fn describe_parameter(param: &Param) -> ParameterDescription {
    ParameterDescription {
        name: param.name,
        range: param.kind.range(),
        kind: describe_kind(param.kind),
        factory: param.factory,
        absent: match param.absent {
            Absent::Refused => None,
            Absent::Empty(value) | Absent::LeftOff(value) => Some(value),
        },
        secret: param.secret,
        help: param.help,
    }
}
