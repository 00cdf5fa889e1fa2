//! The settings of the device: read by AT, with a tag that says which reading a change builds on.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use dtu_setup::apply::Plan;
use dtu_setup::door::Door;
use dtu_setup::reading::{Reading, read_all};
use dtu_setup::say::Spoken as _;
use dtu_setup::values::UNCHANGED;
use dtu_setup::{Key, Schema, Values, file};
use serde_json::{Map, Value, json};

use super::app::{App, lock};
use super::door::with_door;
use super::fault::Answer;
use super::who::digest;
use crate::device;

/// A reading of all settings, and its tag.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) tag: String,
    pub(crate) reading: Reading,
    pub(crate) sets: Option<Sets>,
}

/// As [`device::Sets`].
#[derive(Clone, Debug)]
pub(crate) struct Sets {
    running: Values,
    stored: Values,
    applied: Values,
}

impl Sets {
    fn of(schema: &Schema, sets: &device::Sets) -> Self {
        let values = |text: &str| file::kept(schema, text);
        Self {
            running: values(&sets.running),
            stored: values(&sets.stored),
            applied: values(&sets.applied),
        }
    }

    /// What runs and is not stored, beside what a plan changes.
    pub(crate) fn not_stored(&self, besides: &Plan) -> Vec<String> {
        self.differ_from(&self.stored, besides)
    }

    /// What runs and goes back with a trial, beside what a plan changes.
    pub(crate) fn not_applied(&self, besides: &Plan) -> Vec<String> {
        self.differ_from(&self.applied, besides)
    }

    fn differ_from(&self, other: &Values, besides: &Plan) -> Vec<String> {
        let is_planned = |key: &Key| besides.changes.iter().any(|change| change.key == *key);
        let differs = |key: &&Key| self.running.get(key) != other.get(key) && !is_planned(key);
        let keys = self.running.iter().map(|(key, _)| key);
        keys.filter(differs).map(ToString::to_string).collect()
    }

    /// What is stored, where a reading tells `read`: of some it tells what the radio has.
    fn stored<'a>(&'a self, key: &Key, read: Option<&'a str>) -> Option<&'a str> {
        let stored = self.stored.get(key);
        if self.running.get(key) == stored {
            read
        } else {
            stored
        }
    }
}

/// Readings that are kept, for those who build on an older one.
const KNOWN: usize = 4;

/// Reads all, and remembers it.
pub(crate) fn read(app: &App, door: &mut dyn Door) -> Answer<Known> {
    let reading = read_all(door, &app.schema, &mut |_, _| {})?;
    let known = Known {
        tag: tag(app, &reading.values),
        reading,
        sets: sets(app),
    };
    let mut all = lock(&app.known);
    all.retain(|old| old.tag != known.tag);
    if all.len() >= KNOWN {
        all.pop_front();
    }
    all.push_back(known.clone());
    Ok(known)
}

/// As they are now.
pub(crate) fn sets(app: &App) -> Option<Sets> {
    let sets = app.device.sets().ok().flatten()?;
    Some(Sets::of(&app.schema, &sets))
}

/// Secrets count, too, so it is salted with what nobody outside knows.
fn tag(app: &App, values: &Values) -> String {
    let mut text = lock(&app.sessions).salt();
    for (key, value) in values.iter() {
        text.push_str(&format!("\n{key}={value}"));
    }
    digest("settings", &text)[..16].to_owned()
}

/// What is to be shown of a value.
pub(crate) fn shown(schema: &Schema, key: &Key, value: &str) -> String {
    if schema.field(key).secret {
        UNCHANGED.to_owned()
    } else {
        value.to_owned()
    }
}

pub(crate) async fn settings(State(app): State<Arc<App>>) -> Answer<Response> {
    let known = with_door(&app, read).await?;
    let tag = format!("\"{}\"", known.tag);
    let mut response = Json(describe(&app.schema, &known)).into_response();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

fn describe(schema: &Schema, known: &Known) -> Value {
    let mut values = Map::new();
    for group in schema.groups() {
        let factory = schema.factory(&group);
        for (key, factory) in schema.keys(&group).zip(factory) {
            let running = known.reading.values.get(&key);
            let stored = match &known.sets {
                Some(sets) => sets.stored(&key, running),
                None => running,
            };
            let show = |value: Option<&str>| value.map(|value| shown(schema, &key, value));
            values.insert(
                key.to_string(),
                json!({
                    "stored": show(stored),
                    "running": show(running),
                    "factory": show(Some(&factory)),
                    "secret": schema.field(&key).secret,
                    "readable": running.is_some(),
                }),
            );
        }
    }
    let unread: Vec<Value> = known
        .reading
        .unread
        .iter()
        .map(|unread| {
            let message = unread.why.spoken();
            json!({
                "group": unread.group.to_string(),
                "why": unread.why.word(),
                "message": message.english(),
                "message_zh": message.chinese_if_any(),
            })
        })
        .collect();
    json!({ "etag": known.tag, "values": values, "unread": unread })
}
