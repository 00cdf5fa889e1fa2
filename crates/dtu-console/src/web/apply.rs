//! Changes: checked as they are typed, applied on trial or for good, kept or taken back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use dtu_setup::apply::{self, Failure, Outcome, Plan, Step, Unplanned};
use dtu_setup::check;
use dtu_setup::chinese::words_of_device;
use dtu_setup::door::{Door, DoorError, Reply};
use dtu_setup::say::{Sentence, Spoken as _};
use dtu_setup::trial::{self, Began, Trial};
use dtu_setup::{Group, Schema, Values};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::app::{App, lock};
use super::body::Body;
use super::door::{Done, blocking, with_door};
use super::fault::{Answer, Fault};
use super::pages::STATUS;
use super::schema::when;
use super::settings::{Known, read, sets, shown};
use crate::device::Via;
use crate::words;

/// Values by their keys; numbers may stand bare.
type Typed = Map<String, Value>;

#[derive(Deserialize)]
pub(crate) struct Draft {
    values: Typed,
}

#[derive(Deserialize)]
pub(crate) struct Application {
    values: Typed,
    /// Seconds on trial; none: stored at once.
    #[serde(default)]
    confirm: Option<u32>,
}

#[derive(Deserialize)]
pub(crate) struct Which {
    id: u32,
}

/// What is wrong with a draft.
struct Wrong {
    key: String,
    message: Sentence,
}

/// The values of a draft, and what no device takes of it.
fn values_of(schema: &Schema, typed: &Typed) -> (Values, Vec<Wrong>) {
    let (mut values, mut wrong) = (Values::default(), Vec::new());
    for (name, value) in typed {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                wrong.push(Wrong {
                    key: name.clone(),
                    message: words::no_value(name),
                });
                continue;
            }
        };
        let checked = match schema.key(name) {
            Err(error) => Err(error.spoken()),
            Ok(key) => check::value(schema, &key, &text).map(|()| {
                values.set(key, text);
            }),
        };
        if let Err(message) = checked {
            let key = name.clone();
            wrong.push(Wrong { key, message });
        }
    }
    (values, wrong)
}

pub(crate) async fn check(
    State(app): State<Arc<App>>,
    Body(draft): Body<Draft>,
) -> Answer<Json<Value>> {
    // As somebody types, the device runs no command: what it told last is compared. Its sets are the loop's own, and
    // what was applied or stored since the last reading shares no fate any more.
    let known = lock(&app.known).back().cloned();
    let known = match known {
        Some(known) => known,
        None => with_door(&app, read).await?,
    };
    few(&draft.values)?;
    let (plan, answer) = blocking(&app, move |app| {
        let sets = sets(app);
        Ok(checked(&app.schema, &Known { sets, ..known }, &draft))
    })
    .await?;
    let cost = cost(&app, &plan).await;
    let mut answer = answer;
    answer.insert("cost".to_owned(), cost);
    Ok(Json(Value::Object(answer)))
}

/// More no device has.
fn few(typed: &Typed) -> Answer<()> {
    if typed.len() <= dtu_setup::file::KEYS {
        return Ok(());
    }
    Err(Fault::bad(words::many_values(
        dtu_setup::file::KEYS,
        typed.len(),
    )))
}

/// What a draft changes, and what is wrong with it.
fn checked(schema: &Schema, known: &Known, draft: &Draft) -> (Plan, Map<String, Value>) {
    let (values, mut wrong) = values_of(schema, &draft.values);
    let planned = if wrong.is_empty() {
        apply::planned(schema, &known.reading, &values, &Paper)
    } else {
        Ok(Plan::default())
    };
    let plan = planned.unwrap_or_else(|unplanned| {
        let Unplanned { key, why } = *unplanned;
        let key = key.to_string();
        wrong.push(Wrong { key, message: why });
        Plan::default()
    });
    wrong.extend(plan.no_counterpart.iter().map(|unread| Wrong {
        key: unread.key.to_string(),
        message: unread.spoken(),
    }));
    let changes: Vec<Value> = plan
        .changes
        .iter()
        .map(|change| {
            let show = |value: &str| shown(schema, &change.key, value);
            json!({
                "key": change.key.to_string(),
                "from": change.from.as_deref().map(show),
                "to": show(&change.to),
                "takes_effect": when(schema.command(&change.key.group)),
            })
        })
        .collect();
    let lines: Vec<String> = plan
        .lines
        .iter()
        .map(|line| dtu_proto::shown_command(&line.text))
        .collect();
    let faults: Vec<Value> = wrong
        .iter()
        .map(|wrong| {
            let Wrong { key, message } = wrong;
            json!({
                "key": key,
                "message": message.english(),
                "message_zh": message.chinese_if_any(),
            })
        })
        .collect();
    let told = [
        ("faults", faults.into()),
        ("changes", changes.into()),
        ("lines", lines.into()),
        ("along", along(known, &plan)),
    ];
    let told = told.map(|(name, value): (&str, Value)| (name.to_owned(), value));
    (plan, told.into_iter().collect())
}

/// What was set before and not made lasting shares the fate of a change: what a trial takes back with it, and what is
/// stored with it. `null`: nobody but the device knows.
fn along(known: &Known, plan: &Plan) -> Value {
    let sets = known.sets.as_ref();
    json!({
        "on_trial": sets.map(|sets| sets.not_applied(plan)),
        "at_once": sets.map(|sets| sets.not_stored(plan)),
    })
}

/// What an apply interrupts, on trial and at once; nothing where nothing changes, or no feed tells of the links.
async fn cost(app: &Arc<App>, plan: &Plan) -> Value {
    let features = app.device.features();
    if plan.lines.is_empty() || !features.live {
        return Value::Null;
    }
    let status = blocking(app, |app| Ok(app.device.status(STATUS)?)).await;
    let Some(links) = status.ok().and_then(|it| it["links"].as_array().cloned()) else {
        return Value::Null;
    };
    let of_all = |group: &Group| ["CIMOD", "CSTT", "CISOCLINK"].contains(&group.label());
    let is_of_all = plan.lines.iter().any(|line| of_all(&line.group));
    let on_trial = features.confirm.then(|| dropped(&links, plan, is_of_all));
    // Without a trial the values are stored, and the device restarts.
    json!({ "on_trial": on_trial, "at_once": dropped(&links, plan, true) })
}

/// The links that start over, all or those that the plan changes, and the frames that wait for them.
fn dropped(links: &[Value], plan: &Plan, all: bool) -> Value {
    let is_changed = |number: &Value| {
        let number = number.to_string();
        let of_it = |group: &Group| {
            ["CIPSCONT", "CINETPT", "CIROLE"].contains(&group.label())
                && group.index.as_deref() == Some(number.as_str())
        };
        all || plan.lines.iter().any(|line| of_it(&line.group))
    };
    let dropped = links
        .iter()
        .filter(|link| {
            let state = link["state"].as_str().unwrap_or_default();
            state == "connected" && is_changed(&link["number"])
        })
        .collect::<Vec<_>>();
    let frames: u64 = dropped
        .iter()
        .filter_map(|link| link["waiting_frames"].as_u64())
        .sum();
    json!({ "links": dropped.len(), "frames": frames })
}

/// A door for plans that nobody carries out.
struct Paper;

impl Door for Paper {
    fn command(&mut self, line: &str) -> Result<Reply, DoorError> {
        let line = dtu_proto::shown_command(line);
        let within = std::time::Duration::ZERO;
        Err(DoorError::NoReply { line, within })
    }

    fn restart(&mut self, command: &str, _: Option<u32>) -> Result<(), DoorError> {
        self.command(command).map(|_| ())
    }

    fn leave(&mut self) -> Result<(), DoorError> {
        Ok(())
    }

    fn shut_by(&self) -> &[&str] {
        &[]
    }

    fn is_shut_at_once(&self) -> bool {
        false
    }
}

pub(crate) async fn apply(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Body(wanted): Body<Application>,
) -> Answer<Json<Value>> {
    if let Some(seconds) = wanted.confirm
        && !TRIAL.contains(&seconds)
    {
        let (min, max) = (TRIAL.start(), TRIAL.end());
        return Err(Fault::bad(words::trial_time(min, max, seconds)));
    }
    let features = app.device.features();
    if wanted.confirm.is_some() && !features.confirm {
        return Err(Fault::bad(words::no_trial_here()));
    }
    few(&wanted.values)?;
    let typed = wanted.values;
    let (values, wrong) = blocking(&app, move |app| Ok(values_of(&app.schema, &typed))).await?;
    if let Some(wrong) = wrong.into_iter().next() {
        return Err(Fault::bad(wrong.message).with("key", wrong.key));
    }
    let tag = headers
        .get(header::IF_MATCH)
        // One that cannot be read is of no state that this device was in.
        .map(|tag| tag.to_str().unwrap_or_default())
        .map(|tag| tag.trim_start_matches("W/").trim_matches('"').to_owned())
        .filter(|tag| tag != "*");
    with_door(&app, move |app, door| {
        let known = read(app, door)?;
        if let Some(tag) = tag.filter(|tag| *tag != known.tag) {
            return Err(changed_meanwhile(app, &tag, &known, &values));
        }
        if features.confirm
            && let Some(trial) = trial::current(door)?
        {
            return Err(on_trial(&trial));
        }
        carry_out(app, door, &known, &values, wanted.confirm)
    })
    .await
    .map(Json)
}

/// As the device has them.
const TRIAL: std::ops::RangeInclusive<u32> = 10..=3600;

fn on_trial(trial: &Trial) -> Fault {
    let text = words::on_trial(&trial.by, trial.seconds_left);
    Fault::new(StatusCode::CONFLICT, "trial", text).with("trial", as_json(trial))
}

fn as_json(trial: &Trial) -> Value {
    json!({ "id": trial.id, "seconds_left": trial.seconds_left, "by": trial.by })
}

/// Somebody else has set something since: what is wanted, what there is, and what both came from.
fn changed_meanwhile(app: &App, tag: &str, known: &Known, wanted: &Values) -> Fault {
    let base = lock(&app.known).iter().find(|old| old.tag == tag).cloned();
    let now = &known.reading.values;
    let mut keys: Vec<_> = wanted.iter().map(|(key, _)| key.clone()).collect();
    if let Some(base) = &base {
        let differs = |key: &&dtu_setup::Key| base.reading.values.get(key) != now.get(key);
        keys.extend(now.iter().map(|(key, _)| key).filter(differs).cloned());
    }
    let part = |values: &Values| {
        let named = keys.iter().filter_map(|key| {
            let value = shown(&app.schema, key, values.get(key)?);
            Some((key.to_string(), Value::from(value)))
        });
        Value::Object(named.collect())
    };
    let text = words::changed_meanwhile();
    Fault::new(StatusCode::PRECONDITION_FAILED, "changed", text)
        .with("mine", part(wanted))
        .with("theirs", part(now))
        .with(
            "base",
            base.map_or(Value::Null, |base| part(&base.reading.values)),
        )
}

fn carry_out(
    app: &App,
    door: &mut dyn Door,
    known: &Known,
    wanted: &Values,
    confirm: Option<u32>,
) -> Answer<Value> {
    let schema = &app.schema;
    let unplanned = |it: Box<Unplanned>| Fault::bad(it.why).with("key", it.key.to_string());
    let mut plan = apply::planned(schema, &known.reading, wanted, door).map_err(unplanned)?;
    let is_own_line = |group: &Group| ["CIPR", "ICF"].contains(&group.label());
    if confirm.is_some()
        && app.device.features().via == Via::Port
        && plan.lines.iter().any(|line| is_own_line(&line.group))
    {
        return Err(Fault::bad(words::own_line()));
    }
    tracing::info!("console: sets {}", names(&plan));
    let mut steps = Vec::new();
    let mut step = |step: Step| {
        if !matches!(step, Step::Reading(..)) {
            steps.push(step.spoken());
        }
    };
    let (outcome, began) = match confirm {
        Some(seconds) => match trial::begin(door, schema, &plan, seconds, &mut step) {
            Began::OnTrial(trial, not_verifiable) => (None, Some((trial, not_verifiable))),
            Began::Not(outcome) => (Some(outcome), None),
        },
        None => {
            let outcome = apply::apply_in_new_mode(door, schema, &mut plan, wanted, &mut step);
            (Some(outcome), None)
        }
    };
    let names = |keys: &[dtu_setup::Key]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
    let groups = |groups: &[Group]| groups.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (word, failure, not_verifiable, left) = match &outcome {
        None => ("trial", None, Vec::new(), Vec::new()),
        Some(Outcome::NothingToDo) => ("nothing", None, Vec::new(), Vec::new()),
        Some(Outcome::Done { not_verifiable }) => ("done", None, names(not_verifiable), Vec::new()),
        Some(Outcome::PutBack(failure)) => ("put_back", Some(failure), Vec::new(), Vec::new()),
        Some(Outcome::Mixed(failure, left)) => ("mixed", Some(failure), Vec::new(), groups(left)),
    };
    let (trial, on_trial) = match &began {
        Some((trial, not_verifiable)) => (trial.as_ref().map(as_json), names(not_verifiable)),
        None => (None, Vec::new()),
    };
    let failure = failure.map(Failure::spoken);
    Ok(json!({
        "outcome": word,
        "failure": failure.as_ref().map(Sentence::english),
        "failure_zh": failure.as_ref().and_then(Sentence::chinese_if_any),
        "not_verifiable": if began.is_some() { on_trial } else { not_verifiable },
        "left": left,
        "trial": trial,
        "steps": steps.iter().map(Sentence::english).collect::<Vec<_>>(),
        "steps_zh": steps.iter().map(Sentence::chinese).collect::<Vec<_>>(),
    }))
}

fn names(plan: &Plan) -> String {
    let names: Vec<String> = plan.changes.iter().map(|it| it.key.to_string()).collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        let (status, word) = match failure {
            Failure::Refused(..) | Failure::Differs(_) => (StatusCode::CONFLICT, "refused"),
            Failure::Door(_) => (StatusCode::GATEWAY_TIMEOUT, "device"),
        };
        Self::new(status, word, failure.spoken())
    }
}

pub(crate) async fn trial(State(app): State<Arc<App>>) -> Answer<Json<Value>> {
    let features = app.device.features();
    let trial = if !features.confirm {
        Value::Null
    } else if features.live {
        let status = blocking(&app, |app| Ok(app.device.status(STATUS)?)).await?;
        status["trial"].clone()
    } else {
        let trial = with_door(&app, |_, door| Ok(trial::current(door)?)).await?;
        trial.as_ref().map_or(Value::Null, as_json)
    };
    Ok(Json(json!({ "trial": trial })))
}

pub(crate) async fn keep(
    State(app): State<Arc<App>>,
    Body(which): Body<Which>,
) -> Answer<Json<Value>> {
    end(&app, which.id, |_, door| Ok(trial::keep(door)?)).await?;
    Ok(done())
}

pub(crate) async fn rollback(
    State(app): State<Arc<App>>,
    Body(which): Body<Which>,
) -> Answer<Json<Value>> {
    let keys = end(&app, which.id, |app, door| {
        // What it is about, where the device tells: behind it nobody knows.
        let is_told = app.device.features().live;
        let told = is_told.then(|| app.device.status(STATUS));
        let told = told.and_then(Result::ok).unwrap_or_default();
        trial::go_back(door)?;
        Ok(told["trial"]["keys"].clone())
    })
    .await?;
    Ok(Json(json!({ "ok": true, "keys": keys })))
}

async fn end<R: Done>(
    app: &Arc<App>,
    id: u32,
    how: fn(&App, &mut dyn Door) -> Answer<R>,
) -> Answer<R> {
    with_door(app, move |app, door| {
        let current = trial::current(door)?;
        match &current {
            Some(trial) if trial.id == id => how(app, door),
            Some(trial) => Err(on_trial(trial)),
            None => Err(Fault::new(
                StatusCode::CONFLICT,
                "trial",
                words::none_on_trial(),
            )),
        }
    })
    .await
}

fn done() -> Json<Value> {
    Json(json!({ "ok": true }))
}

pub(crate) async fn save(State(app): State<Arc<App>>, Body(_): Body<Typed>) -> Answer<Json<Value>> {
    with_door(&app, |_, door| {
        let reply = door.command("ATW")?;
        match reply.refusal() {
            Some(words) => Err(Failure::Refused("ATW".to_owned(), words_of_device(words)).into()),
            None => Ok(()),
        }
    })
    .await?;
    Ok(done())
}

pub(crate) async fn restart(
    State(app): State<Arc<App>>,
    Body(_): Body<Typed>,
) -> Answer<Json<Value>> {
    with_door(&app, |_, door| Ok(door.restart("AT+CIRESET", None)?)).await?;
    Ok(done())
}

pub(crate) async fn factory(
    State(app): State<Arc<App>>,
    Body(_): Body<Typed>,
) -> Answer<Json<Value>> {
    with_door(&app, |_, door| {
        Ok(door.restart("AT+CIRELOAD", Some(FACTORY_RATE))?)
    })
    .await?;
    Ok(done())
}

/// Of a new device.
const FACTORY_RATE: u32 = 115_200;
