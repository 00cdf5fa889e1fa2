//! Drops in the log: the first of an outage at once, then the sum once a minute while it grows, and at the end.
//!
//! The device's own end, and a restart, come before the minute is over: what is not said then is never said.

use std::fmt;
use std::time::Duration;

use dtu_proto::drops::{DropPlace, Dropped};
use dtu_proto::event::LinkId;
use dtu_proto::time::Instant;
use tracing::{info, warn};

use crate::words::{Count, Span};

/// The counters as they were last looked at, and the outages that last.
#[derive(Debug)]
pub(super) struct Drops {
    seen: [Dropped; DropPlace::COUNT],
    outages: Vec<Outage>,
}

/// Drops in one place, from the first until the link is up again, or until none came for a while.
#[derive(Debug)]
struct Outage {
    since: Instant,
    /// The counter before the first.
    before: Dropped,
    /// The counter as last said, and when.
    said: Dropped,
    said_at: Instant,
    /// The next sum, or the end.
    look_at: Instant,
    /// No sum is due: nothing was dropped since the last.
    quiet: bool,
}

impl Drops {
    /// What was counted so far is no news.
    pub(super) const fn new(seen: [Dropped; DropPlace::COUNT]) -> Self {
        Self {
            seen,
            outages: Vec::new(),
        }
    }

    /// Looks for what was dropped since the last look.
    pub(super) fn look(&mut self, now: Instant, drops: [Dropped; DropPlace::COUNT]) {
        if drops == self.seen {
            return;
        }
        for (before, dropped) in self.seen.into_iter().zip(drops) {
            if before == dropped {
                continue;
            }
            if let Some(outage) = self
                .outages
                .iter_mut()
                .find(|outage| outage.before.place == dropped.place)
            {
                if std::mem::replace(&mut outage.quiet, false) {
                    outage.look_at = now.max(outage.said_at + MINUTE);
                }
                continue;
            }
            let look_at = now + MINUTE;
            let outage = Outage {
                since: now,
                before,
                said: dropped,
                said_at: now,
                look_at,
                quiet: false,
            };
            // The text of a message, or of a request, was said with its event.
            if !has_a_text_of_its_own(dropped.place) {
                warn!("{}", outage.sum(dropped));
            }
            self.outages.push(outage);
        }
        self.seen = drops;
    }

    /// Whether something goes on being dropped there.
    pub(super) fn lasts(&self, place: DropPlace) -> bool {
        self.outages
            .iter()
            .any(|outage| outage.before.place == place)
    }

    /// What is due: sums, and ends.
    pub(super) fn fire(&mut self, now: Instant) {
        let seen = &self.seen;
        self.outages.retain_mut(|outage| {
            let dropped = seen[outage.before.place.index()];
            if outage.look_at > now {
                return true;
            }
            if outage.said != dropped {
                (outage.said, outage.said_at, outage.look_at) = (dropped, now, now + MINUTE);
                warn!("{}", outage.sum_so_far(dropped, now));
                return true;
            }
            if !std::mem::replace(&mut outage.quiet, true) {
                outage.look_at = now + QUIET;
                return true;
            }
            if outage.is_more_than_one(dropped) {
                let (place, quiet) = (dropped.place, Span(now.since(outage.said_at)));
                info!(
                    "{place}: nothing more for {quiet}; {}",
                    outage.amount(dropped)
                );
            }
            false
        });
    }

    /// A link is up again: what it lost meanwhile is said now.
    pub(super) fn link_up(&mut self, link: LinkId, now: Instant) {
        let place = DropPlace::Link(link);
        let dropped = self.seen[place.index()];
        self.outages.retain(|outage| {
            let ends = outage.before.place == place;
            let all = outage.sum_so_far(dropped, now);
            if ends && outage.said != dropped {
                warn!("{all}");
            } else if ends && outage.is_more_than_one(dropped) {
                info!("{all}, none any more");
            }
            !ends
        });
    }

    /// The device ends or begins anew: what is not said yet is said now. Outages go on.
    pub(super) fn report_all(&mut self, now: Instant) {
        for outage in &mut self.outages {
            let dropped = self.seen[outage.before.place.index()];
            if outage.said != dropped {
                (outage.said, outage.said_at, outage.look_at) = (dropped, now, now + MINUTE);
                warn!("{}", outage.sum_so_far(dropped, now));
            }
        }
    }

    /// All places in one sum.
    pub(super) fn total(&self) -> Total {
        self.seen
            .iter()
            .filter(|dropped| is_gone(dropped.place))
            .fold(Total::default(), Total::with)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.outages.iter().map(|outage| outage.look_at).min()
    }
}

/// Everything that was dropped anywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Total {
    /// Frames, packets, datagrams, requests, replies, messages.
    pub(crate) count: u64,
    /// Bytes of these, where they are counted, and bytes that belong to none of them.
    pub(crate) bytes: u64,
}

impl Total {
    fn with(self, dropped: &Dropped) -> Self {
        let (count, bytes) = match dropped.place.what() {
            "byte" => (0, dropped.count),
            _ => (dropped.count, dropped.bytes),
        };
        Self {
            count: self.count + count,
            bytes: self.bytes + bytes,
        }
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.count, self.bytes) {
            (count, 0) => count.fmt(f),
            (0, bytes) => Count(bytes, "byte").fmt(f),
            (count, bytes) => write!(f, "{count} ({})", Count(bytes, "byte")),
        }
    }
}

/// A frame that found no place on the disk waits in memory.
const fn is_gone(place: DropPlace) -> bool {
    !matches!(
        place,
        DropPlace::LinkSpool(_) | DropPlace::HttpdSpool | DropPlace::PacketsSpool
    )
}

impl Outage {
    /// Of the outage up to now. The span goes first: what became of it may be a sentence.
    fn sum_so_far(&self, dropped: Dropped, now: Instant) -> String {
        format!(
            "{}: in {}, {}",
            dropped.place,
            Span(now.since(self.since)),
            self.amount(dropped)
        )
    }

    fn sum(&self, dropped: Dropped) -> String {
        format!("{}: {}", dropped.place, self.amount(dropped))
    }

    fn amount(&self, dropped: Dropped) -> impl fmt::Display {
        let (count, bytes) = (
            dropped.count - self.before.count,
            dropped.bytes - self.before.bytes,
        );
        let place = dropped.place;
        match (count, bytes) {
            (0, bytes) => format!("{} {}", Count(bytes, "byte"), place.fate()),
            (count, 0) => format!("{} {}", Count(count, place.what()), place.fate()),
            _ => format!(
                "{} ({}) {}",
                Count(count, place.what()),
                Count(bytes, "byte"),
                place.fate()
            ),
        }
    }

    /// Whether the first line did not say all.
    fn is_more_than_one(&self, dropped: Dropped) -> bool {
        dropped.count > self.before.count + 1
    }
}

/// A place of which each drop is an event with words.
const fn has_a_text_of_its_own(place: DropPlace) -> bool {
    matches!(place, DropPlace::Messages | DropPlace::HttpdRequests)
}

const MINUTE: Duration = Duration::from_secs(60);
/// Drops that are further apart are outages of their own.
const QUIET: Duration = Duration::from_secs(10 * 60);
