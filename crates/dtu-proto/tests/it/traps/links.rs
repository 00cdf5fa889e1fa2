//! Bad links, full caches, outages.

use super::*;

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
