//! A PDU as a JSON object, in the field names of `crates/sms-codec/tests/it/data/sms_vectors.json`.

use serde_json::{Map, Value, json};
use sms_codec::address::Address;
use sms_codec::dcs::{Alphabet, Dcs};
use sms_codec::hex;
use sms_codec::pdu::{Decoded, Deliver, Outcome, StatusReport, Submit, Tpdu};
use sms_codec::time::TimeStamp;
use sms_codec::udh::Header;
use sms_codec::user_data::{Body, UserData};
use sms_codec::validity::Validity;

type Fields = Map<String, Value>;

/// All that the PDU says.
pub(super) fn object(octets: &[u8], decoded: &Decoded) -> Value {
    let (kind, direction) = match decoded.pdu.tpdu {
        Tpdu::Deliver(_) => ("deliver", "mt"),
        Tpdu::Submit(_) => ("submit", "mo"),
        Tpdu::StatusReport(_) => ("status-report", "mt"),
    };
    let center = octets.first().map_or(0, |length| usize::from(*length) + 1);
    let mut fields = Fields::new();
    set(&mut fields, "pdu", hex::encode(octets));
    set(&mut fields, "type", kind);
    set(&mut fields, "direction", direction);
    set(&mut fields, "tpdu_len", octets.len().saturating_sub(center));
    set(
        &mut fields,
        "smsc",
        decoded.pdu.smsc.as_ref().map(ToString::to_string),
    );
    match &decoded.pdu.tpdu {
        Tpdu::Deliver(deliver) => deliver_fields(&mut fields, deliver),
        Tpdu::Submit(submit) => submit_fields(&mut fields, submit),
        Tpdu::StatusReport(report) => report_fields(&mut fields, report),
    }
    for (name, count) in [("missing", decoded.missing), ("surplus", decoded.surplus)] {
        if count > 0 {
            set(&mut fields, name, count);
        }
    }
    Value::Object(fields)
}

fn deliver_fields(fields: &mut Fields, deliver: &Deliver) {
    address(fields, &deliver.from);
    set(fields, "scts", deliver.stamp.to_string());
    set(fields, "mms", deliver.no_more);
    set(fields, "lp", deliver.forwarded);
    set(fields, "sri", deliver.report);
    set(fields, "rp", deliver.reply_path);
    set(fields, "pid", deliver.pid);
    user_data(fields, &deliver.data, deliver.dcs);
}

fn submit_fields(fields: &mut Fields, submit: &Submit) {
    address(fields, &submit.to);
    set(fields, "mr", submit.reference);
    set(fields, "rd", submit.reject_duplicates);
    set(fields, "srr", submit.report);
    set(fields, "rp", submit.reply_path);
    set(fields, "vpf", submit.validity.format());
    let validity = match submit.validity {
        Validity::Network => Value::Null,
        Validity::Relative(octet) => json!(octet),
        Validity::Enhanced(octets) | Validity::Absolute(TimeStamp(octets)) => {
            json!(hex::encode(&octets))
        }
    };
    set(fields, "vp", validity);
    set(fields, "pid", submit.pid);
    user_data(fields, &submit.data, submit.dcs);
}

fn report_fields(fields: &mut Fields, report: &StatusReport) {
    address(fields, &report.to);
    set(fields, "mr", report.reference);
    set(fields, "scts", report.stamp.to_string());
    set(fields, "discharge", report.discharge.to_string());
    set(fields, "status", report.status.0);
    let outcome = match report.status.outcome() {
        Outcome::Delivered => "delivered",
        Outcome::Trying => "trying",
        Outcome::Failed => "failed",
    };
    set(fields, "outcome", outcome);
    set(fields, "mms", report.no_more);
    set(fields, "lp", report.forwarded);
    set(fields, "srq", report.of_command);
    if let Some(pid) = report.pid {
        set(fields, "pid", pid);
    }
    if let Some(data) = &report.data {
        user_data(fields, data, report.dcs.unwrap_or_default());
    } else if let Some(dcs) = report.dcs {
        set(fields, "dcs", dcs.0);
    }
}

fn address(fields: &mut Fields, address: &Address) {
    set(fields, "address", address.to_string());
    set(fields, "toa", address.type_of_address());
}

fn user_data(fields: &mut Fields, data: &UserData, dcs: Dcs) {
    let alphabet = match dcs.alphabet() {
        Alphabet::Gsm7 => "gsm7",
        Alphabet::Octets => "8bit",
        Alphabet::Ucs2 => "ucs2",
    };
    set(fields, "dcs", dcs.0);
    set(fields, "alphabet", alphabet);
    if let Some(class) = dcs.class() {
        set(fields, "class", class);
    }
    set(fields, "udl", data.length());
    if let Some(header) = &data.header {
        header_fields(fields, header);
    }
    match &data.body {
        Body::Octets(octets) => set(fields, "data", hex::encode(octets)),
        Body::Septets(_) | Body::Ucs2(_) => set(fields, "text", data.text()),
    }
}

fn header_fields(fields: &mut Fields, header: &Header) {
    set(fields, "udh", hex::encode(&header.octets()));
    if let Some(concat) = header.concat() {
        let reference = concat.reference.number();
        set(
            fields,
            "concat",
            json!({ "ref": reference, "total": concat.total, "seq": concat.part }),
        );
    }
    if let Some(ports) = header.ports() {
        set(
            fields,
            "ports",
            json!({ "to": ports.to, "from": ports.from }),
        );
    }
}

fn set(fields: &mut Fields, name: &str, value: impl Into<Value>) {
    fields.insert(name.to_owned(), value.into());
}
