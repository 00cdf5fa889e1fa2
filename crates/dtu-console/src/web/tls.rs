//! TLS: certificate and key from files, read again on request.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsAcceptor;

use super::app::lock;
use super::{Config, TlsFiles, selfmade};

/// What connections are made with.
pub(crate) struct Tls {
    files: TlsFiles,
    is_self_made: bool,
    current: Mutex<Current>,
    /// How often the files are still to be read: one who asks while they are read has newer ones.
    asked: AtomicUsize,
}

struct Current {
    server: Arc<ServerConfig>,
    fingerprint: String,
}

impl Tls {
    /// As it is configured, if it is.
    pub(crate) fn open(config: &Config, names: &[String]) -> io::Result<Option<Self>> {
        if config.self_made()
            && let Some(state) = &config.state
        {
            selfmade::ensure(state, names, config.listen.ip())
                .map_err(|error| bad(&selfmade::path(state), &error))?;
        }
        let Some(files) = files(config) else {
            return Ok(None);
        };
        let current = load(&files)?;
        Ok(Some(Self {
            files,
            is_self_made: config.self_made(),
            current: Mutex::new(current),
            asked: AtomicUsize::new(0),
        }))
    }

    /// Of a certificate that vouches for itself.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        self.is_self_made
            .then(|| lock(&self.current).fingerprint.clone())
    }

    /// Asks for the files to be read again; false: somebody is at it, and looks once more.
    pub(crate) fn reads_again(&self) -> bool {
        self.asked.fetch_add(1, Ordering::AcqRel) == 0
    }

    pub(crate) fn reads_no_more(&self) {
        self.asked.store(0, Ordering::Release);
    }

    /// For connections that come from now on; as often as it is asked for meanwhile.
    pub(crate) fn reload(&self, told: &dyn Fn(io::Result<()>, Option<String>)) {
        let mut seen = self.asked.load(Ordering::Acquire);
        loop {
            let read = load(&self.files).map(|new| *lock(&self.current) = new);
            told(read, self.fingerprint());
            let left = self.asked.fetch_sub(seen, Ordering::AcqRel) - seen;
            if left == 0 {
                return;
            }
            seen = left;
        }
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&lock(&self.current).server))
    }
}

/// Whether what is there can be used.
pub(super) fn check(config: &Config) -> Result<(), String> {
    if config.self_made() {
        let Some(state) = &config.state else {
            return Err(
                "a self-made certificate of the console needs a state directory".to_owned(),
            );
        };
        if !selfmade::path(state).exists() {
            return Ok(());
        }
    }
    files(config).map_or(Ok(()), |files| {
        load(&files).map(|_| ()).map_err(|error| error.to_string())
    })
}

fn files(config: &Config) -> Option<TlsFiles> {
    if let Some(files) = &config.tls {
        return Some(files.clone());
    }
    let own = selfmade::path(config.state.as_deref().filter(|_| config.self_made())?);
    Some(TlsFiles {
        certificate: own.clone(),
        key: own,
    })
}

/// As browsers show it.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let mut text = String::new();
    for (at, byte) in Sha256::digest(certificate).iter().enumerate() {
        let colon = if at == 0 { "" } else { ":" };
        let _ = write!(text, "{colon}{byte:02X}");
    }
    text
}

fn load(files: &TlsFiles) -> io::Result<Current> {
    let certificate = files.certificate.as_path();
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| bad(certificate, &error))?;
    let Some(fingerprint) = chain.first().map(fingerprint) else {
        return Err(bad(certificate, &"no certificate in it (PEM)"));
    };
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| bad(&files.key, &error))?;
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|it| it.with_no_client_auth().with_single_cert(chain, key))
        .map(|server| Current {
            server: server.into(),
            fingerprint,
        })
        .map_err(|error| bad(&files.key, &error))
}

fn bad(path: &Path, error: &dyn std::fmt::Display) -> io::Error {
    let text = format!("the console's TLS: {}: {error}", path.display());
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
