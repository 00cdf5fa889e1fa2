//! Lines that would come again and again: each is said once, and again after ten minutes with how often it came.

use std::collections::VecDeque;

use dtu_proto::time::Instant;

use super::REMINDER;
use crate::words::Span;

/// The lines that were said of one thing.
#[derive(Debug)]
pub(crate) struct Repeats {
    said: VecDeque<Said>,
    /// So often a line is said before it counts as one that comes again and again.
    at_first: u32,
}

impl Default for Repeats {
    fn default() -> Self {
        Self::after(1)
    }
}

#[derive(Debug)]
struct Said {
    text: String,
    at: Instant,
    times: u32,
    /// How often it came since, and was not said.
    unsaid: u64,
}

impl Repeats {
    /// Lines are said so often at first.
    pub(crate) const fn after(at_first: u32) -> Self {
        Self {
            said: VecDeque::new(),
            at_first,
        }
    }

    /// What is to be said of it now; `None` = that was said a moment ago.
    pub(crate) fn again(&mut self, text: &str, now: Instant) -> Option<String> {
        let Some(said) = self.said.iter_mut().find(|said| said.text == text) else {
            if self.said.len() == MOST {
                self.said.pop_front();
            }
            self.said.push_back(Said {
                text: text.to_owned(),
                at: now,
                times: 1,
                unsaid: 0,
            });
            return Some(text.to_owned());
        };
        let since = now.since(said.at);
        if since < REMINDER && said.times < self.at_first {
            said.times += 1;
            return Some(text.to_owned());
        }
        if since < REMINDER {
            said.unsaid += 1;
            return None;
        }
        (said.at, said.times) = (now, 1);
        Some(match std::mem::take(&mut said.unsaid) {
            0 => text.to_owned(),
            unsaid => format!("{text} ({} times in {})", unsaid + 1, Span(since)),
        })
    }
}

/// Texts that are remembered of one thing.
const MOST: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k9_a_cause_is_said_once_and_every_ten_minutes_with_how_often_it_came() {
        let mut repeats = Repeats::default();
        let at = |seconds: u64| Instant::from_millis(seconds * 1000);
        let said: Vec<_> = (0..8)
            .filter_map(|second| repeats.again("disk full", at(second)))
            .collect();
        assert_eq!(said, ["disk full"]);
        assert_eq!(
            repeats.again("read-only", at(8)).as_deref(),
            Some("read-only")
        );
        assert_eq!(
            repeats.again("disk full", at(600)).as_deref(),
            Some("disk full (8 times in 10 min)")
        );
        assert_eq!(repeats.again("disk full", at(601)), None);
        assert_eq!(
            repeats.again("read-only", at(9000)).as_deref(),
            Some("read-only")
        );
    }
}
