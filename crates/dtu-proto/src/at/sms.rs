//! Texts behind a prompt, and answers of the network, as replies.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use bytes::Bytes;
use sms_codec::address::Address;
use sms_codec::dcs::Alphabet;
use sms_codec::pdu::{Pdu, Tpdu};
use sms_codec::ucs2;
use sms_codec::user_data::Body;

use super::outcome::{Outcome, SlowCommand, Submission};
use super::prompt::{Entry, MessagePrompt};
use super::reply::{Code, Error};
use super::view::View;
use crate::config::TextCharset;
use crate::radio::SubmitFailure;
use crate::sms::{self, MailboxChange, State, Stored, Template};

/// The DTE has answered the prompt.
pub(super) fn prompted(
    what: MessagePrompt,
    entry: Entry,
    view: &View<'_>,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let (name, max) = (what.command(), what.max());
    let text = match entry {
        Entry::Text(text) => text,
        Entry::Cancelled => return Ok(()),
        Entry::TooLong(_) => {
            return Err(bad_text(name, &format!("a text has at most {max} bytes")));
        }
        Entry::Abandoned(_) => {
            let text = format!("{name}: no text came for 60 s; nothing was sent");
            return Err(Error::new(Code::Message(UNKNOWN), text));
        }
    };
    match what {
        MessagePrompt::SendPdu(length) => {
            let pdu = with_center(&pdu_of(name, &text, length)?, view);
            let submission = submission(name, Vec::from([pdu]), None);
            outcome.wait(SlowCommand::Submit(submission));
            Ok(())
        }
        MessagePrompt::SendText(to) => {
            let parts = parts(name, &to, &text, view, outcome)?;
            outcome.wait(SlowCommand::Submit(submission(name, parts, None)));
            Ok(())
        }
        MessagePrompt::WritePdu(length, state) => {
            let pdu = stored_pdu(name, &text, length)?;
            let state = state_for(&pdu, state);
            write(name, pdu, state, view, outcome)
        }
        MessagePrompt::WriteText(to, state) => {
            match parts(name, &to, &text, view, outcome)?.as_slice() {
                [one] => write(name, one.clone(), state, view, outcome),
                many => {
                    let count = many.len();
                    let why = format!("a stored message has one part, this text takes {count}");
                    Err(bad_text(name, &why))
                }
            }
        }
    }
}

pub(super) const fn submission(
    command: &'static str,
    parts: Vec<Bytes>,
    place: Option<u8>,
) -> Submission {
    Submission {
        command,
        parts,
        tells_reference: true,
        place,
    }
}

/// The network has answered.
pub(super) fn submitted(
    submission: &Submission,
    result: Result<u8, SubmitFailure>,
    view: &View<'_>,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let name = submission.command;
    let reference = result
        .map_err(|failure| Error::new(Code::Message(failure.0), format!("{name}: {failure}")))?;
    if let Some(place) = submission.place
        && view.mailbox.storage.get(place).is_some()
    {
        outcome.mailbox(MailboxChange::Sent(place));
    }
    if submission.tells_reference {
        outcome.say(format!("+{name}: {reference}"));
    }
    Ok(())
}

/// The parts of a text typed in text mode.
fn parts(
    name: &str,
    to: &Address,
    text: &[u8],
    view: &View<'_>,
    outcome: &mut Outcome,
) -> Result<Vec<Bytes>, Error> {
    let body = body_of(text, view).map_err(|why| bad_text(name, &why))?;
    // Used up even where the text is too long.
    outcome.mailbox(MailboxChange::NextConcatReference);
    let messages = &view.config.messages;
    let template = Template {
        to,
        center: messages.service_center,
        parameters: Some(&messages.parameters),
        reference: view.mailbox.next_concat_reference(),
    };
    let parts = sms::compose(body, &template).map_err(|why| bad_text(name, &why))?;
    let mut reference = view.mailbox.outbox.reference();
    // Two with one number would be one to the service centre.
    let mut own_number = |part: Bytes| {
        let refuses = sms::refuses_copies(&part);
        if refuses {
            reference = reference.wrapping_add(1);
            outcome.mailbox(MailboxChange::NextReference);
            sms::numbered(&part, reference, true)
        } else {
            part
        }
    };
    Ok(parts.into_iter().map(&mut own_number).collect())
}

/// 27.005 3.1, `<data>`: with a coding of 8-bit data or UCS2 the text is hex digits; else it is in the charset of
/// `CSCS`, and what the default alphabet lacks goes as UCS2.
fn body_of(text: &[u8], view: &View<'_>) -> Result<Body, String> {
    let messages = &view.config.messages;
    let read = || sms::decode_text(text, messages.charset, view.options.charset);
    match messages.parameters.dcs.alphabet() {
        Alphabet::Octets => sms::digits(text).map(Body::Octets),
        Alphabet::Gsm7 => read().map(|text| Body::text(&text)),
        Alphabet::Ucs2 => {
            let units = sms::digits(text)
                .ok()
                .filter(|octets| octets.len().is_multiple_of(2));
            match units {
                Some(octets) => Ok(Body::Ucs2(ucs2::from_octets(&octets))),
                None => read().map(|text| Body::ucs2(&text)),
            }
        }
    }
}

/// A received message that is written back is not one to be sent, though both are state 0 to a DTE.
fn state_for(pdu: &Bytes, state: State) -> State {
    let received =
        matches!(Pdu::decode(pdu), Ok(decoded) if !matches!(decoded.pdu.tpdu, Tpdu::Submit(_)));
    if received && state == State::Unsent {
        State::Unread
    } else {
        state
    }
}

fn write(
    name: &'static str,
    pdu: Bytes,
    state: State,
    view: &View<'_>,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let Some(place) = view.mailbox.storage.free() else {
        let text = format!("{name}: the storage is full; AT+CMGD deletes messages");
        return Err(Error::new(Code::Message(MEMORY_FULL), text));
    };
    let stored = Stored {
        state,
        announced: false,
        pdu,
    };
    outcome.mailbox(MailboxChange::Write(place, stored));
    outcome.say(format!("+{name}: {place}"));
    Ok(())
}

/// A PDU that can be sent.
fn pdu_of(name: &str, text: &[u8], length: usize) -> Result<Bytes, Error> {
    let pdu = stored_pdu(name, text, length)?;
    match Pdu::decode(&pdu).map(|decoded| decoded.pdu.tpdu) {
        Ok(Tpdu::Submit(_)) => Ok(pdu),
        Ok(Tpdu::Deliver(_) | Tpdu::StatusReport(_)) | Err(_) => {
            Err(bad_pdu(name, "only a SUBMIT can be sent"))
        }
    }
}

/// A PDU of the length that was said.
fn stored_pdu(name: &str, text: &[u8], length: usize) -> Result<Bytes, Error> {
    let octets = sms::digits(text).map_err(|why| bad_pdu(name, &why))?;
    let decoded = Pdu::decode(&octets).map_err(|error| bad_pdu(name, &error.to_string()))?;
    let came = sms::tpdu_length(&octets);
    if came != length {
        let text = format!("LENGTH said {length} octets behind the service centre, {came} came");
        return Err(bad_pdu(name, &text));
    }
    if decoded.missing > 0 {
        return Err(bad_pdu(
            name,
            &format!("{} octets of user data are missing", decoded.missing),
        ));
    }
    Ok(Bytes::from(octets))
}

/// With the service centre of `CSCA`, where the DTE left it out and one is set.
pub(super) fn with_center(pdu: &Bytes, view: &View<'_>) -> Bytes {
    let center = view
        .config
        .messages
        .service_center
        .and_then(|center| center.address());
    match (center, Pdu::decode(pdu)) {
        (Some(center), Ok(decoded)) if decoded.pdu.smsc.is_none() => {
            let with = Pdu {
                smsc: Some(center),
                tpdu: decoded.pdu.tpdu,
            }
            .encode();
            with.map_or_else(|_| pdu.clone(), Bytes::from)
        }
        _ => pdu.clone(),
    }
}

/// A number as it is typed: in the charset of `CSCS` where that is UCS2, or plain.
pub(super) fn number_of(typed: &str, charset: TextCharset) -> String {
    let in_ucs2 = (charset == TextCharset::Ucs2)
        .then(|| sms::decode_text(typed.as_bytes(), charset, crate::config::Charset::Utf8).ok())
        .flatten()
        .filter(|number| Address::number(number).is_some());
    in_ucs2.unwrap_or_else(|| typed.to_string())
}

/// A number or name as it is shown: in the charset of `CSCS` where that is UCS2.
pub(super) fn in_charset(text: &str, charset: TextCharset) -> String {
    if charset == TextCharset::Ucs2 {
        sms::encode_text(text, charset)
    } else {
        text.to_string()
    }
}

/// A number typed in text mode: in the charset of `CSCS` where that is UCS2.
pub(super) fn address_of(
    typed: &str,
    type_of_address: u32,
    charset: TextCharset,
) -> Option<Address> {
    let number = number_of(typed, charset);
    let digits = number.trim_start_matches('+');
    match u8::try_from(type_of_address) {
        Ok(toa) if toa >= 128 => {
            Address::new(toa, digits).filter(|address| !address.text().is_empty())
        }
        _ => Address::number(&number),
    }
}

fn bad_text(name: &str, why: &str) -> Error {
    Error::new(Code::Message(INVALID_TEXT), format!("{name}: {why}"))
}

fn bad_pdu(name: &str, why: &str) -> Error {
    Error::new(Code::Message(INVALID_PDU), format!("{name}: {why}"))
}

/// Numbers of 27.005 3.2.5.
const INVALID_PDU: u16 = 304;
const INVALID_TEXT: u16 = 305;
const MEMORY_FULL: u16 = 322;
const UNKNOWN: u16 = 500;
