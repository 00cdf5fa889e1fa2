//! The counters that outlive the host.

use super::Dtu;
use crate::event::{LINKS, LinkId, QueueId};
use crate::mode::httpd::Httpd;
use crate::mode::packets::Packets;
use crate::status::{
    AtConnectionCounters, HttpdCounters, LinkCounters, Loss, Losses, SerialCommandCounters,
};

/// The counters of parts that were never used, in their place.
#[derive(Default)]
struct Unused {
    links: [LinkCounters; LINKS],
    httpd: HttpdCounters,
    packets: SerialCommandCounters,
    connection: AtConnectionCounters,
}

impl Dtu {
    /// What was lost and refused, in this run and those before it. For the host to keep.
    #[must_use]
    pub fn losses(&mut self) -> Losses {
        let queues = QueueId::ALL.map(|queue| self.queue_loss(queue));
        let line = Loss {
            frames: self.line.counters().dropped_frames,
            bytes: self.line.counters().dropped_bytes,
            spool_refused: 0,
        };
        Losses {
            queues,
            line,
            others: self
                .other_losses(&mut Unused::default())
                .map(|counter| *counter),
        }
    }

    /// Whether any of the counters of [`Dtu::losses`] and [`Dtu::drops`] has grown since the last call.
    #[must_use]
    pub fn has_new_losses(&mut self) -> bool {
        // They only grow, so their sum changes when one of them does. It is far cheaper than a look at each.
        let of_queues = QueueId::ALL.map(|queue| self.queue_loss(queue)).into_iter();
        let of_queues = of_queues
            .flat_map(|loss| [loss.frames, loss.bytes, loss.spool_refused])
            .fold(0, u64::wrapping_add);
        let mut unused = Unused::default();
        let others = self.other_losses(&mut unused);
        let others = others
            .into_iter()
            .map(|counter| *counter)
            .fold(0, u64::wrapping_add);
        let line = self.line.counters();
        let of_line = line.dropped_frames.wrapping_add(line.dropped_bytes);
        let sum = of_queues.wrapping_add(others).wrapping_add(of_line);
        core::mem::replace(&mut self.losses_seen, sum) != sum
    }

    fn queue_loss(&self, queue: QueueId) -> Loss {
        match queue {
            QueueId::Link(link) => self.modes.transparent.links[link.index()].loss(),
            QueueId::Httpd => self.modes.httpd.get().map(Httpd::loss).unwrap_or_default(),
            QueueId::SerialCommand => {
                let packets = self.modes.packets.get();
                packets.map(Packets::loss).unwrap_or_default()
            }
        }
    }

    /// Adds what earlier runs lost. What was dropped had come in, too. To be called before the first input.
    pub fn restore_losses(&mut self, losses: &Losses) {
        for queue in QueueId::ALL {
            self.add_loss(queue, losses.queues[queue.index()]);
        }
        let line = self.line.counters_mut();
        line.dropped_frames += losses.line.frames;
        line.dropped_bytes += losses.line.bytes;
        let before = self.losses().others;
        let mut unused = Unused::default();
        let counters = self.other_losses(&mut unused);
        for ((counter, lost), before) in counters.into_iter().zip(losses.others).zip(before) {
            *counter = before.saturating_add(lost);
        }
        self.put_in_place(unused);
        self.balance();
    }

    /// Parts that have lost something in an earlier run are there in this one.
    fn put_in_place(&mut self, unused: Unused) {
        let Unused {
            links,
            httpd,
            packets,
            connection,
        } = unused;
        for (link, counters) in LinkId::ALL.into_iter().zip(links) {
            if counters != LinkCounters::default() {
                *self.modes.transparent.links[link.index()].counters_mut() = counters;
            }
        }
        if httpd != HttpdCounters::default() {
            *self.modes.httpd.make(&self.options).counters_mut() = httpd;
        }
        if connection != AtConnectionCounters::default() {
            self.modes.at.make(&self.options).counters = connection;
        }
        if packets != SerialCommandCounters::default() {
            *self.modes.packets.make(&self.options).counters_mut() = packets;
        }
    }

    /// Nothing but losses has been counted yet: they are of what came in.
    fn balance(&mut self) {
        let line = self.line.counters_mut();
        line.bytes_out = line.lost_bytes;
        if let Some(connection) = self.modes.at.get_mut() {
            let counters = &mut connection.counters;
            (counters.frames_in, counters.bytes_in) =
                (counters.dropped_frames, counters.dropped_bytes);
        }
        if let Some(httpd) = self.modes.httpd.get_mut() {
            httpd.balance();
        }
        let calls = self.cellular.calls.counters_mut();
        calls.received = calls.refused;
    }

    /// Every counter of something lost or refused that is not one of a queue.
    fn other_losses<'a>(&'a mut self, unused: &'a mut Unused) -> [&'a mut u64; Losses::OTHERS] {
        let Unused {
            links,
            httpd,
            packets,
            connection,
        } = unused;
        let of_link = |of: &'a mut LinkCounters| {
            [
                &mut of.dropped_replies,
                &mut of.unread_bytes,
                &mut of.unread_datagrams,
            ]
        };
        let [[a, b, c], [d, e, f], [g, h, i], [j, k, l]] = self
            .modes
            .transparent
            .links
            .counters_mut(links)
            .map(of_link);
        let line = self.line.counters_mut();
        let httpd = self
            .modes
            .httpd
            .get_mut()
            .map_or(httpd, Httpd::counters_mut);
        let packets = self
            .modes
            .packets
            .get_mut()
            .map_or(packets, Packets::counters_mut);
        let connection = self
            .modes
            .at
            .get_mut()
            .map_or(connection, |used| &mut used.counters);
        let messages = &mut self.mailbox.counters;
        let calls = self.cellular.calls.counters_mut();
        [
            &mut line.dropped_replies,
            &mut line.lost_bytes,
            &mut line.undelivered_bytes,
            &mut line.overrun_bytes,
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            h,
            i,
            j,
            k,
            l,
            &mut httpd.failed,
            &mut httpd.timed_out,
            &mut httpd.stray_bytes,
            &mut httpd.unread_bytes,
            &mut packets.bad_packets,
            &mut packets.garbage_bytes,
            &mut packets.unread_bytes,
            &mut packets.unread_datagrams,
            &mut connection.dropped_frames,
            &mut connection.dropped_bytes,
            &mut connection.unread_bytes,
            &mut connection.unread_datagrams,
            &mut messages.unreadable,
            &mut messages.turned_away,
            &mut messages.evicted,
            &mut messages.incomplete,
            &mut messages.refused,
            &mut messages.expired,
            &mut messages.dropped,
            &mut messages.cut,
            &mut calls.refused,
        ]
    }

    /// They wait in memory only.
    pub(super) fn spool_refused(&mut self, queue: QueueId, frames: u64) {
        self.add_loss(
            queue,
            Loss {
                spool_refused: frames,
                ..Loss::default()
            },
        );
    }

    fn add_loss(&mut self, queue: QueueId, loss: Loss) {
        if loss == Loss::default() {
            return;
        }
        match queue {
            QueueId::Link(link) => self.modes.transparent.links[link.index()].add_loss(loss),
            QueueId::Httpd => self.modes.httpd.make(&self.options).add_loss(loss),
            QueueId::SerialCommand => self.modes.packets.make(&self.options).add_loss(loss),
        }
    }
}
