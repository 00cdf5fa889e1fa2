//! Rules of registration, card, data and calls that nothing else guards: each as a timed script.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

use crate::common::{Bench, limitations, opened, seconds, started};
use dtu_proto::config::Apn;
use dtu_proto::radio::{Cell, ModemInput, ModemOutput, Operator, PhoneNumber, Signal, SimState};
use dtu_proto::time::Duration;
use modem_proto::{Event, Limitation, Pin, PinHistory, Settings};

mod card;
mod data;
mod dialogue;
mod network;

fn logged(bench: &Bench, event: &Event) -> usize {
    bench.events.iter().filter(|seen| *seen == event).count()
}
