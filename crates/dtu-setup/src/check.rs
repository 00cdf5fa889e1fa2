//! Checks of values in the device's own words.

use crate::chinese::words_of_device;
use crate::say::Sentence;
use crate::schema::{Group, Key, Schema};
use crate::values::{Values, is_unchanged};
use crate::words;

/// Whether a device takes this value, the others of its setting being good.
///
/// # Errors
/// What it would say.
pub fn value(schema: &Schema, key: &Key, value: &str) -> Result<(), Sentence> {
    if is_unchanged(schema, key, value) {
        return Ok(());
    }
    let mut values = schema.factory(&key.group);
    if let Some(own) = values.get_mut(key.field) {
        value.clone_into(own);
    }
    match schema.canonical(&key.group, &values) {
        Ok(_) => Ok(()),
        Err(refusal) => Err(words_of_device(&refusal)),
    }
}

/// The command that gives a setting these values, as far as they are known; the device's words against them, or which
/// value nobody knows.
///
/// # Errors
/// As said.
pub fn line(schema: &Schema, group: &Group, values: &Values) -> Result<String, Sentence> {
    if let Some(key) = missing(schema, group, values) {
        return Err(words::not_known(&key));
    }
    let known = values.group(schema, group).into_iter();
    let known: Vec<String> = known.flatten().map(str::to_owned).collect();
    match schema.canonical(group, &known) {
        Ok(canonical) => Ok(canonical.line),
        Err(refusal) => Err(words_of_device(&refusal)),
    }
}

/// The value of a setting that nobody knows.
pub(crate) fn missing(schema: &Schema, group: &Group, values: &Values) -> Option<Key> {
    let known = values.group(schema, group);
    schema.keys(group).zip(&known).find_map(|(key, value)| {
        let is_known = value.is_some_and(|value| !is_unchanged(schema, &key, value));
        (!is_known).then_some(key)
    })
}
