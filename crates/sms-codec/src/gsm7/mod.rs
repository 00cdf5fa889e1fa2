//! The GSM 7-bit alphabets: 3GPP TS 23.038 6.1.2 (packing), 6.2.1 (default alphabet and extension), annex A
//! (national languages: Turkish, Spanish, Portuguese, ten Indian languages).

mod locking;
mod single;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The septet that leads to the single shift table.
pub const ESCAPE: u8 = 0x1B;

/// A language with shift tables of its own; its number is the National Language Identifier (6.2.1.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Türkçe.
    Turkish = 1,
    /// Español: a single shift table only.
    Spanish = 2,
    /// Português.
    Portuguese = 3,
    /// বাংলা, and Assamese.
    Bengali = 4,
    /// ગુજરાતી.
    Gujarati = 5,
    /// हिन्दी.
    Hindi = 6,
    /// ಕನ್ನಡ.
    Kannada = 7,
    /// മലയാളം.
    Malayalam = 8,
    /// ଓଡ଼ିଆ.
    Oriya = 9,
    /// ਪੰਜਾਬੀ.
    Punjabi = 10,
    /// தமிழ்.
    Tamil = 11,
    /// తెలుగు.
    Telugu = 12,
    /// اردو.
    Urdu = 13,
}

impl Language {
    /// All, in the order of their identifiers.
    pub const ALL: [Self; 13] = [
        Self::Turkish,
        Self::Spanish,
        Self::Portuguese,
        Self::Bengali,
        Self::Gujarati,
        Self::Hindi,
        Self::Kannada,
        Self::Malayalam,
        Self::Oriya,
        Self::Punjabi,
        Self::Tamil,
        Self::Telugu,
        Self::Urdu,
    ];

    /// The language of an identifier; `None` for the reserved ones, which count as absent.
    #[must_use]
    pub fn of(identifier: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.identifier() == identifier)
    }

    /// The National Language Identifier.
    #[must_use]
    pub const fn identifier(self) -> u8 {
        self as u8
    }
}

/// Which tables septets are read with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shifts {
    /// The main table; `None` is the default alphabet, as is a language that has no such table.
    pub locking: Option<Language>,
    /// The table behind the escape; `None` is the extension table.
    pub single: Option<Language>,
}

/// The text of `septets`. Where the single shift table has nothing, the escape counts for nothing; an escape twice
/// is a blank (6.2.1.1). A septet that means nothing at all becomes U+FFFD.
#[must_use]
pub fn decode(septets: &[u8], shifts: Shifts) -> String {
    let mut septets = septets.iter().copied();
    let mut text = String::new();
    while let Some(septet) = septets.next() {
        if septet != ESCAPE {
            text.push(
                character(shifts.locking_table(), septet).unwrap_or(char::REPLACEMENT_CHARACTER),
            );
            continue;
        }
        match septets.next() {
            None => {}
            Some(ESCAPE) => text.push(' '),
            Some(next) => {
                let shifted = character(shifts.single_table(), next);
                let found = shifted.or_else(|| character(shifts.locking_table(), next));
                text.push(found.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
    }
    text
}

/// The septets of `text`, not packed.
///
/// # Errors
///
/// The first character that is in neither table.
pub fn encode(text: &str, shifts: Shifts) -> Result<Vec<u8>, NotInAlphabet> {
    let mut septets = Vec::with_capacity(text.len());
    for (at, wanted) in text.char_indices() {
        if let Some(septet) = septet(shifts.locking_table(), wanted) {
            septets.push(septet);
        } else if let Some(septet) = septet(shifts.single_table(), wanted) {
            septets.extend([ESCAPE, septet]);
        } else {
            return Err(NotInAlphabet {
                at,
                character: wanted,
            });
        }
    }
    Ok(septets)
}

/// Packs septets into octets behind `head` (a user data header); the first septet starts on a septet border counted
/// from the start of `head` (TS 23.040 9.2.3.24).
#[must_use]
pub fn pack(head: &[u8], septets: &[u8]) -> Vec<u8> {
    let first = septets_of(head.len());
    let mut octets = Vec::from(head);
    octets.resize(octets_of(first + septets.len()).max(head.len()), 0);
    for (index, septet) in (first..).zip(septets) {
        let bits = u16::from(septet & 0x7F) << (index * 7 % 8);
        for (octet, part) in octets
            .iter_mut()
            .skip(index * 7 / 8)
            .zip(bits.to_le_bytes())
        {
            *octet |= part;
        }
    }
    octets
}

/// Up to `count` septets of packed `octets`, from septet number `first` on; fewer where the octets end.
#[must_use]
pub fn unpack(octets: &[u8], first: usize, count: usize) -> Vec<u8> {
    let there = octets.len() * 8 / 7;
    (first..first.saturating_add(count).min(there))
        .filter_map(|index| septet_at(octets, index))
        .collect()
}

/// Septets that `octets` octets touch.
#[must_use]
pub const fn septets_of(octets: usize) -> usize {
    (octets * 8).div_ceil(7)
}

/// Octets that `septets` septets take.
#[must_use]
pub const fn octets_of(septets: usize) -> usize {
    (septets * 7).div_ceil(8)
}

/// A character that a table pair does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotInAlphabet {
    /// Where: bytes from the start of the text.
    pub at: usize,
    /// Which.
    pub character: char,
}

impl fmt::Display for NotInAlphabet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} (byte {}) is not in the GSM 7-bit alphabet",
            self.character, self.at
        )
    }
}

impl core::error::Error for NotInAlphabet {}

impl Shifts {
    const fn locking_table(self) -> Table {
        match self.locking {
            None | Some(Language::Spanish) => &[locking::DEFAULT],
            Some(Language::Turkish) => &[locking::TURKISH],
            Some(Language::Portuguese) => &[locking::PORTUGUESE],
            Some(Language::Bengali) => &[locking::INDIC, locking::BENGALI],
            Some(Language::Gujarati) => &[locking::INDIC, locking::GUJARATI],
            Some(Language::Hindi) => &[locking::INDIC, locking::HINDI],
            Some(Language::Kannada) => &[locking::INDIC, locking::KANNADA],
            Some(Language::Malayalam) => &[locking::INDIC, locking::MALAYALAM],
            Some(Language::Oriya) => &[locking::INDIC, locking::ORIYA],
            Some(Language::Punjabi) => &[locking::INDIC, locking::PUNJABI],
            Some(Language::Tamil) => &[locking::INDIC, locking::TAMIL],
            Some(Language::Telugu) => &[locking::INDIC, locking::TELUGU],
            Some(Language::Urdu) => &[locking::INDIC, locking::URDU],
        }
    }

    const fn single_table(self) -> Table {
        match self.single {
            None => &[single::EXTENSION],
            Some(Language::Turkish) => &[single::EXTENSION, single::TURKISH],
            Some(Language::Spanish) => &[single::EXTENSION, single::SPANISH],
            Some(Language::Portuguese) => &[single::EXTENSION, single::PORTUGUESE],
            Some(Language::Bengali) => &[single::INDIC, single::EURO, single::BENGALI],
            Some(Language::Gujarati) => &[single::INDIC, single::EURO, single::GUJARATI],
            Some(Language::Hindi) => &[single::INDIC, single::EURO, single::HINDI],
            Some(Language::Kannada) => &[single::INDIC, single::EURO, single::KANNADA],
            Some(Language::Malayalam) => &[single::INDIC, single::EURO, single::MALAYALAM],
            Some(Language::Oriya) => &[single::INDIC, single::EURO, single::ORIYA],
            Some(Language::Punjabi) => &[single::INDIC, single::EURO, single::PUNJABI],
            Some(Language::Tamil) => &[single::INDIC, single::EURO, single::TAMIL],
            Some(Language::Telugu) => &[single::INDIC, single::TELUGU],
            Some(Language::Urdu) => &[single::INDIC, single::EURO, single::URDU],
        }
    }
}

/// Characters in a row, with the septet of the first.
type Runs = &'static [(u8, &'static str)];
/// A table, as the runs it is made of.
type Table = &'static [Runs];

fn entries(table: Table) -> impl Iterator<Item = (u8, char)> {
    table
        .iter()
        .flat_map(|runs| runs.iter())
        .flat_map(|(first, run)| (*first..).zip(run.chars()))
}

fn character(table: Table, septet: u8) -> Option<char> {
    entries(table)
        .find(|(at, _)| *at == septet)
        .map(|(_, character)| character)
}

fn septet(table: Table, wanted: char) -> Option<u8> {
    entries(table)
        .find(|(_, character)| *character == wanted)
        .map(|(at, _)| at)
}

fn septet_at(octets: &[u8], index: usize) -> Option<u8> {
    let (at, shift) = (index * 7 / 8, index * 7 % 8);
    let low = u16::from(*octets.get(at)?);
    let high = u16::from(octets.get(at + 1).copied().unwrap_or(0));
    let [septet, _] = ((high << 8 | low) >> shift & 0x7F).to_le_bytes();
    Some(septet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_gives_a_septet_one_meaning_at_most() {
        let both = |language| Shifts {
            locking: language,
            single: language,
        };
        for shifts in Language::ALL.into_iter().map(Some).chain([None]).map(both) {
            for table in [shifts.locking_table(), shifts.single_table()] {
                let mut taken = [false; 128];
                for (septet, _) in entries(table) {
                    let taken = &mut taken[usize::from(septet)];
                    assert!(!*taken && septet != ESCAPE, "{shifts:?} {septet:#04x}");
                    *taken = true;
                }
            }
        }
    }

    #[test]
    fn every_character_of_every_table_comes_back() {
        for language in Language::ALL.into_iter().map(Some).chain([None]) {
            let shifts = Shifts {
                locking: language,
                single: language,
            };
            let tables = [shifts.locking_table(), shifts.single_table()];
            let text: String = tables
                .into_iter()
                .flat_map(entries)
                .map(|(_, character)| character)
                .collect();
            assert_eq!(decode(&encode(&text, shifts).unwrap(), shifts), text);
        }
    }

    #[test]
    fn the_full_tables_have_127_characters_and_the_default_pair_137() {
        for language in [None, Some(Language::Turkish), Some(Language::Portuguese)] {
            let shifts = Shifts {
                locking: language,
                single: None,
            };
            assert_eq!(entries(shifts.locking_table()).count(), 127);
        }
        assert_eq!(entries(Shifts::default().single_table()).count(), 10);
    }

    #[test]
    fn an_unknown_extension_shows_the_main_table_and_two_escapes_a_blank() {
        assert_eq!(
            decode(
                &[ESCAPE, b'a', ESCAPE, ESCAPE, ESCAPE, 0x65, ESCAPE],
                Shifts::default()
            ),
            "a €"
        );
        let kannada = Shifts {
            locking: Some(Language::Kannada),
            single: None,
        };
        assert_eq!(decode(&[0x00, 0x24], kannada), "\u{FFFD}\u{CA1}");
    }

    #[test]
    fn national_tables_save_what_the_default_alphabet_cannot_say() {
        let turkish = Shifts {
            locking: Some(Language::Turkish),
            single: None,
        };
        assert_eq!(encode("İğ", turkish), Ok(Vec::from([0x40, 0x0C])));
        let spanish = Shifts {
            locking: None,
            single: Some(Language::Spanish),
        };
        assert_eq!(encode("dí", spanish), Ok(Vec::from([b'd', ESCAPE, b'i'])));
        assert_eq!(
            encode("dí", Shifts::default()),
            Err(NotInAlphabet {
                at: 1,
                character: 'í'
            })
        );
        let hindi = Shifts {
            locking: Some(Language::Hindi),
            single: Some(Language::Hindi),
        };
        assert_eq!(
            encode("नम,A", hindi),
            Ok(Vec::from([0x2F, 0x42, 0x2C, ESCAPE, 0x41]))
        );
    }

    #[test]
    fn septets_start_on_a_septet_border_behind_the_header() {
        let head = [5, 0, 3, 1, 2, 1];
        let octets = pack(&head, b"abc");
        assert_eq!(octets.len(), octets_of(septets_of(6) + 3));
        assert_eq!(octets[..6], head);
        assert_eq!(unpack(&octets, septets_of(6), 3), b"abc");
        assert_eq!(unpack(&octets, septets_of(6), 9), b"abc");
    }
}
