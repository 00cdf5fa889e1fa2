//! A GPRS DTU as a pure state machine: serial bytes, socket news, modem news and time go in; ordered commands
//! come out. It owns no socket, file, thread or clock.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod at;
pub mod config;
mod dtu;
pub mod event;
mod identity;
mod link;
mod serial;
pub mod status;
pub mod time;

pub use dtu::Dtu;
pub use identity::Identity;
