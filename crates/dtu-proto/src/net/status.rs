//! What the device, the serial line and a status ask of a link.

use bytes::Bytes;

use super::link::{Link, Plan};
use super::queue::Counters;
use crate::config::{DropPolicy, Protocol, Role};
use crate::seen::Sent;
use crate::status::{LinkCounters, LinkState, LinkStatus, WaitingFor};
use crate::time::Instant;

impl Link {
    pub(crate) const fn is_up(&self) -> bool {
        self.connection.is_up()
    }

    pub(super) fn is_off(&self) -> bool {
        self.connection.is_idle() && self.plan == Plan::Off
    }

    /// The role in force.
    pub(crate) fn role(&self) -> Role {
        self.settings
            .as_ref()
            .map_or(Role::Always, |settings| settings.role)
    }

    /// The number of the connection that is up, or was last.
    pub(crate) const fn connection(&self) -> u64 {
        self.connections
    }

    /// Whether a backup stands in for this link.
    pub(crate) const fn is_failed_over(&self) -> bool {
        self.failed_over
    }

    /// A short link without data, unless it is to come up all the same; a destination without data.
    pub(super) fn has_nothing_to_do(&self) -> bool {
        (self.is_short() || self.is_destination())
            && self.queue.cache().is_empty()
            && !self.failed_over
    }

    pub(crate) const fn is_resting(&self) -> bool {
        self.resting.is_some()
    }

    pub(crate) const fn is_enabled(&self) -> bool {
        self.settings.is_some()
    }

    /// Since when the link has been up.
    pub(crate) fn up_since(&self) -> Option<Instant> {
        self.up.as_ref().map(|up| up.since)
    }

    /// Whether a socket or an attempt still stands.
    pub(crate) const fn is_closing(&self) -> bool {
        self.connection.is_closing()
    }

    /// An enabled TCP link that should be up and is not: since when.
    pub(crate) fn down_since(&self) -> Option<Instant> {
        let tries = matches!(
            self.plan,
            Plan::Retry { .. } | Plan::Wait(WaitingFor::Network)
        ) || self.connection.is_connecting()
            || self.connection.is_closing();
        tries.then_some(self.alive_at)
    }

    /// Whether the last reply to a command has left.
    pub(crate) fn replies_sent(&self) -> bool {
        self.up.as_ref().is_none_or(|up| {
            self.replies.is_empty()
                && (self.connection.is_free() || matches!(up.sending, Sent::Frame { .. }))
        })
    }

    /// What is outstanding, or was last.
    pub(crate) fn sending(&self) -> Option<Sent> {
        self.up.as_ref().map(|up| up.sending)
    }

    /// Whether its full cache keeps the serial line from being read, whatever the server does.
    pub(crate) fn blocks(&self) -> bool {
        self.settings.is_some()
            && self.queue.cache().policy() == DropPolicy::Block
            && self.queue.cache().is_nearly_full()
    }

    /// Whether a server that takes bytes paces the serial line by this link.
    pub(crate) fn can_pace(&self, now: Instant) -> bool {
        let moves = self.moves_until().is_none_or(|until| now < until);
        self.is_up() && moves && self.queue.cache().policy() == DropPolicy::Auto
    }

    /// Until when the peer counts as one that takes bytes; `None` = nothing waits for it, or there is no connection.
    pub(crate) fn moves_until(&self) -> Option<Instant> {
        let up = self.up.as_ref().filter(|_| self.has_unacked())?;
        Some(up.moves_until())
    }

    /// Whether the peer's TCP has still to acknowledge something.
    pub(super) const fn has_unacked(&self) -> bool {
        self.connection.sent() > self.connection.acked()
    }

    /// Whether it takes no more of a line that it paces, alone or with others.
    pub(crate) fn has_enough(&self, alone: bool) -> bool {
        // What is nearly full is more than half full.
        if alone {
            self.queue.cache().is_nearly_full()
        } else {
            self.queue.cache().is_half_full()
        }
    }

    /// A destination gets the data of the DTE and nothing else, and is connected only where there is some.
    pub(super) const fn is_destination(&self) -> bool {
        self.connection.socket().link().is_none()
    }

    pub(crate) fn is_udp(&self) -> bool {
        self.settings
            .as_ref()
            .is_some_and(|settings| settings.protocol == Protocol::Udp)
    }

    pub(super) const fn is_short(&self) -> bool {
        !self.long
    }

    pub(crate) fn undelivered(&self) -> impl Iterator<Item = (u64, &Bytes)> {
        self.queue.cache().iter()
    }

    pub(crate) const fn counters(&self) -> LinkCounters {
        let Counters {
            came,
            delivered,
            dropped,
            spool_refused,
        } = *self.queue.counters();
        LinkCounters {
            frames_in: came.frames,
            bytes_in: came.bytes,
            frames_out: delivered.frames,
            bytes_out: delivered.bytes,
            dropped_frames: dropped.frames,
            dropped_bytes: dropped.bytes,
            spool_refused,
            ..self.counters
        }
    }

    pub(crate) const fn counters_mut(&mut self) -> &mut LinkCounters {
        &mut self.counters
    }

    pub(crate) fn status(&self) -> LinkStatus {
        let state = match self.plan {
            Plan::Retry { .. } => LinkState::Waiting(WaitingFor::Retry),
            Plan::Wait(waiting) => LinkState::Waiting(waiting),
            Plan::Off if self.connection.is_up() => LinkState::Connected,
            Plan::Off if self.connection.is_connecting() => LinkState::Connecting,
            Plan::Off if self.connection.is_closing() => LinkState::Waiting(WaitingFor::Retry),
            Plan::Off => LinkState::Off,
        };
        LinkStatus {
            state,
            last_down: self.last_down,
            counters: self.counters(),
            waiting_frames: self.queue.cache().frames(),
            waiting_bytes: self.queue.cache().bytes(),
        }
    }
}
