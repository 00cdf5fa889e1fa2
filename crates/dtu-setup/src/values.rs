//! Values of settings, and how two sets of them differ.

use std::collections::BTreeMap;

use crate::schema::{Group, Key, Schema};

/// Values by their keys. What is not there is not known, or is to stay as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<Key, String>);

/// What stands for a secret that is to stay as it is.
pub const UNCHANGED: &str = "****";

/// One value that is to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub key: Key,
    /// What the device has; `None`: it does not tell.
    pub from: Option<String>,
    /// What it is to have.
    pub to: String,
    /// Not to be shown.
    pub secret: bool,
}

impl Values {
    /// The value of that key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Sets a value; what the key had before.
    pub fn set(&mut self, key: Key, value: String) -> Option<String> {
        self.0.insert(key, value)
    }

    /// All of them, in the order of the command table.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &str)> {
        self.0.iter().map(|(key, value)| (key, value.as_str()))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a value of this setting is there.
    #[must_use]
    pub fn has(&self, group: &Group) -> bool {
        self.0.keys().any(|key| key.group == *group)
    }

    /// Whether all values of this setting are there.
    #[must_use]
    pub fn has_all(&self, schema: &Schema, group: &Group) -> bool {
        schema.keys(group).all(|key| self.get(&key).is_some())
    }

    /// Puts the values of a whole setting in, in the order of its fields.
    pub fn set_group(&mut self, schema: &Schema, group: &Group, values: Vec<String>) {
        for (key, value) in schema.keys(group).zip(values) {
            self.0.insert(key, value);
        }
    }

    /// The values of a whole setting; those that are not there as `None`.
    #[must_use]
    pub fn group(&self, schema: &Schema, group: &Group) -> Vec<Option<&str>> {
        schema.keys(group).map(|key| self.get(&key)).collect()
    }

    /// These, with those of `other` laid over.
    #[must_use]
    pub fn overlaid(&self, other: &Self) -> Self {
        let mut values = self.clone();
        for (key, value) in &other.0 {
            values.0.insert(key.clone(), value.clone());
        }
        values
    }

    /// What must change in a device that has these to make it have `wanted`. Values are compared, not their spelling:
    /// `01` is `1`, and hex digits may be small.
    #[must_use]
    pub fn changes_to(&self, schema: &Schema, wanted: &Self) -> Vec<Change> {
        let differs = |key: &Key, to: &str| match self.get(key) {
            None => true,
            Some(from) => {
                from != to && spelled(schema, self, key, from) != spelled(schema, self, key, to)
            }
        };
        wanted
            .0
            .iter()
            .filter(|(key, to)| !is_unchanged(schema, key, to) && differs(key, to))
            .map(|(key, to)| Change {
                key: key.clone(),
                from: self.get(key).map(str::to_owned),
                to: to.clone(),
                secret: schema.field(key).secret,
            })
            .collect()
    }
}

/// Whether this is a secret in whose place `****` stands: it is to stay as it is, or was not told.
pub(crate) fn is_unchanged(schema: &Schema, key: &Key, value: &str) -> bool {
    schema.field(key).secret && value == UNCHANGED
}

/// One value as the device would show it, among the others of its setting; as it stands where it is refused.
fn spelled(schema: &Schema, among: &Values, key: &Key, value: &str) -> String {
    let mut all: Vec<String> = among
        .group(schema, &key.group)
        .into_iter()
        .map(|value| value.unwrap_or_default().to_owned())
        .collect();
    if let Some(own) = all.get_mut(key.field) {
        value.clone_into(own);
    }
    schema
        .canonical(&key.group, &all)
        .ok()
        .and_then(|canonical| canonical.values.get(key.field).cloned())
        .unwrap_or_else(|| value.to_owned())
}
