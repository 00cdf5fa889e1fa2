//! Mode 4: messages go to the line.

use super::*;

#[test]
fn manual_2_1_2_only_the_text_of_a_message_goes_to_the_line() {
    let mut dev = booted(sms_mode());
    dev.at(1000).sms_from(PHONE, "hello").prints("hello");
    dev.sms_from("10010", "水泵")
        .prints([0xCB, 0xAE, 0xB1, 0xC3]);
    dev.named_sms_from("USR", "name").prints("name");
    dev.body_from(PHONE, Body::Octets(vec![0, 255, 13]))
        .prints([0, 255, 13]);
    assert_eq!(
        (dev.modem.taken.as_slice(), counters(&dev).printed),
        (&[1, 2, 3, 4][..], 4)
    );
}

#[test]
fn the_line_gets_utf8_where_the_settings_say_so() {
    let options = Options {
        charset: Charset::Utf8,
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    let mut dev = Bench::with(sms_mode(), options);
    dev.modem_comes()
        .at(300)
        .prints(BANNER)
        .sms_from(PHONE, "泵😀")
        .prints("泵😀");
    dev.serial("水").wait(100).network_takes(&[("10086", "水")]);
}

#[test]
fn parts_come_out_of_order_doubled_and_are_one_text() {
    let mut dev = booted(sms_mode());
    let text = "0123456789".repeat(40);
    let three = parts(PHONE, Body::text(&text), 7, stamp(1));
    for place in [2, 0, 0, 2] {
        dev.brings(&three[place]);
    }
    dev.prints_nothing().brings(&three[1]);
    dev.prints(&text).brings(&three[1]);
    dev.prints_nothing();
    assert_eq!((dev.modem.taken.len(), counters(&dev).duplicates), (6, 3));
}

#[test]
fn a_part_that_comes_again_with_another_stamp_leaves_nothing_behind() {
    let mut dev = booted(sms_mode());
    let text = "0123456789".repeat(20);
    let again = parts(PHONE, Body::text(&text), 7, stamp(9));
    for part in parts(PHONE, Body::text(&text), 7, stamp(1)) {
        dev.brings(&part);
    }
    dev.at(1000).prints(&text).brings(&again[1]);
    dev.wait(700_000).prints_nothing();
    let status = dev.dtu.status(dev.now).messages;
    assert_eq!(
        (
            status.parts,
            status.counters.duplicates,
            status.counters.incomplete
        ),
        (0, 1, 0)
    );
    dev.days(1).prints_nothing();
    assert_eq!(losses(&mut dev), Vec::<String>::new());
}

#[test]
fn an_incomplete_message_is_given_up_after_a_day_with_what_is_there() {
    let mut dev = booted(sms_mode());
    let three = parts(PHONE, Body::text(&"0123456789".repeat(40)), 7, stamp(1));
    dev.at(1000).brings(&three[2]);
    dev.brings(&three[0]);
    dev.killed(sms_mode())
        .at(300)
        .prints(BANNER)
        .at(86_399_000)
        .prints_nothing();
    dev.wait(2000);
    assert_eq!(dev.printed().len(), 153 + 94);
    assert_eq!(
        losses(&mut dev),
        ["a message from +8613800138000: parts of it never came"]
    );
}

#[test]
fn a_character_torn_over_a_part_border_is_whole() {
    let mut dev = booted(sms_mode());
    let units: Vec<u16> = "a"
        .repeat(66)
        .encode_utf16()
        .chain("😀".encode_utf16())
        .chain("b".encode_utf16())
        .collect();
    let header = |part| sms_codec::udh::Header::new(&[0, 3, 9, 2, part]);
    for (part, units) in [(1, &units[..67]), (2, &units[67..])] {
        let data = UserData {
            header: Some(header(part)),
            body: Body::Ucs2(units.to_vec()),
        };
        dev.brings(&deliver(Address::number(PHONE).unwrap(), data, stamp(1)));
    }
    assert_eq!(dev.printed(), "a".repeat(66) + "?b");
}

#[test]
fn the_longest_message_has_255_parts() {
    let mut dev = booted(sms_mode());
    let text = "x".repeat(153 * 255);
    for part in parts(PHONE, Body::text(&text), 7, stamp(1)).iter().rev() {
        dev.brings(part);
    }
    assert_eq!(dev.printed().len(), text.len());
}

#[test]
fn a_message_waits_for_the_end_of_the_command_state() {
    let mut dev = booted(sms_mode());
    dev.at(1000)
        .escape()
        .sms_from(PHONE, "later")
        .prints_nothing()
        .command("AT+ENTM", "\r\nOK\r\nlater");
    dev.prints_nothing();
}

#[test]
fn a_message_that_comes_in_the_set_up_window_waits_for_its_end() {
    let options = Options {
        setup_window: Duration::from_secs(5),
        ..Options::default()
    };
    let mut dev = Bench::with(sms_mode(), options);
    dev.modem_comes()
        .at(300)
        .prints(BANNER)
        .sms_from(PHONE, "x")
        .at(4999)
        .prints_nothing()
        .at(5000)
        .prints("x");
}

#[test]
fn a_message_is_done_with_when_it_is_written() {
    let mut dev = booted(sms_mode());
    dev.dte_stops();
    dev.at(1000)
        .sms_from(PHONE, "one")
        .sms_from(PHONE, "two")
        .prints("one");
    dev.killed(sms_mode())
        .at(300)
        .prints("\r\nUSR-GPRS232-DTU\r\nonetwo");
    dev.killed(sms_mode()).at(300).prints(BANNER);
}

#[test]
fn a_line_that_is_gone_loses_nothing() {
    let mut dev = booted(sms_mode());
    dev.input(Input::Serial(dtu_proto::event::SerialInput::Gone))
        .sms_from(PHONE, "x")
        .prints_nothing();
    dev.input(Input::Serial(dtu_proto::event::SerialInput::Present))
        .prints("x");
}

#[test]
fn when_the_dte_does_not_read_messages_stay_with_the_modem() {
    let mut dev = booted(sms_mode());
    dev.dte_stops();
    for _ in 0..100 {
        dev.sms_from(PHONE, "x");
    }
    assert_eq!(
        (
            dev.modem.taken.len(),
            dev.dtu.status(dev.now).messages.not_taken
        ),
        (64, 36)
    );
    dev.dte_reads_on();
    assert_eq!((dev.printed().len(), dev.modem.taken.len()), (100, 100));
}

#[test]
fn a_message_that_comes_again_is_dropped_even_after_a_kill() {
    let mut dev = booted(sms_mode());
    let pdu = deliver(
        Address::number(PHONE).unwrap(),
        UserData::plain(Body::text("once")),
        stamp(1),
    );
    dev.brings(&pdu);
    dev.brings(&pdu);
    dev.prints("once").killed(sms_mode()).at(300).prints(BANNER);
    let id = dev.brings(&pdu);
    dev.prints_nothing();
    assert_eq!(
        (dev.modem.taken.as_slice(), counters(&dev).duplicates),
        (&[id][..], 1)
    );
}

#[test]
fn the_modem_forgets_a_message_only_when_it_is_on_the_disk_or_delivered() {
    let mut dev = booted(sms_mode());
    dev.store.slow = true;
    dev.at(1000).sms_from(PHONE, "x").prints("x");
    assert!(dev.modem.taken.is_empty(), "{:?}", dev.modem.taken);
    dev.disk_answers();
    assert_eq!(dev.modem.taken, [1]);
    dev.store.works = false;
    dev.sms_from(PHONE, "y")
        .prints("y")
        .sms_from(PHONE, "z")
        .prints("z");
    dev.store.works = true;
    dev.wait(30_000).modem.taken.sort();
    assert_eq!(dev.modem.taken, [1, 2, 3]);
}

#[test]
fn decisions_16_15_what_cannot_be_read_stays_with_the_modem_and_is_said_once() {
    let mut dev = booted(sms_mode());
    let scraps: [&[u8]; 3] = [
        &[1, 2, 3],
        &[],
        b"\x00\x01\x00\x05\x81\x01\x80\xF6\x00\x00\x01\x61",
    ];
    for scrap in scraps {
        dev.brings(&Bytes::from_static(scrap));
    }
    assert_eq!((counters(&dev).unreadable, dev.modem.taken.len()), (3, 0));
    let told = losses(&mut dev);
    assert_eq!(
        told[2],
        "what came is no message, and stays with the modem: it is a message to be sent"
    );
    // The modem brings them again after a reset, and to the next run.
    for scrap in scraps {
        dev.brings(&Bytes::from_static(scrap));
    }
    dev.killed(sms_mode());
    for scrap in scraps {
        dev.brings(&Bytes::from_static(scrap));
    }
    dev.at(1000).printed();
    assert_eq!(
        (
            losses(&mut dev).len(),
            counters(&dev).unreadable,
            dev.modem.taken.len()
        ),
        (0, 0, 0)
    );
    // What can be read goes on.
    dev.sms_from(PHONE, "x").prints("x");
}

/// A centre stamps what it sends again anew. The same content is the same part; other content is of another message
/// that has the same reference by chance.
#[test]
fn a_part_with_another_stamp_is_known_by_its_content() {
    let mut dev = booted(sms_mode());
    let (one, other) = ("0123456789".repeat(20), "abcdefghij".repeat(20));
    let parts_at = |text: &str, second| parts(PHONE, Body::text(text), 7, stamp(second));
    let (first, again) = (parts_at(&one, 1), parts_at(&one, 9));
    dev.at(1000).brings(&first[0]);
    dev.brings(&again[0]);
    dev.brings(&first[1]);
    dev.prints(&one);
    assert_eq!(counters(&dev).duplicates, 1);
    let parts_at = |text: &str, second| parts(PHONE, Body::text(text), 8, stamp(second));
    let (first, other) = (parts_at(&one, 101), parts_at(&other, 200));
    dev.brings(&first[0]);
    dev.brings(&other[0]);
    let messages = dev.dtu.status(dev.now).messages;
    let counters = messages.counters;
    assert_eq!((counters.duplicates, counters.incomplete), (1, 1));
    assert_eq!(messages.parts, 1);
}

#[test]
fn a_message_without_text_is_done_with_at_once() {
    let mut dev = booted(sms_mode());
    dev.at(1000).sms_from(PHONE, "").prints_nothing();
    assert_eq!((counters(&dev).printed, dev.modem.taken.len()), (1, 1));
    dev.sms_from(PHONE, "x").prints("x");
    assert_eq!((counters(&dev).printed, counters(&dev).received), (2, 2));
}

/// Each is told apart from a message that takes its time by what it says.
#[test]
fn a_long_message_with_a_reference_that_was_used_lately_has_all_its_time() {
    let mut dev = booted(sms_mode());
    for (number, copies) in [(0, 1), (1, 2)] {
        let text = std::format!("0{number}23456789").repeat(20);
        let part = |second| parts(PHONE, Body::text(&text), 7, stamp(second));
        let (first, again) = (part(1 + 100 * number), part(9 + 100 * number));
        dev.brings(&first[0]);
        dev.wait(3_600_000).brings(&first[1]);
        dev.prints(&text).brings(&again[1]);
        // One copy alone is no message.
        dev.wait(3_600_000).prints_nothing();
        assert_eq!(counters(&dev).duplicates, copies);
    }
}
