//! Device to program.

use dtu_hub::event::{Input, ProgramInput, ProgramOutput, Subscription, What};
use dtu_hub::ids::{Position, SessionEpoch, SessionName};
use dtu_hub::registry::{Registry, Rights};
use dtu_hub::time::Duration;
use dtu_hub::topic::{Kind, Reach};

use crate::bench::{ALICE, BOB, Bench, id};

fn one(n: u32) -> Reach {
    Reach::Device(id(n))
}

/// "An account sees and sends to its own devices only."
#[test]
fn an_account_sees_its_own_devices_only() {
    let mut bench = Bench::new();
    bench.device(2, |record| record.rights = vec![(BOB, Rights::ALL)]);
    bench.device(3, |record| {
        record.rights = vec![(BOB, Rights::READ), (ALICE, Rights::SEND)]
    });
    bench.comes(1, 1, 1).comes(2, 2, 2).comes(3, 3, 3);
    bench.attaches(0, ALICE, None).attaches(1, BOB, None);
    bench.subscribes(0, Kind::AccountTx, Reach::Account, false);
    bench.subscribes(1, Kind::AccountTx, Reach::Account, false);
    bench.subscribes(0, Kind::DeviceTx, one(1), false);
    let foreign = Subscription {
        kind: Kind::DeviceTx,
        reach: one(2),
        acked: false,
    };
    bench.got(0);
    bench.does(0, ProgramInput::Subscribe(foreign));
    assert_eq!(bench.got(0), [ProgramOutput::NotSubscribed(foreign)]);
    bench.says(1, "of 1").says(2, "of 2").says(3, "of 3");
    assert_eq!(bench.messages(0), ["of 1", "of 1"], "by both kinds");
    assert_eq!(bench.messages(1), ["of 2", "of 3"]);
    // Rights that are taken away are gone at once.
    bench.device(1, |record| record.rights = vec![(BOB, Rights::READ)]);
    bench.says(1, "more");
    assert_eq!(
        (bench.messages(0).len(), bench.messages(1)),
        (0, vec!["more".to_owned()])
    );
}

#[test]
fn filters_that_overlap_bring_a_message_once() {
    let mut bench = Bench::new();
    bench.comes(1, 1, 1).attaches(0, ALICE, None);
    bench.subscribes(0, Kind::AccountTx, one(1), false);
    bench.subscribes(0, Kind::AccountTx, Reach::Account, false);
    bench.says(1, "once");
    assert_eq!(bench.messages(0), ["once"]);
    bench
        .does(
            0,
            ProgramInput::Unsubscribe(Kind::AccountTx, Reach::Account),
        )
        .says(1, "still");
    assert_eq!(bench.messages(0), ["still"]);
    bench
        .does(0, ProgramInput::Unsubscribe(Kind::AccountTx, one(1)))
        .says(1, "no more");
    assert_eq!(bench.messages(0), [] as [&str; 0]);
}

/// … by the higher of their QoS; and the end of one leaves the other where it was.
#[test]
fn filters_that_overlap_bring_the_higher_qos() {
    for exact in [true, false] {
        let mut bench = Bench::new();
        bench.comes(1, 1, 1).attaches(0, ALICE, Some("scada"));
        bench.subscribes(0, Kind::AccountTx, one(1), exact);
        bench.subscribes(0, Kind::AccountTx, Reach::Account, !exact);
        bench.got(0);
        bench.says(1, "a").wait(20);
        let acked = bench.got(0).into_iter().map(|output| match output {
            ProgramOutput::Deliver(deliver) => deliver.delivery.is_some(),
            other => panic!("{other:?}"),
        });
        assert_eq!(acked.collect::<Vec<_>>(), [true]);
        bench.goes(0).says(1, "b").wait(20);
        bench.is_history_slow = true;
        bench.attaches(0, ALICE, Some("scada"));
        let weaker = if exact { Reach::Account } else { one(1) };
        bench
            .does(0, ProgramInput::Unsubscribe(Kind::AccountTx, weaker))
            .history_comes()
            .wait(20);
        assert_eq!(bench.messages(0), ["b"], "{exact}");
    }
}

/// Values of devices are not built: no serial bytes in their place.
#[test]
fn nobody_gets_serial_bytes_for_values() {
    let mut bench = Bench::new();
    bench.comes(1, 1, 1).attaches(0, ALICE, None).got(0);
    let values = Subscription {
        kind: Kind::DeviceJson,
        reach: one(1),
        acked: false,
    };
    bench.does(0, ProgramInput::Subscribe(values)).says(1, "a");
    assert_eq!(bench.got(0), [ProgramOutput::NotSubscribed(values)]);
}

/// "QoS 0: a bounded queue per program, drops counted and told."
#[test]
fn a_program_that_does_not_read_is_told_what_it_missed() {
    let mut bench = Bench::new();
    bench
        .comes(1, 1, 1)
        .attaches(0, ALICE, None)
        .attaches(1, ALICE, None);
    bench.subscribes(0, Kind::AccountTx, Reach::Account, false);
    bench.subscribes(1, Kind::AccountTx, Reach::Account, false);
    bench.programs[0].is_stalled = true;
    for n in 0..1000 {
        bench.says(1, format!("{n:01000}"));
    }
    assert_eq!(bench.messages(1).len(), 1000, "the others have all");
    bench.programs[0].is_stalled = false;
    bench.read_on(0);
    let got = bench.got(0);
    let messages = got
        .iter()
        .filter(|output| matches!(output, ProgramOutput::Deliver(_)))
        .count();
    assert_eq!(
        got.last(),
        Some(&ProgramOutput::Dropped(1000 - messages as u64))
    );
    assert!((250..400).contains(&messages), "{messages}");
}

/// It is told where the messages are missing, also while more come as fast as it reads.
#[test]
fn drops_are_told_while_more_comes() {
    let mut bench = Bench::new();
    bench.comes(1, 1, 1).attaches(0, ALICE, None);
    bench.subscribes(0, Kind::AccountTx, Reach::Account, false);
    bench.programs[0].is_stalled = true;
    for n in 0..1000 {
        bench.says(1, format!("{n:01000}"));
    }
    let (mut got, mut dropped) = (bench.got(0), 0);
    for n in 1000..2000 {
        bench.says(1, format!("{n:01000}"));
        let id = bench.program(0);
        let written = ProgramInput::Written {
            messages: 1,
            bytes: 1000,
        };
        bench.input(Input::Program(id, written));
        got.extend(bench.got(0));
    }
    let mut next = 0;
    for output in got {
        match output {
            ProgramOutput::Deliver(deliver) => {
                let text = String::from_utf8_lossy(&deliver.bytes);
                assert_eq!(text, format!("{next:01000}"));
                next += 1;
            }
            ProgramOutput::Dropped(count) => {
                dropped += count;
                next += count;
            }
            other => assert_eq!(other, ProgramOutput::Attached { present: false }),
        }
    }
    assert!(dropped > 600, "{dropped}");
    assert_eq!(bench.hub.counters().program_messages_dropped, dropped);
    bench.goes(0);
    let all = bench.hub.counters().program_messages_dropped;
    assert!((200..300).contains(&(all - dropped)), "what waited");
}

/// "a position older than history is told", and history is not read for it again and again.
#[test]
fn what_history_has_lost_is_not_looked_for_for_ever() {
    let mut bench = Bench::new();
    bench.comes(1, 1, 1).comes(2, 2, 2);
    bench.attaches(0, ALICE, Some("scada"));
    bench.subscribes(0, Kind::AccountTx, Reach::Account, true);
    bench.goes(0).says(1, "lost").wait(20);
    bench.disk.history.clear();
    bench.attaches(0, ALICE, Some("scada")).reads = 0;
    for n in 0..50 {
        bench.says(2, format!("{n}")).wait(20);
    }
    assert_eq!(bench.messages(0).len(), 50);
    assert!(bench.reads < 5, "{}", bench.reads);
    bench.reads = 0;
    bench.says(1, "new").wait(20);
    assert_eq!(
        (bench.messages(0), bench.reads),
        (vec!["new".to_owned()], 0)
    );
}

/// "QoS 1 and persistent sessions: a **position in history**, not a queue: a stalled program continues where it was"
#[test]
fn a_program_that_stalls_continues_where_it_was() {
    let mut bench = Bench::new();
    bench.comes(1, 1, 1).comes(2, 2, 2).attaches(0, ALICE, None);
    bench.subscribes(0, Kind::AccountTx, Reach::Account, true);
    bench.programs[0].is_stalled = true;
    for n in 0..1000 {
        bench.says(1 + n % 2, format!("{n:0100}")).wait(1);
    }
    bench.programs[0].is_stalled = false;
    bench.read_on(0);
    bench.wait(100);
    let got = bench.messages(0);
    assert_eq!(got.len(), 1000);
    for n in 0..2 {
        let of_one: Vec<_> = got
            .iter()
            .filter(|text| text.ends_with(['1', '3', '5', '7', '9']) == (n == 1))
            .collect();
        assert!(of_one.is_sorted(), "each device's are in order");
    }
    assert!(got.iter().all(|text| !text.starts_with('!')), "no repeats");
}

/// "Device -> program: at least once for QoS 1, in order, repeats only of what was in flight, with DUP."
#[test]
fn a_kept_session_repeats_what_was_in_flight_with_dup() {
    let mut bench = Bench::new();
    bench.comes(1, 1, 1).attaches(0, ALICE, Some("scada"));
    bench.subscribes(0, Kind::DeviceTx, one(1), true);
    bench.says(1, "a").wait(20);
    assert_eq!(bench.messages(0), ["a"]);
    bench.programs[0].is_mute = true;
    bench.says(1, "b").says(1, "c").wait(20);
    assert_eq!(bench.messages(0), ["b", "c"]);
    bench.goes(0).says(1, "d").wait(20);
    bench.programs[0].is_mute = false;
    bench.attaches(0, ALICE, Some("scada"));
    assert_eq!(bench.got(0)[0], ProgramOutput::Attached { present: true });
    bench
        .goes(0)
        .attaches(0, ALICE, Some("scada"))
        .says(1, "e")
        .wait(40);
    assert_eq!(bench.messages(0), ["e"], "all was acknowledged");
}

#[test]
fn a_kept_session_gets_its_repeats_first() {
    let mut bench = Bench::new();
    bench.comes(1, 1, 1).attaches(0, ALICE, Some("scada"));
    bench.subscribes(0, Kind::DeviceTx, one(1), true);
    bench.programs[0].is_mute = true;
    bench.says(1, "b").says(1, "c").wait(20).messages(0);
    bench.goes(0).says(1, "d").wait(20);
    bench
        .attaches(0, ALICE, Some("scada"))
        .says(1, "e")
        .wait(40);
    assert_eq!(bench.messages(0), ["!b", "!c", "d", "e"]);
}

/// "sessions that survive `kill -9`"
#[test]
fn a_kept_session_survives_a_kill() {
    let mut bench = Bench::new();
    bench.comes(1, 1, 1).attaches(0, ALICE, Some("scada"));
    bench.subscribes(0, Kind::AccountTx, Reach::Account, true);
    bench.says(1, "a").wait(20);
    bench.programs[0].is_mute = true;
    bench.says(1, "b").wait(20).messages(0);
    bench.restarts().programs[0].is_mute = false;
    bench.comes(1, 1, 1).says(1, "c").wait(20);
    bench.attaches(0, ALICE, Some("scada")).wait(20);
    assert_eq!(bench.messages(0), ["!b", "c"]);
    // A clean start forgets.
    bench.goes(0).says(1, "d").wait(20);
    bench.attaches_as(0, ALICE, Some("scada"), Duration::ZERO, true);
    assert_eq!(bench.got(0), [ProgramOutput::Attached { present: false }]);
    bench.says(1, "e").wait(40);
    assert_eq!(bench.messages(0), [] as [&str; 0]);
}

/// "a re-add by another account sees nothing", nor does the account that had the device see more of it.
#[test]
fn a_kept_session_has_no_rights_of_its_own() {
    for kill in [false, true] {
        let mut bench = Bench::new();
        bench.comes(1, 1, 1).attaches(0, ALICE, Some("scada"));
        bench.subscribes(0, Kind::DeviceTx, one(1), true);
        bench.subscribes(0, Kind::AccountTx, Reach::Account, true);
        bench.says(1, "mine").wait(20);
        assert_eq!(bench.messages(0), ["mine", "mine"], "by both kinds");
        bench.goes(0);
        bench.device(1, |record| record.rights = vec![(BOB, Rights::ALL)]);
        if kill {
            // Before that was on disk.
            bench.restarts().comes(1, 1, 1);
        }
        bench
            .says(1, "yours")
            .wait(20)
            .attaches(0, ALICE, Some("scada"))
            .wait(20);
        bench.says(1, "yours, too").wait(20);
        assert_eq!(bench.messages(0), [] as [&str; 0]);
    }
}

/// What a session gets no more, it does not get after a restart, nor when it may again.
#[test]
fn a_kept_session_gets_nothing_of_the_time_between() {
    for by_rights in [false, true] {
        let mut bench = Bench::new();
        bench.comes(1, 1, 1).attaches(0, ALICE, Some("scada"));
        bench.subscribes(0, Kind::AccountTx, Reach::Account, true);
        bench.says(1, "a").wait(20);
        assert_eq!(bench.messages(0), ["a"]);
        let unsubscribe = ProgramInput::Unsubscribe(Kind::AccountTx, Reach::Account);
        if by_rights {
            bench.device(1, |record| record.rights = vec![(BOB, Rights::ALL)]);
        } else {
            bench.does(0, unsubscribe);
        }
        bench.says(1, "between").wait(20);
        bench.device(1, |_| {});
        bench.restarts().comes(1, 1, 1);
        bench.attaches(0, ALICE, Some("scada"));
        bench.subscribes(0, Kind::AccountTx, Reach::Account, true);
        bench.says(1, "b").wait(20);
        assert_eq!(bench.messages(0), ["b"], "{by_rights}");
    }
}

/// A store that has a position ahead of the device, of one that was there before it, holds nothing up.
#[test]
fn a_device_that_begins_anew_is_heard() {
    let mut bench = Bench::new();
    let subscription = |reach| Subscription {
        kind: Kind::DeviceTx,
        reach,
        acked: true,
    };
    let ahead = Position {
        epoch: SessionEpoch(9),
        sequence: 9,
    };
    bench.input(Input::Registry(Registry::Session {
        account: ALICE,
        name: SessionName::from("scada"),
        keep: Duration::from_secs(60),
        subscriptions: vec![subscription(one(1))],
        cursors: vec![
            (id(1), Kind::DeviceTx, ahead),
            // Nothing covers this one.
            (id(2), Kind::DeviceTx, Position::default()),
        ],
    }));
    bench
        .comes(1, 1, 1)
        .comes(2, 2, 2)
        .says(1, "a")
        .says(2, "no");
    bench.wait(20).attaches(0, ALICE, Some("scada")).wait(20);
    assert_eq!(bench.messages(0), ["a"]);
}

/// "any other id has the normal take-over"; "many clean sessions side by side"
#[test]
fn one_name_is_one_session() {
    let mut bench = Bench::new();
    bench
        .attaches(0, ALICE, Some("x"))
        .attaches(1, BOB, Some("x"))
        .attaches(2, ALICE, None)
        .attaches(3, ALICE, None);
    bench.got(0);
    bench.attaches(4, ALICE, Some("x"));
    assert_eq!(bench.got(0), [ProgramOutput::TakenOver]);
    for place in 1..4 {
        assert_eq!(
            bench.got(place),
            [ProgramOutput::Attached { present: false }]
        );
    }
    assert_eq!(bench.got(4), [ProgramOutput::Attached { present: true }]);
}

/// "Persistent sessions: expiry at most 7 days, 100 an account"
#[test]
fn an_account_has_100_kept_sessions_for_7_days() {
    let mut bench = Bench::new();
    let year = Duration::from_secs(365 * 24 * 3600);
    for n in 0..100 {
        bench
            .attaches_as(0, ALICE, Some(&n.to_string()), year, false)
            .goes(0);
    }
    bench.attaches_as(0, ALICE, Some("one more"), year, false);
    assert_eq!(bench.got(0), [ProgramOutput::TooManySessions]);
    bench.attaches_as(1, BOB, Some("0"), year, false).got(1);
    let week = 7 * 24 * 3600 * 1000;
    bench
        .wait(week - 1)
        .attaches_as(0, ALICE, Some("7"), year, false);
    assert_eq!(bench.got(0), [ProgramOutput::Attached { present: true }]);
    bench.wait(1).attaches_as(2, ALICE, Some("8"), year, false);
    assert_eq!(bench.got(2), [ProgramOutput::Attached { present: false }]);
}

/// Each session has its own end, also where it stands in the place of another whose end was sooner.
#[test]
fn a_session_that_took_the_place_of_another_ends_too() {
    let mut bench = Bench::new();
    let day = Duration::from_secs(24 * 3600);
    bench
        .attaches_as(0, ALICE, Some("x"), day, false)
        .goes(0)
        .wait(1000);
    bench
        .attaches_as(0, ALICE, Some("x"), day, true)
        .goes(0)
        .wait(24 * 3600 * 1000);
    bench.attaches_as(0, ALICE, Some("x"), day, false);
    assert_eq!(bench.got(0), [ProgramOutput::Attached { present: false }]);
}

/// A read of history that nobody wants any more holds up nothing.
#[test]
fn a_stream_that_is_given_up_while_it_is_read_holds_up_no_other() {
    let mut bench = Bench::new();
    bench.comes(1, 1, 1).comes(2, 2, 2);
    bench.attaches(0, ALICE, Some("scada"));
    bench.subscribes(0, Kind::DeviceTx, one(1), true);
    bench.subscribes(0, Kind::DeviceTx, one(2), true);
    bench.goes(0).says(1, "a").says(2, "b").wait(20);
    bench.is_history_slow = true;
    bench
        .attaches(0, ALICE, Some("scada"))
        .does(0, ProgramInput::Unsubscribe(Kind::DeviceTx, one(1)))
        .goes(0)
        .history_comes()
        .attaches(0, ALICE, Some("scada"))
        .wait(20);
    assert_eq!(bench.messages(0), ["b"]);
}

/// "receive … `$USR/JsonTx/<Account>/<Id>` (status, alarms)"; "retained status"
#[test]
fn who_asks_for_states_has_the_present_one_and_each_change() {
    let mut bench = Bench::new();
    bench.comes(1, 1, 1).attaches(0, ALICE, None);
    bench.subscribes(0, Kind::Status, one(1), false);
    let whats = |bench: &mut Bench| -> Vec<_> {
        let got = bench.got(0).into_iter();
        got.filter_map(|output| match output {
            ProgramOutput::Event(event) => Some((event.what, event.epoch.0)),
            _ => None,
        })
        .collect()
    };
    assert_eq!(whats(&mut bench), [(What::Online, 1)]);
    bench.closes(1).comes(1, 1, 1);
    assert_eq!(whats(&mut bench), [(What::Offline, 1), (What::Online, 2)]);
    bench.subscribes(0, Kind::Status, Reach::Account, false);
    assert_eq!(whats(&mut bench).len(), 9, "of all nine devices");
}

/// Events wait like messages of QoS 0, in the same room; the states that a program asks for come as it reads.
#[test]
fn a_program_that_does_not_read_is_told_which_events_it_missed() {
    let is_event = |output: &&ProgramOutput| matches!(output, ProgramOutput::Event(_));
    let mut bench = Bench::empty();
    for n in 1..=3000 {
        bench.device(n, |_| {});
    }
    bench.attaches(0, ALICE, None);
    bench.programs[0].is_stalled = true;
    bench.subscribes(0, Kind::Status, Reach::Account, false);
    let states = bench.got(0).iter().filter(is_event).count();
    assert!(states < 1100, "{states}");
    bench.programs[0].is_stalled = false;
    bench.read_on(0);
    let others = bench.got(0).iter().filter(is_event).count();
    assert_eq!(states + others, 3000);
    bench.programs[0].is_stalled = true;
    bench.whats();
    for _ in 0..3000 {
        bench.comes(1, 1, 1).closes(1);
    }
    let all = bench.whats().len();
    bench.programs[0].is_stalled = false;
    bench.read_on(0);
    let got = bench.got(0);
    let events = got.iter().filter(is_event).count();
    let dropped = bench.hub.counters().program_messages_dropped;
    assert_eq!(got.last(), Some(&ProgramOutput::Dropped(dropped)));
    assert_eq!(events as u64 + dropped, all as u64);
    assert!((4000..5500).contains(&events), "{events}");
    // A state is never acknowledged.
    let subscription = |acked| Subscription {
        kind: Kind::Status,
        reach: one(1),
        acked,
    };
    bench.does(0, ProgramInput::Subscribe(subscription(true)));
    assert_eq!(
        bench.got(0)[0],
        ProgramOutput::Subscribed(subscription(false))
    );
}
