//! One AT command.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use dtu_setup::door::End;
use serde::Deserialize;
use serde_json::{Value, json};

use super::app::App;
use super::body::Body;
use super::door::with_door;
use super::fault::{Answer, Fault};
use crate::words;

#[derive(Deserialize)]
pub(crate) struct Line {
    line: String,
}

/// Longer ones no device takes.
const LINE: usize = 1024;

pub(crate) async fn at(State(app): State<Arc<App>>, Body(body): Body<Line>) -> Answer<Json<Value>> {
    let line = body.line.trim().to_owned();
    if line.is_empty() || line.len() > LINE || line.contains(['\r', '\n', '\0']) {
        return Err(Fault::bad(words::no_line(LINE)));
    }
    let shown = dtu_proto::shown_text(line.as_bytes()).map_or_else(
        || line.clone(),
        |it| String::from_utf8_lossy(&it).into_owned(),
    );
    let reply = with_door(&app, move |_, door| Ok(door.command(&line)?)).await?;
    let taken = reply.end == End::Ok;
    let end = match reply.end {
        End::Ok => "OK".to_owned(),
        End::Refused(words) => words,
        End::Silence => String::new(),
    };
    Ok(Json(
        json!({ "line": shown, "lines": reply.lines, "end": end, "ok": taken }),
    ))
}
