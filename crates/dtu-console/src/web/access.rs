//! Who may do what: one gate for all requests, and one choke point for all writes.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use dtu_setup::say::Spoken;
use subtle::ConstantTimeEq as _;
use tokio::time::timeout;

use super::Config;
use super::app::{App, lock};
use super::fault::{Answer, Fault};
use super::peer::Peer;
use super::who::Identity;
use crate::words;

/// What a route asks of who comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: the page, and what a log-in needs.
    Nothing,
    /// A log-in; states and counts.
    Viewer,
    /// All rights.
    Owner,
    /// A log-in, or from beyond this host the token of metrics.
    Metrics,
    /// No log-in, but the rest of a write's rules: this is how one logs in.
    Password,
}

/// Names by which this console is known.
#[derive(Debug)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    pub(crate) fn new(config: &Config) -> Self {
        let mut names = vec!["localhost".to_owned()];
        if let Ok(own) = std::fs::read_to_string("/proc/sys/kernel/hostname") {
            let own = own.trim().to_ascii_lowercase();
            names.push(format!("{own}.local"));
            names.push(own);
        }
        names.extend(config.hosts.iter().map(|name| name.to_ascii_lowercase()));
        // A self-made certificate names each once.
        let mut each = HashSet::new();
        names.retain(|name| each.insert(name.clone()));
        Self(names)
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }

    /// A page of elsewhere that lets its own name point here (DNS rebinding) comes by a name that is not ours.
    fn allow(&self, host: &str, own: IpAddr) -> bool {
        let name = without_port(host).to_ascii_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return address.to_canonical() == own || self.0.iter().any(|known| known == bare);
        }
        let name = name.strip_suffix('.').unwrap_or(&name);
        self.0.iter().any(|known| known == name)
    }
}

fn without_port(host: &str) -> &str {
    if host.parse::<Ipv6Addr>().is_ok() {
        return host;
    }
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    }
}

/// How a request came, behind proxies that are believed.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// Whose it is, to count guesses.
    pub(crate) from: IpAddr,
    /// What the browser has in its address line.
    host: String,
    /// By TLS, as far as the browser knows.
    pub(crate) is_tls: bool,
    /// No proxy stands between.
    pub(crate) is_direct: bool,
    /// A proxy of `trusted_proxies` says who comes.
    pub(crate) is_told: bool,
}

impl Way {
    fn of(config: &Config, peer: &Peer, headers: &HeaderMap, uri: &Uri) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let host = uri
            .authority()
            .map(|authority| authority.as_str())
            .or_else(|| text("host"))
            .unwrap_or_default();
        let is_trusted = |ip: &IpAddr| {
            config
                .trusted_proxies
                .iter()
                .any(|own| own.to_canonical() == *ip)
        };
        let mut way = Self {
            from: peer.ip(),
            host: host.to_owned(),
            is_tls: config.speaks_tls(),
            // A proxy that is not known may stand in front of anybody.
            is_direct: !headers.keys().map(HeaderName::as_str).any(|name| {
                name.starts_with("x-forwarded") || ["forwarded", "via", "x-real-ip"].contains(&name)
            }),
            is_told: false,
        };
        if !is_trusted(&peer.ip()) {
            return way;
        }
        (way.is_direct, way.is_told) = (false, true);
        let hops = headers.get_all("x-forwarded-for").iter();
        let hops: Vec<IpAddr> = hops
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|hop| hop.trim().parse::<IpAddr>().ok())
            .map(|hop| hop.to_canonical())
            .collect();
        if let Some(client) = hops.iter().rev().find(|hop| !is_trusted(hop)) {
            way.from = *client;
        }
        if let Some(host) = text("x-forwarded-host") {
            host.trim().clone_into(&mut way.host);
        }
        if let Some(scheme) = text("x-forwarded-proto") {
            way.is_tls = scheme.trim().eq_ignore_ascii_case("https");
        }
        way
    }

    /// The origin of the page that asks must be this console, whatever it asks for.
    fn check_origin(&self, headers: &HeaderMap) -> Answer<()> {
        let refused = |got: &str| Err(foreign(got));
        let Some(origin) = headers.get(header::ORIGIN) else {
            return Ok(());
        };
        let origin = origin.to_str().unwrap_or("null");
        let (bare, port) = match origin.split_once("://") {
            Some(("http", rest)) => (rest, ":80"),
            Some(("https", rest)) => (rest, ":443"),
            Some(_) | None => return refused(origin),
        };
        let plain = |host: &str| {
            let host = host.to_ascii_lowercase();
            host.strip_suffix(port).map(str::to_owned).unwrap_or(host)
        };
        if plain(bare) == plain(&self.host) {
            Ok(())
        } else {
            refused(origin)
        }
    }
}

/// Who stands between may go by another one than this console does (RFC 9112, 3.2).
fn check_heads(headers: &HeaderMap) -> Answer<()> {
    for name in [header::HOST, header::ORIGIN] {
        if headers.get_all(&name).iter().nth(1).is_some() {
            return Err(Fault::bad(words::twice(name.as_str())));
        }
    }
    Ok(())
}

/// A link of another site may lead to the page, but to nothing that it would load or do.
fn check_site(headers: &HeaderMap) -> Answer<()> {
    match headers.get("sec-fetch-site") {
        Some(site) if !matches!(site.as_bytes(), b"same-origin" | b"none") => {
            Err(foreign(words::another_site()))
        }
        Some(_) | None => Ok(()),
    }
}

fn foreign(got: impl Spoken) -> Fault {
    Fault::new(StatusCode::FORBIDDEN, "origin", words::foreign_page(got))
}

/// In front of all: is this console meant, and what every answer says.
pub(crate) async fn gate(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(peer) = request.extensions().get::<Peer>().cloned() else {
        return Fault::broken("a request without connection").into_response();
    };
    let way = Way::of(&app.config, &peer, request.headers(), request.uri());
    let mut response = if let Err(fault) = check_heads(request.headers()) {
        fault.into_response()
    } else if app.hosts.allow(&way.host, peer.own_ip()) {
        match way.check_origin(request.headers()) {
            Ok(()) => {
                request.extensions_mut().insert(way);
                next.run(request).await
            }
            Err(fault) => fault.into_response(),
        }
    } else {
        let name: String = way
            .host
            .chars()
            .filter(|c| !c.is_control())
            .take(80)
            .collect();
        Fault::new(
            StatusCode::MISDIRECTED_REQUEST,
            "host",
            words::unknown_host(format!("{name:?}")),
        )
        .into_response()
    };
    let headers = response.headers_mut();
    for (name, value) in SAID {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

const SAID: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// In front of each route: may this one do it?
pub(crate) async fn guard(
    State((app, needs)): State<(Arc<App>, Needs)>,
    request: Request,
    next: Next,
) -> Response {
    match admit(&app, needs, request).await {
        Ok(request) => next.run(request).await,
        Err(fault) => fault.into_response(),
    }
}

async fn admit(app: &Arc<App>, needs: Needs, mut request: Request) -> Answer<Request> {
    let (Some(peer), Some(way)) = (
        request.extensions().get::<Peer>().cloned(),
        request.extensions().get::<Way>().cloned(),
    ) else {
        return Err(Fault::broken("a request that came past the gate"));
    };
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if needs != Needs::Nothing || writes {
        check_site(request.headers())?;
    }
    let identity = identify(app, &peer, &way, request.headers()).await;
    let has_token = needs == Needs::Metrics && bears_token(&app.config, request.headers());
    match (needs, &identity) {
        (Needs::Nothing | Needs::Password, _) => {}
        (Needs::Metrics, Identity::Nobody) if has_token => {}
        (Needs::Viewer | Needs::Owner | Needs::Metrics, Identity::Nobody) => {
            return Err(no_log_in(app));
        }
        (Needs::Owner, who) if who.is_viewer() => {
            return Err(Fault::new(
                StatusCode::FORBIDDEN,
                "viewer",
                words::viewers_only_look(),
            ));
        }
        (Needs::Viewer | Needs::Owner | Needs::Metrics, _) => {}
    }
    if writes {
        if needs != Needs::Password {
            check_csrf(app, &identity, request.headers())?;
        }
        let (length, time) = if needs == Needs::Password {
            PASSWORD_BODY
        } else {
            BODY
        };
        request = with_whole_body(request, length, time).await?;
    }
    request.extensions_mut().insert(identity);
    Ok(request)
}

fn no_log_in(app: &App) -> Fault {
    let text = if lock(&app.sessions).hashes().is_empty() {
        words::no_password_here()
    } else {
        words::log_in_first()
    };
    Fault::new(StatusCode::UNAUTHORIZED, "login", text)
}

async fn identify(app: &App, peer: &Peer, way: &Way, headers: &HeaderMap) -> Identity {
    {
        let mut sessions = lock(&app.sessions);
        let name = sessions.cookie();
        let cookies = headers.get_all(header::COOKIE).iter();
        let tokens = cookies
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(own, _)| *own == name);
        for (_, token) in tokens {
            if let Some(found) = sessions.find(token) {
                return found;
            }
        }
    }
    if way.is_direct && peer.is_own_user().await {
        Identity::Local
    } else {
        Identity::Nobody
    }
}

fn bears_token(config: &Config, headers: &HeaderMap) -> bool {
    let said = headers
        .get(header::AUTHORIZATION)
        .map(HeaderValue::as_bytes);
    let said = said.and_then(|said| said.strip_prefix(b"Bearer "));
    match (&config.metrics_token, said) {
        (Some(token), Some(said)) => !token.is_empty() && token.as_bytes().ct_eq(said).into(),
        (Some(_) | None, _) => false,
    }
}

fn check_csrf(app: &App, identity: &Identity, headers: &HeaderMap) -> Answer<()> {
    let wanted = lock(&app.sessions).csrf(identity);
    let said = headers.get("x-csrf").map(HeaderValue::as_bytes);
    let is_right = match (wanted, said) {
        (Some(wanted), Some(said)) => bool::from(wanted.as_bytes().ct_eq(said)),
        (Some(_) | None, _) => false,
    };
    if is_right {
        return Ok(());
    }
    Err(Fault::new(
        StatusCode::FORBIDDEN,
        "csrf",
        words::wrong_csrf(),
    ))
}

/// The whole body, of a bounded length and in a bounded time.
async fn with_whole_body(request: Request, length: usize, time: Duration) -> Answer<Request> {
    let too_long = || {
        Fault::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "long",
            words::long_body(length),
        )
    };
    let told = request.headers().get(header::CONTENT_LENGTH);
    let told = told.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|told| told > length as u64) {
        return Err(too_long());
    }
    let (head, body) = request.into_parts();
    match timeout(time, to_bytes(body, length)).await {
        Ok(Ok(bytes)) => Ok(Request::from_parts(head, Body::from(bytes))),
        Ok(Err(error)) if error.to_string().contains("length limit") => Err(too_long()),
        Ok(Err(_)) => Err(Fault::bad(words::body_broke_off())),
        Err(_) => Err(Fault::new(
            StatusCode::REQUEST_TIMEOUT,
            "slow",
            words::slow_body(time.as_secs()),
        )),
    }
}

/// Bytes, and how long they may take.
const BODY: (usize, Duration) = (1024 * 1024, Duration::from_secs(20));
/// Of who has not logged in yet: a password is short, and anybody may begin to send one.
const PASSWORD_BODY: (usize, Duration) = (4096, Duration::from_secs(5));
