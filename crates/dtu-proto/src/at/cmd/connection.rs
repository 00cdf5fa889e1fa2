//! The connection of the AT mode (2).

use alloc::format;
use alloc::string::String;

use super::super::command::Command;
use super::super::outcome::{Change, Effect, Next, Outcome, SlowCommand};
use super::super::param::{Chars, Kind, Param};
use super::super::prompt::{CISEND_MAX, Ends, Prompt, PromptKind};
use super::super::reply::{Code, Error};
use super::super::values::Values;
use super::super::view::View;
use super::state::state_name;
use crate::config::{Protocol, WorkingMode};
use crate::event::{Connect, Origin};
use crate::status::{AtConnectionStatus, LinkState, Status};

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new(
        "+CIOPEN",
        "2.8.6.34",
        "Opens a connection in the AT mode",
        OPEN,
    )
    .example("AT+CIOPEN=\"TCP\",\"usrcn.gicp.net\",10101", "OK")
    .notes(OPEN_NOTES)
    .acts_on(open),
    Command::new(
        "+CISEND",
        "2.8.6.35",
        "Sends to the connection of the AT mode",
        &[Param::new(
            "COUNT",
            Kind::Number {
                min: 1,
                max: CISEND_MAX as u32,
            },
            "bytes",
        )],
    )
    .example("AT+CISEND=5", "> ")
    .notes(SEND_NOTES)
    .acts(send)
    .acts_on(send_exactly),
    Command::new(
        "+CICLOSE",
        "2.8.6.36",
        "Closes the connection of the AT mode",
        &[],
    )
    .example("AT+CICLOSE", "CLOSE OK")
    .notes(CLOSE_NOTES)
    .acts(close),
];

const OPEN: &[Param] = &[
    Param::new("PROTOCOL", Kind::Words(&["TCP", "UDP"]), ""),
    Param::new(
        "ADDRESS",
        Kind::Text {
            min: 1,
            max: 255,
            chars: Chars::Host,
        },
        "name or address",
    ),
    Param::new(
        "PORT",
        Kind::Number {
            min: 1,
            max: 65_535,
        },
        "",
    ),
];

const OPEN_NOTES: &str = "\
Possible on the serial line in the AT mode (`AT+CIMOD=2`). Behind `OK` comes `CONNECT OK`, or `CONNECT FAIL`; `AT+CINET?` then tells why. There is one \
connection. What the peer sends is printed as it comes, without anything around it; while a command is being answered or a prompt is open it waits. When the \
connection ends without `AT+CICLOSE`, `CLOSED` is printed behind the last of its bytes, at once even at a prompt of `AT+CISEND`; with echo on, bytes \
and `CLOSED` wait for the end of a line that is being typed, 3 s at most; a restart and a change of the mode print nothing. With `ATV0` \
`CONNECT OK` is `1`, `CONNECT FAIL` and `CLOSED` are `3`; with `ATQ1` none of them is printed.";

const SEND_NOTES: &str = "\
Behind the prompt `> ` comes one frame of at most 1024 bytes, which ends with a silence of TIME of `AT+CIPCFG` (10 ms at least). Each byte is sent, 1A too; \
a frame of one ESC (1B) gives up, answered by `OK`; one that is too long is not sent. `AT+CISEND=<COUNT>` takes exactly so many bytes, whatever they are. A prompt that \
hears nothing for 60 s is given up: `SEND FAIL`. `SEND OK` means that the socket has them, `SEND FAIL` that they are lost: the connection ended, or took nothing for 60 s and was closed. With `ATV0` these are \
`0` and `4`. A command behind it on the line is not run.";

const CLOSE_NOTES: &str = "\
`CLOSE OK` stands in place of `OK` (with `ATV0`: `0`). It also ends an attempt; `CONNECT FAIL` is not printed then.";

/// The line of `CINET?`, while the mode runs.
pub(super) fn state_line(status: &Status) -> Option<String> {
    let AtConnectionStatus {
        state, last_down, ..
    } = &status.at_connection;
    let runs = status.mode_started && status.mode == WorkingMode::AtCommand;
    let why = last_down.filter(|_| *state == LinkState::Off);
    let why = why.map(|reason| format!(",{reason}")).unwrap_or_default();
    runs.then(|| format!("+CINET:0,{}{why}", state_name(*state)))
}

fn open(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    check(values, view)?;
    if view.connection.is_used() {
        return Err(values.refuse(
            Code::NotAllowed,
            "a connection is open already; AT+CICLOSE closes it",
        ));
    }
    let protocol = if values.number(0)? == 0 {
        Protocol::Tcp
    } else {
        Protocol::Udp
    };
    let (address, port) = (values.text(1)?, values.narrow(2)?);
    outcome.change(Change::OrderConnection(Connect {
        protocol,
        address,
        port,
        local_port: 0,
        tls: false,
    }));
    outcome.effect(Effect::Open);
    Ok(())
}

fn send(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    let prompt = Prompt {
        what: PromptKind::Frame,
        max: CISEND_MAX,
        ends: Ends::Silence,
    };
    ask(values, view, prompt, outcome)
}

fn send_exactly(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    let count = values.narrow::<u16>(0)?.into();
    let prompt = Prompt {
        what: PromptKind::Count(count),
        max: count,
        ends: Ends::Count,
    };
    ask(values, view, prompt, outcome)
}

fn ask(
    values: &Values,
    view: &View<'_>,
    prompt: Prompt,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    check(values, view)?;
    if !view.connection.is_up() {
        let why = "not connected; AT+CIOPEN=TCP,address,port opens a connection";
        return Err(values.refuse(Code::NotAllowed, why));
    }
    outcome.next = Next::Prompt(prompt);
    Ok(())
}

fn close(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    check(values, view)?;
    if !view.connection.is_used() {
        return Err(values.refuse(Code::NotAllowed, "no connection is open"));
    }
    outcome.change(Change::ForgetConnection);
    outcome.wait(SlowCommand::Close);
    Ok(())
}

/// Only where what follows can be printed and typed.
fn check(values: &Values, view: &View<'_>) -> Result<(), Error> {
    let status = view.status;
    let why = if view.origin != Origin::Serial {
        "possible only on the serial line"
    } else if status.mode != WorkingMode::AtCommand {
        "possible only in the AT mode (AT+CIMOD=2)"
    } else if !status.mode_started {
        "the AT mode has not begun; AT+ENTM begins it"
    } else {
        return Ok(());
    };
    Err(values.refuse(Code::NotAllowed, why))
}
