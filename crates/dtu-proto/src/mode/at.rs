//! The connection of the AT mode (2): what was ordered, and what became of it (manual 2.8.6.34 to .36, decisions 12).

use crate::event::{Connect, LinkDownReason, SocketId};
use crate::net::connection::{Connection, Down};
use crate::status::{AtConnectionCounters, AtConnectionStatus, LinkState};

/// The connection.
#[derive(Debug)]
pub(crate) struct AtConnection {
    pub(crate) connection: Connection,
    /// Where `CIOPEN` wants to go; it begins behind the reply, and not before an earlier connection is closed.
    ordered: Option<Connect>,
    last_down: Option<LinkDownReason>,
    pub(crate) counters: AtConnectionCounters,
    /// Bytes of the frame that is being sent.
    sending: Option<usize>,
}

impl Default for AtConnection {
    fn default() -> Self {
        Self {
            connection: Connection::new(SocketId::AtMode),
            ordered: None,
            last_down: None,
            counters: AtConnectionCounters::default(),
            sending: None,
        }
    }
}

impl AtConnection {
    /// `CIOPEN`. Only where [`AtConnection::is_used`] says that nothing is open.
    pub(crate) fn order(&mut self, connect: Connect) {
        self.ordered = Some(connect);
    }

    /// What is to be opened, once nothing is open any more.
    pub(crate) fn take_order(&mut self) -> Option<Connect> {
        if self.connection.is_idle() {
            self.ordered.take()
        } else {
            None
        }
    }

    /// `CICLOSE`, or the mode ends: what has not begun does not begin.
    pub(crate) fn forget_order(&mut self) {
        self.ordered = None;
    }

    /// Whether a connection is open, being opened, or about to be.
    pub(crate) const fn is_used(&self) -> bool {
        self.ordered.is_some() || self.connection.is_connecting() || self.connection.is_up()
    }

    /// Takes note of a frame of the DTE.
    pub(crate) const fn begin_send(&mut self, bytes: usize) {
        self.counters.frames_in += 1;
        self.counters.bytes_in += bytes as u64;
        self.sending = Some(bytes);
    }

    /// Takes note of a frame that could not be one.
    pub(crate) fn dropped(&mut self, bytes: usize) {
        if bytes > 0 {
            self.begin_send(bytes);
            self.end_send(false);
        }
    }

    /// Takes note of what became of it.
    pub(crate) fn end_send(&mut self, sent: bool) {
        let Some(bytes) = self.sending.take() else {
            return;
        };
        let counters = &mut self.counters;
        let (frames, total) = if sent {
            (&mut counters.frames_out, &mut counters.bytes_out)
        } else {
            (&mut counters.dropped_frames, &mut counters.dropped_bytes)
        };
        *frames += 1;
        *total += bytes as u64;
    }

    /// Takes note of the end of a connection or attempt.
    pub(crate) const fn ended(&mut self, down: &Down) {
        self.last_down = Some(down.reason);
        match (down.was_up, down.reason) {
            (_, LinkDownReason::Ordered) => {}
            (true, _) => self.counters.lost += 1,
            (false, _) => self.counters.failed += 1,
        }
    }

    /// Takes note of an attempt that was not even made.
    pub(crate) const fn not_made(&mut self, reason: LinkDownReason) {
        self.last_down = Some(reason);
        self.counters.failed += 1;
    }

    pub(crate) const fn status(&self) -> AtConnectionStatus {
        let state = if self.connection.is_up() {
            LinkState::Connected
        } else if self.ordered.is_some() || self.connection.is_connecting() {
            LinkState::Connecting
        } else {
            LinkState::Off
        };
        AtConnectionStatus {
            state,
            last_down: self.last_down,
            counters: self.counters,
        }
    }
}
