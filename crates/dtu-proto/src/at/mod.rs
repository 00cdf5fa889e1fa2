//! AT commands: one table feeds the interpreter, `=?`, help, the stored file and the docs.
//!
//! A line comes in through one of the doors ([`Door`]), which have checked password and gates already. It is
//! split into commands (V.250: `;`, glued basic commands), each is looked up in [`COMMANDS`], its arguments are
//! parsed by their [`Param`]s, and its `run` changes the configuration, adds information text, or asks the
//! device for an [`Effect`].

use alloc::string::String;
use alloc::vec::Vec;

use crate::config::{Config, Options};
use crate::event::{Door, RestartReason};
use crate::identity::Identity;
use crate::status::Status;
use crate::time::Duration;

/// What a command may see and change.
pub(crate) struct Context<'a> {
    pub(crate) config: &'a mut Config,
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
    /// `CIRESET`, or `CIRELOAD` when the factory set is stored.
    Restart(RestartReason),
    /// `CISHUTDOWN`.
    Shutdown,
}

/// The device's wall clock: what `CCLK` set, or the start value, and the power-on time it counts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Seconds since 2000-01-01 00:00:00 at the instant zero; may be negative.
    pub(crate) offset_seconds: i64,
}

/// What became of a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    /// All of it ran (or an error ended it): the whole reply.
    Done { reply: Vec<u8>, effects: Vec<Effect> },
    /// A slow command was met: `reply` may go out now; what is left runs with [`resume`] when the store has
    /// answered.
    Parked { reply: Vec<u8>, effects: Vec<Effect>, parked: Parked },
}

/// A line that waits for the store.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parked {
    /// Who waits: `ATW` or `CIRELOAD`.
    pub(crate) waits: SlowCommand,
    /// What of the line is still to run.
    pub(crate) rest: Vec<u8>,
}

/// Commands that wait for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlowCommand {
    /// Store the running set.
    Save,
    /// Store the factory set (the interpreter has set `config` to it), then restart.
    Factory,
}

/// Runs one command line (without its line end) and says what to answer.
pub(crate) fn run_line(line: &[u8], ctx: &mut Context<'_>) -> Ran {
    let _ = (line, &ctx.door);
    Ran::Done { reply: Vec::new(), effects: Vec::new() }
}

/// Goes on with a parked line, now that the store has answered.
pub(crate) fn resume(parked: Parked, stored: Result<(), String>, ctx: &mut Context<'_>) -> Ran {
    let _ = (parked, stored, &ctx.door);
    Ran::Done { reply: Vec::new(), effects: Vec::new() }
}

/// The reply to a line that was not run at all.
pub(crate) fn error_reply(text: &str, config: &Config) -> Vec<u8> {
    let _ = config;
    alloc::format!("\r\n+CME ERROR: {text}\r\n").into_bytes()
}
