//! The table itself, and the page made of it.

use sms_codec::hex;
use std::collections::{BTreeSet, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::string::{String, ToString};
use std::vec::Vec;
use std::{env, fs};

use super::super::command::Command;
use super::super::param::Param;
use super::super::stored::{load_setting, store_lines};
use super::super::table;
use super::super::{
    CommandDescription, LineOutcome, SlowCommand, SlowResult, TakesEffect, commands, resume,
};
use super::{Desk, messages};
use crate::config::{Config, Protocol, WorkingMode};
use crate::event::{Connect, SocketInput};
use crate::radio::PhoneNumber;
use crate::sms::{State, Stored};
use crate::status::Phase;
use crate::time::Instant;

#[test]
fn names_are_unique_and_in_capitals() {
    let mut names = BTreeSet::new();
    for command in table::all() {
        assert!(names.insert(command.name), "{} stands twice", command.name);
        assert_eq!(command.name, command.name.to_ascii_uppercase());
        assert!(!command.help.is_empty());
        assert!(!command.forms().is_empty(), "{} has no form", command.name);
        assert!(
            command.set.is_none() || !command.params.is_empty(),
            "{} sets nothing",
            command.name
        );
        let register = command.name.starts_with('S');
        assert!(
            command.is_extended()
                || register
                || command.read.is_none()
                || command.missing.is_some()
        );
    }
}

#[test]
fn every_section_of_the_manual_has_its_command() {
    let sections: BTreeSet<&str> = table::all()
        .flat_map(|command| command.section.split(", "))
        .collect();
    for number in 1..=52 {
        let section = std::format!("2.8.6.{number}");
        assert!(sections.contains(section.as_str()), "{section} is missing");
    }
}

#[test]
fn what_is_set_can_be_read_except_the_password() {
    for command in table::all().filter(|command| command.set.is_some() && command.missing.is_none())
    {
        let readable = command.read.is_some();
        let acts = [
            "+CMGL",
            "+CMGR",
            "+CMGD",
            "+CMGS",
            "+CMGW",
            "+CMSS",
            "+CISMSSEND",
            "+CNMA",
            "+CIOPEN",
            "+CISEND",
            "+CIKEEP",
        ];
        let exception = ["+CIPSW", "+CIOPTIME", "+HELP"].contains(&command.name)
            || acts.contains(&command.name);
        assert_eq!(readable, !exception, "{}", command.name);
    }
}

#[test]
fn every_extended_command_tells_its_ranges() {
    let mut desk = Desk::new();
    for command in table::all().filter(|command| command.is_extended()) {
        let text = command.test_text();
        assert_eq!(text.is_none(), command.params.is_empty());
        if command.missing.is_some() || command.test.is_some() {
            continue;
        }
        let line = command.typed() + "=?";
        match text {
            Some(text) => desk.tells(&line, &text),
            None => desk.ok(&line),
        }
    }
    desk.tells(
        "AT+CIPCFG=?",
        "+CIPCFG: (0,1),(0-65535),(0),(0,10-60000),(0-1024),(0-65535)",
    );
    desk.tells("AT+CIMOD=?", "+CIMOD: (0,1,2,3,4)");
    desk.tells(
        "AT+CIPSCONT=?",
        "+CIPSCONT: (1-4),(\"TCP\",\"UDP\"),(1-255 characters),(1-65535),(0,1)",
    );
    desk.tells("AT+CIPPACK=?", "+CIPPACK: (0,1),(0-80 hex digits),(0,1)");
}

/// The set form with every parameter at its factory value, where all have one (a link: the first).
fn factory_line(command: &Command) -> Option<String> {
    let value = |param: &Param| match param.name {
        "NUM" => Some("1"),
        _ => param.factory,
    };
    let values: Option<Vec<String>> = command
        .params
        .iter()
        .map(|param| value(param).map(|text| std::format!("\"{text}\"")))
        .collect();
    let values = values?.join(",");
    // A register takes bare digits (V.250 5.3.2).
    let values = if command.is_extended() {
        values
    } else {
        values.replace('"', "")
    };
    Some(command.typed() + "=" + &values)
}

#[test]
fn the_factory_values_of_the_table_are_those_of_a_new_device() {
    let settable = |command: &&Command| command.set.is_some() && command.missing.is_none();
    let lines: Vec<String> = table::all()
        .filter(settable)
        .filter_map(factory_line)
        .collect();
    assert!(lines.len() >= 14, "{lines:?}");
    let mut desk = Desk::new();
    for line in lines {
        let (reply, _) = desk.done(&line);
        assert!(reply.ends_with("\r\nOK\r\n"), "{line}: {reply}");
        assert_eq!(desk.config, Config::default(), "{line}");
    }
}

#[test]
fn stored_commands_say_when_they_take_effect() {
    for command in commands().filter(|command| command.stored) {
        assert!(command.takes_effect.is_some(), "{}", command.name);
    }
    let names: BTreeSet<String> = store_lines(&Config::default())
        .iter()
        .map(|line| match line.split_once('=') {
            Some((name, _)) => name.to_string(),
            None => line.trim_end_matches(char::is_numeric).to_string(),
        })
        .collect();
    let stored: BTreeSet<String> = commands()
        .filter(|command| command.stored)
        .map(|command| command.name)
        .collect();
    assert_eq!(names, stored);
}

/// What an example of the table is run on: a device in the AT mode with a modem, two messages and a connection, where
/// the line does not open that itself.
fn examples_desk(line: &str) -> Desk {
    let mut desk = Desk::holding(State::Read, &[messages::MANUAL]);
    let own = hex::decode("0011000D91683108108300F00000AA05E8329BFD06").unwrap();
    desk.mailbox.storage.put_at(
        2,
        Stored {
            state: State::Unsent,
            announced: false,
            pdu: own.into(),
        },
    );
    desk.identity.version = String::from("0.1.0");
    desk.status.mode = WorkingMode::AtCommand;
    desk.status.call.last_dialled = PhoneNumber::new("10086");
    if line.starts_with("AT+CIOPTIME") {
        desk.status.phase = Phase::SetupWindow;
    }
    if !line.starts_with("AT+CIOPEN") {
        let (protocol, address, mut outputs) = (
            Protocol::Tcp,
            String::from("usrcn.gicp.net"),
            VecDeque::new(),
        );
        let connect = Connect {
            protocol,
            address,
            port: 10_101,
            local_port: 0,
            tls: false,
        };
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        desk.connection
            .connection_mut()
            .connect(connect, Instant::ZERO, &mut outputs);
        desk.connection
            .connection_mut()
            .handle(SocketInput::Connected { local }, &mut outputs);
    }
    desk
}

/// Whether an answer is that of the table, in which a line `…` stands for any.
fn is_as(told: &str, answer: &str) -> bool {
    match answer.split_once("…") {
        Some((head, tail)) => told.starts_with(head) && told.ends_with(tail),
        None => told == answer,
    }
}

/// The answer of a line, its lines apart by LF; what a slow command waits for goes well.
fn answered(desk: &mut Desk, line: &str) -> String {
    let mut ran = desk.run(line);
    let mut text = Vec::new();
    loop {
        let (reply, parked) = match ran {
            LineOutcome::Done { reply, .. } | LineOutcome::Prompt { reply, .. } => (reply, None),
            LineOutcome::Parked { reply, parked, .. } => (reply, Some(parked)),
        };
        text.extend(reply);
        let Some(parked) = parked else { break };
        let answer = match parked.waits {
            SlowCommand::Save | SlowCommand::Keep | SlowCommand::Factory => {
                SlowResult::Stored(Ok(()))
            }
            SlowCommand::Submit(_) => SlowResult::Submitted(Ok(42)),
            SlowCommand::Send(_) => SlowResult::Sent(true),
            SlowCommand::Close => SlowResult::Closed,
        };
        ran = desk.with(|device| resume(parked, answer, device));
    }
    let text = String::from_utf8(text).unwrap();
    text.split("\r\n")
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn each_example_is_answered_as_the_table_says() {
    let mut wrong = Vec::new();
    for command in commands() {
        let (line, answer) = command.example;
        assert!(line.starts_with(&command.name), "{}: {line}", command.name);
        let told = answered(&mut examples_desk(line), line);
        if !is_as(&told, answer) {
            wrong.push(std::format!("{}\t{told:?}", command.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "other answers than the table's:\n{}",
        wrong.join("\n")
    );
}

/// `BLESS=1 cargo test -p dtu-proto the_page` writes the page anew.
#[test]
fn the_page_of_commands_is_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/at-commands.md");
    let page = page();
    if env::var_os("BLESS").is_some() {
        fs::write(path, &page).unwrap();
    }
    let written = fs::read_to_string(path).unwrap();
    assert!(
        written == page,
        "docs/at-commands.md is not what the table says; write it with BLESS=1"
    );
}

fn page() -> String {
    let mut page = String::from(HEAD);
    for (subject, _) in table::GROUPS {
        page += &std::format!(
            "\n{subject}\n\n| command | does | section | stored | takes effect |\n|---|---|---|---|---|\n"
        );
        page.extend(
            commands()
                .filter(|command| command.group == *subject)
                .map(|command| overview_line(&command)),
        );
    }
    page.extend(commands().map(|command| chapter(&command)));
    page
}

fn overview_line(command: &CommandDescription) -> String {
    let stored = if command.stored { "yes" } else { "" };
    let missing = if command.missing.is_some() {
        " *(not in this version)*"
    } else {
        ""
    };
    let (name, help, section) = (&command.name, escaped(command.help), command.section);
    std::format!(
        "| `{name}` | {help}{missing} | {section} | {stored} | {} |\n",
        effect(command)
    )
}

fn effect(command: &CommandDescription) -> &'static str {
    match command.takes_effect {
        Some(TakesEffect::Now) => "at once",
        Some(TakesEffect::Restart) => "restart",
        None => "",
    }
}

fn chapter(command: &CommandDescription) -> String {
    let forms: Vec<String> = command
        .forms
        .iter()
        .map(|form| std::format!("`{form}`"))
        .collect();
    let mut text = std::format!(
        "\n## {}\n\n{} ({}).\n\n",
        command.name,
        command.help,
        command.section
    );
    if let Some(missing) = command.missing {
        text += &std::format!("**It {missing}**; every form answers so.\n\n");
    }
    text += &std::format!("Forms: {}\n", forms.join(" · "));
    let (line, answer) = command.example;
    text += &std::format!(
        "\nExample: `{line}` answers `{}`\n",
        answer.replace('\n', "` `")
    );
    if !command.parameters.is_empty() {
        text += "\n| parameter | range | factory | nothing means | |\n|---|---|---|---|---|\n";
    }
    for param in &command.parameters {
        let range = escaped(&param.range);
        let (factory, absent) = (value(param.factory), value(param.absent));
        text += &std::format!(
            "| {} | {range} | {factory} | {absent} | {} |\n",
            param.name,
            escaped(param.help)
        );
    }
    if !command.notes.is_empty() {
        text += &std::format!("\n{}\n", command.notes);
    }
    text
}

pub(super) fn value(value: Option<&str>) -> String {
    match value {
        None => String::new(),
        Some("") => String::from("`\"\"`"),
        Some(value) => std::format!("`{value}`"),
    }
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

const HEAD: &str = "\
# AT commands

Made from the command table in `crates/dtu-proto/src/at`; a test compares it (`BLESS=1` writes it anew). \"Section\" is that of the product \
manual, or the standard a command comes from; *own* commands are additions of this project.

- A line ends with CR, LF or both, and has at most 1024 bytes. Case does not matter; blanks around values are skipped. Several commands are \
joined with `;`, basic ones also directly: `ATE0V1+CMEE=1;+CIPR?`.
- Quotes around values are optional; a value with a comma or semicolon needs them. In quotes, `\"\"` is one quote. Full-width `，` `；` `＝` `“` `”` \
outside quoted text count as their ASCII twins, in UTF-8 and in GBK bytes.
- `AT+X?` reads, `AT+X=…` sets, `AT+X=?` tells the ranges. `AT+HELP` lists all by subject, `AT+HELP=LINKS` one subject, `AT+HELP=X` one command \
with its parameters and an example.
- In the forms below `<VALUE>` stands for a value, and what stands in `[ ]` may be left off. The examples are those of a device in the \
AT mode, with a modem.
- A reply is information text `\\r\\n…\\r\\n`, then `\\r\\nOK\\r\\n`. A refusal names the command, the parameter, what is allowed and what came: \
`+CME ERROR: CIPCFG: HEAT must be 0..=65535, got 99999`; it changes nothing, and ends its line. `AT+CMEE` chooses shorter forms.
- What is set is in force until the next restart; `ATW` stores it. Where \"restart\" stands, it takes effect at the next restart (after \
`ATW`) or with `AT+CIAPPLY`. What is set in the set-up window takes effect when the window ends.
- Over a network, secrets are shown as `****`. While the device password is the factory one, the network may ask and \
set nothing.
";

#[test]
fn a_line_of_the_settings_sets_one_stored_parameter_or_is_refused() {
    for command in table::all() {
        for form in ["", "?", "=?", "=1", "=\"x\"", "=1,1"] {
            let mut config = Config::default();
            let line = std::format!("AT{}{form}", command.name);
            let loaded = load_setting(&line, &mut config);
            if command.saved.is_none() || form.ends_with('?') {
                assert!(loaded.is_err() && config == Config::default(), "{line}");
            }
        }
    }
    let mut config = Config::default();
    assert!(load_setting("AT+CIPR=9600;+CIPR=1200", &mut config).is_err());
    assert_eq!(load_setting("AT+CIPR=9600", &mut config), Ok(()));
}
