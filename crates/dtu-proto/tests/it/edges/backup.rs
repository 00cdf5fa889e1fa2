//! Roles: failover and failback.

use super::*;

#[test]
fn a_role_takes_effect_with_ciapply_and_not_before() {
    let mut config = one_link();
    config.links[1].enabled = true;
    let mut dev = up(config);
    dev.at(60_000)
        .escape()
        .command("AT+CIROLE=2,backup:1", OK)
        .wait(1000);
    assert_eq!(
        dev.peer(LINK2).closes,
        0,
        "link 2 was closed by a set command"
    );
    dev.command("AT+ENTM", OK)
        .wait(500)
        .serial("x")
        .wait(200)
        .sends(LINK1, "x")
        .sends(LINK2, "x");
}

#[test]
fn a_short_primary_whose_frames_went_to_its_backup_comes_back() {
    let mut config = one_link();
    config.long_links = false;
    config.restart_time = 0;
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    let mut dev = Bench::with(
        config,
        Options {
            recovery: false,
            ..options(|_| ())
        },
    );
    dev.net(LINK1, Net::Refused);
    dev.at(1000).serial("one").at(5000).sends(LINK2, "one");
    dev.net(LINK1, Net::Good);
    for minute in 1..120 {
        dev.at(minute * 60_000).serial("x").wait(500);
    }
    dev.received(LINK1);
    dev.received(LINK2);
    dev.at(7_300_000)
        .serial("late")
        .wait(500)
        .sends(LINK1, "late");
}

#[test]
fn a_backup_takes_over_when_the_host_never_answers_a_close() {
    let mut config = one_link();
    config.heartbeat = b"HB".to_vec();
    config.heartbeat_interval = 30;
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    let mut dev = up(config);
    dev.net(LINK1, Net::Unacked);
    // Heartbeat at 30 s; at 60 s it is not acknowledged. The host does not answer the close.
    dev.late_closes = true;
    dev.at(59_000);
    while dev.peer(LINK1).closes == 0 {
        dev.wait(10);
    }
    dev.net(LINK1, Net::BlackHole);
    dev.wait(6000);
    let active = Event::BackupActive {
        backup: LINK2,
        primary: LINK1,
        active: true,
    };
    assert!(dev.events.contains(&active));
}

#[test]
fn frames_of_a_healthy_backup_are_not_sent_twice_at_the_hand_back() {
    let mut config = one_link();
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    let mut dev = up(config);
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0).at(3000);
    dev.net(LINK1, Net::Good);
    // The primary comes up; just before 30 s are over the backup sends, and its acknowledgement is under way.
    while !matches!(dev.dtu.status(dev.now).links[0].state, LinkState::Connected) {
        dev.wait(10);
    }
    dev.net(LINK2, Net::Unacked);
    dev.wait(29_850)
        .serial("once")
        .wait(100)
        .sends(LINK2, "once");
    // The host says with `Closed` that all of it is acknowledged.
    dev.net(LINK2, Net::Good);
    dev.wait(1000).sends_nothing(LINK1);
}

#[test]
fn a_short_primary_comes_back_though_its_backup_is_busy() {
    let mut config = one_link();
    config.long_links = false;
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    let mut dev = Bench::with(config, options(|_| ()));
    dev.net(LINK1, Net::Refused);
    dev.at(1000).serial("one").at(1300);
    dev.net(LINK1, Net::Good);
    for second in 1..120 {
        dev.at(second * 5000).serial("x").wait(500);
    }
    dev.received(LINK1);
    dev.received(LINK2);
    dev.at(601_000)
        .serial("late")
        .wait(500)
        .sends(LINK1, "late");
}

#[test]
fn frames_that_only_the_primary_s_last_connection_sent_are_not_dropped_by_the_backup() {
    let mut config = one_link();
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    let mut mixed = options(|_| ());
    mixed.links[1].resend = false;
    let mut dev = Bench::with(config, mixed);
    dev.at(500);
    dev.net(LINK1, Net::Unacked);
    dev.at(1000).serial("once").at(1200).sends(LINK1, "once");
    dev.net(LINK1, Net::Refused).net(LINK2, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0).wait(10_000);
    dev.net(LINK2, Net::Good);
    dev.wait(30_000).sends(LINK2, "once");
}

/// Both ways, to the frame and the byte. Each failed attempt of the primary is a new chance to fail over once more.
#[test]
fn what_moves_to_a_backup_and_back_is_counted_and_told_once() {
    let mut config = one_link();
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    let mut dev = up(config);
    dev.net(LINK1, Net::Unacked);
    dev.serial("abc").wait(200).serial("de").wait(200);
    dev.net(LINK1, Net::Refused)
        .lose(LINK1, CloseReason::Reset, 0)
        .wait(60_000);
    assert!(dev.peer(LINK1).connects.len() > 3);
    let moved = |dev: &Bench, link: usize| {
        let of = dev.dtu.status(dev.now).links[link].counters;
        [
            (of.moved_out_frames, of.moved_out_bytes),
            (of.moved_in_frames, of.moved_in_bytes),
        ]
    };
    assert_eq!(moved(&dev, 0), [(2, 5), (0, 0)]);
    assert_eq!(moved(&dev, 1), [(0, 0), (2, 5)]);
    dev.net(LINK2, Net::Unacked).serial("f").wait(200);
    dev.net(LINK1, Net::Good).wait(600_000);
    assert_eq!(moved(&dev, 0), [(2, 5), (1, 1)]);
    assert_eq!(moved(&dev, 1), [(1, 1), (2, 5)]);
    let told = dev.events.iter().filter_map(|event| {
        if let Event::BackupActive { active, .. } = event {
            Some(*active)
        } else {
            None
        }
    });
    assert_eq!(told.collect::<Vec<_>>(), [true, false]);
}

#[test]
fn after_a_restart_the_primary_is_tried_first() {
    let mut config = one_link();
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    let mut dev = up(config);
    dev.net(LINK1, Net::Refused)
        .lose(LINK1, CloseReason::Reset, 0)
        .wait(10_000);
    let backup = |dev: &Bench| dev.dtu.status(dev.now).links[1].state;
    assert_eq!(backup(&dev), LinkState::Connected);
    dev.net(LINK1, Net::Good)
        .console_line("AT+CIRESET")
        .wait(5000);
    assert_eq!(backup(&dev), LinkState::Waiting(WaitingFor::Primary));
    assert_eq!(dev.peer(LINK2).connects.len(), 1);
}

#[test]
fn a_backup_that_stands_in_goes_on_when_other_settings_change() {
    let mut config = one_link();
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    let mut dev = up(config);
    dev.net(LINK1, Net::Refused)
        .lose(LINK1, CloseReason::Reset, 0)
        .wait(10_000);
    dev.console_line("AT+CIPSCONT=3,\"TCP\",\"other\",9,1;+CIAPPLY")
        .wait(10_000);
    assert_eq!(dev.dtu.status(dev.now).links[2].state, LinkState::Connected);
    assert_eq!(
        (dev.peer(LINK2).connects.len(), dev.peer(LINK2).closes),
        (1, 0)
    );
    dev.serial("x").wait(200).sends(LINK2, "x");
}
