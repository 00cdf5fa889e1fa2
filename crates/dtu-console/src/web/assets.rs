//! The page and what it loads. Paths change with the contents, so they may be kept for ever.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::fault::{Answer, Fault};
use crate::words;

/// A file of `assets/`.
pub(crate) struct Asset {
    name: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
}

mod files {
    use super::Asset;
    include!(concat!(env!("OUT_DIR"), "/assets.rs"));
}

pub(crate) use files::HASH;

pub(crate) async fn page(headers: HeaderMap) -> Answer {
    let tag = format!("\"{HASH}\"");
    let known = headers.get(header::IF_NONE_MATCH);
    let is_known = known
        .and_then(|known| known.to_str().ok())
        .is_some_and(|known| known.contains(&tag));
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        send(find("index.html")?, &headers)
    };
    let own = response.headers_mut();
    own.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        own.insert(header::ETAG, tag);
    }
    Ok(response)
}

pub(crate) async fn asset(
    Path((hash, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let asset = find(&name)?;
    let mut response = send(asset, &headers);
    // An old page in a tab gets what there is now, and must not keep it.
    let keep = if hash == HASH {
        "public, max-age=31536000, immutable"
    } else {
        "no-store"
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    Ok(response)
}

fn find(name: &str) -> Answer<&'static Asset> {
    files::FILES
        .iter()
        .find(|asset| asset.name == name)
        .ok_or_else(|| Fault::new(StatusCode::NOT_FOUND, "missing", words::no_file()))
}

fn send(asset: &'static Asset, headers: &HeaderMap) -> Response {
    let takes_gzip = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value.split(',').any(|coding| {
                let mut parts = coding.split(';').map(str::trim);
                let is_gzip = matches!(parts.next(), Some("gzip" | "*"));
                is_gzip && !parts.any(|part| matches!(part, "q=0" | "q=0.0"))
            })
        });
    let head = [
        (header::CONTENT_TYPE, kind(asset.name)),
        (header::VARY, "accept-encoding"),
    ];
    if takes_gzip {
        (head, [(header::CONTENT_ENCODING, "gzip")], asset.gzip).into_response()
    } else {
        (head, asset.plain).into_response()
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some(_) | None => "application/octet-stream",
    }
}
