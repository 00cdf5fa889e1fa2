//! You write a server for DTUs. So you test it against a device: without a network, without waiting, the same each time.
//!
//! ```sh
//! cargo test -p dtu-proto --example device_in_a_test          # as your tests would
//! cargo run -p dtu-proto --example device_in_a_test           # the same, and what the server got
//! ```
//! Time is an input of the device. [`Field::at`] jumps from deadline to deadline, so a day takes no time, and a packet
//! that is due after 3 s comes at 3 s and not about then.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use dtu_proto::config::{Config, Options};
use dtu_proto::event::{
    CloseReason, Input, LinkId, ModemInput, Output, SerialInput, SerialOutput, SocketId,
    SocketInput, SocketOutput,
};
use dtu_proto::record::OwnedInput;
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};

/// The server under test: yours goes here. What a connection brings goes in, what it answers comes out.
#[derive(Default)]
struct Server {
    unread: Vec<u8>,
    device: Option<String>,
    readings: Vec<String>,
    heartbeats: u32,
}

impl Server {
    fn accept(&mut self) {
        *self = Self {
            readings: std::mem::take(&mut self.readings),
            ..Self::default()
        };
    }

    /// Bytes as they come: in pieces, or several packets at once.
    fn receive(&mut self, bytes: &[u8]) -> Vec<u8> {
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

/// A device in the field, with the network and the server at the other end of link 1.
struct Field {
    dtu: Dtu,
    now: Instant,
    server: Server,
    network: Network,
    /// Bytes of this connection that the server has.
    received: u64,
    /// What the equipment was told.
    printed: Vec<u8>,
    /// What the host has to answer when the outputs are drained.
    answers: VecDeque<OwnedInput>,
}

#[derive(PartialEq)]
enum Network {
    Works,
    /// The socket still takes bytes, and they get nowhere.
    Swallows,
    Gone,
}

const LINK_1: SocketId = SocketId::Link(LinkId::ALL[0]);

impl Field {
    fn new() -> Self {
        let mut config = Config {
            registration: b"DTU0001\n".to_vec(),
            heartbeat: b"HB\n".to_vec(),
            heartbeat_interval: 30,
            ..Config::default()
        };
        config.links[0].enabled = true;
        let options = Options {
            setup_window: Duration::ZERO,
            ..Options::default()
        };
        let mut field = Self {
            dtu: Dtu::new(config, options, Identity::default(), 1, Instant::ZERO),
            now: Instant::ZERO,
            server: Server::default(),
            network: Network::Works,
            received: 0,
            printed: Vec::new(),
            answers: VecDeque::new(),
        };
        field.input(Input::Serial(SerialInput::Present));
        field.input(Input::Modem(&ModemInput::Attached(
            Ipv4Addr::new(10, 0, 0, 2).into(),
        )));
        field
    }

    /// Goes on to so many milliseconds after power-on.
    fn at(&mut self, millis: u64) -> &mut Self {
        let target = Instant::from_millis(millis);
        while let Some(deadline) = self
            .dtu
            .poll_timeout()
            .filter(|deadline| deadline.at <= target)
        {
            self.now = deadline.at;
            self.dtu.handle_timeout(self.now);
            self.carry_out();
        }
        self.now = target;
        self
    }

    /// The meter writes to the serial line.
    fn meter(&mut self, bytes: &str) -> &mut Self {
        self.input(Input::Serial(SerialInput::Data(bytes.as_bytes())))
    }

    /// From now on nothing gets through, and nobody is told.
    fn cut(&mut self) -> &mut Self {
        self.network = Network::Swallows;
        self
    }

    /// The kernel gives the connection up.
    fn time_out(&mut self) -> &mut Self {
        self.network = Network::Gone;
        let acked = self.received;
        self.input(Input::Socket(
            LINK_1,
            SocketInput::Closed {
                reason: CloseReason::TimedOut,
                acked,
            },
        ))
    }

    fn mend(&mut self) -> &mut Self {
        self.network = Network::Works;
        self
    }

    fn input(&mut self, input: Input<'_>) -> &mut Self {
        self.dtu.handle_input(input, self.now);
        self.carry_out();
        self
    }

    /// All outputs in their order, then one answer, and so on until both are at rest.
    fn carry_out(&mut self) {
        loop {
            while let Some(output) = self.dtu.poll_output() {
                self.obey(output);
            }
            let Some(answer) = self.answers.pop_front() else {
                return;
            };
            self.dtu.handle_input(answer.as_input(), self.now);
        }
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::Serial(SerialOutput::Write(bytes)) => {
                self.printed.extend_from_slice(&bytes);
                self.answer(Input::Serial(SerialInput::Written));
            }
            Output::Serial(SerialOutput::Configure(_)) => {
                self.answer(Input::Serial(SerialInput::Configured(None)));
            }
            Output::Socket(LINK_1, SocketOutput::Connect(_)) => self.connect(),
            Output::Socket(LINK_1, SocketOutput::Send(payload)) => {
                self.send(&[payload.prefix, payload.body].concat());
            }
            Output::Socket(LINK_1, SocketOutput::Close) => self.close(CloseReason::Local),
            // Nothing of this happens here: the line always takes, the other links are not used.
            Output::Serial(SerialOutput::Discard)
            | Output::Socket(..)
            | Output::Modem(_)
            | Output::Store(_)
            | Output::Console(_)
            | Output::Leds(_)
            | Output::Power(_)
            | Output::Event(_) => {}
        }
    }

    fn connect(&mut self) {
        if self.network != Network::Works {
            return self.close(CloseReason::Unreachable);
        }
        self.received = 0;
        self.server.accept();
        let local = (Ipv4Addr::new(10, 0, 0, 2), 40_000).into();
        self.answer(Input::Socket(LINK_1, SocketInput::Connected { local }));
    }

    fn send(&mut self, bytes: &[u8]) {
        self.answer(Input::Socket(LINK_1, SocketInput::Sent));
        if self.network == Network::Works {
            self.received += bytes.len() as u64;
            self.answer(Input::Socket(LINK_1, SocketInput::Acked(self.received)));
            let answer = self.server.receive(bytes);
            if !answer.is_empty() {
                self.answers
                    .push_back(OwnedInput::SocketData(LINK_1, answer));
            }
        }
    }

    fn close(&mut self, reason: CloseReason) {
        let acked = std::mem::take(&mut self.received);
        self.answer(Input::Socket(LINK_1, SocketInput::Closed { reason, acked }));
    }

    fn answer(&mut self, input: Input<'static>) {
        self.answers.push_back(OwnedInput::Plain(input));
    }
}

#[cfg_attr(test, test)]
fn the_server_knows_the_device_by_its_registration_packet() {
    let mut field = Field::new();
    field.at(1000);
    assert_eq!(field.server.device.as_deref(), Some("DTU0001"));
}

#[cfg_attr(test, test)]
fn a_frame_reaches_the_server_and_its_answer_the_meter() {
    let mut field = Field::new();
    field.at(1000).printed.clear(); // The banner of power-on.
    // Two writes with less than 100 ms between them are one frame; the silence behind them sends it.
    field.meter("42 ").at(1050).meter("kWh\n").at(1149);
    assert!(field.server.readings.is_empty());
    field.at(1150);
    assert_eq!(field.server.readings, ["42 kWh"]);
    assert_eq!(field.printed, b"got 42 kWh\n");
}

#[cfg_attr(test, test)]
fn a_heartbeat_comes_after_30_s_without_data() {
    let mut field = Field::new();
    field.at(29_000).meter("42 kWh\n").at(59_000);
    assert_eq!(field.server.heartbeats, 0);
    field.at(59_100);
    assert_eq!(field.server.heartbeats, 1);
}

#[cfg_attr(test, test)]
fn an_outage_loses_nothing() {
    let mut field = Field::new();
    field.at(1000).meter("42 kWh\n").at(2000).cut();
    // The kernel takes this one, and it is gone with the connection.
    field.meter("43 kWh\n").at(20_000).time_out();
    // This one finds no connection.
    field.at(21_000).meter("44 kWh\n").at(30_000);
    assert_eq!(field.server.readings, ["42 kWh"]);
    // Back within half an outage, with its registration packet in front.
    field.mend().at(45_000);
    assert_eq!(field.server.device.as_deref(), Some("DTU0001"));
    assert_eq!(field.server.readings, ["42 kWh", "43 kWh", "44 kWh"]);
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
