//! What a log says was dropped is what the figures of the device say; and two more things that a person looks at.
#![allow(missing_docs)]

use dtu_proto::config::{Config, Options, WorkingMode};
use dtu_proto::drops::DropPlace;
use dtu_proto::event::{Event, Input};
use dtu_proto::status::{Losses, Phase};
use dtu_proto::testing::{Bench, LINK1, one_link};
use dtu_proto::time::Instant;
use dtu_proto::{Dtu, Identity};

/// Each figure another one, so that no sum comes out right by chance.
#[test]
fn each_place_has_the_sum_of_its_figures() {
    let mut dtu = Dtu::new(
        Config::default(),
        Options::default(),
        Identity::default(),
        1,
        Instant::ZERO,
    );
    let mut losses = Losses::default();
    for (place, count) in losses.others.iter_mut().enumerate() {
        *count = 3 + (place as u64).pow(2) * 7;
    }
    dtu.restore_losses(&losses);
    let status = dtu.status(Instant::ZERO);
    let (messages, httpd, serial) = (
        status.messages.counters,
        status.httpd.counters,
        status.serial.counters,
    );
    let lost = [
        messages.incomplete,
        messages.evicted,
        messages.refused,
        messages.expired,
        messages.dropped,
    ];
    for (place, figures) in [
        (DropPlace::Messages, &lost[..]),
        (DropPlace::HttpdRequests, &[httpd.failed, httpd.timed_out]),
        (
            DropPlace::HttpdUnread,
            &[httpd.stray_bytes, httpd.unread_bytes],
        ),
        (
            DropPlace::SerialLost,
            &[serial.lost_bytes, serial.undelivered_bytes],
        ),
    ] {
        assert!(figures.iter().all(|figure| *figure > 2), "{figures:?}");
        let said = dtu.drops()[place.index()].count;
        assert_eq!(said, figures.iter().sum::<u64>(), "{place:?}");
    }
}

/// Manual 2.5: DATA blinks while data passes, dark for 100 ms and light for as long.
#[test]
fn the_data_led_blinks_five_times_a_second_while_data_passes() {
    let mut dev = Bench::new(one_link());
    dev.at(1000);
    dev.leds.clear();
    for _ in 0..100 {
        dev.network(LINK1, "x").wait(10);
    }
    let changes = dev.leds.len();
    assert!((9..=11).contains(&changes), "{changes}");
}

#[test]
fn a_device_that_ends_says_so_until_it_has() {
    let mut dev = Bench::new(one_link());
    dev.at(1000);
    dev.late_closes = true;
    dev.input(Input::Shutdown);
    assert_eq!(dev.dtu.status(dev.now).phase, Phase::Ending);
}

/// Manual 2.1.4: a packet is `55 AA`, length, …; its data may be anything.
#[test]
fn what_looks_like_a_command_within_a_packet_is_its_data() {
    for (inside, ran) in [(true, 0), (false, 1)] {
        let mut dev = Bench::new(Config {
            mode: WorkingMode::SerialCommand,
            packing_time: 0,
            serial_at: true,
            ..Config::default()
        });
        dev.at(1000);
        if inside {
            dev.serial([0x55, 0xAA, 0x00, 0x40]).wait(5);
        }
        dev.serial("admin,AT+CSQ\r").wait(5);
        let commands = dev
            .events
            .iter()
            .filter(|event| matches!(event, Event::Command { .. }));
        assert_eq!(commands.count(), ran, "{inside}");
    }
}
