//! Connections that devices have given up in a radio shadow. To the server they are half open.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;

use super::socket::Socket;

/// They are kept until the server says something on them: a device that is back knows nothing of them, and answers with
/// a reset.
#[derive(Debug, Default)]
pub(super) struct Shadows {
    all: BTreeMap<u32, (u32, Socket)>,
    next: u32,
}

impl Shadows {
    /// One more, of this device. Beyond `most` the oldest is reset.
    pub(super) fn push(&mut self, device: u32, socket: Socket, most: u32) {
        // Closed without a word only by the end of the fleet.
        socket.abort_when_closed();
        while self.all.len() >= most as usize {
            self.all.pop_first();
        }
        self.all.insert(self.next, (device, socket));
        self.next = self.next.wrapping_add(1);
    }

    /// A shadow is over: what the server says on connections of devices that are out of it is heard from now on.
    pub(super) fn lift(
        &mut self,
        epoll: &OwnedFd,
        token: impl Fn(u32) -> u64,
        in_shadow: impl Fn(u32) -> bool,
    ) {
        self.all.retain(|number, (device, socket)| {
            in_shadow(*device) || socket.listen(epoll, token(*number)).is_ok()
        });
    }

    /// The server said something, or closed it.
    pub(super) fn heard(&mut self, number: u32) {
        self.all.remove(&number);
    }
}
