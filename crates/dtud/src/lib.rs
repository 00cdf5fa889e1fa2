//! The machine around the DTU core: serial lines, sockets, files.

mod at_lines;
mod channels;
pub mod cli;
mod clock;
mod connect;
mod control;
mod demo;
mod disk;
mod fs;
mod held;
mod journal;
mod leds;
mod link;
pub mod machine;
pub mod modem;
mod netif;
mod port;
pub mod record;
pub mod serial;
pub mod settings;
mod spool;
mod store;
mod sys;
mod tls;
mod watchdog;
mod words;
