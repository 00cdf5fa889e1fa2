//! A connection that is up: what goes next, when it is silent, when it is dead (decisions 6 and 7).

use bytes::Bytes;

use super::expect::Awaiting;
use super::{Link, LinkContext, State};
use crate::config::{Config, HeartbeatTo, RegistrationWhen};
use crate::event::{LinkDownReason, LinkOutput, Payload};
use crate::time::{Duration, Instant};

/// A connection.
#[derive(Debug)]
pub(super) struct Up {
    pub(super) since: Instant,
    /// Bytes handed to the host.
    pub(super) sent: u64,
    pub(super) acked: u64,
    pub(super) sending: Option<Sending>,
    pub(super) registration_due: bool,
    pub(super) heartbeat_due: bool,
    /// Where the last heartbeat ends in the stream, until it is acknowledged.
    pub(super) heartbeat_end: Option<u64>,
    /// Last byte sent or received.
    pub(super) last_activity: Instant,
    /// Last sign that the peer's TCP takes bytes.
    pub(super) last_progress: Instant,
    /// Last byte of data or command, for short links.
    pub(super) last_data: Instant,
    pub(super) registration_reply: Awaiting,
    pub(super) heartbeat_reply: Awaiting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    Frame,
    Other,
}

impl Up {
    pub(super) fn new(now: Instant, registration_due: bool) -> Self {
        Self {
            since: now,
            sent: 0,
            acked: 0,
            sending: None,
            registration_due,
            heartbeat_due: false,
            heartbeat_end: None,
            last_activity: now,
            last_progress: now,
            last_data: now,
            registration_reply: Awaiting::default(),
            heartbeat_reply: Awaiting::default(),
        }
    }

    fn heartbeat_at(&self, config: &Config) -> Option<Instant> {
        let on = config.heartbeat_interval > 0
            && !config.heartbeat.is_empty()
            && config.heartbeat_to == HeartbeatTo::Network;
        on.then(|| self.last_activity + Duration::from_secs(u64::from(config.heartbeat_interval)))
    }
}

impl Link {
    /// Sends what is next, if the socket is free.
    pub(super) fn pump(&mut self, cx: &mut LinkContext<'_>) {
        let State::Up(up) = &mut self.state else { return };
        if up.sending.is_some() {
            return;
        }
        let next = self.next_control(cx).filter(|packet| !packet.is_empty());
        let (payload, sending) = match next {
            Some(packet) => (Payload { prefix: Bytes::new(), body: packet }, Sending::Other),
            None => match self.next_frame(cx.config) {
                Some(payload) => (payload, Sending::Frame),
                None => return,
            },
        };
        let State::Up(up) = &mut self.state else { return };
        up.sending = Some(sending);
        if sending == Sending::Frame {
            up.last_data = cx.now;
        }
        up.sent += payload.len() as u64;
        up.last_activity = cx.now;
        cx.outputs.push_back(self.port.output(LinkOutput::Send(payload)));
    }

    /// What goes before data: registration, replies, a heartbeat.
    fn next_control(&mut self, cx: &LinkContext<'_>) -> Option<Bytes> {
        let State::Up(up) = &mut self.state else { return None };
        if up.registration_due {
            up.registration_due = false;
            up.registration_reply.expect(self.options.expect_registration.as_ref(), cx.now);
            return Some(Bytes::copy_from_slice(&cx.config.registration));
        }
        if let Some(reply) = self.replies.pop_front() {
            up.last_data = cx.now;
            return Some(reply);
        }
        if !core::mem::take(&mut up.heartbeat_due) {
            return None;
        }
        up.heartbeat_end = Some(up.sent + cx.config.heartbeat.len() as u64);
        up.heartbeat_reply.expect(self.options.expect_heartbeat.as_ref(), cx.now);
        self.counters.heartbeats += 1;
        Some(Bytes::copy_from_slice(&cx.config.heartbeat))
    }

    /// The next frame of the cache, with the registration packet in front where it belongs there.
    fn next_frame(&mut self, config: &Config) -> Option<Payload> {
        let State::Up(up) = &mut self.state else { return None };
        let prefix = match config.registration_when {
            RegistrationWhen::OnConnect => Bytes::new(),
            RegistrationWhen::WithData if self.port.is_destination() => Bytes::new(),
            RegistrationWhen::WithData => Bytes::copy_from_slice(&config.registration),
        };
        let start = up.sent + prefix.len() as u64;
        let (body, again) = self.cache.hand_over(|len| start + len as u64)?;
        if again {
            self.counters.resent_frames += 1;
            self.counters.resent_bytes += body.len() as u64;
        }
        Some(Payload { prefix, body })
    }

    /// Whether the registration packet goes first.
    pub(super) const fn registers(&self, config: &Config) -> bool {
        !config.registration.is_empty() && !self.port.is_destination()
    }

    pub(super) fn heartbeat_at(&self, up: &Up, config: &Config) -> Option<Instant> {
        if self.port.is_destination() { None } else { up.heartbeat_at(config) }
    }

    pub(super) fn idle_at(&self, up: &Up) -> Option<Instant> {
        let idle = self.is_short() && self.has_nothing_to_do() && up.sending.is_none();
        idle.then(|| up.last_data + self.options.short_link_idle)
    }

    pub(super) fn fire_up(&mut self, cx: &mut LinkContext<'_>) {
        let now = cx.now;
        let State::Up(up) = &self.state else { return };
        if self.idle_at(up).is_some_and(|at| at <= now) {
            self.close(LinkDownReason::Idle, cx);
            return;
        }
        let heartbeat_now = self.heartbeat_at(up, cx.config).is_some_and(|at| at <= now);
        let State::Up(up) = &mut self.state else { return };
        let missing =
            up.heartbeat_reply.fire(self.options.expect_heartbeat.as_ref(), now).is_some_and(|m| m.last);
        let register_again = up.registration_reply.fire(self.options.expect_registration.as_ref(), now);
        if missing || register_again.is_some_and(|m| m.last) {
            self.close(LinkDownReason::ReplyMissing, cx);
            return;
        }
        up.registration_due |= register_again.is_some() && !cx.config.registration.is_empty();
        if heartbeat_now {
            let stuck = up.sending.is_some() || up.heartbeat_end.is_some();
            if stuck && up.last_progress <= up.last_activity {
                self.close(LinkDownReason::HeartbeatFailed, cx);
                return;
            }
            up.last_activity = if stuck { up.last_progress } else { now };
            up.heartbeat_due |= !stuck;
        }
        self.pump(cx);
    }
}
