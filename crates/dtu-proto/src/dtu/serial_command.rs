//! The serial command mode (1): frames that name their destination (decisions 11).

use bytes::Bytes;

use super::Dtu;
use crate::event::{ChannelId, LinkInput};
use crate::time::Instant;

impl Dtu {
    /// Whether the mode began, ended, or its settings changed: starts, stops or restarts what must be. What waits stays.
    pub(super) fn apply_serial_command(&mut self) {}

    /// Ends every connection: the device restarts or stops. What waits stays.
    pub(super) fn stop_serial_command(&mut self) {}

    /// Whether the host has still to say that something is closed.
    pub(super) fn serial_command_is_closing(&self) -> bool {
        false
    }

    /// A frame of the DTE.
    pub(super) fn serial_command_frame(&mut self, _frame: &Bytes) {}

    /// A frame of an earlier run.
    pub(super) fn restore_serial_command(&mut self, _seq: u64, _frame: Bytes) {}

    /// The frames that wait, oldest first, with their numbers.
    pub(super) fn serial_command_undelivered(&self) -> impl Iterator<Item = (u64, &Bytes)> {
        core::iter::empty()
    }

    /// Whether the serial line must not be read (`drop_policy = "block"`).
    pub(super) fn serial_command_blocks(&self) -> bool {
        false
    }

    /// The network is there, or gone.
    pub(super) fn serial_command_network_changed(&mut self) {}

    /// News of a destination.
    pub(super) fn serial_command_news(&mut self, _channel: ChannelId, _input: LinkInput<'_>) {}

    pub(super) fn serial_command_deadline(&self) -> Option<Instant> {
        None
    }

    pub(super) fn serial_command_due(&mut self) {}
}
