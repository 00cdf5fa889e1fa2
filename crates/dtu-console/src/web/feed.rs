//! What was recorded, and what is put in: rows, log, capture file, injected bytes, messages and calls.

use std::sync::Arc;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::app::App;
use super::body::{Asked, Body};
use super::door::blocking;
use super::fault::{Answer, Fault};
use super::who::Identity;
use crate::device::{Order, Unavailable};
use crate::recorder::{LogLine, Recorder, Row};
use crate::words;

/// Of the ring.
struct Part {
    /// The first number.
    from: Option<u64>,
    /// The last one.
    to: Option<u64>,
    limit: Option<u64>,
}

/// Rows and lines of an answer.
const LIMIT: u64 = 1000;

impl Part {
    fn of(asked: &Asked) -> Answer<Self> {
        Ok(Self {
            from: asked.number("from")?,
            to: asked.number("to")?,
            limit: asked.number("limit")?,
        })
    }

    /// Where to begin, and how many. Without a beginning it is the last ones up to the end.
    fn range(&self, next: u64) -> (u64, usize) {
        let limit = self.limit.unwrap_or(LIMIT).clamp(1, LIMIT);
        let end = self.to.map_or(next, |to| to.saturating_add(1).min(next));
        let from = self.from.unwrap_or_else(|| end.saturating_sub(limit));
        let count = end.saturating_sub(from).min(limit);
        (from, usize::try_from(count).unwrap_or_default())
    }
}

fn recorder(app: &App) -> Answer<&Arc<Recorder>> {
    app.recorder
        .as_ref()
        .ok_or_else(|| Unavailable::Missing(words::record()).into())
}

pub(crate) async fn rows(
    State(app): State<Arc<App>>,
    Extension(identity): Extension<Identity>,
    asked: Asked,
) -> Answer<Json<Value>> {
    let (recorder, part) = (recorder(&app)?, Part::of(&asked)?);
    let (from, limit) = part.range(recorder.next_row());
    let page = recorder.rows(from, limit);
    let to = part.to.unwrap_or(u64::MAX);
    let items: Vec<Row> = page.items.into_iter().filter(|row| row.seq <= to).collect();
    let rows = traffic_rows(&items, identity.is_viewer());
    Ok(Json(
        json!({ "run": app.run, "rows": rows, "missed": page.missed, "next": page.next }),
    ))
}

pub(crate) async fn log(State(app): State<Arc<App>>, asked: Asked) -> Answer<Json<Value>> {
    let (recorder, part) = (recorder(&app)?, Part::of(&asked)?);
    let (from, limit) = part.range(recorder.next_line());
    let page = recorder.lines(from, limit);
    let to = part.to.unwrap_or(u64::MAX);
    let items: Vec<LogLine> = page
        .items
        .into_iter()
        .filter(|line| line.seq <= to)
        .collect();
    Ok(Json(
        json!({ "run": app.run, "lines": log_lines(&items), "missed": page.missed, "next": page.next }),
    ))
}

/// A viewer sees that there were bytes, and how many.
pub(crate) fn traffic_rows(rows: &[Row], is_viewer: bool) -> Value {
    let as_value = |row: &Row| {
        let mut value = serde_json::to_value(row).unwrap_or_default();
        if is_viewer {
            value["data"] = Value::from("");
        }
        value
    };
    rows.iter().map(as_value).collect()
}

pub(crate) fn log_lines(lines: &[LogLine]) -> Value {
    serde_json::to_value(lines).unwrap_or_default()
}

pub(crate) async fn pcapng(State(app): State<Arc<App>>) -> Answer<Response> {
    recorder(&app)?;
    let bytes = blocking(&app, |app| Ok(recorder(app)?.pcapng())).await?;
    let head = [
        (header::CONTENT_TYPE, "application/x-pcapng"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"dtu-traffic.pcapng\"",
        ),
    ];
    Ok((head, bytes).into_response())
}

#[derive(Deserialize)]
pub(crate) struct Injection {
    to: String,
    from: End,
    data_hex: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum End {
    Dte,
    Peer,
}

/// Bytes that are put in at once.
const INJECTED: usize = 64 * 1024;

pub(crate) async fn inject(
    State(app): State<Arc<App>>,
    Body(body): Body<Injection>,
) -> Answer<Json<Value>> {
    let bytes = unhex(&body.data_hex)
        .filter(|bytes| (1..=INJECTED).contains(&bytes.len()))
        .ok_or_else(|| Fault::bad(words::no_hex(INJECTED)))?;
    let link = body
        .to
        .strip_prefix("link")
        .and_then(|number| number.parse().ok())
        .filter(|number| (1..=4).contains(number));
    let order = match (body.to.as_str(), link, body.from) {
        ("line", _, End::Dte) => Order::FromDte(bytes),
        (_, Some(link), End::Peer) => Order::FromPeer(link, bytes),
        (_, _, End::Dte | End::Peer) => {
            return Err(Fault::bad(words::no_direction()));
        }
    };
    carry_out(&app, order).await
}

async fn carry_out(app: &Arc<App>, order: Order) -> Answer<Json<Value>> {
    blocking(app, move |app| Ok(app.device.order(order)?)).await?;
    Ok(Json(json!({ "ok": true })))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    let nibble = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|it| u8::try_from(it).ok())
    };
    rest.is_empty().then_some(())?;
    pairs
        .iter()
        .map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?))
        .collect()
}

pub(crate) async fn messages(
    State(app): State<Arc<App>>,
    Extension(identity): Extension<Identity>,
) -> Answer<Json<Value>> {
    let mut messages = blocking(&app, |app| Ok(app.device.messages()?)).await?;
    if identity.is_viewer() {
        hide_payload(&mut messages);
    }
    Ok(Json(messages))
}

/// A viewer sees that there was a message and when: whose it is and what it says is payload.
fn hide_payload(messages: &mut Value) {
    messages["phone"] = Value::Null;
    for (list, hidden) in [
        ("items", &["from", "to", "text"][..]),
        ("calls", &["number"]),
    ] {
        let items = messages[list].as_array_mut().into_iter().flatten();
        for item in items {
            for name in hidden {
                item[*name] = Value::Null;
            }
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Message {
    from: String,
    text: String,
}

#[derive(Deserialize)]
pub(crate) struct Call {
    number: String,
}

/// Characters of ten parts in UCS-2.
const TEXT: usize = 670;

pub(crate) async fn sms(
    State(app): State<Arc<App>>,
    Body(message): Body<Message>,
) -> Answer<Json<Value>> {
    let from = number(&message.from)?;
    if !(1..=TEXT).contains(&message.text.encode_utf16().count()) {
        return Err(Fault::bad(words::long_text(TEXT)));
    }
    carry_out(&app, Order::Message(from, message.text)).await
}

pub(crate) async fn call(
    State(app): State<Arc<App>>,
    Body(call): Body<Call>,
) -> Answer<Json<Value>> {
    let number = number(&call.number)?;
    carry_out(&app, Order::Call(number)).await
}

pub(crate) async fn hangup(
    State(app): State<Arc<App>>,
    Body(_): Body<Map<String, Value>>,
) -> Answer<Json<Value>> {
    carry_out(&app, Order::HangUp).await
}

fn number(text: &str) -> Answer<String> {
    let text = text.trim();
    let digits = text.strip_prefix('+').unwrap_or(text);
    let fits = (1..=20).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Fault::bad(words::no_phone_number()))
    }
}
