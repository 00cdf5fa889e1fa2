//! What the DTE reads about the connection of the AT mode.

use alloc::vec::Vec;

use super::urc::{NO_CARRIER_DIGIT, code};
use crate::config::Config;

/// Result codes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectionCode {
    ConnectOk,
    ConnectFail,
    SendOk,
    SendFail,
    CloseOk,
    /// The connection ended, and the DTE had not ordered that.
    Closed,
}

/// The text for the serial line; empty with `ATQ1`. The digits of `ATV0` are those of the code of V.250 6.2.7 that means
/// the same: OK, CONNECT, NO CARRIER, ERROR.
pub(crate) fn connection_text(what: ConnectionCode, config: &Config) -> Vec<u8> {
    let (words, digits) = match what {
        ConnectionCode::ConnectOk => ("CONNECT OK", "1"),
        ConnectionCode::ConnectFail => ("CONNECT FAIL", NO_CARRIER_DIGIT),
        ConnectionCode::SendOk => ("SEND OK", "0"),
        ConnectionCode::SendFail => ("SEND FAIL", "4"),
        ConnectionCode::CloseOk => ("CLOSE OK", "0"),
        ConnectionCode::Closed => ("CLOSED", NO_CARRIER_DIGIT),
    };
    code(words, digits, config)
}
