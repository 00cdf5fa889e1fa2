//! The serial line: from bytes of the DTE to frames and command lines, and the queue back.

pub(crate) mod assembler;
pub(crate) mod escape;
pub(crate) mod framer;
pub(crate) mod port;
pub(crate) mod window;
