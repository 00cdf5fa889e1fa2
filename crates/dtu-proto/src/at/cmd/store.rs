//! The message storage (3GPP TS 27.005 3.2.2, 3.4, 3.5).

use alloc::format;
use alloc::vec::Vec;
use sms_codec::address::Address;
use sms_codec::pdu::{Pdu, Tpdu};

use super::super::command::Command;
use super::super::outcome::{Lines, Outcome, SlowCommand};
use super::super::param::{Kind, Param};
use super::super::prompt::MessagePrompt;
use super::super::reply::{Code, Error};
use super::super::sms as typed;
use super::super::values::Values;
use super::super::view::View;
use super::message::{check_modem, length, prompt, receiver};
use crate::sms::{MailboxChange, Memory, PLACES, State, Stored};

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
    .ranges("(\"SM\"),(\"SM\"),(\"SM\")")
    .reads(read_memory)
    .acts_on(set_memory),
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
    .ranges("(0-4)")
    .acts(list_unread)
    .acts_on(list),
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
    .acts_on(read),
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
    .ranges("(1-50),(0-4)")
    .acts_on(delete),
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
    .acts_on(write),
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
    .acts_on(send),
];

const INDEX: Kind = Kind::Number { min: 0, max: 255 };
const MEMORY: Kind = Kind::Words(&["SM", "ME", "MT"]);
const STATES: &str =
    "0..=4, or \"REC UNREAD\", \"REC READ\", \"STO UNSENT\", \"STO SENT\", \"ALL\"";

fn read_memory(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    let used = view.mailbox.storage.used();
    let [a, b, c] = view
        .mailbox
        .names
        .map(|name| format!("\"{}\",{used},{PLACES}", name.name()));
    Ok(format!("+CPMS: {a},{b},{c}").into())
}

fn set_memory(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    let mut names = view.mailbox.names;
    for (place, name) in names.iter_mut().enumerate() {
        let number: usize = values.narrow(place)?;
        *name = Memory::ALL.get(number).copied().unwrap_or(*name);
    }
    outcome.mailbox(MailboxChange::Names(names));
    let used = view.mailbox.storage.used();
    outcome.say(format!(
        "+CPMS: {used},{PLACES},{used},{PLACES},{used},{PLACES}"
    ));
    Ok(())
}

fn list_unread(_: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    list_of(view, Some(State::Unread), false, outcome);
    Ok(())
}

fn list(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    let typed = values.text(0)?;
    let state = state_of(&typed);
    let wrong = format!("STAT must be {STATES}, got {typed}");
    let state = state.ok_or_else(|| values.refuse(Code::IncorrectParameters, &wrong))?;
    let keeps = values.flag(1)?;
    list_of(view, state, keeps, outcome);
    Ok(())
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

fn list_of(view: &View<'_>, state: Option<State>, keeps: bool, outcome: &mut Outcome) {
    outcome.mailbox(MailboxChange::Manage);
    let wanted = |stored: &Stored| state.is_none_or(|state| stored.state == state);
    for (index, stored) in view.mailbox.storage.iter() {
        if wanted(stored) {
            outcome.say(stored.listed(index, &view.config.messages));
            was_read(index, stored, keeps, outcome);
        }
    }
}

fn was_read(index: u8, stored: &Stored, keeps: bool, outcome: &mut Outcome) {
    if !keeps && stored.state == State::Unread {
        outcome.mailbox(MailboxChange::Read(index));
    }
}

fn read(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    let index = index(values)?;
    let keeps = values.flag(1)?;
    outcome.mailbox(MailboxChange::Manage);
    let stored = view.mailbox.storage.get(index);
    let stored = stored.ok_or_else(|| nothing_at(values, index))?;
    outcome.say(stored.read(&view.config.messages));
    was_read(index, stored, keeps, outcome);
    Ok(())
}

fn index(values: &Values) -> Result<u8, Error> {
    let index: u8 = values.narrow(0)?;
    if (1..=PLACES).contains(&index) {
        return Ok(index);
    }
    let text = format!("INDEX must be 1..={PLACES}, got {index}");
    Err(values.refuse(Code::Message(NO_MESSAGE), &text))
}

fn nothing_at(values: &Values, index: u8) -> Error {
    values.refuse(
        Code::Message(NO_MESSAGE),
        &format!("there is no message at {index}"),
    )
}

fn delete(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    let flag = values.number(1)?;
    let one = if flag == 0 {
        Some(index(values)?)
    } else {
        None
    };
    outcome.mailbox(MailboxChange::Manage);
    if let Some(index) = one {
        outcome.mailbox(MailboxChange::Delete(index));
        return Ok(());
    }
    let goes = |state: State| match state {
        State::Read => flag >= 1,
        State::Sent => flag >= 2,
        State::Unsent => flag >= 3,
        State::Unread => flag >= 4,
    };
    for (index, stored) in view.mailbox.storage.iter() {
        if goes(stored.state) {
            outcome.mailbox(MailboxChange::Delete(index));
        }
    }
    Ok(())
}

fn write(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    let what = if view.config.messages.text_mode {
        let state = state_of(&values.text(2)?).flatten();
        let sto = state.filter(|state| matches!(state, State::Unsent | State::Sent));
        let wrong = "STAT must be \"STO UNSENT\" or \"STO SENT\" in text mode";
        MessagePrompt::WriteText(
            receiver(values, view)?,
            sto.ok_or_else(|| values.refuse(Code::IncorrectParameters, wrong))?,
        )
    } else {
        let stat: usize = values.narrow(1)?;
        // Left off, it is a message to be sent.
        let state = if stat == 0 {
            Some(State::Unsent)
        } else {
            State::ALL.get(stat).copied()
        };
        let state = state.ok_or_else(|| {
            values.refuse(Code::IncorrectParameters, "STAT must be 0..=3 in PDU mode")
        })?;
        MessagePrompt::WritePdu(length(values)?, state)
    };
    prompt(values, view, what, outcome)
}

fn send(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    check_modem(values, view)?;
    let index = index(values)?;
    let stored = view
        .mailbox
        .storage
        .get(index)
        .ok_or_else(|| nothing_at(values, index))?;
    let decoded = Pdu::decode(&stored.pdu).ok().map(|decoded| decoded.pdu);
    let Some(Pdu {
        smsc,
        tpdu: Tpdu::Submit(mut submit),
    }) = decoded
    else {
        return Err(values.refuse(
            Code::Message(NOT_ALLOWED),
            "the message was received; it cannot be sent",
        ));
    };
    if let Some(to) = other_receiver(values, view)? {
        submit.to = to;
    }
    let octets = Pdu {
        smsc,
        tpdu: Tpdu::Submit(submit),
    }
    .encode();
    let octets =
        octets.map_err(|error| values.refuse(Code::Message(INVALID_PDU), &format!("{error}")))?;
    let pdu = typed::with_center(&octets.into(), view);
    let parts = Vec::from([pdu]);
    outcome.wait(SlowCommand::Submit(typed::submission(
        "CMSS",
        parts,
        Some(index),
    )));
    Ok(())
}

fn other_receiver(values: &Values, view: &View<'_>) -> Result<Option<Address>, Error> {
    let number = values.text(1)?;
    if number.is_empty() {
        return Ok(None);
    }
    let address = typed::address_of(&number, values.number(2)?, view.config.messages.charset);
    let wrong = format!("TO must be 1..=20 digits, + in front allowed, got {number}");
    address
        .map(Some)
        .ok_or_else(|| values.refuse(Code::IncorrectParameters, &wrong))
}

/// Numbers of 27.005 3.2.5.
const NOT_ALLOWED: u16 = 302;
const INVALID_PDU: u16 = 304;
const NO_MESSAGE: u16 = 321;
