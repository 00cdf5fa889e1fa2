//! What was lost where only the host sees it.

use super::Dtu;
use crate::event::{Event, Lost, SocketId};

impl Dtu {
    pub(super) fn lost(&mut self, lost: Lost) {
        match lost {
            Lost::Unread(of, count) => *self.unread_bytes(of) += count,
            Lost::Datagrams(of, count) => self.count_datagrams(of, count),
            Lost::InLine(count) => self.line.counters.lost_bytes += count,
            Lost::Overrun(count) => self.line.counters.overrun_bytes += count,
        }
        self.event(Event::Lost(lost));
    }

    fn unread_bytes(&mut self, of: SocketId) -> &mut u64 {
        match of {
            SocketId::Link(link) => &mut self.links[link.index()].counters_mut().unread_bytes,
            SocketId::AtMode => &mut self.at_connection.counters.unread_bytes,
            SocketId::Httpd => &mut self.make_httpd().counters_mut().unread_bytes,
            SocketId::Destination(_) => &mut self.make_serial_command().counters_mut().unread_bytes,
        }
    }

    fn count_datagrams(&mut self, of: SocketId, count: u64) {
        let counter = match of {
            SocketId::Link(link) => &mut self.links[link.index()].counters_mut().unread_datagrams,
            SocketId::AtMode => &mut self.at_connection.counters.unread_datagrams,
            // HTTP is never spoken in datagrams.
            SocketId::Httpd => return,
            SocketId::Destination(_) => {
                &mut self.make_serial_command().counters_mut().unread_datagrams
            }
        };
        *counter += count;
    }
}
