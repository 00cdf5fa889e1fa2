//! An AT modem on the simulated network: 27.007, 27.005 and V.250 as real modems speak them, with their habits and
//! their faults.
//!
//! It is written without the device's own AT interpreter and without the host side, so that both can be tried on it.
//! Nothing here reads a clock or opens a file: bytes and time go into [`AtModem`], bytes and orders come out.
//! [`Rack`] is a network with several of them, and runs scripts.

mod at_modem;
mod call;
mod calls;
mod general;
mod line;
mod messages;
mod network;
mod odd;
mod oddity;
mod output;
mod parse;
mod power;
mod rack;
mod reply;
mod settings;
mod setup;
mod store;
mod text;
mod transcript;
mod urc;

pub use at_modem::{AtModem, AtOutput};
pub use oddity::{Oddities, Oddity};
pub use rack::{Rack, RackOutput};
pub use setup::{Dialect, Quirks, Setup};
pub use transcript::{ReplayModem, Transcript};
