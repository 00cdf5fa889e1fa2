//! What the DTE reads about the connection of the AT mode, and what it typed at the prompt of `CISEND`.

use alloc::format;
use alloc::vec::Vec;
use bytes::Bytes;

use super::reply::{Code, Error};
use super::urc::{NO_CARRIER_DIGIT, code};
use super::{CISEND_MAX, Context, Typed};
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

/// What the DTE's frame at the prompt comes to.
pub(super) enum Frame {
    Sent(Bytes),
    /// ESC alone.
    GivenUp,
    /// The DTE fell silent before it was whole.
    Failed,
}

/// Each byte is data, 0x1A too (decisions 16.11); only a frame of one ESC is none. With `exact` even that.
pub(super) fn prompted(
    exact: Option<usize>,
    typed: Typed,
    ctx: &mut Context<'_>,
) -> Result<Frame, Error> {
    match (typed, exact) {
        (Typed::Text(frame), None) if frame == [CANCEL] => Ok(Frame::GivenUp),
        // mutant: 1a-is-data
        (Typed::Text(frame), _) => Ok(Frame::Sent(Bytes::from(frame))),
        (Typed::Cancelled, _) => Ok(Frame::GivenUp),
        (Typed::TooLong(came), _) => Err(too_long(came, ctx)),
        (Typed::Abandoned(came), _) => {
            ctx.connection.dropped(came);
            Ok(Frame::Failed)
        }
    }
}

fn too_long(came: usize, ctx: &mut Context<'_>) -> Error {
    ctx.connection.dropped(came);
    let text =
        format!("CISEND: a frame has at most {CISEND_MAX} bytes, got {came}; nothing was sent");
    Error::new(Code::NotAllowed, text)
}

/// ESC gives it up, as at the prompt of a message (27.005 3.5.1).
const CANCEL: u8 = 0x1B;
