//! A line that takes nothing, stands, or is missing (decisions 16.21).

use super::*;

fn short_link() -> Config {
    Config {
        long_links: false,
        ..one_link()
    }
}

#[test]
fn d3_a_short_link_is_not_idle_while_its_bytes_wait_for_the_dte() {
    let mut dev = Bench::new(short_link());
    dev.wait(200);
    dev.serial("ask").wait(300).sends(LINK1, "ask");
    dev.dte_stops();
    floods(&mut dev, LINK1);
    dev.wait(600_000);
    assert_eq!(dev.peer(LINK1).closes, 0);
    dev.dte_reads_on().wait(9_900);
    assert_eq!(
        dev.peer(LINK1).closes,
        0,
        "ten seconds from the last byte that the line took"
    );
    dev.wait(200);
    assert_eq!(dev.peer(LINK1).closes, 1);
}

#[test]
fn d5_a_command_is_heard_though_the_dte_does_not_read() {
    let mut config = one_link();
    config.links[1].enabled = true;
    (config.network_at, config.password) = (true, "other".into());
    let mut dev = Bench::new(config);
    dev.wait(200);
    dev.dte_stops();
    assert_eq!(floods(&mut dev, LINK1), 15 * 1024);
    // Another link is heard at once, this one soon: what is in front of the command is read.
    dev.network(LINK2, "other,AT+CIVER?");
    assert!(String::from_utf8_lossy(&dev.received(LINK2)).contains("+CIVER"));
    dev.wait(2_000);
    dev.network(LINK1, [b'd'; 1024]);
    assert!(dev.dtu.wants_socket(LINK1));
    dev.network(LINK1, "other,AT+CIVER?");
    assert!(String::from_utf8_lossy(&dev.received(LINK1)).contains("+CIVER"));
}

#[test]
fn d5_a_line_that_takes_nothing_for_a_minute_makes_no_link_deaf() {
    let mut config = one_link();
    (config.network_at, config.password) = (true, "other".into());
    let mut dev = Bench::new(config);
    dev.wait(200);
    dev.dte_stops();
    floods(&mut dev, LINK1);
    dev.wait(2_000);
    floods(&mut dev, LINK1);
    let waiting = dev.dtu.status(dev.now).serial.waiting;
    assert!((60 * 1024..66 * 1024).contains(&waiting), "{waiting}");
    dev.wait(57_000);
    assert!(!dev.dtu.wants_socket(LINK1));
    dev.wait(1_001);
    assert!(dev.dtu.wants_socket(LINK1));
    dev.network(LINK1, [b'e'; 1024])
        .network(LINK1, "other,AT+CIVER?");
    assert!(String::from_utf8_lossy(&dev.received(LINK1)).contains("+CIVER"));
    let status = dev.dtu.status(dev.now).serial;
    assert!(status.waiting <= 66 * 1024, "{}", status.waiting);
    assert!(status.counters.undelivered_bytes > 0);
}

#[test]
fn d5_where_nobody_may_command_the_server_waits_and_nothing_is_lost() {
    let mut dev = Bench::new(one_link());
    dev.wait(200);
    dev.dte_stops();
    floods(&mut dev, LINK1);
    dev.wait(3_600_000);
    assert!(!dev.dtu.wants_socket(LINK1));
    assert_eq!(dev.dtu.status(dev.now).serial.counters.undelivered_bytes, 0);
}

#[test]
fn d5_rtime_stands_still_while_a_link_is_not_read_and_a_restart_forgets_what_waits() {
    let mut config = one_link();
    config.restart_time = 600;
    let mut dev = Bench::new(config);
    dev.wait(200);
    dev.dte_stops();
    dev.printed();
    let taken = floods(&mut dev, LINK1);
    dev.wait(3_600_000);
    assert!(dev.power.is_empty());
    dev.input(Input::Console("AT+CIRESET")).wait(3_000);
    assert_eq!(dev.power.len(), 1);
    let status = dev.dtu.status(dev.now).serial;
    assert_eq!(status.counters.undelivered_bytes, taken as u64);
    assert_eq!(
        status.waiting,
        "\r\nUSR-GPRS232-DTU\r\n".len(),
        "the banner of the new start"
    );
}

#[test]
fn d6_bytes_for_a_missing_line_wait_two_seconds() {
    let mut dev = Bench::new(one_link());
    dev.wait(200);
    dev.printed();
    dev.input(Input::Serial(SerialInput::Gone));
    dev.dte_stops();
    dev.network(LINK1, "old order")
        .wait(1_000)
        .network(LINK1, "newer");
    dev.wait(999);
    assert_eq!(dev.dtu.status(dev.now).serial.waiting, 14);
    dev.wait(1);
    assert_eq!(dev.dtu.status(dev.now).serial.waiting, 5);
    dev.input(Input::Serial(SerialInput::Present))
        .dte_reads_on()
        .prints("newer");
    let counters = dev.dtu.status(dev.now).serial.counters;
    assert_eq!(
        (counters.undelivered_bytes, counters.bytes_out),
        (9, 5 + 19)
    );
    assert!(
        dev.events
            .contains(&dtu_proto::event::Event::LineDropped { bytes: 9, of: None })
    );
}

#[test]
fn d6_the_hold_runs_from_when_the_line_went_missing() {
    let mut dev = Bench::new(one_link());
    dev.wait(200);
    dev.dte_stops();
    dev.network(LINK1, [b'd'; 1024])
        .network(LINK1, [b'e'; 1024]);
    dev.wait(10_000);
    dev.input(Input::Serial(SerialInput::Gone));
    dev.wait(1_900);
    assert_eq!(dev.dtu.status(dev.now).serial.counters.undelivered_bytes, 0);
    dev.wait(200);
    assert!(dev.dtu.status(dev.now).serial.counters.undelivered_bytes > 0);
}

#[test]
fn d6_no_old_orders_wait_in_the_socket_for_a_line_that_stays_away() {
    let mut dev = Bench::new(one_link());
    dev.wait(200);
    dev.input(Input::Serial(SerialInput::Gone));
    dev.dte_stops();
    floods(&mut dev, LINK1);
    dev.wait(2_000);
    // More than two seconds of a server that sends without end: it is read on, and no more waits than before.
    for _ in 0..1_000 {
        assert!(dev.dtu.wants_socket(LINK1));
        dev.network(LINK1, [b'o'; 1024]);
    }
    let status = dev.dtu.status(dev.now).serial;
    assert!(status.waiting <= 64 * 1024, "{}", status.waiting);
    assert!(status.counters.undelivered_bytes >= 900 * 1024);
    // A restart of the line: it is read as ever.
    dev.input(Input::Serial(SerialInput::Present));
    assert!(!dev.dtu.wants_socket(LINK1));
}

#[test]
fn d6_a_line_that_stays_away_is_no_limit_for_the_server() {
    let mut dev = Bench::new(one_link());
    dev.wait(200);
    dev.input(Input::Serial(SerialInput::Gone));
    dev.dte_stops();
    let mut taken = 0;
    for _ in 0..50 {
        taken += floods(&mut dev, LINK1);
        dev.wait(2_000);
    }
    assert!(taken >= 50 * 15 * 1024);
    let status = dev.dtu.status(dev.now).serial;
    assert_eq!(
        status.counters.undelivered_bytes + status.waiting as u64,
        taken as u64
    );
    dev.input(Input::Console("AT+CISTAT?"));
    assert!(dev.console.concat().contains(&format!(
        "undelivered={}",
        status.counters.undelivered_bytes
    )));
}

/// D2: a line of 9600 Bd takes 64 KiB in 68 s. It moves all the time, and loses nothing of a server that commands.
#[test]
fn d2_a_long_read_on_a_slow_line_is_no_line_that_stands() {
    let mut config = Config {
        network_at: true,
        ..one_link()
    };
    config.line.baud = 9_600;
    let mut dev = Bench::new(config);
    dev.wait(200).printed();
    dev.dte_stops();
    dev.network(LINK1, vec![b'x'; 64 * 1024]);
    let mut taken = 0;
    while taken < 300 * 1024 {
        let mut rest = dev.unwritten();
        taken += rest;
        while rest > 0 {
            let second = rest.min(960);
            rest -= second;
            dev.wait(second as u64 * 1000 / 960);
            if dev.dtu.wants_socket(LINK1) {
                dev.network(LINK1, vec![b'x'; 64 * 1024]);
            }
        }
        dev.line_takes();
    }
    assert_eq!(dev.dtu.status(dev.now).serial.counters.undelivered_bytes, 0);
}
