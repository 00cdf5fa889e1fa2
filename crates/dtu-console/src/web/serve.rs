//! Connections: bounded in number, and each in the time that it may be silent.

use std::cell::LazyCell;
use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::app::App;
use super::peer::Peer;
use super::router::router;
use super::tls::Tls;

/// Connections that are no streams of events.
pub(crate) const CONNECTIONS: usize = 64;
/// A head must be there by then, the first one or the next one of a connection that is kept.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Who takes nothing for so many milliseconds is gone. A comment is sent each 15 s, so a stream that nobody has any more ends
/// within 30 s.
const GONE: u32 = 15_000;
/// Bytes of a connection that wait in the kernel, which takes twice what it is told.
const ON_ITS_WAY: usize = 64 * 1024;
/// Heads are not longer.
const HEAD_MOST: usize = 16 * 1024;

pub(crate) async fn serve(listener: StdListener, app: Arc<App>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    // Its routes and their code cost memory that a console which nobody looks at does without.
    let routes = LazyCell::new(|| TowerToHyperService::new(router(&app)));
    let mut stopped = app.stopped.clone();
    let mut failures = Failures::default();
    loop {
        let accepted = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        let (stream, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // No descriptors are left, as a rule; the next try would fail at once, too.
                match failures.one(Instant::now()) {
                    Some(0) => tracing::warn!("console: {error}"),
                    Some(untold) => tracing::warn!("console: {error}; {untold} more since then"),
                    None => {}
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            let _ = stream.try_write(FULL);
            continue;
        };
        let Ok(own) = stream.local_addr() else {
            continue;
        };
        let peer = Peer::new(remote, own, place);
        prepare(&stream);
        tokio::spawn(connection(stream, peer, routes.clone(), Arc::clone(&app)));
    }
}

/// One is told; of the others the number, with the next one.
#[derive(Default)]
struct Failures {
    told: Option<Instant>,
    untold: u64,
}

impl Failures {
    /// One more; so many that were not told, if it is to be told.
    fn one(&mut self, now: Instant) -> Option<u64> {
        if self.told.is_some_and(|told| now < told + REMINDS) {
            self.untold += 1;
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

/// As the other lines of the log.
const REMINDS: Duration = Duration::from_secs(600);

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 10\r\n\
    Content-Length: 72\r\nConnection: close\r\n\r\n{\"error\":\"full\",\"message\":\"the console has all connections it may have\"}";

fn prepare(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, GONE);
    // Left to itself the kernel keeps megabytes for who does not read, and gaps would be told minutes late.
    let _ = rustix::net::sockopt::set_socket_send_buffer_size(stream, ON_ITS_WAY / 2);
}

async fn connection(stream: TcpStream, peer: Peer, router: Routes, app: Arc<App>) {
    let base = app.config.base.clone();
    let Some(acceptor) = app.tls.as_ref().map(Tls::acceptor) else {
        return talk(stream, peer, router, base).await;
    };
    drop(app);
    // Who does not speak TLS, or not in time, is not served.
    if let Ok(Ok(stream)) = timeout(HEAD_TIME, acceptor.accept(stream)).await {
        talk(stream, peer, router, base).await;
    }
}

type Routes = TowerToHyperService<axum::Router>;

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    router: Routes,
    base: String,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        strip(request.uri_mut(), &base);
        router.call(request.map(Body::new))
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_MOST)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    // What clients do to their connections is no news.
    drop(served);
}

/// A proxy may pass the prefix on, or take it off.
fn strip(uri: &mut Uri, base: &str) {
    if base.is_empty() {
        return;
    }
    let stripped = uri
        .path_and_query()
        .and_then(|whole| whole.as_str().strip_prefix(base))
        .filter(|rest| rest.starts_with('/'))
        .and_then(|rest| rest.parse::<Uri>().ok());
    if let Some(stripped) = stripped {
        *uri = stripped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five tries each second fail while no descriptors are left.
    #[test]
    fn a_failure_is_told_once_and_the_rest_is_counted() {
        let (mut failures, start) = (Failures::default(), Instant::now());
        let mut told = Vec::new();
        for try_ in 0..5 * 601 {
            let now = start + Duration::from_millis(200) * try_;
            told.extend(failures.one(now));
        }
        assert_eq!(told, [0, 2999]);
    }
}
