//! When a host may leave the serial line alone, and when the bytes came that it reads behind that.
//!
//! Where silence closes frames (TIME of `AT+CIPCFG`), a read in the middle of a long run of bytes changes nothing but the
//! length of the frame that is being received; yet each wakes the host. So behind a run that has come without a gap, at
//! the line's own rate, for four times TIME, a host may *rest*: it takes no wake-up from the line, leaves the bytes
//! in the kernel, and reads them all at the rest's end, which comes when the frame is full, and before silence can have
//! closed it.
//!
//! Nobody knows when exactly such bytes came. A line that runs at its rate and then falls silent sent them one behind the
//! other, so [`Rests::read`] dates them back: to the earliest time at which they can have come at that rate, but for what
//! the line delivers at once. With that time the host gives them to the device, which then cuts frames and hears `+++`
//! behind its silence as if it had read them as they came: a millisecond later at most, and earlier by two deliveries of the
//! line at most.
//! Only where the line fell silent *and* went on within one rest is a silence taken for longer than it was, by that rest
//! at most.
//!
//! Requests and answers never see any of this: a run shorter than that never brings a rest, and one that brings less than
//! the line's rate, or more, is the last.

use crate::time::{Duration, Instant};

/// How the serial line is packed now ([`crate::Dtu::packing`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packing {
    /// Silence that closes a frame, not zero.
    pub silence: Duration,
    /// Bytes until size closes the frame that is being received.
    pub room: usize,
    /// When silence will have closed it; `None` = it is empty.
    pub closes_at: Option<Instant>,
    /// How long a character takes on the line, to the nanosecond.
    pub character: Duration,
}

/// The rests of one line. The host tells it of each read, and asks it behind each wake-up. In a rest it calls the device for
/// no deadline, and gives it what else comes with [`Rests::device_time`]; at its end it reads the line first.
#[derive(Clone, Debug, Default)]
pub struct Rests {
    run: Option<Run>,
}

/// Bytes that come without a gap. Times are in nanoseconds, and sizes in the time that they take on the line.
#[derive(Clone, Debug)]
struct Run {
    silence: u64,
    character: u64,
    since: Instant,
    last: Instant,
    /// What came behind the first read.
    wire: u64,
    deliveries: Deliveries,
    rest: Option<Rest>,
}

/// Reads of what came at once.
#[derive(Clone, Copy, Debug, Default)]
struct Deliveries {
    count: u64,
    wire: u64,
    longest: u64,
    /// From the first to the last.
    time: u64,
}

#[derive(Clone, Copy, Debug)]
struct Rest {
    begin: Instant,
    until: Instant,
    closes_at: Instant,
}

impl Rests {
    /// `len` bytes were read at `now`, or none at the end of a rest. Gives the time at which the device is to get them.
    pub fn read(&mut self, len: usize, now: Instant) -> Instant {
        let Some(run) = &mut self.run else {
            return now;
        };
        let (wire, elapsed) = (run.character * len as u64, nanos(run.last, now));
        let Some(rest) = run.rest.take() else {
            run.go_on(wire, elapsed, now);
            return now;
        };
        let at_once = run.deliveries.at_once();
        // mutant: rest-early
        let mut at = now.min(run.last + Duration::from_nanos(wire.saturating_sub(at_once)));
        // So many bytes have no silence of TIME between them, however late the host woke.
        let silent = (nanos(rest.closes_at, now) + run.silence).saturating_sub(wire);
        // mutant: rest-late
        if silent < run.silence {
            at = at.min(Instant::from_micros(
                rest.closes_at.as_micros().saturating_sub(1),
            ));
        }
        // The device was told of that time before the rest began.
        at = at.max(rest.begin);
        let is_slower = len == 0 || is_slower(wire + at_once, elapsed);
        if is_slower || is_faster(wire, elapsed + at_once) {
            self.run = None;
        } else {
            run.add(wire, now);
        }
        at
    }

    /// The time for the device when it is `now`. In a rest it stands still: what came cannot be dated back behind something
    /// that was told with a later time.
    #[must_use]
    pub fn device_time(&self, now: Instant) -> Instant {
        let rest = self.run.as_ref().and_then(|run| run.rest);
        // mutant: rest-time
        rest.map_or(now, |rest| now.min(rest.begin))
    }

    /// Until when the host may leave the line alone; `None` = it reads what comes as it comes, and what is there at once.
    pub fn until(&mut self, packing: Option<Packing>, now: Instant) -> Option<Instant> {
        let Some(packing) = packing else {
            self.run = None;
            return None;
        };
        let run = match self.run.take() {
            Some(run) if run.is_packed_so(&packing) => self.run.insert(run),
            _ => self.run.insert(Run::new(&packing, now)),
        };
        if let Some(rest) = run.rest {
            if now < rest.until {
                return Some(rest.until);
            }
            // Nobody has read the line, though the rest is over.
            self.run = None;
            return None;
        }
        let closes_at = packing.closes_at.unwrap_or(now + packing.silence);
        let until = now + run.next(packing.room, nanos(now, closes_at), now)?;
        run.rest = Some(Rest {
            begin: now,
            until,
            closes_at,
        });
        Some(until)
    }
}

impl Run {
    fn new(packing: &Packing, now: Instant) -> Self {
        Self {
            silence: whole(packing.silence),
            character: whole(packing.character),
            since: now,
            last: now,
            wire: 0,
            deliveries: Deliveries::default(),
            rest: None,
        }
    }

    fn is_packed_so(&self, packing: &Packing) -> bool {
        (self.silence, self.character) == (whole(packing.silence), whole(packing.character))
    }

    /// Bytes that were read as they came.
    fn go_on(&mut self, wire: u64, elapsed: u64, now: Instant) {
        self.deliveries.add(wire, elapsed);
        let run = nanos(self.since, now) + self.deliveries.at_once();
        // mutant: rest-fast
        if elapsed > self.gap() || is_faster(self.wire + wire, run) {
            (self.since, self.last) = (now, now);
            (self.wire, self.deliveries) = (0, Deliveries::default());
        } else {
            self.add(wire, now);
        }
    }

    fn add(&mut self, wire: u64, now: Instant) {
        (self.wire, self.last) = (self.wire + wire, now);
        let elapsed = nanos(self.since, now);
        // What was long ago counts less and less.
        if elapsed >= 2 * WINDOWS * self.silence {
            self.since += Duration::from_nanos(elapsed / 2);
            self.wire /= 2;
        }
    }

    /// How long the host may rest now, if silence closes the frame in so much time.
    fn next(&self, room: usize, closes_in: u64, now: Instant) -> Option<Duration> {
        let elapsed = nanos(self.since, self.last);
        if elapsed < WINDOWS * self.silence
            || is_slower(self.wire, elapsed)
            || nanos(self.last, now) > BEHIND
        {
            return None;
        }
        // Whole deliveries, so that each rest ends as long behind one as it began. The last bytes of a frame come with the
        // one that they are in.
        let every = self.deliveries.every();
        let longest = closes_in.min(LONGEST) / every;
        if longest < 2 {
            return None;
        }
        let room = self.character * room.min(MOST) as u64;
        let room = room.div_ceil(self.deliveries.mean()).max(1);
        let rest = room.div_ceil(room.div_ceil(longest));
        Some(Duration::from_nanos(rest * every))
    }

    /// A longer silence ends the run.
    fn gap(&self) -> u64 {
        (self.silence / 3).min(LONGEST)
    }
}

impl Deliveries {
    fn add(&mut self, wire: u64, elapsed: u64) {
        self.count += 1;
        self.wire += wire;
        self.longest = self.longest.max(wire);
        self.time += elapsed;
    }

    fn mean(&self) -> u64 {
        (self.wire / self.count.max(1)).max(1)
    }

    fn every(&self) -> u64 {
        (self.time / self.count.max(1)).max(1)
    }

    /// What the line delivers at once, at most. Reads that the host took late are longer and tell nothing.
    fn at_once(&self) -> u64 {
        self.longest.min(2 * self.mean())
    }
}

fn is_slower(wire: u64, elapsed: u64) -> bool {
    wire * 100 < elapsed * SLOWEST
}

fn is_faster(wire: u64, elapsed: u64) -> bool {
    wire * 100 > elapsed * FASTEST
}

fn nanos(from: Instant, to: Instant) -> u64 {
    to.as_micros().saturating_sub(from.as_micros()) * 1000
}

fn whole(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A run is known when it is so many times as long as the silence that closes a frame.
const WINDOWS: u64 = 4;
/// Of the line's rate, in per cent: a run that is slower has silences in it, one that is faster is no real line and must
/// not wait.
const SLOWEST: u64 = 80;
const FASTEST: u64 = 110;
/// The longest rest, in ns: less than the silence in front of `+++` by far.
const LONGEST: u64 = 50_000_000;
/// A rest begins right behind a read, in ns: the device is not told of bytes that came before what it was told last.
const BEHIND: u64 = 1_000_000;
/// Bytes that a rest may leave with the kernel, which has room for 4095.
const MOST: usize = 1024;
