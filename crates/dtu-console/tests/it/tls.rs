//! TLS with own files, which are read again.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use dtu_console::{Config, Console, Handle, TlsFiles};
use dtu_proto::config::Config as DeviceConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};
use sha2::Digest as _;

use crate::client::Reply;
use crate::device::Fake;

/// Writes a new certificate for localhost and its key.
fn make(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

fn get(port: u16, trusted: &CertificateDer<'static>) -> Result<Reply, std::io::Error> {
    ask(port, trusted, "/healthz")
}

fn ask(port: u16, trusted: &CertificateDer<'static>, path: &str) -> Result<Reply, std::io::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut stream = Stream::new(&mut tls, &mut socket);
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    Ok(Reply::parse(&bytes))
}

/// What it tells of the files when it has read them.
fn reload(console: &Handle) -> Result<(), String> {
    let (told, tells) = mpsc::channel();
    console.reload(move |read, _| {
        let _ = told.send(read.map_err(|why| why.to_string()));
    });
    tells.recv_timeout(Duration::from_secs(20)).unwrap()
}

/// A folder may be far away. Who asks for it does not wait, and who asks again meanwhile gets what is there then.
#[test]
fn files_that_do_not_come_keep_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let first = make(folder.path());
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    let config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls: Some(TlsFiles {
            certificate: cert.clone(),
            key,
        }),
        ..Config::default()
    };
    let device = Arc::new(Fake::new(DeviceConfig::default()));
    let console = Console::spawn(config, device, None).unwrap();
    let port = console.address().port();
    let second = make(folder.path());
    let pem = std::fs::read(&cert).unwrap();
    std::fs::remove_file(&cert).unwrap();
    let fifo = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &cert, rustix::fs::FileType::Fifo, fifo, 0).unwrap();
    let (told, tells) = mpsc::channel();
    let ask = || {
        let told = told.clone();
        console.reload(move |read, _| {
            let _ = told.send(read.is_ok());
        });
    };
    ask();
    // That waits until somebody reads.
    let mut late = std::fs::OpenOptions::new().write(true).open(&cert).unwrap();
    ask();
    ask();
    assert_eq!(get(port, &first).unwrap().text(), "ok\n");
    assert_eq!(tells.try_recv(), Err(mpsc::TryRecvError::Empty));
    // It comes at last; what is asked for meanwhile finds the file.
    std::fs::write(folder.path().join("new.pem"), &pem).unwrap();
    std::fs::rename(folder.path().join("new.pem"), &cert).unwrap();
    late.write_all(&pem).unwrap();
    drop(late);
    let soon = Duration::from_secs(20);
    assert_eq!(tells.recv_timeout(soon), Ok(true));
    assert_eq!(
        tells.recv_timeout(soon),
        Ok(true),
        "once more for those two"
    );
    assert_eq!(get(port, &second).unwrap().text(), "ok\n");
    assert_eq!(tells.try_recv(), Err(mpsc::TryRecvError::Empty));
}

#[test]
fn the_console_speaks_tls_and_takes_new_files() {
    let folder = tempfile::tempdir().unwrap();
    let first = make(folder.path());
    let old_key = std::fs::read(folder.path().join("key.pem")).unwrap();
    let config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls: Some(TlsFiles {
            certificate: folder.path().join("cert.pem"),
            key: folder.path().join("key.pem"),
        }),
        ..Config::default()
    };
    let device = Arc::new(Fake::new(DeviceConfig::default()));
    let console = Console::spawn(config.clone(), device.clone(), None).unwrap();
    assert!(console.url().starts_with("https://"), "{}", console.url());
    let port = console.address().port();
    assert_eq!(get(port, &first).unwrap().text(), "ok\n");
    let session = ask(port, &first, "/api/session").unwrap().json();
    assert!(session["fingerprint"].is_null(), "{session}");

    // Plain text is not answered.
    let mut plain = TcpStream::connect(console.address()).unwrap();
    plain
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    assert_eq!(Reply::read(&mut plain).status, 0);

    // What is no certificate changes nothing.
    std::fs::write(folder.path().join("cert.pem"), "nothing").unwrap();
    let error = reload(&console).unwrap_err();
    assert!(error.contains("cert.pem"), "{error}");
    assert_eq!(get(port, &first).unwrap().text(), "ok\n");
    assert!(config.check().unwrap_err().contains("cert.pem"));
    assert!(Console::spawn(config, device, None).is_err());

    // A wrong key neither.
    make(folder.path());
    std::fs::write(folder.path().join("key.pem"), old_key).unwrap();
    let error = reload(&console).unwrap_err();
    assert!(error.contains("key.pem"), "{error}");
    assert_eq!(get(port, &first).unwrap().text(), "ok\n");

    let second = make(folder.path());
    reload(&console).unwrap();
    assert_eq!(get(port, &second).unwrap().text(), "ok\n");
    assert!(get(port, &first).is_err());
}

/// The certificate that stands in front in a file.
fn certificate(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

#[test]
fn a_self_made_certificate_is_kept_and_its_fingerprint_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("console-tls.pem");
    let config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        hosts: vec!["dtu.example.org".to_owned(), "Localhost".to_owned()],
        state: Some(folder.path().to_owned()),
        tls_self: true,
        ..Config::default()
    };
    assert_eq!(config.check(), Ok(()));
    assert!(!file.exists(), "a check makes nothing");
    let device = Arc::new(Fake::new(DeviceConfig::default()));
    let console = Console::spawn(config.clone(), device.clone(), None).unwrap();
    assert!(console.url().starts_with("https://"), "{}", console.url());
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let own = certificate(&file);
    let fingerprint = console.fingerprint().unwrap();
    let told: Vec<u8> = fingerprint
        .split(':')
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect();
    assert_eq!(told, sha2::Sha256::digest(&own).as_slice());
    for name in ["localhost", "dtu.example.org"] {
        let wanted = [&[0x82, name.len() as u8], name.as_bytes()].concat();
        let times = own.windows(wanted.len()).filter(|it| *it == wanted).count();
        assert_eq!(times, 1, "{name}");
    }
    // A client that trusts it checks names and signature.
    assert_eq!(get(console.address().port(), &own).unwrap().text(), "ok\n");
    let session = ask(console.address().port(), &own, "/api/session").unwrap();
    assert_eq!(session.json()["fingerprint"], fingerprint);
    let other = make(folder.path());
    assert!(get(console.address().port(), &other).is_err());
    console.stop();

    let again = Console::spawn(config.clone(), device.clone(), None).unwrap();
    assert_eq!(again.fingerprint().as_ref(), Some(&fingerprint));
    again.stop();

    std::fs::write(&file, "torn").unwrap();
    let why = config.check().unwrap_err();
    assert!(why.contains("console-tls.pem"), "{why}");
    std::fs::remove_file(&file).unwrap();
    let renewed = Console::spawn(config, device, None).unwrap();
    assert_ne!(renewed.fingerprint(), Some(fingerprint));
}
