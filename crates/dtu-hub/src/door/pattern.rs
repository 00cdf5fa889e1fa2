//! Patterns of registration packets with a named id.

use std::fmt;

/// Bytes of a pattern and of what it matches, at most.
pub(super) const LONGEST: usize = 256;

/// Literal bytes with one field for the id: `REG,{id:15d}\r\n`.
///
/// Outside of fields a byte stands for itself; `\r`, `\n`, `\t`, `\xHH`, `\\` and `\{` are escapes. Fields:
///
/// - `{id:15d}`: the id, 15 digits; `{id:1-20d}`: 1 to 20 of them; `x` = digits of hex, `a` = letters and digits
/// - `{any:4}`: 4 bytes of any kind
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Element>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Byte(u8),
    Any(usize),
    Id {
        class: Class,
        min: usize,
        max: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Digits,
    Hex,
    Alphanumeric,
}

impl Class {
    const fn has(self, byte: u8) -> bool {
        match self {
            Self::Digits => byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Alphanumeric => byte.is_ascii_alphanumeric(),
        }
    }
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternFault {
    /// An escape that does not exist, or is not complete.
    Escape,
    /// A field that does not exist, or is not complete.
    Field,
    /// There has to be one `{id:…}`.
    OneId,
    /// Where an id of varying length ends cannot be told: what follows could belong to it.
    OpenEnd,
    /// It matches more than 256 bytes.
    TooLong,
}

impl fmt::Display for PatternFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Escape => r"an escape is one of \r \n \t \xHH \\ \{",
            Self::Field => "a field is {id:15d}, {id:1-20d} (d, x or a) or {any:4}",
            Self::OneId => "there has to be one {id:…}",
            Self::OpenEnd => "what follows an id of varying length could belong to it",
            Self::TooLong => "it matches more than 256 bytes",
        })
    }
}

impl std::error::Error for PatternFault {}

/// What a pattern says of the first bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    No,
    /// More has to come.
    Partial,
    /// It fits so many bytes, and the id stands there.
    Fits {
        length: usize,
        id: std::ops::Range<usize>,
    },
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Where the text is none.
    pub fn parse(text: &str) -> Result<Self, PatternFault> {
        let mut elements = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((&first, behind)) = rest.split_first() {
            rest = behind;
            let element = match first {
                b'\\' => Element::Byte(escape(&mut rest)?),
                b'{' => field(&mut rest)?,
                byte => Element::Byte(byte),
            };
            elements.push(element);
        }
        let pattern = Self(elements);
        pattern.check()?;
        Ok(pattern)
    }

    fn check(&self) -> Result<(), PatternFault> {
        let mut ids = 0;
        let mut longest = 0_usize;
        for (at, element) in self.0.iter().enumerate() {
            longest = longest.saturating_add(match *element {
                Element::Byte(_) => 1,
                Element::Any(count) => count,
                Element::Id { max, .. } => max,
            });
            let &Element::Id { class, min, max } = element else {
                continue;
            };
            ids += 1;
            let closed = match self.0.get(at + 1) {
                None => true,
                Some(Element::Byte(byte)) => !class.has(*byte),
                Some(Element::Any(_) | Element::Id { .. }) => false,
            };
            if min != max && !closed {
                return Err(PatternFault::OpenEnd);
            }
        }
        match (ids, longest) {
            (1, ..=LONGEST) => Ok(()),
            (1, _) => Err(PatternFault::TooLong),
            _ => Err(PatternFault::OneId),
        }
    }

    /// Compares from the first byte. `ended`: nothing more comes for now.
    pub(super) fn fit(&self, bytes: &[u8], ended: bool) -> Fit {
        let open = if ended { Fit::No } else { Fit::Partial };
        let mut at = 0;
        let mut id = 0..0;
        for element in &self.0 {
            let rest = bytes.get(at..).unwrap_or_default();
            match *element {
                Element::Byte(byte) => match rest.first() {
                    Some(first) if *first == byte => at += 1,
                    Some(_) => return Fit::No,
                    None => return open,
                },
                Element::Any(count) if rest.len() < count => return open,
                Element::Any(count) => at += count,
                Element::Id { class, min, max } => {
                    let most = &rest[..rest.len().min(max)];
                    let found = most.iter().take_while(|byte| class.has(**byte)).count();
                    let may_grow = found == rest.len() && found < max;
                    if may_grow && (found < min || !ended) {
                        return open;
                    }
                    if found < min {
                        return Fit::No;
                    }
                    id = at..at + found;
                    at += found;
                }
            }
        }
        Fit::Fits { length: at, id }
    }
}

fn escape(rest: &mut &[u8]) -> Result<u8, PatternFault> {
    let (&letter, behind) = rest.split_first().ok_or(PatternFault::Escape)?;
    *rest = behind;
    match letter {
        b'r' => Ok(b'\r'),
        b'n' => Ok(b'\n'),
        b't' => Ok(b'\t'),
        b'\\' | b'{' => Ok(letter),
        b'x' => {
            let (digits, behind) = rest.split_at_checked(2).ok_or(PatternFault::Escape)?;
            *rest = behind;
            let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(PatternFault::Escape);
            u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?)
                .map_err(|_| PatternFault::Escape)
        }
        _ => Err(PatternFault::Escape),
    }
}

fn field(rest: &mut &[u8]) -> Result<Element, PatternFault> {
    let end = rest
        .iter()
        .position(|byte| *byte == b'}')
        .ok_or(PatternFault::Field)?;
    let inner = std::str::from_utf8(&rest[..end]).map_err(|_| PatternFault::Field)?;
    *rest = &rest[end + 1..];
    let number = |text: &str| match text.parse::<usize>() {
        Ok(number @ 1..=LONGEST) => Ok(number),
        Ok(_) | Err(_) => Err(PatternFault::Field),
    };
    let (name, size) = inner.split_once(':').ok_or(PatternFault::Field)?;
    match name {
        "any" => number(size).map(Element::Any),
        "id" => {
            let (class, size) = [
                ('d', Class::Digits),
                ('x', Class::Hex),
                ('a', Class::Alphanumeric),
            ]
            .into_iter()
            .find_map(|(letter, class)| Some((class, size.strip_suffix(letter)?)))
            .ok_or(PatternFault::Field)?;
            let (min, max) = size.split_once('-').unwrap_or((size, size));
            let (min, max) = (number(min)?, number(max)?);
            (min <= max)
                .then_some(Element::Id { class, min, max })
                .ok_or(PatternFault::Field)
        }
        _ => Err(PatternFault::Field),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id_of<'a>(pattern: &str, bytes: &'a str, ended: bool) -> Option<(&'a str, usize)> {
        match Pattern::parse(pattern)
            .unwrap()
            .fit(bytes.as_bytes(), ended)
        {
            Fit::Fits { length, id } => Some((&bytes[id], length)),
            Fit::No | Fit::Partial => None,
        }
    }

    #[test]
    fn a_pattern_finds_the_id() {
        assert_eq!(
            id_of(r"REG,{id:4d}\r\n", "REG,1234\r\nx", false),
            Some(("1234", 10))
        );
        assert_eq!(
            id_of(r"\x7e{any:2}{id:2x}~", "~zz0F~", false),
            Some(("0F", 6))
        );
        assert_eq!(id_of("{id:1-20d};", "7;", false), Some(("7", 2)));
        assert_eq!(id_of(r"\\\{{id:1-3a}", "\\{ab-", false), Some(("ab", 4)));
        assert_eq!(id_of("{id:1-3d}", "123456", false), Some(("123", 3)));
    }

    #[test]
    fn an_id_of_varying_length_ends_with_the_silence() {
        assert_eq!(id_of("{id:1-20d}", "123", false), None);
        assert_eq!(id_of("{id:1-20d}", "123", true), Some(("123", 3)));
        assert_eq!(id_of("{id:4-20d}", "123", true), None);
    }

    #[test]
    fn what_is_no_pattern_is_refused_by_its_reason() {
        use PatternFault::{Escape, Field, OneId, OpenEnd, TooLong};
        for (text, fault) in [
            ("", OneId),
            ("REG", OneId),
            ("{id:1d}{id:1d}", OneId),
            (r"\q{id:1d}", Escape),
            (r"\x7", Escape),
            ("{id:1d", Field),
            ("{id}", Field),
            ("{id:0d}", Field),
            ("{id:4-2d}", Field),
            ("{id:9z}", Field),
            ("{imei:15d}", Field),
            ("{any:0}", Field),
            ("{id:1-20d}5", OpenEnd),
            ("{id:1-20x}{any:2}", OpenEnd),
            ("{any:250}{id:20d}", TooLong),
        ] {
            assert_eq!(Pattern::parse(text), Err(fault), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_pattern_or_is_none(text in "(\\PC|\\{id:1-9d\\}|\\{any:3\\}|\\\\){0,20}", bytes: Vec<u8>) {
            if let Ok(pattern) = Pattern::parse(&text)
                && let Fit::Fits { length, id } = pattern.fit(&bytes, true)
            {
                prop_assert!(id.end <= length && length <= bytes.len() && !id.is_empty());
            }
        }

        /// What is known of a beginning stays true when more comes.
        #[test]
        fn more_bytes_change_no_verdict(
            text in prop::sample::select(vec!["R{id:1-4d};", "{id:3x}", "{any:2}{id:1-3a}", "AA{id:2d}BB"]),
            bytes in "[RA0-9;B]{0,10}",
            cut in 0_usize..10,
        ) {
            let pattern = Pattern::parse(text).unwrap();
            let begin = &bytes.as_bytes()[..cut.min(bytes.len())];
            let verdict = pattern.fit(begin, false);
            if verdict != Fit::Partial {
                prop_assert_eq!(pattern.fit(bytes.as_bytes(), false), verdict);
            }
        }
    }
}
