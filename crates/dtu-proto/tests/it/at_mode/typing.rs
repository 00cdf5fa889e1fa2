//! Lines that are typed: their end, echo, digits, silence, a DTE that goes.

use super::*;

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

/// Somebody else's command waits for the disk meanwhile.
#[test]
fn data_waits_for_the_answer_though_the_line_stays_half_typed() {
    let mut dev = open();
    dev.command("ATE1", OK);
    dev.store.answers = false;
    dev.serial("AT+C").prints("AT+C");
    dev.console_line("AT&W").network(AT, "data");
    dev.wait(5000);
    let early = dev.printed();
    dev.input(Input::Store(StoreInput::Saved)).wait(5000);
    assert_eq!(early + &dev.printed(), "data");
}
