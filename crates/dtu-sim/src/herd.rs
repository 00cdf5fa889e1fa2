//! A thousand devices and one server that restarts: they must not all knock in the same moment.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use dtu_proto::config::{Config, Options};
use dtu_proto::event::{
    CloseReason, Input, LinkId, LinkInput, LinkOutput, ModemInput, Output, SerialInput, SerialOutput,
};
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};

use crate::{MS, SEC};

/// When the server goes, and when it is back.
const GONE_AT: u64 = 100 * SEC;
/// So long after the server is back every device must be.
const PATIENCE: u64 = 60 * SEC;

/// How a herd came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Herd {
    /// Devices that are connected at the end.
    pub back: usize,
    /// Attempts in the busiest 100 ms from the server's return on.
    pub busiest: usize,
    /// From the server's return to the last device's, in µs.
    pub last: u64,
    /// Attempts while the server was away.
    pub in_vain: usize,
}

impl Herd {
    /// All are back, and no 100 ms saw more than a tenth of them (but for a few).
    #[must_use]
    pub const fn is_spread(&self, count: usize) -> bool {
        self.back == count && self.busiest <= count / 10 + 10
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Wake,
    Written,
    Configured,
    Sent,
    Up,
    Refused,
    Lost,
}

struct Member {
    device: Dtu,
    up: bool,
    /// Wake-ups planned before this one are void.
    planned: Option<u64>,
}

struct Meadow {
    members: Vec<Member>,
    events: BinaryHeap<Reverse<(u64, usize, What)>>,
    attempts: Vec<u64>,
    back_at: u64,
}

/// Runs `count` devices with one TCP link each against a server that is away for `outage_seconds`.
#[must_use]
pub fn herd(seed: u64, count: usize, outage_seconds: u64) -> Herd {
    let mut meadow = Meadow {
        members: (0..count).map(|number| member(seed, number)).collect(),
        events: BinaryHeap::new(),
        attempts: Vec::new(),
        back_at: GONE_AT + outage_seconds * SEC,
    };
    for index in 0..count {
        meadow.input(index, 0, Input::Serial(SerialInput::Present));
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        meadow.input(index, 0, Input::Modem(&ModemInput::Attached(address)));
        meadow.events.push(Reverse((GONE_AT, index, What::Lost)));
    }
    meadow.run();
    meadow.judge()
}

fn member(seed: u64, number: usize) -> Member {
    let mut config = Config { heartbeat_interval: 0, restart_time: 0, ..Config::default() };
    config.links[0].enabled = true;
    let options = Options { setup_window: Duration::ZERO, recovery: false, ..Options::default() };
    let seed = seed.wrapping_mul(1_000_003) + number as u64;
    let device = Dtu::new(config, options, Identity::default(), seed, Instant::ZERO);
    Member { device, up: false, planned: None }
}

impl Meadow {
    fn run(&mut self) {
        while let Some(Reverse((at, index, what))) = self.events.pop() {
            if at > self.back_at + PATIENCE {
                return;
            }
            self.happen(at, index, what);
        }
    }

    fn happen(&mut self, at: u64, index: usize, what: What) {
        let link = LinkId::ALL[0];
        let closed = |reason| Input::Link(link, LinkInput::Closed { reason, acked: 0 });
        let member = &mut self.members[index];
        let input = match what {
            What::Wake if member.planned != Some(at) => return,
            What::Wake => {
                member.planned = None;
                member.device.handle_timeout(Instant::from_micros(at));
                return self.drain(index, at);
            }
            What::Lost if !member.up => return,
            What::Lost => {
                member.up = false;
                closed(CloseReason::Reset)
            }
            What::Refused => closed(CloseReason::Refused),
            What::Up => {
                member.up = true;
                let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
                Input::Link(link, LinkInput::Connected { local })
            }
            What::Sent => Input::Link(link, LinkInput::Sent),
            What::Written => Input::Serial(SerialInput::Written),
            What::Configured => Input::Serial(SerialInput::Configured(None)),
        };
        self.input(index, at, input);
    }

    fn input(&mut self, index: usize, at: u64, input: Input<'_>) {
        self.members[index].device.handle_input(input, Instant::from_micros(at));
        self.drain(index, at);
    }

    fn drain(&mut self, index: usize, at: u64) {
        while let Some(output) = self.members[index].device.poll_output() {
            let answer = match output {
                Output::Link(_, LinkOutput::Connect(_)) => Some(self.knock(at)),
                Output::Link(_, LinkOutput::Send(_)) => Some((MS, What::Sent)),
                Output::Serial(SerialOutput::Write(_)) => Some((MS, What::Written)),
                Output::Serial(SerialOutput::Configure(_)) => Some((MS, What::Configured)),
                Output::Link(_, LinkOutput::Close)
                | Output::Channel(..)
                | Output::Modem(_)
                | Output::Store(_)
                | Output::Console(_)
                | Output::Leds(_)
                | Output::Power(_)
                | Output::Event(_) => None,
            };
            if let Some((wait, what)) = answer {
                self.events.push(Reverse((at + wait, index, what)));
            }
        }
        let member = &mut self.members[index];
        let next = member.device.poll_timeout().map(|deadline| deadline.at.as_micros().max(at));
        if next != member.planned {
            member.planned = next;
            self.events.extend(next.map(|next| Reverse((next, index, What::Wake))));
        }
    }

    fn knock(&mut self, at: u64) -> (u64, What) {
        self.attempts.push(at);
        let away = (GONE_AT..self.back_at).contains(&at);
        (20 * MS, if away { What::Refused } else { What::Up })
    }

    fn judge(&self) -> Herd {
        let after: Vec<u64> = self.attempts.iter().copied().filter(|at| *at >= self.back_at).collect();
        let mut slots = vec![0_usize; usize::try_from(PATIENCE / (100 * MS)).unwrap_or(0) + 1];
        for at in &after {
            slots[usize::try_from((at - self.back_at) / (100 * MS)).unwrap_or(0)] += 1;
        }
        Herd {
            back: self.members.iter().filter(|member| member.up).count(),
            busiest: slots.into_iter().max().unwrap_or(0),
            last: after.last().map_or(0, |at| at - self.back_at),
            in_vain: self.attempts.iter().filter(|at| (GONE_AT..self.back_at).contains(at)).count(),
        }
    }
}
