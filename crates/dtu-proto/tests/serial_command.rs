//! The serial command mode as timed scripts (decisions 11; the manual names it in 2.1 and never describes it).
#![allow(missing_docs)]

mod common;

use common::Bench;
use dtu_proto::config::{Config, Options, Protocol, WorkingMode};
use dtu_proto::event::ChannelId;
use dtu_proto::wire::command_frame::{CommandFrame, Host};

const FIRST: ChannelId = ChannelId::DESTINATIONS[0];
const SECOND: ChannelId = ChannelId::DESTINATIONS[1];

fn mode_1() -> Config {
    Config { mode: WorkingMode::SerialCommand, heartbeat_interval: 0, ..Config::default() }
}

fn booted(options: Options) -> Bench {
    let mut dev = Bench::with(mode_1(), options);
    dev.at(200).prints("\r\nUSR-GPRS232-DTU\r\n");
    dev
}

fn up() -> Bench {
    booted(Options { setup_window: dtu_proto::time::Duration::ZERO, ..Options::default() })
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

#[test]
fn a_packet_goes_to_the_destination_that_it_names_and_answers_come_back_raw() {
    let mut dev = up();
    dev.at(1000).serial(b"\x55\xAA\x00\x0A\x00\x00\x00\x21\x00\x85\x00\xA8\xC0\x01\x0F");
    dev.at(1200).channel_sends(FIRST, b"\x01").serial(bytes(to(1, b"hello"))).at(1400);
    dev.channel_sends(SECOND, "hello").prints_nothing();
    dev.channel_data(SECOND, "world").channel_data(FIRST, b"\0\xFF").prints(b"world\0\xFF");
    let connect = &dev.peer(FIRST).connects[0];
    assert_eq!(
        (connect.protocol, &*connect.address, connect.port, connect.local_port, connect.tls),
        (Protocol::Udp, "192.168.0.133", 33, 0, false)
    );
    let connect = &dev.peer(SECOND).connects[0];
    assert_eq!((connect.protocol, &*connect.address, connect.port), (Protocol::Tcp, "10.0.0.1", 5000));
}
