//! What a device answers to a read form, taken apart: with the blanks of the manual or without, `:` or `=` behind the name,
//! quotes or none.

use dtu_proto::take_apart;

use crate::schema::{Group, Schema, SettingCommand};

/// The values that lines of a reply tell, each with its group. `asked` is the command that was asked: a register's reply
/// has no name (V.250 5.3.2). Lines of other matters (URCs, explanations) tell nothing.
#[must_use]
pub fn told(
    schema: &Schema,
    asked: Option<&SettingCommand>,
    lines: &[String],
) -> Vec<(Group, Vec<String>)> {
    lines
        .iter()
        .filter_map(|line| told_by(schema, asked, line.trim()))
        .collect()
}

fn told_by(
    schema: &Schema,
    asked: Option<&SettingCommand>,
    line: &str,
) -> Option<(Group, Vec<String>)> {
    let Some(rest) = line.strip_prefix('+') else {
        return register(schema, asked?, line);
    };
    let end = rest.find([':', '='])?;
    let (name, values) = (rest[..end].trim(), rest[end + 1..].trim());
    // The dump tells links under another name than the command that sets them (manual 2.8.6.32).
    let name = if name.eq_ignore_ascii_case("CIPSTART") {
        "CIPSCONT"
    } else {
        name
    };
    // Free text stands as it is: the parser of commands takes all that follows for it.
    let (name, values) = take_apart(format!("AT+{name}={}", values).as_bytes())?;
    pick(schema, &name, values)
}

/// What a set command sets.
pub(crate) fn set(schema: &Schema, line: &str) -> Option<(Group, Vec<String>)> {
    let (name, values) = take_apart(line.as_bytes())?;
    pick(schema, &name, values)
}

fn register(schema: &Schema, asked: &SettingCommand, line: &str) -> Option<(Group, Vec<String>)> {
    let is_value =
        asked.name.starts_with('S') && !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit());
    is_value.then(|| pick(schema, &asked.name, vec![line.to_owned()]))?
}

fn pick(schema: &Schema, name: &str, mut values: Vec<String>) -> Option<(Group, Vec<String>)> {
    let group = match schema.group(name, None) {
        Some(group) => group,
        None => {
            let group = schema.group(name, Some(values.first()?.as_str()))?;
            values.remove(0);
            group
        }
    };
    // Some read forms tell a state behind the setting (27.007 7.2: `+CREG: <n>,<stat>`).
    values.truncate(schema.command(&group).fields.len());
    Some((group, values))
}
