//! The device: routes inputs, orders outputs.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

use crate::act::Act;
use crate::cellular::Cellular;
use crate::config::{Config, Options, Problem};
use crate::event::{Deadline, Event, Input, Origin, Output, QueueId, RestartReason, StoreInput};
use crate::identity::Identity;
use crate::line::Line;
use crate::mode::Modes;
use crate::net::Pause;
use crate::rng::Rng;
use crate::seen::Seen;
use crate::session::Session;
use crate::sms::Mailbox;
use crate::time::Instant;

use leds::LedDriver;
use messages::MessageQueues;
use power::{Applying, Ending, Recovery};
use prompt::OpenPrompt;
use trial::Trials;

mod calls;
mod commands;
mod deadlines;
mod drops;
#[cfg(test)]
mod edges;
mod leds;
mod line;
mod losses;
mod lost;
mod messages;
mod modem;
mod modes;
mod power;
mod prompt;
mod seen;
mod serial;
mod settle;
mod snapshot;
mod trial;

/// The DTU.
///
/// A host drains [`Dtu::poll_output`] after every [`Dtu::handle_input`] and [`Dtu::handle_timeout`], carries the
/// outputs out in order, and calls `handle_timeout` when [`Dtu::poll_timeout`] says so.
///
/// Invariant: at most one `SerialOutput` and one `SocketOutput::Send` a socket are outstanding.
/// Invariant: nothing here waits without a deadline, and no queue grows without a bound.
#[derive(Debug)]
pub struct Dtu {
    /// The running set; what is not stored is gone at a restart.
    config: Arc<Config>,
    /// One with the running set, unless that was changed.
    stored: Arc<Config>,
    options: Arc<Options>,
    identity: Identity,
    rng: Rng,
    now: Instant,
    /// The nearest deadline, as it was found when something last changed.
    next_deadline: Option<Deadline>,
    /// What keeps the serial line from being read, as of then.
    pause: Option<Pause>,
    /// The sum of all counters of losses when the host last asked.
    losses_seen: u64,
    outputs: VecDeque<Output>,
    /// What parts asked of others, until it is done: empty between two inputs.
    acts: VecDeque<Act>,

    line: Line,

    modes: Modes,
    cellular: Cellular,

    session: Session,
    prompt: Option<Box<OpenPrompt>>,
    /// `CIAPPLY` came from a link, whose reply leaves first.
    applying: Option<Applying>,
    trials: Trials,
    ending: Option<Ending>,
    recovery: Recovery,
    led_driver: LedDriver,
    mailbox: Mailbox,
    messages: MessageQueues,

    powered_on: Instant,
    restarts: u32,
    last_received: Instant,
    /// A socket is not read: nobody can say that nothing comes.
    unheard: bool,
    /// Somebody watches: what is still to be told.
    seen: Option<VecDeque<Seen>>,
}

impl Dtu {
    /// A device that is powered on at `now` with what is stored. `seed` feeds the jitter of reconnects; two
    /// devices should not share it.
    #[must_use]
    pub fn new(
        stored: Config,
        options: Options,
        identity: Identity,
        seed: u64,
        now: Instant,
    ) -> Self {
        let (stored, options) = (Arc::new(stored), Arc::new(options));
        let mut dtu = Self {
            config: stored.clone(),
            modes: Modes::new(stored.mode, &options),
            rng: Rng::new(seed),
            now,
            next_deadline: None,
            pause: None,
            losses_seen: 0,
            outputs: VecDeque::new(),
            acts: VecDeque::new(),
            line: Line::new(stored.line, options.clone(), now),
            cellular: Cellular::default(),
            session: Session::default(),
            prompt: None,
            applying: None,
            trials: Trials::default(),
            ending: None,
            recovery: Recovery::default(),
            led_driver: LedDriver::default(),
            mailbox: Mailbox::default(),
            messages: MessageQueues::default(),
            powered_on: now,
            restarts: 0,
            last_received: now,
            unheard: false,
            seen: None,
            stored,
            options,
            identity,
        };
        dtu.power_on(RestartReason::PowerOn);
        dtu.look_ahead();
        dtu
    }

    /// Puts frames that an earlier run left undelivered into their queue, oldest first, each with its spool number.
    /// To be called before the first input.
    pub fn restore(
        &mut self,
        queue: impl Into<QueueId>,
        frames: impl IntoIterator<Item = (u64, Bytes)>,
    ) {
        let queue = queue.into();
        for (seq, frame) in frames {
            self.with_modes(|modes, cx| modes.restore(queue, seq, frame, cx));
        }
        self.pause = self.queue_pause();
    }

    /// Puts the messages that an earlier run kept (the text of the last `StoreOutput::Messages`) back in their places.
    /// To be called before the first input. What cannot be read is passed over and reported.
    pub fn restore_messages(&mut self, text: &str) -> Vec<Problem> {
        let problems = self.mailbox.restore(text, self.now);
        self.look_ahead();
        problems
    }

    /// The frames that wait in a queue, oldest first, with their numbers: for the host's clean stop.
    pub fn undelivered(&self, queue: impl Into<QueueId>) -> impl Iterator<Item = (u64, &Bytes)> {
        self.modes.undelivered(queue.into())
    }

    /// Something happened. Deadlines that are due fire first, so a host that is late merges no frames.
    pub fn handle_input(&mut self, input: Input<'_>, now: Instant) {
        // mutant: late-host
        self.handle_timeout(now);
        match input {
            Input::Serial(input) => self.handle_serial(input),
            Input::Socket(socket, input) => {
                self.with_modes(|modes, cx| modes.socket(socket, input, cx));
            }
            Input::Modem(input) => self.handle_modem(input),
            Input::Store(input) => self.handle_store(input),
            Input::Console(line) => self.run_command(Origin::Console, line.as_bytes()),
            Input::Lost(lost) => self.lost(lost),
            Input::Shutdown => self.stop(),
        }
        self.settle();
    }

    /// Time has passed. A spurious call does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        debug_assert_eq!(
            self.next_deadline,
            self.find_deadline(true),
            "something changed a deadline and did not say so"
        );
        self.now = self.now.max(now);
        while let Some(deadline) = self
            .poll_timeout()
            .filter(|deadline| deadline.at <= self.now)
        {
            self.fire(deadline);
            self.settle();
        }
    }

    /// The next thing to do. Drain to `None` after every input and timeout, before the next input.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call `handle_timeout` at the latest; `None` = not before the next input.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Deadline> {
        self.next_deadline
    }

    fn handle_store(&mut self, input: StoreInput<'_>) {
        match input {
            StoreInput::Saved => self.store_answered(Ok(())),
            StoreInput::Failed(why) => self.store_answered(Err(why)),
            StoreInput::MessagesSaved(number) => self.messages_saved(number),
            StoreInput::MessagesFailed(why) => self.messages_failed(why),
            StoreInput::SpoolRefused(queue, frames) => self.spool_refused(queue, frames),
        }
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}
