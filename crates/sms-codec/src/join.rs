//! Parts into long messages: 3GPP TS 23.040 9.2.3.24.1 and .8.
//!
//! Parts come in any order, twice, or not at all. [`Concatenation`] holds them by sender, reference and number of
//! parts until all are there, a time has passed, or room is needed.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};
use core::ops::Add;
use core::time::Duration;

use super::address::Address;
use super::gsm7::Shifts;
use super::time::TimeStamp;
use super::udh::{Concat, Reference};
use super::user_data::{Body, UserData};

/// What a message was, when its parts are put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A text.
    Text(String),
    /// 8-bit data.
    Octets(Vec<u8>),
}

/// The parts of one message, in their order, as one. Neighbours in one alphabet are joined before they are read: not
/// every sender keeps its characters whole. Octets amid text are read as UTF-8.
#[must_use]
pub fn join<'a>(parts: impl IntoIterator<Item = &'a UserData>) -> Content {
    let mut runs: Vec<(Shifts, Body)> = Vec::new();
    for part in parts {
        match (runs.last_mut(), &part.body) {
            (Some((shifts, Body::Septets(run))), Body::Septets(more))
                if *shifts == part.shifts() =>
            {
                run.extend(more);
            }
            (Some((_, Body::Ucs2(run))), Body::Ucs2(more)) => run.extend(more),
            (Some((_, Body::Octets(run))), Body::Octets(more)) => run.extend(more),
            _ => runs.push((part.shifts(), part.body.clone())),
        }
    }
    match runs.as_slice() {
        [(_, Body::Octets(octets))] => Content::Octets(octets.clone()),
        _ => Content::Text(
            runs.into_iter()
                .map(|(shifts, body)| read(&body, shifts))
                .collect(),
        ),
    }
}

fn read(body: &Body, shifts: Shifts) -> String {
    match body {
        Body::Octets(octets) => String::from_utf8_lossy(octets).into_owned(),
        Body::Septets(_) | Body::Ucs2(_) => body.read(shifts).unwrap_or_default(),
    }
}

/// Parts that wait for each other. `T` is what the host keeps of a part: its user data, or where it is stored. `I` is a
/// point in time, of whatever clock the host has.
#[derive(Clone, Debug)]
pub struct Concatenation<T, I> {
    limits: Limits,
    /// The oldest first.
    open: VecDeque<Open<T, I>>,
    /// The last ones that were complete, so that a part that comes again is known. The oldest first.
    finished: VecDeque<Finished>,
    counters: Counters,
}

/// The bounds of a [`Concatenation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages that wait for parts.
    pub messages: usize,
    /// Parts held, of all messages together.
    pub parts: usize,
    /// Complete messages whose parts are still known when they come again.
    pub finished: usize,
    /// How long a message waits for its parts, from its first one on.
    pub hold: Duration,
    /// The same for one that looks like parts of a complete message come again.
    pub ghost: Duration,
}

impl Default for Limits {
    /// 64 messages, 1024 parts (140 KiB of user data), 64 complete ones; a day, and ten minutes.
    fn default() -> Self {
        Self {
            messages: 64,
            parts: 1024,
            finished: 64,
            hold: Duration::from_secs(24 * 3600),
            ghost: Duration::from_secs(600),
        }
    }
}

/// What became of parts, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages that were complete.
    pub completed: u64,
    /// Parts that came again and were dropped.
    pub duplicates: u64,
    /// Messages given up with parts missing.
    pub incomplete: u64,
}

/// A part that came.
#[derive(Clone, Debug)]
pub struct Part<'a, T> {
    /// Who sent it.
    pub sender: &'a Address,
    /// Which part it is.
    pub concat: Concat,
    /// Its time stamp.
    pub stamp: TimeStamp,
    /// What the host keeps of it.
    pub value: T,
}

/// What a part led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival<T> {
    /// What it did to its own message.
    pub outcome: Outcome<T>,
    /// Messages that had to go for it.
    pub given_up: Vec<Incomplete<T>>,
}

/// What a part did to its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// It was the last one: all parts, in their order.
    Complete(Vec<T>),
    /// More are to come.
    Waiting,
    /// It was there already.
    Duplicate,
}

/// A message that never became complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete<T> {
    /// Who sent it.
    pub sender: Address,
    /// What its parts share.
    pub reference: Reference,
    /// A place for each part, in their order; empty where none came.
    pub parts: Vec<Option<T>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    sender: Address,
    reference: Reference,
    total: u8,
}

#[derive(Clone, Debug)]
struct Open<T, I> {
    key: Key,
    deadline: I,
    /// All its parts have the content of a complete message's. A centre that tries again may give a part another stamp;
    /// but a sender may also send the same text again. So it waits, and goes without a word.
    is_ghost: bool,
    /// One place for each part.
    parts: Vec<Option<(TimeStamp, T)>>,
}

#[derive(Clone, Debug)]
struct Finished {
    key: Key,
    /// Stamp and content of each part.
    parts: Vec<(TimeStamp, u64)>,
}

impl<T: PartialEq + Hash, I: Copy + Ord + Add<Duration, Output = I>> Concatenation<T, I> {
    /// Nothing held.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            open: VecDeque::new(),
            finished: VecDeque::new(),
            counters: Counters {
                completed: 0,
                duplicates: 0,
                incomplete: 0,
            },
        }
    }

    /// Takes a part.
    ///
    /// A part of an open message with the same stamp or the same value is a duplicate. One that differs in both is of
    /// a new message whose sender has come round to the same reference: the old one is given up. A part of a message
    /// that was complete is a duplicate when its stamp is the same. With another stamp and the same content it may be
    /// one, too: it waits for its fellows for a short time, and is dropped as a duplicate if they do not come.
    pub fn insert(&mut self, part: Part<'_, T>, now: I) -> Arrival<T> {
        self.insert_for(part, now, self.limits.hold)
    }

    /// Takes a part whose message, if it is the first of it, waits for `hold` only: it has waited before.
    pub fn insert_for(&mut self, part: Part<'_, T>, now: I, hold: Duration) -> Arrival<T> {
        let Part {
            sender,
            concat,
            stamp,
            value,
        } = part;
        let key = Key {
            sender: sender.clone(),
            reference: concat.reference,
            total: concat.total,
        };
        let place = usize::from(concat.part).wrapping_sub(1);
        if self.is_duplicate(&key, place, stamp, &value) {
            self.counters.duplicates += 1;
            return Arrival {
                outcome: Outcome::Duplicate,
                given_up: Vec::new(),
            };
        }
        let mut given_up = Vec::new();
        if self
            .open_of(&key)
            .is_some_and(|open| open.part(place).is_some())
        {
            given_up.extend(self.give_up(|open| open.key == key));
        }
        // mutant: ghost
        let is_ghost = self.is_of_finished(&key, place, &value);
        if self.open_of(&key).is_none() {
            let deadline = now
                + if is_ghost {
                    hold.min(self.limits.ghost)
                } else {
                    hold
                };
            let parts = (0..concat.total).map(|_| None).collect();
            self.open.push_back(Open {
                key: key.clone(),
                deadline,
                is_ghost,
                parts,
            });
        }
        if let Some(open) = self.open.iter_mut().find(|open| open.key == key) {
            if open.is_ghost && !is_ghost {
                (open.is_ghost, open.deadline) = (false, now + hold);
            }
            if let Some(slot) = open.parts.get_mut(place) {
                *slot = Some((stamp, value));
            }
        }
        if let Some(parts) = self.take_complete(&key) {
            return Arrival {
                outcome: Outcome::Complete(parts),
                given_up,
            };
        }
        while self.is_over_bounds() {
            given_up.extend(self.give_up(|_| true));
        }
        Arrival {
            outcome: Outcome::Waiting,
            given_up,
        }
    }

    /// The next message that has waited too long, if there is one; ask until there is none.
    pub fn expire(&mut self, now: I) -> Option<Incomplete<T>> {
        while self.open.iter().any(|open| open.deadline <= now) {
            let incomplete = self.give_up(|open| open.deadline <= now);
            if incomplete.is_some() {
                return incomplete;
            }
        }
        None
    }

    /// When the next message has waited too long.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<I> {
        self.open.iter().map(|open| open.deadline).min()
    }

    /// What is held, message by message.
    pub fn held(&self) -> impl Iterator<Item = &T> {
        self.open
            .iter()
            .flat_map(|open| open.parts.iter().flatten())
            .map(|(_, value)| value)
    }

    /// What became of parts.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    fn open_of(&self, key: &Key) -> Option<&Open<T, I>> {
        self.open.iter().find(|open| open.key == *key)
    }

    fn is_duplicate(&self, key: &Key, place: usize, stamp: TimeStamp, value: &T) -> bool {
        let open = self.open_of(key).and_then(|open| open.part(place));
        let finished = self.finished.iter().filter(|finished| finished.key == *key);
        open.is_some_and(|(there, held)| *there == stamp || held == value)
            || finished
                .filter_map(|finished| finished.parts.get(place))
                .any(|(there, _)| *there == stamp)
    }

    fn is_of_finished(&self, key: &Key, place: usize, value: &T) -> bool {
        let finished = self.finished.iter().filter(|finished| finished.key == *key);
        finished
            .filter_map(|finished| finished.parts.get(place))
            .any(|(_, there)| *there == content(value))
    }

    fn take_complete(&mut self, key: &Key) -> Option<Vec<T>> {
        let at = self
            .open
            .iter()
            .position(|open| open.key == *key && open.parts.iter().all(Option::is_some))?;
        let Open { key, parts, .. } = self.open.remove(at)?;
        let known = parts
            .iter()
            .flatten()
            .map(|(stamp, value)| (*stamp, content(value)))
            .collect();
        let values = parts
            .into_iter()
            .flatten()
            .map(|(_, value)| value)
            .collect();
        self.finished.push_back(Finished { key, parts: known });
        if self.finished.len() > self.limits.finished {
            self.finished.pop_front();
        }
        self.counters.completed += 1;
        Some(values)
    }

    fn is_over_bounds(&self) -> bool {
        self.open.len() > self.limits.messages || self.held().count() > self.limits.parts
    }

    /// The oldest message of those asked for; nothing where it is a ghost, which goes as duplicates.
    fn give_up(&mut self, which: impl Fn(&Open<T, I>) -> bool) -> Option<Incomplete<T>> {
        let at = self.open.iter().position(which)?;
        let Open {
            key,
            parts,
            is_ghost,
            ..
        } = self.open.remove(at)?;
        if is_ghost {
            self.counters.duplicates += parts.iter().flatten().count() as u64;
            return None;
        }
        self.counters.incomplete += 1;
        let parts = parts
            .into_iter()
            .map(|part| part.map(|(_, value)| value))
            .collect();
        Some(Incomplete {
            sender: key.sender,
            reference: key.reference,
            parts,
        })
    }
}

/// FNV-1a of a content.
struct Digest(u64);

impl Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn content<T: Hash>(value: &T) -> u64 {
    let mut digest = Digest(0xcbf2_9ce4_8422_2325);
    value.hash(&mut digest);
    digest.finish()
}

impl<T, I> Open<T, I> {
    fn part(&self, place: usize) -> Option<&(TimeStamp, T)> {
        self.parts.get(place)?.as_ref()
    }
}
