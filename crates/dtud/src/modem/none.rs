//! No modem: the host's own network carries the data, and there are neither messages nor calls.

use std::task::Context;

use dtu_proto::event::{ModemInput, ModemOutput};
use dtu_proto::time::Instant;

use super::Driver;

pub(super) struct NoModem;

impl Driver for NoModem {
    /// The core knows that there is no modem, and orders nothing that needs one.
    fn order(&mut self, _order: ModemOutput, _now: Instant, _cx: &mut Context<'_>) {}

    fn poll(&mut self, _cx: &mut Context<'_>, _now: Instant) -> Option<ModemInput> {
        None
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn status(&self) -> String {
        "the host's own network".to_owned()
    }
}
