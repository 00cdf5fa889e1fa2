//! Messages: ModemManager's properties and our PDUs.
//!
//! MM joins and splits long messages itself and shows no headers. A long message that it received becomes parts
//! again, always the same ones, so that a copy is known as one. Of a long message to be sent each part is a message
//! of its own: MM cannot be given the header that joins them, and to hold parts back until the last one is there
//! would lose them with this process.

use std::collections::HashMap;

use bytes::Bytes;
use dtu_proto::radio::SubmitFailure;
use sms_codec::address::Address;
use sms_codec::pdu::{Deliver, Pdu, Status, StatusReport, Submit, Tpdu};
use sms_codec::split::split;
use sms_codec::udh::{Header, Reference};
use sms_codec::user_data::{Body, UserData};
use sms_codec::validity::Validity;
use zbus::zvariant::Value;

use super::bus::Properties;
use super::words::time_stamp;

/// `MMSmsState`: all of it is there.
const RECEIVED: u32 = 3;
/// `MMSmsPduType`
const DELIVER: u32 = 1;
const STATUS_REPORT: u32 = 3;

/// Whether a message came from the network, and what of it is there: `None` = it is our own, or of no use.
pub(super) fn received(sms: &Properties) -> Option<bool> {
    let came = matches!(sms.number("PduType"), Some(DELIVER | STATUS_REPORT));
    came.then(|| sms.number("State") == Some(RECEIVED))
}

/// The PDUs of a message that was received.
pub(super) fn pdus(sms: &Properties) -> Vec<Bytes> {
    let smsc = sms.text("SMSC").and_then(Address::number);
    let tpdus: Vec<Option<Tpdu>> = match sms.number("PduType") {
        Some(STATUS_REPORT) => vec![report(sms).map(Tpdu::StatusReport)],
        Some(_) | None => parts(sms)
            .into_iter()
            .map(|data| deliver(sms, data).map(Tpdu::Deliver))
            .collect(),
    };
    let encode = |tpdu| {
        Pdu {
            smsc: smsc.clone(),
            tpdu,
        }
        .encode()
        .ok()
    };
    tpdus
        .into_iter()
        .flatten()
        .filter_map(encode)
        .map(Bytes::from)
        .collect()
}

fn parts(sms: &Properties) -> Vec<UserData> {
    let text = sms.text("Text").unwrap_or_default();
    let data = sms.octets("Data").unwrap_or_default();
    let body = if text.is_empty() && !data.is_empty() {
        Body::Octets(data.clone())
    } else {
        Body::text(text)
    };
    // The same message has the same parts whenever it is read, so that a copy is found out.
    let mut sum = crc32fast::Hasher::new();
    for piece in [sms.text("Number"), sms.text("Timestamp"), Some(text)] {
        sum.update(piece.unwrap_or_default().as_bytes());
        sum.update(&[0]);
    }
    sum.update(&data);
    let [_, _, high, low] = sum.finalize().to_be_bytes();
    let reference = Reference::Wide(u16::from_be_bytes([high, low]));
    let whole = UserData::plain(body.clone());
    // 255 parts are more than MM can have joined.
    split(body, Header::default(), reference, u8::MAX).unwrap_or_else(|_| vec![whole])
}

fn deliver(sms: &Properties, data: UserData) -> Option<Deliver> {
    let from = address(sms.text("Number").unwrap_or_default())?;
    let stamp = time_stamp(sms.text("Timestamp").unwrap_or_default());
    let plain = Deliver::new(from, data, stamp);
    let class = sms
        .signed("Class")
        .and_then(|class| u8::try_from(class).ok())
        .filter(|class| *class <= 3);
    Some(Deliver {
        dcs: class.map_or(plain.dcs, |class| plain.dcs.with_class(class)),
        ..plain
    })
}

fn report(sms: &Properties) -> Option<StatusReport> {
    let octet = |name| {
        sms.number(name)
            .and_then(|number| u8::try_from(number).ok())
    };
    Some(StatusReport {
        no_more: true,
        forwarded: false,
        of_command: false,
        reference: octet("MessageReference").unwrap_or_default(),
        to: address(sms.text("Number").unwrap_or_default())?,
        stamp: time_stamp(sms.text("Timestamp").unwrap_or_default()),
        discharge: time_stamp(sms.text("DischargeTimestamp").unwrap_or_default()),
        // MM's states are the status octets, and 256 for none: "no more tries, no reason known" then.
        status: Status(octet("DeliveryState").unwrap_or(0x63)),
        pid: None,
        dcs: None,
        data: None,
    })
}

/// A number, a name, as much of it as a name can hold, or nothing.
fn address(text: &str) -> Option<Address> {
    let short = || {
        text.chars()
            .filter(char::is_ascii)
            .take(11)
            .collect::<String>()
    };
    Address::number(text)
        .or_else(|| Address::name(text))
        .or_else(|| Address::name(&short()))
        .or_else(|| Address::new(UNKNOWN_TYPE, ""))
}

/// What `Messaging.Create` wants for a SUBMIT PDU.
///
/// # Errors
/// What MM cannot send: another PDU, ports, a receiver that is no number.
pub(super) fn create(pdu: &[u8]) -> Result<HashMap<&'static str, Value<'static>>, SubmitFailure> {
    let decoded = Pdu::decode(pdu).map_err(|_| INVALID)?;
    let Tpdu::Submit(submit) = decoded.pdu.tpdu else {
        return Err(INVALID);
    };
    if submit
        .data
        .header
        .as_ref()
        .is_some_and(|header| header.ports().is_some())
    {
        return Err(NOT_SUPPORTED);
    }
    let mut wanted = HashMap::from([("number", Value::from(dialled(&submit.to).ok_or(INVALID)?))]);
    wanted.insert(
        if submit.data.text().is_some() {
            "text"
        } else {
            "data"
        },
        content(&submit),
    );
    if let Some(center) = decoded.pdu.smsc.as_ref().and_then(dialled) {
        wanted.insert("smsc", Value::from(center));
    }
    if submit.report {
        wanted.insert("delivery-report-request", Value::from(true));
    }
    if let Some(class) = submit.dcs.class() {
        wanted.insert("class", Value::from(i32::from(class)));
    }
    if let Some(minutes) = minutes(submit.validity) {
        wanted.insert("validity", Value::from((RELATIVE, Value::from(minutes))));
    }
    Ok(wanted)
}

fn content(submit: &Submit) -> Value<'static> {
    match (submit.data.text(), &submit.data.body) {
        (Some(text), _) => Value::from(text),
        (None, Body::Octets(octets)) => Value::from(octets.clone()),
        (None, Body::Septets(_) | Body::Ucs2(_)) => Value::from(String::new()),
    }
}

fn minutes(validity: Validity) -> Option<u32> {
    validity
        .period()
        .and_then(|period| u32::try_from(period.as_secs() / 60).ok())
        .filter(|minutes| *minutes > 0)
}

/// As a person writes it.
fn dialled(address: &Address) -> Option<String> {
    let plus = if address.type_of_address() & 0x70 == 0x10 {
        "+"
    } else {
        ""
    };
    (!address.is_name() && !address.text().is_empty()).then(|| format!("{plus}{}", address.text()))
}

/// Type of number and numbering plan not known.
const UNKNOWN_TYPE: u8 = 0x81;
/// `MM_SMS_VALIDITY_TYPE_RELATIVE`, in minutes.
const RELATIVE: u32 = 1;
const INVALID: SubmitFailure = SubmitFailure(304);
const NOT_SUPPORTED: SubmitFailure = SubmitFailure(303);
