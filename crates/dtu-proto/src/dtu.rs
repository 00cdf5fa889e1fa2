//! The device: routes inputs, orders outputs.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;

use crate::config::{Config, Options};
use crate::event::{Deadline, Input, LinkId, Output};
use crate::identity::Identity;
use crate::status::Status;
use crate::time::Instant;

/// The DTU.
#[derive(Debug)]
pub struct Dtu {
    config: Config,
    outputs: VecDeque<Output>,
}

impl Dtu {
    /// A device that is powered on at `now` with what is stored.
    #[must_use]
    pub fn new(stored: Config, options: Options, identity: Identity, seed: u64, now: Instant) -> Self {
        let _ = (options, identity, seed, now);
        Self { config: stored, outputs: VecDeque::new() }
    }

    /// Puts frames that an earlier run left undelivered into a link's cache, oldest first, each with its spool number.
    /// To be called before the first input.
    pub fn restore(&mut self, link: LinkId, frames: impl IntoIterator<Item = (u64, Bytes)>) {
        let _ = (link, frames.into_iter().count());
    }

    /// The frames that wait in a link's cache, oldest first, with their numbers: for the host's clean stop.
    pub fn undelivered(&self, link: LinkId) -> impl Iterator<Item = (u64, &Bytes)> {
        let _ = link;
        Vec::new().into_iter()
    }

    /// Something happened. Deadlines that are due fire first, so a host that is late merges no frames.
    pub fn handle_input(&mut self, input: Input<'_>, now: Instant) {
        let _ = (input, now);
    }

    /// Time has passed. A spurious call does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }

    /// The next thing to do. Drain to `None` after every input and timeout, before the next input.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call `handle_timeout` at the latest; `None` = not before the next input.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        None
    }

    /// Whether the host may read the serial line.
    #[must_use]
    pub fn wants_serial(&self) -> bool {
        true
    }

    /// Whether the host may read this link's socket.
    #[must_use]
    pub fn wants_link(&self, link: LinkId) -> bool {
        let _ = link;
        true
    }

    /// The running set of parameters.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// A snapshot.
    #[must_use]
    pub fn status(&self, now: Instant) -> Status {
        let _ = now;
        unimplemented!("contract skeleton")
    }
}
