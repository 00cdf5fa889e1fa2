//! `cargo bench -p dtu-proto`: what the device itself costs, with a host that carries every output out at once.

use bytes::Bytes;
use core::net::{Ipv4Addr, SocketAddr};
use divan::Bencher;
use divan::counter::BytesCount;

use dtu_proto::config::{Config, Options};
use dtu_proto::event::{
    Input, ModemInput, Output, SerialInput, SerialOutput, SocketId, SocketInput, SocketOutput,
};
use dtu_proto::status::LinkState;
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};

fn main() {
    divan::main();
}

/// As much as one read of a raw pty returns at most.
const READ: usize = 4095;
/// What an adapter delivers at once at 115200 Bd.
const SLICE: usize = 57;

/// A device in its working mode with links up, and what their peers have acknowledged.
struct Host {
    dtu: Dtu,
    now: Instant,
    sent: [u64; 4],
}

impl Host {
    fn new(links: usize, packing_time: u16) -> Self {
        let mut config = Config {
            packing_time,
            heartbeat_interval: 0,
            restart_time: 0,
            ..Config::default()
        };
        config
            .links
            .iter_mut()
            .take(links)
            .for_each(|link| link.enabled = true);
        let options = Options {
            setup_window: Duration::from_millis(0),
            ..Options::default()
        };
        let now = Instant::ZERO;
        let dtu = Dtu::new(config, options, Identity::default(), 1, now);
        let mut host = Self {
            dtu,
            now,
            sent: [0; 4],
        };
        host.input(Input::Serial(SerialInput::Present));
        host.input(Input::Modem(&ModemInput::Attached(
            Ipv4Addr::LOCALHOST.into(),
        )));
        host.later(Duration::from_secs(5));
        let status = host.dtu.status(host.now);
        let up = status
            .links
            .iter()
            .filter(|link| link.state == LinkState::Connected)
            .count();
        assert_eq!(up, links, "the links are up");
        host
    }

    fn input(&mut self, input: Input<'_>) {
        self.dtu.handle_input(input, self.now);
        self.carry_out();
    }

    fn later(&mut self, by: Duration) {
        self.now += by;
        self.dtu.handle_timeout(self.now);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.dtu.poll_output() {
            match output {
                Output::Serial(SerialOutput::Write(_)) => {
                    self.news(Input::Serial(SerialInput::Written))
                }
                Output::Serial(SerialOutput::Discard) => {
                    self.news(Input::Serial(SerialInput::Discarded(0)))
                }
                Output::Serial(SerialOutput::Configure(_)) => {
                    self.news(Input::Serial(SerialInput::Configured(None)));
                }
                Output::Socket(SocketId::Link(link), SocketOutput::Connect(_)) => {
                    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
                    self.sent[link.index()] = 0;
                    self.news(Input::Socket(
                        SocketId::Link(link),
                        SocketInput::Connected { local },
                    ));
                }
                Output::Socket(SocketId::Link(link), SocketOutput::Send(payload)) => {
                    self.sent[link.index()] += payload.len() as u64;
                    self.news(Input::Socket(SocketId::Link(link), SocketInput::Sent));
                    self.news(Input::Socket(
                        SocketId::Link(link),
                        SocketInput::Acked(self.sent[link.index()]),
                    ));
                }
                Output::Socket(SocketId::Link(_), SocketOutput::Close)
                | Output::Modem(_)
                | Output::Store(_)
                | Output::Console(_)
                | Output::Leds(_)
                | Output::Socket(..)
                | Output::Power(_)
                | Output::Event(_) => {}
            }
        }
    }

    fn news(&mut self, input: Input<'_>) {
        self.dtu.handle_input(input, self.now);
    }

    /// One read of the serial line, `step` after the last; `true` = the device goes on reading.
    fn up(&mut self, bytes: &[u8], step: Duration) -> bool {
        self.now += step;
        self.input(Input::Serial(SerialInput::Data(bytes)));
        self.dtu.wants_serial()
    }
}

/// A full read to so many links, sent at once.
#[divan::bench(args = [1, 4])]
fn up_without_packing(bencher: Bencher<'_, '_>, links: usize) {
    let (mut host, bytes) = (Host::new(links, 0), [b'U'; READ]);
    bencher
        .counter(BytesCount::new(READ))
        .bench_local(|| host.up(&bytes, Duration::from_micros(50)));
}

/// 57-byte reads that become 1024-byte frames.
#[divan::bench(args = [1, 4])]
fn up_with_packing(bencher: Bencher<'_, '_>, links: usize) {
    let (mut host, bytes) = (Host::new(links, 50), [b'U'; SLICE]);
    bencher
        .counter(BytesCount::new(SLICE))
        .bench_local(|| host.up(&bytes, Duration::from_micros(4950)));
}

/// A full read from a link to the line.
#[divan::bench]
fn down(bencher: Bencher<'_, '_>) {
    let (mut host, bytes) = (Host::new(1, 0), [b'D'; READ]);
    let link = dtu_proto::event::LinkId::ALL[0];
    bencher.counter(BytesCount::new(READ)).bench_local(|| {
        host.now += Duration::from_micros(50);
        host.input(Input::Socket(
            SocketId::Link(link),
            SocketInput::Data(&bytes),
        ));
    });
}

/// What the host pays to ask when to wake up.
#[divan::bench]
fn next_deadline(bencher: Bencher<'_, '_>) {
    let host = Host::new(4, 50);
    bencher.bench_local(|| host.dtu.poll_timeout());
}

/// An empty wake-up.
#[divan::bench]
fn spurious_timeout(bencher: Bencher<'_, '_>) {
    let mut host = Host::new(4, 50);
    bencher.bench_local(|| host.later(Duration::from_micros(1)));
}

/// One allocation and one copy of a read: the floor under `up_without_packing`.
#[divan::bench]
fn copy_of_a_read(bencher: Bencher<'_, '_>) {
    let bytes = [b'U'; READ];
    bencher
        .counter(BytesCount::new(READ))
        .bench_local(|| Bytes::copy_from_slice(divan::black_box(&bytes)));
}
