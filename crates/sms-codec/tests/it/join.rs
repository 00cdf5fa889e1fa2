//! Parts that come in any order, twice, or not at all.
#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

use core::time::Duration;
use sms_codec::address::Address;
use sms_codec::join::{Arrival, Concatenation, Counters, Incomplete, Limits, Outcome, Part};
use sms_codec::time::TimeStamp;
use sms_codec::udh::{Concat, Reference};

/// A service centre in front of a [`Concatenation`].
struct Desk {
    concatenation: Concatenation<&'static str, Duration>,
    sender: Address,
    reference: Reference,
    stamp: u8,
    /// Since the start.
    now: Duration,
}

impl Desk {
    fn new(limits: Limits) -> Self {
        Self {
            concatenation: Concatenation::new(limits),
            sender: Address::number("+8613912345678").unwrap(),
            reference: Reference::Narrow(7),
            stamp: 1,
            now: Duration::ZERO,
        }
    }

    fn arrives(&mut self, part: u8, total: u8, value: &'static str) -> Arrival<&'static str> {
        let concat = Concat {
            reference: self.reference,
            total,
            part,
        };
        let stamp = TimeStamp([self.stamp; 7]);
        self.concatenation.insert(
            Part {
                sender: &self.sender,
                concat,
                stamp,
                value,
            },
            self.now,
        )
    }

    fn outcome(&mut self, part: u8, total: u8, value: &'static str) -> Outcome<&'static str> {
        let arrival = self.arrives(part, total, value);
        assert_eq!(arrival.given_up, []);
        arrival.outcome
    }

    fn gone(&self, parts: &[Option<&'static str>]) -> Incomplete<&'static str> {
        Incomplete {
            sender: self.sender.clone(),
            reference: self.reference,
            parts: parts.to_vec(),
        }
    }
}

fn desk() -> Desk {
    Desk::new(Limits::default())
}

#[test]
fn parts_in_any_order_are_complete_with_the_last() {
    let mut desk = desk();
    assert_eq!(desk.outcome(3, 3, "c"), Outcome::Waiting);
    assert_eq!(desk.outcome(1, 3, "a"), Outcome::Waiting);
    assert_eq!(
        desk.outcome(2, 3, "b"),
        Outcome::Complete(vec!["a", "b", "c"])
    );
    assert_eq!(
        (
            desk.concatenation.held().count(),
            desk.concatenation.poll_timeout()
        ),
        (0, None)
    );
}

#[test]
fn a_message_of_one_part_is_complete_at_once() {
    assert_eq!(desk().outcome(1, 1, "a"), Outcome::Complete(vec!["a"]));
}

#[test]
fn a_part_that_comes_again_is_dropped_while_others_are_missing_and_after() {
    let mut desk = desk();
    assert_eq!(desk.outcome(1, 2, "a"), Outcome::Waiting);
    assert_eq!(desk.outcome(1, 2, "a"), Outcome::Duplicate);
    assert_eq!(desk.outcome(2, 2, "b"), Outcome::Complete(vec!["a", "b"]));
    assert_eq!(desk.outcome(2, 2, "b"), Outcome::Duplicate);
    assert_eq!(desk.outcome(1, 2, "a"), Outcome::Duplicate);
    assert_eq!(
        desk.concatenation.counters(),
        Counters {
            completed: 1,
            duplicates: 3,
            incomplete: 0
        }
    );
}

#[test]
fn a_part_that_its_sender_sent_again_is_dropped_for_its_value() {
    let mut desk = desk();
    desk.outcome(1, 2, "a");
    desk.stamp = 2;
    assert_eq!(desk.outcome(1, 2, "a"), Outcome::Duplicate);
    assert_eq!(desk.outcome(2, 2, "b"), Outcome::Complete(vec!["a", "b"]));
}

#[test]
fn a_part_with_the_same_time_stamp_is_dropped_wherever_the_host_keeps_it() {
    let mut desk = desk();
    desk.outcome(1, 2, "place 1 of the store");
    assert_eq!(
        desk.outcome(1, 2, "place 2 of the store"),
        Outcome::Duplicate
    );
}

#[test]
fn the_same_text_under_the_same_reference_later_is_a_new_message() {
    let mut desk = desk();
    desk.outcome(1, 2, "a");
    assert_eq!(desk.outcome(2, 2, "b"), Outcome::Complete(vec!["a", "b"]));
    desk.stamp = 2;
    assert_eq!(desk.outcome(1, 2, "a"), Outcome::Waiting);
    assert_eq!(desk.outcome(2, 2, "b"), Outcome::Complete(vec!["a", "b"]));
}

#[test]
fn senders_references_widths_and_totals_do_not_mix() {
    let mut desk = desk();
    desk.outcome(1, 2, "a");
    desk.reference = Reference::Wide(7);
    assert_eq!(desk.outcome(2, 2, "b"), Outcome::Waiting);
    desk.reference = Reference::Narrow(7);
    assert_eq!(desk.outcome(2, 3, "b"), Outcome::Waiting);
    desk.sender = Address::number("10086").unwrap();
    assert_eq!(desk.outcome(2, 2, "b"), Outcome::Waiting);
    assert_eq!(desk.concatenation.held().count(), 4);
}

#[test]
fn a_reference_that_comes_round_gives_the_old_message_up() {
    let mut desk = desk();
    desk.outcome(1, 3, "a");
    desk.outcome(2, 3, "b");
    desk.stamp = 2;
    let arrival = desk.arrives(1, 3, "x");
    assert_eq!(arrival.outcome, Outcome::Waiting);
    assert_eq!(arrival.given_up, [desk.gone(&[Some("a"), Some("b"), None])]);
    assert_eq!(desk.outcome(2, 3, "y"), Outcome::Waiting);
    assert_eq!(
        desk.outcome(3, 3, "z"),
        Outcome::Complete(vec!["x", "y", "z"])
    );
}

#[test]
fn a_message_is_given_up_a_day_after_its_first_part_with_what_is_there() {
    let mut desk = desk();
    desk.outcome(3, 3, "c");
    desk.now = Duration::ZERO + Duration::from_secs(3600);
    desk.outcome(1, 3, "a");
    let day = Duration::ZERO + Duration::from_secs(24 * 3600);
    assert_eq!(desk.concatenation.poll_timeout(), Some(day));
    assert_eq!(
        desk.concatenation
            .expire(Duration::from_micros((day.as_micros() - 1) as u64)),
        None
    );
    assert_eq!(
        desk.concatenation.expire(day),
        Some(desk.gone(&[Some("a"), None, Some("c")]))
    );
    assert_eq!(desk.concatenation.expire(day), None);
    assert_eq!(desk.concatenation.counters().incomplete, 1);
}

#[test]
fn the_oldest_message_goes_where_there_are_too_many() {
    let mut desk = Desk::new(Limits {
        messages: 2,
        ..Limits::default()
    });
    for number in 0..2 {
        desk.reference = Reference::Narrow(number);
        desk.outcome(1, 2, "a");
    }
    desk.reference = Reference::Narrow(2);
    let given_up = desk.arrives(1, 2, "a").given_up;
    desk.reference = Reference::Narrow(0);
    assert_eq!(given_up, [desk.gone(&[Some("a"), None])]);
    assert_eq!(desk.concatenation.held().count(), 2);
}

#[test]
fn the_oldest_message_goes_where_there_are_too_many_parts() {
    let mut desk = Desk::new(Limits {
        parts: 3,
        ..Limits::default()
    });
    desk.outcome(1, 3, "a");
    desk.outcome(2, 3, "b");
    desk.reference = Reference::Narrow(8);
    desk.outcome(1, 3, "c");
    let given_up = desk.arrives(2, 3, "d").given_up;
    desk.reference = Reference::Narrow(7);
    assert_eq!(given_up, [desk.gone(&[Some("a"), Some("b"), None])]);
    assert_eq!(desk.concatenation.held().count(), 2);
}

#[test]
fn the_memory_of_complete_messages_has_a_bound() {
    let mut desk = Desk::new(Limits {
        finished: 1,
        ..Limits::default()
    });
    for number in 0..2 {
        desk.reference = Reference::Narrow(number);
        assert_eq!(desk.outcome(1, 1, "a"), Outcome::Complete(vec!["a"]));
    }
    assert_eq!(desk.outcome(1, 1, "a"), Outcome::Duplicate);
    desk.reference = Reference::Narrow(0);
    assert_eq!(desk.outcome(1, 1, "a"), Outcome::Complete(vec!["a"]));
}

#[test]
fn a_message_of_255_parts_that_come_backwards_is_whole() {
    let mut desk = desk();
    for part in (2..=255).rev() {
        assert_eq!(
            desk.outcome(part, 255, if part % 2 == 0 { "even" } else { "odd" }),
            Outcome::Waiting
        );
    }
    let Outcome::Complete(parts) = desk.outcome(1, 255, "first") else {
        panic!("not complete")
    };
    assert_eq!(
        (parts.len(), parts[0], parts[1], parts[254]),
        (255, "first", "even", "odd")
    );
}

#[test]
fn a_part_of_a_complete_message_with_another_stamp_goes_without_a_word() {
    let mut desk = desk();
    desk.outcome(1, 2, "a");
    desk.outcome(2, 2, "b");
    desk.stamp = 2;
    assert_eq!(
        desk.outcome(2, 2, "b"),
        Outcome::Waiting,
        "it may be the same text once more"
    );
    let ghost = desk.now + Limits::default().ghost;
    assert_eq!(desk.concatenation.poll_timeout(), Some(ghost));
    assert_eq!(desk.concatenation.expire(ghost), None);
    assert_eq!(
        (
            desk.concatenation.held().count(),
            desk.concatenation.counters().duplicates
        ),
        (0, 1)
    );
    assert_eq!(desk.concatenation.counters().incomplete, 0);
}

#[test]
fn a_new_message_that_begins_like_the_last_one_is_none_that_comes_again() {
    let mut desk = desk();
    desk.outcome(1, 3, "head");
    desk.outcome(2, 3, "b");
    desk.outcome(3, 3, "c");
    desk.stamp = 2;
    desk.outcome(1, 3, "head");
    desk.outcome(2, 3, "other");
    let day = desk.now + Limits::default().hold;
    assert_eq!(
        desk.concatenation
            .expire(desk.now + Limits::default().ghost),
        None
    );
    assert_eq!(
        desk.concatenation.expire(day),
        Some(desk.gone(&[Some("head"), Some("other"), None]))
    );
}
