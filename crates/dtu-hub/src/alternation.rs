//! Two senders with one identity, that take its session from each other.

use std::collections::VecDeque;
use std::net::IpAddr;

use crate::time::{Duration, Instant};

/// So often …
const TIMES: usize = 5;
/// … within this time: it is no flapping link.
const WITHIN: Duration = Duration::from_secs(60);
/// None is let in for so long.
pub(crate) const QUARANTINE: Duration = Duration::from_secs(600);

/// Take-overs of one device.
#[derive(Debug, Default)]
pub(crate) struct Alternation {
    /// Who had the session before the one that has it.
    before: Option<IpAddr>,
    times: VecDeque<Instant>,
    until: Option<Instant>,
}

impl Alternation {
    pub(crate) fn is_quarantined(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// `to` takes the session from `from`, which spoke within its heartbeat time or did not. True where that is once
    /// too often.
    pub(crate) fn take_over(
        &mut self,
        from: IpAddr,
        to: IpAddr,
        spoke: bool,
        now: Instant,
    ) -> bool {
        // mutant: hub-alternation
        let alternates = self.before == Some(to) && from != to && spoke;
        self.before = Some(from);
        if !alternates {
            return false;
        }
        self.times.retain(|at| now.since(*at) < WITHIN);
        self.times.push_back(now);
        if self.times.len() < TIMES {
            return false;
        }
        self.times.clear();
        self.until = Some(now + QUARANTINE);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quarantined_after(addresses: &[u8], every_ms: u64, spoke: bool) -> Option<usize> {
        let mut alternation = Alternation::default();
        let ip = |n: u8| IpAddr::from([10, 0, 0, n]);
        let mut at = Instant::ZERO;
        addresses.windows(2).position(|pair| {
            at += Duration::from_millis(every_ms);
            alternation.take_over(ip(pair[0]), ip(pair[1]), spoke, at)
        })
    }

    /// "Quarantine only for real alternation: A-B-A from different addresses, five times in a minute, against a session
    /// that spoke within its heartbeat time: a flapping link is no clone."
    #[test]
    fn only_real_alternation_is_one() {
        let alternating = [1, 2].repeat(10);
        // A to B, then five times back and forth.
        assert_eq!(quarantined_after(&alternating, 1000, true), Some(5));
        assert_eq!(
            quarantined_after(&alternating, 1000, false),
            None,
            "the other was dead"
        );
        assert_eq!(
            quarantined_after(&alternating, 16_000, true),
            None,
            "too seldom"
        );
        assert_eq!(quarantined_after(&[1; 20], 1000, true), None, "one address");
        let moving: Vec<u8> = (0..20).collect();
        assert_eq!(
            quarantined_after(&moving, 1000, true),
            None,
            "ever new addresses"
        );
    }

    #[test]
    fn a_quarantine_lasts_ten_minutes() {
        let mut alternation = Alternation::default();
        let (a, b) = (IpAddr::from([1; 4]), IpAddr::from([2; 4]));
        for _ in 0..3 {
            alternation.take_over(a, b, true, Instant::ZERO);
            alternation.take_over(b, a, true, Instant::ZERO);
        }
        assert!(alternation.is_quarantined(Instant::from_millis(599_999)));
        assert!(!alternation.is_quarantined(Instant::from_millis(600_000)));
    }
}
