//! What a request brings: the body of a write, JSON of a known shape, and the values behind `?`.

use std::convert::Infallible;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::fault::Fault;
use crate::words;

/// JSON that has this shape.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        // A form of another site can send everything but this.
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Fault::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "type",
                words::no_json(),
            ));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_| Fault::bad(words::body_broke_off()))?;
        // A path without body may be sent one that is empty.
        let bytes = if bytes.is_empty() { &b"{}"[..] } else { &bytes };
        serde_json::from_slice(bytes)
            .map(Self)
            .map_err(|error| Fault::bad(words::not_taken(error.to_string())))
    }
}

/// The values behind `?`: numbers and plain words.
pub(crate) struct Asked(String);

impl Asked {
    pub(crate) fn word(&self, name: &str) -> Option<&str> {
        let pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        let mut of_it = pairs.filter(|(own, _)| *own == name);
        of_it
            .next()
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty())
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Fault> {
        let number = self.word(name).map(str::parse).transpose();
        number.map_err(|_| Fault::bad(words::no_number(name)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(
            parts.uri.query().unwrap_or_default().replace("%2C", ","),
        ))
    }
}
