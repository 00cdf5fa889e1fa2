//! Connections: one machine for every socket, and what a link is beside it - a cache, a registration packet, heartbeats,
//! a back-off.

pub(crate) mod backoff;
pub(crate) mod cache;
pub(crate) mod connection;
mod destination;
#[cfg(test)]
mod edges;
mod expect;
mod link;
mod liveness;
pub(crate) mod queue;
mod sending;
mod spool;
mod status;
mod up;

pub(crate) use link::{Link, News, Pause};
pub(crate) use up::{LineShare, MOVES_FOR};
