//! The user data header: 3GPP TS 23.040 9.2.3.24.

use alloc::vec::Vec;

use super::gsm7::{Language, Shifts};

/// The information elements in front of the user data, kept as they came.
///
/// ```
/// use sms_codec::udh::{Concat, Header, Ports, Reference};
///
/// let part = Concat { reference: Reference::Narrow(228), total: 2, part: 1 };
/// let header = Header::default().with_ports(Ports { to: 9204, from: 9205 }).with_concat(part);
/// assert_eq!(header.octets(), [11, 5, 4, 0x23, 0xF4, 0x23, 0xF5, 0, 3, 228, 2, 1]);
/// assert_eq!(header.concat(), Some(part));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Header(Vec<u8>);

/// The number that the parts of a long message share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// 8 bits (9.2.3.24.1).
    Narrow(u8),
    /// 16 bits (9.2.3.24.8).
    Wide(u16),
}

/// Which part of a long message this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concat {
    /// What the parts share.
    pub reference: Reference,
    /// How many parts there are, 1..=255.
    pub total: u8,
    /// Which this is, 1..=total.
    pub part: u8,
}

/// Application ports (9.2.3.24.3, .4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ports {
    /// Of the receiver.
    pub to: u16,
    /// Of the sender.
    pub from: u16,
}

impl Reference {
    /// The number.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Narrow(number) => number as u16,
            Self::Wide(number) => number,
        }
    }
}

impl Header {
    /// A header of the octets behind its length octet.
    #[must_use]
    pub fn new(content: &[u8]) -> Self {
        Self(content.to_vec())
    }

    /// The octets, the length octet first.
    #[must_use]
    pub fn octets(&self) -> Vec<u8> {
        let length = u8::try_from(self.0.len()).unwrap_or(u8::MAX);
        core::iter::once(length)
            .chain(self.0.iter().copied())
            .collect()
    }

    /// How many octets [`Self::octets`] gives.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.len() + 1
    }

    /// Whether there is nothing behind the length octet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The information elements: identifier and data. A header whose lengths do not fit has none (9.2.3.24).
    #[must_use]
    pub fn elements(&self) -> Vec<(u8, &[u8])> {
        let mut elements = Vec::new();
        let mut rest = self.0.as_slice();
        while let [identifier, length, tail @ ..] = rest {
            let Some((data, behind)) = tail.split_at_checked(usize::from(*length)) else {
                return Vec::new();
            };
            elements.push((*identifier, data));
            rest = behind;
        }
        if rest.is_empty() {
            elements
        } else {
            Vec::new()
        }
    }

    /// Which part of a long message this is. Part 0, or a part beyond the total, counts as no such element.
    #[must_use]
    pub fn concat(&self) -> Option<Concat> {
        self.last(|element| match element {
            (0x00, [number, total, part]) => Concat {
                reference: Reference::Narrow(*number),
                total: *total,
                part: *part,
            }
            .checked(),
            (0x08, [high, low, total, part]) => {
                let number = u16::from_be_bytes([*high, *low]);
                Concat {
                    reference: Reference::Wide(number),
                    total: *total,
                    part: *part,
                }
                .checked()
            }
            _ => None,
        })
    }

    /// The application ports.
    #[must_use]
    pub fn ports(&self) -> Option<Ports> {
        self.last(|element| match element {
            (0x04, [to, from]) => Some(Ports {
                to: u16::from(*to),
                from: u16::from(*from),
            }),
            (0x05, [a, b, c, d]) => Some(Ports {
                to: u16::from_be_bytes([*a, *b]),
                from: u16::from_be_bytes([*c, *d]),
            }),
            _ => None,
        })
    }

    /// The national tables of the text (9.2.3.24.15, .16).
    #[must_use]
    pub fn shifts(&self) -> Shifts {
        let language = |wanted| {
            self.last(|element| match element {
                (identifier, [language]) if identifier == wanted => Language::of(*language),
                _ => None,
            })
        };
        Shifts {
            locking: language(0x25),
            single: language(0x24),
        }
    }

    /// With the element that tells the part.
    #[must_use]
    pub fn with_concat(self, concat: Concat) -> Self {
        let Concat {
            reference,
            total,
            part,
        } = concat;
        match reference {
            Reference::Narrow(number) => self.with(0x00, &[number, total, part]),
            Reference::Wide(number) => {
                let [high, low] = number.to_be_bytes();
                self.with(0x08, &[high, low, total, part])
            }
        }
    }

    /// With 16-bit application ports.
    #[must_use]
    pub fn with_ports(self, ports: Ports) -> Self {
        let ([a, b], [c, d]) = (ports.to.to_be_bytes(), ports.from.to_be_bytes());
        self.with(0x05, &[a, b, c, d])
    }

    /// With the elements that tell the national tables; the default tables need none.
    #[must_use]
    pub fn with_shifts(self, shifts: Shifts) -> Self {
        let tables = [(0x24, shifts.single), (0x25, shifts.locking)];
        tables
            .into_iter()
            .fold(self, |header, (identifier, language)| match language {
                Some(language) => header.with(identifier, &[language.identifier()]),
                None => header,
            })
    }

    fn with(mut self, identifier: u8, data: &[u8]) -> Self {
        self.0
            .extend([identifier, u8::try_from(data.len()).unwrap_or(u8::MAX)]);
        self.0.extend(data);
        self
    }

    /// Of elements that come twice the last counts (9.2.3.24).
    fn last<T>(&self, pick: impl Fn((u8, &[u8])) -> Option<T>) -> Option<T> {
        self.elements().into_iter().filter_map(pick).next_back()
    }
}

impl Concat {
    const fn checked(self) -> Option<Self> {
        if self.part == 0 || self.part > self.total {
            None
        } else {
            Some(self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_whose_lengths_do_not_fit_has_no_elements() {
        for content in [&[0, 4, 1, 2, 1][..], &[0, 3, 1, 2, 1, 0], &[0]] {
            assert_eq!(Header::new(content).elements(), [], "{content:?}");
        }
    }

    #[test]
    fn part_zero_and_parts_beyond_the_total_count_as_none() {
        for (total, part) in [(0, 0), (2, 0), (2, 3)] {
            assert_eq!(Header::new(&[0, 3, 7, total, part]).concat(), None);
        }
        assert_eq!(
            Header::new(&[8, 4, 0x12, 0x34, 3, 3])
                .concat()
                .map(|part| part.reference.number()),
            Some(0x1234)
        );
    }

    #[test]
    fn of_two_equal_elements_the_last_counts() {
        let header = Header::new(&[0, 3, 7, 2, 1, 0, 3, 8, 2, 2]);
        assert_eq!(
            header.concat(),
            Some(Concat {
                reference: Reference::Narrow(8),
                total: 2,
                part: 2
            })
        );
    }

    #[test]
    fn unknown_languages_count_as_none() {
        let header = Header::new(&[0x24, 1, 2, 0x25, 1, 0x30]);
        assert_eq!(
            header.shifts(),
            Shifts {
                locking: None,
                single: Some(Language::Spanish)
            }
        );
        assert_eq!(
            Header::default().with_shifts(header.shifts()).octets(),
            [3, 0x24, 1, 2]
        );
    }
}
