//! When a line that is missing is tried again, and what the log says of it: a cause is news once.

use std::fmt;
use std::io;
use std::time::Duration;

use dtu_proto::time::Instant;
use tracing::{debug, info, warn};

use crate::journal::{REMINDER, STEADY};
use crate::words::{Count, Span, plain};

/// The attempts to open one line.
pub(super) struct Retry {
    /// What it is to this program, for logs.
    what: &'static str,
    longest: Duration,
    pause: Duration,
    at: Option<Instant>,
    open_since: Option<Instant>,
    /// Open for so long that pauses begin anew.
    stood: bool,
    trouble: Option<Trouble>,
}

/// From the first failure until the line has been open for a while.
struct Trouble {
    since: Instant,
    said_at: Instant,
    /// Causes.
    told: Vec<String>,
    losses: u64,
    /// It was said that the line is open again.
    back: bool,
    /// It was said that it comes and goes.
    unsteady: bool,
}

impl Retry {
    /// `longest`: pauses grow up to it.
    pub(super) const fn new(what: &'static str, longest: Duration) -> Self {
        Self {
            what,
            longest,
            pause: FIRST,
            at: None,
            open_since: None,
            stood: false,
            trouble: None,
        }
    }

    /// Whether it may be tried now. An attempt that takes a while needs no timer any more.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        self.at.take_if(|at| *at <= now);
        self.at.is_none()
    }

    /// The next attempt, or the next word.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.at.or_else(|| {
            let (since, trouble) = (self.open_since?, self.trouble.as_ref()?);
            if self.stood {
                trouble.unsteady.then(|| since + STEADY)
            } else {
                Some(since + STANDS)
            }
        })
    }

    #[cold]
    pub(super) fn opened(&mut self, address: &impl fmt::Display, now: Instant) {
        self.at = None;
        self.stood = false;
        let reopened = self.open_since.replace(now).is_some();
        // Behind a failure it may go again at once, as it did before.
        if self.trouble.is_none() && !reopened {
            info!("{}: {address} is open", self.what);
        }
    }

    /// Whether [`Self::stands`] has anything to do.
    pub(super) const fn has_trouble(&self) -> bool {
        self.trouble.is_some()
    }

    /// To be called now and then while it is open.
    #[cold]
    pub(super) fn stands(&mut self, address: &impl fmt::Display, now: Instant) {
        let (what, Some(since), Some(trouble)) = (self.what, self.open_since, &mut self.trouble)
        else {
            return;
        };
        if !self.stood && now >= since + STANDS {
            self.stood = true;
            self.pause = FIRST;
            if !std::mem::replace(&mut trouble.back, true) {
                info!("{what}: {address} is open again");
            }
        }
        if trouble.unsteady && now >= since + STEADY {
            let (lasted, losses) = (
                Span(since.since(trouble.since)),
                Count(trouble.losses, "time"),
            );
            info!("{what}: {address} is steady again after {lasted}, lost {losses}");
            self.trouble = None;
        }
    }

    /// It could not be opened, or it is gone.
    #[cold]
    pub(super) fn failed(&mut self, address: &impl fmt::Display, error: &io::Error, now: Instant) {
        let opened = self.open_since.take();
        if opened.is_some_and(|since| now.since(since) >= STEADY) {
            self.trouble = None;
        }
        let trouble = self.trouble.get_or_insert_with(|| Trouble::begin(now));
        trouble.losses += u64::from(opened.is_some());
        trouble.log(self.what, address, in_words(error), now);
        self.later(now);
    }

    /// It is tried again in a moment.
    pub(super) fn later(&mut self, now: Instant) {
        self.at = Some(now + self.pause);
        self.pause = (self.pause * 2).min(self.longest);
    }
}

impl Trouble {
    const fn begin(now: Instant) -> Self {
        Self {
            since: now,
            said_at: now,
            told: Vec::new(),
            losses: 0,
            back: false,
            unsteady: false,
        }
    }

    /// Each cause once, once that it comes and goes, and every ten minutes how it stands.
    fn log(&mut self, what: &str, address: &impl fmt::Display, why: String, now: Instant) {
        let lasts = Span(now.since(self.since));
        let is_new = !self.told.contains(&why) && self.told.len() < CAUSES_MAX;
        let was_said_at = std::mem::replace(&mut self.said_at, now);
        if self.back && !self.unsteady {
            self.unsteady = true;
            warn!("{what}: {address} comes and goes: {why}");
        } else if is_new {
            warn!("{what}: missing, waiting for {address}: {why}");
        } else if now.since(was_said_at) < REMINDER {
            self.said_at = was_said_at;
            debug!("{what}: missing: {why}");
        } else if self.unsteady {
            let losses = Count(self.losses, "time");
            warn!("{what}: {address} comes and goes for {lasts}, lost {losses}: {why}");
        } else {
            warn!("{what}: missing for {lasts}, waiting for {address}: {why}");
        }
        if is_new {
            self.told.push(why);
        }
    }
}

/// Why a line is gone, for somebody who looks for a cable.
fn in_words(error: &io::Error) -> String {
    match (error.kind(), error.raw_os_error()) {
        (io::ErrorKind::UnexpectedEof, None) => "closed at the other end".to_owned(),
        (_, Some(libc::ECONNRESET | libc::EPIPE)) => "reset by the other end".to_owned(),
        (_, Some(libc::ENODEV | libc::ENXIO | libc::EIO)) => "the device is gone".to_owned(),
        (_, Some(libc::ENOENT)) => "there is no such device".to_owned(),
        _ => plain(error),
    }
}

/// Before the first attempt. A device that was pulled out is looked for so often, always.
pub(super) const FIRST: Duration = Duration::from_secs(1);
/// A line that is open for so long has not opened for nothing.
const STANDS: Duration = Duration::from_secs(5);
/// Causes that are told of one trouble.
const CAUSES_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::LogCapture;

    /// D11: a serial server that says "in use" and closes is tried as a link is, not each second.
    #[test]
    fn d11_pauses_grow_until_the_line_stands() {
        let mut retry = Retry::new("serial", Duration::from_secs(30));
        let mut now = Instant::ZERO;
        let mut pauses = Vec::new();
        for _ in 0..7 {
            assert!(retry.is_due(now));
            retry.opened(&"server", now);
            retry.failed(&"server", &io::Error::other("in use"), now);
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
        retry.failed(&"server", &io::Error::other("in use"), now + STANDS);
        assert_eq!(retry.deadline(), Some(now + STANDS + FIRST));
    }

    /// A time that is over, and stays, would keep the loop busy for as long as the attempt takes.
    #[test]
    fn nothing_is_due_while_an_attempt_is_under_way() {
        let mut retry = Retry::new("serial", FIRST);
        retry.failed(&"server", &io::Error::other("refused"), Instant::ZERO);
        let at = Instant::ZERO + FIRST;
        assert!(!retry.is_due(Instant::ZERO) && retry.deadline() == Some(at));
        assert!(retry.is_due(at));
        assert_eq!(retry.deadline(), None);
        assert!(retry.is_due(at), "the attempt goes on");
    }

    /// Two lines each 7 s, of a serial server that closes after 6 s.
    #[test]
    fn k9_a_line_that_comes_and_goes_is_told_once_then_every_ten_minutes_until_it_is_steady() {
        let (mut retry, ear) = (Retry::new("serial", FIRST), LogCapture::default());
        let mut now = Instant::ZERO;
        let closed = io::Error::from(io::ErrorKind::UnexpectedEof);
        ear.capture(|| {
            retry.opened(&"box:4001", now);
            for _ in 0..172 {
                now += Duration::from_secs(6);
                retry.stands(&"box:4001", now);
                retry.failed(&"box:4001", &closed, now);
                now += FIRST;
                assert!(retry.is_due(now));
                retry.opened(&"box:4001", now);
            }
            for _ in 0..2 {
                now = retry.deadline().unwrap();
                retry.stands(&"box:4001", now);
            }
            assert_eq!(retry.deadline(), None);
        });
        assert_eq!(
            ear.take(),
            [
                "INFO  serial: box:4001 is open",
                "WARN  serial: missing, waiting for box:4001: closed at the other end",
                "INFO  serial: box:4001 is open again",
                "WARN  serial: box:4001 comes and goes: closed at the other end",
                "WARN  serial: box:4001 comes and goes for 10 min, lost 88 times: closed at the other end",
                "INFO  serial: box:4001 is steady again after 19 min, lost 172 times",
            ]
        );
    }

    #[test]
    fn an_adapter_is_looked_for_each_second() {
        let mut retry = Retry::new("serial", FIRST);
        for second in 0..5 {
            let now = Instant::from_millis(second * 1000);
            retry.failed(&"tty", &io::Error::other("no such device"), now);
            assert_eq!(retry.deadline(), Some(now + FIRST));
        }
    }
}
