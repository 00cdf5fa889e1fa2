//! How often servers go away, and for how long.

use cellular_sim::Rng;
use dtu_proto::event::LINKS;

use super::{PEERS, Scenario};
use crate::SEC;

/// Salt of the stream of the servers that the modes connect to by themselves.
const OWN: u64 = 0x0077_6e00;

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
        outages.resize(LINKS + PEERS, OutageStyle::default());
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
