//! Checks of values in the device's own words.

use crate::schema::{Group, Key, Schema};
use crate::values::{Values, is_unchanged};

/// Whether a device takes this value, the others of its setting being good.
///
/// # Errors
/// What it would say.
pub fn value(schema: &Schema, key: &Key, value: &str) -> Result<(), String> {
    if is_unchanged(schema, key, value) {
        return Ok(());
    }
    let mut values = schema.factory(&key.group);
    if let Some(own) = values.get_mut(key.field) {
        value.clone_into(own);
    }
    schema.canonical(&key.group, &values).map(|_| ())
}

/// The command that gives a setting these values, as far as they are known; the device's words against them, or which
/// value nobody knows.
///
/// # Errors
/// As said.
pub fn line(schema: &Schema, group: &Group, values: &Values) -> Result<String, String> {
    let known = values.group(schema, group);
    let missing = schema.keys(group).zip(&known).find_map(|(key, value)| {
        let is_known = value.is_some_and(|value| !is_unchanged(schema, &key, value));
        (!is_known).then_some(key)
    });
    if let Some(key) = missing {
        return Err(format!(
            "{key} is not known: the device does not tell it, so it must be given"
        ));
    }
    let known: Vec<String> = known.into_iter().flatten().map(str::to_owned).collect();
    schema.canonical(group, &known).map(|it| it.line)
}
