//! Links, recovery, the clock, passwords.

use super::*;

#[test]
fn a_short_link_that_was_idle_for_long_does_not_reset_the_modem() {
    let mut config = one_link();
    config.long_links = false;
    config.restart_time = 0;
    let mut dev = up(config);
    for minutes in [20, 40, 60] {
        dev.at(minutes * 60_000)
            .serial("x")
            .wait(300)
            .sends(LINK1, "x");
    }
    assert_eq!((dev.modem.resets, dev.power.len()), (0, 0));
}

#[test]
fn command_frames_of_a_dte_that_does_not_read_fill_no_queue() {
    let mut dev = up(gated());
    dev.dte_stops();
    for _ in 0..300 {
        if !dev.dtu.wants_serial() {
            break;
        }
        dev.serial("12345,AT+HELP").wait(150);
    }
    let waiting = dev.dtu.status(dev.now).serial.waiting;
    assert!(waiting < 128 * 1024, "{waiting} bytes wait");
}

#[test]
fn the_recovery_interval_grows_with_a_udp_link_beside() {
    let mut config = one_link();
    config.restart_time = 0;
    config.links[1].enabled = true;
    config.links[1].protocol = Protocol::Udp;
    let mut dev = Bench::cold(config, options(|_| ()));
    dev.net(LINK1, Net::Refused);
    dev.input(Input::Modem(&ModemInput::Attached(
        std::net::Ipv4Addr::LOCALHOST.into(),
    )));
    // Modem reset at 15 min, restarts at 30, 45 (15 later), 75, 135, 255 min: as without the UDP link.
    dev.at(250 * 60_000);
    let got = (dev.modem.resets, dev.power.len());
    let mut alone = one_link();
    alone.restart_time = 0;
    let mut reference = Bench::cold(alone, options(|_| ()));
    reference.net(LINK1, Net::Refused);
    reference.input(Input::Modem(&ModemInput::Attached(
        std::net::Ipv4Addr::LOCALHOST.into(),
    )));
    reference.at(250 * 60_000);
    assert_eq!(got, (reference.modem.resets, reference.power.len()));
}

#[test]
fn the_clock_begins_anew_after_a_restart() {
    let mut dev = up(one_link());
    dev.escape()
        .command("AT+CCLK=\"20/05/06,07:08:09\"", OK)
        .serial("AT+CIRESET\r")
        .wait(500);
    dev.printed();
    dev.escape().serial("AT+CCLK?\r");
    let printed = dev.printed();
    assert!(printed.contains("14/01/01"), "{printed}");
}

#[test]
fn the_clock_begins_at_power_on_wherever_the_host_s_time_stands() {
    let now = dtu_proto::time::Instant::from_millis(86_400_000);
    let mut dtu = dtu_proto::Dtu::new(one_link(), options(|_| ()), Identity::default(), 1, now);
    dtu.handle_input(Input::Console("AT+CCLK?"), now);
    let said = std::iter::from_fn(|| dtu.poll_output()).find_map(|output| {
        if let Output::Console(text) = output {
            Some(text)
        } else {
            None
        }
    });
    assert!(
        said.as_ref()
            .is_some_and(|text| text.contains("14/01/01,00:00:00")),
        "{said:?}"
    );
}

#[test]
fn a_frame_in_the_socket_s_hands_is_not_dropped_for_room() {
    let mut dev = Bench::with(one_link(), options(|o| o.cache = 2048));
    dev.at(200);
    dev.net(LINK1, Net::Unacked);
    for fill in [b'a', b'b', b'c'] {
        dev.wait(200).serial([fill; 1024]);
    }
    let delivered = dev.received(LINK1).len() as u64;
    dev.input(Input::Socket(
        SocketId::Link(LINK1),
        SocketInput::Acked(delivered),
    ));
    let link = dev.dtu.status(dev.now).links[0];
    let (c, waiting) = (link.counters, link.waiting_bytes as u64);
    assert_eq!(
        (delivered, c.bytes_out + c.dropped_bytes + waiting),
        (c.bytes_out, c.bytes_in),
        "{c:?}"
    );
}

#[test]
fn a_network_that_comes_and_goes_does_not_put_recovery_off_for_ever() {
    let mut config = one_link();
    config.restart_time = 0;
    let mut dev = Bench::cold(config, options(|_| ()));
    dev.net(LINK1, Net::Refused);
    for minutes in 1..12 {
        dev.input(Input::Modem(&ModemInput::Attached(
            std::net::Ipv4Addr::LOCALHOST.into(),
        )));
        dev.at(minutes * 600_000 - 120_000)
            .input(Input::Modem(&ModemInput::Detached))
            .at(minutes * 600_000);
    }
    assert!(dev.modem.resets > 0, "110 minutes without a link");
}

#[test]
fn an_expected_reply_is_missed_even_if_heartbeats_come_faster_than_its_time() {
    let mut config = one_link();
    config.heartbeat = b"HB".to_vec();
    config.heartbeat_interval = 30;
    let expect = Expect {
        reply: b"OK".to_vec(),
        within: Duration::from_secs(31),
        misses: 2,
        pass: false,
    };
    let mut dev = Bench::with(
        config,
        options(|o| o.expect_heartbeat = Some(Box::new(expect.clone()))),
    );
    dev.at(600_000);
    assert!(
        dev.peer(LINK1).closes > 0,
        "{} heartbeats without a reply",
        dev.received(LINK1).len() / 2
    );
}

#[test]
fn the_reply_to_a_command_of_a_lost_connection_goes_to_nobody() {
    let mut dev = up(gated());
    raw(
        &mut dev,
        Input::Socket(SocketId::Link(LINK1), SocketInput::Data(b"12345,ATW")),
    );
    dev.lose(LINK1, CloseReason::Reset, 0).wait(1500);
    assert_eq!(dev.peer(LINK1).connects.len(), 2);
    dev.input(Input::Store(StoreInput::Saved))
        .wait(100)
        .sends_nothing(LINK1);
}

#[test]
fn a_short_link_does_not_close_in_the_moment_of_a_late_acknowledgement() {
    let mut config = one_link();
    config.long_links = false;
    let mut dev = up(config);
    dev.net(LINK1, Net::Unacked);
    dev.at(1000)
        .serial("ask")
        .at(1300)
        .sends(LINK1, "ask")
        .at(14_000);
    dev.input(Input::Socket(SocketId::Link(LINK1), SocketInput::Acked(3)))
        .wait(500);
    assert_eq!(dev.peer(LINK1).closes, 0, "no time for the answer");
    dev.network(LINK1, "answer").prints("answer");
}

#[test]
fn data_that_looks_a_little_like_a_command_shuts_no_door() {
    let mut dev = up(gated());
    for room in 1..6 {
        dev.serial(format!("room{room},attic 21.5"))
            .wait(200)
            .received(LINK1);
    }
    dev.serial("12345,AT+CIPR?")
        .wait(200)
        .prints("\r\n+CIPR: 115200\r\n\r\nOK\r\n");
}

#[test]
fn the_right_password_behind_a_shut_door_goes_to_no_server() {
    let mut dev = up(gated());
    for _ in 0..5 {
        dev.serial("wrong,AT+CIPR?").wait(200).received(LINK1);
    }
    dev.serial("12345,AT+CIPR?").wait(200).sends_nothing(LINK1);
}

/// D2, D16, D11: what only the host sees is counted where it belongs, and said.
#[test]
fn what_the_host_lost_is_counted_and_said() {
    let mut bench = Bench::new(one_link());
    let at = SocketId::AtMode;
    let httpd = SocketId::Httpd;
    let place = SocketId::DESTINATIONS[3];
    let losses = [
        Lost::Unread(SocketId::Link(LINK2), 1),
        Lost::Datagrams(SocketId::Link(LINK2), 2),
        Lost::Unread(at, 3),
        Lost::Datagrams(at, 4),
        Lost::Unread(httpd, 5),
        Lost::Unread(place, 6),
        Lost::Datagrams(place, 7),
        Lost::InLine(8),
        Lost::Overrun(9),
    ];
    for lost in losses.into_iter().chain(losses) {
        bench.input(Input::Lost(lost));
        assert_eq!(bench.events.last(), Some(&Event::Lost(lost)));
    }
    let status = bench.dtu.status(bench.now);
    let link = &status.links[1].counters;
    assert_eq!((link.unread_bytes, link.unread_datagrams), (2, 4));
    let connection = &status.at_connection.counters;
    assert_eq!(
        (connection.unread_bytes, connection.unread_datagrams),
        (6, 8)
    );
    assert_eq!(status.httpd.counters.unread_bytes, 10);
    let packets = &status.serial_command.counters;
    assert_eq!((packets.unread_bytes, packets.unread_datagrams), (12, 14));
    let line = &status.serial.counters;
    assert_eq!((line.lost_bytes, line.overrun_bytes), (16, 18));
}

/// D9 (decisions 16.5): another address behind the name of a UDP link is another peer, which must know who sends.
#[test]
fn d9_a_udp_link_that_moved_registers_again() {
    let mut config = one_link();
    config.links[0].protocol = Protocol::Udp;
    config.registration = b"id".to_vec();
    let mut bench = Bench::new(config);
    bench.wait(1000).sends(LINK1, "id");
    bench.serial("before").wait(1000).sends(LINK1, "before");
    let local = SocketAddr::from(([127, 0, 0, 1], 5000));
    bench
        .input(Input::Socket(
            SocketId::Link(LINK1),
            SocketInput::Connected { local },
        ))
        .sends(LINK1, "id");
    bench.serial("behind").wait(1000).sends(LINK1, "behind");
    assert_eq!(bench.dtu.status(bench.now).links[0].counters.reconnects, 0);
}

#[test]
fn each_frame_that_goes_again_is_counted_with_its_bytes() {
    let mut dev = up(one_link());
    for (frame, frames, bytes) in [("abc", 1, 3), ("de", 2, 5)] {
        dev.net(LINK1, Net::Unacked).serial(frame).wait(200);
        dev.lose(LINK1, CloseReason::Reset, 0).net(LINK1, Net::Good);
        dev.wait(60_000);
        let counters = dev.dtu.status(dev.now).links[0].counters;
        assert_eq!(
            (counters.resent_frames, counters.resent_bytes),
            (frames, bytes)
        );
        dev.breaks(LINK1, CloseReason::PeerClosed);
    }
}

/// An idle short link, and one whose settings change, were not lost.
#[test]
fn a_connection_that_the_device_ends_itself_counts_as_no_loss() {
    let mut config = one_link();
    config.long_links = false;
    let mut dev = up(config);
    dev.serial("x").wait(60_000).sends(LINK1, "x");
    let ends = |dev: &Bench| {
        let reconnects = dev.dtu.status(dev.now).links[0].counters.reconnects;
        (dev.peer(LINK1).closes, reconnects)
    };
    assert_eq!(ends(&dev), (1, 0));
    dev.serial("y").wait(1000).sends(LINK1, "y");
    dev.console_line("AT+CIPSCONT=1,\"TCP\",\"other\",9,1;+CIAPPLY")
        .wait(1000);
    assert_eq!(ends(&dev), (2, 0));
}

#[test]
fn replies_that_wait_for_a_link_that_breaks_are_counted() {
    let mut dev = up(gated());
    dev.net(LINK1, Net::Stuck);
    for _ in 0..3 {
        dev.network(LINK1, "12345,AT").wait(10);
    }
    dev.lose(LINK1, CloseReason::Reset, 0);
    // The first was with the socket.
    let counters = dev.dtu.status(dev.now).links[0].counters;
    assert_eq!(counters.dropped_replies, 2);
}

#[test]
fn a_link_that_the_host_has_not_closed_yet_waits_to_try_again() {
    let mut dev = up(one_link());
    dev.late_closes = true;
    dev.console_line("AT+CIPSCONT=1,\"TCP\",\"other\",9,1;+CIAPPLY")
        .wait(10);
    let state = |dev: &Bench| dev.dtu.status(dev.now).links[0].state;
    assert_eq!(state(&dev), LinkState::Waiting(WaitingFor::Retry));
    dev.net(LINK1, Net::BlackHole).closed(LINK1).wait(1000);
    assert_eq!(state(&dev), LinkState::Connecting);
    dev.connects(LINK1);
    assert_eq!(state(&dev), LinkState::Connected);
}

/// What waits for the DTE is data on its way.
#[test]
fn a_short_link_is_idle_from_when_the_dte_has_read_what_came() {
    let mut config = one_link();
    config.long_links = false;
    let mut dev = up(config);
    dev.serial("x").wait(1000).sends(LINK1, "x");
    let idle = Options::default().links[0].short_link_idle.as_secs() * 1000;
    dev.dte_stops().network(LINK1, "answer").wait(2 * idle);
    assert_eq!(dev.peer(LINK1).closes, 0);
    dev.dte_reads_on().wait(idle - 10);
    assert_eq!(dev.peer(LINK1).closes, 0);
    dev.wait(20);
    assert_eq!(dev.peer(LINK1).closes, 1);
}

/// Decisions 16.1: links of one speed acknowledge in turns, so of two none is filled to the brim.
#[test]
fn one_link_fills_its_cache_before_the_line_stops_and_two_half_of_it() {
    for (links, brim) in [(1, true), (2, false)] {
        let mut config = one_link();
        config.links[1].enabled = links == 2;
        let mut dev = Bench::with(config, options(|link| link.cache = 64 * 1024));
        dev.net_of_links(Net::Unacked).at(500);
        while dev.dtu.wants_serial() {
            dev.serial([b'x'; 1024]).wait(1);
        }
        let link = dev.dtu.status(dev.now).links[0];
        assert_eq!(link.counters.dropped_frames, 0);
        assert!(link.waiting_bytes > 32 * 1024);
        assert_eq!(
            link.waiting_bytes > 50 * 1024,
            brim,
            "{}",
            link.waiting_bytes
        );
    }
}

#[test]
fn an_interval_of_0_sends_no_heartbeat() {
    let mut config = one_link();
    (config.heartbeat, config.heartbeat_interval) = (b"HB".to_vec(), 0);
    let mut dev = up(config);
    dev.wait(590_000).sends_nothing(LINK1);
    assert_eq!(dev.peer(LINK1).connects.len(), 1);
}

#[test]
fn what_acknowledges_no_whole_frame_releases_none_on_the_disk() {
    let mut dev = Bench::with(one_link(), options(|link| link.spool = true));
    dev.at(500);
    dev.net(LINK1, Net::Unacked).serial("frame").wait(200);
    assert_eq!(dev.store.spool.len(), 1, "it is appended");
    dev.acked(LINK1, 4);
    assert_eq!(dev.store.spool.len(), 1);
    dev.acked(LINK1, 5);
    let released = StoreOutput::SpoolRelease(LINK1.into(), 1);
    assert_eq!(dev.store.spool[1..], [released]);
}

#[test]
fn a_frame_behind_its_registration_is_delivered_with_its_last_byte() {
    let mut config = one_link();
    config.registration = b"id".to_vec();
    config.registration_when = RegistrationWhen::WithData;
    let mut dev = up(config);
    dev.sends(LINK1, "id").net(LINK1, Net::Unacked);
    dev.serial("abc").wait(200).sends(LINK1, "idabc");
    let waits = |dev: &Bench| dev.dtu.status(dev.now).links[0].waiting_frames;
    dev.acked(LINK1, 6);
    assert_eq!(waits(&dev), 1);
    dev.acked(LINK1, 7);
    assert_eq!(waits(&dev), 0);
}
