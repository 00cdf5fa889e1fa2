//! Clients that mean no good, or are broken: everything is bounded, and the console goes on.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use dtu_console::password::{self, Who};
use serde_json::json;

use crate::client::{Reply, Stage};
use crate::live::Events;

fn lives(stage: &Stage) {
    assert_eq!(stage.get("/healthz").text(), "ok\n");
}

#[test]
fn a_body_of_100_mb_is_refused_before_it_is_sent() {
    let stage = Stage::new();
    let (host, csrf) = (stage.address(), stage.csrf());
    let head = |length: &str| {
        format!(
            "POST /api/import HTTP/1.1\r\nHost: {host}\r\nX-CSRF: {csrf}\r\nConnection: close\r\n\
             Content-Type: text/plain\r\n{length}\r\n"
        )
    };
    let reply = stage.send(head("Content-Length: 104857600\r\n").as_bytes());
    reply.refused(413, "long");
    // One that does not say how long it is.
    let mut stream = stage.connect();
    stream
        .write_all(head("Transfer-Encoding: chunked\r\n").as_bytes())
        .unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
    let mut sent = 0;
    while sent < 100 * 1024 * 1024 && stream.write_all(&chunk).is_ok() {
        sent += chunk.len();
    }
    assert!(sent < 20 * 1024 * 1024, "{sent} bytes were taken");
    let reply = Reply::read(&mut stream);
    // Who still sends may lose the answer with the connection.
    assert!(reply.status == 413 || reply.status == 0, "{reply:?}");
    lives(&stage);
}

#[test]
fn a_body_may_have_1_mib_and_no_byte_more() {
    let stage = Stage::new();
    let (host, csrf) = (stage.address(), stage.csrf());
    let import = |length: usize, chunked: bool| {
        let text = "#".repeat(length);
        let (head, body) = if chunked {
            let body = format!("{length:x}\r\n{text}\r\n0\r\n\r\n");
            ("Transfer-Encoding: chunked".to_owned(), body)
        } else {
            (format!("Content-Length: {length}"), text)
        };
        let head = format!(
            "POST /api/import HTTP/1.1\r\nHost: {host}\r\nX-CSRF: {csrf}\r\nConnection: close\r\n\
             Content-Type: text/plain\r\n{head}\r\n\r\n"
        );
        let mut stream = stage.connect();
        stream.write_all(head.as_bytes()).unwrap();
        // Who is refused at once may not get rid of all of it, and may lose the answer with the connection.
        let _ = stream.write_all(body.as_bytes());
        Reply::read(&mut stream)
    };
    for chunked in [false, true] {
        import(1 << 20, chunked).ok();
        let more = import((1 << 20) + 1, chunked);
        assert!(more.status == 413 || more.status == 0, "{more:?}");
    }
    // The answer is there for who waits for it.
    let head = format!(
        "POST /api/import HTTP/1.1\r\nHost: {host}\r\nX-CSRF: {csrf}\r\nConnection: close\r\n\
         Content-Type: text/plain\r\nContent-Length: 1048577\r\n\r\n"
    );
    stage.send(head.as_bytes()).refused(413, "long");
    lives(&stage);
}

#[test]
fn a_head_that_does_not_come_ends_its_connection() {
    let stage = Stage::new();
    let start = Instant::now();
    let mut slow = stage.connect();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
    let mut silent = stage.connect();
    let mut kept = stage.connect();
    kept.write_all(
        format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", stage.address()).as_bytes(),
    )
    .unwrap();
    for stream in [&mut slow, &mut silent, &mut kept] {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
    }
    let took = start.elapsed();
    assert!(
        (Duration::from_secs(5)..Duration::from_secs(20)).contains(&took),
        "{took:?}"
    );
    lives(&stage);
}

#[test]
fn a_head_that_never_ends_is_refused() {
    let stage = Stage::new();
    let mut stream = stage.connect();
    let mut sent = 0;
    let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n");
    let line = format!("X-Long: {}\r\n", "x".repeat(1000));
    while sent < 10_000_000 && stream.write_all(line.as_bytes()).is_ok() {
        sent += line.len();
    }
    assert!(sent < 10_000_000);
    lives(&stage);
}

#[test]
fn connections_are_counted() {
    let stage = Stage::new();
    let idle: Vec<TcpStream> = (0..64).map(|_| stage.connect()).collect();
    let until = Instant::now() + Duration::from_secs(8);
    loop {
        let reply = stage.get("/healthz");
        if reply.status == 503 {
            reply.refused(503, "full");
            break;
        }
        assert!(Instant::now() < until, "{reply:?}");
    }
    drop(idle);
    let until = Instant::now() + Duration::from_secs(8);
    while stage.get("/healthz").status != 200 {
        assert!(Instant::now() < until);
    }
}

#[test]
fn of_a_thousand_streams_64_are_served_and_the_rest_told() {
    let mut stage = Stage::new();
    let mut open = Vec::new();
    let mut full = 0;
    for _ in 0..1000 {
        let mut stream = stage.connect();
        let request = format!(
            "GET /api/events HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            stage.address()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        match &head[9..] {
            b"200" => open.push(stream),
            b"503" => full += 1,
            other => panic!("{}", other.escape_ascii()),
        }
    }
    assert_eq!((open.len(), full), (64, 936));
    // Others are served all the same.
    lives(&stage);
    let start = Instant::now();
    drop(stage.console.take());
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    drop(open);
}

#[test]
fn a_stream_that_ends_makes_room() {
    let stage = Stage::new();
    for _ in 0..200 {
        let mut events = Events::open(&stage, "status", "");
        events.wait_for("hello");
    }
    lives(&stage);
}

#[test]
fn who_asks_for_the_head_of_a_stream_takes_no_place() {
    let stage = Stage::new();
    let host = stage.address();
    let connections: Vec<TcpStream> = (0..63)
        .map(|_| {
            let mut connection = stage.connect();
            let request = format!("HEAD /api/events HTTP/1.1\r\nHost: {host}\r\n\r\n");
            connection.write_all(request.as_bytes()).unwrap();
            let mut head = [0; 12];
            connection.read_exact(&mut head).unwrap();
            assert_eq!(&head[9..], b"200");
            connection
        })
        .collect();
    // They still have their places among the connections, and none among the streams.
    let mut streams = Vec::new();
    for _ in 0..64 {
        let mut events = Events::open(&stage, "status", "");
        events.wait_for("hello");
        streams.push(events);
    }
    drop(connections);
}

#[test]
fn two_hundred_log_ins_at_once_are_checked_one_by_one_and_most_are_told_to_wait() {
    let stage = Stage::new();
    password::set(stage.state.path(), Who::Owner, Some("correct horse")).unwrap();
    let statuses: Vec<u16> = thread::scope(|scope| {
        let tries: Vec<_> = (0..200)
            .map(|n| {
                let stage = &stage;
                scope.spawn(move || {
                    // What one says of himself makes him nobody else.
                    let more = format!("X-Forwarded-For: 192.0.2.{n}\r\n");
                    stage
                        .post_with("/api/login", &json!({ "password": "wrong" }), &more)
                        .status
                })
            })
            .collect();
        tries.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let count = |status: u16| statuses.iter().filter(|own| **own == status).count();
    assert!(count(403) <= 5 + 8, "{statuses:?}");
    assert_eq!(count(403) + count(429) + count(503), 200, "{statuses:?}");
    lives(&stage);
}

#[test]
fn who_does_not_read_slows_nobody() {
    let stage = Stage::new();
    let sleepers: Vec<Events> = (0..20)
        .map(|_| Events::open(&stage, "status,rows,log", ""))
        .collect();
    let frame = |bytes| dtu_console::recorder::Frame {
        of: dtu_console::recorder::Place::Line,
        dir: dtu_console::recorder::Dir::In,
        prefix: b"",
        bytes,
        note: "",
        injected: false,
    };
    let mut events = Events::open(&stage, "rows", "");
    events.wait_for("hello");
    for _ in 0..20 {
        for _ in 0..500 {
            stage.recorder.frame(1, &frame(&[0x55; 256]));
        }
        events.wait_for("rows");
    }
    drop(sleepers);
}

#[test]
fn odd_requests_are_answered_or_closed() {
    let stage = Stage::new();
    for request in [
        &b"GARBAGE\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"DELETE /api/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"POST /api/at HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /\xff\x00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = stage.connect();
        stream.write_all(request).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let reply = Reply::read(&mut stream);
        assert!(reply.status == 0 || reply.status >= 400, "{}: {reply:?}", request.escape_ascii());
    }
    lives(&stage);
}
