//! The reply that a server is expected to give to registration or heartbeat (decisions 7, `expect`).

use alloc::vec::Vec;

use crate::config::Expect;
use crate::time::Instant;

/// Waits for one reply.
#[derive(Debug, Default)]
pub(crate) struct Awaiting {
    until: Option<Instant>,
    misses: u8,
    /// The end of what came, where the reply may have begun.
    tail: Vec<u8>,
}

/// A reply did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// So often in a row that the link is to be closed.
    pub(crate) last: bool,
}

impl Awaiting {
    /// What asks for the reply was sent. A reply that is awaited already stays due when it was.
    pub(crate) fn expect(&mut self, expect: Option<&Expect>, now: Instant) {
        self.until = self.until.or(expect.map(|expect| now + expect.within));
    }

    /// Looks for the reply in what came, over the borders of reads.
    pub(crate) fn look(&mut self, data: &[u8], expect: Option<&Expect>) {
        let (Some(expect), true) = (expect, self.until.is_some()) else { return };
        self.tail.extend_from_slice(data);
        if self.tail.windows(expect.reply.len().max(1)).any(|window| window == expect.reply) {
            *self = Self::default();
            return;
        }
        let keep = expect.reply.len().saturating_sub(1).min(self.tail.len());
        self.tail.drain(..self.tail.len() - keep);
    }

    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.until
    }

    /// The time may be over.
    pub(crate) fn fire(&mut self, expect: Option<&Expect>, now: Instant) -> Option<Missing> {
        self.until.filter(|until| *until <= now)?;
        self.until = None;
        self.tail.clear();
        self.misses = self.misses.saturating_add(1);
        Some(Missing { last: expect.is_some_and(|expect| self.misses >= expect.misses) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Duration;

    fn expect() -> Expect {
        Expect { reply: b"OK".to_vec(), within: Duration::from_secs(5), misses: 2 }
    }

    #[test]
    fn the_reply_counts_over_the_border_of_reads() {
        let (expect, mut awaiting) = (expect(), Awaiting::default());
        awaiting.expect(Some(&expect), Instant::ZERO);
        awaiting.look(b"xxO", Some(&expect));
        assert!(awaiting.deadline().is_some());
        awaiting.look(b"K..", Some(&expect));
        assert_eq!(awaiting.deadline(), None);
    }

    #[test]
    fn asking_again_does_not_move_the_time() {
        let (expect, mut awaiting) = (expect(), Awaiting::default());
        for second in 0..5 {
            awaiting.expect(Some(&expect), Instant::ZERO + Duration::from_secs(second));
        }
        assert_eq!(awaiting.deadline(), Some(Instant::ZERO + Duration::from_secs(5)));
    }

    #[test]
    fn the_last_of_the_misses_in_a_row_is_said() {
        let (expect, mut awaiting) = (expect(), Awaiting::default());
        for (at, last) in [(5, false), (10, true)] {
            let at = Instant::ZERO + Duration::from_secs(at);
            awaiting.until = Some(at);
            assert_eq!(awaiting.fire(Some(&expect), at), Some(Missing { last }));
        }
    }
}
