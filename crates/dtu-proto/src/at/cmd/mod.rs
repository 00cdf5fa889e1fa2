//! The commands, by subject. Each file has its part of the table, then what its commands do.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::call::Call;
use super::reply::Error;

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
pub(super) mod status;
pub(super) mod store;
pub(super) mod uart;
pub(super) mod unsupported;

/// What every handler answers.
type Done = Result<(), Error>;

/// One stored uart.
fn one(uart: String) -> Vec<String> {
    vec![uart]
}

/// Accepted for the sake of programs that send it; there is nothing it could change.
fn accepted(_call: &mut Call<'_, '_>) -> Done {
    Ok(())
}

const ON_OFF: super::param::Kind = super::param::Kind::Choice(&[(0, "off"), (1, "on")]);
