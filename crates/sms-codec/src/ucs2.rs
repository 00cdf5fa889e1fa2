//! UCS2 user data, read as UTF-16 with the high octet first: 3GPP TS 23.038 6.2.3. Phones send surrogate pairs for
//! characters beyond the basic plane, so we do too.

use alloc::string::String;
use alloc::vec::Vec;

/// The units of a text.
#[must_use]
pub fn encode(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// The text of units; a lone surrogate becomes U+FFFD.
#[must_use]
pub fn decode(units: &[u16]) -> String {
    let characters = char::decode_utf16(units.iter().copied());
    characters
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Units as octets, high octet first.
#[must_use]
pub fn to_octets(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_be_bytes()).collect()
}

/// Octets as units; half a unit at the end is left out.
#[must_use]
pub fn from_octets(octets: &[u8]) -> Vec<u16> {
    octets
        .chunks_exact(2)
        .filter_map(|pair| pair.try_into().ok())
        .map(u16::from_be_bytes)
        .collect()
}

/// Whether a cut between two units would tear a surrogate pair.
#[must_use]
pub fn is_pair(left: u16, right: u16) -> bool {
    (0xD800..0xDC00).contains(&left) && (0xDC00..0xE000).contains(&right)
}
