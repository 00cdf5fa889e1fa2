//! What a part of the device needs of the rest while it works.

use alloc::collections::VecDeque;
use alloc::sync::Arc;

use crate::act::Act;
use crate::config::{Config, Options};
use crate::event::Output;
use crate::rng::Rng;
use crate::time::Instant;

/// Lent for one input or deadline. A part reads it, adds outputs and acts, and names no other part.
pub(crate) struct Cx<'a> {
    pub(crate) now: Instant,
    /// The running set of parameters.
    pub(crate) config: &'a Config,
    pub(crate) options: &'a Arc<Options>,
    pub(crate) outputs: &'a mut VecDeque<Output>,
    /// What the device does when the part has returned.
    pub(crate) acts: &'a mut VecDeque<Act>,
    pub(crate) rng: &'a mut Rng,
    /// Whether the network is there.
    pub(crate) attached: bool,
    /// When bytes of the DTE last came.
    pub(crate) last_from_dte: Instant,
    /// The device is about to restart or to stop.
    pub(crate) is_ending: bool,
}

/// What a part needs to know to say when its next deadline is.
pub(crate) struct View<'a> {
    pub(crate) config: &'a Config,
    /// Whether the network is there.
    pub(crate) attached: bool,
}

impl<'a> Cx<'a> {
    pub(crate) const fn view(&self) -> View<'a> {
        View {
            config: self.config,
            attached: self.attached,
        }
    }
}
