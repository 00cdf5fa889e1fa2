//! When a link that is down comes back (D7, decisions 16.2), and how long it tries.
#![allow(missing_docs)]

use dtu_proto::config::{Config, Options, Protocol, WorkingMode};
use dtu_proto::event::{CloseReason, Event, Input, LinkDownReason, SocketId, SocketInput};
use dtu_proto::status::LinkState;
use dtu_proto::testing::{Bench, LINK1, Net, one_link};
use dtu_proto::time::{Duration, Instant};
use dtu_proto::wire::command_frame::{CommandFrame, Host};

const SERVER: SocketId = SocketId::Httpd;

/// A link whose peer acknowledges the registration packet.
fn registered() -> Bench {
    let mut config = one_link();
    config.registration = b"R".to_vec();
    let mut dev = Bench::new(config);
    dev.at(60_000);
    assert_eq!(dev.peer(LINK1).connects.len(), 1);
    dev
}

/// Cuts the link now, with a server that is away for so long; how long after the server's return the next attempt is.
fn back_after(dev: &mut Bench, outage: u64) -> Duration {
    let back_at = dev.now + Duration::from_millis(outage);
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 1).wait(outage);
    let tried = dev.peer(LINK1).connects.len();
    dev.net(LINK1, Net::Good);
    dev.wait(400_000);
    dev.peer(LINK1)
        .connects
        .get(tried)
        .map_or(Duration::MAX, |(at, _)| at.since(back_at))
}

#[test]
fn d7_a_link_is_back_at_most_half_an_outage_after_its_server() {
    for outage in [500, 1000, 5000, 30_000, 300_000] {
        let mut dev = registered();
        let most = Duration::from_millis((outage / 2).clamp(500, 30_000));
        let waited = back_after(&mut dev, outage);
        assert!(waited <= most, "{outage} ms: {waited:?}");
    }
}

#[test]
fn d7_cuts_at_short_intervals_do_not_add_up() {
    let mut dev = registered();
    for _ in 0..20 {
        let start = dev.now;
        dev.net(LINK1, Net::Refused);
        dev.lose(LINK1, CloseReason::Reset, 1).wait(1000);
        dev.net(LINK1, Net::Good);
        dev.wait(600);
        assert!(
            dev.peer(LINK1)
                .connects
                .last()
                .is_some_and(|(at, _)| *at >= start + Duration::from_secs(1))
        );
        dev.wait(5000);
    }
}

#[test]
fn d7_cuts_of_a_link_on_which_nobody_speaks_do_not_add_up_either() {
    let mut dev = Bench::new(one_link());
    dev.at(1000);
    for outage in [10_000, 1000, 30_000, 1000, 5000, 500, 500, 500] {
        dev.net(LINK1, Net::Refused);
        dev.lose(LINK1, CloseReason::Reset, 0).wait(outage);
        dev.net(LINK1, Net::Good);
        dev.wait(outage / 2 + 1000);
        let state = dev.dtu.status(dev.now).links[0].state;
        assert_eq!(state, LinkState::Connected, "{outage} ms, at {:?}", dev.now);
        dev.wait(8000);
    }
}

#[test]
fn a_server_that_accepts_and_closes_at_once_is_asked_ever_less_often() {
    let mut dev = registered();
    let before = dev.peer(LINK1).connects.len();
    for _ in 0..600 {
        if dev.dtu.status(dev.now).links[0].state == LinkState::Connected {
            dev.lose(LINK1, CloseReason::PeerClosed, 1);
        }
        dev.wait(1000);
    }
    let times: Vec<Instant> = dev.peer(LINK1).connects[before..]
        .iter()
        .map(|(at, _)| *at)
        .collect();
    assert!(times.len() < 60, "{} attempts in ten minutes", times.len());
    let last = times
        .windows(2)
        .next_back()
        .map(|pair| pair[1].since(pair[0]));
    assert!(
        last.is_some_and(|pause| pause > Duration::from_secs(10)),
        "{last:?}"
    );
}

#[test]
fn d7_an_attempt_without_an_answer_is_given_up_and_the_next_one_begins() {
    let mut dev = registered();
    dev.net(LINK1, Net::BlackHole);
    dev.lose(LINK1, CloseReason::Reset, 1).wait(2700);
    assert!(
        dev.peer(LINK1).connects.len() >= 3,
        "a fresh SYN within 2.6 s"
    );
    let reason = LinkDownReason::Network(CloseReason::TimedOut);
    assert!(dev.events.contains(&Event::Disconnected {
        socket: SocketId::Link(LINK1),
        reason,
        was_up: false
    }));
    dev.wait(120_000);
    let times: Vec<Instant> = dev.peer(LINK1).connects.iter().map(|(at, _)| *at).collect();
    let longest = times
        .windows(2)
        .skip(1)
        .map(|pair| pair[1].since(pair[0]))
        .max();
    assert!(
        longest.is_some_and(|most| most > Duration::from_secs(10)),
        "long attempts stay possible"
    );
    assert!(
        longest.is_some_and(|most| most <= Duration::from_secs(30)),
        "{longest:?}"
    );
}

#[test]
fn a_slow_network_is_given_the_time_that_it_takes() {
    let mut dev = registered();
    dev.net(LINK1, Net::BlackHole);
    // Five seconds from the SYN to its answer, each time.
    for _ in 0..6 {
        let tried = dev.peer(LINK1).connects.len();
        dev.lose(LINK1, CloseReason::Reset, 1);
        for _ in 0..600 {
            dev.wait(100);
            let asked = dev
                .peer(LINK1)
                .connects
                .last()
                .map(|(at, _)| *at)
                .filter(|_| dev.peer(LINK1).connects.len() > tried);
            if asked.is_some_and(|at| dev.now.since(at) >= Duration::from_secs(5)) {
                break;
            }
        }
        let local = ([127, 0, 0, 1], 40_000).into();
        dev.input(Input::Socket(
            SocketId::Link(LINK1),
            SocketInput::Connected { local },
        ));
        assert!(dev.dtu.status(dev.now).links[0].state == LinkState::Connected);
        dev.wait(10_000);
    }
    let tried = dev.peer(LINK1).connects.len();
    dev.lose(LINK1, CloseReason::Reset, 1).wait(5200);
    assert_eq!(
        dev.peer(LINK1).connects.len(),
        tried + 1,
        "the device knows how long an attempt takes here"
    );
}

#[test]
fn a_short_link_that_has_delivered_what_it_had_connects_at_once_for_the_next_frame() {
    let mut config = one_link();
    config.long_links = false;
    let mut dev = Bench::new(config);
    for round in 1..=50 {
        dev.at(round * 600_000)
            .serial("x")
            .wait(250)
            .sends(LINK1, "x");
        // This server has its own way to say thank you.
        dev.lose(LINK1, CloseReason::PeerClosed, 1)
            .wait(1000)
            .sends_nothing(LINK1);
    }
}

#[test]
fn a_short_link_that_failed_long_ago_does_not_wait_long_for_the_next_frame() {
    let mut config = one_link();
    (config.long_links, config.restart_time) = (false, 0);
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Default::default()
    };
    options.links[0].resend = false;
    let mut dev = Bench::with(config, options);
    dev.net(LINK1, Net::Unacked);
    for round in 1..=5 {
        // The frame is cut after 50 ms; the first attempt comes within 100 ms.
        dev.at(round * 3_600_000)
            .serial("x")
            .wait(200)
            .sends(LINK1, "x");
        dev.lose(LINK1, CloseReason::PeerClosed, 0);
    }
}

#[test]
fn mode_3_that_failed_long_ago_does_not_wait_for_that_outage() {
    let mut dev = Bench::new(Config {
        mode: WorkingMode::Httpd,
        restart_time: 0,
        ..one_link()
    });
    for round in 1..=5 {
        dev.at(round * 3_600_000).serial("x").wait(200);
        assert!(!dev.received(SERVER).is_empty(), "round {round}");
        // Taken and never answered: the frame is not sent again.
        dev.lose(SERVER, CloseReason::Reset, 1000);
    }
}

#[test]
fn a_destination_that_failed_long_ago_does_not_wait_for_that_outage() {
    let mut dev = Bench::new(Config {
        mode: WorkingMode::SerialCommand,
        restart_time: 0,
        ..one_link()
    });
    let to = SocketId::DESTINATIONS[0];
    let host = Host::Ip([10, 0, 0, 1].into());
    let data = b"x";
    let frame = CommandFrame {
        protocol: Protocol::Tcp,
        long: true,
        wait: 0,
        full_reply: true,
        host,
        port: 5000,
        data,
    };
    let packet = frame.encode().expect("a good frame");
    for round in 1..=5 {
        dev.net(to, Net::Refused);
        // Given up after 30 s.
        dev.at(round * 3_600_000).serial(&packet).wait(120_000);
        dev.net(to, Net::Good);
        dev.wait(600_000).serial(&packet).wait(200).sends(to, "x");
        dev.lose(to, CloseReason::Reset, 1);
    }
}

#[test]
fn d7_mode_3_is_back_at_most_half_an_outage_after_its_server() {
    let mut dev = Bench::new(Config {
        mode: WorkingMode::Httpd,
        ..one_link()
    });
    for (outage, away) in [
        (1000, Net::Refused),
        (30_000, Net::Refused),
        (30_000, Net::BlackHole),
    ] {
        dev.net(SERVER, away);
        dev.serial("1").wait(outage);
        dev.net(SERVER, Net::Good);
        dev.wait(outage.max(1000) / 2 + 600);
        assert!(!dev.received(SERVER).is_empty(), "{outage} ms, {away:?}");
        dev.network(
            SERVER,
            "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        )
        .wait(60_000);
    }
}

/// A seeded world found it: only the close told that the server had all of the request.
#[test]
fn a_server_that_took_a_request_is_there_though_only_the_end_of_its_connection_tells() {
    let mut config = Config {
        mode: WorkingMode::Httpd,
        restart_time: 0,
        ..one_link()
    };
    config.httpd.timeout = 2;
    let mut dev = Bench::new(config);
    dev.late_closes = true;
    dev.net(SERVER, Net::Refused);
    dev.serial("1").wait(200_000);
    dev.net(SERVER, Net::Unacked);
    let sent = (0..400).any(|_| !dev.wait(100).received(SERVER).is_empty());
    assert!(sent, "a pause has 30 s at most");
    dev.wait(2000);
    dev.net(SERVER, Net::Good);
    dev.closed(SERVER).serial("2").wait(200);
    assert!(
        !dev.received(SERVER).is_empty(),
        "it does not wait for the outage of before"
    );
}
