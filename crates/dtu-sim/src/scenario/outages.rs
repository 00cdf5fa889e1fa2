//! The servers of a world, how often they go away, and for how long.

use cellular_sim::Rng;
use dtu_proto::event::{LINKS, LinkId};

use super::{PEERS, Scenario};
use crate::SEC;

/// Salt of the stream of the servers that the modes connect to by themselves.
const OWN: u64 = 0x0077_6e00;

/// One for each link, then those that the modes connect to by themselves.
pub(crate) const SERVERS: usize = LINKS + PEERS;

/// A place in an array of [`SERVERS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerId(usize);

impl ServerId {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..SERVERS).map(Self)
    }

    /// The one at this place of the scenario's peers.
    pub(super) const fn peer(place: usize) -> Self {
        Self(LINKS + place)
    }

    pub(crate) const fn index(self) -> usize {
        self.0
    }
}

impl From<LinkId> for ServerId {
    fn from(link: LinkId) -> Self {
        Self(link.index())
    }
}

/// The outages of one server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OutageStyle {
    /// Mean time between a return and the next outage; 0 = never.
    pub(crate) every: u64,
    pub(crate) longest: u64,
}

impl Scenario {
    /// Outages of servers, from a stream of its own: of those of links, and of those of the modes in force.
    pub(crate) fn with_outages(mut self, rng: &mut Rng) -> Self {
        let mut own = rng.clone().fork(OWN);
        let mut outages = self.draw_outages(rng, LINKS);
        let connects = self.modes.mode.is_some() || self.modes.wanders;
        outages.extend(if connects {
            self.draw_outages(&mut own, PEERS)
        } else {
            Vec::new()
        });
        outages.resize(SERVERS, OutageStyle::default());
        self.outages = outages;
        self
    }

    fn draw_outages(&self, rng: &mut Rng, count: usize) -> Vec<OutageStyle> {
        if !rng.chance(60) {
            return vec![OutageStyle::default(); count];
        }
        let longest = rng.pick(&[SEC, 5 * SEC, 30 * SEC, 300 * SEC]);
        let every = |rng: &mut Rng| (self.length / rng.range(6, 60)).max(2 * longest);
        (0..count)
            .map(|_| OutageStyle {
                every: if rng.chance(70) { every(rng) } else { 0 },
                longest,
            })
            .collect()
    }
}
