//! The machine around the DTU core: serial lines, sockets, files.

pub mod record;
pub mod settings;
pub mod spool;
pub mod store;
