//! The queue of frames.

use super::*;

#[test]
fn only_a_full_queue_that_blocks_keeps_the_line_from_being_read() {
    for (policy, frames, reads) in [
        (DropPolicy::Oldest, 0, true),
        (DropPolicy::Oldest, 5, true),
        (DropPolicy::Newest, 5, true),
        (DropPolicy::Block, 0, true),
        (DropPolicy::Block, 1, true),
        (DropPolicy::Block, 3, false),
    ] {
        let mut options = Options {
            setup_window: Duration::ZERO,
            ..Options::default()
        };
        (options.modes.cache, options.modes.drop_policy) = (10, policy);
        let mut dev = Bench::cold(
            Config {
                packing_time: 0,
                ..factory()
            },
            options,
        );
        dev.at(1000);
        for _ in 0..frames {
            dev.serial("aaaa");
        }
        assert_eq!(dev.dtu.wants_serial(), reads, "{policy:?}, {frames} frames");
    }
}

#[test]
fn a_full_queue_drops_by_its_policy_and_counts() {
    let full = |policy| {
        let mut options = Options {
            setup_window: Duration::ZERO,
            ..Options::default()
        };
        (options.modes.cache, options.modes.drop_policy) = (10, policy);
        let mut config = factory();
        config.packing_time = 0;
        let mut dev = Bench::cold(config, options);
        dev.at(1000).serial("aaaa").serial("bbbb").serial("cccc");
        dev
    };
    let waiting = |dev: &Bench| -> Vec<_> {
        dev.dtu
            .undelivered(QueueId::Httpd)
            .map(|(_, frame)| frame.clone())
            .collect()
    };
    let dev = full(DropPolicy::Oldest);
    assert_eq!(
        (waiting(&dev), counters(&dev).dropped_frames),
        (vec!["bbbb".into(), "cccc".into()], 1)
    );
    assert!(dev.events.contains(&Event::FrameDropped {
        queue: QueueId::Httpd,
        bytes: 4
    }));
    let dev = full(DropPolicy::Newest);
    assert_eq!(
        (waiting(&dev), counters(&dev).dropped_bytes),
        (vec!["aaaa".into(), "bbbb".into()], 4)
    );
    let mut dev = full(DropPolicy::Block);
    assert_eq!(
        (
            waiting(&dev).len(),
            counters(&dev).dropped_frames,
            dev.dtu.wants_serial()
        ),
        (3, 0, false)
    );
    dev.input(Input::Console("AT+CIMOD=0;+CIAPPLY"));
    assert!(dev.dtu.wants_serial(), "another mode runs");
}

#[test]
fn answers_keep_the_device_from_restarting_and_light_the_lamp() {
    let config = Config {
        restart_time: 600,
        packing_time: 0,
        ..factory()
    };
    let mut dev = Bench::with(
        config,
        Options {
            http_answer_max: None,
            setup_window: Duration::ZERO,
            ..Options::default()
        },
    );
    dev.at(1000)
        .prints("\r\nUSR-GPRS232-DTU\r\n")
        .serial("1")
        .wait(1000);
    assert!(dev.leds.last().is_some_and(|leds| leds.data));
    dev.wait(8000)
        .network(SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n");
    for _ in 0..150 {
        dev.wait(9000).network(SERVER, "x");
    }
    assert_eq!(dev.power.len(), 0);
    dev.wait(620_000);
    assert_eq!(dev.power.len(), 1);
    assert!(dev.leds.last().is_some_and(|leds| !leds.data));
}

#[test]
fn a_frame_that_is_cut_when_the_mode_ends_waits_and_is_sent_once() {
    for ends in ["AT+CIMOD=0;+CIAPPLY", "AT+CIMOD=0;W;+CIRESET"] {
        let mut dev = begun(Config {
            httpd: plain().dtu.config().httpd.clone(),
            ..factory()
        });
        dev.serial("one").wait(300).sends(SERVER, get("one"));
        dev.network(SERVER, answer("x")).wait(10).prints("x");
        dev.net(SERVER, Net::Unacked);
        dev.serial("two")
            .wait(50)
            .input(Input::Console(ends))
            .wait(1000);
        dev.sends_nothing(SERVER);
        dev.input(Input::Console("AT+CIMOD=3;+CIAPPLY")).wait(1000);
        dev.sends(SERVER, get("two"));
        dev.wait(60_000).sends_nothing(SERVER);
    }
}

#[test]
fn a_frame_that_is_cut_when_the_device_stops_is_kept_for_the_next_run() {
    let mut dev = begun(factory());
    dev.serial("one").wait(300);
    dev.network(SERVER, answer("x")).wait(10).received(SERVER);
    dev.serial("two")
        .wait(50)
        .input(Input::Shutdown)
        .sends_nothing(SERVER);
    assert_eq!(
        dev.dtu
            .undelivered(QueueId::Httpd)
            .map(|(_, frame)| &frame[..])
            .collect::<Vec<_>>(),
        [b"two"]
    );
}

/// Decisions 16.1: 5 s for a server that takes nothing.
#[test]
fn a_server_that_takes_nothing_stops_the_line_for_5_s() {
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    options.modes.cache = 16 * 1024;
    let mut config = factory();
    (config.packing_time, config.httpd.timeout) = (0, 60);
    let mut dev = Bench::with(config, options);
    dev.net(SERVER, Net::Unacked).at(1000);
    let mut bytes = 0;
    while dev.dtu.wants_serial() {
        dev.serial([b'x'; 1000]);
        bytes += 1000;
    }
    assert_eq!(
        (counters(&dev).bytes_in, counters(&dev).dropped_frames),
        (bytes, 0)
    );
    dev.wait(4999);
    assert!(!dev.dtu.wants_serial());
    dev.wait(1);
    assert!(dev.dtu.wants_serial());
}
