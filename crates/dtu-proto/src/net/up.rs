//! A connection that is up: what goes next, when it is silent, when it is dead (decisions 6, 7 and 16).

use alloc::vec::Vec;
use bytes::Bytes;

use super::expect::Awaiting;
use super::link::Link;
use crate::config::{Config, HeartbeatTo, RegistrationWhen};
use crate::cx::Cx;
use crate::event::{LinkDownReason, Payload};
use crate::time::{Duration, Instant};

/// A peer that acknowledges nothing for so long takes nothing: it does not pace the serial line (decisions 16.1).
// mutant: stuck-server
pub(crate) const MOVES_FOR: Duration = Duration::from_secs(5);
/// The first data waits so long at most for the acknowledgement of the registration packet (decisions 16.7).
const REGISTRATION_ALONE: Duration = Duration::from_millis(200);

/// A connection.
#[derive(Debug)]
pub(super) struct Up {
    pub(super) since: Instant,
    /// What is outstanding, or was last.
    pub(super) sending: Sending,
    pub(super) registration_due: bool,
    /// The registration packet of this connection is on its way, alone.
    first_data: Option<FirstData>,
    pub(super) heartbeat_due: bool,
    last_heartbeat: Instant,
    last_received: Instant,
    /// Last sign that the peer's TCP takes bytes.
    last_acked: Instant,
    /// Since when something was not acknowledged; valid while there is such a byte.
    unacked_since: Instant,
    /// Last byte of data or command, or byte that the line took, for short links.
    pub(super) last_data: Instant,
    /// What the peer sent is not all with the DTE yet.
    unread: bool,
    pub(super) registration_reply: Awaiting,
    pub(super) heartbeat_reply: Awaiting,
}

/// What the first data of a connection waits for.
#[derive(Clone, Copy, Debug)]
struct FirstData {
    /// Where the registration packet ends in the stream.
    end: u64,
    /// Since it was handed to the socket.
    until: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    Frame,
    Other,
}

/// The heartbeat interval, if heartbeats to the network are on.
fn heartbeat_interval(config: &Config) -> Option<Duration> {
    let on = config.heartbeat_interval > 0
        && !config.heartbeat.is_empty()
        && config.heartbeat_to == HeartbeatTo::Network;
    on.then(|| Duration::from_secs(u64::from(config.heartbeat_interval)))
}

impl Up {
    pub(super) fn new(now: Instant, registration_due: bool) -> Self {
        Self {
            since: now,
            sending: Sending::Other,
            registration_due,
            first_data: None,
            heartbeat_due: false,
            last_heartbeat: now,
            last_received: now,
            last_acked: now,
            unacked_since: now,
            last_data: now,
            unread: false,
            registration_reply: Awaiting::default(),
            heartbeat_reply: Awaiting::default(),
        }
    }

    /// A byte that was merely handed to the socket is no sign of life (decisions 16.21).
    fn last_activity(&self) -> Instant {
        self.last_received.max(self.last_acked)
    }

    pub(super) const fn note_received(&mut self, now: Instant) {
        // mutant: received-is-life
        self.last_received = now;
        self.last_data = now;
    }

    /// The peer has all up to `total`.
    pub(super) fn note_acked(&mut self, total: u64, now: Instant) {
        self.last_acked = now;
        self.last_data = now;
        self.first_data = self.first_data.filter(|first| first.end > total);
    }

    pub(super) fn note_sent(&mut self, now: Instant) {
        if let Some(FirstData {
            until: until @ None,
            ..
        }) = &mut self.first_data
        {
            *until = Some(now + REGISTRATION_ALONE);
        }
    }

    /// `all_acked`: nothing that was sent before waits for its acknowledgement.
    fn begin_sending(&mut self, sending: Sending, all_acked: bool, now: Instant) {
        // mutant: handed-over-is-no-life
        self.sending = sending;
        if sending == Sending::Frame {
            self.last_data = now;
        }
        if all_acked {
            self.unacked_since = now;
        }
    }

    /// Until when a peer that something waits for counts as one that takes bytes.
    pub(super) fn moves_until(&self) -> Instant {
        self.last_acked.max(self.unacked_since) + MOVES_FOR
    }

    /// The line took bytes of this connection, or has none left; or the socket is read again, or not.
    pub(super) fn line_moved(&mut self, share: LineShare, now: Instant) {
        if self.unread || share.unread {
            self.last_data = self.last_data.max(now);
        }
        self.unread = share.unread;
        self.registration_reply.be_heard(share.is_read, now);
        self.heartbeat_reply.be_heard(share.is_read, now);
    }
}

/// What the serial line means for a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineShare {
    /// Its socket is read. Where it is not, the peer cannot be blamed for its silence.
    pub(crate) is_read: bool,
    /// Bytes of it wait for the DTE.
    pub(crate) unread: bool,
}

impl Link {
    /// Sends what is next, if the socket is free.
    pub(super) fn pump(&mut self, cx: &mut Cx<'_>) {
        // mutant: one-send
        if !self.connection.is_free() {
            return;
        }
        let next = self.next_control(cx).filter(|packet| !packet.is_empty());
        let (payload, sending) = match next {
            Some(packet) => (
                Payload {
                    prefix: Bytes::new(),
                    body: packet,
                },
                Sending::Other,
            ),
            None => match self.next_frame(cx.config) {
                Some(payload) => (payload, Sending::Frame),
                None => return,
            },
        };
        let all_acked = !self.has_unacked();
        if let Some(up) = &mut self.up {
            up.begin_sending(sending, all_acked, cx.now);
        }
        self.backoff.asked();
        self.connection.send(payload, cx.outputs);
    }

    /// What goes before data: registration, replies, a heartbeat.
    fn next_control(&mut self, cx: &Cx<'_>) -> Option<Bytes> {
        // A datagram holds nothing else anyway.
        let is_stream = !self.is_udp();
        let is_first = self.connection.sent() == 0;
        let up = self.up.as_mut()?;
        // mutant: registers-first
        if up.registration_due {
            up.registration_due = false;
            up.registration_reply
                .expect(self.options.expect_registration.as_deref(), cx.now);
            let packet = Bytes::copy_from_slice(&cx.config.registration);
            if is_stream && is_first {
                up.first_data = Some(FirstData {
                    end: packet.len() as u64,
                    until: None,
                });
            }
            return Some(packet);
        }
        if let Some(reply) = self.replies.pop_front() {
            up.last_data = cx.now;
            return Some(reply);
        }
        if !core::mem::take(&mut up.heartbeat_due) {
            return None;
        }
        up.heartbeat_reply
            .expect(self.options.expect_heartbeat.as_deref(), cx.now);
        self.counters.heartbeats += 1;
        Some(Bytes::copy_from_slice(&cx.config.heartbeat))
    }

    /// The next frame of the cache, with the registration packet in front where it belongs there.
    fn next_frame(&mut self, config: &Config) -> Option<Payload> {
        if self.up.as_ref()?.first_data.is_some() {
            return None;
        }
        let prefix = match config.registration_when {
            RegistrationWhen::OnConnect => Bytes::new(),
            RegistrationWhen::WithData if self.is_destination() => Bytes::new(),
            // mutant: registers-with-data
            RegistrationWhen::WithData => Bytes::copy_from_slice(&config.registration),
        };
        let start = self.connection.sent() + prefix.len() as u64;
        let (body, again) = self.queue.hand_over(|len| start + len as u64)?;
        if again {
            self.counters.resent_frames += 1;
            self.counters.resent_bytes += body.len() as u64;
        }
        Some(Payload { prefix, body })
    }

    /// Whether the registration packet goes first.
    pub(super) const fn registers(&self, config: &Config) -> bool {
        !config.registration.is_empty() && !self.is_destination()
    }

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

    /// The nearest deadline of the connection.
    pub(super) fn up_deadline(&self, up: &Up, config: &Config) -> Option<Instant> {
        let all = [
            self.heartbeat_at(up, config),
            self.dead_at(up, config),
            self.idle_at(up),
            up.first_data.and_then(|first| first.until),
            up.registration_reply.deadline(),
            up.heartbeat_reply.deadline(),
        ];
        all.into_iter().flatten().min()
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
