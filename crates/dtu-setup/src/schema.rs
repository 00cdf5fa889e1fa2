//! What can be set: the stored settings of the command table, each with its fields.

use std::fmt;

use dtu_proto::config::Config;
use dtu_proto::{
    CommandDescription, ParameterKind, Setting, TakesEffect, commands, load_setting, settings,
};

use crate::say::{Sentence, Spoken};
use crate::words;

/// All settings that a device stores, in the order of the command table.
#[derive(Clone, Debug)]
pub struct Schema {
    commands: Vec<SettingCommand>,
}

/// A command that sets what is stored.
#[derive(Clone, Debug)]
pub struct SettingCommand {
    /// Without its `AT`, in capitals: `+CIPSCONT`, `E`.
    pub name: String,
    /// What people call it: `CIPSCONT`, `ATE`.
    pub label: String,
    /// The subject of the table that it belongs to.
    pub group: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
    /// The first value picks one of several of a kind: the links of `CIPSCONT`. Empty: there is one.
    pub indices: Vec<String>,
    /// Its values, without the one that picks.
    pub fields: Vec<Field>,
    /// What asks for it: `AT+CIPSCONT?`. `None`: no reply tells it.
    pub read: Option<String>,
    /// When a change takes effect.
    pub takes_effect: Option<TakesEffect>,
}

/// One value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// As in the command table.
    pub name: &'static str,
    /// What is allowed.
    pub range: String,
    /// The same for forms.
    pub kind: ParameterKind,
    /// What it means, with its unit.
    pub help: &'static str,
    /// A password or what may hold one.
    pub secret: bool,
    /// Nothing at its place means a value of the device's own.
    pub(crate) may_be_absent: bool,
}

/// One setting among those of a kind: `CIPSCONT.1`, `CIPCFG`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// Its place in the table, which is its order.
    pub(crate) place: usize,
    /// Which of several.
    pub index: Option<String>,
    pub(crate) label: String,
}

/// A value by its name: `CIPSCONT.1.ADDRESS`, `CIPR`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The setting.
    pub group: Group,
    /// Which of its fields.
    pub field: usize,
    name: String,
}

/// A group's values as the device writes them, with the command that sets them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical {
    /// `AT+CIPSCONT=1,"TCP","host",10101,1`
    pub line: String,
    /// Without the one that picks.
    pub values: Vec<String>,
}

impl Default for Schema {
    fn default() -> Self {
        Self::new()
    }
}

impl Schema {
    /// Of the device that this was built with.
    #[must_use]
    pub fn new() -> Self {
        let factory = settings(&Config::default());
        let commands = commands()
            .filter(|command| command.stored && !command.parameters.is_empty())
            .filter(|command| command.name != TELLS_THE_OPERATOR)
            .map(|command| describe(&command, &factory))
            .collect();
        Self { commands }
    }

    /// All of them.
    #[must_use]
    pub fn commands(&self) -> &[SettingCommand] {
        &self.commands
    }

    /// The command that sets this.
    #[must_use]
    pub fn command(&self, group: &Group) -> &SettingCommand {
        &self.commands[group.place]
    }

    /// The field that a key names.
    #[must_use]
    pub fn field(&self, key: &Key) -> &Field {
        &self.command(&key.group).fields[key.field]
    }

    /// Every setting.
    pub fn groups(&self) -> impl Iterator<Item = Group> {
        self.commands
            .iter()
            .enumerate()
            .flat_map(|(place, command)| {
                let group = move |index: Option<&String>| Group {
                    place,
                    index: index.cloned(),
                    label: command.label.clone(),
                };
                let alone = command.indices.is_empty().then(|| group(None));
                alone
                    .into_iter()
                    .chain(command.indices.iter().map(move |index| group(Some(index))))
            })
    }

    /// The values of a setting.
    pub fn keys(&self, group: &Group) -> impl Iterator<Item = Key> {
        (0..self.command(group).fields.len()).map(|field| self.key_at(group, field))
    }

    fn key_at(&self, group: &Group, field: usize) -> Key {
        let command = self.command(group);
        let name = if command.fields.len() == 1 {
            group.to_string()
        } else {
            format!("{group}.{}", command.fields[field].name)
        };
        Key {
            group: group.clone(),
            field,
            name,
        }
    }

    /// The setting of that command, and which of several.
    pub(crate) fn group(&self, name: &str, index: Option<&str>) -> Option<Group> {
        self.groups().find(|group| {
            let command = self.command(group);
            (command.name.eq_ignore_ascii_case(name) || command.label.eq_ignore_ascii_case(name))
                && group.index.as_deref() == index
        })
    }

    /// The value of that name: `CIPSCONT.1.ADDRESS`, whatever its case; the field may be left off where there is one.
    ///
    /// # Errors
    /// What is wrong with the name, and what would fit.
    pub fn key(&self, name: &str) -> Result<Key, UnknownKey> {
        let all = || {
            self.groups()
                .flat_map(|group| self.keys(&group).collect::<Vec<_>>())
        };
        let long = |key: &Key| format!("{}.{}", key.group, self.field(key).name);
        let found = all().find(|key| {
            key.name.eq_ignore_ascii_case(name) || long(key).eq_ignore_ascii_case(name)
        });
        found.ok_or_else(|| {
            let head = name.split('.').next().unwrap_or_default();
            let near: Vec<String> = all()
                .filter(|key| key.group.label.eq_ignore_ascii_case(head))
                .map(|key| key.name)
                .collect();
            UnknownKey {
                name: name.to_owned(),
                near,
            }
        })
    }

    /// The values of a new device.
    #[must_use]
    pub fn factory(&self, group: &Group) -> Vec<String> {
        let command = self.command(group);
        stored_in(&Config::default(), command, group)
            .map(|canonical| canonical.values)
            .unwrap_or_default()
    }

    /// Whether that field of a setting may be left empty, and stays so.
    #[must_use]
    pub fn may_be_empty(&self, group: &Group, field: usize) -> bool {
        let mut values = self.factory(group);
        let Some(own) = values.get_mut(field) else {
            return false;
        };
        own.clear();
        let taken = self.canonical(group, &values);
        taken.is_ok_and(|taken| taken.values.get(field).is_some_and(String::is_empty))
    }

    /// The values of a group as the device would show them; which spelling they came in makes no difference.
    ///
    /// # Errors
    /// What the device would say against them.
    pub fn canonical(&self, group: &Group, values: &[String]) -> Result<Canonical, String> {
        self.canonical_in(group, values, Config::default())
    }

    /// As [`Self::canonical`], as a device of this configuration told it.
    pub(crate) fn canonical_in(
        &self,
        group: &Group,
        values: &[String],
        mut config: Config,
    ) -> Result<Canonical, String> {
        let command = self.command(group);
        let fields = command.fields.iter().zip(values);
        let values_typed = fields.map(|(field, value)| {
            if value.is_empty() && field.may_be_absent {
                String::new()
            } else {
                quoted(value)
            }
        });
        let typed: Vec<String> = group.index.iter().cloned().chain(values_typed).collect();
        let is_basic = !command.name.starts_with('+');
        let is_number =
            |value: &str| !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        // What is no number would be the next command of the line.
        if let Some((field, value)) = command
            .fields
            .iter()
            .zip(values)
            .find(|(_, value)| is_basic && !is_number(value))
        {
            return Err(format!(
                "{}: {} must be {}, got {value}",
                command.label, field.name, field.range
            ));
        }
        let line = if is_basic && !command.name.starts_with('S') {
            format!("AT{}{}", command.name, values.join(""))
        } else {
            format!("AT{}={}", command.name, typed.join(","))
        };
        load_setting(&line, &mut config)?;
        stored_in(&config, command, group).ok_or_else(|| format!("{group} is not stored"))
    }
}

/// What a configuration has of a setting.
fn stored_in(config: &Config, command: &SettingCommand, group: &Group) -> Option<Canonical> {
    let is_it = |setting: &Setting| {
        setting.name == command.name
            && (group.index.is_none() || setting.values.first() == group.index.as_ref())
    };
    let Setting {
        line, mut values, ..
    } = settings(config).into_iter().find(is_it)?;
    values.drain(..usize::from(group.index.is_some()));
    // A value that says nothing is left off at the end.
    values.resize(command.fields.len(), String::new());
    Some(Canonical { line, values })
}

/// Its read form tells the operator, not what is stored.
const TELLS_THE_OPERATOR: &str = "AT+COPS";

fn describe(command: &CommandDescription, factory: &[Setting]) -> SettingCommand {
    let name = command.name.trim_start_matches("AT").to_owned();
    let own: Vec<&Setting> = factory
        .iter()
        .filter(|setting| setting.name == name)
        .collect();
    let indices: Vec<String> = if own.len() > 1 {
        own.iter()
            .filter_map(|setting| setting.values.first().cloned())
            .collect()
    } else {
        Vec::new()
    };
    let fields = command
        .parameters
        .iter()
        .skip(usize::from(!indices.is_empty()))
        .map(|parameter| Field {
            name: parameter.name,
            range: parameter.range.clone(),
            kind: parameter.kind.clone(),
            help: parameter.help,
            secret: parameter.secret,
            may_be_absent: parameter.absent.is_some_and(|value| !value.is_empty()),
        });
    let read = format!("{}?", command.name);
    SettingCommand {
        label: name
            .strip_prefix('+')
            .map_or_else(|| command.name.clone(), str::to_owned),
        group: command.group,
        help: command.help,
        fields: fields.collect(),
        read: command.forms.contains(&read).then_some(read),
        takes_effect: command.takes_effect,
        indices,
        name,
    }
}

impl Field {
    /// Of a choice between yes and no: the value that says no, and the one that says yes.
    #[must_use]
    pub fn off_and_on(&self) -> Option<(&str, &str)> {
        let ParameterKind::Choice(choices) = &self.kind else {
            return None;
        };
        let [(off, no), (on, yes)] = choices.as_slice() else {
            return None;
        };
        // A value that explains itself has no word.
        let no = if no.is_empty() { off } else { *no };
        let yes = if yes.is_empty() { on } else { *yes };
        let is =
            |pair: [&str; 2]| no.eq_ignore_ascii_case(pair[0]) && yes.eq_ignore_ascii_case(pair[1]);
        let is_negated = no.strip_prefix("not").map(str::trim_start) == Some(yes);
        let is_tick = is(["off", "on"]) || is(["disabled", "enabled"]) || is_negated;
        is_tick.then_some((off, on))
    }

    /// Of what it counts.
    #[must_use]
    pub fn unit(&self) -> Option<&'static str> {
        let first = self.help.split([' ', ';']).next();
        let is_number = matches!(self.kind, ParameterKind::Number { .. });
        UNITS
            .into_iter()
            .find(|unit| is_number && first == Some(unit))
    }
}

/// As they stand in front of what a number means.
const UNITS: [&str; 3] = ["s", "ms", "bytes"];

/// A value that any device reads as it stands: digits and words bare, as the manual's examples have them.
fn quoted(value: &str) -> String {
    let is_bare = !value.is_empty()
        && value
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || char == '+');
    if is_bare {
        value.to_owned()
    } else {
        format!("\"{}\"", value.replace('"', "\"\""))
    }
}

impl Group {
    /// What people call its command: `CIPSCONT`, `ATE`.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)?;
        match &self.index {
            Some(index) => write!(f, ".{index}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// No setting has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKey {
    /// What was asked for.
    pub name: String,
    /// Those of the same command.
    pub near: Vec<String>,
}

impl Spoken for UnknownKey {
    fn spoken(&self) -> Sentence {
        if self.near.is_empty() {
            words::unknown(&self.name)
        } else {
            words::unknown_near(&self.name, self.near.join(", "))
        }
    }
}

impl fmt::Display for UnknownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spoken().fmt(f)
    }
}

impl std::error::Error for UnknownKey {}
