//! The heart of the cloud as a pure state machine: sessions, authentication, routing, messages, delivery.
//!
//! [`Hub`] owns no socket, file, thread or clock. Connections of devices, programs, the store and **time** go in as
//! [`Input`](event::Input)s; ordered [`Output`](event::Output)s come out. The same hub runs behind real doors, and in
//! virtual time under a seed.
//!
//! # The contract
//!
//! - After every [`Hub::handle_input`] and [`Hub::handle_timeout`] the host drains [`Hub::poll_output`] to `None` and
//!   carries the outputs out in their order.
//! - The host calls `handle_timeout` when [`Hub::poll_timeout`] says so. Being late is safe: what is due fires first,
//!   at its own time.
//! - At most one send a connection and one batch of rows are outstanding; the host confirms each. A batch that fails is
//!   the host's to try again, until it is on disk.
//! - The host reads a connection while [`Hub::wants`] says so. For one with a session that changes only with the store.
//! - `Close` is answered with `Closed`, and the place may be used again from then on.
//! - What is in the store at the start goes in as [`Registry`](registry::Registry) before anything else: rules, devices,
//!   then rooms, groups, kept sessions, and the messages that wait, in the order of their numbers.
//!
//! ```
//! use dtu_hub::Hub;
//! use dtu_hub::auth::PasswordKey;
//! use dtu_hub::event::{Door, DoorInput, DoorOutput, Input, Output, StoreInput, StoreOutput};
//! use dtu_hub::ids::{ConnectionId, DeviceId, MessageId};
//! use dtu_hub::presence::Alarms;
//! use dtu_hub::registry::{DeviceRecord, Registry};
//! use dtu_hub::time::Instant;
//!
//! let key = PasswordKey::new(&[7; 32]);
//! let id = DeviceId::padded(b"1234").unwrap();
//! let mut record = DeviceRecord::new(id);
//! record.password = Some(key.tag(&id, b"12345678"));
//! let mut hub = Hub::new(key, Alarms::default(), MessageId(0), Instant::ZERO);
//! hub.handle_input(Input::Registry(Registry::Device(Box::new(record))), Instant::ZERO);
//!
//! let device = ConnectionId { place: 0, r#use: 1 };
//! let opened = DoorInput::Opened { door: Door::Cloud, source: [10, 0, 0, 1].into() };
//! hub.handle_input(Input::Door(device, opened), Instant::ZERO);
//! hub.handle_input(Input::Door(device, DoorInput::Data(b"0000000000000000123412345678")), Instant::ZERO);
//! // Nothing is said before the session is on disk.
//! assert_eq!(hub.poll_output(), None);
//! let now = hub.poll_timeout().unwrap();
//! hub.handle_timeout(now);
//! let Some(Output::Store(StoreOutput::Batch(batch, _rows))) = hub.poll_output() else { panic!() };
//! hub.handle_input(Input::Store(StoreInput::Committed(batch)), now);
//! let Some(Output::Door(_, DoorOutput::Send(answer))) = hub.poll_output() else { panic!() };
//! assert_eq!(answer, "usr_cloud_code_0\r\n");
//! ```
#![forbid(unsafe_code)]

mod alternation;
pub mod auth;
mod connection;
pub mod counters;
mod device;
pub mod door;
mod downlink;
pub mod event;
pub mod frame;
pub mod guard;
mod hub;
pub mod ids;
mod journal;
pub mod presence;
mod program;
pub mod registry;
mod room;
pub mod stream;
pub mod time;
mod timers;
pub mod topic;

pub use hub::Hub;
