//! PDUs of other programs, of phones and of the manual, both ways: each case of `data/sms_vectors.json`.
#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

use serde_json::{Map, Value, json};
use sms_codec::address::Address;
use sms_codec::dcs::{Alphabet, Dcs};
use sms_codec::gsm7::{self, Shifts};
use sms_codec::hex;
use sms_codec::pdu::{Pdu, Submit, Tpdu};
use sms_codec::time::TimeStamp;
use sms_codec::udh::Header;
use sms_codec::user_data::{Body, UserData};
use sms_codec::validity::Validity;

#[test]
fn every_vector_decodes_to_its_fields_and_encodes_to_its_octets() {
    let file: Value = serde_json::from_str(include_str!("data/sms_vectors.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 91);
    let faults: Vec<String> = vectors.iter().flat_map(faults_of).collect();
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

fn faults_of(vector: &Value) -> Vec<String> {
    let octets = hex::decode(vector["pdu"].as_str().unwrap()).unwrap();
    let faults = match vector["kind"].as_str().unwrap() {
        "decode" => decode_faults(vector, &octets),
        "encode" => [
            decode_faults(vector, &octets),
            encode_faults(vector, &octets),
        ]
        .concat(),
        "gsm7" => septet_faults(&vector["fields"], &octets),
        "decode-error" => {
            Pdu::decode(&octets).map_or_else(|_| Vec::new(), |there| vec![format!("{there:?}")])
        }
        kind => vec![format!("unknown kind {kind}")],
    };
    faults
        .into_iter()
        .map(|fault| format!("{}: {fault}", vector["id"].as_str().unwrap()))
        .collect()
}

fn decode_faults(vector: &Value, octets: &[u8]) -> Vec<String> {
    let decoded = match Pdu::decode(octets) {
        Ok(decoded) => decoded,
        Err(error) => return vec![error.to_string()],
    };
    let Pdu { smsc, tpdu } = &decoded.pdu;
    let mut fields = Map::new();
    fields.insert("smsc".into(), smsc.as_ref().map(ToString::to_string).into());
    let (kind, direction) = fields_of(tpdu, &mut fields);
    let mut faults = Vec::new();
    let mut compare = |name: &str, got: &Value, wanted: &Value| {
        if got != wanted {
            faults.push(format!("{name} is {got}, must be {wanted}"));
        }
    };
    compare("type", &json!(kind), &vector["type"]);
    compare("direction", &json!(direction), &vector["direction"]);
    compare(
        "tpdu_len",
        &json!(octets.len() - 1 - usize::from(octets[0])),
        &vector["tpdu_len"],
    );
    for (name, wanted) in vector["fields"].as_object().unwrap() {
        compare(name, fields.get(name).unwrap_or(&json!("absent")), wanted);
    }
    let lenient = tagged(vector, "lenient");
    compare(
        "whole",
        &json!(decoded.missing == 0 && decoded.surplus == 0),
        &json!(!lenient),
    );
    let rewritten = lenient || REWRITTEN.contains(&vector["id"].as_str().unwrap());
    match decoded.pdu.encode() {
        Ok(again) if (again == octets) != rewritten => {
            let again = Pdu::decode(&again).map(|again| again.pdu);
            if again.as_ref() != Ok(&decoded.pdu) {
                faults.push(format!("does not come back: {again:?}"));
            }
        }
        again => faults.push(format!(
            "encodes to {:?}",
            again.map(|octets| hex::encode(&octets))
        )),
    }
    faults
}

/// Octets that mean the same, written otherwise: a name of four septets under 8 semi-octets, where 7 are right; a set
/// bit in the padding behind a header.
const REWRITTEN: [&str; 2] = ["smspdu-alpha", "mm-multi1"];

fn tagged(vector: &Value, tag: &str) -> bool {
    vector["tags"].as_array().unwrap().contains(&json!(tag))
}

/// Fills in the fields and gives the type and the direction.
fn fields_of(tpdu: &Tpdu, fields: &mut Map<String, Value>) -> (&'static str, &'static str) {
    let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    let mut address = |address: &Address| {
        set("address", json!(address.to_string()));
        set("toa", json!(address.type_of_address()));
    };
    match tpdu {
        Tpdu::Deliver(deliver) => {
            address(&deliver.from);
            set("mms", json!(deliver.no_more));
            set("sri", json!(deliver.report));
            set("rp", json!(deliver.reply_path));
            set("pid", json!(deliver.pid));
            set("scts", json!(deliver.stamp.to_string()));
            data_fields(&deliver.data, deliver.dcs, fields);
            ("deliver", "mt")
        }
        Tpdu::Submit(submit) => {
            address(&submit.to);
            set("mr", json!(submit.reference));
            set("rd", json!(submit.reject_duplicates));
            set("srr", json!(submit.report));
            set("rp", json!(submit.reply_path));
            set("pid", json!(submit.pid));
            set("vpf", json!(submit.validity.format()));
            set("vp", validity(submit.validity));
            data_fields(&submit.data, submit.dcs, fields);
            ("submit", "mo")
        }
        Tpdu::StatusReport(report) => {
            address(&report.to);
            set("mr", json!(report.reference));
            set("scts", json!(report.stamp.to_string()));
            set("discharge", json!(report.discharge.to_string()));
            set("status", json!(report.status.0));
            ("status-report", "mt")
        }
    }
}

fn validity(validity: Validity) -> Value {
    match validity {
        Validity::Network => Value::Null,
        Validity::Relative(octet) => json!(octet),
        Validity::Enhanced(octets) | Validity::Absolute(TimeStamp(octets)) => {
            json!(hex::encode(&octets))
        }
    }
}

fn data_fields(data: &UserData, dcs: Dcs, fields: &mut Map<String, Value>) {
    let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    set("dcs", json!(dcs.0));
    set("udl", json!(data.length()));
    let alphabet = match dcs.alphabet() {
        Alphabet::Gsm7 => "gsm7",
        Alphabet::Octets => "8bit",
        Alphabet::Ucs2 => "ucs2",
    };
    set("alphabet", json!(alphabet));
    match &data.body {
        Body::Octets(octets) => set("data", json!(hex::encode(octets))),
        Body::Septets(_) | Body::Ucs2(_) => set("text", json!(data.text())),
    };
    if let Some(header) = &data.header {
        set("udh", json!(hex::encode(&header.octets())));
        if let Some(concat) = header.concat() {
            let reference = concat.reference.number();
            set(
                "concat",
                json!({ "ref": reference, "total": concat.total, "seq": concat.part }),
            );
        }
    }
}

/// Builds the message from the fields alone.
fn encode_faults(vector: &Value, octets: &[u8]) -> Vec<String> {
    let fields = &vector["fields"];
    let number = |name: &str| u8::try_from(fields[name].as_u64().unwrap()).unwrap();
    let flag = |name: &str| fields[name].as_bool().unwrap();
    let address = |name: &str| {
        fields[name]
            .as_str()
            .map(|text| Address::number(text).unwrap())
    };
    let text = fields["text"].as_str().unwrap();
    let dcs = Dcs(number("dcs"));
    let body = match dcs.alphabet() {
        Alphabet::Gsm7 => Body::gsm7(text, Shifts::default()).unwrap(),
        Alphabet::Ucs2 => Body::ucs2(text),
        Alphabet::Octets => panic!("no such vector"),
    };
    let validity = match number("vpf") {
        0 => Validity::Network,
        2 => Validity::Relative(number("vp")),
        format => panic!("no such vector: {format}"),
    };
    let header = fields["udh"]
        .as_str()
        .map(|udh| Header::new(&hex::decode(udh).unwrap()[1..]));
    let submit = Submit {
        reject_duplicates: flag("rd"),
        report: flag("srr"),
        reply_path: flag("rp"),
        reference: number("mr"),
        pid: number("pid"),
        dcs,
        validity,
        ..Submit::new(address("address").unwrap(), UserData { header, body })
    };
    let pdu = Pdu {
        smsc: address("smsc"),
        tpdu: Tpdu::Submit(submit),
    };
    match pdu.encode() {
        Ok(encoded) if encoded == octets => Vec::new(),
        encoded => vec![format!(
            "the fields encode to {:?}",
            encoded.map(|octets| hex::encode(&octets))
        )],
    }
}

fn septet_faults(fields: &Value, octets: &[u8]) -> Vec<String> {
    let (text, count) = (
        fields["text"].as_str().unwrap(),
        fields["septets"].as_u64().unwrap(),
    );
    let septets = gsm7::unpack(octets, 0, usize::try_from(count).unwrap());
    let read = gsm7::decode(&septets, Shifts::default());
    let packed = gsm7::encode(text, Shifts::default()).map(|septets| gsm7::pack(&[], &septets));
    let mut faults = Vec::new();
    if read != text {
        faults.push(format!("reads {read:?}, must be {text:?}"));
    }
    if packed.as_deref() != Ok(octets) {
        faults.push(format!("packs to {packed:02X?}"));
    }
    faults
}
