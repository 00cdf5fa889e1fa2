//! The settings of the device: read by AT, with a tag that says which reading a change builds on.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use dtu_setup::door::Door;
use dtu_setup::reading::{Reading, Why, read_all};
use dtu_setup::values::UNCHANGED;
use dtu_setup::{Key, Schema, Values, file};
use serde_json::{Map, Value, json};

use super::app::{App, lock};
use super::door::with_door;
use super::fault::Answer;
use super::who::digest;

/// A reading of all settings, and its tag.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) tag: String,
    pub(crate) reading: Reading,
    pub(crate) stored: Option<Values>,
}

/// Readings that are kept, for those who build on an older one.
const KNOWN: usize = 4;

/// Reads all, and remembers it.
pub(crate) fn read(app: &App, door: &mut dyn Door) -> Answer<Known> {
    let reading = read_all(door, &app.schema, &mut |_, _| {})?;
    let stored = app.device.stored().ok().flatten();
    // Where nothing of it can be read as a file it is not known.
    let stored = stored.and_then(|text| file::read(&app.schema, text.as_bytes()).ok());
    let known = Known {
        tag: tag(app, &reading.values),
        reading,
        stored,
    };
    let mut all = lock(&app.known);
    all.retain(|old| old.tag != known.tag);
    if all.len() >= KNOWN {
        all.pop_front();
    }
    all.push_back(known.clone());
    Ok(known)
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
            let stored = known
                .stored
                .as_ref()
                .map_or(running, |stored| stored.get(&key));
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
            let why = match &unread.why {
                Why::NoReadForm => "no reply tells it",
                Why::Refused(words) => words,
                Why::NotTold => "the device did not tell it",
                Why::NoText => "what the device tells is no text in the charset of the line",
            };
            json!({ "group": unread.group.to_string(), "why": why })
        })
        .collect();
    json!({ "etag": known.tag, "values": values, "unread": unread })
}
