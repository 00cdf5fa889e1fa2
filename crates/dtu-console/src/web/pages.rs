//! What is only looked at: state, health.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::app::App;
use super::door::{blocking, in_turn};
use super::fault::Answer;

/// A device that does not tell its state by then does not tell it.
pub(crate) const STATUS: Duration = Duration::from_secs(5);

pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

pub(crate) async fn status(State(app): State<Arc<App>>) -> Answer<Json<Value>> {
    let status = if app.device.features().live {
        blocking(&app, |app| Ok(app.device.status(STATUS)?)).await?
    } else {
        // It is asked by AT, as settings are.
        in_turn(&app, |app| Ok(app.device.status(STATUS)?)).await?
    };
    Ok(Json(status))
}

pub(crate) async fn openapi() -> Response {
    let text = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
