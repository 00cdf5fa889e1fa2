//! The escape and the online command state.

use super::*;

#[test]
fn manual_2_8_2_the_escape_and_entm() {
    let mut dev = up(one_link());
    dev.escape()
        .command("AT", OK)
        .network(LINK1, "meanwhile")
        .prints_nothing();
    dev.command("AT+ENTM", "\r\nOK\r\nmeanwhile")
        .wait(300)
        .serial("data")
        .wait(100)
        .sends(LINK1, "data");
    dev.sends_nothing(LINK1);
}

#[test]
fn both_halves_of_a_line_end_belong_to_the_command() {
    let mut dev = up(one_link());
    dev.escape()
        .serial("AT+ENTM\r\n")
        .prints(OK)
        .serial("data")
        .wait(100)
        .sends(LINK1, "data");
    dev.escape()
        .serial("AT+ENTM\r")
        .prints(OK)
        .wait(1)
        .serial("\ndata")
        .wait(100)
        .sends(LINK1, "data");
    // Decisions 16.10: it was 2 ms.
    dev.escape()
        .serial("AT+ENTM\r")
        .prints(OK)
        .wait(51)
        .serial("\ndata")
        .wait(100)
        .sends(LINK1, "\ndata");
}

#[test]
fn h1_a_line_feed_up_to_50_ms_behind_its_command_is_no_data() {
    let mut dev = up(one_link());
    dev.escape()
        .serial("AT+ENTM\r")
        .prints(OK)
        .wait(50)
        .serial("\n")
        .wait(300)
        .sends_nothing(LINK1);
    dev.serial("data").wait(100).sends(LINK1, "data");
    // The other way round nobody is so slow.
    dev.escape()
        .serial("AT+ENTM\n")
        .prints(OK)
        .wait(5)
        .serial("\rdata")
        .wait(100)
        .sends(LINK1, "\rdata");
}

#[test]
fn h7_the_escape_is_answered_in_the_command_state_and_changes_nothing() {
    let mut dev = up(one_link());
    dev.escape()
        .command("AT+CIPR?", "\r\n+CIPR: 115200\r\n\r\nOK\r\n");
    dev.wait(300)
        .serial("+++")
        .wait(300)
        .prints("a")
        .serial("a")
        .wait(300)
        .prints("\r\n+ok\r\n");
    dev.command("AT", OK)
        .command("AT+ENTM", OK)
        .serial("data")
        .wait(100)
        .sends(LINK1, "data");
    // Without the second half the next line is not spoiled.
    dev.escape()
        .wait(300)
        .serial("+++")
        .wait(300)
        .prints("a")
        .wait(3000)
        .command("AT", OK);
}

#[test]
fn m10_noise_in_front_of_a_command_is_skipped() {
    let mut dev = up(one_link());
    dev.escape();
    for noise in [
        &b"\0\0"[..],
        b"\xff",
        b"hello \x1a",
        b"\xb2\xe2 ",
        b"\x02\x80\x03",
    ] {
        dev.serial(noise)
            .command("AT", OK)
            .serial(noise)
            .command("at+cipr?", "\r\n+CIPR: 115200\r\n\r\nOK\r\n");
    }
    // What a person mistypes is told, and no value is touched.
    dev.serial("hello AT\r")
        .prints("\r\n+CME ERROR: a command line begins with AT, got hello AT\r\n");
}

#[test]
fn the_line_end_of_a_restart_is_no_data() {
    for end in ["\r\n", "\n\r"] {
        let mut dev = up(one_link());
        dev.escape()
            .serial(format!("AT+CIRESET{end}"))
            .wait(1000)
            .sends_nothing(LINK1);
    }
}

#[test]
fn data_directly_behind_entm_is_data() {
    let mut dev = up(one_link());
    dev.escape()
        .serial("AT+ENTM\r\nAT+CIRESET\r")
        .prints(OK)
        .wait(100)
        .sends(LINK1, "AT+CIRESET\\r".replace("\\r", "\r"));
    assert!(dev.power.is_empty());
}

#[test]
fn in_the_command_state_sockets_are_read_up_to_15_kib() {
    let mut dev = up(one_link());
    dev.escape();
    while dev.dtu.wants_socket(LINK1) {
        dev.network(LINK1, [b'x'; 1024]);
    }
    assert_eq!(dev.dtu.status(dev.now).serial.waiting, 15 * 1024);
    dev.prints_nothing().serial("AT+ENTM\r");
    assert_eq!(
        dev.printed(),
        format!("{}{}", OK.escape_default(), "x".repeat(15 * 1024))
    );
}

#[test]
fn a_line_too_long_is_refused_whole() {
    let mut dev = up(one_link());
    dev.escape().serial([b'A'; 1200]).serial("\r");
    assert!(dev.printed().contains("at most 1024 bytes"));
    dev.command("AT", OK);
}

#[test]
fn echo_comes_before_the_reply() {
    let mut dev = up(one_link());
    dev.escape()
        .command("ATE1", OK)
        .serial("A")
        .prints("A")
        .serial("T\r")
        .prints("T\r\r\nOK\r\n");
}

#[test]
fn manual_2_8_6_20_auto_0_stays_in_the_command_state_until_entm() {
    let mut config = one_link();
    config.auto_mode = false;
    let mut dev = up(config);
    dev.at(10_000).command("AT", OK);
    assert!(dev.peer(LINK1).connects.is_empty());
    dev.command("AT+ENTM", OK).wait(200);
    assert_eq!(dev.peer(LINK1).connects.len(), 1);
}

#[test]
fn manual_2_8_6_23_in_mode_2_the_line_is_always_in_the_command_state() {
    let mut dev = Bench::with(one_link(), Options::default());
    dev.prints(BANNER)
        .at(100)
        .command("AT+CIMOD=\"2\"", OK)
        .at(5200)
        .command("AT", OK);
    assert!(dev.peer(LINK1).connects.is_empty());
    dev.command("AT+CIMOD=0", OK)
        .command("AT+CIAPPLY", OK)
        .wait(200);
    assert_eq!(
        (
            dev.dtu.status(dev.now).phase,
            dev.peer(LINK1).connects.len()
        ),
        (Phase::Data, 1)
    );
}

#[test]
fn the_escape_works_with_a_packing_time_below_the_guard_time() {
    let mut config = one_link();
    config.packing_time = 10;
    let mut dev = up(config);
    dev.escape().command("AT+ENTM", OK).wait(300);
    dev.serial("+")
        .wait(20)
        .serial("+")
        .wait(60)
        .sends(LINK1, "+")
        .sends(LINK1, "+")
        .prints_nothing();
    dev.wait(300).serial("+++x").wait(10).sends(LINK1, "+++x");
    dev.wait(300)
        .serial("+++")
        .wait(4000)
        .prints("a")
        .sends(LINK1, "+++")
        .sends_nothing(LINK1);
}

proptest::proptest! {
    /// Whatever the chunks, gaps and packing time: without the handshake every byte goes to the link, in order.
    #[test]
    fn no_byte_is_lost_to_the_escape(
        time in proptest::sample::select(vec![0u16, 10, 30, 100, 500]),
        pieces in proptest::collection::vec(
            (0u64..400, proptest::collection::vec(proptest::sample::select(b"+++++x\r\n".to_vec()), 1..6)), 1..12)
    ) {
        let mut config = one_link();
        config.packing_time = time;
        let mut dev = up(config);
        let mut sent = Vec::new();
        for (gap, bytes) in &pieces {
            dev.wait(*gap).serial(bytes);
            sent.extend_from_slice(bytes);
        }
        dev.wait(5000);
        let status = dev.dtu.status(dev.now);
        proptest::prop_assert_eq!(status.serial.counters.frame_bytes, sent.len() as u64);
        proptest::prop_assert_eq!(dev.received(LINK1), sent);
    }
}

/// M14: the host has the line, so the command says what is used and takes only that.
#[test]
fn m14_ifc_tells_the_flow_control_and_takes_only_that() {
    let mut dev = Bench::new(one_link());
    dev.at(300).printed();
    dev.escape()
        .command("AT+IFC?", "\r\n+IFC: 2,2\r\n\r\nOK\r\n")
        .command("AT+IFC=2,2", "\r\nOK\r\n");
    dev.command("AT+IFC=2", "\r\nOK\r\n").serial("AT+IFC=0,0\r");
    let refused = dev.printed();
    assert!(
        refused.contains("the line uses 2,2; flow_control in the settings file sets it"),
        "{refused}"
    );
    dev.command("AT+IPR?", "\r\n+IPR: 115200\r\n\r\nOK\r\n")
        .command("AT+IPR=9600", "\r\nOK\r\n");
    dev.command("AT+CIPR?", "\r\n+CIPR: 9600\r\n\r\nOK\r\n");
}

/// M10: `A/` needs no line end (V.250 5.2.4), and repeats what ran last.
#[test]
fn m10_a_slash_repeats() {
    let mut dev = Bench::new(one_link());
    dev.at(300).printed();
    dev.escape()
        .serial("A/")
        .prints("\r\nOK\r\n")
        .command("AT+CIPR?", "\r\n+CIPR: 115200\r\n\r\nOK\r\n");
    dev.serial("a/\r\n")
        .prints("\r\n+CIPR: 115200\r\n\r\nOK\r\n");
    dev.serial("A/").prints("\r\n+CIPR: 115200\r\n\r\nOK\r\n");
    // M14: noise is forgiven in front of it as in front of `AT`.
    dev.serial("\0\u{ff}A/")
        .prints("\r\n+CIPR: 115200\r\n\r\nOK\r\n");
}
