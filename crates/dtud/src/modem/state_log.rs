//! What the log says of the modem: each change of its state, and where it comes and goes how it stands at last.

use dtu_proto::event::ModemInput;
use dtu_proto::time::Instant;
use tracing::{debug, info, warn};

use super::Address;
use crate::journal::{REMINDER, Repeats, STEADY};

/// What was said, and what was not.
#[derive(Debug)]
pub(super) struct StateLog {
    repeats: Repeats,
    /// The last state of each kind, where it was not said.
    unsaid: [Option<String>; KINDS],
    /// When that is said if nothing changes.
    due: Option<Instant>,
    /// Not before.
    rests_until: Instant,
}

impl Default for StateLog {
    fn default() -> Self {
        let (repeats, unsaid) = (Repeats::after(AT_FIRST), Default::default());
        Self {
            repeats,
            unsaid,
            due: None,
            rests_until: Instant::ZERO,
        }
    }
}

impl StateLog {
    pub(super) fn on_input(&mut self, news: &ModemInput, modem: &Address, now: Instant) {
        let Some((kind, text)) = in_words(news, modem) else {
            return;
        };
        let Some(place) = self.unsaid.get_mut(kind) else {
            return;
        };
        if let Some(text) = self.repeats.again(&text, now) {
            *place = None;
            if *news == ModemInput::Gone {
                warn!("modem: {text}");
            } else {
                info!("modem: {text}");
            }
        } else {
            debug!("modem: {text}");
            *place = Some(text);
            self.due = Some((now + STEADY).max(self.rests_until));
        }
    }

    /// It has not changed for a while: how it stands.
    pub(super) fn fire(&mut self, now: Instant) {
        if self.due.take_if(|due| *due <= now).is_some() {
            self.rests_until = now + REMINDER;
            self.unsaid
                .iter_mut()
                .filter_map(Option::take)
                .for_each(|text| info!("modem: {text}"));
        }
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.due
    }
}

/// Its kind, and its words; `None` = no state of the modem.
fn in_words(news: &ModemInput, modem: &Address) -> Option<(usize, String)> {
    Some(match news {
        ModemInput::Present(identity) if identity.model.is_empty() => {
            (0, format!("there ({modem})"))
        }
        ModemInput::Present(identity) => (0, format!("{} ({modem})", identity.model)),
        ModemInput::Gone => (0, "gone".to_owned()),
        ModemInput::Sim(state) => (1, format!("SIM {state}")),
        ModemInput::Registration(state) => (2, state.to_string()),
        ModemInput::Attached(address) => (3, format!("attached, {address}")),
        ModemInput::Detached => (3, "detached".to_owned()),
        ModemInput::Operator(_)
        | ModemInput::Signal(_)
        | ModemInput::Cell(_)
        | ModemInput::OwnNumber(_)
        | ModemInput::ServiceCenter(_)
        | ModemInput::Lacks(_)
        | ModemInput::Clock(_)
        | ModemInput::Message { .. }
        | ModemInput::Submitted { .. }
        | ModemInput::Call(_) => return None,
    })
}

const KINDS: usize = 4;
/// A state that comes so often within ten minutes comes and goes.
const AT_FIRST: u32 = 3;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dtu_proto::radio::{ModemIdentity, SimState};

    use super::*;
    use crate::journal::LogCapture;

    /// Seven lines each time that a modem went and came.
    #[test]
    fn k9_a_modem_that_goes_and_comes_is_told_once_and_how_it_stands_when_it_rests() {
        let (mut state_log, ear, modem) = (
            StateLog::default(),
            LogCapture::default(),
            Address::At("ttyUSB2".into()),
        );
        let present = ModemInput::Present(ModemIdentity {
            model: "EC25".to_owned(),
            ..ModemIdentity::default()
        });
        let mut now = Instant::ZERO;
        ear.capture(|| {
            for _ in 0..20 {
                for news in [
                    &present,
                    &ModemInput::Sim(SimState::Ready),
                    &ModemInput::Gone,
                    &present,
                ] {
                    now += Duration::from_secs(2);
                    state_log.on_input(news, &modem, now);
                }
            }
        });
        let (here, ready, gone) = (
            "INFO  modem: EC25 (at:ttyUSB2)",
            "INFO  modem: SIM ready",
            "WARN  modem: gone",
        );
        assert_eq!(
            ear.take(),
            [here, ready, gone, here, here, ready, gone, ready, gone]
        );
        assert_eq!(state_log.deadline(), Some(now + STEADY));
        ear.capture(|| state_log.fire(now + STEADY));
        assert_eq!(
            ear.take(),
            ["INFO  modem: EC25 (at:ttyUSB2)", "INFO  modem: SIM ready"]
        );
        assert_eq!(state_log.deadline(), None);
    }
}
