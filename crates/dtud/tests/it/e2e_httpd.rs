//! The HTTPD client mode (manual 2.1.3) on a real line, against a server that answers as the test says.

use std::time::Duration;

use crate::common;

use common::daemon::Setup;
use common::http::HttpServer;
use common::httpd::{self, Bench};
use common::usage::Usage;
use common::{SOON, eventually};

#[test]
fn manual_2_1_3_a_frame_is_asked_for_and_the_answer_is_printed() {
    let server = HttpServer::start();
    let bench = Bench::new(&server);
    bench.line.send(b"data=12345");
    let mut client = server.accept();
    let request = client.request();
    assert_eq!(request.line, "GET /1.php?data=12345 HTTP/1.1");
    assert_eq!(
        request.head[0], "Accept:text/html",
        "to the byte as it was typed"
    );
    assert_eq!(
        request.value("Host"),
        Some(format!("127.0.0.1:{}", server.port.port()).as_str())
    );
    assert_eq!(request.value("Connection"), Some("keep-alive"));
    client.answer_with("[12345]");
    bench.prints("[12345]");
    // The connection goes on, and line ends behind a frame are no part of it.
    bench.line.send(b"data=6\r\n");
    assert_eq!(client.request().line, "GET /1.php?data=6 HTTP/1.1");
    client.answer_with("[6]");
    bench.prints("[6]");
}

#[test]
fn manual_2_1_3_with_post_the_frame_is_the_body_to_the_byte() {
    let server = HttpServer::start();
    let bench = Bench::set_up(&server, |setup, _| setup.at("HTPTP=POST"));
    let injected = b"a\r\n\r\nGET / HTTP/1.1\r\n\r\n".to_vec();
    let mut client = None;
    for frame in [(0..=255).collect::<Vec<u8>>(), injected, vec![0; 1024]] {
        bench.line.send(&frame);
        let client = client.get_or_insert_with(|| server.accept());
        let request = client.request();
        assert_eq!(request.line, "POST /1.php? HTTP/1.1");
        assert_eq!(
            request.body.escape_ascii().to_string(),
            frame.escape_ascii().to_string()
        );
        client.answer_with(&frame);
        bench.prints(&frame);
    }
}

#[test]
fn what_may_not_stand_in_a_request_is_escaped() {
    let server = HttpServer::start();
    let bench = Bench::new(&server);
    bench.line.send(b"a b#\xff HTTP/1.1\r\nX: y\r\n\r\nq");
    let mut client = server.accept();
    let request = client.request();
    let target = "/1.php?a%20b%23%FF%20HTTP/1.1%0D%0AX:%20y%0D%0A%0D%0Aq";
    assert_eq!(request.line, format!("GET {target} HTTP/1.1"));
    assert_eq!(request.value("X"), None);
    client.answer_with("ok");
    bench.prints("ok");
}

/// What the server sends, and what the DTE gets. The connection goes on behind each.
const KEPT: &[(&str, &str)] = &[
    ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc"),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"y\"\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n",
        "abc0123456789",
    ),
    (
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length:1\r\n\r\nx",
        "x",
    ),
    (
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny",
        "y",
    ),
    ("HTTP/1.1 204 No Content\r\n\r\n", ""),
    (
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n",
        "",
    ),
    (
        "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 5\r\n\r\nmoved",
        "moved",
    ),
    (
        "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone",
        "none",
    ),
    ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
];

#[test]
fn every_way_to_end_an_answer_is_understood_however_it_is_cut() {
    let server = HttpServer::start();
    let bench = Bench::new(&server);
    let mut client = bench.asks_anew("first", &server);
    client.answer_with("1");
    bench.prints("1");
    for (answer, body) in KEPT {
        for size in [1, 7, answer.len()] {
            bench.asks("q", &mut client);
            client.answer_in_pieces(answer.as_bytes(), size);
            bench.prints(body);
        }
    }
    // Nothing but the bodies was printed: this is next.
    bench.asks("last", &mut client);
    client.answer_with("[last]");
    bench.prints("[last]");
}

/// As [`KEPT`]; these end with the connection.
const LAST: &[(&str, &str)] = &[
    ("HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end"),
    ("HTTP/1.0 200 OK\r\n\r\nof old", "of old"),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlast",
        "last",
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n4\r\nlast\r\n0\r\n\r\n",
        "last",
    ),
];

#[test]
fn an_answer_may_end_with_its_connection_and_the_next_request_takes_another() {
    let server = HttpServer::start();
    let bench = Bench::new(&server);
    for (answer, body) in LAST {
        for size in [1, answer.len()] {
            let mut client = bench.asks_anew("q", &server);
            client.answer_in_pieces(answer.as_bytes(), size).close();
            bench.prints(body);
        }
    }
}

#[test]
fn without_the_filter_the_head_is_printed_too() {
    let server = HttpServer::start();
    let bench = Bench::set_up(&server, |setup, _| setup.at("HTPFLT=OFF"));
    let mut client = bench.asks_anew("q", &server);
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: y\r\n\r\nabc";
    client.answer(answer);
    bench.prints(answer);
}

#[test]
fn a_silent_server_prints_nothing_and_the_next_frame_has_its_turn() {
    let server = HttpServer::start();
    let bench = Bench::set_up(&server, |setup, _| setup.at("HTPTO=1"));
    bench.asks_anew("lost", &server).wait_for_the_end();
    let state = bench.state();
    assert!(
        state.starts_with("+CINET:0,WAITING,") || state.starts_with("+CINET:0,OFF,"),
        "{state}"
    );
    // One that was sent is not sent again.
    let mut client = bench.asks_anew("next", &server);
    client.answer_with("[next]");
    bench.prints("[next]");
}

#[test]
fn a_slow_server_is_waited_for_as_long_as_it_says_something() {
    let server = HttpServer::start();
    let bench = Bench::set_up(&server, |setup, _| setup.at("HTPTO=1"));
    let mut client = bench.asks_anew("q", &server);
    client.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    for byte in b"abcde" {
        std::thread::sleep(Duration::from_millis(400));
        client.answer([*byte]);
        bench.prints([*byte]);
    }
}

#[test]
fn an_answer_that_breaks_off_ends_its_request_only() {
    let server = HttpServer::start();
    let bench = Bench::new(&server);
    let broken = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "half"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            "half",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Le", ""),
        ("220 mail.example.com ESMTP\r\n\r\n", ""),
    ];
    for (answer, printed) in broken {
        let mut client = bench.asks_anew("q", &server);
        client.answer(answer).close();
        bench.prints(printed);
    }
    let mut client = bench.asks_anew("reset", &server);
    client.answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    bench.prints("half");
    client.reset();
    let mut client = bench.asks_anew("next", &server);
    client.answer_with("[next]");
    bench.prints("[next]");
}

/// Frames are told apart by silence, if the machine lets the device run within it.
fn send_frames(bench: &Bench, count: u32) {
    for number in 0..count {
        bench.line.send(format!("n={number:02}").as_bytes());
        std::thread::sleep(Duration::from_millis(60));
    }
}

#[test]
fn frames_wait_for_a_server_that_refuses_and_go_out_in_order_each_once() {
    let mut server = HttpServer::refusing();
    let bench = Bench::new(&server);
    send_frames(&bench, 20);
    let state = bench.state();
    assert!(state.contains("refused"), "{state}");
    server.port.listen();
    let mut client = server.accept();
    for number in 0..20 {
        assert_eq!(
            client.request().line,
            format!("GET /1.php?n={number:02} HTTP/1.1")
        );
        client.answer_with(format!("<{number:02}>"));
        bench.prints(format!("<{number:02}>"));
    }
    bench.asks("next", &mut client);
}

#[test]
fn a_connection_that_the_server_closed_while_it_was_idle_costs_no_request() {
    let server = HttpServer::start();
    let bench = Bench::new(&server);
    for round in 0..20 {
        let mut client = bench.asks_anew(&format!("{round}"), &server);
        client.answer_with(format!("<{round}>"));
        bench.prints(format!("<{round}>"));
        // The next frame may be there before the device has seen this end.
        client.close();
    }
    assert!(server.stays_alone(Duration::from_millis(200)));
}

#[test]
fn an_idle_connection_that_is_kept_wakes_nobody() {
    let server = HttpServer::start();
    let bench = Bench::new(&server);
    let mut client = bench.asks_anew("q", &server);
    client.answer_with("a");
    bench.prints("a");
    let usage = || Usage::of(bench.daemon.pid()).expect("the daemon is alive");
    eventually("a second without a wake-up", SOON, || {
        let before = usage();
        std::thread::sleep(Duration::from_secs(1));
        (usage().since(before).wake_ups == 0).then_some(())
    });
    bench.asks("still-kept", &mut client);
}

#[test]
fn an_answer_waits_while_the_line_is_in_the_command_state() {
    let server = HttpServer::start();
    let bench = Bench::new(&server);
    let mut client = bench.asks_anew("q", &server);
    bench.line.escape();
    client.answer_with("[answer]");
    assert_eq!(
        bench.line.command("AT+CIMOD?"),
        "\r\n+CIMOD: 3\r\n\r\nOK\r\n"
    );
    assert_eq!(bench.line.command("AT+ENTM"), "\r\nOK\r\n");
    bench.prints("[answer]");
}

#[test]
fn frames_on_the_disk_survive_kill_9() {
    let mut server = HttpServer::refusing();
    let bench = Bench::set_up(&server, |setup, _| setup.settings("spool = \"disk\""));
    send_frames(&bench, 5);
    let state = httpd::setup(bench.folder.path(), &server).settings("spool = \"disk\"");
    eventually("all frames on disk", SOON, || {
        common::files_below(&state.state())
            .iter()
            .any(|bytes| bytes.windows(4).any(|part| part == b"n=04"))
            .then_some(())
    });
    let Bench {
        folder: _folder,
        daemon,
        ..
    } = bench;
    daemon.kill();
    server.port.listen();
    let daemon = state.start();
    let line = daemon.line();
    let mut client = server.accept();
    for number in 0..5 {
        assert_eq!(
            client.request().line,
            format!("GET /1.php?n={number:02} HTTP/1.1")
        );
        client.answer_with(format!("{number}"));
    }
    assert_eq!(line.receive(5, SOON), b"01234");
    // What was answered is done with: another kill does not bring it back.
    daemon.kill();
    let daemon = state.start();
    daemon.line().send(b"only-this");
    assert_eq!(
        server.accept().request().line,
        "GET /1.php?only-this HTTP/1.1"
    );
}

#[test]
fn a_request_that_was_sent_is_not_sent_again_after_kill_9() {
    let server = HttpServer::start();
    let disk = |setup: Setup| setup.settings("spool = \"disk\"");
    let bench = Bench::set_up(&server, |setup, _| disk(setup));
    let _client = bench.asks_anew("sent", &server);
    // The device has been round its loop since.
    bench.state();
    bench.line.send(b"not-sent");
    let setup = disk(httpd::setup(bench.folder.path(), &server));
    eventually("the second frame is on the disk", SOON, || {
        let files = common::files_below(&setup.state());
        files
            .iter()
            .any(|bytes| bytes.windows(8).any(|part| part == b"not-sent"))
            .then_some(())
    });
    let Bench {
        folder: _folder,
        daemon,
        ..
    } = bench;
    daemon.kill();
    let _daemon = setup.start();
    assert_eq!(
        server.accept().request().line,
        "GET /1.php?not-sent HTTP/1.1"
    );
}
