//! What a link knows of its connection while that is up.

use super::expect::Awaiting;
use crate::seen::Sent;
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
    pub(super) sending: Sent,
    pub(super) registration_due: bool,
    /// The registration packet of this connection is on its way, alone.
    pub(super) first_data: Option<FirstData>,
    pub(super) heartbeat_due: bool,
    pub(super) last_heartbeat: Instant,
    pub(super) last_received: Instant,
    /// Last sign that the peer's TCP takes bytes.
    last_acked: Instant,
    /// Since when something was not acknowledged; valid while there is such a byte.
    pub(super) unacked_since: Instant,
    /// Last byte of data or command, or byte that the line took, for short links.
    pub(super) last_data: Instant,
    /// What the peer sent is not all with the DTE yet.
    pub(super) unread: bool,
    pub(super) registration_reply: Awaiting,
    pub(super) heartbeat_reply: Awaiting,
}

/// What the first data of a connection waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct FirstData {
    /// Where the registration packet ends in the stream.
    pub(super) end: u64,
    /// Since it was handed to the socket.
    pub(super) until: Option<Instant>,
}

impl Up {
    pub(super) fn new(now: Instant, registration_due: bool) -> Self {
        Self {
            since: now,
            sending: Sent::default(),
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
    pub(super) fn last_activity(&self) -> Instant {
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
    pub(super) fn begin_sending(&mut self, sending: Sent, all_acked: bool, now: Instant) {
        // mutant: handed-over-is-no-life
        self.sending = sending;
        if matches!(sending, Sent::Frame { .. }) {
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
