//! What the device tells of itself.

use super::Dtu;
use crate::config::Config;
use crate::event::Leds;
use crate::event::Output;
use crate::line::LineState;
use crate::mode::at::AtConnection;
use crate::mode::packets::Packets;
use crate::status::{Phase, SerialStatus, Status};
use crate::time::Instant;

impl Dtu {
    /// The running set of parameters.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// A snapshot.
    #[must_use]
    pub fn status(&self, now: Instant) -> Status {
        Status {
            now,
            uptime: now.since(self.powered_on),
            restarts: self.restarts,
            phase: self.phase(),
            mode: self.modes.in_force(),
            mode_started: self.modes.is_started(),
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
            links: core::array::from_fn(|index| self.modes.transparent.links[index].status()),
            httpd: self
                .modes
                .httpd
                .get()
                .map(|httpd| httpd.status(self.cellular.is_attached()))
                .unwrap_or_default(),
            at_connection: self
                .modes
                .at
                .get()
                .map_or_else(|| AtConnection::default().status(), AtConnection::status),
            serial_command: self
                .modes
                .packets
                .get()
                .map(Packets::status)
                .unwrap_or_default(),
        }
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
