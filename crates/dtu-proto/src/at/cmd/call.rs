//! Calls.

use alloc::format;
use alloc::string::{String, ToString};

use super::super::Effect;
use super::super::call::Call;
use super::super::param::{Kind, Param};
use super::super::reply::{Code, Error, Shown};
use super::super::table::{Command, TakesEffect};
use super::radio::modem;
use super::{Done, ON_OFF, one};
use crate::radio::PhoneNumber;
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
    .runs(dial),
    Command::new(
        "H",
        "2.8.6.10",
        "Hangs up, or refuses the call that rings; without a call it says OK too",
        HOOK,
    )
    .example("ATH", "OK")
    .runs(hang_up),
    Command::new(
        "A",
        "2.8.6.11",
        "Answers the call that rings; without one: NO CARRIER",
        &[],
    )
    .example("ATA", "NO CARRIER")
    .runs(answer),
    Command::new("DL", "2.8.6.12", "Calls the last number again", &[])
        .example("ATDL", "OK")
        .runs(redial),
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
        .runs(hang_up),
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
    .open_sets(super::accepted),
];

const SHOWN: &[Param] = &[Param::new("ON", ON_OFF, "").factory("0").left_off_is("0")];
const HOOK: &[Param] = &[Param::new("HOOK", Kind::Choice(&[(0, "")]), "").left_off_is("0")];

const NUMBER: &str = "1..=20 digits, * and #, + in front allowed, with ; behind it";

const DIAL: &str = "\
`OK` comes first, alone; then, at least 300 ms later, `RINGBACK` when the called phone rings and `VOICE` when it is answered, or \
`BUSY`, `NO ANSWER` (also after 120 s), `NO CARRIER`. They are told in the command state and the set-up window, to a DTE that typed \
the command itself. `ATDT…;` and `ATDP…;` are the same; blanks, brackets, points and dashes in the number are skipped. Without the \
semicolon it would be a data call, which is not possible.

A call that comes in prints `RING` at once and then every 5 s, in the command state and the set-up window; `NO CARRIER` when it is over.";

const LIST: &str = "\
`+CLCC: 1,<0 = dialled, 1 = came in>,<0 = stands, 2 = being dialled, 3 = rings there, 4 = rings here>,0,0,\"<number>\",<145 = with +, \
129 = without, 128 = not known>`; nothing without a call.";

fn dial(call: &mut Call<'_, '_>) -> Done {
    let typed = call.text(0)?;
    let number = typed.strip_suffix(';').ok_or_else(|| {
        call.refuse(
            Code::NotSupported,
            "data calls are not possible; the number of a voice call ends with ;",
        )
    })?;
    let number = read_number(number).ok_or_else(|| {
        let text = format!("NUMBER must be {NUMBER}, got {}", Shown(typed.as_bytes()));
        call.refuse(Code::IncorrectParameters, &text)
    })?;
    place(call, number)
}

fn redial(call: &mut Call<'_, '_>) -> Done {
    let last = call.ctx.status.call.last_dialled;
    let number = last.ok_or_else(|| call.refuse(Code::NotAllowed, "no number was called yet"))?;
    place(call, number)
}

fn place(call: &mut Call<'_, '_>, number: PhoneNumber) -> Done {
    able(call)?;
    if current(call).is_some() {
        return Err(call.refuse(Code::NotAllowed, "there is a call already; ATH ends it"));
    }
    call.effects.push(Effect::Dial(number));
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

fn able(call: &Call<'_, '_>) -> Done {
    if modem(call)?.abilities.calls {
        return Ok(());
    }
    Err(call.refuse(Code::NotSupported, "this modem cannot make calls"))
}

fn current(call: &Call<'_, '_>) -> Option<CurrentCall> {
    call.ctx.status.call.current
}

fn answer(call: &mut Call<'_, '_>) -> Done {
    if !current(call).is_some_and(|current| current.incoming) {
        return Err(Error::new(Code::NoCarrier, String::new()));
    }
    call.effects.push(Effect::Answer);
    Ok(())
}

fn hang_up(call: &mut Call<'_, '_>) -> Done {
    call.effects.push(Effect::HangUp);
    Ok(())
}

fn read_rings(call: &mut Call<'_, '_>) -> Done {
    call.say(format!("{:03}", call.ctx.config.auto_answer));
    Ok(())
}

fn set_rings(call: &mut Call<'_, '_>) -> Done {
    call.ctx.config.auto_answer = call.narrow(0)?;
    Ok(())
}

fn read_refusing(call: &mut Call<'_, '_>) -> Done {
    call.say(format!(
        "+CIRINGSTA:{}",
        u8::from(call.ctx.config.refuse_calls)
    ));
    Ok(())
}

fn set_refusing(call: &mut Call<'_, '_>) -> Done {
    call.ctx.config.refuse_calls = call.flag(0)?;
    Ok(())
}

/// The second value: the network tells numbers (27.007 7.6).
fn read_caller(call: &mut Call<'_, '_>) -> Done {
    call.say(format!("+CLIP: {},1", u8::from(call.ctx.config.caller_id)));
    Ok(())
}

fn set_caller(call: &mut Call<'_, '_>) -> Done {
    call.ctx.config.caller_id = call.flag(0)?;
    Ok(())
}

fn read_ring_kind(call: &mut Call<'_, '_>) -> Done {
    call.say(format!("+CRC: {}", u8::from(call.ctx.config.extended_ring)));
    Ok(())
}

fn set_ring_kind(call: &mut Call<'_, '_>) -> Done {
    call.ctx.config.extended_ring = call.flag(0)?;
    Ok(())
}

fn list(call: &mut Call<'_, '_>) -> Done {
    let Some(CurrentCall {
        state,
        incoming,
        number,
    }) = current(call)
    else {
        return Ok(());
    };
    let kind = number.map_or(NUMBER_UNKNOWN, |number| number.type_of_address());
    let number = number.map(|number| number.to_string()).unwrap_or_default();
    call.say(format!(
        "+CLCC: 1,{},{},0,0,\"{number}\",{kind}",
        u8::from(incoming),
        state.number()
    ));
    Ok(())
}

fn activity(call: &mut Call<'_, '_>) -> Done {
    modem(call)?;
    let activity = match current(call).map(|current| current.state) {
        None => 0,
        Some(CallState::Incoming) => 3,
        Some(CallState::Active | CallState::Dialling | CallState::Alerting) => 4,
    };
    call.say(format!("+CPAS: {activity}"));
    Ok(())
}

fn read_hook_mode(call: &mut Call<'_, '_>) -> Done {
    call.say("+CVHU: 0".to_string());
    Ok(())
}

/// 24.008 10.5.4.7: type of a number that is not known.
const NUMBER_UNKNOWN: u8 = 128;
