//! We as the host of a cellular modem: the dialogue of 3GPP TS 27.005 and 27.007 as a pure state machine.
//!
//! Bytes of the modem, orders of the device ([`ModemOutput`](dtu_proto::radio::ModemOutput)) and **time** go in; bytes
//! for the modem and reports for the device ([`ModemInput`](dtu_proto::radio::ModemInput)) come out. This crate opens no
//! device and reads no clock.
//!
//! ```text
//!  device            Modem                              modem
//!                      | Opened                            |
//!                      |--- AT --------------------------->|   until it answers: 1 s, 1 s, 1 s, 2 s … 8 s;
//!                      |<-------------------------- OK ----|   with ESC, ATQ0V1E0 and +++ among them
//!                      |--- ATE0, +CMEE=1, +CGMI, +CGMM -->|   -> dialect: generic, SIM800, SIM7600, EC2x
//!                      |--- +CFUN?, +CPIN? --------------->|
//!                      |<------------- +CPIN: SIM PIN -----|
//!                      |--- +CPINR (+SPIC, +QPINC) ------->|   tries left? the last two belong to a person
//!                      |--- +CPIN="****" ----------------->|   once
//!   Present <----------|--- +CIMI ------------------------>|
//!                      |--- +CPMS?, +CNMI=2,1,0,1,0 ------>|
//!                      |--- +CREG=2, +CREG?, +COPS?, … --->|   again every 60 s, the signal every 30 s
//!   Registration <-----|<--------- +CREG: 1,"00C3","12" ---|   URC, at any time, also inside a response
//!                      |<------------- +CMTI: "SM",3 ------|
//!                      |--- AT+CMGR=3 -------------------->|
//!   Message 1 <--------|<- +CMGR: 0,,24 / 0891… / OK ------|
//!   Taken 1 ---------->|--- AT+CMGD=3 -------------------->|   deleted only now
//!   Submit 7 --------->|--- +CMGF=0, +CMGF? ------------->|   in text mode 24 would be a number: nothing goes out
//!                      |--- AT+CMGS=24 ------------------->|
//!                      |<--------------------------- > ----|
//!                      |--- 0001000B91… 0x1A ------------->|
//!   Submitted 7 <------|<------------- +CMGS: 5 / OK ------|
//! ```
//!
//! # The contract
//!
//! - After every [`Modem::handle_input`] and [`Modem::handle_timeout`] the host drains [`Modem::poll_output`] to `None`
//!   and carries the outputs out in their order.
//! - The host calls `handle_timeout` when [`Modem::poll_timeout`] says so. There is always a deadline while the device
//!   is open; without one the dialogue waits for [`Input::Opened`].
//! - One command is outstanding at a time, each with a time limit. After one that was not answered the modem is asked
//!   `AT` until it answers, then left alone until nothing comes any more; so a late answer is never taken for the next.
//! - A modem that stays silent for 90 s is [`Gone`](dtu_proto::radio::ModemInput::Gone), told to restart, and its device
//!   opened again; one that is silent, restarts or vanishes again and again is asked after 1 s, 2 s … 5 min.
//! - The PIN is sent once until a card took it, and never where it could lock the card; see [`Event::PinState`] for what outlives a restart of the program,
//!   and [`Input::PinNotSaved`] where nothing does.
//! - Secrets stand in [`Output::Write`] and nowhere else.
//!
//! # A complete run loop
//!
//! ```
//! use dtu_proto::radio::{ModemInput, ModemOutput, Registration};
//! use dtu_proto::time::{Duration, Instant};
//! use modem_proto::{Input, Modem, Output, Settings};
//!
//! // A modem that knows little: what it is not asked well, it answers with ERROR.
//! fn reply(command: &str) -> &'static str {
//!     match command {
//!         "AT+CPIN?" => "\r\n+CPIN: READY\r\n\r\nOK\r\n",
//!         "AT+CGMM" => "\r\nMC35\r\n\r\nOK\r\n",
//!         "AT+CREG?" => "\r\n+CREG: 2,1,\"00C3\",\"1A2B\"\r\n\r\nOK\r\n",
//!         "AT" | "ATE0" | "AT+CMGF=0" | "AT+CREG=2" => "\r\nOK\r\n",
//!         _ => "\r\nERROR\r\n",
//!     }
//! }
//!
//! let mut now = Instant::ZERO;
//! let mut modem = Modem::new(Settings::default(), now);
//! let mut reports = Vec::new();
//! modem.handle_input(Input::Opened, now);
//! while now < Instant::from_millis(60_000) {
//!     // 1. Carry out what it wants. This modem answers at once.
//!     while let Some(output) = modem.poll_output() {
//!         match output {
//!             Output::Write(bytes) => {
//!                 let command = String::from_utf8_lossy(&bytes);
//!                 modem.handle_input(Input::Bytes(reply(command.trim_end()).as_bytes()), now);
//!             }
//!             Output::Report(report) => reports.push(report),
//!             Output::Reopen => modem.handle_input(Input::Opened, now),
//!             Output::Event(_) => {}
//!         }
//!     }
//!     // 2. Sleep until something happens or it wants to be called.
//!     now = modem.poll_timeout().map_or(now + Duration::from_secs(1), |deadline| deadline.at);
//!     // 3. Tell it.
//!     modem.handle_timeout(now);
//! }
//! assert!(matches!(&reports[0], ModemInput::Present(identity) if identity.model == "MC35"));
//! assert!(reports.contains(&ModemInput::Registration(Registration::Home)));
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod action;
mod backoff;
mod call;
mod clcc;
mod clock;
mod command;
mod cx;
mod data;
mod dialect;
mod event;
mod exchange;
mod limitation;
mod line;
mod mailbox;
mod modem;
mod network;
mod optional;
mod response;
mod settings;
mod sim;
mod slot;
mod startup;
mod storage;
mod submit;

pub use event::{Counters, Deadline, Event, Input, Level, Output, Timer};
pub use limitation::Limitation;
pub use modem::Modem;
pub use optional::{OPTIONAL_COMMANDS, OptionalCommand};
pub use settings::{Pin, PinHistory, Settings};
