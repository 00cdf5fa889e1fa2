//! What the DTE is told without having asked, as text: result codes of calls (V.250 6.3.1, 6.2.7), `+CRING`
//! (27.007 6.11), `+CLIP` (27.007 7.6).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::cellular::CallUrc;
use crate::config::Config;
use crate::radio::PhoneNumber;

/// The text for the serial line; empty with `ATQ1`.
pub(crate) fn call_text(urc: CallUrc, config: &Config) -> Vec<u8> {
    match urc {
        CallUrc::Ring { from } => ring(from, config),
        // V.250 has no digits for these two.
        CallUrc::Ringback => code("RINGBACK", "RINGBACK", config),
        CallUrc::Voice => code("VOICE", "VOICE", config),
        CallUrc::NoCarrier => code("NO CARRIER", NO_CARRIER_DIGIT, config),
        CallUrc::Busy => code("BUSY", "7", config),
        CallUrc::NoAnswer => code("NO ANSWER", "8", config),
    }
}

/// `RING`, with the number behind it where the DTE wants it: in one piece, for programs take what comes at once for
/// one message.
fn ring(from: Option<PhoneNumber>, config: &Config) -> Vec<u8> {
    let mut text = if config.extended_ring {
        code("+CRING: VOICE", "+CRING: VOICE", config)
    } else {
        code("RING", "2", config)
    };
    if config.caller_id {
        text.extend(urc(&caller(from), config));
    }
    text
}

/// 27.007 7.6: number, type, sub-address and its type, name, and whether the number is known (2 = it is not).
fn caller(from: Option<PhoneNumber>) -> String {
    from.map_or_else(
        || String::from("+CLIP: \"\",128,,,,2"),
        |number| format!("+CLIP: \"{number}\",{},,,,0", number.type_of_address()),
    )
}

/// An unsolicited result code with values, `+CREG: 1`.
pub(crate) fn urc(text: &str, config: &Config) -> Vec<u8> {
    code(text, text, config)
}

pub(super) fn code(words: &str, digits: &str, config: &Config) -> Vec<u8> {
    match (config.quiet, config.verbose) {
        (true, _) => Vec::new(),
        (false, true) => format!("\r\n{words}\r\n").into_bytes(),
        (false, false) => format!("{digits}\r").into_bytes(),
    }
}

/// `NO CARRIER` with `ATV0`.
pub(super) const NO_CARRIER_DIGIT: &str = "3";
