//! Which device a registration packet means, for devices that know nothing of us.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;

use super::pattern::{Fit, LONGEST, Pattern};
use crate::ids::DeviceId;

/// All rules of a door: literal packets, each of one device, then patterns in their order.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    literals: BTreeMap<Vec<u8>, (DeviceId, Bytes)>,
    /// How many literals have which length: a packet is looked for in so many steps, however many devices there are.
    lengths: BTreeMap<usize, u32>,
    patterns: Vec<(Pattern, Bytes)>,
}

/// Whom a packet means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who<'a> {
    /// This device.
    Device(DeviceId),
    /// The device with this name of its own: an IMEI, say.
    Named(&'a [u8]),
}

/// What the rules say of the first bytes of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<'a> {
    /// More has to come.
    Partial,
    /// No rule fits.
    Nobody,
    /// The first `length` bytes register a device, and this is the answer.
    Packet {
        /// Whom.
        who: Who<'a>,
        /// Bytes of the packet.
        length: usize,
        /// What the device is answered; may be empty.
        answer: Bytes,
    },
}

impl Rules {
    /// Bytes that a packet can have; more than that need not be kept.
    pub const LONGEST: usize = LONGEST;

    /// A literal packet (text or hex, as the caller read it) of one device. False where it is empty or too long.
    pub fn literal(&mut self, packet: &[u8], device: DeviceId, answer: Bytes) -> bool {
        if packet.is_empty() || packet.len() > LONGEST {
            return false;
        }
        if self
            .literals
            .insert(packet.to_vec(), (device, answer))
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
    pub fn pattern(&mut self, pattern: Pattern, answer: Bytes) {
        self.patterns.push((pattern, answer));
    }

    /// Whom these first bytes mean. `ended`: nothing more came for a while.
    ///
    /// The longest literal wins, then the first pattern. While a rule that goes before could still fit, it is waited for.
    #[must_use]
    pub fn see<'a>(&self, bytes: &'a [u8], ended: bool) -> Seen<'a> {
        if !ended && self.may_become_a_literal(bytes) {
            return Seen::Partial;
        }
        let lengths = self.lengths.keys().rev();
        let mut beginnings = lengths.filter_map(|length| bytes.get(..*length));
        if let Some((packet, (device, answer))) =
            beginnings.find_map(|begin| self.literals.get_key_value(begin))
        {
            return Seen::Packet {
                who: Who::Device(*device),
                length: packet.len(),
                answer: answer.clone(),
            };
        }
        for (pattern, answer) in &self.patterns {
            match pattern.fit(bytes, ended) {
                Fit::No => {}
                Fit::Partial => return Seen::Partial,
                Fit::Fits { length, id } => {
                    return Seen::Packet {
                        who: Who::Named(&bytes[id]),
                        length,
                        answer: answer.clone(),
                    };
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

    fn rules() -> Rules {
        let mut rules = Rules::default();
        assert!(rules.literal(b"REG1", id(1), Bytes::from_static(b"OK")));
        assert!(rules.literal(b"REG12", id(12), Bytes::new()));
        assert!(rules.literal(&[0xFE, 0x00], id(3), Bytes::new()));
        rules.pattern(
            Pattern::parse("REG{id:3d}").unwrap(),
            Bytes::from_static(b"HI"),
        );
        rules.pattern(Pattern::parse("{id:15d}").unwrap(), Bytes::new());
        rules
    }

    fn whom(bytes: &[u8], ended: bool) -> Option<String> {
        match rules().see(bytes, ended) {
            Seen::Partial => Some("?".to_owned()),
            Seen::Nobody => None,
            Seen::Packet { who, length, .. } => Some(match who {
                Who::Device(device) => {
                    format!("{}:{length}", device.as_str().trim_start_matches('0'))
                }
                Who::Named(name) => format!("{}:{length}", String::from_utf8_lossy(name)),
            }),
        }
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
        assert!(matches!(
            rules.see(b"REG12x", false),
            Seen::Packet { who: Who::Device(device), .. } if device == id(1)
        ));
        assert_eq!(rules.lengths.len(), 2);
        assert!(!rules.literal(b"", id(1), Bytes::new()));
        assert!(!rules.literal(&[0; LONGEST + 1], id(1), Bytes::new()));
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
            if let Seen::Packet { length, .. } = rules().see(&bytes, ended) {
                prop_assert!(length > 0 && length <= bytes.len());
            }
            prop_assert!(!ended || rules().see(&bytes, true) != Seen::Partial);
        }
    }
}
