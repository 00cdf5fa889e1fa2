//! The data coding scheme: 3GPP TS 23.038 4.

/// The octet, with all its bits; the methods read its groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dcs(pub u8);

/// What the units of the user data are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alphabet {
    /// Septets of the GSM 7-bit alphabets.
    Gsm7,
    /// Octets that mean what sender and receiver agreed on.
    Octets,
    /// UTF-16 units.
    Ucs2,
}

/// A message waits somewhere: voicemail, fax, mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Waiting {
    /// Waits, or waits no longer.
    pub active: bool,
    /// The message is to be kept, not only to be shown as a sign.
    pub store: bool,
    /// 0 voicemail, 1 fax, 2 electronic mail, 3 other.
    pub kind: u8,
}

impl Dcs {
    /// The default alphabet, no class.
    pub const GSM7: Self = Self(0x00);
    /// 8-bit data, no class.
    pub const OCTETS: Self = Self(0x04);
    /// UCS2, no class.
    pub const UCS2: Self = Self(0x08);

    /// The plain coding of an alphabet.
    #[must_use]
    pub const fn of(alphabet: Alphabet) -> Self {
        match alphabet {
            Alphabet::Gsm7 => Self::GSM7,
            Alphabet::Octets => Self::OCTETS,
            Alphabet::Ucs2 => Self::UCS2,
        }
    }

    /// The same coding for a message of class 0 (shown at once) to 3; of no class for other numbers.
    #[must_use]
    pub const fn with_class(self, class: u8) -> Self {
        if class > 3 || self.0 & 0x80 != 0 {
            self
        } else {
            Self(self.0 & !3 | 0x10 | class)
        }
    }

    /// The alphabet. Reserved codings are the default alphabet, as the clause wants; compressed text is octets.
    #[must_use]
    pub const fn alphabet(self) -> Alphabet {
        if self.is_compressed() {
            return Alphabet::Octets;
        }
        match (self.0 >> 4, self.0 >> 2 & 3) {
            (0x0..=0x7, 1) | (0xF, 1 | 3) => Alphabet::Octets,
            (0x0..=0x7, 2) | (0xE, _) => Alphabet::Ucs2,
            _ => Alphabet::Gsm7,
        }
    }

    /// Whether the text is compressed (TS 23.042), which we hand on as octets.
    #[must_use]
    pub const fn is_compressed(self) -> bool {
        self.0 & 0xA0 == 0x20
    }

    /// Whether the message deletes itself once it was read.
    #[must_use]
    pub const fn deletes_itself(self) -> bool {
        self.0 >> 6 == 1
    }

    /// The class, 0..=3: 0 is shown at once, 1 goes to the equipment, 2 to the SIM, 3 to the terminal.
    #[must_use]
    pub const fn class(self) -> Option<u8> {
        match self.0 >> 4 {
            0x1 | 0x3 | 0x5 | 0x7 | 0xF => Some(self.0 & 3),
            _ => None,
        }
    }

    /// The waiting indication.
    #[must_use]
    pub const fn waiting(self) -> Option<Waiting> {
        match self.0 >> 4 {
            group @ 0xC..=0xE => Some(Waiting {
                active: self.0 & 8 != 0,
                store: group != 0xC,
                kind: self.0 & 3,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_as_the_clause_says() {
        use Alphabet::{Gsm7, Octets, Ucs2};
        let all = [
            (0x00, Gsm7, None),
            (0x01, Gsm7, None),
            (0x04, Octets, None),
            (0x08, Ucs2, None),
            (0x0C, Gsm7, None),
            (0x10, Gsm7, Some(0)),
            (0x15, Octets, Some(1)),
            (0x19, Ucs2, Some(1)),
            (0x20, Octets, None),
            (0x48, Ucs2, None),
            (0x52, Gsm7, Some(2)),
            (0x84, Gsm7, None),
            (0xA0, Gsm7, None),
            (0xC8, Gsm7, None),
            (0xD0, Gsm7, None),
            (0xE0, Ucs2, None),
            (0xF1, Gsm7, Some(1)),
            (0xF5, Octets, Some(1)),
        ];
        for (octet, alphabet, class) in all {
            assert_eq!(
                (Dcs(octet).alphabet(), Dcs(octet).class()),
                (alphabet, class),
                "{octet:#04x}"
            );
        }
    }

    #[test]
    fn waiting_messages_are_told_by_three_groups() {
        assert_eq!(
            Dcs(0xC8).waiting(),
            Some(Waiting {
                active: true,
                store: false,
                kind: 0
            })
        );
        assert_eq!(
            Dcs(0xD2).waiting(),
            Some(Waiting {
                active: false,
                store: true,
                kind: 2
            })
        );
        assert_eq!(
            Dcs(0xE9).waiting(),
            Some(Waiting {
                active: true,
                store: true,
                kind: 1
            })
        );
        assert_eq!(Dcs(0xF0).waiting(), None);
    }

    #[test]
    fn a_class_is_added_where_the_group_has_one() {
        assert_eq!(Dcs::UCS2.with_class(1), Dcs(0x19));
        assert_eq!(Dcs::GSM7.with_class(0), Dcs(0x10));
        assert_eq!(Dcs::GSM7.with_class(4), Dcs::GSM7);
        assert!(
            Dcs(0x40).deletes_itself() && Dcs(0x2C).is_compressed() && !Dcs(0xE0).is_compressed()
        );
    }
}
