//! The connection to the server.

use super::*;

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
    let mut dev = answered();
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
fn a_request_without_a_connection_waits_to_try_again_and_without_one_for_data() {
    let state = |dev: &Bench| dev.dtu.status(dev.now).httpd.state;
    let mut dev = plain();
    assert_eq!(state(&dev), LinkState::Waiting(WaitingFor::Data));
    dev.net(SERVER, Net::Refused).serial("1").wait(10_000);
    assert_eq!(state(&dev), LinkState::Waiting(WaitingFor::Retry));
    dev.input(Input::Modem(&ModemInput::Detached));
    assert_eq!(state(&dev), LinkState::Waiting(WaitingFor::Network));
}

#[test]
fn a_connection_that_ends_says_how_far_the_answer_was() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    let by = LinkDownReason::Network;
    for (came, reason, wanted) in [
        (
            "",
            CloseReason::PeerClosed,
            Some(HttpdTrouble::Lost(by(CloseReason::PeerClosed))),
        ),
        (
            "",
            CloseReason::Reset,
            Some(HttpdTrouble::Lost(by(CloseReason::Reset))),
        ),
        (
            head,
            CloseReason::Reset,
            Some(HttpdTrouble::Broken(by(CloseReason::Reset))),
        ),
        (head, CloseReason::PeerClosed, None),
    ] {
        let mut dev = plain();
        dev.serial("1").wait(100).network(SERVER, came);
        dev.breaks(SERVER, reason);
        let events = httpd_events(&mut dev);
        match (&events[..], wanted) {
            ([HttpdEvent::Failed(trouble)], Some(wanted)) => assert_eq!(*trouble, wanted),
            ([HttpdEvent::Failed(HttpdTrouble::Bad(_))], None) => {}
            _ => panic!("{came:?}, {reason:?}: {events:?}"),
        }
    }
}
