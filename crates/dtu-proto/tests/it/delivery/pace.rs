//! Who paces the serial line (decisions 16.1).

use super::*;

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
