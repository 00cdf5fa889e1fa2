//! Who may command the device from where, and how it greets.

use alloc::format;
use alloc::string::String;

use super::super::call::Call;
use super::super::param::{Chars, Kind, Param};
use super::super::reply::Code;
use super::super::reply::Quoted;
use super::super::table::{Command, TakesEffect};
use super::{Done, ON_OFF, one};
use crate::config::Config;

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

fn set_password(call: &mut Call<'_, '_>) -> Done {
    call.ctx.config.password = call.text(0)?;
    Ok(())
}

fn read_network(call: &mut Call<'_, '_>) -> Done {
    call.say(network_line(call.ctx.config));
    Ok(())
}

fn set_network(call: &mut Call<'_, '_>) -> Done {
    call.ctx.config.network_at = call.flag(0)?;
    Ok(())
}

fn read_serial(call: &mut Call<'_, '_>) -> Done {
    call.say(serial_line(call.ctx.config));
    Ok(())
}

fn set_serial(call: &mut Call<'_, '_>) -> Done {
    call.ctx.config.serial_at = call.flag(0)?;
    Ok(())
}

fn read_banner(call: &mut Call<'_, '_>) -> Done {
    let line = format!("+CIMODID:{}", Quoted(&call.ctx.config.banner));
    call.say_text(&line);
    Ok(())
}

fn set_banner(call: &mut Call<'_, '_>) -> Done {
    let name = call.typed_text(0)?;
    if name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(call.refuse(
            Code::IncorrectParameters,
            "NAME must be 0..=64 printable characters",
        ));
    }
    call.ctx.config.banner = name;
    Ok(())
}
