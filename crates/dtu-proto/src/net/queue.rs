//! Frames of the DTE that wait for a connection: the cache, their copies on the spool, and what became of them.

use alloc::collections::VecDeque;
use bytes::Bytes;

use super::cache::{Cache, InSocket, Tally};
use super::spool::Spool;
use crate::config::LinkOptions;
use crate::event::{Event, Output, QueueId};
use crate::status::Loss;

/// A queue.
#[derive(Debug)]
pub(crate) struct Queue {
    /// Whose frames wait; `None`: their owner keeps them, counts them and asks what became of each.
    id: Option<QueueId>,
    cache: Cache,
    spool: Option<Spool>,
    counters: Counters,
    /// For the owner of frames that have one, oldest first; it looks after each input.
    fates: VecDeque<Fate>,
}

/// What became of the frame of this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Delivered(u64),
    Dropped(u64),
}

impl Fate {
    /// Whose it is.
    pub(crate) const fn number(self) -> u64 {
        match self {
            Self::Delivered(number) | Self::Dropped(number) => number,
        }
    }
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
        let spool = match id {
            Some(id) if options.spool => Some(Spool::in_order(id)),
            Some(_) | None => None,
        };
        Self {
            id,
            cache: Cache::new(options.cache, options.drop_policy),
            spool,
            counters: Counters::ZERO,
            fates: VecDeque::new(),
        }
    }

    /// Frames leave it in any order, by [`Queue::take`].
    pub(crate) fn in_any_order(id: QueueId, options: &LinkOptions) -> Self {
        let spool = options
            .spool
            .then(|| Spool::in_any_order(id, options.cache));
        Self {
            spool,
            ..Self::new(Some(id), options)
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

    /// Takes a frame of the DTE. One that finds no room, or those that make room, are dropped. Gives its number.
    pub(crate) fn push(&mut self, frame: Bytes, outputs: &mut VecDeque<Output>) -> u64 {
        let copy = self.spool.is_some().then(|| frame.clone());
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
        number
    }

    /// Counts a frame that its owner has no room for.
    pub(crate) fn refuse(&mut self, frame: &Bytes, outputs: &mut VecDeque<Output>) {
        self.counters.came.add(frame);
        dropper(self.id, &mut self.counters, outputs)(frame);
    }

    /// Takes a frame of an earlier run.
    pub(crate) fn restore(&mut self, number: u64, frame: Bytes, outputs: &mut VecDeque<Output>) {
        let (is_kept, made_room) = self.keep(number, frame, outputs);
        // Else the next run would find it on the spool, and drop and count it again.
        if !is_kept || made_room {
            self.release(outputs);
        }
    }

    /// Takes a frame of an earlier run, whatever room there is: the spool has a bound of its own.
    pub(crate) fn restore_extra(&mut self, number: u64, frame: Bytes) {
        self.counters.came.add(&frame);
        self.cache.insert_extra(frame, number);
        if let Some(spool) = &mut self.spool {
            spool.restored(number);
        }
    }

    /// Counts a frame of an earlier run that is none.
    pub(crate) fn refuse_restored(
        &mut self,
        number: u64,
        frame: &Bytes,
        outputs: &mut VecDeque<Output>,
    ) {
        self.cache.pass(number);
        self.refuse(frame, outputs);
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
            self.note(Fate::Delivered(entry.seq));
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
            self.note(Fate::Dropped(entry.seq));
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
            if other.cache.insert(entry.bytes, number, sends, drop_it) {
                other.append(number, frame, outputs);
            }
        }
        self.release(outputs);
        other.release(outputs);
        moved
    }

    /// What became of the oldest frame that its owner does not know of yet.
    pub(crate) fn next_fate(&mut self) -> Option<Fate> {
        self.fates.pop_front()
    }

    /// Lets the oldest frame go that no socket has: its owner knows.
    pub(crate) fn drop_first(&mut self) {
        self.cache.take_oldest_waiting();
    }

    /// Lets a frame go that no socket has; an error: one has it. Its owner knows.
    pub(crate) fn drop_numbered(&mut self, number: u64) -> Result<(), InSocket> {
        self.cache.take_waiting(number).map(|_| ())
    }

    /// Takes a frame out that is done with, wherever it stands, and counts it; `None`: it has gone before.
    pub(crate) fn take(&mut self, fate: Fate, outputs: &mut VecDeque<Output>) -> Option<Bytes> {
        let number = fate.number();
        let was_first = self.cache.first() == Some(number);
        let frame = self.cache.take_waiting(number).ok()??.bytes;
        if let Some(spool) = &mut self.spool {
            spool.remove(number);
        }
        if was_first {
            self.release(outputs);
        }
        match fate {
            Fate::Delivered(_) => self.counters.delivered.add(&frame),
            Fate::Dropped(_) => dropper(self.id, &mut self.counters, outputs)(&frame),
        }
        Some(frame)
    }

    /// The frame goes next, to make room for a new one.
    pub(crate) fn pass_extra_on(&mut self, number: u64) {
        self.cache.pass_extra_on(number);
    }

    /// Keeps the spool short, though one frame stays for long.
    pub(crate) fn tidy_spool(&mut self, outputs: &mut VecDeque<Output>) {
        if let Some(spool) = &mut self.spool {
            spool.tidy(&self.cache, outputs);
        }
    }

    /// The frames that wait, oldest first, with their numbers on the spool.
    pub(crate) fn undelivered(&self) -> impl Iterator<Item = (u64, &Bytes)> {
        let number = |frame| {
            self.spool
                .as_ref()
                .map_or(frame, |spool| spool.number(frame))
        };
        self.cache
            .iter()
            .map(move |(frame, bytes)| (number(frame), bytes))
    }

    /// Lets go of everything: its owner knows.
    pub(crate) fn empty(&mut self) {
        self.cache.take_all();
    }

    fn note(&mut self, fate: Fate) {
        if self.id.is_none() {
            self.fates.push_back(fate);
        }
    }

    fn append(&mut self, number: u64, frame: Bytes, outputs: &mut VecDeque<Output>) {
        if let Some(spool) = &mut self.spool {
            spool.append(number, frame, outputs);
        }
    }

    /// Every frame before the first that waits is done with.
    fn release(&self, outputs: &mut VecDeque<Output>) {
        if let Some(spool) = &self.spool {
            spool.release(&self.cache, outputs);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::StoreOutput;
    use std::vec::Vec;

    fn queue(cache: usize) -> Queue {
        let options = LinkOptions {
            cache,
            spool: true,
            ..LinkOptions::default()
        };
        Queue::in_any_order(QueueId::SerialCommand, &options)
    }

    /// What the spool is told since: `+NUMBER` for a frame, `<NUMBER` where all below it goes, `>NUMBERS` for those that
    /// move.
    fn spooled(outputs: &mut VecDeque<Output>) -> Vec<std::string::String> {
        let told = outputs.drain(..).filter_map(|output| {
            if let Output::Store(StoreOutput::SpoolAppend(_, number, _)) = output {
                Some(std::format!("+{number}"))
            } else if let Output::Store(StoreOutput::SpoolRelease(_, below)) = output {
                Some(std::format!("<{below}"))
            } else if let Output::Store(StoreOutput::SpoolMove(_, frames)) = output {
                let numbers: Vec<_> = frames.iter().map(|(number, _)| *number).collect();
                Some(std::format!(">{numbers:?}"))
            } else {
                None
            }
        });
        told.collect()
    }

    #[test]
    fn a_frame_leaves_from_the_middle_and_the_spool_ends_at_the_oldest() {
        let (mut queue, mut outputs) = (queue(100), VecDeque::new());
        let numbers: Vec<_> = ["aa", "bbb", "c"]
            .map(|frame| queue.push(Bytes::from_static(frame.as_bytes()), &mut outputs))
            .into();
        assert_eq!(spooled(&mut outputs), ["+0", "+1", "+2"]);
        let frame = queue.take(Fate::Delivered(numbers[1]), &mut outputs);
        assert_eq!(frame.as_deref(), Some(&b"bbb"[..]));
        assert_eq!(queue.take(Fate::Dropped(numbers[1]), &mut outputs), None);
        assert!(outputs.is_empty(), "the oldest is still there");
        queue.take(Fate::Dropped(numbers[0]), &mut outputs);
        assert_eq!(spooled(&mut outputs), ["<2"]);
        queue.take(Fate::Delivered(numbers[2]), &mut outputs);
        assert_eq!(spooled(&mut outputs), ["<3"]);
        let Counters {
            came,
            delivered,
            dropped,
            ..
        } = *queue.counters();
        let count = |tally: Tally| (tally.frames, tally.bytes);
        assert_eq!(
            [came, delivered, dropped].map(count),
            [(3, 6), (2, 4), (1, 2)]
        );
    }

    #[test]
    fn a_frame_that_stays_does_not_let_the_spool_grow() {
        let (mut queue, mut outputs) = (queue(1024), VecDeque::new());
        let first = queue.push(Bytes::from_static(b"stays"), &mut outputs);
        assert_eq!(spooled(&mut outputs), ["+0"]);
        let frame = Bytes::from_static(&[b'x'; 1000]);
        // 64 KiB behind the oldest are too many.
        for count in 0..66 {
            let number = queue.push(frame.clone(), &mut outputs);
            queue.tidy_spool(&mut outputs);
            if count < 65 {
                queue.take(Fate::Delivered(number), &mut outputs);
                assert_eq!(spooled(&mut outputs), [std::format!("+{}", count + 1)]);
            }
        }
        assert_eq!(spooled(&mut outputs), ["+66", ">[67, 68]"]);
        let waiting: Vec<_> = queue.undelivered().map(|(number, _)| number).collect();
        assert_eq!(waiting, [67, 68]);
        queue.take(Fate::Dropped(first), &mut outputs);
        assert_eq!(spooled(&mut outputs), ["<68"]);
        queue.push(Bytes::from_static(b"more"), &mut outputs);
        assert_eq!(spooled(&mut outputs), ["+69"]);
    }

    /// A frame that was restored and one that was not go for one new frame each, and no more.
    #[test]
    fn a_new_frame_costs_no_more_frames_of_an_earlier_run_than_it_needs() {
        let (mut queue, mut outputs) = (queue(10), VecDeque::new());
        for number in 0..5 {
            queue.restore_extra(number, Bytes::from_static(b"12345678"));
        }
        let ten = Bytes::from_static(b"1234567890");
        queue.push(ten.clone(), &mut outputs);
        assert!(queue.cache().is_full_for(1));
        // What is let go of for another reason gives its bytes back to nobody.
        queue.take(Fate::Delivered(4), &mut outputs);
        assert!(queue.cache().is_full_for(1));
        // Eight bytes are free then, as eight were, and two more behind the next.
        for (oldest, fits) in [(0, 8), (1, 10)] {
            assert!(queue.cache().makes_room_for(10, 20));
            queue.pass_extra_on(oldest);
            queue.take(Fate::Dropped(oldest), &mut outputs);
            assert!(!queue.cache().is_full_for(fits) && queue.cache().is_full_for(fits + 1));
        }
        assert_eq!(queue.cache().frames(), 3);
        queue.push(ten, &mut outputs);
        assert_eq!(queue.counters().dropped.frames, 2);
    }

    /// Those of an earlier run have the spool's bound.
    #[test]
    fn frames_of_an_earlier_run_take_no_room_from_new_ones() {
        let (mut queue, mut outputs) = (queue(10), VecDeque::new());
        for number in 7..10 {
            queue.restore_extra(number, Bytes::from_static(b"12345678"));
        }
        assert!(!queue.cache().is_full_for(10) && queue.cache().is_full_for(11));
        assert_eq!(queue.push(Bytes::from_static(b"12345"), &mut outputs), 10);
        queue.take(Fate::Dropped(7), &mut outputs);
        assert!(!queue.cache().is_full_for(5) && queue.cache().is_full_for(6));
        assert_eq!(spooled(&mut outputs), ["+10", "<8"]);
    }
}
