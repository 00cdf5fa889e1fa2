//! Octets as hex digits, as a PDU travels between a modem and its host: 3GPP TS 27.005 3.1.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The octets of a text of hex digits, upper or lower case.
///
/// # Errors
///
/// A character that is no hex digit, or an odd number of digits.
pub fn decode(text: &str) -> Result<Vec<u8>, HexError> {
    if let Some((at, character)) = text
        .char_indices()
        .find(|(_, character)| !character.is_ascii_hexdigit())
    {
        return Err(HexError::Character { at, character });
    }
    if !text.len().is_multiple_of(2) {
        return Err(HexError::Odd { digits: text.len() });
    }
    let value = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    let pairs = text.as_bytes().chunks_exact(2);
    Ok(pairs
        .filter_map(|pair| Some(value(*pair.first()?)? << 4 | value(*pair.get(1)?)?))
        .collect())
}

/// Two upper-case hex digits for each octet.
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    let digit = |value: u8| {
        char::from_digit(u32::from(value), 16)
            .unwrap_or('0')
            .to_ascii_uppercase()
    };
    octets
        .iter()
        .flat_map(|octet| [digit(octet >> 4), digit(octet & 15)])
        .collect()
}

/// Why a text is no row of octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HexError {
    /// A character that is no hex digit.
    Character {
        /// Where: bytes from the start of the text.
        at: usize,
        /// What stands there.
        character: char,
    },
    /// The last octet has one digit only.
    Odd {
        /// Digits in all.
        digits: usize,
    },
}

impl fmt::Display for HexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character { at, character } => {
                write!(
                    f,
                    "octet {}: {character:?} is no hex digit (character {at})",
                    at / 2
                )
            }
            Self::Odd { digits } => {
                write!(
                    f,
                    "octet {}: an odd number of hex digits ({digits})",
                    digits / 2
                )
            }
        }
    }
}

impl core::error::Error for HexError {}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn octets_are_two_digits_each_in_either_case() {
        assert_eq!(decode("00ff7E"), Ok(Vec::from([0x00, 0xFF, 0x7E])));
        assert_eq!(encode(&[0x00, 0xFF, 0x7E]), "00FF7E");
    }

    #[test]
    fn a_wrong_character_and_half_an_octet_are_named_with_their_place() {
        assert_eq!(
            decode("0g").unwrap_err().to_string(),
            "octet 0: 'g' is no hex digit (character 1)"
        );
        assert_eq!(
            decode("001").unwrap_err().to_string(),
            "octet 1: an odd number of hex digits (3)"
        );
        assert_eq!(
            decode("00温").unwrap_err(),
            HexError::Character {
                at: 2,
                character: '温'
            }
        );
    }
}
