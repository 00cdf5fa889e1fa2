//! A bench that finds nothing is worth nothing: a script that is wrong fails, and so does a device that breaks its side
//! of the contract.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use core::cell::RefCell;
use sms_codec::time::{Civil, TimeStamp};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Bench, LINK1, LINK2, Net, Server, one_link};
use crate::config::{Config, LineFormat, Options, Protocol};
use crate::event::{
    CloseReason, Connect, Input, ModemOutput, Output, Payload, QueueId, SerialInput, SerialOutput,
    SocketId, SocketOutput, StoreInput, StoreOutput,
};
use crate::time::{Duration, Instant};

fn up() -> Bench {
    let mut dev = Bench::new(one_link());
    dev.at(1000).printed();
    dev
}

/// Why this script fails.
#[track_caller]
fn failure(script: impl FnOnce(&mut Bench)) -> String {
    let mut dev = up();
    let Err(why) = catch_unwind(AssertUnwindSafe(|| script(&mut dev))) else {
        panic!("the script does not fail");
    };
    *why.downcast::<String>().unwrap_or_else(|why| {
        Box::new(String::from(
            *why.downcast::<&str>().expect("a panic with words"),
        ))
    })
}

#[track_caller]
fn assert_fails(words: &str, script: impl FnOnce(&mut Bench)) {
    let why = failure(script);
    assert!(why.contains(words), "{why}");
}

#[test]
fn a_wrong_expectation_fails() {
    // The right one first: what fails below fails for its one mistake.
    up().serial("one")
        .wait(100)
        .sends(LINK1, "one")
        .sends_nothing(LINK1);
    assert_fails("one", |dev| {
        dev.serial("one").wait(100).sends(LINK1, "two");
    });
    assert_fails("link 1 at Instant(1099000)", |dev| {
        dev.serial("one").wait(99).sends(LINK1, "one");
    });
    assert_fails("one", |dev| {
        dev.serial("one").wait(100).sends_nothing(LINK1);
    });
    assert_fails("relay on", |dev| {
        dev.network(LINK1, "relay on").prints("relay off");
    });
    assert_fails("relay on", |dev| {
        dev.network(LINK1, "relay on").prints_nothing();
    });
    assert_fails("+ok", |dev| {
        dev.wait(1000).serial("+++").wait(30).prints("a+ok");
    });
    assert_fails("OK", |dev| {
        dev.escape().command("AT", "\r\nERROR\r\n");
    });
    assert_fails("10086", |dev| {
        dev.network_takes(&[("10086", "text")]);
    });
}

#[test]
fn a_script_that_asks_for_the_impossible_fails() {
    assert_fails("scripts go forward", |dev| {
        dev.at(999);
    });
    assert_fails("no close of link 1 was ordered", |dev| {
        dev.closed(LINK1);
    });
    assert_fails("no write waits", |dev| {
        dev.line_takes();
    });
}

fn write() -> Output {
    Output::Serial(SerialOutput::Write(Bytes::from_static(b"x")))
}

fn socket(order: SocketOutput) -> Output {
    Output::Socket(LINK1.into(), order)
}

fn connect() -> Output {
    socket(SocketOutput::Connect(Connect {
        protocol: Protocol::Tcp,
        address: "h".into(),
        port: 1,
        local_port: 0,
        tls: false,
    }))
}

fn send() -> Output {
    socket(SocketOutput::Send(Payload::default()))
}

#[test]
fn a_device_that_breaks_the_contract_is_found() {
    let faults: [(&str, &[Output]); 6] = [
        ("two orders at once to the serial line", &[write(), write()]),
        (
            "two orders at once to the serial line",
            &[
                write(),
                Output::Serial(SerialOutput::Configure(LineFormat::default())),
            ],
        ),
        ("link 1 sends twice at once", &[send(), send()]),
        ("link 1 connects, and has a connection", &[connect()]),
        (
            "link 1 connects, and has a connection",
            &[socket(SocketOutput::Close), connect()],
        ),
        (
            "destination 1 sends without a connection",
            &[Output::Socket(
                SocketId::DESTINATIONS[0],
                SocketOutput::Send(Payload::default()),
            )],
        ),
    ];
    for (words, outputs) in faults {
        assert_fails(words, |dev| {
            for output in outputs {
                dev.carry_out(output.clone());
            }
        });
        // A bench for speed looks at nothing.
        let mut lean = Bench::lean(one_link(), Options::default());
        outputs
            .iter()
            .for_each(|output| lean.carry_out(output.clone()));
    }
}

/// What the host tells the device comes behind all outputs, in their order.
#[test]
fn no_answer_overtakes_an_output() {
    let mut dev = up();
    dev.carry_out(write());
    dev.carry_out(send());
    let told: Vec<_> = dev.answers.iter().map(|told| told.as_input()).collect();
    let link = |news| Input::Socket(LINK1.into(), news);
    assert_eq!(
        told,
        [
            Input::Serial(SerialInput::Written),
            link(crate::event::SocketInput::Sent),
            link(crate::event::SocketInput::Acked(0)),
        ]
    );
}

#[test]
fn a_close_that_crosses_a_closed_is_not_answered() {
    let mut dev = up();
    dev.net(LINK1, Net::Resets)
        .breaks(LINK1, CloseReason::Reset)
        .wait(60_000);
    let (tries, closes) = (dev.peer(LINK1).connects.len(), dev.peer(LINK1).closes);
    assert!(tries > 3, "{tries}");
    dev.carry_out(socket(SocketOutput::Close));
    assert_eq!(dev.peer(LINK1).closes, closes + 1);
    assert!(dev.answers.is_empty());
}

#[test]
fn time_stands_where_the_script_left_it() {
    let mut dev = up();
    assert_eq!(dev.now, Instant::from_millis(1000));
    dev.wait(1)
        .oversleep(2)
        .until(Instant::from_micros(1_003_001));
    assert_eq!((dev.now.as_micros(), dev.millis()), (1_003_001, 1003));
    assert_eq!(dev.dtu.options().setup_window, Duration::ZERO);
    dev.late = Duration::from_millis(7);
    dev.at(1100).serial("one").at(1206).sends_nothing(LINK1);
    dev.at(1207).sends(LINK1, "one");
}

#[derive(Default)]
struct Echo {
    connections: u32,
    got: Vec<u8>,
}

impl Server for Echo {
    fn accepts(&mut self) {
        self.connections += 1;
    }

    fn receives(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.got.extend_from_slice(bytes);
        bytes.to_ascii_uppercase()
    }
}

#[test]
fn a_server_gets_what_arrives_and_is_heard() {
    let server = Rc::new(RefCell::new(Echo::default()));
    let mut dev = Bench::cold(one_link(), Options::default());
    dev.serve(LINK1, server.clone())
        .attaches()
        .at(7000)
        .printed();
    dev.serial("one").wait(100).prints("ONE");
    dev.net(LINK1, Net::Unacked).serial("two").wait(100);
    dev.prints_nothing().net(LINK1, Net::Good);
    dev.breaks(LINK1, CloseReason::TimedOut).wait(20_000);
    // Only the second was not acknowledged.
    dev.prints("TWO");
    let server = server.borrow();
    assert_eq!((server.connections, &server.got[..]), (2, &b"onetwo"[..]));
}

#[test]
fn what_is_forgotten_is_gone_and_what_is_counted_stays() {
    let mut dev = up();
    dev.serial("one").wait(100).network(LINK1, "two");
    dev.carry_out(Output::Store(StoreOutput::SpoolRelease(QueueId::Httpd, 1)));
    assert!(!dev.store.spool.is_empty());
    let printed = dev.line.printed_bytes();
    assert!(printed >= 3 && !dev.events.is_empty() && dev.outputs > 5);
    dev.forget().sends_nothing(LINK1).prints_nothing();
    assert!(dev.events.is_empty() && dev.peer(LINK1).connects.is_empty());
    assert!(dev.store.spool.is_empty());
    assert_eq!(dev.line.printed_bytes(), printed);
    assert_eq!(
        (dev.peer(LINK1).sent_bytes, dev.peer(LINK1).acked_bytes),
        (3, 3)
    );
}

#[test]
fn a_lean_bench_keeps_nothing_and_carries_everything_out() {
    let options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    let mut config = one_link();
    config.links[1].enabled = true;
    let mut dev = Bench::lean(config, options);
    dev.at(1000).serial("one").wait(100).network(LINK2, "two");
    for link in [LINK1, LINK2] {
        assert_eq!(
            (dev.peer(link).sent_bytes, dev.peer(link).acked_bytes),
            (3, 3)
        );
    }
    assert!(dev.line.printed_bytes() > 3 && dev.printed().is_empty());
    assert!(dev.events.is_empty() && dev.leds.is_empty());
    assert!(dev.received(LINK1).is_empty() && dev.peer(LINK1).connects.is_empty());
}

#[test]
fn a_disk_that_is_full_or_silent_is_seen_by_the_device() {
    let mut dev = Bench::new(Config {
        serial_at: true,
        password: "abc".into(),
        ..one_link()
    });
    dev.at(1000).printed();
    dev.store.works = false;
    dev.serial("abc,AT&W").wait(100);
    assert!(dev.printed().contains("ERROR"));
    (dev.store.works, dev.store.answers) = (true, false);
    dev.serial("abc,AT&W").wait(100).prints_nothing();
    dev.input(Input::Store(StoreInput::Saved));
    assert!(dev.printed().contains("OK"));
    assert_eq!(dev.store.saved.len(), 2);
}

#[test]
fn a_write_that_is_dropped_was_not_printed() {
    let mut dev = up();
    let printed = dev.line.printed_bytes();
    dev.dte_stops().carry_out(write());
    assert_eq!(dev.line.printed_bytes(), printed + 1);
    dev.carry_out(Output::Serial(SerialOutput::Discard));
    assert_eq!(dev.line.printed_bytes(), printed);
    assert!(dev.printed().is_empty());
}

#[test]
fn the_disk_counts_the_sets_of_messages_and_the_clock_of_messages_goes_over_the_hour() {
    let mut dev = up();
    for (number, sets) in [(1, 1), (2, 2)] {
        dev.keep(number, String::from("text"));
        assert_eq!(dev.store.sets, sets);
    }
    let stamp = super::pdu::stamp(3600 + 2 * 60 + 3);
    assert_eq!(
        stamp,
        TimeStamp::of(Civil {
            year: 2014,
            month: 9,
            day: 10,
            hour: 16,
            minute: 2,
            second: 3,
            zone: 32,
        })
        .unwrap()
    );
}

#[test]
fn a_modem_outside_gets_all_orders() {
    let mut dev = up();
    dev.modem.outside = true;
    dev.modem.orders.clear();
    let orders = [ModemOutput::Reset, ModemOutput::Taken(1)];
    for order in orders.clone() {
        dev.carry_out(Output::Modem(order));
    }
    assert_eq!(dev.modem.orders, orders);
    assert_eq!((dev.modem.resets, dev.modem.taken.len()), (0, 0));
}

#[test]
fn a_slow_disk_owes_an_answer_until_it_has_given_it() {
    let mut dev = up();
    dev.store.slow = true;
    assert!(!dev.store.waits());
    dev.keep(1, String::from("text"));
    assert!(dev.store.waits() && dev.store.messages.is_empty());
    dev.disk_answers();
    assert!(!dev.store.waits());
    assert_eq!(dev.store.messages, "text");
}
