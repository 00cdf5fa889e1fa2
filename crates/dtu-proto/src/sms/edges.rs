//! Edges of charsets, queues and the kept text of messages.

use std::string::String;
use std::vec::Vec;

use bytes::Bytes;
use sms_codec::address::Address;
use sms_codec::pdu::{Pdu, Submit, Tpdu};
use sms_codec::time::TimeStamp;
use sms_codec::user_data::{Body, UserData};

use super::*;
use crate::config::{Charset, TextCharset};
use crate::radio::{PhoneNumber, SubmitFailure};

const NOW: Instant = Instant::from_millis(5000);

fn phone(text: &str) -> PhoneNumber {
    PhoneNumber::new(text).unwrap()
}

fn submit(to: &str) -> Bytes {
    let to = Address::number(to).unwrap();
    let data = UserData::plain(Body::Octets(Vec::from([1, 2, 3])));
    let tpdu = Tpdu::Submit(Submit::new(to, data));
    Bytes::from(Pdu { smsc: None, tpdu }.encode().unwrap())
}

/// `中` has three bytes in UTF-8, E4 B8 AD, and two in GBK, D6 D0.
#[test]
fn only_the_beginning_of_a_character_behind_text_is_torn() {
    for (bytes, torn) in [
        (&b"a\xE4\xB8\xAD"[..], 0),
        (b"a\xE4\xB8", 2),
        (b"a\xE4", 1),
        (b"\xFF\xE4", 0),
        (b"a\x80", 0),
        (b"a\xE4a", 0),
        (b"\xE4", 1),
    ] {
        assert_eq!(torn_end(bytes, Charset::Utf8), torn, "{bytes:?}");
    }
    for (bytes, torn) in [
        (&b"a\xD6\xD0"[..], 0),
        (b"a\xD6", 1),
        (b"\xFF\xD6", 0),
        (b"a\xFF", 0),
    ] {
        assert_eq!(torn_end(bytes, Charset::Gbk), torn, "{bytes:?}");
    }
}

/// 23.038 6.2.1: 7F is `à`.
#[test]
fn the_default_alphabet_ends_with_7f() {
    let read = |byte| decode_text(&[byte], TextCharset::Gsm, Charset::Utf8);
    assert_eq!(read(0x7F).as_deref(), Ok("à"));
    assert!(read(0x80).is_err());
}

/// 23.040 9.2.3.11: quarters of an hour, the sign in bit 3.
#[test]
fn a_stamp_has_the_sign_of_its_zone() {
    for (zone, shown) in [(0x23, "+32"), (0x2B, "-32"), (0x00, "+00")] {
        let stamp = TimeStamp([0x62, 0x11, 0x92, 0x01, 0x20, 0x30, zone]);
        let wanted = std::format!("\"26/11/29,10:02:03{shown}\"");
        assert_eq!(super::stamp(stamp), wanted);
    }
}

#[test]
fn a_queue_for_the_line_has_its_room_back_when_its_items_are_out() {
    let mut queue = LineQueue::default();
    let kilobyte = Bytes::from_static(&[b'x'; 1024]);
    for _ in 0..200 {
        assert!(queue.has_room());
        queue.push(LineKind::Data, kilobyte.clone(), Vec::new());
        assert_eq!(queue.len(), 1);
        assert!(queue.next(LineKind::Data).is_some());
        assert_eq!(queue.written(), Some(Vec::new()));
        assert_eq!(queue.len(), 0);
    }
}

/// What is kept may hold one message of 255 parts beyond the 64 places.
#[test]
fn what_was_kept_for_the_line_has_room_and_a_bound() {
    let mut queue = LineQueue::default();
    while queue.has_room_to_restore() {
        queue.push(LineKind::Notice, Bytes::new(), Vec::new());
        assert!(queue.len() < 1000);
    }
    assert_eq!(queue.len(), 64 + 255);
}

#[test]
fn each_change_of_what_goes_out_has_a_number() {
    let mut outbox = Outbox::default();
    let mut last = outbox.last_change();
    for to in ["10086", "10010"] {
        assert!(outbox.push(phone(to), Vec::from([submit(to)]), NOW, true));
        assert!(outbox.last_change() > last, "a message");
        last = outbox.last_change();
    }
    assert!(outbox.prepare(NOW, true));
    assert!(outbox.last_change() > last, "its reference");
}

/// The message, its number in the queue, and the part as it went out.
fn tried(outbox: &mut Outbox, to: &str) -> (u64, Bytes) {
    assert!(outbox.push(phone(to), Vec::from([submit(to)]), NOW, true));
    while outbox.prepare(NOW, true) {}
    outbox.next(NOW, false).unwrap()
}

/// 23.040 9.2.3.25: the service centre compares reference and receiver.
#[test]
fn a_repeat_keeps_its_reference_unless_its_receiver_got_another_message_with_it() {
    for (reference, to, keeps) in [(7, "10010", true), (8, "10086", true), (7, "10086", false)] {
        let mut outbox = Outbox::default();
        outbox.set_reference(6);
        let (number, first) = tried(&mut outbox, "10086");
        let progress = outbox.answered(number, Err(SubmitFailure::NETWORK), NOW);
        assert!(matches!(progress, Progress::Later));
        outbox.note_reference(reference, Some(phone(to)));
        let later = NOW + Duration::from_secs(3600);
        while outbox.prepare(later, true) {}
        let (_, repeat) = outbox.next(later, false).unwrap();
        let same = numbered(&repeat, 0, true) == numbered(&first, 0, true);
        assert!(same, "it is the same message");
        assert_eq!(repeat[2] == first[2], keeps, "{reference} to {to}");
    }
}

/// Another modem, or another card, counts from somewhere else: the device's own number stands, and copies are refused.
#[test]
fn behind_a_new_modem_references_are_the_devices_own() {
    for (comes, refuses) in [(false, false), (true, true)] {
        let mut outbox = Outbox::default();
        outbox.note_reference(5, None);
        if comes {
            outbox.modem_came();
        }
        let (_, part) = tried(&mut outbox, "10086");
        assert_eq!(refuses_copies(&part), refuses, "{comes}");
    }
}

/// A reference that the disk did not take may be that of an earlier message; one that was answered OK went out anyway.
#[test]
fn a_message_that_the_network_took_is_sent_and_not_doubtful() {
    let mut outbox = Outbox::default();
    assert!(outbox.push(phone("10086"), Vec::from([submit("10086")]), NOW, true));
    while outbox.prepare(NOW, true) {}
    let (number, _) = outbox.next(NOW, true).unwrap();
    let progress = outbox.answered(number, Ok(9), NOW);
    assert!(matches!(progress, Progress::Sent));
}

#[test]
fn the_service_centre_in_front_does_not_hide_what_refuses_copies() {
    let tpdu = &submit("10086")[1..];
    for center in [&[0][..], &[7, 0x91, 0x68, 0x31, 0x08, 0x50, 0x44, 0x05]] {
        let pdu = [center, tpdu].concat();
        assert!(!refuses_copies(&numbered(&pdu, 1, false)));
        assert!(refuses_copies(&numbered(&pdu, 1, true)));
    }
    assert!(!refuses_copies(&[7, 0xFF]), "shorter than it says");
}

#[test]
fn the_storage_knows_which_message_came_first() {
    let mut storage = Storage::default();
    let stored = || Stored {
        state: State::Read,
        announced: false,
        pdu: submit("10086"),
    };
    for _ in 0..3 {
        storage.put(stored(), false);
    }
    storage.delete(1);
    assert_eq!(storage.put(stored(), false), Some((1, false)));
    let order: Vec<_> = storage.by_age().iter().map(|(index, _)| *index).collect();
    assert_eq!(order, [2, 3, 1]);
}

#[test]
fn the_kept_text_is_read_as_it_is_written_and_nothing_else() {
    let pdu = "0891683108504405F0240D91688159142058F700004190015160012307743A9DAE3FA301";
    for (text, wrong) in [
        ("dtu-messages 1\nreferences 1 2", None),
        ("references 1 2", None),
        ("nothing of ours", Some(1)),
        ("references 1 2\ndtu-messages 1", Some(2)),
        ("references 1 2 3", Some(1)),
    ] {
        let problems = Mailbox::default().restore(text, NOW);
        let lines: Vec<_> = problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, Vec::from_iter(wrong), "{text}");
    }
    for (word, announced) in [("announced", true), ("-", false)] {
        let mut mailbox = Mailbox::default();
        let line: String = ["overflow", word, pdu].join(" ");
        assert_eq!(mailbox.restore(&line, NOW), []);
        assert_eq!(mailbox.overflow[0].1, announced, "{word}");
        assert!(mailbox.to_text(NOW).contains(&line));
    }
}

#[test]
fn stored_messages_are_counted() {
    let mut mailbox = Mailbox::default();
    for count in 1..=3 {
        assert!(mailbox.store(submit("10086"), false, NOW).is_some());
        assert_eq!(mailbox.status().counters.stored, count);
    }
}

#[test]
fn a_queue_for_the_line_has_64_places_and_64_kib() {
    let bytes = |len| Bytes::from(std::vec![b'x'; len]);
    let mut queue = LineQueue::default();
    for _ in 0..64 {
        assert!(queue.has_room());
        queue.push(LineKind::Data, bytes(1), Vec::new());
    }
    assert!(!queue.has_room());
    let mut queue = LineQueue::default();
    queue.push(LineKind::Data, bytes(40 * 1024), Vec::new());
    queue.push(LineKind::Data, bytes(24 * 1024 - 1), Vec::new());
    assert!(queue.has_room());
    queue.push(LineKind::Data, bytes(1), Vec::new());
    assert!(!queue.has_room());
    // Only what is out makes room.
    assert!(queue.next(LineKind::Data).is_some() && queue.written().is_some());
    queue.push(LineKind::Data, bytes(40 * 1024 - 1), Vec::new());
    assert!(queue.has_room());
    queue.push(LineKind::Data, bytes(1), Vec::new());
    assert!(!queue.has_room());
}

#[test]
fn the_dte_looks_after_the_storage_until_its_time_is_over() {
    let mut mailbox = Mailbox {
        managed_until: Some(NOW),
        ..Mailbox::default()
    };
    let just_before = Instant::from_millis(4999);
    assert!(mailbox.is_managed(just_before) && !mailbox.is_managed(NOW));
    assert_eq!(mailbox.room_deadline(), None, "nothing waits for room");
    mailbox.overflow.push_back((Bytes::new(), false));
    assert_eq!(mailbox.room_deadline(), Some(NOW));
    mailbox.end_managed(just_before);
    assert_eq!(mailbox.managed_until, Some(NOW));
    mailbox.end_managed(NOW);
    assert_eq!(mailbox.managed_until, None);
}

/// Of 32 references it is known that they were used.
#[test]
fn the_32_references_that_were_used_last_are_kept() {
    let used = |mailbox: &Mailbox| {
        let kept = mailbox.to_text(NOW);
        let line = kept.lines().find_map(|line| line.strip_prefix("used "));
        line.unwrap()
            .split(' ')
            .map(std::string::String::from)
            .collect::<Vec<_>>()
    };
    let mut mailbox = Mailbox::default();
    (0..32).for_each(|reference| mailbox.outbox.note_used(reference));
    assert_eq!(used(&mailbox).len(), 32);
    mailbox.outbox.note_used(32);
    assert_eq!((used(&mailbox).len(), &*used(&mailbox)[0]), (32, "1"));
    // One that is used again is the last.
    mailbox.outbox.note_used(1);
    assert_eq!((used(&mailbox).len(), &*used(&mailbox)[31]), (32, "1"));
}

/// The disk has refused a set; that is tried again only where there is something to store.
#[test]
fn a_set_that_the_disk_refused_is_tried_again_while_there_is_one() {
    let mut saving = Saving::default();
    saving.changed = true;
    assert_eq!(saving.begin(0, NOW), Some(1));
    let patience = saving.deadline();
    assert!(saving.failed(NOW));
    let retry = saving.deadline().unwrap();
    assert_eq!(retry, NOW + Duration::from_secs(30));
    saving.changed = false;
    assert_eq!(saving.deadline(), None);
    saving.changed = true;
    assert_eq!(saving.begin(0, retry), Some(2));
    assert_eq!(
        saving.deadline(),
        patience.map(|at| at + Duration::from_secs(30))
    );
}

#[test]
fn what_was_kept_beyond_255_places_is_passed_over_with_its_line() {
    let pdu = "0891683108504405F0240D91688159142058F700004190015160012307743A9DAE3FA301";
    let line: String = ["overflow - ", pdu, "\n"].concat();
    let mut mailbox = Mailbox::default();
    assert_eq!(mailbox.restore(&line.repeat(255), NOW), []);
    let problems = Mailbox::default().restore(&line.repeat(256), NOW);
    let lines: Vec<_> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [256]);
}
