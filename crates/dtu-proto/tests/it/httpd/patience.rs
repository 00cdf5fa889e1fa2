//! Answers that are late, or that the DTE does not read.

use super::*;

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
    let size = 40 * 1024;
    let given = stops_in_an_answer(&mut dev, size);
    assert!(given <= 17 * 1024, "{given} bytes wait");
    dev.wait(600_000);
    assert_eq!(counters(&dev).timed_out, 0);
    dev.dte_reads_on()
        .wait(9900)
        .network(SERVER, vec![b'x'; size - given]);
    assert_eq!((counters(&dev).answered, dev.printed().len()), (1, size));
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

/// How the host ends the connection adds nothing to that.
#[test]
fn a_request_is_late_at_its_time_though_the_host_is_slow_to_close() {
    let mut dev = plain();
    dev.late_closes = true;
    dev.serial("1").wait(100).sends(SERVER, get("1"));
    dev.wait(10_100);
    assert_eq!((counters(&dev).timed_out, dev.peer(SERVER).closes), (1, 1));
    assert_eq!(dev.dtu.status(dev.now).httpd.waiting_frames, 0);
}

/// That a request left is no data of the network.
#[test]
fn rtime_runs_on_while_requests_go_and_no_answer_comes() {
    let mut dev = device(|config| config.restart_time = 600);
    dev.net(SERVER, Net::Refused).serial("1").at(400_000);
    dev.net(SERVER, Net::Good).at(600_900);
    assert_eq!((counters(&dev).requests, dev.power.len()), (1, 0));
    dev.at(602_000);
    assert_eq!(dev.power, [Power::Restarted]);
}

/// One that has acknowledged the request is there; what it makes of it is its own affair.
#[test]
fn a_server_that_took_the_request_is_asked_again_at_once() {
    for (net, tries) in [(Net::Good, 2), (Net::Unacked, 1)] {
        let mut dev = device(|config| config.httpd.timeout = 2);
        dev.net(SERVER, net).serial("1").serial("2").wait(2000);
        while counters(&dev).timed_out == 0 {
            dev.wait(10);
        }
        dev.wait(110);
        assert_eq!(connects(&mut dev), tries, "{net:?}");
        dev.wait(500);
        assert_eq!(connects(&mut dev), 2);
    }
}

#[test]
fn a_server_that_took_nothing_and_is_gone_is_given_a_pause() {
    let mut dev = device(|config| config.httpd.timeout = 60);
    dev.net(SERVER, Net::Unacked).serial("1").serial("2");
    dev.wait(10_000).lose(SERVER, CloseReason::Reset, 0);
    dev.wait(110);
    assert_eq!(connects(&mut dev), 1);
    dev.wait(500);
    assert_eq!(connects(&mut dev), 2);
}

#[test]
fn a_request_that_leaves_piece_by_piece_has_a_minute_for_each() {
    let mut dev = plain();
    dev.net(SERVER, Net::Stuck).serial("1").wait(100);
    dev.wait(50_000).acked(SERVER, 5).wait(59_000);
    assert_eq!(dev.peer(SERVER).closes, 0);
    dev.wait(1001);
    assert_eq!(dev.peer(SERVER).closes, 1);
}

#[test]
fn a_request_that_is_answered_before_it_has_left_counts_as_one() {
    let mut dev = plain();
    dev.net(SERVER, Net::Stuck).serial("1").wait(100);
    dev.network(SERVER, answer("a")).prints("a");
    assert_eq!((counters(&dev).requests, counters(&dev).answered), (1, 1));
}

#[test]
fn a_server_that_took_a_part_of_the_request_and_is_gone_is_given_a_pause_too() {
    let mut dev = device(|config| config.httpd.timeout = 60);
    dev.net(SERVER, Net::Unacked).serial("1").serial("2");
    dev.wait(1000).lose(SERVER, CloseReason::Reset, 5);
    dev.wait(110);
    assert_eq!(connects(&mut dev), 1);
    dev.wait(500);
    assert_eq!(connects(&mut dev), 2);
}
