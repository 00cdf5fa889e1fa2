//! The connection of the AT mode (2).

use alloc::format;
use alloc::string::String;

use super::super::call::Call;
use super::super::param::{Chars, Kind, Param};
use super::super::reply::{Code, Error};
use super::super::table::Command;
use super::super::{CISEND_MAX, Effect, Ends, Prompt, Prompted, SlowCommand};
use super::Done;
use super::link::state_name;
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
    .sets(open),
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
    .runs(send)
    .sets(send_exactly),
    Command::new(
        "+CICLOSE",
        "2.8.6.36",
        "Closes the connection of the AT mode",
        &[],
    )
    .example("AT+CICLOSE", "CLOSE OK")
    .notes(CLOSE_NOTES)
    .runs(close),
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

fn open(call: &mut Call<'_, '_>) -> Done {
    check(call)?;
    if call.ctx.connection.is_used() {
        return Err(call.refuse(
            Code::NotAllowed,
            "a connection is open already; AT+CICLOSE closes it",
        ));
    }
    let protocol = if call.number(0)? == 0 {
        Protocol::Tcp
    } else {
        Protocol::Udp
    };
    let (address, port) = (call.text(1)?, call.narrow(2)?);
    call.ctx.connection.order(Connect {
        protocol,
        address,
        port,
        local_port: 0,
        tls: false,
    });
    call.effects.push(Effect::Open);
    Ok(())
}

fn send(call: &mut Call<'_, '_>) -> Done {
    ask(call, Prompted::Frame, CISEND_MAX, Ends::Silence)
}

fn send_exactly(call: &mut Call<'_, '_>) -> Done {
    let count = call.narrow::<u16>(0)?.into();
    ask(call, Prompted::Count(count), count, Ends::Count)
}

fn ask(call: &mut Call<'_, '_>, what: Prompted, max: usize, ends: Ends) -> Done {
    check(call)?;
    if !call.ctx.connection.connection.is_up() {
        let why = "not connected; AT+CIOPEN=TCP,address,port opens a connection";
        return Err(call.refuse(Code::NotAllowed, why));
    }
    call.prompt = Some(Prompt { what, max, ends });
    Ok(())
}

fn close(call: &mut Call<'_, '_>) -> Done {
    check(call)?;
    if !call.ctx.connection.is_used() {
        return Err(call.refuse(Code::NotAllowed, "no connection is open"));
    }
    call.ctx.connection.forget_order();
    call.slow = Some(SlowCommand::Close);
    Ok(())
}

/// Only where what follows can be printed and typed.
fn check(call: &Call<'_, '_>) -> Result<(), Error> {
    let status = call.ctx.status;
    let why = if call.ctx.origin != Origin::Serial {
        "possible only on the serial line"
    } else if status.mode != WorkingMode::AtCommand {
        "possible only in the AT mode (AT+CIMOD=2)"
    } else if !status.mode_started {
        "the AT mode has not begun; AT+ENTM begins it"
    } else {
        return Ok(());
    };
    Err(call.refuse(Code::NotAllowed, why))
}
