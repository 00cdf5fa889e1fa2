//! The web console's end of the device: what it asks is answered in the loop's turn, what passes is recorded. The page and
//! its server are `dtu-console`, on a thread of their own.
//!
//! ```text
//! console thread ── Asker ── Inbox, wakes the loop ──► Machine::answer_console ── answers
//!                ◄── Recorder ◄── Tap ◄── the loop's inputs and outputs
//! ```

mod asker;
#[cfg(test)]
mod in_chinese;
mod inbox;
mod lines;
pub(crate) mod log;
mod marks;
mod mask;
mod password;
mod serve;
pub(crate) mod status;
mod tap;
mod trials;
pub(crate) mod words;

use std::sync::Arc;

use dtu_console::recorder::Recorder;
use dtu_proto::Dtu;
use dtu_proto::event::{Event, Input, Output};
use dtu_proto::time::Instant;

pub(crate) use asker::{Asker, Kind};
pub(crate) use inbox::{Inbox, What};
use lines::Lines;
pub(crate) use password::change as change_password;
use serve::Shared;
pub(crate) use serve::{Server, check, check_files, config, start};
use tap::Tap;
use trials::Trials;

/// What the machine has of it.
pub(crate) struct Console {
    inbox: Arc<Inbox>,
    handle: Shared,
    lines: Lines,
    tap: Tap,
    trials: Trials,
}

impl Console {
    pub(crate) fn new(inbox: Arc<Inbox>, handle: Shared, recorder: Arc<Recorder>) -> Self {
        Self {
            inbox,
            handle,
            lines: Lines::default(),
            tap: Tap::new(recorder),
            trials: Trials::default(),
        }
    }

    /// The device tells from now on what it makes of bytes.
    pub(crate) fn watch(dtu: &mut Dtu) {
        dtu.watch();
    }

    /// `SIGHUP`: certificate and key are read again, while the device goes on.
    pub(crate) fn reload(&self) {
        if let Some(handle) = serve::lock(&self.handle).as_ref() {
            handle.reload(|read, fingerprint| match (read, fingerprint) {
                (Err(why), _) => {
                    tracing::warn!("console: {why}; certificate and key stay as they were");
                }
                (Ok(()), None) => tracing::info!("console: certificate and key are read again"),
                (Ok(()), Some(fingerprint)) => {
                    tracing::info!(
                        "console: its own certificate is read again, SHA-256 {fingerprint}"
                    );
                }
            });
        }
    }

    /// SHA-256 of its own certificate, where it made one.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        serve::lock(&self.handle).as_ref()?.fingerprint()
    }

    /// What somebody asks.
    pub(crate) fn next_question(&self) -> Option<What> {
        self.inbox.next()
    }

    /// An AT line waits for its turn.
    pub(crate) fn queue(&mut self, line: inbox::Line, now: Instant) {
        self.lines.queue(line, now);
    }

    /// The next AT line, if the device takes one. Not to be called while a line of the start runs.
    pub(crate) fn next_line(&mut self, dtu: &Dtu, now: Instant) -> Option<String> {
        self.lines.next(dtu.takes_commands(), now)
    }

    /// Whether one runs, or waits for its turn.
    pub(crate) fn has_lines(&self) -> bool {
        self.lines.any()
    }

    /// Whether a line of it runs.
    pub(crate) const fn runs_a_line(&self) -> bool {
        self.lines.runs()
    }

    /// The answer to the line that runs; false: none of these runs.
    pub(crate) fn reply(&mut self, reply: &str) -> bool {
        self.lines.reply(reply)
    }

    /// Waits no longer for answers that are late.
    pub(crate) fn give_up(&mut self, now: Instant) {
        self.lines.give_up(now);
    }

    /// When [`Self::give_up`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.lines.deadline()
    }

    /// An input, before the device has it.
    pub(crate) fn input(&mut self, input: &Input<'_>, dtu: &Dtu) {
        self.tap.input(input, self.lines.purpose(), dtu);
    }

    /// What the device has made of it.
    pub(crate) fn seen(&mut self, dtu: &mut Dtu, now: Instant) {
        self.tap.seen(dtu, now);
    }

    /// An output, before it is carried out.
    pub(crate) fn output(&mut self, output: &Output, dtu: &Dtu) {
        self.tap.output(output, self.lines.purpose(), dtu);
        if let Output::Event(Event::Trial(event)) = output {
            self.trials.event(event, dtu);
        }
    }

    /// The last trial.
    pub(crate) const fn trials(&self) -> &Trials {
        &self.trials
    }

    /// What comes next from the line, or of this link, was put in by somebody.
    pub(crate) fn injects(&mut self, of: tap::Injected<'_>, dtu: &Dtu, now: Instant) {
        self.tap.injects(of, dtu, now);
    }
}

pub(crate) use tap::Injected;
