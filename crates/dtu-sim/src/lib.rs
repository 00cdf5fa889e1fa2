//! Worlds in virtual time for the DTU core: seeded faults, checkers that stand outside, replay of recorded logs. And, in
//! real time and with real sockets, fleets of devices for those who write servers ([`fleet`]).
//!
//! A world ([`run`]) puts a [`dtu_proto::Dtu`] between a DTE, four networks, a modem and a disk that misbehave as
//! one seed says, and keeps its own ledger of every byte. The first rule that is broken ends it with a [`Failure`].
#![forbid(unsafe_code)]

pub mod clock;
mod commands;
mod downlink;
pub mod echo;
pub mod fleet;
mod herd;
mod http;
mod model;
mod packet;
pub mod pty;
pub mod replay;
mod scenario;
mod trace;
mod uplink;
mod world;

pub use herd::{HerdReturn, Trial, herd_trials, run_herd};
pub use replay::{Replayed, replay};
pub use trace::Fnv;
pub use world::{Failure, Rule, Run, Summary, run};

/// Microseconds in a millisecond.
pub(crate) const MS: u64 = 1000;
/// Microseconds in a second.
pub(crate) const SEC: u64 = 1_000_000;

fn micros(duration: dtu_proto::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
