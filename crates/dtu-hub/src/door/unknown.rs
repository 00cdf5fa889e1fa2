//! Devices that nobody knows: the last of them, for a page on which a person makes one known.

use std::collections::VecDeque;
use std::net::IpAddr;

use bytes::Bytes;

use crate::time::Instant;

/// Entries that are kept.
const ENTRIES: usize = 200;
/// First bytes that are kept of each.
const FIRST_BYTES: usize = 64;

/// Somebody who was not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// What came first. On the cloud door this is the id alone: no password stands here.
    pub first: Bytes,
    /// From where.
    pub source: IpAddr,
    /// When last.
    pub at: Instant,
    /// How often, since the entry began.
    pub times: u64,
}

/// The last 200. A source that sends ever other bytes has one entry: a scanner collapses to a counter.
#[derive(Debug, Default)]
pub(crate) struct Unknowns {
    entries: VecDeque<Unknown>,
}

impl Unknowns {
    pub(crate) fn note(&mut self, first: &[u8], source: IpAddr, now: Instant) {
        let first = &first[..first.len().min(FIRST_BYTES)];
        let known = self.entries.iter().position(|entry| entry.source == source);
        let times = known
            .and_then(|at| self.entries.remove(at))
            .map_or(1, |entry| entry.times + 1);
        if self.entries.len() == ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(Unknown {
            first: Bytes::copy_from_slice(first),
            source,
            at: now,
            times,
        });
    }

    /// The latest last.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Unknown> {
        self.entries.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "a page with the last 200 (hex and text, address, time) …; scanners collapse to counters"
    #[test]
    fn the_last_200_are_kept_and_a_scanner_is_one_of_them() {
        let mut unknowns = Unknowns::default();
        let ip = |n: u32| IpAddr::from(std::net::Ipv4Addr::from_bits(n));
        for n in 0..300_u32 {
            unknowns.note(&[b'x'; 100], ip(n), Instant::from_millis(u64::from(n)));
            unknowns.note(
                &n.to_be_bytes(),
                ip(9999),
                Instant::from_millis(u64::from(n)),
            );
        }
        assert_eq!(unknowns.iter().count(), ENTRIES);
        let scanner = unknowns.iter().last().unwrap();
        assert_eq!((scanner.times, scanner.source), (300, ip(9999)));
        assert!(
            unknowns
                .iter()
                .all(|entry| entry.first.len() <= FIRST_BYTES)
        );
    }
}
