//! `CICLOSE`, and the end that the peer makes.

use super::*;

#[test]
fn manual_2_8_6_36_ciclose_is_answered_by_close_ok_alone() {
    let mut dev = open();
    dev.command("AT+CICLOSE", "\r\nCLOSE OK\r\n");
    assert_eq!(dev.peer(AT).closes, 1);
    assert_eq!(
        line(&mut dev, "AT+CINET?", "+CINET:0"),
        "+CINET:0,OFF,ordered"
    );
    dev.command("AT+CICLOSE", &failed("CICLOSE: no connection is open"));
    dev.command(OPEN, OPENED).command(
        "AT+CICLOSE;+CIPR?",
        "\r\nCLOSE OK\r\n\r\n+CIPR: 115200\r\n\r\nOK\r\n",
    );
}

#[test]
fn manual_2_8_6_36_ciclose_ends_an_attempt_without_connect_fail() {
    let mut dev = started(at_mode());
    dev.net(AT, Net::BlackHole);
    dev.command(OPEN, OK)
        .wait(100)
        .command("AT+CICLOSE", "\r\nCLOSE OK\r\n")
        .wait(60_000)
        .prints_nothing();
}

#[test]
fn what_the_peer_sends_is_printed_raw_and_closed_stands_behind_it() {
    let mut dev = open();
    let all: Vec<u8> = (0..=255).collect();
    dev.network(AT, &all).prints(&all);
    dev.network(AT, "12345,AT+CIPR?").prints("12345,AT+CIPR?");
    dev.network(AT, "end")
        .lose(AT, CloseReason::PeerClosed, 0)
        .prints("end\r\nCLOSED\r\n");
}

#[test]
fn bytes_wait_while_a_prompt_is_open_and_the_socket_is_not_read_without_end() {
    let mut dev = open();
    dev.command("AT+CISEND", PROMPT)
        .network(AT, "one")
        .network(AT, "two")
        .prints_nothing();
    dev.serial("x").wait(100).prints("\r\nSEND OK\r\nonetwo");
    dev.command("AT+CISEND", PROMPT);
    while dev.dtu.wants_socket(AT) {
        dev.network(AT, [b'x'; 1024]);
    }
    assert_eq!(dev.dtu.status(dev.now).serial.waiting, 15 * 1024);
    dev.serial("\x1b").wait(100);
    assert!(dev.printed().starts_with("\\r\\nOK\\r\\nxxx") && dev.dtu.wants_socket(AT));
}

#[test]
fn what_the_peer_sent_before_it_closed_stands_behind_the_answer_and_before_closed() {
    let mut dev = open();
    dev.command("AT+CISEND", PROMPT).network(AT, "last words");
    // Decisions 16.11: told at once.
    dev.lose(AT, CloseReason::PeerClosed, 0)
        .prints("last words\r\nCLOSED\r\n");
    dev.serial("x").wait(100).prints("\r\nSEND FAIL\r\n");

    let mut dev = open();
    dev.net(AT, Net::Stuck);
    dev.command("AT+CISEND=1", PROMPT)
        .serial("x")
        .network(AT, "last words")
        .prints_nothing();
    dev.lose(AT, CloseReason::Reset, 0)
        .prints("\r\nSEND FAIL\r\nlast words\r\nCLOSED\r\n");
}

#[test]
fn a_peer_that_takes_nothing_does_not_hold_up_a_stop() {
    let mut dev = open();
    dev.net(AT, Net::Stuck);
    dev.command("AT+CISEND=1", PROMPT)
        .serial("x")
        .input(Input::Shutdown)
        .wait(1999);
    assert!(dev.power.is_empty());
    dev.wait(1).prints("\r\nSEND FAIL\r\n\r\nCLOSED\r\n");
    assert_eq!(dev.power, [Power::Stop]);
}

#[test]
fn a_datagram_without_a_byte_takes_no_room_behind_a_prompt() {
    let mut dev = started(at_mode());
    dev.command("AT+CIOPEN=UDP,usrcn.gicp.net,10101", OPENED)
        .command("AT+CISEND", PROMPT);
    let leds = dev.leds.len();
    dev.network(AT, "");
    assert_eq!(
        dev.dtu
            .status(dev.now)
            .at_connection
            .counters
            .received_reads,
        0
    );
    assert_eq!(dev.leds.len(), leds);
}

/// The host does not say that the connection is closed: the answer comes all the same.
#[test]
fn manual_2_8_6_36_ciclose_is_answered_though_the_host_is_silent() {
    let mut dev = open();
    dev.late_closes = true;
    dev.serial("AT+CICLOSE\r").wait(60_000);
    dev.prints("\r\nCLOSE OK\r\n");
}

#[test]
fn what_the_network_ends_was_lost_and_what_the_dte_ends_was_not() {
    let mut dev = open();
    let counters = |dev: &Bench| {
        let of = dev.dtu.status(dev.now).at_connection.counters;
        (of.opened, of.lost, of.failed)
    };
    for lost in 1..=2 {
        dev.breaks(AT, CloseReason::Reset).wait(1000).printed();
        assert_eq!(counters(&dev), (lost, lost, 0));
        dev.command(OPEN, OPENED);
    }
    dev.serial("AT+CICLOSE\r").wait(1000);
    assert_eq!(counters(&dev), (3, 2, 0));
}

#[test]
fn ciclose_is_answered_when_the_host_has_closed() {
    let mut dev = open();
    dev.late_closes = true;
    dev.serial("AT+CICLOSE\r").wait(1000).prints_nothing();
    dev.closed(AT);
    let printed = dev.printed();
    assert!(printed.contains("CLOSE OK"), "{printed}");
}
