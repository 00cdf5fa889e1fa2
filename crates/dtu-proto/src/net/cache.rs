//! The cache of one link: whole frames, in order, until they are delivered (decisions 6).

use alloc::collections::VecDeque;
use bytes::Bytes;

use crate::config::DropPolicy;

/// Frames that wait at most, whatever their size: bounds what one-byte frames cost.
const FRAMES_MAX: usize = 65_536;
/// Where a full cache stops the reading it does so this early: one read and one frame still fit.
const BLOCK_HEADROOM: usize = 5 * 1024;

/// A frame that waits.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) bytes: Bytes,
    /// Its number in the spool.
    pub(crate) seq: u64,
    /// Where it ends in the byte stream of this connection; valid while handed over.
    end: u64,
    /// How often it was handed to a socket.
    pub(crate) sends: u32,
    /// So many of its bytes the limit is not for.
    extra: usize,
}

impl Entry {
    const fn is_extra(&self) -> bool {
        self.extra == self.bytes.len()
    }
}

/// A frame may still arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InSocket;

/// A count of frames and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
}

impl Tally {
    pub(crate) const ZERO: Self = Self {
        frames: 0,
        bytes: 0,
    };

    pub(crate) fn add(&mut self, bytes: &Bytes) {
        self.frames += 1;
        self.bytes += bytes.len() as u64;
    }
}

/// The cache.
#[derive(Debug)]
pub(crate) struct Cache {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// Of these, bytes that the limit is not for: all of the oldest entries, and perhaps a part of the next.
    extra: usize,
    limit: usize,
    policy: DropPolicy,
    /// So many entries, from the front, are in the socket's hands.
    handed_over: usize,
    /// Bytes of these.
    handed_over_bytes: usize,
    next_seq: u64,
}

impl Cache {
    pub(crate) const fn new(limit: usize, policy: DropPolicy) -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            extra: 0,
            limit,
            policy,
            handed_over: 0,
            handed_over_bytes: 0,
            next_seq: 0,
        }
    }

    /// Takes a frame that has a number and was perhaps sent already. What finds no room, or must make room, goes to
    /// `dropped`. Says whether the frame was kept.
    pub(crate) fn insert(
        &mut self,
        bytes: Bytes,
        seq: u64,
        sends: u32,
        mut dropped: impl FnMut(&Bytes),
    ) -> bool {
        if self.makes_room_for(bytes.len(), self.handed_over_bytes) {
            while self.is_full_for(bytes.len())
                && let Some(oldest) = self.take_oldest_waiting()
            {
                dropped(&oldest.bytes);
            }
        }
        let is_full = self.is_full_for(bytes.len());
        self.pass(seq);
        if is_full {
            dropped(&bytes);
            return false;
        }
        self.append(bytes, seq, sends, 0);
        true
    }

    /// Takes a frame that the limit is not for, and that waits in its turn.
    pub(crate) fn insert_extra(&mut self, bytes: Bytes, seq: u64) {
        self.pass(seq);
        let extra = bytes.len();
        self.append(bytes, seq, 0, extra);
    }

    fn append(&mut self, bytes: Bytes, seq: u64, sends: u32, extra: usize) {
        self.bytes += bytes.len();
        self.extra += extra;
        // mutant: cache-order
        self.entries.push_back(Entry {
            bytes,
            seq,
            end: 0,
            sends,
            extra,
        });
    }

    /// The frame of this number goes to make room. Where the limit is not for it, the limit is not for as many bytes of
    /// those that stay: else all frames of an earlier run would go before there is room for one new frame.
    pub(crate) fn pass_extra_on(&mut self, seq: u64) {
        let Some(entry) = self.find(seq).and_then(|index| self.entries.get_mut(index)) else {
            return;
        };
        let mut left = core::mem::take(&mut entry.extra);
        self.extra -= left;
        let has_all = |entry: &Entry| entry.seq == seq || entry.is_extra();
        let first = self.entries.partition_point(has_all);
        for entry in self.entries.range_mut(first..) {
            let passed = left.min(entry.bytes.len() - entry.extra);
            entry.extra += passed;
            self.extra += passed;
            left -= passed;
            if left == 0 {
                return;
            }
        }
    }

    /// A number is used once, whatever became of its frame: the spool may still have that of an earlier run.
    pub(crate) fn pass(&mut self, seq: u64) {
        self.next_seq = self.next_seq.max(seq + 1);
    }

    /// Whether a frame of this length finds no room.
    pub(crate) fn is_full_for(&self, len: usize) -> bool {
        // mutant: cache-bound
        let is_full = self.limited() + len > self.limit || self.limited_frames() >= FRAMES_MAX;
        self.policy != DropPolicy::Block && is_full
    }

    /// Whether the oldest go for a frame of this length, where sockets have so many bytes that cannot go.
    pub(crate) fn makes_room_for(&self, len: usize, in_sockets: usize) -> bool {
        let goes_on = matches!(self.policy, DropPolicy::Auto | DropPolicy::Oldest);
        goes_on && len + in_sockets.saturating_sub(self.extra) <= self.limit
    }

    /// Bytes that the limit is for.
    const fn limited(&self) -> usize {
        self.bytes - self.extra
    }

    /// Frames that the limit is for, in whole or in part.
    fn limited_frames(&self) -> usize {
        let extra = match self.extra {
            0 => 0,
            _ => self.entries.partition_point(Entry::is_extra),
        };
        self.entries.len() - extra
    }

    /// The oldest frame that is not in a socket's hands: what is there may still arrive, so its loss could not be
    /// counted.
    pub(crate) fn take_oldest_waiting(&mut self) -> Option<Entry> {
        self.remove(self.handed_over)
    }

    /// Takes the frame of this number out; an error: a socket has it.
    pub(crate) fn take_waiting(&mut self, seq: u64) -> Result<Option<Entry>, InSocket> {
        match self.find(seq) {
            Some(index) if index < self.handed_over => Err(InSocket),
            Some(index) => Ok(self.remove(index)),
            None => Ok(None),
        }
    }

    /// The frame of this number.
    pub(crate) fn get(&self, seq: u64) -> Option<&Bytes> {
        let entry = self.entries.get(self.find(seq)?)?;
        Some(&entry.bytes)
    }

    fn find(&self, seq: u64) -> Option<usize> {
        self.entries
            .binary_search_by_key(&seq, |entry| entry.seq)
            .ok()
    }

    /// Takes a frame out that no socket has.
    fn remove(&mut self, index: usize) -> Option<Entry> {
        let entry = self.entries.remove(index)?;
        self.forget_bytes(&entry);
        Some(entry)
    }

    fn forget_bytes(&mut self, entry: &Entry) {
        self.bytes -= entry.bytes.len();
        self.extra -= entry.extra;
    }

    /// The number of the oldest frame that no socket has.
    pub(crate) fn first_to_drop(&self) -> Option<u64> {
        self.entries.get(self.handed_over).map(|entry| entry.seq)
    }

    pub(crate) const fn handed_over_bytes(&self) -> usize {
        self.handed_over_bytes
    }

    /// The first frame that is not handed over yet; it ends at `end_of(length)` of the connection. Also says
    /// whether it was sent before. Half of the cache at most is in the socket's hands, so that there is always
    /// something to drop that was not sent.
    pub(crate) fn hand_over(&mut self, end_of: impl FnOnce(usize) -> u64) -> Option<(Bytes, bool)> {
        let entry = self.entries.get_mut(self.handed_over)?;
        if self.handed_over > 0 && self.handed_over_bytes + entry.bytes.len() > self.limit / 2 {
            return None;
        }
        self.handed_over += 1;
        self.handed_over_bytes += entry.bytes.len();
        entry.end = end_of(entry.bytes.len());
        entry.sends += 1;
        Some((entry.bytes.clone(), entry.sends > 1))
    }

    /// Whether a frame is not handed over yet.
    pub(crate) fn has_more(&self) -> bool {
        self.handed_over < self.entries.len()
    }

    /// Takes the oldest frame out, if it ends at or before `acked`.
    pub(crate) fn next_acked(&mut self, acked: u64) -> Option<Entry> {
        let is_there = self.entries.front().is_some_and(|entry| entry.end <= acked);
        if self.handed_over > 0 && is_there {
            self.pop_front()
        } else {
            None
        }
    }

    /// The connection is over: what was handed over is to be sent again.
    pub(crate) const fn rewind(&mut self) {
        // mutant: send-again
        self.handed_over = 0;
        self.handed_over_bytes = 0;
    }

    /// Takes the oldest frame out, if a socket ever had it: for links that do not resend.
    pub(crate) fn next_sent(&mut self) -> Option<Entry> {
        if self.entries.front().is_some_and(|entry| entry.sends > 0) {
            self.pop_front()
        } else {
            None
        }
    }

    /// Takes everything out.
    pub(crate) fn take_all(&mut self) -> VecDeque<Entry> {
        self.rewind();
        (self.bytes, self.extra) = (0, 0);
        core::mem::take(&mut self.entries)
    }

    /// Everything that waits, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Bytes)> {
        self.entries.iter().map(|entry| (entry.seq, &entry.bytes))
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn frames(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn is_half_full(&self) -> bool {
        self.bytes > self.limit / 2 || self.entries.len() > FRAMES_MAX / 2
    }

    /// Whether there is no room left for what one read may bring.
    pub(crate) fn is_nearly_full(&self) -> bool {
        self.is_nearly_full_without(0)
    }

    /// The same, were so many bytes of them gone.
    pub(crate) fn is_nearly_full_without(&self, bytes: usize) -> bool {
        let headroom = BLOCK_HEADROOM.min(self.limit / 2);
        self.limited().saturating_sub(bytes) + headroom > self.limit
            || self.limited_frames() + headroom > FRAMES_MAX
    }

    pub(crate) const fn policy(&self) -> DropPolicy {
        self.policy
    }

    /// The number of the oldest frame that waits.
    pub(crate) fn first(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.seq)
    }

    /// The number that the next frame will have.
    pub(crate) const fn next_seq(&self) -> u64 {
        self.next_seq
    }

    fn pop_front(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.forget_bytes(&entry);
        if self.handed_over > 0 {
            self.handed_over -= 1;
            self.handed_over_bytes -= entry.bytes.len();
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn fill(cache: &mut Cache, frames: &[&'static str]) -> Vec<Bytes> {
        let mut lost = Vec::new();
        for frame in frames {
            let number = cache.next_seq();
            cache.insert(Bytes::from_static(frame.as_bytes()), number, 0, |bytes| {
                lost.push(bytes.clone())
            });
        }
        lost
    }

    fn waiting(cache: &Cache) -> Vec<&Bytes> {
        cache.iter().map(|(_, bytes)| bytes).collect()
    }

    /// Lets go of every frame that ends at or before `end`.
    fn acked(cache: &mut Cache, end: u64) -> Tally {
        let mut gone = Tally::default();
        while let Some(entry) = cache.next_acked(end) {
            gone.add(&entry.bytes);
        }
        gone
    }

    #[test]
    fn the_oldest_whole_frame_makes_room() {
        let mut cache = Cache::new(6, DropPolicy::Oldest);
        assert!(fill(&mut cache, &["aa", "bb", "cc"]).is_empty());
        assert_eq!(fill(&mut cache, &["d"]), ["aa"]);
        assert_eq!(waiting(&cache), ["bb", "cc", "d"]);
        assert_eq!(fill(&mut cache, &["1234567"]), ["1234567"]);
        assert_eq!(waiting(&cache), ["bb", "cc", "d"]);
    }

    #[test]
    fn what_the_socket_has_is_never_dropped() {
        let mut cache = Cache::new(6, DropPolicy::Oldest);
        fill(&mut cache, &["aa", "bb", "cc"]);
        assert!(cache.hand_over(|_| 2).is_some());
        assert_eq!(cache.hand_over(|_| 4), None, "half of the cache");
        assert_eq!(fill(&mut cache, &["dd"]), ["bb"]);
        acked(&mut cache, 2);
        assert_eq!(
            cache.hand_over(|_| 4).map(|(frame, _)| frame),
            Some(Bytes::from_static(b"cc"))
        );
    }

    #[test]
    fn the_newest_frame_finds_no_room() {
        let mut cache = Cache::new(4, DropPolicy::Newest);
        assert_eq!(fill(&mut cache, &["aa", "bb", "c"]), ["c"]);
        assert_eq!(waiting(&cache), ["aa", "bb"]);
    }

    #[test]
    fn a_frame_of_an_earlier_run_that_finds_no_room_keeps_its_number() {
        let mut cache = Cache::new(4, DropPolicy::Newest);
        let mut lost = 0;
        for (seq, frame) in [(7, "aaa"), (8, "bbb")] {
            cache.insert(Bytes::from_static(frame.as_bytes()), seq, 0, |_| lost += 1);
        }
        assert_eq!((lost, cache.next_seq()), (1, 9));
        assert!(cache.insert(Bytes::from_static(b"c"), 9, 0, |_| {}));
        assert_eq!(cache.next_seq(), 10);
    }

    #[test]
    fn blocking_stops_in_time() {
        let mut cache = Cache::new(10, DropPolicy::Block);
        fill(&mut cache, &["aaaaa"]);
        assert!(!cache.is_nearly_full());
        fill(&mut cache, &["b"]);
        assert!(cache.is_nearly_full());
    }

    #[test]
    fn a_frame_goes_only_when_all_of_it_is_acknowledged() {
        let mut cache = Cache::new(100, DropPolicy::Oldest);
        fill(&mut cache, &["aaa", "bbb", "ccc"]);
        let mut sent = 0;
        for _ in 0..2 {
            cache.hand_over(|len| {
                sent += len as u64;
                sent
            });
        }
        assert_eq!(
            acked(&mut cache, 5),
            Tally {
                frames: 1,
                bytes: 3
            }
        );
        assert_eq!(
            acked(&mut cache, 100),
            Tally {
                frames: 1,
                bytes: 3
            }
        );
        assert_eq!(waiting(&cache), ["ccc"]);
        assert_eq!(acked(&mut cache, u64::MAX), Tally::default());
    }

    #[test]
    fn a_lost_connection_sends_again_what_was_not_acknowledged() {
        let mut cache = Cache::new(100, DropPolicy::Oldest);
        fill(&mut cache, &["aaa", "bbb"]);
        assert_eq!(
            cache.hand_over(|_| 3),
            Some((Bytes::from_static(b"aaa"), false))
        );
        cache.rewind();
        assert_eq!(
            cache.hand_over(|_| 3),
            Some((Bytes::from_static(b"aaa"), true))
        );
        assert_eq!(
            cache.hand_over(|_| 6),
            Some((Bytes::from_static(b"bbb"), false))
        );
        assert_eq!(cache.hand_over(|_| 9), None);
    }
}
