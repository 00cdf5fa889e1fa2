//! What is only looked at: state, health.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde_json::Value;

use super::app::App;
use super::door::blocking;
use super::fault::Answer;

/// A device that does not tell its state by then does not tell it.
pub(crate) const STATUS: Duration = Duration::from_secs(5);

pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

pub(crate) async fn status(State(app): State<Arc<App>>) -> Answer<Json<Value>> {
    let status = blocking(&app, |app| Ok(app.device.status(STATUS)?)).await?;
    Ok(Json(status))
}
