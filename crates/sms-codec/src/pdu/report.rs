//! Status reports: 3GPP TS 23.040 9.2.2.3.

use alloc::vec::Vec;
use core::fmt;

use super::{EncodeError, HEADER, LOOP, MORE, REPORT, STATUS_REPORT, bits, write_data};
use crate::address::Address;
use crate::dcs::Dcs;
use crate::reader::{DecodeError, Reader};
use crate::time::TimeStamp;
use crate::user_data::UserData;

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StatusReport {
    /// No more messages wait in the service centre (the bit TP-MMS as it is sent).
    pub no_more: bool,
    /// Forwarded already (TP-LP).
    pub forwarded: bool,
    /// The report answers a command, not a message (TP-SRQ).
    pub of_command: bool,
    /// The reference that the message was given.
    pub reference: u8,
    /// Whom the message was for.
    pub to: Address,
    /// When the service centre got the message.
    pub stamp: TimeStamp,
    /// When it was delivered, or last tried.
    pub discharge: TimeStamp,
    /// What became of it.
    pub status: Status,
    /// Protocol identifier, where the report has one.
    pub pid: Option<u8>,
    /// Coding of the user data, where the report has one.
    pub dcs: Option<Dcs>,
    /// User data, where the report has some.
    pub data: Option<UserData>,
}

/// The status octet (9.2.3.15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Status(pub u8);

/// What a status says about the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// Not yet; the service centre goes on trying.
    Trying,
    /// Not delivered, and no longer tried.
    Failed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delivered => "delivered",
            Self::Trying => "not delivered yet, the service centre goes on trying",
            Self::Failed => "not delivered",
        })
    }
}

impl Status {
    /// What it says; reserved values count as failed, as the clause wants of reasons it does not name.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self.0 {
            0x00..=0x1F => Outcome::Delivered,
            0x20..=0x3F => Outcome::Trying,
            _ => Outcome::Failed,
        }
    }
}

impl StatusReport {
    pub(super) fn read(reader: &mut Reader<'_>, first: u8) -> Result<(Self, usize), DecodeError> {
        let mut report = Self {
            no_more: first & MORE != 0,
            forwarded: first & LOOP != 0,
            of_command: first & REPORT != 0,
            reference: reader.octet("the message reference")?,
            to: Address::read(reader)?,
            stamp: reader.array("the time stamp").map(TimeStamp)?,
            discharge: reader.array("the discharge time").map(TimeStamp)?,
            status: reader.octet("the status").map(Status)?,
            pid: None,
            dcs: None,
            data: None,
        };
        // What follows is optional. Octets that are none of it are no reason to lose the report.
        let mut ahead = reader.clone();
        let mut missing = 0;
        if let Ok(optional) = Optional::read(&mut ahead, first & HEADER != 0) {
            *reader = ahead;
            (report.pid, report.dcs, report.data) = (optional.pid, optional.dcs, optional.data);
            missing = optional.missing;
        }
        Ok((report, missing))
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let header = self.data.as_ref().is_some_and(|data| data.header.is_some());
        let flags = [
            (MORE, self.no_more),
            (LOOP, self.forwarded),
            (REPORT, self.of_command),
            (HEADER, header),
        ];
        let mut octets = Vec::from([STATUS_REPORT | bits(flags), self.reference]);
        self.to.write(&mut octets);
        octets.extend(self.stamp.0);
        octets.extend(self.discharge.0);
        octets.push(self.status.0);
        let there = [
            (HAS_PID, self.pid.is_some()),
            (HAS_DCS, self.dcs.is_some()),
            (HAS_DATA, self.data.is_some()),
        ];
        if bits(there) != 0 {
            octets.push(bits(there));
            octets.extend(self.pid);
            octets.extend(self.dcs.map(|dcs| dcs.0));
        }
        if let Some(data) = &self.data {
            write_data(data, self.dcs.unwrap_or_default(), &mut octets)?;
        }
        Ok(octets)
    }
}

/// The end of a status report: the parameter indicator (9.2.3.27) and what it announces.
#[derive(Default)]
struct Optional {
    pid: Option<u8>,
    dcs: Option<Dcs>,
    data: Option<UserData>,
    missing: usize,
}

impl Optional {
    fn read(reader: &mut Reader<'_>, has_header: bool) -> Result<Self, DecodeError> {
        let mut optional = Self::default();
        if reader.rest().is_empty() {
            return Ok(optional);
        }
        let indicator = reader.octet("the parameter indicator")?;
        let mut more = indicator & EXTENDED;
        while more != 0 {
            more = reader.octet("the parameter indicator")? & EXTENDED;
        }
        if indicator & HAS_PID != 0 {
            optional.pid = Some(reader.octet("the protocol identifier")?);
        }
        if indicator & HAS_DCS != 0 {
            optional.dcs = Some(Dcs(reader.octet("the data coding scheme")?));
        }
        if indicator & HAS_DATA != 0 {
            let (data, missing) =
                UserData::read(reader, optional.dcs.unwrap_or_default(), has_header)?;
            (optional.data, optional.missing) = (Some(data), missing);
        }
        Ok(optional)
    }
}

/// Bits of the parameter indicator.
const HAS_PID: u8 = 1;
const HAS_DCS: u8 = 1 << 1;
const HAS_DATA: u8 = 1 << 2;
const EXTENDED: u8 = 1 << 7;
