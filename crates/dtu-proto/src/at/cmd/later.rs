//! Commands whose function this version does not have. They stand in the table, and answer so.

use super::super::call::Call;
use super::super::param::{Chars, Kind, Param};
use super::super::reply::Code;
use super::super::table::{Command, Missing};
use super::Done;

pub(in super::super) const COMMANDS: &[Command] = &[
    radio(
        "+CMGL",
        "2.8.6.7",
        "Lists messages",
        &[Param::new("STAT", Kind::Shape("0..=4, or ALL, \"REC UNREAD\" …"), "")],
    )
    .sets(absent),
    radio("+CMGR", "2.8.6.8", "Reads a message", &[Param::new("INDEX", INDEX, "")]).sets(absent),
    radio(
        "+CMGF",
        "2.8.6.9",
        "Message format",
        &[Param::new("MODE", Kind::Choice(&[(0, "PDU"), (1, "text")]), "").factory("0")],
    )
    .reads(absent)
    .sets(absent),
    radio(
        "+CMGS",
        "2.8.6.16",
        "Sends a message",
        &[Param::new("TO", Kind::Shape("number in text mode, length in PDU mode"), "")],
    )
    .sets(absent),
    radio(
        "+CSCA",
        "2.8.6.17, 2.8.6.18",
        "Service centre of messages",
        &[
            Param::new("NUMBER", Kind::Phone, "").factory("8613800531500"),
            Param::new("TOA", Kind::Number { min: 128, max: 255 }, "type of address")
                .factory("145")
                .left_off_is("145"),
        ],
    )
    .reads(absent)
    .sets(absent),
    radio(
        "+CISMSSEND",
        "2.8.6.33",
        "Sends a message",
        &[
            Param::new("PHNUM", Kind::Phone, ""),
            Param::new("FORMAT", Kind::Choice(&[(1, "ASCII"), (3, "Chinese")]), ""),
            Param::new("DATA", Kind::Shape("text"), ""),
        ],
    )
    .sets(absent),
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
    httpd("+HTPTP", "Request type", &[Param::new("TYPE", Kind::Words(&["GET", "POST"]), "").factory("GET")]),
    httpd("+HTPSV", "Server", &[ADDRESS.factory("test.usr.cn"), PORT.factory("80")]),
    httpd("+HTPURL", "Request target", &[Param::new("URL", Kind::Shape("text"), "").factory("/1.php?")]),
    httpd(
        "+HTPHD",
        "Head lines",
        &[Param::new("HEAD", Kind::Shape("text, lines divided by ||"), "").factory("Accept:text/html")],
    ),
    httpd("+HTPTO", "Time-out", &[Param::new("TIME", Kind::Number { min: 1, max: 600 }, "s").factory("10")]),
    httpd(
        "+HTPFLT",
        "Head of the answer kept from the serial line",
        &[Param::new("FILTER", Kind::Words(&["OFF", "ON"]), "").factory("ON")],
    ),
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

const INDEX: Kind = Kind::Number { min: 0, max: 255 };
const ADDRESS: Param =
    Param::new("ADDRESS", Kind::Text { min: 1, max: 255, chars: Chars::Host }, "name or address");
const PORT: Param = Param::new("PORT", Kind::Number { min: 1, max: 65_535 }, "");

const fn radio(
    name: &'static str,
    section: &'static str,
    help: &'static str,
    params: &'static [Param],
) -> Command {
    Command::new(name, section, help, params).missing(Missing::Radio)
}

const fn connections(
    name: &'static str,
    section: &'static str,
    help: &'static str,
    params: &'static [Param],
) -> Command {
    Command::new(name, section, help, params).missing(Missing::Connections)
}

const fn httpd(name: &'static str, help: &'static str, params: &'static [Param]) -> Command {
    Command::new(name, "2.1.3", help, params).missing(Missing::Httpd).reads(absent).sets(absent)
}

const fn cloud(name: &'static str, help: &'static str, params: &'static [Param]) -> Command {
    Command::new(name, "2.4", help, params).missing(Missing::Cloud).reads(absent).sets(absent)
}

/// Marks a form that will exist; `missing` answers before it could run.
fn absent(call: &mut Call<'_, '_>) -> Done {
    Err(call.refuse(Code::NotSupported, "not in this version"))
}
