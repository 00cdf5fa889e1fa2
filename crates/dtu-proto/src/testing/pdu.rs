//! PDUs as a modem brings and takes them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

use alloc::vec::Vec;
use bytes::Bytes;
use sms_codec::address::Address;
use sms_codec::pdu::{Deliver, Pdu, Status, StatusReport, Submit, Tpdu};
use sms_codec::split::split;
use sms_codec::time::{Civil, TimeStamp};
use sms_codec::udh::{Header, Reference};
use sms_codec::user_data::{Body, UserData};

use crate::radio::PhoneNumber;

/// A phone number.
///
/// # Panics
/// It is none.
#[must_use]
pub fn number(text: &str) -> PhoneNumber {
    PhoneNumber::new(text).unwrap()
}

/// The SMS-SUBMIT of a PDU.
///
/// # Panics
/// It is another one.
#[must_use]
pub fn submit_of(pdu: &[u8]) -> Submit {
    match Pdu::decode(pdu).unwrap().pdu.tpdu {
        Tpdu::Submit(submit) => submit,
        Tpdu::Deliver(_) | Tpdu::StatusReport(_) => panic!("not to be sent"),
    }
}

/// The status report to a message: delivered.
///
/// # Panics
/// `to` is no number.
#[must_use]
pub fn report(to: &str, reference: u8) -> Bytes {
    let (to, stamp) = (Address::number(to).unwrap(), stamp(0));
    let report = StatusReport {
        no_more: true,
        forwarded: false,
        of_command: false,
        reference,
        to,
        stamp,
        discharge: stamp,
        status: Status(0),
        pid: None,
        dcs: None,
        data: None,
    };
    Bytes::from(
        Pdu {
            smsc: None,
            tpdu: Tpdu::StatusReport(report),
        }
        .encode()
        .unwrap(),
    )
}

/// 2014-09-10, so many seconds after 15:00:00, in China.
///
/// # Panics
/// That is not the same day any more.
#[must_use]
pub fn stamp(seconds: u32) -> TimeStamp {
    let part = |value: u32| u8::try_from(value).unwrap();
    let (hour, minute, second) = (15 + seconds / 3600, seconds / 60 % 60, seconds % 60);
    let (hour, minute, second) = (part(hour), part(minute), part(second));
    TimeStamp::of(Civil {
        year: 2014,
        month: 9,
        day: 10,
        hour,
        minute,
        second,
        zone: 32,
    })
    .unwrap()
}

/// An SMS-DELIVER as the modem brings it.
///
/// # Panics
/// It cannot be encoded.
#[must_use]
pub fn deliver(from: Address, data: UserData, stamp: TimeStamp) -> Bytes {
    let deliver = Deliver::new(from, data, stamp);
    Bytes::from(
        Pdu {
            smsc: None,
            tpdu: Tpdu::Deliver(deliver),
        }
        .encode()
        .unwrap(),
    )
}

/// The same in as many parts as it needs.
///
/// # Panics
/// `from` is no number, or the text is too long.
#[must_use]
pub fn parts(from: &str, body: Body, reference: u8, stamp: TimeStamp) -> Vec<Bytes> {
    let parts = split(body, Header::default(), Reference::Narrow(reference), 255).unwrap();
    parts
        .into_iter()
        .map(|data| deliver(Address::number(from).unwrap(), data, stamp))
        .collect()
}
