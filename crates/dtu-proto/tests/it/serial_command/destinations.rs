//! The way of a packet and of its answer.

use super::*;

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

/// A name that looks like an address is a name; letters may be small or not.
#[test]
fn each_name_is_a_destination_of_its_own() {
    let mut dev = up();
    let name = |name| CommandFrame {
        host: Host::Name(name),
        ..to(1, b"x")
    };
    dev.send(to(1, b"x"));
    for host in ["10.0.0.1", "a.example", "b.example", "A.Example"] {
        dev.send(name(host));
    }
    let connects = TO.iter().flat_map(|socket| &dev.peer(*socket).connects);
    let addresses: Vec<_> = connects.map(|(_, to)| &*to.address).collect();
    assert_eq!(
        addresses,
        ["10.0.0.1", "10.0.0.1", "a.example", "b.example"]
    );
    dev.sends(TO[2], "x").sends(TO[2], "x");
}
