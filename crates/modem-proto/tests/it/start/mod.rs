//! From an open device to a modem that is known, silence, restarts, the SIM and its PIN: as timed scripts.
#![allow(missing_docs, clippy::wildcard_enum_match_arm)]

use crate::common;
use common::Bench;
use dtu_proto::config::Apn;
use dtu_proto::radio::{ModemInput, ModemOutput, PhoneNumber, SimState};
use dtu_proto::time::Duration;
use modem_proto::{Event, Input, Pin, PinHistory, Settings};

mod first;
mod pin;
mod restart;

fn with_pin(pin: &str) -> Bench {
    Bench::new(Settings {
        pin: Pin::new(pin),
        ..Settings::default()
    })
}

fn sims(bench: &Bench) -> Vec<SimState> {
    let state = |news: &ModemInput| match news {
        ModemInput::Sim(state) => Some(*state),
        _ => None,
    };
    bench.news.iter().filter_map(state).collect()
}
