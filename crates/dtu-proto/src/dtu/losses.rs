//! The counters that outlive the host.

use super::Dtu;
use crate::event::QueueId;
use crate::status::{Loss, Losses};

impl Dtu {
    /// What was lost and refused, in this run and those before it. For the host to keep.
    #[must_use]
    pub fn losses(&mut self) -> Losses {
        let mut others = [0; Losses::OTHERS];
        self.other_losses(&mut |place, counter| others[place] = *counter);
        let line = self.line.counters();
        Losses {
            queues: QueueId::ALL.map(|queue| self.modes.loss(queue)),
            line: Loss {
                frames: line.dropped_frames,
                bytes: line.dropped_bytes,
                spool_refused: 0,
            },
            others,
        }
    }

    /// Whether any of the counters of [`Dtu::losses`] and [`Dtu::drops`] has grown since the last call, or since they
    /// were restored.
    #[must_use]
    pub fn has_new_losses(&mut self) -> bool {
        let sum = self.sum_of_losses();
        core::mem::replace(&mut self.losses_seen, sum) != sum
    }

    /// They only grow, so their sum changes when one of them does. It is far cheaper than a look at each.
    fn sum_of_losses(&mut self) -> u64 {
        let line = self.line.counters();
        let mut sum = line.dropped_frames.wrapping_add(line.dropped_bytes);
        let mut add = |count: u64| sum = sum.wrapping_add(count);
        for queue in QueueId::ALL {
            let loss = self.modes.loss(queue);
            [loss.frames, loss.bytes, loss.spool_refused]
                .into_iter()
                .for_each(&mut add);
        }
        self.other_losses(&mut |_, counter| add(*counter));
        sum
    }

    /// Adds what earlier runs lost. What was dropped had come in, too. To be called before the first input.
    pub fn restore_losses(&mut self, losses: &Losses) {
        let line = self.line.counters_mut();
        line.dropped_frames += losses.line.frames;
        line.dropped_bytes += losses.line.bytes;
        self.losses_beside_modes(&mut |place, counter| {
            *counter = counter.saturating_add(losses.others[place]);
        });
        self.modes.restore_losses(losses, &self.options);
        // Nothing but losses has been counted yet: they are of what came in.
        let line = self.line.counters_mut();
        line.bytes_out = line.lost_bytes;
        let calls = self.cellular.calls.counters_mut();
        calls.received = calls.refused;
        // The host has them already.
        self.losses_seen = self.sum_of_losses();
    }

    /// Shows every counter of something lost or refused that is not one of a queue, with its place in
    /// [`Losses::others`].
    fn other_losses(&mut self, look: &mut dyn FnMut(usize, &mut u64)) {
        self.losses_beside_modes(look);
        self.modes.other_losses(look);
    }

    fn losses_beside_modes(&mut self, look: &mut dyn FnMut(usize, &mut u64)) {
        let line = self.line.counters_mut();
        let of_line = [
            &mut line.dropped_replies,
            &mut line.lost_bytes,
            &mut line.undelivered_bytes,
            &mut line.overrun_bytes,
        ];
        Losses::show(Losses::LINE, of_line, look);
        let messages = &mut self.mailbox.counters;
        let of_messages = [
            &mut messages.unreadable,
            &mut messages.turned_away,
            &mut messages.evicted,
            &mut messages.incomplete,
            &mut messages.refused,
            &mut messages.expired,
            &mut messages.dropped,
            &mut messages.cut,
        ];
        Losses::show(Losses::MESSAGES, of_messages, look);
        let calls = self.cellular.calls.counters_mut();
        Losses::show(Losses::CALLS, [&mut calls.refused], look);
        let urcs = &mut self.line.counters_mut().dropped_urcs;
        Losses::show(Losses::URCS, [urcs], look);
    }

    /// They wait in memory only.
    pub(super) fn spool_refused(&mut self, queue: QueueId, frames: u64) {
        let loss = Loss {
            spool_refused: frames,
            ..Loss::default()
        };
        self.modes.add_loss(queue, loss, &self.options);
    }
}
