//! Device to device.

use dtu_hub::event::{CloseReason, Door, Input};
use dtu_hub::ids::RoomId;
use dtu_hub::registry::{GroupKind, Registry};

use dtu_hub::registry::Rights;

use crate::bench::{ALICE, BOB, Bench, id, ip};

fn room(bench: &mut Bench, members: usize, rate: u32) {
    bench.input(Input::Registry(Registry::Room {
        room: RoomId(1234),
        account: ALICE,
        members,
        rate,
    }));
}

/// "then everyone with the same id hears everyone else; rooms belong to an account, with limits of size and rate"
#[test]
fn everyone_in_a_room_hears_everyone_else() {
    let mut bench = Bench::new();
    room(&mut bench, 3, 1000);
    for place in 0..3 {
        bench
            .opens(place, Door::D2d, ip(1))
            .says(place, [0x04, 0xD2])
            .says(place, [0xFB, 0x2D]);
    }
    bench
        .says(0, "hello")
        .hears(0, "")
        .hears(1, "hello")
        .hears(2, "hello");
    bench
        .opens(3, Door::D2d, ip(1))
        .says(3, [0x04, 0xD2, 0xFB, 0x2D])
        .is_closed(3, CloseReason::NoRoom);
    bench
        .closes(2)
        .opens(3, Door::D2d, ip(1))
        .says(3, b"\x04\xD2\xFB\x2Dtoo")
        .is_open(3);
    bench.hears(0, "too").hears(1, "too");
    bench.says(0, "x".repeat(999)).hears(1, "");
    assert_eq!(bench.hub.counters().room_bytes_dropped, 999);
    bench
        .opens(4, Door::D2d, ip(1))
        .says(4, [0, 1, 0xFF, 0xFE])
        .is_closed(4, CloseReason::NoRoom);
}

/// "Groups: what one device of a group sends, the others get: all-to-all, or master-to-slaves."
#[test]
fn what_one_of_a_group_sends_the_others_get() {
    let mut bench = Bench::new();
    for n in 1..=4 {
        bench.comes(n, n, 1);
    }
    bench.closes(4);
    let set = |bench: &mut Bench, kind| {
        let members = (1..=4).map(id).collect();
        bench.input(Input::Registry(Registry::Group {
            group: 7,
            account: ALICE,
            kind,
            members,
        }));
    };
    set(&mut bench, GroupKind::AllToAll);
    bench
        .says(1, "all")
        .hears(1, "")
        .hears(2, "all")
        .hears(3, "all");
    assert_eq!(
        bench.hub.counters().group_bytes_dropped,
        3,
        "bytes of groups never wait"
    );
    set(&mut bench, GroupKind::MasterToSlaves);
    bench.says(1, "order").hears(2, "order").hears(3, "order");
    bench.says(2, "answer").hears(1, "answer").hears(3, "");
    bench.comes(4, 4, 1).wait(1000).hears(4, "");
    bench.input(Input::Registry(Registry::Group {
        group: 7,
        account: ALICE,
        kind: GroupKind::AllToAll,
        members: Vec::new(),
    }));
    bench.says(1, "alone").hears(2, "");
}

/// A slave never stands in for its master: what it sends is for the master only.
#[test]
fn a_group_without_its_master_has_none() {
    let group = |first: u32| Registry::Group {
        group: 7,
        account: ALICE,
        kind: GroupKind::MasterToSlaves,
        members: [first, 2, 3].into_iter().map(id).collect(),
    };
    for is_removed in [true, false] {
        let mut bench = Bench::new();
        for n in 1..=3 {
            bench.comes(n, n, 1);
        }
        bench.input(Input::Registry(group(if is_removed { 1 } else { 77 })));
        if is_removed {
            bench.removes(1);
        }
        bench.says(2, "answer").says(3, "answer");
        bench.hears(2, "").hears(3, "");
    }
}

/// Groups and rooms are of an account: who gives a device or a room away hears nothing more of it.
#[test]
fn a_group_reaches_as_far_as_the_rights_of_its_account() {
    let mut bench = Bench::new();
    for n in 1..=3 {
        bench.comes(n, n, 1);
    }
    bench.input(Input::Registry(Registry::Group {
        group: 7,
        account: ALICE,
        kind: GroupKind::AllToAll,
        members: (1..=3).map(id).collect(),
    }));
    bench.device(2, |record| record.rights = vec![(BOB, Rights::ALL)]);
    bench.says(1, "hers").hears(2, "").hears(3, "hers");
    bench.says(2, "his").hears(1, "").hears(3, "");
    room(&mut bench, 3, 1000);
    for place in [4, 5] {
        bench
            .opens(place, Door::D2d, ip(1))
            .says(place, [0x04, 0xD2, 0xFB, 0x2D]);
    }
    bench.input(Input::Registry(Registry::Room {
        room: RoomId(1234),
        account: BOB,
        members: 3,
        rate: 1000,
    }));
    bench.is_closed(4, CloseReason::NoRoom);
    bench.is_closed(5, CloseReason::NoRoom);
    bench
        .opens(4, Door::D2d, ip(1))
        .says(4, [0x04, 0xD2, 0xFB, 0x2D])
        .is_open(4);
}
