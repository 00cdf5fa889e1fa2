//! Which device a registration packet means, for devices that know nothing of us.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;

use super::pattern::{Fit, LONGEST, Pattern};
use crate::ids::{AccountId, DeviceId};

/// All rules of a door: literal packets, each of one device, then patterns in their order.
///
/// A rule belongs to an account and means its devices only: no account takes a packet or a name from another.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    literals: BTreeMap<Vec<u8>, (AccountId, DeviceId, Bytes)>,
    /// How many literals have which length: a packet is looked for in so many steps, however many devices there are.
    lengths: BTreeMap<usize, u32>,
    patterns: Vec<(AccountId, Pattern, Bytes)>,
}

/// Whom a packet means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who<'a> {
    /// This device.
    Device(DeviceId),
    /// The device with this name of its own: an IMEI, say.
    Named(&'a [u8]),
}

/// What the rules say of the first bytes of a connection; `T` is how the caller knows a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<T> {
    /// More has to come.
    Partial,
    /// No rule fits, or none whose account has that device.
    Nobody,
    /// The first `length` bytes register a device, and this is the answer.
    Packet {
        /// Whom.
        device: T,
        /// Bytes of the packet.
        length: usize,
        /// What the device is answered; may be empty.
        answer: Bytes,
    },
}

impl Rules {
    /// Bytes that a packet can have; more than that need not be kept.
    pub const LONGEST: usize = LONGEST;

    /// A literal packet (text or hex, as the caller read it) of one device. False where it is empty or too long, or
    /// another account has it.
    pub fn literal(
        &mut self,
        account: AccountId,
        packet: &[u8],
        device: DeviceId,
        answer: Bytes,
    ) -> bool {
        let owner = self.literals.get(packet).map(|(owner, ..)| *owner);
        let is_taken = owner.is_some_and(|owner| owner != account);
        if packet.is_empty() || packet.len() > LONGEST || is_taken {
            return false;
        }
        if self
            .literals
            .insert(packet.to_vec(), (account, device, answer))
            .is_none()
        {
            *self.lengths.entry(packet.len()).or_default() += 1;
        }
        true
    }

    /// Takes a literal packet back.
    pub fn remove_literal(&mut self, packet: &[u8]) {
        if self.literals.remove(packet).is_none() {
            return;
        }
        if let Some(count) = self.lengths.get_mut(&packet.len()) {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&packet.len());
            }
        }
    }

    /// A pattern, behind those that are there.
    pub fn pattern(&mut self, account: AccountId, pattern: Pattern, answer: Bytes) {
        self.patterns.push((account, pattern, answer));
    }

    /// Whom these first bytes mean. `ended`: nothing more came for a while. `knows`: the device that an account's rule
    /// means, where there is one that it may mean.
    ///
    /// The longest literal wins, then the first pattern. While a rule that goes before could still fit, it is waited for.
    #[must_use]
    pub fn see<T>(
        &self,
        bytes: &[u8],
        ended: bool,
        knows: impl Fn(AccountId, Who<'_>) -> Option<T>,
    ) -> Seen<T> {
        if !ended && self.may_become_a_literal(bytes) {
            return Seen::Partial;
        }
        let lengths = self.lengths.keys().rev();
        for begin in lengths.filter_map(|length| bytes.get(..*length)) {
            if let Some((account, device, answer)) = self.literals.get(begin)
                && let Some(device) = knows(*account, Who::Device(*device))
            {
                return Seen::Packet {
                    device,
                    length: begin.len(),
                    answer: answer.clone(),
                };
            }
        }
        for (account, pattern, answer) in &self.patterns {
            match pattern.fit(bytes, ended) {
                Fit::No => {}
                Fit::Partial => return Seen::Partial,
                Fit::Fits { length, id } => {
                    if let Some(device) = knows(*account, Who::Named(&bytes[id])) {
                        return Seen::Packet {
                            device,
                            length,
                            answer: answer.clone(),
                        };
                    }
                }
            }
        }
        Seen::Nobody
    }

    /// Whether some literal begins with all of these bytes, and is longer.
    fn may_become_a_literal(&self, bytes: &[u8]) -> bool {
        let behind = (Bound::Excluded(bytes), Bound::Unbounded);
        let next = self.literals.range::<[u8], _>(behind).next();
        next.is_some_and(|(packet, _)| packet.starts_with(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(n: u32) -> DeviceId {
        DeviceId::padded(n.to_string().as_bytes()).unwrap()
    }

    const ALICE: AccountId = AccountId(1);
    const BOB: AccountId = AccountId(2);

    fn rules() -> Rules {
        let mut rules = Rules::default();
        assert!(rules.literal(ALICE, b"REG1", id(1), Bytes::from_static(b"OK")));
        assert!(rules.literal(ALICE, b"REG12", id(12), Bytes::new()));
        assert!(rules.literal(ALICE, &[0xFE, 0x00], id(3), Bytes::new()));
        rules.pattern(
            ALICE,
            Pattern::parse("REG{id:3d}").unwrap(),
            Bytes::from_static(b"HI"),
        );
        rules.pattern(ALICE, Pattern::parse("{id:15d}").unwrap(), Bytes::new());
        rules
    }

    fn name(who: Who<'_>) -> String {
        match who {
            Who::Device(device) => device.as_str().trim_start_matches('0').to_owned(),
            Who::Named(name) => String::from_utf8_lossy(name).into_owned(),
        }
    }

    fn whom_of(rules: &Rules, bytes: &[u8], ended: bool) -> Option<String> {
        match rules.see(bytes, ended, |_, who| Some(name(who))) {
            Seen::Partial => Some("?".to_owned()),
            Seen::Nobody => None,
            Seen::Packet { device, length, .. } => Some(format!("{device}:{length}")),
        }
    }

    fn whom(bytes: &[u8], ended: bool) -> Option<String> {
        whom_of(&rules(), bytes, ended)
    }

    #[test]
    fn no_account_takes_a_packet_from_another() {
        let mut rules = Rules::default();
        assert!(rules.literal(ALICE, b"REG1", id(1), Bytes::new()));
        assert!(!rules.literal(BOB, b"REG1", id(2), Bytes::new()));
        assert!(rules.literal(ALICE, b"REG1", id(3), Bytes::new()));
        rules.pattern(BOB, Pattern::parse("REG{id:1d}").unwrap(), Bytes::new());
        rules.pattern(ALICE, Pattern::parse("{id:4a}").unwrap(), Bytes::new());
        let see = |bytes: &[u8], of| {
            let knows = |account, who: Who<'_>| (account == of).then(|| name(who));
            match rules.see(bytes, true, knows) {
                Seen::Packet { device, .. } => Some(device),
                Seen::Partial | Seen::Nobody => None,
            }
        };
        assert_eq!(see(b"REG1", ALICE).as_deref(), Some("3"));
        // A rule whose account does not have the device stands in nobody's way.
        assert_eq!(see(b"REG1", BOB).as_deref(), Some("1"));
        assert_eq!(see(b"REG2", ALICE).as_deref(), Some("REG2"));
        assert_eq!(see(b"REG2", AccountId(3)), None);
    }

    /// "their registration packet (literal, hex, or pattern with a named id) is matched to a device"
    #[test]
    fn a_packet_means_a_device() {
        assert_eq!(whom(b"REG12data", false).as_deref(), Some("12:5"));
        assert_eq!(whom(b"REG1data", false).as_deref(), Some("1:4"));
        assert_eq!(whom(&[0xFE, 0, 9], false).as_deref(), Some("3:2"));
        assert_eq!(whom(b"REG345", false).as_deref(), Some("345:6"));
        assert_eq!(
            whom(b"861234567890123", false).as_deref(),
            Some("861234567890123:15")
        );
        assert_eq!(whom(b"GET / HTTP/1.1", false), None);
    }

    #[test]
    fn a_longer_packet_is_waited_for() {
        assert_eq!(whom(b"REG1", false).as_deref(), Some("?"));
        assert_eq!(whom(b"REG1", true).as_deref(), Some("1:4"));
        assert_eq!(whom(b"RE", false).as_deref(), Some("?"));
        assert_eq!(whom(b"RE", true), None);
        assert_eq!(whom(b"", false).as_deref(), Some("?"));
    }

    #[test]
    fn a_literal_can_be_taken_back() {
        let mut rules = rules();
        rules.remove_literal(b"REG12");
        rules.remove_literal(b"REG12");
        assert_eq!(whom_of(&rules, b"REG12x", false).as_deref(), Some("1:4"));
        assert_eq!(rules.lengths.len(), 2);
        assert!(!rules.literal(ALICE, b"", id(1), Bytes::new()));
        assert!(!rules.literal(ALICE, &[0; LONGEST + 1], id(1), Bytes::new()));
    }

    proptest! {
        /// What is said of a beginning is said of the whole: how the network cuts the packet changes nothing.
        #[test]
        fn cuts_of_the_network_change_no_verdict(bytes in "(REG|1|2|3|8612|\u{0}|x){0,8}") {
            let whole = whom(bytes.as_bytes(), false);
            let first = (0..=bytes.len())
                .filter(|end| bytes.is_char_boundary(*end))
                .map(|end| whom(&bytes.as_bytes()[..end], false))
                .find(|verdict| verdict.as_deref() != Some("?"));
            prop_assert_eq!(first.unwrap_or(Some("?".to_owned())), whole);
        }

        #[test]
        fn any_bytes_are_seen(bytes: Vec<u8>, ended: bool) {
            let all = |_, who: Who<'_>| Some(name(who));
            if let Seen::Packet { length, .. } = rules().see(&bytes, ended, all) {
                prop_assert!(length > 0 && length <= bytes.len());
            }
            prop_assert!(!ended || rules().see(&bytes, true, all) != Seen::Partial);
        }
    }
}
