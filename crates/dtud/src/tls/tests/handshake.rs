//! Certificates, roots, and what fails before a byte is sent.

use super::*;

#[tokio::test]
async fn a_certificate_for_another_name_of_an_unknown_root_or_of_last_century_is_refused() {
    let (ours, other) = (Authority::new(), Authority::new());
    let servers = [
        ours.server(&["example.com"]),
        other.server(&["127.0.0.1"]),
        ours.expired_server(&["127.0.0.1"]),
    ];
    for server in servers {
        let (port, served) = serve(server, |mut stream| {
            stream.read(&mut [0]).unwrap_err().to_string()
        });
        let mut bench = Bench::new(&ours);
        assert_eq!(
            bench.connect("127.0.0.1", port).await,
            closed(CloseReason::Certificate, 0)
        );
        // The server is told so.
        let said = served.join().unwrap();
        assert!(said.contains("received fatal alert"), "{said}");
    }
}

#[tokio::test]
async fn a_certificate_may_be_for_a_name() {
    let authority = Authority::new();
    let (port, _served) = serve(authority.server(&["localhost"]), |mut stream| {
        stream.read(&mut [0]).ok()
    });
    let mut bench = Bench::new(&authority);
    assert!(matches!(
        bench.connect("localhost", port).await,
        SocketEvent::Connected { .. }
    ));
}

#[tokio::test]
async fn a_certificate_that_the_server_signed_itself_can_be_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (server, root) = self_signed_server(&["127.0.0.1"], folder.path());
    let (port, _served) = serve(server, |mut stream| stream.read(&mut [0]).ok());
    let mut bench = Bench::trusting(root);
    assert!(matches!(
        bench.connect("127.0.0.1", port).await,
        SocketEvent::Connected { .. }
    ));
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_or_hangs_up_is_told_from_one_with_a_bad_certificate() {
    for words in ["HTTP/1.1 400 Bad Request\r\n\r\n", ""] {
        let authority = Authority::new();
        let (port, served) = serve(authority.server(&["127.0.0.1"]), move |mut stream| {
            // All of the hello: a socket that is closed with bytes unread is reset.
            let mut hello = [0; 5];
            stream.sock.read_exact(&mut hello).unwrap();
            let length = usize::from(u16::from_be_bytes([hello[3], hello[4]]));
            stream.sock.read_exact(&mut vec![0; length]).unwrap();
            stream.sock.write_all(words.as_bytes()).unwrap();
        });
        let mut bench = Bench::new(&authority);
        assert_eq!(
            bench.connect("127.0.0.1", port).await,
            closed(CloseReason::Tls, 0),
            "{words:?}"
        );
        served.join().unwrap();
    }
}

/// H4: with TLS 1.3 the connection stands before the server looks for the certificate; a server that has read none of the
/// request resets the connection, and what it said of the reason may be lost.
#[tokio::test]
async fn h4_a_server_that_wants_a_certificate_of_the_device_is_told_as_such() {
    let authority = Authority::new();
    for (version, resets) in [(&TLS12, false), (&TLS13, false), (&TLS13, true)] {
        let (port, served) = serve(
            authority.choosy_server(&["127.0.0.1"], version),
            move |mut stream| {
                if resets {
                    // The hello, all that answers it, and the first byte of what comes next.
                    while !stream.conn.wants_write() {
                        stream.conn.read_tls(&mut stream.sock).unwrap();
                        stream.conn.process_new_packets().unwrap();
                    }
                    while stream.conn.wants_write() {
                        stream.conn.write_tls(&mut stream.sock).unwrap();
                    }
                    stream.sock.read_exact(&mut [0]).unwrap();
                    socket2::SockRef::from(&stream.sock)
                        .set_linger(Some(Duration::ZERO))
                        .unwrap();
                } else {
                    assert!(stream.read(&mut [0]).is_err());
                }
            },
        );
        let mut bench = Bench::new(&authority);
        let mut end = bench.connect("127.0.0.1", port).await;
        if matches!(end, SocketEvent::Connected { .. }) {
            end = bench.read_out().await.1;
        }
        assert!(
            matches!(
                end,
                SocketEvent::Closed {
                    reason: CloseReason::Tls,
                    ..
                }
            ),
            "{end:?}"
        );
        let said = &bench.socket.contact().trouble;
        assert!(
            said.ends_with("a certificate of this device, which has none"),
            "{said}"
        );
        // TLS 1.3 says it by an alert, too.
        assert_eq!(
            said.matches("a certificate of this device").count(),
            1,
            "{said}"
        );
        served.join().unwrap();
    }
}

/// H4: no name of a type reaches a person.
#[tokio::test]
async fn h4_an_authority_that_shows_its_own_certificate_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let (server, root) = authority_as_server(&["127.0.0.1"], folder.path());
    let (port, _served) = serve(server, |mut stream| stream.read(&mut [0]).ok());
    let mut bench = Bench::trusting(root);
    assert_eq!(
        bench.connect("127.0.0.1", port).await,
        closed(CloseReason::Certificate, 0)
    );
    let said = &bench.socket.contact().trouble;
    assert!(
        said.contains("the certificate of an authority as its own (it needs one with CA:FALSE)"),
        "{said}"
    );
}

#[tokio::test]
async fn a_handshake_under_way_is_given_up_by_an_order() {
    let authority = Authority::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut bench = Bench::new(&authority);
    let port = silent.local_addr().unwrap().port();
    let attempt =
        tokio::time::timeout(Duration::from_millis(50), bench.connect("127.0.0.1", port)).await;
    assert!(attempt.is_err(), "{attempt:?}");
    bench.order(SocketOutput::Close).await;
    assert_eq!(bench.news().await.0, closed(CloseReason::Local, 0));
}

#[test]
fn a_file_of_roots_is_judged_with_its_name_and_the_number_of_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let good = Authority::new().root(folder.path());
    assert_eq!(read_roots(&good).map(|roots| roots.len()), Ok(1));
    let text = std::fs::read_to_string(&good).unwrap();
    let path = folder.path().join("bad.pem");
    let said = |text: String| {
        std::fs::write(&path, text).unwrap();
        let said = check(&Http {
            extra_root: Some(path.clone()),
            ..Http::default()
        })
        .unwrap_err();
        let start = format!("{}: ", path.display());
        said.strip_prefix(&start).map(str::to_owned).unwrap_or(said)
    };
    assert!(said(String::new()).starts_with("no certificate in it"));
    assert!(said(text.replace("-----END", "-----EN")).starts_with("certificate 1 is no PEM"));
    let second = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(said(text + second).starts_with("certificate 2: "));
    std::fs::remove_file(&path).unwrap();
    assert!(
        check(&Http {
            extra_root: Some(path),
            ..Http::default()
        })
        .unwrap_err()
        .contains("No such file")
    );
}

#[test]
fn a_name_for_which_there_can_be_no_certificate_is_refused() {
    for good in ["example.com", "example.com.", "10.0.0.1", "[::1]", "::1"] {
        assert!(server_name(good).is_ok(), "{good}");
    }
    let error = server_name("a b").unwrap_err();
    assert_eq!(reason(&error), Some(CloseReason::Tls));
}
