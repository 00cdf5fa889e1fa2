//! Working modes one after the other: what waits for a mode waits for its return (manual 2.8.2, 2.8.6.23; decisions 2, 4).
#![allow(missing_docs)]

use dtu_proto::config::{Config, DropPolicy, LinkOptions, Options, Protocol, Role, WorkingMode};
use dtu_proto::event::{
    CloseReason, Event, Input, Output, Power, QueueId, SocketId, SocketInput, SocketOutput,
    StoreOutput,
};
use dtu_proto::status::{LinkCounters, LinkState, Phase, WaitingFor};
use dtu_proto::testing::{Bench, LINK1, LINK2, Net, one_link};
use dtu_proto::time::Duration;
use dtu_proto::wire::command_frame::{CommandFrame, Host};

const AT: SocketId = SocketId::AtMode;
const BANNER: &str = "\r\nUSR-GPRS232-DTU\r\n";
const OK: &str = "\r\nOK\r\n";
const OPEN: &str = "AT+CIOPEN=TCP,host,1";
const OPENED: &str = "\r\nOK\r\n\r\nCONNECT OK\r\n";
const PROMPT: &str = "\r\n> ";
/// The data `01` by TCP to 192.168.0.133:33.
const PACKET: &[u8] = &[
    0x55, 0xAA, 0, 10, 1, 0, 0, 0x21, 0, 0x85, 0, 0xA8, 0xC0, 1, 0x10,
];
const PHONE: &str = "+8613800138000";

/// How a mode is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Apply,
    Restart,
}

fn in_mode(mode: WorkingMode) -> Config {
    Config {
        mode,
        restart_time: 0,
        ..one_link()
    }
}

fn started(config: Config) -> Bench {
    let mut dev = Bench::with_modem(config);
    dev.at(300).prints(BANNER);
    dev
}

fn options(change: impl FnOnce(&mut LinkOptions)) -> Options {
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    change(&mut options.links[0]);
    options
}

fn console(dev: &mut Bench, line: &str) {
    dev.input(Input::Console(line));
    assert!(
        dev.console
            .pop()
            .is_some_and(|reply| reply.ends_with("OK\r\n")),
        "{line}"
    );
}

/// Changes the mode from outside. Nothing is printed but the banner of a restart.
fn switch(dev: &mut Bench, mode: WorkingMode, by: By) {
    assert_eq!(change(dev, mode, by), "");
}

/// Changes the mode from outside; what is printed behind the banner of a restart.
fn change(dev: &mut Bench, mode: WorkingMode, by: By) -> String {
    let set = format!("AT+CIMOD={}", mode.number());
    let mut banner = String::new();
    if by == By::Restart {
        console(dev, &format!("{set};W"));
        console(dev, "AT+CIRESET");
        banner = BANNER.escape_default().to_string();
    } else {
        console(dev, &format!("{set};+CIAPPLY"));
    }
    let printed = dev.wait(300).printed();
    assert_eq!(
        (
            dev.dtu.status(dev.now).mode,
            dev.dtu.status(dev.now).mode_started
        ),
        (mode, true)
    );
    printed
        .strip_prefix(&banner)
        .unwrap_or_else(|| panic!("no banner in {printed}"))
        .to_owned()
}

fn counters(dev: &Bench) -> LinkCounters {
    dev.dtu.status(dev.now).links[0].counters
}

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
fn a_frame_being_received_belongs_to_the_mode_that_ends() {
    for by in [By::Apply, By::Restart] {
        let mut dev = started(in_mode(WorkingMode::Transparent));
        dev.serial("link");
        switch(&mut dev, WorkingMode::Sms, by);
        dev.serial("text");
        switch(&mut dev, WorkingMode::Transparent, by);
        assert_eq!(dev.received(LINK1), b"link", "{by:?}");
        dev.network_takes(&[("10086", "text")]);
        for (mode, frame) in [
            (WorkingMode::Httpd, &b"data=1"[..]),
            (WorkingMode::SerialCommand, PACKET),
        ] {
            let mut dev = started(in_mode(mode));
            dev.serial(frame);
            switch(&mut dev, WorkingMode::Transparent, by);
            assert_eq!(waiting(&dev, mode), [frame], "{mode:?} by {by:?}");
            dev.sends_nothing(LINK1);
        }
    }
}

/// What waits for a mode that has a queue.
fn waiting(dev: &Bench, mode: WorkingMode) -> Vec<Vec<u8>> {
    let queue = match mode {
        WorkingMode::Httpd => QueueId::Httpd,
        WorkingMode::SerialCommand => QueueId::SerialCommand,
        WorkingMode::Transparent | WorkingMode::AtCommand | WorkingMode::Sms => LINK1.into(),
    };
    dev.dtu
        .undelivered(queue)
        .map(|(_, frame)| frame.to_vec())
        .collect()
}

#[test]
fn frames_of_the_set_up_window_go_to_the_mode_that_starts() {
    let window = Options {
        setup_window: Duration::from_secs(5),
        ..Options::default()
    };
    let begin = |mode| {
        let mut dev = Bench::with(in_mode(WorkingMode::Transparent), window.clone());
        dev.modem_comes();
        let first = if mode == 1 { PACKET } else { b"one" };
        dev.at(100)
            .serial(first)
            .at(1000)
            .serial(format!("AT+CIMOD={mode}\r\n"))
            .at(4990)
            .serial("two");
        dev.at(6000);
        dev
    };
    begin(0).sends(LINK1, "one").sends(LINK1, "two");
    begin(4)
        .sends_nothing(LINK1)
        .network_takes(&[("10086", "one"), ("10086", "two")]);
    begin(1)
        .sends_nothing(LINK1)
        .sends(SocketId::DESTINATIONS[0], [1]);
    let request = begin(3).sends_nothing(LINK1).received(SocketId::Httpd);
    assert!(
        request.starts_with(b"GET /1.php?one HTTP/1.1\r\n"),
        "{}",
        request.escape_ascii()
    );
    // The AT mode has nobody to send them to.
    let mut dev = begin(2);
    dev.sends_nothing(LINK1);
    let counters = dev.dtu.status(dev.now).serial.counters;
    assert_eq!(
        (
            counters.dropped_frames,
            counters.dropped_bytes,
            counters.frames_in
        ),
        (2, 6, 2)
    );
}

#[test]
fn frames_of_the_set_up_window_wait_for_their_mode_at_a_stop() {
    let window = Options {
        setup_window: Duration::from_secs(5),
        ..Options::default()
    };
    let mut dev = Bench::with(in_mode(WorkingMode::AtCommand), window.clone());
    dev.at(100)
        .serial("one")
        .at(500)
        .input(Input::Shutdown)
        .wait(3000);
    assert_eq!(dev.dtu.undelivered(LINK1).count(), 0);
    assert_eq!(dev.dtu.status(dev.now).serial.counters.dropped_frames, 1);

    for (mode, frame) in [
        (WorkingMode::Httpd, &b"data=1"[..]),
        (WorkingMode::SerialCommand, PACKET),
    ] {
        let mut dev = Bench::with(in_mode(mode), window.clone());
        dev.at(100)
            .serial(frame)
            .at(500)
            .input(Input::Shutdown)
            .wait(3000);
        assert_eq!(waiting(&dev, mode), [frame], "{mode:?}");
        assert_eq!(dev.power, [Power::Stop]);
        for channel in SocketId::ALL {
            assert!(
                dev.peer(channel).connects.is_empty(),
                "{mode:?} connects though it never began"
            );
        }
    }

    let mut dev = Bench::with(
        Config {
            heartbeat_interval: 0,
            ..Config::default()
        },
        window,
    );
    dev.at(100)
        .serial("nobody")
        .at(500)
        .input(Input::Shutdown)
        .wait(3000);
    assert_eq!(dev.dtu.status(dev.now).serial.counters.dropped_bytes, 6);
}

#[test]
fn a_command_that_the_window_has_begun_goes_on_in_the_at_mode() {
    for (begun, rest) in [("AT+CI", "PR?\r"), ("a", "t+cipr?\r")] {
        let window = Options {
            setup_window: Duration::from_secs(5),
            ..Options::default()
        };
        let mut dev = Bench::with(in_mode(WorkingMode::AtCommand), window);
        dev.at(4990)
            .prints(BANNER)
            .serial(begun)
            .at(5010)
            .serial(rest)
            .prints("\r\n+CIPR: 115200\r\n\r\nOK\r\n");
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

#[test]
fn what_the_network_sent_during_the_command_state_is_printed_when_the_mode_changes() {
    for (mode, by) in [
        (2, By::Apply),
        (4, By::Apply),
        (2, By::Restart),
        (0, By::Restart),
    ] {
        let mut dev = started(in_mode(WorkingMode::Transparent));
        dev.escape().network(LINK1, "answer").prints_nothing();
        if by == By::Apply {
            dev.command(&format!("AT+CIMOD={mode};+CIAPPLY"), "\r\nOK\r\nanswer");
        } else {
            dev.command(
                &format!("AT+CIMOD={mode};W;+CIRESET"),
                &format!("\r\nOK\r\nanswer{BANNER}"),
            );
        }
    }
}

#[test]
fn cinet_tells_that_links_rest_in_another_mode() {
    let mut dev = started(in_mode(WorkingMode::AtCommand));
    dev.serial("AT+CINET?\r");
    let printed = dev.printed();
    assert!(
        printed.contains("+CINET:1,WAITING,not in this mode\\r\\n+CINET:2,OFF"),
        "{printed}"
    );
    assert!(
        printed.contains("+CINET:4,OFF\\r\\n+CINET:0,OFF\\r\\n"),
        "{printed}"
    );
}

// ---- The connection of the AT mode

#[test]
fn ciapply_with_the_mode_unchanged_keeps_the_connection() {
    let mut dev = started(in_mode(WorkingMode::AtCommand));
    dev.command(OPEN, OPENED)
        .command("AT+CIPSCONT=2,UDP,host,9,1;+CIMOD=2;+CIAPPLY", OK)
        .wait(100);
    assert_eq!(dev.peer(AT).closes, 0);
    dev.network(AT, "still").prints("still");
}

#[test]
fn another_mode_and_a_restart_close_the_connection_without_a_word() {
    for (end, prints) in [
        ("AT+CIMOD=0;+CIAPPLY", OK.to_owned()),
        ("AT+CIRESET", format!("{OK}{BANNER}")),
    ] {
        let mut dev = started(in_mode(WorkingMode::AtCommand));
        dev.command(OPEN, OPENED)
            .command(end, &prints)
            .wait(1000)
            .prints_nothing();
        assert_eq!(dev.peer(AT).closes, 1, "{end}");
        dev.network(AT, "late").prints_nothing();
    }
}

#[test]
fn a_stop_waits_until_the_connection_is_closed() {
    let mut dev = started(in_mode(WorkingMode::AtCommand));
    dev.command(OPEN, OPENED);
    dev.dtu.handle_input(Input::Shutdown, dev.now);
    while let Some(output) = dev.dtu.poll_output() {
        assert!(
            !matches!(output, Output::Power(_)),
            "stopped before the connection is closed"
        );
    }
    dev.lose(AT, CloseReason::Local, 0);
    assert_eq!(dev.power, [Power::Stop]);
}

#[test]
fn ciopen_waits_for_the_end_of_the_connection_before_it() {
    let mut dev = started(in_mode(WorkingMode::AtCommand));
    dev.command(OPEN, OPENED);
    // The host is slow to say that it is closed.
    dev.dtu
        .handle_input(Input::Console("AT+CIMOD=0;+CIAPPLY"), dev.now);
    while dev.dtu.poll_output().is_some() {}
    dev.input(Input::Console("AT+CIMOD=2;+CIAPPLY"))
        .wait(10)
        .prints_nothing();
    dev.command(OPEN, OK);
    assert_eq!(dev.peer(AT).connects.len(), 1);
    dev.lose(AT, CloseReason::Local, 0)
        .prints("\r\nCONNECT OK\r\n");
    assert_eq!(dev.peer(AT).connects.len(), 2);
}

#[test]
fn what_was_to_be_opened_is_forgotten_with_its_mode() {
    let mut dev = started(in_mode(WorkingMode::AtCommand));
    dev.command(OPEN, OPENED);
    dev.dtu
        .handle_input(Input::Console("AT+CIMOD=0;+CIAPPLY"), dev.now);
    while dev.dtu.poll_output().is_some() {}
    dev.input(Input::Console("AT+CIMOD=2;+CIAPPLY"))
        .command(OPEN, OK);
    dev.input(Input::Console("AT+CIMOD=0;+CIAPPLY"))
        .lose(AT, CloseReason::Local, 0)
        .prints_nothing();
    assert_eq!(dev.peer(AT).connects.len(), 1);
}

#[test]
fn a_restart_amid_a_prompt_counts_what_was_typed_and_prints_what_waited() {
    let mut config = in_mode(WorkingMode::AtCommand);
    config.restart_time = 600;
    let mut dev = started(config);
    dev.command(OPEN, OPENED);
    // The clock is that of the DTE's last byte.
    dev.wait(590_000)
        .command("AT+CISEND=9", PROMPT)
        .serial("half");
    dev.network(AT, "answer").prints_nothing();
    dev.input(Input::Shutdown).wait(100).prints("answer");
    assert_eq!(dev.power, [Power::Stop]);

    let mut dev = started(in_mode(WorkingMode::AtCommand));
    dev.command(OPEN, OPENED)
        .command("AT+CISEND=9", PROMPT)
        .serial("half");
    switch_is_busy(&mut dev);
    dev.serial("whole")
        .sends(AT, "halfwhole")
        .prints("\r\nSEND OK\r\n");
}

fn switch_is_busy(dev: &mut Bench) {
    dev.input(Input::Console("AT+CIMOD=0;+CIAPPLY"));
    assert!(
        dev.console
            .pop()
            .is_some_and(|reply| reply.contains("busy"))
    );
}

// ---- The escape in every mode

#[test]
fn manual_2_8_2_the_escape_works_in_every_mode() {
    for mode in WorkingMode::ALL {
        let mut dev = started(in_mode(mode));
        dev.escape()
            .command("AT+CIPR?", "\r\n+CIPR: 115200\r\n\r\nOK\r\n")
            .command("AT+ENTM", OK);
        let counters = dev.dtu.status(dev.now).serial.counters;
        assert_eq!(
            (counters.frames_in, counters.dropped_bytes),
            (0, 0),
            "{mode:?}"
        );
    }
}

#[test]
fn manual_2_8_2_in_every_data_mode_what_is_no_escape_is_data() {
    let modes = WorkingMode::ALL
        .into_iter()
        .filter(|mode| *mode != WorkingMode::AtCommand);
    for mode in modes {
        for (pieces, frames) in [
            (&[(300, "+++abc")][..], 1),
            (&[(300, "+++a")], 1),
            (&[(300, "+"), (50, "++")], 1),
            (&[(300, "+++"), (100, "b")], 2),
            (&[(300, "+++"), (3200, "a")], 2),
            (&[(200, "+++"), (100, "a")], 2),
        ] {
            let mut dev = started(in_mode(mode));
            dev.serial("x");
            for (after, piece) in pieces {
                dev.wait(*after).serial(piece);
            }
            dev.wait(5000);
            let counters = dev.dtu.status(dev.now).serial.counters;
            let length: usize = pieces.iter().map(|(_, piece)| piece.len()).sum();
            assert_eq!(
                counters.frame_bytes,
                1 + length as u64,
                "{mode:?} {pieces:?}"
            );
            assert_eq!(
                (counters.command_bytes, counters.frames_in),
                (0, 1 + frames),
                "{mode:?} {pieces:?}"
            );
        }
    }
}

#[test]
fn the_escape_in_the_at_mode_is_answered_and_changes_nothing() {
    let mut dev = started(in_mode(WorkingMode::AtCommand));
    dev.command(OPEN, OPENED)
        .escape()
        .command("AT", OK)
        .network(AT, "x")
        .prints("x");
    dev.wait(300)
        .serial("+++\r\n")
        .wait(21)
        .prints("a")
        .serial("a\r\n")
        .wait(21)
        .prints("\r\n+ok\r\n");
    assert_eq!(dev.peer(AT).closes, 0);
    // A program that has missed the first `a`, and begins anew.
    dev.wait(1000)
        .serial("+++")
        .wait(21)
        .prints("a")
        .wait(1000)
        .escape()
        .command("AT", OK);
    let counters = dev.dtu.status(dev.now).serial.counters;
    assert_eq!(counters.command_bytes, counters.bytes_in);
}

#[test]
fn what_is_no_escape_in_the_at_mode_is_typed() {
    let error =
        |typed: &str| format!("\r\n+CME ERROR: a command line begins with AT, got {typed}\r\n");
    for (pieces, prints) in [
        (&[(300, "+++x\r")][..], error("+++x")),
        (&[(300, "+"), (100, "\r")], error("+")),
        (&[(300, "+++"), (10, "\r"), (10, "\r")], error("+++")),
        (&[(300, "+++"), (10, "AT\r")], error("+++AT")),
        (&[(100, "+++\r")], error("+++")),
        (
            &[(300, "+++"), (100, "b\r")],
            "a".to_owned() + &error("+++b"),
        ),
        // Decisions 16.9: it spoiled the next line.
        (&[(300, "+++"), (4000, "AT\r")], "a\r\nOK\r\n".to_owned()),
        // Not where a line has begun.
        (
            &[(300, "AT"), (300, "+++"), (100, "\r")],
            "\r\n+CME ERROR: ".to_owned(),
        ),
    ] {
        let mut dev = started(in_mode(WorkingMode::AtCommand));
        dev.command("AT", OK);
        for (after, piece) in pieces {
            dev.wait(*after).serial(piece);
        }
        let printed = dev.printed();
        let wanted = prints.escape_default().to_string();
        assert!(printed.starts_with(&wanted), "{pieces:?}: {printed}");
        dev.command("AT", OK);
        let counters = dev.dtu.status(dev.now).serial.counters;
        assert_eq!(counters.command_bytes, counters.bytes_in);
    }
}

#[test]
fn a_full_queue_does_not_keep_commands_out() {
    let block = |link: &mut LinkOptions| (link.cache, link.drop_policy) = (4096, DropPolicy::Block);
    let mut blocking = options(block);
    block(&mut blocking.modes);
    blocking.setup_window = Duration::from_secs(5);
    let packet = |length| {
        let host = Host::Ip([10, 0, 0, 1].into());
        let (protocol, data) = (Protocol::Tcp, &[1; 900][..length]);
        let frame = CommandFrame {
            protocol,
            long: true,
            wait: 0,
            full_reply: false,
            host,
            port: 1,
            data,
        };
        frame.encode().expect("a good frame")
    };
    for mode in [
        WorkingMode::Transparent,
        WorkingMode::SerialCommand,
        WorkingMode::Httpd,
    ] {
        let mut dev = Bench::with(in_mode(mode), blocking.clone());
        dev.net_of_links(Net::BlackHole);
        SocketId::ALL.into_iter().for_each(|channel| {
            dev.net(channel, Net::BlackHole);
        });
        dev.at(6000).prints(BANNER);
        // What closes while the escape is typed fills the queue.
        dev.serial(packet(900))
            .wait(150)
            .serial(packet(900))
            .wait(150)
            .serial(packet(600))
            .escape();
        assert!(dev.dtu.wants_serial(), "{mode:?}");
        dev.command("AT", OK).command("AT+ENTM", OK);
        assert!(!dev.dtu.wants_serial(), "{mode:?}");
        // Nor does it grow in the set-up windows of restarts.
        console(&mut dev, "AT+CIRESET");
        dev.wait(100);
        assert_eq!(dev.dtu.status(dev.now).phase, Phase::SetupWindow);
        assert!(!dev.dtu.wants_serial(), "{mode:?}");
    }
}
