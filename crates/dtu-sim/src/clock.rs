//! The clocks of the machine. Who plays in virtual time has no use for them; all others hand them on as an argument.

use std::time::{Duration, Instant, SystemTime};

use dtu_proto::radio::NetworkTime;

/// From 1970 to 2000, in seconds.
const TO_2000: u64 = 946_684_800;

/// It runs on evenly, from somewhere.
#[expect(
    clippy::disallowed_methods,
    reason = "the only such clock, handed on as an argument"
)]
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// CPU time of this process so far.
#[must_use]
pub fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// The time of a network whose messages and modems show it.
#[expect(
    clippy::disallowed_methods,
    reason = "the only such clock, read once a network"
)]
#[must_use]
pub fn wall_clock() -> NetworkTime {
    let since_1970 = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    NetworkTime {
        seconds: u32::try_from(since_1970.saturating_sub(TO_2000)).unwrap_or(0),
        zone: Some(0),
    }
}
