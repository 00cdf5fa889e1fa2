//! Storing, restarting, and the way back to the working mode.

use super::super::call::Call;
use super::super::param::{Kind, Param};
use super::super::reply::Code;
use super::super::table::Command;
use super::super::{Effect, SlowCommand};
use super::Done;
use crate::event::RestartReason;
use crate::status::Phase;
use crate::time::Duration;

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new("W", "2.8.6.29", "Stores all settings; what is not stored is gone at the next restart", &[])
        .example("ATW", "OK")
        .runs(save),
    Command::new("&W", "own", "As ATW", &[Param::new("PROFILE", Kind::Choice(&[(0, "")]), "").left_off_is("0")])
        .example("AT&W", "OK")
        .runs(save),
    Command::new("+CIAPPLY", "own", "Settings that wait for a restart take effect now", &[])
        .example("AT+CIAPPLY", "OK")
        .notes("Only what changed starts over: a link whose settings are the same keeps its connection and its cache.")
        .runs(apply),
    Command::new("+CIOPTIME", "2.8.6.40", "Length of the set-up window from now on", &[Param::new(
        "TIME",
        Kind::Number { min: 0, max: 3600 },
        "s; 0 ends the window at once",
    )])
    .example("AT+CIOPTIME=1", "OK")
    .notes("Possible only in the set-up window after power-on.")
    .sets(window)
    .now(),
    Command::new("+ENTM", "2.8.6.42", "Leaves the command state for the working mode", &[])
        .example("AT+ENTM", "OK")
        .runs(enter_mode),
    Command::new("+CIRELOAD", "2.8.6.41", "Factory settings, stored; then a restart", &[])
        .example("AT+CIRELOAD", "OK")
        .runs(factory),
    Command::new("+CIRESET", "2.8.6.50", "Restarts the device", &[])
        .example("AT+CIRESET", "OK")
        .runs(restart),
    Command::new("+CISHUTDOWN", "2.8.6.51", "Restarts the device, as the manual says", &[])
        .example("AT+CISHUTDOWN", "OK")
        .notes("With `shutdown = \"stop\"` in the settings file the program ends.")
        .runs(shutdown),
];

fn save(call: &mut Call<'_, '_>) -> Done {
    call.slow = Some(SlowCommand::Save);
    Ok(())
}

fn factory(call: &mut Call<'_, '_>) -> Done {
    call.slow = Some(SlowCommand::Factory);
    Ok(())
}

fn apply(call: &mut Call<'_, '_>) -> Done {
    call.effects.push(Effect::Apply);
    Ok(())
}

fn window(call: &mut Call<'_, '_>) -> Done {
    if call.ctx.status.phase != Phase::SetupWindow {
        return Err(call.refuse(
            Code::NotAllowed,
            "possible only in the set-up window after power-on",
        ));
    }
    let seconds = call.number(0)?;
    call.effects
        .push(Effect::WindowFor(Duration::from_secs(u64::from(seconds))));
    Ok(())
}

fn enter_mode(call: &mut Call<'_, '_>) -> Done {
    call.effects.push(Effect::EnterMode);
    Ok(())
}

fn restart(call: &mut Call<'_, '_>) -> Done {
    call.effects.push(Effect::Restart(RestartReason::Command));
    Ok(())
}

fn shutdown(call: &mut Call<'_, '_>) -> Done {
    call.effects.push(Effect::Shutdown);
    Ok(())
}
