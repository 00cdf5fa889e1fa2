//! Frames of the DTE that wait for a connection: the cache, their copies on the spool, and what became of them.

use alloc::collections::VecDeque;
use bytes::Bytes;

use super::cache::{Cache, Tally};
use crate::config::LinkOptions;
use crate::event::{Event, Output, QueueId, StoreOutput};
use crate::status::Loss;

/// A queue.
#[derive(Debug)]
pub(crate) struct Queue {
    /// Whose frames wait; `None`: their owner keeps them, counts them and asks what became of each.
    id: Option<QueueId>,
    cache: Cache,
    spool: bool,
    counters: Counters,
    /// For the owner of frames that have one, oldest first; it looks after each input.
    fates: VecDeque<(u64, Fate)>,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Delivered,
    Dropped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) came: Tally,
    pub(crate) delivered: Tally,
    pub(crate) dropped: Tally,
    /// Frames that found no place on the spool.
    pub(crate) spool_refused: u64,
}

impl Counters {
    const ZERO: Self = Self {
        came: Tally::ZERO,
        delivered: Tally::ZERO,
        dropped: Tally::ZERO,
        spool_refused: 0,
    };
}

impl Queue {
    pub(crate) const fn new(id: Option<QueueId>, options: &LinkOptions) -> Self {
        Self {
            id,
            cache: Cache::new(options.cache, options.drop_policy),
            spool: options.spool && id.is_some(),
            counters: Counters::ZERO,
            fates: VecDeque::new(),
        }
    }

    /// What waits.
    pub(crate) const fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Whether no frame ever came.
    pub(crate) fn is_unused(&self) -> bool {
        self.cache.is_empty() && self.cache.next_seq() == 0 && self.counters == Counters::ZERO
    }

    pub(crate) const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What left undelivered, or found no place on the spool.
    pub(crate) const fn loss(&self) -> Loss {
        let Counters {
            dropped,
            spool_refused,
            ..
        } = self.counters;
        Loss {
            frames: dropped.frames,
            bytes: dropped.bytes,
            spool_refused,
        }
    }

    pub(crate) const fn add_loss(&mut self, loss: Loss) {
        let Counters {
            came,
            dropped,
            spool_refused,
            ..
        } = &mut self.counters;
        came.frames += loss.frames;
        came.bytes += loss.bytes;
        dropped.frames += loss.frames;
        dropped.bytes += loss.bytes;
        *spool_refused += loss.spool_refused;
    }

    /// Nothing but losses has been counted yet: what came in is what was dropped, and so many frames more.
    pub(crate) const fn balance(&mut self, more: u64) {
        self.counters.came.frames = self.counters.dropped.frames.saturating_add(more);
    }

    /// Takes a frame of the DTE. One that finds no room, or those that make room, are dropped.
    pub(crate) fn push(&mut self, frame: Bytes, outputs: &mut VecDeque<Output>) {
        let copy = self.spool.then(|| frame.clone());
        let number = self.cache.next_seq();
        let (is_kept, made_room) = self.keep(number, frame, outputs);
        // mutant: spool-append
        if let Some(copy) = copy
            && is_kept
        {
            self.append(number, copy, outputs);
            if made_room {
                self.release(outputs);
            }
        }
    }

    /// Takes a frame of an earlier run.
    pub(crate) fn restore(&mut self, number: u64, frame: Bytes, outputs: &mut VecDeque<Output>) {
        let (is_kept, made_room) = self.keep(number, frame, outputs);
        // Else the next run would find it on the spool, and drop and count it again.
        if !is_kept || made_room {
            self.release(outputs);
        }
    }

    /// Puts a frame into the cache, if there is room; and says whether others have made room for it.
    fn keep(&mut self, number: u64, frame: Bytes, outputs: &mut VecDeque<Output>) -> (bool, bool) {
        self.counters.came.add(&frame);
        let before = self.counters.dropped.frames;
        let drop_it = dropper(self.id, &mut self.counters, outputs);
        let is_kept = self.cache.insert(frame, number, 0, drop_it);
        let dropped = self.counters.dropped.frames - before;
        (is_kept, dropped > u64::from(!is_kept))
    }

    /// Takes a frame that its owner keeps under this number.
    pub(crate) fn push_numbered(&mut self, number: u64, frame: Bytes) {
        self.cache.insert(frame, number, 0, |_| {});
    }

    /// As [`Cache::hand_over`].
    pub(crate) fn hand_over(&mut self, end_of: impl FnOnce(usize) -> u64) -> Option<(Bytes, bool)> {
        self.cache.hand_over(end_of)
    }

    /// The peer has everything up to this place of the stream.
    pub(crate) fn delivered(&mut self, end: u64, outputs: &mut VecDeque<Output>) {
        let mut gone = Tally::default();
        while let Some(entry) = self.cache.next_acked(end) {
            gone.add(&entry.bytes);
            self.note(entry.seq, Fate::Delivered);
        }
        self.counters.delivered.frames += gone.frames;
        self.counters.delivered.bytes += gone.bytes;
        if gone.frames > 0 {
            self.release(outputs);
        }
    }

    /// The connection is over: what was handed over goes again, or is dropped.
    pub(crate) fn rewind(&mut self, resend: bool, outputs: &mut VecDeque<Output>) {
        self.cache.rewind();
        if resend {
            return;
        }
        while let Some(entry) = self.cache.next_sent() {
            dropper(self.id, &mut self.counters, outputs)(&entry.bytes);
            self.note(entry.seq, Fate::Dropped);
        }
        self.release(outputs);
    }

    /// Lets go of everything that waits, counted.
    pub(crate) fn discard(&mut self, outputs: &mut VecDeque<Output>) {
        for entry in self.cache.take_all() {
            dropper(self.id, &mut self.counters, outputs)(&entry.bytes);
        }
        self.release(outputs);
    }

    /// Moves everything that waits to another queue. Gives what that was.
    pub(crate) fn move_to(
        &mut self,
        other: &mut Self,
        resend: bool,
        outputs: &mut VecDeque<Output>,
    ) -> Tally {
        let mut moved = Tally::default();
        for entry in self.cache.take_all() {
            moved.add(&entry.bytes);
            let number = other.cache.next_seq();
            let frame = entry.bytes.clone();
            // A link that does not resend drops what it sent itself, not what another link sent.
            let sends = if resend { entry.sends } else { 0 };
            let drop_it = dropper(other.id, &mut other.counters, outputs);
            // mutant: backup-spool
            if other.cache.insert(entry.bytes, number, sends, drop_it) && other.spool {
                other.append(number, frame, outputs);
            }
        }
        self.release(outputs);
        other.release(outputs);
        moved
    }

    /// What became of the oldest frame that its owner does not know of yet.
    pub(crate) fn next_fate(&mut self) -> Option<(u64, Fate)> {
        self.fates.pop_front()
    }

    /// Lets the oldest frame go that no socket has: its owner knows.
    pub(crate) fn drop_first(&mut self) {
        self.cache.take_oldest_waiting();
    }

    /// Lets a frame go that no socket has; false: one has it. Its owner knows.
    pub(crate) fn drop_numbered(&mut self, number: u64) -> bool {
        self.cache.remove_waiting(number)
    }

    /// Lets go of everything: its owner knows.
    pub(crate) fn empty(&mut self) {
        self.cache.take_all();
    }

    fn note(&mut self, number: u64, fate: Fate) {
        if self.id.is_none() {
            self.fates.push_back((number, fate));
        }
    }

    fn append(&self, number: u64, frame: Bytes, outputs: &mut VecDeque<Output>) {
        if let Some(id) = self.id {
            // mutant: request-spooled
            outputs.push_back(Output::Store(StoreOutput::SpoolAppend(id, number, frame)));
        }
    }

    /// Every frame before the first that waits is done with.
    fn release(&self, outputs: &mut VecDeque<Output>) {
        if let Some(id) = self.id.filter(|_| self.spool) {
            outputs.push_back(Output::Store(StoreOutput::SpoolRelease(
                id,
                self.cache.first_seq(),
            )));
        }
    }
}

/// Counts a frame that left undelivered, and says so.
fn dropper<'a>(
    id: Option<QueueId>,
    counters: &'a mut Counters,
    outputs: &'a mut VecDeque<Output>,
) -> impl FnMut(&Bytes) + 'a {
    move |frame| {
        // mutant: drops-counted
        counters.dropped.frames += 1;
        counters.dropped.bytes += frame.len() as u64;
        let event = id.map(|queue| Event::FrameDropped {
            queue,
            bytes: frame.len(),
        });
        outputs.extend(event.map(Output::Event));
    }
}
