//! `dtud status`: how a running device is, asked over a socket of its state folder.

mod ask;
mod door;
mod report;

pub(crate) use ask::ask;
pub(crate) use door::Door;
pub(crate) use report::Report;

/// The socket's name in the state folder.
const SOCKET: &str = "status";
