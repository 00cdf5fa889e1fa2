//! Settings on trial: without `AT+CIKEEP` in time the old ones come back by themselves, and a restart brings them back, too,
//! for nothing is stored before (commit-confirm).

use alloc::sync::Arc;

use super::Dtu;
use crate::at;
use crate::config::Config;
use crate::event::{Event, Origin, TrialEvent};
use crate::status::TrialStatus;
use crate::time::{Duration, Instant};

/// What is on trial, and what comes back without a word.
#[derive(Debug, Default)]
pub(super) struct Trials {
    /// Trials since power-on.
    count: u32,
    current: Option<Trial>,
    /// The last set that was applied or stored.
    baseline: Option<Arc<Config>>,
}

#[derive(Debug)]
struct Trial {
    by: Origin,
    time: Duration,
    /// `None`: the settings are not in force yet, since a link waits for its reply.
    until: Option<Instant>,
}

impl Trials {
    pub(super) const fn are_on(&self) -> bool {
        self.current.is_some()
    }

    pub(super) fn status(&self, now: Instant) -> Option<TrialStatus> {
        self.current.as_ref().map(|trial| TrialStatus {
            id: self.count,
            by: trial.by,
            left: trial.until.map(|until| until.since(now)),
        })
    }
}

impl Dtu {
    /// `AT+CIAPPLY=<s>`: one that is under way has that time from now on.
    pub(super) fn try_settings(&mut self, origin: Origin, time: Duration) {
        if let Some(trial) = &mut self.trials.current {
            trial.time = time;
            trial.until = trial.until.map(|_| self.now + time);
            return;
        }
        self.trials.count += 1;
        self.trials.current = Some(Trial {
            by: origin,
            time,
            until: None,
        });
        self.event(Event::Trial(TrialEvent::Begins { by: origin, time }));
        self.apply_behind_reply(origin);
    }

    /// The running set is in force: its time counts from now on, when links that changed are made again.
    pub(super) fn settings_in_force(&mut self) {
        match &mut self.trials.current {
            Some(trial) => trial.until = Some(self.now + trial.time),
            None => self.trials.baseline = Some(self.config.clone()),
        }
    }

    /// What is stored now is what comes back.
    pub(super) fn settings_stored(&mut self) {
        self.trials.baseline = Some(self.stored.clone());
    }

    /// `AT+CIKEEP`: the new settings are stored, and stay.
    pub(super) fn keep_settings(&mut self) {
        if self.trials.current.take().is_some() {
            self.event(Event::Trial(TrialEvent::Kept));
        }
    }

    /// A command that is being answered ends first: it may be the one that keeps.
    pub(super) fn trial_deadline(&self) -> Option<Instant> {
        self.trials
            .current
            .as_ref()
            .filter(|_| !self.is_answering() && self.ending.is_none())
            .and_then(|trial| trial.until)
    }

    /// Nobody has kept them.
    pub(super) fn trial_due(&mut self) {
        self.trials_end(TrialEvent::Expired);
        self.apply();
    }

    /// `AT+CIKEEP=0`
    pub(super) fn refuse_settings(&mut self, origin: Origin) {
        self.trials_end(TrialEvent::Undone);
        self.apply_behind_reply(origin);
    }

    fn trials_end(&mut self, why: TrialEvent) {
        if self.trials.current.take().is_none() {
            return;
        }
        self.config = self.fallback_config();
        self.event(Event::Trial(why));
    }

    /// What a trial that nobody keeps brings back: what was set before it, and neither applied nor stored, goes, too.
    #[must_use]
    pub fn fallback_config(&self) -> Arc<Config> {
        let baseline = self.trials.baseline.as_ref().unwrap_or(&self.stored);
        // What a program on the line has set for itself stays: it would not know of the change.
        at::with_profile_of(&self.config, baseline)
    }

    /// The device starts over from what is stored.
    pub(super) fn forget_trial(&mut self) {
        if self.trials.current.take().is_some() {
            self.event(Event::Trial(TrialEvent::Restarted));
        }
        self.trials.baseline = None;
    }
}
