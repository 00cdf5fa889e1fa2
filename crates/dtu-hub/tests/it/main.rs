//! The hub as timed scripts, and a small seeded world. A comment in quotes is the sentence of the specification of the
//! cloud that the test holds.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod bench;
mod delivery;
mod doors;
mod groups;
mod programs;
mod sessions;
mod world;
