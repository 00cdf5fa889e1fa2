//! Reading octets one after the other; every fault knows its place.

use core::fmt;

/// A place in octets that are being decoded.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(octets: &'a [u8]) -> Self {
        Self { octets, at: 0 }
    }

    /// The octets that are left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.octets.get(self.at..).unwrap_or_default()
    }

    pub(super) fn octet(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        self.array(what).map(|[octet]: [u8; 1]| octet)
    }

    pub(super) fn array<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        let octets = self.take(N, what)?;
        // A slice of N octets always fits.
        octets.try_into().map_err(|_| {
            self.fault(Fault::Ends {
                what,
                wants: N,
                left: octets.len(),
            })
        })
    }

    pub(super) fn take(
        &mut self,
        count: usize,
        what: &'static str,
    ) -> Result<&'a [u8], DecodeError> {
        let rest = self.rest();
        let taken = rest.get(..count);
        let taken = taken.ok_or_else(|| {
            self.fault(Fault::Ends {
                what,
                wants: count,
                left: rest.len(),
            })
        })?;
        self.at += count;
        Ok(taken)
    }

    /// Up to `count` octets, fewer where no more are there.
    pub(super) fn take_up_to(&mut self, count: usize) -> &'a [u8] {
        let rest = self.rest();
        let taken = rest.get(..count).unwrap_or(rest);
        self.at += taken.len();
        taken
    }

    /// A fault of the octet that comes next.
    pub(super) const fn fault(&self, fault: Fault) -> DecodeError {
        DecodeError {
            offset: self.at,
            fault,
        }
    }

    /// A fault of the octet that was read last.
    pub(super) const fn fault_behind(&self, fault: Fault) -> DecodeError {
        DecodeError {
            offset: self.at.saturating_sub(1),
            fault,
        }
    }
}

/// Why octets are no PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The octet at fault, counted from 0.
    pub offset: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with an octet of a PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The PDU ends where more must come.
    Ends {
        /// What was to come.
        what: &'static str,
        /// Octets it takes.
        wants: usize,
        /// Octets that are left.
        left: usize,
    },
    /// Message type 3 is reserved (TS 23.040 9.2.3.1).
    ReservedType,
    /// An address has at most 20 semi-octets (TS 23.040 9.1.2.5), a service centre 11 octets (TS 24.011 8.2.5.2).
    AddressTooLong {
        /// The length that came.
        length: u8,
        /// The longest.
        longest: u8,
    },
    /// The filler 1111 stands where a digit must be.
    NoDigit,
    /// User data has at most 140 octets: 160 septets.
    UserDataTooLong {
        /// The length that came, in septets or octets.
        length: u8,
        /// The longest, in the same units.
        longest: u8,
    },
    /// The user data header is longer than the user data.
    HeaderTooLong {
        /// Octets of the header, its length octet with it.
        header: usize,
        /// Octets of the user data.
        data: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "octet {}: {}", self.offset, self.fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ends { what, wants, left } => {
                write!(f, "the PDU ends: {what} takes {wants}, {left} left")
            }
            Self::ReservedType => write!(f, "message type 3 is reserved"),
            Self::AddressTooLong { length, longest } => {
                write!(f, "an address length is at most {longest}, got {length}")
            }
            Self::NoDigit => write!(f, "a filler (F) where a digit must be"),
            Self::UserDataTooLong { length, longest } => {
                write!(
                    f,
                    "a user data length is at most {longest} here, got {length}"
                )
            }
            Self::HeaderTooLong { header, data } => {
                write!(
                    f,
                    "a user data header of {header} octets in user data of {data}"
                )
            }
        }
    }
}

impl core::error::Error for DecodeError {}
