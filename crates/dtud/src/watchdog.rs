//! systemd: ready, stopping, and the watchdog where the unit asks for one.

use std::time::Duration;

use dtu_proto::time::Instant;
use sd_notify::NotifyState;

#[derive(Debug)]
pub(crate) struct Watchdog {
    every: Option<Duration>,
    due: Option<Instant>,
}

impl Watchdog {
    pub(crate) fn from_environment() -> Self {
        let mut micros = 0;
        // Half of what the unit allows, as sd_watchdog_enabled(3) recommends.
        let every = sd_notify::watchdog_enabled(false, &mut micros)
            .then(|| Duration::from_micros(micros / 2).max(OFTEN));
        Self { every, due: every.map(|_| Instant::ZERO) }
    }

    pub(crate) const fn next(&self) -> Option<Instant> {
        self.due
    }

    /// Tells the service manager that the loop lives, if it is time.
    pub(crate) fn tell(&mut self, now: Instant) {
        let (Some(every), Some(due)) = (self.every, self.due) else { return };
        if now >= due {
            // Nobody hears it where no manager runs.
            let _ = sd_notify::notify(false, &[NotifyState::Watchdog]);
            self.due = Some(now + every);
        }
    }

    pub(crate) fn ready(&self) {
        let _ = sd_notify::notify(false, &[NotifyState::Ready]);
    }

    pub(crate) fn stopping(&self) {
        let _ = sd_notify::notify(false, &[NotifyState::Stopping]);
    }
}

/// Shortest time between two notes: a wrong `WATCHDOG_USEC` (0 too) must not keep the program busy.
const OFTEN: Duration = Duration::from_millis(10);
