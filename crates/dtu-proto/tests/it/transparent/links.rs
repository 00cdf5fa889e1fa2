//! Registration packets, framing, attempts, the end.

use super::*;

#[test]
fn manual_2_1_1_a_frame_goes_to_every_enabled_link_and_answers_come_back() {
    let mut config = one_link();
    config.links[2].enabled = true;
    config.links[2].protocol = Protocol::Udp;
    let mut dev = up(config);
    dev.at(1000).serial("hello").at(1099).sends_nothing(LINK1);
    dev.at(1100)
        .sends(LINK1, "hello")
        .sends(LINK3, "hello")
        .sends_nothing(LINK2);
    dev.network(LINK3, "three")
        .network(LINK1, b"\x00\xff")
        .prints(b"three\x00\xff");
}

#[test]
fn manual_2_1_1_data_before_the_network_is_kept() {
    let mut dev = Bench::cold(one_link(), options(|_| ()));
    dev.at(1000)
        .serial("one")
        .at(5000)
        .serial("two")
        .at(9000)
        .sends_nothing(LINK1);
    dev.input(dtu_proto::event::Input::Modem(
        &dtu_proto::event::ModemInput::Attached(std::net::Ipv4Addr::LOCALHOST.into()),
    ));
    dev.at(9100).sends(LINK1, "one").sends(LINK1, "two");
}

#[test]
fn manual_2_2_registration_is_first_on_every_connection() {
    let mut config = one_link();
    config.registration = b"REG".to_vec();
    let mut dev = up(config);
    dev.sends(LINK1, "REG")
        .at(1000)
        .serial("data")
        .at(1100)
        .sends(LINK1, "data");
    dev.lose(LINK1, CloseReason::Reset, 7)
        .wait(1000)
        .sends(LINK1, "REG")
        .sends_nothing(LINK1);
}

#[test]
fn manual_2_2_registration_precedes_each_frame_in_the_same_send_but_no_heartbeat() {
    let mut config = one_link();
    config.registration = b"REG".to_vec();
    config.registration_when = RegistrationWhen::WithData;
    config.heartbeat = b"HB".to_vec();
    config.heartbeat_interval = 10;
    let mut dev = up(config);
    dev.sends(LINK1, "REG")
        .at(1000)
        .serial("data")
        .at(1100)
        .sends(LINK1, "REGdata");
    dev.at(11_099)
        .sends_nothing(LINK1)
        .at(11_100)
        .sends(LINK1, "HB")
        .at(21_100)
        .sends(LINK1, "HB");
}

#[test]
fn a_late_host_merges_no_frames() {
    let mut dev = up(one_link());
    dev.at(1000)
        .serial("one")
        .oversleep(150)
        .serial("two")
        .sends(LINK1, "one");
    dev.wait(100).sends(LINK1, "two");
}

#[test]
fn characters_of_a_slow_line_are_not_a_packet_each() {
    for (baud, time, apart) in [(110, 10, 91), (110, 100, 101), (300, 30, 34)] {
        let mut config = one_link();
        config.line.baud = baud;
        config.packing_time = time;
        let mut dev = up(config);
        for byte in b"hello" {
            dev.serial([*byte]).wait(apart);
        }
        dev.wait(300).sends(LINK1, "hello");
    }
}

#[test]
fn without_packing_each_read_goes_on_at_once() {
    let mut config = one_link();
    config.packing_time = 0;
    let mut dev = up(config);
    dev.at(1000)
        .serial("a")
        .serial([7; 4096])
        .sends(LINK1, "a")
        .sends(LINK1, [7; 4096]);
}

#[test]
fn the_length_closes_frames_only_where_it_is_enabled() {
    let mut config = one_link();
    config.packing_length = 4;
    let enabled = Options {
        length_enabled: true,
        ..options(|_| ())
    };
    booted(config.clone(), enabled)
        .at(1000)
        .serial("abcdef")
        .sends(LINK1, "abcd");
    up(config).at(1000).serial("abcdef").sends_nothing(LINK1);
}

#[test]
fn reconnects_back_off_with_jitter_and_start_over_after_a_good_connection() {
    let mut dev = up(one_link());
    assert!(dev.peer(LINK1).connects[0].0 < Instant::from_millis(100));
    dev.at(70_000);
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, CloseReason::PeerClosed, 0).at(600_000);
    let times: Vec<_> = dev.peer(LINK1).connects.iter().map(|c| c.0).collect();
    assert!(times[1].since(Instant::from_millis(70_000)) < Duration::from_millis(100));
    assert!(
        times
            .windows(2)
            .skip(1)
            .all(|t| t[1].since(t[0]) <= Duration::from_secs(30))
    );
    assert!(times.len() > 20 && times.len() < 120, "{}", times.len());
}

#[test]
fn an_attempt_without_an_answer_ends() {
    let mut dev = Bench::cold(one_link(), options(|_| ()));
    dev.net(LINK1, Net::BlackHole);
    dev.input(dtu_proto::event::Input::Modem(
        &dtu_proto::event::ModemInput::Attached(std::net::Ipv4Addr::LOCALHOST.into()),
    ));
    dev.at(200_000);
    assert!(dev.peer(LINK1).connects.len() > 2);
}

#[test]
fn manual_2_8_6_46_a_short_link_connects_for_data_and_closes_when_idle() {
    let mut config = one_link();
    config.long_links = false;
    let mut dev = up(config);
    assert!(dev.peer(LINK1).connects.is_empty());
    dev.at(5000)
        .serial("x")
        .at(5200)
        .sends(LINK1, "x")
        .at(9000)
        .network(LINK1, "y")
        .prints("y");
    dev.at(18_999);
    assert_eq!(dev.peer(LINK1).closes, 0);
    dev.at(19_000);
    assert_eq!(
        (dev.peer(LINK1).closes, dev.peer(LINK1).connects.len()),
        (1, 1)
    );
    let state = LinkState::Waiting(WaitingFor::Data);
    assert_eq!(dev.dtu.status(dev.now).links[0].state, state);
    dev.at(30_000).serial("z").at(30_200).sends(LINK1, "z");
}

#[test]
fn manual_2_5_the_lamps() {
    let mut dev = up(one_link());
    let last = |dev: &Bench| dev.leds.last().copied().map(|l| (l.pow, l.net, l.data));
    assert_eq!(last(&dev), Some((true, true, true)));
    dev.at(1000).network(LINK1, "x");
    assert_eq!(last(&dev), Some((true, true, false)));
    dev.at(1100);
    assert_eq!(last(&dev), Some((true, true, true)));
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0);
    assert_eq!(last(&dev), Some((true, true, false)));
}

/// The host needs a moment to close a socket: the device stops when all are closed, and not before.
#[test]
fn a_stop_waits_for_every_link_that_closes() {
    let mut config = one_link();
    config.links[1].enabled = true;
    let mut dev = up(config);
    dev.late_closes = true;
    dev.at(1000).input(Input::Shutdown).wait(100);
    assert_eq!(
        (
            dev.peer(LINK1).closes,
            dev.peer(LINK2).closes,
            dev.power.len()
        ),
        (1, 1, 0)
    );
    dev.closed(LINK1).wait(100);
    assert_eq!(dev.power.len(), 0, "link 2 is still closing");
    dev.closed(LINK2).wait(100);
    assert_eq!(dev.power, [Power::Stop]);
}

/// A restart opens no connection before the one before it is closed.
#[test]
fn after_a_restart_a_link_connects_when_its_old_socket_is_closed() {
    let mut dev = up(one_link());
    dev.late_closes = true;
    dev.at(1000)
        .input(Input::Console(
            "AT+CIPSCONT=1,\"TCP\",\"new\",7,1;W;+CIRESET",
        ))
        .wait(3000);
    assert_eq!(
        (dev.power.as_slice(), dev.peer(LINK1).connects.len()),
        (&[Power::Restarted][..], 1)
    );
    dev.closed(LINK1).wait(3000);
    assert_eq!(
        dev.peer(LINK1)
            .connects
            .last()
            .map(|(_, connect)| connect.address.as_str()),
        Some("new")
    );
    assert_eq!(dev.peer(LINK1).connects.len(), 2);
}
