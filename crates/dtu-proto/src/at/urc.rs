//! What the DTE is told without having asked, as text: result codes of calls (V.250 6.3.1, 6.2.7), `+CRING`
//! (27.007 6.11), `+CLIP` (27.007 7.6); `+CMTI`, `+CMT`, `+CDSI`, `+CDS` (27.005 3.4.1), and `+CISMS`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use sms_codec::address::Address;
use sms_codec::join::Content;
use sms_codec::time::TimeStamp;

use crate::cellular::CallUrc;
use crate::config::{Charset, Config, Messages};
use crate::line::Urc;
use crate::radio::PhoneNumber;
use crate::sms::{self, Head, Mailbox};

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

/// The text of a URC that is printed now; none of a message that is not in its place any more.
pub(crate) fn urc_text(urc: Urc, mailbox: &Mailbox) -> Option<Bytes> {
    match urc {
        Urc::Text(text) | Urc::Ring(text) | Urc::Call(text) => Some(text),
        Urc::Message { place } => indication("+CMTI", place, mailbox),
        Urc::Report { place } => indication("+CDSI", place, mailbox),
    }
}

fn indication(code: &str, place: u8, mailbox: &Mailbox) -> Option<Bytes> {
    mailbox.storage.get(place)?;
    let memory = mailbox.memory();
    Some(Bytes::from(format!("\r\n{code}: \"{memory}\",{place}\r\n")))
}

/// `+CMT`, `+CDS`: a message or a status report, whole.
pub(crate) fn whole_text(pdu: &Bytes, messages: &Messages) -> Bytes {
    let shown = sms::show(pdu, Head::Notice, messages);
    Bytes::from(format!("\r\n{shown}\r\n"))
}

/// `+CISMS:<number>,<yy-mm-dd-hh:mm:ss>,<text>`, in one line.
pub(crate) fn message_text(
    from: &Address,
    stamp: TimeStamp,
    content: &Content,
    charset: Charset,
) -> Bytes {
    let bytes = match content {
        Content::Text(text) => sms::to_serial(text, charset),
        Content::Octets(octets) => octets.clone(),
    };
    let head = sms::to_serial(&format!("+CISMS:{from},{},", short(stamp)), charset);
    let line = head
        .into_iter()
        .chain(bytes)
        .map(|byte| if byte.is_ascii_control() { b' ' } else { byte });
    let mut text = b"\r\n".to_vec();
    text.extend(line);
    text.extend(b"\r\n");
    Bytes::from(text)
}

/// `yy-mm-dd-hh:mm:ss`, local time of the service centre.
fn short(stamp: TimeStamp) -> String {
    stamp.civil().map_or_else(
        || String::from("00-00-00-00:00:00"),
        |civil| {
            let (year, month, day) = (civil.year % 100, civil.month, civil.day);
            let (hour, minute, second) = (civil.hour, civil.minute, civil.second);
            format!("{year:02}-{month:02}-{day:02}-{hour:02}:{minute:02}:{second:02}")
        },
    )
}
