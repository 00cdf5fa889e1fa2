//! You write a server for DTUs. So you test it against a device: without a network, without waiting, the same each time.
//!
//! ```sh
//! cargo test -p dtu-proto --example device_in_a_test          # as your tests would
//! cargo run -p dtu-proto --example device_in_a_test           # the same, and what the server got
//! ```
//! Your `Cargo.toml` has `dtu-proto = { ..., features = ["testing"] }` under `[dev-dependencies]`. Time is an input of
//! the device: [`Bench::at`] jumps from deadline to deadline, so a day takes no time, and a packet that is due after 3 s
//! comes at 3 s and not about then.

use std::cell::RefCell;
use std::rc::Rc;

use dtu_proto::config::Config;
use dtu_proto::event::CloseReason;
use dtu_proto::testing::{Bench, LINK1, Net, Server, one_link};

/// The server under test: yours goes here.
#[derive(Default)]
struct Meters {
    unread: Vec<u8>,
    device: Option<String>,
    readings: Vec<String>,
    heartbeats: u32,
}

impl Server for Meters {
    fn accepts(&mut self) {
        *self = Self {
            readings: std::mem::take(&mut self.readings),
            ..Self::default()
        };
    }

    /// Bytes as they come: in pieces, or several packets at once.
    fn receives(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.unread.extend_from_slice(bytes);
        let mut answer = Vec::new();
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            match &self.device {
                None => self.device = Some(line),
                Some(_) if line == "HB" => self.heartbeats += 1,
                Some(_) => {
                    answer.extend_from_slice(format!("got {line}\n").as_bytes());
                    self.readings.push(line);
                }
            }
        }
        answer
    }
}

/// A device in the field, and the server at the other end of link 1.
fn field() -> (Bench, Rc<RefCell<Meters>>) {
    let config = Config {
        registration: b"DTU0001\n".to_vec(),
        heartbeat: b"HB\n".to_vec(),
        heartbeat_interval: 30,
        ..one_link()
    };
    let server = Rc::new(RefCell::new(Meters::default()));
    let mut dev = Bench::new(config);
    dev.serve(LINK1, server.clone()).at(1000).printed(); // The banner of power-on.
    (dev, server)
}

#[cfg_attr(test, test)]
fn the_server_knows_the_device_by_its_registration_packet() {
    let (_, server) = field();
    assert_eq!(server.borrow().device.as_deref(), Some("DTU0001"));
}

#[cfg_attr(test, test)]
fn a_frame_reaches_the_server_and_its_answer_the_meter() {
    let (mut dev, server) = field();
    // Two writes with less than 100 ms between them are one frame; the silence behind them sends it.
    dev.serial("42 ").at(1050).serial("kWh\n").at(1149);
    assert!(server.borrow().readings.is_empty());
    dev.at(1150).prints("got 42 kWh\n");
    assert_eq!(server.borrow().readings, ["42 kWh"]);
}

#[cfg_attr(test, test)]
fn a_heartbeat_comes_after_30_s_without_data() {
    let (mut dev, server) = field();
    dev.at(29_000).serial("42 kWh\n").at(59_000);
    assert_eq!(server.borrow().heartbeats, 0);
    dev.at(59_100);
    assert_eq!(server.borrow().heartbeats, 1);
}

#[cfg_attr(test, test)]
fn an_outage_loses_nothing() {
    let (mut dev, server) = field();
    // The second is taken by the kernel, and is gone with the connection. The third finds no connection.
    dev.serial("42 kWh\n").at(2000).net(LINK1, Net::Unacked);
    dev.serial("43 kWh\n").at(20_000).net(LINK1, Net::Refused);
    dev.breaks(LINK1, CloseReason::TimedOut).at(21_000);
    dev.serial("44 kWh\n").at(30_000);
    assert_eq!(server.borrow().readings, ["42 kWh"]);
    // Back within half an outage, with its registration packet in front.
    dev.net(LINK1, Net::Good).at(45_000);
    assert_eq!(server.borrow().device.as_deref(), Some("DTU0001"));
    assert_eq!(server.borrow().readings, ["42 kWh", "43 kWh", "44 kWh"]);
}

fn main() {
    the_server_knows_the_device_by_its_registration_packet();
    a_frame_reaches_the_server_and_its_answer_the_meter();
    a_heartbeat_comes_after_30_s_without_data();
    an_outage_loses_nothing();
    println!(
        "registration packet, frame, heartbeat, an outage without loss: all as the server expects them"
    );
}
