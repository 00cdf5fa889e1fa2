//! The counters that outlive the host.

use super::Dtu;
use crate::event::QueueId;
use crate::status::{Loss, Losses};

impl Dtu {
    /// What was dropped, and what found no place on the spools, in this run and those before it. For the host to keep.
    #[must_use]
    pub fn losses(&self) -> Losses {
        let mut queues = [Loss::default(); QueueId::ALL.len()];
        for queue in QueueId::ALL {
            queues[queue.index()] = match queue {
                QueueId::Link(link) => self.links[link.index()].loss(),
                QueueId::Httpd => self.httpd.loss(),
                QueueId::SerialCommand => self.serial_command.loss(),
            };
        }
        let line = Loss {
            frames: self.serial_counters.dropped_frames,
            bytes: self.serial_counters.dropped_bytes,
            spool_refused: 0,
        };
        Losses { queues, line }
    }

    /// Adds what earlier runs lost. Frames that were dropped had come in, too. To be called before the first input.
    pub fn restore_losses(&mut self, losses: &Losses) {
        for queue in QueueId::ALL {
            self.add_loss(queue, losses.queues[queue.index()]);
        }
        self.serial_counters.dropped_frames += losses.line.frames;
        self.serial_counters.dropped_bytes += losses.line.bytes;
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
