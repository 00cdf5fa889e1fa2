//! Power-on and power-off: what is lost, what a maker's modem says while it boots.

use dtu_proto::time::{Duration, Instant};

use super::at_modem::{Activity, AtModem, Lock, NetworkView, PIN_TRIES};
use super::settings::Settings;

/// From power-on to the first line.
const BOOT: Duration = Duration::from_millis(1500);

impl AtModem {
    /// The modem is off, or resets: all that was set is gone, but for what is stored.
    pub(super) fn power_off(&mut self, now: Instant) {
        self.there = false;
        self.settings = Settings::new(self.setup.dialect);
        self.activity = Activity::Idle;
        self.call = None;
        self.shown = None;
        self.clock_set = None;
        self.unplaced.clear();
        self.line.clear();
        self.todo.clear();
        self.input.clear();
        self.urcs.clear();
        self.booting.clear();
        self.view = NetworkView::default();
        if self.setup.pin.is_some() {
            // It will not look for a network before it is unlocked.
            self.go_on_air(false, now);
        }
    }

    pub(super) fn power_on(&mut self, now: Instant) {
        self.there = true;
        let first = !std::mem::replace(&mut self.has_been_there, true);
        self.functionality = 1;
        self.odd_power_on(now);
        // A card that was opened is shut again; wrong PINs of before still count.
        if self.setup.pin.is_some() && self.lock == Lock::Open {
            self.lock = Lock::Pin(PIN_TRIES);
        }
        if first || self.setup.dialect == super::Dialect::Generic {
            return;
        }
        let mut at = now + BOOT;
        let pin = if self.lock == Lock::Open {
            "+CPIN: READY"
        } else {
            "+CPIN: SIM PIN"
        };
        for line in ["RDY", "+CFUN: 1", pin] {
            self.booting.push_back((at, line.to_owned()));
            at += Duration::from_millis(200);
        }
        if self.lock == Lock::Open {
            self.say_ready(at);
        }
    }

    pub(super) fn say_ready(&mut self, mut at: Instant) {
        for line in self.setup.dialect.ready_lines() {
            at += Duration::from_millis(1500);
            self.booting.push_back((at, (*line).to_owned()));
        }
    }

    pub(super) fn boot_line(&mut self, line: &str, at: Instant) {
        self.booting.push_back((at, line.to_owned()));
    }
}
