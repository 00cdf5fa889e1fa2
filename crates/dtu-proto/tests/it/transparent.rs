//! The transparent mode as timed scripts (manual 2.1.1, 2.2, 2.3; decisions 4 to 7).
#![allow(missing_docs)]

use dtu_proto::config::{
    Config, DropPolicy, Expect, HeartbeatTo, LinkOptions, Options, Protocol, RegistrationWhen, Role,
};
use dtu_proto::event::{
    CloseReason, Event, Input, LinkDownReason, LinkId, Power, QueueId, SocketId, StoreOutput,
};
use dtu_proto::status::{LinkState, WaitingFor};
use dtu_proto::testing::{Bench, LINK1, LINK2, LINK3, Net, one_link};
use dtu_proto::time::{Duration, Instant};

fn options(change: impl Fn(&mut LinkOptions)) -> Options {
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    options.links.iter_mut().for_each(change);
    options
}

fn booted(config: Config, options: Options) -> Bench {
    let mut dev = Bench::with(config, options);
    dev.at(200).prints("\r\nUSR-GPRS232-DTU\r\n");
    dev
}

fn up(config: Config) -> Bench {
    booted(config, options(|_| ()))
}

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
fn a_frame_is_sent_again_until_the_peer_acknowledges_it() {
    let mut dev = up(one_link());
    dev.net(LINK1, Net::Unacked);
    for frame in ["one", "two", "three"] {
        dev.wait(200).serial(frame);
    }
    dev.wait(100)
        .sends(LINK1, "one")
        .sends(LINK1, "two")
        .sends(LINK1, "three");
    dev.lose(LINK1, CloseReason::Reset, 5).wait(1000);
    dev.sends(LINK1, "two")
        .sends(LINK1, "three")
        .sends_nothing(LINK1);
    let counters = dev.dtu.status(dev.now).links[0].counters;
    assert_eq!(
        (
            counters.frames_out,
            counters.resent_frames,
            counters.dropped_frames
        ),
        (1, 2, 0)
    );
}

#[test]
fn without_resend_what_was_on_its_way_is_counted_as_dropped() {
    let mut dev = booted(one_link(), options(|o| o.resend = false));
    dev.net(LINK1, Net::Unacked);
    dev.at(1000)
        .serial("one")
        .at(1100)
        .sends(LINK1, "one")
        .lose(LINK1, CloseReason::Reset, 0);
    dev.wait(1000).sends_nothing(LINK1);
    assert_eq!(dev.dtu.status(dev.now).links[0].counters.dropped_bytes, 3);
}

#[test]
fn a_full_cache_drops_the_oldest_whole_frame_and_counts_it() {
    let mut dev = booted(one_link(), options(|o| o.cache = 2048));
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0);
    for fill in [b'a', b'b', b'c'] {
        dev.wait(200).serial([fill; 1024]);
    }
    let status = dev.dtu.status(dev.now).links[0];
    assert_eq!(
        (status.counters.dropped_bytes, status.waiting_bytes),
        (1024, 2048)
    );
    dev.net(LINK1, Net::Good);
    dev.wait(60_000)
        .sends(LINK1, [b'b'; 1024])
        .sends(LINK1, [b'c'; 1024]);
}

#[test]
fn with_block_the_serial_line_is_not_read_and_nothing_is_dropped() {
    let block = |o: &mut LinkOptions| (o.cache, o.drop_policy) = (15_360, DropPolicy::Block);
    let mut dev = booted(one_link(), options(block));
    dev.net(LINK1, Net::Stuck);
    let mut sent = 0;
    while dev.dtu.wants_serial() {
        dev.serial([1; 4096]);
        sent += 4096;
    }
    let status = dev.dtu.status(dev.now).links[0];
    assert!(
        status.waiting_bytes <= 15_360 && status.counters.dropped_frames == 0,
        "{sent} {status:?}"
    );
}

#[test]
fn a_stuck_link_does_not_delay_another() {
    let mut config = one_link();
    config.links[1].enabled = true;
    let mut dev = Bench::cold(config, options(|_| ()));
    dev.net(LINK1, Net::Stuck);
    dev.input(dtu_proto::event::Input::Modem(
        &dtu_proto::event::ModemInput::Attached(std::net::Ipv4Addr::LOCALHOST.into()),
    ));
    for at in 1..50 {
        dev.at(at * 1000)
            .serial("x")
            .wait(100)
            .sends(LINK2, "x")
            .sends_nothing(LINK1);
    }
}

#[test]
fn udp_frames_wait_only_until_the_name_is_resolved() {
    let mut config = one_link();
    config.links[0].protocol = Protocol::Udp;
    config.registration = b"R".to_vec();
    config.registration_when = RegistrationWhen::WithData;
    let mut dev = Bench::cold(config, options(|_| ()));
    dev.net(LINK1, Net::Refused);
    dev.input(dtu_proto::event::Input::Modem(
        &dtu_proto::event::ModemInput::Attached(std::net::Ipv4Addr::LOCALHOST.into()),
    ));
    dev.at(1000).serial("one").at(2000).serial("two").at(3000);
    dev.net(LINK1, Net::Unacked);
    dev.at(60_000)
        .sends(LINK1, "R")
        .sends(LINK1, "Rone")
        .sends(LINK1, "Rtwo");
    assert_eq!(dev.dtu.status(dev.now).links[0].waiting_frames, 0);
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

fn with_backup() -> Config {
    let mut config = one_link();
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    config
}

#[test]
fn a_backup_stands_in_only_while_its_primary_is_down() {
    let mut dev = up(with_backup());
    dev.at(1000)
        .serial("one")
        .at(1100)
        .sends(LINK1, "one")
        .sends_nothing(LINK2);
    assert!(dev.peer(LINK2).connects.is_empty());
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 3)
        .at(3000)
        .serial("two")
        .at(3100)
        .sends(LINK2, "two");
    dev.net(LINK1, Net::Good);
    dev.at(30_000);
    let failed_back = Event::BackupActive {
        backup: LINK2,
        primary: LINK1,
        active: false,
    };
    assert!(!dev.events.contains(&failed_back));
    dev.at(65_000)
        .serial("three")
        .at(65_100)
        .sends(LINK1, "three")
        .sends_nothing(LINK2);
    assert!(dev.events.contains(&failed_back));
}

#[test]
fn a_backup_gets_what_its_primary_could_not_deliver() {
    let mut dev = up(with_backup());
    dev.net(LINK1, Net::Unacked);
    dev.at(1000).serial("one").at(1100).sends(LINK1, "one");
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0)
        .wait(500)
        .sends(LINK2, "one");
    let [first, second, ..] = dev.dtu.status(dev.now).links;
    assert_eq!(
        (
            first.counters.moved_out_bytes,
            second.counters.moved_in_bytes
        ),
        (3, 3)
    );
    assert_eq!(second.counters.frames_out, 1);
}

/// They would come again after a crash: nobody releases what no spool of this link has to hold.
#[test]
fn frames_that_move_go_to_the_disk_only_where_the_link_has_a_spool() {
    for spools in [[true, false], [false, true], [true, true], [false, false]] {
        let mut options = Options {
            setup_window: Duration::ZERO,
            ..Options::default()
        };
        options
            .links
            .iter_mut()
            .zip(spools)
            .for_each(|(link, spool)| link.spool = spool);
        let mut dev = Bench::with(with_backup(), options);
        dev.at(200);
        dev.net(LINK1, Net::Unacked);
        dev.at(1000).serial("one").at(1100).sends(LINK1, "one");
        dev.net(LINK1, Net::Refused);
        dev.lose(LINK1, CloseReason::Reset, 0)
            .wait(500)
            .sends(LINK2, "one");
        let queue = |order: &StoreOutput| match order {
            StoreOutput::SpoolAppend(queue, _, frame) if frame == "one" => Some(*queue),
            StoreOutput::Save(_)
            | StoreOutput::Messages { .. }
            | StoreOutput::SpoolAppend(..)
            | StoreOutput::SpoolRelease(..)
            | StoreOutput::SpoolSending(..) => None,
        };
        let kept: Vec<QueueId> = dev.store.spool.iter().filter_map(queue).collect();
        let wanted = [LINK1, LINK2]
            .into_iter()
            .zip(spools)
            .filter(|(_, spool)| *spool);
        assert_eq!(
            kept,
            wanted.map(|(link, _)| link.into()).collect::<Vec<_>>(),
            "{spools:?}"
        );
    }
}

#[test]
fn a_backup_that_never_came_up_gives_the_frames_back() {
    let mut dev = up(with_backup());
    dev.net(LINK1, Net::Refused).net(LINK2, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0)
        .at(1000)
        .serial("one")
        .at(5000);
    dev.net(LINK1, Net::Good);
    dev.at(40_000).sends(LINK1, "one").sends_nothing(LINK2);
}

#[test]
fn a_backup_that_hands_back_gives_only_what_was_not_acknowledged() {
    let mut dev = up(with_backup());
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0)
        .at(2000)
        .serial("one")
        .at(2100)
        .sends(LINK2, "one");
    dev.net(LINK1, Net::Good).net(LINK2, Net::Unacked);
    dev.at(25_000).serial("two").at(25_100).sends(LINK2, "two");
    dev.net(LINK2, Net::Good); // acknowledged, but the device learns it only when it closes
    dev.at(60_000).sends_nothing(LINK1);
    let counters = dev.dtu.status(dev.now).links[1].counters;
    assert_eq!((counters.frames_out, counters.moved_out_frames), (2, 0));
}

#[test]
fn links_that_back_each_other_up_work_like_any_other() {
    let mut config = with_backup();
    config.links[2].enabled = true;
    config.links[2].role = Role::Backup(LINK2);
    let mut dev = booted(config, options_with_role(LINK1, Role::Backup(LINK2)));
    dev.net_of_links(Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0)
        .lose(LINK2, CloseReason::Reset, 0)
        .at(1000)
        .serial("x");
    dev.net(LINK1, Net::Good).net(LINK2, Net::Good);
    dev.at(5000).net_of_links(Net::Good);
    dev.at(60_000).sends(LINK1, "x").sends_nothing(LINK3);
}

fn options_with_role(link: LinkId, role: Role) -> Options {
    let mut options = options(|_| ());
    options.links[link.index()].role = Some(role);
    options
}

#[test]
fn every_frame_of_a_spooled_link_is_told_to_the_host_and_released_when_delivered() {
    let mut dev = booted(one_link(), options(|o| o.spool = true));
    dev.at(1000).serial("one").at(1100);
    let told = [
        StoreOutput::SpoolAppend(LINK1.into(), 0, "one".into()),
        StoreOutput::SpoolRelease(LINK1.into(), 1),
    ];
    assert_eq!(dev.store.spool, told);
}

#[test]
fn frames_of_an_earlier_run_go_first() {
    let mut dev = Bench::cold(
        one_link(),
        Options {
            setup_window: Duration::from_secs(1),
            ..options(|_| ())
        },
    );
    dev.dtu.restore(LINK1, [(7, "old".into())]);
    dev.input(dtu_proto::event::Input::Modem(
        &dtu_proto::event::ModemInput::Attached(std::net::Ipv4Addr::LOCALHOST.into()),
    ));
    dev.at(500)
        .serial("early")
        .at(1200)
        .sends(LINK1, "old")
        .sends(LINK1, "early");
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

#[test]
fn a_dte_that_never_reads_stops_the_sockets_at_15_kib() {
    let mut dev = up(one_link());
    dev.dte_stops();
    while dev.dtu.wants_socket(LINK1) {
        dev.network(LINK1, [5; 1000]);
    }
    assert_eq!(dev.dtu.status(dev.now).serial.waiting, 16_000);
    dev.at(1000).serial("still").at(1100).sends(LINK1, "still");
    dev.dte_reads_on();
    assert_eq!(dev.dtu.status(dev.now).serial.waiting, 0);
    assert!(dev.dtu.wants_socket(LINK1));
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

#[test]
fn a_day_without_a_network_stays_within_every_bound() {
    let mut config = one_link();
    config.restart_time = 0;
    let mut dev = booted(config, options(|o| o.cache = 15_360));
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0);
    for minute in 1..1440u64 {
        dev.at(minute * 60_000).serial([3; 700]);
    }
    dev.wait(10_000);
    let status = dev.dtu.status(dev.now);
    let link = status.links[LinkId::ALL[0].index()];
    assert!(link.waiting_bytes <= 15_360);
    let counters = link.counters;
    assert_eq!(
        counters.bytes_in,
        counters.dropped_bytes + link.waiting_bytes as u64
    );
    assert_eq!(status.serial.counters.frame_bytes, 1439 * 700);
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
