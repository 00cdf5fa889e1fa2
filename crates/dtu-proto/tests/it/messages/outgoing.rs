//! Mode 4: frames become messages.

use super::*;

#[test]
fn manual_2_1_2_a_frame_becomes_a_message_to_cipnum() {
    let mut dev = booted(sms_mode());
    dev.at(1000).serial("hello").at(1099).network_takes(&[]);
    dev.at(1100).network_takes(&[("10086", "hello")]);
    dev.escape()
        .command("AT+CIPNUM=+8613800138000", "\r\nOK\r\n")
        .command("AT+ENTM", "\r\nOK\r\n");
    dev.wait(500)
        .serial("two")
        .wait(100)
        .network_takes(&[(PHONE, "two")]);
    assert_eq!(
        (counters(&dev).sent, dev.peer(LINK1).connects.len()),
        (2, 0)
    );
}

#[test]
fn the_mode_is_set_by_cimod_and_begins_at_the_restart() {
    let mut dev = booted(data_mode());
    dev.at(1000)
        .escape()
        .command("AT+CIMOD=4;W", "\r\nOK\r\n")
        .command("AT+CIRESET", "\r\nOK\r\n\r\nUSR-GPRS232-DTU\r\n");
    dev.wait(500)
        .serial("x")
        .wait(100)
        .network_takes(&[("10086", "x")])
        .sends_nothing(LINK1);
}

#[test]
fn text_goes_in_7_bit_if_it_can_else_in_ucs2_and_what_is_no_text_as_octets() {
    let mut dev = booted(sms_mode());
    let coded = |dev: &mut Bench, frame: &[u8]| {
        dev.wait(1000).serial(frame).wait(100);
        let submit = dev.modem.sent.pop_front().unwrap();
        (submit.dcs, submit.data.body)
    };
    assert_eq!(coded(&mut dev, b"{a}\r\n").0, Dcs::GSM7);
    assert_eq!(
        coded(&mut dev, &[0xCB, 0xAE, 0xB1, 0xC3]),
        (Dcs::UCS2, Body::ucs2("水泵"))
    );
    assert_eq!(coded(&mut dev, b"a\0b"), (Dcs::UCS2, Body::ucs2("a\0b")));
    assert_eq!(
        coded(&mut dev, &[0xFF, 0xCB]),
        (Dcs::OCTETS, Body::Octets(vec![0xFF, 0xCB]))
    );
}

#[test]
fn a_frame_that_takes_more_than_ten_parts_is_an_error_event() {
    let mut dev = booted(sms_mode());
    let long = [&[0xCB, 0xAE][..], &[b'x'; 800]].concat();
    dev.at(1000).serial(&long).wait(100).network_takes(&[]);
    let expected = "a message cannot be sent: the message takes 12 parts, at most 10 are allowed";
    assert_eq!(
        (losses(&mut dev), counters(&dev).dropped),
        (vec![expected.to_string()], 1)
    );
    dev.serial([b'x'; 1024]).wait(100);
    assert_eq!(dev.submits().len(), 7);
}

#[test]
fn what_the_network_does_not_take_now_is_tried_again_and_keeps_its_reference() {
    let mut dev = booted(sms_mode());
    dev.modem.answers = [Err(SubmitFailure::TIMED_OUT), Err(SubmitFailure::NETWORK)].into();
    dev.at(1000)
        .serial("one")
        .at(1200)
        .serial("two")
        .at(1300)
        .network_takes(&[]);
    dev.at(6099).network_takes(&[]).at(6100);
    assert_eq!(dev.modem.given.len(), 2);
    dev.at(16_099)
        .network_takes(&[])
        .at(16_100)
        .network_takes(&[("10086", "one"), ("10086", "two")]);
    let given: Vec<_> = dev.modem.given.iter().map(|pdu| submit_of(pdu)).collect();
    let told: Vec<_> = given
        .iter()
        .map(|submit| (submit.reference, submit.reject_duplicates))
        .collect();
    // M13: no number of the modem is known, so each has one of its own from its first try on.
    assert_eq!(told, [(1, true), (1, true), (1, true), (2, true)]);
    assert_eq!(counters(&dev).retried, 2);
}

#[test]
fn a_first_try_that_is_taken_for_a_copy_gets_another_reference() {
    let mut dev = booted(sms_mode());
    dev.modem.answers = [Err(SubmitFailure::DUPLICATE)].into();
    dev.at(1000).serial("one").at(1200).network_takes(&[]);
    dev.at(6200).network_takes(&[("10086", "one")]);
    let references: Vec<_> = dev
        .modem
        .given
        .iter()
        .map(|pdu| submit_of(pdu).reference)
        .collect();
    assert_eq!(references, [1, 2]);
}

#[test]
fn pauses_grow_to_five_minutes() {
    let mut dev = booted(sms_mode());
    dev.modem.answers = vec![Err(SubmitFailure::NETWORK); 12].into();
    dev.at(1000).serial("x").at(1100);
    let mut times = vec![dev.now];
    while dev.modem.given.len() < 12 {
        let count = dev.modem.given.len();
        dev.wait(1000);
        times.extend((dev.modem.given.len() > count).then_some(dev.now));
    }
    let pauses: Vec<u64> = times
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs())
        .collect();
    assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300]);
}

#[test]
fn without_registration_nothing_is_tried_and_it_goes_at_once_when_it_is_there() {
    let mut dev = booted(sms_mode());
    dev.registered(false).at(1000).serial("x").at(3_601_000);
    assert_eq!(dev.modem.given.len(), 0);
    dev.registered(true).network_takes(&[("10086", "x")]);
}

#[test]
fn a_lasting_refusal_and_a_day_without_success_drop_a_message_and_say_so() {
    let mut dev = booted(sms_mode());
    dev.modem.answers = [Err(SubmitFailure(28))].into();
    dev.at(1000).serial("x").at(1100);
    assert_eq!(
        losses(&mut dev),
        ["a message to 10086: the subscriber is not known (28)"]
    );
    dev.registered(false).serial("y").days(1).wait(99);
    assert_eq!(losses(&mut dev), Vec::<String>::new());
    dev.wait(1);
    assert_eq!(
        losses(&mut dev),
        ["a message to 10086: not taken by the network within 24 hours"]
    );
    dev.registered(true).network_takes(&[]);
    assert_eq!((counters(&dev).refused, counters(&dev).expired), (1, 1));
}

#[test]
fn the_outbox_has_room_for_256_parts() {
    let mut dev = booted(sms_mode());
    dev.registered(false);
    for second in 1..=257 {
        dev.at(second * 1000).serial("x");
    }
    dev.wait(100);
    assert_eq!(
        losses(&mut dev),
        ["a message to 10086: too many wait to be sent"]
    );
    dev.registered(true);
    assert_eq!((dev.submits().len(), counters(&dev).dropped), (256, 1));
}

#[test]
fn a_silent_modem_is_asked_again_after_its_time() {
    let mut dev = booted(sms_mode());
    dev.modem.silent = true;
    dev.at(1000).serial("x").at(1100 + 184_999);
    assert_eq!(dev.modem.given.len(), 1);
    dev.modem.unanswered.clear();
    dev.modem.silent = false;
    dev.wait(1).wait(5000).network_takes(&[("10086", "x")]);
    assert!(submit_of(&dev.modem.given[1]).reject_duplicates);
}

#[test]
fn a_frame_is_on_the_disk_before_it_is_sent() {
    let mut dev = booted(sms_mode());
    dev.store.slow = true;
    dev.at(1000).serial("x").at(1100).network_takes(&[]);
    dev.disk_answers().network_takes(&[("10086", "x")]);
    dev.store.works = false;
    dev.serial("y").wait(100).network_takes(&[("10086", "y")]);
    assert!(
        dev.events
            .contains(&Event::MessagesNotStored("no space left on device".into()))
    );
}

/// The centre has it already: it arrived, though the modem did not hear that.
#[test]
fn a_repeat_that_is_refused_as_a_copy_was_sent() {
    let mut dev = booted(sms_mode());
    dev.modem
        .answers
        .extend([Err(SubmitFailure::TIMED_OUT), Err(SubmitFailure::DUPLICATE)]);
    dev.serial("x").wait(600_000);
    assert_eq!((dev.modem.given.len(), counters(&dev).sent), (2, 1));
    assert_eq!(losses(&mut dev), Vec::<String>::new());
}
