//! The machine around the DTU core: serial lines, sockets, files.

mod arguments;
mod at_lines;
pub mod cli;
mod clock;
mod connect;
#[cfg(feature = "console")]
mod console;
#[cfg(not(feature = "console"))]
#[path = "absent/console.rs"]
mod console;
mod control;
#[cfg(feature = "demo")]
mod demo;
mod disk;
mod fs;
mod held;
mod journal;
mod leds;
mod log;
pub mod machine;
pub mod modem;
mod netif;
mod pages;
mod port;
mod reactor;
pub mod record;
mod rehearsal;
pub mod serial;
pub mod settings;
mod socket;
mod sockets;
mod spool;
mod status;
mod store;
mod sys;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "absent/tls.rs"]
mod tls;
mod watchdog;
mod words;
