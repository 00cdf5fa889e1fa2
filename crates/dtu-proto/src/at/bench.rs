//! A device with nothing behind its AT commands, for tests and fuzz targets.

use alloc::sync::Arc;

use super::{Device, Rights};
use crate::cellular::Clock;
use crate::config::{Config, Options, WorkingMode};
use crate::event::Leds;
use crate::identity::Identity;
use crate::ids::{LINKS, Origin};
use crate::mode::at::AtConnection;
use crate::sms::Mailbox;
use crate::status::{
    CallStatus, HttpdStatus, LinkCounters, LinkState, LinkStatus, MessageStatus, Phase,
    RadioStatus, SerialCommandStatus, SerialStatus, Status,
};
use crate::time::{Duration, Instant};

/// What a line works on.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) config: Config,
    pub(super) stored: Config,
    pub(super) options: Options,
    pub(super) identity: Identity,
    pub(super) status: Status,
    pub(super) clock: Clock,
    pub(super) mailbox: Mailbox,
    pub(super) connection: AtConnection,
    pub(super) rights: Rights,
}

impl Default for Bench {
    fn default() -> Self {
        Self {
            config: Config::default(),
            stored: Config::default(),
            options: Options::default(),
            identity: Identity::default(),
            status: blank_status(),
            clock: Clock::default(),
            mailbox: Mailbox::default(),
            connection: AtConnection::default(),
            rights: Rights::Full,
        }
    }
}

impl Bench {
    pub(super) fn with<T>(&mut self, origin: Origin, work: impl FnOnce(&mut Device<'_>) -> T) -> T {
        let mut config = Arc::new(self.config.clone());
        let result = work(&mut Device {
            config: &mut config,
            stored: &self.stored,
            options: &self.options,
            identity: &self.identity,
            status: &self.status,
            clock: &mut self.clock,
            mailbox: &mut self.mailbox,
            connection: &mut self.connection,
            origin,
            rights: self.rights,
        });
        self.config = Arc::unwrap_or_clone(config);
        result
    }
}

/// Of a device that does nothing.
fn blank_status() -> Status {
    let link = LinkStatus {
        state: LinkState::Off,
        last_down: None,
        counters: LinkCounters::default(),
        waiting_frames: 0,
        waiting_bytes: 0,
    };
    Status {
        now: Instant::ZERO,
        uptime: Duration::ZERO,
        restarts: 0,
        phase: Phase::Command,
        mode: WorkingMode::Transparent,
        mode_started: true,
        trial: None,
        attached: None,
        radio: RadioStatus::default(),
        messages: MessageStatus::default(),
        call: CallStatus::default(),
        leds: Leds::default(),
        serial: SerialStatus::default(),
        links: [link; LINKS],
        httpd: HttpdStatus::default(),
        at_connection: AtConnection::default().status(),
        serial_command: SerialCommandStatus::default(),
    }
}
