//! What is a packet, and when it is whole.

use super::*;

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
