//! The message storage (3GPP TS 27.005 3.2.2, 3.4, 3.5).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use sms_codec::address::Address;
use sms_codec::pdu::{Pdu, Tpdu};

use super::super::SlowCommand;
use super::super::call::Call;
use super::super::param::{Kind, Param};
use super::super::reply::{Code, Error};
use super::super::sms::{self as typed, Prompted};
use super::super::table::Command;
use super::Done;
use super::message::{check_modem, length, prompt, receiver};
use crate::sms::{Memory, PLACES, State, Stored};

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new(
        "+CPMS",
        "27.005 3.2.2",
        "Message storage: there is one, SM, of 50 places; ME and MT are other names of it",
        &[
            Param::new("MEM1", MEMORY, "read and delete"),
            Param::new("MEM2", MEMORY, "write and send").left_off_is("SM"),
            Param::new("MEM3", MEMORY, "what comes").left_off_is("SM"),
        ],
    )
    .example("AT+CPMS=\"SM\"", "+CPMS: 2,50,2,50,2,50\nOK")
    .tells("(\"SM\"),(\"SM\"),(\"SM\")")
    .reads(read_memory)
    .sets(set_memory),
    Command::new(
        "+CMGL",
        "2.8.6.7",
        "Lists messages",
        &[
            Param::new("STAT", Kind::Shape(STATES), "").left_off_is("0"),
            Param::new("KEEP", super::ON_OFF, "1 = unread messages stay unread").left_off_is("0"),
        ],
    )
    .example("AT+CMGL=4", "+CMGL: 1, 1,, 27\n0891683108504405F0240D91688159142058F700004190015160012307743A9DAE3FA301\n+CMGL: 2, 2,, 20\n0011000D91683108108300F00000AA05E8329BFD06\nOK")
    .tells("(0-4)")
    .runs(list_unread)
    .sets(list),
    Command::new(
        "+CMGR",
        "2.8.6.8",
        "Reads a message",
        &[
            Param::new("INDEX", INDEX, ""),
            Param::new("KEEP", super::ON_OFF, "1 = an unread message stays unread").left_off_is("0"),
        ],
    )
    .example("AT+CMGR=1", "+CMGR: 1,, 27\n0891683108504405F0240D91688159142058F700004190015160012307743A9DAE3FA301\nOK")
    .sets(read),
    Command::new(
        "+CMGD",
        "27.005 3.5.4",
        "Deletes messages",
        &[
            Param::new("INDEX", INDEX, "without meaning where FLAG is not 0"),
            Param::new(
                "FLAG",
                Kind::Choice(&[
                    (0, "this one"),
                    (1, "all read"),
                    (2, "all read and sent"),
                    (3, "all but unread"),
                    (4, "all"),
                ]),
                "",
            )
            .left_off_is("0"),
        ],
    )
    .example("AT+CMGD=1", "OK")
    .tells("(1-50),(0-4)")
    .sets(delete),
    Command::new(
        "+CMGW",
        "27.005 3.5.3",
        "Stores a message",
        &[
            Param::new("TO", Kind::Shape("number in text mode, length in PDU mode"), ""),
            Param::new("TOA", Kind::Number { min: 0, max: 255 }, "type of address; in PDU mode STAT")
                .left_off_is("0"),
            Param::new("STAT", Kind::Shape("\"STO UNSENT\" or \"STO SENT\""), "text mode")
                .left_off_is("STO UNSENT"),
        ],
    )
    .example("AT+CMGW=18", "> ")
    .sets(write),
    Command::new(
        "+CMSS",
        "27.005 3.5.2",
        "Sends a stored message",
        &[
            Param::new("INDEX", INDEX, ""),
            Param::new(
                "TO",
                Kind::Shape("1..=20 digits, + in front allowed"),
                "in place of the stored receiver",
            )
            .left_off_is(""),
            Param::new("TOA", Kind::ZeroOr { min: 128, max: 255 }, "type of address").left_off_is("0"),
        ],
    )
    .example("AT+CMSS=2", "+CMSS: 42\nOK")
    .sets(send),
];

const INDEX: Kind = Kind::Number { min: 0, max: 255 };
const MEMORY: Kind = Kind::Words(&["SM", "ME", "MT"]);
const STATES: &str =
    "0..=4, or \"REC UNREAD\", \"REC READ\", \"STO UNSENT\", \"STO SENT\", \"ALL\"";

fn read_memory(call: &mut Call<'_, '_>) -> Done {
    let used = call.ctx.mailbox.storage.used();
    let [a, b, c] = call
        .ctx
        .mailbox
        .names
        .map(|name| format!("\"{}\",{used},{PLACES}", name.name()));
    call.say(format!("+CPMS: {a},{b},{c}"));
    Ok(())
}

fn set_memory(call: &mut Call<'_, '_>) -> Done {
    for place in 0..3 {
        let number: usize = call.narrow(place)?;
        if let (Some(slot), Some(memory)) = (
            call.ctx.mailbox.names.get_mut(place),
            Memory::ALL.get(number),
        ) {
            *slot = *memory;
        }
    }
    let used = call.ctx.mailbox.storage.used();
    call.say(format!(
        "+CPMS: {used},{PLACES},{used},{PLACES},{used},{PLACES}"
    ));
    Ok(())
}

fn list_unread(call: &mut Call<'_, '_>) -> Done {
    list_of(call, Some(State::Unread), false)
}

fn list(call: &mut Call<'_, '_>) -> Done {
    let typed = call.text(0)?;
    let state = state_of(&typed);
    let wrong = format!("STAT must be {STATES}, got {typed}");
    let state = state.ok_or_else(|| call.refuse(Code::IncorrectParameters, &wrong))?;
    let keeps = call.flag(1)?;
    list_of(call, state, keeps)
}

/// Numbers and words are understood in both modes. `Some(None)` is all.
fn state_of(text: &str) -> Option<Option<State>> {
    if text == "4" || text.eq_ignore_ascii_case("ALL") {
        return Some(None);
    }
    let fits = |state: &State| {
        state.name().eq_ignore_ascii_case(text) || format!("{}", state.number()) == text
    };
    State::ALL.into_iter().find(fits).map(Some)
}

fn list_of(call: &mut Call<'_, '_>, state: Option<State>, keeps: bool) -> Done {
    let ctx = &mut *call.ctx;
    ctx.mailbox.managed(ctx.status.now);
    let wanted = |stored: &Stored| state.is_none_or(|state| stored.state == state);
    let messages = &ctx.config.messages;
    let found: Vec<(u8, String)> = ctx
        .mailbox
        .storage
        .iter()
        .filter(|(_, stored)| wanted(stored))
        .map(|(index, stored)| (index, stored.listed(index, messages)))
        .collect();
    for (index, line) in found {
        call.say(line);
        was_read(call, index, keeps);
    }
    Ok(())
}

fn was_read(call: &mut Call<'_, '_>, index: u8, keeps: bool) {
    if keeps {
        return;
    }
    if let Some(stored) = call.ctx.mailbox.storage.get_mut(index)
        && stored.state == State::Unread
    {
        stored.state = State::Read;
        call.ctx.mailbox.changed();
    }
}

fn read(call: &mut Call<'_, '_>) -> Done {
    let index = index(call)?;
    let keeps = call.flag(1)?;
    call.ctx.mailbox.managed(call.ctx.status.now);
    let stored = call.ctx.mailbox.storage.get(index);
    let line = stored.map(|stored| stored.read(&call.ctx.config.messages));
    call.say(line.ok_or_else(|| nothing_at(call, index))?);
    was_read(call, index, keeps);
    Ok(())
}

fn index(call: &Call<'_, '_>) -> Result<u8, Error> {
    let index: u8 = call.narrow(0)?;
    if (1..=PLACES).contains(&index) {
        return Ok(index);
    }
    let text = format!("INDEX must be 1..={PLACES}, got {index}");
    Err(call.refuse(Code::Message(NO_MESSAGE), &text))
}

fn nothing_at(call: &Call<'_, '_>, index: u8) -> Error {
    call.refuse(
        Code::Message(NO_MESSAGE),
        &format!("there is no message at {index}"),
    )
}

fn delete(call: &mut Call<'_, '_>) -> Done {
    let flag = call.number(1)?;
    let one = if flag == 0 { Some(index(call)?) } else { None };
    call.ctx.mailbox.managed(call.ctx.status.now);
    let goes = |state: State| match state {
        State::Read => flag >= 1,
        State::Sent => flag >= 2,
        State::Unsent => flag >= 3,
        State::Unread => flag >= 4,
    };
    for index in 1..=PLACES {
        let stored = call
            .ctx
            .mailbox
            .storage
            .get(index)
            .map(|stored| stored.state);
        if one == Some(index) || (one.is_none() && stored.is_some_and(goes)) {
            call.ctx.mailbox.delete(index);
        }
    }
    Ok(())
}

fn write(call: &mut Call<'_, '_>) -> Done {
    let what = if call.ctx.config.messages.text_mode {
        let state = state_of(&call.text(2)?).flatten();
        let sto = state.filter(|state| matches!(state, State::Unsent | State::Sent));
        let wrong = "STAT must be \"STO UNSENT\" or \"STO SENT\" in text mode";
        Prompted::WriteText(
            receiver(call)?,
            sto.ok_or_else(|| call.refuse(Code::IncorrectParameters, wrong))?,
        )
    } else {
        let stat: usize = call.narrow(1)?;
        // Left off, it is a message to be sent.
        let state = if stat == 0 {
            Some(State::Unsent)
        } else {
            State::ALL.get(stat).copied()
        };
        let state = state.ok_or_else(|| {
            call.refuse(Code::IncorrectParameters, "STAT must be 0..=3 in PDU mode")
        })?;
        Prompted::WritePdu(length(call)?, state)
    };
    prompt(call, what)
}

fn send(call: &mut Call<'_, '_>) -> Done {
    check_modem(call)?;
    let index = index(call)?;
    let stored = call
        .ctx
        .mailbox
        .storage
        .get(index)
        .ok_or_else(|| nothing_at(call, index))?;
    let decoded = Pdu::decode(&stored.pdu).ok().map(|decoded| decoded.pdu);
    let Some(Pdu {
        smsc,
        tpdu: Tpdu::Submit(mut submit),
    }) = decoded
    else {
        return Err(call.refuse(
            Code::Message(NOT_ALLOWED),
            "the message was received; it cannot be sent",
        ));
    };
    if let Some(to) = other_receiver(call)? {
        submit.to = to;
    }
    let octets = Pdu {
        smsc,
        tpdu: Tpdu::Submit(submit),
    }
    .encode();
    let octets =
        octets.map_err(|error| call.refuse(Code::Message(INVALID_PDU), &format!("{error}")))?;
    let pdu = typed::with_center(&octets.into(), call.ctx);
    let parts = Vec::from([pdu]);
    call.slow = Some(SlowCommand::Submit(typed::submission(
        "CMSS",
        parts,
        Some(index),
    )));
    Ok(())
}

fn other_receiver(call: &Call<'_, '_>) -> Result<Option<Address>, Error> {
    let number = call.text(1)?;
    if number.is_empty() {
        return Ok(None);
    }
    let address = typed::address_of(&number, call.number(2)?, call.ctx.config.messages.charset);
    let wrong = format!("TO must be 1..=20 digits, + in front allowed, got {number}");
    address
        .map(Some)
        .ok_or_else(|| call.refuse(Code::IncorrectParameters, &wrong))
}

/// Numbers of 27.005 3.2.5.
const NOT_ALLOWED: u16 = 302;
const INVALID_PDU: u16 = 304;
const NO_MESSAGE: u16 = 321;
