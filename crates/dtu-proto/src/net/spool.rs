//! Copies of frames on the host's disk: a log that grows at one end, and is released at the other.

use alloc::collections::{BTreeMap, VecDeque};
use bytes::Bytes;

use super::cache::Cache;
use crate::event::{Output, QueueId, StoreOutput};

/// It may grow to so many caches behind a frame that cannot be delivered.
const CACHES: u64 = 4;
/// Below this it is not worth while to move what waits.
const LEAST: u64 = 64 * 1024;

/// The copies of the frames of one queue.
#[derive(Debug)]
pub(super) struct Spool {
    id: QueueId,
    /// Where they are, if frames leave in any order; else each has the number there that it has in the cache.
    places: Option<Places>,
}

#[derive(Debug)]
struct Places {
    of: BTreeMap<u64, Place>,
    /// The number that the next one gets.
    next: u64,
    /// Bytes so far.
    written: u64,
    /// Bytes at most behind the oldest frame.
    most: u64,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    number: u64,
    /// What `written` was behind it.
    end: u64,
}

impl Places {
    /// A frame goes to the end. Gives its number there.
    fn append(&mut self, frame: u64, length: usize) -> u64 {
        // Frames of an earlier run that were none have used their numbers, too.
        let number = self.next.max(frame);
        self.written += length as u64;
        self.add(frame, number);
        number
    }

    fn add(&mut self, frame: u64, number: u64) {
        self.next = self.next.max(number + 1);
        let end = self.written;
        self.of.insert(frame, Place { number, end });
    }
}

impl Spool {
    /// Of frames that leave in their order.
    pub(super) const fn in_order(id: QueueId) -> Self {
        Self { id, places: None }
    }

    /// Of frames that leave in any order, from a cache of this size.
    pub(super) fn in_any_order(id: QueueId, cache: usize) -> Self {
        let places = Places {
            of: BTreeMap::new(),
            next: 0,
            written: 0,
            most: LEAST.max(CACHES * cache as u64),
        };
        Self {
            id,
            places: Some(places),
        }
    }

    /// The number of a frame here.
    pub(super) fn number(&self, frame: u64) -> u64 {
        let place = self.places.as_ref().and_then(|all| all.of.get(&frame));
        place.map_or(frame, |place| place.number)
    }

    /// A frame comes.
    pub(super) fn append(&mut self, frame: u64, bytes: Bytes, outputs: &mut VecDeque<Output>) {
        let number = match &mut self.places {
            Some(places) => places.append(frame, bytes.len()),
            None => frame,
        };
        // mutant: request-spooled
        outputs.push_back(Output::Store(StoreOutput::SpoolAppend(
            self.id, number, bytes,
        )));
    }

    /// A frame of an earlier run is here already, or was.
    pub(super) fn restored(&mut self, number: u64) {
        if let Some(places) = &mut self.places {
            places.add(number, number);
        }
    }

    /// A frame leaves.
    pub(super) fn remove(&mut self, frame: u64) {
        if let Some(places) = &mut self.places {
            places.of.remove(&frame);
        }
    }

    /// Every frame before the first that waits is done with.
    pub(super) fn release(&self, cache: &Cache, outputs: &mut VecDeque<Output>) {
        let first = match (&self.places, cache.first()) {
            (Some(places), None) => places.next.max(cache.next_seq()),
            (_, Some(first)) => self.number(first),
            (None, None) => cache.next_seq(),
        };
        outputs.push_back(Output::Store(StoreOutput::SpoolRelease(self.id, first)));
    }

    /// It ends at the oldest frame. Where that one cannot be delivered and much was since, what waits moves to the other
    /// end: one order, so that no frame is gone from one end before it is safe at the other.
    pub(super) fn tidy(&mut self, cache: &Cache, outputs: &mut VecDeque<Output>) {
        let oldest = cache.first();
        let Some(places) = &mut self.places else {
            return;
        };
        let Some(oldest) = oldest.and_then(|frame| places.of.get(&frame)) else {
            return;
        };
        if places.written - oldest.end <= places.most {
            return;
        }
        let moved = cache
            .iter()
            .map(|(frame, bytes)| (places.append(frame, bytes.len()), bytes.clone()))
            .collect();
        outputs.push_back(Output::Store(StoreOutput::SpoolMove(self.id, moved)));
    }
}
