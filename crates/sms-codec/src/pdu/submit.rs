//! Messages to be sent: 3GPP TS 23.040 9.2.2.2.

use alloc::vec::Vec;

use super::{EncodeError, HEADER, REPLY_PATH, REPORT, SUBMIT, bits, write_data};
use crate::address::Address;
use crate::dcs::Dcs;
use crate::reader::{DecodeError, Reader};
use crate::time::TimeStamp;
use crate::user_data::UserData;
use crate::validity::Validity;

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Submit {
    /// The service centre shall refuse a second message with this reference and receiver (TP-RD).
    pub reject_duplicates: bool,
    /// A status report is asked for (TP-SRR).
    pub report: bool,
    /// A reply may take the way of this message (TP-RP).
    pub reply_path: bool,
    /// Message reference; a modem sets its own.
    pub reference: u8,
    /// The receiver.
    pub to: Address,
    /// Protocol identifier.
    pub pid: u8,
    /// Coding of the user data.
    pub dcs: Dcs,
    /// How long the service centre tries.
    pub validity: Validity,
    /// What it carries.
    pub data: UserData,
}

impl Submit {
    /// A message to `to`, in the plain coding of its user data, with nothing asked for.
    #[must_use]
    pub const fn new(to: Address, data: UserData) -> Self {
        Self {
            reject_duplicates: false,
            report: false,
            reply_path: false,
            reference: 0,
            to,
            pid: 0,
            dcs: Dcs::of(data.body.alphabet()),
            validity: Validity::Network,
            data,
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, first: u8) -> Result<(Self, usize), DecodeError> {
        let reference = reader.octet("the message reference")?;
        let to = Address::read(reader)?;
        let pid = reader.octet("the protocol identifier")?;
        let dcs = reader.octet("the data coding scheme").map(Dcs)?;
        let validity = match first >> VALIDITY_SHIFT & 3 {
            0 => Validity::Network,
            1 => Validity::Enhanced(reader.array("the enhanced validity period")?),
            2 => Validity::Relative(reader.octet("the validity period")?),
            _ => Validity::Absolute(reader.array("the validity time").map(TimeStamp)?),
        };
        let (data, missing) = UserData::read(reader, dcs, first & HEADER != 0)?;
        let submit = Self {
            reject_duplicates: first & REJECT_DUPLICATES != 0,
            report: first & REPORT != 0,
            reply_path: first & REPLY_PATH != 0,
            reference,
            to,
            pid,
            dcs,
            validity,
            data,
        };
        Ok((submit, missing))
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let flags = [
            (REJECT_DUPLICATES, self.reject_duplicates),
            (REPORT, self.report),
            (REPLY_PATH, self.reply_path),
            (HEADER, self.data.header.is_some()),
        ];
        let first = SUBMIT | self.validity.format() << VALIDITY_SHIFT | bits(flags);
        let mut octets = Vec::from([first, self.reference]);
        self.to.write(&mut octets);
        octets.extend([self.pid, self.dcs.0]);
        match self.validity {
            Validity::Network => {}
            Validity::Relative(octet) => octets.push(octet),
            Validity::Enhanced(period) => octets.extend(period),
            Validity::Absolute(until) => octets.extend(until.0),
        }
        write_data(&self.data, self.dcs, &mut octets)?;
        Ok(octets)
    }
}

/// Bits of the first octet that only this type has.
const REJECT_DUPLICATES: u8 = 1 << 2;
const VALIDITY_SHIFT: u8 = 3;
