//! Connections, acknowledgements, replies.

use super::*;

#[test]
fn a_long_connection_stays_and_comes_back_with_the_next_packet_only() {
    let mut dev = up();
    dev.send(to(1, b"one"))
        .wait(30 * MINUTE)
        .send(to(1, b"two"));
    assert_eq!(dev.peer(TO[0]).connects.len(), 1);
    dev.lose(TO[0], CloseReason::PeerClosed, 6)
        .wait(30 * MINUTE);
    assert_eq!(dev.peer(TO[0]).connects.len(), 1, "nothing waits");
    dev.send(to(1, b"three"));
    assert_eq!(dev.received(TO[0]), b"onetwothree");
    assert_eq!(dev.peer(TO[0]).connects.len(), 2);
}

#[test]
fn a_short_connection_closes_after_the_seconds_that_it_says_or_ten() {
    for (wait, millis) in [(0, 10_000), (3, 3000), (255, 255_000)] {
        let mut dev = up();
        dev.send(CommandFrame {
            long: false,
            wait,
            ..to(1, b"x")
        })
        .sends(TO[0], "x");
        let idle = Event::Disconnected {
            socket: TO[0],
            reason: LinkDownReason::Idle,
            was_up: true,
        };
        dev.wait(millis - 210);
        assert!(!dev.events.contains(&idle), "{wait}");
        dev.wait(210);
        assert!(dev.events.contains(&idle), "{wait}");
        dev.wait(MINUTE);
        assert_eq!(dev.peer(TO[0]).connects.len(), 1);
    }
}

#[test]
fn long_becomes_short_without_a_new_connection() {
    let mut dev = up();
    dev.send(to(1, b"long")).wait(MINUTE);
    dev.send(CommandFrame {
        long: false,
        wait: 5,
        ..to(1, b"short")
    })
    .wait(4500);
    assert_eq!(
        (dev.peer(TO[0]).connects.len(), dev.peer(TO[0]).closes),
        (1, 0)
    );
    dev.send(to(1, b"long")).wait(MINUTE);
    assert_eq!(
        (dev.peer(TO[0]).connects.len(), dev.peer(TO[0]).closes),
        (1, 0)
    );
    dev.send(CommandFrame {
        long: false,
        wait: 5,
        ..to(1, b"short")
    })
    .wait(5500);
    assert_eq!(
        (dev.peer(TO[0]).connects.len(), dev.peer(TO[0]).closes),
        (1, 1)
    );
}

#[test]
fn what_was_not_acknowledged_is_sent_again() {
    let mut dev = up();
    dev.net(TO[0], Net::Unacked);
    dev.send(to(1, b"one")).send(to(1, b"two"));
    assert_eq!(dev.received(TO[0]), b"onetwo");
    dev.net(TO[0], Net::Good);
    dev.lose(TO[0], CloseReason::Reset, 3).wait(1100);
    assert_eq!(dev.received(TO[0]), b"two");
    assert_eq!(
        (
            dev.status().counters.packets_out,
            dev.status().counters.resent_packets
        ),
        (2, 1)
    );
}

#[test]
fn without_resend_it_is_dropped_and_told() {
    let mut dev = booted(mode_1(), options(|modes| modes.resend = false));
    dev.net(TO[0], Net::Unacked);
    let full = |data| CommandFrame {
        full_reply: true,
        ..to(1, data)
    };
    dev.send(full(b"one")).send(full(b"two")).prints_nothing();
    dev.lose(TO[0], CloseReason::Reset, 3)
        .prints([SEND_OK, SEND_FAIL].concat());
    let counters = dev.status().counters;
    assert_eq!((counters.packets_out, counters.dropped_packets), (1, 1));
    let bytes = bytes(full(b"two")).len();
    assert!(dev.events.contains(&Event::FrameDropped {
        queue: QueueId::SerialCommand,
        bytes
    }));
}

#[test]
fn a_full_reply_says_when_the_data_is_delivered() {
    let mut dev = up();
    dev.net(TO[0], Net::Unacked);
    dev.send(CommandFrame {
        full_reply: true,
        ..to(1, b"abc")
    })
    .prints_nothing();
    dev.input(Input::Socket(
        TO[0],
        dtu_proto::event::SocketInput::Acked(2),
    ))
    .prints_nothing();
    dev.input(Input::Socket(
        TO[0],
        dtu_proto::event::SocketInput::Acked(3),
    ))
    .prints(SEND_OK);
    let udp = CommandFrame {
        protocol: Protocol::Udp,
        full_reply: true,
        ..to(1, b"datagram")
    };
    dev.send(udp)
        .prints(SEND_OK)
        .send(to(1, b"simple"))
        .prints_nothing();
}

#[test]
fn packets_wait_for_the_network() {
    let mut dev = Bench::cold(mode_1(), options(|_| ()));
    for number in 1..=12 {
        dev.serial(bytes(to(number, &[number]))).wait(200);
    }
    assert_eq!(
        (dev.status().waiting_packets, dev.status().lobby_packets),
        (12, 4)
    );
    assert!(dev.peer(TO[0]).connects.is_empty());
    dev.input(Input::Modem(&ModemInput::Attached([10, 0, 0, 2].into())))
        .wait(1000);
    assert_eq!(dev.status().waiting_packets, 0);
    dev.input(Input::Modem(&ModemInput::Detached));
    dev.lose(TO[0], CloseReason::Unreachable, 0)
        .send(to(12, b"later"));
    dev.wait(MINUTE)
        .input(Input::Modem(&ModemInput::Attached([10, 0, 0, 2].into())))
        .wait(1000);
    assert_eq!(dev.status().waiting_packets, 0);
}

// Eight places.

/// Its packet is given up meanwhile. The time without one is no part of the outage; the outage is not forgotten either.
#[test]
fn a_destination_that_was_out_of_reach_is_not_tried_at_once_again() {
    let mut dev = up();
    dev.net(TO[0], Net::Refused).send(CommandFrame {
        full_reply: true,
        ..to(1, b"x")
    });
    // One attempt may be due by then; behind it there is nothing to do.
    dev.wait(31_000).prints(SEND_FAIL).wait(20_000);
    let tries = dev.peer(TO[0]).connects.len();
    dev.send(to(1, b"y")).wait(5000);
    assert_eq!(dev.peer(TO[0]).connects.len(), tries);
    dev.wait(25_000);
    assert!(dev.peer(TO[0]).connects.len() > tries);
}
