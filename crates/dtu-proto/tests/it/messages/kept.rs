//! The text that is kept, and a hundred messages each way.

use super::*;

#[test]
fn damaged_lines_are_passed_over_and_reported() {
    let mut dev = booted(at_mode());
    dev.sms_from(PHONE, "one").printed();
    let good = dev.store.messages.clone();
    let place = good
        .lines()
        .find(|line| line.starts_with("place"))
        .unwrap()
        .to_string();
    let bad = format!(
        "{good}place 1 unread - 00\nplace 51{}\nplace 2 new - 00\nnonsense\nline data 0\nout x 1 00\nseen zz\n{place}\npart 1\n",
        place.strip_prefix("place 1").unwrap()
    );
    let mut fresh = Bench::with_modem(at_mode());
    let problems = fresh.dtu.restore_messages(&bad);
    let first_bad = good.lines().count() + 1;
    assert_eq!(
        problems
            .iter()
            .map(|p| p.line - first_bad)
            .collect::<Vec<_>>(),
        [0, 1, 2, 3, 4, 5, 6, 7, 8]
    );
    assert_eq!(problems[1].text, "an index is 1..=50, got 51");
    assert_eq!(
        problems[2].text,
        "`new` is none of unread, read, unsent, sent"
    );
    fresh.wait(300).printed();
    fresh.command(
        "AT+CPMS?",
        "\r\n+CPMS: \"SM\",1,50,\"SM\",1,50,\"SM\",1,50\r\n\r\nOK\r\n",
    );
}

/// Numbers that are not random, but look so.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// The network remembers what it took, as a service centre does, and refuses a copy that asks for it.
fn one_way_out(seed: u64) {
    let mut dice = Dice(seed);
    let mut dev = booted(sms_mode());
    let (mut accepted, mut references): (Vec<String>, Vec<u8>) = (Vec::new(), Vec::new());
    let mut next = 0;
    dev.modem.silent = true;
    while accepted.len() < 100 {
        if next < 100 && dice.roll(2) == 0 {
            dev.serial(format!("message {next}")).wait(100);
            next += 1;
        }
        if let Some((token, pdu)) = dev.modem.unanswered.pop_front() {
            let submit = submit_of(&pdu);
            let lately = references.iter().rev().take(8);
            let known =
                submit.reject_duplicates && lately.into_iter().any(|one| *one == submit.reference);
            let outcome = match dice.roll(4) {
                0 => Err(SubmitFailure::NETWORK),
                _ if known => Err(SubmitFailure::DUPLICATE),
                kind => {
                    references.push(submit.reference);
                    accepted.push(submit.data.text().unwrap());
                    // The network took it, and the modem did not hear.
                    if kind == 1 {
                        Err(SubmitFailure::TIMED_OUT)
                    } else {
                        Ok(submit.reference)
                    }
                }
            };
            if dice.roll(6) != 0 {
                dev.news(ModemInput::Submitted { token, outcome });
            }
        }
        if dice.roll(7) == 0 {
            dev.killed(sms_mode());
            dev.modem.silent = true;
        }
        dev.wait(dice.roll(20_000));
    }
    let expected: Vec<String> = (0..100).map(|number| format!("message {number}")).collect();
    assert_eq!(accepted, expected, "seed {seed}");
}

#[test]
fn a_hundred_messages_go_out_once_and_in_order_through_failures_and_kills() {
    (0..20).for_each(one_way_out);
}

fn one_way_in(seed: u64) {
    let mut dice = Dice(seed);
    let mut dev = booted(sms_mode());
    let from = Address::number(PHONE).unwrap();
    let mut printed = String::new();
    // What the modem still has: it brings all of it after each start, the oldest first.
    let mut stays: Vec<Bytes> = Vec::new();
    let mut ids: Vec<(u64, Bytes)> = Vec::new();
    for next in 0..100 {
        let data = UserData::plain(Body::text(&format!("<{next}>")));
        let pdu = deliver(from.clone(), data, stamp(next));
        stays.push(pdu.clone());
        match dice.roll(3) {
            0 => dev.store.slow = true,
            _ => {
                dev.disk_answers();
            }
        }
        for _ in 0..=dice.roll(3) {
            ids.push((dev.brings(&pdu), pdu.clone()));
        }
        printed += &dev.printed().replace("\\r\\nUSR-GPRS232-DTU\\r\\n", "");
        stays.retain(|pdu| {
            !ids.iter()
                .any(|(id, of)| of == pdu && dev.modem.taken.contains(id))
        });
        if dice.roll(4) == 0 {
            let unsaved = dev.store.slow;
            dev.killed(sms_mode()).at(300);
            ids.clear();
            // The text was out, but the disk did not know yet: only then it may come a second time.
            let again = dev.printed().replace("\\r\\nUSR-GPRS232-DTU\\r\\n", "");
            assert!(again.is_empty() || unsaved, "seed {seed}: {again}");
            for pdu in stays.clone() {
                ids.push((dev.brings(&pdu), pdu));
            }
            let again = again + &dev.printed();
            assert!(
                again.is_empty() || (unsaved && printed.ends_with(&again)),
                "seed {seed}: {again}"
            );
        }
    }
    let expected: String = (0..100).map(|number| format!("<{number}>")).collect();
    assert_eq!(printed, expected, "seed {seed}");
}

#[test]
fn a_hundred_messages_come_in_once_and_in_order_through_duplicates_and_kills() {
    (0..20).for_each(one_way_in);
}

/// A part that would cost another one its place is no text of this device.
#[test]
fn a_part_that_stands_where_another_one_does_is_passed_over() {
    let kept = |text: &str, second| {
        let mut dev = booted(sms_mode());
        dev.brings(&parts(PHONE, Body::text(text), 7, stamp(second))[0]);
        let part = dev
            .store
            .messages
            .lines()
            .find(|line| line.starts_with("part "));
        part.unwrap().to_string()
    };
    let one = kept(&"0123456789".repeat(20), 1);
    let other = kept(&"abcdefghij".repeat(20), 2);
    let mut fresh = Bench::with_modem(sms_mode());
    let problems = fresh
        .dtu
        .restore_messages(&format!("{one}\n{other}\n{one}\n"));
    let lines: Vec<_> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 3]);
}
