//! `CISEND`: the prompt, its frame, its limits.

use super::*;

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

#[test]
fn a_prompt_that_ends_with_the_line_costs_a_frame_if_a_byte_was_typed() {
    for (typed, frames) in [("", 0), ("x", 1)] {
        let mut dev = open();
        dev.command("AT+CISEND", PROMPT).serial(typed);
        dev.input(Input::Serial(SerialInput::Gone)).wait(10);
        let counters = dev.dtu.status(dev.now).at_connection.counters;
        let told = (counters.frames_in, counters.dropped_frames);
        assert_eq!(told, (frames, frames), "{typed:?}");
    }
}
