//! User data: 3GPP TS 23.040 9.2.3.16 (length), 9.2.3.24 (header and padding).

use alloc::string::String;
use alloc::vec::Vec;

use super::dcs::{Alphabet, Dcs};
use super::gsm7::{self, NotInAlphabet, Shifts};
use super::reader::{DecodeError, Fault, Reader};
use super::ucs2;
use super::udh::{Header, Ports};

/// Octets that user data has at most, header and all.
pub const LONGEST: usize = 140;

/// What a message carries: an optional header, and the units of the alphabet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserData {
    /// The header, where the message has one.
    pub header: Option<Header>,
    /// The units.
    pub body: Body,
}

/// Units of one alphabet. Text is made of them only when it is read, so nothing is lost that a text cannot say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// Septets, not packed.
    Septets(Vec<u8>),
    /// UTF-16 units.
    Ucs2(Vec<u16>),
    /// Octets.
    Octets(Vec<u8>),
}

impl Body {
    /// A text in the default alphabet and its extension if they have all its characters, else in UCS2.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::gsm7(text, Shifts::default()).unwrap_or_else(|_| Self::ucs2(text))
    }

    /// A text in 7-bit tables; the header must name them ([`Header::with_shifts`]) unless they are the default.
    ///
    /// # Errors
    ///
    /// The first character that is in neither table.
    pub fn gsm7(text: &str, shifts: Shifts) -> Result<Self, NotInAlphabet> {
        gsm7::encode(text, shifts).map(Self::Septets)
    }

    /// A text in UCS2.
    #[must_use]
    pub fn ucs2(text: &str) -> Self {
        Self::Ucs2(ucs2::encode(text))
    }

    /// The alphabet that the coding scheme must say.
    #[must_use]
    pub const fn alphabet(&self) -> Alphabet {
        match self {
            Self::Septets(_) => Alphabet::Gsm7,
            Self::Ucs2(_) => Alphabet::Ucs2,
            Self::Octets(_) => Alphabet::Octets,
        }
    }

    /// The text; octets have none.
    #[must_use]
    pub fn read(&self, shifts: Shifts) -> Option<String> {
        match self {
            Self::Septets(septets) => Some(gsm7::decode(septets, shifts)),
            Self::Ucs2(units) => Some(ucs2::decode(units)),
            Self::Octets(_) => None,
        }
    }
}

impl UserData {
    /// The application that it is for.
    #[must_use]
    pub fn ports(&self) -> Option<Ports> {
        self.header.as_ref().and_then(Header::ports)
    }

    /// User data without a header.
    #[must_use]
    pub const fn plain(body: Body) -> Self {
        Self { header: None, body }
    }

    /// The national tables that the header names.
    #[must_use]
    pub fn shifts(&self) -> Shifts {
        self.header.as_ref().map(Header::shifts).unwrap_or_default()
    }

    /// The text; octets have none.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        self.body.read(self.shifts())
    }

    /// The user data length: septets of 7-bit text, octets of all else, the header with them.
    #[must_use]
    pub fn length(&self) -> usize {
        let header = self.header.as_ref().map_or(0, Header::size);
        match &self.body {
            Body::Septets(septets) => gsm7::septets_of(header) + septets.len(),
            Body::Ucs2(units) => header + units.len() * 2,
            Body::Octets(octets) => header + octets.len(),
        }
    }

    /// The octets behind the length octet.
    #[must_use]
    pub fn octets(&self) -> Vec<u8> {
        let mut head = self.header.as_ref().map(Header::octets).unwrap_or_default();
        match &self.body {
            Body::Septets(septets) => return gsm7::pack(&head, septets),
            Body::Ucs2(units) => head.extend(ucs2::to_octets(units)),
            Body::Octets(octets) => head.extend(octets),
        }
        head
    }

    /// Reads the length and what follows. User data that ends too early is taken as far as it goes: the second
    /// value is how many octets are missing.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        dcs: Dcs,
        has_header: bool,
    ) -> Result<(Self, usize), DecodeError> {
        let length = reader.octet("the user data length")?;
        let septets = dcs.alphabet() == Alphabet::Gsm7;
        let longest = if septets {
            LONGEST_SEPTETS
        } else {
            LONGEST_OCTETS
        };
        if length > longest {
            return Err(reader.fault_behind(Fault::UserDataTooLong { length, longest }));
        }
        let wanted = usize::from(length);
        let wanted_octets = if septets {
            gsm7::octets_of(wanted)
        } else {
            wanted
        };
        let start = reader.clone();
        let octets = reader.take_up_to(wanted_octets);
        let header = if has_header {
            Some(read_header(&start, octets)?)
        } else {
            None
        };
        let head = header.as_ref().map_or(0, Header::size);
        let body = octets.get(head..).unwrap_or_default();
        let body = match dcs.alphabet() {
            Alphabet::Gsm7 => {
                let first = gsm7::septets_of(head);
                Body::Septets(gsm7::unpack(octets, first, wanted.saturating_sub(first)))
            }
            Alphabet::Ucs2 => Body::Ucs2(ucs2::from_octets(body)),
            Alphabet::Octets => Body::Octets(body.to_vec()),
        };
        Ok((Self { header, body }, wanted_octets - octets.len()))
    }
}

fn read_header(start: &Reader<'_>, octets: &[u8]) -> Result<Header, DecodeError> {
    let mut reader = start.clone();
    let data = octets.len();
    let too_long = |header| start.fault(Fault::HeaderTooLong { header, data });
    let length = usize::from(reader.octet("the user data header's length")?);
    let content = octets.get(1..=length).ok_or_else(|| too_long(length + 1))?;
    Ok(Header::new(content))
}

const LONGEST_OCTETS: u8 = 140;
const LONGEST_SEPTETS: u8 = 160;
