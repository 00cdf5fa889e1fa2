//! The connection of the AT mode (2): `CIOPEN`, `CISEND`, `CICLOSE` (manual 2.8.6.34 to .36, decisions 12).

use super::Dtu;
use crate::event::LinkInput;
use crate::time::Instant;

impl Dtu {
    /// News of `ChannelId::AT_MODE`.
    pub(super) fn at_connection_news(&mut self, _input: LinkInput<'_>) {}

    /// Closes the connection: the mode ends, the device restarts or stops.
    pub(super) fn stop_at_connection(&mut self) {}

    /// Whether the host has still to say that it is closed.
    pub(super) fn at_connection_is_closing(&self) -> bool {
        false
    }

    pub(super) fn at_connection_deadline(&self) -> Option<Instant> {
        None
    }

    pub(super) fn at_connection_due(&mut self) {}
}
