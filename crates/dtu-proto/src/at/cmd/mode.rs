//! Working mode and what belongs to it.

use alloc::format;
use alloc::string::String;

use super::super::command::{Command, TakesEffect};
use super::super::outcome::Lines;
use super::super::param::{Kind, Param};
use super::super::reply::{Code, Error};
use super::super::values::Values;
use super::super::view::View;
use super::one;
use crate::config::{Config, WorkingMode};

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new(
        "+CIPNUM",
        "2.8.6.28",
        "Number that transparent SMS go to",
        &[Param::new("PHNUM", Kind::Phone, "").factory("10086")],
    )
    .example("AT+CIPNUM=13912345678", "OK")
    .reads(read_number)
    .sets(set_number)
    .saved(
        |config| one(format!("AT+CIPNUM={}", config.sms_number)),
        TakesEffect::Now,
    ),
    Command::new(
        "+CIMOD",
        "2.8.6.23",
        "Working mode",
        &[Param::new("MOD", Kind::Choice(&WorkingMode::CHOICES), "").factory("0")],
    )
    .example("AT+CIMOD=0", "OK")
    .reads(read_mode)
    .sets(set_mode)
    .saved(
        |config| one(format!("AT+CIMOD={}", config.mode.number())),
        TakesEffect::Restart,
    ),
];

/// The lines that the read forms and the dump of `CIPSCONT?` print.
pub(super) fn number_line(config: &Config) -> String {
    format!("+CIPNUM: {}", config.sms_number)
}

pub(super) fn mode_line(config: &Config) -> String {
    format!("+CIMOD: {}", config.mode.number())
}

fn read_number(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(number_line(view.config).into())
}

fn set_number(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.sms_number = values.text(0)?;
    Ok(())
}

fn read_mode(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(mode_line(view.config).into())
}

fn set_mode(values: &Values, config: &mut Config) -> Result<(), Error> {
    let number = values.number(0)?;
    let mode = WorkingMode::ALL
        .into_iter()
        .find(|mode| u32::from(mode.number()) == number);
    config.mode = mode.ok_or_else(|| values.refuse(Code::NotSupported, "no such mode"))?;
    Ok(())
}
