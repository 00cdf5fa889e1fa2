//! A device in virtual time with a host that does everything at once: tests read as timed scripts.
#![allow(unreachable_pub, missing_docs)]

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub mod channels;
pub mod post;

use dtu_proto::config::{Config, Options};
use dtu_proto::event::{
    CloseReason, Connect, Event, Input, LINKS, Leds, LinkId, ModemInput, ModemOutput, Output,
    Payload, Power, SOCKETS, SerialInput, SerialOutput, SocketId, SocketInput, SocketOutput,
    StoreInput, StoreOutput,
};
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};

use channels::Peer;
use post::Post;

pub const LINK1: LinkId = LinkId::ALL[0];
pub const LINK2: LinkId = LinkId::ALL[1];
pub const LINK3: LinkId = LinkId::ALL[2];

/// What the network does with a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Net {
    /// Connects at once, takes and acknowledges everything.
    Good,
    /// Connects at once, takes everything, acknowledges nothing.
    Unacked,
    /// Connects, and never takes a byte.
    Stuck,
    /// Refuses every attempt.
    Refused,
    /// Never answers an attempt.
    BlackHole,
}

pub struct Bench {
    pub dtu: Dtu,
    pub now: Instant,
    pub net: [Net; LINKS],
    /// Bytes that the peer of each link got, one entry a send, since the last look.
    sends: [VecDeque<Vec<u8>>; LINKS],
    pub sent_bytes: [u64; LINKS],
    pub connects: [Vec<(Instant, Connect)>; LINKS],
    pub closes: [u32; LINKS],
    serial: Vec<u8>,
    pub events: Vec<Event>,
    pub leds: Vec<Leds>,
    pub power: Vec<Power>,
    pub modem_resets: u32,
    /// Other orders to the modem.
    pub modem: Vec<ModemOutput>,
    pub post: Post,
    peers: [Peer; SOCKETS],
    pub saved: Vec<String>,
    pub spool: Vec<StoreOutput>,
    pub console: Vec<String>,
    pub configured: Vec<dtu_proto::config::LineFormat>,
    pub store_works: bool,
    /// Whether the store says anything.
    pub store_answers: bool,
    /// The host says only when it is told to ([`Bench::closed`], [`Bench::channel_closed`]) that a socket is closed.
    pub late_closes: bool,
    closing: [bool; LINKS],
    /// Whether the DTE reads.
    pub dte_reads: bool,
    write_waits: bool,
    /// Length of the last write.
    outstanding: usize,
}

/// A configuration with one enabled TCP link and packing of 100 ms.
pub fn one_link() -> Config {
    let mut config = Config::default();
    config.links[0].enabled = true;
    config.heartbeat_interval = 0;
    config
}

impl Bench {
    pub fn new(config: Config) -> Self {
        Self::with(
            config,
            Options {
                setup_window: Duration::ZERO,
                ..Options::default()
            },
        )
    }

    pub fn with(config: Config, options: Options) -> Self {
        let mut bench = Self::cold(config, options);
        bench.input(Input::Modem(&ModemInput::Attached(IpAddr::V4(
            Ipv4Addr::new(10, 0, 0, 2),
        ))));
        bench
    }

    /// Not attached yet.
    pub fn cold(config: Config, options: Options) -> Self {
        let dtu = Dtu::new(config, options, Identity::default(), 1, Instant::ZERO);
        let mut bench = Self {
            dtu,
            now: Instant::ZERO,
            net: [Net::Good; LINKS],
            sends: Default::default(),
            sent_bytes: [0; LINKS],
            connects: Default::default(),
            closes: [0; LINKS],
            serial: Vec::new(),
            events: Vec::new(),
            leds: Vec::new(),
            power: Vec::new(),
            modem_resets: 0,
            modem: Vec::new(),
            post: Post::default(),
            peers: Default::default(),
            saved: Vec::new(),
            spool: Vec::new(),
            console: Vec::new(),
            configured: Vec::new(),
            store_works: true,
            store_answers: true,
            late_closes: false,
            closing: [false; LINKS],
            dte_reads: true,
            write_waits: false,
            outstanding: 0,
        };
        bench.drain();
        bench.input(Input::Serial(SerialInput::Present));
        bench
    }

    /// Goes on to `millis` after power-on, deadline by deadline.
    pub fn at(&mut self, millis: u64) -> &mut Self {
        let target = Instant::from_millis(millis);
        assert!(
            target >= self.now,
            "scripts go forward: {target:?} after {:?}",
            self.now
        );
        while let Some(deadline) = self.dtu.poll_timeout().filter(|d| d.at <= target) {
            self.now = self.now.max(deadline.at);
            self.dtu.handle_timeout(self.now);
            self.drain();
        }
        self.now = target;
        self
    }

    /// Goes on by so many milliseconds.
    pub fn wait(&mut self, millis: u64) -> &mut Self {
        self.at(self.now.as_micros() / 1000 + millis)
    }

    /// Goes on without calling the device: a host that wakes late.
    pub fn oversleep(&mut self, millis: u64) -> &mut Self {
        self.now += Duration::from_millis(millis);
        self
    }

    pub fn input(&mut self, input: Input<'_>) -> &mut Self {
        self.dtu.handle_input(input, self.now);
        self.drain();
        self
    }

    /// The DTE sends.
    pub fn serial(&mut self, data: impl AsRef<[u8]>) -> &mut Self {
        self.input(Input::Serial(SerialInput::Data(data.as_ref())))
    }

    /// The peer of a link sends.
    pub fn network(&mut self, link: LinkId, data: impl AsRef<[u8]>) -> &mut Self {
        self.input(Input::Socket(
            SocketId::Link(link),
            SocketInput::Data(data.as_ref()),
        ))
    }

    pub fn lose(&mut self, link: LinkId, reason: CloseReason, acked: u64) -> &mut Self {
        self.sent_bytes[link.index()] = 0;
        self.input(Input::Socket(
            SocketId::Link(link),
            SocketInput::Closed { reason, acked },
        ))
    }

    /// The next thing the peer of this link got was exactly this.
    #[track_caller]
    pub fn sends(&mut self, link: LinkId, data: impl AsRef<[u8]>) -> &mut Self {
        let sent = self.sends[link.index()].pop_front();
        assert_eq!(
            sent.as_deref().map(text),
            Some(text(data.as_ref())),
            "at {:?}",
            self.now
        );
        self
    }

    #[track_caller]
    pub fn sends_nothing(&mut self, link: LinkId) -> &mut Self {
        let waiting: Vec<_> = self.sends[link.index()]
            .iter()
            .map(|sent| text(sent))
            .collect();
        assert!(waiting.is_empty(), "at {:?}: {waiting:?}", self.now);
        self
    }

    /// All that the peer of this link got since the last look.
    pub fn received(&mut self, link: LinkId) -> Vec<u8> {
        self.sends[link.index()].drain(..).flatten().collect()
    }

    /// What was printed to the DTE since the last look was exactly this.
    #[track_caller]
    pub fn prints(&mut self, data: impl AsRef<[u8]>) -> &mut Self {
        let printed = std::mem::take(&mut self.serial);
        assert_eq!(text(&printed), text(data.as_ref()), "at {:?}", self.now);
        self
    }

    #[track_caller]
    pub fn prints_nothing(&mut self) -> &mut Self {
        self.prints("")
    }

    pub fn printed(&mut self) -> String {
        text(&std::mem::take(&mut self.serial))
    }

    /// The escape, whole, from 300 ms of silence on.
    pub fn escape(&mut self) -> &mut Self {
        self.wait(300)
            .serial("+++")
            .wait(21)
            .prints("a")
            .serial("a")
            .wait(21)
            .prints("\r\n+ok\r\n")
    }

    /// One command in the command state and its answer.
    #[track_caller]
    pub fn command(&mut self, line: &str, answer: &str) -> &mut Self {
        self.serial(format!("{line}\r")).prints(answer)
    }

    /// The DTE reads again.
    pub fn dte_reads_on(&mut self) -> &mut Self {
        self.dte_reads = true;
        if std::mem::take(&mut self.write_waits) {
            self.input(Input::Serial(SerialInput::Written));
        }
        self
    }

    /// Bytes of the write that a DTE that does not read has still to take.
    pub fn unwritten(&self) -> usize {
        if self.write_waits {
            self.outstanding
        } else {
            0
        }
    }

    /// The DTE takes that write, and no more.
    pub fn line_takes(&mut self) -> &mut Self {
        assert!(std::mem::take(&mut self.write_waits));
        self.input(Input::Serial(SerialInput::Written))
    }

    pub fn drain(&mut self) {
        while let Some(output) = self.dtu.poll_output() {
            match output {
                Output::Serial(SerialOutput::Write(bytes)) => {
                    self.serial.extend_from_slice(&bytes);
                    self.outstanding = bytes.len();
                    if self.dte_reads {
                        self.dtu
                            .handle_input(Input::Serial(SerialInput::Written), self.now);
                    } else {
                        self.write_waits = true;
                    }
                }
                Output::Serial(SerialOutput::Discard) => {
                    // The DTE took nothing of it.
                    let left = if std::mem::take(&mut self.write_waits) {
                        self.outstanding
                    } else {
                        0
                    };
                    self.serial.truncate(self.serial.len().saturating_sub(left));
                    self.dtu
                        .handle_input(Input::Serial(SerialInput::Discarded(left)), self.now);
                }
                Output::Serial(SerialOutput::Configure(format)) => {
                    self.configured.push(format);
                    self.dtu
                        .handle_input(Input::Serial(SerialInput::Configured(None)), self.now);
                }
                Output::Socket(SocketId::Link(link), output) => self.link(link, output),
                Output::Socket(channel, output) => self.channel(channel, output),
                Output::Modem(ModemOutput::Reset) => self.modem_resets += 1,
                Output::Modem(ModemOutput::Submit { token, pdu }) => self.submit(token, pdu),
                Output::Modem(ModemOutput::Taken(id)) => self.post.taken.push(id),
                Output::Modem(order) => self.modem.push(order),
                Output::Store(StoreOutput::Messages { number, text }) => self.keep(number, text),
                Output::Store(StoreOutput::Save(parameters)) => self.save(parameters),
                Output::Store(spool) => self.spool.push(spool),
                Output::Console(reply) => self.console.push(reply),
                Output::Leds(leds) => self.leds.push(leds),
                Output::Power(power) => self.power.push(power),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    fn save(&mut self, parameters: String) {
        let answer = if self.store_works {
            StoreInput::Saved
        } else {
            StoreInput::Failed("no space left on device")
        };
        self.saved.push(parameters);
        if !self.store_answers {
            return;
        }
        self.dtu.handle_input(Input::Store(answer), self.now);
    }

    fn link(&mut self, link: LinkId, output: SocketOutput) {
        match output {
            SocketOutput::Connect(connect) => self.connect(link, connect),
            SocketOutput::Send(payload) => self.send(link, &payload),
            SocketOutput::Close => {
                self.closes[link.index()] += 1;
                self.closing[link.index()] = true;
                if !self.late_closes {
                    self.say_closed(link);
                }
            }
        }
    }

    /// The host says that the socket of a link is closed.
    #[track_caller]
    pub fn closed(&mut self, link: LinkId) -> &mut Self {
        assert!(self.closing[link.index()], "no close of {link} was ordered");
        self.say_closed(link);
        self.drain();
        self
    }

    fn say_closed(&mut self, link: LinkId) {
        self.closing[link.index()] = false;
        let acked = if self.net[link.index()] == Net::Good {
            self.sent_bytes[link.index()]
        } else {
            0
        };
        self.link_input(
            link,
            SocketInput::Closed {
                reason: CloseReason::Local,
                acked,
            },
        );
    }

    fn connect(&mut self, link: LinkId, connect: Connect) {
        self.connects[link.index()].push((self.now, connect));
        self.sent_bytes[link.index()] = 0;
        match self.net[link.index()] {
            Net::Good | Net::Unacked | Net::Stuck => {
                let local = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 40_000);
                self.link_input(link, SocketInput::Connected { local });
            }
            Net::Refused => self.link_input(
                link,
                SocketInput::Closed {
                    reason: CloseReason::Refused,
                    acked: 0,
                },
            ),
            Net::BlackHole => {}
        }
    }

    fn send(&mut self, link: LinkId, payload: &Payload) {
        let net = self.net[link.index()];
        if net == Net::Stuck {
            return;
        }
        self.sends[link.index()].push_back([&payload.prefix[..], &payload.body[..]].concat());
        self.sent_bytes[link.index()] += payload.len() as u64;
        self.link_input(link, SocketInput::Sent);
        if net == Net::Good {
            self.link_input(link, SocketInput::Acked(self.sent_bytes[link.index()]));
        }
    }

    fn link_input(&mut self, link: LinkId, input: SocketInput<'_>) {
        self.dtu
            .handle_input(Input::Socket(SocketId::Link(link), input), self.now);
    }
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
