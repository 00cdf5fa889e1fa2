//! `AT+CCLK`.

use alloc::format;

use super::super::call::Call;
use super::super::clock;
use super::super::param::{Kind, Param};
use super::super::reply::{Code, Error, Shown};
use super::super::table::Command;
use super::Done;

pub(in super::super) const COMMANDS: &[Command] = &[Command::new(
    "+CCLK",
    "2.8.6.4, 2.8.6.5",
    "The clock",
    &[Param::new("TIME", Kind::Shape(SHAPE), "local time; a zone is checked and not kept")],
)
.example("AT+CCLK=\"14/09/10,15:00:00+32\"", "OK")
.reads(read)
.sets(set)
.notes("It is not stored: after every power-on and restart it begins at 14/01/01,00:00:00, or with the network's time where the modem \
        tells it, which sets it whenever it comes.")
.now()];

fn read(call: &mut Call<'_, '_>) -> Done {
    call.say(format!(
        "+CCLK: \"{}\"",
        call.ctx.clock.text(call.ctx.status.now)
    ));
    Ok(())
}

fn set(call: &mut Call<'_, '_>) -> Done {
    let text = call.text(0)?;
    let seconds = clock::parse(&text).ok_or_else(|| no_time(call, &text))?;
    call.ctx.clock.set(seconds, call.ctx.status.now);
    Ok(())
}

fn no_time(call: &Call<'_, '_>, text: &str) -> Error {
    let why = format!(
        "TIME must be {SHAPE}, a real date and time, got {}",
        Shown(text.as_bytes())
    );
    call.refuse(Code::IncorrectParameters, &why)
}

const SHAPE: &str = "\"yy/MM/dd,hh:mm:ss\" or \"yy/MM/dd,hh:mm:ss+zz\"";
