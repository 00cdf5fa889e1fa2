//! TLS: certificate and key from files, read again on request.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::TlsFiles;
use super::app::lock;

/// What connections are made with.
pub(crate) struct Tls {
    files: TlsFiles,
    current: Mutex<Arc<ServerConfig>>,
}

impl Tls {
    pub(crate) fn open(files: TlsFiles) -> io::Result<Self> {
        let current = Mutex::new(Arc::new(load(&files)?));
        Ok(Self { files, current })
    }

    /// For connections that come from now on.
    pub(crate) fn reload(&self) -> io::Result<()> {
        let new = Arc::new(load(&self.files)?);
        *lock(&self.current) = new;
        Ok(())
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&lock(&self.current)))
    }
}

fn load(files: &TlsFiles) -> io::Result<ServerConfig> {
    let certificate = files.certificate.as_path();
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| bad(certificate, &error))?;
    if chain.is_empty() {
        return Err(bad(certificate, &"no certificate in it (PEM)"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| bad(&files.key, &error))?;
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|it| it.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| bad(&files.key, &error))
}

fn bad(path: &Path, error: &dyn std::fmt::Display) -> io::Error {
    let text = format!("the console's TLS: {}: {error}", path.display());
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
