//! Everything that was dropped, place by place, for logs.

use super::Dtu;
use crate::drops::{DropPlace, Dropped};

impl Dtu {
    /// What was dropped so far, always in the same order. Costs little: a host may look after each input.
    #[must_use]
    pub fn drops(&self) -> [Dropped; DropPlace::COUNT] {
        // Of a mode that was never used nothing was dropped.
        let mut drops = DropPlace::ALL.map(|place| Dropped::new(place, 0, 0));
        let mut put = |dropped: Dropped| drops[dropped.place.index()] = dropped;
        let serial = self.line.counters();
        let lost = &self.mailbox.counters;
        let messages = lost.incomplete + lost.evicted + lost.refused + lost.expired + lost.dropped;
        let of_line = [
            Dropped::new(
                DropPlace::Serial,
                serial.dropped_frames,
                serial.dropped_bytes,
            ),
            Dropped::new(DropPlace::SerialReplies, serial.dropped_replies, 0),
            Dropped::new(DropPlace::SerialUrcs, serial.dropped_urcs, 0),
            Dropped::new(
                DropPlace::SerialLost,
                serial.lost_bytes + serial.undelivered_bytes,
                0,
            ),
            Dropped::new(DropPlace::SerialOverrun, serial.overrun_bytes, 0),
            Dropped::new(DropPlace::Messages, messages, 0),
        ];
        of_line.into_iter().for_each(&mut put);
        self.modes.drops(&mut put);
        drops
    }
}
