//! What a part of the device needs of the rest while it works.

use alloc::collections::VecDeque;

use crate::act::Act;
use crate::config::Config;
use crate::event::Output;
use crate::net::backoff::Rng;
use crate::time::Instant;

/// Lent for one input or deadline. A part reads it, adds outputs and acts, and names no other part.
pub(crate) struct Cx<'a> {
    pub(crate) now: Instant,
    /// The running set of parameters.
    pub(crate) config: &'a Config,
    pub(crate) outputs: &'a mut VecDeque<Output>,
    /// What the device does when the part has returned.
    pub(crate) acts: &'a mut VecDeque<Act>,
    pub(crate) rng: &'a mut Rng,
    /// Whether the network is there.
    pub(crate) attached: bool,
}
