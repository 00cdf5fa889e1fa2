//! Any bytes of the DTE, in any chunks at any times, through the whole device: window, escape, commands, frames.
//! Nothing panics, nothing is lost, and every queue keeps its bound.
//!
//! The input is a list of records: a byte of flags, a byte of delay, a byte of length, the bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;

use dtu_proto::config::{Config, Options};
use dtu_proto::event::{Input, LinkId, SocketInput, SocketOutput, ModemInput, Output, SerialInput, SerialOutput, StoreInput, StoreOutput, SocketId};
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};

fuzz_target!(|script: &[u8]| {
    let mut config = Config::default();
    config.links[0].enabled = true;
    (config.serial_at, config.network_at) = (true, true);
    let options = Options { setup_window: Duration::from_millis(300), ..Options::default() };
    let mut host = Host { dtu: Dtu::new(config, options, Identity::default(), 1, Instant::ZERO), now: Instant::ZERO, sent: 0 };
    host.feed(Input::Modem(&ModemInput::Attached([10, 0, 0, 2].into())));
    let mut rest = script;
    while let [flags, delay, len, tail @ ..] = rest {
        let (bytes, behind) = tail.split_at(usize::from(*len).min(tail.len()));
        rest = behind;
        host.now += Duration::from_millis(u64::from(*delay) * if flags & 1 == 0 { 1 } else { 40 });
        if flags & 2 == 0 {
            host.dtu.handle_timeout(host.now);
            host.carry_out();
        }
        let link = LinkId::ALL[0];
        match flags >> 2 & 7 {
            0 if host.dtu.wants_socket(link) => host.feed(Input::Socket(SocketId::Link(link), SocketInput::Data(bytes))),
            1 => host.feed(Input::Socket(SocketId::Link(link), SocketInput::Closed { reason: dtu_proto::event::CloseReason::Reset, acked: 0 })),
            _ if host.dtu.wants_serial() => host.feed(Input::Serial(SerialInput::Data(bytes))),
            _ => {}
        }
    }
    for _ in 0..10 {
        host.now += Duration::from_secs(5);
        host.dtu.handle_timeout(host.now);
        host.carry_out();
    }
    host.check();
});

struct Host {
    dtu: Dtu,
    now: Instant,
    sent: u64,
}

impl Host {
    fn feed(&mut self, input: Input<'_>) {
        self.dtu.handle_input(input, self.now);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.dtu.poll_output() {
            match output {
                Output::Serial(SerialOutput::Write(_)) => self.dtu.handle_input(Input::Serial(SerialInput::Written), self.now),
                Output::Serial(SerialOutput::Discard) => {
                    self.dtu.handle_input(Input::Serial(SerialInput::Discarded(0)), self.now);
                }
                Output::Serial(SerialOutput::Configure(_)) => {
                    self.dtu.handle_input(Input::Serial(SerialInput::Configured(None)), self.now);
                }
                Output::Socket(SocketId::Link(link), SocketOutput::Connect(_)) => {
                    self.sent = 0;
                    let local = ([10, 0, 0, 2], 40_000).into();
                    self.dtu.handle_input(Input::Socket(SocketId::Link(link), SocketInput::Connected { local }), self.now);
                }
                Output::Socket(SocketId::Link(link), SocketOutput::Send(payload)) => {
                    self.sent += payload.len() as u64;
                    self.dtu.handle_input(Input::Socket(SocketId::Link(link), SocketInput::Sent), self.now);
                    self.dtu.handle_input(Input::Socket(SocketId::Link(link), SocketInput::Acked(self.sent)), self.now);
                }
                Output::Socket(SocketId::Link(link), SocketOutput::Close) => {
                    let reason = dtu_proto::event::CloseReason::Local;
                    self.dtu.handle_input(Input::Socket(SocketId::Link(link), SocketInput::Closed { reason, acked: self.sent }), self.now);
                }
                Output::Store(StoreOutput::Save(_)) => self.dtu.handle_input(Input::Store(StoreInput::Saved), self.now),
                _ => {}
            }
        }
        assert!(self.dtu.poll_timeout().is_none_or(|deadline| deadline.at > self.now), "a deadline that does not move");
    }

    fn check(&self) {
        let status = self.dtu.status(self.now);
        for link in status.links {
            let c = link.counters;
            assert_eq!(
                c.bytes_in + c.moved_in_bytes,
                c.bytes_out + c.dropped_bytes + c.moved_out_bytes + link.waiting_bytes as u64
            );
        }
        let serial = status.serial.counters;
        assert!(serial.bytes_in >= serial.frame_bytes);
        assert!(status.serial.waiting < 128 * 1024);
    }
}
