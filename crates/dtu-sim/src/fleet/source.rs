//! The equipment on the line of one device: when it sends which frame.

use cellular_sim::Rng;

use super::fault::micros;
use super::plan::Plan;
use super::timers::NEVER;

/// Bits of a byte on the line: start, eight, stop.
const BITS: u64 = 10;
/// Bytes that a host reads at once from a line that is slow.
const PIECE: usize = 256;

/// What one equipment does next.
#[derive(Debug)]
pub(super) struct Source {
    rng: Rng,
    /// When the next piece is in the host's hands; [`NEVER`] = there is none.
    pub(super) next_at: u64,
    /// When the next frame begins.
    period_at: u64,
    pub(super) number: u32,
    /// Bytes of the frame that are out.
    pub(super) out: u16,
    /// It is due, and the line takes nothing.
    pub(super) held: bool,
}

impl Source {
    /// The first frame comes within one period.
    pub(super) fn new(plan: &Plan, device: u32, now: u64) -> Self {
        let mut rng = Rng::new(plan.seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ u64::from(device));
        let period = micros(plan.period);
        let mut source = Self::silent();
        if plan.has_traffic() && plan.frames != Some(0) {
            source.period_at = now + rng.range(0, period);
            source.rng = rng;
            source.begin(plan, device);
        }
        source
    }

    /// Equipment that says nothing.
    pub(super) const fn silent() -> Self {
        Self {
            next_at: NEVER,
            period_at: NEVER,
            number: 0,
            out: 0,
            held: false,
            rng: Rng::new(0),
        }
    }

    /// Bytes of the piece that is due, of a frame of this length.
    pub(super) fn piece(&self, plan: &Plan, length: usize) -> usize {
        let left = length - usize::from(self.out);
        if plan.line_speed == 0 {
            left
        } else {
            left.min(PIECE)
        }
    }

    /// The piece is out. Says whether that was the end of the frame.
    pub(super) fn sent(
        &mut self,
        plan: &Plan,
        device: u32,
        piece: usize,
        length: usize,
        now: u64,
    ) -> bool {
        self.out += piece as u16;
        self.held = false;
        if usize::from(self.out) < length {
            self.next_at = now + line_time(plan, self.piece(plan, length));
            return false;
        }
        self.out = 0;
        self.number += 1;
        if plan.frames.is_some_and(|frames| self.number >= frames)
            || self.number >= super::content::NUMBERS
        {
            self.stop();
            return true;
        }
        let period = match &plan.content.recorded {
            Some(recorded) => recorded.pause(self.number - 1),
            None => micros(plan.period),
        };
        let spread = match plan.content.recorded {
            Some(_) => 0,
            None => (period as f64 * plan.jitter.clamp(0.0, 1.0)) as u64,
        };
        // A frame that was held up moves those behind it on: equipment does not send twice at once.
        self.period_at = self.period_at.max(now.saturating_sub(period)) + period - spread;
        self.period_at += self.rng.range(0, 2 * spread);
        self.begin(plan, device);
        true
    }

    fn begin(&mut self, plan: &Plan, device: u32) {
        let length = plan.content.length(device, self.number);
        self.next_at = self.period_at + line_time(plan, self.piece(plan, length));
    }

    /// Sends nothing any more, but for the rest of a frame that has begun.
    pub(super) fn finish(&mut self) {
        if self.out == 0 {
            self.stop();
        }
    }

    fn stop(&mut self) {
        self.next_at = NEVER;
        self.held = false;
    }

    /// Whether it has sent its last.
    pub(super) const fn is_done(&self) -> bool {
        self.next_at == NEVER && !self.held
    }
}

/// How long so many bytes take on the line.
pub(super) fn line_time(plan: &Plan, bytes: usize) -> u64 {
    time_at(plan.line_speed, bytes)
}

/// The same at another rate; 0 = none.
pub(super) fn time_at(speed: u32, bytes: usize) -> u64 {
    (bytes as u64 * BITS * 1_000_000)
        .checked_div(u64::from(speed))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn times(plan: &Plan, count: usize) -> Vec<u64> {
        let mut source = Source::new(plan, 3, 0);
        let mut all = Vec::new();
        while all.len() < count && !source.is_done() {
            let now = source.next_at;
            let length = plan.content.length(3, source.number);
            let piece = source.piece(plan, length);
            if source.sent(plan, 3, piece, length, now) {
                all.push(now);
            }
        }
        all
    }

    #[test]
    fn frames_come_at_their_period_and_take_their_time_on_the_line() {
        let plan = Plan {
            period: Duration::from_secs(10),
            jitter: 0.0,
            line_speed: 9600,
            frames: Some(4),
            ..Plan::default()
        };
        let all = times(&plan, 9);
        assert_eq!(all.len(), 4);
        // 64 bytes of 10 bits at 9600 Bd.
        assert!(all[0] >= 66_666 && all[0] <= 10_066_666, "{all:?}");
        for pair in all.windows(2) {
            assert_eq!(pair[1] - pair[0], 10_000_000);
        }
        let jittered = times(
            &Plan {
                jitter: 0.2,
                frames: None,
                ..plan
            },
            100,
        );
        let pauses: Vec<u64> = jittered.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(
            pauses
                .iter()
                .all(|pause| (8_000_000..=12_000_000).contains(pause)),
            "{pauses:?}"
        );
        assert!(
            pauses.iter().any(|pause| *pause > 11_000_000)
                && pauses.iter().any(|pause| *pause < 9_000_000)
        );
    }

    #[test]
    fn equipment_that_was_held_up_sends_one_frame_and_not_all_it_missed() {
        let plan = Plan {
            period: Duration::from_secs(1),
            jitter: 0.0,
            line_speed: 0,
            ..Plan::default()
        };
        let mut source = Source::new(&plan, 0, 0);
        source.sent(&plan, 0, 64, 64, 30_000_000);
        assert_eq!(source.next_at, 30_000_000);
        source.sent(&plan, 0, 64, 64, 30_000_000);
        assert_eq!(source.next_at, 31_000_000);
    }
}
