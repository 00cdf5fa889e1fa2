//! A certificate authority of the test's own, and servers with its certificates.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

/// One that nobody trusts by itself.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
        // Two authorities of one name would be told apart by their keys only.
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("authority {}", NUMBER.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// Writes its certificate into the folder.
    pub(crate) fn root(&self, folder: &Path) -> PathBuf {
        let path = folder.join("root.pem");
        std::fs::write(&path, &self.pem).expect("write the root certificate");
        path
    }

    /// A server for these names or addresses.
    pub(crate) fn server(&self, names: &[&str]) -> Arc<ServerConfig> {
        self.serve(Self::params(names))
    }

    /// The same, for clients that show a certificate of this authority.
    pub(crate) fn choosy_server(
        &self,
        names: &[&str],
        version: &'static SupportedProtocolVersion,
    ) -> Arc<ServerConfig> {
        let key = KeyPair::generate().expect("a key");
        let certificate = Self::params(names)
            .signed_by(&key, &self.issuer)
            .expect("a certificate");
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(self.pem.as_bytes()).expect("its certificate");
        roots.add(root).expect("a good root");
        let provider = Arc::new(ring::default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .expect("a verifier");
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .expect("a version")
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate.into()], key.into());
        Arc::new(config.expect("key and certificate fit"))
    }

    /// The same, with a certificate of last century.
    pub(crate) fn expired_server(&self, names: &[&str]) -> Arc<ServerConfig> {
        let mut params = Self::params(names);
        params.not_after = date_time_ymd(1999, 12, 31);
        self.serve(params)
    }

    fn params(names: &[&str]) -> CertificateParams {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        CertificateParams::new(names).expect("the names are good")
    }

    fn serve(&self, params: CertificateParams) -> Arc<ServerConfig> {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        server(certificate.into(), &key)
    }
}

/// A server with a certificate that it signed itself, and that certificate in a file of the folder.
pub(crate) fn self_signed_server(names: &[&str], folder: &Path) -> (Arc<ServerConfig>, PathBuf) {
    let key = KeyPair::generate().expect("a key");
    let certificate = Authority::params(names)
        .self_signed(&key)
        .expect("a certificate");
    let path = folder.join("server.pem");
    std::fs::write(&path, certificate.pem()).expect("write the certificate");
    (server(certificate.into(), &key), path)
}

/// An authority that shows its own certificate, and that certificate in a file of the folder.
#[allow(dead_code, reason = "not every test that has this module needs it")]
pub(crate) fn authority_as_server(names: &[&str], folder: &Path) -> (Arc<ServerConfig>, PathBuf) {
    let key = KeyPair::generate().expect("a key");
    let mut params = Authority::params(names);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).expect("a certificate");
    let path = folder.join("authority.pem");
    std::fs::write(&path, certificate.pem()).expect("write the certificate");
    (server(certificate.into(), &key), path)
}

fn server(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the default versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into());
    Arc::new(config.expect("key and certificate fit"))
}
