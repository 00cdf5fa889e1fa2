//! AT commands: one table feeds the interpreter, `=?`, help, the stored file and the docs.
//!
//! A line comes from one of the origins ([`Origin`]), which have checked password and gates already. It is
//! split into commands (V.250: `;`, glued basic commands); each is looked up in `table::GROUPS`, its values are
//! read by their `Param`s, and its handler changes the configuration, adds information text, or asks the device
//! for an [`Effect`].

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;

use crate::config::{Config, Options};
use crate::event::{Origin, RestartReason};
use crate::identity::Identity;
use crate::mode::at::AtConnection;
use crate::radio::{PhoneNumber, SubmitFailure};
use crate::sms::Mailbox;
use crate::status::Status;
use crate::time::Duration;

mod call;
mod clock;
mod cmd;
mod connection;
mod docs;
pub mod fuzzing;
mod param;
mod parse;
mod registration;
mod reply;
mod shown;
mod sms;
mod stored;
mod table;
#[cfg(test)]
mod tests;
mod urc;

pub(crate) use clock::Clock;
pub(crate) use connection::{ConnectionCode, connection_text};
pub use docs::{CommandDescription, ParameterDescription, commands};
pub(crate) use registration::registration_changes;
pub(crate) use shown::ShownLine;
pub use stored::{from_store_text, to_store_text};
pub use table::TakesEffect;
pub(crate) use urc::call_text;

use call::Call;
use reply::{Code, Error, Reason, Shown};

/// What a command may see and change.
pub(crate) struct Context<'a> {
    pub(crate) config: &'a mut Config,
    /// What is stored: `ATZ` goes back to its E, V, Q and CMEE.
    pub(crate) stored: &'a Config,
    pub(crate) options: &'a Options,
    pub(crate) identity: &'a Identity,
    pub(crate) status: &'a Status,
    pub(crate) clock: &'a mut Clock,
    pub(crate) mailbox: &'a mut Mailbox,
    pub(crate) connection: &'a mut AtConnection,
    pub(crate) origin: Origin,
    pub(crate) rights: Rights,
    /// Why the line was refused, if it was.
    pub(crate) refusal: &'a mut Option<String>,
}

/// What the origin may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    /// Everything.
    Full,
    /// Queries: the password is still the factory one.
    Query,
}

/// What the device must do once the command has run. In the order asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// `ENTM`: leave the command state when the reply is out.
    EnterMode,
    /// `CIOPTIME`: the set-up window ends so long from now.
    WindowFor(Duration),
    /// `CIPR`, `ICF`: in the set-up window the line changes when the reply is out.
    LineChanged,
    /// `CIAPPLY`.
    Apply,
    /// `CIRESET`, and `CIRELOAD` once the factory set is stored.
    Restart(RestartReason),
    /// `CISHUTDOWN`.
    Shutdown,
    /// `D`, `DL`.
    Dial(PhoneNumber),
    /// `A`.
    Answer,
    /// `H`, `CHUP`.
    HangUp,
    /// `CIOPEN`: the connection says where to.
    Open,
}

/// What became of a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    /// All of it ran (or an error ended it): the whole reply.
    Done {
        reply: Vec<u8>,
        effects: Vec<Effect>,
    },
    /// A slow command was met: what is left runs with [`resume`] when it is answered. `reply` and `effects` so far
    /// wait with it: the device acts behind the whole reply.
    Parked {
        reply: Vec<u8>,
        effects: Vec<Effect>,
        parked: Parked,
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
pub(crate) struct Parked {
    /// Who waits, and for what.
    pub(crate) waits: SlowCommand,
    /// What of the line is still to run.
    rest: Vec<u8>,
}

/// Commands that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SlowCommand {
    /// Store the running set.
    Save,
    /// Store the factory set; when it is stored it comes into force, and the device restarts.
    Factory,
    /// Send a message.
    Submit(Submission),
    /// `CISEND`: hand these bytes to the connection.
    Send(Bytes),
    /// `CICLOSE`
    Close,
}

/// A message on its way to the network for a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Submission {
    /// Who is waiting.
    pub(crate) command: &'static str,
    /// SUBMIT PDUs, service centre first, sent in this order.
    pub(crate) parts: Vec<Bytes>,
    /// Whether the reply tells the message reference, `+CMGS: <mr>`.
    pub(crate) tells_reference: bool,
    /// `CMSS`: the place of the storage that is sent.
    pub(crate) place: Option<u8>,
}

/// What a parked line waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Of the store.
    Stored(Result<(), String>),
    /// Of the network: the reference of the last part, or why the first part that failed did.
    Submitted(Result<u8, SubmitFailure>),
    /// Of the connection: whether its socket has the bytes.
    Sent(bool),
    /// The connection is closed.
    Closed,
}

/// A command that has asked the DTE for a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// Which command, and its values.
    what: Prompted,
    /// Bytes of text at most; more is an error when the text ends.
    pub(crate) max: usize,
    pub(crate) ends: Ends,
}

/// Which command has asked.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Prompted {
    Message(sms::Prompted),
    /// `CISEND`
    Frame,
    /// `CISEND` with a length.
    Count(usize),
}

/// What ends the text at a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// 0x1A; ESC gives it up (27.005 3.5.1).
    Mark,
    /// Silence, as it ends a frame.
    Silence,
    /// Its last byte: it has exactly `max`.
    Count,
}

/// What follows the text.
enum Next {
    /// These lines of information text, and OK.
    Done(Vec<String>),
    /// An answer.
    Wait(SlowCommand),
    /// SEND FAIL
    Failed,
}

/// What the DTE did at the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// The text, without the 0x1A that ended it.
    Text(Vec<u8>),
    /// More than the prompt takes: so many bytes.
    TooLong(usize),
    /// ESC.
    Cancelled,
    /// Nothing more for too long, after so many bytes.
    Abandoned(usize),
}

/// A command line as a log may show it: without its secrets.
#[must_use]
pub fn shown_command(line: &str) -> String {
    ShownLine::of(line.as_bytes()).text
}

/// Runs one command line (without its line end) and says what to answer.
pub(crate) fn run_line(line: &[u8], ctx: &mut Context<'_>) -> Ran {
    let line = parse::without_noise(line);
    let quoted = parse::quote_free_text(line);
    // Quotes that stand here only for the parser are not the typist's.
    let typed = parse::trim(line).len();
    let line = parse::normalize(quoted.as_deref().unwrap_or(line));
    let line = parse::trim(&line);
    if line.is_empty() {
        return Ran::Done {
            reply: Vec::new(),
            effects: Vec::new(),
        };
    }
    let length = line.len().min(typed);
    if length > LINE_MAX {
        let text = format!("a command line has at most {LINE_MAX} bytes, got {length}");
        return ended(
            Err(Error::new(Code::IncorrectParameters, text)),
            Vec::new(),
            Vec::new(),
            ctx,
        );
    }
    match parse::behind_at(line) {
        Some(rest) => run_rest(rest, Vec::new(), Vec::new(), ctx),
        None => {
            let text = format!("a command line begins with AT, got {}", Shown(line));
            ended(
                Err(Error::new(Code::NotSupported, text)),
                Vec::new(),
                Vec::new(),
                ctx,
            )
        }
    }
}

/// Goes on with a parked line, now that it is answered.
pub(crate) fn resume(parked: Parked, answer: Answer, ctx: &mut Context<'_>) -> Ran {
    let name = parked.waits.name();
    let mut reply = Vec::new();
    let (lines, effects) = match (parked.waits, answer) {
        (SlowCommand::Save | SlowCommand::Factory, Answer::Stored(Err(why))) => {
            let text = format!("{name}: not stored: {}", Reason(&why));
            return ended(
                Err(Error::new(Code::MemoryFailure, text)),
                Vec::new(),
                Vec::new(),
                ctx,
            );
        }
        (SlowCommand::Factory, Answer::Stored(Ok(()))) => {
            *ctx.config = Config::default();
            (
                Vec::new(),
                Vec::from([Effect::Restart(RestartReason::Factory)]),
            )
        }
        (SlowCommand::Submit(submission), Answer::Submitted(outcome)) => {
            match sms::submitted(&submission, outcome, ctx) {
                Ok(lines) => (lines, Vec::new()),
                Err(error) => return ended(Err(error), Vec::new(), Vec::new(), ctx),
            }
        }
        (SlowCommand::Send(_), Answer::Sent(sent)) => {
            let code = if sent {
                ConnectionCode::SendOk
            } else {
                ConnectionCode::SendFail
            };
            return Ran::Done {
                reply: connection_text(code, ctx.config),
                effects: Vec::new(),
            };
        }
        (SlowCommand::Close, Answer::Closed) => {
            reply = connection_text(ConnectionCode::CloseOk, ctx.config);
            if parse::next(&parked.rest).is_none() {
                return Ran::Done {
                    reply,
                    effects: Vec::new(),
                };
            }
            (Vec::new(), Vec::new())
        }
        // `Save` has nothing more to do; the rest are answers to something else, which the device does not give.
        (
            SlowCommand::Save
            | SlowCommand::Factory
            | SlowCommand::Submit(_)
            | SlowCommand::Send(_)
            | SlowCommand::Close,
            Answer::Stored(_) | Answer::Submitted(_) | Answer::Sent(_) | Answer::Closed,
        ) => (Vec::new(), Vec::new()),
    };
    reply::information(&lines, ctx.config, &mut reply);
    run_rest(&parked.rest, reply, effects, ctx)
}

/// Goes on with a command that has asked for a text.
pub(crate) fn answer_prompt(prompt: Prompt, typed: Typed, ctx: &mut Context<'_>) -> Ran {
    let next = match prompt.what {
        Prompted::Message(what) => sms::prompted(what, typed, ctx),
        Prompted::Frame => connection::prompted(None, typed, ctx).map(next_of_frame),
        Prompted::Count(count) => connection::prompted(Some(count), typed, ctx).map(next_of_frame),
    };
    match next {
        Ok(Next::Done(lines)) => {
            let mut reply = Vec::new();
            reply::information(&lines, ctx.config, &mut reply);
            ended(Ok(()), reply, Vec::new(), ctx)
        }
        Ok(Next::Failed) => Ran::Done {
            reply: connection_text(ConnectionCode::SendFail, ctx.config),
            effects: Vec::new(),
        },
        Ok(Next::Wait(waits)) => {
            let parked = Parked {
                waits,
                rest: Vec::new(),
            };
            Ran::Parked {
                reply: Vec::new(),
                effects: Vec::new(),
                parked,
            }
        }
        Err(error) => ended(Err(error), Vec::new(), Vec::new(), ctx),
    }
}

fn next_of_frame(frame: connection::Frame) -> Next {
    match frame {
        connection::Frame::Sent(frame) => Next::Wait(SlowCommand::Send(frame)),
        connection::Frame::GivenUp => Next::Done(Vec::new()),
        connection::Frame::Failed => Next::Failed,
    }
}

/// Whether a line holds nothing but blanks and ESC.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | 0x1B))
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
fn run_rest(
    mut rest: &[u8],
    mut reply: Vec<u8>,
    mut effects: Vec<Effect>,
    ctx: &mut Context<'_>,
) -> Ran {
    while let Some((piece, behind)) = parse::next(rest) {
        rest = behind;
        let call = match run_piece(piece, reply.len(), ctx) {
            Ok(call) => call,
            Err(error) => return ended(Err(error), reply, effects, ctx),
        };
        let Call {
            lines,
            effects: asked,
            slow,
            prompt,
            ..
        } = call;
        reply::information(&lines, ctx.config, &mut reply);
        effects.extend(asked);
        if let Some(waits) = slow {
            return Ran::Parked {
                reply,
                effects,
                parked: Parked {
                    waits,
                    rest: rest.to_vec(),
                },
            };
        }
        if let Some(prompt) = prompt {
            // 27.005 3.5.1: the command is the last of its line; what stands behind it is not run.
            reply.extend_from_slice(PROMPT);
            return Ran::Prompt {
                reply,
                effects,
                prompt,
            };
        }
    }
    ended(Ok(()), reply, effects, ctx)
}

fn run_piece<'c, 'x>(
    piece: Result<parse::Piece, String>,
    reply_len: usize,
    ctx: &'c mut Context<'x>,
) -> Result<Call<'c, 'x>, Error> {
    if reply_len > REPLY_MAX {
        let text =
            format!("the reply to one line has at most {REPLY_MAX} bytes; ask in several lines");
        return Err(Error::new(Code::NotAllowed, text));
    }
    let piece = piece.map_err(|text| Error::new(Code::IncorrectParameters, text))?;
    Call::run(&piece, ctx)
}

fn ended(
    outcome: Result<(), Error>,
    mut reply: Vec<u8>,
    effects: Vec<Effect>,
    ctx: &mut Context<'_>,
) -> Ran {
    *ctx.refusal = outcome.as_ref().err().map(|error| error.text.clone());
    reply::result(&outcome, ctx.config, &mut reply);
    Ran::Done { reply, effects }
}

impl SlowCommand {
    const fn name(&self) -> &'static str {
        match self {
            Self::Save => "ATW",
            Self::Factory => "CIRELOAD",
            Self::Submit(submission) => submission.command,
            Self::Send(_) => "CISEND",
            Self::Close => "CICLOSE",
        }
    }
}

/// 27.005 3.5.1, to the byte.
const PROMPT: &[u8] = b"\r\n> ";

/// Bytes that one `CISEND` sends at most: those of a frame.
const CISEND_MAX: usize = crate::line::framer::FRAME_MAX;
/// Longest command line, without its end.
pub(crate) use crate::line::assembler::LINE_MAX;
/// Once a reply is longer than this, the line ends with an error: no line can ask for megabytes.
const REPLY_MAX: usize = 32 * 1024;
