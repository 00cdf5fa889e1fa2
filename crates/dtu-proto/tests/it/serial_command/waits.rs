//! Waits and their ends.

use super::*;

#[test]
fn while_the_serial_line_is_not_read_no_time_passes_for_the_rest_of_a_packet() {
    let block = |modes: &mut LinkOptions| {
        modes.cache = 4000;
        modes.drop_policy = DropPolicy::Block;
    };
    let mut dev = booted(mode_1(), options(block));
    dev.net(TO[0], Net::Refused);
    dev.send(to(1, &[1; 900])).send(to(1, &[2; 900]));
    let packet = bytes(to(1, &[3; 900]));
    let (half, rest) = packet.split_at(300);
    dev.serial([&bytes(to(1, &[4; 300])), half].concat())
        .wait(2000);
    assert!(!dev.dtu.wants_serial());
    dev.net(TO[0], Net::Good);
    while !dev.dtu.wants_serial() {
        dev.wait(10);
    }
    dev.wait(900).serial(rest).wait(300).prints_nothing();
    assert_eq!(dev.received(TO[0]).len(), 3000);
    // From then on it does.
    dev.serial(half)
        .wait(1200)
        .prints("\r\n+CME ERROR: command frame: got only 300 of 914 bytes\r\n");
}

#[test]
fn the_time_that_another_mode_ran_is_no_standstill_of_a_destination() {
    let mut dev = up();
    TO.into_iter().for_each(|channel| {
        dev.net(channel, Net::BlackHole);
    });
    (1..=9).for_each(|number| dev.send(to(number, b"x")).end());
    dev.input(Input::Console("AT+CIMOD=0;+CIAPPLY"))
        .wait(11 * MINUTE);
    dev.input(Input::Console("AT+CIMOD=1;+CIAPPLY"))
        .wait(9 * MINUTE);
    assert_eq!(
        (
            dev.status().waiting_packets,
            dev.status().counters.dropped_packets
        ),
        (9, 0)
    );
    dev.wait(2 * MINUTE);
    assert_eq!(dev.status().counters.dropped_packets, 1);
}

#[test]
fn a_stop_waits_until_every_destination_is_closed() {
    let mut dev = up();
    dev.late_closes = true;
    dev.send(to(1, b"one"))
        .send(to(2, b"two"))
        .input(Input::Shutdown)
        .wait(100);
    assert_eq!(dev.power.len(), 0);
    dev.closed(TO[0]).wait(100);
    assert_eq!(dev.power.len(), 0, "the second is still closing");
    dev.closed(TO[1]).wait(10);
    assert_eq!(dev.power, [Power::Stop]);
}

/// A ninth destination takes the place of one that rests, once that is closed.
#[test]
fn a_destination_that_gives_way_is_closed_before_the_next_is_opened() {
    let mut dev = up();
    for number in 1..=8 {
        dev.send(to(number, b"x"))
            .sends(TO[usize::from(number) - 1], "x");
    }
    dev.late_closes = true;
    dev.send(to(9, b"nine")).wait(1000);
    let closing: Vec<usize> = (0..8)
        .filter(|place| dev.peer(TO[*place]).closes == 1)
        .collect();
    let [place] = closing[..] else {
        panic!("{closing:?} close")
    };
    assert_eq!(dev.peer(TO[place]).connects.len(), 1);
    dev.sends_nothing(TO[place])
        .closed(TO[place])
        .wait(1000)
        .sends(TO[place], "nine");
    assert_eq!(dev.peer(TO[place]).connects[1].1.address, "10.0.0.9");
}

/// H6: a header without its packet held what came behind it for 75 s, for each good packet renewed the wait.
#[test]
fn h6_half_a_packet_has_its_own_time_whatever_follows_it() {
    let mut dev = up();
    dev.serial(b"\x55\xAA\x04\xED");
    for round in 1..6_u8 {
        dev.wait(900).serial(bytes(to(1, &[round])));
    }
    dev.wait(1500);
    assert_eq!(dev.received(TO[0]), [1, 2, 3, 4, 5]);
    let printed = dev.printed();
    assert_eq!(printed.matches("+CME ERROR").count(), 1, "{printed}");
}

#[test]
fn h6_half_a_packet_is_given_up_after_its_time_on_the_line_and_a_second() {
    let mut dev = up();
    let packet = bytes(CommandFrame {
        full_reply: true,
        ..to(1, &[7; 1000])
    });
    // At 115200 Bd it takes 87 ms.
    dev.serial(&packet[..500])
        .wait(1050)
        .prints_nothing()
        .serial(&packet[500..])
        .wait(200);
    dev.sends(TO[0], [7; 1000]).prints(SEND_OK);
    dev.serial(&packet[..500])
        .wait(1080)
        .prints_nothing()
        .wait(20);
    let printed = dev.printed();
    assert_eq!(
        printed,
        "\\r\\n+CME ERROR: command frame: got only 500 of 1014 bytes\\r\\n"
    );
}

#[test]
fn h6_a_full_reply_comes_though_the_peer_is_dead() {
    for net in [Net::BlackHole, Net::Refused, Net::Unacked, Net::Stuck] {
        let mut dev = up();
        dev.net(TO[0], net);
        dev.send(to(1, b"no reply"))
            .send(CommandFrame {
                full_reply: true,
                ..to(1, b"asks")
            })
            .wait(29_500);
        dev.prints_nothing().wait(1000).prints(SEND_FAIL);
        let status = dev.dtu.status(dev.now).serial_command;
        assert_eq!(
            (status.waiting_packets, status.counters.dropped_packets),
            (1, 1),
            "{net:?}: the other waits"
        );
        if net == Net::Stuck {
            continue;
        }
        dev.net(TO[0], Net::Good);
        dev.wait(120_000).prints_nothing();
        let got = dev.received(TO[0]);
        assert!(got.ends_with(b"no reply"), "{}", got.escape_ascii());
    }
}

#[test]
fn h6_a_packet_that_arrived_after_all_is_told_as_sent() {
    let mut dev = up();
    dev.net(TO[0], Net::Unacked);
    dev.send(CommandFrame {
        full_reply: true,
        ..to(1, b"asks")
    })
    .wait(29_500)
    .prints_nothing();
    dev.net(TO[0], Net::Good);
    // The close tells what was acknowledged.
    dev.wait(1000).prints(SEND_OK);
}

#[test]
fn h6_a_full_reply_comes_without_a_network_too() {
    let mut dev = up();
    dev.input(Input::Modem(&ModemInput::Detached));
    dev.send(CommandFrame {
        full_reply: true,
        ..to(1, b"asks")
    })
    .wait(29_500)
    .prints_nothing();
    dev.wait(1000).prints(SEND_FAIL);
    dev.input(Input::Modem(&ModemInput::Attached([10, 0, 0, 2].into())))
        .wait(60_000);
    dev.sends_nothing(TO[0]).prints_nothing();
}

/// The DTE was told that it failed; another destination was in use before.
#[test]
fn h6_a_packet_that_was_given_up_is_not_sent_after_all() {
    let mut dev = up();
    dev.net(TO[1], Net::Refused).send(to(1, b"x"));
    dev.send(CommandFrame {
        full_reply: true,
        ..to(2, b"late")
    });
    dev.wait(31_000).prints(SEND_FAIL);
    dev.net(TO[1], Net::Good).wait(60_000);
    dev.sends_nothing(TO[1]).send(to(2, b"new"));
    dev.wait(60_000).sends(TO[1], "new");
}
