//! A destination of the serial command mode: a link whose settings come with the data (decisions 11).

use bytes::Bytes;

use super::cache::InSocket;
use super::link::Link;
use super::queue::Fate;
use crate::config::LinkConfig;
use crate::cx::Cx;
use crate::time::Duration;

impl Link {
    /// Turns to this peer. A connection to another one is closed first. Only where nothing waits.
    pub(crate) fn aim(&mut self, settings: LinkConfig, cx: &mut Cx<'_>) {
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
    pub(crate) fn push_numbered(&mut self, seq: u64, frame: Bytes, cx: &mut Cx<'_>) {
        self.queue.push_numbered(seq, frame);
        self.wake(cx);
        self.pump(cx);
    }

    /// What became of the next frame, if that is known.
    pub(crate) fn next_fate(&mut self) -> Option<Fate> {
        self.queue.next_fate()
    }

    /// The number of the oldest frame that is not in the socket's hands.
    pub(crate) fn first_to_drop(&self) -> Option<u64> {
        self.queue.cache().first_to_drop()
    }

    /// Lets that frame go.
    pub(crate) fn drop_first(&mut self) {
        self.queue.drop_first();
    }

    /// Lets a frame go that no socket has; an error: one has it.
    pub(crate) fn drop_numbered(&mut self, seq: u64) -> Result<(), InSocket> {
        self.queue.drop_numbered(seq)
    }

    /// Lets go of everything that waits. The connection stays.
    pub(crate) fn empty(&mut self) {
        self.queue.empty();
    }

    /// Bytes of frames in the socket's hands.
    pub(crate) const fn handed_over_bytes(&self) -> usize {
        self.queue.cache().handed_over_bytes()
    }

    /// Bytes of frames that wait and are not.
    pub(crate) const fn droppable_bytes(&self) -> usize {
        self.queue.cache().bytes() - self.queue.cache().handed_over_bytes()
    }

    /// Whether there is a connection or an attempt.
    pub(crate) const fn is_open(&self) -> bool {
        !self.connection.is_idle()
    }
}
