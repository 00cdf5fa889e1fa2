//! Datagrams that were never read.

use std::time::Duration;

use dtu_proto::time::Instant;

use crate::port::Port;
use crate::sys;

/// What the kernel dropped of a socket that was not read.
#[derive(Default)]
pub(super) struct Drops {
    /// The kernel's count at the last look.
    seen: u32,
    /// Found, and not told.
    untold: u64,
    /// Something was read since the last look: there may have been more than the socket holds.
    pub(super) look: bool,
    /// When what is untold may be told.
    pub(super) due: Option<Instant>,
    told: Option<Instant>,
}

impl Drops {
    pub(super) fn count(&mut self, port: &Port, now: Instant) -> Option<u64> {
        self.look = false;
        self.untold += self.newly(port);
        let due = self.told.map_or(now, |told| told + TELL_EVERY);
        let tells = self.untold > 0 && now >= due;
        self.due = (self.untold > 0 && !tells).then_some(due);
        tells.then(|| {
            self.told = Some(now);
            std::mem::take(&mut self.untold)
        })
    }

    /// Whether what is untold may be told now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Another socket has taken the place of the one that was looked at.
    pub(super) fn moved(&mut self, unread: u64, now: Instant) {
        self.untold += unread;
        self.seen = 0;
        self.due = (self.untold > 0).then_some(now);
    }

    pub(super) fn newly(&mut self, port: &Port) -> u64 {
        let Ok(count) = sys::dropped_datagrams(port) else {
            return 0;
        };
        let newly = count.wrapping_sub(std::mem::replace(&mut self.seen, count));
        u64::from(newly)
    }
}

/// Takes what waits in a socket that ends, and says how many there were.
pub(super) fn waiting_datagrams(port: &Port) -> u64 {
    let mut count = 0;
    // The socket's buffer bounds it; a peer that goes on sending does not hold the end up.
    while count < MOST_WAITING && rustix::io::read(port, &mut [0; 1]).is_ok() {
        count += 1;
    }
    count
}

/// Between two words about datagrams that were dropped.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// More than a socket's buffer holds by default.
const MOST_WAITING: u64 = 4096;
