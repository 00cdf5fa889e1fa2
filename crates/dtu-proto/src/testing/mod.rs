//! A device in virtual time, with a host that carries everything out at once: tests are timed scripts.
//!
//! Behind the feature `testing`, for tests only. The tests of this crate are written with it; so can be those of a
//! server that devices connect to, or of equipment that talks to one.
//!
//! ```
//! use dtu_proto::event::CloseReason;
//! use dtu_proto::testing::{Bench, LINK1, Net, one_link};
//!
//! let mut dev = Bench::new(one_link());
//! dev.at(1000).prints("\r\nUSR-GPRS232-DTU\r\n");
//! // Two reads with less than 100 ms between them are one frame.
//! dev.serial("42 ").wait(50).serial("kWh").wait(99).sends_nothing(LINK1);
//! dev.wait(1).sends(LINK1, "42 kWh");
//! dev.network(LINK1, "relay on").prints("relay on");
//! // The connection breaks, and nobody answers for two seconds: nothing is lost.
//! dev.net(LINK1, Net::BlackHole).breaks(LINK1, CloseReason::Reset);
//! dev.serial("43 kWh").wait(2000).net(LINK1, Net::Good);
//! dev.wait(10_000).sends(LINK1, "43 kWh").sends_nothing(LINK1);
//! ```
//!
//! The bench keeps the contract of a host (the front page of the crate), and panics where the device breaks its side of
//! it: two writes at once to the serial line, two sends at once to a socket, a send without a connection, a deadline
//! that does not move. Times are milliseconds since power-on, and only [`Bench::at`] and [`Bench::wait`] let time pass.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use crate::config::{Config, Options};
use crate::event::{
    Event, Input, Leds, LinkId, ModemInput, ModemOutput, Output, Power, SOCKETS, SerialInput,
    StoreOutput,
};
use crate::record::OwnedInput;
use crate::time::{Duration, Instant};
use crate::{Dtu, Identity};

mod line;
mod modem;
pub mod pdu;
mod peer;
mod store;
#[cfg(test)]
mod tests;

pub use line::Line;
pub use modem::Modem;
pub use peer::{Net, Peer, Server};
pub use store::Store;

/// The first link, as people count.
pub const LINK1: LinkId = LinkId::ALL[0];
/// The second.
pub const LINK2: LinkId = LinkId::ALL[1];
/// The third.
pub const LINK3: LinkId = LinkId::ALL[2];
/// The fourth.
pub const LINK4: LinkId = LinkId::ALL[3];

/// A device that has something due again and again at one and the same time runs in circles.
const CALLS_AT_ONE_TIME: u32 = 100;

/// A device with all that is around it.
pub struct Bench {
    /// The device.
    pub dtu: Dtu,
    /// The time.
    pub now: Instant,
    /// The serial line, and the DTE at its other end.
    pub line: Line,
    /// The modem, and the network of its messages.
    pub modem: Modem,
    /// The disk.
    pub store: Store,
    /// What a log would have been told, oldest first.
    pub events: Vec<Event>,
    /// Each change of the LEDs.
    pub leds: Vec<Leds>,
    /// Restarts and the end.
    pub power: Vec<Power>,
    /// Replies to the host's console.
    pub console: Vec<String>,
    /// The host wakes so much too late for each deadline.
    pub late: Duration,
    /// Outputs so far.
    pub outputs: u64,
    /// The host says only when it is told to ([`Bench::closed`]) that a socket is closed.
    pub late_closes: bool,
    peers: [Peer; SOCKETS],
    /// What the device is to be told when its outputs are drained.
    answers: VecDeque<OwnedInput>,
    /// Nothing is kept and nothing checked: benches measure the device.
    lean: bool,
}

/// A configuration with one enabled TCP link, packing of 100 ms and no heartbeat.
#[must_use]
pub fn one_link() -> Config {
    let mut config = Config::default();
    config.links[0].enabled = true;
    config.heartbeat_interval = 0;
    config
}

impl Bench {
    /// A device that is attached, without set-up window.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let options = Options {
            setup_window: Duration::ZERO,
            ..Options::default()
        };
        Self::with(config, options)
    }

    /// A device that is attached.
    #[must_use]
    pub fn with(config: Config, options: Options) -> Self {
        let mut bench = Self::cold(config, options);
        bench.attaches();
        bench
    }

    /// A device with a serial line, and no network yet.
    #[must_use]
    pub fn cold(config: Config, options: Options) -> Self {
        let mut bench = Self::off(Dtu::new(
            config,
            options,
            Identity::default(),
            1,
            Instant::ZERO,
        ));
        bench.drain();
        bench.input(Input::Serial(SerialInput::Present));
        bench
    }

    /// For benches: it keeps nothing of what the device does and checks nothing, so that all time is the device's own.
    /// The device is attached.
    #[must_use]
    pub fn lean(config: Config, options: Options) -> Self {
        let mut bench = Self::off(Dtu::new(
            config,
            options,
            Identity::default(),
            1,
            Instant::ZERO,
        ));
        bench.lean = true;
        bench.input(Input::Serial(SerialInput::Present));
        bench.attaches();
        bench
    }

    /// This device, with nothing told and no output carried out yet.
    #[must_use]
    pub fn off(dtu: Dtu) -> Self {
        Self {
            dtu,
            now: Instant::ZERO,
            line: Line::default(),
            modem: Modem::default(),
            store: Store::default(),
            events: Vec::new(),
            leds: Vec::new(),
            power: Vec::new(),
            console: Vec::new(),
            late: Duration::ZERO,
            outputs: 0,
            late_closes: false,
            peers: Default::default(),
            answers: VecDeque::new(),
            lean: false,
        }
    }

    /// The network gives the device an address.
    pub fn attaches(&mut self) -> &mut Self {
        self.news(ModemInput::Attached(Ipv4Addr::new(10, 0, 0, 2).into()))
    }

    /// Goes on to `millis` after power-on, deadline by deadline.
    #[track_caller]
    pub fn at(&mut self, millis: u64) -> &mut Self {
        self.until(Instant::from_millis(millis))
    }

    /// Goes on by so many milliseconds.
    #[track_caller]
    pub fn wait(&mut self, millis: u64) -> &mut Self {
        self.at(self.millis() + millis)
    }

    /// The time in whole milliseconds since power-on.
    #[must_use]
    pub const fn millis(&self) -> u64 {
        self.now.as_micros() / 1000
    }

    /// Goes on to a time, deadline by deadline.
    ///
    /// # Panics
    /// The time is over already.
    #[track_caller]
    pub fn until(&mut self, target: Instant) -> &mut Self {
        assert!(
            target >= self.now,
            "scripts go forward: {target:?} after {:?}",
            self.now
        );
        let mut calls = 0;
        while let Some(deadline) = self.dtu.poll_timeout() {
            let wake = self.now.max(deadline.at + self.late);
            if wake > target {
                break;
            }
            calls = if wake > self.now { 0 } else { calls + 1 };
            assert!(
                calls < CALLS_AT_ONE_TIME,
                "at {:?}: a deadline that does not move: {deadline:?}",
                self.now
            );
            self.now = wake;
            self.timeout();
        }
        self.now = target;
        self
    }

    /// Goes on without calling the device: a host that wakes late.
    pub fn oversleep(&mut self, millis: u64) -> &mut Self {
        self.now += Duration::from_millis(millis);
        self
    }

    /// The host calls, whether something is due or not.
    pub fn timeout(&mut self) -> &mut Self {
        self.dtu.handle_timeout(self.now);
        self.drain();
        self
    }

    /// Anything happens.
    #[track_caller]
    pub fn input(&mut self, input: Input<'_>) -> &mut Self {
        self.tell(input);
        self.drain();
        self
    }

    /// The modem says something.
    pub fn news(&mut self, news: ModemInput) -> &mut Self {
        self.input(Input::Modem(&news))
    }

    /// A command over the host's own console; [`Bench::console`] has the reply.
    pub fn console_line(&mut self, line: &str) -> &mut Self {
        self.input(Input::Console(line))
    }

    /// Carries out all outputs in their order, then tells one of the answers, until both are at rest.
    #[track_caller]
    pub fn drain(&mut self) {
        loop {
            while let Some(output) = self.dtu.poll_output() {
                self.carry_out(output);
            }
            let Some(answer) = self.answers.pop_front() else {
                break;
            };
            self.tell(answer.as_input());
        }
    }

    /// Forgets what was kept so far, and gives its memory back: for programs that count what the device holds.
    pub fn forget(&mut self) -> &mut Self {
        self.line.forget();
        self.store.forget();
        self.peers.iter_mut().for_each(Peer::forget);
        self.answers = VecDeque::new();
        self.events = Vec::new();
        self.leds = Vec::new();
        self.power = Vec::new();
        self.console = Vec::new();
        self
    }

    fn tell(&mut self, input: Input<'_>) {
        match input {
            Input::Serial(news) => self.line.told(news),
            Input::Socket(socket, news) => self.peers[socket.index()].told(news),
            Input::Modem(_)
            | Input::Store(_)
            | Input::Console(_)
            | Input::Lost(_)
            | Input::Shutdown => {}
        }
        self.dtu.handle_input(input, self.now);
    }

    fn answer(&mut self, input: Input<'static>) {
        self.answers.push_back(OwnedInput::Plain(input));
    }

    #[track_caller]
    fn carry_out(&mut self, output: Output) {
        self.outputs += 1;
        match output {
            Output::Serial(order) => self.write(order),
            Output::Socket(socket, order) => self.socket(socket, order),
            Output::Modem(order) if self.modem.outside => self.modem.orders.push(order),
            Output::Modem(ModemOutput::Submit { token, pdu }) => self.submit(token, pdu),
            Output::Store(StoreOutput::Messages { number, text }) => self.keep(number, text),
            Output::Store(StoreOutput::Save(parameters)) => self.save(parameters),
            _ if self.lean => {}
            Output::Modem(ModemOutput::Reset) => self.modem.resets += 1,
            Output::Modem(ModemOutput::Taken(id)) => self.modem.taken.push(id),
            Output::Modem(order) => self.modem.orders.push(order),
            Output::Store(spool) => self.spool(spool),
            Output::Console(reply) => self.console.push(reply),
            Output::Leds(leds) => self.leds.push(leds),
            Output::Power(power) => self.power.push(power),
            Output::Event(event) => self.events.push(event),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// The example that stands there is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../../CONTRIBUTING.md")]
struct Contributing;
