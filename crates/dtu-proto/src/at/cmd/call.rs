//! Calls.

use alloc::format;
use alloc::string::{String, ToString};

use super::super::command::{Command, TakesEffect};
use super::super::outcome::{Effect, Lines, Outcome};
use super::super::param::{Kind, Param};
use super::super::reply::{Code, Error, Shown};
use super::super::values::Values;
use super::super::view::View;
use super::radio::modem;
use super::{ON_OFF, one, says_ok};
use crate::config::Config;
use crate::ids::PhoneNumber;
use crate::status::{CallState, CurrentCall};

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new(
        "D",
        "2.8.6.6",
        "Calls a number",
        &[Param::new("NUMBER;", Kind::Shape(NUMBER), "")],
    )
    .example("ATD10086;", "OK")
    .notes(DIAL)
    .acts(dial),
    Command::new(
        "H",
        "2.8.6.10",
        "Hangs up, or refuses the call that rings; without a call it says OK too",
        HOOK,
    )
    .example("ATH", "OK")
    .acts(hang_up),
    Command::new(
        "A",
        "2.8.6.11",
        "Answers the call that rings; without one: NO CARRIER",
        &[],
    )
    .example("ATA", "NO CARRIER")
    .acts(answer),
    Command::new("DL", "2.8.6.12", "Calls the last number again", &[])
        .example("ATDL", "OK")
        .acts(redial),
    Command::new(
        "S0",
        "2.8.6.13",
        "Rings until a call is answered",
        &[
            Param::new("RINGS", Kind::Number { min: 0, max: 255 }, "0 = never")
                .factory("0")
                .left_off_is("0"),
        ],
    )
    .example("ATS0=2", "OK")
    .reads(read_rings)
    .sets(set_rings)
    .notes("It works in every state of the line.")
    .saved(
        |config| one(format!("ATS0={}", config.auto_answer)),
        TakesEffect::Now,
    ),
    Command::new(
        "+CIRINGSTA",
        "2.8.6.44",
        "Hangs up on every incoming call",
        &[Param::new("ON", ON_OFF, "").factory("0")],
    )
    .example("AT+CIRINGSTA=1", "OK")
    .reads(read_refusing)
    .sets(set_refusing)
    .notes("It works in every state of the line; the DTE is told nothing of such a call.")
    .saved(
        |config| one(format!("AT+CIRINGSTA={}", u8::from(config.refuse_calls))),
        TakesEffect::Now,
    ),
    Command::new(
        "+CLIP",
        "27.007 7.6",
        "The caller's number behind RING",
        SHOWN,
    )
    .example("AT+CLIP=1", "OK")
    .reads(read_caller)
    .sets(set_caller)
    .saved(
        |config| one(format!("AT+CLIP={}", u8::from(config.caller_id))),
        TakesEffect::Now,
    ),
    Command::new(
        "+CRC",
        "27.007 6.11",
        "+CRING: VOICE instead of RING",
        SHOWN,
    )
    .example("AT+CRC=1", "OK")
    .reads(read_ring_kind)
    .sets(set_ring_kind)
    .saved(
        |config| one(format!("AT+CRC={}", u8::from(config.extended_ring))),
        TakesEffect::Now,
    ),
    Command::new("+CLCC", "27.007 7.18", "The call", &[])
        .example("AT+CLCC", "OK")
        .notes(LIST)
        .asks(list),
    Command::new(
        "+CPAS",
        "27.007 8.1",
        "0 = no call, 3 = one rings, 4 = one is made or stands",
        &[],
    )
    .example("AT+CPAS", "+CPAS: 0\nOK")
    .asks(activity),
    Command::new("+CHUP", "27.007 6.5", "Hangs up, as ATH", &[])
        .example("AT+CHUP", "OK")
        .acts(hang_up),
    Command::new(
        "+CVHU",
        "27.007 6.20",
        "ATH hangs up",
        &[Param::new("MODE", Kind::Choice(&[(0, "ATH hangs up")]), "")
            .factory("0")
            .left_off_is("0")],
    )
    .example("AT+CVHU=0", "OK")
    .reads(read_hook_mode)
    .asks_for(says_ok),
];

const SHOWN: &[Param] = &[Param::new("ON", ON_OFF, "").factory("0").left_off_is("0")];
const HOOK: &[Param] = &[Param::new("HOOK", Kind::Choice(&[(0, "")]), "").left_off_is("0")];

const NUMBER: &str = "1..=20 digits, * and #, + in front allowed, with ; behind it";

const DIAL: &str = "\
`OK` comes first, alone; then, when the line has rested for 500 ms, `RINGBACK` when the called phone rings and `VOICE` when it is answered, or \
`BUSY`, `NO ANSWER` (also after 120 s), `NO CARRIER`. They are told in the command state and the set-up window, to a DTE that typed \
the command itself. `ATDT…;` and `ATDP…;` are the same; blanks, brackets, points and dashes in the number are skipped. Without the \
semicolon it would be a data call, which is not possible.

A call that comes in prints `RING` when the line has rested for 500 ms and then every 5 s, in the command state and the set-up window; `NO CARRIER` when it is over.";

const LIST: &str = "\
`+CLCC: 1,<0 = dialled, 1 = came in>,<0 = stands, 2 = being dialled, 3 = rings there, 4 = rings here>,0,0,\"<number>\",<145 = with +, \
129 = without, 128 = not known>`; nothing without a call.";

fn dial(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    let typed = values.text(0)?;
    let number = typed.strip_suffix(';').ok_or_else(|| {
        values.refuse(
            Code::NotSupported,
            "data calls are not possible; the number of a voice call ends with ;",
        )
    })?;
    let number = read_number(number).ok_or_else(|| {
        let text = format!("NUMBER must be {NUMBER}, got {}", Shown(typed.as_bytes()));
        values.refuse(Code::IncorrectParameters, &text)
    })?;
    place(values, view, number, outcome)
}

fn redial(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    let last = view.status.call.last_dialled;
    let number = last.ok_or_else(|| values.refuse(Code::NotAllowed, "no number was called yet"))?;
    place(values, view, number, outcome)
}

fn place(
    values: &Values,
    view: &View<'_>,
    number: PhoneNumber,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    able(values, view)?;
    if current(view).is_some() {
        return Err(values.refuse(Code::NotAllowed, "there is a call already; ATH ends it"));
    }
    outcome.effect(Effect::Dial(number));
    Ok(())
}

/// The number of a dial string (V.250 6.3.1): T and P in front choose the dialling of old lines, and people write
/// numbers in groups.
fn read_number(typed: &str) -> Option<PhoneNumber> {
    let number = typed.strip_prefix(['T', 't', 'P', 'p']).unwrap_or(typed);
    let digits: String = number
        .chars()
        .filter(|char| !" -().".contains(*char))
        .collect();
    PhoneNumber::new(&digits)
}

fn able(values: &Values, view: &View<'_>) -> Result<(), Error> {
    if modem(values, view)?.abilities.calls {
        return Ok(());
    }
    Err(values.refuse(Code::NotSupported, "this modem cannot make calls"))
}

fn current(view: &View<'_>) -> Option<CurrentCall> {
    view.status.call.current
}

fn answer(_: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    if !current(view).is_some_and(|current| current.incoming) {
        return Err(Error::new(Code::NoCarrier, String::new()));
    }
    outcome.effect(Effect::Answer);
    Ok(())
}

fn hang_up(_: &Values, _: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    outcome.effect(Effect::HangUp);
    Ok(())
}

fn read_rings(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(format!("{:03}", view.config.auto_answer).into())
}

fn set_rings(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.auto_answer = values.narrow(0)?;
    Ok(())
}

fn read_refusing(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(format!("+CIRINGSTA:{}", u8::from(view.config.refuse_calls)).into())
}

fn set_refusing(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.refuse_calls = values.flag(0)?;
    Ok(())
}

/// The second value: the network tells numbers (27.007 7.6).
fn read_caller(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(format!("+CLIP: {},1", u8::from(view.config.caller_id)).into())
}

fn set_caller(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.caller_id = values.flag(0)?;
    Ok(())
}

fn read_ring_kind(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(format!("+CRC: {}", u8::from(view.config.extended_ring)).into())
}

fn set_ring_kind(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.extended_ring = values.flag(0)?;
    Ok(())
}

fn list(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    let Some(CurrentCall {
        state,
        incoming,
        number,
    }) = current(view)
    else {
        return Ok(Lines::default());
    };
    let kind = number.map_or(NUMBER_UNKNOWN, |number| number.type_of_address());
    let number = number.map(|number| number.to_string()).unwrap_or_default();
    Ok(format!(
        "+CLCC: 1,{},{},0,0,\"{number}\",{kind}",
        u8::from(incoming),
        state.number()
    )
    .into())
}

fn activity(values: &Values, view: &View<'_>) -> Result<Lines, Error> {
    modem(values, view)?;
    let activity = match current(view).map(|current| current.state) {
        None => 0,
        Some(CallState::Incoming) => 3,
        Some(CallState::Active | CallState::Dialling | CallState::Alerting) => 4,
    };
    Ok(format!("+CPAS: {activity}").into())
}

fn read_hook_mode(_: &Values, _: &View<'_>) -> Result<Lines, Error> {
    Ok("+CVHU: 0".into())
}

/// 24.008 10.5.4.7: type of a number that is not known.
const NUMBER_UNKNOWN: u8 = 128;
