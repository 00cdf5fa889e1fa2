//! Long messages into parts: 3GPP TS 23.040 9.2.3.24.1 and .8.
//!
//! A message that fits stays whole: 160 septets, 70 UTF-16 units, 140 octets. A part has 6 octets of header, 7 with a
//! 16-bit reference: 153 (152) septets, 67 (66) units, 134 (133) octets. No part ends between an escape and its
//! character, or between the halves of a surrogate pair.

use alloc::vec::Vec;
use core::fmt;

use super::gsm7;
use super::ucs2;
use super::udh::{Concat, Header, Reference};
use super::user_data::{Body, LONGEST, UserData};

/// A message as one or more parts. Each part carries `header`, and which part it is if there are several.
///
/// ```
/// use sms_codec::split::split;
/// use sms_codec::udh::{Header, Reference};
/// use sms_codec::user_data::Body;
///
/// let parts = split(Body::text(&"泵".repeat(71)), Header::default(), Reference::Narrow(9), 10)?;
/// assert_eq!(parts.iter().map(|part| part.text().unwrap().chars().count()).collect::<Vec<_>>(), [67, 4]);
/// # Ok::<(), sms_codec::split::SplitError>(())
/// ```
///
/// # Errors
///
/// More parts than `limit`, or a header that leaves no room for text.
pub fn split(
    body: Body,
    header: Header,
    reference: Reference,
    limit: u8,
) -> Result<Vec<UserData>, SplitError> {
    let alone = (!header.is_empty()).then(|| header.clone());
    if units(&body) <= capacity(&body, alone.as_ref().map_or(0, Header::size)) {
        return Ok(Vec::from([UserData {
            header: alone,
            body,
        }]));
    }
    let part_of = |total, part| {
        header.clone().with_concat(Concat {
            reference,
            total,
            part,
        })
    };
    let bodies = cut_all(body, part_of(0, 0).size())?;
    let needed = bodies.len();
    let total = u8::try_from(needed).ok().filter(|total| *total <= limit);
    let total = total.ok_or(SplitError::TooManyParts { needed, limit })?;
    let parts = (1..=total).zip(bodies);
    Ok(parts
        .map(|(part, body)| UserData {
            header: Some(part_of(total, part)),
            body,
        })
        .collect())
}

/// Why a message cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitError {
    /// It takes more parts than allowed.
    TooManyParts {
        /// Parts that it takes.
        needed: usize,
        /// Parts allowed.
        limit: u8,
    },
    /// The header fills the part.
    NoRoom,
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyParts { needed, limit } => {
                write!(
                    f,
                    "the message takes {needed} parts, at most {limit} are allowed"
                )
            }
            Self::NoRoom => write!(f, "the user data header leaves no room for the message"),
        }
    }
}

impl core::error::Error for SplitError {}

/// Units of the body that fit beside a header of `header` octets.
fn capacity(body: &Body, header: usize) -> usize {
    let octets = LONGEST.saturating_sub(header);
    match body {
        Body::Septets(_) => (LONGEST * 8 / 7).saturating_sub(gsm7::septets_of(header)),
        Body::Ucs2(_) => octets / 2,
        Body::Octets(_) => octets,
    }
}

const fn units(body: &Body) -> usize {
    match body {
        Body::Septets(septets) => septets.len(),
        Body::Ucs2(units) => units.len(),
        Body::Octets(octets) => octets.len(),
    }
}

fn cut_all(body: Body, header: usize) -> Result<Vec<Body>, SplitError> {
    let room = capacity(&body, header);
    // A character may take two units.
    if room < 2 {
        return Err(SplitError::NoRoom);
    }
    Ok(match body {
        Body::Septets(septets) => cut(&septets, room, torn_escape)
            .map(Body::Septets)
            .collect(),
        Body::Ucs2(units) => cut(&units, room, torn_pair).map(Body::Ucs2).collect(),
        Body::Octets(octets) => cut(&octets, room, |_, _| false).map(Body::Octets).collect(),
    })
}

/// Pieces of at most `room` units; one less where the cut would tear a character.
fn cut<T: Copy>(
    units: &[T],
    room: usize,
    torn: fn(&[T], &[T]) -> bool,
) -> impl Iterator<Item = Vec<T>> {
    let mut rest = units;
    core::iter::from_fn(move || {
        let (mut piece, mut behind) = rest.split_at(room.min(rest.len()));
        if torn(piece, behind) {
            (piece, behind) = rest.split_at(room - 1);
        }
        rest = behind;
        (!piece.is_empty()).then(|| piece.to_vec())
    })
}

/// An odd number of escapes at the end: the last one begins a character.
fn torn_escape(piece: &[u8], behind: &[u8]) -> bool {
    let escapes = piece
        .iter()
        .rev()
        .take_while(|septet| **septet == gsm7::ESCAPE)
        .count();
    !behind.is_empty() && escapes % 2 == 1
}

fn torn_pair(piece: &[u16], behind: &[u16]) -> bool {
    piece
        .last()
        .zip(behind.first())
        .is_some_and(|(left, right)| ucs2::is_pair(*left, *right))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    const NARROW: Reference = Reference::Narrow(7);
    const WIDE: Reference = Reference::Wide(7);

    fn parts(text: &str, reference: Reference) -> Vec<String> {
        let parts = split(Body::text(text), Header::default(), reference, 255).unwrap();
        parts.iter().filter_map(UserData::text).collect()
    }

    fn lengths(text: &str, reference: Reference) -> Vec<usize> {
        parts(text, reference)
            .iter()
            .map(|part| part.encode_utf16().count())
            .collect()
    }

    #[test]
    fn what_fits_stays_whole_and_one_more_makes_two_parts() {
        assert_eq!(lengths(&"a".repeat(160), NARROW), [160]);
        assert_eq!(lengths(&"a".repeat(161), NARROW), [153, 8]);
        assert_eq!(lengths(&"a".repeat(161), WIDE), [152, 9]);
        assert_eq!(lengths(&"泵".repeat(70), NARROW), [70]);
        assert_eq!(lengths(&"泵".repeat(71), NARROW), [67, 4]);
        assert_eq!(lengths(&"泵".repeat(71), WIDE), [66, 5]);
        let octets = split(
            Body::Octets(Vec::from([0; 141])),
            Header::default(),
            NARROW,
            2,
        )
        .unwrap();
        assert_eq!(
            octets.iter().map(UserData::length).collect::<Vec<_>>(),
            [140, 13]
        );
    }

    #[test]
    fn an_empty_message_is_one_empty_part() {
        assert_eq!(parts("", NARROW), [""]);
    }

    #[test]
    fn an_extension_character_on_the_border_goes_whole_into_the_next_part() {
        let text = ["a".repeat(152).as_str(), "€", &"b".repeat(20)].concat();
        assert_eq!(lengths(&text, NARROW), [152, 21]);
        assert!(parts(&text, NARROW)[1].starts_with('€'));
        let text = ["a".repeat(151).as_str(), "€", &"b".repeat(20)].concat();
        assert_eq!(lengths(&text, NARROW), [152, 20]);
    }

    #[test]
    fn a_surrogate_pair_on_the_border_goes_whole_into_the_next_part() {
        let text = ["泵".repeat(66).as_str(), "😀", &"水".repeat(20)].concat();
        assert_eq!(lengths(&text, NARROW), [66, 22]);
        assert!(parts(&text, NARROW)[1].starts_with('😀'));
    }

    #[test]
    fn parts_beyond_the_limit_are_refused_with_how_many_it_takes() {
        let split = |length: usize, limit| {
            split(
                Body::text(&"a".repeat(length)),
                Header::default(),
                NARROW,
                limit,
            )
            .map(|parts| parts.len())
        };
        assert_eq!(split(1530, 10), Ok(10));
        assert_eq!(
            split(1531, 10),
            Err(SplitError::TooManyParts {
                needed: 11,
                limit: 10
            })
        );
        assert_eq!(split(153 * 255, 255), Ok(255));
        assert_eq!(
            split(153 * 255 + 1, 255),
            Err(SplitError::TooManyParts {
                needed: 256,
                limit: 255
            })
        );
    }

    #[test]
    fn a_header_without_room_is_refused() {
        let header = Header::new(&[0x70; 133]);
        let refused = split(Body::text(&"a".repeat(161)), header, NARROW, 255);
        assert_eq!(refused, Err(SplitError::NoRoom));
    }
}
