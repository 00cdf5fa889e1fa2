use super::*;
use std::vec::Vec;

fn ms(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// Feeds timed pieces as the device does: due deadlines first; `a` is written 1 ms after it was offered.
/// Returns the data and the time at which the handshake completed.
fn run(pieces: &[(u64, &[u8])]) -> (Vec<u8>, Vec<u64>, Option<u64>) {
    run_with_gap(50, pieces)
}

fn run_with_gap(gap: u64, pieces: &[(u64, &[u8])]) -> (Vec<u8>, Vec<u64>, Option<u64>) {
    let mut esc = EscapeDetector::new(Duration::from_millis(gap));
    let mut written_at = None;
    let (mut data, mut offers, mut done) = (Vec::new(), Vec::new(), None);
    let end = pieces.last().map_or(0, |p| p.0) + 10_000;
    let mut pieces = pieces.iter().peekable();
    for now in 0..=end {
        if written_at == Some(now) {
            esc.offer_written(ms(now));
        }
        while let Some(at) = esc.deadline().filter(|d| *d <= ms(now)) {
            match esc.fire(at) {
                Outcome::Offer => {
                    offers.push(now);
                    written_at = Some(now + 1);
                }
                Outcome::Complete { .. } => done = Some(now),
                Outcome::Released(held) => data.extend(held.bytes()),
            }
        }
        while let Some((_, bytes)) = pieces.next_if(|p| p.0 == now) {
            match esc.feed(bytes, ms(now)) {
                FeedResult::Held { released } => data.extend(released.bytes()),
                FeedResult::Data { released } => {
                    data.extend(released.bytes());
                    data.extend_from_slice(bytes);
                }
                FeedResult::Plain => data.extend_from_slice(bytes),
            }
        }
    }
    (data, offers, done)
}

#[test]
fn manual_2_8_2_the_escape_in_one_piece() {
    let (data, offers, done) = run(&[(1000, b"+++"), (1100, b"a")]);
    assert_eq!(
        (data.as_slice(), offers.as_slice(), done),
        (&b""[..], &[1020][..], Some(1120))
    );
}

#[test]
fn a_capital_a_and_line_ends_are_tolerated() {
    for answer in [&b"A"[..], b"a\r\n", b"A\r", b"a\n"] {
        let (data, _, done) = run(&[(1000, b"+++\r\n"), (1500, answer)]);
        assert!(data.is_empty() && done.is_some(), "{answer:?}");
    }
}

#[test]
fn a_late_line_end_behind_the_offer_is_tolerated() {
    let (data, _, done) = run(&[(1000, b"+++"), (1200, b"\r"), (1500, b"a\r")]);
    assert!(data.is_empty() && done.is_some());
}

#[test]
fn the_guard_time_is_more_than_200_ms() {
    for (at, enters) in [(199, false), (200, false), (201, true)] {
        let (data, _, done) = run(&[(0, b"x"), (at, b"+++"), (at + 100, b"a")]);
        assert_eq!(done.is_some(), enters, "{at}");
        assert_eq!(data, if enters { &b"x"[..] } else { b"x+++a" });
    }
}

#[test]
fn the_inner_gap_is_less_than_50_ms() {
    for (gap, enters) in [(49, true), (50, false), (51, false)] {
        let (data, _, done) = run(&[
            (1000, b"+"),
            (1000 + gap, b"+"),
            (1000 + 2 * gap, b"+"),
            (1300, b"a"),
        ]);
        assert_eq!(done.is_some(), enters, "{gap}");
        assert_eq!(data, if enters { &b""[..] } else { b"+++a" });
    }
}

#[test]
fn the_inner_gap_of_the_settings_is_that_of_fingers() {
    for (gap, enters) in [(49, true), (180, true), (499, true), (500, false)] {
        let (data, _, done) = run_with_gap(
            500,
            &[
                (1000, b"+"),
                (1000 + gap, b"+"),
                (1000 + 2 * gap, b"+"),
                (3000, b"a"),
            ],
        );
        assert_eq!(done.is_some(), enters, "{gap}");
        assert_eq!(data, if enters { &b""[..] } else { b"+++a" });
    }
}

#[test]
fn the_answer_comes_within_3_s_of_the_written_offer() {
    for (at, enters) in [(1021 + 2990, true), (1021 + 3010, false)] {
        let (data, _, done) = run(&[(1000, b"+++"), (at, b"a")]);
        assert_eq!(done.is_some(), enters);
        assert_eq!(data, if enters { &b""[..] } else { b"+++a" });
    }
}

#[test]
fn an_answer_before_the_offer_is_written_is_data() {
    let (data, _, done) = run(&[(1000, b"+++"), (1020, b"a")]);
    assert_eq!((data.as_slice(), done), (&b"+++a"[..], None));
}

#[test]
fn a_payload_that_begins_with_the_escape_prints_nothing() {
    for payload in [&b"+++abc"[..], b"+++a", b"++++", b"+++\r\r", b"++x", b"+a"] {
        let (data, offers, done) = run(&[(1000, payload)]);
        assert_eq!((data.as_slice(), offers.len(), done), (payload, 0, None));
    }
}

#[test]
fn an_answer_must_stand_alone() {
    for answer in [&b"ab"[..], b"xa", b"a\r\r", b"aa"] {
        let (data, _, done) = run(&[(1000, b"+++"), (1100, answer)]);
        assert!(done.is_none());
        assert_eq!(data, [b"+++", answer].concat());
    }
}

#[test]
fn a_second_attempt_gives_the_first_back() {
    let (data, offers, done) = run(&[(1000, b"+++"), (2000, b"+++"), (2100, b"a")]);
    assert_eq!((data.as_slice(), offers.len()), (&b"+++"[..], 2));
    assert!(done.is_some());
}

#[test]
fn a_second_attempt_that_fails_keeps_the_order() {
    let (data, _, done) = run(&[(1000, b"+++"), (2000, b"+x"), (2300, b"y")]);
    assert_eq!((data.as_slice(), done), (&b"++++xy"[..], None));
}

proptest::proptest! {
    /// Whatever the chunks and gaps: either the handshake completes, or every byte comes out, in order.
    #[test]
    fn nothing_is_lost_whatever_the_chunking(
        pieces in proptest::collection::vec(
            (0u64..260, proptest::collection::vec(proptest::sample::select(b"++++++a\rA\nx".to_vec()), 1..5)), 1..9)
    ) {
        let mut at = 0;
        let mut timed = Vec::new();
        let mut sent = Vec::new();
        for (gap, bytes) in &pieces {
            at += gap;
            timed.push((at, bytes.as_slice()));
            sent.extend_from_slice(bytes);
        }
        let (data, offers, done) = run(&timed);
        if done.is_none() {
            proptest::prop_assert_eq!(&data, &sent);
        } else {
            proptest::prop_assert!(!offers.is_empty());
            proptest::prop_assert!(data.len() < sent.len());
        }
    }
}
