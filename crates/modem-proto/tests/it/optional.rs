//! The table of commands that a modem may refuse, on the real dialogue, and on the pages that show it.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

use std::collections::BTreeSet;
use std::fs;

use crate::common;

use common::Bench;
use dtu_proto::config::Apn;
use dtu_proto::radio::{ModemInput, ModemOutput, PhoneNumber, Registration};
use modem_proto::{Event, Limitation, OPTIONAL_COMMANDS, OptionalCommand, Settings};

/// Everything that a device can want of a modem is wanted: data, a PIN, an access point with a password.
fn run(change: impl FnOnce(&mut Bench)) -> Bench {
    let mut bench = Bench::new(Settings {
        activate: true,
        pin: modem_proto::Pin::new("1234"),
        ..Settings::default()
    });
    change(&mut bench);
    bench.open();
    let apn = Apn {
        name: "cmiot".into(),
        user: "me".into(),
        password: "secret".into(),
    };
    bench.order(ModemOutput::UseApn(apn));
    bench.run(600);
    bench.order(ModemOutput::Dial(PhoneNumber::new("10086").unwrap()));
    bench.run(5);
    bench.order(ModemOutput::HangUp);
    bench.run(60);
    bench
}

fn refused(row: &OptionalCommand) -> Bench {
    run(|bench| {
        if !row.commands.contains(&"AT+CGREG?") {
            bench.device.on("AT+CGREG=2", &[&["OK"]]);
            bench.device.on("AT+CGREG?", &[&["+CGREG: 2,1", "OK"]]);
        }
        row.commands
            .iter()
            .for_each(|command| bench.device.refuse(command, "ERROR"));
    })
}

fn said(bench: &Bench) -> Vec<Limitation> {
    let one = |event: &Event| {
        if let Event::Limitation(lack) = event {
            Some(*lack)
        } else {
            None
        }
    };
    bench.events.iter().filter_map(one).collect()
}

#[test]
fn m_each_row_of_the_table_is_what_a_modem_without_these_commands_lacks() {
    let mut wrong = Vec::new();
    for row in OPTIONAL_COMMANDS {
        let bench = refused(row);
        let wanted: BTreeSet<_> = row.limitations.iter().copied().collect();
        let found: BTreeSet<_> = bench.modem.limitations().collect();
        let told = bench.news.iter().rev().find_map(|news| match news {
            ModemInput::Lacks(words) => Some(words.len()),
            _ => None,
        });
        let registered = bench.has(&ModemInput::Registration(Registration::Home));
        let works =
            bench.identity().is_some() && registered != wanted.contains(&Limitation::Registration);
        // Once, though it was asked for minutes; and the device was told the same.
        let once = said(&bench).len() == wanted.len() && told.unwrap_or(0) == wanted.len();
        if !(works && once && found == wanted) {
            wrong.push(format!(
                "{:?}: {found:?}, said {:?}, told {told:?}, works {works}\n",
                row.commands,
                said(&bench)
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "not as the table says:\n{}",
        wrong.concat()
    );
}

/// What is sent to a modem that takes all, and to one that refuses all, stands in the table. Messages and calls are
/// answered to whoever ordered them.
#[test]
fn m_no_optional_command_is_missing_in_the_table() {
    let kinds = [
        ("ACME", "M1"),
        ("SIMCOM_Ltd", "SIM800"),
        ("SIMCOM", "SIM7600E"),
        ("Quectel", "EC25"),
    ];
    for (maker, model) in kinds {
        for refuses in [false, true] {
            let bench = run(|bench| {
                bench.device.on("AT+CGMI", &[&[maker, "OK"]]);
                bench.device.on("AT+CGMM", &[&[model, "OK"]]);
                bench.device.pin = Some("1234");
                if refuses {
                    bench.device.on("AT+CREG?", &[&["+CREG: 2,1", "OK"]]);
                    ["AT+", "ATE"]
                        .iter()
                        .for_each(|all| bench.device.refuse(all, "ERROR"));
                }
            });
            let mut unknown = BTreeSet::new();
            for sent in bench.commands() {
                let known = |row: &OptionalCommand| {
                    row.commands.iter().any(|command| sent.starts_with(command))
                };
                let ordered = sent == "AT" || ORDERED.iter().any(|head| sent.starts_with(head));
                if !ordered && !OPTIONAL_COMMANDS.iter().any(known) {
                    unknown.insert(sent);
                }
            }
            assert!(unknown.is_empty(), "{model}: {unknown:?} are in no row");
        }
    }
}

/// What a person or the device has ordered is answered to them; `AT` is no option.
const ORDERED: [&str; 8] = [
    "ATQ0V1E0",
    "ATD",
    "ATH",
    "ATA",
    "AT+CPIN=",
    "AT+CGACT=0",
    "AT+CMGR",
    "AT+CHLD",
];

#[test]
fn words_have_no_sign_that_stands_between_them() {
    for lack in OPTIONAL_COMMANDS.iter().flat_map(|row| row.limitations) {
        assert!(!lack.words().contains([';', '"']), "{lack}");
    }
}

/// `BLESS=1 cargo test -p modem-proto --test it optional` writes the table of docs/modems.md anew.
#[test]
fn m_the_pages_show_the_table() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/");
    let path = format!("{folder}modems.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, behind) = rest.split_once(END).unwrap();
    let table: String = OPTIONAL_COMMANDS.iter().map(line).collect();
    let wanted = format!("{before}{BEGIN}{table}{END}{behind}");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == wanted,
        "docs/modems.md is not what the table says; write it with BLESS=1"
    );
    // The other page translates what is tried; commands and words stand there as they are.
    let chinese = fs::read_to_string(format!("{folder}zh-CN/modems.md")).unwrap();
    for row in OPTIONAL_COMMANDS {
        assert!(
            chinese.contains(&format!("| {} |", commands(row))),
            "{} is not in the Chinese page",
            commands(row)
        );
        for lack in row.limitations {
            assert!(
                chinese.contains(lack.words()),
                "{lack} is not in the Chinese page"
            );
        }
    }
}

fn commands(row: &OptionalCommand) -> String {
    row.commands
        .iter()
        .map(|command| format!("`{command}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn line(row: &OptionalCommand) -> String {
    let lacks: Vec<_> = row.limitations.iter().map(|lack| lack.words()).collect();
    let or_none = |text: String| {
        if text.is_empty() {
            "-".to_owned()
        } else {
            text
        }
    };
    format!(
        "| {} | {} | {} |\n",
        commands(row),
        or_none(row.tries.to_owned()),
        or_none(lacks.join("; "))
    )
}

const BEGIN: &str = "| command | tried in turn, or how it goes without | what is missing where nothing helps |\n|---|---|---|\n";
const END: &str = "\nSome modems do not refuse, but misbehave:";
