//! What the device tells of itself.

use super::Dtu;
use crate::config::{Config, Options};
use crate::event::{LINKS, Leds, LinkId, Output};
use crate::line::LineState;
use crate::status::{
    AtConnectionStatus, HttpdStatus, LinkStatus, LinkTimer, Phase, SerialCommandStatus,
    SerialStatus, Status,
};
use crate::time::{Duration, Instant};

impl Dtu {
    /// The running set of parameters.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The set that a restart brings back.
    #[must_use]
    pub fn stored_config(&self) -> &Config {
        &self.stored
    }

    /// What the host has set.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Whether a command line would run now: none is under way, whoever gave it.
    #[must_use]
    pub fn takes_commands(&self) -> bool {
        !self.is_answering() && self.ending.is_none()
    }

    /// A snapshot.
    #[must_use]
    pub fn status(&self, now: Instant) -> Status {
        let mut status = Status {
            now,
            uptime: now.since(self.powered_on),
            restarts: self.restarts,
            phase: self.phase(),
            mode: self.modes.in_force(),
            mode_started: self.modes.is_started(),
            trial: self.trials.status(now),
            attached: self.cellular.attached,
            radio: self.cellular.radio.clone(),
            messages: self.mailbox.status(),
            call: self.cellular.calls.status(),
            leds: self.leds(),
            serial: SerialStatus {
                present: self.line.is_present(),
                counters: *self.line.counters(),
                waiting: self.line.waiting(),
            },
            links: [LinkStatus::UNUSED; LINKS],
            httpd: HttpdStatus::default(),
            at_connection: AtConnectionStatus::default(),
            serial_command: SerialCommandStatus::default(),
        };
        self.modes.show(&mut status);
        status
    }

    /// What a link does next by itself, and in what time.
    #[must_use]
    pub fn link_timer(&self, link: LinkId, now: Instant) -> Option<(LinkTimer, Duration)> {
        let link = &self.modes.transparent.links[link.index()];
        let (timer, at) = link.next_timer(&self.config)?;
        Some((timer, at.since(now)))
    }

    fn phase(&self) -> Phase {
        match self.line.state() {
            _ if self.ending.is_some() => Phase::Ending,
            LineState::Window { .. } => Phase::SetupWindow,
            LineState::OnlineCommand => Phase::Command,
            LineState::OnlineData => Phase::Data,
        }
    }

    fn leds(&self) -> Leds {
        Leds {
            pow: true,
            net: self.cellular.is_on_network(),
            data: self.modes.is_up() && !self.led_driver.is_dark(),
        }
    }

    pub(super) fn show_leds(&mut self) {
        let leds = self.leds();
        if self.led_driver.show(leds) {
            self.outputs.push_back(Output::Leds(leds));
        }
    }
}
