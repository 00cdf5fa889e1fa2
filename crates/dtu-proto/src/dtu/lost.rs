//! What was lost where only the host sees it.

use super::Dtu;
use crate::event::{Event, Lost, SocketId};
use crate::mode::Modes;

impl Dtu {
    pub(super) fn lost(&mut self, lost: Lost) {
        match lost {
            Lost::Unread(of, count) => *self.unread_bytes(of) += count,
            Lost::Datagrams(of, count) => self.count_datagrams(of, count),
            Lost::InLine(count) => self.line.counters_mut().lost_bytes += count,
            Lost::Overrun(count) => self.line.counters_mut().overrun_bytes += count,
        }
        self.event(Event::Lost(lost));
    }

    fn unread_bytes(&mut self, of: SocketId) -> &mut u64 {
        let (modes, options) = (&mut self.modes, &self.options);
        let Modes {
            transparent,
            httpd,
            packets,
            at,
            ..
        } = modes;
        let links = &mut transparent.links;
        match of {
            SocketId::Link(link) => &mut links[link.index()].counters_mut().unread_bytes,
            SocketId::AtMode => &mut at.make(options).counters.unread_bytes,
            SocketId::Httpd => &mut httpd.make(options).counters_mut().unread_bytes,
            SocketId::Destination(_) => &mut packets.make(options).counters_mut().unread_bytes,
        }
    }

    fn count_datagrams(&mut self, of: SocketId, count: u64) {
        let (modes, options) = (&mut self.modes, &self.options);
        let Modes {
            transparent,
            packets,
            at,
            ..
        } = modes;
        let links = &mut transparent.links;
        let counter = match of {
            SocketId::Link(link) => &mut links[link.index()].counters_mut().unread_datagrams,
            SocketId::AtMode => &mut at.make(options).counters.unread_datagrams,
            // HTTP is never spoken in datagrams.
            SocketId::Httpd => return,
            SocketId::Destination(_) => &mut packets.make(options).counters_mut().unread_datagrams,
        };
        *counter += count;
    }
}
