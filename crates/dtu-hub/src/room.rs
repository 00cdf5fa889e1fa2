//! Rooms of the D2D door.

use crate::ids::AccountId;
use crate::time::Instant;

/// Who names the same id hears everyone else.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) account: AccountId,
    pub(crate) limit: usize,
    /// Bytes a second.
    rate: u32,
    /// Bytes that may go now.
    left: u64,
    since: Instant,
    /// Places of connections.
    pub(crate) members: Vec<u32>,
}

impl Room {
    pub(crate) fn new(account: AccountId, limit: usize, rate: u32, now: Instant) -> Self {
        Self {
            account,
            limit,
            rate,
            left: u64::from(rate),
            since: now,
            members: Vec::new(),
        }
    }

    pub(crate) const fn set(&mut self, account: AccountId, limit: usize, rate: u32) {
        self.account = account;
        self.limit = limit;
        self.rate = rate;
    }

    /// Whether so many bytes may go: the rate, and a second of it at once.
    pub(crate) fn takes(&mut self, bytes: usize, now: Instant) -> bool {
        let rate = u64::from(self.rate);
        let passed = u64::try_from(now.since(self.since).as_micros()).unwrap_or(u64::MAX);
        let gained = passed.saturating_mul(rate) / 1_000_000;
        if gained > 0 {
            self.left = self.left.saturating_add(gained).min(rate);
            self.since = now;
        }
        let bytes = bytes as u64;
        let takes = bytes <= self.left;
        if takes {
            self.left -= bytes;
        }
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_has_a_second_of_its_rate() {
        let at = Instant::from_millis;
        let mut room = Room::new(AccountId(1), 2, 1000, at(0));
        assert!(room.takes(1000, at(0)) && !room.takes(1, at(0)));
        assert!(room.takes(500, at(500)) && !room.takes(1, at(500)));
        assert!(room.takes(1000, at(60_000)) && !room.takes(1, at(60_000)));
    }
}
