//! Program to device.

use dtu_hub::event::{
    CloseReason, Door, End, NotTaken, ProgramInput, ProgramOutput, Row, Subscription, What,
};
use dtu_hub::frame::Framing;
use dtu_hub::ids::MessageId;
use dtu_hub::registry::Rights;
use dtu_hub::time::Duration;
use dtu_hub::topic::{Kind, Reach};

use crate::bench::{ALICE, BOB, Bench, PASSWORD, id, ip};

fn answered(bench: &mut Bench) -> Vec<u32> {
    let got = bench.got(0).into_iter().filter_map(|output| match output {
        ProgramOutput::Answered(tag) => Some(tag),
        _ => None,
    });
    got.collect()
}

fn ready() -> Bench {
    let mut bench = Bench::new();
    bench.comes(0, 1, 1).attaches(0, ALICE, None).got(0);
    bench
}

/// "What was answered is on disk first"
#[test]
fn what_is_answered_is_on_disk() {
    let mut bench = ready();
    bench.disk_takes = Duration::from_millis(50);
    bench.orders(0, 1, 7, "on").wait(59);
    assert_eq!(answered(&mut bench), []);
    bench.wait(1);
    assert_eq!(answered(&mut bench), [7]);
    assert_eq!(bench.disk.waiting[&MessageId(1)].2, "on");
    // That it is being sent is on disk before it is sent.
    bench
        .hears(0, "")
        .wait(49)
        .hears(0, "")
        .wait(11)
        .hears(0, "on");
    bench.wait(100);
    assert_eq!(bench.disk.ends, [(MessageId(1), End::Delivered)]);
}

/// "PUBACK seen, `kill -9` at once, restart: the device gets it."
#[test]
fn what_was_answered_comes_after_a_kill() {
    let mut bench = ready();
    bench.orders(0, 1, 7, "on").wait(10);
    assert_eq!(answered(&mut bench), [7]);
    bench.restarts().comes(0, 1, 1).wait(20).hears(0, "on");
}

/// "a connection that broke with bytes unacknowledged makes them uncertain: told, not sent again by default"
#[test]
fn what_was_on_its_way_is_told_and_not_sent_again() {
    let mut bench = ready();
    bench.peers[0].is_dead = true;
    bench.orders(0, 1, 7, "on").wait(30).whats();
    bench.closes(0);
    assert_eq!(
        bench.whats(),
        [What::Uncertain(MessageId(1)), What::Offline]
    );
    bench.comes(0, 1, 1).wait(1000).hears(0, "");
    assert_eq!(bench.disk.ends, [(MessageId(1), End::Uncertain)]);
    // After a kill nobody knows either.
    bench.peers[0].is_dead = true;
    bench.orders(0, 1, 8, "off").wait(30).restarts();
    assert_eq!(bench.whats().last(), Some(&What::Uncertain(MessageId(2))));
    bench.comes(0, 1, 1).wait(1000).hears(0, "");
}

/// "waits for an offline device 60 s by default (longer by `expire` …): old orders must not reach equipment"
#[test]
fn an_order_waits_60_s_for_its_device() {
    let mut bench = ready();
    bench
        .closes(0)
        .orders(0, 1, 1, "in time")
        .wait(59_000)
        .comes(0, 1, 1)
        .wait(20);
    bench.hears(0, "in time").closes(0).whats();
    bench.orders(0, 1, 2, "too late").publishes(
        0,
        1,
        3,
        "longer",
        true,
        Some(Duration::from_secs(120)),
    );
    bench.wait(60_000);
    assert!(bench.whats().contains(&What::Expired(MessageId(2))));
    bench.comes(0, 1, 1).wait(20).hears(0, "longer");
    assert_eq!(
        bench.disk.ends.last(),
        Some(&(MessageId(3), End::Delivered)),
        "{:?}",
        bench.disk.ends
    );
    // Also one that a kill overtook.
    bench
        .closes(0)
        .orders(0, 1, 4, "old")
        .wait(20)
        .restarts()
        .wait(60_000)
        .comes(0, 1, 1)
        .wait(100)
        .hears(0, "");
}

/// "What cannot be kept is refused **before** it is answered: full (15 KiB a device), unknown, not allowed"
#[test]
fn what_cannot_be_kept_is_refused_before_it_is_answered() {
    let mut bench = Bench::new();
    bench.device(2, |record| {
        record.rights = vec![(BOB, Rights::ALL), (ALICE, Rights::READ)]
    });
    bench.attaches(0, ALICE, None).got(0);
    let refused = |bench: &mut Bench| match bench.got(0).as_slice() {
        [ProgramOutput::NotTaken(_, reason)] => Some(*reason),
        _ => None,
    };
    bench.orders(0, 77, 1, "x");
    assert_eq!(refused(&mut bench), Some(NotTaken::NotAllowed));
    bench.orders(0, 2, 1, "x");
    assert_eq!(refused(&mut bench), Some(NotTaken::NotAllowed));
    bench.orders(0, 1, 1, "");
    assert_eq!(refused(&mut bench), Some(NotTaken::Size));
    bench.orders(0, 1, 1, &"x".repeat(15 * 1024)).wait(20);
    assert_eq!(answered(&mut bench), [1]);
    bench.orders(0, 1, 2, "x");
    assert_eq!(refused(&mut bench), Some(NotTaken::Full));
    assert_eq!(bench.hub.waiting(id(1)), 15 * 1024);
    bench.wait(60_000).orders(0, 1, 3, "x").wait(20);
    assert_eq!(answered(&mut bench), [3]);
}

/// "Database away: devices stay, uplink is bounded and then not read, publishes stay unanswered, log-in gets code 3"
#[test]
fn without_the_store_nothing_is_answered_and_nothing_lost() {
    let mut bench = ready();
    bench.disk_fails = true;
    bench.orders(0, 1, 1, "order").wait(1000);
    let message = "u".repeat(4000);
    let mut messages = 0;
    while bench.wants(0) {
        bench.says(0, &message);
        messages += 1;
        assert!(messages < 10_000);
    }
    bench.wait(60_000).is_open(0);
    assert_eq!(answered(&mut bench), []);
    bench.orders(0, 1, 2, "more");
    assert_eq!(
        bench.got(0),
        [ProgramOutput::NotTaken(2, NotTaken::Unavailable)]
    );
    bench.disk_works().wait(100);
    assert!(bench.wants(0));
    assert_eq!(bench.disk.history[&id(1)].len(), messages);
    assert_eq!(answered(&mut bench), [1], "answered, and too old by now");
    bench.hears(0, "");
    assert_eq!(bench.disk.ends, [(MessageId(1), End::Expired)]);
}

/// "Pacing downwards: minimum gap"
#[test]
fn messages_keep_their_distance() {
    let mut bench = Bench::new();
    bench.device(1, |record| record.gap = Duration::from_millis(500));
    bench.comes(0, 1, 1).attaches(0, ALICE, None);
    for (tag, text) in [(1, "a"), (2, "b"), (3, "c")] {
        bench.publishes(0, 1, tag, text, false, None);
    }
    bench
        .hears(0, "a")
        .wait(499)
        .hears(0, "")
        .wait(1)
        .hears(0, "b")
        .wait(500)
        .hears(0, "c");
}

#[test]
fn messages_go_in_their_order() {
    let mut bench = ready();
    for tag in 0..100 {
        bench
            .publishes(0, 1, tag, &format!("{tag},"), tag % 3 == 0, None)
            .wait(u64::from(tag % 4));
    }
    bench.wait(3000);
    let all: String = (0..100).map(|tag| format!("{tag},")).collect();
    bench.hears(0, &all);
    assert_eq!(answered(&mut bench).len(), 34);
    assert_eq!(bench.hub.waiting(id(1)), 0);
}

#[test]
fn a_removed_device_takes_its_messages_along() {
    let mut bench = ready();
    bench.closes(0).orders(0, 1, 1, "kept").wait(20).got(0);
    bench.orders(0, 1, 2, "not answered yet");
    let remove = dtu_hub::registry::Registry::RemoveDevice(id(1));
    bench.input(dtu_hub::event::Input::Registry(remove));
    assert_eq!(
        bench.got(0),
        [ProgramOutput::NotTaken(2, NotTaken::NotAllowed)]
    );
    bench.wait(20);
    assert_eq!(bench.disk.waiting.len(), 0);
    bench.orders(0, 1, 3, "x");
    assert_eq!(
        bench.got(0),
        [ProgramOutput::NotTaken(3, NotTaken::NotAllowed)]
    );
}

/// "Deleting a device purges its history, and a re-add by another account sees nothing"
#[test]
fn nothing_of_a_removed_device_comes_to_disk() {
    let mut bench = Bench::new();
    bench.device(1, |record| {
        record.reading.framing = Framing::Silence(Duration::from_secs(1));
    });
    bench.attaches(0, ALICE, Some("scada"));
    bench.subscribes(0, Kind::AccountTx, Reach::Account, true);
    bench.subscribes(0, Kind::Status, Reach::Account, false);
    bench.comes(0, 1, 1).says(0, "hers").wait(1000);
    bench.says(0, "and this").orders(0, 1, 1, "order").got(0);
    bench.disk_takes = Duration::from_millis(50);
    bench
        .opens(1, Door::Cloud, ip(2))
        .says(1, format!("{}{PASSWORD}", id(1)))
        .removes(1);
    bench.is_closed(0, CloseReason::Removed);
    bench.hears(1, "usr_cloud_code_2\r\n");
    bench.is_closed(1, CloseReason::Removed);
    let is_offline = |output: &ProgramOutput| matches!(output, ProgramOutput::Event(event) if event.what == What::Offline);
    assert!(bench.got(0).iter().any(is_offline), "that is told");
    bench.device(1, |record| record.rights = vec![(BOB, Rights::ALL)]);
    bench.wait(200).disk_takes = Duration::ZERO;
    bench.comes(0, 1, 1).says(0, "his").wait(1000).wait(20);
    let history = bench.disk.history[&id(1)].iter();
    assert_eq!(history.map(|(_, bytes)| bytes).collect::<Vec<_>>(), ["his"]);
}

/// How far sessions are is noted once a batch, not for each message: acknowledgements fill no memory.
#[test]
fn acknowledgements_are_noted_once_a_batch() {
    let mut bench = Bench::new();
    bench.comes(0, 1, 1).attaches(0, ALICE, Some("scada"));
    bench.subscribes(0, Kind::AccountTx, Reach::Account, true);
    bench.disk_takes = Duration::from_secs(5);
    let cursors = |bench: &Bench| {
        let rows = bench.disk.rows.iter();
        rows.filter(|row| matches!(row, Row::Cursor(..))).count()
    };
    for n in 0..500 {
        bench.says(0, format!("{n}"));
    }
    bench.wait(20_000);
    assert_eq!((bench.messages(0).len(), cursors(&bench)), (500, 1));
    bench.says(0, "more").wait(20_000);
    assert_eq!(cursors(&bench), 2);
}

/// While the store takes nothing, nobody adds to what it shall take.
#[test]
fn what_the_store_cannot_take_is_refused() {
    let mut bench = Bench::new();
    bench.comes(0, 1, 1).attaches(0, ALICE, Some("scada"));
    bench.subscribes(0, Kind::DeviceTx, Reach::Device(id(2)), false);
    bench.disk_fails = true;
    while bench.wants(0) {
        bench.says(0, [b'x'; 4096]);
    }
    let of_one = Subscription {
        kind: Kind::DeviceTx,
        reach: Reach::Device(id(1)),
        acked: true,
    };
    bench.got(0);
    bench.does(0, ProgramInput::Subscribe(of_one));
    assert_eq!(bench.got(0), [ProgramOutput::NotSubscribed(of_one)]);
    bench.publishes(0, 1, 1, "x", false, None);
    assert_eq!(
        bench.got(0),
        [ProgramOutput::NotTaken(1, NotTaken::Unavailable)]
    );
    let hour = Duration::from_secs(3600);
    for (name, clean) in [("another", false), ("scada", true)] {
        bench.attaches_as(1, ALICE, Some(name), hour, clean);
        assert_eq!(bench.got(1), [ProgramOutput::Unavailable], "{name}");
    }
    bench.attaches(1, ALICE, None).got(1);
    for _ in 0..3 {
        let (kind, reach) = (Kind::DeviceTx, Reach::Device(id(2)));
        bench.does(0, ProgramInput::Unsubscribe(kind, reach));
    }
    bench.disk_works().wait(20);
    let ends = bench.disk.rows.iter();
    let ends = ends.filter(|row| matches!(row, Row::Unsubscribed(..)));
    assert_eq!(ends.count(), 1);
    bench.subscribes(0, Kind::DeviceTx, Reach::Device(id(1)), true);
}
