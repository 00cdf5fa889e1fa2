//! A command line that waits: for the store, the network, or the connection of the AT mode.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::at::{Effect, ParkedLine, SlowCommand};
use crate::config::Config;
use crate::ids::Origin;
use crate::time::{Duration, Instant};

/// The store must answer within this time.
const STORE_PATIENCE: Duration = Duration::from_secs(10);
/// The network must take one message within this time.
const SUBMIT_PATIENCE: Duration = Duration::from_secs(180);
/// The socket must take the frame of a `CISEND` within this time.
const SEND_PATIENCE: Duration = Duration::from_secs(60);
/// The connection itself waits 5 s for the host.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);

/// Who asked, and is answered: a later connection of the same link is somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Requester {
    pub(crate) origin: Origin,
    /// Of a link: the number of its connection.
    pub(crate) connection: u64,
}

/// The line, and what it has given so far.
#[derive(Debug)]
pub(crate) struct WaitingCommand {
    pub(crate) requester: Requester,
    pub(crate) parked: ParkedLine,
    pub(crate) reply: Vec<u8>,
    /// What is to be done behind the reply.
    pub(crate) effects: Vec<Effect>,
    /// What is being stored.
    pub(super) saving: Option<Arc<Config>>,
    pub(super) until: Instant,
}

impl WaitingCommand {
    /// `config` is the running set.
    pub(crate) fn new(
        requester: Requester,
        parked: ParkedLine,
        reply: Vec<u8>,
        effects: Vec<Effect>,
        config: &Arc<Config>,
        now: Instant,
    ) -> Self {
        let saving = match &parked.waits {
            SlowCommand::Save | SlowCommand::Keep => Some(config.clone()),
            SlowCommand::Factory => Some(Arc::new(Config::default())),
            SlowCommand::Submit(_) | SlowCommand::Send(_) | SlowCommand::Close => None,
        };
        Self {
            until: now + patience(&parked.waits),
            requester,
            parked,
            reply,
            effects,
            saving,
        }
    }

    /// What the store must take.
    pub(crate) fn saving(&self) -> Option<&Config> {
        self.saving.as_deref()
    }
}

/// How long a command waits for its answer.
fn patience(waits: &SlowCommand) -> Duration {
    match waits {
        SlowCommand::Save | SlowCommand::Keep | SlowCommand::Factory => STORE_PATIENCE,
        SlowCommand::Submit(submission) => {
            SUBMIT_PATIENCE * u32::try_from(submission.parts.len()).unwrap_or(1)
        }
        SlowCommand::Send(_) => SEND_PATIENCE,
        SlowCommand::Close => CLOSE_PATIENCE,
    }
}
