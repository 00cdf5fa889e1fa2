//! A GPRS DTU as a pure state machine.
//!
//! A DTU carries a serial line over a cellular network. This crate is the whole device and owns no socket, file,
//! thread or clock: serial bytes, socket news, modem news and **time** go in as [`Input`](event::Input)s, ordered
//! [`Output`](event::Output)s come out. The same device runs as a Linux daemon, a thousand times in one process, in
//! virtual time under a seed, and on a microcontroller.
//!
//! # The contract
//!
//! - After every [`Dtu::handle_input`] and [`Dtu::handle_timeout`] the host drains [`Dtu::poll_output`] to `None`
//!   and carries the outputs out in their order, before the next input.
//! - The host calls `handle_timeout` when [`Dtu::poll_timeout`] says so. Being late is safe: due deadlines fire
//!   first, each with its own time, so no frames are merged. A spurious call does nothing.
//! - At most one serial write or setting, and one send a socket, are outstanding; the host confirms each.
//! - A host may let bytes of a long run on the serial line wait: [`rest`].
//! - The host reads a port only while [`Dtu::wants_serial`] or [`Dtu::wants_socket`] says so.
//! - What a person did wrong is an AT error; what the network did is a close reason.
//!
//! # A complete run loop
//!
//! ```
//! use dtu_proto::config::{Config, Options};
//! use dtu_proto::event::{Input, LinkId, SocketInput, ModemInput, Output, SerialInput, SerialOutput, SocketOutput};
//! use dtu_proto::time::{Duration, Instant};
//! use dtu_proto::{Dtu, Identity};
//!
//! let mut config = Config::default();
//! config.links[0].enabled = true;
//! let options = Options { setup_window: Duration::ZERO, ..Options::default() };
//! let mut dtu = Dtu::new(config, options, Identity::default(), 7, Instant::ZERO);
//!
//! // What happens to this device: attached at 0 ms, a reading from the meter at 500 ms.
//! let attached = Input::Modem(&ModemInput::Attached([10, 0, 0, 2].into()));
//! let reading = Input::Serial(SerialInput::Data(b"42 kWh"));
//! let mut script = vec![(Instant::from_millis(500), reading), (Instant::ZERO, attached)];
//!
//! let mut now = Instant::ZERO;
//! let mut sent = Vec::new();
//! while now < Instant::from_millis(1000) {
//!     // 1. Carry out what it wants. This host does everything at once; what came of it are the next inputs.
//!     let mut came = Vec::new();
//!     while let Some(output) = dtu.poll_output() {
//!         match output {
//!             Output::Serial(SerialOutput::Write(_)) => came.push(Input::Serial(SerialInput::Written)),
//!             Output::Serial(SerialOutput::Configure(_)) => came.push(Input::Serial(SerialInput::Configured(None))),
//!             Output::Socket(socket, SocketOutput::Connect(_)) => {
//!                 let local = ([10, 0, 0, 2], 40_000).into();
//!                 came.push(Input::Socket(socket, SocketInput::Connected { local }));
//!             }
//!             Output::Socket(socket, SocketOutput::Send(payload)) => {
//!                 sent.extend_from_slice(&payload.body);
//!                 came.push(Input::Socket(socket, SocketInput::Sent));
//!                 came.push(Input::Socket(socket, SocketInput::Acked(sent.len() as u64)));
//!             }
//!             _ => {}
//!         }
//!     }
//!     script.extend(came.into_iter().rev().map(|input| (now, input)));
//!     // 2. Sleep until something happens or the device wants to be called.
//!     let next_input = script.last().map(|(at, _)| *at);
//!     let deadline = dtu.poll_timeout().map(|deadline| deadline.at);
//!     now = [next_input, deadline].into_iter().flatten().min().unwrap_or(Instant::from_millis(1000));
//!     // 3. Tell it.
//!     match script.pop_if(|(at, _)| *at <= now) {
//!         Some((_, input)) => dtu.handle_input(input, now),
//!         None => dtu.handle_timeout(now),
//!     }
//! }
//! assert_eq!(sent, b"42 kWh");
//! assert_eq!(dtu.status(now).links[LinkId::ALL[0].index()].counters.frames_out, 1);
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod act;
mod at;
mod cellular;
pub mod config;
mod cx;
pub mod drops;
mod dtu;
pub mod event;
mod identity;
mod ids;
mod line;
mod mode;
mod net;
pub mod radio;
pub mod record;
pub mod rest;
mod rng;
pub mod seen;
mod session;
mod sms;
pub mod status;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod wire;
mod words;

#[doc(hidden)]
pub use at::fuzzing;
pub use at::{
    CommandDescription, ParameterDescription, ParameterKind, Setting, TakesEffect, commands,
    from_store_text, load_setting, settings, shown_answer, shown_command, shown_text, take_apart,
    to_store_text,
};
pub use dtu::Dtu;
pub use identity::Identity;
