//! Eight places, and the room of packets.

use super::*;

#[test]
fn a_ninth_destination_takes_the_place_of_the_one_least_recently_used() {
    let mut dev = up();
    eight(&mut dev);
    // The first is used again, the second has an answer: the third is the oldest.
    dev.send(to(1, b"x"))
        .network(TO[1], "answer")
        .prints("answer")
        .send(to(9, b"nine"));
    dev.sends(TO[2], "nine");
    assert_eq!(dev.peer(TO[2]).closes, 1);
    assert_eq!(
        dev.peer(TO[2])
            .connects
            .iter()
            .map(|(_, to)| &*to.address)
            .collect::<Vec<_>>(),
        ["10.0.0.3", "10.0.0.9"]
    );
    let closes: u32 = TO.iter().map(|channel| dev.peer(*channel).closes).sum();
    assert_eq!(closes, 1);
    dev.send(to(3, b"back")).sends(TO[3], "back");
}

#[test]
fn a_place_without_a_connection_goes_first() {
    let mut dev = up();
    eight(&mut dev);
    dev.lose(TO[6], CloseReason::PeerClosed, 1)
        .send(to(9, b"nine"))
        .sends(TO[6], "nine");
    assert_eq!(
        TO.iter()
            .map(|channel| dev.peer(*channel).closes)
            .sum::<u32>(),
        0
    );
}

#[test]
fn with_all_places_busy_packets_wait_and_overtake_nobody() {
    let mut dev = up();
    TO.iter().for_each(|channel| {
        dev.net(*channel, Net::Unacked);
    });
    eight(&mut dev);
    dev.send(to(9, b"nine"))
        .send(to(1, b"one"))
        .send(to(9, b"more"));
    assert_eq!(
        (dev.status().waiting_packets, dev.status().lobby_packets),
        (11, 3)
    );
    dev.sends_nothing(TO[0]);
    dev.net(TO[4], Net::Good);
    dev.input(Input::Socket(
        TO[4],
        dtu_proto::event::SocketInput::Acked(1),
    ))
    .wait(200);
    dev.sends(TO[4], "nine")
        .sends(TO[4], "more")
        .sends(TO[0], "one");
    assert_eq!(dev.status().lobby_packets, 0);
}

#[test]
fn a_destination_that_takes_nothing_for_ten_minutes_makes_room_for_those_who_wait() {
    let mut dev = up();
    TO.iter().for_each(|channel| {
        dev.net(*channel, Net::Refused);
    });
    for number in 1..=8 {
        // Without the full reply: with it they wait 30 s only (decisions 16.17).
        dev.send(to(number, b"x"));
    }
    dev.wait(60 * MINUTE);
    assert_eq!(
        dev.status().counters.dropped_packets,
        0,
        "nobody else wants the places"
    );
    dev.send(to(9, b"nine")).wait(10 * MINUTE - 500);
    assert_eq!(dev.status().counters.dropped_packets, 0);
    dev.wait(500).prints_nothing();
    assert_eq!(
        (
            dev.status().counters.dropped_packets,
            dev.status().lobby_packets
        ),
        (1, 0)
    );
    dev.net(TO[0], Net::Good);
    dev.wait(2 * MINUTE).sends(TO[0], "nine");
}

#[test]
fn without_a_network_nobody_gives_a_place_up() {
    let mut dev = up();
    TO.iter().for_each(|channel| {
        dev.net(*channel, Net::Refused);
    });
    for number in 1..=9 {
        dev.send(to(number, b"x"));
    }
    dev.wait(5 * MINUTE)
        .input(Input::Modem(&ModemInput::Detached))
        .wait(60 * MINUTE);
    dev.input(Input::Modem(&ModemInput::Attached([10, 0, 0, 2].into())))
        .wait(9 * MINUTE);
    assert_eq!(dev.status().counters.dropped_packets, 0);
    dev.wait(2 * MINUTE);
    assert_eq!(dev.status().counters.dropped_packets, 1);
}

// What waits: bounds, spool, restarts.

#[test]
fn the_oldest_packet_makes_room_wherever_it_waits() {
    let size = bytes(to(1, b"x")).len();
    let mut dev = booted(mode_1(), options(|modes| modes.cache = 9 * size));
    TO.iter().for_each(|channel| {
        dev.net(*channel, Net::Refused);
    });
    for number in 1..=10 {
        dev.send(CommandFrame {
            full_reply: true,
            ..to(number, b"x")
        });
    }
    dev.prints(SEND_FAIL);
    let status = dev.status();
    assert_eq!(
        (status.counters.dropped_packets, status.waiting_packets),
        (1, 9)
    );
    assert_eq!(
        dev.waiting()[0],
        bytes(CommandFrame {
            full_reply: true,
            ..to(2, b"x")
        })
    );
    assert!(dev.events.contains(&Event::FrameDropped {
        queue: QueueId::SerialCommand,
        bytes: size
    }));
}

#[test]
fn d1_a_destination_that_takes_nothing_costs_the_others_no_packet_and_the_line_a_second_once() {
    for net in [Net::Refused, Net::Unacked, Net::Stuck, Net::BlackHole] {
        let mut config = mode_1();
        config.packing_time = 0;
        let mut dev = booted(config, options(|modes| modes.cache = 32 * 1024));
        dev.net(TO[0], Net::Unacked);
        dev.net(TO[1], net);
        let stood = pairs(&mut dev, 500);
        assert!(stood <= 1040, "{net:?}: the line stood for {stood} ms");
        let status = dev.status();
        let to_good = dev.received(TO[0]).len() as u64;
        let dropped: u64 = status.counters.dropped_packets;
        let sent_to_each = status.counters.packets_in / 2;
        assert!(sent_to_each > 3000, "{net:?}: {sent_to_each}");
        let waits = status.destinations[0].waiting_packets as u64;
        assert!(
            to_good >= (sent_to_each - waits) * 200,
            "{net:?}: the good one lost packets"
        );
        assert!(dropped > 1000, "{net:?}: {dropped}");
        assert_eq!(
            status.destinations[1].waiting_packets as u64 + dropped,
            sent_to_each,
            "{net:?}"
        );
    }
}

#[test]
fn d1_the_only_destination_has_its_5_s_and_one_that_is_slow_is_waited_for() {
    let mut config = mode_1();
    config.packing_time = 0;
    let mut dev = booted(config, options(|modes| modes.cache = 16 * 1024));
    dev.net(TO[0], Net::Unacked);
    dev.net(TO[1], Net::Unacked);
    for round in 0..400 {
        while dev.dtu.wants_serial() {
            dev.serial([bytes(to(1, &[b'g'; 200])), bytes(to(2, &[b'x'; 200]))].concat());
        }
        dev.wait(100);
        dev.acknowledges(TO[0]);
        if round % 5 == 0 {
            dev.acknowledges(TO[1]);
        }
    }
    assert_eq!(
        dev.status().counters.dropped_packets,
        0,
        "both take what they get"
    );

    let mut dev = booted(mode_1(), options(|modes| modes.cache = 16 * 1024));
    dev.net(TO[0], Net::Unacked);
    let begun = dev.now;
    while dev.dtu.wants_serial() {
        dev.serial(bytes(to(1, &[b'x'; 900])));
    }
    dev.wait(4900);
    assert!(!dev.dtu.wants_serial(), "{begun:?}");
    dev.wait(200);
    assert!(dev.dtu.wants_serial());
}

#[test]
fn what_a_socket_has_is_not_dropped() {
    let size = bytes(to(1, b"x")).len();
    let mut dev = booted(mode_1(), options(|modes| modes.cache = 2 * size));
    dev.net(TO[0], Net::Stuck);
    dev.net(TO[1], Net::Refused);
    dev.send(to(1, b"1"))
        .send(to(2, b"2"))
        .send(to(3, b"3"))
        .sends(TO[2], "3");
    assert_eq!(dev.waiting(), [bytes(to(1, b"1"))]);
    assert_eq!(dev.status().counters.dropped_packets, 1);
}

#[test]
fn the_newest_packet_finds_no_room() {
    let size = bytes(to(1, b"x")).len();
    let policy = |modes: &mut LinkOptions| {
        modes.cache = 2 * size;
        modes.drop_policy = DropPolicy::Newest;
    };
    let mut dev = booted(mode_1(), options(policy));
    dev.net(TO[0], Net::Refused);
    (1..=3).for_each(|number| dev.send(to(1, &[number])).end());
    assert_eq!(dev.waiting(), [bytes(to(1, &[1])), bytes(to(1, &[2]))]);
}

#[test]
fn a_full_cache_stops_the_serial_line_while_the_mode_runs() {
    let block = |modes: &mut LinkOptions| {
        modes.cache = 2000;
        modes.drop_policy = DropPolicy::Block;
    };
    let mut dev = booted(mode_1(), options(block));
    dev.net(TO[0], Net::Refused);
    dev.send(to(1, &[b'x'; 900]));
    assert!(dev.dtu.wants_serial());
    dev.send(to(1, &[b'x'; 900]));
    assert!(!dev.dtu.wants_serial());
    dev.input(Input::Console("AT+CIMOD=0;+CIAPPLY"));
    assert!(dev.dtu.wants_serial());
    dev.input(Input::Console("AT+CIMOD=1;+CIAPPLY"));
    assert!(!dev.dtu.wants_serial());
    dev.net(TO[0], Net::Good);
    dev.wait(MINUTE);
    assert!(dev.dtu.wants_serial());
    assert_eq!(dev.received(TO[0]).len(), 1800);
}

/// Sockets have so much that no room can be made for it: then nothing else goes in vain.
#[test]
fn a_packet_that_finds_no_room_beside_what_sockets_have_costs_no_other() {
    let small = |modes: &mut LinkOptions| modes.cache = 2048;
    let mut dev = booted(mode_1(), options(small));
    dev.net(TO[0], Net::Stuck).net(TO[1], Net::Stuck);
    for number in [1, 2] {
        dev.send(to(number, &[b's'; 800]));
    }
    dev.net(TO[2], Net::BlackHole).send(to(3, &[b'w'; 200]));
    let waiting = dev.waiting().len();
    dev.send(to(4, &[b'n'; 900]));
    assert_eq!(dev.status().counters.dropped_packets, 1);
    assert_eq!(dev.waiting().len(), waiting, "the new one alone");
}

/// Decisions 16.4: the line waits for a server that takes its time, and not for one that is not there.
#[test]
fn d1_a_destination_that_could_not_be_reached_does_not_stop_the_line() {
    for (net, is_read) in [(Net::Refused, true), (Net::BlackHole, false)] {
        let mut dev = booted(mode_1(), options(|modes| modes.cache = 32 * 1024));
        dev.net(TO[0], net).send(to(1, b"x"));
        for _ in 0..60 {
            if dev.dtu.wants_serial() {
                dev.serial(bytes(to(1, &[b'x'; 500])));
            }
        }
        assert_eq!(dev.dtu.wants_serial(), is_read, "{net:?}");
    }
}

/// That it takes at last what it was given long ago is no use of it.
#[test]
fn an_acknowledgement_makes_no_place_younger() {
    let mut dev = up();
    dev.net(TO[0], Net::Unacked);
    eight(&mut dev);
    dev.acknowledges(TO[0]).send(to(9, b"nine"));
    dev.sends(TO[0], "nine");
}

/// None of those that wait for a place can say how fast its destination is.
#[test]
fn d1_packets_that_wait_for_a_place_do_not_stop_the_line() {
    let mut dev = booted(mode_1(), options(|modes| modes.cache = 32 * 1024));
    TO.iter().for_each(|socket| {
        dev.net(*socket, Net::Unacked);
    });
    for number in 1..=8 {
        dev.serial(bytes(to(number, b"x"))).wait(110);
    }
    for _ in 0..100 {
        assert!(dev.dtu.wants_serial());
        dev.serial(bytes(to(9, &[b'x'; 500])));
    }
    dev.wait(200);
    assert!(dev.status().counters.dropped_packets > 0);
}

#[test]
fn the_place_of_the_longest_standstill_is_given_up() {
    let mut dev = up();
    TO.iter().for_each(|socket| {
        dev.net(*socket, Net::Unacked);
    });
    eight(&mut dev);
    for (index, socket) in TO.iter().enumerate().filter(|(index, _)| *index != 3) {
        dev.send(to(index as u8 + 1, b"y")).acked(*socket, 1);
    }
    dev.send(to(9, b"nine")).wait(10 * MINUTE + 1000);
    let status = dev.status();
    assert_eq!(
        (status.counters.dropped_packets, status.lobby_packets),
        (1, 0)
    );
    dev.sends(TO[3], "nine");
}
