//! The cellular network: access point, own address.

use alloc::format;
use alloc::string::{String, ToString};

use super::super::call::Call;
use super::super::param::{Chars, Kind, Param};
use super::super::reply::Quoted;
use super::super::table::{Command, TakesEffect};
use super::{Done, one};
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
pub(super) fn apn_line(call: &Call<'_, '_>) -> String {
    let config = &*call.ctx.config;
    format!(
        "+CSTT: {}",
        apn(config, call.secret(&config.apn.password), ", ")
    )
}

fn apn(config: &Config, password: &str, comma: &str) -> String {
    let Apn { name, user, .. } = &config.apn;
    [Quoted(name), Quoted(user), Quoted(password)]
        .map(|value| value.to_string())
        .join(comma)
}

fn read_apn(call: &mut Call<'_, '_>) -> Done {
    call.say(apn_line(call));
    Ok(())
}

fn set_apn(call: &mut Call<'_, '_>) -> Done {
    call.ctx.config.apn = Apn {
        name: call.text(0)?,
        user: call.text(1)?,
        password: call.text(2)?,
    };
    Ok(())
}

fn own_address(call: &mut Call<'_, '_>) -> Done {
    let address = call
        .ctx
        .status
        .attached
        .map_or_else(|| "0.0.0.0".to_string(), |address| address.to_string());
    call.say(format!("+CIDTUIP:{address}"));
    Ok(())
}
