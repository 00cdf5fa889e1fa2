//! How things end: connections that the host closes late, and an orderly stop of the program.

use cellular_sim::Rng;
use dtu_proto::config::WorkingMode;

use super::{Scenario, sometimes};
use crate::{MS, SEC};

#[derive(Clone, Debug, Default)]
pub(crate) struct EndStyle {
    /// An ordered close may take so long; 0: two milliseconds.
    pub(crate) late_close: u64,
    /// Mean time; 0 = never.
    pub(crate) stop_every: u64,
}

impl Scenario {
    /// How things end, from a stream of its own. And what the DTE is told of messages that come.
    pub(crate) fn with_ends(mut self, rng: &mut Rng) -> Self {
        if self.config.mode != WorkingMode::Sms {
            let notify = &mut self.config.messages.notify;
            (notify.mode, notify.messages) =
                (rng.pick(&[2, 2, 0, 1, 3]), rng.pick(&[1, 1, 0, 2, 3]));
        }
        self.ends = EndStyle {
            late_close: rng.pick(&[0, 0, 50 * MS, 500 * MS, 3 * SEC]),
            stop_every: sometimes(rng, 40, self.length),
        };
        self
    }
}
