//! What goes next by a connection that is up: registration, replies to commands, a heartbeat, frames (decisions 6 and 7).

use bytes::Bytes;

use super::link::Link;
use super::up::FirstData;
use crate::config::{Config, RegistrationWhen};
use crate::cx::Cx;
use crate::event::Payload;
use crate::seen::Sent;

impl Link {
    /// Sends what is next, if the socket is free.
    pub(super) fn pump(&mut self, cx: &mut Cx<'_>) {
        // mutant: one-send
        if !self.connection.is_free() {
            return;
        }
        let next = self
            .next_control(cx)
            .filter(|(packet, _)| !packet.is_empty());
        let (payload, sending) = match next {
            Some((packet, what)) => (
                Payload {
                    prefix: Bytes::new(),
                    body: packet,
                },
                what,
            ),
            None => match self.next_frame(cx.config) {
                Some((payload, again)) => (payload, Sent::Frame { again }),
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
    fn next_control(&mut self, cx: &Cx<'_>) -> Option<(Bytes, Sent)> {
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
            return Some((packet, Sent::Registration));
        }
        if let Some(reply) = self.replies.pop_front() {
            up.last_data = cx.now;
            return Some((reply, Sent::Reply));
        }
        if !core::mem::take(&mut up.heartbeat_due) {
            return None;
        }
        up.heartbeat_reply
            .expect(self.options.expect_heartbeat.as_deref(), cx.now);
        self.counters.heartbeats += 1;
        Some((
            Bytes::copy_from_slice(&cx.config.heartbeat),
            Sent::Heartbeat,
        ))
    }

    /// The next frame of the cache, with the registration packet in front where it belongs there; and
    /// whether it was sent before.
    fn next_frame(&mut self, config: &Config) -> Option<(Payload, bool)> {
        if self.up.as_ref()?.first_data.is_some() || !self.queue.cache().has_more() {
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
        Some((Payload { prefix, body }, again))
    }

    /// Whether the registration packet goes first.
    pub(super) const fn registers(&self, config: &Config) -> bool {
        !config.registration.is_empty() && !self.is_destination()
    }
}
