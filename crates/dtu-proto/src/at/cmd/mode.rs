//! Working mode and what belongs to it.

use alloc::format;
use alloc::string::String;

use super::super::call::Call;
use super::super::param::{Kind, Param};
use super::super::reply::Code;
use super::super::table::{Command, TakesEffect};
use super::{Done, one};
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
        &[Param::new(
            "MOD",
            Kind::Choice(&[
                (0, "transparent"),
                (1, "serial command"),
                (2, "AT command"),
                (3, "HTTPD"),
                (4, "SMS"),
            ]),
            "",
        )
        .factory("0")],
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

fn read_number(call: &mut Call<'_, '_>) -> Done {
    call.say(number_line(call.ctx.config));
    Ok(())
}

fn set_number(call: &mut Call<'_, '_>) -> Done {
    call.ctx.config.sms_number = call.text(0)?;
    Ok(())
}

fn read_mode(call: &mut Call<'_, '_>) -> Done {
    call.say(mode_line(call.ctx.config));
    Ok(())
}

fn set_mode(call: &mut Call<'_, '_>) -> Done {
    let number = call.number(0)?;
    let mode = WorkingMode::ALL
        .into_iter()
        .find(|mode| u32::from(mode.number()) == number);
    call.ctx.config.mode = mode.ok_or_else(|| call.refuse(Code::NotSupported, "no such mode"))?;
    Ok(())
}
