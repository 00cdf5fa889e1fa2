//! Which frames of one device wait for their answer, and what became of the others.

use std::collections::VecDeque;

/// Frames that may wait for their answer; the equipment sends no further one before there is room.
pub(super) const WAITING_MAX: usize = 4096;

/// A frame that has no answer yet.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    number: u32,
    /// The server has it, and the connection of its answer is gone.
    cut_off: bool,
    /// The device dropped it.
    dropped: bool,
    /// It is a wrong packet: nobody need answer.
    wrong: bool,
    /// When its last byte went into the line.
    at: u64,
}

/// The frames of one device.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    waiting: VecDeque<Waiting>,
    /// Of these, such as are cut off.
    cut_off_waiting: u32,
    wrong_waiting: u32,
    dropped_waiting: u32,
    /// Frames given to the line.
    pub(super) sent: u32,
    pub(super) answered: u32,
    /// Answers to frames that were answered before, or are given up.
    pub(super) again: u32,
    /// Frames that the server has, and whose answers went with their connections.
    pub(super) cut_off: u32,
    /// Frames that the device dropped, and nobody knows which.
    dropped_unknown: u32,
    /// Of these, such as are no longer waited for.
    dropped_forgotten: u32,
    pub(super) sent_bytes: u64,
}

/// An answer that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The first one; so many µs behind the frame.
    First(u64),
    /// Once more.
    Again,
}

impl Ledger {
    /// A frame went into the line, and an answer is expected.
    pub(super) fn sent(&mut self, number: u32, bytes: usize, now: u64) {
        self.sent += 1;
        self.wait(number, bytes, now, false);
    }

    /// A wrong packet went into the line; the server may say what it likes.
    pub(super) fn sent_wrong(&mut self, number: u32, bytes: usize, now: u64) {
        self.wrong_waiting += 1;
        self.wait(number, bytes, now, true);
    }

    /// A frame went into the line, and nobody answers.
    pub(super) fn sent_only(&mut self, bytes: usize) {
        self.sent += 1;
        self.sent_bytes += bytes as u64;
    }

    fn wait(&mut self, number: u32, bytes: usize, at: u64, wrong: bool) {
        self.sent_bytes += bytes as u64;
        self.waiting.push_back(Waiting {
            number,
            cut_off: false,
            dropped: false,
            wrong,
            at,
        });
    }

    pub(super) fn answered(&mut self, number: u32, now: u64) -> Answer {
        let place = self
            .waiting
            .partition_point(|waiting| waiting.number < number);
        match self.waiting.get(place) {
            Some(waiting) if waiting.number == number && !waiting.wrong => {
                let took = now.saturating_sub(waiting.at);
                self.cut_off_waiting -= u32::from(waiting.cut_off);
                self.dropped_waiting -= u32::from(waiting.dropped);
                self.waiting.remove(place);
                self.answered += 1;
                self.forget_wrong(number);
                Answer::First(took)
            }
            _ => {
                self.again += 1;
                Answer::Again
            }
        }
    }

    /// The server is behind this frame by now.
    fn forget_wrong(&mut self, number: u32) {
        while self
            .waiting
            .front()
            .is_some_and(|first| first.wrong && first.number < number)
        {
            self.wrong_waiting -= 1;
            self.waiting.pop_front();
        }
    }

    /// The device made room: the oldest frame that no socket has is gone. `handed` is the last one that this connection got.
    /// Says whether it is known, which is not so where several frames became one of the device, or one several.
    pub(super) fn dropped(
        &mut self,
        handed: Option<u32>,
        bytes: usize,
        length: impl Fn(u32) -> usize,
    ) -> bool {
        let first = handed.map_or(0, |handed| {
            self.waiting
                .partition_point(|waiting| waiting.number <= handed)
        });
        let mut kept = self.waiting.iter_mut().skip(first);
        let Some(oldest) = kept
            .find(|waiting| !waiting.cut_off && !waiting.dropped)
            .filter(|waiting| length(waiting.number) == bytes)
        else {
            return false;
        };
        oldest.dropped = true;
        // Nobody waits for a wrong one.
        self.dropped_waiting += u32::from(!oldest.wrong);
        true
    }

    /// The same, where it is not known which frames are gone.
    pub(super) const fn dropped_some(&mut self, count: u32) {
        self.dropped_unknown += count;
    }

    /// A connection is over. The last `kept` bytes of what was sent are still with the device, and go again; of the frames
    /// before them the server has each that was not dropped, and answers it no more, unless its answer is on its way to the
    /// line already: so they wait until the next connection is over.
    pub(super) fn connection_over(&mut self, kept: u64, length: impl Fn(u32) -> usize) {
        self.forget_cut_off();
        let mut left = kept;
        for waiting in self.waiting.iter_mut().rev().filter(|it| !it.dropped) {
            // One of which the server has a part comes in two halves, on two connections.
            let length = length(waiting.number) as u64;
            let whole = length <= left;
            left = left.saturating_sub(length);
            if !whole && !waiting.wrong {
                waiting.cut_off = true;
                self.cut_off_waiting += 1;
            }
        }
    }

    fn forget_cut_off(&mut self) {
        if self.cut_off_waiting > 0 {
            self.waiting.retain(|waiting| !waiting.cut_off);
            // A frame that the device dropped is not with the server.
            let dropped = self.cut_off_waiting.min(self.unknown_waiting());
            self.dropped_forgotten += dropped;
            self.cut_off += self.cut_off_waiting - dropped;
            self.cut_off_waiting = 0;
        }
    }

    /// The oldest frames that wait.
    pub(super) fn oldest(&self) -> impl Iterator<Item = u32> {
        self.waiting.iter().map(|waiting| waiting.number)
    }

    /// Whether the equipment may send.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < WAITING_MAX
    }

    /// Whether nothing is expected any more.
    pub(super) fn is_settled(&self) -> bool {
        self.waiting.len() <= (self.given_up() + self.cut_off_waiting) as usize
    }

    /// Dropped frames among those that wait, nobody knows which.
    const fn unknown_waiting(&self) -> u32 {
        self.dropped_unknown.saturating_sub(self.dropped_forgotten)
    }

    /// Those of which nobody expects anything.
    const fn given_up(&self) -> u32 {
        self.dropped_waiting + self.unknown_waiting() + self.wrong_waiting
    }

    /// At the end: how many are neither answered, nor cut off, nor dropped.
    pub(super) fn close(&mut self) -> u32 {
        self.forget_cut_off();
        (self.waiting.len() as u32).saturating_sub(self.given_up())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(numbers: impl IntoIterator<Item = u32>) -> Ledger {
        let mut ledger = Ledger::default();
        for number in numbers {
            ledger.sent(number, 64, u64::from(number));
        }
        ledger
    }

    #[test]
    fn a_frame_without_an_answer_is_missing() {
        let mut ledger = with(0..5);
        for number in [0, 1, 3, 4] {
            assert_eq!(
                ledger.answered(number, 100),
                Answer::First(100 - u64::from(number))
            );
        }
        assert_eq!(ledger.answered(4, 100), Answer::Again);
        assert!(!ledger.is_settled());
        assert_eq!(ledger.close(), 1);
        assert_eq!((ledger.sent, ledger.answered, ledger.again), (5, 4, 1));
    }

    #[test]
    fn a_frame_that_was_dropped_is_not_missing() {
        let mut ledger = with(0..3);
        ledger.answered(0, 9);
        ledger.answered(2, 9);
        ledger.dropped_some(1);
        assert!(ledger.is_settled());
        assert_eq!((ledger.close(), ledger.cut_off), (0, 0));
    }

    #[test]
    fn an_answer_that_went_with_its_connection_is_no_frame_that_is_missing() {
        let mut ledger = with(0..4);
        // Two frames are still with the device: it sends them again. The server has the two before.
        ledger.connection_over(128, |_| 64);
        assert_eq!(
            ledger.answered(1, 9),
            Answer::First(8),
            "its answer was on its way"
        );
        ledger.answered(2, 9);
        assert!(!ledger.is_settled());
        ledger.answered(3, 9);
        assert!(ledger.is_settled());
        ledger.sent(4, 64, 10);
        ledger.connection_over(64, |_| 64);
        assert_eq!(ledger.answered(0, 11), Answer::Again, "it was given up");
        ledger.answered(4, 12);
        assert_eq!((ledger.close(), ledger.cut_off), (0, 1));
    }

    #[test]
    fn a_frame_of_which_the_server_has_a_half_is_cut_off() {
        let mut ledger = with(0..3);
        ledger.connection_over(100, |_| 64);
        ledger.answered(2, 9);
        assert_eq!((ledger.close(), ledger.cut_off), (0, 2));
    }

    #[test]
    fn a_server_that_swallows_behind_a_break_is_found() {
        let mut ledger = with(0..4);
        ledger.connection_over(128, |_| 64);
        ledger.answered(3, 9);
        assert_eq!((ledger.close(), ledger.cut_off), (1, 2));
    }

    #[test]
    fn a_wrong_packet_needs_no_answer() {
        let mut ledger = with([0]);
        ledger.sent_wrong(1, 64, 1);
        ledger.sent(2, 64, 2);
        ledger.sent_wrong(3, 64, 3);
        ledger.answered(0, 9);
        assert!(!ledger.is_settled());
        ledger.answered(2, 9);
        assert!(ledger.is_settled());
        assert_eq!(
            (ledger.close(), ledger.sent, ledger.waiting.len()),
            (0, 2, 1)
        );
    }

    #[test]
    fn a_drop_hides_no_frame_that_is_missing() {
        let mut ledger = with(0..4);
        // All are with the device; then it drops one. The connection that brings the others breaks, too.
        ledger.connection_over(256, |_| 64);
        ledger.dropped_some(1);
        ledger.connection_over(64, |_| 64);
        assert_eq!((ledger.close(), ledger.cut_off), (1, 2));
    }

    #[test]
    fn the_device_drops_the_oldest_that_no_socket_has() {
        let mut ledger = with(0..6);
        // The socket has 0 and 1.
        assert!(ledger.dropped(Some(1), 64, |_| 64));
        assert!(ledger.dropped(Some(1), 64, |_| 64));
        assert!(!ledger.dropped(Some(1), 100, |_| 64), "no such frame");
        // 4 and 5 are kept. The server has the first two, whose answers are gone.
        ledger.connection_over(128, |_| 64);
        assert!(ledger.dropped(None, 64, |_| 64));
        assert!(!ledger.is_settled(), "5 is with the device");
        ledger.answered(5, 9);
        assert!(ledger.is_settled());
        assert_eq!((ledger.close(), ledger.cut_off), (0, 2));
    }
}
