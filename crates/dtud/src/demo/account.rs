//! What went in at the serial line, and what came out at the data center, counted at both ends.

use std::collections::BTreeSet;

/// Frames and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) frames: u64,
    pub(super) bytes: u64,
}

impl Count {
    fn add(&mut self, bytes: usize) {
        self.frames += 1;
        self.bytes += bytes as u64;
    }
}

/// Both ends of the device, by the numbers in the readings.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// Written to the serial line; their numbers begin with 1.
    pub(super) sent: Count,
    /// Received by the data center, each number once.
    pub(super) arrived: Count,
    /// Received again.
    pub(super) twice: u64,
    /// Received as no reading that the meter ever sent.
    pub(super) damaged: u64,
    /// The highest number received.
    last: u64,
    /// Numbers below it that were not received.
    missing: BTreeSet<u64>,
}

impl Account {
    /// The meter writes its next reading; returns the number.
    pub(super) const fn next_number(&self) -> u64 {
        self.sent.frames + 1
    }

    pub(super) fn send(&mut self, bytes: usize) {
        self.sent.add(bytes);
    }

    pub(super) fn arrive(&mut self, number: u64, bytes: usize) {
        if number == 0 || number > self.sent.frames {
            self.damaged += 1;
        } else if number > self.last {
            self.missing.extend(self.last + 1..number);
            self.last = number;
            self.arrived.add(bytes);
        } else if self.missing.remove(&number) {
            self.arrived.add(bytes);
        } else {
            self.twice += 1;
        }
    }

    /// Frames that were overtaken by later ones: a link keeps the order, so they do not come any more.
    pub(super) fn lost(&self) -> u64 {
        self.missing.len() as u64
    }

    /// Frames that are in the device, or on their way to it or from it.
    pub(super) fn under_way(&self) -> u64 {
        self.sent
            .frames
            .saturating_sub(self.arrived.frames + self.lost())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(frames: u64) -> Account {
        let mut account = Account::default();
        (0..frames).for_each(|_| account.send(30));
        account
    }

    #[test]
    fn what_went_in_came_out() {
        let mut account = sent(3);
        (1..=3).for_each(|number| account.arrive(number, 30));
        assert_eq!(
            account.arrived,
            Count {
                frames: 3,
                bytes: 90
            }
        );
        assert_eq!(
            (account.arrived, account.lost(), account.under_way()),
            (account.sent, 0, 0)
        );
    }

    #[test]
    fn a_gap_is_a_loss_and_what_did_not_come_yet_is_under_way() {
        let mut account = sent(5);
        account.arrive(1, 30);
        account.arrive(4, 30);
        assert_eq!((account.lost(), account.under_way()), (2, 1));
        account.arrive(3, 30);
        assert_eq!((account.lost(), account.under_way()), (1, 1));
    }

    #[test]
    fn what_comes_again_counts_once_and_what_was_never_sent_not_at_all() {
        let mut account = sent(2);
        for number in [1, 1, 2, 1, 0, 3] {
            account.arrive(number, 30);
        }
        assert_eq!(
            (account.arrived.frames, account.twice, account.damaged),
            (2, 2, 2)
        );
    }
}
