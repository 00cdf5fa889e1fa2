//! The console over real sockets, in front of our own device in virtual time.
#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod access;
mod client;
mod device;
mod hostile;
mod live;
mod settings;
mod tls;
