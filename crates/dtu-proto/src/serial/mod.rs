//! The serial side: from bytes of the DTE to frames, command lines and inline commands, and the queue back.

pub(crate) mod escape;
pub(crate) mod framer;
pub(crate) mod inline;
pub(crate) mod line;
pub(crate) mod port;
pub(crate) mod window;
