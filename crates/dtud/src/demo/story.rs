//! What happens to the network, and when: by itself once, then by hand. Time is an input.

use std::time::Duration;

use crate::words::Count;

/// What the story knows of the frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Frames {
    pub(super) sent: u64,
    pub(super) arrived: u64,
    /// In the device, as it says itself.
    pub(super) waiting: usize,
    pub(super) lost: u64,
}

#[derive(Debug, Default)]
pub(super) struct Story {
    act: Act,
}

#[derive(Clone, Copy, Debug, Default)]
enum Act {
    /// All is well, until the network is cut by itself.
    #[default]
    Before,
    /// The network is cut, and comes back by itself at that time, if at one.
    Cut { until: Option<Duration> },
    /// It is back; so many frames had been sent by then, and so many of them waited.
    Back {
        sent: u64,
        waited: u64,
        at: Duration,
    },
    /// What had waited has arrived, so long after the network was back.
    Whole { waited: u64, after: Duration },
}

impl Story {
    pub(super) const fn is_cut(&self) -> bool {
        matches!(self.act, Act::Cut { .. })
    }

    /// Time goes on.
    pub(super) fn tick(&mut self, now: Duration, frames: Frames) {
        match self.act {
            Act::Before if now >= CUT_AT => {
                self.act = Act::Cut {
                    until: Some(now + CUT_FOR),
                }
            }
            Act::Cut { until: Some(until) } if now >= until => self.heal(now, frames),
            Act::Back { sent, waited, at } if frames.arrived + frames.lost >= sent => {
                self.act = Act::Whole {
                    waited,
                    after: now.saturating_sub(at),
                };
            }
            Act::Before | Act::Cut { .. } | Act::Back { .. } | Act::Whole { .. } => {}
        }
    }

    /// The key: cuts the network, or heals it.
    pub(super) fn turn(&mut self, now: Duration, frames: Frames) {
        if self.is_cut() {
            self.heal(now, frames);
        } else {
            self.act = Act::Cut { until: None };
        }
    }

    fn heal(&mut self, now: Duration, frames: Frames) {
        let waited = frames.sent.saturating_sub(frames.arrived + frames.lost);
        self.act = Act::Back {
            sent: frames.sent,
            waited,
            at: now,
        };
    }

    /// What happens, in a sentence.
    pub(super) fn sentence(&self, now: Duration, frames: Frames) -> String {
        let left = |until: Duration| until.saturating_sub(now).as_secs_f64().ceil();
        match self.act {
            Act::Before => format!(
                "All is well. The network will be cut in {} s.",
                left(CUT_AT)
            ),
            Act::Cut { until: Some(until) } => format!(
                "THE NETWORK IS CUT, for {} s more. {} in the device.",
                left(until),
                wait(frames.waiting)
            ),
            Act::Cut { until: None } => {
                format!(
                    "THE NETWORK IS CUT, until you press c. {} in the device.",
                    wait(frames.waiting)
                )
            }
            Act::Back { waited, .. } => {
                format!(
                    "The network is back. {} waited; the device tries to connect.",
                    Count(waited, "frame")
                )
            }
            Act::Whole { waited, after } => format!(
                "The network is back. {} that waited came {:.1} s later, lost {}.",
                Count(waited, "frame"),
                after.as_secs_f64(),
                frames.lost
            ),
        }
    }
}

fn wait(waiting: usize) -> String {
    format!(
        "{} {}",
        Count(waiting as u64, "frame"),
        if waiting == 1 { "waits" } else { "wait" }
    )
}

/// The network is cut by itself at this time.
const CUT_AT: Duration = Duration::from_secs(10);
/// And is back so long after it.
const CUT_FOR: Duration = Duration::from_secs(6);

#[cfg(test)]
mod tests {
    use super::*;

    /// Two readings a second, of which the last two seconds' wait; nothing else.
    fn at(story: &mut Story, seconds: u64, frames: Frames) -> String {
        let now = Duration::from_secs(seconds);
        story.tick(now, frames);
        story.sentence(now, frames)
    }

    const fn frames(sent: u64, arrived: u64, lost: u64) -> Frames {
        Frames {
            sent,
            arrived,
            waiting: (sent - arrived - lost) as usize,
            lost,
        }
    }

    #[test]
    fn the_network_is_cut_at_10_s_and_what_waited_comes() {
        let mut story = Story::default();
        assert_eq!(
            at(&mut story, 4, frames(8, 8, 0)),
            "All is well. The network will be cut in 6 s."
        );
        assert!(!story.is_cut());
        assert_eq!(
            at(&mut story, 10, frames(20, 20, 0)),
            "THE NETWORK IS CUT, for 6 s more. 0 frames wait in the device."
        );
        assert!(story.is_cut());
        assert_eq!(
            at(&mut story, 13, frames(26, 20, 0)),
            "THE NETWORK IS CUT, for 3 s more. 6 frames wait in the device."
        );
        assert_eq!(
            at(&mut story, 16, frames(32, 20, 0)),
            "The network is back. 12 frames waited; the device tries to connect."
        );
        assert!(!story.is_cut());
        assert_eq!(
            at(&mut story, 18, frames(36, 33, 0)),
            "The network is back. 12 frames that waited came 2.0 s later, lost 0."
        );
        at(&mut story, 600, frames(1200, 1200, 0));
        assert!(!story.is_cut(), "by itself it is cut once");
    }

    #[test]
    fn h9_one_frame_is_no_frames() {
        let mut story = Story::default();
        assert_eq!(
            at(&mut story, 10, frames(21, 20, 0)),
            "THE NETWORK IS CUT, for 6 s more. 1 frame waits in the device."
        );
        assert!(
            at(&mut story, 16, frames(22, 21, 0))
                .starts_with("The network is back. 1 frame waited;")
        );
    }

    #[test]
    fn a_loss_is_said() {
        let mut story = Story::default();
        at(&mut story, 10, frames(20, 20, 0));
        at(&mut story, 16, frames(32, 20, 0));
        assert_eq!(
            at(&mut story, 17, frames(34, 31, 3)),
            "The network is back. 12 frames that waited came 1.0 s later, lost 3."
        );
    }

    #[test]
    fn the_key_cuts_and_heals_and_nothing_happens_by_itself_any_more() {
        let mut story = Story::default();
        story.turn(Duration::from_secs(2), frames(4, 4, 0));
        assert!(story.is_cut());
        assert_eq!(
            at(&mut story, 100, frames(200, 4, 0)),
            "THE NETWORK IS CUT, until you press c. 196 frames wait in the device."
        );
        story.turn(Duration::from_secs(101), frames(202, 4, 0));
        assert!(!story.is_cut());
        at(&mut story, 110, frames(220, 220, 0));
        assert!(!story.is_cut());
    }
}
