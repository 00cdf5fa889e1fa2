//! Received messages: 3GPP TS 23.040 9.2.2.1.

use alloc::vec::Vec;

use super::{DELIVER, EncodeError, HEADER, LOOP, MORE, REPLY_PATH, REPORT, bits, write_data};
use crate::address::Address;
use crate::dcs::Dcs;
use crate::reader::{DecodeError, Reader};
use crate::time::TimeStamp;
use crate::user_data::UserData;

/// A message that was received.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Deliver {
    /// No more messages wait in the service centre (the bit TP-MMS as it is sent).
    pub no_more: bool,
    /// Forwarded already, not to be forwarded again (TP-LP).
    pub forwarded: bool,
    /// The sender gets a status report (TP-SRI).
    pub report: bool,
    /// A reply may take the way that this message came (TP-RP).
    pub reply_path: bool,
    /// The sender.
    pub from: Address,
    /// Protocol identifier.
    pub pid: u8,
    /// Coding of the user data.
    pub dcs: Dcs,
    /// When the service centre got it.
    pub stamp: TimeStamp,
    /// What it carries.
    pub data: UserData,
}

impl Deliver {
    /// A message from `from` that a service centre got at `stamp`, in the plain coding of its user data; no more wait.
    #[must_use]
    pub const fn new(from: Address, data: UserData, stamp: TimeStamp) -> Self {
        Self {
            no_more: true,
            forwarded: false,
            report: false,
            reply_path: false,
            from,
            pid: 0,
            dcs: Dcs::of(data.body.alphabet()),
            stamp,
            data,
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, first: u8) -> Result<(Self, usize), DecodeError> {
        let from = Address::read(reader)?;
        let pid = reader.octet("the protocol identifier")?;
        let dcs = reader.octet("the data coding scheme").map(Dcs)?;
        let stamp = reader.array("the time stamp").map(TimeStamp)?;
        let (data, missing) = UserData::read(reader, dcs, first & HEADER != 0)?;
        let deliver = Self {
            no_more: first & MORE != 0,
            forwarded: first & LOOP != 0,
            report: first & REPORT != 0,
            reply_path: first & REPLY_PATH != 0,
            from,
            pid,
            dcs,
            stamp,
            data,
        };
        Ok((deliver, missing))
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let flags = [
            (MORE, self.no_more),
            (LOOP, self.forwarded),
            (REPORT, self.report),
            (REPLY_PATH, self.reply_path),
            (HEADER, self.data.header.is_some()),
        ];
        let mut octets = Vec::from([DELIVER | bits(flags)]);
        self.from.write(&mut octets);
        octets.extend([self.pid, self.dcs.0]);
        octets.extend(self.stamp.0);
        write_data(&self.data, self.dcs, &mut octets)?;
        Ok(octets)
    }
}
