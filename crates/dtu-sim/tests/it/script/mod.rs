//! Timed scripts: `dev.serial(0, "hello"); dev.at(100).sends(LINK1, "hello");`. Times are ms since power-on.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use dtu_proto::config::{Config, Options};
use dtu_proto::event::{
    CloseReason, Input, LINKS, LinkId, ModemInput, Output, SerialInput, SerialOutput, SocketId,
    SocketInput, SocketOutput, StoreInput, StoreOutput,
};
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};

pub(crate) const LINK1: LinkId = LinkId::ALL[0];
pub(crate) const LINK2: LinkId = LinkId::ALL[1];
pub(crate) const LINK3: LinkId = LinkId::ALL[2];
pub(crate) const LINK4: LinkId = LinkId::ALL[3];

/// How the network treats a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Net {
    Good,
    Refused,
    BlackHole,
    /// Connects and never takes a byte.
    Stuck,
    /// Connects and resets at once.
    Resets,
}

pub(crate) struct Dev {
    pub(crate) dtu: Dtu,
    pub(crate) net: [Net; LINKS],
    /// The host wakes this much too late for every deadline.
    pub(crate) late: u64,
    now: Instant,
    sends: [VecDeque<Vec<u8>>; LINKS],
    pub(crate) sent: [u64; LINKS],
    pub(crate) connects: [Vec<u64>; LINKS],
    printed: Vec<u8>,
    answers: VecDeque<Answer>,
    pub(crate) outputs: u64,
}

enum Answer {
    Serial(bool),
    Connected(LinkId),
    Closed(LinkId, CloseReason),
    Sent(LinkId),
    Saved,
}

/// Link 1 on TCP, TIME 100, no heartbeat.
pub(crate) fn one_link() -> Config {
    let mut config = Config {
        heartbeat_interval: 0,
        restart_time: 0,
        ..Config::default()
    };
    config.links[0].enabled = true;
    config
}

/// All four on TCP.
pub(crate) fn four_links() -> Config {
    let mut config = one_link();
    config.links.iter_mut().for_each(|link| link.enabled = true);
    config
}

pub(crate) fn options() -> Options {
    Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    }
}

impl Dev {
    /// A device whose links are up, in its working mode, with nothing printed yet.
    pub(crate) fn up(config: Config) -> Self {
        Self::with(config, options(), [Net::Good; LINKS])
    }

    pub(crate) fn with(config: Config, options: Options, net: [Net; LINKS]) -> Self {
        let dtu = Dtu::new(config, options, Identity::default(), 7, Instant::ZERO);
        let mut dev = Self {
            dtu,
            net,
            late: 0,
            now: Instant::ZERO,
            sends: Default::default(),
            sent: [0; LINKS],
            connects: Default::default(),
            printed: Vec::new(),
            answers: VecDeque::new(),
            outputs: 0,
        };
        dev.input(Input::Serial(SerialInput::Present));
        dev.input(Input::Modem(&ModemInput::Attached(IpAddr::V4(
            Ipv4Addr::new(10, 0, 0, 2),
        ))));
        dev.at(1000);
        dev.printed.clear();
        dev
    }

    /// Goes on to `millis`, waking at every deadline (late by `late`).
    pub(crate) fn at(&mut self, millis: u64) -> &mut Self {
        let target = Instant::from_millis(millis);
        while let Some(deadline) = self.dtu.poll_timeout() {
            let wake = deadline.at + Duration::from_millis(self.late);
            if wake > target {
                break;
            }
            self.now = self.now.max(wake);
            self.dtu.handle_timeout(self.now);
            self.drain();
        }
        self.now = self.now.max(target);
        self
    }

    /// The DTE's bytes, as one read at that time.
    pub(crate) fn serial(&mut self, millis: u64, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.at(millis)
            .input(Input::Serial(SerialInput::Data(bytes.as_ref())));
        self
    }

    /// A read from a server.
    pub(crate) fn network(
        &mut self,
        millis: u64,
        link: LinkId,
        bytes: impl AsRef<[u8]>,
    ) -> &mut Self {
        self.at(millis).input(Input::Socket(
            SocketId::Link(link),
            SocketInput::Data(bytes.as_ref()),
        ));
        self
    }

    pub(crate) fn acked(&mut self, link: LinkId, bytes: u64) -> &mut Self {
        self.input(Input::Socket(
            SocketId::Link(link),
            SocketInput::Acked(bytes),
        ));
        self
    }

    pub(crate) fn lost(&mut self, link: LinkId, reason: CloseReason, acked: u64) -> &mut Self {
        self.sent[link.index()] = 0;
        self.input(Input::Socket(
            SocketId::Link(link),
            SocketInput::Closed { reason, acked },
        ));
        self
    }

    /// The oldest send of the link that was not looked at yet is this.
    #[track_caller]
    pub(crate) fn sends(&mut self, link: LinkId, bytes: impl AsRef<[u8]>) -> &mut Self {
        let Some(sent) = self.sends[link.index()].pop_front() else {
            panic!(
                "link {link} sends nothing, expected \"{}\"",
                bytes.as_ref().escape_ascii()
            );
        };
        assert_eq!(
            sent.escape_ascii().to_string(),
            bytes.as_ref().escape_ascii().to_string(),
            "link {link}"
        );
        self
    }

    /// Nothing more was sent.
    #[track_caller]
    pub(crate) fn silent(&mut self, link: LinkId) -> &mut Self {
        let next = self.sends[link.index()]
            .front()
            .map(|sent| sent.escape_ascii().to_string());
        assert_eq!(next, None, "link {link}");
        self
    }

    /// All that was printed since the last look.
    #[track_caller]
    pub(crate) fn prints(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let printed = std::mem::take(&mut self.printed);
        assert_eq!(
            printed.escape_ascii().to_string(),
            bytes.as_ref().escape_ascii().to_string()
        );
        self
    }

    pub(crate) fn printed(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.printed)
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now.as_micros() / 1000
    }

    pub(crate) fn input(&mut self, input: Input<'_>) {
        self.dtu.handle_input(input, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        self.carry_out();
        while let Some(answer) = self.answers.pop_front() {
            let input = match answer {
                Answer::Serial(true) => Input::Serial(SerialInput::Written),
                Answer::Serial(false) => Input::Serial(SerialInput::Configured(None)),
                Answer::Saved => Input::Store(StoreInput::Saved),
                Answer::Connected(link) => {
                    let local = SocketAddr::from((Ipv4Addr::new(10, 0, 0, 2), 40_000));
                    Input::Socket(SocketId::Link(link), SocketInput::Connected { local })
                }
                Answer::Sent(link) => Input::Socket(SocketId::Link(link), SocketInput::Sent),
                Answer::Closed(link, reason) => Input::Socket(
                    SocketId::Link(link),
                    SocketInput::Closed { reason, acked: 0 },
                ),
            };
            self.dtu.handle_input(input, self.now);
            self.carry_out();
        }
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.dtu.poll_output() {
            self.outputs += 1;
            match output {
                Output::Serial(SerialOutput::Write(bytes)) => {
                    self.printed.extend_from_slice(&bytes);
                    self.answers.push_back(Answer::Serial(true));
                }
                Output::Serial(SerialOutput::Configure(_)) => {
                    self.answers.push_back(Answer::Serial(false))
                }
                Output::Serial(SerialOutput::Discard) => {}
                Output::Store(StoreOutput::Save(_)) => self.answers.push_back(Answer::Saved),
                Output::Socket(SocketId::Link(link), order) => self.link(link, order),
                Output::Store(
                    StoreOutput::SpoolAppend(..)
                    | StoreOutput::SpoolRelease(..)
                    | StoreOutput::SpoolSending(..)
                    | StoreOutput::Messages { .. },
                )
                | Output::Socket(..)
                | Output::Modem(_)
                | Output::Console(_)
                | Output::Leds(_)
                | Output::Power(_)
                | Output::Event(_) => {}
            }
        }
    }

    fn link(&mut self, link: LinkId, order: SocketOutput) {
        let (place, now) = (link.index(), self.now_ms());
        match order {
            SocketOutput::Connect(_) => {
                self.connects[place].push(now);
                self.sent[place] = 0;
                match self.net[place] {
                    Net::Good | Net::Stuck => self.answers.push_back(Answer::Connected(link)),
                    Net::Refused => self
                        .answers
                        .push_back(Answer::Closed(link, CloseReason::Refused)),
                    Net::BlackHole => {}
                    Net::Resets => {
                        self.answers.push_back(Answer::Connected(link));
                        self.answers
                            .push_back(Answer::Closed(link, CloseReason::Reset));
                    }
                }
            }
            SocketOutput::Send(payload) => {
                self.sent[place] += payload.len() as u64;
                let whole = [payload.prefix, payload.body].concat();
                self.sends[place].push_back(whole);
                if self.net[place] == Net::Good {
                    self.answers.push_back(Answer::Sent(link));
                }
            }
            SocketOutput::Close => self
                .answers
                .push_back(Answer::Closed(link, CloseReason::Local)),
        }
    }
}
