//! What the end-to-end tests of the daemon have, too: the DTE's end of a line.
#![allow(dead_code, reason = "the tests of dtud use the rest of it")]

use std::time::{Duration, Instant};

#[path = "../../../dtud/tests/it/common/line.rs"]
pub(crate) mod line;
#[path = "../../../dtud/tests/it/common/pump.rs"]
pub(crate) mod pump;

/// How long a thing that should happen at once may take on a loaded machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// The time `wait` from now.
pub(crate) fn within(wait: Duration) -> Instant {
    Instant::now() + wait
}
