//! The counters that outlive the host.

use super::Dtu;
use crate::event::QueueId;
use crate::net::Link;
use crate::status::{Loss, Losses};

impl Dtu {
    /// What was lost and refused, in this run and those before it. For the host to keep.
    #[must_use]
    pub fn losses(&mut self) -> Losses {
        let queues = QueueId::ALL.map(|queue| self.queue_loss(queue));
        let line = Loss {
            frames: self.serial_counters.dropped_frames,
            bytes: self.serial_counters.dropped_bytes,
            spool_refused: 0,
        };
        Losses { queues, line, others: self.other_losses().map(|counter| *counter) }
    }

    /// Whether any of the counters of [`Dtu::losses`] and [`Dtu::drops`] has grown since the last call.
    #[must_use]
    pub fn has_new_losses(&mut self) -> bool {
        // They only grow, so their sum changes when one of them does. It is far cheaper than a look at each.
        let of_queues = QueueId::ALL.map(|queue| self.queue_loss(queue)).into_iter();
        let of_queues = of_queues
            .flat_map(|loss| [loss.frames, loss.bytes, loss.spool_refused])
            .fold(0, u64::wrapping_add);
        let others = self.other_losses().into_iter().map(|counter| *counter).fold(0, u64::wrapping_add);
        let line = &self.serial_counters;
        let of_line = line.dropped_frames.wrapping_add(line.dropped_bytes);
        let sum = of_queues.wrapping_add(others).wrapping_add(of_line);
        core::mem::replace(&mut self.losses_seen, sum) != sum
    }

    fn queue_loss(&self, queue: QueueId) -> Loss {
        match queue {
            QueueId::Link(link) => self.links[link.index()].loss(),
            QueueId::Httpd => self.httpd.loss(),
            QueueId::SerialCommand => self.serial_command.loss(),
        }
    }

    /// Adds what earlier runs lost. What was dropped had come in, too. To be called before the first input.
    pub fn restore_losses(&mut self, losses: &Losses) {
        for queue in QueueId::ALL {
            self.add_loss(queue, losses.queues[queue.index()]);
        }
        self.serial_counters.dropped_frames += losses.line.frames;
        self.serial_counters.dropped_bytes += losses.line.bytes;
        let before = self.losses().others;
        for ((counter, lost), before) in self.other_losses().into_iter().zip(losses.others).zip(before) {
            *counter = before.saturating_add(lost);
        }
        self.balance();
    }

    /// Nothing but losses has been counted yet: they are of what came in.
    fn balance(&mut self) {
        self.serial_counters.bytes_out = self.serial_counters.lost_bytes;
        let connection = &mut self.at_connection.counters;
        (connection.frames_in, connection.bytes_in) = (connection.dropped_frames, connection.dropped_bytes);
        self.httpd.balance();
        let calls = self.calls.counters_mut();
        calls.received = calls.refused;
    }

    /// Every counter of something lost or refused that is not one of a queue.
    fn other_losses(&mut self) -> [&mut u64; Losses::OTHERS] {
        let of_link = |link| {
            let of = Link::counters_mut(link);
            [&mut of.dropped_replies, &mut of.unread_bytes, &mut of.unread_datagrams]
        };
        let [[a, b, c], [d, e, f], [g, h, i], [j, k, l]] = self.links.each_mut().map(of_link);
        let line = &mut self.serial_counters;
        let httpd = self.httpd.counters_mut();
        let packets = self.serial_command.counters_mut();
        let connection = &mut self.at_connection.counters;
        let messages = &mut self.mailbox.counters;
        let calls = self.calls.counters_mut();
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
        self.add_loss(queue, Loss { spool_refused: frames, ..Loss::default() });
    }

    fn add_loss(&mut self, queue: QueueId, loss: Loss) {
        match queue {
            QueueId::Link(link) => self.links[link.index()].add_loss(loss),
            QueueId::Httpd => self.httpd.add_loss(loss),
            QueueId::SerialCommand => self.serial_command.add_loss(loss),
        }
    }
}
