//! What a working mode keeps of its own; the device routes to it.

pub(crate) mod at_connection;
pub(crate) mod serial_command;
