//! Packing: silence or size closes a frame (manual 2.8.6.20, decisions 5).

use alloc::vec::Vec;
use bytes::Bytes;

use crate::seen::Cut;
use crate::time::{Duration, Instant};

/// A frame closes at this size, in bytes.
// mutant: frame-size
pub(crate) const FRAME_MAX: usize = 1024;
/// A frame of mode 3 closes at this one: it is a request (decisions 16.16).
pub(crate) const REQUEST_MAX: usize = 8192;
/// Without packing a frame is a read; no read is longer than this.
pub(crate) const READ_MAX: usize = 4096;

/// When a frame closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packing {
    /// Silence that closes a frame; zero = each read is a frame.
    pub(crate) silence: Duration,
    /// Size that closes a frame, in bytes.
    pub(crate) size: usize,
}

/// Looks out for a request of mode 3 that is longer than a frame may be, and becomes several: that is said once.
#[derive(Debug, Default)]
pub(crate) struct CutRequest {
    is_reported: bool,
    /// Size has closed a frame at this time; what comes at once belongs to it.
    cut_at: Option<Instant>,
}

impl CutRequest {
    /// Bytes have arrived at `at` and closed this frame, with more behind it. True if the first request is cut.
    pub(crate) fn note(
        &mut self,
        frame: Option<&Bytes>,
        more: bool,
        at: Instant,
        packing: Packing,
    ) -> bool {
        if self.is_reported || packing.size != REQUEST_MAX {
            return false;
        }
        let by_size = frame.is_some_and(|frame| frame.len() == REQUEST_MAX);
        let goes_on = self
            .cut_at
            .is_some_and(|cut_at| at.since(cut_at) < packing.silence);
        self.is_reported = goes_on || (by_size && more);
        self.cut_at = by_size.then_some(at);
        self.is_reported
    }
}

/// The frame that is being received.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    buffer: Vec<u8>,
    last: Instant,
    cut: Cut,
}

impl Framer {
    /// Takes bytes that arrived at `at` (which may lie in the past) up to the end of a frame, which comes back; the rest
    /// stays in `data`. To be called until nothing comes.
    pub(crate) fn next(
        &mut self,
        data: &mut &[u8],
        at: Instant,
        packing: Packing,
    ) -> Option<Bytes> {
        // A host that is late, or a setting that has changed: silence closed this before the bytes came.
        if self.deadline(packing).is_some_and(|due| due <= at) {
            return Some(self.close(Cut::Silence));
        }
        if data.is_empty() {
            return None;
        }
        self.last = at;
        if packing.silence.is_zero() {
            self.cut = Cut::Read;
            return Some(Bytes::copy_from_slice(take(data, READ_MAX)));
        }
        // The size may have shrunk since the frame began.
        let room = packing.size.saturating_sub(self.buffer.len());
        let is_full = data.len() >= room;
        self.buffer.extend_from_slice(take(data, room));
        is_full.then(|| self.close(Cut::Size))
    }

    /// Puts bytes back that the frame just cut by size should not have ended with: what is being received begins with
    /// them.
    pub(crate) fn give_back(&mut self, bytes: &[u8]) {
        drop(self.buffer.splice(..0, bytes.iter().copied()));
    }

    /// When silence will have closed the frame.
    pub(crate) fn deadline(&self, packing: Packing) -> Option<Instant> {
        // mutant: frame-silence
        (!self.buffer.is_empty()).then(|| self.last + packing.silence)
    }

    /// Takes out what is being received, with the time of its last byte.
    pub(crate) fn take(&mut self) -> (Vec<u8>, Instant) {
        (core::mem::take(&mut self.buffer), self.last)
    }

    /// What is being received.
    pub(crate) fn received(&self) -> &[u8] {
        &self.buffer
    }

    /// Ends the frame, which may be empty, for this reason.
    pub(crate) fn close(&mut self, cut: Cut) -> Bytes {
        self.cut = cut;
        let frame = Bytes::copy_from_slice(&self.buffer);
        self.buffer.clear();
        frame
    }

    /// Why the last frame ends where it does.
    pub(crate) const fn last_cut(&self) -> Cut {
        self.cut
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }
}

/// Takes so many bytes from the front, or all that there are.
fn take<'d>(data: &mut &'d [u8], most: usize) -> &'d [u8] {
    let (head, rest) = data.split_at(most.min(data.len()));
    *data = rest;
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKING: Packing = Packing {
        silence: Duration::from_millis(100),
        size: FRAME_MAX,
    };

    fn push(framer: &mut Framer, mut data: &[u8], at: u64, packing: Packing) -> Vec<Bytes> {
        core::iter::from_fn(|| framer.next(&mut data, Instant::from_millis(at), packing)).collect()
    }

    #[test]
    fn silence_closes_a_frame_even_when_the_host_is_late() {
        let mut framer = Framer::default();
        assert!(push(&mut framer, b"one", 0, PACKING).is_empty());
        assert_eq!(push(&mut framer, b"two", 100, PACKING), ["one"]);
        assert!(push(&mut framer, b"three", 199, PACKING).is_empty());
        assert_eq!(framer.deadline(PACKING), Some(Instant::from_millis(299)));
        assert_eq!(framer.close(Cut::Silence), "twothree");
    }

    #[test]
    fn a_frame_closes_at_1024_bytes() {
        let mut framer = Framer::default();
        let frames = push(&mut framer, &[7; 2500], 0, PACKING);
        assert_eq!(
            frames.iter().map(Bytes::len).collect::<Vec<_>>(),
            [1024, 1024]
        );
        assert_eq!(push(&mut framer, &[7; 572], 1, PACKING).len(), 1);
        assert!(framer.is_empty());
    }

    #[test]
    fn without_packing_each_read_is_a_frame() {
        let mut framer = Framer::default();
        let off = Packing {
            silence: Duration::ZERO,
            size: FRAME_MAX,
        };
        assert_eq!(push(&mut framer, &[1; 4000], 0, off).len(), 1);
        assert_eq!(push(&mut framer, b"x", 0, off), ["x"]);
    }

    #[test]
    fn turning_packing_off_closes_what_waits() {
        let mut framer = Framer::default();
        push(&mut framer, b"old", 0, PACKING);
        let off = Packing {
            silence: Duration::ZERO,
            size: FRAME_MAX,
        };
        assert_eq!(push(&mut framer, b"new", 1, off), ["old", "new"]);
    }
}
