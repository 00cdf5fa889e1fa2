//! How often the servers of links go away, and for how long.

use cellular_sim::Rng;
use dtu_proto::event::LINKS;

use super::Scenario;
use crate::SEC;

#[derive(Clone, Debug, Default)]
pub(crate) struct OutageStyle {
    /// Mean time between a return and the next outage; 0 = never.
    pub(crate) every: [u64; LINKS],
    pub(crate) longest: u64,
}

impl Scenario {
    /// Outages of servers, from a stream of its own.
    pub(crate) fn with_outages(mut self, rng: &mut Rng) -> Self {
        if rng.chance(60) {
            let longest = rng.pick(&[SEC, 5 * SEC, 30 * SEC, 300 * SEC]);
            let least = 2 * longest;
            let every = std::array::from_fn(|_| {
                if rng.chance(70) { (self.length / rng.range(6, 60)).max(least) } else { 0 }
            });
            self.outages = OutageStyle { every, longest };
        }
        self
    }
}
