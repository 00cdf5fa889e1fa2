//! A destination of the serial command mode: a link whose settings come with the data (decisions 11).

use bytes::Bytes;

use super::link::{Link, LinkContext};
use crate::config::LinkConfig;
use crate::time::Duration;

impl Link {
    /// Turns to this peer. A connection to another one is closed first. Only where nothing waits.
    pub(crate) fn aim(&mut self, settings: LinkConfig, cx: &mut LinkContext<'_>) {
        let long = self.long;
        self.last_down = None;
        self.apply(Some(settings), long, cx);
    }

    /// Whether the connection stays, or closes after so long without data.
    pub(crate) const fn keep_open(&mut self, long: bool, idle: Duration) {
        self.long = long;
        self.options.short_link_idle = idle;
    }

    /// Gives the link a frame that has a number.
    pub(crate) fn push_numbered(&mut self, seq: u64, frame: Bytes, cx: &mut LinkContext<'_>) {
        self.cache.insert(frame, seq, 0, |_| {});
        self.wake(cx);
        self.pump(cx);
    }

    /// The number of the oldest frame that waits; where none does it is above all that ever waited.
    pub(crate) fn first_waiting(&self) -> u64 {
        self.cache.first_seq()
    }

    /// The number of the oldest frame that is not in the socket's hands.
    pub(crate) fn first_to_drop(&self) -> Option<u64> {
        self.cache.first_to_drop()
    }

    /// Lets that frame go.
    pub(crate) fn drop_first(&mut self) {
        self.cache.take_oldest_waiting();
    }

    /// Lets a frame go that no socket has; false: one has it.
    pub(crate) fn drop_numbered(&mut self, seq: u64) -> bool {
        self.cache.remove_waiting(seq)
    }

    /// Lets go of everything and gives the peer up.
    pub(crate) fn empty(&mut self) {
        self.cache.take_all();
    }

    /// Frames delivered since the start.
    pub(crate) const fn delivered_frames(&self) -> u64 {
        self.counters.frames_out
    }

    /// Bytes of frames in the socket's hands.
    pub(crate) const fn handed_over_bytes(&self) -> usize {
        self.cache.handed_over_bytes()
    }

    /// Bytes of frames that wait and are not.
    pub(crate) const fn droppable_bytes(&self) -> usize {
        self.cache.bytes() - self.cache.handed_over_bytes()
    }

    /// Whether there is a connection or an attempt.
    pub(crate) const fn is_open(&self) -> bool {
        !self.connection.is_idle()
    }
}
