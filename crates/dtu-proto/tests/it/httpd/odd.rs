//! Odd servers, long frames.

use super::*;

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
