//! Any bytes as a PDU. Nothing panics; what can be read can be written, and then reads the same; the text of what was
//! read can be split and joined; parts in any order never break the bounds.
#![no_main]

use dtu_proto::time::{Duration, Instant};
use dtu_proto::wire::join::{Concatenation, Content, Limits, Part, join};
use dtu_proto::wire::pdu::{Pdu, Tpdu};
use dtu_proto::wire::split::split;
use dtu_proto::wire::udh::{Header, Reference};
use dtu_proto::wire::user_data::{Body, UserData};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(decoded) = Pdu::decode(octets) else { return };
    let pdu = decoded.pdu;
    let again = pdu.encode().expect("what was read can be written");
    let again = Pdu::decode(&again).expect("what was written can be read");
    assert_eq!((again.pdu, again.missing, again.surplus), (pdu.clone(), 0, 0));
    if let Some(text) = pdu.tpdu.data().and_then(UserData::text) {
        check_split(&text);
    }
    if let Tpdu::Deliver(deliver) = pdu.tpdu {
        check_bounds(&deliver.from, &deliver.data, octets);
    }
});

fn check_split(text: &str) {
    let long = text.repeat(5);
    let Ok(parts) = split(Body::text(&long), Header::default(), Reference::Wide(1), 255) else { return };
    assert!(parts.iter().all(|part| part.octets().len() <= 140));
    assert_eq!(join(&parts), Content::Text(long));
}

/// The octets choose which parts come.
fn check_bounds(sender: &dtu_proto::wire::address::Address, data: &UserData, octets: &[u8]) {
    let limits = Limits { messages: 3, parts: 7, finished: 2, hold: Duration::from_secs(5) };
    let mut concatenation = Concatenation::new(limits);
    let mut came = 0;
    let mut left = 0;
    for (second, octet) in (0..).zip(octets) {
        let now = Instant::from_millis(second * 1000);
        while let Some(incomplete) = concatenation.expire(now) {
            left += incomplete.parts.iter().flatten().count();
        }
        let header = [0, 3, octet >> 6, (octet >> 3 & 7) + 1, (octet & 7) + 1];
        let Some(concat) = Header::new(&header).concat() else { continue };
        let stamp = dtu_proto::wire::time::TimeStamp([*octet; 7]);
        let arrival = concatenation.insert(Part { sender, concat, stamp, value: data }, now);
        came += 1;
        left += match arrival.outcome {
            dtu_proto::wire::join::Outcome::Complete(parts) => parts.len(),
            dtu_proto::wire::join::Outcome::Waiting => 0,
            dtu_proto::wire::join::Outcome::Duplicate => 1,
        };
        left += arrival.given_up.iter().flat_map(|incomplete| incomplete.parts.iter().flatten()).count();
        assert!(concatenation.held().count() <= limits.parts);
        assert!(concatenation.poll_timeout().is_none_or(|at| at > now));
    }
    assert_eq!(came, left + concatenation.held().count(), "each part is held, handed on or counted");
}
