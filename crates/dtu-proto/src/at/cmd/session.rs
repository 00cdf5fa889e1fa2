//! How the device talks: echo, result codes, errors, help.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::super::command::{Command, Groups, TakesEffect};
use super::super::describe::{ParameterDescription, describe_parameter};
use super::super::outcome::{Change, Lines, Outcome};
use super::super::param::{Chars, Kind, Param};
use super::super::reply::{Code, Error, Quoted};
use super::super::values::Values;
use super::super::view::View;
use super::{ON_OFF, accepted, one, says_ok};
use crate::config::Config;

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new("", "2.8.6.1", "Answers OK: the device is there", &[])
        .example("AT", "OK")
        .asks(says_ok),
    Command::new("E", "V.250 6.2.4", "Echo of what the serial line types", ECHO)
        .example("ATE1", "OK")
        .switches(echo)
        .saved(|config| one(format!("ATE{}", u8::from(config.echo))), TakesEffect::Now),
    Command::new("V", "V.250 6.2.6", "Result codes as digits or words", VERBOSE)
        .example("ATV1", "OK")
        .switches(verbose)
        .saved(|config| one(format!("ATV{}", u8::from(config.verbose))), TakesEffect::Now),
    Command::new("Q", "V.250 6.2.5", "Result codes sent or not", QUIET)
        .example("ATQ0", "OK")
        .switches(quiet)
        .saved(|config| one(format!("ATQ{}", u8::from(config.quiet))), TakesEffect::Now),
    Command::new("+CMEE", "27.007 9.1", "How errors are answered", CMEE)
        .example("AT+CMEE=2", "OK")
        .reads(read_cmee)
        .sets(set_cmee)
        .saved(|config| one(format!("AT+CMEE={}", config.cmee)), TakesEffect::Now),
    Command::new("X", "V.250 6.2.7", "Accepted without effect: every call result code is told", CALLS)
        .example("ATX4", "OK")
        .acts(accepted),
    Command::new("&C", "V.250 6.2.8", "Accepted without effect: there is no carrier line", CARRIER)
        .example("AT&C1", "OK")
        .acts(accepted),
    Command::new("&D", "V.250 6.2.9", "Accepted without effect: there is no DTR line", LINE_LOST)
        .example("AT&D2", "OK")
        .acts(accepted),
    Command::new("L", "V.250 6.3.13", "Accepted without effect: there is no loudspeaker", SPEAKER)
        .example("ATL1", "OK")
        .acts(accepted),
    Command::new("M", "V.250 6.3.14", "Accepted without effect: there is no loudspeaker", SPEAKER)
        .example("ATM0", "OK")
        .acts(accepted),
    Command::new("S3", "V.250 6.2.1", "Character that ends a line: CR", FIXED_CR)
        .example("ATS3?", "013\nOK")
        .reads(|_, _| Ok(register(13)))
        .acts_on(accepted),
    Command::new("S4", "V.250 6.2.2", "Character behind CR in replies: LF", FIXED_LF)
        .example("ATS4?", "010\nOK")
        .reads(|_, _| Ok(register(10)))
        .acts_on(accepted),
    Command::new("S5", "V.250 6.2.3", "Character that deletes the last one: backspace", FIXED_BS)
        .example("ATS5?", "008\nOK")
        .reads(|_, _| Ok(register(8)))
        .acts_on(accepted),
    Command::new(
        "S7",
        "V.250 6.3.10",
        "Seconds until a call must be answered: accepted without effect, always 120",
        WAIT,
    )
    .example("ATS7?", "120\nOK")
    .reads(|_, _| Ok(register(120)))
    .acts_on(accepted),
    Command::new("Z", "V.250 6.1.1", "What a program sets for itself, as it is stored", PROFILE)
        .example("ATZ", "OK")
        .notes(PROFILE_NOTE)
        .acts(stored_profile),
    Command::new("&F", "V.250 6.1.2", "What a program sets for itself, as in a new device", PROFILE)
        .example("AT&F", "OK")
        .notes(PROFILE_NOTE)
        .switches(factory_profile),
    Command::new("+CLAC", "27.007 8.37", "Every command that this version serves", &[])
        .example("AT+CLAC", "AT\nATE\n…\nOK")
        .tells(list),
    Command::new(
        "+HELP",
        "own",
        "Help: all commands by subject, those of one subject, or one command with its parameters and an example",
        NAME,
    )
    .example("AT+HELP=CICLOSE", "+HELP: AT+CICLOSE - Closes the connection of the AT mode (2.8.6.36)\n+HELP: example: AT+CICLOSE -> CLOSE OK\nOK")
    .tells(help)
    .tells_of(help_one),
];

const ECHO: &[Param] = &[Param::new("ECHO", ON_OFF, "").factory("0").left_off_is("0")];
const VERBOSE: &[Param] = &[
    Param::new("WORDS", Kind::Choice(&[(0, "digits"), (1, "words")]), "")
        .factory("1")
        .left_off_is("0"),
];
const QUIET: &[Param] = &[
    Param::new("QUIET", Kind::Choice(&[(0, "sent"), (1, "not sent")]), "")
        .factory("0")
        .left_off_is("0"),
];
const CMEE: &[Param] = &[Param::new(
    "MODE",
    Kind::Choice(&[
        (0, "ERROR"),
        (1, "+CME ERROR: and a number"),
        (2, "+CME ERROR: and a text"),
    ]),
    "",
)
.factory("2")];
const CALLS: &[Param] =
    &[Param::new("CODES", Kind::Number { min: 0, max: 4 }, "").left_off_is("0")];
const CARRIER: &[Param] =
    &[Param::new("CARRIER", Kind::Number { min: 0, max: 1 }, "").left_off_is("0")];
const PROFILE: &[Param] = &[Param::new("PROFILE", Kind::Choice(&[(0, "")]), "").left_off_is("0")];
const LINE_LOST: &[Param] =
    &[Param::new("DTR", Kind::Number { min: 0, max: 2 }, "").left_off_is("0")];
const SPEAKER: &[Param] =
    &[Param::new("LEVEL", Kind::Number { min: 0, max: 3 }, "").left_off_is("0")];
const FIXED_CR: &[Param] =
    &[Param::new("CHARACTER", Kind::Choice(&[(13, "CR")]), "").factory("13")];
const FIXED_LF: &[Param] =
    &[Param::new("CHARACTER", Kind::Choice(&[(10, "LF")]), "").factory("10")];
const FIXED_BS: &[Param] = &[Param::new("CHARACTER", Kind::Choice(&[(8, "BS")]), "").factory("8")];
const WAIT: &[Param] = &[Param::new("TIME", Kind::Number { min: 0, max: 255 }, "s")
    .factory("120")
    .left_off_is("0")];
const PROFILE_NOTE: &str = "These are E, V, Q, S0, CMEE, CLIP, CRC, CREG, CGREG, CEREG and the format of COPS; nothing else \
changes. AT+CIRELOAD is the command that brings back every factory setting.";
const NAME: &[Param] = &[Param::new(
    "COMMAND",
    Kind::Text {
        min: 1,
        max: 20,
        chars: Chars::Token,
    },
    "name of a command, with or without AT and +, or of a subject",
)];

fn echo(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.echo = values.flag(0)?;
    Ok(())
}

fn verbose(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.verbose = values.flag(0)?;
    Ok(())
}

fn quiet(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.quiet = values.flag(0)?;
    Ok(())
}

/// A register, in three digits (V.250 5.3.2).
fn register(value: u8) -> Lines {
    format!("{value:03}").into()
}

fn read_cmee(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(format!("+CMEE: {}", view.config.cmee).into())
}

fn set_cmee(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.cmee = values.narrow(0)?;
    Ok(())
}

fn stored_profile(_: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    let mut config = view.config.clone();
    copy_profile(view.stored, &mut config);
    outcome.change(Change::Config(config.into()));
    Ok(())
}

fn factory_profile(_: &Values, config: &mut Config) -> Result<(), Error> {
    copy_profile(&Config::default(), config);
    Ok(())
}

/// `config` with what programs on the line have set for themselves in `of`, messages and calls included.
pub(crate) fn with_profile_of(of: &Config, config: &Arc<Config>) -> Arc<Config> {
    let mut with = config.clone();
    let mut own = Config::clone(config);
    copy_profile(of, &mut own);
    own.messages.clone_from(&of.messages);
    own.refuse_calls = of.refuse_calls;
    if own != **config {
        with = Arc::new(own);
    }
    with
}

fn copy_profile(from: &Config, to: &mut Config) {
    to.echo = from.echo;
    to.verbose = from.verbose;
    to.quiet = from.quiet;
    to.cmee = from.cmee;
    to.auto_answer = from.auto_answer;
    to.caller_id = from.caller_id;
    to.extended_ring = from.extended_ring;
    to.registration_reports = from.registration_reports;
    to.operator_format = from.operator_format;
}

fn list(_: &Values, groups: Groups) -> Result<Lines, Error> {
    Ok(every(groups)
        .filter(|command| command.missing.is_none())
        .map(Command::typed)
        .collect())
}

fn every(groups: Groups) -> impl Iterator<Item = &'static Command> {
    groups.iter().flat_map(|(_, commands)| *commands)
}

fn help(_: &Values, groups: Groups) -> Result<Lines, Error> {
    let of_group = |(subject, commands): &(&str, &[Command])| {
        let lines = commands.iter().map(help_line);
        let head = format!("+HELP: {subject}");
        core::iter::once(head).chain(lines).collect::<Vec<_>>()
    };
    Ok(groups.iter().flat_map(of_group).collect())
}

fn help_one(values: &Values, groups: Groups) -> Result<Lines, Error> {
    let asked = values.text(0)?;
    let name = asked.to_ascii_uppercase();
    if let Some((_, commands)) = groups.iter().find(|(subject, _)| *subject == name) {
        return Ok(commands.iter().map(help_line).collect());
    }
    let command = named(&name, groups).ok_or_else(|| no_such(values, &asked))?;
    let mut lines = Vec::from([help_line(command)]);
    let parameters = command.params.iter().map(describe_parameter);
    lines.extend(parameters.map(parameter_line));
    let (line, answer) = command.example;
    lines.push(format!(
        "+HELP: example: {line} -> {}",
        answer.replace('\n', " | ")
    ));
    Ok(Lines::from_iter(lines))
}

fn no_such(values: &Values, asked: &str) -> Error {
    values.refuse(
        Code::IncorrectParameters,
        &format!("COMMAND must be a command or a subject that AT+HELP lists, got {asked}"),
    )
}

/// `CIPCFG`, `+CIPCFG`, `AT+CIPCFG`, `ATE` and `E` all name a command.
fn named(asked: &str, groups: Groups) -> Option<&'static Command> {
    let find = |name: &str| every(groups).find(|command| command.name == name);
    let behind_at = asked.strip_prefix("AT");
    [Some(asked), behind_at]
        .into_iter()
        .flatten()
        .find_map(|name| find(name).or_else(|| find(&format!("+{name}"))))
}

fn help_line(command: &Command) -> String {
    let forms = command.forms().join(" ");
    let missing = command
        .missing
        .map(|missing| format!(" [{}]", missing.text()))
        .unwrap_or_default();
    format!(
        "+HELP: {forms} - {} ({}){missing}",
        command.help, command.section
    )
}

fn parameter_line(param: ParameterDescription) -> String {
    let parts = [
        (!param.help.is_empty()).then(|| param.help.to_string()),
        param
            .factory
            .map(|value| format!("factory {}", shown(value))),
        param
            .absent
            .map(|value| format!("nothing means {}", shown(value))),
    ];
    let more: Vec<String> = parts.into_iter().flatten().collect();
    let more = if more.is_empty() {
        String::new()
    } else {
        format!("; {}", more.join("; "))
    };
    format!("+HELP: {} = {}{more}", param.name, param.range)
}

fn shown(value: &str) -> String {
    if value.is_empty() {
        Quoted("").to_string()
    } else {
        value.to_string()
    }
}
