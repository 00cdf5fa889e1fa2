//! Which part wants to be woken, and when.

use super::Dtu;
use crate::config::WorkingMode;
use crate::cx::View;
use crate::event::{Deadline, RestartReason, Timer};
use crate::line::Line;
use crate::time::Instant;

impl Dtu {
    /// `all`: not only frames pass, so that those may wait for something who usually do not.
    pub(super) fn find_deadline(&self, all: bool) -> Option<Deadline> {
        let mut earliest = Earliest::none();
        if all {
            earliest.meet(Timer::Restart, self.ending_deadline());
        }
        earliest.meet(Timer::Escape, self.line.escape_deadline());
        earliest.meet(Timer::Frame, self.line.frame_deadline(&self.config));
        if all {
            self.meet_beside_frames(&mut earliest);
        }
        earliest.meet(
            Timer::SerialHeartbeat,
            self.line
                .heartbeat_deadline(self.ending.is_some(), &self.config),
        );
        let view = View {
            config: &self.config,
            attached: self.cellular.is_attached(),
        };
        let mode = self.modes.deadline(&view);
        // Links come last of what is due at one time: a recorded run is replayed in the order that it had.
        let is_links = |of: &Deadline| of.timer == Timer::Mode(WorkingMode::Transparent);
        let (links, mode) = (mode.filter(is_links), mode.filter(|of| !is_links(of)));
        if let Some(mode) = mode {
            earliest.meet(mode.timer, Some(mode.at));
        }
        earliest.meet(Timer::NoData, self.no_data_deadline());
        earliest.meet(Timer::Recovery, self.recovery_deadline());
        earliest.meet(Timer::DataLed, self.led_driver.deadline());
        earliest.meet(Timer::Line, self.line_deadline());
        earliest.meet(Timer::Pace, self.pace_deadline());
        if let Some(links) = links {
            earliest.meet(links.timer, Some(links.at));
        }
        earliest.met()
    }

    /// Out of the way of frames, like all that is marked so.
    #[inline(never)]
    fn meet_beside_frames(&self, earliest: &mut Earliest) {
        earliest.meet(Timer::SetupWindow, self.window_deadline());
        earliest.meet(Timer::Apply, self.apply_deadline());
        earliest.meet(Timer::Trial, self.trial_deadline());
        earliest.meet(Timer::Parked, self.session.deadline());
        earliest.meet(Timer::Prompt, self.line.prompt_deadline());
        earliest.meet(Timer::Message, self.message_deadline());
        earliest.meet(Timer::Call, self.cellular.calls.deadline());
    }

    pub(super) fn fire(&mut self, deadline: Deadline) {
        match deadline.timer {
            Timer::Escape => self.escape_due(deadline.at),
            Timer::Frame => self.frame_due(),
            Timer::SetupWindow => self.end_window(),
            Timer::SerialHeartbeat => self.with_line(Line::heartbeat),
            Timer::NoData => self.restart(RestartReason::NoData),
            Timer::Recovery => self.recover(),
            Timer::DataLed => self.led_driver.fire(self.now),
            // The line is read again: that time has passed is all.
            Timer::Pace => {}
            Timer::Line => self.with_line(Line::drop_old),
            Timer::Parked => self.command_timeout(),
            Timer::Prompt => self.prompt_due(),
            Timer::Message => self.message_due(),
            Timer::Call => self.call_due(),
            Timer::Apply => self.apply_now(),
            Timer::Trial => self.trial_due(),
            Timer::Restart => self.end_now(),
            Timer::Mode(mode) => self.with_modes(|modes, cx| modes.fire(mode, cx)),
        }
    }
}

/// Of deadlines at one time, the first that was met counts.
struct Earliest(Deadline);

impl Earliest {
    const fn none() -> Self {
        Self(Deadline {
            at: Instant::NEVER,
            timer: Timer::Line,
        })
    }

    fn meet(&mut self, timer: Timer, at: Option<Instant>) {
        let at = at.unwrap_or(Instant::NEVER);
        if at < self.0.at {
            self.0 = Deadline { at, timer };
        }
    }

    fn met(self) -> Option<Deadline> {
        (self.0.at < Instant::NEVER).then_some(self.0)
    }
}
