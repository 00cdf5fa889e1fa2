//! Caches, resending, spools and what a link does not take.

use super::*;

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
