//! What any input may have made possible.

use super::Dtu;
use crate::mode::Modes;

impl Dtu {
    /// The order is that of the bytes: what is received first, then what commands do, then what the DTE gets; pauses and
    /// deadlines are looked for when nothing moves any more.
    pub(super) fn settle(&mut self) {
        // Where only frames pass the steps between those of the modes have nothing to do.
        let only_frames_pass = self.only_frames_pass() && !self.settle_modes();
        if !only_frames_pass {
            self.settle_beside_frames();
        }
        self.pause = self.queue_pause();
        self.share_line();
        self.show_leds();
        self.next_deadline = self.find_deadline(!only_frames_pass);
    }

    #[inline(never)]
    fn settle_beside_frames(&mut self) {
        self.tend_messages();
        self.with_modes(Modes::settle);
        self.check_applying();
        self.check_ending();
        self.run_backlog();
        self.print_behind_answer();
        self.print_urcs();
        self.store_messages();
        self.with_modes(Modes::release);
    }

    /// Whether the modes have asked for something, which is done.
    pub(super) fn settle_modes(&mut self) -> bool {
        let (_, modes, mut cx) = self.parts();
        modes.settle(&mut cx);
        modes.release(&mut cx);
        let asked = !cx.acts.is_empty();
        if asked {
            self.carry_out_acts(0);
        }
        asked
    }

    /// A host asks for both many times between two inputs.
    pub(super) fn look_ahead(&mut self) {
        self.pause = self.queue_pause();
        self.next_deadline = self.find_deadline(true);
    }

    /// Whether nothing but frames is under way: no command, text, message or call waits for anything, and nothing ends. The
    /// usual case, found at once: who has nothing to do then is not asked.
    pub(super) fn only_frames_pass(&self) -> bool {
        self.line.only_frames_pass()
            && self.ending.is_none()
            && self.applying.is_none()
            && !self.trials.are_on()
            && !self.session.is_waiting()
            && self.messages_rest()
            && self.cellular.calls.rest()
    }
}
