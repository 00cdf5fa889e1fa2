//! Heartbeats, expected replies, RTIME and recovery (manual 2.3, 2.8.6.20).

use super::*;

#[test]
fn manual_2_3_a_network_heartbeat_comes_after_silence_in_both_directions() {
    let mut config = one_link();
    config.heartbeat = b"HB".to_vec();
    config.heartbeat_interval = 30;
    let mut dev = up(config);
    dev.at(20_000)
        .network(LINK1, "x")
        .at(49_999)
        .sends_nothing(LINK1)
        .at(50_000)
        .sends(LINK1, "HB");
    dev.at(60_000)
        .serial("y")
        .at(60_100)
        .sends(LINK1, "y")
        .at(90_099)
        .sends_nothing(LINK1);
    dev.at(90_100).sends(LINK1, "HB");
}

#[test]
fn manual_2_3_a_heartbeat_without_acknowledgement_reconnects() {
    let mut config = one_link();
    config.heartbeat = b"HB".to_vec();
    config.heartbeat_interval = 30;
    let mut dev = up(config);
    dev.net(LINK1, Net::Unacked);
    dev.at(31_000)
        .sends(LINK1, "HB")
        .at(59_000)
        .sends_nothing(LINK1);
    assert_eq!(dev.peer(LINK1).closes, 0);
    dev.at(62_000);
    assert_eq!(
        (dev.peer(LINK1).closes, dev.peer(LINK1).connects.len()),
        (1, 2)
    );
    let reason = LinkDownReason::HeartbeatFailed;
    assert!(dev.events.contains(&Event::Disconnected {
        socket: SocketId::Link(LINK1),
        reason,
        was_up: true
    }));
}

#[test]
fn manual_2_3_a_heartbeat_that_cannot_be_sent_reconnects() {
    let mut config = one_link();
    config.heartbeat = b"HB".to_vec();
    config.heartbeat_interval = 30;
    let mut dev = up(config);
    dev.net(LINK1, Net::Stuck);
    // Two intervals after the last sign of life (decisions 16.21; it was one interval after the last byte handed over).
    dev.at(1000).serial("x").at(59_999);
    assert_eq!(dev.peer(LINK1).closes, 0);
    dev.net(LINK1, Net::Good);
    dev.at(62_000).sends(LINK1, "x");
}

#[test]
fn manual_2_3_a_serial_heartbeat_never_cuts_a_frame() {
    let mut config = one_link();
    config.heartbeat = b"\x01\x03".to_vec();
    config.heartbeat_interval = 10;
    config.heartbeat_to = HeartbeatTo::Serial;
    config.packing_time = 15_000;
    let mut dev = up(config);
    dev.at(10_000).prints(b"\x01\x03").at(19_000).serial("half");
    // Due at 29 s, amid the frame; it waits for the end of that.
    dev.at(31_000).prints_nothing().serial("more");
    dev.at(45_999).prints_nothing().sends_nothing(LINK1);
    dev.at(46_000).prints(b"\x01\x03").sends(LINK1, "halfmore");
    dev.at(55_999)
        .prints_nothing()
        .at(56_000)
        .prints(b"\x01\x03");
}

#[test]
fn a_serial_heartbeat_waits_from_the_last_byte_that_was_written() {
    let mut config = one_link();
    config.heartbeat = b"HB".to_vec();
    config.heartbeat_interval = 5;
    config.heartbeat_to = HeartbeatTo::Serial;
    let mut dev = up(config);
    dev.dte_stops();
    dev.network(LINK1, "slow")
        .at(60_000)
        .prints("slow")
        .dte_reads_on()
        .at(64_999)
        .prints_nothing();
    dev.at(65_000).prints("HB");
}

#[test]
fn an_expected_reply_that_stays_away_reconnects() {
    let mut config = one_link();
    config.registration = b"REG".to_vec();
    let expect = Expect {
        reply: b"OK".to_vec(),
        within: Duration::from_secs(5),
        misses: 3,
        pass: false,
    };
    let mut dev = booted(
        config,
        options(|o| o.expect_registration = Some(Box::new(expect.clone()))),
    );
    dev.sends(LINK1, "REG")
        .at(5200)
        .sends(LINK1, "REG")
        .at(10_300)
        .sends(LINK1, "REG")
        .at(16_000);
    assert_eq!(dev.peer(LINK1).closes, 1);
    dev.at(18_000)
        .sends(LINK1, "REG")
        .network(LINK1, "..OK..")
        // A matched reply is the device's own (decisions 16.6).
        .prints("....")
        .at(60_000)
        .sends_nothing(LINK1);
    assert_eq!(dev.peer(LINK1).closes, 1);
}

#[test]
fn manual_2_8_6_20_no_data_for_rtime_restarts_the_device() {
    let mut config = one_link();
    config.restart_time = 600;
    let mut dev = up(config.clone());
    dev.at(500_000)
        .network(LINK1, "x")
        .prints("x")
        .at(1_099_999);
    assert!(dev.power.is_empty());
    dev.at(1_101_000).prints("\r\nUSR-GPRS232-DTU\r\n");
    assert_eq!(dev.power, [Power::Restarted]);
    config.restart_time = 599;
    assert!(up(config).at(4_000_000).power.is_empty());
}

#[test]
fn without_a_link_the_modem_is_reset_and_then_the_device_restarts() {
    let mut config = one_link();
    config.restart_time = 0;
    let mut dev = Bench::with(config, options(|_| ()));
    dev.net(LINK1, Net::Refused);
    dev.at(100).lose(LINK1, CloseReason::Reset, 0);
    dev.at(899_000);
    assert_eq!(dev.modem.resets, 0);
    dev.at(901_000);
    assert_eq!((dev.modem.resets, dev.power.len()), (1, 0));
    dev.at(1_802_000);
    assert_eq!((dev.modem.resets, dev.power.len()), (1, 1));
    dev.at(1_802_000 + 1_790_000);
    assert_eq!(dev.power.len(), 1);
    dev.at(1_802_000 + 1_810_000);
    assert_eq!(dev.power.len(), 2);
}
