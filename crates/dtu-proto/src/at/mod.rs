//! AT commands: one table feeds the interpreter, `=?`, help, the stored file and the docs.
//!
//! A line comes in through one of the doors ([`Door`]), which have checked password and gates already. It is
//! split into commands (V.250: `;`, glued basic commands); each is looked up in `table::COMMANDS`, its values are
//! read by their `Param`s, and its handler changes the configuration, adds information text, or asks the device
//! for an [`Effect`].

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::config::{Config, Options};
use crate::event::{Door, RestartReason};
use crate::identity::Identity;
use crate::status::Status;
use crate::time::Duration;

mod call;
mod clock;
mod cmd;
mod docs;
pub mod fuzzing;
mod param;
mod parse;
mod reply;
mod stored;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use clock::Clock;
pub use docs::{CommandDescription, ParameterDescription, commands};
pub(crate) use stored::{load, store_lines};
pub use table::TakesEffect;

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
    pub(crate) door: Door,
    pub(crate) rights: Rights,
}

/// What the door lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    /// Everything.
    Full,
    /// Queries, and `CIPSW`: the password is still the factory one.
    QueryAndPassword,
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
}

/// What became of a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    /// All of it ran (or an error ended it): the whole reply.
    Done { reply: Vec<u8>, effects: Vec<Effect> },
    /// A slow command was met: what is left runs with [`resume`] when the store has answered. `reply` and
    /// `effects` so far wait with it: the device acts behind the whole reply.
    Parked { reply: Vec<u8>, effects: Vec<Effect>, parked: Parked },
}

/// A line that waits for the store.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parked {
    /// Who waits: `ATW` or `CIRELOAD`.
    pub(crate) waits: SlowCommand,
    /// What of the line is still to run.
    rest: Vec<u8>,
}

/// Commands that wait for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlowCommand {
    /// Store the running set.
    Save,
    /// Store the factory set; when it is stored it comes into force, and the device restarts.
    Factory,
}

/// Runs one command line (without its line end) and says what to answer.
pub(crate) fn run_line(line: &[u8], ctx: &mut Context<'_>) -> Ran {
    let line = parse::normalize(line);
    let line = parse::trim(&line);
    if line.is_empty() {
        return Ran::Done { reply: Vec::new(), effects: Vec::new() };
    }
    if line.len() > LINE_MAX {
        let text = format!("a command line has at most {LINE_MAX} bytes, got {}", line.len());
        return ended(Err(Error::new(Code::IncorrectParameters, text)), Vec::new(), Vec::new(), ctx);
    }
    match parse::behind_at(line) {
        Some(rest) => run_rest(rest, Vec::new(), ctx),
        None => {
            let text = format!("a command line begins with AT, got {}", Shown(line));
            ended(Err(Error::new(Code::NotSupported, text)), Vec::new(), Vec::new(), ctx)
        }
    }
}

/// Goes on with a parked line, now that the store has answered.
pub(crate) fn resume(parked: Parked, stored: Result<(), String>, ctx: &mut Context<'_>) -> Ran {
    if let Err(why) = stored {
        let name = parked.waits.name();
        let text = format!("{name}: not stored: {}", Reason(&why));
        return ended(Err(Error::new(Code::MemoryFailure, text)), Vec::new(), Vec::new(), ctx);
    }
    let effects = match parked.waits {
        SlowCommand::Save => Vec::new(),
        SlowCommand::Factory => {
            *ctx.config = Config::default();
            Vec::from([Effect::Restart(RestartReason::Factory)])
        }
    };
    run_rest(&parked.rest, effects, ctx)
}

/// Whether a line that begins with `AT` goes on like a command; `attic` does not.
pub(crate) fn begins_with_a_command(line: &[u8]) -> bool {
    let line = parse::normalize(line);
    let Some(rest) = parse::behind_at(parse::trim(&line)) else { return false };
    match parse::next(rest) {
        None => true,
        Some((Ok(piece), _)) => piece.name.starts_with('+') || table::find(&piece.name).is_some(),
        Some((Err(_), _)) => rest.starts_with(b"+"),
    }
}

/// The reply to a line that was not run at all.
pub(crate) fn error_reply(text: &str, config: &Config) -> Vec<u8> {
    let mut reply = Vec::new();
    reply::result(&Err(Error::new(Code::NotAllowed, text.into())), config, &mut reply);
    reply
}

/// Runs command after command until one fails or waits.
fn run_rest(mut rest: &[u8], mut effects: Vec<Effect>, ctx: &mut Context<'_>) -> Ran {
    let mut reply = Vec::new();
    while let Some((piece, behind)) = parse::next(rest) {
        rest = behind;
        let call = match run_piece(piece, reply.len(), ctx) {
            Ok(call) => call,
            Err(error) => return ended(Err(error), reply, effects, ctx),
        };
        let Call { lines, effects: asked, slow, .. } = call;
        reply::information(&lines, ctx.config, &mut reply);
        effects.extend(asked);
        if let Some(waits) = slow {
            return Ran::Parked { reply, effects, parked: Parked { waits, rest: rest.to_vec() } };
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
        let text = format!("the reply to one line has at most {REPLY_MAX} bytes; ask in several lines");
        return Err(Error::new(Code::NotAllowed, text));
    }
    let piece = piece.map_err(|text| Error::new(Code::IncorrectParameters, text))?;
    Call::run(&piece, ctx)
}

fn ended(outcome: Result<(), Error>, mut reply: Vec<u8>, effects: Vec<Effect>, ctx: &Context<'_>) -> Ran {
    reply::result(&outcome, ctx.config, &mut reply);
    Ran::Done { reply, effects }
}

impl SlowCommand {
    const fn name(self) -> &'static str {
        match self {
            Self::Save => "ATW",
            Self::Factory => "CIRELOAD",
        }
    }
}

/// Longest command line, without its end.
pub(crate) use crate::serial::line::LINE_MAX;
/// Once a reply is longer than this, the line ends with an error: no line can ask for megabytes.
const REPLY_MAX: usize = 32 * 1024;
