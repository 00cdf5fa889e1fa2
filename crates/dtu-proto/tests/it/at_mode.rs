//! The AT mode (2) as a timed dialogue: one connection by `CIOPEN`, `CISEND`, `CICLOSE` (manual 2.1.4, 2.8.6.34 to .36).
#![allow(missing_docs)]

use dtu_proto::config::{Config, Options, Protocol, WorkingMode};
use dtu_proto::event::{CloseReason, Input, Power, SerialInput, SocketId};
use dtu_proto::testing::{Bench, LINK1, Net, one_link};
use dtu_proto::time::Duration;

const AT: SocketId = SocketId::AtMode;
const BANNER: &str = "\r\nUSR-GPRS232-DTU\r\n";
const OK: &str = "\r\nOK\r\n";
const OPEN: &str = "AT+CIOPEN=TCP,usrcn.gicp.net,10101";
const OPENED: &str = "\r\nOK\r\n\r\nCONNECT OK\r\n";
const PROMPT: &str = "\r\n> ";

fn at_mode() -> Config {
    let mut config = one_link();
    config.mode = WorkingMode::AtCommand;
    config
}

fn started(config: Config) -> Bench {
    let mut dev = Bench::new(config);
    dev.at(300).prints(BANNER);
    dev
}

fn open() -> Bench {
    let mut dev = started(at_mode());
    dev.command(OPEN, OPENED);
    dev
}

/// One line of `AT+CINET?` or `AT+CISTAT` that begins so.
#[track_caller]
fn line(dev: &mut Bench, command: &str, begins: &str) -> String {
    dev.serial(format!("{command}\r"));
    let printed = dev.printed();
    let found = printed
        .split("\\r\\n")
        .find(|line| line.starts_with(begins));
    found
        .unwrap_or_else(|| panic!("no {begins} in {printed}"))
        .to_owned()
}

fn failed(why: &str) -> String {
    format!("\r\n+CME ERROR: {why}\r\n")
}

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

#[test]
fn manual_2_8_6_35_cisend_prompts_and_sends_one_frame() {
    let mut dev = open();
    dev.serial("AT+CISEND\r\n")
        .prints(PROMPT)
        .wait(50)
        .serial("te")
        .wait(99)
        .serial("st")
        .wait(99);
    dev.sends_nothing(AT).prints_nothing();
    dev.wait(1).sends(AT, "test").prints("\r\nSEND OK\r\n");
    dev.command("AT", OK);
}

#[test]
fn h2_every_byte_goes_through_1a_at_the_end_too() {
    // Decisions 16.11 replaced 12: no mark ends a frame.
    let mut dev = open();
    let all: Vec<u8> = (0..=255).chain(*b"\x1a\x1b+++AT\r\n\x1a").collect();
    dev.command("AT+CISEND", PROMPT).serial(&all).wait(100);
    dev.sends(AT, &all).prints("\r\nSEND OK\r\n");
    dev.command("AT+CISEND", PROMPT).serial("no mark").wait(100);
    dev.sends(AT, "no mark").prints("\r\nSEND OK\r\n");
}

#[test]
fn h2_escape_alone_gives_up_and_a_mark_alone_is_data() {
    let mut dev = open();
    dev.command("AT+CISEND", PROMPT)
        .serial("\x1b")
        .wait(100)
        .prints(OK);
    dev.command("AT+CISEND", PROMPT)
        .serial("\x1b\x1b")
        .wait(100)
        .sends(AT, "\x1b\x1b");
    dev.prints("\r\nSEND OK\r\n");
    dev.command("AT+CISEND", PROMPT)
        .serial("\x1a")
        .wait(100)
        .sends(AT, "\x1a");
    dev.prints("\r\nSEND OK\r\n");
}

#[test]
fn manual_2_8_6_35_a_frame_of_1024_bytes_is_sent_and_a_longer_one_is_swallowed_whole() {
    let mut dev = open();
    dev.command("AT+CISEND", PROMPT)
        .serial([b'x'; 1024])
        .wait(100);
    dev.sends(AT, [b'x'; 1024]).prints("\r\nSEND OK\r\n");
    dev.command("AT+CISEND", PROMPT)
        .serial([b'x'; 1025])
        .wait(50)
        .serial("AT+CICLOSE\r")
        .wait(50);
    dev.prints_nothing().wait(50);
    dev.prints(failed(
        "CISEND: a frame has at most 1024 bytes, got 1036; nothing was sent",
    ));
    dev.sends_nothing(AT).command("AT", OK);
    let counters = dev.dtu.status(dev.now).at_connection.counters;
    assert_eq!(
        (
            counters.frames_in,
            counters.frames_out,
            counters.dropped_frames
        ),
        (2, 1, 1)
    );
    assert_eq!(
        (
            counters.bytes_in,
            counters.bytes_out,
            counters.dropped_bytes
        ),
        (2060, 1024, 1036)
    );
}

#[test]
fn manual_2_8_6_35_without_packing_a_frame_ends_with_10_ms() {
    let mut config = at_mode();
    config.packing_time = 0;
    let mut dev = started(config);
    dev.command(OPEN, OPENED).command("AT+CISEND", PROMPT);
    dev.serial("a")
        .wait(9)
        .serial("b")
        .wait(9)
        .prints_nothing()
        .wait(1)
        .sends(AT, "ab");
}

#[test]
fn manual_2_8_6_35_a_host_that_wakes_late_merges_nothing_into_the_frame() {
    let mut dev = open();
    dev.command("AT+CISEND", PROMPT)
        .serial("frame")
        .oversleep(150)
        .serial("AT\r");
    dev.sends(AT, "frame").prints("\r\nSEND OK\r\n\r\nOK\r\n");
}

#[test]
fn manual_2_8_6_35_the_length_form_takes_exactly_so_many_bytes() {
    let mut dev = open();
    dev.command("AT+CISEND=5", PROMPT)
        .serial("a\x1a")
        .wait(59_000)
        .prints_nothing();
    dev.serial("\x1b\r\nAT\r")
        .sends(AT, "a\x1a\x1b\r\n")
        .prints("\r\nSEND OK\r\n\r\nOK\r\n");
}

#[test]
fn m11_a_prompt_that_hears_nothing_for_a_minute_fails() {
    // Decisions 16.12 replaced the two minutes and the error text.
    let mut dev = open();
    dev.command("AT+CISEND=5", PROMPT)
        .wait(50_000)
        .serial("abc")
        .wait(59_999)
        .prints_nothing()
        .wait(1);
    dev.prints("\r\nSEND FAIL\r\n").sends_nothing(AT);
    dev.command("AT+CISEND", PROMPT)
        .wait(60_000)
        .prints("\r\nSEND FAIL\r\n")
        .command("AT", OK);
    assert_eq!(
        dev.dtu.status(dev.now).at_connection.counters.dropped_bytes,
        3
    );
}

#[test]
fn manual_2_8_6_35_a_connection_that_ends_meanwhile_is_send_fail_then_closed() {
    let mut dev = open();
    dev.command("AT+CISEND", PROMPT).serial("lost");
    dev.lose(AT, CloseReason::PeerClosed, 0)
        .prints("\r\nCLOSED\r\n")
        .wait(100);
    dev.prints("\r\nSEND FAIL\r\n");

    let mut dev = open();
    dev.net(AT, Net::Stuck);
    dev.command("AT+CISEND", PROMPT)
        .serial("lost")
        .wait(200)
        .prints_nothing();
    dev.lose(AT, CloseReason::Reset, 0)
        .prints("\r\nSEND FAIL\r\n\r\nCLOSED\r\n");
    assert_eq!(
        line(&mut dev, "AT+CINET?", "+CINET:0"),
        "+CINET:0,OFF,reset by the peer"
    );
}

#[test]
fn manual_2_8_6_35_a_socket_that_takes_nothing_for_a_minute_is_closed() {
    let mut dev = open();
    dev.net(AT, Net::Stuck);
    dev.command("AT+CISEND", PROMPT)
        .serial("stuck")
        .wait(60_099)
        .prints_nothing()
        .wait(1);
    dev.prints("\r\nSEND FAIL\r\n\r\nCLOSED\r\n");
    assert_eq!(dev.peer(AT).closes, 1);
    assert_eq!(
        line(&mut dev, "AT+CINET?", "+CINET:0"),
        "+CINET:0,OFF,timed out"
    );
}

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
fn what_is_typed_at_a_prompt_is_echoed_where_echo_is_on() {
    let mut dev = open();
    dev.command("ATE1", OK)
        .command("AT+CISEND=3", "AT+CISEND=3\r\r\n> ")
        .serial("abc");
    dev.prints("abc\r\nSEND OK\r\n")
        .command("AT+CISEND", "AT+CISEND\r\r\n> ")
        .serial("de")
        .wait(100);
    dev.prints("de\r\nSEND OK\r\n");
}

#[test]
fn other_doors_are_busy_while_a_prompt_is_open() {
    let mut dev = open();
    dev.command("AT+CISEND", PROMPT).input(Input::Console("AT"));
    assert!(dev.console[0].contains("busy"), "{:?}", dev.console);
    dev.serial("x").wait(100).prints("\r\nSEND OK\r\n");
}

#[test]
fn a_dte_that_goes_leaves_no_half_frame() {
    let mut dev = open();
    dev.command("AT+CISEND", PROMPT)
        .serial("half")
        .input(Input::Serial(SerialInput::Gone))
        .wait(1000);
    dev.input(Input::Serial(SerialInput::Present))
        .command("AT", OK)
        .sends_nothing(AT);
    assert_eq!(
        dev.dtu.status(dev.now).at_connection.counters.dropped_bytes,
        4
    );
}

#[test]
fn digits_and_silence_are_obeyed() {
    let mut dev = started(at_mode());
    dev.command("ATV0", "0\r")
        .command(OPEN, "0\r1\r")
        .command("AT+CISEND", PROMPT)
        .serial("x")
        .wait(100);
    dev.prints("0\r")
        .command("AT+CICLOSE", "0\r")
        .command(OPEN, "0\r1\r");
    dev.lose(AT, CloseReason::PeerClosed, 1).prints("3\r");
    dev.command("ATQ1", "")
        .command(OPEN, "")
        .command("AT+CISEND", PROMPT)
        .serial("y")
        .wait(100)
        .prints_nothing();
    dev.sends(AT, "x")
        .sends(AT, "y")
        .network(AT, "raw")
        .prints("raw");
    dev.lose(AT, CloseReason::PeerClosed, 1).prints_nothing();
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

#[test]
fn on_a_slow_line_a_frame_at_the_prompt_is_not_a_byte_long() {
    let mut config = at_mode();
    config.packing_time = 0;
    config.line.baud = 110;
    let mut dev = started(config);
    dev.command(OPEN, OPENED).command("AT+CISEND", PROMPT);
    dev.serial("A")
        .wait(91)
        .serial("T")
        .wait(91)
        .serial("\r")
        .wait(200);
    dev.sends(AT, "AT\r").prints("\r\nSEND OK\r\n");
}

/// H1 (decisions 16.10): some programs write CR, and LF by itself a moment later.
#[test]
fn h1_a_line_feed_that_comes_late_belongs_to_the_command() {
    let mut dev = open();
    for pause in [0, 5, 40, 3000] {
        dev.command("AT+CISEND", PROMPT)
            .wait(pause)
            .serial("\n")
            .wait(200)
            .prints_nothing();
        dev.serial("test")
            .wait(100)
            .sends(AT, "test")
            .prints("\r\nSEND OK\r\n");
    }
    dev.command("AT+CISEND=3", PROMPT)
        .wait(5)
        .serial("\n")
        .serial("ab\n")
        .sends(AT, "ab\n");
    dev.prints("\r\nSEND OK\r\n")
        .command("AT+CISEND=3", PROMPT)
        .wait(100)
        .serial("\nab");
    dev.sends(AT, "\nab").prints("\r\nSEND OK\r\n");
}

#[test]
fn h1_a_late_line_feed_behind_entm_reaches_no_server() {
    let mut dev = Bench::new(one_link());
    dev.at(300)
        .prints(BANNER)
        .escape()
        .command("AT+ENTM", OK)
        .wait(40)
        .serial("\n")
        .wait(300);
    dev.sends_nothing(LINK1)
        .serial("\n")
        .wait(300)
        .sends(LINK1, "\n");
}

/// H2: with echo on, bytes of the peer do not land amid a line that is being typed; a typist who goes away holds them
/// up for 3 s.
#[test]
fn h2_bytes_wait_for_the_end_of_a_line_that_is_echoed() {
    let mut dev = open();
    dev.command("ATE1", OK)
        .serial("AT+C")
        .prints("AT+C")
        .network(AT, "data")
        .prints_nothing();
    dev.serial("IPR?\r")
        .prints("IPR?\r\r\n+CIPR: 115200\r\n\r\nOK\r\ndata");
    dev.serial("AT")
        .prints("AT")
        .network(AT, "one")
        .wait(2999)
        .prints_nothing()
        .wait(1)
        .prints("one");
    dev.lose(AT, CloseReason::PeerClosed, 0)
        .prints_nothing()
        .serial("\r");
    dev.prints("\r\r\nOK\r\n\r\nCLOSED\r\n");
    let mut dev = open();
    dev.serial("AT")
        .network(AT, "without echo")
        .prints("without echo");
}

/// M11: who opens the port next does not go on with the line of the one before.
#[test]
fn m11_a_half_typed_line_is_forgotten_with_its_dte() {
    let mut dev = open();
    dev.serial("AT+CIPR=96")
        .input(Input::Serial(SerialInput::Gone));
    dev.input(Input::Serial(SerialInput::Present));
    dev.command("AT", OK)
        .command("AT+CIPR?", "\r\n+CIPR: 115200\r\n\r\nOK\r\n");
}
