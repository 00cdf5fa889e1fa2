//! When a connection that is up is silent, idle or dead (decisions 6, 7 and 16).

use alloc::vec::Vec;

use super::link::{Link, Plan};
use super::up::Up;
use crate::config::{Config, HeartbeatTo};
use crate::cx::Cx;
use crate::event::LinkDownReason;
use crate::status::LinkTimer;
use crate::time::{Duration, Instant, earliest};

/// The heartbeat interval, if heartbeats to the network are on.
fn heartbeat_interval(config: &Config) -> Option<Duration> {
    let on = config.heartbeat_interval > 0
        && !config.heartbeat.is_empty()
        && config.heartbeat_to == HeartbeatTo::Network;
    on.then(|| Duration::from_secs(u64::from(config.heartbeat_interval)))
}

impl Link {
    fn heartbeat_interval(&self, config: &Config) -> Option<Duration> {
        heartbeat_interval(config).filter(|_| !self.is_destination())
    }

    /// When the next heartbeat is due. What is not acknowledged yet asks for a sign of life as well as a heartbeat would.
    /// Where the server itself is to answer, only what it sends is one.
    fn heartbeat_at(&self, up: &Up, config: &Config) -> Option<Instant> {
        let interval = self.heartbeat_interval(config)?;
        if self.options.expect_heartbeat.is_some() {
            return Some(up.last_received.max(up.last_heartbeat) + interval);
        }
        (!self.has_unacked()).then(|| up.last_activity() + interval)
    }

    /// When a peer that acknowledges nothing is given up: two intervals after its last sign of life, but not before what
    /// was sent had one interval's time.
    fn dead_at(&self, up: &Up, config: &Config) -> Option<Instant> {
        let interval = self.heartbeat_interval(config)?;
        let at = (up.last_activity() + interval * 2).max(up.unacked_since + interval);
        // mutant: dead-peer
        self.has_unacked().then_some(at)
    }

    /// A short link is idle when there is nothing to send, nothing unread, and nothing came for its time.
    fn idle_at(&self, up: &Up) -> Option<Instant> {
        let idle =
            self.is_short() && self.has_nothing_to_do() && self.connection.is_free() && !up.unread;
        idle.then(|| up.last_data + self.options.short_link_idle)
    }

    /// What it does next by itself, and when.
    pub(crate) fn next_timer(&self, config: &Config) -> Option<(LinkTimer, Instant)> {
        let Some(up) = &self.up else {
            return match self.plan {
                Plan::Retry { at } => Some((LinkTimer::Retry, at)),
                Plan::Off | Plan::Wait(_) if self.connection.is_connecting() => self
                    .connection
                    .deadline()
                    .map(|at| (LinkTimer::Attempt, at)),
                Plan::Off | Plan::Wait(_) => None,
            };
        };
        let reply = earliest([
            up.registration_reply.deadline(),
            up.heartbeat_reply.deadline(),
        ]);
        [
            (LinkTimer::Heartbeat, self.heartbeat_at(up, config)),
            (LinkTimer::Dead, self.dead_at(up, config)),
            (LinkTimer::Idle, self.idle_at(up)),
            (LinkTimer::Reply, reply),
        ]
        .into_iter()
        .filter_map(|(timer, at)| Some((timer, at?)))
        .min_by_key(|(_, at)| *at)
    }

    /// The nearest deadline of the connection.
    pub(super) fn up_deadline(&self, up: &Up, config: &Config) -> Option<Instant> {
        earliest([
            self.heartbeat_at(up, config),
            self.dead_at(up, config),
            self.idle_at(up),
            up.first_data.and_then(|first| first.until),
            up.registration_reply.deadline(),
            up.heartbeat_reply.deadline(),
        ])
    }

    pub(super) fn fire_up(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now;
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let Some(up) = &self.up else { return };
        if is_due(self.idle_at(up)) {
            self.close(LinkDownReason::Idle, cx);
            return;
        }
        if is_due(self.dead_at(up, cx.config)) {
            self.close(LinkDownReason::HeartbeatFailed, cx);
            return;
        }
        let heartbeat_now = is_due(self.heartbeat_at(up, cx.config));
        let Some(up) = &mut self.up else { return };
        let (registration, heartbeat) = (
            &self.options.expect_registration,
            &self.options.expect_heartbeat,
        );
        let mut rest = Vec::new();
        let register_again = up
            .registration_reply
            .fire(registration.as_deref(), now, &mut rest);
        // What the one does not hold back any more may still be the other's.
        up.heartbeat_reply
            .take_out(&rest, heartbeat.as_deref(), now, &mut self.released);
        let missing = up
            .heartbeat_reply
            .fire(heartbeat.as_deref(), now, &mut self.released);
        if missing.is_some_and(|m| m.last) || register_again.is_some_and(|m| m.last) {
            self.close(LinkDownReason::ReplyMissing, cx);
            return;
        }
        up.registration_due |= register_again.is_some() && !cx.config.registration.is_empty();
        up.first_data = up
            .first_data
            .filter(|first| first.until.is_none_or(|until| now < until));
        if heartbeat_now {
            // mutant: heartbeat-due
            up.heartbeat_due = true;
            up.last_heartbeat = now;
        }
        self.pump(cx);
    }
}
