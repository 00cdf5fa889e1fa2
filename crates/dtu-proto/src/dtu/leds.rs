//! The three LEDs of manual 2.5: DATA goes dark for a moment when data passes.

use crate::event::Leds;
use crate::time::{Duration, Instant};

/// Length of a blink, and of the light before the next.
const BLINK: Duration = Duration::from_millis(100);

/// State of the blinking LED, and what was last shown.
#[derive(Debug, Default)]
pub(crate) struct LedDriver {
    dark_until: Option<Instant>,
    rest_until: Instant,
    shown: Leds,
}

impl LedDriver {
    /// Data passes.
    pub(crate) fn data(&mut self, now: Instant) {
        if self.dark_until.is_none() && now >= self.rest_until {
            self.dark_until = Some(now + BLINK);
            self.rest_until = now + BLINK * 2;
        }
    }

    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.dark_until
    }

    pub(crate) fn fire(&mut self, now: Instant) {
        self.dark_until = self.dark_until.filter(|until| *until > now);
    }

    pub(crate) const fn is_dark(&self) -> bool {
        self.dark_until.is_some()
    }

    /// Remembers what is shown; true if that is new.
    pub(crate) fn show(&mut self, leds: Leds) -> bool {
        let new = self.shown != leds;
        self.shown = leds;
        new
    }
}
