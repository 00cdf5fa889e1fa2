//! Who may command the device from within a stream of data.

pub(crate) mod inline;
