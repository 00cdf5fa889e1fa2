//! Calls, registration and the clock of the network, as timed scripts.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

use dtu_proto::config::{Config, Options, WorkingMode};
use dtu_proto::event::{CallEvent, Event, Input, ModemInput, ModemOutput, StoreInput, Timer};
use dtu_proto::radio::{
    Abilities, CallEnd, CallNews, Cell, ModemIdentity, NetworkTime, PhoneNumber, Registration,
    Signal,
};
use dtu_proto::status::CallState;
use dtu_proto::testing::{Bench, LINK1, one_link};
use dtu_proto::time::Duration;
use proptest::prelude::*;

const OK: &str = "\r\nOK\r\n";
const RING: &str = "\r\nRING\r\n";

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::new(text).unwrap()
}

fn modem() -> ModemInput {
    let abilities = Abilities {
        messages: true,
        calls: true,
    };
    ModemInput::Present(ModemIdentity {
        abilities,
        ..ModemIdentity::default()
    })
}

/// A device in the AT mode, with a modem at home in its network; its banner has been read.
fn desk() -> Bench {
    desk_with(|_| ())
}

fn desk_with(change: impl FnOnce(&mut Config)) -> Bench {
    let mut config = one_link();
    config.mode = WorkingMode::AtCommand;
    change(&mut config);
    started(config)
}

/// A device in the transparent mode.
fn field() -> Bench {
    started(one_link())
}

fn started(config: Config) -> Bench {
    let mut dev = Bench::new(config);
    tell(&mut dev, modem());
    tell(&mut dev, ModemInput::Registration(Registration::Home));
    dev.at(1).printed();
    ordered(&mut dev);
    dev
}

fn tell(dev: &mut Bench, news: ModemInput) {
    dev.input(Input::Modem(&news));
}

fn call(dev: &mut Bench, news: CallNews) {
    tell(dev, ModemInput::Call(news));
}

fn incoming(dev: &mut Bench) {
    call(
        dev,
        CallNews::Incoming {
            from: Some(number("+8613912345678")),
        },
    );
}

/// Orders since the last look, but for the access point.
fn ordered(dev: &mut Bench) -> Vec<ModemOutput> {
    let orders = std::mem::take(&mut dev.modem.orders);
    orders
        .into_iter()
        .filter(|order| !matches!(order, ModemOutput::UseApn(_)))
        .collect()
}

#[track_caller]
fn orders(dev: &mut Bench, wanted: &[ModemOutput]) {
    assert_eq!(ordered(dev), wanted, "at {:?}", dev.now);
}

fn dialled() -> Vec<ModemOutput> {
    vec![ModemOutput::Dial(number("10086"))]
}

#[test]
fn manual_2_8_6_6_a_call_tells_how_it_goes_behind_its_ok() {
    let mut dev = desk();
    dev.command("ATD10086;", OK);
    orders(&mut dev, &dialled());
    dev.command(
        "AT+CLCC",
        "\r\n+CLCC: 1,0,2,0,0,\"10086\",129\r\n\r\nOK\r\n",
    );
    call(&mut dev, CallNews::Alerting);
    dev.at(300)
        .prints_nothing()
        .at(301)
        .prints("\r\nRINGBACK\r\n");
    dev.command(
        "AT+CLCC",
        "\r\n+CLCC: 1,0,3,0,0,\"10086\",129\r\n\r\nOK\r\n",
    );
    dev.at(4000);
    call(&mut dev, CallNews::Alerting);
    call(&mut dev, CallNews::Answered);
    dev.prints("\r\nVOICE\r\n");
    dev.command(
        "AT+CLCC",
        "\r\n+CLCC: 1,0,0,0,0,\"10086\",129\r\n\r\nOK\r\n",
    );
    dev.at(600_000).prints_nothing();
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.prints("\r\nNO CARRIER\r\n").command("AT+CLCC", OK);
    orders(&mut dev, &[]);
}

#[test]
fn manual_2_8_6_6_a_fast_answer_waits_for_the_ok_to_be_read() {
    let mut dev = desk();
    dev.command("ATD10086;", OK);
    call(&mut dev, CallNews::Alerting);
    call(&mut dev, CallNews::Answered);
    dev.at(300)
        .prints_nothing()
        .at(301)
        .prints("\r\nRINGBACK\r\n\r\nVOICE\r\n");
}

#[test]
fn a_call_that_fails_says_why() {
    for (end, text) in [
        (CallEnd::Busy, "\r\nBUSY\r\n"),
        (CallEnd::NoAnswer, "\r\nNO ANSWER\r\n"),
        (CallEnd::NoCarrier, "\r\nNO CARRIER\r\n"),
        (CallEnd::HungUp, "\r\nNO CARRIER\r\n"),
    ] {
        let mut dev = desk();
        dev.command("ATD10086;", OK).at(2000);
        call(&mut dev, CallNews::Ended(end));
        dev.prints(text);
        assert!(dev.events.contains(&Event::Call(CallEvent::Ended(end))));
        dev.command("ATD10086;", OK);
        assert_eq!(ordered(&mut dev).len(), 2);
    }
}

#[test]
fn results_are_digits_or_nothing_where_the_dte_wants_that() {
    let mut dev = desk_with(|config| config.verbose = false);
    dev.command("ATD10086;", "0\r").at(2000);
    call(&mut dev, CallNews::Ended(CallEnd::Busy));
    dev.prints("7\r");
    incoming(&mut dev);
    dev.prints("2\r");
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.prints("3\r");
    let mut dev = desk_with(|config| config.quiet = true);
    incoming(&mut dev);
    dev.prints_nothing();
}

#[test]
fn a_call_that_nobody_answers_is_over_after_two_minutes() {
    let mut dev = desk();
    dev.command("ATD10086;", OK);
    dev.at(120_000).prints_nothing();
    ordered(&mut dev);
    dev.at(120_001).prints("\r\nNO ANSWER\r\n");
    orders(&mut dev, &[ModemOutput::HangUp]);
    assert_eq!(
        dev.dtu.poll_timeout().map(|deadline| deadline.timer),
        Some(Timer::Call)
    );
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.prints_nothing();
    assert_eq!(dev.dtu.status(dev.now).call.counters.unconfirmed, 0);
}

#[test]
fn manual_2_8_6_10_ath_ends_the_call_without_a_word() {
    let mut dev = desk();
    dev.command("ATH", OK);
    orders(&mut dev, &[]);
    dev.command("ATD10086;", OK);
    call(&mut dev, CallNews::Alerting);
    dev.command("ATH", OK)
        .command("ATH0", OK)
        .command("AT+CLCC", OK);
    orders(&mut dev, &[dialled()[0].clone(), ModemOutput::HangUp]);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.at(5000).prints_nothing();
}

#[test]
fn an_end_that_is_never_confirmed_is_taken_as_confirmed() {
    let mut dev = desk();
    dev.command("ATD10086;", OK).command("ATH", OK);
    ordered(&mut dev);
    dev.command("ATDL", OK).command(
        "AT+CLCC",
        "\r\n+CLCC: 1,0,2,0,0,\"10086\",129\r\n\r\nOK\r\n",
    );
    dev.at(10_000);
    orders(&mut dev, &[]);
    dev.at(10_001);
    orders(&mut dev, &dialled());
    assert_eq!(dev.dtu.status(dev.now).call.counters.unconfirmed, 1);
    call(&mut dev, CallNews::Alerting);
    dev.prints("\r\nRINGBACK\r\n");
}

#[test]
fn what_is_dialled_while_the_last_call_ends_waits_for_its_end() {
    let mut dev = desk();
    dev.command("ATD10086;", OK)
        .command("ATH", OK)
        .command("ATD10010;", OK);
    orders(&mut dev, &[dialled()[0].clone(), ModemOutput::HangUp]);
    dev.at(1000);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    orders(&mut dev, &[ModemOutput::Dial(number("10010"))]);
    dev.command("ATH", OK)
        .command("ATD10010;", OK)
        .command("ATH", OK);
    ordered(&mut dev);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    orders(&mut dev, &[]);
}

#[test]
fn there_is_one_call_at_most() {
    let mut dev = desk();
    dev.command("ATD10086;D10010;", OK);
    orders(&mut dev, &dialled());
    assert!(
        dev.events
            .contains(&Event::Call(CallEvent::NotPlaced(number("10010"))))
    );
    dev.command(
        "ATD10010;",
        "\r\n+CME ERROR: ATD: there is a call already; ATH ends it\r\n",
    );
    orders(&mut dev, &[]);
}

#[test]
fn manual_2_8_6_11_ata_answers() {
    let mut dev = desk();
    dev.command("ATA", "\r\nNO CARRIER\r\n");
    incoming(&mut dev);
    dev.prints(RING).command("ATA", OK);
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
    dev.prints("\r\nNO CARRIER\r\n");
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
    dev.at(30_000)
        .prints_nothing()
        .at(30_001)
        .prints("\r\nNO CARRIER\r\n");
    orders(&mut dev, &[ModemOutput::HangUp]);
}

#[test]
fn manual_2_8_6_12_atdl_calls_the_last_number() {
    let mut dev = desk();
    dev.command("ATDL", "\r\n+CME ERROR: ATDL: no number was called yet\r\n");
    dev.command("ATD10086;", OK).at(1000);
    call(&mut dev, CallNews::Ended(CallEnd::Busy));
    dev.prints("\r\nBUSY\r\n").command("ATDL", OK);
    orders(&mut dev, &[dialled(), dialled()].concat());
}

#[test]
fn a_call_that_comes_in_rings_every_five_seconds_until_it_is_over() {
    let mut dev = desk();
    incoming(&mut dev);
    dev.prints(RING)
        .at(5000)
        .prints_nothing()
        .at(5001)
        .prints(RING)
        .at(10_001)
        .prints(RING);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.prints("\r\nNO CARRIER\r\n").at(60_000).prints_nothing();
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
    dev.prints("\r\n+CRING: VOICE\r\n\r\n+CLIP: \"+8613912345678\",145,,,,0\r\n");
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.prints("\r\nNO CARRIER\r\n");
    call(&mut dev, CallNews::Incoming { from: None });
    dev.prints("\r\n+CRING: VOICE\r\n\r\n+CLIP: \"\",128,,,,2\r\n");
}

#[test]
fn manual_2_8_6_13_ats0_answers_after_so_many_rings() {
    let mut dev = desk();
    dev.command("ATS0=2", OK);
    incoming(&mut dev);
    dev.prints(RING).at(5000);
    orders(&mut dev, &[]);
    dev.at(5001).prints(RING);
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
    dev.serial("42 kWh").at(10_000);
    orders(&mut dev, &[]);
    dev.at(10_001);
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
    dev.prints(RING)
        .command("AT+CIRINGSTA=1", OK)
        .at(25_000)
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
    dev.at(5500).prints_nothing().escape();
    dev.at(10_000).prints_nothing().at(10_001).prints(RING);
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
    dev.prints(RING)
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
    dev.at(5001)
        .prints_nothing()
        .input(Input::Store(StoreInput::Saved));
    dev.prints([OK, RING, RING].concat());
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
fn sixteen_unasked_texts_wait_for_an_answer_and_the_rest_is_counted() {
    let mut dev = desk();
    dev.command("AT+CREG=1", OK).store.answers = false;
    dev.serial("ATW\r");
    for number in [0, 2, 3, 5].repeat(5) {
        tell(
            &mut dev,
            ModemInput::Registration(Registration::from_number(number)),
        );
    }
    dev.input(Input::Store(StoreInput::Saved));
    let told: String = [0, 2, 3, 5]
        .repeat(4)
        .iter()
        .map(|number| format!("\r\n+CREG: {number}\r\n"))
        .collect();
    dev.prints([OK, &told].concat());
    assert_eq!(dev.dtu.status(dev.now).serial.counters.dropped_replies, 4);
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
    assert!(serial.waiting <= 32 * 1024, "{}", serial.waiting);
    assert!(
        serial.counters.dropped_replies > 17_000,
        "{}",
        serial.counters.dropped_replies
    );
    dev.dte_reads_on();
    assert_eq!(dev.dtu.status(dev.now).serial.waiting, 0);
}

#[test]
fn whoever_dials_through_a_link_prints_nothing_on_the_line() {
    let mut dev = desk();
    dev.input(Input::Console("ATD10086;"));
    assert_eq!(dev.console, [OK]);
    orders(&mut dev, &dialled());
    call(&mut dev, CallNews::Alerting);
    call(&mut dev, CallNews::Ended(CallEnd::Busy));
    dev.at(10_000).prints_nothing();
}

#[test]
fn a_modem_that_goes_takes_its_call_along() {
    for news in [ModemInput::Gone, modem()] {
        let mut dev = desk();
        dev.command("ATD10086;", OK).at(1000);
        tell(&mut dev, news.clone());
        dev.prints("\r\nNO CARRIER\r\n").command("AT+CLCC", OK);
        ordered(&mut dev);
        tell(&mut dev, modem());
        dev.command("ATD10086;", OK)
            .command("ATH", OK)
            .command("ATD10086;", OK)
            .at(2000);
        tell(&mut dev, news);
        dev.prints("\r\nNO CARRIER\r\n").at(60_000).prints_nothing();
        orders(&mut dev, &[dialled()[0].clone(), ModemOutput::HangUp]);
    }
}

#[test]
fn a_call_that_the_device_knows_nothing_of_is_hung_up() {
    for news in [CallNews::Alerting, CallNews::Answered] {
        let mut dev = desk();
        call(&mut dev, news);
        orders(&mut dev, &[ModemOutput::HangUp]);
        dev.at(20_000).prints_nothing();
    }
}

#[test]
fn a_call_that_comes_in_takes_the_place_of_what_was() {
    let mut dev = desk();
    dev.command("ATD10086;", OK).at(1000);
    incoming(&mut dev);
    dev.prints("\r\nNO CARRIER\r\n\r\nRING\r\n")
        .command("ATA", OK);
    orders(&mut dev, &[dialled()[0].clone(), ModemOutput::Answer]);
}

#[test]
fn a_restart_and_the_end_hang_up() {
    let mut dev = desk();
    dev.command("ATD10086;", OK);
    ordered(&mut dev);
    dev.command("AT+CIRESET", "\r\nOK\r\n\r\nUSR-GPRS232-DTU\r\n");
    orders(&mut dev, &[ModemOutput::HangUp]);
    call(&mut dev, CallNews::Ended(CallEnd::HungUp));
    dev.at(1000)
        .prints_nothing()
        .command("ATDL", OK)
        .input(Input::Shutdown);
    orders(&mut dev, &[dialled()[0].clone(), ModemOutput::HangUp]);
}

#[test]
fn registration_is_told_when_it_changes_and_only_where_commands_are_typed() {
    let mut dev = desk();
    tell(&mut dev, ModemInput::Registration(Registration::Searching));
    dev.prints_nothing()
        .command("AT+CREG=1", OK)
        .command("AT+CGREG=2", OK);
    tell(&mut dev, ModemInput::Registration(Registration::Home));
    dev.prints("\r\n+CREG: 1\r\n\r\n+CGREG: 1\r\n");
    tell(&mut dev, ModemInput::Registration(Registration::Home));
    dev.prints_nothing();
    tell(
        &mut dev,
        ModemInput::Cell(Some(Cell {
            area: 21_269,
            id: 34_093,
        })),
    );
    dev.prints("\r\n+CGREG: 1,\"5315\",\"852D\"\r\n");
    tell(
        &mut dev,
        ModemInput::Signal(Signal {
            strength: 3,
            error_rate: 99,
        }),
    );
    dev.prints_nothing();
    tell(&mut dev, ModemInput::Detached);
    dev.prints("\r\n+CGREG: 0\r\n");
    tell(&mut dev, ModemInput::Gone);
    dev.prints("\r\n+CREG: 0\r\n");
    let mut config = one_link();
    config.registration_reports = [2; 3];
    let mut dev = started(config);
    tell(&mut dev, ModemInput::Registration(Registration::Denied));
    dev.at(1000).prints_nothing().escape().prints_nothing();
}

#[test]
fn manual_2_5_the_net_lamp_is_registered_and_attached() {
    let mut dev = field();
    let net = |dev: &Bench| dev.leds.last().map(|leds| leds.net);
    assert_eq!(net(&dev), Some(true));
    tell(&mut dev, ModemInput::Registration(Registration::Searching));
    assert_eq!(net(&dev), Some(false));
    tell(&mut dev, ModemInput::Registration(Registration::Roaming));
    assert_eq!(net(&dev), Some(true));
    tell(&mut dev, ModemInput::Detached);
    assert_eq!(net(&dev), Some(false));
}

#[test]
fn manual_2_8_6_4_the_networks_time_sets_the_clock() {
    let mut dev = desk();
    dev.command("AT+CCLK?", "\r\n+CCLK: \"14/01/01,00:00:00\"\r\n\r\nOK\r\n");
    // 2026-11-22 17:00:00
    let time = NetworkTime {
        seconds: 848_682_000,
        zone: Some(32),
    };
    tell(&mut dev, ModemInput::Clock(time));
    dev.command("AT+CCLK?", "\r\n+CCLK: \"26/11/22,17:00:00\"\r\n\r\nOK\r\n");
    dev.command("AT+CIRESET", "\r\nOK\r\n\r\nUSR-GPRS232-DTU\r\n")
        .at(2001);
    dev.command("AT+CCLK?", "\r\n+CCLK: \"26/11/22,17:00:02\"\r\n\r\nOK\r\n");
    tell(&mut dev, ModemInput::Gone);
    dev.command("AT+CCLK?", "\r\n+CCLK: \"26/11/22,17:00:02\"\r\n\r\nOK\r\n");
    dev.command("AT+CIRESET", "\r\nOK\r\n\r\nUSR-GPRS232-DTU\r\n");
    dev.command("AT+CCLK?", "\r\n+CCLK: \"14/01/01,00:00:00\"\r\n\r\nOK\r\n");
}

/// What can happen around a call.
#[derive(Clone, Debug)]
enum Step {
    Command(&'static str),
    News(CallNews),
    Modem(bool),
    Wait(u64),
    Escape,
}

fn step() -> impl Strategy<Value = Step> {
    let commands = [
        "ATD10086;",
        "ATD10010;D10086;",
        "ATDL",
        "ATA",
        "ATH",
        "AT+CHUP",
        "ATS0=0",
        "ATS0=1",
        "ATS0=2",
        "AT+CIRINGSTA=1",
        "AT+CIRINGSTA=0",
        "AT+ENTM",
        "AT+CIRESET",
        "ATW",
    ];
    let news = [
        CallNews::Incoming { from: None },
        CallNews::Incoming {
            from: PhoneNumber::new("10086"),
        },
        CallNews::Alerting,
        CallNews::Answered,
        CallNews::Ended(CallEnd::HungUp),
        CallNews::Ended(CallEnd::Busy),
        CallNews::Ended(CallEnd::NoAnswer),
        CallNews::Ended(CallEnd::NoCarrier),
    ];
    prop_oneof![
        4 => prop::sample::select(commands.to_vec()).prop_map(Step::Command),
        4 => prop::sample::select(news.to_vec()).prop_map(Step::News),
        1 => any::<bool>().prop_map(Step::Modem),
        2 => prop::sample::select([1, 299, 300, 4999, 5000, 10_000, 30_000, 200_000].to_vec()).prop_map(Step::Wait),
        1 => Just(Step::Escape),
    ]
}

/// The modem's side: what the orders and news say about its call.
#[derive(Debug, Default)]
struct Line {
    open: bool,
    rings: bool,
}

impl Line {
    fn step(&mut self, step: &Step) {
        match step {
            Step::News(news) => {
                self.open = !matches!(news, CallNews::Ended(_));
                self.rings = match news {
                    CallNews::Incoming { .. } => true,
                    CallNews::Alerting => self.rings,
                    CallNews::Answered | CallNews::Ended(_) => false,
                };
            }
            Step::Modem(_) => *self = Self::default(),
            Step::Command(_) | Step::Wait(_) | Step::Escape => {}
        }
    }

    /// Whether the order fits what the modem is doing.
    fn takes(&mut self, order: &ModemOutput) -> bool {
        match order {
            ModemOutput::Dial(_) => !std::mem::replace(&mut self.open, true),
            ModemOutput::Answer => std::mem::take(&mut self.rings) && self.open,
            ModemOutput::HangUp => {
                self.rings = false;
                self.open
            }
            ModemOutput::Reset
            | ModemOutput::UseApn(_)
            | ModemOutput::Submit { .. }
            | ModemOutput::Taken(_) => true,
        }
    }
}

fn take(dev: &mut Bench, step: &Step) {
    match step {
        Step::Command(line) => drop(dev.serial(format!("{line}\r"))),
        Step::News(news) => call(dev, *news),
        Step::Modem(true) => tell(dev, modem()),
        Step::Modem(false) => tell(dev, ModemInput::Gone),
        Step::Wait(millis) => drop(dev.wait(*millis)),
        Step::Escape => drop(dev.wait(300).serial("+++").wait(21).serial("a").wait(21)),
    }
}

/// Waits in pieces, in each of which one deadline of a call passes at most.
fn pieces(step: Step) -> Vec<Step> {
    let Step::Wait(millis) = step else {
        return vec![step];
    };
    let piece = |from: u64| Step::Wait((millis - from).min(4000));
    (0..millis).step_by(4000).map(piece).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_there_is_one_call_and_every_wait_ends(
        steps in prop::collection::vec(step(), 1..60),
        transparent in any::<bool>(),
    ) {
        let mut dev = if transparent { field() } else { desk() };
        let mut line = Line::default();
        let mut unconfirmed = 0;
        for step in steps.into_iter().flat_map(pieces) {
            line.step(&step);
            take(&mut dev, &step);
            let status = dev.dtu.status(dev.now).call;
            line.open &= std::mem::replace(&mut unconfirmed, status.counters.unconfirmed) == unconfirmed;
            for order in ordered(&mut dev) {
                prop_assert!(line.takes(&order), "{:?} after {:?}, {:?}", order, step, line);
            }
            let waits = status.current.is_some_and(|call| call.state != CallState::Active);
            let deadline = dev.dtu.poll_timeout().map(|deadline| deadline.at);
            prop_assert!(!waits || deadline.is_some_and(|at| at <= dev.now + Duration::from_secs(180)));
        }
        dev.wait(400_000);
        let call = dev.dtu.status(dev.now).call.current;
        prop_assert!(call.is_none_or(|call| call.state == CallState::Active), "{:?}", call);
        // Whatever was before, a call works.
        tell(&mut dev, ModemInput::Gone);
        tell(&mut dev, modem());
        tell(&mut dev, ModemInput::Registration(Registration::Home));
        dev.input(Input::Console("AT+CIRINGSTA=0;S0=0")).wait(1000);
        let state = |dev: &Bench| dev.dtu.status(dev.now).call.current.map(|call| call.state);
        prop_assert_eq!(state(&dev), None);
        incoming(&mut dev);
        prop_assert_eq!(state(&dev), Some(CallState::Incoming));
        self::call(&mut dev, CallNews::Answered);
        prop_assert_eq!(state(&dev), Some(CallState::Active));
        self::call(&mut dev, CallNews::Ended(CallEnd::HungUp));
        prop_assert_eq!(state(&dev), None);
    }
}
