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

mod incoming;
mod network;
mod outgoing;
mod properties;

const OK: &str = "\r\nOK\r\n";

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

/// A device in the AT mode, with a modem at home in its network, 1 s after its start; its banner has been read.
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
    // The line has rested when the first URC comes.
    dev.at(1000).printed();
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
