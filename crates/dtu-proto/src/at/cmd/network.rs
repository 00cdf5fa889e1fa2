//! The cellular network: access point, own address.

use alloc::format;
use alloc::string::{String, ToString};

use super::super::command::{Command, TakesEffect};
use super::super::outcome::Lines;
use super::super::param::{Chars, Kind, Param};
use super::super::reply::{Error, Quoted};
use super::super::values::Values;
use super::super::view::View;
use super::one;
use crate::config::{Apn, Config};

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new(
        "+CSTT",
        "2.8.6.19",
        "Access point of the network",
        &[
            Param::new(
                "APN",
                Kind::Text {
                    min: 0,
                    max: 100,
                    chars: Chars::Token,
                },
                "name of the access point; none = the one that the modem has",
            )
            .factory("")
            .empty_is(""),
            Param::new(
                "USER",
                Kind::Text {
                    min: 0,
                    max: 64,
                    chars: Chars::Ascii,
                },
                "",
            )
            .factory("")
            .left_off_is(""),
            Param::new(
                "PASSWORD",
                Kind::Text {
                    min: 0,
                    max: 64,
                    chars: Chars::Ascii,
                },
                "",
            )
            .factory("")
            .left_off_is("")
            .secret(),
        ],
    )
    .example("AT+CSTT=\"cmnet\"", "OK")
    .reads(read_apn)
    .sets(set_apn)
    .saved(
        |config| {
            one(format!(
                "AT+CSTT={}",
                apn(config, &config.apn.password, ",")
            ))
        },
        TakesEffect::Restart,
    ),
    Command::new(
        "+CIDTUIP",
        "2.8.6.45",
        "Own address in the network; 0.0.0.0 = not attached",
        &[],
    )
    .example("AT+CIDTUIP?", "+CIDTUIP:10.0.0.2\nOK")
    .reads(own_address),
];

/// The line that `CSTT?` and the dump of `CIPSCONT?` print.
pub(super) fn apn_line(view: &View<'_>) -> String {
    let config = view.config;
    format!(
        "+CSTT: {}",
        apn(config, view.secret(&config.apn.password), ", ")
    )
}

fn apn(config: &Config, password: &str, comma: &str) -> String {
    let Apn { name, user, .. } = &config.apn;
    [Quoted(name), Quoted(user), Quoted(password)]
        .map(|value| value.to_string())
        .join(comma)
}

fn read_apn(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(apn_line(view).into())
}

fn set_apn(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.apn = Apn {
        name: values.text(0)?,
        user: values.text(1)?,
        password: values.text(2)?,
    };
    Ok(())
}

fn own_address(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    let address = view
        .status
        .attached
        .map_or_else(|| "0.0.0.0".to_string(), |address| address.to_string());
    Ok(format!("+CIDTUIP:{address}").into())
}
