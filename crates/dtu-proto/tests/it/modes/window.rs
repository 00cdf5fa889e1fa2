//! What the set-up window or a change finds under way.

use super::*;

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
