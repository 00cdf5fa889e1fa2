//! Who commands the device: what an origin may do, what in a stream of data is a command, the guard against guessing,
//! and the command line that waits for its answer.
//!
//! The session runs nothing: it says what a frame is and what a command waits for; the device runs the line and carries
//! the reply to whom it belongs.

mod guard;
mod inline;
mod rights;
mod waiting;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use crate::at::{self, ShownLine, SlowCommand};
use crate::config::{Config, Options};
use crate::ids::Origin;
use crate::seen::ShownCommand;
use crate::time::Instant;

use guard::Guards;
pub(crate) use rights::rights;
pub(crate) use waiting::{Requester, WaitingCommand};

/// What the device remembers of its commands.
#[derive(Debug, Default)]
pub(crate) struct Session {
    guards: Guards,
    waiting: Option<Box<WaitingCommand>>,
    /// The command that runs, and how a log shows it; those of the DTE itself are not shown.
    shown: Option<Box<(Origin, ShownLine)>>,
    /// Answers of the store that nobody waits for any more.
    late_answers: u32,
    /// Answers to be had for what was stored again.
    put_backs: u32,
}

/// What a whole frame, read, datagram or message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    Data,
    /// This line is to be run.
    Command(&'a [u8]),
    /// A command with the right password, from a locked origin: it is not run, and its password kept from going on as
    /// data.
    Locked,
    /// Data, and a guess; the last of too many locks the origin.
    WrongPassword {
        locks: bool,
    },
}

/// A command that ended, for the log.
#[derive(Debug)]
pub(crate) struct CompletedCommand {
    pub(crate) origin: Origin,
    pub(crate) line: String,
    pub(crate) outcome: Result<(), String>,
}

impl Session {
    /// Looks for a command in a whole frame, read, datagram or message.
    pub(crate) fn find<'a>(
        &mut self,
        origin: Origin,
        frame: &'a [u8],
        config: &Config,
        options: &Options,
        now: Instant,
    ) -> Found<'a> {
        let Some(found) = inline::parse(frame) else {
            return Found::Data;
        };
        if rights(origin, config, options).is_none() {
            return Found::Data;
        }
        // mutant: password
        let right = inline::same_password(found.password, &config.password);
        let guard = self.guards.of(origin, now);
        match (right, guard.is_shut(now)) {
            (true, false) => Found::Command(found.line),
            (true, true) => Found::Locked,
            (false, true) => Found::Data,
            // Text with a comma is no guess.
            (false, false) if !at::begins_with_a_command(found.line) => Found::Data,
            (false, false) => Found::WrongPassword {
                locks: guard.wrong_password(now),
            },
        }
    }

    /// A command begins. The DTE sees its own ones; of the others the log tells.
    pub(crate) fn begin(&mut self, origin: Origin, line: &[u8]) {
        self.shown = shown(origin, line);
    }

    /// The command that has begun is over.
    pub(crate) fn end(&mut self, refusal: Option<String>) -> Option<CompletedCommand> {
        self.shown.take().map(|shown| ended(*shown, refusal))
    }

    /// Whether a command waits for its answer.
    pub(crate) const fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Whose command waits.
    pub(crate) fn waiting_for(&self) -> Option<Origin> {
        self.waiting
            .as_ref()
            .map(|waiting| waiting.requester.origin)
    }

    /// What is waited for.
    pub(crate) fn awaited(&self) -> Option<&SlowCommand> {
        self.waiting.as_ref().map(|waiting| &waiting.parked.waits)
    }

    pub(crate) fn wait(&mut self, waiting: WaitingCommand) {
        self.waiting = Some(Box::new(waiting));
    }

    /// The command goes on: its answer is here.
    pub(crate) fn take_waiting(&mut self) -> Option<WaitingCommand> {
        self.waiting.take().map(|waiting| *waiting)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.waiting.as_ref().map(|waiting| waiting.until)
    }

    /// The device is about to end: a peer that takes nothing does not hold it up.
    pub(crate) fn hurry_send(&mut self, until: Instant) {
        if let Some(waiting) = &mut self.waiting
            && matches!(waiting.parked.waits, SlowCommand::Send(_))
        {
            waiting.until = waiting.until.min(until);
        }
    }

    /// The store does not answer. Its answer may still come, and is then nobody's.
    pub(crate) const fn give_up_store(&mut self) {
        self.late_answers += 1;
    }

    /// Whose answer this is. One that puts back comes before all that was asked for later.
    pub(crate) fn store_answered(&mut self) -> StoreAnswer {
        if self.put_backs > 0 {
            self.put_backs -= 1;
            return StoreAnswer::Nobody;
        }
        if self.late_answers > 0 {
            self.late_answers -= 1;
            return if self.late_answers == 0 && self.waiting.is_none() {
                StoreAnswer::TooLate
            } else {
                StoreAnswer::Nobody
            };
        }
        let saving = self
            .waiting
            .as_mut()
            .and_then(|waiting| waiting.saving.take());
        saving.map_or(StoreAnswer::Nobody, StoreAnswer::Waiting)
    }

    /// What was stored before is stored again.
    pub(crate) const fn puts_back(&mut self) {
        self.put_backs += 1;
    }
}

/// Whose answer of the store came.
pub(crate) enum StoreAnswer {
    /// Of the command that waits: what it has stored.
    Waiting(Arc<Config>),
    /// Of a command that was told it failed, and no later one stores anything.
    TooLate,
    /// Nothing hangs on it.
    Nobody,
}

/// Whether a message of this origin is a command with the right password, and is heard.
pub(crate) fn is_command(origin: Origin, text: &[u8], config: &Config, options: &Options) -> bool {
    let right = |found: inline::Inline<'_>| inline::same_password(found.password, &config.password);
    rights(origin, config, options).is_some() && inline::parse(text).is_some_and(right)
}

/// A frame, read or datagram that has the form of a command: without its password and its secrets.
pub(crate) fn shown_frame(frame: &[u8], config: &Config) -> Option<ShownCommand> {
    let found = inline::parse(frame)?;
    let right = inline::same_password(found.password, &config.password);
    // A guess tells much of what it is a guess at; text with a comma is none.
    if !right && !at::begins_with_a_command(found.line) {
        return None;
    }
    let line = ShownLine::of(found.line);
    Some(ShownCommand {
        secret: line.has_secrets(),
        text: [PASSWORD_HIDDEN, line.text.as_bytes()].concat(),
        len: frame.len(),
    })
}

const PASSWORD_HIDDEN: &[u8] = b"****,";

/// A command that is not even begun, for the log.
pub(crate) fn turned_away(origin: Origin, line: &[u8], why: &str) -> Option<CompletedCommand> {
    shown(origin, line).map(|shown| ended(*shown, Some(String::from(why))))
}

/// Whether a line is nothing at all.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

fn shown(origin: Origin, line: &[u8]) -> Option<Box<(Origin, ShownLine)>> {
    (origin != Origin::Serial && !is_blank(line)).then(|| Box::new((origin, ShownLine::of(line))))
}

fn ended((origin, line): (Origin, ShownLine), refusal: Option<String>) -> CompletedCommand {
    CompletedCommand {
        origin,
        outcome: refusal.map_or(Ok(()), |why| Err(line.refusal(&why))),
        line: line.text,
    }
}
