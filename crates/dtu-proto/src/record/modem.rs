//! One news of the modem as words, and back.

use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt::Write as _;

use super::word::{Hex, Text, Words, unknown};
use crate::radio::{
    Abilities, CallEnd, CallNews, Cell, ModemIdentity, ModemInput, NetworkTime, Operator,
    PhoneNumber, Registration, Signal, SimState, SubmitFailure,
};

pub(super) fn encode(out: &mut String, news: &ModemInput) {
    let _ = match news {
        ModemInput::Present(ModemIdentity {
            imei,
            imsi,
            model,
            abilities,
        }) => {
            let [imei, imsi, model] = [imei, imsi, model].map(|text| Text(text));
            let Abilities { messages, calls } = abilities;
            write!(out, "present {imei} {imsi} {model} {messages} {calls}")
        }
        ModemInput::Gone => out.write_str("gone"),
        ModemInput::Sim(state) => write!(out, "sim {}", word_of(*state, &SIM_STATES)),
        ModemInput::Registration(registration) => {
            write!(out, "registration {}", registration.number())
        }
        ModemInput::Attached(address) => write!(out, "attached {address}"),
        ModemInput::Detached => out.write_str("detached"),
        ModemInput::Operator(None) => out.write_str("operator"),
        ModemInput::Operator(Some(Operator { name, code })) => {
            write!(out, "operator {} {}", Text(name), Text(code))
        }
        ModemInput::Signal(Signal {
            strength,
            error_rate,
        }) => write!(out, "signal {strength} {error_rate}"),
        ModemInput::Cell(None) => out.write_str("cell"),
        ModemInput::Cell(Some(Cell { area, id })) => write!(out, "cell {area} {id}"),
        ModemInput::OwnNumber(number) => write!(out, "own-number {}", shown(number.as_ref())),
        ModemInput::ServiceCenter(number) => {
            write!(out, "service-center {}", shown(number.as_ref()))
        }
        ModemInput::Lacks(all) => {
            out.push_str("lacks");
            all.iter()
                .try_for_each(|words| write!(out, " {}", Text(words)))
        }
        ModemInput::Clock(NetworkTime {
            seconds,
            zone: None,
        }) => write!(out, "clock {seconds}"),
        ModemInput::Clock(NetworkTime {
            seconds,
            zone: Some(zone),
        }) => {
            write!(out, "clock {seconds} {zone}")
        }
        ModemInput::Message { id, pdu } => write!(out, "message {id} {}", Hex(pdu)),
        ModemInput::Submitted {
            token,
            outcome: Ok(reference),
        } => {
            write!(out, "submitted {token} ok {reference}")
        }
        ModemInput::Submitted {
            token,
            outcome: Err(SubmitFailure(code)),
        } => {
            write!(out, "submitted {token} failed {code}")
        }
        ModemInput::Call(CallNews::Incoming { from }) => {
            write!(out, "call incoming {}", shown(from.as_ref()))
        }
        ModemInput::Call(CallNews::Alerting) => out.write_str("call alerting"),
        ModemInput::Call(CallNews::Answered) => out.write_str("call answered"),
        ModemInput::Call(CallNews::Ended(end)) => {
            write!(out, "call ended {}", word_of(*end, &CALL_ENDS))
        }
    };
}

pub(super) fn decode(words: &mut Words<'_>) -> Result<ModemInput, String> {
    Ok(match words.any(MODEM)? {
        "present" => ModemInput::Present(ModemIdentity {
            imei: words.text("an IMEI")?,
            imsi: words.text("an IMSI")?,
            model: words.text("a model")?,
            abilities: Abilities {
                messages: words.number("messages: true or false")?,
                calls: words.number("calls: true or false")?,
            },
        }),
        "gone" => ModemInput::Gone,
        "sim" => ModemInput::Sim(named(words, "SIM state", &SIM_STATES)?),
        "registration" => ModemInput::Registration(registration(words)?),
        "attached" => ModemInput::Attached(words.number("an address")?),
        "detached" => ModemInput::Detached,
        "operator" => ModemInput::Operator(operator(words)?),
        "signal" => ModemInput::Signal(Signal {
            strength: words.number("a strength")?,
            error_rate: words.number("an error rate")?,
        }),
        "cell" => ModemInput::Cell(cell(words)?),
        "own-number" => ModemInput::OwnNumber(number(words)?),
        "service-center" => ModemInput::ServiceCenter(number(words)?),
        "lacks" => ModemInput::Lacks(texts(words, "what is missing")?),
        "clock" => ModemInput::Clock(clock(words)?),
        "message" => ModemInput::Message {
            id: words.number("a number")?,
            pdu: Bytes::from(words.hex()?),
        },
        "submitted" => submitted(words)?,
        "call" => ModemInput::Call(call(words)?),
        other => return Err(unknown(other, "modem input", MODEM)),
    })
}

fn registration(words: &mut Words<'_>) -> Result<Registration, String> {
    let number: u8 = words.number("a registration, 0..=5")?;
    Some(Registration::from_number(number))
        .filter(|registration| registration.number() == number)
        .ok_or_else(|| String::from("a registration is 0..=5"))
}

fn operator(words: &mut Words<'_>) -> Result<Option<Operator>, String> {
    let Some(name) = words.optional_text("a name")? else {
        return Ok(None);
    };
    Ok(Some(Operator {
        name,
        code: words.text("a code")?,
    }))
}

fn cell(words: &mut Words<'_>) -> Result<Option<Cell>, String> {
    let Some(area) = words.optional() else {
        return Ok(None);
    };
    let area = area.parse().map_err(|_| "the area must be a number")?;
    Ok(Some(Cell {
        area,
        id: words.number("a cell")?,
    }))
}

fn clock(words: &mut Words<'_>) -> Result<NetworkTime, String> {
    let seconds = words.number("seconds")?;
    let zone = words.optional().map(str::parse).transpose();
    Ok(NetworkTime {
        seconds,
        zone: zone.map_err(|_| "the zone must be a number of quarters")?,
    })
}

fn submitted(words: &mut Words<'_>) -> Result<ModemInput, String> {
    let token = words.number("a token")?;
    let outcome = match words.any("ok or failed")? {
        "ok" => Ok(words.number("a reference")?),
        "failed" => Err(SubmitFailure(words.number("a code")?)),
        other => return Err(unknown(other, "outcome", "ok, failed")),
    };
    Ok(ModemInput::Submitted { token, outcome })
}

fn call(words: &mut Words<'_>) -> Result<CallNews, String> {
    Ok(match words.any(CALL)? {
        "incoming" => CallNews::Incoming {
            from: number(words)?,
        },
        "alerting" => CallNews::Alerting,
        "answered" => CallNews::Answered,
        "ended" => CallNews::Ended(named(words, "end of a call", &CALL_ENDS)?),
        other => return Err(unknown(other, "news of a call", CALL)),
    })
}

fn number(words: &mut Words<'_>) -> Result<Option<PhoneNumber>, String> {
    match words.any("a number, or -")? {
        "-" => Ok(None),
        text => PhoneNumber::new(text)
            .map(Some)
            .ok_or_else(|| alloc::format!("`{text}` is no number")),
    }
}

fn shown(number: Option<&PhoneNumber>) -> &str {
    number.map_or("-", PhoneNumber::as_str)
}

fn word_of<T: Copy + PartialEq>(value: T, names: &[(&'static str, T)]) -> &'static str {
    names
        .iter()
        .find(|(_, named)| *named == value)
        .map_or("-", |(name, _)| name)
}

fn named<T: Copy>(
    words: &mut Words<'_>,
    what: &str,
    names: &[(&'static str, T)],
) -> Result<T, String> {
    let word = words.any(what)?;
    let found = names
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, value)| *value);
    found.ok_or_else(|| {
        let allowed: alloc::vec::Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        unknown(word, what, &allowed.join(", "))
    })
}

const SIM_STATES: [(&str, SimState); 5] = [
    ("unknown", SimState::Unknown),
    ("ready", SimState::Ready),
    ("pin-needed", SimState::PinNeeded),
    ("puk-needed", SimState::PukNeeded),
    ("missing", SimState::Missing),
];
const CALL_ENDS: [(&str, CallEnd); 4] = [
    ("hung-up", CallEnd::HungUp),
    ("busy", CallEnd::Busy),
    ("no-answer", CallEnd::NoAnswer),
    ("no-carrier", CallEnd::NoCarrier),
];
const MODEM: &str = "present, gone, sim, registration, attached, detached, operator, signal, cell, own-number, \
                     service-center, lacks, clock, message, submitted, call";
const CALL: &str = "incoming, alerting, answered, ended";

/// All texts to the end of the line. An empty one is how an earlier version wrote that there are none.
fn texts(words: &mut Words<'_>, what: &str) -> Result<Vec<String>, String> {
    let all = core::iter::from_fn(|| words.optional_text(what).transpose());
    all.filter(|text| text.as_ref().map_or(true, |text| !text.is_empty()))
        .collect()
}
