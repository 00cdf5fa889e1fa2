//! What a sign of life of a peer is (decisions 16.6, 16.7).

use super::*;

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
