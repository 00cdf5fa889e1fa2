//! When a line that is missing is tried again, and what the log says of it: a cause is news once.

use std::fmt;
use std::time::Duration;

use dtu_proto::time::Instant;
use tracing::{info, warn};

/// The attempts to open one line.
pub(super) struct Retry {
    /// What it is to this program, for logs.
    what: &'static str,
    longest: Duration,
    pause: Duration,
    at: Option<Instant>,
    /// Open since then, which has not been said.
    unsaid: Option<Instant>,
    /// Why it is missing, as last said.
    complaint: String,
}

impl Retry {
    /// `longest`: pauses grow up to it.
    pub(super) const fn new(what: &'static str, longest: Duration) -> Self {
        Self { what, longest, pause: FIRST, at: None, unsaid: None, complaint: String::new() }
    }

    /// Whether it may be tried now. An attempt that takes a while needs no timer any more.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        self.at.take_if(|at| *at <= now);
        self.at.is_none()
    }

    /// The next attempt, or the next word.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.at.or_else(|| self.unsaid.map(|since| since + STANDS))
    }

    pub(super) fn opened(&mut self, address: &impl fmt::Display, now: Instant) {
        self.at = None;
        if self.complaint.is_empty() {
            info!("{}: {address} is open", self.what);
        } else {
            // It may go again at once, as it did before.
            self.unsaid = Some(now);
        }
    }

    /// To be called now and then while it is open.
    pub(super) fn stands(&mut self, address: &impl fmt::Display, now: Instant) {
        if self.unsaid.is_some_and(|since| now >= since + STANDS) {
            self.unsaid = None;
            self.pause = FIRST;
            self.complaint.clear();
            info!("{}: {address} is open again", self.what);
        }
    }

    /// It could not be opened, or it is gone.
    pub(super) fn failed(&mut self, address: &impl fmt::Display, why: &impl fmt::Display, now: Instant) {
        self.unsaid = None;
        let complaint = why.to_string();
        if complaint != self.complaint {
            warn!("{}: missing, waiting for {address}: {complaint}", self.what);
            self.complaint = complaint;
        }
        self.later(now);
    }

    /// It is tried again in a moment.
    pub(super) fn later(&mut self, now: Instant) {
        self.at = Some(now + self.pause);
        self.pause = (self.pause * 2).min(self.longest);
    }
}

/// Before the first attempt. A device that was pulled out is looked for so often, always.
pub(super) const FIRST: Duration = Duration::from_secs(1);
/// A line that is open for so long has not opened for nothing.
const STANDS: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    /// D11: a serial server that says "in use" and closes is tried as a link is, not each second.
    #[test]
    fn d11_pauses_grow_until_the_line_stands() {
        let mut retry = Retry::new("serial", Duration::from_secs(30));
        let mut now = Instant::ZERO;
        let mut pauses = Vec::new();
        for _ in 0..7 {
            assert!(retry.is_due(now));
            retry.opened(&"server", now);
            retry.failed(&"server", &"in use", now);
            assert!(!retry.is_due(now));
            let at = retry.deadline().unwrap();
            pauses.push(at.since(now).as_secs());
            now = at;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        retry.opened(&"server", now);
        assert_eq!(retry.deadline(), Some(now + STANDS));
        retry.stands(&"server", now + STANDS);
        assert_eq!(retry.deadline(), None);
        retry.failed(&"server", &"in use", now + STANDS);
        assert_eq!(retry.deadline(), Some(now + STANDS + FIRST));
    }

    /// A time that is over, and stays, would keep the loop busy for as long as the attempt takes.
    #[test]
    fn nothing_is_due_while_an_attempt_is_under_way() {
        let mut retry = Retry::new("serial", FIRST);
        retry.failed(&"server", &"refused", Instant::ZERO);
        let at = Instant::ZERO + FIRST;
        assert!(!retry.is_due(Instant::ZERO) && retry.deadline() == Some(at));
        assert!(retry.is_due(at));
        assert_eq!(retry.deadline(), None);
        assert!(retry.is_due(at), "the attempt goes on");
    }

    #[test]
    fn an_adapter_is_looked_for_each_second() {
        let mut retry = Retry::new("serial", FIRST);
        for second in 0..5 {
            let now = Instant::from_millis(second * 1000);
            retry.failed(&"tty", &"no such device", now);
            assert_eq!(retry.deadline(), Some(now + FIRST));
        }
    }
}
