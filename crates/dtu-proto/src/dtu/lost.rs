//! What was lost where only the host sees it.

use super::Dtu;
use crate::event::{Event, Lost};

impl Dtu {
    pub(super) fn lost(&mut self, lost: Lost) {
        match lost {
            Lost::Unread(of, _) | Lost::Datagrams(of, _) => {
                self.modes.lost(of, lost, &self.options);
            }
            Lost::InLine(count) => self.line.counters_mut().lost_bytes += count,
            Lost::Overrun(count) => self.line.counters_mut().overrun_bytes += count,
        }
        self.event(Event::Lost(lost));
    }
}
