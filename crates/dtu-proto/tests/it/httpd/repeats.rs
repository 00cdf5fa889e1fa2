//! What is sent again, and what never.

use super::*;

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
    let mut dev = answered();
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
        let mut dev = answered();
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
