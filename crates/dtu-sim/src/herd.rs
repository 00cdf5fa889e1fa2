//! Many devices and one server that goes away and comes back, again and again: each must be back soon after it, and they
//! must not all connect in the same moment (decisions 16.2).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use dtu_proto::config::{Config, Options};
use dtu_proto::event::{
    CloseReason, Input, LinkId, ModemInput, Output, SerialInput, SerialOutput, SocketId,
    SocketInput, SocketOutput,
};
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};

use crate::{MS, SEC};

/// When the server goes for the first time.
const GONE_AT: u64 = 100 * SEC;
/// So long after half an outage is over a device may come at the latest.
const SLACK: u64 = SEC;
/// From outages of this length on the fleet must be spread.
const SPREAD_FROM: u64 = 5 * SEC;
const SLOT: u64 = 100 * MS;
/// Outages and the times between them that every fleet must stand, in ms.
const OUTAGES: [u64; 9] = [500, 1000, 2000, 5000, 8000, 20_000, 30_000, 90_000, 300_000];
const PAUSES: [u64; 3] = [5000, 20_000, 60_000];

/// What happens to a fleet. Times in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The seed that makes it happen again.
    pub seed: u64,
    /// Devices, with one TCP link each.
    pub count: usize,
    /// So long the server is away.
    pub outage: u64,
    /// When all must be back it stays for so long, and goes again.
    pub pause: u64,
    /// How often it goes.
    pub cuts: usize,
    /// While it is away, packets to it vanish. Else they are refused.
    pub dropped: bool,
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.dropped { "drops" } else { "refuses" };
        write!(
            f,
            "a server {} ms away, {} times, {} ms after all are back, that {how}",
            self.outage, self.cuts, self.pause
        )
    }
}

/// How a fleet came back, the worst of all times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HerdReturn {
    /// Devices that are connected at the end.
    pub back: usize,
    /// The most SYNs that came in any 100 ms from a return of the server on.
    pub busiest: usize,
    /// From the server's return to the connection, in µs: of half of all, of nine in ten, of all.
    pub half: u64,
    /// Of nine in ten.
    pub most: u64,
    /// Of all.
    pub last: u64,
    /// Attempts while the server was away.
    pub in_vain: usize,
    /// From the SYN to the connection, for the slowest.
    slowest: u64,
}

impl HerdReturn {
    /// What is not as it should be.
    ///
    /// # Errors
    /// The rule that was broken.
    pub fn judge(&self, trial: &Trial) -> Result<(), String> {
        let outage = trial.outage * MS;
        if self.back < trial.count {
            return Err(format!(
                "{trial}: {} of {} never come back",
                trial.count - self.back,
                trial.count
            ));
        }
        if self.last > outage / 2 + SLACK + self.slowest {
            return Err(format!(
                "{trial}: a device comes {} ms after it",
                self.last / MS
            ));
        }
        if outage >= SPREAD_FROM && self.busiest > trial.count / 6 {
            return Err(format!(
                "{trial}: {} of {} knock within 100 ms",
                self.busiest, trial.count
            ));
        }
        Ok(())
    }
}

/// All the trials that a fleet of 200 must stand.
#[must_use]
pub fn herd_trials(seed: u64) -> Vec<Trial> {
    let mut trials = Vec::new();
    for outage in OUTAGES {
        for pause in PAUSES {
            for dropped in [false, true] {
                trials.push(Trial {
                    seed,
                    count: 200,
                    outage,
                    pause,
                    cuts: 4,
                    dropped,
                });
            }
        }
    }
    trials
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Wake,
    Written,
    Configured,
    Sent,
    Acked(u64),
    /// The n-th SYN of an attempt comes to the server.
    Syn(u32),
    Up,
    Refused,
    /// The host has closed what the device wanted closed.
    Closed,
    Lost,
}

impl What {
    /// Whether it belongs to one attempt or connection, and is void with it.
    const fn is_of_socket(self) -> bool {
        !matches!(
            self,
            Self::Wake | Self::Written | Self::Configured | Self::Lost
        )
    }
}

struct Member {
    device: Dtu,
    up: bool,
    /// Counts attempts.
    attempt: u32,
    sent: u64,
    /// There and back.
    delay: u64,
    /// Wake-ups planned before this one are void.
    planned: Option<u64>,
}

struct Fleet {
    trial: Trial,
    members: Vec<Member>,
    events: BinaryHeap<Reverse<(u64, usize, u32, What)>>,
    /// SYNs that came since the server's return, at most 100 ms ago.
    syns: VecDeque<u64>,
    waited: Vec<u64>,
    sum: HerdReturn,
}

/// Runs one trial.
#[must_use]
pub fn run_herd(trial: Trial) -> HerdReturn {
    let mut fleet = Fleet {
        trial,
        members: (0..trial.count)
            .map(|number| member(trial.seed, number))
            .collect(),
        events: BinaryHeap::new(),
        syns: VecDeque::new(),
        waited: Vec::new(),
        sum: HerdReturn::default(),
    };
    for index in 0..trial.count {
        fleet.input(index, 0, Input::Serial(SerialInput::Present));
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        fleet.input(index, 0, Input::Modem(&ModemInput::Attached(address)));
        for cut in 0..trial.cuts {
            fleet
                .events
                .push(Reverse((trial.gone_at(cut), index, 0, What::Lost)));
        }
    }
    fleet.run();
    fleet.sum_up()
}

fn member(seed: u64, number: usize) -> Member {
    let mut config = Config {
        heartbeat_interval: 0,
        restart_time: 0,
        registration: b"R".to_vec(),
        ..Config::default()
    };
    config.links[0].enabled = true;
    let options = Options {
        setup_window: Duration::ZERO,
        recovery: false,
        ..Options::default()
    };
    let seed = seed.wrapping_mul(1_000_003) + number as u64;
    let device = Dtu::new(config, options, Identity::default(), seed, Instant::ZERO);
    let delay = (20 + seed % 7 * 20) * MS;
    Member {
        device,
        up: false,
        attempt: 0,
        sent: 0,
        delay,
        planned: None,
    }
}

impl Trial {
    fn gone_at(&self, cut: usize) -> u64 {
        GONE_AT + cut as u64 * ((self.outage + self.outage / 2 + self.pause) * MS + SLACK)
    }

    /// When the server was back last, or will be; `None`: it was never away.
    fn back_at(&self, at: u64) -> Option<u64> {
        let cut = (0..self.cuts).rev().find(|cut| self.gone_at(*cut) <= at)?;
        Some(self.gone_at(cut) + self.outage * MS)
    }

    fn is_away(&self, at: u64) -> bool {
        self.back_at(at).is_some_and(|back| at < back)
    }

    fn end(&self) -> u64 {
        self.gone_at(self.cuts - 1) + (self.outage + self.outage / 2) * MS + 10 * SEC
    }
}

impl Fleet {
    fn run(&mut self) {
        while let Some(Reverse((at, index, attempt, what))) = self.events.pop() {
            if at > self.trial.end() {
                return;
            }
            if !what.is_of_socket() || attempt == self.members[index].attempt {
                self.happen(at, index, what);
            }
        }
    }

    fn happen(&mut self, at: u64, index: usize, what: What) {
        let link = LinkId::ALL[0];
        let closed = |reason| {
            Input::Socket(
                SocketId::Link(link),
                SocketInput::Closed { reason, acked: 0 },
            )
        };
        let member = &mut self.members[index];
        let input = match what {
            What::Wake if member.planned != Some(at) => return,
            What::Wake => {
                member.planned = None;
                member.device.handle_timeout(Instant::from_micros(at));
                return self.drain(index, at);
            }
            What::Lost if !member.up => return,
            What::Syn(number) => return self.syn(at, index, number),
            What::Lost => closed(CloseReason::Reset),
            What::Refused => closed(CloseReason::Refused),
            What::Closed => closed(CloseReason::Local),
            What::Up if self.trial.is_away(at) => closed(CloseReason::Reset),
            What::Up => {
                let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
                Input::Socket(SocketId::Link(link), SocketInput::Connected { local })
            }
            What::Sent => Input::Socket(SocketId::Link(link), SocketInput::Sent),
            What::Acked(total) => Input::Socket(SocketId::Link(link), SocketInput::Acked(total)),
            What::Written => Input::Serial(SerialInput::Written),
            What::Configured => Input::Serial(SerialInput::Configured(None)),
        };
        if matches!(
            input,
            Input::Socket(SocketId::Link(_), SocketInput::Closed { .. })
        ) {
            member.up = false;
        } else if matches!(
            input,
            Input::Socket(SocketId::Link(_), SocketInput::Connected { .. })
        ) {
            member.up = true;
            self.sum.slowest = self.sum.slowest.max(member.delay);
            self.waited
                .extend(self.trial.back_at(at).map(|back| at - back));
        }
        self.input(index, at, input);
    }

    fn input(&mut self, index: usize, at: u64, input: Input<'_>) {
        self.members[index]
            .device
            .handle_input(input, Instant::from_micros(at));
        self.drain(index, at);
    }

    fn drain(&mut self, index: usize, at: u64) {
        while let Some(output) = self.members[index].device.poll_output() {
            match output {
                Output::Socket(SocketId::Link(_), SocketOutput::Connect(_)) => {
                    self.attempt(at, index)
                }
                Output::Socket(SocketId::Link(_), SocketOutput::Close) => {
                    self.members[index].attempt += 1;
                    self.later(at + MS, index, What::Closed);
                }
                Output::Socket(SocketId::Link(_), SocketOutput::Send(payload)) => {
                    let member = &mut self.members[index];
                    member.sent += payload.len() as u64;
                    let (acked, delay) = (What::Acked(member.sent), member.delay);
                    self.later(at + MS, index, What::Sent);
                    self.later(at + delay, index, acked);
                }
                Output::Serial(SerialOutput::Write(_)) => self.later(at + MS, index, What::Written),
                Output::Serial(SerialOutput::Configure(_)) => {
                    self.later(at + MS, index, What::Configured)
                }
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
        let member = &mut self.members[index];
        let next = member
            .device
            .poll_timeout()
            .map(|deadline| deadline.at.as_micros().max(at));
        if next != member.planned {
            member.planned = next;
            if let Some(next) = next {
                self.later(next, index, What::Wake);
            }
        }
    }

    fn later(&mut self, at: u64, index: usize, what: What) {
        self.events
            .push(Reverse((at, index, self.members[index].attempt, what)));
    }

    fn attempt(&mut self, at: u64, index: usize) {
        let member = &mut self.members[index];
        member.attempt += 1;
        member.sent = 0;
        self.sum.in_vain += usize::from(self.trial.is_away(at));
        self.happen(at, index, What::Syn(0));
    }

    /// A SYN comes. Where nobody answers, the kernel sends it again after 1, 3, 7, 15, ... seconds.
    fn syn(&mut self, at: u64, index: usize, number: u32) {
        let delay = self.members[index].delay;
        match self.trial.back_at(at) {
            Some(back) if at < back && self.trial.dropped => {
                self.later(at + (SEC << number), index, What::Syn(number + 1));
            }
            Some(back) if at < back => self.later(at + delay, index, What::Refused),
            None => self.later(at + delay, index, What::Up),
            Some(_) => {
                self.syns.push_back(at);
                while self.syns.front().is_some_and(|first| first + SLOT <= at) {
                    self.syns.pop_front();
                }
                self.sum.busiest = self.sum.busiest.max(self.syns.len());
                self.later(at + delay, index, What::Up);
            }
        }
    }

    fn sum_up(mut self) -> HerdReturn {
        self.waited.sort_unstable();
        let part = |percent: usize| {
            self.waited
                .get((self.waited.len() * percent / 100).max(1) - 1)
        };
        let (half, most, last) = (part(50), part(90), self.waited.last());
        self.sum.half = half.copied().unwrap_or(0);
        self.sum.most = most.copied().unwrap_or(0);
        self.sum.last = last.copied().unwrap_or(0);
        self.sum.back = self.members.iter().filter(|member| member.up).count();
        self.sum
    }
}
