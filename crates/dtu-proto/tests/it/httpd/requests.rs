//! Requests and answers.

use super::*;

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
fn bytes_of_answers_are_counted_with_their_heads() {
    let mut dev = plain();
    for _ in 0..2 {
        dev.serial("x").wait(100);
        dev.network(SERVER, answer("12")).prints("12");
    }
    let counters = counters(&dev);
    let all = 2 * answer("12").len() as u64;
    assert_eq!((counters.received_bytes, counters.printed_bytes), (all, 4));
}
