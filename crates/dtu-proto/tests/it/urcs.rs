//! When a URC is printed, and what becomes of it where it is not (decisions 10.5): one script for each class of URC and
//! state of the line.
#![allow(missing_docs)]

use dtu_proto::config::{Config, Options, WorkingMode};
use dtu_proto::drops::DropPlace;
use dtu_proto::event::{
    CloseReason, Input, ModemInput, ModemOutput, SerialInput, SocketId, StoreInput,
};
use dtu_proto::radio::{CallEnd, CallNews};
use dtu_proto::testing::{Bench, LINK1, one_link};
use dtu_proto::time::Duration;

const OK: &str = "\r\nOK\r\n";
const RING: &str = "\r\nRING\r\n";
const PHONE: &str = "+8613800138000";

/// A line in the online command state that has rested, of a DTE that knows its modem: no `+CISMS`.
fn desk() -> Bench {
    desk_with(|_| ())
}

fn desk_with(change: impl FnOnce(&mut Config)) -> Bench {
    let mut config = Config {
        mode: WorkingMode::AtCommand,
        heartbeat_interval: 0,
        cmee: 1,
        ..Config::default()
    };
    change(&mut config);
    rested(Bench::with_modem(config))
}

/// A line in the online data state.
fn field() -> Bench {
    let config = Config {
        cmee: 1,
        ..one_link()
    };
    rested(Bench::with_modem(config))
}

fn rested(mut dev: Bench) -> Bench {
    dev.at(1000).printed();
    dev
}

fn call(dev: &mut Bench, news: CallNews) -> &mut Bench {
    dev.news(ModemInput::Call(news))
}

fn rings(dev: &mut Bench) -> &mut Bench {
    call(dev, CallNews::Incoming { from: None })
}

fn place(number: u8) -> String {
    format!("\r\n+CMTI: \"SM\",{number}\r\n")
}

fn dropped(dev: &Bench) -> u64 {
    dev.dtu.status(dev.now).serial.counters.dropped_urcs
}

// ---- the online command state

#[test]
fn a_line_that_rests_gets_its_urc_at_once() {
    let mut dev = desk();
    rings(&mut dev).prints(RING);
    assert_eq!(dropped(&dev), 0);
}

#[test]
fn urcs_of_all_kinds_wait_for_half_a_second_of_rest_and_keep_their_order() {
    let mut dev = desk();
    dev.command("AT+CREG=1", OK);
    rings(&mut dev);
    dev.sms_from(PHONE, "x").registered(false);
    dev.wait(499).prints_nothing().wait(1).prints(RING);
    dev.wait(99).prints_nothing().wait(1).prints(place(1));
    dev.wait(99)
        .prints_nothing()
        .wait(1)
        .prints("\r\n+CREG: 2\r\n");
    assert_eq!(dropped(&dev), 0);
}

#[test]
fn a_dialogue_holds_every_urc_up_for_ten_seconds_at_most() {
    let mut dev = desk();
    dev.command("AT", OK);
    rings(&mut dev);
    for _ in 0..33 {
        dev.wait(300).command("AT", OK);
    }
    // 10 s behind the first RING; the second one comes half of that later.
    dev.wait(99).prints_nothing().wait(1).prints(RING);
}

#[test]
fn no_urc_lands_in_a_line_that_is_being_typed() {
    let mut dev = desk();
    dev.command("ATE1", OK).serial("AT+C").prints("AT+C");
    rings(&mut dev);
    // Slowly, by hand.
    dev.wait(2900)
        .serial("SQ")
        .prints("SQ")
        .wait(2900)
        .prints_nothing();
    dev.serial("\r");
    assert!(dev.printed().ends_with("OK\\r\\n"));
    dev.wait(499).prints_nothing().wait(1).prints(RING);
}

#[test]
fn a_line_that_nobody_goes_on_with_holds_a_urc_up_for_three_seconds() {
    for typed in ["AT+C", "\u{1}"] {
        let mut dev = desk();
        dev.serial(typed);
        rings(&mut dev);
        dev.wait(2999).prints_nothing().wait(1).prints(RING);
        // From then on it holds up nothing at all.
        call(&mut dev, CallNews::Ended(CallEnd::HungUp));
        dev.wait(100).prints("\r\nNO CARRIER\r\n");
    }
}

#[test]
fn a_line_that_is_typed_for_ever_holds_a_urc_up_for_thirteen_seconds() {
    let mut dev = desk();
    dev.serial("x");
    rings(&mut dev);
    for _ in 0..12 {
        dev.wait(1000).prints_nothing().serial("x");
    }
    dev.wait(999).prints_nothing().wait(1).prints(RING);
}

#[test]
fn no_urc_lands_in_an_answer_or_in_the_text_behind_a_prompt() {
    let mut dev = desk();
    dev.command("AT+CMGF=1", OK)
        .serial("AT+CMGS=10086\r")
        .prints("\r\n> ");
    rings(&mut dev);
    dev.wait(4000).prints_nothing().serial("y\x1B").prints(OK);
    dev.wait(499).prints_nothing().wait(1).prints(RING);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.wait(100).prints("\r\nNO CARRIER\r\n");
    dev.store.answers = false;
    dev.serial("ATW\r").sms_from(PHONE, "x").wait(4000);
    dev.prints_nothing().input(Input::Store(StoreInput::Saved));
    dev.prints(OK).wait(499).prints_nothing();
    dev.wait(1).prints(place(1));
    // One that has waited for ten seconds comes right behind the answer, as modems do it.
    dev.serial("AT+CMGS=10086\r").prints("\r\n> ");
    dev.sms_from(PHONE, "y").wait(10_001).prints_nothing();
    dev.serial("y\x1B").prints([OK, &place(2)].concat());
}

/// Its bytes wait, for one command runs at a time.
#[test]
fn no_urc_lands_before_the_answer_to_a_command_that_waits_for_one_of_another_origin() {
    let mut dev = desk();
    dev.store.answers = false;
    dev.console_line("ATW").serial("AT+CSQ\r").wait(500);
    rings(&mut dev).wait(4000).prints_nothing();
    dev.input(Input::Store(StoreInput::Saved));
    assert!(dev.printed().ends_with("OK\\r\\n"));
    dev.wait(499).prints_nothing().wait(1).prints(RING);
}

#[test]
fn a_stream_of_the_network_is_not_cut_by_a_urc_before_ten_seconds() {
    let mut dev = desk();
    let opened = [OK, "\r\nCONNECT OK\r\n"].concat();
    dev.command("AT+CIOPEN=TCP,192.0.2.1,5000", &opened)
        .wait(500);
    rings(&mut dev).prints(RING);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.network(SocketId::AtMode, "0").prints("0");
    for _ in 0..24 {
        dev.wait(400).network(SocketId::AtMode, "x").prints("x");
    }
    dev.wait(399)
        .prints_nothing()
        .wait(1)
        .prints("\r\nNO CARRIER\r\n");
}

#[test]
fn the_gap_between_two_urcs_begins_when_the_first_is_out() {
    let mut dev = desk();
    dev.dte_stops();
    rings(&mut dev);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.wait(2000).line_takes().prints(RING);
    dev.dte_reads_on();
    dev.wait(99)
        .prints_nothing()
        .wait(1)
        .prints("\r\nNO CARRIER\r\n");
}

#[test]
fn the_oldest_urc_makes_room_for_a_newer_one_but_none_that_tells_a_message_whole() {
    let mut dev = desk_with(|config| config.cmee = 0);
    dev.command("AT+CREG=1;+CNMI=2,0", OK);
    dev.sms_from(PHONE, "whole");
    for change in 0..40 {
        dev.registered(change % 2 == 1);
    }
    // One of 32 places is that of the message.
    assert_eq!(dropped(&dev), 40 - 31);
    dev.wait(500);
    assert!(dev.printed().ends_with(",whole\\r\\n"));
    let told = dev.wait(31 * 100).printed();
    assert_eq!(told.matches("+CREG: ").count(), 31);
    dev.wait(5000).prints_nothing();
}

/// A DTE that goes without the news of a message does not look for it.
#[test]
fn what_cnmi_keeps_makes_no_room_for_what_data_would_cost() {
    let mut dev = desk();
    dev.command("AT+CREG=1", OK);
    for change in 0..2 {
        dev.registered(change == 1);
    }
    for _ in 0..31 {
        dev.sms_from(PHONE, "x");
    }
    assert_eq!(dropped(&dev), 1);
    dev.sms_from(PHONE, "x");
    assert_eq!(dropped(&dev), 2);
    dev.registered(false);
    assert_eq!(dropped(&dev), 3, "it finds no room itself");
    dev.sms_from(PHONE, "x");
    assert_eq!(dropped(&dev), 4);
    let told = (2..34).map(place).collect::<String>();
    dev.wait(500 + 32 * 100).prints(told);
}

#[test]
fn a_message_that_cannot_be_told_whole_is_told_by_its_place_and_stays() {
    let mut dev = desk_with(|config| config.cmee = 0);
    dev.command("AT", OK);
    for _ in 0..33 {
        dev.sms_from(PHONE, "x");
    }
    // `+CISMS` and `+CMTI` of each.
    assert!(dropped(&dev) >= 33);
    let told = dev.wait(500 + 40 * 100).printed();
    assert_eq!(told.matches("+CISMS:").count(), 32, "{told}");
}

#[test]
fn whoever_ends_answers_or_makes_a_call_is_told_no_old_news() {
    for (command, behind) in [("ATH", None), ("ATD10086;", Some(())), ("ATA", None)] {
        let mut dev = desk();
        dev.command("AT", OK);
        rings(&mut dev);
        if behind.is_some() {
            call(&mut dev, CallNews::Ended(CallEnd::HungUp));
        }
        dev.wait(100)
            .command(command, OK)
            .wait(4000)
            .prints_nothing();
        assert_eq!(dropped(&dev), 0, "{command}");
    }
}

#[test]
fn what_others_do_takes_back_no_news_of_the_call_of_the_dte() {
    for other in ["ATH", "ATD10010;"] {
        let mut dev = desk();
        dev.command("ATD10086;", OK);
        call(&mut dev, CallNews::Answered);
        dev.wait(500).prints("\r\nVOICE\r\n").command("AT", OK);
        call(&mut dev, CallNews::Ended(CallEnd::HungUp));
        dev.console_line(other);
        dev.wait(500).prints("\r\nNO CARRIER\r\n");
        assert_eq!(dropped(&dev), 0, "{other}");
    }
}

#[test]
fn rings_that_wait_for_an_answer_are_one_ring_and_none_when_the_call_is_over() {
    for is_over in [false, true] {
        let mut dev = desk();
        dev.command("AT+CMGF=1", OK)
            .serial("AT+CMGS=10086\r")
            .prints("\r\n> ");
        rings(&mut dev).wait(21_000).prints_nothing();
        if is_over {
            call(&mut dev, CallNews::Ended(CallEnd::HungUp));
            dev.serial("y\x1B").prints(OK);
            dev.wait(500).prints("\r\nNO CARRIER\r\n");
        } else {
            dev.serial("y\x1B").prints([OK, RING].concat());
        }
        dev.wait(3000).prints_nothing();
        assert_eq!(dropped(&dev), 0);
    }
}

#[test]
fn a_call_that_another_origin_refuses_rings_no_more() {
    let mut dev = desk();
    dev.command("AT", OK);
    rings(&mut dev).console_line("ATH").wait(4000);
    dev.prints_nothing();
}

#[test]
fn an_answer_by_itself_keeps_the_ring_that_it_answers() {
    let mut dev = desk_with(|config| config.auto_answer = 1);
    rings(&mut dev).prints(RING);
    assert!(dev.modem.orders.contains(&ModemOutput::Answer));
}

// ---- the online data state

#[test]
fn what_is_no_news_behind_the_data_is_dropped_and_counted() {
    let mut dev = field();
    rings(&mut dev);
    dev.wait(4000).prints_nothing();
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    assert_eq!(dropped(&dev), 2);
    let drops = dev.dtu.drops()[DropPlace::SerialUrcs.index()];
    assert_eq!((drops.place, drops.count), (DropPlace::SerialUrcs, 2));
    assert!(dev.dtu.has_new_losses());
    dev.escape().wait(2000).prints_nothing();
    dev.serial("AT+CISTAT?\r");
    assert!(dev.printed().contains(",dropped_urcs=2\\r\\n"));
}

/// 27.005 3.4.1: `CNMI` 2 keeps what comes while the line carries data, 1 does not.
#[test]
fn messages_are_told_behind_the_data_where_cnmi_wants_that() {
    let mut dev = field();
    dev.sms_from(PHONE, "x").wait(60_000).prints_nothing();
    dev.escape();
    // Nobody was kept waiting by the line: the dialogue goes first.
    dev.wait(400).command("AT", OK).wait(499).prints_nothing();
    dev.wait(1).prints(place(1));
    dev.command("AT+CNMI=1,1", OK).command("AT+ENTM", OK);
    assert_eq!(dropped(&dev), 0);
    dev.sms_from(PHONE, "y");
    assert_eq!(dropped(&dev), 1);
    dev.wait(1000).escape().wait(2000).prints_nothing();
}

#[test]
fn what_waits_when_data_begins_is_kept_or_dropped_likewise() {
    let mut dev = field();
    dev.escape().command("AT", OK);
    rings(&mut dev);
    dev.sms_from(PHONE, "x").command("AT+ENTM", OK);
    assert_eq!(dropped(&dev), 1);
    dev.wait(1000).prints_nothing();
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.wait(1000).escape().wait(500).prints(place(1));
    dev.wait(1000).prints_nothing();
    assert_eq!(dropped(&dev), 2);
}

// ---- the set-up window

#[test]
fn the_set_up_window_is_a_place_of_commands() {
    let mut dev = Bench::with(one_link(), Options::default());
    dev.modem_comes();
    dev.at(1000).printed();
    dev.serial("AT+C");
    rings(&mut dev);
    dev.wait(600).prints_nothing().serial("GMI\r");
    assert!(dev.printed().ends_with("OK\\r\\n"));
    dev.wait(500).prints(RING);
    // At its end the line carries data.
    dev.serial("data").at(7000).sends(LINK1, "data");
    assert_eq!(dropped(&dev), 1, "the second ring");
}

// ---- the ends

#[test]
fn a_restart_keeps_what_cnmi_keeps() {
    let mut dev = desk();
    dev.command("AT", OK);
    rings(&mut dev);
    dev.sms_from(PHONE, "x");
    dev.command("AT+CIRESET", "\r\nOK\r\n\r\nUSR-GPRS232-DTU\r\n");
    dev.wait(499).prints_nothing().wait(1).prints(place(1));
    dev.wait(2000).prints_nothing();
}

#[test]
fn a_line_that_is_missing_keeps_no_urc_for_long() {
    let mut dev = desk();
    dev.dte_stops().input(Input::Serial(SerialInput::Gone));
    rings(&mut dev);
    dev.wait(1999);
    assert_eq!(dropped(&dev), 0);
    dev.wait(1);
    assert_eq!(dropped(&dev), 1);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.wait(10_000);
    assert_eq!(dropped(&dev), 2);
}

/// There a URC is written in pieces.
#[test]
fn a_slow_line_that_is_missing_counts_a_urc_once() {
    let mut dev = desk_with(|config| config.line.baud = 110);
    dev.command("AT+CLIP=1", OK).wait(1000).dte_stops();
    rings(&mut dev).input(Input::Serial(SerialInput::Gone));
    dev.wait(3000);
    assert_eq!(dropped(&dev), 1);
}

#[test]
fn a_stop_counts_urcs_that_wait() {
    let mut dev = desk();
    dev.command("AT+CLIP=1", OK).wait(1000).dte_stops();
    rings(&mut dev);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.input(Input::Shutdown).wait(10_000);
    // Of the RING that is being written nobody can say whether it is printed.
    assert_eq!(dropped(&dev), 1);
}

#[test]
fn nothing_wakes_a_device_whose_urcs_wait_for_the_end_of_the_data() {
    let mut config = one_link();
    (config.heartbeat_interval, config.restart_time) = (0, 0);
    let mut dev = rested(Bench::with_modem(config));
    dev.sms_from(PHONE, "x").wait(10_000);
    let next = dev.dtu.poll_timeout().map(|deadline| deadline.at);
    assert!(
        next.is_none_or(|at| at > dev.now + Duration::from_secs(60)),
        "{next:?}"
    );
    dev.breaks(LINK1, CloseReason::Reset);
}

/// python-gsmmodem polls twice a second while it dials, and takes the first line that comes for the answer.
#[test]
fn a_program_that_polls_twice_a_second_gets_its_answers_before_a_urc() {
    let mut dev = desk();
    let answer = "\r\n+CIMOD: 2\r\n\r\nOK\r\n";
    for poll in 0..19 {
        dev.wait(510).command("AT+CIMOD?", answer);
        if poll == 3 {
            rings(&mut dev);
        }
    }
    dev.wait(609).prints_nothing().wait(1).prints(RING);
}
