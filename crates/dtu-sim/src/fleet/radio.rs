//! Short messages between devices, through the simulated network of `cellular_sim`.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use cellular_sim::Rng;
use cellular_sim::radio::{Id, Network, Settings, Subscriber};
use dtu_proto::event::{ModemInput, ModemOutput};
use dtu_proto::radio::{NetworkTime, PhoneNumber};
use dtu_proto::time::Instant;

use super::fault::micros;
use super::template::Who;
use super::timers::NEVER;

/// Of the first device; the next ones count up.
const FIRST_NUMBER: u64 = 8_613_900_000_000;

/// Which devices write to each other, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Texts {
    /// The first so many devices have a modem in the simulated network.
    pub devices: u32,
    /// One of them writes to another about this often.
    pub every: Duration,
}

/// The network, and the devices in it.
pub(super) struct Radio {
    network: Network,
    ids: Vec<Id>,
    rng: Rng,
    every: u64,
    next_text: u64,
    count: u64,
}

/// A text that a device is to send.
pub(super) struct Text {
    pub(super) from: u32,
    pub(super) command: String,
}

impl Radio {
    pub(super) fn new(texts: Texts, seed: u64, clock: NetworkTime) -> Self {
        let settings = Settings {
            clock,
            ..Settings::default()
        };
        let mut network = Network::new(seed, settings);
        let ids = (0..texts.devices)
            .map(|index| {
                let subscriber = Subscriber {
                    number: number(index),
                    imei: Who(index).imei(),
                    imsi: format!("46002{:010}", u64::from(index) + 1),
                    address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
                    ..Subscriber::default()
                };
                network.add(subscriber, Instant::ZERO)
            })
            .collect();
        let every = micros(texts.every).max(1000);
        Self {
            network,
            ids,
            rng: Rng::new(seed ^ 0x5353_4d53),
            every,
            next_text: every,
            count: 0,
        }
    }

    /// When it is to be looked at next; `texts` are still to be sent.
    pub(super) fn next(&self, texts: bool) -> u64 {
        let network = self
            .network
            .poll_timeout()
            .map_or(NEVER, Instant::as_micros);
        if texts {
            network.min(self.next_text)
        } else {
            network
        }
    }

    /// Time has passed.
    pub(super) fn advance(&mut self, now: u64) {
        self.network.handle_timeout(Instant::from_micros(now));
    }

    /// News for a device.
    pub(super) fn news(&mut self) -> Option<(u32, ModemInput)> {
        // Phones of this network have no part in it.
        while self.network.poll_phone_event().is_some() {}
        let (id, news) = self.network.poll_event()?;
        let index = self.ids.iter().position(|known| *known == id)?;
        Some((index as u32, news))
    }

    /// What a device orders of its modem.
    pub(super) fn order(&mut self, index: u32, order: &ModemOutput, now: u64) {
        if let Some(id) = self.ids.get(index as usize) {
            self.network
                .handle_order(*id, order, Instant::from_micros(now));
        }
    }

    /// The next text, if it is due.
    pub(super) fn text(&mut self, now: u64) -> Option<Text> {
        if self.next_text > now {
            return None;
        }
        self.next_text = now + self.rng.range(self.every / 2, self.every + self.every / 2);
        let last = self.ids.len() as u64 - 1;
        let from = self.rng.range(0, last);
        let to = (from + self.rng.range(1, last)) % (last + 1);
        self.count += 1;
        let to = number(to as u32)?;
        Some(Text {
            from: from as u32,
            command: format!("AT+CISMSSEND={to},1,text {} of device {from}", self.count),
        })
    }
}

fn number(index: u32) -> Option<PhoneNumber> {
    PhoneNumber::new(&format!("+{}", FIRST_NUMBER + u64::from(index)))
}
