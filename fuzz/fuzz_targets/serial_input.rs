//! Any bytes of the DTE, in any chunks at any times, through the whole device: window, escape, commands, frames.
//! Nothing panics, nothing is lost, and every queue keeps its bound.
//!
//! The input is a list of records: a byte of flags, a byte of delay, a byte of length, the bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;

use dtu_proto::config::{Config, Options};
use dtu_proto::event::CloseReason;
use dtu_proto::testing::{Bench, LINK1};
use dtu_proto::time::Duration;

fuzz_target!(|script: &[u8]| {
    let mut config = Config::default();
    config.links[0].enabled = true;
    (config.serial_at, config.network_at) = (true, true);
    let options = Options { setup_window: Duration::from_millis(300), ..Options::default() };
    let mut dev = Bench::with(config, options);
    let mut rest = script;
    while let [flags, delay, len, tail @ ..] = rest {
        let (bytes, behind) = tail.split_at(usize::from(*len).min(tail.len()));
        rest = behind;
        dev.oversleep(u64::from(*delay) * if flags & 1 == 0 { 1 } else { 40 });
        if flags & 2 == 0 {
            dev.timeout();
        }
        match flags >> 2 & 7 {
            0 if dev.dtu.wants_socket(LINK1) => drop(dev.network(LINK1, bytes)),
            1 => drop(dev.lose(LINK1, CloseReason::Reset, 0)),
            _ if dev.dtu.wants_serial() => drop(dev.serial(bytes)),
            _ => {}
        }
        assert_moves(&dev);
    }
    for _ in 0..10 {
        dev.oversleep(5000).timeout();
        assert_moves(&dev);
    }
    check(&dev);
});

fn assert_moves(dev: &Bench) {
    let due = dev.dtu.poll_timeout();
    assert!(due.is_none_or(|due| due.at > dev.now), "a deadline that does not move");
}

fn check(dev: &Bench) {
    let status = dev.dtu.status(dev.now);
    for link in status.links {
        let c = link.counters;
        assert_eq!(
            c.bytes_in + c.moved_in_bytes,
            c.bytes_out + c.dropped_bytes + c.moved_out_bytes + link.waiting_bytes as u64
        );
    }
    let serial = status.serial.counters;
    assert!(serial.bytes_in >= serial.frame_bytes);
    assert!(status.serial.waiting < 128 * 1024);
}
