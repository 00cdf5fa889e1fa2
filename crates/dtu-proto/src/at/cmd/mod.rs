//! The commands, by subject. Each file has its part of the table, then what its commands do.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::outcome::{Lines, Outcome};
use super::param::{Kind, Param};
use super::reply::Error;
use super::values::Values;
use super::view::View;

pub(super) mod access;
pub(super) mod call;
pub(super) mod clock;
pub(super) mod connection;
pub(super) mod httpd;
pub(super) mod identity;
pub(super) mod link;
pub(super) mod message;
pub(super) mod mode;
pub(super) mod network;
pub(super) mod packet;
pub(super) mod power;
pub(super) mod radio;
pub(super) mod role;
pub(super) mod session;
mod state;
pub(super) mod status;
pub(super) mod store;
pub(super) mod uart;
pub(super) mod unsupported;

/// One stored line.
fn one(line: String) -> Vec<String> {
    vec![line]
}

/// Accepted for the sake of programs that send it; there is nothing it could change.
fn accepted(_: &Values, _: &View<'_>, _: &mut Outcome) -> Result<(), Error> {
    Ok(())
}

/// OK, whoever asks: that much holds anyway.
fn says_ok(_: &Values, _: &View<'_>) -> Result<Lines, Error> {
    Ok(Lines::default())
}

/// Which link.
const LINK_NUMBER: Param = Param::new("NUM", Kind::Number { min: 1, max: 4 }, "the link");

const ON_OFF: Kind = Kind::Choice(&[(0, "off"), (1, "on")]);
