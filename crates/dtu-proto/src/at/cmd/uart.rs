//! Rate and format of the serial line.

use alloc::format;
use alloc::string::String;

use super::super::command::{Command, TakesEffect};
use super::super::outcome::{Effect, Lines, Outcome};
use super::super::param::{Kind, Param};
use super::super::reply::{Code, Error};
use super::super::values::Values;
use super::super::view::View;
use super::one;
use crate::config::{Config, Parity};

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new(
        "+ICF",
        "2.8.6.26, 2.8.6.31",
        "Character format of the serial line",
        &[
            Param::new("FORMAT", Kind::Choice(FORMATS), "").factory("3"),
            Param::new("PARITY", Kind::Choice(PARITIES), "").factory("3"),
        ],
    )
    .example("AT+ICF=3,3", "OK")
    .notes(IN_THE_WINDOW)
    .reads(read_format)
    .sets(set_format)
    .then(|| Effect::LineChanged)
    .saved(|config| one(format!("AT+ICF={}", format(config))), TakesEffect::Restart),
    Command::new(
        "+CIPR",
        "2.8.6.27, 2.8.6.30",
        "Rate of the serial line",
        &[Param::new("RATE", Kind::Choice(RATES), "Bd; 2400, 230400, 460800 and 921600 are own additions")
            .factory("115200")],
    )
    .example("AT+CIPR=9600", "OK")
    .notes(IN_THE_WINDOW)
    .reads(read_rate)
    .sets(set_rate)
    .then(|| Effect::LineChanged)
    .saved(|config| one(format!("AT+CIPR={}", config.line.baud)), TakesEffect::Restart),
    Command::new("+IPR", "V.250 6.2.10", "Rate of the serial line, as `AT+CIPR`", &[Param::new("RATE", Kind::Choice(RATES), "Bd")])
        .example("AT+IPR?", "+IPR: 115200\nOK")
        .notes(IN_THE_WINDOW)
        .reads(read_rate)
        .sets(set_rate)
    .then(|| Effect::LineChanged),
    Command::new(
        "+IFC",
        "V.250 6.2.12",
        "Flow control of the serial line",
        &[
            Param::new("BY_DTE", Kind::Choice(FLOWS), "").left_off_is("2"),
            Param::new("BY_DCE", Kind::Choice(FLOWS), "").left_off_is("2"),
        ],
    )
    .example("AT+IFC?", "+IFC: 2,2\nOK")
    .notes("The host has the line: `flow_control` of the settings file sets what is used, and this command accepts only that (2: a pty and a TCP line can be held, too).")
    .reads(read_flow)
    .acts_on(set_flow)
    .now(),
];

const FORMATS: &[(u32, &str)] = &[
    (1, "8 data bits, 2 stop bits"),
    (3, "8 data bits, 1 stop bit"),
    (4, "7 data bits, 2 stop bits"),
    (5, "7 data bits, 1 stop bit"),
];

const PARITIES: &[(u32, &str)] = &[(0, "odd"), (1, "even"), (3, "none")];

const FLOWS: &[(u32, &str)] = &[(0, "none"), (2, "RTS/CTS")];

const RATES: &[(u32, &str)] = &[
    (110, ""),
    (300, ""),
    (600, ""),
    (1200, ""),
    (2400, ""),
    (4800, ""),
    (9600, ""),
    (14_400, ""),
    (19_200, ""),
    (38_400, ""),
    (56_000, ""),
    (57_600, ""),
    (115_200, ""),
    (230_400, ""),
    (460_800, ""),
    (921_600, ""),
];

const IN_THE_WINDOW: &str = "In the set-up window the line changes as soon as the reply is out.";

fn read_format(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(format!("+ICF: {}", format(view.config)).into())
}

fn format(config: &Config) -> String {
    let format = match (config.line.data_bits, config.line.stop_bits) {
        (8, 2) => 1,
        (7, 2) => 4,
        (7, _) => 5,
        _ => 3,
    };
    let parity = match config.line.parity {
        Parity::Odd => 0,
        Parity::Even => 1,
        Parity::None => 3,
    };
    format!("{format},{parity}")
}

fn set_format(values: &Values, config: &mut Config) -> Result<(), Error> {
    let (format, parity) = (values.number(0)?, values.number(1)?);
    let line = &mut config.line;
    line.data_bits = if matches!(format, 4 | 5) { 7 } else { 8 };
    line.stop_bits = if matches!(format, 1 | 4) { 2 } else { 1 };
    line.parity = match parity {
        0 => Parity::Odd,
        1 => Parity::Even,
        _ => Parity::None,
    };
    Ok(())
}

/// What is in force, as V.250 numbers it.
fn flow(view: &View<'_>) -> u32 {
    if view.options.line_holds { 2 } else { 0 }
}

fn read_flow(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    let flow = flow(view);
    Ok(format!("+IFC: {flow},{flow}").into())
}

fn set_flow(values: &Values, view: &View<'_>, _: &mut Outcome) -> Result<(), Error> {
    let flow = flow(view);
    if (values.number(0)?, values.number(1)?) == (flow, flow) {
        return Ok(());
    }
    let why = format!("the line uses {flow},{flow}; flow_control in the settings file sets it");
    Err(values.refuse(Code::NotAllowed, &why))
}

fn read_rate(values: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(format!("{}: {}", values.name, view.config.line.baud).into())
}

fn set_rate(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.line.baud = values.number(0)?;
    Ok(())
}
