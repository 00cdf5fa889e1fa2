//! Making a device equal to what is wanted: plan, set, save, restart, read back, compare; and back again where that fails.

use dtu_proto::TakesEffect;

use crate::check;
use crate::chinese::words_of_device;
use crate::door::{Door, DoorError};
use crate::reading::{Reading, Why, commands_for, read_for};
use crate::say::{Sentence, Spoken};
use crate::schema::{Group, Key, Schema};
use crate::values::{Change, Values, is_unchanged};
use crate::words;

/// What is to be done to a device.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The values that change, in the order of the command table.
    pub changes: Vec<Change>,
    /// What the device does not have at all: nothing is sent for it.
    pub no_counterpart: Vec<Unread>,
    /// The commands, in the order in which they go out.
    pub lines: Vec<Line>,
    /// So many at the end shut the way that one came by: they are one line, together with the command that saves.
    pub shutting: usize,
}

/// A command of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it sets.
    pub group: Group,
    /// The command.
    pub text: String,
    /// What puts the old values back; `None`: the device did not tell them.
    pub undo: Option<String>,
}

/// A wanted value that the device has no setting for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Which.
    pub key: Key,
    /// The device's words.
    pub why: Sentence,
}

/// What went on, for a person who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many of so many settings are read.
    Reading(usize, usize),
    /// This command (without secrets) goes out; so many of so many.
    Setting(String, usize, usize),
    /// What is set is stored.
    Saving,
    /// What is set is in force for so many seconds, unless somebody keeps it.
    Trying(u32),
    /// The device restarts.
    Restarting,
    /// The old values go back.
    PuttingBack,
}

/// How an apply ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The device had all of it already: nothing was sent.
    NothingToDo,
    /// Done, read back and compared. These cannot be compared: no reply tells them.
    Done {
        /// Those.
        not_verifiable: Vec<Key>,
    },
    /// Failed, and the device has its old values.
    PutBack(Failure),
    /// Failed, and the device may have new values in these settings.
    Mixed(Failure, Vec<Group>),
}

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The device refused this command (without secrets), in these words.
    Refused(String, Sentence),
    /// The way to the device failed while this was sent.
    Door(Sentence),
    /// The device took everything, and these values read back otherwise.
    Differs(Vec<Change>),
}

impl Spoken for Unread {
    fn spoken(&self) -> Sentence {
        words::no_counterpart(&self.key, &self.why)
    }
}

impl Spoken for Step {
    fn spoken(&self) -> Sentence {
        match self {
            Self::Reading(at, of) => words::reading(*at, *of),
            Self::Setting(line, at, of) => words::setting(*at, *of, line),
            Self::Saving => words::saving(),
            Self::Trying(seconds) => words::trying(*seconds),
            Self::Restarting => words::restarting(),
            Self::PuttingBack => words::putting_back(),
        }
    }
}

impl Failure {
    fn of(error: &DoorError) -> Self {
        if let DoorError::Refused { line, words } = error {
            Self::Refused(line.clone(), words_of_device(words))
        } else {
            Self::Door(error.spoken())
        }
    }
}

impl Spoken for Failure {
    fn spoken(&self) -> Sentence {
        match self {
            Self::Refused(line, why) => words::refused(line, why),
            Self::Door(why) => why.clone(),
            Self::Differs(changes) => {
                let keys: Vec<String> = changes.iter().map(|it| it.key.to_string()).collect();
                words::differs(keys.join(", "))
            }
        }
    }
}

/// Why a plan cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplanned {
    /// A value that is in its way.
    pub key: Key,
    /// In the device's words, where they are its own.
    pub why: Sentence,
}

impl Spoken for Unplanned {
    fn spoken(&self) -> Sentence {
        // The device's own words name it, and so do the lines that do not fit.
        if self.why.english().contains(self.key.group.label()) {
            self.why.clone()
        } else {
            words::of_key(&self.key, &self.why)
        }
    }
}

/// As [`planned`], for who only says why not.
///
/// # Errors
/// As there.
pub fn plan(
    schema: &Schema,
    reading: &Reading,
    wanted: &Values,
    door: &dyn Door,
) -> Result<Plan, Sentence> {
    planned(schema, reading, wanted, door).map_err(|unplanned| unplanned.spoken())
}

/// What makes a device that told `reading` have `wanted`.
///
/// # Errors
/// A value that the device would refuse, or a setting of which a part is neither known nor given; named, in the device's
/// words.
pub fn planned(
    schema: &Schema,
    reading: &Reading,
    wanted: &Values,
    door: &dyn Door,
) -> Result<Plan, Box<Unplanned>> {
    let at = |key: &Key, why: Sentence| {
        let key = key.clone();
        Box::new(Unplanned { key, why })
    };
    let is_no_text = |(key, value): &(&Key, &str)| {
        let mut unread = reading.unread.iter();
        !is_unchanged(schema, key, value)
            && unread.any(|unread| unread.group == key.group && unread.why == Why::NoText)
    };
    // It may be another's text in another charset: nobody writes over what he cannot read.
    if let Some((key, _)) = wanted.iter().find(is_no_text) {
        return Err(at(key, words::value_is_no_text(key)));
    }
    let (wanted, no_counterpart) = split(schema, reading, wanted);
    let changes = reading.values.changes_to(schema, &wanted);
    let against = |change: &Change, why: Sentence| at(&change.key, why);
    if door.shut_by().contains(&"CINETAT")
        && let Some(change) = changes.iter().find(|change| shuts_for_ever(change))
    {
        return Err(against(change, words::would_shut(&change.key)));
    }
    let after = reading.values.overlaid(&wanted);
    let mut lines = Vec::new();
    for change in &changes {
        let group = &change.key.group;
        if lines.iter().any(|line: &Line| line.group == *group) {
            continue;
        }
        if let Some(missing) = check::missing(schema, group, &after) {
            return Err(at(&missing, words::not_known(&missing)));
        }
        let text = check::line(schema, group, &after).map_err(|why| against(change, why))?;
        let line = Line {
            group: group.clone(),
            text,
            undo: check::line(schema, group, &reading.values).ok(),
        };
        for text in [Some(&line.text), line.undo.as_ref()].into_iter().flatten() {
            door.fits(text).map_err(|why| against(change, why))?;
        }
        lines.push(line);
    }
    // What one came by goes last: behind it nothing else may reach the device.
    let shuts = |line: &Line| door.shut_by().contains(&line.group.label());
    lines.sort_by_key(shuts);
    let shutting = if door.is_shut_at_once() {
        lines.iter().filter(|line| shuts(line)).count()
    } else {
        0
    };
    let (_, last) = lines.split_at(lines.len() - shutting);
    if let Some(change) = changes.last() {
        let together = in_one_line(last, "W");
        door.fits(&together).map_err(|why| against(change, why))?;
    }
    Ok(Plan {
        changes,
        no_counterpart,
        lines,
        shutting,
    })
}

/// The settings that values belong to.
#[must_use]
pub fn groups_of(values: &Values) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (key, _) in values.iter() {
        if !groups.contains(&key.group) {
            groups.push(key.group.clone());
        }
    }
    groups
}

/// Commands at most where each costs money, before anything is known of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    /// To read what it has.
    pub read: usize,
    /// To set.
    pub set: usize,
    /// To restart it, and to hear that it is back.
    pub restart: usize,
    /// All of it once more, for what the device has only in its new mode.
    pub again: usize,
    /// To put the old values back where that fails.
    pub back: usize,
}

/// What [`plan`] and [`apply`] may take for these values. [`Most::read`] comes twice, before and behind; one more stores.
#[must_use]
pub fn most(schema: &Schema, wanted: &Values) -> Most {
    let groups = groups_of(wanted);
    let read = commands_for(schema, &groups);
    let restarts = groups
        .iter()
        .any(|group| takes_effect_at_restart(schema, group));
    let restart = if restarts { 2 } else { 0 };
    let set = groups.len();
    let has_mode = groups.iter().any(|group| group.label() == "CIMOD");
    Most {
        read,
        set,
        restart,
        again: if has_mode {
            read + set + 1 + restart + read
        } else {
            0
        },
        back: set + 1 + restart + read,
    }
}

/// Nothing could be read back, nor put back.
fn shuts_for_ever(change: &Change) -> bool {
    change.key.group.label() == "CINETAT" && change.to == "0"
}

/// What the device has, and what it has not.
fn split(schema: &Schema, reading: &Reading, wanted: &Values) -> (Values, Vec<Unread>) {
    let mut has = Values::default();
    let mut has_not = Vec::new();
    let is_meant = |(key, value): &(&Key, &str)| !is_unchanged(schema, key, value);
    for (key, value) in wanted.iter().filter(is_meant) {
        let unread = reading
            .unread
            .iter()
            .find(|unread| unread.group == key.group);
        let why = match unread.map(|unread| &unread.why) {
            Some(Why::Refused(refusal)) => Some(words_of_device(refusal)),
            // An unread setting is never sent; a password is set unread.
            Some(Why::NotTold) => Some(words::not_told()),
            Some(Why::NoReadForm | Why::NoText) | None => None,
        };
        match why {
            Some(why) => has_not.push(Unread {
                key: key.clone(),
                why,
            }),
            None => {
                let _ = has.set(key.clone(), value.to_owned());
            }
        }
    }
    (has, has_not)
}

/// Carries a plan out.
pub fn apply(
    door: &mut dyn Door,
    schema: &Schema,
    plan: &Plan,
    step: &mut dyn FnMut(Step),
) -> Outcome {
    if plan.lines.is_empty() {
        return Outcome::NothingToDo;
    }
    let mut done = Progress::default();
    let failure = match carry_out(door, schema, plan, step, &mut done) {
        Ok(not_verifiable) => return Outcome::Done { not_verifiable },
        Err(failure) => failure,
    };
    // A command that is refused changes nothing (V.250 5.6); one without an answer may have.
    let changed = match failure {
        Failure::Refused(..) => done.answered,
        Failure::Door(_) | Failure::Differs(_) => done.sent,
    };
    let lines = &plan.lines[..changed];
    if lines.is_empty() {
        return Outcome::PutBack(failure);
    }
    step(Step::PuttingBack);
    ended(failure, put_back(door, schema, lines, &done))
}

/// A failure, and what may not have its old values.
pub(crate) fn ended(failure: Failure, left: Vec<Group>) -> Outcome {
    if left.is_empty() {
        Outcome::PutBack(failure)
    } else {
        Outcome::Mixed(failure, left)
    }
}

/// Carries a plan out, and where the working mode has changed by it, looks once more for what the device has only in its
/// new mode: that is added to the plan.
pub fn apply_in_new_mode(
    door: &mut dyn Door,
    schema: &Schema,
    plan: &mut Plan,
    wanted: &Values,
    step: &mut dyn FnMut(Step),
) -> Outcome {
    let outcome = apply(door, schema, plan, step);
    let has_new_mode = plan
        .changes
        .iter()
        .any(|change| change.key.group.label() == "CIMOD");
    let Outcome::Done { mut not_verifiable } = outcome else {
        return outcome;
    };
    if !has_new_mode || plan.no_counterpart.is_empty() {
        return Outcome::Done { not_verifiable };
    }
    let failure = match second_pass(door, schema, plan, wanted, step) {
        Ok(None) => return Outcome::Done { not_verifiable },
        Ok(Some(Outcome::Done {
            not_verifiable: more,
        })) => {
            not_verifiable.extend(more);
            return Outcome::Done { not_verifiable };
        }
        Ok(Some(Outcome::NothingToDo)) => return Outcome::Done { not_verifiable },
        Ok(Some(Outcome::PutBack(failure) | Outcome::Mixed(failure, _))) => failure,
        Err(words) => Failure::Door(words),
    };
    // The first pass goes back, too.
    step(Step::PuttingBack);
    let done = Progress {
        may_be_stored: true,
        restarted: true,
        ..Progress::default()
    };
    ended(failure, put_back(door, schema, &plan.lines, &done))
}

/// `None`: there is nothing that the device has now and had not before.
fn second_pass(
    door: &mut dyn Door,
    schema: &Schema,
    plan: &mut Plan,
    wanted: &Values,
    step: &mut dyn FnMut(Step),
) -> Result<Option<Outcome>, Sentence> {
    let mut late = Values::default();
    for unread in &plan.no_counterpart {
        if let Some(value) = wanted.get(&unread.key) {
            let _ = late.set(unread.key.clone(), value.to_owned());
        }
    }
    let reading = read_for(door, schema, &groups_of(&late), &mut |at, of| {
        step(Step::Reading(at, of))
    })
    .map_err(|error| error.spoken())?;
    let second = self::plan(schema, &reading, &late, door)?;
    plan.no_counterpart.clone_from(&second.no_counterpart);
    if second.lines.is_empty() {
        return Ok(None);
    }
    let outcome = apply(door, schema, &second, step);
    plan.changes.extend(second.changes);
    plan.lines.extend(second.lines);
    Ok(Some(outcome))
}

/// How far a plan was carried out.
#[derive(Default)]
struct Progress {
    sent: usize,
    answered: usize,
    /// What is new.
    may_be_stored: bool,
    restarted: bool,
}

fn carry_out(
    door: &mut dyn Door,
    schema: &Schema,
    plan: &Plan,
    step: &mut dyn FnMut(Step),
    done: &mut Progress,
) -> Result<Vec<Key>, Failure> {
    let most = plan.lines.len();
    let (open, shutting) = plan.lines.split_at(most - plan.shutting);
    for (place, line) in open.iter().enumerate() {
        let shown = dtu_proto::shown_command(&line.text);
        step(Step::Setting(shown, place + 1, most));
        done.sent = place + 1;
        command(door, &line.text)?;
        done.answered = place + 1;
    }
    step(Step::Saving);
    // What is refused in the middle of a line leaves what stood in front of it.
    (done.sent, done.answered) = (most, most);
    let stored = command(door, &in_one_line(shutting, "W"));
    done.may_be_stored = !matches!(stored, Err(Failure::Refused(..)));
    stored?;
    if plan
        .lines
        .iter()
        .any(|line| takes_effect_at_restart(schema, &line.group))
    {
        step(Step::Restarting);
        done.restarted = true;
        door.restart(RESTART, new_rate(plan)).map_err(|error| {
            done.restarted = !matches!(error, DoorError::Refused { .. });
            Failure::of(&error)
        })?;
    }
    let groups = groups(&plan.lines);
    let back = read_for(door, schema, &groups, &mut |at, of| {
        step(Step::Reading(at, of))
    })
    .map_err(|error| Failure::of(&error))?;
    compare(schema, &back, plan)
}

/// One line that sets these, and then does that with everything (V.250 5.2.1).
pub(crate) fn in_one_line(lines: &[Line], then: &str) -> String {
    let bodies = lines.iter().map(|line| {
        let body = line.text.strip_prefix("AT").unwrap_or(&line.text);
        format!("{body};")
    });
    format!("AT{}{then}", bodies.collect::<String>())
}

/// Only sets: nothing is stored, and nothing restarts. Where one fails the old values of all go back.
pub fn set(door: &mut dyn Door, schema: &Schema, plan: &Plan) -> Outcome {
    if plan.lines.is_empty() {
        return Outcome::NothingToDo;
    }
    for (place, line) in plan.lines.iter().enumerate() {
        let Err(failure) = command(door, &line.text) else {
            continue;
        };
        let changed = match failure {
            Failure::Refused(..) => place,
            // It may be in force: its answer was lost.
            Failure::Door(_) | Failure::Differs(_) => place + 1,
        };
        let lines = &plan.lines[..changed];
        if lines.is_empty() {
            return Outcome::PutBack(failure);
        }
        unset(door, lines);
        return ended(failure, without_old(door, schema, lines));
    }
    Outcome::Done {
        not_verifiable: Vec::new(),
    }
}

pub(crate) fn command(door: &mut dyn Door, line: &str) -> Result<(), Failure> {
    let reply = door.command(line).map_err(|error| Failure::of(&error))?;
    match reply.refusal() {
        Some(refusal) => Err(Failure::Refused(
            dtu_proto::shown_command(line),
            words_of_device(refusal),
        )),
        None => Ok(()),
    }
}

fn takes_effect_at_restart(schema: &Schema, group: &Group) -> bool {
    schema.command(group).takes_effect != Some(TakesEffect::Now)
}

fn new_rate(plan: &Plan) -> Option<u32> {
    let change = plan
        .changes
        .iter()
        .find(|change| change.key.group.label() == "CIPR")?;
    change.to.parse().ok()
}

/// What read back otherwise is a failure; what cannot be read back is named.
pub(crate) fn compare(schema: &Schema, back: &Reading, plan: &Plan) -> Result<Vec<Key>, Failure> {
    let mut wanted = Values::default();
    let mut not_verifiable = Vec::new();
    for change in &plan.changes {
        let told = back.values.get(&change.key);
        if told.is_some_and(|told| !is_unchanged(schema, &change.key, told)) {
            let _ = wanted.set(change.key.clone(), change.to.clone());
        } else {
            not_verifiable.push(change.key.clone());
        }
    }
    let differs = back.values.changes_to(schema, &wanted);
    if differs.is_empty() {
        Ok(not_verifiable)
    } else {
        Err(Failure::Differs(differs))
    }
}

/// Sets the old values again, stores them, restarts where the new ones may be in force, and looks whether they are there;
/// the settings that may not have them.
fn put_back(door: &mut dyn Door, schema: &Schema, lines: &[Line], done: &Progress) -> Vec<Group> {
    unset(door, lines);
    match command(door, "ATW") {
        // Whatever runs now, the new values come back with the next restart.
        Err(Failure::Refused(..)) if done.may_be_stored => return groups(lines),
        Err(Failure::Door(_)) if done.may_be_stored && !done.restarted => return groups(lines),
        // A restart shows what is stored.
        Ok(()) | Err(_) => {}
    }
    let old_rate = || {
        let line = lines.iter().find(|line| line.group.label() == "CIPR")?;
        line.undo.as_ref()?.split_once('=')?.1.parse().ok()
    };
    if done.restarted {
        // One that was not known as a restart is no fault of the values: they are looked at.
        let _ = door.restart(RESTART, old_rate());
    }
    without_old(door, schema, lines)
}

fn groups(lines: &[Line]) -> Vec<Group> {
    lines.iter().map(|line| line.group.clone()).collect()
}

/// Sets the old values again, in the running set. One that cannot be put back keeps nobody else from it.
pub(crate) fn unset(door: &mut dyn Door, lines: &[Line]) {
    for undo in lines.iter().rev().filter_map(|line| line.undo.as_ref()) {
        let _ = command(door, undo);
    }
}

/// Those of the settings that do not have their old values, or may not.
pub(crate) fn without_old(door: &mut dyn Door, schema: &Schema, lines: &[Line]) -> Vec<Group> {
    match read_for(door, schema, &groups(lines), &mut |_, _| {}) {
        Ok(back) => {
            let has_old = |line: &&Line| {
                let has = check::line(schema, &line.group, &back.values);
                has.ok() == line.undo && line.undo.is_some()
            };
            let missing = lines.iter().filter(|line| !has_old(line));
            missing.map(|line| line.group.clone()).collect()
        }
        Err(_) => groups(lines),
    }
}

const RESTART: &str = "AT+CIRESET";
