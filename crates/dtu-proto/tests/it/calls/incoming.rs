//! A call that comes in.

use super::*;

const RING: &str = "\r\nRING\r\n";

#[test]
fn manual_2_8_6_11_ata_answers() {
    let mut dev = desk();
    dev.command("ATA", "\r\nNO CARRIER\r\n");
    incoming(&mut dev);
    dev.prints_nothing()
        .wait(500)
        .prints(RING)
        .command("ATA", OK);
    orders(&mut dev, &[ModemOutput::Answer]);
    dev.command("ATA", OK);
    orders(&mut dev, &[]);
    call(&mut dev, CallNews::Answered);
    dev.at(20_000).prints_nothing();
    dev.command(
        "AT+CLCC",
        "\r\n+CLCC: 1,1,0,0,0,\"+8613912345678\",145\r\n\r\nOK\r\n",
    );
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.wait(500).prints("\r\nNO CARRIER\r\n");
    let counters = dev.dtu.status(dev.now).call.counters;
    assert_eq!(
        (counters.received, counters.answered, counters.refused),
        (1, 1, 0)
    );
}

#[test]
fn an_answer_that_the_modem_does_not_carry_out_is_given_up() {
    let mut dev = desk();
    incoming(&mut dev);
    dev.prints(RING).command("ATA", OK);
    ordered(&mut dev);
    dev.at(30_999)
        .prints_nothing()
        .at(31_000)
        .prints("\r\nNO CARRIER\r\n");
    orders(&mut dev, &[ModemOutput::HangUp]);
}

#[test]
fn a_call_that_comes_in_rings_every_five_seconds_until_it_is_over() {
    let mut dev = desk();
    incoming(&mut dev);
    dev.prints(RING)
        .at(5999)
        .prints_nothing()
        .at(6000)
        .prints(RING)
        .at(11_000)
        .prints(RING);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.wait(100)
        .prints("\r\nNO CARRIER\r\n")
        .at(60_000)
        .prints_nothing();
    incoming(&mut dev);
    dev.prints(RING).at(239_999);
    assert_eq!(dev.printed().matches("RING").count(), 35);
    orders(&mut dev, &[]);
    dev.at(240_000).prints("\r\nNO CARRIER\r\n");
    orders(&mut dev, &[ModemOutput::HangUp]);
}

#[test]
fn the_ring_carries_its_kind_and_the_number_in_one_piece() {
    let mut dev = desk();
    dev.command("AT+CLIP=1", OK).command("AT+CRC=1", OK);
    incoming(&mut dev);
    dev.wait(500)
        .prints("\r\n+CRING: VOICE\r\n\r\n+CLIP: \"+8613912345678\",145,,,,0\r\n");
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    call(&mut dev, CallNews::Incoming { from: None });
    dev.prints_nothing().wait(100).prints("\r\nNO CARRIER\r\n");
    dev.wait(100)
        .prints("\r\n+CRING: VOICE\r\n\r\n+CLIP: \"\",128,,,,2\r\n");
}

#[test]
fn manual_2_8_6_13_ats0_answers_after_so_many_rings() {
    let mut dev = desk();
    dev.command("ATS0=2", OK);
    incoming(&mut dev);
    dev.at(5999).prints(RING);
    orders(&mut dev, &[]);
    dev.at(6000).prints(RING);
    orders(&mut dev, &[ModemOutput::Answer]);
    call(&mut dev, CallNews::Answered);
    dev.at(60_000).prints_nothing();
}

#[test]
fn manual_2_8_6_13_ats0_answers_in_the_data_state_and_prints_nothing() {
    let mut config = one_link();
    config.auto_answer = 3;
    let mut dev = started(config);
    incoming(&mut dev);
    dev.serial("42 kWh").at(10_999);
    orders(&mut dev, &[]);
    dev.at(11_000);
    orders(&mut dev, &[ModemOutput::Answer]);
    call(&mut dev, CallNews::Answered);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.sends(LINK1, "42 kWh").prints_nothing();
}

#[test]
fn manual_2_8_6_44_ciringsta_hangs_up_in_every_state() {
    let mut dev = desk();
    dev.command("AT+CIRINGSTA=1", OK).command("ATS0=1", OK);
    incoming(&mut dev);
    orders(&mut dev, &[ModemOutput::HangUp]);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.at(20_000).prints_nothing();
    let counters = dev.dtu.status(dev.now).call.counters;
    assert_eq!((counters.received, counters.refused), (1, 1));
    incoming(&mut dev);
    dev.command("AT+CIRINGSTA=0;S0=0", OK);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    ordered(&mut dev);
    incoming(&mut dev);
    dev.wait(500)
        .prints(RING)
        .command("AT+CIRINGSTA=1", OK)
        .at(26_000)
        .prints_nothing();
    orders(&mut dev, &[ModemOutput::HangUp]);
    let mut config = one_link();
    config.refuse_calls = true;
    let mut dev = started(config);
    incoming(&mut dev);
    orders(&mut dev, &[ModemOutput::HangUp]);
    dev.at(20_000).prints_nothing();
}

#[test]
fn data_is_never_disturbed_and_the_command_state_learns_what_still_rings() {
    let mut dev = field();
    incoming(&mut dev);
    dev.at(6500).prints_nothing().escape();
    dev.at(10_999).prints_nothing().at(11_000).prints(RING);
    dev.command(
        "ATD10086;",
        "\r\n+CME ERROR: ATD: there is a call already; ATH ends it\r\n",
    );
    dev.command("AT+ENTM", OK);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.at(60_000).prints_nothing();
}

#[test]
fn a_call_rings_in_the_set_up_window() {
    let mut dev = Bench::with(one_link(), Options::default());
    tell(&mut dev, modem());
    dev.printed();
    incoming(&mut dev);
    dev.at(499)
        .prints_nothing()
        .at(500)
        .prints(RING)
        .at(5000)
        .prints_nothing()
        .at(20_000)
        .prints_nothing();
}

#[test]
fn a_ring_waits_for_the_answer_to_the_command_under_way() {
    let mut dev = desk();
    dev.store.answers = false;
    dev.serial("ATW\r");
    incoming(&mut dev);
    dev.at(6000)
        .prints_nothing()
        .input(Input::Store(StoreInput::Saved));
    dev.prints(OK).wait(499).prints_nothing();
    dev.wait(1).prints(RING).wait(100).prints_nothing();
    let mut dev = field();
    dev.escape().store.answers = false;
    dev.serial("ATW;+ENTM\r");
    incoming(&mut dev);
    dev.input(Input::Store(StoreInput::Saved))
        .prints(OK)
        .wait(60_000)
        .prints_nothing();
}

#[test]
fn thirty_two_urcs_wait_for_an_answer_and_the_oldest_are_counted() {
    let mut dev = desk();
    dev.command("AT+CREG=1", OK).store.answers = false;
    dev.serial("ATW\r");
    for number in [0, 2, 3, 5].repeat(9) {
        tell(
            &mut dev,
            ModemInput::Registration(Registration::from_number(number)),
        );
    }
    dev.input(Input::Store(StoreInput::Saved));
    let told: String = [0, 2, 3, 5]
        .repeat(8)
        .iter()
        .map(|number| format!("\r\n+CREG: {number}\r\n"))
        .collect();
    dev.wait(500 + 31 * 100).prints([OK, &told].concat());
    assert_eq!(dev.dtu.status(dev.now).serial.counters.dropped_urcs, 4);
}

#[test]
fn a_dte_that_does_not_read_makes_nothing_grow() {
    let mut dev = desk();
    dev.command("AT+CREG=1", OK);
    dev.dte_stops();
    for change in 0..20_000 {
        let registration = if change % 2 == 0 {
            Registration::Searching
        } else {
            Registration::Home
        };
        tell(&mut dev, ModemInput::Registration(registration));
    }
    let serial = dev.dtu.status(dev.now).serial;
    assert!(serial.waiting <= 1024, "{}", serial.waiting);
    assert!(
        serial.counters.dropped_urcs > 19_900,
        "{}",
        serial.counters.dropped_urcs
    );
    dev.dte_reads_on();
    assert_eq!(dev.dtu.status(dev.now).serial.waiting, 0);
}

#[test]
fn a_call_that_comes_in_takes_the_place_of_what_was() {
    let mut dev = desk();
    dev.command("ATD10086;", OK).at(2000);
    incoming(&mut dev);
    dev.prints("\r\nNO CARRIER\r\n")
        .wait(100)
        .prints(RING)
        .command("ATA", OK);
    orders(&mut dev, &[dialled()[0].clone(), ModemOutput::Answer]);
}

/// Who did not ask for the answer is still told that it rang.
#[test]
fn a_call_that_the_console_answers_rings_at_the_dte_all_the_same() {
    let mut dev = desk();
    dev.command("AT", OK);
    incoming(&mut dev);
    dev.input(Input::Console("ATA"));
    orders(&mut dev, &[ModemOutput::Answer]);
    dev.prints_nothing().wait(500).prints(RING);
}
