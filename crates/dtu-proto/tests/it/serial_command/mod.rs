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

mod connections;
mod destinations;
mod figures;
mod kept;
mod packets;
mod places;
mod properties;
mod waits;

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
