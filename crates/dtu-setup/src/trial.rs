//! Settings on trial (commit-confirm): in force at once, stored only when somebody keeps them. It is the device that brings
//! the old ones back, so a tool that is gone, or has cut its own way, leaves nothing broken behind.

use crate::apply::{
    Failure, Outcome, Plan, Step, command, compare, ended, in_one_line, unset, without_old,
};
use crate::door::{Door, DoorError};
use crate::reading::read_all;
use crate::schema::{Key, Schema};

/// What is on trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Which, since the device's program started.
    pub id: u32,
    /// Until the old settings come back.
    pub seconds_left: u64,
    /// Who applied them, in the device's words.
    pub by: String,
}

/// How a trial began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Began {
    /// It is under way. These cannot be compared: no reply tells them, or the way to the device was made anew.
    OnTrial(Option<Trial>, Vec<Key>),
    /// The device had all of it already, or it failed.
    Not(Outcome),
}

/// What is on trial now; none where the device does not know of trials.
///
/// # Errors
/// The way to the device failed.
pub fn current(door: &mut dyn Door) -> Result<Option<Trial>, DoorError> {
    let reply = door.command("AT+CIAPPLY?")?;
    Ok(reply.lines.iter().find_map(|line| parse(line)))
}

/// `+CIAPPLY: 119,3,"the console"`
fn parse(line: &str) -> Option<Trial> {
    let values = line.trim().strip_prefix("+CIAPPLY:")?.trim();
    let mut values = values.splitn(3, ',');
    Some(Trial {
        seconds_left: values.next()?.trim().parse().ok()?,
        id: values.next()?.trim().parse().ok()?,
        by: values.next()?.trim().trim_matches('"').to_owned(),
    })
}

/// Sets what a plan says and puts it on trial for so many seconds.
pub fn begin(
    door: &mut dyn Door,
    schema: &Schema,
    plan: &Plan,
    seconds: u32,
    step: &mut dyn FnMut(Step),
) -> Began {
    if plan.lines.is_empty() {
        return Began::Not(Outcome::NothingToDo);
    }
    let mut sent = 0;
    if let Err(failure) = set(door, plan, seconds, step, &mut sent) {
        step(Step::PuttingBack);
        let lines = &plan.lines[..sent];
        // Where its answer was lost it may have begun. A refusal may be somebody else's trial.
        if matches!(failure, Failure::Door(_)) {
            let _ = door.command(GO_BACK);
        }
        unset(door, lines);
        return Began::Not(ended(failure, without_old(door, schema, lines)));
    }
    let unknown = || plan.changes.iter().map(|it| it.key.clone()).collect();
    // The way to the device may have been made anew. It brings the old settings back if nobody finds it.
    let Ok(trial) = current(door) else {
        return Began::OnTrial(None, unknown());
    };
    let Ok(back) = read_all(door, schema, &mut |at, of| step(Step::Reading(at, of))) else {
        return Began::OnTrial(trial, unknown());
    };
    match compare(schema, &back, plan) {
        Ok(not_verifiable) => Began::OnTrial(trial, not_verifiable),
        Err(failure) => {
            step(Step::PuttingBack);
            let _ = door.command(GO_BACK);
            Began::Not(ended(failure, without_old(door, schema, &plan.lines)))
        }
    }
}

fn set(
    door: &mut dyn Door,
    plan: &Plan,
    seconds: u32,
    step: &mut dyn FnMut(Step),
    sent: &mut usize,
) -> Result<(), Failure> {
    let most = plan.lines.len();
    let (open, shutting) = plan.lines.split_at(most - plan.shutting);
    for (place, line) in open.iter().enumerate() {
        let shown = dtu_proto::shown_command(&line.text);
        step(Step::Setting(shown, place + 1, most));
        *sent = place + 1;
        command(door, &line.text)?;
    }
    step(Step::Trying(seconds));
    *sent = most;
    command(door, &in_one_line(shutting, &format!("+CIAPPLY={seconds}")))
}

/// Stores what is on trial.
///
/// # Errors
/// The device's words against it, or the way failed.
pub fn keep(door: &mut dyn Door) -> Result<(), Failure> {
    command(door, "AT+CIKEEP")
}

/// Brings the old settings back.
///
/// # Errors
/// The device's words against it, or the way failed.
pub fn go_back(door: &mut dyn Door) -> Result<(), Failure> {
    command(door, GO_BACK)
}

const GO_BACK: &str = "AT+CIKEEP=0";
