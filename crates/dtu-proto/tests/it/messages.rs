//! Short messages as timed scripts (manual 2.1.2, 2.8.5, 2.8.6.33; decisions 8 and 10).
#![allow(missing_docs, clippy::unwrap_used)]

use sms_codec::address::Address;
use sms_codec::dcs::Dcs;
use sms_codec::udh::{Concat, Header, Ports, Reference};
use sms_codec::user_data::{Body, UserData};

use bytes::Bytes;
use dtu_proto::config::{Charset, Config, FactoryPassword, Options, WorkingMode};
use dtu_proto::event::{Event, Input, MessageLoss, ModemInput, Origin, Power};
use dtu_proto::radio::{Operator, SubmitFailure};
use dtu_proto::status::MessageCounters;
use dtu_proto::testing::pdu::{deliver, number, parts, report, stamp, submit_of};
use dtu_proto::testing::{Bench, LINK1, one_link};
use dtu_proto::time::Duration;

const BANNER: &str = "\r\nUSR-GPRS232-DTU\r\n";
const PHONE: &str = "+8613800138000";

fn sms_mode() -> Config {
    Config {
        mode: WorkingMode::Sms,
        heartbeat_interval: 0,
        restart_time: 0,
        password: "abc".into(),
        ..Config::default()
    }
}

fn at_mode() -> Config {
    Config {
        mode: WorkingMode::AtCommand,
        ..sms_mode()
    }
}

fn data_mode() -> Config {
    Config {
        password: "abc".into(),
        ..one_link()
    }
}

fn booted(config: Config) -> Bench {
    let mut dev = Bench::with_modem(config);
    dev.at(1000).prints(BANNER);
    dev
}

fn counters(dev: &Bench) -> MessageCounters {
    dev.dtu.status(dev.now).messages.counters
}

fn losses(dev: &mut Bench) -> Vec<String> {
    let told = |event: Event| {
        if let Event::MessageLost(loss) = event {
            Some(loss.to_string())
        } else {
            None
        }
    };
    std::mem::take(&mut dev.events)
        .into_iter()
        .filter_map(told)
        .collect()
}

/// The escape; what is printed behind its `+ok`.
fn escaped(dev: &mut Bench) -> String {
    dev.wait(1000)
        .serial("+++")
        .wait(21)
        .prints("a")
        .serial("a")
        .wait(2521);
    let printed = dev.printed();
    String::from(printed.strip_prefix("\\r\\n+ok\\r\\n").unwrap())
}

// ---- mode 4, out

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

#[test]
fn m13_what_was_tried_before_a_kill_is_repeated_with_its_reference_and_refuses_copies() {
    let mut dev = booted(sms_mode());
    dev.modem.silent = true;
    dev.at(1000).serial("x".repeat(200)).at(1100);
    assert_eq!(numbers(&dev), [(1, true)]);
    dev.modem.silent = false;
    dev.killed(sms_mode());
    assert_eq!(
        dev.submits()
            .into_iter()
            .map(|(_, text)| text)
            .collect::<String>(),
        "x".repeat(200)
    );
    assert_eq!(numbers(&dev), [(1, true), (1, true), (2, true)]);
    dev.wait(1000).serial("y").wait(100);
    assert_eq!(numbers(&dev).last(), Some(&(3, true)));
}

/// TP-MR and TP-RD of all that the modem was given.
fn numbers(dev: &Bench) -> Vec<(u8, bool)> {
    let told = |pdu: &Bytes| {
        let submit = submit_of(pdu);
        (submit.reference, submit.reject_duplicates)
    };
    dev.modem.given.iter().map(told).collect()
}

fn says(reference: u8) -> Result<u8, SubmitFailure> {
    Ok(reference)
}

#[test]
fn m13_a_frame_behind_a_command_goes_at_once_with_the_next_number() {
    let mut dev = booted(sms_mode());
    dev.modem.answers = [says(117), says(118), says(119)].into();
    dev.at(1000)
        .escape()
        .command("AT+CISMSSEND=10086,1,\"one\"", "\r\nOK\r\n")
        .command("AT+ENTM", "\r\nOK\r\n");
    dev.network_takes(&[("10086", "one")])
        .wait(1000)
        .serial("two")
        .wait(100)
        .network_takes(&[("10086", "two")]);
    // Not a number that is used, and nothing that a service centre could refuse as a copy.
    assert_eq!(numbers(&dev), [(1, false), (118, false)]);
    // The other way round: the command counts on.
    dev.wait(1000)
        .escape()
        .command("AT+CISMSSEND=10086,1,\"three\"", "\r\nOK\r\n");
    assert_eq!(numbers(&dev)[2], (119, false));
}

/// A message by a command, behind which the number of the modem is known.
fn by_command(dev: &mut Bench, text: &str) {
    dev.wait(1000)
        .escape()
        .command(&format!("AT+CISMSSEND=10086,1,\"{text}\""), "\r\nOK\r\n");
    dev.command("AT+ENTM", "\r\nOK\r\n");
}

#[test]
fn m13_each_part_of_a_long_message_has_the_number_behind_what_the_modem_said() {
    let mut dev = booted(sms_mode());
    dev.modem.answers = [
        says(7),
        says(8),
        Err(SubmitFailure::TIMED_OUT),
        says(9),
        says(10),
    ]
    .into();
    by_command(&mut dev, "a");
    dev.wait(1000).serial("x".repeat(400)).wait(10_000);
    // Only the repeat says that it is one. Whether the modem has counted its first try nobody knows from then on.
    assert_eq!(
        numbers(&dev),
        [(1, false), (8, false), (9, false), (9, true), (10, true)]
    );
}

#[test]
fn m13_the_reference_goes_on_after_a_kill() {
    let mut dev = booted(sms_mode());
    dev.modem.answers = [says(200), says(201)].into();
    by_command(&mut dev, "a");
    dev.wait(1000).serial("x").wait(1000);
    dev.killed(sms_mode()).wait(1000).serial("y").wait(100);
    assert_eq!(numbers(&dev), [(1, false), (201, false), (202, true)]);
}

#[test]
fn m13_a_number_that_a_command_has_got_is_not_that_of_a_waiting_repeat() {
    let mut dev = booted(sms_mode());
    dev.modem.answers = [says(5), Err(SubmitFailure::NETWORK), says(6), says(7)].into();
    by_command(&mut dev, "a");
    dev.wait(1000).serial("b").wait(100);
    // This modem does not count a try that failed, and gives 6 to the command's message.
    by_command(&mut dev, "c");
    dev.wait(5000);
    assert_eq!(
        numbers(&dev),
        [(1, false), (6, false), (7, false), (7, false)]
    );
    dev.network_takes(&[("10086", "a"), ("10086", "c"), ("10086", "b")]);
}

#[test]
fn m13_a_modem_that_counts_behind_the_repeats_costs_no_message() {
    let mut dev = booted(sms_mode());
    let lost = Err(SubmitFailure::TIMED_OUT);
    // The first try of "b" never reaches the modem, which counts 2 behind "a", where 2 and 3 are used already.
    dev.modem.answers = [says(1), lost, says(2), says(3), says(2), lost, says(4)].into();
    by_command(&mut dev, "a");
    dev.wait(1000)
        .serial("b")
        .wait(10_000)
        .serial("c")
        .wait(10_000);
    by_command(&mut dev, "d");
    dev.wait(1000).serial("e").wait(10_000);
    assert_eq!(
        numbers(&dev)[..5],
        [(1, false), (2, false), (2, true), (3, true), (4, false)]
    );
    assert_eq!(
        numbers(&dev)[5..],
        [(4, true), (4, true)],
        "3 would be next, and is that of \"c\""
    );
    let texts = ["a", "b", "c", "d", "e"].map(|text| ("10086", text));
    dev.network_takes(&texts);
}

#[test]
fn m13_numbers_that_were_used_stay_known_over_a_kill() {
    let mut dev = booted(sms_mode());
    let lost = Err(SubmitFailure::TIMED_OUT);
    // The first try of "b" never reaches the modem, which counts 2 behind "a", where 2 and 3 are used already.
    dev.modem.answers = [says(1), lost, says(2), says(3)].into();
    by_command(&mut dev, "a");
    dev.wait(1000)
        .serial("b")
        .wait(10_000)
        .serial("c")
        .wait(10_000);
    dev.killed(sms_mode()).at(1000).printed();
    dev.modem.answers = [says(2), lost, says(4)].into();
    by_command(&mut dev, "d");
    dev.wait(1000).serial("e").wait(10_000);
    assert_eq!(
        numbers(&dev)[5..],
        [(4, true), (4, true)],
        "3 would be next, and is that of \"c\""
    );
}

/// A run whose disk fails leaves no word of its numbers; the next one begins with the same.
#[test]
fn m13_a_copy_that_may_be_a_message_of_a_run_that_could_write_nothing_is_told() {
    let mut dev = booted(sms_mode());
    dev.store.works = false;
    dev.at(1000)
        .serial("x")
        .at(1100)
        .killed(sms_mode())
        .store
        .works = false;
    assert_eq!(numbers(&dev), [(1, true)]);
    dev.modem.answers = [Err(SubmitFailure::NETWORK), Err(SubmitFailure::DUPLICATE)].into();
    dev.at(1000).serial("y").wait(10_000);
    assert_eq!(numbers(&dev)[1..], [(1, true), (1, true)]);
    let expected =
        "a message to 10086: the service centre says that it has it, which may be another one"
            .to_string();
    assert_eq!((losses(&mut dev), counters(&dev).sent), (vec![expected], 1));
}

#[test]
fn m13_a_copy_of_what_an_earlier_run_tried_is_told() {
    let mut dev = booted(sms_mode());
    dev.modem.silent = true;
    dev.at(1000).serial("x").at(1100);
    dev.modem.silent = false;
    dev.modem.answers = [Err(SubmitFailure::DUPLICATE)].into();
    dev.killed(sms_mode()).wait(1000);
    let expected =
        "a message to 10086: the service centre says that it has it, which may be another one"
            .to_string();
    assert_eq!((losses(&mut dev), counters(&dev).sent), (vec![expected], 1));
}

#[test]
fn m13_text_mode_messages_that_refuse_copies_have_numbers_of_their_own() {
    let mut dev = booted(at_mode());
    dev.at(1000)
        .command("AT+CMGF=1;+CSMP=21,167,0,0", "\r\nOK\r\n");
    for text in ["one\x1a", "two\x1a"] {
        dev.command("AT+CMGS=\"10086\"", "\r\n> ")
            .wait(500)
            .serial(text)
            .wait(100);
        dev.printed();
    }
    assert_eq!(numbers(&dev), [(1, true), (2, true)]);
    // A PDU is the DTE's own, but for the number of one that is no repeat.
    dev.printed();
    dev.command("AT+CMGF=0", "\r\nOK\r\n");
    for pdu in [
        "00050905810180F6000001E1\x1a",
        "00010905810180F6000001E1\x1a",
    ] {
        dev.command("AT+CMGS=11", "\r\n> ")
            .wait(500)
            .serial(pdu)
            .wait(100);
        dev.printed();
    }
    assert_eq!(numbers(&dev)[2..], [(9, true), (3, false)]);
}

#[test]
fn a_copy_that_the_service_centre_refuses_counts_as_sent() {
    let mut dev = booted(sms_mode());
    dev.modem.answers = [Err(SubmitFailure::TIMED_OUT), Err(SubmitFailure::DUPLICATE)].into();
    dev.at(1000).serial("x").at(10_000).network_takes(&[]);
    assert_eq!(
        (
            counters(&dev).sent,
            dev.dtu.status(dev.now).messages.outgoing
        ),
        (1, 0)
    );
}

// ---- mode 4, in

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

// ---- messages for applications

/// To the port of WAP push: an MMS that waits, in so many octets.
fn push(header: Header, octets: usize, second: u32) -> Bytes {
    let data = UserData {
        header: Some(header),
        body: Body::Octets(vec![0xBE; octets]),
    };
    deliver(Address::number("1065810").unwrap(), data, stamp(second))
}

fn to_port() -> Header {
    Header::default().with_ports(Ports {
        to: 2948,
        from: 9200,
    })
}

#[test]
fn m12_an_mms_is_stored_and_told_and_never_printed_to_the_equipment() {
    let mut dev = booted(sms_mode());
    // 8-bit ports are ports too.
    let narrow = Header::new(&[4, 2, 240, 241]);
    dev.at(1000).brings(&push(to_port(), 18, 1));
    dev.brings(&push(narrow, 18, 2));
    dev.wait(1000).prints_nothing();
    let told = |port| Event::MessageToPort {
        from: "1065810".into(),
        port,
    };
    assert!(
        dev.events.contains(&told(2948)) && dev.events.contains(&told(240)),
        "{:?}",
        dev.events
    );
    assert_eq!(
        (
            dev.dtu.status(dev.now).messages.stored,
            dev.modem.taken.len()
        ),
        (2, 2)
    );
    assert_eq!(
        escaped(&mut dev),
        "\\r\\n+CMTI: \\\"SM\\\",1\\r\\n\\r\\n+CMTI: \\\"SM\\\",2\\r\\n"
    );
    dev.command(
        "AT+CMEE=1;+CMGF=1;+CMGR=2",
        &format!(
            "\r\n+CMGR: \"REC UNREAD\",\"1065810\",,\"14/09/10,15:00:02+32\"\r\n{}\r\n\r\nOK\r\n",
            "BE".repeat(18)
        ),
    );
}

#[test]
fn m12_the_parts_of_an_mms_are_stored_too() {
    let mut dev = booted(sms_mode());
    let part = |part| {
        to_port().with_concat(Concat {
            reference: Reference::Narrow(9),
            total: 2,
            part,
        })
    };
    dev.at(1000).brings(&push(part(2), 50, 1));
    dev.brings(&push(part(1), 120, 2));
    dev.wait(1000).prints_nothing();
    assert_eq!(dev.dtu.status(dev.now).messages.stored, 2);
}

#[test]
fn m12_a_message_to_a_port_is_no_command() {
    for config in [sms_mode(), at_mode(), data_mode()] {
        let mut dev = booted(config);
        let data = UserData {
            header: Some(to_port()),
            body: Body::text("abc,AT+CIPSW=other"),
        };
        dev.at(1000)
            .brings(&deliver(Address::number(PHONE).unwrap(), data, stamp(1)));
        dev.wait(1000).network_takes(&[]);
        assert_eq!(
            (
                counters(&dev).commands,
                dev.dtu.status(dev.now).messages.stored
            ),
            (0, 1)
        );
    }
}

#[test]
fn m12_in_the_command_state_its_octets_are_not_printed_as_a_text() {
    let mut dev = booted(at_mode());
    dev.at(1000).brings(&push(to_port(), 18, 1));
    dev.wait(1000).prints("\r\n+CMTI: \"SM\",1\r\n");
}

#[test]
fn m12_pushes_that_nobody_reads_do_not_make_mode_4_deaf() {
    let mut dev = booted(sms_mode());
    dev.at(1000);
    for second in 0..60 {
        dev.brings(&push(to_port(), 18, second));
    }
    assert_eq!(
        (
            dev.dtu.status(dev.now).messages.stored,
            dev.modem.taken.len()
        ),
        (50, 60)
    );
    assert_eq!((counters(&dev).evicted, losses(&mut dev).len()), (10, 10));
    dev.sms_from(PHONE, "still here").prints("still here");
    // Nor while a DTE looks after the storage, and nothing there makes room.
    escaped(&mut dev);
    dev.wait(10_000).printed();
    dev.command("AT+CMGD=1,1", "\r\nOK\r\n");
    dev.command("AT+ENTM", "\r\nOK\r\n").wait(1000);
    dev.brings(&push(to_port(), 18, 100));
    dev.sms_from(PHONE, "and here").prints("and here");
    assert_eq!(dev.dtu.status(dev.now).messages.not_taken, 1);
}

// ---- commands

#[test]
fn manual_2_8_5_a_message_with_the_password_is_a_command_and_is_answered_by_a_message() {
    for config in [sms_mode(), data_mode(), at_mode()] {
        let mut dev = booted(config);
        dev.sms_from(PHONE, "abc,AT+CMGF?")
            .prints_nothing()
            .network_takes(&[(PHONE, "+CMGF: 0\r\n\r\nOK")]);
        dev.sms_from(PHONE, "abc,AT+NIX\r\n");
        let answer = "+CME ERROR: AT+NIX: unknown command; AT+HELP lists them";
        dev.prints_nothing().network_takes(&[(PHONE, answer)]);
        assert_eq!(counters(&dev).commands, 2);
    }
}

#[test]
fn a_message_that_begins_with_the_password_but_is_no_command_is_a_message() {
    let mut dev = booted(sms_mode());
    for text in [
        "abc",
        "abc,",
        "abc, AT",
        "abc,hello",
        "abcAT+CSQ",
        "xabc,AT+CSQ",
        "abc,AT+CSQ\r\nmore",
        "abc,AT+\nX",
    ] {
        dev.sms_from(PHONE, text).prints(text).network_takes(&[]);
    }
    dev.sms_from(PHONE, "wrong,AT+CSQ")
        .prints("wrong,AT+CSQ")
        .network_takes(&[]);
    assert!(
        dev.events
            .contains(&Event::WrongPassword(Origin::Sms(number(PHONE))))
    );
}

#[test]
fn a_command_may_be_a_long_message_and_so_may_its_answer() {
    let mut dev = booted(data_mode());
    let banner = "x".repeat(60);
    let chain = format!("abc,AT+CIMODID=\"{banner}\"{}", ";+CIMODID?".repeat(20));
    dev.sms_from(PHONE, &chain);
    let answers = dev.submits();
    let text: String = answers.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!((answers.len(), text.matches(&banner).count()), (10, 20));
    dev.wait(1000).sms_from(PHONE, "abc,AT+HELP");
    let answers = dev.submits();
    assert_eq!((answers.len(), counters(&dev).cut), (10, 1));
    assert!(answers[9].1.ends_with("..."));
}

#[test]
fn only_numbers_of_the_list_may_command() {
    let allow = vec![number(PHONE)];
    let options = Options {
        sms_allow: allow,
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    let mut dev = Bench::with(sms_mode(), options);
    dev.modem_comes().at(300).prints(BANNER);
    dev.sms_from("10010", "abc,AT")
        .prints("abc,AT")
        .network_takes(&[]);
    dev.sms_from(PHONE, "abc,AT")
        .prints_nothing()
        .network_takes(&[(PHONE, "OK")]);
}

#[test]
fn a_name_cannot_command() {
    let mut dev = booted(sms_mode());
    dev.named_sms_from("USR", "abc,AT")
        .prints("abc,AT")
        .network_takes(&[]);
}

#[test]
fn k5_the_factory_password_lets_phones_query_and_set_nothing() {
    let factory = Config {
        password: "admin".into(),
        ..sms_mode()
    };
    let mut dev = booted(factory.clone());
    dev.sms_from(PHONE, "admin,AT+CIPNUM?")
        .network_takes(&[(PHONE, "+CIPNUM: 10086\r\n\r\nOK")]);
    dev.sms_from(PHONE, "admin,AT+CIPNUM=1");
    let refused =
        "+CME ERROR: CIPNUM: factory password: set a new one at the serial line first (AT+CIPSW)";
    dev.network_takes(&[(PHONE, refused)]);
    // The two texts that took a device over (decisions 16.20).
    dev.sms_from(PHONE, "admin,AT+CIPSW=xyz");
    let refused =
        "+CME ERROR: CIPSW: factory password: set a new one at the serial line first (AT+CIPSW)";
    dev.network_takes(&[(PHONE, refused)]).prints_nothing();
    dev.sms_from(PHONE, "xyz,AT+CIPNUM=1")
        .network_takes(&[])
        .prints("xyz,AT+CIPNUM=1");
    assert_eq!(*dev.dtu.config(), factory);
    let options = Options {
        factory_password: FactoryPassword::Off,
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    let mut dev = Bench::with(factory, options);
    dev.modem_comes()
        .at(300)
        .prints(BANNER)
        .sms_from(PHONE, "admin,AT")
        .prints("admin,AT")
        .network_takes(&[]);
}

#[test]
fn five_wrong_passwords_shut_one_phone_out_and_no_other() {
    let mut dev = booted(sms_mode());
    for guess in 0..5 {
        dev.sms_from(PHONE, &format!("x{guess},AT"));
    }
    dev.printed();
    dev.sms_from(PHONE, "abc,AT")
        .prints_nothing()
        .network_takes(&[]);
    dev.sms_from("10010", "abc,AT")
        .network_takes(&[("10010", "OK")]);
    dev.wait(300_000)
        .sms_from(PHONE, "abc,AT")
        .network_takes(&[(PHONE, "OK")]);
}

#[test]
fn secrets_are_hidden_from_phones() {
    let mut config = sms_mode();
    config.apn.password = "secret".into();
    config.httpd.head = "Authorization: Basic c2VjcmV0".into();
    let mut dev = booted(config);
    dev.sms_from(PHONE, "abc,AT+HTPHD?")
        .network_takes(&[(PHONE, "+HTPHD:\"****\"\r\n\r\nOK")]);
    dev.sms_from(PHONE, "abc,AT+CSTT?")
        .network_takes(&[(PHONE, "+CSTT: \"\", \"\", \"****\"\r\n\r\nOK")]);
}

#[test]
fn a_command_waits_for_the_one_before() {
    let mut dev = booted(at_mode());
    dev.command("AT+CMGF=1", "\r\nOK\r\n")
        .serial("AT+CMGS=10086\r")
        .prints("\r\n> ");
    dev.sms_from(PHONE, "abc,AT")
        .network_takes(&[])
        .prints_nothing();
    dev.serial("x\x1A")
        .network_takes(&[("10086", "x"), (PHONE, "OK")]);
}

#[test]
fn a_phone_restarts_the_device_and_is_answered() {
    let mut dev = booted(sms_mode());
    dev.sms_from(PHONE, "abc,AT+CIRESET")
        .wait(100)
        .prints(BANNER)
        .network_takes(&[(PHONE, "OK")]);
    assert_eq!(dev.power, [Power::Restarted]);
}

#[test]
fn a_stop_waits_until_the_messages_are_on_the_disk() {
    let mut dev = booted(sms_mode());
    dev.store.slow = true;
    dev.serial("last").input(Input::Shutdown);
    assert_eq!(dev.power, []);
    dev.disk_answers();
    assert_eq!(dev.power, [Power::Stop]);
    dev.killed(sms_mode()).network_takes(&[("10086", "last")]);
}

// ---- storage and notifications

#[test]
fn in_the_command_state_a_message_is_told_whole_and_by_its_place() {
    let mut dev = booted(at_mode());
    dev.sms_from(PHONE, "hi\tthere")
        .wait(100)
        .prints("\r\n+CISMS:+8613800138000,14-09-10-15:00:01,hi there\r\n\r\n+CMTI: \"SM\",1\r\n");
    dev.sms_from("10010", "水泵")
        .wait(99)
        .prints_nothing()
        .wait(101)
        .prints(
            [
                &b"\r\n+CISMS:10010,14-09-10-15:00:02,"[..],
                &[0xCB, 0xAE, 0xB1, 0xC3],
                b"\r\n\r\n+CMTI: \"SM\",2\r\n",
            ]
            .concat(),
        );
    dev.command("AT+CMGF=1", "\r\nOK\r\n");
    dev.command(
        "AT+CMGL=\"REC UNREAD\"",
        "\r\n+CMGL: 1,\"REC UNREAD\",\"+8613800138000\",,\"14/09/10,15:00:01+32\"\r\nhi\\tthere\r\n\
         +CMGL: 2,\"REC UNREAD\",\"10010\",,\"14/09/10,15:00:02+32\"\r\n6C346CF5\r\n\r\nOK\r\n"
            .replace("\\t", "\t")
            .as_str(),
    );
    assert_eq!(dev.modem.taken, [1, 2]);
}

#[test]
fn a_long_message_is_told_once_and_stored_part_by_part() {
    let mut dev = booted(at_mode());
    let text = "0123456789".repeat(20);
    dev.sms_from(PHONE, &text).wait(200);
    let told = dev.printed();
    assert_eq!(
        (
            told.matches("+CISMS:").count(),
            told.matches("+CMTI:").count()
        ),
        (1, 2)
    );
    assert!(told.contains(&text), "{told}");
}

#[test]
fn the_data_state_is_never_disturbed_and_places_are_told_later() {
    let mut dev = booted(data_mode());
    dev.sms_from(PHONE, "one")
        .sms_from(PHONE, "two")
        .prints_nothing();
    assert_eq!(
        escaped(&mut dev),
        "\\r\\n+CMTI: \\\"SM\\\",1\\r\\n\\r\\n+CMTI: \\\"SM\\\",2\\r\\n"
    );
    dev.command("AT+CNMI=1,1", "\r\nOK\r\n")
        .command("AT+ENTM", "\r\nOK\r\n")
        .sms_from(PHONE, "three");
    dev.wait(1000).escape().prints_nothing();
}

#[test]
fn no_more_than_sixteen_places_are_told_later_and_none_that_is_gone() {
    let mut dev = booted(data_mode());
    for _ in 0..20 {
        dev.sms_from(PHONE, "x");
    }
    let told = escaped(&mut dev);
    assert_eq!(told.matches("+CMTI:").count(), 16);
    assert!(
        told.contains(",20\\r\\n") && !told.contains(",4\\r\\n"),
        "{told}"
    );
}

#[test]
fn nothing_is_printed_into_the_answer_of_a_command() {
    let mut dev = booted(at_mode());
    dev.command("AT+CMGF=1", "\r\nOK\r\n")
        .serial("AT+CMGS=10086\r")
        .prints("\r\n> ");
    dev.sms_from(PHONE, "x").prints_nothing();
    dev.serial("y\x1A")
        .prints("\r\n+CMGS: 42\r\n\r\nOK\r\n")
        .wait(600)
        .prints("\r\n+CISMS:+8613800138000,14-09-10-15:00:01,x\r\n\r\n+CMTI: \"SM\",1\r\n");
}

#[test]
fn two_lines_that_nobody_asked_for_are_a_tenth_of_a_second_apart() {
    let mut dev = booted(at_mode());
    dev.command("AT+CMEE=1", "\r\nOK\r\n")
        .sms_from(PHONE, "one")
        .sms_from(PHONE, "two");
    dev.wait(500)
        .prints("\r\n+CMTI: \"SM\",1\r\n")
        .wait(99)
        .prints_nothing();
    dev.wait(1).prints("\r\n+CMTI: \"SM\",2\r\n");
}

#[test]
fn a_dialogue_is_not_disturbed_unless_it_never_ends() {
    let mut dev = booted(at_mode());
    dev.command("AT", "\r\nOK\r\n").sms_from(PHONE, "x");
    for _ in 0..33 {
        dev.wait(300).command("AT", "\r\nOK\r\n");
    }
    dev.wait(100);
    assert!(dev.printed().starts_with("\\r\\n+CISMS:"));
}

#[test]
fn cnmi_2_2_prints_messages_and_stores_none() {
    let mut dev = booted(at_mode());
    dev.command("AT+CNMI=2,2;+CMGF=1", "\r\nOK\r\n").sms_from(PHONE, "x").prints_nothing().wait(1000).prints(
        "\r\n+CISMS:+8613800138000,14-09-10-15:00:01,x\r\n\r\n+CMT: \"+8613800138000\",,\"14/09/10,15:00:01+32\"\r\nx\r\n",
    );
    dev.command(
        "AT+CPMS?",
        "\r\n+CPMS: \"SM\",0,50,\"SM\",0,50,\"SM\",0,50\r\n\r\nOK\r\n",
    );
    assert_eq!(
        (dev.modem.taken.as_slice(), counters(&dev).printed),
        (&[1][..], 1)
    );
}

#[test]
fn status_reports_are_told_as_cnmi_says() {
    let mut dev = booted(at_mode());
    dev.brings(&report("10086", 1));
    dev.prints_nothing()
        .command("AT+CNMI=2,1,0,1", "\r\nOK\r\n")
        .brings(&report("10086", 2));
    assert!(dev.wait(500).printed().starts_with("\\r\\n+CDS: "));
    dev.command("AT+CNMI=2,1,0,2", "\r\nOK\r\n")
        .brings(&report("10086", 3));
    dev.wait(500)
        .prints("\r\n+CDSI: \"SM\",1\r\n")
        .command("AT+CMGF=1", "\r\nOK\r\n");
    dev.command(
        "AT+CMGR=1",
        "\r\n+CMGR: \"REC UNREAD\",2,3,\"10086\",129,\"14/09/10,15:00:00+32\",\"14/09/10,15:00:00+32\",0\r\n\r\nOK\r\n",
    );
    assert_eq!((counters(&dev).reports, dev.modem.taken.len()), (3, 3));
}

#[test]
fn a_full_storage_takes_no_more_until_there_is_room() {
    let mut dev = booted(data_mode());
    for _ in 0..52 {
        dev.sms_from(PHONE, "x");
    }
    assert_eq!(
        (
            dev.modem.taken.len(),
            dev.dtu.status(dev.now).messages.not_taken
        ),
        (50, 2)
    );
    dev.sms_from(PHONE, "abc,AT")
        .network_takes(&[(PHONE, "OK")]);
    escaped(&mut dev);
    let told = "\r\n+CISMS:+8613800138000,14-09-10-15:00:51,x\r\n\r\n+CMTI: \"SM\",7\r\n";
    dev.command("AT+CMGD=7", "\r\nOK\r\n")
        .wait(600)
        .prints(told);
    assert_eq!(dev.modem.taken.len(), 52); // one of them the command
}

#[test]
fn a_long_message_gets_its_places_one_by_one_and_what_is_given_up_waits_behind_it() {
    let mut dev = booted(Config {
        restart_time: 0,
        ..data_mode()
    });
    for _ in 0..49 {
        dev.sms_from(PHONE, "x");
    }
    dev.brings(&parts("10010", Body::text(&"y".repeat(161)), 1, stamp(100))[0]);
    dev.sms_from(PHONE, &"z".repeat(161)).days(2);
    let status = dev.dtu.status(dev.now).messages;
    assert_eq!(
        (
            status.stored,
            status.not_taken,
            status.parts,
            status.counters.incomplete
        ),
        (50, 1, 1, 0)
    );
    escaped(&mut dev);
    dev.command("AT+CMGD=1;+CMGD=2", "\r\nOK\r\n");
    let status = dev.dtu.status(dev.now).messages;
    assert_eq!(
        (
            status.stored,
            status.not_taken,
            status.parts,
            status.counters.incomplete
        ),
        (50, 0, 0, 1)
    );
}

#[test]
fn a_full_storage_makes_room_of_what_was_read() {
    let mut dev = booted(Config {
        restart_time: 0,
        ..data_mode()
    });
    for _ in 0..50 {
        dev.sms_from(PHONE, "x");
    }
    escaped(&mut dev);
    dev.serial("AT+CMGR=9\r").printed();
    // Not while the DTE looks after the storage itself: it might delete the place that it has just read.
    dev.sms_from(PHONE, "new").wait(599_999).prints_nothing();
    dev.wait(101)
        .prints("\r\n+CISMS:+8613800138000,14-09-10-15:00:51,new\r\n\r\n+CMTI: \"SM\",9\r\n");
    assert_eq!(counters(&dev).evicted, 1);
    assert!(
        dev.events
            .contains(&Event::MessageLost(MessageLoss::Evicted))
    );
}

#[test]
fn what_was_told_whole_makes_room_unless_the_dte_reads_its_storage() {
    let mut dev = booted(at_mode());
    for _ in 0..60 {
        dev.sms_from(PHONE, "x").wait(500);
    }
    assert_eq!((dev.modem.taken.len(), counters(&dev).evicted), (60, 10));
    let mut dev = booted(at_mode());
    dev.serial("AT+CMGL=4\r").printed();
    for _ in 0..60 {
        dev.sms_from(PHONE, "x").wait(500);
    }
    assert_eq!((dev.modem.taken.len(), counters(&dev).evicted), (50, 0));
    dev.wait(600_000 - 60 * 500);
    assert_eq!((dev.modem.taken.len(), counters(&dev).evicted), (60, 10));
}

#[test]
fn what_the_storage_holds_survives_a_kill() {
    let mut dev = booted(at_mode());
    dev.sms_from(PHONE, "one")
        .sms_from(PHONE, "two")
        .serial("AT+CMGR=1\r")
        .printed();
    dev.killed(at_mode())
        .at(300)
        .prints(BANNER)
        .command("AT+CMGF=1", "\r\nOK\r\n");
    dev.command(
        "AT+CMGL=\"ALL\"",
        "\r\n+CMGL: 1,\"REC READ\",\"+8613800138000\",,\"14/09/10,15:00:01+32\"\r\none\r\n\
         +CMGL: 2,\"REC UNREAD\",\"+8613800138000\",,\"14/09/10,15:00:02+32\"\r\ntwo\r\n\r\nOK\r\n",
    );
}

// ---- commands of the line

#[test]
fn manual_2_8_6_16_cmgs_asks_sends_and_answers() {
    let mut dev = booted(at_mode());
    dev.command("AT+CMGF=1", "\r\nOK\r\n")
        .serial("AT+CMGS=10086\r")
        .prints("\r\n> ");
    dev.serial("hello")
        .prints_nothing()
        .serial("\x1A")
        .prints("\r\n+CMGS: 42\r\n\r\nOK\r\n");
    dev.network_takes(&[("10086", "hello")]);
    // M14: a backspace edits, and goes no further back than the text.
    dev.serial("AT+CMGS=10086\r")
        .prints("\r\n> ")
        .serial("\x08\x7Fjelp\x08\x08\x08\x7Fhel\x08lp\x1A");
    dev.prints("\r\n+CMGS: 42\r\n\r\nOK\r\n")
        .network_takes(&[("10086", "help")]);
    dev.serial("AT+CMGS=10086\r")
        .prints("\r\n> ")
        .serial("no\x1B")
        .prints("\r\nOK\r\n")
        .network_takes(&[]);
}

#[test]
fn m14_a_number_in_pdu_mode_asks_for_a_text_as_the_manual_prints_it() {
    let mut dev = booted(at_mode());
    for number in ["10086", "\"10086\"", "185", "\"17\"", "+8613800138000"] {
        let plain = number.trim_matches('"');
        dev.wait(1000)
            .command(&format!("AT+CMGS={number}"), "\r\n> ")
            .wait(500)
            .serial("hello\x1a");
        dev.prints("\r\n+CMGS: 42\r\n\r\nOK\r\n")
            .network_takes(&[(plain, "hello")]);
    }
    // The next one is a PDU again: the format stays.
    dev.command("AT+CMGF?;+CMGS=11", "\r\n+CMGF: 0\r\n\r\n> ")
        .wait(500);
    dev.serial("00010005810180F6000001E1\x1a")
        .prints("\r\n+CMGS: 42\r\n\r\nOK\r\n")
        .network_takes(&[("10086", "a")]);
    // What is neither is refused: no PDU is so long, and no number has 21 digits.
    for wrong in ["165", "184", "5", "abc", "123456789012345678901", "\"\""] {
        dev.serial(format!("AT+CMGS={wrong}\r")).wait(100);
        let printed = dev.printed();
        assert!(
            printed.contains("ERROR: CMGS: TO must be a"),
            "{wrong}: {printed}"
        );
    }
}

#[test]
fn m14_cimodid_takes_the_charset_of_the_line_and_an_empty_one() {
    let mut dev = booted(at_mode());
    let named = |head: &[u8], name: &[u8], tail: &[u8]| [head, name, tail].concat();
    let gbk = [0xCB, 0xAE, 0xB1, 0xC3]; // 水泵
    dev.wait(1000)
        .serial(named(b"AT+CIMODID=", &gbk, b";W\r"))
        .wait(100)
        .prints("\r\nOK\r\n");
    dev.serial("AT+CIMODID?\r").wait(100).prints(named(
        b"\r\n+CIMODID:\"",
        &gbk,
        b"\"\r\n\r\nOK\r\n",
    ));
    dev.serial("AT+CIRESET\r").wait(1000);
    dev.prints(named(b"\r\nOK\r\n\r\n", &gbk, b"\r\n"));
    dev.wait(1000).serial(b"AT+CIMODID=\xFF\r").wait(100);
    assert!(dev.printed().contains("CIMODID: NAME must be text in GBK"));
    for empty in ["AT+CIMODID=", "AT+CIMODID=\"\""] {
        dev.command(empty, "\r\nOK\r\n")
            .command("AT+CIMODID?", "\r\n+CIMODID:\"\"\r\n\r\nOK\r\n");
    }
    // A phone writes and reads text, whatever the line speaks.
    dev.sms_from(PHONE, "abc,AT+CIMODID=水泵;+CIMODID?")
        .network_takes(&[(PHONE, "+CIMODID:\"水泵\"\r\n\r\nOK")]);
}

#[test]
fn m14_ucs2_holds_for_the_service_centre_the_own_number_and_the_operator() {
    let mut dev = booted(at_mode());
    dev.news(ModemInput::OwnNumber(Some(number("+8613"))));
    dev.news(ModemInput::Operator(Some(Operator {
        name: "中国移动".into(),
        code: "46000".into(),
    })));
    dev.at(1000).command("AT+CSCS=\"UCS2\"", "\r\nOK\r\n");
    // The SIM's own centre, 8613800531500.
    let centre = "0038003600310033003800300030003500330031003500300030";
    dev.command(
        "AT+CSCA?",
        &format!("\r\n+CSCA: \"{centre}\", 145\r\n\r\nOK\r\n"),
    );
    dev.command("AT+CSCA=\"002B0031003200330034\"", "\r\nOK\r\n");
    dev.command(
        "AT+CSCA?",
        "\r\n+CSCA: \"002B0031003200330034\", 145\r\n\r\nOK\r\n",
    );
    dev.command(
        "AT+CNUM",
        "\r\n+CNUM: \"\",\"002B0038003600310033\",145\r\n\r\nOK\r\n",
    );
    dev.command(
        "AT+COPS?",
        "\r\n+COPS: 0,0,\"4E2D56FD79FB52A8\"\r\n\r\nOK\r\n",
    );
    let known = "(2,\"4E2D56FD79FB52A8\",\"4E2D56FD79FB52A8\",\"00340036003000300030\"),,";
    dev.command(
        "AT+COPS=?",
        &format!("\r\n+COPS: {known}(0,3),(0-2)\r\n\r\nOK\r\n"),
    );
    // What is typed plainly is understood, too; and in another charset all is plain.
    dev.command("AT+CSCA=\"+5678\"", "\r\nOK\r\n")
        .command("AT+CSCS=\"GSM\"", "\r\nOK\r\n");
    dev.command(
        "AT+CSCA?;+CNUM",
        "\r\n+CSCA: \"+5678\", 145\r\n\r\n+CNUM: \"\",\"+8613\",145\r\n\r\nOK\r\n",
    );
}

#[test]
fn manual_2_8_6_33_cismssend_is_ok_when_the_network_took_it() {
    let mut dev = booted(at_mode());
    dev.modem.silent = true;
    dev.serial("AT+CISMSSEND=10086,1,hello\r")
        .prints_nothing()
        .modem_answers()
        .prints("\r\nOK\r\n");
    dev.network_takes(&[("10086", "hello")]);
    dev.modem.answers = [Err(SubmitFailure::NO_NETWORK)].into();
    dev.command(
        "AT+CISMSSEND=10086,1,x",
        "\r\n+CMS ERROR: CISMSSEND: not registered in a network (331)\r\n",
    );
}

#[test]
fn a_command_goes_before_what_waits_and_after_what_is_on_its_way() {
    let mut dev = booted(sms_mode());
    dev.modem.silent = true;
    dev.serial("one").wait(200).serial("two").wait(100);
    dev.wait(300)
        .escape()
        .serial("AT+CISMSSEND=10010,1,three\r")
        .prints_nothing();
    dev.modem_answers()
        .network_takes(&[("10086", "one"), ("10010", "three"), ("10086", "two")]);
    dev.prints("\r\nOK\r\n");
}

#[test]
fn a_modem_that_goes_away_ends_a_command() {
    let mut dev = booted(at_mode());
    dev.modem.silent = true;
    dev.serial("AT+CISMSSEND=10086,1,x\r")
        .news(ModemInput::Gone);
    dev.prints("\r\n+CMS ERROR: CISMSSEND: the modem is gone (512)\r\n");
    dev.command(
        "AT+CISMSSEND=10086,1,x",
        "\r\n+CME ERROR: CISMSSEND: there is no modem\r\n",
    );
}

#[test]
fn a_modem_that_says_nothing_ends_a_command_after_three_minutes_and_is_not_asked_twice() {
    let mut dev = booted(at_mode());
    dev.modem.silent = true;
    dev.serial("AT+CISMSSEND=10086,1,x\r").wait(180_000);
    dev.prints("\r\n+CMS ERROR: CISMSSEND: the network does not answer (332)\r\n");
    dev.serial("AT+CISMSSEND=10086,1,y\r").wait(1000);
    assert_eq!(dev.modem.given.len(), 1);
    dev.modem_answers()
        .prints("\r\nOK\r\n")
        .network_takes(&[("10086", "x"), ("10086", "y")]);
}

// ---- the text that is kept

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

// ---- a hundred each way

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
