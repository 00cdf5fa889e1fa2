//! Whether a device is there: its states, its heartbeat, its alarms.

use std::collections::VecDeque;

use crate::event::What;
use crate::time::{Duration, Instant};

/// A device of which nothing is learned yet is heard so often.
const UNLEARNED: Duration = Duration::from_secs(300);
/// What is learned lies between these.
const SHORTEST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(3600);
/// Bytes closer together are one sign of life.
const APART: Duration = Duration::from_secs(1);
/// Gaps that are remembered, and so many of them teach.
const GAPS: usize = 5;
const ENOUGH: usize = 3;
/// No alarm so long after a start: devices have to come back first.
pub(crate) const GRACE: Duration = Duration::from_secs(300);

/// When an alarm is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarms {
    /// Offline for so long.
    pub delay: Duration,
    /// Said again so often.
    pub remind: Option<Duration>,
    /// So many ends of sessions …
    pub flaps: usize,
    /// … within this time: it flaps, and its alarms wait until it has not for as long.
    pub flaps_within: Duration,
}

impl Default for Alarms {
    fn default() -> Self {
        Self {
            delay: Duration::from_secs(60),
            remind: Some(Duration::from_secs(24 * 3600)),
            flaps: 5,
            flaps_within: Duration::from_secs(600),
        }
    }
}

/// What a device is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// It has no session.
    #[default]
    Offline,
    /// It has one, and is heard.
    Connected,
    /// It has one, and is not heard.
    Silent,
}

/// Of one device.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    state: State,
    heard: Instant,
    gaps: VecDeque<Duration>,
    ends: VecDeque<Instant>,
    alarm_at: Option<Instant>,
    /// An alarm stands, and its end will be told.
    alarmed: bool,
    flapping_until: Option<Instant>,
}

impl Presence {
    pub(crate) const fn state(&self) -> State {
        self.state
    }

    pub(crate) const fn heard_at(&self) -> Instant {
        self.heard
    }

    /// It was online before the start and is missed: the summary after the grace tells of it, no alarm of its own.
    pub(crate) const fn note_missed(&mut self) {
        self.alarmed = true;
    }

    /// How often it is heard.
    pub(crate) fn interval(&self, set: Option<Duration>) -> Duration {
        match set {
            Some(set) => set,
            None if self.gaps.len() < ENOUGH => UNLEARNED,
            None => {
                let longest = self.gaps.iter().max().copied().unwrap_or(UNLEARNED);
                longest.clamp(SHORTEST, LONGEST)
            }
        }
    }

    /// Whether it was heard lately: within its heartbeat and half of it.
    pub(crate) fn is_alive(&self, set: Option<Duration>, now: Instant) -> bool {
        self.state != State::Offline && now < self.silent_at(set)
    }

    fn silent_at(&self, set: Option<Duration>) -> Instant {
        let interval = self.interval(set);
        self.heard + interval + interval / 2
    }

    /// A session begins.
    pub(crate) fn online(&mut self, quiet: bool, now: Instant) -> Option<What> {
        self.state = State::Connected;
        self.heard = now;
        self.alarm_at = None;
        let back = std::mem::take(&mut self.alarmed) && !quiet;
        back.then_some(What::AlarmBack)
    }

    /// Bytes came.
    pub(crate) fn heard(&mut self, now: Instant) -> Option<What> {
        let gap = now.since(self.heard);
        self.heard = now;
        if gap >= APART {
            if self.gaps.len() == GAPS {
                self.gaps.pop_front();
            }
            self.gaps.push_back(gap);
        }
        if self.state != State::Silent {
            return None;
        }
        self.state = State::Connected;
        Some(What::HeardAgain)
    }

    /// A session ends, and none takes its place.
    pub(crate) fn offline(
        &mut self,
        alarms: &Alarms,
        grace_until: Instant,
        now: Instant,
    ) -> Option<What> {
        self.state = State::Offline;
        self.alarm_at = Some((now + alarms.delay).max(grace_until));
        while self
            .ends
            .front()
            .is_some_and(|at| now.since(*at) >= alarms.flaps_within)
        {
            self.ends.pop_front();
        }
        self.ends.push_back(now);
        if self.ends.len() < alarms.flaps.max(1) || now < grace_until {
            return None;
        }
        self.ends.pop_front();
        let was_flapping = self.flapping_until.is_some_and(|until| now < until);
        self.flapping_until = Some(now + alarms.flaps_within);
        (!was_flapping).then_some(What::AlarmFlapping)
    }

    /// Another node has it, and tells of it.
    pub(crate) const fn elsewhere(&mut self) {
        self.state = State::Offline;
        self.alarm_at = None;
    }

    /// When something is due.
    pub(crate) fn deadline(&self, set: Option<Duration>) -> Instant {
        match self.state {
            State::Connected => self.silent_at(set),
            State::Silent => Instant::NEVER,
            State::Offline => self.alarm_at.unwrap_or(Instant::NEVER),
        }
    }

    /// A time may be over.
    pub(crate) fn fire(
        &mut self,
        set: Option<Duration>,
        alarms: &Alarms,
        now: Instant,
    ) -> Option<What> {
        if now < self.deadline(set) {
            return None;
        }
        match self.state {
            State::Connected => {
                self.state = State::Silent;
                Some(What::Silent)
            }
            State::Silent => None,
            State::Offline => {
                if let Some(until) = self.flapping_until.filter(|until| now < *until) {
                    self.alarm_at = Some(until);
                    return None;
                }
                let remind = alarms.remind.filter(|every| !every.is_zero());
                self.alarm_at = remind.map(|every| now + every);
                let was = std::mem::replace(&mut self.alarmed, true);
                Some(if was {
                    What::AlarmStill
                } else {
                    What::AlarmOffline
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    /// "heartbeat interval per device, learned when unset"
    #[test]
    fn the_heartbeat_is_learned_when_it_is_not_set() {
        let mut presence = Presence::default();
        presence.online(false, at(0));
        assert_eq!(presence.interval(None), UNLEARNED);
        for beat in 1..=3 {
            presence.heard(at(beat * 30));
            presence.heard(at(beat * 30));
        }
        assert_eq!(presence.interval(None), Duration::from_secs(30));
        assert_eq!(
            presence.interval(Some(Duration::from_secs(7))),
            Duration::from_secs(7)
        );
        assert!(presence.is_alive(None, at(134)) && !presence.is_alive(None, at(135)));
        for beat in 4..=9 {
            presence.heard(at(beat * 60));
        }
        assert_eq!(presence.interval(None), Duration::from_secs(60));
    }

    #[test]
    fn an_alarm_waits_for_its_delay_and_is_taken_back_in_time() {
        let (mut presence, alarms) = (Presence::default(), Alarms::default());
        presence.online(false, at(1000));
        assert_eq!(presence.offline(&alarms, at(300), at(1010)), None);
        assert_eq!(presence.fire(None, &alarms, at(1069)), None);
        assert_eq!(presence.online(false, at(1069)), None);
        assert_eq!(presence.offline(&alarms, at(300), at(1100)), None);
        assert_eq!(
            presence.fire(None, &alarms, at(1160)),
            Some(What::AlarmOffline)
        );
        assert_eq!(presence.fire(None, &alarms, at(1161)), None);
        let day = 24 * 3600;
        assert_eq!(
            presence.fire(None, &alarms, at(1160 + day)),
            Some(What::AlarmStill)
        );
        assert_eq!(
            presence.online(false, at(1170 + day)),
            Some(What::AlarmBack)
        );
    }

    #[test]
    fn a_reminder_after_no_time_is_none() {
        let mut presence = Presence::default();
        let alarms = Alarms {
            remind: Some(Duration::ZERO),
            ..Alarms::default()
        };
        presence.online(false, at(1000));
        presence.offline(&alarms, at(300), at(1010));
        assert!(presence.fire(None, &alarms, at(1070)).is_some());
        assert_eq!(presence.deadline(None), Instant::NEVER);
    }

    /// "Offline alarm: delay, flap guard, reminder"
    #[test]
    fn a_device_that_flaps_raises_one_alarm() {
        let (mut presence, alarms) = (Presence::default(), Alarms::default());
        let mut told = Vec::new();
        for n in 0..20 {
            let begin = 1000 + n * 100;
            told.extend(presence.online(false, at(begin)));
            told.extend(presence.offline(&alarms, at(300), at(begin + 10)));
            told.extend(presence.fire(None, &alarms, at(begin + 80)));
        }
        let first_alarms = [What::AlarmOffline, What::AlarmBack].repeat(4);
        assert_eq!(
            told,
            [first_alarms, vec![What::AlarmFlapping, What::AlarmBack]].concat()[..told.len()]
        );
        let end = 1000 + 19 * 100 + 10 + 600;
        assert_eq!(presence.fire(None, &alarms, at(end - 1)), None);
        assert_eq!(
            presence.fire(None, &alarms, at(end)),
            Some(What::AlarmOffline)
        );
    }
}
