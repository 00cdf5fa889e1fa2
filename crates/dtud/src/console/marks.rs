//! Which rows of the line are of bytes that the console put in.

use std::time::Duration;

use dtu_proto::time::Instant;

/// Bytes of the line that are in no row yet, as far as they are needed to find those that were put in.
#[derive(Default)]
pub(super) struct Marks {
    /// So many came and are in no row.
    unseen: usize,
    /// There are new ones since the time below.
    is_new: bool,
    came_at: Instant,
    put_in: Option<PutIn>,
}

struct PutIn {
    /// Bytes of the DTE that wait in front of them.
    ahead: usize,
    bytes: Vec<u8>,
    /// What is in no row until then comes in none: an escape, what a full buffer drops.
    until: Instant,
}

impl Marks {
    /// A read of the line, before the device has it.
    pub(super) const fn read(&mut self, count: usize) {
        self.unseen = self.unseen.saturating_add(count);
        self.is_new = true;
    }

    /// The device has had the read.
    pub(super) const fn had(&mut self, now: Instant) {
        if self.is_new {
            self.is_new = false;
            self.came_at = now;
        }
    }

    /// The next read is put in; within so long a frame ends.
    pub(super) fn put_in(&mut self, bytes: &[u8], within: Duration, now: Instant) {
        if self.came_at + within < now {
            self.unseen = 0;
        }
        let until = now + within;
        match &mut self.put_in {
            Some(before) if now <= before.until => {
                before.bytes.extend_from_slice(bytes);
                before.until = until;
            }
            Some(_) | None => {
                self.put_in = Some(PutIn {
                    ahead: self.unseen,
                    bytes: bytes.to_vec(),
                    until,
                });
            }
        }
    }

    /// A row of so many bytes; whether some of them were put in. The end of a command line is in no row.
    pub(super) fn row(&mut self, len: usize, is_command: bool, now: Instant) -> bool {
        self.unseen = if is_command {
            0
        } else {
            self.unseen.saturating_sub(len)
        };
        let Some(mut of) = self.put_in.take().filter(|of| now <= of.until) else {
            return false;
        };
        let own = len.saturating_sub(of.ahead);
        of.ahead = if is_command {
            0
        } else {
            of.ahead.saturating_sub(len)
        };
        if own == 0 {
            self.put_in = Some(of);
            return false;
        }
        of.bytes.drain(..own.min(of.bytes.len()));
        if is_command {
            let ends = of.bytes.iter().take_while(|byte| b"\r\n".contains(byte));
            let ends = ends.count();
            of.bytes.drain(..ends);
        }
        if !of.bytes.is_empty() {
            self.put_in = Some(of);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Duration = Duration::from_secs(1);
    const NOW: Instant = Instant::from_millis(10_000);

    fn put_in(marks: &mut Marks, bytes: &[u8]) {
        marks.put_in(bytes, WITHIN, NOW);
        marks.read(bytes.len());
        marks.had(NOW);
    }

    #[test]
    fn the_end_of_a_command_line_marks_no_row_behind_it() {
        let mut marks = Marks::default();
        put_in(&mut marks, b"AT+CSQ\r\n");
        assert!(marks.row(6, true, NOW));
        marks.read(5);
        assert!(!marks.row(5, false, NOW), "a frame of the DTE");
        put_in(&mut marks, b"AT\rATI\rA");
        assert!(marks.row(2, true, NOW) && marks.row(3, true, NOW));
        assert!(marks.row(2, true, NOW), "its last byte was put in");
        assert!(!marks.row(2, true, NOW));
    }

    #[test]
    fn what_waited_in_front_is_not_what_was_put_in() {
        let mut marks = Marks::default();
        marks.read(1500);
        marks.had(NOW);
        put_in(&mut marks, b"xyz");
        assert!(!marks.row(1024, false, NOW), "all of it was there before");
        assert!(marks.row(479, false, NOW), "the rest, and what was put in");
        marks.read(9);
        assert!(!marks.row(9, false, NOW));
    }

    #[test]
    fn what_never_comes_in_a_row_marks_none() {
        let mut marks = Marks::default();
        marks.read(100);
        marks.had(Instant::from_millis(0));
        put_in(&mut marks, b"+++");
        let later = NOW + WITHIN + Duration::from_millis(1);
        assert!(!marks.row(3, false, later));
        put_in(&mut marks, b"abc");
        assert!(marks.row(3, false, NOW), "the 100 bytes are long gone");
    }
}
