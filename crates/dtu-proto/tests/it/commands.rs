//! The origins for commands as timed scripts: set-up window, command state, `psw,AT+` frames and reads
//! (manual 2.8.2 to 2.8.4, 2.8.6.29 to .52; decisions 2, 3, 4, 8).
#![allow(missing_docs)]

use dtu_proto::config::{Config, FactoryPassword, LinkOptions, Options, Shutdown};
use dtu_proto::event::{CloseReason, Event, Input, Origin, Power, RestartReason, SerialInput};
use dtu_proto::status::Phase;
use dtu_proto::testing::{Bench, LINK1, LINK2, Net, one_link};
use dtu_proto::time::Duration;

const OK: &str = "\r\nOK\r\n";
const BANNER: &str = "\r\nUSR-GPRS232-DTU\r\n";

fn up(config: Config) -> Bench {
    let mut dev = Bench::new(config);
    dev.at(500).prints(BANNER);
    dev
}

fn gated() -> Config {
    let mut config = one_link();
    (config.network_at, config.serial_at) = (true, true);
    config.password = "geheim".chars().take(5).collect();
    config
}

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
        .serial("+++")
        .at(3100)
        .prints_nothing();
    dev.at(5200)
        .sends(LINK1, "data")
        .sends(LINK1, "+++")
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

#[test]
fn replies_to_command_frames_are_bounded_while_the_dte_does_not_read() {
    let mut dev = up(gated());
    dev.dte_stops();
    for _ in 0..500 {
        dev.serial("gehei,AT+CIPSCONT?").wait(100);
    }
    let serial = dev.dtu.status(dev.now).serial;
    assert!(
        serial.waiting < 40_000 && serial.counters.dropped_replies > 0 && dev.dtu.wants_serial(),
        "{serial:?}"
    );
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
fn manual_2_8_3_a_command_frame_on_the_serial_line() {
    let mut dev = up(gated());
    dev.at(1000)
        .serial("gehei,AT+CIPR?")
        .at(1100)
        .prints("\r\n+CIPR: 115200\r\n\r\nOK\r\n")
        .sends_nothing(LINK1);
}

#[test]
fn manual_2_8_6_39_with_the_gate_shut_it_is_data() {
    let mut config = gated();
    config.serial_at = false;
    let mut dev = up(config);
    dev.at(1000)
        .serial("gehei,AT+CIPR?")
        .at(1100)
        .prints_nothing()
        .sends(LINK1, "gehei,AT+CIPR?");
}

#[test]
fn manual_2_8_4_a_command_from_a_link_is_answered_there_only() {
    let mut config = gated();
    config.links[1].enabled = true;
    let mut dev = up(config);
    dev.at(1000)
        .network(LINK2, "gehei,AT+CIPR?\r\n")
        .prints_nothing()
        .sends_nothing(LINK1);
    dev.sends(LINK2, "\r\n+CIPR: 115200\r\n\r\nOK\r\n");
}

#[test]
fn manual_2_8_6_38_split_or_followed_by_data_it_is_data() {
    let mut dev = up(gated());
    dev.at(1000)
        .network(LINK1, "gehei,")
        .network(LINK1, "AT+CIPR?")
        .prints("gehei,AT+CIPR?");
    dev.network(LINK1, "gehei,AT+CIPR?\r\nx")
        .prints("gehei,AT+CIPR?\r\nx")
        .sends_nothing(LINK1);
    let mut config = gated();
    config.network_at = false;
    up(config)
        .network(LINK1, "gehei,AT+CIPR?")
        .prints("gehei,AT+CIPR?");
}

#[test]
fn five_wrong_passwords_shut_one_door_only() {
    let mut config = gated();
    config.links[1].enabled = true;
    let mut dev = up(config);
    for _ in 0..5 {
        dev.network(LINK1, "wrong,AT+CIPR?")
            .prints("wrong,AT+CIPR?");
    }
    assert!(
        dev.events
            .contains(&Event::OriginLocked(Origin::Link(LINK1)))
    );
    dev.network(LINK1, "gehei,AT")
        .prints_nothing()
        .sends_nothing(LINK1)
        .network(LINK2, "gehei,AT")
        .sends(LINK2, OK);
    dev.wait(300_000)
        .network(LINK1, "gehei,AT")
        .sends(LINK1, OK);
}

/// Decisions 16.20.
#[test]
fn k5_with_the_factory_password_the_network_may_query_but_not_set() {
    let mut config = gated();
    config.password = "admin".into();
    let mut dev = up(config.clone());
    dev.network(LINK1, "admin,AT+CIPR?")
        .sends(LINK1, "\r\n+CIPR: 115200\r\n\r\nOK\r\n");
    dev.network(LINK1, "admin,AT+CIPR=9600")
        .network(LINK1, "admin,AT+CIRESET")
        .wait(5000);
    assert_eq!((dev.dtu.config().line.baud, dev.power.len()), (115_200, 0));
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    options.factory_password = FactoryPassword::Full;
    let mut full = Bench::with(config.clone(), options.clone());
    full.at(500)
        .network(LINK1, "admin,AT+CIPR=9600")
        .sends(LINK1, OK);
    options.factory_password = FactoryPassword::Off;
    let mut off = Bench::with(config, options);
    off.at(500)
        .prints(BANNER)
        .network(LINK1, "admin,AT")
        .prints("admin,AT");
}

/// Until decisions 16.20 the network could set the first password, and two texts took a device over.
#[test]
fn k5_the_factory_password_is_replaced_at_the_serial_line_only() {
    let mut config = gated();
    config.password = "admin".into();
    let mut dev = up(config.clone());
    dev.network(LINK1, "admin,AT+CIPSW=n3w").sends(
        LINK1,
        "\r\n+CME ERROR: CIPSW: factory password: set a new one at the serial line first (AT+CIPSW)\r\n",
    );
    dev.network(LINK1, "n3w,AT+CIPR=9600")
        .prints("n3w,AT+CIPR=9600");
    assert_eq!(*dev.dtu.config(), config);
    // A frame of the line is at the line.
    dev.serial("admin,AT+CIPSW=n3w").wait(200).prints(OK);
    dev.network(LINK1, "n3w,AT+CIPR=9600")
        .sends(LINK1, OK)
        .network(LINK1, "admin,AT")
        .prints("admin,AT");
}

#[test]
fn manual_2_8_6_29_atw_answers_when_the_store_has_answered() {
    let mut dev = up(one_link());
    dev.escape().command("AT+CIPNUM=123", OK).command("ATW", OK);
    assert!(dev.store.saved[0].contains("123"));
    dev.store.works = false;
    dev.serial("ATW\r");
    let answer = dev.printed();
    assert!(
        answer.contains("+CME ERROR") && answer.contains("no space left"),
        "{answer}"
    );
    dev.command("AT", OK);
}

#[test]
fn commands_behind_atw_wait_for_it() {
    let mut dev = up(one_link());
    dev.escape().serial("ATW;+CIPR?\rAT+CINETAT?\r");
    dev.prints("\r\n+CIPR: 115200\r\n\r\nOK\r\n\r\n+CINETAT:0\r\n\r\nOK\r\n");
}

#[test]
fn manual_2_8_6_50_what_was_not_stored_is_gone_after_cireset() {
    let mut dev = up(one_link());
    dev.escape()
        .command("AT+CIPNUM=123", OK)
        .command("ATW", OK)
        .command("AT+CIPNUM=456", OK);
    dev.serial("AT+CIRESET\r")
        .wait(10)
        .prints(format!("{OK}{BANNER}"));
    assert_eq!(dev.power, [Power::Restarted]);
    assert_eq!(dev.peer(LINK1).closes, 1);
    dev.wait(1000)
        .escape()
        .command("AT+CIPNUM?", "\r\n+CIPNUM: 123\r\n\r\nOK\r\n");
}

#[test]
fn manual_2_8_6_41_cireload_stores_the_factory_set_and_restarts() {
    let mut dev = up(one_link());
    dev.escape()
        .command("AT+CIMODID=mine", OK)
        .serial("AT+CIRELOAD\r")
        .wait(10)
        .prints(format!("{OK}{BANNER}"));
    assert_eq!(*dev.dtu.config(), Config::default());
    assert!(dev.events.contains(&Event::PowerOn(RestartReason::Factory)));
}

#[test]
fn a_restart_loses_no_frame() {
    let mut dev = up(gated());
    dev.net(LINK1, Net::Unacked);
    dev.at(1000)
        .serial("one")
        .at(1100)
        .sends(LINK1, "one")
        .serial("half")
        .network(LINK1, "gehei,AT+CIRESET");
    dev.sends(LINK1, OK);
    dev.at(1300).serial("window").at(2000).sends(LINK1, "half");
    dev.sends(LINK1, "one")
        .sends(LINK1, "half")
        .sends(LINK1, "window")
        .sends_nothing(LINK1);
}

#[test]
fn a_restart_does_not_wait_for_a_dte_that_never_reads() {
    let mut dev = up(gated());
    dev.dte_stops();
    dev.network(LINK1, "unread")
        .network(LINK1, "gehei,AT+CIRESET")
        .wait(2001);
    assert_eq!(dev.power, [Power::Restarted]);
}

#[test]
fn manual_2_8_6_51_cishutdown_restarts_or_stops() {
    let mut dev = up(one_link());
    dev.escape().serial("AT+CISHUTDOWN\r").wait(10);
    assert_eq!(dev.power, [Power::Restarted]);
    let options = Options {
        setup_window: Duration::ZERO,
        shutdown: Shutdown::Stop,
        ..Options::default()
    };
    let mut dev = Bench::with(one_link(), options);
    dev.at(500)
        .prints(BANNER)
        .escape()
        .serial("AT+CISHUTDOWN\r")
        .wait(10)
        .prints(OK);
    assert_eq!(
        (dev.power.as_slice(), dev.peer(LINK1).closes),
        (&[Power::Stop][..], 1)
    );
}

#[test]
fn a_clean_stop_keeps_what_is_not_delivered() {
    let mut dev = up(one_link());
    dev.net(LINK1, Net::Unacked);
    dev.at(1000)
        .serial("one")
        .at(1100)
        .serial("half")
        .input(Input::Shutdown);
    assert_eq!(dev.power, [Power::Stop]);
    let kept: Vec<_> = dev
        .dtu
        .undelivered(LINK1)
        .map(|(_, frame)| frame.clone())
        .collect();
    assert_eq!(kept, ["one", "half"]);
}

#[test]
fn ciapply_leaves_a_link_alone_whose_settings_did_not_change() {
    let mut config = one_link();
    config.links[1].enabled = true;
    let mut dev = up(config);
    dev.escape()
        .command("AT+CIPSCONT=2,\"TCP\",\"other\",99,1", OK)
        .command("AT+CIAPPLY", OK)
        .wait(200);
    assert_eq!((dev.peer(LINK1).closes, dev.peer(LINK2).closes), (0, 1));
    assert_eq!(dev.peer(LINK2).connects.last().map(|c| c.1.port), Some(99));
}

#[test]
fn a_link_that_is_switched_off_counts_what_waited() {
    let mut dev = up(one_link());
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0)
        .wait(300)
        .serial("lost")
        .wait(100);
    dev.escape()
        .command("AT+CIPSCONT=1,\"TCP\",\"h\",9,0", OK)
        .command("AT+CIAPPLY", OK);
    assert_eq!(dev.dtu.status(dev.now).links[0].counters.dropped_bytes, 4);
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
fn the_console_is_a_door() {
    let mut dev = up(one_link());
    dev.input(Input::Console("AT+CIPR?")).prints_nothing();
    assert_eq!(dev.console, ["\r\n+CIPR: 115200\r\n\r\nOK\r\n"]);
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

#[test]
fn a_missing_serial_line_is_a_state() {
    let mut dev = up(one_link());
    dev.input(Input::Serial(SerialInput::Gone))
        .network(LINK1, "x");
    assert!(!dev.dtu.status(dev.now).serial.present);
    assert!(dev.events.contains(&Event::SerialPresent(false)));
}

#[test]
fn small_caches_and_many_commands_leave_no_door_open() {
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    options.links[0] = LinkOptions {
        cache: 4096,
        ..LinkOptions::default()
    };
    let mut dev = Bench::with(gated(), options);
    dev.net(LINK1, Net::Stuck);
    dev.at(500).lose(LINK1, CloseReason::Reset, 0).wait(2000);
    for _ in 0..20 {
        dev.network(LINK1, "gehei,AT+CIPR?");
    }
    assert!(dev.dtu.status(dev.now).links[0].counters.dropped_replies > 0);
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
