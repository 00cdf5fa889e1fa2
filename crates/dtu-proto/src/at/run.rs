//! A command line is run: its commands one after the other, until one fails or has to wait.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::command::{Command, Handler};
use super::connection::{ConnectionCode, connection_text};
use super::frame;
use super::outcome::{Change, Effect, Lines, Next, Outcome, SlowCommand};
use super::parse::{self, Form, Piece};
use super::prompt::{Entry, Prompt, PromptKind};
use super::reply::{self, Code, Error, Reason, Shown};
use super::sms;
use super::table;
use super::view::View;
use crate::cellular::Clock;
use crate::config::{Config, Options};
use crate::event::RestartReason;
use crate::identity::Identity;
use crate::ids::Origin;
use crate::line::assembler::LINE_MAX;
use crate::mode::at::AtConnection;
use crate::radio::SubmitFailure;
use crate::sms::Mailbox;
use crate::status::Status;

/// What a line works on. Its commands see a [`View`] of it; what they want changed is changed here.
pub(crate) struct Device<'a> {
    pub(crate) config: &'a mut Arc<Config>,
    pub(crate) stored: &'a Config,
    pub(crate) options: &'a Options,
    pub(crate) identity: &'a Identity,
    pub(crate) status: &'a Status,
    pub(crate) clock: &'a mut Clock,
    pub(crate) mailbox: &'a mut Mailbox,
    pub(crate) connection: &'a mut AtConnection,
    pub(crate) origin: Origin,
    pub(crate) rights: Rights,
}

/// What the origin may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    /// Everything.
    Full,
    /// Queries: the password is still the factory one.
    Query,
}

/// What became of a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LineOutcome {
    /// All of it ran (or an error ended it): the whole reply.
    Done {
        reply: Vec<u8>,
        effects: Vec<Effect>,
        /// Why it was refused, if it was.
        refusal: Option<String>,
    },
    /// A slow command was met: what is left runs with [`resume`] when it is answered. `reply` and `effects` so far
    /// wait with it: the device acts behind the whole reply.
    Parked {
        reply: Vec<u8>,
        effects: Vec<Effect>,
        parked: ParkedLine,
    },
    /// The last command of the line wants a text from the DTE: [`answer_prompt`] goes on. `reply` ends with the
    /// prompt, and goes out at once.
    Prompt {
        reply: Vec<u8>,
        effects: Vec<Effect>,
        prompt: Prompt,
    },
}

/// A line that waits for the store or the modem.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ParkedLine {
    /// Who waits, and for what.
    pub(crate) waits: SlowCommand,
    /// What of the line is still to run.
    rest: Vec<u8>,
}

/// What a parked line waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SlowResult {
    /// Of the store.
    Stored(Result<(), String>),
    /// Of the network: the reference of the last part, or why the first part that failed did.
    Submitted(Result<u8, SubmitFailure>),
    /// Of the connection: whether its socket has the bytes.
    Sent(bool),
    /// The connection is closed.
    Closed,
}

/// What a line has given so far.
#[derive(Default)]
struct LineProgress {
    reply: Vec<u8>,
    effects: Vec<Effect>,
}

/// Runs one command line (without its line end) and says what to answer.
pub(crate) fn run_line(line: &[u8], device: &mut Device<'_>) -> LineOutcome {
    let line = parse::without_noise(line);
    let quoted = parse::quote_free_text(line);
    // Quotes that stand here only for the parser are not the typist's.
    let typed = parse::trim(line).len();
    let line = parse::normalize(quoted.as_deref().unwrap_or(line));
    let line = parse::trim(&line);
    let given = LineProgress::default();
    if line.is_empty() {
        return given.done(None);
    }
    let length = line.len().min(typed);
    if length > LINE_MAX {
        let text = format!("a command line has at most {LINE_MAX} bytes, got {length}");
        return given.end(Err(Error::new(Code::IncorrectParameters, text)), device);
    }
    match parse::behind_at(line) {
        Some(rest) => run_rest(rest, given, device),
        None => {
            let text = format!("a command line begins with AT, got {}", Shown(line));
            given.end(Err(Error::new(Code::NotSupported, text)), device)
        }
    }
}

/// Goes on with a parked line, now that it is answered.
pub(crate) fn resume(
    parked: ParkedLine,
    result: SlowResult,
    device: &mut Device<'_>,
) -> LineOutcome {
    let mut outcome = Outcome::default();
    let ended = slow_ended(&parked, result, &device.view(), &mut outcome);
    match LineProgress::default().add(ended, outcome, &parked.rest, device) {
        ControlFlow::Continue(given) => run_rest(&parked.rest, given, device),
        ControlFlow::Break(ended) => ended,
    }
}

/// What a slow command gives when it is answered.
fn slow_ended(
    parked: &ParkedLine,
    result: SlowResult,
    view: &View<'_>,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    match (&parked.waits, result) {
        (
            SlowCommand::Save | SlowCommand::Keep | SlowCommand::Factory,
            SlowResult::Stored(Err(why)),
        ) => {
            let text = format!("{}: not stored: {}", parked.waits.name(), Reason(&why));
            return Err(Error::new(Code::MemoryFailure, text));
        }
        (SlowCommand::Factory, SlowResult::Stored(Ok(()))) => {
            outcome.change(Change::Config(Config::default().into()));
            outcome.effect(Effect::Restart(RestartReason::Factory));
        }
        (SlowCommand::Keep, SlowResult::Stored(Ok(()))) => outcome.effect(Effect::Keep),
        (SlowCommand::Submit(submission), SlowResult::Submitted(result)) => {
            return sms::submitted(submission, result, view, outcome);
        }
        (SlowCommand::Send(_), SlowResult::Sent(true)) => {
            outcome.next = Next::End(ConnectionCode::SendOk);
        }
        (SlowCommand::Send(_), SlowResult::Sent(false)) => {
            outcome.next = Next::End(ConnectionCode::SendFail);
        }
        (SlowCommand::Close, SlowResult::Closed) => {
            outcome.next = Next::Code(ConnectionCode::CloseOk)
        }
        // `Save` has nothing more to do; the rest are answers to something else, which the device does not give.
        (
            SlowCommand::Save
            | SlowCommand::Keep
            | SlowCommand::Factory
            | SlowCommand::Submit(_)
            | SlowCommand::Send(_)
            | SlowCommand::Close,
            SlowResult::Stored(_)
            | SlowResult::Submitted(_)
            | SlowResult::Sent(_)
            | SlowResult::Closed,
        ) => {}
    }
    Ok(())
}

/// Goes on with a command that has asked for a text.
pub(crate) fn answer_prompt(prompt: Prompt, entry: Entry, device: &mut Device<'_>) -> LineOutcome {
    let mut outcome = Outcome::default();
    let result = match prompt.what {
        PromptKind::Message(what) => sms::prompted(what, entry, &device.view(), &mut outcome),
        PromptKind::Frame => frame::prompted(None, entry, &mut outcome),
        PromptKind::Count(count) => frame::prompted(Some(count), entry, &mut outcome),
    };
    match LineProgress::default().add(result, outcome, &[], device) {
        ControlFlow::Continue(given) => given.end(Ok(()), device),
        ControlFlow::Break(ended) => ended,
    }
}

/// Whether a line that begins with `AT` goes on like a command; `attic` does not.
pub(crate) fn begins_with_a_command(line: &[u8]) -> bool {
    let line = parse::normalize(line);
    let Some(rest) = parse::behind_at(parse::trim(&line)) else {
        return false;
    };
    match parse::next(rest) {
        None => true,
        Some((Ok(piece), _)) => piece.name.starts_with('+') || table::find(&piece.name).is_some(),
        Some((Err(_), _)) => rest.starts_with(b"+"),
    }
}

/// The reply to a line that was not run at all.
pub(crate) fn error_reply(text: &str, config: &Config) -> Vec<u8> {
    let mut reply = Vec::new();
    reply::result(
        &Err(Error::new(Code::NotAllowed, text.into())),
        config,
        &mut reply,
    );
    reply
}

/// Runs command after command until one fails or waits.
fn run_rest(mut rest: &[u8], mut given: LineProgress, device: &mut Device<'_>) -> LineOutcome {
    while let Some((piece, behind)) = parse::next(rest) {
        rest = behind;
        if given.reply.len() > REPLY_MAX {
            let text = format!(
                "the reply to one line has at most {REPLY_MAX} bytes; ask in several lines"
            );
            return given.end(Err(Error::new(Code::NotAllowed, text)), device);
        }
        let mut outcome = Outcome::default();
        let tries = given.effects.iter().any(is_trial);
        let result = run_piece(piece, tries, &mut outcome, device);
        given = match given.add(result, outcome, rest, device) {
            ControlFlow::Continue(given) => given,
            ControlFlow::Break(ended) => return ended,
        };
    }
    given.end(Ok(()), device)
}

/// Finds the command, checks rights and form, reads the values and runs it.
fn run_piece(
    piece: Result<Piece, String>,
    tries: bool,
    outcome: &mut Outcome,
    device: &mut Device<'_>,
) -> Result<(), Error> {
    let piece = piece.map_err(|text| Error::new(Code::IncorrectParameters, text))?;
    let command = table::served(&piece.name)?;
    check_rights(command, piece.form, device.rights)?;
    let handler = command.handler(piece.form)?;
    check_trial(command, handler, device.status)?;
    if tries {
        check_behind_trial(command, handler)?;
    }
    let values = command.values(piece.form, &piece.args, device.view().charset())?;
    match handler {
        Handler::Ask(ask) => outcome.lines = ask(&values, &device.view())?,
        Handler::Tell(tell) => outcome.lines = tell(&values, table::GROUPS)?,
        Handler::Set(set) => {
            set(&values, Arc::make_mut(device.config))?;
            outcome.effects.extend(command.then.map(|effect| effect()));
        }
        Handler::Act(act) => act(&values, &device.view(), outcome)?,
        Handler::Ranges => outcome.lines = command.test_text().into_iter().collect(),
    }
    Ok(())
}

fn check_rights(command: &Command, form: Form, rights: Rights) -> Result<(), Error> {
    let only_asks = match form {
        Form::Read | Form::Test => true,
        Form::Run | Form::Set => command.handler(form).is_ok_and(Handler::is_open),
    };
    if rights == Rights::Full || only_asks {
        return Ok(());
    }
    let label = command.label();
    let text =
        format!("{label}: factory password: set a new one at the serial line first (AT+CIPSW)");
    Err(Error::new(Code::NotAllowed, text))
}

/// Settings on trial go back as a whole, so nobody changes one of them meanwhile. What programs on the line set for
/// themselves is no such setting.
fn check_trial(command: &Command, handler: Handler, status: &Status) -> Result<(), Error> {
    match &status.trial {
        Some(trial) if sets(command, handler) => {
            let text = format!("{}: {trial}", command.label());
            Err(Error::new(Code::NotAllowed, text))
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether this form sets what a trial is about.
fn sets(command: &Command, handler: Handler) -> bool {
    let is_setting = matches!(handler, Handler::Set(_)) || command.saved.is_some();
    is_setting && !handler.is_open() && !table::is_for_programs(command)
}

const fn is_trial(effect: &Effect) -> bool {
    matches!(effect, Effect::ApplyOnTrial(_))
}

/// The trial begins behind the line: what would be set or stored until then would be no part of it.
fn check_behind_trial(command: &Command, handler: Handler) -> Result<(), Error> {
    let stores = ["W", "&W", "+CIAPPLY"].contains(&command.name) && !handler.is_open();
    if !stores && !sets(command, handler) {
        return Ok(());
    }
    let text = format!(
        "{}: AT+CIAPPLY=<s> is the last of its line that sets or stores",
        command.label()
    );
    Err(Error::new(Code::NotAllowed, text))
}

impl LineProgress {
    /// Adds what a command gave, and changes what it wants changed, so that the next command sees it. Breaks where the
    /// line ends or waits here.
    fn add(
        mut self,
        result: Result<(), Error>,
        outcome: Outcome,
        rest: &[u8],
        device: &mut Device<'_>,
    ) -> ControlFlow<LineOutcome, Self> {
        let Outcome {
            lines: Lines(lines),
            changes,
            effects,
            next,
        } = outcome;
        changes.into_iter().for_each(|change| device.apply(change));
        if result.is_err() {
            return ControlFlow::Break(self.end(result, device));
        }
        reply::information(&lines, device.config, &mut self.reply);
        self.effects.extend(effects);
        let Self { mut reply, effects } = self;
        ControlFlow::Break(match next {
            Next::Command => return ControlFlow::Continue(Self { reply, effects }),
            Next::Wait(waits) => LineOutcome::Parked {
                reply,
                effects,
                parked: ParkedLine {
                    waits,
                    rest: rest.to_vec(),
                },
            },
            Next::Prompt(prompt) => {
                // 27.005 3.5.1: the command is the last of its line; what stands behind it is not run.
                reply.extend_from_slice(PROMPT);
                LineOutcome::Prompt {
                    reply,
                    effects,
                    prompt,
                }
            }
            Next::Code(code) => {
                reply.extend(connection_text(code, device.config));
                let given = Self { reply, effects };
                if parse::next(rest).is_some() {
                    return ControlFlow::Continue(given);
                }
                given.done(None)
            }
            Next::End(code) => {
                reply.extend(connection_text(code, device.config));
                Self { reply, effects }.done(None)
            }
        })
    }

    /// The result code ends the line.
    fn end(mut self, result: Result<(), Error>, device: &Device<'_>) -> LineOutcome {
        reply::result(&result, device.config, &mut self.reply);
        self.done(result.err().map(|error| error.text))
    }

    fn done(self, refusal: Option<String>) -> LineOutcome {
        let Self { reply, effects } = self;
        LineOutcome::Done {
            reply,
            effects,
            refusal,
        }
    }
}

impl Device<'_> {
    fn view(&self) -> View<'_> {
        View {
            config: self.config,
            stored: self.stored,
            options: self.options,
            identity: self.identity,
            status: self.status,
            clock: self.clock,
            mailbox: self.mailbox,
            connection: self.connection,
            origin: self.origin,
        }
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Config(config) => *self.config = Arc::from(config),
            Change::Clock(seconds) => self.clock.set(seconds, self.status.now),
            Change::Mailbox(change) => self.mailbox.apply(change, self.status.now),
            Change::OrderConnection(connect) => self.connection.order(connect),
            Change::ForgetConnection => self.connection.forget_order(),
            Change::DropFrame(bytes) => self.connection.dropped(bytes),
        }
    }
}

/// 27.005 3.5.1, to the byte.
const PROMPT: &[u8] = b"\r\n> ";
/// Once a reply is longer than this, the line ends with an error: no line can ask for megabytes.
const REPLY_MAX: usize = 32 * 1024;
