//! The HTTPD client (mode 3): one frame, one request (manual 2.1.3, decisions 9).

use bytes::Bytes;

use super::Dtu;
use crate::event::LinkInput;
use crate::time::Instant;

impl Dtu {
    /// Whether the mode began, ended, or its settings changed: starts, stops or restarts what must be. What waits stays.
    pub(super) fn apply_httpd(&mut self) {}

    /// Ends every connection: the device restarts or stops. What waits stays.
    pub(super) fn stop_httpd(&mut self) {}

    /// Whether the host has still to say that something is closed.
    pub(super) fn httpd_is_closing(&self) -> bool {
        false
    }

    /// A frame of the DTE.
    pub(super) fn httpd_frame(&mut self, _frame: &Bytes) {}

    /// A frame of an earlier run.
    pub(super) fn restore_httpd(&mut self, _seq: u64, _frame: Bytes) {}

    /// The frames that wait, oldest first, with their numbers.
    pub(super) fn httpd_undelivered(&self) -> impl Iterator<Item = (u64, &Bytes)> {
        core::iter::empty()
    }

    /// Whether the serial line must not be read (`drop_policy = "block"`).
    pub(super) fn httpd_blocks(&self) -> bool {
        false
    }

    /// The network is there, or gone.
    pub(super) fn httpd_network_changed(&mut self) {}

    /// News of `ChannelId::HTTPD`.
    pub(super) fn httpd_news(&mut self, _input: LinkInput<'_>) {}

    pub(super) fn httpd_deadline(&self) -> Option<Instant> {
        None
    }

    pub(super) fn httpd_due(&mut self) {}
}
