//! What survives a kill, a restart and another mode.

use super::*;

#[test]
fn the_spool_has_whole_packets_until_all_in_front_are_delivered() {
    let mut dev = booted(mode_1(), options(|modes| modes.spool = true));
    dev.net(TO[0], Net::Unacked);
    dev.send(to(1, b"one"))
        .send(to(2, b"two"))
        .send(to(3, b"three"));
    let queue = QueueId::SerialCommand;
    let append = |number: u8, data| {
        StoreOutput::SpoolAppend(queue, u64::from(number) - 1, bytes(to(number, data)).into())
    };
    assert_eq!(
        std::mem::take(&mut dev.store.spool),
        [append(1, b"one"), append(2, b"two"), append(3, b"three")]
    );
    dev.input(Input::Socket(TO[0], SocketInput::Acked(3)));
    assert_eq!(dev.store.spool, [StoreOutput::SpoolRelease(queue, 3)]);
}

#[test]
fn a_packet_that_cannot_be_delivered_does_not_keep_the_spool_growing() {
    let spool = |modes: &mut LinkOptions| {
        modes.cache = 15 * 1024;
        modes.spool = true;
    };
    let mut dev = booted(mode_1(), options(spool));
    dev.net(TO[0], Net::Refused);
    dev.send(to(1, b"first")).send(to(1, b"second"));
    for _ in 0..200 {
        dev.send(to(2, &[b'x'; 1000]));
    }
    let (mut first, mut kept, mut most) = (0, std::collections::BTreeMap::new(), 0);
    let mut moves = 0;
    for output in &dev.store.spool {
        match output {
            StoreOutput::SpoolAppend(_, number, packet) => {
                assert!(
                    kept.insert(*number, packet.clone()).is_none(),
                    "numbers grow"
                );
            }
            StoreOutput::SpoolRelease(_, number) => {
                assert!(*number >= first);
                first = *number;
                kept.retain(|number, _| *number >= first);
            }
            StoreOutput::SpoolMove(_, packets) => {
                // Each is there, and nothing that waits is left behind.
                for (number, packet) in packets {
                    assert!(kept.values().any(|known| known == packet));
                    assert!(kept.insert(*number, packet.clone()).is_none());
                }
                first = packets[0].0;
                kept.retain(|number, _| *number >= first);
                moves += 1;
            }
            StoreOutput::Save(_) | StoreOutput::Messages { .. } | StoreOutput::SpoolSending(..) => {
            }
        }
        most = most.max(kept.values().map(|packet| packet.len()).sum::<usize>());
    }
    assert!(most < 100_000, "{most} bytes");
    assert_eq!(moves, 3, "one order each time");
    let spooled: Vec<_> = kept
        .iter()
        .map(|(number, packet)| (*number, packet))
        .collect();
    let waiting: Vec<_> = dev.dtu.undelivered(QueueId::SerialCommand).collect();
    assert_eq!(spooled[..2], waiting[..]);
    assert_eq!(
        dev.waiting(),
        [bytes(to(1, b"first")), bytes(to(1, b"second"))]
    );
}

#[test]
fn what_an_earlier_run_left_goes_first_with_its_numbers() {
    let mut dev = Bench::cold(mode_1(), options(|modes| modes.spool = true));
    let packet = |number, data| bytes::Bytes::from(bytes(to(number, data)));
    let left = [
        (7, packet(1, b"one")),
        (9, packet(2, b"two")),
        (10, b"no packet"[..].into()),
    ];
    dev.dtu.restore(QueueId::SerialCommand, left.clone());
    let undelivered: Vec<_> = dev.dtu.undelivered(QueueId::SerialCommand).collect();
    assert_eq!(undelivered, [(7, &left[0].1), (9, &left[1].1)]);
    assert_eq!(dev.status().counters.dropped_packets, 1);
    dev.wait(100).send(to(1, b"new"));
    assert!(dev.store.spool.contains(&StoreOutput::SpoolAppend(
        QueueId::SerialCommand,
        11,
        packet(1, b"new")
    )));
    dev.input(Input::Modem(&ModemInput::Attached([10, 0, 0, 2].into())))
        .wait(200);
    assert_eq!(
        (dev.received(TO[0]), dev.received(TO[1])),
        (b"onenew".to_vec(), b"two".to_vec())
    );
    assert_eq!(
        dev.store.spool.last(),
        Some(&StoreOutput::SpoolRelease(QueueId::SerialCommand, 12))
    );
}

#[test]
fn packets_of_an_earlier_run_push_nothing_out_and_leave_the_new_ones_their_room() {
    for policy in [DropPolicy::Oldest, DropPolicy::Newest] {
        let small = |modes: &mut LinkOptions| {
            modes.spool = true;
            modes.cache = 15 * 1024;
            modes.drop_policy = policy;
        };
        let mut dev = Bench::cold(mode_1(), options(small));
        let packet = bytes::Bytes::from(bytes(to(1, &[b'x'; 1000])));
        dev.dtu.restore(
            QueueId::SerialCommand,
            (0..40).map(|number| (number, packet.clone())),
        );
        for _ in 0..10 {
            dev.wait(200).send(to(2, &[b'y'; 1000]));
        }
        assert_eq!(dev.waiting().len(), 50);
        assert_eq!(dev.status().counters.dropped_packets, 0);
        for _ in 0..10 {
            dev.wait(200).send(to(2, &[b'y'; 1000]));
        }
        // 15 KiB hold 15 new ones; each that is too many costs one, an old one as well as a new one.
        assert_eq!(
            (dev.status().counters.dropped_packets, dev.waiting().len()),
            (5, 55)
        );
        for _ in 0..60 {
            dev.wait(200).send(to(2, &[b'z'; 1000]));
        }
        assert_eq!(
            (dev.status().counters.dropped_packets, dev.waiting().len()),
            (65, 55)
        );
    }
}

#[test]
fn what_waits_survives_other_modes_and_restarts() {
    let mut dev = up();
    dev.net(TO[0], Net::Refused);
    dev.send(to(1, b"one"))
        .send(to(2, b"two"))
        .sends(TO[1], "two");
    dev.input(Input::Console("AT+CIMOD=0;+CIAPPLY"))
        .wait(MINUTE);
    assert_eq!(
        (dev.waiting(), dev.peer(TO[1]).closes),
        (vec![bytes(to(1, b"one"))], 1)
    );
    assert!(!dev.status().running);
    let attempts = dev.peer(TO[0]).connects.len();
    dev.wait(MINUTE);
    assert_eq!(
        dev.peer(TO[0]).connects.len(),
        attempts,
        "the mode does not run"
    );
    dev.net(TO[0], Net::Good);
    dev.input(Input::Console("AT+CIMOD=1;+CIAPPLY"))
        .wait(1000)
        .sends(TO[0], "one");
    dev.net(TO[0], Net::Unacked);
    dev.send(to(1, b"three")).sends(TO[0], "three");
    dev.input(Input::Console("AT+CIRESET"));
    dev.net(TO[0], Net::Good);
    dev.wait(10_000).sends(TO[0], "three");
    assert!(dev.waiting().is_empty());
}

#[test]
fn a_half_received_packet_ends_with_the_mode() {
    let mut dev = up();
    dev.serial(&EXAMPLE[..10])
        .wait(200)
        .input(Input::Console("AT+CIMOD=0;+CIAPPLY"))
        .wait(10)
        .prints_nothing();
    let status = dev.status();
    assert_eq!(
        (status.unfinished_bytes, status.counters.garbage_bytes),
        (0, 10)
    );
    dev.input(Input::Console("AT+CIMOD=1;+CIAPPLY"))
        .serial(EXAMPLE)
        .wait(200)
        .sends(TO[0], b"\x01");
}

#[test]
fn packets_of_the_set_up_window_go_to_the_mode_that_starts() {
    let mut dev = Bench::with(mode_1(), Options::default());
    dev.at(1000)
        .serial(EXAMPLE)
        .at(2000)
        .serial(bytes(to(1, b"two")))
        .at(4900)
        .serial(&EXAMPLE[..7]);
    dev.at(5050)
        .serial(&EXAMPLE[7..])
        .at(5500)
        .prints("\r\nUSR-GPRS232-DTU\r\n");
    assert_eq!(dev.received(TO[0]), b"\x01\x01");
    dev.sends(TO[1], "two");
}

#[test]
fn packets_of_the_set_up_window_are_kept_at_a_stop() {
    let mut dev = Bench::with(mode_1(), Options::default());
    dev.at(1000).serial(EXAMPLE).at(2000).input(Input::Shutdown);
    assert_eq!(dev.waiting(), [EXAMPLE]);
}

// What a person sees.

#[test]
fn a_packet_of_an_earlier_run_does_not_keep_the_spool_growing_either() {
    let spool = |modes: &mut LinkOptions| {
        modes.cache = 15 * 1024;
        modes.spool = true;
    };
    let mut dev = Bench::cold(mode_1(), options(spool));
    let left = [(7, bytes::Bytes::from(bytes(to(1, b"left"))))];
    dev.dtu.restore(QueueId::SerialCommand, left);
    dev.net(TO[0], Net::Refused).attaches();
    for _ in 0..200 {
        dev.send(to(2, &[b'x'; 1000]));
    }
    let moves = dev.store.spool.iter().filter_map(|output| {
        if let StoreOutput::SpoolMove(_, packets) = output {
            Some(packets[0].1.clone())
        } else {
            None
        }
    });
    assert_eq!(moves.collect::<Vec<_>>(), vec![bytes(to(1, b"left")); 3]);
}
