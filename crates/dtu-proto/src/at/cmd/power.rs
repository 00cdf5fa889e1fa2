//! Storing, restarting, and the way back to the working mode.

use alloc::format;
use alloc::string::{String, ToString};

use super::super::command::Command;
use super::super::outcome::{Effect, Lines, Outcome, SlowCommand};
use super::super::param::{Kind, Param};
use super::super::reply::{Code, Error};
use super::super::values::Values;
use super::super::view::View;
use crate::event::RestartReason;
use crate::status::{Phase, TrialStatus};
use crate::time::Duration;

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new("W", "2.8.6.29", "Stores all settings; what is not stored is gone at the next restart", &[])
        .example("ATW", "OK")
        .acts(save),
    Command::new("&W", "own", "As ATW", &[Param::new("PROFILE", Kind::Choice(&[(0, "")]), "").left_off_is("0")])
        .example("AT&W", "OK")
        .acts(save),
    Command::new("+CIAPPLY", "own", "Settings that wait for a restart take effect now", &[Param::new(
        "TIME",
        Kind::Number { min: 10, max: 3600 },
        "s on trial: without AT+CIKEEP in that time, and after a restart, the old settings come back",
    )])
        .example("AT+CIAPPLY", "OK")
        .notes(
            "Only what changed starts over: a link whose settings are the same keeps its connection and its cache.\n\nOn \
             trial nothing is stored, and nobody can set anything else. The time counts from when the settings are in force, \
             behind the reply; the same command again gives it anew. The old settings are those that were applied or stored \
             last: what was set since goes back with the rest, but for what programs on the line set for themselves \
             (E, CMGF and the like). `AT+CIAPPLY?` answers `+CIAPPLY: <s left>,<which>,<who>`, or `+CIAPPLY: 0`.",
        )
        .acts(apply)
        .acts_on(apply_on_trial)
        .reads(read_trial)
        .ranges("(10-3600)"),
    Command::new("+CIKEEP", "own", "Settings on trial are stored, and stay", KEEP)
        .example("AT+CIKEEP=0", "+CME ERROR: CIKEEP: no settings are on trial; AT+CIAPPLY=<s> tries them")
        .acts(keep)
        .acts_on(go_back),
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

const KEEP: &[Param] = &[Param::new(
    "BACK",
    Kind::Choice(&[(0, "")]),
    "the old settings come back at once",
)];

fn save(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    refuse_on_trial(values, view)?;
    outcome.wait(SlowCommand::Save);
    Ok(())
}

fn factory(_: &Values, _: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    outcome.wait(SlowCommand::Factory);
    Ok(())
}

fn apply(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    refuse_on_trial(values, view)?;
    outcome.effect(Effect::Apply);
    Ok(())
}

/// What would make settings on trial stay is asked for by name.
fn refuse_on_trial(values: &Values, view: &View<'_>) -> Result<(), Error> {
    match &view.status.trial {
        Some(trial) => Err(values.refuse(Code::NotAllowed, &trial.to_string())),
        None => Ok(()),
    }
}

fn apply_on_trial(values: &Values, _: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    let time = Duration::from_secs(u64::from(values.number(0)?));
    outcome.effect(Effect::ApplyOnTrial(time));
    Ok(())
}

fn read_trial(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(match &view.status.trial {
        Some(trial) => format!(
            "+CIAPPLY: {},{},\"{}\"",
            trial.seconds_left(),
            trial.id,
            trial.by
        ),
        None => String::from("+CIAPPLY: 0"),
    }
    .into())
}

fn on_trial(values: &Values, view: &View<'_>) -> Result<(), Error> {
    let why = match &view.status.trial {
        Some(TrialStatus { left: Some(_), .. }) => return Ok(()),
        Some(_) => "the settings are not in force yet",
        None => "no settings are on trial; AT+CIAPPLY=<s> tries them",
    };
    Err(values.refuse(Code::NotAllowed, why))
}

fn keep(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    on_trial(values, view)?;
    outcome.wait(SlowCommand::Keep);
    Ok(())
}

fn go_back(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    on_trial(values, view)?;
    outcome.effect(Effect::GoBack);
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
