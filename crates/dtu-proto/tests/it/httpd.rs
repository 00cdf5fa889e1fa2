//! The HTTPD client (mode 3) from the serial line to the server and back (manual 2.1.3, decisions 9).
#![allow(missing_docs)]

use dtu_proto::config::{Config, DropPolicy, HttpdConfig, Method, Options, WorkingMode};
use dtu_proto::event::{
    CloseReason, Event, HttpdEvent, HttpdTrouble, Input, LinkDownReason, ModemInput, Power,
    QueueId, SocketId, SocketInput, StoreOutput,
};
use dtu_proto::status::HttpdCounters;
use dtu_proto::testing::{Bench, Net};
use dtu_proto::time::Duration;

const SERVER: SocketId = SocketId::Httpd;
/// What the manual's example makes of `data=12345`.
const EXAMPLE: &str = "GET /1.php?data=12345 HTTP/1.1\r\nAccept:text/html\r\nHost: test.usr.cn\r\nConnection: keep-alive\r\n\r\n";

fn factory() -> Config {
    Config {
        mode: WorkingMode::Httpd,
        heartbeat_interval: 0,
        ..Config::default()
    }
}

/// A device in mode 3 that takes each read of the line as a frame.
fn device(change: impl FnOnce(&mut Config)) -> Bench {
    let mut config = factory();
    config.packing_time = 0;
    change(&mut config);
    begun(config)
}

/// A device that has printed its banner.
fn begun(config: Config) -> Bench {
    let mut dev = Bench::new(config);
    dev.at(1000).prints("\r\nUSR-GPRS232-DTU\r\n");
    dev
}

fn answer(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The request of a frame, with the factory settings but for the head lines.
fn get(frame: &str) -> String {
    format!("GET /1.php?{frame} HTTP/1.1\r\nHost: test.usr.cn\r\nConnection: keep-alive\r\n\r\n")
}

/// A device without head lines.
fn plain() -> Bench {
    device(|config| config.httpd.head.clear())
}

fn counters(dev: &Bench) -> HttpdCounters {
    dev.dtu.status(dev.now).httpd.counters
}

fn httpd_events(dev: &mut Bench) -> Vec<HttpdEvent> {
    let events = std::mem::take(&mut dev.events);
    let httpd = |event| {
        if let Event::Httpd(event) = event {
            Some(event)
        } else {
            None
        }
    };
    events.into_iter().filter_map(httpd).collect()
}

fn connects(dev: &mut Bench) -> usize {
    dev.peer(SERVER).connects.len()
}

/// The line of `AT+CINET?` for the connection to the server.
fn cinet(dev: &mut Bench) -> String {
    dev.console.clear();
    dev.input(Input::Console("AT+CINET?"));
    let line = dev.console[0]
        .lines()
        .find(|line| line.starts_with("+CINET:0,"));
    line.unwrap_or_default().to_string()
}

#[test]
fn manual_2_1_3_a_get_request_brings_the_answer_to_the_serial_line() {
    let mut dev = begun(factory());
    dev.serial("data=12345\r\n").wait(99).sends_nothing(SERVER);
    dev.wait(200).sends(SERVER, EXAMPLE).prints_nothing();
    dev.network(SERVER, answer("[12345]")).prints("[12345]");
    let connect = &dev.peer(SERVER).connects[0].1;
    assert_eq!(
        (connect.address.as_str(), connect.port, connect.tls),
        ("test.usr.cn", 80, false)
    );
}

#[test]
fn manual_2_1_3_a_post_request_carries_the_frame_as_it_is() {
    let mut dev = device(|config| config.httpd.method = Method::Post);
    let frame: Vec<u8> = (0..=255).chain(*b"\r\n").collect();
    dev.serial(&frame).wait(200);
    let head = "POST /1.php? HTTP/1.1\r\nAccept:text/html\r\nHost: test.usr.cn\r\nContent-Length: 258\r\n\
                Connection: keep-alive\r\n\r\n";
    dev.sends(SERVER, [head.as_bytes(), &frame].concat());
    dev.network(
        SERVER,
        "HTTP/1.1 200 OK\r\ncontent-length:3\r\n\r\n\0\u{1}\u{7f}",
    )
    .prints("\0\u{1}\u{7f}");
}

#[test]
fn manual_2_1_3_head_lines_are_divided_by_two_bars() {
    let mut dev =
        device(|config| config.httpd.head = "X-A:1||Host: me||x-b: [7C][7C]||".to_string());
    let request =
        "GET /1.php?1 HTTP/1.1\r\nX-A:1\r\nHost: me\r\nx-b: ||\r\nConnection: keep-alive\r\n\r\n";
    dev.serial("1").wait(100).sends(SERVER, request);
}

#[test]
fn a_body_is_printed_as_it_comes_wherever_its_reads_are_cut() {
    let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                5;x=y\r\n[1234\r\n2\r\n5]\r\n0\r\nA: b\r\n\r\n";
    for cut in 0..text.len() {
        let mut dev = plain();
        dev.serial("1").wait(100).sends(SERVER, get("1"));
        dev.network(SERVER, &text[..cut])
            .network(SERVER, &text[cut..])
            .prints("[12345]");
        assert_eq!(counters(&dev).answered, 1, "cut at {cut}");
    }
    let mut dev = plain();
    dev.serial("1").wait(100);
    dev.network(SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab")
        .prints("ab");
    dev.wait(5000).network(SERVER, "cd").prints("cd");
    assert_eq!(httpd_events(&mut dev), []);
    dev.wait(5000).network(SERVER, "ef").prints("ef");
    assert_eq!(
        httpd_events(&mut dev),
        [HttpdEvent::Answered {
            status: 200,
            body: 6
        }]
    );
}

#[test]
fn frames_go_one_at_a_time_in_order_by_one_connection() {
    let mut dev = plain();
    dev.serial("1").serial("2").wait(100).serial("3").wait(5000);
    dev.sends(SERVER, get("1")).sends_nothing(SERVER);
    dev.network(SERVER, answer("a"))
        .prints("a")
        .sends(SERVER, get("2"))
        .sends_nothing(SERVER);
    dev.network(SERVER, "HTTP/1.1 204 x\r\n\r\n")
        .prints_nothing()
        .sends(SERVER, get("3"));
    dev.network(SERVER, "HTTP/1.1 404 x\r\nContent-Length: 2\r\n\r\nno")
        .prints("no");
    assert_eq!(connects(&mut dev), 1);
    let HttpdCounters {
        frames_in,
        requests,
        answered,
        answered_other,
        printed_bytes,
        ..
    } = counters(&dev);
    assert_eq!(
        (frames_in, requests, answered, answered_other, printed_bytes),
        (3, 3, 2, 1, 3)
    );
}

#[test]
fn a_connection_is_not_used_again_where_one_side_does_not_want_that() {
    for text in [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na",
        "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
    ] {
        let mut dev = plain();
        dev.serial("1")
            .serial("2")
            .wait(100)
            .sends(SERVER, get("1"));
        dev.network(SERVER, text)
            .prints("a")
            .wait(100)
            .sends(SERVER, get("2"));
        assert_eq!((connects(&mut dev), dev.peer(SERVER).closes), (2, 1));
    }
    let mut dev = device(|config| config.httpd.head = "Connection: Close".to_string());
    dev.serial("1")
        .wait(100)
        .network(SERVER, answer("a"))
        .prints("a");
    assert_eq!(dev.peer(SERVER).closes, 1);
}

#[test]
fn a_body_without_a_length_ends_with_the_connection() {
    let mut dev = plain();
    dev.serial("1")
        .serial("2")
        .wait(100)
        .sends(SERVER, get("1"));
    dev.network(SERVER, "HTTP/1.1 200 OK\r\n\r\nall ")
        .prints("all ");
    dev.network(SERVER, "of it")
        .prints("of it")
        .lose(SERVER, CloseReason::PeerClosed, 0);
    assert_eq!(
        httpd_events(&mut dev),
        [HttpdEvent::Answered {
            status: 200,
            body: 9
        }]
    );
    dev.wait(100).sends(SERVER, get("2"));
    // A connection that is cut is no end.
    dev.network(SERVER, "HTTP/1.1 200 OK\r\n\r\nsome")
        .prints("some");
    dev.lose(SERVER, CloseReason::Reset, 0)
        .wait(60_000)
        .sends_nothing(SERVER);
    // Told as such since decisions 16.16.
    let broken = HttpdTrouble::Broken(LinkDownReason::Network(CloseReason::Reset));
    assert_eq!(httpd_events(&mut dev), [HttpdEvent::Failed(broken)]);
}

#[test]
fn without_the_filter_the_head_is_printed_as_received() {
    let mut dev = device(|config| config.httpd.filter = false);
    let head = "HTTP/1.1 200 Fine\r\nx-Y:  z \r\nTransfer-Encoding: chunked\r\n\r\n";
    dev.serial("1")
        .wait(100)
        .network(SERVER, "HTTP/1.1 100 Continue\r\n\r\n");
    dev.network(SERVER, &head[..20]).prints_nothing();
    dev.network(SERVER, format!("{}2\r\nok\r\n0\r\n\r\n", &head[20..]))
        .prints(format!("{head}ok"));
}

#[test]
fn without_an_answer_in_time_nothing_is_printed_and_the_frame_is_not_sent_again() {
    let mut dev = plain();
    dev.serial("1")
        .serial("2")
        .wait(100)
        .sends(SERVER, get("1"));
    dev.wait(9890).sends_nothing(SERVER);
    assert_eq!(counters(&dev).timed_out, 0);
    dev.wait(120).prints_nothing();
    assert_eq!((counters(&dev).timed_out, dev.peer(SERVER).closes), (1, 1));
    dev.wait(1000).sends(SERVER, get("2"));
    let timed_out = HttpdTrouble::NoAnswer {
        after: Duration::from_secs(10),
    };
    assert_eq!(httpd_events(&mut dev), [HttpdEvent::Failed(timed_out)]);
    assert_eq!(cinet(&mut dev), "+CINET:0,CONNECTED,no answer in 10 s");
    dev.network(SERVER, answer("b")).prints("b");
    assert_eq!(cinet(&mut dev), "+CINET:0,CONNECTED");
    let HttpdCounters {
        requests,
        answered,
        failed,
        timed_out,
        ..
    } = counters(&dev);
    assert_eq!((requests, answered, failed, timed_out), (2, 1, 0, 1));
    dev.sends_nothing(SERVER);
}

#[test]
fn every_byte_of_the_server_gives_it_more_time() {
    let mut dev = device(|config| config.httpd.timeout = 2);
    dev.serial("1").wait(100);
    for byte in answer("slow").bytes() {
        dev.wait(1900).network(SERVER, [byte]);
    }
    dev.prints("slow");
    dev.serial("2")
        .wait(100)
        .network(SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart");
    dev.prints("part").wait(1990);
    assert_eq!(counters(&dev).timed_out, 0);
    dev.wait(20);
    assert_eq!((counters(&dev).timed_out, counters(&dev).answered), (1, 1));
}

#[test]
fn a_server_is_not_late_while_the_dte_does_not_read() {
    let mut dev = plain();
    dev.serial("1").wait(100);
    dev.dte_stops();
    let size = 40 * 1024;
    dev.network(
        SERVER,
        format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n"),
    );
    let mut given = 0;
    while dev.dtu.wants_socket(SERVER) {
        dev.network(SERVER, [b'x'; 1024]);
        given += 1024;
    }
    assert!(given <= 17 * 1024, "{given} bytes wait");
    dev.wait(600_000);
    assert_eq!(counters(&dev).timed_out, 0);
    dev.dte_reads_on()
        .wait(9900)
        .network(SERVER, vec![b'x'; size - given]);
    assert_eq!((counters(&dev).answered, dev.printed().len()), (1, size));
}

/// A device whose DTE stopped reading in the middle of a long answer, and the bytes that were given.
fn unread(size: usize) -> (Bench, usize) {
    let mut dev = plain();
    dev.serial("1").wait(100).serial("2").wait(100);
    dev.dte_stops();
    dev.network(
        SERVER,
        format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n"),
    );
    let mut given = 0;
    while dev.dtu.wants_socket(SERVER) {
        dev.network(SERVER, [b'x'; 1024]);
        given += 1024;
    }
    (dev, given)
}

fn undelivered(dev: &Bench) -> u64 {
    dev.dtu.status(dev.now).serial.counters.undelivered_bytes
}

/// D2: every wait has a deadline. An answer that nobody reads holds the requests behind it for 15 minutes.
#[test]
fn d2_an_answer_that_the_dte_does_not_read_gives_way_after_15_minutes() {
    let size = 200 * 1024;
    let (mut dev, given) = unread(size);
    dev.wait(899_000);
    assert!(!dev.dtu.wants_socket(SERVER) && undelivered(&dev) == 0);
    dev.wait(1_500);
    assert!(dev.dtu.wants_socket(SERVER));
    for _ in 0..(size - given) / 1024 {
        dev.network(SERVER, [b'y'; 1024]);
    }
    assert_eq!(counters(&dev).answered, 1);
    let waiting = dev.dtu.status(dev.now).serial.waiting;
    assert!(waiting <= 64 * 1024, "{waiting}");
    assert_eq!(undelivered(&dev), (size - waiting) as u64);
    assert!(
        dev.events
            .iter()
            .any(|event| matches!(event, Event::LineDropped { .. }))
    );
    dev.sends(SERVER, get("1")).sends(SERVER, get("2"));
}

/// A server that says nothing more is late from then on.
#[test]
fn d2_a_request_behind_an_unread_answer_is_not_held_for_ever() {
    let (mut dev, _) = unread(200 * 1024);
    dev.wait(899_000);
    assert_eq!(counters(&dev).timed_out, 0);
    dev.wait(12_000);
    assert_eq!((counters(&dev).timed_out, undelivered(&dev)), (1, 0));
}

/// D2: a DTE that takes a byte now and then, or pauses, loses none.
#[test]
fn d2_a_dte_that_pauses_loses_nothing_of_an_answer() {
    let size = 100 * 1024;
    let (mut dev, mut given) = unread(size);
    for _ in 0..10 {
        dev.wait(800_000).line_takes();
        while dev.dtu.wants_socket(SERVER) {
            dev.network(SERVER, [b'x'; 1024]);
            given += 1024;
        }
    }
    dev.dte_reads_on()
        .wait(10)
        .network(SERVER, vec![b'x'; size - given]);
    assert_eq!((counters(&dev).answered, undelivered(&dev)), (1, 0));
    // A read that was on its way may be longer than what else may wait.
    let mut dev = plain();
    dev.serial("1").wait(100);
    dev.dte_stops();
    dev.network(
        SERVER,
        format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n"),
    );
    dev.network(SERVER, [b'x'; 10 * 1024])
        .wait(80_000)
        .network(SERVER, [b'x'; 64 * 1024]);
    assert_eq!(undelivered(&dev), 0);
}

#[test]
fn a_request_that_the_server_may_have_got_is_not_sent_again() {
    let reasons = [
        CloseReason::PeerClosed,
        CloseReason::Reset,
        CloseReason::TimedOut,
    ];
    for reason in reasons {
        let mut dev = plain();
        dev.serial("1")
            .serial("2")
            .wait(100)
            .sends(SERVER, get("1"));
        dev.lose(SERVER, reason, 0)
            .wait(2000)
            .sends(SERVER, get("2"));
        dev.network(SERVER, answer("b"))
            .prints("b")
            .sends_nothing(SERVER);
        assert_eq!((counters(&dev).failed, counters(&dev).retried), (1, 0));
    }
}

#[test]
fn a_request_that_never_left_is_sent_again() {
    let mut dev = plain();
    dev.net(SERVER, Net::Stuck);
    dev.serial("1").serial("2").wait(100).sends_nothing(SERVER);
    dev.net(SERVER, Net::Good);
    dev.lose(SERVER, CloseReason::Reset, 10)
        .wait(2000)
        .sends(SERVER, get("1"));
    let again = HttpdEvent::Repeated(LinkDownReason::Network(CloseReason::Reset));
    assert_eq!(httpd_events(&mut dev), [again]);
    dev.network(SERVER, answer("a"))
        .prints("a")
        .sends(SERVER, get("2"));
    assert_eq!(
        (
            counters(&dev).requests,
            counters(&dev).retried,
            counters(&dev).failed
        ),
        (2, 1, 0)
    );
}

#[test]
fn a_request_that_nobody_takes_is_tried_by_another_connection_after_a_minute() {
    let mut dev = plain();
    dev.net(SERVER, Net::Stuck);
    dev.serial("1").wait(60_200);
    assert_eq!(
        (dev.peer(SERVER).closes, cinet(&mut dev)),
        (
            1,
            "+CINET:0,CONNECTED,the server does not take the request".into()
        ),
        "the first attempt comes at once (decisions 16.2)"
    );
    dev.net(SERVER, Net::Good);
    dev.wait(60_200).sends(SERVER, get("1"));
}

#[test]
fn a_request_by_a_connection_that_the_server_had_closed_is_sent_again() {
    let mut dev = plain();
    dev.serial("1")
        .wait(100)
        .sends(SERVER, get("1"))
        .network(SERVER, answer("a"))
        .prints("a");
    let acked = get("1").len() as u64;
    dev.net(SERVER, Net::Unacked);
    dev.wait(5000).serial("2").sends(SERVER, get("2"));
    dev.lose(SERVER, CloseReason::PeerClosed, acked)
        .wait(100)
        .sends(SERVER, get("2"));
    assert_eq!((counters(&dev).requests, counters(&dev).retried), (2, 1));
    // By a new connection it is not tried a third time.
    dev.lose(SERVER, CloseReason::PeerClosed, 0)
        .wait(60_000)
        .sends_nothing(SERVER);
    assert_eq!(
        (
            counters(&dev).requests,
            counters(&dev).retried,
            counters(&dev).failed
        ),
        (2, 1, 1)
    );
}

#[test]
fn a_request_of_which_the_server_has_a_byte_is_not_sent_again() {
    let used = || {
        let mut dev = plain();
        dev.serial("1")
            .wait(100)
            .sends(SERVER, get("1"))
            .network(SERVER, answer("a"))
            .prints("a");
        dev.net(SERVER, Net::Unacked);
        dev.serial("2").sends(SERVER, get("2"));
        dev
    };
    let acked = get("1").len() as u64;
    let mut dev = used();
    dev.lose(SERVER, CloseReason::PeerClosed, acked + 1)
        .wait(60_000)
        .sends_nothing(SERVER);
    assert_eq!((counters(&dev).retried, counters(&dev).failed), (0, 1));
    let mut dev = used();
    dev.network(SERVER, "H")
        .lose(SERVER, CloseReason::PeerClosed, acked);
    dev.wait(60_000).sends_nothing(SERVER);
    assert_eq!((counters(&dev).retried, counters(&dev).failed), (0, 1));
}

#[test]
fn what_is_no_answer_ends_the_connection() {
    for text in [
        "SSH-2.0-x\r\n",
        "HTTP/1.1 101 x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    ] {
        let mut dev = plain();
        dev.serial("1")
            .serial("2")
            .wait(100)
            .sends(SERVER, get("1"))
            .network(SERVER, text);
        assert!(
            matches!(
                httpd_events(&mut dev)[..],
                [HttpdEvent::Failed(HttpdTrouble::Bad(_))]
            ),
            "{text}"
        );
        dev.prints_nothing().wait(1100).sends(SERVER, get("2"));
        assert_eq!((dev.peer(SERVER).closes, counters(&dev).failed), (1, 1));
    }
}

#[test]
fn bytes_behind_an_answer_are_dropped_and_counted_with_their_connection() {
    let mut dev = plain();
    dev.serial("1")
        .serial("2")
        .wait(100)
        .sends(SERVER, get("1"));
    dev.network(SERVER, answer("a") + "HTTP/1.1 200")
        .prints("a")
        .wait(100)
        .sends(SERVER, get("2"));
    dev.network(SERVER, answer("b"))
        .prints("b")
        .wait(1000)
        .network(SERVER, "x")
        .prints_nothing();
    assert_eq!(
        (counters(&dev).stray_bytes, dev.peer(SERVER).closes),
        (13, 2)
    );
    let stray: Vec<_> = httpd_events(&mut dev)
        .into_iter()
        .filter(|e| matches!(e, HttpdEvent::Stray { .. }))
        .collect();
    assert_eq!(
        stray,
        [
            HttpdEvent::Stray { bytes: 12 },
            HttpdEvent::Stray { bytes: 1 }
        ]
    );
}

#[test]
fn a_redirect_is_told_and_not_followed() {
    let mut dev = plain();
    dev.serial("1").wait(100).sends(SERVER, get("1"));
    dev.network(
        SERVER,
        "HTTP/1.1 302 Found\r\nLocation: http://x/\u{e9}\r\nContent-Length: 2\r\n\r\ngo",
    )
    .prints("go");
    let told = httpd_events(&mut dev);
    assert!(
        matches!(&told[0], HttpdEvent::Redirect { status: 302, location } if location.starts_with("http://x/"))
    );
    assert_eq!(
        told[1],
        HttpdEvent::Answered {
            status: 302,
            body: 2
        }
    );
    dev.wait(60_000).sends_nothing(SERVER);
}

#[test]
fn an_unused_connection_is_closed_after_a_minute() {
    let mut dev = plain();
    dev.serial("1")
        .wait(100)
        .sends(SERVER, get("1"))
        .network(SERVER, answer("a"))
        .prints("a");
    dev.wait(59_000)
        .serial("2")
        .sends(SERVER, get("2"))
        .network(SERVER, answer("b"))
        .prints("b");
    dev.wait(59_990);
    assert_eq!(dev.peer(SERVER).closes, 0);
    dev.wait(20);
    assert_eq!(
        (dev.peer(SERVER).closes, cinet(&mut dev)),
        (1, "+CINET:0,WAITING,no data".to_string())
    );
    dev.wait(3_600_000);
    assert_eq!(connects(&mut dev), 1);
}

#[test]
fn a_server_may_close_a_connection_that_nobody_uses() {
    let mut dev = plain();
    dev.serial("1")
        .wait(100)
        .network(SERVER, answer("a"))
        .prints("a");
    dev.wait(5000)
        .lose(SERVER, CloseReason::PeerClosed, 99)
        .wait(60_000);
    assert_eq!(
        (connects(&mut dev), counters(&dev).failed, cinet(&mut dev)),
        (1, 0, "+CINET:0,WAITING,no data".into())
    );
    dev.serial("2")
        .wait(100)
        .network(SERVER, answer("b"))
        .prints("b");
    assert_eq!(connects(&mut dev), 2);
}

#[test]
fn frames_wait_for_a_server_that_refuses() {
    let mut dev = plain();
    dev.net(SERVER, Net::Refused);
    dev.serial("1").wait(60_000).serial("2").wait(60_000);
    let attempts = connects(&mut dev);
    assert!(
        (5..60).contains(&attempts),
        "{attempts} attempts in two minutes"
    );
    assert_eq!(cinet(&mut dev), "+CINET:0,WAITING,refused");
    assert_eq!(counters(&dev).failed_attempts, attempts as u64);
    dev.net(SERVER, Net::Good);
    dev.wait(31_000)
        .sends(SERVER, get("1"))
        .network(SERVER, answer("a"))
        .sends(SERVER, get("2"));
}

#[test]
fn a_host_that_does_not_answer_an_attempt_is_asked_again() {
    let mut dev = plain();
    dev.net(SERVER, Net::BlackHole);
    dev.serial("1").wait(100);
    assert_eq!(cinet(&mut dev), "+CINET:0,CONNECTING");
    dev.net(SERVER, Net::Good);
    // An attempt that hangs is given up by the device itself, before the host does (decisions 16.2).
    dev.wait(10_000).sends(SERVER, get("1"));
    assert_eq!(dev.peer(SERVER).closes, 1);
}

#[test]
fn without_a_network_nothing_is_tried() {
    let mut config = factory();
    config.httpd.head.clear();
    let mut dev = Bench::cold(
        config,
        Options {
            setup_window: Duration::ZERO,
            ..Options::default()
        },
    );
    dev.at(1000).serial("1").wait(600_000);
    assert_eq!(
        (connects(&mut dev), cinet(&mut dev)),
        (0, "+CINET:0,WAITING,no network".to_string())
    );
    dev.input(Input::Modem(&ModemInput::Attached([10, 0, 0, 2].into())))
        .wait(100)
        .sends(SERVER, get("1"));
}

#[test]
fn https_asks_for_tls() {
    let mut dev = device(|config| {
        config.httpd.server = "https://[::1]".to_string();
        config.httpd.port = 443;
    });
    dev.serial("1").wait(100);
    let connect = dev.peer(SERVER).connects[0].1.clone();
    assert_eq!(
        (connect.address.as_str(), connect.port, connect.tls),
        ("::1", 443, true)
    );
    let request = String::from_utf8(dev.received(SERVER)).unwrap();
    assert!(request.contains("\r\nHost: [::1]\r\n"), "{request}");
}

#[test]
fn the_command_state_holds_answers_back() {
    let mut dev = plain();
    dev.serial("1").wait(100).sends(SERVER, get("1"));
    dev.escape().network(SERVER, answer("a")).prints_nothing();
    dev.command("AT+CIMOD?", "\r\n+CIMOD: 3\r\n\r\nOK\r\n")
        .command("AT+ENTM", "\r\nOK\r\na");
    dev.serial("2").sends(SERVER, get("2"));
}

#[test]
fn an_answer_is_never_a_command() {
    let mut dev = device(|config| {
        config.httpd.head.clear();
        (config.network_at, config.serial_at) = (true, true);
        config.password = "abc".to_string();
    });
    dev.serial("1").wait(100).sends(SERVER, get("1"));
    dev.network(SERVER, "HTTP/1.1 200 OK\r\n\r\n")
        .network(SERVER, "abc,AT+CIMOD=0")
        .prints("abc,AT+CIMOD=0");
    assert_eq!(dev.dtu.config().mode, WorkingMode::Httpd);
    dev.serial("abc,AT+CIMOD?")
        .prints("\r\n+CIMOD: 3\r\n\r\nOK\r\n");
}

#[test]
fn new_settings_wait_for_the_answer_and_old_ones_keep_the_connection() {
    let mut dev = plain();
    dev.serial("1")
        .serial("2")
        .wait(100)
        .sends(SERVER, get("1"));
    let set = |dev: &mut Bench, line: &str| {
        dev.input(Input::Console(line))
            .input(Input::Console("AT+CIAPPLY"));
    };
    set(&mut dev, "AT+CIPNUM=10010");
    assert_eq!((dev.peer(SERVER).closes, connects(&mut dev)), (0, 1));
    set(&mut dev, "AT+HTPURL=/2?");
    dev.network(SERVER, answer("a")).prints("a");
    assert_eq!(dev.peer(SERVER).closes, 1);
    dev.wait(100)
        .sends(SERVER, get("2").replace("/1.php?", "/2?"));
    dev.network(SERVER, answer("b")).prints("b");
    set(&mut dev, "AT+HTPTO=20");
    assert_eq!((dev.peer(SERVER).closes, connects(&mut dev)), (2, 2));
}

#[test]
fn frames_wait_for_the_return_of_the_mode() {
    let mut dev = plain();
    dev.net(SERVER, Net::Refused);
    dev.serial("1").wait(1000).serial("2").wait(1000);
    dev.input(Input::Console("AT+CIMOD=0;+CIAPPLY"))
        .wait(600_000);
    let attempts = connects(&mut dev);
    dev.net(SERVER, Net::Good);
    dev.wait(600_000);
    assert_eq!(
        (connects(&mut dev), cinet(&mut dev)),
        (attempts, String::new())
    );
    assert_eq!(dev.dtu.status(dev.now).httpd.waiting_frames, 2);
    dev.input(Input::Console("AT+CIMOD=3;+CIAPPLY"))
        .wait(100)
        .sends(SERVER, get("1"));
    dev.network(SERVER, answer("a"))
        .prints("a")
        .sends(SERVER, get("2"));
    // A request that is under way when the mode ends has had its turn.
    dev.input(Input::Console("AT+CIMOD=0;+CIAPPLY"))
        .input(Input::Console("AT+CIMOD=3;+CIAPPLY"))
        .wait(60_000);
    dev.sends_nothing(SERVER);
    assert_eq!((counters(&dev).answered, counters(&dev).failed), (1, 1));
}

#[test]
fn a_restart_keeps_what_waits() {
    let mut dev = plain();
    dev.serial("1")
        .serial("2")
        .wait(100)
        .sends(SERVER, get("1"));
    dev.input(Input::Console("ATW"))
        .input(Input::Console("AT+CIRESET"))
        .wait(5000);
    assert_eq!((dev.power.len(), dev.peer(SERVER).closes), (1, 1));
    dev.sends(SERVER, get("2")).sends_nothing(SERVER);
    assert_eq!((counters(&dev).failed, counters(&dev).requests), (1, 2));
}

#[test]
fn frames_of_the_set_up_window_become_requests() {
    let mut config = factory();
    config.httpd.head.clear();
    let mut dev = Bench::with(config, Options::default());
    dev.at(1000).serial("one").wait(500).serial("two").wait(500);
    assert_eq!(connects(&mut dev), 0);
    dev.at(5200)
        .sends(SERVER, get("one"))
        .network(SERVER, answer(""))
        .sends(SERVER, get("two"));
}

fn spooled() -> Options {
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    options.modes.spool = true;
    options
}

/// K4 (decisions 16.22): the frame is noted as being sent before its bytes go, so it never goes twice; it leaves the spool
/// when its fate is known, so its loss can be counted. (It left the spool when it was sent: a kill before that sent it
/// again, one after it lost a request that was sent again in vain.)
#[test]
fn k4_a_frame_is_noted_before_it_is_sent_and_leaves_the_spool_with_its_answer() {
    let mut config = factory();
    config.packing_time = 0;
    let mut dev = Bench::cold(config, spooled());
    let append =
        |seq, frame: &'static str| StoreOutput::SpoolAppend(QueueId::Httpd, seq, frame.into());
    dev.at(1000).serial("1").serial("2");
    assert_eq!(
        std::mem::take(&mut dev.store.spool),
        [append(0, "1"), append(1, "2")]
    );
    dev.input(Input::Modem(&ModemInput::Attached([10, 0, 0, 2].into())))
        .wait(100);
    let sending = |number| StoreOutput::SpoolSending(QueueId::Httpd, number);
    let release = |below| StoreOutput::SpoolRelease(QueueId::Httpd, below);
    assert_eq!(std::mem::take(&mut dev.store.spool), [sending(Some(0))]);
    let waiting: Vec<u64> = dev
        .dtu
        .undelivered(QueueId::Httpd)
        .map(|(seq, _)| seq)
        .collect();
    assert_eq!(waiting, [1]);
    dev.network(SERVER, answer("a"));
    assert_eq!(
        std::mem::take(&mut dev.store.spool),
        [release(1), sending(Some(1))]
    );
    assert_eq!(dev.dtu.undelivered(QueueId::Httpd).count(), 0);
    dev.network(SERVER, answer("b"));
    assert_eq!(std::mem::take(&mut dev.store.spool), [release(2)]);
}

/// K4: what cannot have arrived may come again after the end of the host, too.
#[test]
fn k4_a_frame_that_never_left_is_not_noted_as_being_sent_any_more() {
    let mut config = factory();
    config.packing_time = 0;
    let mut dev = Bench::cold(config, spooled());
    dev.net(SERVER, Net::Stuck);
    dev.at(1000)
        .serial("1")
        .input(Input::Modem(&ModemInput::Attached([10, 0, 0, 2].into())))
        .wait(100);
    dev.net(SERVER, Net::Refused);
    dev.store.spool.clear();
    dev.lose(SERVER, CloseReason::Reset, 10).wait(100);
    assert_eq!(
        dev.store.spool,
        [StoreOutput::SpoolSending(QueueId::Httpd, None)]
    );
    let waiting: Vec<u64> = dev
        .dtu
        .undelivered(QueueId::Httpd)
        .map(|(seq, _)| seq)
        .collect();
    assert_eq!(waiting, [0]);
}

#[test]
fn frames_of_an_earlier_run_go_first() {
    let mut config = factory();
    config.packing_time = 0;
    config.httpd.head.clear();
    let mut dev = Bench::cold(config, spooled());
    dev.dtu
        .restore(QueueId::Httpd, [(7, "old".into()), (9, "older".into())]);
    dev.at(1000)
        .serial("new")
        .input(Input::Modem(&ModemInput::Attached([10, 0, 0, 2].into())))
        .wait(100);
    for frame in ["old", "older", "new"] {
        dev.sends(SERVER, get(frame)).network(SERVER, answer(""));
    }
    let releases: Vec<_> = dev
        .store
        .spool
        .iter()
        .filter_map(|s| {
            if let StoreOutput::SpoolRelease(_, to) = s {
                Some(*to)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(releases, [9, 10, 11], "each with its answer");
}

#[test]
fn a_clean_stop_keeps_what_was_not_sent() {
    let mut dev = plain();
    dev.serial("1")
        .serial("2")
        .wait(100)
        .input(Input::Shutdown)
        .wait(3000);
    assert_eq!(dev.peer(SERVER).closes, 1);
    let waiting: Vec<_> = dev
        .dtu
        .undelivered(QueueId::Httpd)
        .map(|(_, frame)| frame.clone())
        .collect();
    assert_eq!(waiting, ["2"]);
    // What the window kept waits, too.
    let mut dev = Bench::with(factory(), Options::default());
    dev.at(1000)
        .serial("early")
        .wait(200)
        .input(Input::Shutdown)
        .wait(3000);
    assert_eq!(dev.dtu.undelivered(QueueId::Httpd).count(), 1);
}

#[test]
fn a_stop_waits_until_the_connection_to_the_server_is_closed() {
    let mut dev = plain();
    dev.late_closes = true;
    dev.serial("1").wait(100).sends(SERVER, get("1"));
    dev.input(Input::Shutdown).wait(1000);
    assert_eq!((dev.peer(SERVER).closes, dev.power.len()), (1, 0));
    dev.closed(SERVER).wait(10);
    assert_eq!(dev.power, [Power::Stop]);
    // A host that never says so does not hold the end up.
    let mut dev = plain();
    dev.late_closes = true;
    dev.serial("1")
        .wait(100)
        .input(Input::Shutdown)
        .wait(10_000);
    assert_eq!(dev.power, [Power::Stop]);
}

#[test]
fn only_a_full_queue_that_blocks_keeps_the_line_from_being_read() {
    for (policy, frames, reads) in [
        (DropPolicy::Oldest, 0, true),
        (DropPolicy::Oldest, 5, true),
        (DropPolicy::Newest, 5, true),
        (DropPolicy::Block, 0, true),
        (DropPolicy::Block, 1, true),
        (DropPolicy::Block, 3, false),
    ] {
        let mut options = Options {
            setup_window: Duration::ZERO,
            ..Options::default()
        };
        (options.modes.cache, options.modes.drop_policy) = (10, policy);
        let mut dev = Bench::cold(
            Config {
                packing_time: 0,
                ..factory()
            },
            options,
        );
        dev.at(1000);
        for _ in 0..frames {
            dev.serial("aaaa");
        }
        assert_eq!(dev.dtu.wants_serial(), reads, "{policy:?}, {frames} frames");
    }
}

#[test]
fn a_full_queue_drops_by_its_policy_and_counts() {
    let full = |policy| {
        let mut options = Options {
            setup_window: Duration::ZERO,
            ..Options::default()
        };
        (options.modes.cache, options.modes.drop_policy) = (10, policy);
        let mut config = factory();
        config.packing_time = 0;
        let mut dev = Bench::cold(config, options);
        dev.at(1000).serial("aaaa").serial("bbbb").serial("cccc");
        dev
    };
    let waiting = |dev: &Bench| -> Vec<_> {
        dev.dtu
            .undelivered(QueueId::Httpd)
            .map(|(_, frame)| frame.clone())
            .collect()
    };
    let dev = full(DropPolicy::Oldest);
    assert_eq!(
        (waiting(&dev), counters(&dev).dropped_frames),
        (vec!["bbbb".into(), "cccc".into()], 1)
    );
    assert!(dev.events.contains(&Event::FrameDropped {
        queue: QueueId::Httpd,
        bytes: 4
    }));
    let dev = full(DropPolicy::Newest);
    assert_eq!(
        (waiting(&dev), counters(&dev).dropped_bytes),
        (vec!["aaaa".into(), "bbbb".into()], 4)
    );
    let mut dev = full(DropPolicy::Block);
    assert_eq!(
        (
            waiting(&dev).len(),
            counters(&dev).dropped_frames,
            dev.dtu.wants_serial()
        ),
        (3, 0, false)
    );
    dev.input(Input::Console("AT+CIMOD=0;+CIAPPLY"));
    assert!(dev.dtu.wants_serial(), "another mode runs");
}

#[test]
fn answers_keep_the_device_from_restarting_and_light_the_lamp() {
    let config = Config {
        restart_time: 600,
        packing_time: 0,
        ..factory()
    };
    let mut dev = Bench::with(
        config,
        Options {
            http_answer_max: None,
            setup_window: Duration::ZERO,
            ..Options::default()
        },
    );
    dev.at(1000)
        .prints("\r\nUSR-GPRS232-DTU\r\n")
        .serial("1")
        .wait(1000);
    assert!(dev.leds.last().is_some_and(|leds| leds.data));
    dev.wait(8000)
        .network(SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n");
    for _ in 0..150 {
        dev.wait(9000).network(SERVER, "x");
    }
    assert_eq!(dev.power.len(), 0);
    dev.wait(620_000);
    assert_eq!(dev.power.len(), 1);
    assert!(dev.leds.last().is_some_and(|leds| !leds.data));
}

#[test]
fn a_frame_that_is_cut_when_the_mode_ends_waits_and_is_sent_once() {
    for ends in ["AT+CIMOD=0;+CIAPPLY", "AT+CIMOD=0;W;+CIRESET"] {
        let mut dev = begun(Config {
            httpd: plain().dtu.config().httpd.clone(),
            ..factory()
        });
        dev.serial("one").wait(300).sends(SERVER, get("one"));
        dev.network(SERVER, answer("x")).wait(10).prints("x");
        dev.net(SERVER, Net::Unacked);
        dev.serial("two")
            .wait(50)
            .input(Input::Console(ends))
            .wait(1000);
        dev.sends_nothing(SERVER);
        dev.input(Input::Console("AT+CIMOD=3;+CIAPPLY")).wait(1000);
        dev.sends(SERVER, get("two"));
        dev.wait(60_000).sends_nothing(SERVER);
    }
}

#[test]
fn a_frame_that_is_cut_when_the_device_stops_is_kept_for_the_next_run() {
    let mut dev = begun(factory());
    dev.serial("one").wait(300);
    dev.network(SERVER, answer("x")).wait(10).received(SERVER);
    dev.serial("two")
        .wait(50)
        .input(Input::Shutdown)
        .sends_nothing(SERVER);
    assert_eq!(
        dev.dtu
            .undelivered(QueueId::Httpd)
            .map(|(_, frame)| &frame[..])
            .collect::<Vec<_>>(),
        [b"two"]
    );
}

/// A device whose connection has carried one answer, and is dead from now on though nobody says so.
fn forgotten() -> Bench {
    let mut dev = plain();
    dev.serial("1")
        .wait(100)
        .sends(SERVER, get("1"))
        .network(SERVER, answer("a"))
        .prints("a");
    dev.net(SERVER, Net::Unacked);
    dev.wait(5000).serial("2").sends(SERVER, get("2"));
    httpd_events(&mut dev);
    dev
}

#[test]
fn h3_a_request_that_a_forgotten_connection_swallowed_is_tried_once_by_another() {
    let mut dev = forgotten();
    let connected = connects(&mut dev);
    dev.wait(9_900).sends_nothing(SERVER);
    dev.wait(300)
        .sends(SERVER, get("2"))
        .network(SERVER, answer("b"))
        .prints("b");
    let again = HttpdEvent::Repeated(LinkDownReason::NoAnswer);
    assert_eq!(
        httpd_events(&mut dev),
        [
            again,
            HttpdEvent::Answered {
                status: 200,
                body: 1
            }
        ]
    );
    assert_eq!(
        (
            connects(&mut dev),
            counters(&dev).timed_out,
            counters(&dev).requests
        ),
        (connected + 1, 0, 2)
    );
}

#[test]
fn h3_it_is_not_tried_a_third_time() {
    let mut dev = forgotten();
    dev.wait(10_200).sends(SERVER, get("2"));
    dev.wait(60_000).sends_nothing(SERVER);
    assert_eq!((counters(&dev).retried, counters(&dev).timed_out), (1, 1));
}

#[test]
fn h3_a_request_of_which_a_byte_was_acknowledged_is_never_repeated() {
    let mut dev = forgotten();
    let acked = get("1").len() as u64;
    dev.input(Input::Socket(SERVER, SocketInput::Acked(acked + 1)))
        .wait(60_000)
        .sends_nothing(SERVER);
    assert_eq!((counters(&dev).retried, counters(&dev).timed_out), (0, 1));
}

#[test]
fn h3_an_answer_that_broke_off_is_told_as_broken() {
    let broken = |end: &dyn Fn(&mut Bench)| {
        let mut dev = plain();
        dev.serial("1").wait(100).sends(SERVER, get("1"));
        dev.network(SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
            .prints("half");
        end(&mut dev);
        match &httpd_events(&mut dev)[..] {
            [HttpdEvent::Failed(trouble)] => trouble.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let reset = broken(&|dev| {
        dev.lose(SERVER, CloseReason::Reset, 0);
    });
    assert_eq!(
        reset,
        format!("the answer broke off: {}", CloseReason::Reset)
    );
    let silent = broken(&|dev| {
        dev.wait(10_000);
    });
    assert_eq!(silent, "the answer broke off: nothing more in 10 s");
}

#[test]
fn h3_lines_of_the_head_that_are_none_are_passed_over() {
    let mut dev = plain();
    dev.serial("1").wait(100).sends(SERVER, get("1"));
    let head = "HTTP/1.1 200 OK\r\nX-名: a\r\nno colon\r\n: b\r\nA: \u{1}\r\nContent-Length: 2\r\nX y: c\r\n\r\n";
    dev.network(SERVER, format!("{head}ok")).prints("ok");
    assert_eq!(
        httpd_events(&mut dev),
        [HttpdEvent::Answered {
            status: 200,
            body: 2
        }]
    );
}

/// As curl: a NUL in the head is the server's affair, and a LF ends a line of a head and of a chunk.
#[test]
fn h3_an_answer_of_an_odd_server_is_printed_wherever_it_is_cut() {
    let head = b"HTTP/1.1 200 O\0K\nX: a\0\x01b\nTransfer-Encoding: chunked\n\n";
    let all = [&head[..], b"3\nabc\n2\r\nde\n0\n\n"].concat();
    for filter in [true, false] {
        let wanted = if filter {
            b"abcde".to_vec()
        } else {
            [&head[..], b"abcde"].concat()
        };
        for cut in 1..all.len() {
            let mut dev = device(|config| config.httpd.filter = filter);
            dev.serial("x").wait(200);
            let (begin, end) = all.split_at(cut);
            dev.network(SERVER, begin).network(SERVER, end);
            dev.prints(&wanted);
            assert_eq!(counters(&dev).answered, 1, "{cut}");
        }
    }
}

#[test]
fn h3_a_server_says_how_long_it_keeps_a_connection() {
    for (field, kept) in [
        ("timeout=5, max=100", 4000),
        ("timeout=1", 500),
        ("max=9, Timeout = 20", 19_000),
    ] {
        let mut dev = plain();
        dev.serial("1").wait(100).sends(SERVER, get("1"));
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nKeep-Alive: {field}\r\n\r\na");
        dev.network(SERVER, head).prints("a");
        let connected = connects(&mut dev);
        dev.wait(kept - 50).serial("2").sends(SERVER, get("2"));
        assert_eq!(connects(&mut dev), connected, "{field}");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nKeep-Alive: {field}\r\n\r\na");
        dev.network(SERVER, head).prints("a").wait(kept + 1);
        assert_eq!(dev.peer(SERVER).closes, 1, "{field}");
        dev.serial("3").wait(1000).sends(SERVER, get("3"));
        assert_eq!(connects(&mut dev), connected + 1, "{field}");
    }
}

#[test]
fn h3_the_time_out_covers_connecting_and_the_answer_together() {
    let mut dev = device(|config| {
        config.httpd.head.clear();
        config.httpd.timeout = 2;
    });
    dev.net(SERVER, Net::BlackHole);
    dev.serial("1");
    while connects(&mut dev) == 0 {
        dev.wait(10);
    }
    dev.wait(1990);
    assert_eq!(dev.peer(SERVER).closes, 0);
    dev.wait(20);
    assert_eq!(
        dev.peer(SERVER).closes,
        1,
        "an attempt takes no longer than HTPTO"
    );
    while connects(&mut dev) == 1 {
        dev.wait(10);
    }
    dev.wait(1500).connects(SERVER).sends(SERVER, get("1"));
    httpd_events(&mut dev);
    dev.wait(480);
    assert_eq!(httpd_events(&mut dev), []);
    dev.wait(30);
    let late = HttpdTrouble::NoAnswer {
        after: Duration::from_secs(2),
    };
    assert_eq!(httpd_events(&mut dev), [HttpdEvent::Failed(late)]);
}

#[test]
fn h3_a_server_that_drips_does_not_hold_the_queue_for_ever() {
    let mut dev = plain();
    dev.serial("1").wait(100).sends(SERVER, get("1"));
    dev.network(SERVER, "HTTP/1.1 200 OK\r\n\r\n");
    for _ in 0..119 {
        dev.wait(5000).network(SERVER, ".").prints(".");
    }
    dev.wait(5000);
    assert_eq!(
        httpd_events(&mut dev),
        [HttpdEvent::Failed(HttpdTrouble::Slow)]
    );
    dev.serial("2").wait(1000).sends(SERVER, get("2"));
}

/// H5: a request of 2 KB became two, unsaid.
#[test]
fn h5_a_frame_of_eight_kilobytes_is_one_request_and_a_longer_one_is_told_once() {
    let mut dev = begun(Config {
        packing_time: 100,
        httpd: post(),
        ..factory()
    });
    dev.serial([b'x'; 4096]).serial([b'y'; 4095]).wait(300);
    let sent = dev.received(SERVER);
    assert!(
        sent.ends_with(&[b'y'; 4095])
            && sent
                .windows(22)
                .any(|part| part == b"Content-Length: 8191\r\n")
    );
    dev.network(SERVER, answer("a"));
    httpd_events(&mut dev);
    // Just as long as a request may be: nothing is cut.
    dev.serial([b'x'; 4096])
        .serial([b'x'; 4096])
        .wait(300)
        .network(SERVER, answer("a"));
    assert_eq!(
        httpd_events(&mut dev),
        [HttpdEvent::Answered {
            status: 200,
            body: 1
        }]
    );
    for _ in 0..2 {
        dev.serial([b'x'; 4096])
            .serial([b'x'; 4096])
            .wait(50)
            .serial("more")
            .wait(300);
        dev.network(SERVER, answer("a"))
            .wait(100)
            .network(SERVER, answer("b"));
    }
    let told: Vec<_> = httpd_events(&mut dev)
        .into_iter()
        .filter(|event| matches!(event, HttpdEvent::Cut { .. }))
        .collect();
    assert_eq!(told, [HttpdEvent::Cut { at: 8192 }]);
    assert_eq!(counters(&dev).requests, 6);
}

#[test]
fn h5_a_restart_behind_the_longest_request_does_not_say_that_one_was_cut() {
    let mut dev = begun(Config {
        packing_time: 100,
        httpd: post(),
        ..factory()
    });
    dev.serial([b'x'; 4096])
        .serial([b'x'; 4096])
        .wait(300)
        .network(SERVER, answer("a"))
        .wait(10);
    dev.printed();
    dev.escape().serial("AT+CIRESET\r").wait(20_000);
    assert!(
        !httpd_events(&mut dev)
            .iter()
            .any(|event| matches!(event, HttpdEvent::Cut { .. }))
    );
}

fn post() -> HttpdConfig {
    HttpdConfig {
        method: Method::Post,
        ..factory().httpd
    }
}

#[test]
fn h3_a_server_that_takes_requests_and_answers_badly_is_not_treated_as_away() {
    let mut dev = plain();
    for number in 1..20 {
        let frame = format!("{number}");
        dev.serial(&frame).wait(150).sends(SERVER, get(&frame));
        let taken = get(&frame).len() as u64;
        // Broken, closed without a word, and silent for too long.
        match number % 3 {
            0 => dev.network(SERVER, "ICY 200 OK\r\n\r\n"),
            1 => dev.lose(SERVER, CloseReason::PeerClosed, taken),
            _ => dev.wait(11_000),
        };
        dev.wait(2000);
    }
    assert_eq!(
        (counters(&dev).frames_in, counters(&dev).requests),
        (19, 19)
    );
}
