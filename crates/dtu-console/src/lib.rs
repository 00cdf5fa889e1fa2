//! The web console: sets a DTU up by AT commands, and watches it by a read-only feed.
//!
//! The same page serves the device of `dtud`, one on a serial port and one behind a link (`dtuctl ui`): all that it needs
//! of a device is [`Device`].

pub mod device;
pub mod password;
mod web;
mod words;

pub use device::{Device, Features};
pub use dtu_recorder::{self as recorder, Recorder};
pub use web::{Config, Console, Handle, PORT, TlsFiles};
