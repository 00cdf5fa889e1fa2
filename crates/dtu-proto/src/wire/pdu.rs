//! Short messages as PDUs: 3GPP TS 23.040 9.2.2, with the service centre in front as TS 27.005 3.1 wants.

use alloc::vec::Vec;
use core::fmt;

use super::address::Address;
use super::dcs::{Alphabet, Dcs};
use super::reader::{DecodeError, Fault, Reader};
use super::time::TimeStamp;
use super::user_data::{LONGEST, UserData};
use super::validity::Validity;

/// A PDU as `AT+CMGS`, `AT+CMGL` and `+CMT` carry it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pdu {
    /// The service centre; `None` leaves it to the modem.
    pub smsc: Option<Address>,
    /// The message.
    pub tpdu: Tpdu,
}

/// A message, by its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Tpdu {
    /// From a phone, through the service centre, to us (9.2.2.1).
    Deliver(Deliver),
    /// From us to the service centre (9.2.2.2).
    Submit(Submit),
    /// What became of a message that we sent (9.2.2.3).
    StatusReport(StatusReport),
}

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

/// A PDU that was read, and how well its length fitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// What was read.
    pub pdu: Pdu,
    /// Octets of user data that the length promises and that are not there.
    pub missing: usize,
    /// Octets behind the end.
    pub surplus: usize,
}

impl Pdu {
    /// Reads a PDU that begins with the service centre. User data that ends too early and octets behind the end are
    /// told, not refused: the text that is there is worth having.
    ///
    /// # Errors
    ///
    /// The first octet that cannot be part of a PDU.
    pub fn decode(octets: &[u8]) -> Result<Decoded, DecodeError> {
        let mut reader = Reader::new(octets);
        let smsc = Address::read_service_center(&mut reader)?;
        let (tpdu, missing) = Tpdu::read(&mut reader)?;
        Ok(Decoded { pdu: Self { smsc, tpdu }, missing, surplus: reader.rest().len() })
    }

    /// The octets, the service centre first.
    ///
    /// # Errors
    ///
    /// User data that is too long, or of another alphabet than its coding scheme says.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut octets = Vec::new();
        Address::write_service_center(self.smsc.as_ref(), &mut octets);
        octets.extend(self.tpdu.encode()?);
        Ok(octets)
    }
}

impl Tpdu {
    /// The octets without a service centre; their number is the length that `AT+CMGS` wants.
    ///
    /// # Errors
    ///
    /// User data that is too long, or of another alphabet than its coding scheme says.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Deliver(deliver) => deliver.encode(),
            Self::Submit(submit) => submit.encode(),
            Self::StatusReport(report) => report.encode(),
        }
    }

    /// The user data, where the message has some.
    #[must_use]
    pub const fn data(&self) -> Option<&UserData> {
        match self {
            Self::Deliver(deliver) => Some(&deliver.data),
            Self::Submit(submit) => Some(&submit.data),
            Self::StatusReport(report) => report.data.as_ref(),
        }
    }

    /// The message, and the octets that its user data misses.
    fn read(reader: &mut Reader<'_>) -> Result<(Self, usize), DecodeError> {
        let first = reader.octet("the first octet")?;
        match first & 3 {
            DELIVER => {
                Deliver::read(reader, first).map(|(deliver, missing)| (Self::Deliver(deliver), missing))
            }
            SUBMIT => Submit::read(reader, first).map(|(submit, missing)| (Self::Submit(submit), missing)),
            STATUS_REPORT => StatusReport::read(reader, first)
                .map(|(report, missing)| (Self::StatusReport(report), missing)),
            _ => Err(reader.fault_behind(Fault::ReservedType)),
        }
    }
}

impl Deliver {
    fn read(reader: &mut Reader<'_>, first: u8) -> Result<(Self, usize), DecodeError> {
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

    fn encode(&self) -> Result<Vec<u8>, EncodeError> {
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

    fn read(reader: &mut Reader<'_>, first: u8) -> Result<(Self, usize), DecodeError> {
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

    fn encode(&self) -> Result<Vec<u8>, EncodeError> {
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

impl StatusReport {
    fn read(reader: &mut Reader<'_>, first: u8) -> Result<(Self, usize), DecodeError> {
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

    fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let header = self.data.as_ref().is_some_and(|data| data.header.is_some());
        let flags =
            [(MORE, self.no_more), (LOOP, self.forwarded), (REPORT, self.of_command), (HEADER, header)];
        let mut octets = Vec::from([STATUS_REPORT | bits(flags), self.reference]);
        self.to.write(&mut octets);
        octets.extend(self.stamp.0);
        octets.extend(self.discharge.0);
        octets.push(self.status.0);
        let there =
            [(HAS_PID, self.pid.is_some()), (HAS_DCS, self.dcs.is_some()), (HAS_DATA, self.data.is_some())];
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
            let (data, missing) = UserData::read(reader, optional.dcs.unwrap_or_default(), has_header)?;
            (optional.data, optional.missing) = (Some(data), missing);
        }
        Ok(optional)
    }
}

/// Why a message cannot be a PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// More user data than a message holds.
    TooLong {
        /// Octets, the header with them; 140 fit.
        octets: usize,
    },
    /// The coding scheme says another alphabet than the user data is in.
    Coding {
        /// What the coding scheme says.
        dcs: Alphabet,
        /// What the user data is.
        data: Alphabet,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { octets } => write!(f, "user data of {octets} octets, {LONGEST} fit"),
            Self::Coding { dcs, data } => write!(f, "user data of {data:?} under a coding of {dcs:?}"),
        }
    }
}

impl core::error::Error for EncodeError {}

fn write_data(data: &UserData, dcs: Dcs, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let (says, is) = (dcs.alphabet(), data.body.alphabet());
    if says != is {
        return Err(EncodeError::Coding { dcs: says, data: is });
    }
    let octets = data.octets();
    let length = u8::try_from(data.length()).ok().filter(|_| octets.len() <= LONGEST);
    out.push(length.ok_or(EncodeError::TooLong { octets: octets.len() })?);
    out.extend(octets);
    Ok(())
}

fn bits<const N: usize>(flags: [(u8, bool); N]) -> u8 {
    flags.into_iter().filter(|(_, set)| *set).fold(0, |bits, (bit, _)| bits | bit)
}

const DELIVER: u8 = 0;
const SUBMIT: u8 = 1;
const STATUS_REPORT: u8 = 2;

/// Bits of the first octet; a bit has other meanings in other types.
const MORE: u8 = 1 << 2;
const REJECT_DUPLICATES: u8 = 1 << 2;
const LOOP: u8 = 1 << 3;
const VALIDITY_SHIFT: u8 = 3;
const REPORT: u8 = 1 << 5;
const HEADER: u8 = 1 << 6;
const REPLY_PATH: u8 = 1 << 7;

/// Bits of the parameter indicator.
const HAS_PID: u8 = 1;
const HAS_DCS: u8 = 1 << 1;
const HAS_DATA: u8 = 1 << 2;
const EXTENDED: u8 = 1 << 7;
