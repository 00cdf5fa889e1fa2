//! Any bytes as a PDU. Nothing panics; what can be read can be written, and then reads the same; the text of what was
//! read can be split and joined; parts in any order never break the bounds.
#![no_main]

use core::time::Duration;
use libfuzzer_sys::fuzz_target;
use sms_codec::address::Address;
use sms_codec::join::{Concatenation, Content, Limits, Outcome, Part, join};
use sms_codec::pdu::{Pdu, Tpdu};
use sms_codec::split::split;
use sms_codec::time::TimeStamp;
use sms_codec::udh::{Header, Reference};
use sms_codec::user_data::{Body, UserData};

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
fn check_bounds(sender: &Address, data: &UserData, octets: &[u8]) {
    let limits = Limits {
        messages: 3,
        parts: 7,
        finished: 2,
        hold: Duration::from_secs(5),
        ghost: Duration::from_secs(2),
    };
    let mut concatenation = Concatenation::new(limits);
    let mut came = 0;
    let mut left = 0;
    for (second, octet) in (0..).zip(octets) {
        let now = Duration::from_secs(second);
        while let Some(incomplete) = concatenation.expire(now) {
            left += incomplete.parts.iter().flatten().count();
        }
        let header = [0, 3, octet >> 6, (octet >> 3 & 7) + 1, (octet & 7) + 1];
        let Some(concat) = Header::new(&header).concat() else { continue };
        let stamp = TimeStamp([*octet; 7]);
        let arrival = concatenation.insert(Part { sender, concat, stamp, value: data }, now);
        came += 1;
        if let Outcome::Complete(parts) = arrival.outcome {
            left += parts.len();
        }
        left += arrival.given_up.iter().flat_map(|incomplete| incomplete.parts.iter().flatten()).count();
        assert!(concatenation.held().count() <= limits.parts);
        assert!(concatenation.poll_timeout().is_none_or(|at| at > now));
    }
    // Also those that waited as copies and went without a word.
    left += usize::try_from(concatenation.counters().duplicates).expect("no more than came");
    assert_eq!(came, left + concatenation.held().count(), "each part is held, handed on or counted");
}
