//! The stream of one device: heartbeats are taken out, the rest is cut into messages.

use bytes::Bytes;

use crate::frame::{Framing, LONGEST, Parsed};
use crate::time::{Duration, Instant};

/// What may be a heartbeat, or the begin of a longer registration packet, waits so long.
pub(crate) const PARTIAL: Duration = Duration::from_millis(200);
/// Heartbeats one after another, in bytes; what is longer is data. They are looked through at each begin of a message.
const BEATS: usize = 1024;
/// The rest of a message comes within so long; else what came is a message.
const REST_WITHIN: Duration = Duration::from_secs(2);

/// How the stream of a device is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Where messages end.
    pub framing: Framing,
    /// Heartbeats and registration packets, where the device repeats them: they are life, and no data.
    pub heartbeats: Vec<Bytes>,
    /// What the device puts before each message: a registration packet, which may hold a password.
    pub prefix: Bytes,
}

/// What came out of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A message.
    Message(&'a [u8]),
    /// So many bytes were a heartbeat, or what stands before a message.
    TakenOut(usize),
}

/// What is waiting in a stream.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    held: Vec<u8>,
    /// So many of them are done with, until the run is over: they are moved away at once.
    done: usize,
    /// Where heartbeats were looked for in vain: each place is looked through once.
    none: Vec<bool>,
    /// So many of them were looked at, and no message begins or ends there.
    looked: usize,
    /// The first of them is the first of a message, and no heartbeat.
    begun: bool,
    /// The first byte of them came.
    since: Instant,
    /// The last byte of them came.
    last: Instant,
    due: Option<Instant>,
}

/// What the begin of a message is.
enum Begin {
    /// So many bytes are a heartbeat, and so many the next.
    Heartbeats(Vec<usize>),
    /// So many bytes stand before the message.
    Prefix(usize),
    Message,
    /// It is told with more bytes, or then.
    Wait(Instant),
}

impl Stream {
    /// When what waits goes on.
    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Bytes that came at once.
    pub(crate) fn feed(
        &mut self,
        reading: &Reading,
        bytes: &[u8],
        now: Instant,
        out: &mut impl FnMut(Piece<'_>),
    ) {
        let plain = reading.heartbeats.is_empty() && reading.prefix.is_empty();
        if plain && reading.framing == Framing::None {
            // Most devices: no byte is copied here.
            bytes
                .chunks(LONGEST)
                .for_each(|message| out(Piece::Message(message)));
            return;
        }
        if self.held.is_empty() {
            self.since = now;
        }
        self.last = now;
        self.held.extend_from_slice(bytes);
        self.run(reading, false, now, out);
    }

    /// A time may be over.
    pub(crate) fn fire(
        &mut self,
        reading: &Reading,
        now: Instant,
        out: &mut impl FnMut(Piece<'_>),
    ) {
        if self.due.is_some_and(|due| due <= now) {
            self.run(reading, true, now, out);
        }
    }

    /// The connection is over: nothing more comes.
    pub(crate) fn end(&mut self, reading: &Reading, out: &mut impl FnMut(Piece<'_>)) {
        while !self.held.is_empty() {
            self.run(reading, true, Instant::NEVER, out);
        }
    }

    fn run(
        &mut self,
        reading: &Reading,
        silent: bool,
        now: Instant,
        out: &mut impl FnMut(Piece<'_>),
    ) {
        self.cut(reading, silent, now, out);
        let done = std::mem::take(&mut self.done);
        self.held.drain(..done);
        self.none.drain(..done.min(self.none.len()));
        if self.held.is_empty() && self.held.capacity() > LONGEST {
            (self.held, self.none) = (Vec::new(), Vec::new());
        }
    }

    /// What is not done with.
    fn rest(&self) -> &[u8] {
        &self.held[self.done..]
    }

    fn cut(
        &mut self,
        reading: &Reading,
        silent: bool,
        now: Instant,
        out: &mut impl FnMut(Piece<'_>),
    ) {
        let mut silent = silent;
        loop {
            self.due = None;
            if self.rest().is_empty() {
                return;
            }
            if !self.begun {
                match self.begin(reading, silent) {
                    Begin::Heartbeats(lengths) => {
                        for length in &lengths {
                            out(Piece::TakenOut(*length));
                        }
                        self.drop_first(lengths.iter().sum(), now);
                        continue;
                    }
                    Begin::Prefix(length) => {
                        out(Piece::TakenOut(length));
                        self.drop_first(length, now);
                        self.begun = true;
                        continue;
                    }
                    Begin::Wait(until) => {
                        self.due = Some(until);
                        return;
                    }
                    Begin::Message => {
                        self.begun = true;
                        // That silence was for the heartbeat; the message has its own time.
                        silent &= self.is_over(reading, now);
                    }
                }
            }
            let length = match self.message(&reading.framing, out) {
                Some(length) => length,
                None if silent && self.is_over(reading, now) => self.rest().len().min(LONGEST),
                None => {
                    self.due = (!self.rest().is_empty()).then(|| self.ends_at(reading));
                    return;
                }
            };
            out(Piece::Message(&self.rest()[..length]));
            self.drop_first(length, now);
        }
    }

    /// The length of the message at the begin. What stands before it and is none goes out as one of its own.
    fn message(&mut self, framing: &Framing, out: &mut impl FnMut(Piece<'_>)) -> Option<usize> {
        if let Framing::Delimiter { .. } = framing {
            return match framing.parse(self.rest(), self.looked) {
                Parsed::Message(length) => Some(length),
                Parsed::More | Parsed::No => {
                    self.looked = self.rest().len();
                    None
                }
            };
        }
        loop {
            match framing.parse(&self.rest()[self.looked..], 0) {
                Parsed::Message(length) => {
                    let noise = std::mem::take(&mut self.looked);
                    if noise > 0 {
                        out(Piece::Message(&self.rest()[..noise]));
                        self.done += noise;
                    }
                    return Some(length);
                }
                Parsed::More => return None,
                Parsed::No => self.looked += 1,
            }
            if self.looked == LONGEST {
                return Some(LONGEST);
            }
        }
    }

    fn ends_at(&self, reading: &Reading) -> Instant {
        match reading.framing {
            Framing::Silence(gap) => self.last + gap,
            Framing::None
            | Framing::Length(_)
            | Framing::Delimiter { .. }
            | Framing::LengthField(_)
            | Framing::ModbusRtu => self.last + REST_WITHIN,
        }
    }

    fn is_over(&self, reading: &Reading, now: Instant) -> bool {
        now >= self.ends_at(reading)
    }

    fn drop_first(&mut self, length: usize, now: Instant) {
        self.done += length;
        self.looked = 0;
        self.begun = false;
        self.since = self.last.min(now);
    }

    /// "taken out only where they stand at the start of a frame and are followed by a frame start or silence"
    fn begin(&mut self, reading: &Reading, silent: bool) -> Begin {
        let prefix = reading.prefix.as_ref();
        if !prefix.is_empty() && self.rest().starts_with(prefix) {
            return Begin::Prefix(prefix.len());
        }
        match self.heartbeats(reading, silent) {
            Some(Ok(lengths)) => return Begin::Heartbeats(lengths),
            Some(Err(until)) => return Begin::Wait(until),
            None => {}
        }
        if !silent && !prefix.is_empty() && prefix.starts_with(self.rest()) {
            return Begin::Wait(self.since + PARTIAL);
        }
        Begin::Message
    }

    /// The heartbeats at the begin, by their lengths; until when it is waited for what tells.
    fn heartbeats(
        &mut self,
        reading: &Reading,
        silent: bool,
    ) -> Option<Result<Vec<usize>, Instant>> {
        let held = &self.held[self.done..];
        let none = self.none.get(self.done..).unwrap_or_default();
        if none.first() == Some(&true) {
            return None;
        }
        let all = || reading.heartbeats.iter().filter(|beat| !beat.is_empty());
        if !all().any(|beat| held.starts_with(beat) || beat.starts_with(held)) {
            return None;
        }
        // Only so far is looked: what is longer and tells nothing is data, however the network cut it.
        let longest = all().map(Bytes::len).max().unwrap_or(0);
        let window = BEATS.max(2 * longest).min(LONGEST);
        let seen = &held[..held.len().min(window)];
        let mut beats: Vec<_> = all().collect();
        beats.sort_unstable_by_key(|beat| std::cmp::Reverse(beat.len()));
        // Where heartbeats can end; then, from the back, what stands there. A place is looked at once: who is outside
        // chooses the bytes, so neither the stack nor the time may grow by the ways through them.
        let mut places = vec![Place::Unseen; seen.len()];
        places[0] = Place::Nothing;
        for at in 0..seen.len() {
            if places[at] == Place::Unseen {
                continue;
            }
            for beat in &beats {
                if seen[at..].starts_with(beat)
                    && let Some(place) = places.get_mut(at + beat.len())
                    && none.get(at + beat.len()) != Some(&true)
                {
                    *place = Place::Nothing;
                }
            }
        }
        for at in (0..seen.len()).rev() {
            if places[at] != Place::Unseen {
                let is_all = silent && seen.len() == held.len();
                places[at] = stands_at(reading, &beats, seen, at, &places, is_all);
            }
        }
        match places[0] {
            Place::Heartbeat(_) => {}
            // Silence counts from the last byte, but not for ever.
            Place::Ends if seen.len() < window && !silent => {
                return Some(Err(
                    (self.last + PARTIAL).min(self.since + PARTIAL + PARTIAL)
                ));
            }
            Place::Partial if seen.len() < window && !silent => {
                return Some(Err(self.since + PARTIAL));
            }
            Place::Ends | Place::Partial | Place::Nothing | Place::Unseen => {
                let end = self.done + places.len();
                self.none.resize(end.max(self.none.len()), false);
                let none = self.none[self.done..].iter_mut().zip(&places);
                none.for_each(|(none, place)| *none |= *place != Place::Unseen);
                return None;
            }
        }
        let (mut at, mut lengths) = (0, Vec::new());
        while let Some(Place::Heartbeat(length)) = places.get(at) {
            lengths.push(*length);
            at += length;
            if is_prefixed(reading, seen.get(at..).unwrap_or_default()) {
                break;
            }
        }
        Some(Ok(lengths))
    }
}

/// What stands at a place of the held bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// No heartbeat ends there.
    Unseen,
    /// No heartbeat.
    Nothing,
    /// What may become one, or one with what may become the begin of a message.
    Partial,
    /// Heartbeats up to the last byte.
    Ends,
    /// A heartbeat of so many bytes.
    Heartbeat(usize),
}

fn is_prefixed(reading: &Reading, bytes: &[u8]) -> bool {
    !reading.prefix.is_empty() && bytes.starts_with(&reading.prefix)
}

/// `silent`: nothing comes behind these bytes. The places behind `at` are known.
fn stands_at(
    reading: &Reading,
    beats: &[&Bytes],
    bytes: &[u8],
    at: usize,
    places: &[Place],
    silent: bool,
) -> Place {
    let rest = &bytes[at..];
    let mut stands = Place::Nothing;
    for beat in beats {
        if !rest.starts_with(beat) {
            if beat.starts_with(rest) {
                stands = Place::Partial;
            }
            continue;
        }
        let behind = &rest[beat.len()..];
        // Another heartbeat behind it is a begin as good as any, if it is one.
        let next = match places.get(at + beat.len()) {
            Some(next) => *next,
            None if silent => return Place::Heartbeat(beat.len()),
            None => {
                stands = Place::Ends;
                continue;
            }
        };
        if is_prefixed(reading, behind) || matches!(next, Place::Heartbeat(_)) {
            return Place::Heartbeat(beat.len());
        }
        match reading.framing.begins(behind) {
            Parsed::Message(_) => return Place::Heartbeat(beat.len()),
            Parsed::More => stands = Place::Partial,
            Parsed::No => {}
        }
        if stands == Place::Nothing && matches!(next, Place::Partial | Place::Ends) {
            stands = next;
        }
    }
    stands
}

#[cfg(test)]
mod tests;
