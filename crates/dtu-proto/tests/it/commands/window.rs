//! The set-up window.

use super::*;

#[test]
fn power_on_prints_the_banner_and_opens_the_window_for_5_s() {
    let mut dev = Bench::with(one_link(), Options::default());
    dev.prints(BANNER).at(4999);
    assert!(dev.peer(LINK1).connects.is_empty());
    dev.at(5100);
    assert_eq!(dev.peer(LINK1).connects.len(), 1);
}

#[test]
fn in_the_window_at_lines_are_commands_and_the_rest_is_kept() {
    let mut dev = Bench::with(one_link(), Options::default());
    dev.prints(BANNER)
        .at(1000)
        .command("at+cipr?", "\r\n+CIPR: 115200\r\n\r\nOK\r\n");
    dev.at(2000)
        .serial("data")
        .at(3000)
        .serial("+++x")
        .at(3100)
        .prints_nothing();
    dev.at(5200)
        .sends(LINK1, "data")
        .sends(LINK1, "+++x")
        .sends_nothing(LINK1);
}

#[test]
fn manual_2_8_6_40_cioptime_moves_the_end_of_the_window() {
    let mut dev = Bench::with(one_link(), Options::default());
    dev.prints(BANNER)
        .at(1000)
        .command("AT+CIOPTIME=20", OK)
        .at(20_999);
    assert!(dev.peer(LINK1).connects.is_empty());
    dev.at(21_100);
    assert_eq!(dev.peer(LINK1).connects.len(), 1);
    let mut dev = Bench::with(one_link(), Options::default());
    dev.prints(BANNER)
        .at(1000)
        .command("AT+CIOPTIME=0", OK)
        .at(1100);
    assert_eq!(dev.peer(LINK1).connects.len(), 1);
    dev.escape().serial("AT+CIOPTIME=5\r");
    assert!(dev.printed().contains("CIOPTIME"));
}

#[test]
fn links_set_in_the_window_work_when_it_ends() {
    let mut dev = Bench::with(Config::default(), Options::default());
    dev.prints(BANNER)
        .at(100)
        .command("AT+CIPSCONT=2,\"UDP\",\"h\",7,1", OK)
        .at(5200);
    assert_eq!(
        (
            dev.peer(LINK2).connects.len(),
            dev.peer(LINK1).connects.len()
        ),
        (1, 0)
    );
    assert_eq!(dev.peer(LINK2).connects[0].1.address, "h");
}

#[test]
fn manual_2_8_6_27_in_the_window_the_rate_changes_behind_the_reply() {
    let mut dev = Bench::with(one_link(), Options::default());
    dev.prints(BANNER).at(100).command("AT+CIPR=9600", OK);
    assert_eq!(dev.line.configured.last().map(|f| f.baud), Some(9600));
}

#[test]
fn manual_2_8_6_27_later_the_rate_changes_with_ciapply() {
    let mut dev = up(one_link());
    dev.escape().command("AT+CIPR=9600", OK);
    assert_eq!(dev.line.configured.last().map(|f| f.baud), Some(115_200));
    dev.command("AT+CIAPPLY", OK);
    assert_eq!(dev.line.configured.last().map(|f| f.baud), Some(9600));
}

#[test]
fn bytes_of_the_window_count_for_the_silence_before_an_escape() {
    let mut dev = Bench::with(
        one_link(),
        Options {
            setup_window: Duration::from_secs(1),
            ..Options::default()
        },
    );
    dev.prints(BANNER)
        .at(950)
        .serial("x")
        .at(1050)
        .serial("+++")
        .at(3000)
        .prints_nothing();
    dev.sends(LINK1, "x").sends(LINK1, "+++");
}

/// M10: noise of the plug reaches no server, and hides no command, in the window too (decisions 16.9).
#[test]
fn m10_in_the_window_noise_in_front_of_at_is_skipped() {
    let mut dev = Bench::with(
        one_link(),
        Options {
            setup_window: Duration::from_secs(1),
            ..Options::default()
        },
    );
    dev.printed();
    dev.at(500)
        .serial(b"\x00\x00AT+CIPR?\r\n")
        .prints("\r\n+CIPR: 115200\r\n\r\nOK\r\n");
    // What only begins so is data, whole.
    dev.serial(b"\x01AT\x02\x03")
        .at(700)
        .prints_nothing()
        .serial(b"\xffat")
        .at(1300);
    dev.sends(LINK1, b"\x01AT\x02\x03")
        .sends(LINK1, b"\xffat")
        .sends_nothing(LINK1);
}
