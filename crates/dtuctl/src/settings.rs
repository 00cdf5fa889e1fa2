//! `dump`, `set`, `apply`, `names`: settings as a whole.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use dtu_setup::apply::{self, Outcome, Plan, Step, groups_of, most};
use dtu_setup::charset::{self, Charset, meant_in_utf8};
use dtu_setup::door::Door;
use dtu_setup::file::{self, Format};
use dtu_setup::reading::{Reading, commands_for, read_for};
use dtu_setup::say::{Language, Spoken as _};
use dtu_setup::values::UNCHANGED;
use dtu_setup::{Group, Key, Schema, Sentence, Values, chinese};
use serde_json::json;

use crate::device::PortArgs;
use crate::password::Secrets;
use crate::say::{self, BadFile, Usage, language, of_error, said, tell, to_stderr, to_stdout};
use crate::show::{self, Progress, plain};
use crate::sms::Texts;

/// Read every parameter.
#[derive(Debug, Args)]
pub(crate) struct Dump {
    /// For programs
    #[arg(long, conflicts_with = "toml")]
    pub(crate) json: bool,
    /// For people, with what each value means (the default)
    #[arg(long)]
    toml: bool,
}

/// Make the device equal FILE.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// TOML or JSON as `dump` writes it, or AT set commands, one a line; `-` is stdin. What it does not name stays as it is
    file: PathBuf,
    /// Shows what would change, and sets nothing
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run: exit 4 if something would change
    #[arg(long, requires = "dry_run")]
    exit_code: bool,
    /// The result as one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// Set single values, in the running set alone.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// As `dtuctl names` lists them: CIPSCONT.1.ADDRESS=data.example.com CIMOD=0. A secret comes from a file, for every
    /// user sees arguments: CIPSW=@FILE; @- is stdin
    #[arg(required = true, value_name = "NAME=VALUE")]
    values: Vec<String>,
    /// The result as one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// What ends a program.
pub(crate) type Ended = anyhow::Result<ExitCode>;

fn reading(door: &mut dyn Door, schema: &Schema, wanted: &[Group]) -> anyhow::Result<Reading> {
    let progress = Progress::new();
    let reading = read_for(door, schema, wanted, &mut |at, of| {
        progress.step(&Step::Reading(at, of));
    })?;
    Ok(reading)
}

impl Dump {
    pub(crate) fn run(&self, port: &PortArgs) -> Ended {
        let schema = Schema::new();
        let all: Vec<Group> = schema.groups().collect();
        let texts = Texts::default().and(commands_for(&schema, &all), say::texts_read);
        let reading = port.with_device(&texts, |door| reading(door, &schema, &all))?;
        let format = if self.json {
            Format::Json
        } else {
            Format::Toml
        };
        to_stderr(&show::unread(&reading));
        if reading.values.is_empty() {
            bail!(say::nothing_told());
        }
        to_stdout(&file::write(&schema, &reading.values, format))?;
        if port.charset() == Charset::Gbk && !port.is_sms() {
            for (key, value) in reading.values.iter() {
                if let Some(meant) = meant_in_utf8(value) {
                    tell(say::may_be_utf8(key, plain(value), plain(&meant)));
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Apply {
    pub(crate) fn run(&self, port: &PortArgs) -> Ended {
        let schema = Schema::new();
        let wanted = self
            .wanted(&schema, port.charset_of_way())
            .map_err(|error| BadFile(of_error(&error)))?;
        let progress = Progress::new();
        let groups = groups_of(&wanted);
        let most = most(&schema, &wanted);
        let texts = if self.dry_run {
            Texts::default().and(most.read, say::texts_read)
        } else {
            Texts::of_apply(most)
        };
        let (plan, outcome) = port.with_device(&texts, |door| {
            let reading = reading(door, &schema, &groups)?;
            let mut plan = apply::plan(&schema, &reading, &wanted, door)?;
            if self.dry_run {
                return Ok((plan, None));
            }
            if !self.json {
                to_stdout(&show::diff(&plan))?;
            }
            let shown = plan.changes.len();
            let mut step = |step| progress.step(&step);
            let outcome = apply::apply_in_new_mode(door, &schema, &mut plan, &wanted, &mut step);
            let more = show::changes(&plan.changes[shown..]);
            Ok((plan, Some((outcome, more))))
        })?;
        drop(progress);
        let (outcome, more) = outcome.unzip();
        let code = self.exit_code(&plan, outcome.as_ref());
        if let Err(error) = self.tell(&plan, outcome.as_ref(), more.as_deref()) {
            return untold(error, outcome.as_ref(), code);
        }
        Ok(code)
    }

    fn wanted(&self, schema: &Schema, charset: Charset) -> anyhow::Result<Values> {
        let name = self.file.display();
        let source: Box<dyn Read> = if self.file.as_os_str() == "-" {
            Box::new(io::stdin())
        } else {
            Box::new(fs::File::open(&self.file).with_context(|| format!("{name}"))?)
        };
        let mut bytes = Vec::new();
        let mut source = source.take(FILE_MOST + 1);
        source
            .read_to_end(&mut bytes)
            .with_context(|| format!("{name}"))?;
        if bytes.len() as u64 > FILE_MOST {
            return Err(anyhow::Error::from(say::long_file(FILE_MOST)).context(format!("{name}")));
        }
        let named = |words: &str| plain(&format!("{name}:{words}"));
        file::read_for(schema, &bytes, charset).map_err(|fault| fault.spoken().map(named).into())
    }

    /// `more` is what changed beside the plan that was shown.
    fn tell(
        &self,
        plan: &Plan,
        outcome: Option<&Outcome>,
        more: Option<&str>,
    ) -> anyhow::Result<()> {
        let text = match outcome {
            _ if self.json => format!("{}\n", as_json(plan, outcome)),
            None if plan.changes.is_empty() => format!("{}\n", said(say::nothing_to_do())),
            None => show::diff(plan),
            Some(outcome @ (Outcome::NothingToDo | Outcome::Done { .. })) => {
                more.unwrap_or_default().to_owned() + &show::outcome(outcome, language())
            }
            Some(outcome) => {
                let more = to_stdout(more.unwrap_or_default());
                to_stderr(&format!("dtuctl: {}", show::outcome(outcome, language())));
                return more;
            }
        };
        to_stdout(&text)
    }

    fn exit_code(&self, plan: &Plan, outcome: Option<&Outcome>) -> ExitCode {
        match outcome {
            None if self.exit_code && !plan.changes.is_empty() => ExitCode::from(DIFFERENT),
            None => ExitCode::SUCCESS,
            Some(outcome) => code_of(outcome),
        }
    }
}

fn code_of(outcome: &Outcome) -> ExitCode {
    match outcome {
        Outcome::NothingToDo | Outcome::Done { .. } => ExitCode::SUCCESS,
        Outcome::PutBack(_) => ExitCode::FAILURE,
        Outcome::Mixed(..) => ExitCode::from(MIXED),
    }
}

/// A result that could not be written: what became of the device matters more than who reads it.
fn untold(error: anyhow::Error, outcome: Option<&Outcome>, code: ExitCode) -> Ended {
    match outcome {
        // 1 would say that the old values are back.
        Some(Outcome::Done { .. }) => tell(say::is_done_untold(of_error(&error))),
        Some(Outcome::PutBack(_) | Outcome::Mixed(..)) => tell(of_error(&error)),
        Some(Outcome::NothingToDo) | None => return Err(error),
    }
    Ok(code)
}

/// As the console takes; all settings are a few thousand bytes.
const FILE_MOST: u64 = 1 << 20;
/// Failed, and the old values are not back.
const MIXED: u8 = 3;
/// A dry run found differences.
const DIFFERENT: u8 = 4;

fn as_json(plan: &Plan, outcome: Option<&Outcome>) -> serde_json::Value {
    let changes: Vec<_> = plan
        .changes
        .iter()
        .map(|change| {
            let hide = |value: &str| {
                if change.secret {
                    "****".to_owned()
                } else {
                    value.to_owned()
                }
            };
            json!({
                "name": change.key.to_string(),
                "from": change.from.as_deref().map(hide),
                "to": hide(&change.to),
            })
        })
        .collect();
    let no_counterpart: Vec<_> = plan
        .no_counterpart
        .iter()
        .map(|unread| json!({ "name": unread.key.to_string(), "why": unread.why.english() }))
        .collect();
    let (word, not_verifiable, not_back) = match outcome {
        None => ("dry run", Vec::new(), Vec::new()),
        Some(Outcome::NothingToDo) => ("nothing to do", Vec::new(), Vec::new()),
        Some(Outcome::Done { not_verifiable }) => {
            let keys = not_verifiable.iter().map(ToString::to_string).collect();
            ("done", keys, Vec::new())
        }
        Some(Outcome::PutBack(_)) => ("failed", Vec::new(), Vec::new()),
        Some(Outcome::Mixed(_, groups)) => {
            let groups = groups.iter().map(ToString::to_string).collect();
            ("failed, old values not back", Vec::new(), groups)
        }
    };
    let reason = match outcome {
        Some(failed @ (Outcome::PutBack(_) | Outcome::Mixed(..))) => {
            Some(show::outcome(failed, Language::English))
        }
        Some(Outcome::NothingToDo | Outcome::Done { .. }) | None => None,
    };
    json!({
        "outcome": word,
        "changes": changes,
        "no_counterpart": no_counterpart,
        "not_verifiable": not_verifiable,
        "not_back": not_back,
        "reason": reason,
    })
}

impl Set {
    pub(crate) fn run(&self, port: &PortArgs) -> Ended {
        let schema = Schema::new();
        let mut wanted = Values::default();
        let mut secrets = Secrets::default();
        for pair in &self.values {
            let (key, value) = one(&schema, pair, port.charset_of_way(), &mut secrets)?;
            wanted.set(key, value);
        }
        let groups = groups_of(&wanted);
        let most = most(&schema, &wanted);
        let texts = Texts::default()
            .and(most.read, say::texts_read)
            .and(most.set, say::texts_set)
            .or_back(most.set + most.read);
        let (plan, outcome) = port.with_device(&texts, |door| {
            let reading = reading(door, &schema, &groups)?;
            let plan = apply::plan(&schema, &reading, &wanted, door)?;
            if !self.json {
                to_stdout(&show::diff(&plan))?;
            }
            let outcome = apply::set(door, &schema, &plan);
            Ok((plan, outcome))
        })?;
        let code = match code_of(&outcome) {
            ExitCode::SUCCESS if !plan.no_counterpart.is_empty() => ExitCode::FAILURE,
            code => code,
        };
        match self.tell(&plan, &outcome) {
            Ok(()) => Ok(code),
            Err(error) => untold(error, Some(&outcome), code),
        }
    }

    fn tell(&self, plan: &Plan, outcome: &Outcome) -> anyhow::Result<()> {
        if self.json {
            return to_stdout(&format!("{}\n", as_json(plan, Some(outcome))));
        }
        match outcome {
            Outcome::NothingToDo => to_stdout(&format!("{}\n", said(say::nothing_to_do()))),
            Outcome::Done { .. } => to_stdout(&format!("{}\n", said(say::is_set()))),
            Outcome::PutBack(_) | Outcome::Mixed(..) => {
                to_stderr(&format!("dtuctl: {}", show::outcome(outcome, language())));
                Ok(())
            }
        }
    }
}

/// `NAME=VALUE`; `NAME=@FILE` of a secret.
fn one(
    schema: &Schema,
    pair: &str,
    charset: Charset,
    secrets: &mut Secrets,
) -> anyhow::Result<(Key, String)> {
    let (name, value) = pair
        .split_once('=')
        .ok_or_else(|| Usage(say::name_and_value(plain(pair))))?;
    let key = schema
        .key(name.trim())
        .map_err(|error| Usage(error.spoken().map(plain)))?;
    let is_secret = schema.field(&key).secret && !value.is_empty() && value != UNCHANGED;
    let value = match value.strip_prefix('@') {
        Some(file) if is_secret => {
            let secret = secrets.of(file.as_ref(), &key.to_string())?;
            if secret.contains(['\r', '\n']) {
                bail!(Usage(say::several_lines(&key, shape(schema, &key))));
            }
            secret
        }
        None if is_secret => bail!(Usage(say::secret_as_argument(&key))),
        Some(_) | None => value.to_owned(),
    };
    dtu_setup::check::value(schema, &key, &value)
        .and_then(|()| charset::has_all(schema, charset, &key, &value))
        .map_err(|why| Usage(why.map(plain)))?;
    Ok((key, value))
}

/// What is allowed, and what it means.
fn shape(schema: &Schema, key: &Key) -> Sentence {
    let (command, field) = (schema.command(&key.group), schema.field(key));
    let chinese = chinese::help_of_field(command, field);
    Sentence::new(
        format!("{}; {}", field.range, field.help),
        format!("{}；{chinese}", chinese::range(&field.range)),
    )
}

/// What a value means, and what is allowed.
fn meaning(schema: &Schema, key: &Key) -> (&'static str, String) {
    let (command, field) = (schema.command(&key.group), schema.field(key));
    let (whole, own, range) = match language() {
        Language::English => (command.help, field.help, field.range.clone()),
        Language::Chinese => (
            chinese::help(command),
            chinese::help_of_field(command, field),
            chinese::range(&field.range),
        ),
    };
    (if own.is_empty() { whole } else { own }, range)
}

/// `dtuctl names`
pub(crate) fn names() -> Ended {
    let schema = Schema::new();
    let mut text = String::new();
    for group in schema.groups() {
        for key in schema.keys(&group) {
            let (means, range) = meaning(&schema, &key);
            text.push_str(&format!("{:24} {range}; {means}\n", key.to_string()));
        }
    }
    to_stdout(&text)?;
    Ok(ExitCode::SUCCESS)
}
