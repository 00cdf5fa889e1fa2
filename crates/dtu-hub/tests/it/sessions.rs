//! One device, one session: take-over, silence, alarms.

use dtu_hub::door::Code;
use dtu_hub::event::{CloseReason, Door, Input, StoreInput, What};
use dtu_hub::ids::SessionEpoch;
use dtu_hub::presence::State;
use dtu_hub::time::Duration;

use crate::bench::{Bench, PASSWORD, id, ip};

/// "on a door with a password the new one wins once it has proved it, the old one is closed, an event is written"
#[test]
fn the_new_session_wins_once_it_has_proved_it() {
    let mut bench = Bench::new();
    bench.comes(0, 1, 1);
    bench
        .opens(1, Door::Cloud, ip(2))
        .says(1, format!("{}wrong--1", id(1)))
        .wait(20);
    bench.is_open(0).whats();
    bench
        .opens(1, Door::Cloud, ip(2))
        .says(1, format!("{}{PASSWORD}", id(1)));
    bench
        .is_open(0)
        .wait(10)
        .is_closed(0, CloseReason::TakenOver)
        .hears(1, "usr_cloud_code_0\r\n");
    let (from, to) = (ip(1), ip(2));
    assert_eq!(bench.whats(), [What::TakenOver { from, to }, What::Online]);
    assert_eq!(
        bench.hub.state(id(1)),
        Some((State::Connected, SessionEpoch(2)))
    );
}

/// "the end of an old session never overwrites a newer online"
#[test]
fn the_end_of_an_old_session_says_nothing() {
    let mut bench = Bench::new();
    bench.comes(0, 1, 1).comes(1, 1, 2).whats();
    let late = bench.connection(0);
    bench.input(Input::Door(late, dtu_hub::event::DoorInput::Closed(0)));
    bench.wait(1000);
    assert_eq!(bench.whats(), []);
    bench.closes(1);
    assert_eq!(bench.whats(), [What::Offline]);
    let mut epochs: Vec<_> = bench
        .disk
        .rows
        .iter()
        .filter_map(|row| match row {
            dtu_hub::event::Row::Event(event) => Some(event.epoch),
            _ => None,
        })
        .collect();
    let told = epochs.clone();
    epochs.sort_unstable();
    assert_eq!(told, epochs, "in the order of epochs");
}

/// "Quarantine (10 minutes, told) only for real alternation"
#[test]
fn two_that_take_the_session_from_each_other_are_both_out_for_ten_minutes() {
    let mut bench = Bench::new();
    let come = |bench: &mut Bench, turn: u32| {
        bench.opens(turn % 2, Door::Cloud, ip(1 + (turn % 2) as u8));
        bench
            .says(turn % 2, format!("{}{PASSWORD}", id(1)))
            .wait(1000);
    };
    for turn in 0..6 {
        come(&mut bench, turn);
        bench.hears(turn % 2, "usr_cloud_code_0\r\n");
    }
    come(&mut bench, 6);
    bench
        .hears(0, "usr_cloud_code_5\r\n")
        .is_closed(0, CloseReason::Refused(Code::NotAllowed));
    bench.is_closed(1, CloseReason::TakenOver);
    assert!(
        bench
            .whats()
            .contains(&What::Quarantined(Duration::from_secs(600)))
    );
    come(&mut bench, 8);
    bench.hears(0, "usr_cloud_code_5\r\n");
    bench.wait(600_000).comes(0, 1, 1);
}

/// "against a session that spoke within its heartbeat time: a flapping link is no clone"
#[test]
fn a_flapping_link_is_no_clone() {
    let mut bench = Bench::new();
    bench.device(1, |record| record.heartbeat = Some(Duration::from_secs(2)));
    // By turns over two networks, each time when the other has been silent for too long.
    for turn in 0..12 {
        let place = turn % 2;
        bench.opens(place, Door::Cloud, ip(1 + u8::try_from(place).unwrap()));
        bench.says(place, format!("{}{PASSWORD}", id(1))).wait(4000);
        bench.hears(place, "usr_cloud_code_0\r\n");
    }
}

/// "On doors without password the session that speaks stays; a newcomer waits until it has been silent for its heartbeat
/// time."
#[test]
fn without_a_password_the_one_that_speaks_stays() {
    let mut bench = Bench::new();
    bench.device(1, |record| record.heartbeat = Some(Duration::from_secs(20)));
    bench.rules(&[(b"REG1", 1)], &[]);
    bench.opens(0, Door::AnyDtu, ip(1)).says(0, "REG1").wait(20);
    bench
        .opens(1, Door::AnyDtu, ip(2))
        .says(1, "REG1held")
        .wait(10_000);
    bench.says(0, "I speak").wait(29_000).is_open(0).is_open(1);
    assert!(!bench.wants(1), "nothing is read of a newcomer");
    bench
        .wait(1_100)
        .is_closed(0, CloseReason::TakenOver)
        .wait(20);
    let history: Vec<_> = bench.disk.history[&id(1)]
        .iter()
        .map(|(_, bytes)| bytes.clone())
        .collect();
    assert_eq!(history, ["I speak", "held"]);
    // One that ends lets the newcomer in at once.
    bench
        .opens(2, Door::AnyDtu, ip(3))
        .says(2, "REG1")
        .closes(1)
        .wait(20);
    assert_eq!(
        bench.hub.state(id(1)),
        Some((State::Connected, SessionEpoch(3)))
    );
    // A second newcomer takes the place of the first.
    bench.opens(3, Door::AnyDtu, ip(4)).says(3, "REG1");
    bench.opens(4, Door::AnyDtu, ip(5)).says(4, "REG1");
    bench.is_closed(3, CloseReason::Busy).is_open(4);
}

/// "States: connected, silent, offline; … closing a silent socket and raising the alarm are separate settings"
#[test]
fn a_silent_device_is_told_and_closed_by_settings_of_their_own() {
    let mut bench = Bench::new();
    let seconds = Duration::from_secs;
    bench.device(1, |record| {
        record.heartbeat = Some(seconds(20));
        record.close_silent = Some(seconds(100));
    });
    bench.device(2, |record| record.heartbeat = Some(seconds(20)));
    bench.comes(0, 1, 1).comes(1, 2, 2).whats();
    bench.wait(29_000);
    assert_eq!(bench.whats(), []);
    bench.wait(1_000);
    assert_eq!(bench.whats(), [What::Silent; 2]);
    bench.says(1, "again");
    assert_eq!(bench.whats(), [What::HeardAgain]);
    bench
        .wait(70_000)
        .is_closed(0, CloseReason::Silent)
        .is_open(1);
    assert_eq!(bench.whats(), [What::Silent, What::Offline]);
}

/// "five minutes of grace and one summary after a restart of the server (1 000 devices: 0 alarms)"
#[test]
fn a_restart_with_a_thousand_devices_raises_no_alarm() {
    let mut bench = Bench::empty();
    for n in 1..=1000 {
        bench.device(n, |_| {});
        bench.comes(n, n, 1);
    }
    bench.wait(20).restarts().whats();
    bench.wait(240_000);
    for n in 1..=990 {
        bench.comes(n, n, 1);
    }
    bench.wait(3_600_000);
    let told: Vec<_> = bench
        .whats()
        .into_iter()
        .filter(|what| !matches!(what, What::Online | What::Silent))
        .collect();
    assert_eq!(
        told,
        [What::Summary {
            back: 990,
            missing: 10
        }]
    );
    bench.comes(991, 991, 1);
    assert_eq!(bench.whats(), [What::Online, What::AlarmBack]);
}

#[test]
fn an_offline_device_raises_an_alarm_after_its_delay() {
    let mut bench = Bench::new();
    bench.at(300_000).comes(0, 1, 1).closes(0).whats();
    bench.wait(59_999);
    assert_eq!(bench.whats(), []);
    bench.wait(1);
    assert_eq!(bench.whats(), [What::AlarmOffline]);
    bench.comes(0, 1, 1);
    assert_eq!(bench.whats(), [What::Online, What::AlarmBack]);
}

/// "a kick to the old node; who has the older epoch closes"
#[test]
fn a_session_on_another_node_closes_this_one() {
    let mut bench = Bench::new();
    bench.comes(0, 1, 1).whats();
    bench.input(Input::Store(StoreInput::Epoch(id(1), SessionEpoch(1))));
    bench.is_open(0);
    bench.input(Input::Store(StoreInput::Epoch(id(1), SessionEpoch(5))));
    bench.is_closed(0, CloseReason::TakenOver);
    bench.wait(3_600_000);
    assert_eq!(
        bench.whats(),
        [What::Summary {
            back: 0,
            missing: 0
        }],
        "the other node tells of it"
    );
    assert_eq!(
        bench.hub.state(id(1)),
        Some((State::Offline, SessionEpoch(5)))
    );
    bench.comes(0, 1, 1);
    assert_eq!(
        bench.hub.state(id(1)),
        Some((State::Connected, SessionEpoch(6)))
    );
    // Also one that is not on disk yet.
    bench
        .opens(1, Door::Cloud, ip(2))
        .says(1, format!("{}{PASSWORD}", id(1)));
    bench.input(Input::Store(StoreInput::Epoch(id(1), SessionEpoch(9))));
    bench.wait(20).hears(1, "usr_cloud_code_3\r\n");
}

/// "On doors without a password … the session that speaks stays": also one that began while the claim went to disk.
#[test]
fn a_claim_without_password_takes_nothing_from_a_session_that_just_proved_itself() {
    for any_dtu_first in [false, true] {
        let mut bench = Bench::new();
        bench.rules(&[(b"REG1", 1)], &[]);
        bench.opens(0, Door::Cloud, ip(1));
        bench.opens(1, Door::AnyDtu, ip(66));
        if any_dtu_first {
            bench.says(1, "REG1");
        }
        bench.says(0, format!("{}{PASSWORD}", id(1)));
        if !any_dtu_first {
            bench.says(1, "REG1");
        }
        bench.wait(100);
        bench.hears(0, "usr_cloud_code_0\r\n").is_open(0);
        let state = bench.hub.state(id(1)).unwrap();
        assert_eq!(state.0, State::Connected);
        if !any_dtu_first {
            bench.is_open(1);
            assert!(!bench.wants(1), "it waits");
            bench.closes(0).wait(20);
            assert!(bench.wants(1), "and has the session then");
        }
    }
}

/// Who comes right, and too late, comes again soon: "backs off (minutes) on 2, 4, 5, normally on 3".
#[test]
fn a_datagram_beside_a_log_in_costs_the_device_no_minutes() {
    let mut bench = Bench::new();
    bench.rules(&[(b"REG1", 1)], &[]);
    bench
        .opens(0, Door::Cloud, ip(1))
        .says(0, format!("{}{PASSWORD}", id(1)));
    bench.input(Input::Datagram((ip(66), 7).into(), b"REG1"));
    bench.wait(20).hears(0, "usr_cloud_code_3\r\n");
    bench.comes(0, 1, 1);
}

/// A newcomer for whom nothing will ever be decided is not left without an end.
#[test]
fn a_newcomer_is_not_left_waiting_for_nothing() {
    let mut bench = Bench::new();
    bench.rules(&[(b"REG1", 1)], &[]);
    let waits = |bench: &mut Bench| {
        bench.opens(9, Door::AnyDtu, ip(9)).says(9, "REG1");
        bench.is_open(9);
        assert!(!bench.wants(9));
    };
    bench.comes(0, 1, 1);
    waits(&mut bench);
    bench.input(Input::Store(StoreInput::Epoch(id(1), SessionEpoch(5))));
    bench.is_closed(9, CloseReason::Busy);
    bench.comes(0, 1, 1);
    waits(&mut bench);
    for turn in 1..=6 {
        let place = turn % 2;
        bench.opens(place, Door::Cloud, ip(1 + u8::try_from(place).unwrap()));
        bench.says(place, format!("{}{PASSWORD}", id(1))).wait(1000);
    }
    bench.is_closed(9, CloseReason::Busy);
}
