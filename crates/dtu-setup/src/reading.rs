//! Reading everything that a device stores.

use dtu_proto::config::{Config, TextCharset};

use crate::charset::is_text;
use crate::chinese::words_of_device;
use crate::door::{Door, DoorError, Reply};
use crate::reply::told;
use crate::say::{Sentence, Spoken};
use crate::schema::{Group, Schema, SettingCommand};
use crate::values::Values;
use crate::words;

/// What a device told of itself.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// What it told.
    pub values: Values,
    /// What it did not tell, with the reason. None of these is ever sent back.
    pub unread: Vec<Unread>,
}

/// A setting that the device did not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Which.
    pub group: Group,
    /// Why not.
    pub why: Why,
}

/// Why a setting is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It has no read form: a password, and what programs set for themselves.
    NoReadForm,
    /// The device refused to tell it, in these words: a real box does not know our own commands.
    Refused(String),
    /// What came back does not tell it.
    NotTold,
    /// What came back is no text in the charset of the line.
    NoText,
}

impl Why {
    /// For programs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NoReadForm => "no_read_form",
            Self::Refused(_) => "refused",
            Self::NotTold => "not_told",
            Self::NoText => "no_text",
        }
    }
}

impl Spoken for Why {
    fn spoken(&self) -> Sentence {
        match self {
            Self::NoReadForm => words::no_reply_tells(),
            Self::Refused(refusal) => words_of_device(refusal),
            Self::NotTold => words::did_not_tell(),
            Self::NoText => words::told_no_text(),
        }
    }
}

/// What all other parameters than the serial line's are read by (manual 2.8.6.32).
const DUMP: &str = "AT+CIPSCONT?";

/// Asks the device for all that it stores. `step` is called in front of each command, with how many were sent and how
/// many there are at most.
///
/// # Errors
/// The way to the device failed.
pub fn read_all(
    door: &mut dyn Door,
    schema: &Schema,
    step: &mut dyn FnMut(usize, usize),
) -> Result<Reading, DoorError> {
    read(door, schema, &|_| true, step)
}

/// Asks for these alone where each command costs money, and for all elsewhere.
///
/// # Errors
/// The way to the device failed.
pub fn read_for(
    door: &mut dyn Door,
    schema: &Schema,
    wanted: &[Group],
    step: &mut dyn FnMut(usize, usize),
) -> Result<Reading, DoorError> {
    if !door.is_dear() {
        return read_all(door, schema, step);
    }
    read(door, schema, &|group| is_needed(group, wanted), step)
}

/// So many commands [`read_for`] sends where each costs money.
#[must_use]
pub fn commands_for(schema: &Schema, wanted: &[Group]) -> usize {
    let commands = schema.commands().iter().enumerate();
    let is_asked = |place: usize| {
        let mut groups = schema.groups().filter(|group| group.place == place);
        groups.any(|group| is_needed(&group, wanted))
    };
    commands
        .filter(|(place, command)| command.read.is_some() && is_asked(*place))
        .count()
}

/// The charset of texts tells how numbers are to be read.
fn is_needed(group: &Group, wanted: &[Group]) -> bool {
    let is_wanted = |label: &str| wanted.iter().any(|wanted| wanted.label == label);
    is_wanted(&group.label) || group.label == "CSCS" && is_wanted("CSCA")
}

fn read(
    door: &mut dyn Door,
    schema: &Schema,
    is_wanted: &dyn Fn(&Group) -> bool,
    step: &mut dyn FnMut(usize, usize),
) -> Result<Reading, DoorError> {
    door.reads(true);
    let reading = ask_all(door, schema, is_wanted, step);
    door.reads(false);
    reading
}

fn ask_all(
    door: &mut dyn Door,
    schema: &Schema,
    is_wanted: &dyn Fn(&Group) -> bool,
    step: &mut dyn FnMut(usize, usize),
) -> Result<Reading, DoorError> {
    let mut reading = Reading::default();
    let commands = schema.commands();
    let mut seen = 0;
    let mut patience = Patience::default();
    step(seen, commands.len());
    // A dump that stays away is no fault: each of its settings has a read form of its own. By a text it would not fit.
    if !door.is_dear() {
        let dump = patience.ask(door, DUMP)?;
        keep(&mut reading.values, schema, None, &dump);
    }
    for (place, command) in commands.iter().enumerate() {
        seen += 1;
        let groups: Vec<Group> = schema
            .groups()
            .filter(|group| group.place == place && is_wanted(group))
            .collect();
        if groups.is_empty() {
            continue;
        }
        let is_known = |values: &Values| groups.iter().all(|group| values.has_all(schema, group));
        if is_known(&reading.values) {
            continue;
        }
        let why = match &command.read {
            None => Why::NoReadForm,
            Some(line) => {
                step(seen, commands.len());
                let reply = patience.ask(door, line)?;
                keep(&mut reading.values, schema, Some(command), &reply);
                match reply.as_ref().and_then(Reply::refusal) {
                    Some(words) => Why::Refused(words.to_owned()),
                    None if reply.as_ref().is_some_and(Reply::has_no_text) => Why::NoText,
                    None => Why::NotTold,
                }
            }
        };
        let missing = groups
            .into_iter()
            .filter(|group| !reading.values.has(group));
        let missing: Vec<Unread> = missing
            .map(|group| Unread {
                group,
                why: why.clone(),
            })
            .collect();
        reading.unread.extend(missing);
    }
    read_numbers(&mut reading.values, schema);
    Ok(reading)
}

/// A number is told in the charset of texts (3GPP TS 27.005, `<sca>`); another device may have another one.
fn read_numbers(values: &mut Values, schema: &Schema) {
    let charset = schema.group("CSCS", None);
    let is_ucs2 = charset.is_some_and(|group| values.group(schema, &group) == [Some("UCS2")]);
    let Some(group) = schema.group("CSCA", None).filter(|_| is_ucs2) else {
        return;
    };
    let mut config = Config::default();
    config.messages.charset = TextCharset::Ucs2;
    let told: Option<Vec<String>> = values
        .group(schema, &group)
        .into_iter()
        .map(|value| value.map(str::to_owned))
        .collect();
    if let Some(plain) = told.and_then(|told| schema.canonical_in(&group, &told, config).ok()) {
        values.set_group(schema, &group, plain.values);
    }
}

/// Asks one thing after another.
#[derive(Default)]
pub(crate) struct Patience {
    /// Commands without a reply, in a row.
    silent: usize,
}

/// So many, and the device has fallen silent: each of the others would be waited for as long.
const SILENT: usize = 3;

impl Patience {
    /// A reply that stays away says as little as a refusal.
    pub(crate) fn ask(
        &mut self,
        door: &mut dyn Door,
        line: &str,
    ) -> Result<Option<Reply>, DoorError> {
        match door.command(line) {
            Ok(reply) => {
                self.silent = 0;
                Ok(Some(reply))
            }
            Err(DoorError::NoReply { .. }) => {
                self.silent += 1;
                if self.silent < SILENT {
                    Ok(None)
                } else {
                    Err(DoorError::FellSilent {
                        commands: self.silent,
                    })
                }
            }
            Err(error) => Err(error),
        }
    }
}

fn keep(
    values: &mut Values,
    schema: &Schema,
    asked: Option<&SettingCommand>,
    reply: &Option<Reply>,
) {
    let lines = reply.iter().flat_map(|reply| &reply.lines);
    let readable: Vec<String> = lines.filter(|line| is_text(line)).cloned().collect();
    for (group, told) in told(schema, asked, &readable) {
        // Spelled as our own device spells it, where that takes it.
        let told = schema
            .canonical(&group, &told)
            .map_or(told, |canonical| canonical.values);
        values.set_group(schema, &group, told);
    }
}
