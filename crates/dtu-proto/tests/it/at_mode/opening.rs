//! `CIOPEN`: one connection, and what becomes of the attempt.

use super::*;

#[test]
fn manual_2_1_4_the_line_is_in_the_command_state_all_the_time() {
    let mut dev = started(at_mode());
    dev.command("AT", OK)
        .command("AT+ENTM", OK)
        .command("AT", OK);
    dev.serial("no command\r")
        .prints(failed("a command line begins with AT, got no command"));
    assert!(dev.peer(LINK1).connects.is_empty(), "the links rest");
}

#[test]
fn manual_2_8_6_34_ciopen_answers_ok_then_connect_ok() {
    let mut dev = started(at_mode());
    dev.serial("AT+CIOPEN= TCP,usrcn.gicp.net,10101\r\n")
        .prints(OPENED);
    let connect = dev.peer(AT).connects[0].1.clone();
    assert_eq!(
        (connect.protocol, &*connect.address, connect.port),
        (Protocol::Tcp, "usrcn.gicp.net", 10101)
    );
    assert_eq!((connect.local_port, connect.tls), (0, false));
    assert!(dev.dtu.status(dev.now).leds.data);
}

#[test]
fn manual_2_8_6_34_words_in_any_case_with_quotes_or_without() {
    for typed in [
        "at+ciopen=udp,10.0.0.1,33",
        "AT+CIOPEN=\"UDP\",\"10.0.0.1\",\"33\"",
    ] {
        let mut dev = started(at_mode());
        dev.command(typed, OPENED);
        assert_eq!(dev.peer(AT).connects[0].1.protocol, Protocol::Udp);
    }
}

#[test]
fn manual_2_8_6_34_connect_fail_and_cinet_tells_why() {
    let mut dev = started(at_mode());
    dev.net(AT, Net::Refused);
    dev.command(OPEN, "\r\nOK\r\n\r\nCONNECT FAIL\r\n");
    assert_eq!(
        line(&mut dev, "AT+CINET?", "+CINET:0"),
        "+CINET:0,OFF,refused"
    );
    dev.net(AT, Net::Good);
    dev.command(OPEN, OPENED);
    assert_eq!(
        line(&mut dev, "AT+CINET?", "+CINET:0"),
        "+CINET:0,CONNECTED"
    );
}

#[test]
fn manual_2_8_6_34_without_a_network_it_fails_at_once() {
    let mut dev = Bench::cold(
        at_mode(),
        Options {
            setup_window: Duration::ZERO,
            ..Options::default()
        },
    );
    dev.at(300)
        .prints(BANNER)
        .command(OPEN, "\r\nOK\r\n\r\nCONNECT FAIL\r\n");
    assert_eq!(
        line(&mut dev, "AT+CINET?", "+CINET:0"),
        "+CINET:0,OFF,unreachable"
    );
    assert!(dev.peer(AT).connects.is_empty());
}

#[test]
fn manual_2_8_6_34_there_is_one_connection() {
    let mut dev = open();
    dev.command(
        OPEN,
        &failed("CIOPEN: a connection is open already; AT+CICLOSE closes it"),
    );
    let mut dev = started(at_mode());
    dev.net(AT, Net::BlackHole);
    dev.command(OPEN, OK);
    assert_eq!(
        line(&mut dev, "AT+CINET?", "+CINET:0"),
        "+CINET:0,CONNECTING"
    );
    dev.command(
        OPEN,
        &failed("CIOPEN: a connection is open already; AT+CICLOSE closes it"),
    );
    dev.connects(AT).prints("\r\nCONNECT OK\r\n");
}

#[test]
fn manual_2_8_6_34_a_host_that_says_nothing_is_a_failure() {
    let mut dev = started(at_mode());
    dev.net(AT, Net::BlackHole);
    dev.command(OPEN, OK)
        .wait(39_000)
        .prints_nothing()
        .wait(2000)
        .prints("\r\nCONNECT FAIL\r\n");
}

/// Manual 1.4: DATA lights while a connection stands.
#[test]
fn the_data_led_lights_with_the_connection_and_not_before() {
    let mut dev = started(at_mode());
    assert!(dev.leds.iter().all(|leds| !leds.data), "{:?}", dev.leds);
    dev.wait(10_000).command(OPEN, OPENED).wait(1000);
    assert!(dev.leds.last().is_some_and(|leds| leds.data));
    dev.network(AT, "answer").network(AT, "s").prints("answers");
    let counters = dev.dtu.status(dev.now).at_connection.counters;
    assert_eq!(
        (
            counters.opened,
            counters.received_bytes,
            counters.received_reads
        ),
        (1, 7, 2)
    );
}

#[test]
fn an_attempt_that_is_refused_or_has_no_network_failed() {
    let mut dev = started(at_mode());
    dev.net(AT, Net::Refused);
    for failed in 1..=3 {
        if failed == 2 {
            dev.news(ModemInput::Detached).wait(1000).printed();
        }
        dev.command(OPEN, "\r\nOK\r\n\r\nCONNECT FAIL\r\n");
        let counters = dev.dtu.status(dev.now).at_connection.counters;
        assert_eq!((counters.opened, counters.failed), (0, failed));
    }
}
