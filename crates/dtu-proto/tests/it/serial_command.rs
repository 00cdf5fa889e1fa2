//! The serial command mode as timed scripts (decisions 11; the manual names it in 2.8.6.23 and never describes it).
#![allow(missing_docs)]

use dtu_proto::config::{
    Config, DropPolicy, LinkOptions, Options, Protocol, RegistrationWhen, WorkingMode,
};
use dtu_proto::event::{
    CloseReason, Event, Input, LinkDownReason, ModemInput, Power, QueueId, SocketId, SocketInput,
    StoreOutput,
};
use dtu_proto::status::SerialCommandStatus;
use dtu_proto::testing::{Bench, Net};
use dtu_proto::time::Duration;
use dtu_proto::wire::command_frame::{CommandFrame, Host};
use proptest::prelude::*;

const TO: [SocketId; 8] = SocketId::DESTINATIONS;
const SEND_OK: &str = "\r\nSEND OK\r\n";
const SEND_FAIL: &str = "\r\nSEND FAIL\r\n";
/// The published example: 01 to 192.168.0.133, port 33, by UDP.
const EXAMPLE: &[u8] = b"\x55\xAA\x00\x0A\x00\x00\x00\x21\x00\x85\x00\xA8\xC0\x01\x0F";
const MINUTE: u64 = 60_000;

fn mode_1() -> Config {
    Config {
        mode: WorkingMode::SerialCommand,
        heartbeat_interval: 0,
        restart_time: 0,
        ..Config::default()
    }
}

fn options(change: impl FnOnce(&mut LinkOptions)) -> Options {
    let mut options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    change(&mut options.modes);
    options
}

fn booted(config: Config, options: Options) -> Bench {
    let mut dev = Bench::with(config, options);
    dev.at(200).prints("\r\nUSR-GPRS232-DTU\r\n");
    dev
}

fn up() -> Bench {
    booted(mode_1(), options(|_| ()))
}

/// A TCP packet to a destination of its own.
fn to(number: u8, data: &[u8]) -> CommandFrame<'_> {
    CommandFrame {
        protocol: Protocol::Tcp,
        long: true,
        wait: 0,
        full_reply: false,
        host: Host::Ip([10, 0, 0, number].into()),
        port: 5000,
        data,
    }
}

fn bytes(frame: CommandFrame<'_>) -> Vec<u8> {
    frame.encode().expect("a good frame")
}

trait CommandBench {
    fn send(&mut self, frame: CommandFrame<'_>) -> &mut Self;
    fn status(&self) -> SerialCommandStatus;
    fn waiting(&self) -> Vec<Vec<u8>>;
}

impl CommandBench for Bench {
    /// Sends a packet, and waits until it is cut and its destination had time to come up.
    fn send(&mut self, frame: CommandFrame<'_>) -> &mut Self {
        self.serial(bytes(frame)).wait(201)
    }

    /// A snapshot, in which what came in is what went out, was dropped, or waits.
    fn status(&self) -> SerialCommandStatus {
        let status = self.dtu.status(self.now).serial_command;
        let counters = &status.counters;
        let waiting = (status.waiting_packets as u64, status.waiting_bytes as u64);
        assert_eq!(
            counters.packets_in,
            counters.packets_out + counters.dropped_packets + waiting.0,
            "{status:?}"
        );
        assert_eq!(
            counters.bytes_in,
            counters.bytes_out + counters.dropped_bytes + waiting.1,
            "{status:?}"
        );
        status
    }

    fn waiting(&self) -> Vec<Vec<u8>> {
        self.dtu
            .undelivered(QueueId::SerialCommand)
            .map(|(_, packet)| packet.to_vec())
            .collect()
    }
}

// What goes out, and what comes back.

#[test]
fn a_packet_goes_to_the_destination_that_it_names_and_answers_come_back_raw() {
    let mut dev = up();
    dev.serial(EXAMPLE).wait(200).sends(TO[0], b"\x01");
    dev.send(to(1, b"hello"))
        .sends(TO[1], "hello")
        .prints_nothing();
    dev.network(TO[1], "world")
        .network(TO[0], b"\0\xFF")
        .prints(b"world\0\xFF");
    let connect = &dev.peer(TO[0]).connects[0].1;
    assert_eq!(
        (
            connect.protocol,
            &*connect.address,
            connect.port,
            connect.local_port,
            connect.tls
        ),
        (Protocol::Udp, "192.168.0.133", 33, 0, false)
    );
    let connect = &dev.peer(TO[1]).connects[0].1;
    assert_eq!(
        (connect.protocol, &*connect.address, connect.port),
        (Protocol::Tcp, "10.0.0.1", 5000)
    );
    assert!(dev.events.contains(&Event::Connected(TO[1])));
    let counters = dev.status().counters;
    assert_eq!(
        (
            counters.packets_out,
            counters.received_bytes,
            counters.received_reads
        ),
        (2, 7, 2)
    );
}

#[test]
fn a_destination_has_one_connection_however_its_name_is_spelt() {
    let mut dev = up();
    let name = |name| CommandFrame {
        host: Host::Name(name),
        ..to(1, b"x")
    };
    dev.send(name("meter.example"))
        .send(name("Meter.Example"))
        .send(name("meter.example"));
    assert_eq!(dev.received(TO[0]), b"xxx");
    assert_eq!(dev.peer(TO[0]).connects.len(), 1);
    assert_eq!(dev.peer(TO[0]).connects[0].1.address, "meter.example");
    for other in [
        CommandFrame {
            port: 5001,
            ..name("meter.example")
        },
        CommandFrame {
            protocol: Protocol::Udp,
            ..name("meter.example")
        },
    ] {
        dev.send(other);
    }
    assert_eq!(dev.status().destinations.len(), 3);
}

#[test]
fn packets_in_one_frame_and_in_many_are_the_same() {
    let mut dev = booted(
        Config {
            packing_time: 50,
            ..mode_1()
        },
        options(|_| ()),
    );
    dev.serial(
        [
            bytes(to(1, b"one")),
            bytes(to(2, b"two")),
            bytes(to(1, b"three")),
        ]
        .concat(),
    )
    .wait(200);
    dev.sends(TO[0], "one")
        .sends(TO[0], "three")
        .sends(TO[1], "two");
    for byte in bytes(to(1, b"by")) {
        dev.serial([byte]).wait(55);
    }
    dev.wait(150).sends(TO[0], "by").prints_nothing();
}

#[test]
fn a_packet_longer_than_a_frame_of_the_line_is_whole() {
    let mut dev = up();
    let name = "n".repeat(255);
    let frame = CommandFrame {
        host: Host::Name(&name),
        ..to(1, &[b'd'; 1000])
    };
    dev.send(frame).sends(TO[0], [b'd'; 1000]).prints_nothing();
}

#[test]
fn without_packing_each_read_is_a_part() {
    let mut dev = booted(
        Config {
            packing_time: 0,
            ..mode_1()
        },
        options(|_| ()),
    );
    let packet = bytes(to(1, b"parts"));
    dev.serial(&packet[..3])
        .wait(30)
        .serial(&packet[3..9])
        .wait(960)
        .serial(&packet[9..])
        .wait(100);
    dev.sends(TO[0], "parts").prints_nothing();
}

#[test]
fn registration_and_heartbeats_are_for_links_only() {
    let config = Config {
        registration: b"REG".to_vec(),
        registration_when: RegistrationWhen::WithData,
        heartbeat: b"HB".to_vec(),
        heartbeat_interval: 10,
        ..mode_1()
    };
    let mut dev = booted(config, options(|_| ()));
    dev.send(to(1, b"data"))
        .sends(TO[0], "data")
        .wait(MINUTE)
        .sends_nothing(TO[0]);
    assert_eq!(dev.peer(TO[0]).closes, 0);
}

// The serial side: errors, garbage, commands.

#[test]
fn a_bad_packet_is_told_and_the_next_one_is_found() {
    let mut dev = up();
    let mut wrong_sum = EXAMPLE.to_vec();
    wrong_sum[14] = 0x10;
    dev.serial([&wrong_sum, EXAMPLE].concat()).wait(200);
    dev.prints("\r\n+CME ERROR: command frame: sum must be 0F, got 10\r\n")
        .sends(TO[0], b"\x01");
    dev.serial(b"\x55\xAA\x00\x05\0\0\0\0\0").wait(200);
    dev.prints("\r\n+CME ERROR: command frame: len must be 8..=1261, got 5\r\n");
    dev.serial(b"\x55\xAA\x00\x0A\x04\x00\x00\x21\x00aaaaa\xEA")
        .wait(200);
    dev.prints("\r\n+CME ERROR: command frame: sum must be 0A, got EA\r\n");
    dev.serial(b"\x55\xAA\x00\x0A\x04\x00\x00\x21\x00aaaaa\x0A")
        .wait(200);
    dev.prints(
        "\r\n+CME ERROR: command frame: the name must have 1..=255 bytes and end with 00\r\n",
    );
    dev.serial(EXAMPLE)
        .wait(200)
        .sends(TO[0], b"\x01")
        .prints_nothing();
    let counters = dev.status().counters;
    assert_eq!((counters.packets_in, counters.bad_packets), (2, 4));
    assert_eq!(counters.garbage_bytes, 15 + 9 + 15 + 15);
}

#[test]
fn a_good_packet_inside_a_bad_one_is_found() {
    let mut dev = up();
    dev.serial([&b"\x55\xAA\x00\x14"[..], EXAMPLE, b"\0\0\0\0\0\xFF"].concat())
        .wait(200);
    dev.sends(TO[0], b"\x01");
    let counters = dev.status().counters;
    assert_eq!(
        (
            counters.packets_in,
            counters.bad_packets,
            counters.garbage_bytes
        ),
        (1, 1, 10)
    );
}

#[test]
fn errors_obey_the_settings_of_result_codes() {
    for (cmee, quiet, text) in [
        (1, false, "\r\n+CME ERROR: 3\r\n"),
        (0, false, "\r\nERROR\r\n"),
        (2, true, ""),
    ] {
        let mut dev = booted(
            Config {
                cmee,
                quiet,
                ..mode_1()
            },
            options(|_| ()),
        );
        dev.serial("hello").wait(200).prints(text);
    }
}

#[test]
fn what_is_no_packet_is_told_once_until_the_next_good_one() {
    let mut dev = up();
    let told = "\r\n+CME ERROR: a command frame begins with 55 AA, got 68\r\n";
    dev.serial("hello")
        .wait(200)
        .prints(told)
        .serial("hello")
        .wait(200)
        .prints_nothing();
    dev.serial(EXAMPLE)
        .wait(200)
        .prints_nothing()
        .serial("hello")
        .wait(200)
        .prints(told);
    assert_eq!(dev.status().counters.garbage_bytes, 15);
    assert_eq!(dev.status().counters.bad_packets, 0);
}

#[test]
fn the_rest_of_a_packet_comes_within_its_time_on_the_line_and_a_second() {
    let mut dev = up();
    dev.at(1000)
        .serial([&b"\x55\xAA\x01\x00\x01"[..], EXAMPLE].concat());
    // 261 bytes at 115200 Bd take 22 ms (decisions 16.17; it was a second of silence).
    dev.at(2021).prints_nothing().sends_nothing(TO[0]);
    assert_eq!(dev.status().unfinished_bytes, 20);
    dev.at(2023)
        .prints("\r\n+CME ERROR: command frame: got only 20 of 261 bytes\r\n");
    dev.at(2123).sends(TO[0], b"\x01");
    assert_eq!(
        (
            dev.status().unfinished_bytes,
            dev.status().counters.garbage_bytes
        ),
        (0, 5)
    );
}

#[test]
fn what_a_long_packing_time_holds_back_is_not_late() {
    let mut dev = booted(
        Config {
            packing_time: 5000,
            ..mode_1()
        },
        options(|_| ()),
    );
    let name = "n".repeat(255);
    let frame = CommandFrame {
        host: Host::Name(&name),
        ..to(1, &[b'd'; 1000])
    };
    // 1024 bytes are cut at once, the rest after 5 s.
    dev.serial(bytes(frame))
        .wait(4999)
        .prints_nothing()
        .wait(200);
    dev.sends(TO[0], [b'd'; 1000]).prints_nothing();
}

#[test]
fn a_password_frame_is_a_command_but_not_inside_a_packet() {
    let mut dev = booted(
        Config {
            serial_at: true,
            ..mode_1()
        },
        options(|_| ()),
    );
    dev.serial("admin,AT+CIMOD?\r")
        .wait(150)
        .prints("\r\n+CIMOD: 1\r\n\r\nOK\r\n");
    let packet = bytes(to(1, b"see admin,AT+CIMOD?\r"));
    let (begin, rest) = packet.split_at(packet.len() - 17);
    assert!(rest.starts_with(b"admin,AT+"));
    dev.serial(begin)
        .wait(150)
        .serial(rest)
        .wait(200)
        .prints_nothing();
    dev.sends(TO[0], "see admin,AT+CIMOD?\r");
}

#[test]
fn a_destination_cannot_command() {
    let config = Config {
        network_at: true,
        ..mode_1()
    };
    let mut dev = booted(config, options(|_| ()));
    dev.send(to(1, b"x")).sends(TO[0], "x");
    dev.network(TO[0], "admin,AT+CIMOD?\r")
        .prints("admin,AT+CIMOD?\r")
        .sends_nothing(TO[0]);
}

#[test]
fn in_the_command_state_answers_and_errors_wait() {
    let mut dev = up();
    dev.send(CommandFrame {
        full_reply: true,
        ..to(1, b"x")
    })
    .prints(SEND_OK);
    dev.serial("junk").wait(50).serial(EXAMPLE).wait(200);
    dev.prints("\r\n+CME ERROR: a command frame begins with 55 AA, got 6A\r\n")
        .escape();
    dev.network(TO[0], "late").prints_nothing();
    dev.command("AT+ENTM", "\r\nOK\r\nlate");
}

#[test]
fn the_escape_works_amid_packets_and_keeps_a_half_one() {
    let mut dev = up();
    let packet = bytes(to(1, b"+++ and more"));
    dev.serial(&packet[..10])
        .wait(300)
        .serial(&packet[10..])
        .wait(200)
        .sends(TO[0], "+++ and more");
    dev.escape()
        .command("AT", "\r\nOK\r\n")
        .command("AT+ENTM", "\r\nOK\r\n");
    dev.send(to(1, b"again"))
        .sends(TO[0], "again")
        .prints_nothing();
}

// Connections.

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

/// One packet to each of eight destinations.
fn eight(dev: &mut Bench) {
    for number in 1..=8 {
        dev.send(to(number, b"x"));
    }
    TO.iter()
        .for_each(|channel| dev.sends(*channel, "x").sends_nothing(*channel).end());
}

trait End {
    fn end(&mut self) {}
}

impl End for Bench {}

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

/// Packets to destination 1 and 2 in turns, as fast as the line is read; 1 acknowledges all that it has each 20 ms. Gives
/// the longest time in which the line stood, in milliseconds.
fn pairs(dev: &mut Bench, rounds: u64) -> u64 {
    let (mut stood, mut longest) = (0, 0);
    for _ in 0..rounds {
        let mut most = 100;
        while dev.dtu.wants_serial() && most > 0 {
            dev.serial([bytes(to(1, &[b'g'; 200])), bytes(to(2, &[b'x'; 200]))].concat());
            most -= 1;
        }
        stood = if most < 100 { 0 } else { stood + 20 };
        longest = longest.max(stood);
        dev.wait(20).acknowledges(TO[0]);
    }
    longest
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
            StoreOutput::Save(_) | StoreOutput::Messages { .. } | StoreOutput::SpoolSending(..) => {
            }
        }
        most = most.max(kept.values().map(|packet| packet.len()).sum::<usize>());
    }
    assert!(most < 100_000, "{most} bytes");
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
        assert!(
            dev.status().counters.dropped_packets > 0,
            "the limit holds for new ones"
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
        .wait(5000)
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
fn states_and_figures_are_told() {
    let mut dev = up();
    dev.net(TO[1], Net::Refused);
    dev.serial(EXAMPLE)
        .send(to(1, b"x"))
        .send(to(2, b"y"))
        .wait(20_000)
        .escape();
    dev.command(
        "AT+CINET?",
        "\r\n+CINET:1,OFF\r\n+CINET:2,OFF\r\n+CINET:3,OFF\r\n+CINET:4,OFF\r\n\
         +CINET:0,CONNECTED,\"UDP 192.168.0.133:33\"\r\n\
         +CINET:0,WAITING,\"TCP 10.0.0.1:5000\",refused\r\n\
         +CINET:0,CONNECTED,\"TCP 10.0.0.2:5000\"\r\n\r\nOK\r\n",
    );
    dev.serial("AT+CISTAT\r");
    let page = dev.printed();
    let line = page
        .split(r"\r\n")
        .find(|line| line.starts_with("+CISTAT:COMMAND,"))
        .map(str::to_owned);
    let line = line.expect("a line of its own");
    for figure in [
        "running=1",
        "in=45",
        "in_packets=3",
        "out=30",
        "out_packets=2",
        "waiting=15",
        "waiting_packets=1",
    ] {
        assert!(line.contains(&format!(",{figure},")), "{figure} in {line}");
    }
    assert!(line.contains(",destinations=3,"), "{line}");
}

#[test]
fn a_dte_that_does_not_read_loses_replies_and_that_is_counted() {
    let mut dev = up();
    dev.dte_stops();
    let full = bytes(CommandFrame {
        full_reply: true,
        ..to(1, b"x")
    });
    for _ in 0..100 {
        dev.serial(full.repeat(50)).wait(200);
    }
    let status = dev.dtu.status(dev.now);
    assert!(
        status.serial.waiting < 31 * 1024,
        "{}",
        status.serial.waiting
    );
    let printed = status.serial.waiting / SEND_OK.len();
    assert_eq!(
        printed as u64 + status.serial.counters.dropped_replies,
        status.serial_command.counters.packets_out
    );
    assert_eq!(status.serial_command.counters.packets_out, 5000);
}

#[test]
fn the_data_lamp_is_on_while_a_destination_is_connected() {
    let mut dev = up();
    assert!(!dev.dtu.status(dev.now).leds.data);
    dev.send(to(1, b"x")).wait(1000);
    assert!(dev.dtu.status(dev.now).leds.data);
    dev.lose(TO[0], CloseReason::PeerClosed, 1).wait(1000);
    assert!(!dev.dtu.status(dev.now).leds.data);
}

#[test]
fn manual_2_8_6_20_data_of_a_destination_counts_as_received() {
    let mut dev = booted(
        Config {
            restart_time: 600,
            ..mode_1()
        },
        options(|_| ()),
    );
    dev.send(to(1, b"x"))
        .wait(9 * MINUTE)
        .network(TO[0], "y")
        .wait(9 * MINUTE)
        .network(TO[0], "z");
    assert_eq!(dev.dtu.status(dev.now).restarts, 0);
    dev.wait(10 * MINUTE + 1000);
    assert_eq!(dev.dtu.status(dev.now).restarts, 1);
}

// Whatever happens.

/// Something that happens to the device.
#[derive(Clone, Debug)]
enum Step {
    Packet {
        number: u8,
        len: usize,
        full_reply: bool,
        long: bool,
        udp: bool,
    },
    Junk(Vec<u8>),
    Torn {
        number: u8,
        len: usize,
    },
    Net(usize, Net),
    Lose(usize),
    Wait(u64),
    Mode(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let net = prop_oneof![
        2 => Just(Net::Good),
        1 => Just(Net::Unacked),
        1 => Just(Net::Stuck),
        2 => Just(Net::Refused),
        1 => Just(Net::BlackHole),
    ];
    let packet = (1..=12u8, 1..=1000usize, any::<(bool, bool, bool)>());
    prop_oneof![
        12 => packet.prop_map(|(number, len, (full_reply, long, udp))| Step::Packet { number, len, full_reply, long, udp }),
        1 => prop::collection::vec(any::<u8>(), 1..30).prop_map(Step::Junk),
        1 => (1..=12u8, 1..40usize).prop_map(|(number, len)| Step::Torn { number, len }),
        4 => (0..8usize, net).prop_map(|(channel, net)| Step::Net(channel, net)),
        2 => (0..8usize).prop_map(Step::Lose),
        6 => prop_oneof![0..200u64, 0..60_000u64, 0..900_000u64].prop_map(Step::Wait),
        1 => (0..=4u8).prop_map(Step::Mode),
    ]
}

/// One more packet, to see that one is taken and goes out.
fn delivers(dev: &mut Bench) -> bool {
    TO.iter().for_each(|channel| drop(dev.received(*channel)));
    assert!(dev.dtu.wants_serial());
    dev.send(to(1, b"the last")).wait(60_000);
    TO.map(|channel| dev.received(channel)).concat() == b"the last"
}

fn happens(dev: &mut Bench, step: &Step) {
    match step {
        Step::Packet {
            number,
            len,
            full_reply,
            long,
            udp,
        } => {
            let data = vec![*number; *len];
            let protocol = if *udp { Protocol::Udp } else { Protocol::Tcp };
            let frame = CommandFrame {
                full_reply: *full_reply,
                long: *long,
                protocol,
                ..to(*number, &data)
            };
            dev.serial(bytes(frame));
        }
        Step::Junk(junk) => dev.serial(junk).end(),
        Step::Torn { number, len } => {
            let packet = bytes(to(*number, &[*number; 100]));
            dev.serial(&packet[..*len]);
        }
        Step::Net(channel, net) => {
            dev.net(TO[*channel], *net);
        }
        Step::Lose(channel) => dev.lose(TO[*channel], CloseReason::Reset, 0).end(),
        Step::Wait(millis) => dev.wait(*millis).end(),
        Step::Mode(mode) => dev
            .input(Input::Console(&format!("AT+CIMOD={mode};+CIAPPLY")))
            .end(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// In the mode every byte of the DTE is accounted for, every packet is delivered or its loss told, and in the end
    /// nothing waits.
    #[test]
    fn every_packet_is_delivered_or_its_loss_is_told(steps in prop::collection::vec(step(), 1..80), cache in 1000..20_000usize, resend: bool) {
        let mut dev = booted(mode_1(), options(|modes| {
            modes.cache = cache;
            modes.resend = resend;
            modes.spool = true;
        }));
        for step in steps.iter().filter(|step| !matches!(step, Step::Mode(_))) {
            happens(&mut dev, step);
            let status = dev.status();
            prop_assert!(status.waiting_bytes <= cache && status.destinations.len() <= 8, "{status:?}");
        }
        // What hangs is closed; then all is good.
        for channel in TO {
            dev.net(channel, Net::Good);
            dev.lose(channel, CloseReason::TimedOut, 0);
        }
        dev.wait(60 * MINUTE);
        let status = dev.status();
        prop_assert_eq!((status.waiting_packets, status.lobby_packets, status.unfinished_bytes), (0, 0, 0));
        let serial = dev.dtu.status(dev.now).serial.counters;
        prop_assert_eq!(serial.frame_bytes, status.counters.bytes_in + status.counters.garbage_bytes);
        let lost = dev.events.iter().filter(|event| matches!(event, Event::FrameDropped { .. })).count();
        prop_assert_eq!(lost as u64, status.counters.dropped_packets);
        let asked = steps.iter().filter(|step| matches!(step, Step::Packet { full_reply: true, .. })).count();
        let printed = dev.printed();
        let replies = printed.matches(r"\r\nSEND OK\r\n").count() + printed.matches(r"\r\nSEND FAIL\r\n").count();
        // A packet right behind a torn one may be taken for its rest; then it was told, as bad, or, where the sum of eight
        // bits happens to fit, as what was left of it.
        prop_assert!(replies <= asked);
        prop_assert!(replies == asked || status.counters.bad_packets + status.counters.garbage_bytes > 0);
        let released = dev.store.spool.iter().rev().find_map(|output| match output {
            StoreOutput::SpoolRelease(_, number) => Some(*number),
            StoreOutput::SpoolAppend(..)
            | StoreOutput::SpoolSending(..)
            | StoreOutput::Save(_)
            | StoreOutput::Messages { .. } => None,
        });
        let appended = dev.store.spool.iter().filter(|output| matches!(output, StoreOutput::SpoolAppend(..))).count();
        prop_assert_eq!(released.unwrap_or(0), appended as u64);
        prop_assert!(delivers(&mut dev), "nothing goes out when all is good");
    }

    /// Packets wait for their mode, whatever the modes between.
    #[test]
    fn other_modes_lose_no_packet(steps in prop::collection::vec(step(), 1..60)) {
        let mut dev = booted(mode_1(), options(|modes| modes.cache = 1 << 20));
        for step in &steps {
            happens(&mut dev, step);
            dev.status();
        }
        for channel in TO {
            dev.net(channel, Net::Good);
            dev.lose(channel, CloseReason::TimedOut, 0);
        }
        dev.input(Input::Console("AT+CIMOD=1;+CIAPPLY")).wait(60 * MINUTE);
        prop_assert_eq!(dev.status().waiting_packets, 0);
        prop_assert!(delivers(&mut dev), "nothing goes out when all is good");
    }
}

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
