//! Commands whose function this version does not have. They stand in the table, and answer so.

use super::super::command::{Command, Missing};
use super::super::param::{Chars, Kind, Param};
use super::super::reply::{Code, Error};
use super::super::values::Values;

pub(in super::super) const COMMANDS: &[Command] = &[
    cloud(
        "+CLOUDEN",
        (
            "AT+CLOUDEN?",
            "+CME ERROR: CLOUDEN: needs the cloud link, which this version does not have",
        ),
        "Cloud link",
        &[Param::new("STATE", Kind::Words(&["off", "on"]), "").factory("off")],
    ),
    cloud(
        "+CLOUDID",
        (
            "AT+CLOUDID?",
            "+CME ERROR: CLOUDID: needs the cloud link, which this version does not have",
        ),
        "Device id",
        &[Param::new(
            "ID",
            Kind::Text {
                min: 20,
                max: 20,
                chars: Chars::Token,
            },
            "20 digits",
        )],
    ),
    cloud(
        "+CLOUDPA",
        (
            "AT+CLOUDPA?",
            "+CME ERROR: CLOUDPA: needs the cloud link, which this version does not have",
        ),
        "Password",
        &[Param::new(
            "PASSWORD",
            Kind::Text {
                min: 8,
                max: 8,
                chars: Chars::Token,
            },
            "",
        )
        .secret()],
    ),
    cloud(
        "+CLOUDSV",
        (
            "AT+CLOUDSV?",
            "+CME ERROR: CLOUDSV: needs the cloud link, which this version does not have",
        ),
        "Server",
        &[ADDRESS, PORT],
    ),
];

const ADDRESS: Param = Param::new(
    "ADDRESS",
    Kind::Text {
        min: 1,
        max: 255,
        chars: Chars::Host,
    },
    "name or address",
);
const PORT: Param = Param::new(
    "PORT",
    Kind::Number {
        min: 1,
        max: 65_535,
    },
    "",
);

const fn cloud(
    name: &'static str,
    example: (&'static str, &'static str),
    help: &'static str,
    params: &'static [Param],
) -> Command {
    Command::new(name, "2.4", help, params)
        .example(example.0, example.1)
        .missing(Missing::Cloud)
        .reads(|values, _| Err(absent(values)))
        .sets(|values, _| Err(absent(values)))
}

/// A form that will exist; `missing` answers before it could run.
fn absent(values: &Values) -> Error {
    values.refuse(Code::NotSupported, "not in this version")
}
