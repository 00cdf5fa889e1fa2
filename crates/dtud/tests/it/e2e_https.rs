//! The HTTPD client mode with TLS, and with answers that are much larger than any memory of the device.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::common;

use common::authority::Authority;
use common::daemon::Setup;
use common::http::{Client, HttpServer, chunked};
use common::httpd::Bench;
use common::line::Line;
use common::random::Random;
use common::{SOON, eventually};

/// A device that trusts the authority.
fn trusting(authority: &Authority, server: &HttpServer) -> Bench {
    Bench::set_up(server, |setup, folder| trust(setup, authority, folder))
}

fn trust(setup: Setup, authority: &Authority, folder: &std::path::Path) -> Setup {
    authority.root(folder);
    setup.settings("[http]\nextra_root = \"root.pem\"")
}

#[test]
fn an_https_server_with_a_good_certificate_is_asked() {
    let authority = Authority::new();
    let server = HttpServer::with_tls(authority.server(&["127.0.0.1"]));
    let bench = trusting(&authority, &server);
    bench.line.send(b"data=12345");
    let mut client = server.accept();
    let request = client.request();
    assert_eq!(request.line, "GET /1.php?data=12345 HTTP/1.1");
    assert_eq!(
        request.value("Host"),
        Some(format!("127.0.0.1:{}", server.port.port()).as_str())
    );
    client.answer_with("[12345]");
    bench.prints("[12345]");
    for size in [1, 5, 1000] {
        bench.asks("again", &mut client);
        let body = chunked(b"0123456789", 3);
        let answer = [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            body.as_slice(),
        ]
        .concat();
        client.answer_in_pieces(&answer, size);
        bench.prints("0123456789");
    }
}

#[test]
fn a_server_whose_certificate_is_not_good_gets_nothing_and_the_frames_wait() {
    let (authority, other) = (Authority::new(), Authority::new());
    let servers = [
        authority.server(&["example.com"]),
        other.server(&["127.0.0.1"]),
    ];
    for (server, why) in servers
        .into_iter()
        .zip(["is for another name: example.com", "of no authority"])
    {
        let server = HttpServer::with_tls(server);
        let bench = trusting(&authority, &server);
        bench.line.send(b"secret");
        for _ in 0..2 {
            assert!(
                server.accept().try_request().is_err(),
                "no request goes to {why}"
            );
        }
        let state = bench.state();
        assert!(state.contains("certificate not accepted"), "{state}");
        // Why is told, and once.
        let messages = bench.daemon.messages();
        assert_eq!(messages.matches(why).count(), 1, "{messages}");
    }
}

#[test]
fn a_root_that_a_reload_brings_lets_the_frames_go() {
    let (authority, wrong) = (Authority::new(), Authority::new());
    let server = HttpServer::with_tls(authority.server(&["127.0.0.1"]));
    let bench = trusting(&wrong, &server);
    bench.line.send(b"patient");
    assert!(server.accept().try_request().is_err());
    authority.root(bench.folder.path());
    bench.daemon.reload();
    // An attempt of before may come first.
    let mut client = eventually("a request", SOON, || {
        let mut client = server.accept();
        client.try_request().ok().map(|request| {
            assert_eq!(request.line, "GET /1.php?patient HTTP/1.1");
            client
        })
    });
    client.answer_with("[patient]");
    bench.prints("[patient]");
}

#[test]
fn a_body_that_ends_with_its_connection_is_whole_only_if_tls_says_so() {
    let authority = Authority::new();
    let server = HttpServer::with_tls(authority.server(&["127.0.0.1"]));
    let bench = trusting(&authority, &server);
    let mut client = bench.asks_anew("whole", &server);
    client.answer("HTTP/1.1 200 OK\r\n\r\nwhole").close();
    bench.prints("whole");
    let state = bench.state();
    assert!(!state.contains("reset"), "{state}");
    let mut client = bench.asks_anew("cut", &server);
    client.answer("HTTP/1.1 200 OK\r\n\r\nhal").cut();
    bench.prints("hal");
    eventually("the cut is known", SOON, || {
        bench.state().contains("reset").then_some(())
    });
}

#[test]
fn a_server_that_does_not_speak_tls_is_told_from_one_with_a_bad_certificate() {
    let authority = Authority::new();
    let mut server = HttpServer::start();
    let bench = Bench::set_up(&server, |setup, folder| {
        let https = format!("HTPSV=https://127.0.0.1,{}", server.port.port());
        trust(setup, &authority, folder).at(&https)
    });
    bench.line.send(b"q");
    let mut client = server.accept();
    server.port.refuse();
    client.swallow();
    client.answer("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    bench.daemon.says("the server does not speak TLS");
}

/// `DTU_E2E_MIB`, as for the links.
fn size() -> usize {
    let mib: usize = std::env::var("DTU_E2E_MIB")
        .map_or(64, |text| text.parse().expect("DTU_E2E_MIB is a number"));
    mib * 1024 * 1024
}

/// Random bytes, by `write`; the sum of them.
fn send_much(client: &mut Client, total: usize, write: impl Fn(&mut Client, &[u8])) -> Vec<u8> {
    let (mut random, mut sum, mut block) = (Random::new(3), Sha256::new(), vec![0; 64 * 1024]);
    for _ in 0..total / block.len() {
        random.fill(&mut block);
        sum.update(&block);
        write(client, &block);
    }
    sum.finalize().to_vec()
}

/// The sum of so many bytes of the line.
fn receive_much(line: &Line, total: usize) -> Vec<u8> {
    let (mut sum, deadline) = (Sha256::new(), common::within(Duration::from_secs(170)));
    let nothing = |_: &mut [u8]| 0;
    common::pump::exchange(
        line,
        nothing,
        total as u64,
        |bytes| sum.update(bytes),
        deadline,
    )
    .expect("the body");
    sum.finalize().to_vec()
}

/// A huge answer, its blocks written by `write` while the line is read: all of it comes, and memory stays.
fn huge(
    bench: &Bench,
    client: &mut Client,
    total: usize,
    head: &str,
    write: impl Fn(&mut Client, &[u8]) + Send,
) {
    client.answer(head);
    let early = bench.daemon.rss_anon_kib();
    let (sent, received) = std::thread::scope(|scope| {
        let sent = scope.spawn(|| send_much(client, total, write));
        let received = receive_much(&bench.line, total);
        (sent.join().expect("the server"), received)
    });
    let late = bench.daemon.rss_anon_kib();
    assert_eq!(sent, received);
    assert!(
        late <= early + 2048,
        "its own memory went from {early} to {late} KiB"
    );
}

#[test]
fn a_huge_chunked_answer_is_whole_and_memory_stays() {
    let server = HttpServer::start();
    let bench = Bench::new(&server);
    let mut client = bench.asks_anew("q", &server);
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    huge(&bench, &mut client, size(), head, |client, block| {
        let mut chunks = chunked(block, 5000);
        chunks.truncate(chunks.len() - "0\r\n\r\n".len());
        client.answer(chunks);
    });
    client.answer("0\r\n\r\n");
    bench.asks("next", &mut client);
}

#[test]
fn a_huge_answer_over_tls_is_whole_and_memory_stays() {
    let authority = Authority::new();
    let server = HttpServer::with_tls(authority.server(&["127.0.0.1"]));
    let bench = trusting(&authority, &server);
    let mut client = bench.asks_anew("q", &server);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", size());
    huge(&bench, &mut client, size(), &head, |client, block| {
        client.answer(block);
    });
    bench.asks("next", &mut client);
}

#[test]
fn a_dte_that_does_not_read_holds_the_server_up_and_loses_nothing() {
    const TOTAL: usize = 4 * 1024 * 1024;
    let authority = Authority::new();
    let server = HttpServer::with_tls(authority.server(&["127.0.0.1"]));
    // Far less than the DTE lets it wait.
    let bench = Bench::set_up(&server, |setup, folder| {
        trust(setup, &authority, folder).at("HTPTO=1")
    });
    let mut client = bench.asks_anew("q", &server);
    client.answer(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {TOTAL}\r\n\r\n"
    ));
    let (sent, received) = std::thread::scope(|scope| {
        let sent = scope.spawn(|| {
            send_much(&mut client, TOTAL, |client, block| {
                client.answer(block);
            })
        });
        std::thread::sleep(Duration::from_secs(3));
        assert!(
            !sent.is_finished(),
            "4 MiB do not fit between the server and a DTE that does not read"
        );
        (
            receive_much(&bench.line, TOTAL),
            sent.join().expect("the server"),
        )
    });
    assert_eq!(sent, received);
    bench.asks("next", &mut client);
}
