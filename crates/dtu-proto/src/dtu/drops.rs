//! Everything that was dropped, place by place, for logs.

use super::Dtu;
use crate::drops::{DropPlace, Dropped};
use crate::event::LinkId;
use crate::mode::httpd::Httpd;
use crate::mode::packets::Packets;

impl Dtu {
    /// What was dropped so far, always in the same order. Costs little: a host may look after each input.
    #[must_use]
    pub fn drops(&self) -> [Dropped; DropPlace::COUNT] {
        let serial = self.line.counters();
        let modes = &self.modes;
        let httpd = modes.httpd.get().map(Httpd::counters).unwrap_or_default();
        let packets = modes.packets.get().map(Packets::counters);
        let packets = packets.unwrap_or_default();
        let connection = modes.at.get().map(|mode| mode.counters).unwrap_or_default();
        let lost = &self.mailbox.counters;
        let messages = lost.incomplete + lost.evicted + lost.refused + lost.expired + lost.dropped;
        let mut drops = [Dropped::NONE; DropPlace::COUNT];
        let mut put = |place: DropPlace, count, bytes| {
            drops[place.index()] = Dropped {
                place,
                count,
                bytes,
            }
        };
        put(
            DropPlace::Serial,
            serial.dropped_frames,
            serial.dropped_bytes,
        );
        put(DropPlace::SerialReplies, serial.dropped_replies, 0);
        put(
            DropPlace::SerialLost,
            serial.lost_bytes + serial.undelivered_bytes,
            0,
        );
        put(DropPlace::SerialOverrun, serial.overrun_bytes, 0);
        for link in LinkId::ALL {
            let counters = modes.transparent.links[link.index()].counters();
            // mutant: drops-summed
            put(
                DropPlace::Link(link),
                counters.dropped_frames,
                counters.dropped_bytes,
            );
            put(DropPlace::LinkReplies(link), counters.dropped_replies, 0);
            put(DropPlace::LinkUnread(link), counters.unread_bytes, 0);
            put(DropPlace::LinkDatagrams(link), counters.unread_datagrams, 0);
            put(DropPlace::LinkSpool(link), counters.spool_refused, 0);
        }
        put(DropPlace::Httpd, httpd.dropped_frames, httpd.dropped_bytes);
        put(DropPlace::HttpdRequests, httpd.failed + httpd.timed_out, 0);
        put(
            DropPlace::HttpdUnread,
            httpd.stray_bytes + httpd.unread_bytes,
            0,
        );
        put(DropPlace::HttpdSpool, httpd.spool_refused, 0);
        put(DropPlace::PacketsSpool, packets.spool_refused, 0);
        put(
            DropPlace::Packets,
            packets.dropped_packets,
            packets.dropped_bytes,
        );
        put(
            DropPlace::PacketsBad,
            packets.bad_packets,
            packets.garbage_bytes,
        );
        put(DropPlace::PacketsUnread, packets.unread_bytes, 0);
        put(DropPlace::PacketsDatagrams, packets.unread_datagrams, 0);
        put(
            DropPlace::AtConnection,
            connection.dropped_frames,
            connection.dropped_bytes,
        );
        put(DropPlace::AtUnread, connection.unread_bytes, 0);
        put(DropPlace::AtDatagrams, connection.unread_datagrams, 0);
        put(DropPlace::Messages, messages, 0);
        drops
    }
}
