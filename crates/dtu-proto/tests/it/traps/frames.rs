//! Bytes, frames and the clock.

use super::*;

#[test]
fn all_256_values_pass_both_ways() {
    let all: Vec<u8> = (0..=255).collect();
    for time in [0, 10, 100] {
        let mut dev = up(packing(time));
        dev.at(2000)
            .serial(&all)
            .at(3000)
            .sends(LINK1, &all)
            .sends_nothing(LINK1);
        dev.at(4000).network(LINK1, &all).at(5000).prints(&all);
        for byte in 0..=255_u8 {
            let now = dev.millis() + 1000;
            dev.at(now)
                .serial([byte])
                .at(now + 500)
                .sends(LINK1, [byte]);
            dev.at(now + 600).network(LINK1, [byte]).prints([byte]);
        }
    }
}

#[test]
fn an_endless_stream_leaves_in_pieces() {
    let mut dev = up(one_link());
    for step in 0..100 {
        dev.at(2000 + step * 50).serial([b'x'; 100]);
    }
    for _ in 0..9 {
        dev.sends(LINK1, [b'x'; 1024]);
    }
    dev.sends_nothing(LINK1)
        .at(7100)
        .sends(LINK1, [b'x'; 784])
        .sends_nothing(LINK1);
}

#[test]
fn characters_of_a_slow_line_are_not_a_packet_each() {
    // 110 Bd, 8N2: a character takes 100 ms, which is TIME.
    let mut config = packing(100);
    (config.line.baud, config.line.stop_bits) = (110, 2);
    let mut dev = up(config);
    for (place, byte) in b"hello".iter().enumerate() {
        dev.at(2000 + place as u64 * 100).serial([*byte]);
    }
    dev.at(4000).sends(LINK1, "hello").sends_nothing(LINK1);
}

#[test]
fn records_that_wait_together_keep_their_borders() {
    let mut net = [Net::Unacked; LINKS];
    net[0] = Net::BlackHole;
    let mut dev = with(one_link(), options(), net);
    dev.at(2000)
        .serial("one")
        .at(2100)
        .serial("two")
        .at(2300)
        .serial("three")
        .at(3000)
        .sends_nothing(LINK1);
    dev.net(LINK1, Net::Unacked);
    dev.lose(LINK1, CloseReason::TimedOut, 0)
        .at(9000)
        .sends(LINK1, "one")
        .sends(LINK1, "two")
        .sends(LINK1, "three");
}

#[test]
fn one_frame_is_one_datagram_with_its_registration_packet() {
    let mut config = Config {
        registration: b"ID".to_vec(),
        ..packing(10)
    };
    config.registration_when = RegistrationWhen::WithData;
    config.links[0].protocol = Protocol::Udp;
    let mut dev = up(config);
    dev.sends(LINK1, "ID");
    dev.at(2000)
        .serial("one")
        .at(2010)
        .serial("two")
        .at(3000)
        .sends(LINK1, "IDone")
        .sends(LINK1, "IDtwo")
        .sends_nothing(LINK1);
}

#[test]
fn a_host_that_wakes_late_merges_nothing() {
    let mut dev = up(one_link());
    dev.late = Duration::from_secs(5);
    dev.at(2000)
        .serial("one")
        .at(2100)
        .serial("two")
        .at(2199)
        .serial("+two")
        .at(2299)
        .serial("three")
        .at(9000);
    dev.sends(LINK1, "one")
        .sends(LINK1, "two+two")
        .sends(LINK1, "three")
        .sends_nothing(LINK1);
}

#[test]
fn a_serial_heartbeat_waits_for_a_frame_that_is_half_received() {
    let mut config = Config {
        heartbeat: b"HB".to_vec(),
        heartbeat_interval: 1,
        ..packing(3000)
    };
    config.heartbeat_to = HeartbeatTo::Serial;
    let mut dev = up(config);
    dev.at(4999).printed();
    dev.at(4999)
        .serial("half")
        .at(7998)
        .prints_nothing()
        .at(8100)
        .sends(LINK1, "half")
        .prints("HB");
}

#[test]
fn a_network_heartbeat_needs_silence_both_ways() {
    let mut dev = up(Config {
        heartbeat: b"HB".to_vec(),
        heartbeat_interval: 5,
        ..packing(10)
    });
    for round in 0..20 {
        dev.at(2000 + round * 4000).network(LINK1, "x");
        dev.at(4000 + round * 4000).serial("y");
    }
    dev.at(80_010);
    for _ in 0..20 {
        dev.sends(LINK1, "y");
    }
    let (sent, last) = (dev.peer(LINK1).sent_bytes, dev.millis());
    dev.acked(LINK1, sent);
    dev.at(last + 4999)
        .sends_nothing(LINK1)
        .at(last + 5001)
        .sends(LINK1, "HB");
}

#[test]
fn a_clock_that_jumps_back_moves_no_deadline() {
    let mut dev = up(one_link());
    dev.at(2000).serial("one");
    let deadline = dev.dtu.poll_timeout();
    dev.dtu.handle_timeout(Instant::from_millis(500));
    assert_eq!(dev.dtu.poll_timeout(), deadline);
    dev.dtu.handle_input(
        Input::Serial(SerialInput::Data(b"+")),
        Instant::from_millis(1),
    );
    dev.at(2100).sends(LINK1, "one+").sends_nothing(LINK1);
}

#[test]
fn a_long_sleep_is_not_a_storm_of_deadlines() {
    let options = Options {
        recovery: false,
        ..options()
    };
    let config = Config {
        heartbeat: b"HB".to_vec(),
        heartbeat_interval: 1,
        ..packing(10)
    };
    let mut dev = with(config, options, [Net::Unacked; LINKS]);
    let before = dev.outputs;
    dev.late = Duration::from_secs(86_400);
    dev.at(100_000_000);
    assert!(
        dev.outputs - before < 50,
        "{} outputs after one late wake-up",
        dev.outputs - before
    );
}
