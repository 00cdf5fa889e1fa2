//! Commands whose function this version does not have. They stand in the table, and answer so.

use super::super::call::Call;
use super::super::param::{Chars, Kind, Param};
use super::super::reply::Code;
use super::super::table::{Command, Missing};
use super::Done;

pub(in super::super) const COMMANDS: &[Command] = &[
    connections(
        "+CIOPEN",
        "2.8.6.34",
        "Opens a connection in the AT mode",
        &[Param::new("PROTOCOL", Kind::Words(&["TCP", "UDP"]), ""), ADDRESS, PORT],
    )
    .sets(absent),
    connections(
        "+CISEND",
        "2.8.6.35",
        "Sends to the connection of the AT mode",
        &[Param::new("COUNT", Kind::Number { min: 1, max: 1024 }, "bytes")],
    )
    .runs(absent)
    .sets(absent),
    connections("+CICLOSE", "2.8.6.36", "Closes the connection of the AT mode", &[]).runs(absent),
    cloud("+CLOUDEN", "Cloud link", &[Param::new("STATE", Kind::Words(&["off", "on"]), "").factory("off")]),
    cloud(
        "+CLOUDID",
        "Device id",
        &[Param::new("ID", Kind::Text { min: 20, max: 20, chars: Chars::Token }, "20 digits")],
    ),
    cloud(
        "+CLOUDPA",
        "Password",
        &[Param::new("PASSWORD", Kind::Text { min: 8, max: 8, chars: Chars::Token }, "").secret()],
    ),
    cloud("+CLOUDSV", "Server", &[ADDRESS, PORT]),
];

const ADDRESS: Param =
    Param::new("ADDRESS", Kind::Text { min: 1, max: 255, chars: Chars::Host }, "name or address");
const PORT: Param = Param::new("PORT", Kind::Number { min: 1, max: 65_535 }, "");

const fn connections(
    name: &'static str,
    section: &'static str,
    help: &'static str,
    params: &'static [Param],
) -> Command {
    Command::new(name, section, help, params).missing(Missing::Connections)
}

const fn cloud(name: &'static str, help: &'static str, params: &'static [Param]) -> Command {
    Command::new(name, "2.4", help, params).missing(Missing::Cloud).reads(absent).sets(absent)
}

/// Marks a form that will exist; `missing` answers before it could run.
fn absent(call: &mut Call<'_, '_>) -> Done {
    Err(call.refuse(Code::NotSupported, "not in this version"))
}
