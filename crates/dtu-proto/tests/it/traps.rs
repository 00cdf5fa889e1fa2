//! Faults that products of this kind really had, each as a timed script.
use dtu_proto::config::{Config, HeartbeatTo, Options, Protocol, RegistrationWhen};
use dtu_proto::event::{CloseReason, Input, LINKS, LinkId, SerialInput};
use dtu_proto::status::Phase;
use dtu_proto::testing::{self, Bench, LINK1, LINK2, LINK3, LINK4, Net};
use dtu_proto::time::{Duration, Instant};

fn one_link() -> Config {
    Config {
        restart_time: 0,
        ..testing::one_link()
    }
}

fn four_links() -> Config {
    let mut config = one_link();
    config.links.iter_mut().for_each(|link| link.enabled = true);
    config
}

fn options() -> Options {
    Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    }
}

/// A device whose links are up, with nothing printed yet. Scripts say what is acknowledged.
fn up(config: Config) -> Bench {
    with(config, options(), [Net::Unacked; LINKS])
}

fn with(config: Config, options: Options, net: [Net; LINKS]) -> Bench {
    let mut dev = Bench::cold(config, options);
    for (link, net) in LinkId::ALL.into_iter().zip(net) {
        dev.net(link, net);
    }
    dev.attaches().at(1000).printed();
    dev
}

fn phase(dev: &Bench) -> Phase {
    dev.dtu.status(dev.now).phase
}

fn packing(time: u16) -> Config {
    Config {
        packing_time: time,
        ..one_link()
    }
}

/// `+++` by these reads (gap in ms before each, bytes), the first after a second of silence.
fn types(dev: &mut Bench, reads: &[(u64, &str)]) {
    let mut now = dev.millis() + 1000;
    for (gap, bytes) in reads {
        now += gap;
        dev.at(now).serial(bytes);
    }
}

// ---- Escape

#[test]
fn plus_signs_in_a_payload_are_data() {
    for payload in [
        "+", "++", "+x", "++x", "+++x", "+++abc", "x+", "x++", "x+++", "x+++y", "++++", "+++++",
        "+++a", "+++a\r",
    ] {
        let mut dev = up(one_link());
        dev.at(2000)
            .serial(payload)
            .at(6000)
            .sends(LINK1, payload)
            .sends_nothing(LINK1)
            .prints_nothing();
        assert_eq!(phase(&dev), Phase::Data, "{payload}");
    }
}

#[test]
fn the_escape_works_however_it_is_cut_into_reads() {
    let cuts: [&[(u64, &str)]; 5] = [
        &[(0, "+++")],
        &[(0, "++"), (30, "+")],
        &[(0, "+"), (30, "++")],
        &[(0, "+"), (30, "+"), (30, "+")],
        &[(0, "+"), (49, "+"), (49, "+")],
    ];
    for cut in cuts {
        let mut dev = up(one_link());
        types(&mut dev, cut);
        let now = dev.millis();
        dev.at(now + 19).prints_nothing().at(now + 20).prints("a");
        dev.at(now + 500)
            .serial("a")
            .at(now + 519)
            .prints_nothing()
            .at(now + 520)
            .prints("\r\n+ok\r\n")
            .sends_nothing(LINK1);
        assert_eq!(phase(&dev), Phase::Command, "{cut:?}");
    }
}

#[test]
fn the_leading_gap_is_more_than_200_ms() {
    for (gap, escapes) in [(199, false), (200, false), (201, true)] {
        let mut dev = up(packing(10));
        dev.at(2000)
            .serial("x")
            .at(2000 + gap)
            .serial("+++")
            .at(2300)
            .prints(if escapes { "a" } else { "" });
        dev.at(9000)
            .sends(LINK1, "x")
            .sends(LINK1, "+++")
            .sends_nothing(LINK1);
    }
}

#[test]
fn an_inner_gap_is_less_than_50_ms() {
    for (gap, escapes) in [(49, true), (50, false), (51, false)] {
        for reads in [[(0, "+"), (gap, "++")], [(0, "++"), (gap, "+")]] {
            let mut dev = up(packing(300));
            types(&mut dev, &reads);
            let now = dev.millis();
            dev.at(now + 25).prints(if escapes { "a" } else { "" });
            dev.at(now + 5000).sends(LINK1, "+++").sends_nothing(LINK1);
        }
    }
}

#[test]
fn the_answer_comes_within_3_s() {
    for (after, entered) in [(2990, true), (3010, false)] {
        let mut dev = up(one_link());
        dev.at(2000).serial("+++").at(2020).prints("a");
        dev.at(2020 + after)
            .serial("a")
            .at(6000)
            .prints(if entered { "\r\n+ok\r\n" } else { "" });
        if entered {
            dev.sends_nothing(LINK1);
        } else {
            dev.sends(LINK1, "+++")
                .sends(LINK1, "a")
                .sends_nothing(LINK1);
        }
    }
}

#[test]
fn an_answer_that_does_not_stand_alone_is_data() {
    for (first, second) in [("ab", ""), ("a", "b"), ("aa", ""), ("b", "")] {
        let mut dev = up(one_link());
        dev.at(2000).serial("+++").at(2100).serial(first);
        if !second.is_empty() {
            dev.at(2119).serial(second);
        }
        dev.at(3000)
            .prints("a")
            .sends(LINK1, "+++")
            .sends(LINK1, format!("{first}{second}"))
            .sends_nothing(LINK1);
    }
}

#[test]
fn plus_signs_typed_by_hand_with_line_ends_escape() {
    for end in ["\r", "\n", "\r\n"] {
        let mut dev = up(one_link());
        dev.at(2000)
            .serial(format!("+++{end}"))
            .at(2020)
            .prints("a")
            .at(3000)
            .serial(format!("a{end}"))
            .at(3020);
        dev.prints("\r\n+ok\r\n").sends_nothing(LINK1);
    }
}

#[test]
fn with_time_below_the_guard_time_held_bytes_keep_their_borders() {
    let mut dev = up(packing(10));
    dev.at(2000)
        .serial("+")
        .at(2040)
        .serial("x")
        .at(3000)
        .sends(LINK1, "+")
        .sends(LINK1, "x")
        .sends_nothing(LINK1);
    dev.at(4000)
        .serial("+")
        .at(4005)
        .serial("+")
        .at(4045)
        .serial("+")
        .at(4065)
        .prints("a");
    dev.at(5000)
        .serial("no")
        .at(6000)
        .sends(LINK1, "++")
        .sends(LINK1, "+")
        .sends(LINK1, "no")
        .sends_nothing(LINK1);
}

#[test]
fn a_late_host_escapes_all_the_same() {
    let mut dev = up(one_link());
    dev.late = Duration::from_millis(150);
    dev.at(2000)
        .serial("+++")
        .at(2170)
        .prints("a")
        .at(2500)
        .serial("a")
        .at(2670)
        .prints("\r\n+ok\r\n")
        .sends_nothing(LINK1);
}

// ---- Inline commands

fn gates() -> Config {
    Config {
        serial_at: true,
        network_at: true,
        password: "secre".into(),
        ..one_link()
    }
}

#[test]
fn only_a_whole_frame_with_the_right_password_is_a_command() {
    for data in [
        "xsecre,AT+CIVER",
        "data secre,AT+CIVER",
        "admin,AT+CIVER",
        "secre,AT+CIVER\r\nmore",
        "secre,AT+CIVER\r\nsecre,AT+CIVER\r\n",
        "secre,CIVER",
        "secre AT+CIVER",
    ] {
        let mut dev = up(gates());
        dev.at(2000)
            .serial(data)
            .at(3000)
            .prints_nothing()
            .sends(LINK1, data);
        dev.at(4000)
            .network(LINK1, data)
            .at(5000)
            .prints(data)
            .sends_nothing(LINK1);
    }
}

#[test]
fn with_the_gate_shut_the_right_password_is_data() {
    let mut dev = up(Config {
        serial_at: false,
        network_at: false,
        ..gates()
    });
    dev.at(2000)
        .serial("secre,AT")
        .at(3000)
        .prints_nothing()
        .sends(LINK1, "secre,AT");
    dev.at(4000)
        .network(LINK1, "secre,AT")
        .at(5000)
        .prints("secre,AT")
        .sends_nothing(LINK1);
}

#[test]
fn a_command_over_two_reads_counts_where_the_frame_is_whole() {
    let mut dev = up(gates());
    dev.at(2000)
        .serial("secre,A")
        .at(2050)
        .serial("T\r\n")
        .at(3000)
        .prints("\r\nOK\r\n")
        .sends_nothing(LINK1);
    dev.at(4000)
        .serial("secre,A")
        .at(4100)
        .serial("T\r\n")
        .at(5000)
        .prints_nothing()
        .sends(LINK1, "secre,A")
        .sends(LINK1, "T\r\n");
    dev.at(6000)
        .network(LINK1, "secre,A")
        .at(6001)
        .network(LINK1, "T")
        .at(7000)
        .prints("secre,AT")
        .sends_nothing(LINK1);
}

#[test]
fn the_reply_goes_back_where_the_command_came_from() {
    let mut dev = up(Config {
        links: four_links().links,
        ..gates()
    });
    dev.at(2000)
        .network(LINK2, "secre,AT")
        .at(3000)
        .prints_nothing()
        .sends(LINK2, "\r\nOK\r\n");
    for link in [LINK1, LINK2, LINK3, LINK4] {
        dev.sends_nothing(link);
    }
}

// ---- Bytes

#[test]
fn all_256_values_pass_both_ways() {
    let all: Vec<u8> = (0..=255).collect();
    for time in [0, 10, 100] {
        let mut dev = up(packing(time));
        dev.at(2000)
            .serial(&all)
            .at(3000)
            .sends(LINK1, &all)
            .sends_nothing(LINK1);
        dev.at(4000).network(LINK1, &all).at(5000).prints(&all);
        for byte in 0..=255_u8 {
            let now = dev.millis() + 1000;
            dev.at(now)
                .serial([byte])
                .at(now + 500)
                .sends(LINK1, [byte]);
            dev.at(now + 600).network(LINK1, [byte]).prints([byte]);
        }
    }
}

// ---- Frames

#[test]
fn an_endless_stream_leaves_in_pieces() {
    let mut dev = up(one_link());
    for step in 0..100 {
        dev.at(2000 + step * 50).serial([b'x'; 100]);
    }
    for _ in 0..9 {
        dev.sends(LINK1, [b'x'; 1024]);
    }
    dev.sends_nothing(LINK1)
        .at(7100)
        .sends(LINK1, [b'x'; 784])
        .sends_nothing(LINK1);
}

#[test]
fn characters_of_a_slow_line_are_not_a_packet_each() {
    // 110 Bd, 8N2: a character takes 100 ms, which is TIME.
    let mut config = packing(100);
    (config.line.baud, config.line.stop_bits) = (110, 2);
    let mut dev = up(config);
    for (place, byte) in b"hello".iter().enumerate() {
        dev.at(2000 + place as u64 * 100).serial([*byte]);
    }
    dev.at(4000).sends(LINK1, "hello").sends_nothing(LINK1);
}

#[test]
fn records_that_wait_together_keep_their_borders() {
    let mut net = [Net::Unacked; LINKS];
    net[0] = Net::BlackHole;
    let mut dev = with(one_link(), options(), net);
    dev.at(2000)
        .serial("one")
        .at(2100)
        .serial("two")
        .at(2300)
        .serial("three")
        .at(3000)
        .sends_nothing(LINK1);
    dev.net(LINK1, Net::Unacked);
    dev.lose(LINK1, CloseReason::TimedOut, 0)
        .at(9000)
        .sends(LINK1, "one")
        .sends(LINK1, "two")
        .sends(LINK1, "three");
}

#[test]
fn one_frame_is_one_datagram_with_its_registration_packet() {
    let mut config = Config {
        registration: b"ID".to_vec(),
        ..packing(10)
    };
    config.registration_when = RegistrationWhen::WithData;
    config.links[0].protocol = Protocol::Udp;
    let mut dev = up(config);
    dev.sends(LINK1, "ID");
    dev.at(2000)
        .serial("one")
        .at(2010)
        .serial("two")
        .at(3000)
        .sends(LINK1, "IDone")
        .sends(LINK1, "IDtwo")
        .sends_nothing(LINK1);
}

#[test]
fn a_host_that_wakes_late_merges_nothing() {
    let mut dev = up(one_link());
    dev.late = Duration::from_secs(5);
    dev.at(2000)
        .serial("one")
        .at(2100)
        .serial("two")
        .at(2199)
        .serial("+two")
        .at(2299)
        .serial("three")
        .at(9000);
    dev.sends(LINK1, "one")
        .sends(LINK1, "two+two")
        .sends(LINK1, "three")
        .sends_nothing(LINK1);
}

// ---- Links

#[test]
fn three_bad_links_do_not_touch_the_fourth() {
    let nets = [Net::BlackHole, Net::Refused, Net::Stuck, Net::Unacked];
    let mut dev = with(four_links(), options(), nets);
    for round in 0..600 {
        let now = 2000 + round * 1000;
        dev.at(now)
            .serial(format!("{round}"))
            .at(now + 100)
            .sends(LINK4, format!("{round}"));
        assert!(dev.dtu.wants_serial());
        let sent = dev.peer(LINK4).sent_bytes;
        dev.acked(LINK4, sent);
    }
    let attempts = dev.peer(LINK2).connects.len();
    assert!(
        (20..200).contains(&attempts),
        "600 s of refusals, {attempts} attempts"
    );
}

#[test]
fn a_peer_that_resets_at_once_makes_no_hot_loop() {
    let mut dev = with(one_link(), options(), [Net::Resets; LINKS]);
    let before = dev.outputs;
    dev.at(600_000);
    assert!(
        (20..200).contains(&dev.peer(LINK1).connects.len()),
        "{} attempts in 600 s",
        dev.peer(LINK1).connects.len()
    );
    assert!(dev.outputs - before < 2000);
}

#[test]
fn a_cache_that_is_full_by_one_byte_drops_one_whole_frame_and_counts_it() {
    let mut options = options();
    options.links[0].cache = 10;
    let mut dev = with(packing(10), options, [Net::BlackHole; LINKS]);
    dev.at(2000)
        .serial("aaaaa")
        .at(2100)
        .serial("bbbbb")
        .at(2200);
    assert_eq!(
        dev.dtu.status(Instant::from_millis(2200)).links[0]
            .counters
            .dropped_frames,
        0
    );
    dev.at(2300).serial("c").at(2400);
    let status = dev.dtu.status(Instant::from_millis(2400)).links[0];
    assert_eq!(
        (
            status.counters.dropped_frames,
            status.counters.dropped_bytes,
            status.waiting_bytes
        ),
        (1, 5, 6)
    );
    dev.net(LINK1, Net::Unacked);
    dev.lose(LINK1, CloseReason::TimedOut, 0)
        .at(9000)
        .sends(LINK1, "bbbbb");
    dev.acked(LINK1, 5)
        .at(9100)
        .sends(LINK1, "c")
        .sends_nothing(LINK1);
}

#[test]
fn a_connection_lost_while_draining_repeats_only_whole_unacknowledged_frames() {
    let mut dev = up(packing(10));
    dev.at(2000)
        .serial("aaa")
        .at(2100)
        .serial("bbb")
        .at(2200)
        .serial("ccc")
        .at(2300);
    dev.sends(LINK1, "aaa")
        .sends(LINK1, "bbb")
        .sends(LINK1, "ccc")
        .acked(LINK1, 3);
    dev.lose(LINK1, CloseReason::Reset, 5)
        .at(5000)
        .sends(LINK1, "bbb")
        .sends(LINK1, "ccc")
        .sends_nothing(LINK1);
}

#[test]
fn a_restart_while_draining_loses_nothing() {
    let mut dev = up(Config {
        serial_at: true,
        ..packing(10)
    });
    dev.at(2000)
        .serial("aaa")
        .at(2100)
        .serial("bbb")
        .at(2200)
        .sends(LINK1, "aaa")
        .sends(LINK1, "bbb");
    dev.acked(LINK1, 3);
    dev.console_line("AT+CIRESET");
    dev.at(9000).sends(LINK1, "bbb").sends_nothing(LINK1);
}

#[test]
fn a_day_offline_grows_nothing() {
    let mut options = options();
    options.links[0].cache = 15 * 1024;
    options.recovery = false;
    let mut dev = with(one_link(), options, [Net::Refused; LINKS]);
    for minute in 0..1440_u64 {
        dev.at(60_000 * (minute + 1)).serial([b'm'; 300]);
    }
    dev.at(86_500_000);
    let link = dev.dtu.status(Instant::from_millis(86_500_000)).links[0];
    assert!(link.waiting_bytes <= 15 * 1024);
    assert_eq!(
        link.counters.dropped_frames + link.waiting_frames as u64,
        1440
    );
}

// ---- Heartbeat

#[test]
fn a_serial_heartbeat_waits_for_a_frame_that_is_half_received() {
    let mut config = Config {
        heartbeat: b"HB".to_vec(),
        heartbeat_interval: 1,
        ..packing(3000)
    };
    config.heartbeat_to = HeartbeatTo::Serial;
    let mut dev = up(config);
    dev.at(4999).printed();
    dev.at(4999)
        .serial("half")
        .at(7998)
        .prints_nothing()
        .at(8100)
        .sends(LINK1, "half")
        .prints("HB");
}

#[test]
fn a_network_heartbeat_needs_silence_both_ways() {
    let mut dev = up(Config {
        heartbeat: b"HB".to_vec(),
        heartbeat_interval: 5,
        ..packing(10)
    });
    for round in 0..20 {
        dev.at(2000 + round * 4000).network(LINK1, "x");
        dev.at(4000 + round * 4000).serial("y");
    }
    dev.at(80_010);
    for _ in 0..20 {
        dev.sends(LINK1, "y");
    }
    let (sent, last) = (dev.peer(LINK1).sent_bytes, dev.millis());
    dev.acked(LINK1, sent);
    dev.at(last + 4999)
        .sends_nothing(LINK1)
        .at(last + 5001)
        .sends(LINK1, "HB");
}

// ---- Passwords

#[test]
fn wrong_passwords_on_one_link_shut_no_other_door() {
    let mut dev = up(Config {
        links: four_links().links,
        ..gates()
    });
    for guess in 0..20 {
        dev.at(2000 + guess * 100)
            .network(LINK1, format!("no{guess},AT"));
    }
    dev.printed();
    // Nothing is run, and the password does not reach the DTE.
    dev.at(5000)
        .network(LINK1, "secre,AT")
        .at(5500)
        .prints_nothing()
        .sends_nothing(LINK1);
    dev.at(6000)
        .network(LINK2, "secre,AT")
        .at(6500)
        .prints_nothing()
        .sends(LINK2, "\r\nOK\r\n");
    dev.at(7000)
        .serial("secre,AT")
        .at(7500)
        .prints("\r\nOK\r\n");
    dev.at(310_000)
        .network(LINK1, "secre,AT")
        .at(310_500)
        .prints_nothing()
        .sends(LINK1, "\r\nOK\r\n");
}

#[test]
fn replies_over_the_network_hide_secrets() {
    let mut config = gates();
    config.apn.password = "topsecret".into();
    let mut dev = up(config);
    dev.at(2000)
        .network(LINK1, "secre,AT+CSTT?")
        .at(3000)
        .sends(LINK1, "\r\n+CSTT: \"\", \"\", \"****\"\r\n\r\nOK\r\n");
}

// ---- Clock

#[test]
fn a_clock_that_jumps_back_moves_no_deadline() {
    let mut dev = up(one_link());
    dev.at(2000).serial("one");
    let deadline = dev.dtu.poll_timeout();
    dev.dtu.handle_timeout(Instant::from_millis(500));
    assert_eq!(dev.dtu.poll_timeout(), deadline);
    dev.dtu.handle_input(
        Input::Serial(SerialInput::Data(b"+")),
        Instant::from_millis(1),
    );
    dev.at(2100).sends(LINK1, "one+").sends_nothing(LINK1);
}

#[test]
fn a_long_sleep_is_not_a_storm_of_deadlines() {
    let options = Options {
        recovery: false,
        ..options()
    };
    let config = Config {
        heartbeat: b"HB".to_vec(),
        heartbeat_interval: 1,
        ..packing(10)
    };
    let mut dev = with(config, options, [Net::Unacked; LINKS]);
    let before = dev.outputs;
    dev.late = Duration::from_secs(86_400);
    dev.at(100_000_000);
    assert!(
        dev.outputs - before < 50,
        "{} outputs after one late wake-up",
        dev.outputs - before
    );
}
