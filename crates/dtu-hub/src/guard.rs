//! Limits on guessing, by source and by id.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};

use crate::ids::DeviceId;
use crate::time::{Duration, Instant};

/// Sources and ids that are remembered, each.
const ENTRIES: usize = 8192;

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// So many wrong passwords …
    pub guesses: u32,
    /// … within this time …
    pub within: Duration,
    /// … shut out for so long.
    pub shut: Duration,
}

/// Of one source. Many devices may stand behind one address.
pub const OF_SOURCE: Limit = Limit {
    guesses: 20,
    within: Duration::from_secs(60),
    shut: Duration::from_secs(300),
};
/// Of one id.
pub const OF_ID: Limit = Limit {
    guesses: 5,
    within: Duration::from_secs(60),
    shut: Duration::from_secs(300),
};

/// Who is shut out, by which limit and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shut {
    /// The limit that was reached.
    pub limit: Limit,
    /// Whether it is the source's; else the id's.
    pub of_source: bool,
    /// When it resets.
    pub until: Instant,
}

/// What was guessed lately.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    sources: Tries<IpAddr>,
    ids: Tries<(DeviceId, Option<IpAddr>)>,
}

impl Guard {
    /// Whether this source may try a password of this id. `known` is where the device last proved itself: guesses of
    /// others never lock it out there.
    pub(crate) fn check(
        &self,
        source: IpAddr,
        id: DeviceId,
        known: Option<IpAddr>,
        now: Instant,
    ) -> Option<Shut> {
        let (source, known) = (network(source), known.map(network));
        let of_id = self
            .ids
            .shut_until((id, known.filter(|at| *at == source)), now);
        // Many devices stand behind one address: what others guess there is not held against one that proved itself.
        let has_proved = known == Some(source);
        let of_source = self.sources.shut_until(source, now).filter(|_| !has_proved);
        let shut = |until, limit, of_source| Shut {
            limit,
            of_source,
            until,
        };
        of_source
            .map(|until| shut(until, OF_SOURCE, true))
            .or_else(|| of_id.map(|until| shut(until, OF_ID, false)))
    }

    /// A wrong password.
    pub(crate) fn wrong(
        &mut self,
        source: IpAddr,
        id: DeviceId,
        known: Option<IpAddr>,
        now: Instant,
    ) {
        let (source, known) = (network(source), known.map(network));
        self.ids
            .wrong((id, known.filter(|at| *at == source)), OF_ID, now);
        self.sources.wrong(source, OF_SOURCE, now);
    }
}

/// One who has IPv6 has at least 64 bits of addresses.
fn network(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => mapped.into(),
            None => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        },
    }
}

#[derive(Clone, Copy, Debug)]
struct Tried {
    wrong: u32,
    since: Instant,
    shut_until: Instant,
}

/// A bounded table: the oldest entry makes room; one that is shut out has a second life.
#[derive(Debug)]
struct Tries<K> {
    of: HashMap<K, Tried>,
    order: VecDeque<K>,
}

impl<K> Default for Tries<K> {
    fn default() -> Self {
        Self {
            of: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<K: Copy + Eq + Hash> Tries<K> {
    fn shut_until(&self, key: K, now: Instant) -> Option<Instant> {
        // mutant: hub-guesses
        self.of
            .get(&key)
            .map(|tried| tried.shut_until)
            .filter(|until| now < *until)
    }

    fn wrong(&mut self, key: K, limit: Limit, now: Instant) {
        if !self.of.contains_key(&key) {
            self.make_room(now);
            self.order.push_back(key);
        }
        let tried = self.of.entry(key).or_insert(Tried {
            wrong: 0,
            since: now,
            shut_until: Instant::ZERO,
        });
        if now.since(tried.since) >= limit.within {
            tried.wrong = 0;
            tried.since = now;
        }
        tried.wrong += 1;
        if tried.wrong >= limit.guesses {
            tried.wrong = 0;
            tried.shut_until = now + limit.shut;
        }
    }

    fn make_room(&mut self, now: Instant) {
        // So few looks that an attacker who fills the table makes nobody slow.
        for _ in 0..8 {
            if self.order.len() < ENTRIES {
                return;
            }
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            if self.shut_until(oldest, now).is_some() {
                self.order.push_back(oldest);
            } else {
                self.of.remove(&oldest);
            }
        }
        if self.order.len() >= ENTRIES
            && let Some(oldest) = self.order.pop_front()
        {
            self.of.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(n).into()
    }

    fn id(n: u32) -> DeviceId {
        DeviceId::padded(n.to_string().as_bytes()).unwrap()
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn five_wrong_passwords_of_an_id_in_a_minute_shut_it_for_five() {
        let mut guard = Guard::default();
        for n in 0..5 {
            assert_eq!(guard.check(ip(n), id(1), None, at(0)), None);
            guard.wrong(ip(n), id(1), None, at(0));
        }
        let shut = guard.check(ip(9), id(1), None, at(299)).unwrap();
        assert_eq!(
            (shut.limit, shut.of_source, shut.until),
            (OF_ID, false, at(300))
        );
        assert_eq!(guard.check(ip(9), id(1), None, at(300)), None);
        assert_eq!(guard.check(ip(9), id(2), None, at(0)), None);
    }

    #[test]
    fn wrong_passwords_further_apart_shut_nobody_out() {
        let mut guard = Guard::default();
        for n in 0..100_u32 {
            guard.wrong(ip(1), id(1), None, at(u64::from(n) * 15));
            assert_eq!(guard.check(ip(1), id(1), None, at(u64::from(n) * 15)), None);
        }
    }

    #[test]
    fn guesses_of_others_do_not_lock_a_device_out_where_it_proved_itself() {
        let mut guard = Guard::default();
        for _ in 0..6 {
            guard.wrong(ip(66), id(1), Some(ip(1)), at(0));
        }
        assert_eq!(guard.check(ip(1), id(1), Some(ip(1)), at(0)), None);
        assert!(guard.check(ip(66), id(1), Some(ip(1)), at(0)).is_some());
    }

    /// Many devices stand behind the address of a carrier.
    #[test]
    fn guesses_beside_a_device_do_not_lock_it_out_where_it_proved_itself() {
        let mut guard = Guard::default();
        for n in 10..40 {
            guard.wrong(ip(1), id(n), None, at(0));
        }
        assert!(guard.check(ip(1), id(2), None, at(0)).is_some());
        assert!(guard.check(ip(1), id(2), Some(ip(3)), at(0)).is_some());
        assert_eq!(guard.check(ip(1), id(1), Some(ip(1)), at(0)), None);
        for _ in 0..5 {
            guard.wrong(ip(1), id(1), Some(ip(1)), at(0));
        }
        assert!(guard.check(ip(1), id(1), Some(ip(1)), at(0)).is_some());
    }

    #[test]
    fn a_source_that_tries_many_ids_is_shut_out() {
        let mut guard = Guard::default();
        for n in 0..20 {
            assert_eq!(guard.check(ip(1), id(n), None, at(0)), None);
            guard.wrong(ip(1), id(n), None, at(0));
        }
        assert!(guard.check(ip(1), id(99), None, at(0)).unwrap().of_source);
        assert_eq!(guard.check(ip(2), id(99), None, at(0)), None);
    }

    #[test]
    fn a_network_of_ipv6_is_one_source() {
        let mut guard = Guard::default();
        let address = |n: u128| IpAddr::from(Ipv6Addr::from_bits(0x2001_0db8 << 96 | n));
        for n in 0..20 {
            guard.wrong(address(u128::from(n)), id(n), None, at(0));
        }
        assert!(guard.check(address(77), id(99), None, at(0)).is_some());
        assert!(guard.check(address(1 << 64), id(99), None, at(0)).is_none());
    }

    #[test]
    fn the_table_is_bounded_and_who_is_shut_out_is_not_pushed_out() {
        let mut guard = Guard::default();
        for _ in 0..5 {
            guard.wrong(ip(1), id(0), None, at(0));
        }
        for n in 1..30_000 {
            guard.wrong(ip(n), id(n), None, at(1));
        }
        assert!(guard.check(ip(7), id(0), None, at(2)).is_some());
        assert_eq!(
            (guard.ids.of.len(), guard.ids.order.len()),
            (ENTRIES, ENTRIES)
        );
    }
}
