//! TLS inside a link's TCP connection: rustls without any socket of its own, over a [`Port`].
//!
//! The device counts plain bytes. So each piece of them is written out whole before the next is taken, and a mark
//! tells at which byte of the wire it ended: what the peer's TCP acknowledged up to there is acknowledged plain text.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use dtu_proto::event::CloseReason;
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, RootCertStore, SignatureScheme};
use tokio::sync::Semaphore;
use tracing::{debug, warn};

use crate::port::Port;
use crate::settings::Http;

#[expect(clippy::wildcard_enum_match_arm, reason = "the enums of rustls grow")]
mod words;
pub(crate) use words::in_words;

/// Whom to trust, and how to speak: one for all connections. Read when the first of them needs it.
#[derive(Clone, Debug)]
pub(crate) struct Client(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    extra_root: Option<PathBuf>,
    config: OnceLock<Arc<ClientConfig>>,
    /// One reads the roots, however many attempts come and go meanwhile.
    turn: Arc<Semaphore>,
}

impl Default for Client {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Client {
    /// Trusts the system's roots, and those of the file.
    pub(crate) fn new(extra_root: Option<PathBuf>) -> Self {
        Self(Arc::new(Shared {
            extra_root,
            config: OnceLock::new(),
            turn: Arc::new(Semaphore::new(1)),
        }))
    }

    /// Reads the roots where that was not done before: files, so not in the loop.
    pub(crate) async fn prepare(&self) -> io::Result<()> {
        if self.0.config.get().is_some() {
            return Ok(());
        }
        let turn = Arc::clone(&self.0.turn)
            .acquire_owned()
            .await
            .map_err(io::Error::other)?;
        let shared = Arc::clone(&self.0);
        let read = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            shared.config().map(drop)
        });
        read.await.map_err(io::Error::other)?
    }

    /// The handshake with the server `name`, over a connection that stands.
    pub(crate) async fn shake_hands(&self, name: &str, port: &mut Port) -> io::Result<Session> {
        let config = self.0.config()?;
        let mut session = Session::new(&config, name)?;
        poll_fn(|cx| session.poll_handshake(port, cx)).await?;
        Ok(session)
    }
}

impl Shared {
    fn config(&self) -> io::Result<Arc<ClientConfig>> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failure)?
            .with_root_certificates(roots(self.extra_root.as_deref()))
            .with_no_client_auth();
        Ok(Arc::clone(self.config.get_or_init(|| Arc::new(config))))
    }
}

/// The system's roots, and those of the file. One that cannot be used is left out.
fn roots(extra: Option<&Path>) -> RootCertStore {
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        warn!("TLS: root certificates of the system: {error}");
    }
    let mut store = RootCertStore::empty();
    let (_, unusable) = store.add_parsable_certificates(system.certs);
    if unusable > 0 {
        debug!("TLS: {unusable} root certificates of the system cannot be used");
    }
    match extra.map(read_roots) {
        Some(Ok(extra)) => store.roots.extend(extra.roots),
        // It was good at the start.
        Some(Err(why)) => warn!("TLS: extra_root: {why}"),
        None => {}
    }
    if store.is_empty() {
        warn!(
            "TLS: no root certificates: every https server is refused (ca-certificates, or extra_root in [http])"
        );
    }
    store
}

/// Whether the files that the settings name can be used.
pub(crate) fn check(settings: &Http) -> Result<(), String> {
    let read = settings.extra_root.as_deref().map(read_roots).transpose();
    read.map(drop)
}

/// The certificates of a PEM file, every one of them usable as a root.
fn read_roots(path: &Path) -> Result<RootCertStore, String> {
    let shown = path.display();
    let text = std::fs::read(path).map_err(|error| format!("{shown}: {error}"))?;
    let mut store = RootCertStore::empty();
    for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(&text)) {
        let certificate = certificate
            .map_err(|error| format!("{shown}: certificate {number} is no PEM: {error}"))?;
        store
            .add(certificate)
            .map_err(|error| format!("{shown}: certificate {number}: {error}"))?;
    }
    if store.is_empty() {
        return Err(format!(
            "{shown}: no certificate in it; a PEM file has -----BEGIN CERTIFICATE-----"
        ));
    }
    Ok(store)
}

/// One TLS session.
#[derive(Debug)]
pub(crate) struct Session {
    tls: ClientConnection,
    /// The peer said that it sends no more.
    over: bool,
    /// What went wrong. Plain text that came before it is read first.
    failed: Option<rustls::Error>,
    /// Bytes written on the wire.
    wire: u64,
    /// Plain bytes that were taken and whose records are not all out.
    in_hand: Option<usize>,
    /// Plain bytes whose records are out.
    plain: u64,
    /// (byte of the wire, plain bytes that are whole before it), of what is not acknowledged. The kernel's buffer
    /// bounds it: no mark is nearer to its neighbour than the overhead of a record.
    marks: VecDeque<(u64, u64)>,
    acked: u64,
    /// The peer asked for a certificate of this device.
    asked: Arc<CertificateRequest>,
    /// Plain bytes of the peer have come.
    heard: bool,
}

/// This device has no certificate. What a peer that wants one says of that is often lost with the connection, so it is
/// noted that it asked.
#[derive(Debug, Default)]
struct CertificateRequest(AtomicBool);

impl ResolvesClientCert for CertificateRequest {
    fn resolve(&self, _roots: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        // Else nobody asks it.
        true
    }
}

impl Session {
    fn new(config: &ClientConfig, name: &str) -> io::Result<Self> {
        let asked = Arc::new(CertificateRequest::default());
        let mut config = config.clone();
        config.client_auth_cert_resolver = Arc::clone(&asked) as _;
        let tls = ClientConnection::new(Arc::new(config), server_name(name)?).map_err(failure)?;
        Ok(Self {
            tls,
            over: false,
            failed: None,
            wire: 0,
            in_hand: None,
            plain: 0,
            marks: VecDeque::new(),
            acked: 0,
            asked,
            heard: false,
        })
    }

    fn poll_handshake(&mut self, port: &mut Port, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = ready!(self.poll_shake(port, cx));
        Poll::Ready(done.map_err(|error| self.explain(error)))
    }

    fn poll_shake(&mut self, port: &mut Port, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            // The peer was told why, if it still listened.
            if let Some(error) = self.failed.take() {
                return Poll::Ready(Err(failure(error)));
            }
            ready!(self.poll_flush(port, cx))?;
            if !self.tls.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            if ready!(self.poll_fill(port, cx))? == 0 {
                let text = "the peer ended the connection during the handshake";
                return Poll::Ready(Err(failure(rustls::Error::General(text.to_owned()))));
            }
        }
    }

    /// Plain bytes. `Ok(0)` is the end as the peer announced it; an end that it did not is an error, for what came
    /// may have been cut.
    pub(crate) fn poll_read(
        &mut self,
        port: &mut Port,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let done = ready!(self.poll_plain(port, cx, buf));
        self.heard |= done.as_ref().is_ok_and(|count| *count > 0);
        Poll::Ready(done.map_err(|error| self.explain(error)))
    }

    /// A peer that asked for a certificate and ends the connection before it has said anything does so for want of one.
    fn explain(&self, error: io::Error) -> io::Error {
        let asked = self.asked.0.load(Ordering::Relaxed);
        if !asked || self.heard || error.kind() == ErrorKind::WouldBlock {
            return error;
        }
        failure(rustls::Error::General(with_its_wish(&in_words(&error))))
    }

    fn poll_plain(
        &mut self,
        port: &mut Port,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        for _ in 0..FILLS {
            match self.tls.reader().read(buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
            if let Some(error) = &self.failed {
                return Poll::Ready(Err(failure(error.clone())));
            }
            ready!(self.poll_fill(port, cx))?;
        }
        // Records without data must not keep others waiting.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Takes plain bytes and says how many, once all records around them are written. Must be called with the same
    /// bytes until then.
    pub(crate) fn poll_write(
        &mut self,
        port: &mut Port,
        cx: &mut Context<'_>,
        first: &[u8],
        second: &[u8],
    ) -> Poll<io::Result<usize>> {
        // What was written here before (an answer to the peer's key) is no part of the bytes, but goes first.
        ready!(self.poll_flush(port, cx))?;
        if self.in_hand.is_none() {
            let first = first.get(..PIECE).unwrap_or(first);
            let second = second.get(..PIECE - first.len()).unwrap_or(second);
            let taken = self
                .tls
                .writer()
                .write_vectored(&[IoSlice::new(first), IoSlice::new(second)])?;
            self.in_hand = Some(taken);
            ready!(self.poll_flush(port, cx))?;
        }
        let taken = self.in_hand.take().unwrap_or(0);
        self.plain += taken as u64;
        self.marks.push_back((self.wire, self.plain));
        Poll::Ready(Ok(taken))
    }

    /// Tells the peer that nothing more comes, if there is room for it now.
    pub(crate) fn close_notify(&mut self, port: &mut Port, cx: &mut Context<'_>) {
        // Behind a piece that is not out it would say that the piece is whole.
        if self.in_hand.is_none() {
            self.tls.send_close_notify();
            let _ = self.poll_flush(port, cx);
        }
    }

    /// Whether the peer said that it sends no more.
    pub(crate) const fn is_over(&self) -> bool {
        self.over
    }

    /// Bytes written on the wire.
    pub(crate) const fn wire(&self) -> u64 {
        self.wire
    }

    /// Plain bytes that are acknowledged when so many of the wire's are.
    pub(crate) fn acknowledged(&mut self, wire: u64) -> u64 {
        while let Some((_, plain)) = self.marks.front().filter(|(end, _)| *end <= wire) {
            self.acked = *plain;
            self.marks.pop_front();
        }
        self.acked
    }

    fn poll_fill(&mut self, port: &mut Port, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let count = match self.tls.read_tls(&mut Wire { port, cx }) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Poll::Pending,
            done => done?,
        };
        match self.tls.process_new_packets() {
            Ok(state) => self.over |= state.peer_has_closed(),
            Err(error) => self.failed = Some(error),
        }
        // Alerts and answers to a new key. Without room they go when there is; an error shows at the next read.
        let _ = self.poll_flush(port, cx);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(&mut self, port: &mut Port, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut Wire { port, cx }) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Poll::Pending,
                done => self.wire += done? as u64,
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// The port as rustls wants it: `WouldBlock` where it is not ready, and the task is woken when it is.
struct Wire<'a, 'b> {
    port: &'a mut Port,
    cx: &'a mut Context<'b>,
}

impl Read for Wire<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        or_would_block(self.port.poll_read(self.cx, buf))
    }
}

impl Write for Wire<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        or_would_block(self.port.poll_write(self.cx, bytes, &[]))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn or_would_block(done: Poll<io::Result<usize>>) -> io::Result<usize> {
    match done {
        Poll::Ready(done) => done,
        Poll::Pending => Err(ErrorKind::WouldBlock.into()),
    }
}

/// What the certificate must be for. An IPv6 address may have its brackets.
fn server_name(name: &str) -> io::Result<ServerName<'static>> {
    let bare = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(name);
    let bare = bare.strip_suffix('.').unwrap_or(bare);
    ServerName::try_from(bare.to_owned()).map_err(|_| {
        let text = format!("there is no certificate for a name such as \"{name}\"");
        failure(rustls::Error::General(text))
    })
}

fn failure(error: rustls::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

/// What an error means for a link, where it is one of TLS.
pub(crate) fn reason(error: &io::Error) -> Option<CloseReason> {
    if error.kind() == ErrorKind::UnexpectedEof {
        return Some(CloseReason::Reset);
    }
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let certificate = matches!(
        error,
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented
    );
    Some(if certificate {
        CloseReason::Certificate
    } else {
        CloseReason::Tls
    })
}

/// What was said of a server that ended the connection after it had asked, and that it asked: once.
fn with_its_wish(said: &str) -> String {
    // An alert may have told it, or left it open.
    let said = said
        .split(" (it may want a certificate")
        .next()
        .unwrap_or(said);
    if said.contains(NO_CERTIFICATE) {
        return said.to_owned();
    }
    format!("{said}; the server asked for {NO_CERTIFICATE}")
}

const NO_CERTIFICATE: &str = "a certificate of this device, which has none";

/// The most plain bytes of one record.
const PIECE: usize = 16 * 1024;
/// Reads of the socket in a row that bring no plain text.
const FILLS: usize = 16;

#[cfg(test)]
mod tests;
