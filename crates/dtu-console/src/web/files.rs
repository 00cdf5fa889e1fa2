//! Settings as files, out and in.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use dtu_setup::file::{self, Format};
use dtu_setup::{Schema, Values, check};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::app::App;
use super::body::Body;
use super::door::{blocking, with_door};
use super::fault::Answer;
use super::settings::{read, shown};

#[derive(Deserialize)]
pub(crate) struct Kind {
    format: Form,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    Toml,
    Json,
    At,
}

/// Secrets go out as `****`, which leaves them as they are where the file is read.
pub(crate) async fn export(
    State(app): State<Arc<App>>,
    Body(kind): Body<Kind>,
) -> Answer<Response> {
    let known = with_door(&app, read).await?;
    let schema = &app.schema;
    let mut values = Values::default();
    for (key, value) in known.reading.values.iter() {
        let _ = values.set(key.clone(), shown(schema, key, value));
    }
    let (text, end, kind) = match kind.format {
        Form::Toml => (
            file::write(schema, &values, Format::Toml),
            "toml",
            "application/toml",
        ),
        Form::Json => (
            file::write(schema, &values, Format::Json),
            "json",
            "application/json",
        ),
        Form::At => (
            as_commands(schema, &values),
            "txt",
            "text/plain; charset=utf-8",
        ),
    };
    let mut response = text.into_response();
    let name = format!("attachment; filename=\"dtu-settings.{end}\"");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

fn as_commands(schema: &Schema, values: &Values) -> String {
    let mut text = String::new();
    for group in schema.groups().filter(|group| values.has(group)) {
        let _ = match check::line(schema, &group, values) {
            Ok(line) => writeln!(text, "{line}"),
            Err(why) => writeln!(text, "# {group}: {why}"),
        };
    }
    text
}

/// Nothing is set: what the file says becomes a draft.
pub(crate) async fn import(State(app): State<Arc<App>>, bytes: Bytes) -> Answer<Json<Value>> {
    // Reading a long file takes its time, and others are served meanwhile.
    let read = blocking(&app, move |app| Ok(file::read(&app.schema, &bytes))).await?;
    let (values, fault) = match read {
        Ok(values) => {
            let named = values
                .iter()
                .map(|(key, value)| (key.to_string(), Value::from(value)));
            (Value::Object(named.collect()), Value::Null)
        }
        Err(fault) => {
            let (line, column) = fault.place;
            let fault = json!({
                "line": line,
                "column": column,
                "message": fault.text.english(),
                "message_zh": fault.text.chinese_if_any(),
            });
            (Value::Object(Map::new()), fault)
        }
    };
    Ok(Json(json!({ "values": values, "fault": fault })))
}
