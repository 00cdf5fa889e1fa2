//! `dtuctl` as a program.
#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod apply;
mod charset;
mod common;
mod device;
mod failures;
#[allow(dead_code, reason = "the tests of dtu-setup use the rest of it")]
#[path = "../../../dtu-setup/tests/it/gm1.rs"]
mod gm1;
mod house;
mod in_chinese;
mod pages;
mod pdu;
mod ports;
mod program;
#[allow(dead_code, reason = "the tests of dtud use the rest of it")]
#[path = "../../../dtud/tests/it/schema.rs"]
mod schema;
mod scripted;
mod secrets;
mod sms;
mod status;
mod typed;
mod ui;
mod unread;
mod via;
mod watch;
