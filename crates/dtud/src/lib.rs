//! The machine around the DTU core: serial lines, sockets, files.

pub mod settings;
pub mod store;
