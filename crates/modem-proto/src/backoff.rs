//! How long a modem that is silent, refuses or restarts again and again is left alone: 1 s to 5 min.

use dtu_proto::time::{Duration, Instant};

/// How often a modem is started. It outlives the modem's restarts.
#[derive(Debug, Default)]
pub(crate) struct StartBackoff {
    /// Starts in a row, each soon after the one before.
    starts: u32,
    last_start: Option<Instant>,
    /// A start that comes too soon waits until then.
    alone_until: Option<Instant>,
    /// Times in a row that the device was opened and nothing answered.
    silent: u32,
}

impl StartBackoff {
    /// It starts again by itself: how long it is left alone, and whether this is the first pause.
    pub(crate) fn on_restart(&mut self, now: Instant) -> (Duration, bool) {
        if self.last_start.is_none_or(|last| now - last >= CALM) {
            self.starts = 0;
        }
        self.last_start = Some(now);
        self.starts = self.starts.saturating_add(1);
        let Some(over) = self.starts.checked_sub(FREE_STARTS) else {
            return (Duration::ZERO, false);
        };
        // mutant: start-alone
        self.alone_until = Some(now + pause(over));
        // mutant: start-pause
        (pause(over), over == 0)
    }

    /// It starts again and again, and that was logged.
    pub(crate) fn is_looping(&self, now: Instant) -> bool {
        self.starts > FREE_STARTS && self.last_start.is_some_and(|last| now - last < CALM)
    }

    /// The device was opened: how long nothing is sent.
    pub(crate) fn pause_before_probing(&self, now: Instant) -> Duration {
        let alone = self
            .alone_until
            .map_or(Duration::ZERO, |until| until.since(now));
        let silent = if self.silent == 0 {
            Duration::ZERO
        } else {
            pause(self.silent - 1)
        };
        alone.max(silent)
    }

    /// Nothing answered for as long as it is asked.
    pub(crate) const fn on_silence(&mut self) {
        self.silent = self.silent.saturating_add(1);
    }

    /// How long it is asked: at first through the boot of any modem, later a few times.
    pub(crate) const fn probing_time(&self) -> Duration {
        if self.silent == 0 {
            PROBING_TIME
        } else {
            SHORT_PROBING_TIME
        }
    }

    /// It answers.
    pub(crate) const fn on_answer(&mut self) {
        self.silent = 0;
    }
}

/// How many messages in a row the modem refused. It outlives the modem's restarts.
#[derive(Debug, Default)]
pub(crate) struct RefusalBackoff {
    refused: u32,
    since: Option<Instant>,
    reset_at: Option<Instant>,
}

impl RefusalBackoff {
    /// A message went out.
    pub(crate) fn on_sent(&mut self) {
        self.refused = 0;
        self.since = None;
    }

    /// One was refused: whether a reset may help by now.
    pub(crate) fn on_refused(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        self.refused = self.refused.saturating_add(1);
        let may = self.reset_at.is_none_or(|at| now - at >= BETWEEN_RESETS);
        let resets = may && self.refused >= REFUSALS_BEFORE_RESET && now - since >= REFUSED_TIME;
        if resets {
            self.on_sent();
            self.reset_at = Some(now);
        }
        resets
    }
}

/// 1 s, 2 s, 4 s … 5 min.
pub(crate) fn pause(tries: u32) -> Duration {
    LONGEST_PAUSE.min(Duration::from_secs(1 << tries.min(16)))
}

/// Nothing is asked less often.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// So long between two starts is no loop.
const CALM: Duration = Duration::from_secs(600);
/// Starts of which nothing is thought.
const FREE_STARTS: u32 = 4;
/// A silent modem is asked so long.
pub(crate) const PROBING_TIME: Duration = Duration::from_secs(90);
/// Each kind of probe once, and the plain one twice.
const SHORT_PROBING_TIME: Duration = Duration::from_secs(8);
// mutant: most-refused
const REFUSALS_BEFORE_RESET: u32 = 5;
// mutant: refused-long
const REFUSED_TIME: Duration = Duration::from_secs(600);
// mutant: between-resets
const BETWEEN_RESETS: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_a_second_to_five_minutes() {
        assert_eq!(
            [0, 1, 8, 9, u32::MAX].map(|tries| pause(tries).as_secs()),
            [1, 2, 256, 300, 300]
        );
    }

    #[test]
    fn m5_a_reset_needs_five_refusals_ten_minutes_and_an_hour_since_the_last() {
        let at = |minutes: u64| Instant::from_millis(minutes * 60_000);
        let mut backoff = RefusalBackoff::default();
        let resets: std::vec::Vec<_> = (0..200)
            .filter(|minute| backoff.on_refused(at(*minute)))
            .collect();
        assert_eq!(resets, [10, 70, 130, 190]);
        backoff.on_sent();
        assert!(!backoff.on_refused(at(300)));
        // Neither many at once nor few over a long time.
        let resets = |times: &[u64]| {
            let mut backoff = RefusalBackoff::default();
            times
                .iter()
                .filter(|minute| backoff.on_refused(at(**minute)))
                .count()
        };
        assert_eq!(
            [
                resets(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
                resets(&[0, 10, 20, 30]),
                resets(&[0, 1, 2, 3, 10])
            ],
            [0, 0, 1]
        );
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    /// Four starts are nothing; from the fifth on a modem is left alone, first for a second.
    #[test]
    fn starts_in_a_row_are_a_loop_from_the_fifth_on_until_ten_calm_minutes() {
        let mut backoff = StartBackoff::default();
        let mut starts = std::vec::Vec::new();
        for number in 1..=6 {
            let (pause, first) = backoff.on_restart(at(number * 10));
            starts.push((pause.as_secs(), first, backoff.is_looping(at(number * 10))));
        }
        let none = (0, false, false);
        let rest = [(1, true, false), (2, false, true), (4, false, true)];
        assert_eq!(starts, [none, none, none, rest[0], rest[1], rest[2]]);
        assert!(backoff.is_looping(at(60 + 599)));
        assert!(!backoff.is_looping(at(60 + 600)));
        assert_eq!(backoff.pause_before_probing(at(61)).as_secs(), 3);
        assert_eq!(backoff.on_restart(at(60 + 599)).0.as_secs(), 8);
        let calm = backoff.on_restart(at(60 + 599 + 600));
        assert_eq!(calm, (Duration::ZERO, false));
    }

    #[test]
    fn a_device_that_stays_silent_is_asked_for_90_seconds_and_then_for_8() {
        let mut backoff = StartBackoff::default();
        let of = |backoff: &StartBackoff| {
            let pause = backoff.pause_before_probing(at(0));
            (pause.as_secs(), backoff.probing_time().as_secs())
        };
        assert_eq!(of(&backoff), (0, 90));
        backoff.on_silence();
        assert_eq!(of(&backoff), (1, 8));
        backoff.on_silence();
        assert_eq!(of(&backoff), (2, 8));
        backoff.on_answer();
        assert_eq!(of(&backoff), (0, 90));
    }
}
