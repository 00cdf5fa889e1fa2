//! What a device sends first.

use dtu_hub::door::Code;
use dtu_hub::event::{CloseReason, Door, Input, Log};
use dtu_hub::presence::State;
use dtu_hub::registry::{Registry, Rights};
use dtu_hub::time::Duration;

use crate::bench::{ALICE, BOB, Bench, PASSWORD, id, ip};

fn registration(n: u32, password: &str) -> String {
    format!("{}{password}", id(n))
}

/// "the device sends 20 digits + 8 password characters, 28 ASCII bytes, first, in any number of segments … After 0 the
/// stream is transparent both ways"
#[test]
fn a_device_that_says_who_it_is_is_let_in() {
    let mut bench = Bench::new();
    bench.opens(0, Door::Cloud, ip(1));
    for byte in registration(1, PASSWORD).bytes() {
        bench.says(0, [byte]);
    }
    bench.says(0, "da").says(0, "ta").wait(10);
    bench.hears(0, "usr_cloud_code_0\r\n").is_open(0);
    let history = &bench.disk.history;
    assert_eq!(
        history.get(&id(1)),
        None,
        "it is collected with the next batch"
    );
    bench.wait(10);
    assert_eq!(bench.disk.history[&id(1)][0].1, "data");
}

/// "0 accepted, 1 protocol, 2 unknown id, 3 server unavailable, 4 wrong password, 5 not allowed"
#[test]
fn who_is_not_let_in_is_told_the_code() {
    let mut bench = Bench::new();
    bench.device(9, |record| record.password = None);
    for (first, code) in [
        ("GET / HTTP/1.1\r\n".to_owned(), Code::Protocol),
        (registration(77, PASSWORD), Code::UnknownId),
        (registration(1, "12345679"), Code::WrongPassword),
        (registration(9, PASSWORD), Code::NotAllowed),
    ] {
        bench.opens(0, Door::Cloud, ip(1)).says(0, first);
        bench.hears(0, &format!("usr_cloud_code_{}\r\n", code.number()));
        bench.is_closed(0, CloseReason::Refused(code));
    }
    bench.disk_fails = true;
    bench
        .opens(0, Door::Cloud, ip(1))
        .says(0, registration(1, PASSWORD))
        .wait(10);
    bench
        .hears(0, "usr_cloud_code_3\r\n")
        .is_closed(0, CloseReason::Refused(Code::Unavailable));
    bench
        .opens(0, Door::Cloud, ip(1))
        .says(0, registration(1, PASSWORD));
    bench.hears(0, "usr_cloud_code_3\r\n");
    bench.disk_works().wait(10).comes(0, 1, 1);
}

/// A store that does not even say that it fails is one that is not there.
#[test]
fn who_waits_for_a_store_that_hangs_is_told_code_3() {
    let mut bench = Bench::new();
    bench.disk_takes = Duration::from_secs(60);
    bench
        .opens(0, Door::Cloud, ip(1))
        .says(0, registration(1, PASSWORD))
        .wait(30_000)
        .hears(0, "usr_cloud_code_3\r\n")
        .is_closed(0, CloseReason::Refused(Code::Unavailable));
    bench.wait(60_000).disk_takes = Duration::ZERO;
    bench.comes(0, 1, 1);
}

/// A password that is none is not shown to anybody, however the network cut it.
#[test]
fn no_piece_of_a_password_is_among_the_unknown() {
    let mut bench = Bench::new();
    bench.opens(0, Door::Cloud, ip(1)).says(0, id(1).as_str());
    bench.says(0, "secret\u{0}1");
    bench.is_closed(0, CloseReason::Refused(Code::Protocol));
    assert_eq!(bench.hub.unknown().count(), 0);
}

/// "within 10 s"
#[test]
fn who_does_not_say_who_it_is_in_10_s_is_closed() {
    let mut bench = Bench::new();
    bench.opens(0, Door::Cloud, ip(1)).says(0, "0000");
    bench
        .at(9_999)
        .is_open(0)
        .at(10_000)
        .is_closed(0, CloseReason::NotRegistered);
}

/// "a port probe costs no log line and no guess"
#[test]
fn a_port_probe_costs_no_log_line_and_no_guess() {
    let mut bench = Bench::new();
    for door in [Door::Cloud, Door::AnyDtu, Door::D2d].repeat(20) {
        bench.opens(0, door, ip(1)).closes(0);
    }
    bench
        .opens(0, Door::Cloud, ip(1))
        .says(0, "\u{16}\u{3}\u{1}");
    assert_eq!((bench.logs.len(), bench.hub.counters().probes), (0, 60));
    assert_eq!(bench.hub.counters().no_registration, 1);
    bench.comes(0, 1, 1);
}

/// "a refusal names the limit, the value and when it resets"
#[test]
fn guessing_shuts_the_guesser_out_and_not_the_device() {
    let mut bench = Bench::new();
    bench.comes(0, 1, 1);
    for _ in 0..5 {
        bench
            .opens(1, Door::Cloud, ip(66))
            .says(1, registration(1, "wrong--1"));
        bench.hears(1, "usr_cloud_code_4\r\n");
    }
    bench
        .opens(1, Door::Cloud, ip(66))
        .says(1, registration(1, PASSWORD));
    bench.hears(1, "usr_cloud_code_5\r\n");
    let Some(Log::Refused {
        shut: Some(shut), ..
    }) = bench.logs.last()
    else {
        panic!("{:?}", bench.logs);
    };
    assert_eq!((shut.limit.guesses, shut.of_source), (5, false));
    assert_eq!(shut.until.as_micros(), bench.now.as_micros() + 300_000_000);
    // The device itself comes back from where it was.
    bench.closes(0).comes(0, 1, 1);
}

/// "their registration packet (literal, hex, or pattern with a named id) is matched to a device; optional answer"
#[test]
fn any_dtu_is_known_by_its_registration_packet() {
    let mut bench = Bench::new();
    bench.device(3, |record| record.password = None);
    bench.rules(
        &[(b"REG1", 1), (&[0xFE, 2], 2)],
        &[("IMEI{id:15d};", "OK\r\n")],
    );
    bench
        .opens(0, Door::AnyDtu, ip(1))
        .says(0, "RE")
        .wait(100)
        .says(0, "G1one")
        .wait(20);
    bench
        .opens(1, Door::AnyDtu, ip(2))
        .says(1, [0xFE, 2])
        .wait(20)
        .says(1, "two")
        .wait(20);
    bench
        .opens(2, Door::AnyDtu, ip(3))
        .says(2, "IMEI000000000000003;three")
        .wait(20);
    bench.hears(0, "").hears(1, "").hears(2, "OK\r\n");
    for (n, text) in [(1, "one"), (2, "two"), (3, "three")] {
        assert_eq!(bench.disk.history[&id(n)][0].1, text);
    }
    bench.opens(3, Door::AnyDtu, ip(4)).says(3, "whoami");
    bench.is_closed(3, CloseReason::Refused(Code::UnknownId));
    let unknown: Vec<_> = bench.hub.unknown().map(|one| one.first.clone()).collect();
    assert_eq!(unknown, ["whoami"]);
}

/// A pattern finds any id, so it is no way round a password; and it means devices of its account only.
#[test]
fn a_pattern_lets_in_who_may_come_by_name_only() {
    let mut bench = Bench::new();
    bench.device(2, |record| record.password = None);
    bench.device(3, |record| record.by_name = true);
    bench.device(4, |record| {
        record.password = None;
        record.rights = vec![(BOB, Rights::ALL), (ALICE, Rights::READ.and(Rights::SEND))];
    });
    bench.rules(&[], &[("REG,{id:1-20d}", "")]);
    for (n, is_let_in) in [(1, false), (2, true), (3, true), (4, false)] {
        let first = format!("REG,{}", id(n));
        let datagram = Input::Datagram((ip(9), 9).into(), first.as_bytes());
        if !is_let_in {
            bench.input(datagram);
        }
        bench.opens(n, Door::AnyDtu, ip(1)).says(n, &first).wait(20);
        assert_eq!(bench.is_up(n), is_let_in, "{n}");
        let state = bench.hub.state(id(n)).unwrap().0;
        assert_eq!(state == State::Connected, is_let_in, "{n}");
    }
    // A name of another account means nothing, and takes nobody's place.
    let names = |bench: &mut Bench, account, n| {
        let alias = Registry::Alias(account, "777".into(), id(n));
        bench.input(Input::Registry(alias));
    };
    names(&mut bench, ALICE, 2);
    names(&mut bench, BOB, 4);
    bench.closes(2);
    bench.opens(2, Door::AnyDtu, ip(1)).says(2, "REG,777");
    bench.wait(300).is_open(2);
    let state = |n| bench.hub.state(id(n)).unwrap().0;
    assert_eq!((state(2), state(4)), (State::Connected, State::Offline));
}

/// "a partial match waits 200 ms at most"
#[test]
fn the_begin_of_a_longer_packet_is_waited_for_200_ms() {
    let mut bench = Bench::new();
    bench.rules(&[(b"REG1", 1), (b"REG12", 2)], &[]);
    bench.opens(0, Door::AnyDtu, ip(1)).says(0, "REG1");
    bench
        .opens(1, Door::AnyDtu, ip(2))
        .says(1, "REG1")
        .wait(199)
        .says(1, "2")
        .wait(30);
    let state = |n| bench.hub.state(id(n)).unwrap().1.0;
    assert_eq!((state(1), state(2)), (1, 1));
}

/// "UDP: as any DTU, by datagram prefix; the address is renewed by each datagram; downlink only within 20 s of an
/// uplink, else it waits"
#[test]
fn a_datagram_opens_the_way_back_for_20_s() {
    let mut bench = Bench::new();
    bench.rules(&[(b"REG1", 1)], &[]);
    bench.attaches(0, crate::bench::ALICE, None);
    let from = |port| (ip(1), port).into();
    let comes = |bench: &mut Bench, port, bytes: &str| {
        bench.input(dtu_hub::event::Input::Datagram(
            from(port),
            bytes.as_bytes(),
        ));
    };
    comes(&mut bench, 1000, "REG1hello");
    bench.wait(20);
    assert_eq!(bench.disk.history[&id(1)][0].1, "hello");
    bench.publishes(0, 1, 1, "now", false, None);
    assert_eq!(bench.datagrams.pop().unwrap(), (from(1000), "now".into()));
    bench
        .wait(20_001)
        .publishes(0, 1, 2, "later", false, None)
        .wait(1000);
    assert_eq!(bench.datagrams, []);
    comes(&mut bench, 2000, "REG1");
    assert_eq!(bench.datagrams.pop().unwrap(), (from(2000), "later".into()));
    assert_eq!(bench.hub.state(id(1)).unwrap().1.0, 1, "one session");
    comes(&mut bench, 3000, "nobody");
    assert_eq!(bench.hub.counters().datagrams_dropped, 1);
}

/// "On doors without a password the session that speaks stays": a datagram from elsewhere does not turn the way back.
#[test]
fn a_datagram_from_elsewhere_does_not_get_what_is_for_the_device() {
    let mut bench = Bench::new();
    bench.device(1, |record| record.heartbeat = Some(Duration::from_secs(20)));
    bench.rules(&[(b"REG1", 1)], &[]);
    bench.attaches(0, ALICE, None);
    let comes = |bench: &mut Bench, from: u8| {
        bench.input(Input::Datagram((ip(from), 7).into(), b"REG1hello"));
    };
    comes(&mut bench, 1);
    bench.wait(1000);
    comes(&mut bench, 66);
    bench.publishes(0, 1, 1, "order", false, None);
    assert_eq!(
        bench.datagrams.pop().unwrap(),
        ((ip(1), 7).into(), "order".into())
    );
    bench.wait(20);
    assert_eq!(bench.disk.history[&id(1)].len(), 1);
    // It is silent: who comes now has the session.
    bench.wait(30_000);
    comes(&mut bench, 66);
    bench.publishes(0, 1, 1, "order", false, None);
    assert_eq!(
        bench.datagrams.pop().unwrap(),
        ((ip(66), 7).into(), "order".into())
    );
}

#[test]
fn datagrams_fill_no_memory_while_the_store_stands_still() {
    let mut bench = Bench::new();
    bench.rules(&[(b"REG1", 1)], &[]);
    let datagram = [&b"REG1"[..], &[b'x'; 4096]].concat();
    let comes = |bench: &mut Bench| {
        bench.input(Input::Datagram((ip(1), 7).into(), &datagram));
    };
    comes(&mut bench);
    bench.disk_fails = true;
    (0..4000).for_each(|_| comes(&mut bench));
    assert!(bench.hub.counters().datagrams_dropped > 1900);
    bench.disk_works().wait(20);
    comes(&mut bench);
    bench.wait(20);
    let history = &bench.disk.history[&id(1)];
    assert!((1500..2100).contains(&history.len()), "{}", history.len());
}
