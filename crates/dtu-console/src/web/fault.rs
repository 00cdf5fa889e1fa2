//! What went wrong, as the page and programs get it.

use std::fmt;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use dtu_setup::Sentence;
use dtu_setup::door::DoorError;
use dtu_setup::say::Spoken as _;
use serde_json::{Value, json};

use crate::device::Unavailable;
use crate::words;

/// A refusal: a word for programs, a sentence for people.
#[derive(Debug)]
pub(crate) struct Fault {
    status: StatusCode,
    word: &'static str,
    message: Sentence,
    more: Vec<(&'static str, Value)>,
}

pub(crate) type Answer<T = Response> = Result<T, Fault>;

impl Fault {
    pub(crate) fn new(status: StatusCode, word: &'static str, message: Sentence) -> Self {
        Self {
            status,
            word,
            message,
            more: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.more.push((name, value.into()));
        self
    }

    /// What came is not what is taken.
    pub(crate) fn bad(message: Sentence) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad", message)
    }

    pub(crate) fn busy() -> Self {
        Self::new(StatusCode::CONFLICT, "busy", words::busy())
    }

    pub(crate) fn guessing(seconds: u64) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "guessing",
            words::guessing(seconds),
        )
        .with("retry_after", seconds)
    }

    /// It has been told before that it would take no longer.
    pub(crate) fn goes_on(within: Duration) -> Self {
        let text = words::goes_on(within.as_secs());
        Self::new(StatusCode::GATEWAY_TIMEOUT, "device", text)
    }

    /// The thread of a request has ended without a word.
    pub(crate) fn stopped() -> Self {
        Self::broken("it stopped while it worked")
    }

    /// A part of the console has broken down.
    pub(crate) fn broken(what: &str) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "broken",
            words::broken(what),
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

impl From<DoorError> for Fault {
    fn from(error: DoorError) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "device", error.spoken())
    }
}

impl From<Unavailable> for Fault {
    fn from(error: Unavailable) -> Self {
        let status = match error {
            Unavailable::Silent(_) => StatusCode::GATEWAY_TIMEOUT,
            Unavailable::Missing(_) => StatusCode::NOT_FOUND,
            Unavailable::Refused(_) => StatusCode::CONFLICT,
        };
        Self::new(status, "device", error.spoken())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut body = json!({ "error": self.word, "message": self.message.english() });
        if let Some(chinese) = self.message.chinese_if_any() {
            body["message_zh"] = chinese.into();
        }
        let mut headers = HeaderMap::new();
        for (name, value) in self.more {
            if name == "retry_after"
                && let Ok(seconds) = value.to_string().parse()
            {
                headers.insert("retry-after", seconds);
            }
            body[name] = value;
        }
        (self.status, headers, axum::Json(body)).into_response()
    }
}
