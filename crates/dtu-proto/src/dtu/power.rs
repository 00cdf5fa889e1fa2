//! Power-on, the set-up window, the start of the working mode, restarts and the end (decisions 2, 3, 6).

use alloc::format;
use bytes::Bytes;

use super::Dtu;
use crate::config::{Shutdown, WorkingMode};
use crate::event::{Event, LinkId, ModemOutput, Origin, Output, Power, RestartReason};
use crate::line::{Line, LineState, Rest};
use crate::mode::{Modes, Stop};
use crate::net::Link;
use crate::seen::Cut;
use crate::sms;
use crate::time::{Duration, Instant};

/// A restart or stop waits this long for the last reply to leave and the links to close.
const ENDING_PATIENCE: Duration = Duration::from_secs(2);
/// RTIME below this is off (manual 2.8.6.20), in seconds.
const RESTART_TIME_MIN: u16 = 600;
/// Without a link for so long the modem is reset; so long after that the device restarts.
const RECOVERY_STEP: Duration = Duration::from_secs(15 * 60);
/// Each further restart waits twice as long, up to 2^4 steps: 4 hours.
const RECOVERY_DOUBLINGS_MAX: u32 = 4;

/// The device is about to restart or stop.
#[derive(Debug)]
pub(super) struct Ending {
    what: What,
    until: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Restart(RestartReason),
    Stop,
}

/// What was done already against a network that does not come back.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    step: u32,
    last_action: Instant,
}

/// New settings that wait for a reply to leave.
#[derive(Debug)]
pub(super) struct Applying {
    link: LinkId,
    until: Instant,
}

impl Recovery {
    pub(super) const fn link_up(&mut self) {
        self.step = 0;
    }

    fn pause(&self) -> Duration {
        RECOVERY_STEP * (1 << self.step.saturating_sub(1).min(RECOVERY_DOUBLINGS_MAX))
    }
}

impl Dtu {
    /// Everything starts from what is stored. Caches and counters stay.
    pub(super) fn power_on(&mut self, reason: RestartReason) {
        let now = self.now;
        self.forget_trial();
        self.applying = None;
        self.config = self.stored.clone();
        self.cellular.power_on(now);
        self.end_call();
        self.line.power_on(self.config.line, now);
        self.modes.power_on();
        self.powered_on = now;
        self.last_received = now;
        self.forget_prompt();
        self.event(Event::PowerOn(reason));
        let banner = format!("\r\n{}\r\n", self.config.banner);
        let banner = Bytes::from(sms::to_serial(&banner, self.options.charset));
        self.with_line(|line, cx| line.start(banner, cx));
        self.use_apn();
        self.show_leds();
    }

    pub(super) fn window_deadline(&self) -> Option<Instant> {
        match self.line.state() {
            LineState::Window { until } if self.ending.is_none() && !self.is_answering() => {
                Some(until)
            }
            LineState::Window { .. } | LineState::OnlineCommand | LineState::OnlineData => None,
        }
    }

    /// The set-up window is over.
    pub(super) fn end_window(&mut self) {
        if self.config.auto_mode {
            self.start_mode();
        } else {
            self.enter_online_command();
            self.line.go_on_typing();
            self.settings_in_force();
        }
    }

    /// The working mode begins, with the frames that came before it.
    fn start_mode(&mut self) {
        self.modes.set(self.config.mode);
        self.line.pack_as(self.modes.frames());
        self.use_apn();
        self.change_line();
        self.event(Event::ModeStarted);
        self.with_modes(Modes::apply);
        self.settings_in_force();
        if self.modes.in_force() == WorkingMode::AtCommand {
            self.enter_online_command();
            self.line.go_on_typing();
        } else {
            self.line.start_online_data();
        }
        self.print_held();
        self.hand_on_window();
    }

    fn hand_on_window(&mut self) {
        let Rest { kept, open, last } = self.line.end_window();
        for frame in kept {
            self.frame(frame, Cut::Window);
        }
        // What is being received goes on: the end of the window cuts no frame.
        self.go_on_with(&open, last);
    }

    /// At a stop in the set-up window its frames wait for the mode that would have begun.
    fn keep_window(&mut self) {
        self.modes.set(self.config.mode);
        let Rest { kept, open, .. } = self.line.end_window();
        let open = (!open.is_empty()).then(|| Bytes::from(open));
        for frame in kept.into_iter().chain(open) {
            self.line.note_frame(&frame);
            self.saw_frame(&frame, Cut::Window);
            self.with_modes(|modes, cx| modes.keep(&frame, cx));
        }
    }

    /// `AT+CIOPTIME`
    pub(super) fn prolong_window(&mut self, time: Duration) {
        self.line.prolong_window(self.now + time);
    }

    /// `AT+ENTM`.
    pub(super) fn leave_online_command(&mut self) {
        match self.line.state() {
            LineState::Window { .. } | LineState::OnlineCommand if !self.modes.is_started() => {
                self.start_mode()
            }
            LineState::OnlineCommand if !self.is_at_mode() => self.enter_online_data(),
            LineState::Window { .. } | LineState::OnlineCommand | LineState::OnlineData => {}
        }
    }

    /// `AT+CIAPPLY`: a link that asked for it gets its reply before it is closed.
    pub(super) fn apply_behind_reply(&mut self, origin: Origin) {
        match origin {
            Origin::Link(link) => {
                self.applying = Some(Applying {
                    link,
                    until: self.now + ENDING_PATIENCE,
                });
            }
            Origin::Serial | Origin::SerialFrame | Origin::Console | Origin::Sms(_) => self.apply(),
        }
    }

    /// A command that is being answered ends first: the line must not change amid its dialogue.
    pub(super) fn apply_deadline(&self) -> Option<Instant> {
        self.applying
            .as_ref()
            .filter(|_| !self.is_answering())
            .map(|applying| applying.until)
    }

    pub(super) fn check_applying(&mut self) {
        if self.applying.is_none() || self.is_answering() {
            return;
        }
        if self.applying.as_ref().is_some_and(|applying| {
            self.modes.transparent.links[applying.link.index()].replies_sent()
        }) {
            self.apply_now();
        }
    }

    pub(super) fn apply_now(&mut self) {
        if self.applying.take().is_some() {
            self.apply();
        }
    }

    /// What changed starts over, the rest goes on.
    pub(super) fn apply(&mut self) {
        self.apply_changes();
        self.settings_in_force();
    }

    fn apply_changes(&mut self) {
        if !self.modes.is_started() {
            if self.line.state() == LineState::OnlineCommand {
                self.change_line();
            }
            return;
        }
        let mode_changes = self.modes.in_force() != self.config.mode;
        if mode_changes {
            self.flush_frame();
        }
        self.modes.set(self.config.mode);
        self.line.pack_as(self.modes.frames());
        self.use_apn();
        self.with_modes(Modes::apply);
        self.change_line();
        if !mode_changes {
            return;
        }
        if self.is_at_mode() {
            self.enter_online_command();
        } else {
            self.enter_online_data();
        }
    }

    fn change_line(&mut self) {
        self.with_line(Line::set_format);
    }

    /// In the set-up window the line changes at once, behind the reply.
    pub(super) fn line_changed_in_window(&mut self) {
        if matches!(self.line.state(), LineState::Window { .. }) {
            self.change_line();
        }
    }

    /// Starts over when the last reply is out.
    pub(super) fn restart(&mut self, reason: RestartReason) {
        self.end_with(What::Restart(reason));
    }

    pub(super) fn shut_down(&mut self) {
        match self.options.shutdown {
            Shutdown::Restart => self.restart(RestartReason::Command),
            Shutdown::Stop => self.stop(),
        }
    }

    /// Ends in good order.
    pub(super) fn stop(&mut self) {
        self.end_call();
        // mutant: stop-flushes
        self.flush_frame();
        if !self.modes.is_started() {
            self.keep_window();
        }
        self.print_held();
        self.mailbox.saving.try_again();
        self.end_with(What::Stop);
        self.with_modes(|modes, cx| modes.stop(Stop::Soon, cx));
    }

    fn end_with(&mut self, what: What) {
        if self
            .ending
            .as_ref()
            .is_some_and(|ending| ending.what == What::Stop)
        {
            return;
        }
        let until = self.now + ENDING_PATIENCE;
        self.ending = Some(Ending { what, until });
        self.session.hurry_send(until);
    }

    fn stop_modes(&mut self) {
        self.with_modes(|modes, cx| modes.stop(Stop::Now, cx));
    }

    /// A command that waits for the store has a time of its own; its reply is waited for from then on.
    pub(super) fn ending_deadline(&self) -> Option<Instant> {
        self.ending
            .as_ref()
            .filter(|_| !self.session.is_waiting())
            .map(|ending| ending.until)
    }

    pub(super) fn prolong_ending(&mut self) {
        if let Some(ending) = &mut self.ending {
            ending.until = self.now + ENDING_PATIENCE;
        }
    }

    pub(super) fn check_ending(&mut self) {
        let Some(ending) = &self.ending else { return };
        let replies_out = !self.session.is_waiting()
            && (self.line.is_drained()
                || (ending.what == What::Stop && self.line.only_own_texts_wait_for_nobody()))
            && self.modes.transparent.links.iter().all(Link::replies_sent)
            && (ending.what != What::Stop || self.mailbox.saving.is_settled());
        if !replies_out {
            return;
        }
        if self.line.holds_data() {
            // Also what the network sent while a reply or the disk was waited for. What the line does not take in time a
            // restart forgets.
            return self.print_held();
        }
        if ending.what == What::Stop {
            self.stop_modes();
        }
        if !self.modes.is_closing() {
            self.end_now();
        }
    }

    pub(super) fn end_now(&mut self) {
        let Some(ending) = self.ending.take() else {
            return;
        };
        self.route_backlog();
        match ending.what {
            What::Stop => {
                self.with_line(Line::abandon);
                self.outputs.push_back(Output::Power(Power::Stop));
            }
            What::Restart(reason) => {
                self.flush_frame();
                self.stop_modes();
                self.restarts += 1;
                self.power_on(reason);
                self.outputs.push_back(Output::Power(Power::Restarted));
            }
        }
    }

    /// RTIME: nothing from the DTE and nothing from the network for so long (manual 2.8.6.20). Of a socket that is not read
    /// nobody can say that.
    pub(super) fn no_data_deadline(&self) -> Option<Instant> {
        let on = self.config.restart_time >= RESTART_TIME_MIN
            && self.modes.is_started()
            && self.ending.is_none()
            && !self.unheard;
        let last = self.line.last_from_dte().max(self.last_received);
        on.then(|| last + Duration::from_secs(u64::from(self.config.restart_time)))
    }

    pub(super) fn recovery_deadline(&self) -> Option<Instant> {
        if !self.options.recovery || !self.modes.is_started() || self.ending.is_some() {
            return None;
        }
        let down_since = self.modes.transparent.down_since()?;
        Some(down_since.max(self.recovery.last_action) + self.recovery.pause())
    }

    pub(super) fn recover(&mut self) {
        self.recovery.last_action = self.now;
        let first = self.recovery.step == 0;
        self.recovery.step += 1;
        if first {
            self.order_modem(ModemOutput::Reset);
        } else {
            self.restart(RestartReason::Recovery);
        }
    }
}
