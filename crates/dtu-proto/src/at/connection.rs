//! What the DTE reads about the connection of the AT mode, and what it typed at the prompt of `CISEND`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;

use super::reply::{Code, Error};
use super::unsolicited::{NO_CARRIER_DIGIT, code};
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

/// What the DTE's frame at the prompt comes to: bytes to be sent, or nothing because it was given up.
///
/// `exact` is the length form: its bytes are all data.
pub(super) fn prompted(
    exact: Option<usize>,
    typed: Typed,
    ctx: &mut Context<'_>,
) -> Result<Option<Bytes>, Error> {
    let frame = match (typed, exact) {
        (Typed::Text(frame), Some(_)) => return Ok(Some(Bytes::from(frame))),
        (Typed::Text(frame), None) => frame,
        (Typed::Cancelled, _) => return Ok(None),
        (Typed::TooLong(came), _) => return Err(too_long(came, ctx)),
        (Typed::Abandoned(came), Some(count)) => return Err(abandoned(came, count, ctx)),
        (Typed::Abandoned(_), None) => return Err(wrong("nothing came for two minutes")),
    };
    match frame.as_slice() {
        [CANCEL] => Ok(None),
        [END] => Err(wrong("nothing to send")),
        [data @ .., END] => Ok(Some(Bytes::copy_from_slice(data))),
        data if data.len() > CISEND_MAX => Err(too_long(data.len(), ctx)),
        _ => Ok(Some(Bytes::from(frame))),
    }
}

fn too_long(came: usize, ctx: &mut Context<'_>) -> Error {
    ctx.connection.dropped(came);
    wrong(&format!("a frame has at most {CISEND_MAX} bytes, got {came}; nothing was sent"))
}

fn abandoned(came: usize, count: usize, ctx: &mut Context<'_>) -> Error {
    ctx.connection.dropped(came);
    wrong(&format!("{came} of {count} bytes came, and no more for two minutes; nothing was sent"))
}

fn wrong(why: &str) -> Error {
    Error::new(Code::NotAllowed, String::from("CISEND: ") + why)
}

/// Ctrl-Z ends a frame, ESC gives it up, as at the prompt of a message (27.005 3.5.1).
const END: u8 = 0x1A;
const CANCEL: u8 = 0x1B;
