//! Timed scripts, properties and seeds of the dialogue with a modem. One program, so that it is linked once.

mod call_rules;
mod calls;
mod common;
mod dice;
mod events;
#[path = "../../../dtu-proto/tests/it/imports.rs"]
mod imports;
mod message_rules;
mod messages;
mod network;
mod odd;
mod optional;
mod patience;
mod properties;
mod pump;
mod restart_rules;
mod rules;
mod seeds;
mod start;
mod store_rules;
mod transcripts;
mod whole;
