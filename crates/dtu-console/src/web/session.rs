//! Who is there, log in, log out.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use dtu_setup::Sentence;
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::Way;
use super::app::{App, lock};
use super::assets::HASH;
use super::body::Body;
use super::door::{blocking, patience};
use super::fault::{Answer, Fault};
use super::peer::Peer;
use super::tls::Tls;
use super::who::{Guesser, Identity};
use crate::password::Who;
use crate::words;

pub(crate) async fn session(
    State(app): State<Arc<App>>,
    Extension(identity): Extension<Identity>,
) -> Answer<Json<Value>> {
    Ok(Json(describe(&app, &identity)))
}

fn describe(app: &App, identity: &Identity) -> Value {
    let sessions = lock(&app.sessions);
    let features = app.device.features();
    json!({
        "who": identity.word(),
        "login": *identity == Identity::Nobody,
        "csrf": sessions.csrf(identity),
        "instance": sessions.instance(),
        "version": app.config.version,
        "assets": HASH,
        "fingerprint": app.tls.as_ref().and_then(Tls::fingerprint),
        "features": features,
        "patience": patience(app).as_secs_f64().ceil() as u64,
    })
}

#[derive(Deserialize)]
pub(crate) struct Login {
    password: String,
}

pub(crate) async fn login(
    State(app): State<Arc<App>>,
    Extension(way): Extension<Way>,
    Extension(peer): Extension<Peer>,
    Body(login): Body<Login>,
) -> Answer {
    // Whatever an unknown proxy claims: a head that anybody can write gives nobody new guesses.
    let user = if way.is_told { None } else { peer.user().await };
    let from = user.map_or(Guesser::Address(way.from), Guesser::User);
    lock(&app.guesses)
        .enter(from, Instant::now())
        .map_err(Fault::guessing)?;
    let mut trying = Trying {
        app: Arc::clone(&app),
        from,
        checked: None,
    };
    let Ok(turn) = Arc::clone(&app.checks).acquire_owned().await else {
        return Err(Fault::broken("nobody checks passwords"));
    };
    let hashes = lock(&app.sessions).hashes().clone();
    if hashes.is_empty() {
        return Err(wrong(words::no_password_set()));
    }
    // Also where the client goes away meanwhile: a check that has begun counts.
    let who = blocking(&app, move |_| {
        let _turn = turn;
        let who = hashes.whose(&login.password);
        trying.checked = Some(who);
        drop(trying);
        Ok(who)
    })
    .await?;
    let Some(who) = who else {
        tracing::warn!("console: a wrong password from {from}");
        return Err(wrong(words::wrong_password()));
    };
    let mut sessions = lock(&app.sessions);
    let Some(token) = sessions.begin(who) else {
        return Err(wrong(words::password_changed()));
    };
    let cookie = cookie(&app, &sessions.cookie(), &token, &way, "");
    drop(sessions);
    tracing::info!("console: {from} has logged in");
    let session = describe(&app, &Identity::Session(who, token));
    Ok(with_cookie(Json(session).into_response(), cookie))
}

fn wrong(text: Sentence) -> Fault {
    Fault::new(StatusCode::FORBIDDEN, "password", text)
}

/// A log-in on its way.
struct Trying {
    app: Arc<App>,
    from: Guesser,
    checked: Option<Option<Who>>,
}

impl Drop for Trying {
    fn drop(&mut self) {
        lock(&self.app.guesses).leave(self.from, self.checked, Instant::now());
    }
}

pub(crate) async fn logout(
    State(app): State<Arc<App>>,
    Extension(way): Extension<Way>,
    Extension(identity): Extension<Identity>,
) -> Answer {
    let mut sessions = lock(&app.sessions);
    if let Identity::Session(_, token) = &identity {
        sessions.end(token);
    }
    let cookie = cookie(&app, &sessions.cookie(), "", &way, "; Max-Age=0");
    Ok(with_cookie(
        Json(json!({ "ok": true })).into_response(),
        cookie,
    ))
}

fn cookie(app: &App, name: &str, token: &str, way: &Way, more: &str) -> String {
    let path = if app.config.base.is_empty() {
        "/"
    } else {
        &app.config.base
    };
    let secure = if way.is_tls { "; Secure" } else { "" };
    let lasts = if more.is_empty() {
        "; Max-Age=2592000"
    } else {
        more
    };
    format!("{name}={token}; Path={path}; HttpOnly; SameSite=Strict{secure}{lasts}")
}

fn with_cookie(mut response: Response, cookie: String) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
