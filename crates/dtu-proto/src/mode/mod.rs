//! What a working mode keeps of its own; the device routes to it.

pub(crate) mod at;
pub(crate) mod httpd;
pub(crate) mod packets;
