//! When to try again, and how long to try (decisions 6 and 16.2).
//!
//! A pause is at most half the time that the link has been down by then, so the device is back at most half an outage
//! after its server; and it is drawn from the upper half of that, so a herd comes back spread out.
//!
//! Where packets vanish an attempt hangs, and the kernel repeats the SYN after 1, 3, 7 and 15 s: at the same moments in
//! all devices that lost a server together. So an attempt is given up at a drawn time, and the next one begins a new row of
//! repeats. Within an attempt that is no older than the outage these repeats are never further apart than half of it.

use crate::rng::Rng;
use crate::time::{Duration, Instant};

/// The first attempt comes within this time.
const FIRST: Duration = Duration::from_millis(100);
/// Of no less than this is a pause drawn.
const LEAST: Duration = Duration::from_millis(500);
/// A connection this old, by which the peer has shown itself, was a good one.
const GOOD: Duration = Duration::from_secs(5);
/// So was one this old by a peer that acknowledged nothing of what it was sent.
const QUIET: Duration = Duration::from_secs(60);
/// An attempt is given no less than the upper half of this, and of `USUAL_TIMES` what the last ones took.
const TRY_LEAST: Duration = Duration::from_millis(2500);
const USUAL_TIMES: u32 = 3;
/// The same where no attempt has succeeded yet.
const TRY_UNKNOWN: Duration = Duration::from_secs(10);
/// And no more than this. The host gives an attempt up after 30 s, too.
const TRY_MOST: Duration = Duration::from_secs(30);

/// The pauses of one link, and the times of its attempts.
#[derive(Debug)]
pub(crate) struct Backoff {
    /// When the link went down, or was to come up; `None`: the next attempt is the first.
    since: Option<Instant>,
    /// When the last attempt began.
    tried_at: Instant,
    /// What an attempt takes that succeeds.
    usual: Option<Duration>,
    /// The length of the attempt that was given up: it is a part of the pause.
    spent: Duration,
    up: Option<Connection>,
}

#[derive(Clone, Copy, Debug)]
struct Connection {
    since: Instant,
    /// The peer has acknowledged something, or sent something.
    heard: bool,
    /// Something was sent, which a peer that is there acknowledges.
    asked: bool,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::NEW
    }
}

impl Backoff {
    /// No attempt was made yet.
    pub(crate) const NEW: Self = Self {
        since: None,
        tried_at: Instant::ZERO,
        usual: None,
        spent: Duration::ZERO,
        up: None,
    };

    /// How long to wait before the next attempt.
    pub(crate) fn next(&mut self, now: Instant, longest: Duration, rng: &mut Rng) -> Duration {
        let spent = core::mem::take(&mut self.spent);
        let Some(since) = self.since else {
            self.since = Some(now);
            return rng.up_to(FIRST);
        };
        // mutant: half-the-outage
        let limit = (now.since(since) / 2).min(longest).max(LEAST);
        // mutant: pause
        rng.upper_half(limit).saturating_sub(spent)
    }

    /// An attempt begins: how long it may take.
    pub(crate) fn attempt(&mut self, now: Instant, rng: &mut Rng) -> Duration {
        self.tried_at = now;
        let least = self.usual.map_or(TRY_UNKNOWN, |usual| {
            usual.saturating_mul(USUAL_TIMES).max(TRY_LEAST)
        });
        let down = self.since.map_or(Duration::ZERO, |since| now.since(since));
        // mutant: attempt
        rng.upper_half(down.max(least).min(TRY_MOST))
    }

    /// The attempt took too long.
    pub(crate) fn gave_up(&mut self, now: Instant) {
        self.spent = now.since(self.tried_at);
    }

    /// The attempt succeeded. One that needed repeats of the kernel does not make all later ones long.
    pub(crate) fn connected(&mut self, now: Instant) {
        let took = now.since(self.tried_at);
        // mutant: slow-attempt
        self.usual = Some(
            self.usual
                .map_or(took, |usual| took.min(usual.max(FIRST) * 2)),
        );
        self.up = Some(Connection {
            since: now,
            heard: false,
            asked: false,
        });
    }

    /// The peer has shown itself.
    pub(crate) const fn heard(&mut self) {
        if let Some(up) = &mut self.up {
            up.heard = true;
        }
    }

    /// Something is sent.
    pub(crate) const fn asked(&mut self) {
        if let Some(up) = &mut self.up {
            up.asked = true;
        }
    }

    /// The connection is over. A good one starts the time anew, and so does one that did all that it was for; of a shorter
    /// one its own time does not count, and it takes its share of the time before away.
    pub(crate) fn ended(&mut self, now: Instant, done: bool) {
        let Some(up) = self.up.take() else { return };
        let age = now.since(up.since);
        // Of a peer that nobody asked anything no more can be said than that it stood.
        let good = up.heard || !up.asked;
        // mutant: good-connection
        if age >= QUIET || good && age >= GOOD || up.heard && done {
            return self.reset();
        }
        self.leave_out(age);
        if good {
            let down = self.since.map_or(Duration::ZERO, |since| now.since(since));
            let millis = u32::try_from(age.as_millis()).unwrap_or(u32::MAX);
            self.leave_out(down.saturating_mul(millis) / 5000);
        }
    }

    /// So long the link had nothing to connect for. After the longest pause nobody comes too often by a first attempt.
    pub(crate) fn rested(&mut self, time: Duration, longest: Duration) {
        if time >= longest {
            self.reset();
        } else {
            self.leave_out(time);
        }
    }

    fn leave_out(&mut self, time: Duration) {
        self.since = self.since.map(|since| since + time);
    }

    /// All is well, or the settings are new.
    pub(crate) const fn reset(&mut self) {
        self.since = None;
        self.spent = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    const LONGEST: Duration = Duration::from_secs(30);

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// One that has tried for the first time at 0 s.
    fn down(rng: &mut Rng) -> Backoff {
        let mut backoff = Backoff::default();
        assert!(backoff.next(Instant::ZERO, LONGEST, rng) < FIRST);
        backoff
    }

    #[track_caller]
    fn pauses_from_half_to(backoff: &mut Backoff, now: Instant, limit: Duration, rng: &mut Rng) {
        let drawn: Vec<Duration> = (0..200).map(|_| backoff.next(now, LONGEST, rng)).collect();
        let (least, most) = (drawn.iter().min().unwrap(), drawn.iter().max().unwrap());
        assert!(
            *least >= limit / 2 && *least < limit * 6 / 10,
            "{limit:?}: {least:?}"
        );
        assert!(
            *most <= limit && *most > limit * 9 / 10,
            "{limit:?}: {most:?}"
        );
    }

    #[test]
    fn d7_a_pause_is_at_most_half_the_time_since_the_link_went_down() {
        let mut rng = Rng::new(7);
        let mut backoff = down(&mut rng);
        for (seconds, limit) in [
            (0, 500),
            (1, 500),
            (2, 1000),
            (10, 5000),
            (50, 25_000),
            (60, 30_000),
        ] {
            pauses_from_half_to(&mut backoff, at(seconds * 1000), ms(limit), &mut rng);
        }
        pauses_from_half_to(&mut backoff, at(3_600_000), LONGEST, &mut rng);
        assert!(
            backoff.next(at(60_000), Duration::ZERO, &mut rng) >= LEAST / 2,
            "never without a pause"
        );
        backoff.reset();
        assert!(backoff.next(at(61_000), LONGEST, &mut rng) < FIRST);
        pauses_from_half_to(&mut backoff, at(65_000), ms(2000), &mut rng);
    }

    #[test]
    fn d7_five_good_seconds_start_the_time_anew() {
        let mut rng = Rng::new(7);
        for (heard, up_ms, limit_ms) in [
            (true, 5000, None),
            // A fifth of 100 s: so much is missing to five seconds.
            (true, 4000, Some(10_000)),
            (true, 0, Some(30_000)),
            (false, 5000, Some(30_000)),
            (false, 59_000, Some(30_000)),
            (false, 60_000, None),
        ] {
            let mut backoff = down(&mut rng);
            backoff.attempt(at(100_000), &mut rng);
            backoff.connected(at(100_000));
            backoff.asked();
            if heard {
                backoff.heard();
            }
            let now = at(100_000 + up_ms);
            backoff.ended(now, false);
            match limit_ms {
                None => assert!(
                    backoff.next(now, LONGEST, &mut rng) < FIRST,
                    "{heard} {up_ms}"
                ),
                Some(limit) => pauses_from_half_to(&mut backoff, now, ms(limit), &mut rng),
            }
        }
    }

    #[test]
    fn a_connection_that_did_its_work_starts_the_time_anew() {
        let mut rng = Rng::new(7);
        for (heard, first) in [(true, true), (false, false)] {
            let mut backoff = down(&mut rng);
            backoff.connected(at(1000));
            backoff.asked();
            if heard {
                backoff.heard();
            }
            backoff.ended(at(1100), true);
            assert_eq!(backoff.next(at(1100), LONGEST, &mut rng) < FIRST, first);
        }
    }

    #[test]
    fn time_with_nothing_to_connect_for_does_not_count() {
        let mut rng = Rng::new(7);
        let mut backoff = down(&mut rng);
        backoff.rested(ms(20_000), LONGEST);
        pauses_from_half_to(&mut backoff, at(24_000), ms(2000), &mut rng);
        backoff.rested(LONGEST, LONGEST);
        assert!(backoff.next(at(60_000), LONGEST, &mut rng) < FIRST);
    }

    #[test]
    fn d7_an_attempt_that_hangs_is_given_up_at_a_drawn_time_that_is_part_of_the_pause() {
        let mut rng = Rng::new(7);
        for (down_s, took, least, most) in [
            (0, None, 5000, 10_000),
            (0, Some(40), 1250, 2500),
            (0, Some(2000), 3000, 6000),
            (20, Some(40), 10_000, 20_000),
            (500, Some(40), 15_000, 30_000),
            (500, None, 15_000, 30_000),
        ] {
            let mut backoff = down(&mut rng);
            backoff.usual = took.map(ms);
            let now = at(down_s * 1000);
            let drawn: Vec<Duration> = (0..200).map(|_| backoff.attempt(now, &mut rng)).collect();
            let (first, last) = (drawn.iter().min().unwrap(), drawn.iter().max().unwrap());
            assert!(
                *first >= ms(least) && *first < ms(least * 11 / 10),
                "{down_s}: {first:?}"
            );
            assert!(
                *last <= ms(most) && *last > ms(most * 9 / 10),
                "{down_s}: {last:?}"
            );
        }
        let mut backoff = down(&mut rng);
        backoff.attempt(at(10_000), &mut rng);
        backoff.gave_up(at(20_000));
        assert_eq!(backoff.next(at(20_000), LONGEST, &mut rng), Duration::ZERO);
        assert!(
            backoff.next(at(20_000), LONGEST, &mut rng) >= ms(5000),
            "it counts once"
        );
    }

    #[test]
    fn one_long_attempt_does_not_make_the_next_ones_long() {
        let mut backoff = Backoff::default();
        for (took, usual) in [(40, 40), (15_000, 200), (15_000, 400), (30, 30)] {
            backoff.attempt(Instant::ZERO, &mut Rng::new(1));
            backoff.connected(at(took));
            assert_eq!(backoff.usual, Some(ms(usual)));
        }
    }
}
