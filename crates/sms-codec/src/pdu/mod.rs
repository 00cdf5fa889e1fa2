//! Short messages as PDUs: 3GPP TS 23.040 9.2.2, with the service centre in front as TS 27.005 3.1 wants.

mod deliver;
mod report;
mod submit;

use alloc::vec::Vec;
use core::fmt;

pub use deliver::Deliver;
pub use report::{Outcome, Status, StatusReport};
pub use submit::Submit;

use super::address::Address;
use super::dcs::{Alphabet, Dcs};
use super::reader::{DecodeError, Fault, Reader};
use super::user_data::{LONGEST, UserData};

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
        Ok(Decoded {
            pdu: Self { smsc, tpdu },
            missing,
            surplus: reader.rest().len(),
        })
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
            DELIVER => Deliver::read(reader, first)
                .map(|(deliver, missing)| (Self::Deliver(deliver), missing)),
            SUBMIT => {
                Submit::read(reader, first).map(|(submit, missing)| (Self::Submit(submit), missing))
            }
            STATUS_REPORT => StatusReport::read(reader, first)
                .map(|(report, missing)| (Self::StatusReport(report), missing)),
            _ => Err(reader.fault_behind(Fault::ReservedType)),
        }
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
            Self::Coding { dcs, data } => {
                write!(f, "user data of {data:?} under a coding of {dcs:?}")
            }
        }
    }
}

impl core::error::Error for EncodeError {}

fn write_data(data: &UserData, dcs: Dcs, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let (says, is) = (dcs.alphabet(), data.body.alphabet());
    if says != is {
        return Err(EncodeError::Coding {
            dcs: says,
            data: is,
        });
    }
    let octets = data.octets();
    let length = u8::try_from(data.length())
        .ok()
        .filter(|_| octets.len() <= LONGEST);
    out.push(length.ok_or(EncodeError::TooLong {
        octets: octets.len(),
    })?);
    out.extend(octets);
    Ok(())
}

fn bits<const N: usize>(flags: [(u8, bool); N]) -> u8 {
    flags
        .into_iter()
        .filter(|(_, set)| *set)
        .fold(0, |bits, (bit, _)| bits | bit)
}

/// Message types, and bits of the first octet that more than one of them has.
const DELIVER: u8 = 0;
const SUBMIT: u8 = 1;
const STATUS_REPORT: u8 = 2;
const MORE: u8 = 1 << 2;
const LOOP: u8 = 1 << 3;
const REPORT: u8 = 1 << 5;
const HEADER: u8 = 1 << 6;
const REPLY_PATH: u8 = 1 << 7;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;
    use crate::reader::Fault;
    use crate::user_data::Body;

    fn decoded(text: &str) -> Result<Decoded, DecodeError> {
        Pdu::decode(&hex::decode(text).unwrap())
    }

    fn submit(body: Body) -> Tpdu {
        Tpdu::Submit(Submit::new(
            Address::number("10086").unwrap(),
            UserData::plain(body),
        ))
    }

    #[test]
    fn user_data_has_at_most_160_septets_or_140_octets() {
        let fault = |text| {
            decoded(text)
                .map(|decoded| decoded.missing)
                .map_err(|error| (error.offset, error.fault))
        };
        let too_long = |length, longest| Err((7, Fault::UserDataTooLong { length, longest }));
        assert_eq!(fault("00010001812F0000A0"), Ok(140));
        assert_eq!(fault("00010000810000A1"), too_long(161, 160));
        assert_eq!(fault("000100008100048C"), Ok(140));
        assert_eq!(fault("000100008100088D"), too_long(141, 140));
        let error = EncodeError::TooLong { octets: 141 };
        assert_eq!(
            submit(Body::Octets(Vec::from([0; 141]))).encode(),
            Err(error)
        );
        assert_eq!(
            submit(Body::Septets(Vec::from([0; 161]))).encode(),
            Err(error)
        );
    }

    #[test]
    fn user_data_of_another_alphabet_than_the_coding_is_refused() {
        let Tpdu::Submit(mut submit) = submit(Body::text("泵")) else {
            unreachable!("a submit")
        };
        submit.dcs = Dcs::GSM7;
        let error = EncodeError::Coding {
            dcs: Alphabet::Gsm7,
            data: Alphabet::Ucs2,
        };
        assert_eq!(Tpdu::Submit(submit).encode(), Err(error));
    }

    #[test]
    fn a_status_report_is_read_with_its_optional_end_and_without() {
        let report = |end: &str| {
            let decoded =
                decoded(&["0006D60B911326880736F4111011719551401110117195714000", end].concat())
                    .unwrap();
            let Tpdu::StatusReport(report) = decoded.pdu.tpdu else {
                panic!("not a report")
            };
            (
                report.pid,
                report.dcs,
                report.data.and_then(|data| data.text()),
                decoded.surplus,
            )
        };
        let none = |surplus| (None, None, None, surplus);
        assert_eq!([report(""), report("00")], [none(0), none(0)]);
        let all = (Some(0x39), Some(Dcs::UCS2), Some("好烦".into()), 0);
        assert_eq!(
            [report("07390804597D70E6"), report("8700390804597D70E6")],
            [all.clone(), all]
        );
        assert_eq!([report("0739"), report("FF")], [none(2), none(1)]);
    }

    #[test]
    fn a_status_says_what_became_of_the_message() {
        let outcomes =
            [0x00, 0x1F, 0x20, 0x3F, 0x40, 0x7F, 0x80].map(|status| Status(status).outcome());
        use Outcome::{Delivered, Failed, Trying};
        assert_eq!(
            outcomes,
            [Delivered, Delivered, Trying, Trying, Failed, Failed, Failed]
        );
    }
}
