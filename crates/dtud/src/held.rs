//! Sends that wait for the disk: what must be kept before it goes, or may not go twice.

use dtu_proto::event::{SOCKETS, SocketId, SocketOutput};

/// One for each connection at most, as the device has one outstanding.
#[derive(Debug, Default)]
pub(crate) struct Held([Option<(u64, SocketOutput)>; SOCKETS]);

impl Held {
    /// Holds a send back until the disk has done its order.
    pub(crate) fn hold(&mut self, socket: SocketId, order: u64, send: SocketOutput) {
        self.0[socket.index()] = Some((order, send));
    }

    /// The connection is over, or is to be: what has not gone does not go.
    pub(crate) fn forget(&mut self, socket: SocketId) {
        self.0[socket.index()] = None;
    }

    /// A send that need not wait any more.
    pub(crate) fn next(
        &mut self,
        has_done: impl Fn(u64) -> bool,
    ) -> Option<(SocketId, SocketOutput)> {
        let is_free = |held: &Option<(u64, SocketOutput)>| {
            held.as_ref().is_some_and(|(order, _)| has_done(*order))
        };
        let socket = SocketId::ALL
            .into_iter()
            .find(|socket| is_free(&self.0[socket.index()]))?;
        let (_, send) = self.0[socket.index()].take()?;
        Some((socket, send))
    }
}
