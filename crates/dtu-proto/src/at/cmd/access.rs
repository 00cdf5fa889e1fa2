//! Who may command the device from where, and how it greets.

use alloc::format;
use alloc::string::String;

use super::super::command::{Command, TakesEffect};
use super::super::outcome::Lines;
use super::super::param::{Chars, Kind, Param};
use super::super::reply::Quoted;
use super::super::reply::{Code, Error};
use super::super::values::Values;
use super::super::view::View;
use super::{ON_OFF, one};
use crate::config::Config;
use crate::sms;

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new(
        "+CIPSW",
        "2.8.6.37",
        "Password of commands from network, SMS and serial frames",
        &[Param::new("PSW", Kind::Text { min: 1, max: 5, chars: Chars::Token }, "")
            .factory("admin")
            .secret()],
    )
    .example("AT+CIPSW=m7x3q", "OK")
    .notes(
        "There is no read form. While it is the factory one, network and SMS may ask and set nothing, the password \
         included: it is set at the serial line, in the settings file of dtud or by its --at.",
    )
    .sets(set_password)
    .saved(|config| one(format!("AT+CIPSW={}", Quoted(&config.password))), TakesEffect::Now),
    Command::new("+CINETAT", "2.8.6.38", "Commands from the network are heard", GATE)
        .example("AT+CINETAT=0", "OK")
        .reads(read_network)
        .sets(set_network)
        .saved(|config| one(format!("AT+CINETAT={}", u8::from(config.network_at))), TakesEffect::Now),
    Command::new("+CICOMAT", "2.8.6.39", "Commands in frames of the serial line are heard", GATE)
        .example("AT+CICOMAT=1", "OK")
        .reads(read_serial)
        .sets(set_serial)
        .saved(|config| one(format!("AT+CICOMAT={}", u8::from(config.serial_at))), TakesEffect::Now),
    Command::new(
        "+CIMODID",
        "2.8.6.52",
        "What the serial line prints at power-on",
        &[Param::new("NAME", Kind::Bytes { min: 0, max: NAME_BYTES }, "at most 64 characters in the charset of the line")
            .factory("USR-GPRS232-DTU")
            .left_off_is("")],
    )
    .example("AT+CIMODID=meter7", "OK")
    .reads(read_banner)
    .sets(set_banner)
    .saved(|config| one(format!("AT+CIMODID={}", Quoted(&config.banner))), TakesEffect::Now),
];

const NAME_MAX: usize = 64;
/// In UTF-8, as the stored file has it.
const NAME_BYTES: usize = 4 * NAME_MAX;
const GATE: &[Param] = &[Param::new("ON", ON_OFF, "").factory("0")];

/// The two lines of the dump of `CIPSCONT?`.
pub(super) fn gate_lines(config: &Config) -> [String; 2] {
    [network_line(config), serial_line(config)]
}

fn network_line(config: &Config) -> String {
    format!("+CINETAT:{}", u8::from(config.network_at))
}

fn serial_line(config: &Config) -> String {
    format!("+CICOMAT:{}", u8::from(config.serial_at))
}

fn set_password(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.password = values.text(0)?;
    Ok(())
}

fn read_network(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(network_line(view.config).into())
}

fn set_network(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.network_at = values.flag(0)?;
    Ok(())
}

fn read_serial(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(serial_line(view.config).into())
}

fn set_serial(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.serial_at = values.flag(0)?;
    Ok(())
}

fn read_banner(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    let line = format!("+CIMODID:{}", Quoted(&view.config.banner));
    Ok(Lines::from(sms::to_serial(&line, view.charset())))
}

fn set_banner(values: &Values, config: &mut Config) -> Result<(), Error> {
    let name = values.typed_text(0)?;
    if name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(values.refuse(
            Code::IncorrectParameters,
            "NAME must be 0..=64 printable characters",
        ));
    }
    config.banner = name;
    Ok(())
}
