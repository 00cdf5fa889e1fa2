//! A command as plain data, for docs, consoles and set-up tools.

use alloc::string::String;
use alloc::vec::Vec;

use super::command::{Command, Missing, TakesEffect};
use super::param::{Absent, Param};

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
    /// Its value in a new device, where there is one.
    pub factory: Option<&'static str>,
    /// What nothing at its place means; `None` = it must be given.
    pub absent: Option<&'static str>,
    /// Whether it is hidden in replies over a network.
    pub secret: bool,
    /// What it means, with its unit.
    pub help: &'static str,
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
        factory: param.factory,
        absent: match param.absent {
            Absent::Refused => None,
            Absent::Empty(value) | Absent::LeftOff(value) => Some(value),
        },
        secret: param.secret,
        help: param.help,
    }
}
