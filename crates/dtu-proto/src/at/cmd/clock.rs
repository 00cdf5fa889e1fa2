//! `AT+CCLK`.

use alloc::format;

use super::super::command::Command;
use super::super::outcome::{Change, Lines, Outcome};
use super::super::param::{Kind, Param};
use super::super::reply::{Code, Error, Shown};
use super::super::values::Values;
use super::super::view::View;
use crate::cellular::parse_clock;

pub(in super::super) const COMMANDS: &[Command] = &[Command::new(
    "+CCLK",
    "2.8.6.4, 2.8.6.5",
    "The clock",
    &[Param::new("TIME", Kind::Shape(SHAPE), "local time; a zone is checked and not kept")],
)
.example("AT+CCLK=\"14/09/10,15:00:00+32\"", "OK")
.reads(read)
.acts_on(set)
.notes("It is not stored: after every power-on and restart it begins at 14/01/01,00:00:00, or with the network's time where the modem \
        tells it, which sets it whenever it comes.")
.now()];

fn read(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(format!("+CCLK: \"{}\"", view.clock.text(view.status.now)).into())
}

fn set(values: &Values, _: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    let text = values.text(0)?;
    let seconds = parse_clock(&text).ok_or_else(|| no_time(values, &text))?;
    outcome.change(Change::Clock(seconds));
    Ok(())
}

fn no_time(values: &Values, text: &str) -> Error {
    let why = format!(
        "TIME must be {SHAPE}, a real date and time, got {}",
        Shown(text.as_bytes())
    );
    values.refuse(Code::IncorrectParameters, &why)
}

const SHAPE: &str = "\"yy/MM/dd,hh:mm:ss\" or \"yy/MM/dd,hh:mm:ss+zz\"";
