//! What waits for a mode waits for its return.

use super::*;

const PHONE: &str = "+8613800138000";

fn dropped(dev: &Bench) -> bool {
    dev.events.iter().any(|event| {
        matches!(
            event,
            Event::FrameDropped { .. } | Event::WindowFrameDropped { .. }
        )
    })
}

/// All but the mode.
fn settings(dev: &Bench) -> Config {
    Config {
        mode: WorkingMode::Transparent,
        ..dev.dtu.config().clone()
    }
}

#[test]
fn manual_2_8_6_23_every_mode_follows_every_mode_and_what_waits_is_there_when_the_mode_returns() {
    for by in [By::Apply, By::Restart] {
        for first in WorkingMode::ALL {
            for second in WorkingMode::ALL {
                walk(by, first, second);
            }
        }
    }
}

/// A frame waits for each of the modes that have a queue.
fn full_of_frames(by: By) -> Bench {
    let mut dev = started(in_mode(WorkingMode::Transparent));
    dev.net(LINK1, Net::Refused);
    for channel in SocketId::ALL {
        dev.net(channel, Net::Refused);
    }
    dev.lose(LINK1, CloseReason::Reset, 0)
        .serial("waits")
        .wait(300);
    switch(&mut dev, WorkingMode::Httpd, by);
    dev.serial("data=1").wait(300);
    switch(&mut dev, WorkingMode::SerialCommand, by);
    dev.serial(PACKET).wait(300);
    dev
}

fn walk(by: By, first: WorkingMode, second: WorkingMode) {
    let mut dev = full_of_frames(by);
    let before = settings(&dev);
    for mode in [first, second] {
        switch(&mut dev, mode, by);
        let status = dev.dtu.status(dev.now);
        let (link, place) = (
            status.links[0],
            format!("{first:?}, {second:?} by {by:?}: {mode:?}"),
        );
        assert_eq!(
            (link.waiting_frames, link.counters.frames_in),
            (1, 1),
            "{place}"
        );
        let works = link.state != LinkState::Waiting(WaitingFor::Mode);
        assert_eq!(works, mode == WorkingMode::Transparent, "{place}");
        assert!(!dropped(&dev), "{place}");
        assert_eq!(settings(&dev), before, "{place}");
        assert_eq!(
            waiting(&dev, WorkingMode::Transparent),
            [b"waits"],
            "{place}"
        );
        assert_eq!(waiting(&dev, WorkingMode::Httpd), [b"data=1"], "{place}");
        assert_eq!(
            waiting(&dev, WorkingMode::SerialCommand),
            [PACKET],
            "{place}"
        );
    }
    all_arrives(&mut dev, by);
    assert_eq!(
        (counters(&dev).frames_out, counters(&dev).dropped_frames),
        (1, 0)
    );
}

/// With everybody in reach, what waited goes where it belongs when its mode is back, and only then.
fn all_arrives(dev: &mut Bench, by: By) {
    dev.net(LINK1, Net::Good);
    for channel in SocketId::ALL {
        dev.net(channel, Net::Good);
    }
    let destination = SocketId::DESTINATIONS[0];
    switch(dev, WorkingMode::AtCommand, by);
    dev.wait(60_000)
        .sends_nothing(LINK1)
        .sends_nothing(destination);
    dev.sends_nothing(SocketId::Httpd);
    switch(dev, WorkingMode::Transparent, by);
    dev.wait(40_000).sends(LINK1, "waits").sends_nothing(LINK1);
    switch(dev, WorkingMode::SerialCommand, by);
    dev.wait(40_000)
        .sends(destination, [1])
        .sends_nothing(destination);
    switch(dev, WorkingMode::Httpd, by);
    dev.wait(40_000);
    let request = dev.received(SocketId::Httpd);
    assert!(
        request.starts_with(b"GET /1.php?data=1 HTTP/1.1\r\n"),
        "{}",
        request.escape_ascii()
    );
}

#[test]
fn texts_for_the_line_wait_for_mode_4_and_its_frames_go_on_whatever_the_mode() {
    for other in WorkingMode::ALL
        .into_iter()
        .filter(|mode| *mode != WorkingMode::Sms)
    {
        for by in [By::Apply, By::Restart] {
            let mut dev = started(in_mode(WorkingMode::Sms));
            dev.registered(false).serial("out").wait(300);
            dev.escape()
                .sms_from(PHONE, "one")
                .sms_from(PHONE, "two")
                .prints_nothing();
            switch(&mut dev, other, by);
            dev.network_takes(&[])
                .registered(true)
                .wait(40_000)
                .network_takes(&[("10086", "out")]);
            dev.prints_nothing();
            assert_eq!(
                change(&mut dev, WorkingMode::Sms, by),
                "onetwo",
                "{other:?} by {by:?}"
            );
        }
    }
}

#[test]
fn frames_on_their_way_at_a_change_come_again_when_the_mode_returns() {
    let mut dev = started(in_mode(WorkingMode::Transparent));
    dev.net(LINK1, Net::Unacked);
    dev.serial("once").wait(300).sends(LINK1, "once");
    switch(&mut dev, WorkingMode::AtCommand, By::Apply);
    assert_eq!(dev.peer(LINK1).closes, 1);
    dev.net(LINK1, Net::Good);
    switch(&mut dev, WorkingMode::Transparent, By::Apply);
    dev.wait(1000).sends(LINK1, "once").sends_nothing(LINK1);
}

#[test]
fn an_earlier_run_s_frames_wait_through_other_modes_in_the_spool() {
    let mut dev = Bench::cold(
        in_mode(WorkingMode::AtCommand),
        options(|link| link.spool = true),
    );
    dev.dtu.restore(LINK1, [(7, "old".into())]);
    dev.modem_comes();
    dev.input(Input::Modem(&dtu_proto::event::ModemInput::Attached(
        [10, 0, 0, 2].into(),
    )));
    dev.at(1000).prints(BANNER);
    switch(&mut dev, WorkingMode::Sms, By::Restart);
    assert!(
        dev.store.spool.is_empty() && !dropped(&dev),
        "{:?}",
        dev.store.spool
    );
    switch(&mut dev, WorkingMode::Transparent, By::Restart);
    dev.wait(1000).sends(LINK1, "old");
    assert_eq!(
        dev.store.spool,
        [StoreOutput::SpoolRelease(LINK1.into(), 8)]
    );
}

#[test]
fn a_link_that_is_switched_off_in_another_mode_still_lets_go_of_what_waits_and_counts_it() {
    let mut dev = started(in_mode(WorkingMode::Transparent));
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0)
        .serial("gone")
        .wait(300);
    switch(&mut dev, WorkingMode::AtCommand, By::Apply);
    console(&mut dev, "AT+CIPSCONT=1,TCP,host,1,0;+CIAPPLY");
    assert_eq!(
        (counters(&dev).dropped_frames, counters(&dev).dropped_bytes),
        (1, 4)
    );
    let connects = dev.peer(LINK1).connects.len();
    console(&mut dev, "AT+CIPSCONT=1,TCP,host,1,1;+CIAPPLY");
    dev.wait(60_000);
    assert_eq!(
        dev.peer(LINK1).connects.len(),
        connects,
        "a link connects in the AT mode"
    );
}

#[test]
fn a_blocking_cache_stops_the_line_only_while_its_mode_runs() {
    let blocking = options(|link| (link.cache, link.drop_policy) = (4096, DropPolicy::Block));
    let mut dev = Bench::with(in_mode(WorkingMode::Transparent), blocking);
    dev.net(LINK1, Net::Refused);
    dev.at(300)
        .prints(BANNER)
        .lose(LINK1, CloseReason::Reset, 0);
    while dev.dtu.wants_serial() {
        dev.serial([b'x'; 512]).wait(200);
    }
    switch(&mut dev, WorkingMode::AtCommand, By::Apply);
    assert!(dev.dtu.wants_serial());
    dev.command("AT", OK);
    switch(&mut dev, WorkingMode::Transparent, By::Apply);
    assert!(!dev.dtu.wants_serial() && !dropped(&dev));
}

#[test]
fn a_backup_that_stands_in_leaves_its_frames_for_the_return_of_the_mode() {
    let mut config = in_mode(WorkingMode::Transparent);
    (config.links[1].enabled, config.links[1].role) = (true, Role::Backup(LINK1));
    let mut dev = started(config);
    dev.net_of_links(Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0)
        .wait(3000)
        .serial("waits")
        .wait(300);
    switch(&mut dev, WorkingMode::Httpd, By::Apply);
    dev.wait(60_000).sends_nothing(LINK1).sends_nothing(LINK2);
    dev.net_of_links(Net::Good);
    switch(&mut dev, WorkingMode::Transparent, By::Apply);
    dev.wait(1000)
        .sends(LINK1, "waits")
        .sends_nothing(LINK1)
        .sends_nothing(LINK2);
    assert!(!dropped(&dev));
}

#[test]
fn a_link_that_fails_while_it_closes_wakes_no_backup_in_another_mode() {
    let mut config = in_mode(WorkingMode::Transparent);
    (config.links[1].enabled, config.links[1].role) = (true, Role::Backup(LINK1));
    config.heartbeat_interval = 10;
    config.heartbeat = b"ping".to_vec();
    let mut dev = started(config);
    dev.net(LINK1, Net::Unacked);
    // The heartbeat is not acknowledged; the host is slow to answer the close, and meanwhile the mode changes.
    let mut closing = false;
    while !closing {
        dev.now = dev.dtu.poll_timeout().expect("a heartbeat is due").at;
        dev.dtu.handle_timeout(dev.now);
        while let Some(output) = dev.dtu.poll_output() {
            closing |= matches!(
                output,
                Output::Socket(SocketId::Link(LINK1), SocketOutput::Close)
            );
            if matches!(
                output,
                Output::Socket(SocketId::Link(LINK1), SocketOutput::Send(_))
            ) {
                dev.dtu.handle_input(
                    Input::Socket(SocketId::Link(LINK1), SocketInput::Sent),
                    dev.now,
                );
            }
        }
    }
    let connects = dev.peer(LINK2).connects.len();
    dev.input(Input::Console("AT+CIMOD=2;+CIAPPLY"));
    dev.lose(LINK1, CloseReason::Local, 0).wait(60_000);
    assert_eq!(
        dev.peer(LINK2).connects.len(),
        connects,
        "the backup connects in the AT mode"
    );
}
