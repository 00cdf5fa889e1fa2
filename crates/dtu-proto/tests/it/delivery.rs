//! Delivery: who paces the serial line, what a sign of life is, what belongs to the device (decisions 16.1, 16.6, 16.7,
//! 16.21). The names begin with the row of the trials that found the fault.
#![allow(missing_docs)]

use dtu_proto::config::{
    Config, DropPolicy, Expect, LinkOptions, Options, Protocol, RegistrationWhen,
};
use dtu_proto::event::{Input, LinkDownReason, LinkId, SerialInput, SocketId, SocketInput};
use dtu_proto::testing::{Bench, LINK1, LINK2, LINK3, Net, one_link};
use dtu_proto::time::Duration;

const CACHE: usize = 64 * 1024;

fn options(change: impl Fn(&mut LinkOptions)) -> Options {
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    options.links.iter_mut().for_each(change);
    options
}

/// So many TCP links that take everything and acknowledge nothing by themselves, with factory settings but for a smaller
/// cache.
fn unacked(links: usize) -> Bench {
    let mut config = Config {
        heartbeat_interval: 0,
        ..Config::default()
    };
    config
        .links
        .iter_mut()
        .take(links)
        .for_each(|link| link.enabled = true);
    let mut dev = Bench::with(config, options(|link| link.cache = CACHE));
    dev.net_of_links(Net::Unacked);
    dev.at(200);
    dev
}

trait Script {
    fn fills(&mut self) -> usize;
    fn dropped(&self, link: LinkId) -> u64;
}

impl Script for Bench {
    /// The DTE writes as much as is read.
    fn fills(&mut self) -> usize {
        let mut taken = 0;
        while self.dtu.wants_serial() && taken < 4 * CACHE {
            self.serial([b'x'; 1024]);
            taken += 1024;
        }
        taken
    }

    fn dropped(&self, link: LinkId) -> u64 {
        self.dtu.status(self.now).links[link.index()]
            .counters
            .dropped_bytes
    }
}

#[test]
fn d1_auto_is_the_factory_policy() {
    assert_eq!(LinkOptions::default().drop_policy, DropPolicy::Auto);
}

#[test]
fn d1_a_server_that_takes_bytes_paces_the_line_and_nothing_is_lost() {
    let mut dev = unacked(1);
    let mut taken = 0;
    for round in 1..200 {
        taken += dev.fills();
        assert!(!dev.dtu.wants_serial());
        dev.at(200 + round * 400);
        dev.acknowledges(LINK1);
    }
    while dev.dtu.status(dev.now).links[0].waiting_bytes > 0 {
        dev.wait(100).acknowledges(LINK1);
    }
    assert!(taken > 10 * CACHE);
    assert_eq!((dev.dropped(LINK1), dev.received(LINK1).len()), (0, taken));
}

#[test]
fn d1_a_server_that_takes_nothing_for_5_s_does_not_stop_the_line() {
    let mut dev = unacked(1);
    let started = dev.now;
    dev.fills();
    assert!(!dev.dtu.wants_serial());
    dev.at(5_199);
    let due = dev.dtu.poll_timeout().unwrap();
    assert_eq!(
        due.at,
        started + Duration::from_secs(5),
        "the host is woken to read on"
    );
    assert!(!dev.dtu.wants_serial());
    dev.at(5_200);
    assert_eq!(dev.fills(), 4 * CACHE, "the oldest go");
    assert!(dev.dropped(LINK1) > 0);
    // It takes bytes again, and paces again.
    dev.acknowledges(LINK1);
    dev.fills();
    assert!(!dev.dtu.wants_serial());
}

#[test]
fn d1_an_idle_link_paces_the_first_burst() {
    let mut dev = unacked(1);
    dev.wait(3_600_000);
    assert!(dev.fills() <= CACHE);
    assert_eq!(dev.dropped(LINK1), 0);
}

#[test]
fn d1_the_fastest_link_paces_and_one_that_lags_behind_loses_its_oldest() {
    let mut dev = unacked(4);
    let mut taken = 0;
    for round in 1..60 {
        taken += dev.fills();
        dev.at(200 + round * 200);
        dev.acknowledges(LINK1).acknowledges(LINK2);
        // Slow, but it moves: it paces nobody who is faster.
        if round % 4 == 0 {
            dev.acknowledges(LINK3);
        }
    }
    assert!(taken > 10 * CACHE);
    assert_eq!((dev.dropped(LINK1), dev.dropped(LINK2)), (0, 0));
    assert!(dev.dropped(LINK3) > 0 && dev.dropped(LinkId::ALL[3]) > dev.dropped(LINK3));
    let status = dev.dtu.status(dev.now);
    for link in &status.links {
        let counters = link.counters;
        assert_eq!(
            counters.bytes_in,
            counters.bytes_out + counters.dropped_bytes + link.waiting_bytes as u64
        );
    }
}

#[test]
fn d1_links_of_one_speed_lose_nothing_though_they_acknowledge_in_turns() {
    let mut dev = unacked(4);
    let mut taken = 0;
    for round in 0..2_000_u64 {
        taken += dev.fills();
        dev.at(200 + round * 10);
        let link = usize::try_from(round % 3).unwrap();
        let acked = dev
            .peer(LinkId::ALL[link])
            .sent_bytes
            .min((round / 3 + 1) * 2048);
        dev.input(Input::Socket(
            SocketId::Link(LinkId::ALL[link]),
            SocketInput::Acked(acked),
        ));
    }
    assert!(taken > 10 * CACHE);
    assert_eq!([0, 1, 2].map(|link| dev.dropped(LinkId::ALL[link])), [0; 3]);
    assert!(dev.dropped(LinkId::ALL[3]) > 0, "it acknowledges nothing");
}

#[test]
fn d1_a_datagram_socket_does_not_take_the_pace_from_a_tcp_link() {
    let mut config = one_link();
    config.links[1].enabled = true;
    config.links[1].protocol = Protocol::Udp;
    let mut dev = Bench::with(config, options(|link| link.cache = CACHE));
    dev.net(LINK1, Net::Unacked);
    dev.at(200);
    dev.fills();
    assert!(!dev.dtu.wants_serial());
    assert_eq!(dev.dropped(LINK1), 0);
}

#[test]
fn d1_a_line_that_cannot_be_held_is_always_read() {
    let held = Options {
        line_holds: false,
        ..options(|link| link.cache = CACHE)
    };
    let mut dev = Bench::with(one_link(), held);
    dev.net(LINK1, Net::Unacked);
    dev.at(200);
    assert_eq!(dev.fills(), 4 * CACHE);
    assert!(dev.dropped(LINK1) > 0);
}

#[test]
fn d1_without_a_connection_the_oldest_go_and_the_escape_is_heard() {
    let mut dev = Bench::with(one_link(), options(|link| link.cache = CACHE));
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, dtu_proto::event::CloseReason::Reset, 0);
    assert_eq!(dev.fills(), 4 * CACHE);
    dev.printed();
    dev.escape();
}

#[test]
fn d8_a_dead_peer_is_found_within_two_intervals_whether_the_dte_talks_or_not() {
    let mut config = one_link();
    (config.heartbeat, config.heartbeat_interval) = (b"HB".to_vec(), 10);
    for talks in [false, true] {
        let mut dev = Bench::new(config.clone());
        dev.at(1000).serial("x").at(1100).sends(LINK1, "x");
        dev.net(LINK1, Net::Unacked);
        while dev.peer(LINK1).closes == 0 {
            dev.wait(100);
            if talks && dev.now.as_micros().is_multiple_of(1_000_000) {
                dev.serial("y");
            }
        }
        let found = dev.now.since(dtu_proto::time::Instant::from_millis(1100));
        assert!(found <= Duration::from_secs(20), "{talks}: {found:?}");
        assert!(found >= Duration::from_secs(19), "{talks}: {found:?}");
        let reason = LinkDownReason::HeartbeatFailed;
        assert!(dev.events.contains(&dtu_proto::event::Event::Disconnected {
            socket: SocketId::Link(LINK1),
            reason,
            was_up: true
        }));
    }
}

#[test]
fn d8_a_peer_that_acknowledges_slowly_is_alive() {
    let mut config = one_link();
    (config.heartbeat, config.heartbeat_interval) = (b"HB".to_vec(), 10);
    let mut dev = Bench::new(config);
    dev.net(LINK1, Net::Unacked);
    dev.serial([b'x'; 4096]);
    for second in 1..60 {
        dev.at(second * 15_000 / 10).input(Input::Socket(
            SocketId::Link(LINK1),
            SocketInput::Acked(second),
        ));
    }
    assert_eq!(dev.peer(LINK1).closes, 0);
}

#[test]
fn d8_with_an_expected_reply_a_hung_server_is_found_though_data_goes_out() {
    let mut config = one_link();
    (config.heartbeat, config.heartbeat_interval) = (b"HB".to_vec(), 10);
    let expect = Expect {
        reply: b"PONG".to_vec(),
        within: Duration::from_secs(5),
        misses: 2,
        pass: false,
    };
    let mut dev = Bench::with(
        config,
        options(|link| link.expect_heartbeat = Some(Box::new(expect.clone()))),
    );
    for second in 1..40 {
        dev.at(second * 1000).serial("y");
    }
    assert_eq!(
        dev.dtu.status(dev.now).links[0].counters.heartbeats,
        3,
        "each 10 s, though the DTE talks"
    );
    assert_eq!(dev.peer(LINK1).closes, 1);
    let reason = LinkDownReason::ReplyMissing;
    assert!(dev.events.contains(&dtu_proto::event::Event::Disconnected {
        socket: SocketId::Link(LINK1),
        reason,
        was_up: true
    }));
}

#[test]
fn d14_an_expected_reply_is_the_devices_own() {
    let mut config = one_link();
    (config.heartbeat, config.heartbeat_interval) = (b"HB".to_vec(), 10);
    let expect = Expect {
        reply: b"PONG".to_vec(),
        within: Duration::from_secs(5),
        misses: 2,
        pass: false,
    };
    let mut dev = Bench::with(
        config.clone(),
        options(|link| link.expect_heartbeat = Some(Box::new(expect.clone()))),
    );
    dev.printed();
    dev.at(10_100)
        .sends(LINK1, "HB")
        .network(LINK1, "PONG")
        .prints_nothing();
    dev.at(20_200)
        .sends(LINK1, "HB")
        .network(LINK1, "aPO")
        .prints("a")
        .network(LINK1, "NGb")
        .prints("b");
    dev.at(31_000)
        .sends(LINK1, "HB")
        .network(LINK1, "PO")
        .at(31_499)
        .prints_nothing()
        .at(31_500)
        .prints("PO");
    dev.network(LINK1, "xyPO")
        .prints("xy")
        .lose(LINK1, dtu_proto::event::CloseReason::PeerClosed, 0)
        .prints("PO");
    let passes = Expect {
        pass: true,
        ..expect
    };
    let mut dev = Bench::with(
        config,
        options(|link| link.expect_heartbeat = Some(Box::new(passes.clone()))),
    );
    dev.printed();
    dev.at(10_100)
        .sends(LINK1, "HB")
        .network(LINK1, "PONG")
        .prints("PONG");
}

#[test]
fn d14_the_servers_first_read_is_the_registration_packet() {
    for when in [RegistrationWhen::OnConnect, RegistrationWhen::WithData] {
        let mut config = one_link();
        (config.registration, config.registration_when) = (b"REG".to_vec(), when);
        let prefix = if when == RegistrationWhen::WithData {
            "REG"
        } else {
            ""
        };
        let mut dev = Bench::new(config);
        dev.net(LINK1, Net::Refused);
        dev.lose(LINK1, dtu_proto::event::CloseReason::Reset, 0)
            .received(LINK1);
        dev.at(1000).serial("waits").at(1200);
        dev.net(LINK1, Net::Unacked);
        while dev.peer(LINK1).sent_bytes == 0 {
            dev.wait(10);
        }
        dev.sends(LINK1, "REG")
            .sends_nothing(LINK1)
            .wait(150)
            .sends_nothing(LINK1);
        dev.input(Input::Socket(SocketId::Link(LINK1), SocketInput::Acked(3)))
            .sends(LINK1, format!("{prefix}waits"));
    }
}

#[test]
fn d14_a_registration_packet_that_is_acknowledged_late_holds_the_data_200_ms() {
    let mut config = one_link();
    config.registration = b"REG".to_vec();
    let mut dev = Bench::cold(config, options(|_| ()));
    dev.net(LINK1, Net::Unacked);
    dev.serial("early").wait(100);
    dev.input(Input::Modem(&dtu_proto::event::ModemInput::Attached(
        std::net::Ipv4Addr::LOCALHOST.into(),
    )));
    while dev.peer(LINK1).sent_bytes == 0 {
        dev.wait(1);
    }
    dev.sends(LINK1, "REG")
        .wait(199)
        .sends_nothing(LINK1)
        .wait(1)
        .sends(LINK1, "early");
}

fn short_link() -> Config {
    Config {
        long_links: false,
        ..one_link()
    }
}

/// The peer of this link sends as much as is read.
fn floods(dev: &mut Bench, link: LinkId) -> usize {
    let mut taken = 0;
    while dev.dtu.wants_socket(link) && taken < 1 << 20 {
        dev.network(link, [b'd'; 1024]);
        taken += 1024;
    }
    taken
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
fn d4_a_reply_behind_data_that_the_device_does_not_read_is_not_missing() {
    let mut config = one_link();
    (config.heartbeat, config.heartbeat_interval) = (b"HB".to_vec(), 10);
    config.links[1].enabled = true;
    let expect = Expect {
        reply: b"PONG".to_vec(),
        within: Duration::from_secs(5),
        misses: 1,
        pass: false,
    };
    let mut dev = Bench::with(
        config,
        options(|link| link.expect_heartbeat = Some(Box::new(expect.clone()))),
    );
    dev.wait(200);
    dev.dte_stops();
    floods(&mut dev, LINK1);
    // Link 2 is quiet and read: its reply comes, whoever filled the queue; that of link 1 waits in the socket.
    for _ in 0..12 {
        dev.wait(1000);
        if !dev.received(LINK2).is_empty() {
            assert!(dev.dtu.wants_socket(LINK2));
            dev.network(LINK2, "PONG");
        }
    }
    dev.wait(4000);
    assert_eq!((dev.peer(LINK1).closes, dev.peer(LINK2).closes), (0, 0));
    dev.dte_reads_on().wait(900).network(LINK1, "PONG");
    dev.wait(4_500);
    assert_eq!(dev.peer(LINK1).closes, 0);
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
