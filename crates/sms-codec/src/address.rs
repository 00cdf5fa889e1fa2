//! Addresses of short messages: 3GPP TS 23.040 9.1.2.5, and the service centre's: TS 24.011 8.2.5.2.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use super::gsm7::{self, Shifts};
use super::reader::{DecodeError, Fault, Reader};

/// A phone number, or the name that some senders have instead of one.
///
/// ```
/// use sms_codec::address::Address;
///
/// let number = Address::number("+8618954102857").unwrap();
/// assert_eq!((number.type_of_address(), number.text()), (0x91, "8618954102857"));
/// assert_eq!(number.to_string(), "+8618954102857");
/// assert_eq!(Address::name("eKit").unwrap().to_string(), "eKit");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    type_of_address: u8,
    text: String,
}

impl Address {
    /// An address with a given type-of-address octet: type of number in bits 6 to 4, numbering plan in bits 3 to 0.
    /// The text is digits (with `*`, `#`, `a`, `b`, `c`), or a name where the type of number is 5 (alphanumeric).
    /// `None` for other characters, or for more than 20 digits or 11 septets.
    #[must_use]
    pub fn new(type_of_address: u8, text: &str) -> Option<Self> {
        let address = Self {
            type_of_address,
            text: text.to_string(),
        };
        let fits = if address.is_name() {
            gsm7::encode(text, Shifts::default()).is_ok_and(|septets| septets.len() <= LONGEST_NAME)
        } else {
            text.len() <= usize::from(LONGEST_NUMBER)
                && text.chars().all(|digit| DIGITS.contains(digit))
        };
        fits.then_some(address)
    }

    /// A phone number; with a leading `+` it is international.
    #[must_use]
    pub fn number(text: &str) -> Option<Self> {
        let (type_of_address, digits) = text
            .strip_prefix('+')
            .map_or((UNKNOWN, text), |digits| (INTERNATIONAL, digits));
        Self::new(type_of_address, digits).filter(|address| !address.text.is_empty())
    }

    /// A name of at most 11 septets of the default alphabet.
    #[must_use]
    pub fn name(text: &str) -> Option<Self> {
        Self::new(NAME, text)
    }

    /// The type-of-address octet.
    #[must_use]
    pub const fn type_of_address(&self) -> u8 {
        self.type_of_address
    }

    /// The digits without a sign, or the name.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether this is a name, to which nothing can be sent.
    #[must_use]
    pub const fn is_name(&self) -> bool {
        type_of_number(self.type_of_address) == 5
    }

    /// Reads a length in semi-octets, the type, the digits.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = reader.octet("an address length")?;
        if length > LONGEST_NUMBER {
            return Err(reader.fault_behind(Fault::AddressTooLong {
                length,
                longest: LONGEST_NUMBER,
            }));
        }
        Self::read_value(reader, usize::from(length))
    }

    /// Reads the service centre: a length in octets, the type with them; 0 is none.
    pub(super) fn read_service_center(
        reader: &mut Reader<'_>,
    ) -> Result<Option<Self>, DecodeError> {
        let length = reader.octet("the service centre's length")?;
        match length {
            0 => Ok(None),
            1..=LONGEST_CENTER => Self::read_value(reader, (usize::from(length) - 1) * 2).map(Some),
            _ => Err(reader.fault_behind(Fault::AddressTooLong {
                length,
                longest: LONGEST_CENTER,
            })),
        }
    }

    fn read_value(reader: &mut Reader<'_>, semi_octets: usize) -> Result<Self, DecodeError> {
        let type_of_address = reader.octet("a type of address")?;
        let start = reader.clone();
        let octets = reader.take(semi_octets.div_ceil(2), "an address")?;
        if type_of_number(type_of_address) == 5 {
            let text = gsm7::decode(
                &gsm7::unpack(octets, 0, semi_octets * 4 / 7),
                Shifts::default(),
            );
            return Ok(Self {
                type_of_address,
                text,
            });
        }
        let mut values: Vec<u8> = octets
            .iter()
            .flat_map(|octet| [octet & 15, octet >> 4])
            .collect();
        values.truncate(semi_octets);
        // The service centre has no digit count, and some modems round the others up: a filler at the end is none.
        values.pop_if(|value| *value == FILLER);
        let digit = |value: &u8| DIGITS.chars().nth(usize::from(*value));
        let text: Option<String> = values.iter().map(digit).collect();
        text.map(|text| Self {
            type_of_address,
            text,
        })
        .ok_or_else(|| start.fault(Fault::NoDigit))
    }

    /// Writes a length in semi-octets, the type, the digits.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let (semi_octets, octets) = self.value();
        out.extend([semi_octets, self.type_of_address]);
        out.extend(octets);
    }

    /// Writes the service centre; none is one octet 0.
    pub(super) fn write_service_center(center: Option<&Self>, out: &mut Vec<u8>) {
        let Some(center) = center else {
            return out.push(0);
        };
        let (_, octets) = center.value();
        out.push(u8::try_from(octets.len() + 1).unwrap_or(u8::MAX));
        out.push(center.type_of_address);
        out.extend(octets);
    }

    /// The length in semi-octets and the octets.
    fn value(&self) -> (u8, Vec<u8>) {
        let (semi_octets, octets) = if self.is_name() {
            let septets = gsm7::encode(&self.text, Shifts::default()).unwrap_or_default();
            ((septets.len() * 7).div_ceil(4), gsm7::pack(&[], &septets))
        } else {
            let values: Vec<u8> = self.text.chars().filter_map(value_of).collect();
            let pairs = values.chunks(2).map(|pair| match pair {
                [low, high] => high << 4 | low,
                [low, ..] => FILLER << 4 | low,
                [] => FILLER << 4 | FILLER,
            });
            (values.len(), pairs.collect())
        };
        (u8::try_from(semi_octets).unwrap_or(u8::MAX), octets)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if type_of_number(self.type_of_address) == 1 {
            f.write_str("+")?;
        }
        f.write_str(&self.text)
    }
}

const fn type_of_number(type_of_address: u8) -> u8 {
    type_of_address >> 4 & 7
}

fn value_of(digit: char) -> Option<u8> {
    DIGITS
        .chars()
        .position(|there| there == digit)
        .and_then(|value| u8::try_from(value).ok())
}

/// Digits by their value (TS 23.040 9.1.2.3); 15 is the filler.
const DIGITS: &str = "0123456789*#abc";
const FILLER: u8 = 15;
const LONGEST_NUMBER: u8 = 20;
/// Septets in 10 octets.
const LONGEST_NAME: usize = 11;
/// Octets with the type of address.
const LONGEST_CENTER: u8 = 11;
/// Type unknown, plan E.164.
const UNKNOWN: u8 = 0x81;
const INTERNATIONAL: u8 = 0x91;
const NAME: u8 = 0xD0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_length_come_back() {
        for length in 0..=LONGEST_NAME {
            let name = Address::name(&"Meter-Hall+"[..length]).unwrap();
            let mut octets = Vec::new();
            name.write(&mut octets);
            assert_eq!(
                Address::read(&mut Reader::new(&octets)),
                Ok(name),
                "{length}"
            );
        }
        assert_eq!(Address::name("Meter-Hall-3"), None);
        assert_eq!(Address::name("泵"), None);
    }

    #[test]
    fn a_filler_ends_a_number_and_may_not_stand_inside() {
        let read = |octets: &[u8]| Address::read(&mut Reader::new(octets));
        assert_eq!(
            read(&[4, 0x81, 0x21, 0xF3]),
            Ok(Address::new(0x81, "123").unwrap())
        );
        assert_eq!(
            read(&[4, 0x81, 0xF1, 0x32]).unwrap_err(),
            DecodeError {
                offset: 2,
                fault: Fault::NoDigit
            }
        );
        assert_eq!(
            read(&[21, 0x81]).unwrap_err(),
            DecodeError {
                offset: 0,
                fault: Fault::AddressTooLong {
                    length: 21,
                    longest: 20
                }
            }
        );
    }

    #[test]
    fn numbers_hold_digits_only() {
        assert_eq!(Address::number("*100#abc").unwrap().text(), "*100#abc");
        for wrong in ["", "+", "12 34", "eKit", "+861380013800013800138", "１２"] {
            assert_eq!(Address::number(wrong), None, "{wrong}");
        }
    }
}
