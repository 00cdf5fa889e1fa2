//! What the working modes beside the transparent one remember.

pub(crate) mod at_connection;
