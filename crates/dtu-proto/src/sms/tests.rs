//! What the mailbox writes it reads back, and what it cannot read it passes over.

use std::format;
use std::string::String;
use std::vec::Vec;

use bytes::Bytes;
use proptest::prelude::*;
use sms_codec::address::Address;
use sms_codec::join::Part;
use sms_codec::pdu::{Deliver, Pdu, Submit, Tpdu};
use sms_codec::time::TimeStamp;
use sms_codec::udh::Header;
use sms_codec::user_data::{Body, UserData};

use super::*;
use crate::radio::PhoneNumber;

const NOW: Instant = Instant::from_millis(5000);

fn deliver(octets: Vec<u8>, header: Option<Header>) -> (Bytes, Deliver) {
    let from = Address::number("+8613800138000").unwrap();
    let data = UserData {
        header,
        body: Body::Octets(octets),
    };
    let stamp = TimeStamp([0x41, 0x90, 1, 0x51, 0x60, 1, 0x23]);
    let deliver = Deliver::new(from, data, stamp);
    let pdu = Pdu {
        smsc: None,
        tpdu: Tpdu::Deliver(deliver.clone()),
    };
    (Bytes::from(pdu.encode().unwrap()), deliver)
}

fn submit(octets: Vec<u8>) -> Bytes {
    let to = Address::number("10086").unwrap();
    let tpdu = Tpdu::Submit(Submit::new(to, UserData::plain(Body::Octets(octets))));
    Bytes::from(Pdu { smsc: None, tpdu }.encode().unwrap())
}

/// One thing that is done to a mailbox.
#[derive(Clone, Debug)]
enum Act {
    Store(Vec<u8>, bool),
    Place(u8, u8, Vec<u8>),
    Delete(u8),
    Overflow(Vec<u8>, bool),
    Part(u8, u8, Vec<u8>),
    Line(bool, Vec<u8>),
    Send(u8, Vec<u8>),
    Remember(u128),
    Reference,
    Used(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let octets = || proptest::collection::vec(any::<u8>(), 0..30);
    prop_oneof![
        (octets(), any::<bool>()).prop_map(|(octets, announced)| Act::Store(octets, announced)),
        (1..=PLACES, 0..4_u8, octets())
            .prop_map(|(index, state, octets)| Act::Place(index, state, octets)),
        (0..=PLACES + 1).prop_map(Act::Delete),
        (octets(), any::<bool>()).prop_map(|(octets, announced)| Act::Overflow(octets, announced)),
        (any::<u8>(), 1..=4_u8, octets())
            .prop_map(|(reference, part, octets)| Act::Part(reference, part, octets)),
        (any::<bool>(), proptest::collection::vec(any::<u8>(), 1..30))
            .prop_map(|(data, bytes)| Act::Line(data, bytes)),
        (1..4_u8, octets()).prop_map(|(parts, octets)| Act::Send(parts, octets)),
        any::<u128>().prop_map(Act::Remember),
        Just(Act::Reference),
        any::<u8>().prop_map(Act::Used),
    ]
}

fn perform(mailbox: &mut Mailbox, act: Act) {
    match act {
        Act::Store(octets, announced) => {
            let _ = mailbox.store(deliver(octets, None).0, announced, NOW);
        }
        Act::Place(index, state, octets) => {
            let state = State::ALL[usize::from(state)];
            mailbox.storage.put_at(
                index,
                Stored {
                    state,
                    announced: false,
                    pdu: submit(octets),
                },
            );
        }
        Act::Delete(index) => {
            mailbox.apply(crate::sms::MailboxChange::Delete(index), Instant::ZERO)
        }
        Act::Overflow(octets, announced) => mailbox
            .overflow
            .push_back((deliver(octets, None).0, announced)),
        Act::Part(reference, part, octets) => {
            let header = Header::new(&[0, 3, reference, 5, part]);
            let concat = header.concat().unwrap();
            let (pdu, deliver) = deliver(octets, Some(header));
            let (sender, stamp) = (deliver.from.clone(), deliver.stamp);
            let value = ReceivedPart {
                ids: Vec::new(),
                pdu,
                deliver,
                until: NOW + HOLD,
            };
            mailbox.joiner.insert(
                Part {
                    sender: &sender,
                    concat,
                    stamp,
                    value,
                },
                NOW,
            );
        }
        Act::Line(data, bytes) => {
            let kind = if data {
                LineKind::Data
            } else {
                LineKind::Notice
            };
            mailbox.line.push(kind, Bytes::from(bytes), Vec::new());
        }
        Act::Send(parts, octets) => {
            let parts = (0..parts).map(|_| submit(octets.clone())).collect();
            mailbox
                .outbox
                .push(PhoneNumber::new("10086").unwrap(), parts, NOW, true);
        }
        Act::Remember(digest) => mailbox.seen.remember(digest),
        Act::Reference => drop(mailbox.take_concat_reference()),
        Act::Used(number) => mailbox.outbox.note_used(number),
    }
}

fn read(text: &str) -> (Mailbox, Vec<crate::config::Problem>) {
    let mut mailbox = Mailbox::default();
    let problems = mailbox.restore(text, NOW);
    (mailbox, problems)
}

/// References go on elsewhere after a start.
fn behind_references(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !line.starts_with("references "))
        .collect()
}

proptest! {
    #[test]
    fn a_mailbox_comes_back_as_it_was(acts in proptest::collection::vec(act(), 0..60)) {
        let mut mailbox = Mailbox::default();
        acts.into_iter().for_each(|act| perform(&mut mailbox, act));
        let text = mailbox.to_text(NOW);
        let (back, problems) = read(&text);
        prop_assert_eq!(problems, []);
        let again = back.to_text(NOW);
        prop_assert_eq!(behind_references(&again), behind_references(&text));
        prop_assert_eq!(back.status().stored, mailbox.status().stored);
    }

    #[test]
    fn a_damaged_byte_costs_no_more_than_its_line(acts in proptest::collection::vec(act(), 1..20), at: prop::sample::Index, byte in 32..127_u8) {
        let mut mailbox = Mailbox::default();
        acts.into_iter().for_each(|act| perform(&mut mailbox, act));
        let text = mailbox.to_text(NOW);
        prop_assume!(!text.is_empty());
        let mut damaged = text.clone().into_bytes();
        let at = at.index(damaged.len());
        prop_assume!(damaged[at] != b'\n');
        damaged[at] = byte;
        let damaged = String::from_utf8(damaged).unwrap();
        let (back, problems) = read(&damaged);
        prop_assert!(problems.len() <= 2, "{problems:?}");
        let lines = |text: &str| text.lines().count();
        prop_assert!(lines(&back.to_text(NOW)) + 3 >= lines(&text), "{}\n{}", damaged, back.to_text(NOW));
    }

    #[test]
    fn foreign_text_is_passed_over(text in "(\\PC|\n){0,200}", kind in "references|place|overflow|part|line|out|seen") {
        let _ = read(&text);
        let _ = read(&format!("{kind} {text}"));
    }
}

#[test]
fn nothing_is_an_empty_text() {
    assert_eq!(Mailbox::default().to_text(NOW), "");
    assert_eq!(read("").0.to_text(NOW), "");
}

#[test]
fn a_message_keeps_what_is_left_of_its_time() {
    let mut mailbox = Mailbox::default();
    perform(&mut mailbox, Act::Send(1, Vec::new()));
    perform(&mut mailbox, Act::Part(1, 1, Vec::new()));
    let later = NOW + Duration::from_secs(3600);
    let (back, _) = read(&mailbox.to_text(later));
    let left = Duration::from_secs(23 * 3600);
    assert_eq!(back.joiner.poll_timeout(), Some(NOW + left));
    assert_eq!(back.outbox.deadline(false, None), Some(NOW + left));
}
