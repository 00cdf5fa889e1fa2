//! The numbers by which a service centre knows a copy.

use super::*;

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
