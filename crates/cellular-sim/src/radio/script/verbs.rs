//! The verbs of a line, with what stands behind each.

use dtu_proto::radio::{Cell, Operator, PhoneNumber, Registration, Signal};
use dtu_proto::time::Duration;

use super::words::{ScriptError, Words};
use crate::radio::phone::Answering;
use crate::radio::settings::Faults;
use crate::radio::verb::{ModemFault, Verb};

const VERBS: &str = "sms, data, pdu, call, answer, hangup, phone, registration, signal, cell, operator, reset, leave, \
                     back, faults, submit, delivery, silent, slow, blank-lines, bare-prompt, prompt-errors, lines-inside, \
                     pin-unheeded, tries-stay";

pub(super) fn modem(words: &mut Words<'_>) -> Result<usize, ScriptError> {
    if !words.take_if("modem") {
        return Ok(1);
    }
    let number = words.number("modem", 1..=1000)?;
    Ok(usize::try_from(number).unwrap_or(1))
}

pub(super) fn verb(words: &mut Words<'_>) -> Result<Verb, ScriptError> {
    let (column, name) = words.word("a verb", VERBS)?;
    Ok(match name.as_str() {
        "sms" => {
            let (from, to) = parties(words)?;
            Verb::Text {
                from,
                to,
                text: words.quoted()?,
            }
        }
        "data" => {
            words.expect("from")?;
            let from = words.phone()?;
            Verb::Data {
                from,
                octets: words.octets()?,
            }
        }
        "pdu" => Verb::Pdu(Box::new(words.pdu()?)),
        "call" => {
            let (from, to) = parties(words)?;
            Verb::Call { from, to }
        }
        "answer" => Verb::Answer(words.phone()?),
        "hangup" => Verb::HangUp(words.phone()?),
        "phone" => Verb::Phone(words.phone()?, answering(words)?),
        "registration" => Verb::Registration(registration(words)?, words.optional_time()?),
        "signal" => signal(words)?,
        "cell" => {
            let area = words.number("area", 0..=0xFF_FFFF)?;
            let id = words.number("cell", 0..=0xFFF_FFFF)?;
            Verb::Cell(Cell {
                area: narrow(area),
                id: narrow(id),
            })
        }
        "operator" => operator(words)?,
        "reset" => Verb::Reset(words.optional_time()?),
        "leave" => Verb::Leave(words.optional_time()?),
        "back" => Verb::Back,
        "faults" => Verb::Faults(faults(words)?),
        "submit" => Verb::SubmitTime(words.span()?),
        "delivery" => Verb::DeliveryTime(words.span()?),
        name => match modem_fault(name, words)? {
            Some(fault) => Verb::Modem(fault),
            None => {
                return Err(
                    words.error_at(column, format!("\"{name}\" is no verb; allowed: {VERBS}"))
                );
            }
        },
    })
}

fn modem_fault(name: &str, words: &mut Words<'_>) -> Result<Option<ModemFault>, ScriptError> {
    Ok(Some(match name {
        "silent" => ModemFault::Silent(words.time("silent")?),
        "slow" => ModemFault::Slow(words.time("slow")?),
        "blank-lines" => ModemFault::BlankLines(words.switch()?),
        "bare-prompt" => ModemFault::BarePrompt(words.switch()?),
        "lines-inside" => ModemFault::LinesInside(words.switch()?),
        "pin-unheeded" => ModemFault::PinUnheeded(words.switch()?),
        "tries-stay" => ModemFault::TriesStay(words.switch()?),
        "prompt-errors" => {
            let count = words.number("prompt-errors", 0..=255)?;
            ModemFault::PromptErrors(u8::try_from(count).unwrap_or(u8::MAX))
        }
        _ => return Ok(None),
    }))
}

fn parties(words: &mut Words<'_>) -> Result<(PhoneNumber, Option<PhoneNumber>), ScriptError> {
    words.expect("from")?;
    let from = words.phone()?;
    let to = if words.take_if("to") {
        Some(words.phone()?)
    } else {
        None
    };
    Ok((from, to))
}

fn answering(words: &mut Words<'_>) -> Result<Answering, ScriptError> {
    const ALLOWED: &str = "answers [TIME], busy, rings, off";
    let (column, word) = words.word("what the phone does", ALLOWED)?;
    Ok(match word.as_str() {
        "answers" => Answering::After(words.optional_time()?.unwrap_or(Duration::from_secs(5))),
        "busy" => Answering::Busy,
        "rings" => Answering::Rings,
        "off" => Answering::Off,
        word => {
            return Err(words.error_at(
                column,
                format!("\"{word}\" is nothing a phone does; allowed: {ALLOWED}"),
            ));
        }
    })
}

fn registration(words: &mut Words<'_>) -> Result<Registration, ScriptError> {
    const ALLOWED: &str = "home, roaming, searching, denied, lost, unknown";
    let (column, word) = words.word("a registration", ALLOWED)?;
    Ok(match word.as_str() {
        "home" => Registration::Home,
        "roaming" => Registration::Roaming,
        "searching" => Registration::Searching,
        "denied" => Registration::Denied,
        "lost" => Registration::NotRegistered,
        "unknown" => Registration::Unknown,
        word => {
            return Err(words.error_at(
                column,
                format!("\"{word}\" is no registration; allowed: {ALLOWED}"),
            ));
        }
    })
}

fn signal(words: &mut Words<'_>) -> Result<Verb, ScriptError> {
    if words.take_if("moves") {
        return Ok(Verb::SignalMoves(Some(words.time("moves")?)));
    }
    if words.take_if("steady") {
        return Ok(Verb::SignalMoves(None));
    }
    const ALLOWED: &str = "0..=31 or 99, then 0..=7 or 99; moves TIME; steady";
    let mut class = |most: u64| -> Result<u8, ScriptError> {
        let (column, word) = words.word("a signal", ALLOWED)?;
        let number = word
            .parse()
            .ok()
            .filter(|number: &u64| *number <= most || *number == 99);
        let number = number.and_then(|number| u8::try_from(number).ok());
        number.ok_or_else(|| {
            words.error_at(
                column,
                format!("\"{word}\" is no signal; allowed: {ALLOWED}"),
            )
        })
    };
    let strength = class(31)?;
    let error_rate = if words.is_empty() {
        99
    } else {
        signal_rate(words)?
    };
    Ok(Verb::Signal(Signal {
        strength,
        error_rate,
    }))
}

fn signal_rate(words: &mut Words<'_>) -> Result<u8, ScriptError> {
    let (column, word) = words.word("an error rate", "0..=7 or 99")?;
    let rate = word.parse().ok().filter(|rate| *rate <= 7 || *rate == 99);
    rate.ok_or_else(|| {
        words.error_at(
            column,
            format!("\"{word}\" is no error rate; allowed: 0..=7 or 99"),
        )
    })
}

fn operator(words: &mut Words<'_>) -> Result<Verb, ScriptError> {
    let name = words.quoted()?;
    let (column, code) = words.word("a network code", "5 or 6 digits")?;
    if !(5..=6).contains(&code.len()) || !code.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(words.error_at(
            column,
            format!("\"{code}\" is no network code; allowed: 5 or 6 digits"),
        ));
    }
    Ok(Verb::Operator(Operator { name, code }))
}

fn faults(words: &mut Words<'_>) -> Result<Faults, ScriptError> {
    const ALLOWED: &str =
        "none, lost N, answer-lost N, refused N, doubled N, overtaken N (of a hundred)";
    let mut faults = Faults::default();
    if words.take_if("none") {
        return Ok(faults);
    }
    loop {
        let (column, name) = words.word("a fault", ALLOWED)?;
        let slot = match name.as_str() {
            "lost" => &mut faults.lost,
            "answer-lost" => &mut faults.answer_lost,
            "refused" => &mut faults.refused,
            "doubled" => &mut faults.doubled,
            "overtaken" => &mut faults.overtaken,
            name => {
                return Err(words.error_at(
                    column,
                    format!("\"{name}\" is no fault; allowed: {ALLOWED}"),
                ));
            }
        };
        *slot = u8::try_from(words.number(&name, 0..=100)?).unwrap_or(100);
        if words.is_empty() {
            return Ok(faults);
        }
    }
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
