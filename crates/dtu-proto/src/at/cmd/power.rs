//! Storing, restarting, and the way back to the working mode.

use super::super::command::Command;
use super::super::outcome::{Effect, Outcome, SlowCommand};
use super::super::param::{Kind, Param};
use super::super::reply::{Code, Error};
use super::super::values::Values;
use super::super::view::View;
use crate::event::RestartReason;
use crate::status::Phase;
use crate::time::Duration;

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new("W", "2.8.6.29", "Stores all settings; what is not stored is gone at the next restart", &[])
        .example("ATW", "OK")
        .acts(save),
    Command::new("&W", "own", "As ATW", &[Param::new("PROFILE", Kind::Choice(&[(0, "")]), "").left_off_is("0")])
        .example("AT&W", "OK")
        .acts(save),
    Command::new("+CIAPPLY", "own", "Settings that wait for a restart take effect now", &[])
        .example("AT+CIAPPLY", "OK")
        .notes("Only what changed starts over: a link whose settings are the same keeps its connection and its cache.")
        .acts(apply),
    Command::new("+CIOPTIME", "2.8.6.40", "Length of the set-up window from now on", &[Param::new(
        "TIME",
        Kind::Number { min: 0, max: 3600 },
        "s; 0 ends the window at once",
    )])
    .example("AT+CIOPTIME=1", "OK")
    .notes("Possible only in the set-up window after power-on.")
    .acts_on(window)
    .now(),
    Command::new("+ENTM", "2.8.6.42", "Leaves the command state for the working mode", &[])
        .example("AT+ENTM", "OK")
        .acts(enter_mode),
    Command::new("+CIRELOAD", "2.8.6.41", "Factory settings, stored; then a restart", &[])
        .example("AT+CIRELOAD", "OK")
        .acts(factory),
    Command::new("+CIRESET", "2.8.6.50", "Restarts the device", &[])
        .example("AT+CIRESET", "OK")
        .acts(restart),
    Command::new("+CISHUTDOWN", "2.8.6.51", "Restarts the device, as the manual says", &[])
        .example("AT+CISHUTDOWN", "OK")
        .notes("With `shutdown = \"stop\"` in the settings file the program ends.")
        .acts(shutdown),
];

fn save(_: &Values, _: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    outcome.wait(SlowCommand::Save);
    Ok(())
}

fn factory(_: &Values, _: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    outcome.wait(SlowCommand::Factory);
    Ok(())
}

fn apply(_: &Values, _: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    outcome.effect(Effect::Apply);
    Ok(())
}

fn window(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    if view.status.phase != Phase::SetupWindow {
        return Err(values.refuse(
            Code::NotAllowed,
            "possible only in the set-up window after power-on",
        ));
    }
    let seconds = values.number(0)?;
    outcome.effect(Effect::WindowFor(Duration::from_secs(u64::from(seconds))));
    Ok(())
}

fn enter_mode(_: &Values, _: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    outcome.effect(Effect::EnterMode);
    Ok(())
}

fn restart(_: &Values, _: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    outcome.effect(Effect::Restart(RestartReason::Command));
    Ok(())
}

fn shutdown(_: &Values, _: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    outcome.effect(Effect::Shutdown);
    Ok(())
}
