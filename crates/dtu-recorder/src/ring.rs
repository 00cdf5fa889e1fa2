//! A ring of bytes that holds records of any length. A new one takes the place of the oldest.

/// A record, good for as long as it is there: pushes do not move it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    at: usize,
    number: u64,
}

/// Somebody who reads from a number on, with pauses in which the ring goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    from: u64,
    at: Where,
}

#[derive(Clone, Copy, Debug)]
enum Where {
    Start,
    /// On the way to the first record, from the oldest on or from the newest back.
    Seeks {
        mark: Mark,
        back: bool,
    },
    /// This one was read last.
    Behind(Mark),
}

/// What a step of a reader finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// This record is the next one; its contents were read.
    Record(u64),
    /// It is on its way.
    Seeks,
    /// There is no further one.
    End,
}

impl Reader {
    /// The first record whose number is not below `from`, and those behind it.
    pub(super) const fn new(from: u64) -> Self {
        Self {
            from,
            at: Where::Start,
        }
    }
}

/// ```text
/// record = length u32 | length of the one before u32 | number u64 | contents
/// ```
#[derive(Debug)]
pub(super) struct Ring {
    bytes: Box<[u8]>,
    oldest: usize,
    used: usize,
    newest_len: usize,
    count: u64,
}

const HEAD: usize = 16;

impl Ring {
    /// Its pages are taken from the system when they are first written.
    pub(super) fn new(size: usize) -> Self {
        Self {
            bytes: vec![0; size].into_boxed_slice(),
            oldest: 0,
            used: 0,
            newest_len: 0,
            count: 0,
        }
    }

    /// Numbers must grow. A record that is longer than the ring is not kept.
    pub(super) fn push(&mut self, number: u64, contents: &[&[u8]]) {
        let len = HEAD + contents.iter().map(|part| part.len()).sum::<usize>();
        let Ok(len_on_wire) = u32::try_from(len) else {
            return;
        };
        if len > self.bytes.len() {
            return;
        }
        while self.bytes.len() - self.used < len {
            self.drop_oldest();
        }
        let before = u32::try_from(self.newest_len).unwrap_or(0);
        let mut head = [0; HEAD];
        head[..4].copy_from_slice(&len_on_wire.to_le_bytes());
        head[4..8].copy_from_slice(&before.to_le_bytes());
        head[8..].copy_from_slice(&number.to_le_bytes());
        let mut at = self.place(self.oldest + self.used);
        for part in [&head[..]].iter().chain(contents) {
            at = self.write(at, part);
        }
        self.used += len;
        self.newest_len = len;
        self.count += 1;
    }

    fn drop_oldest(&mut self) {
        let len = self.len_at(self.oldest);
        self.used -= len;
        self.oldest = self.place(self.oldest + len);
        self.count -= 1;
        if self.used == 0 {
            (self.oldest, self.newest_len) = (0, 0);
        }
    }

    /// The next record that a reader finds, within so many steps.
    pub(super) fn step(&self, reader: &mut Reader, steps: usize, into: &mut Vec<u8>) -> Step {
        if self.used == 0 {
            return Step::End;
        }
        let oldest = self.mark(self.oldest);
        let found = match reader.at {
            Where::Start => {
                let newest = self.mark(self.place(self.oldest + self.used - self.newest_len));
                if reader.from > newest.number {
                    return Step::End;
                }
                // From the end that is nearer: who looks live is at the newest.
                let ahead = reader.from.saturating_sub(oldest.number);
                let back = ahead > newest.number - reader.from;
                let mark = if back { newest } else { oldest };
                self.seek(reader, mark, back, steps)
            }
            // What was pushed out meanwhile is older than what is looked for, or all that is left is not.
            Where::Seeks { mark, back } if self.has(mark) => self.seek(reader, mark, back, steps),
            Where::Seeks { .. } => self.seek(reader, oldest, false, steps),
            Where::Behind(mark) if self.has(mark) => match self.next(mark) {
                Some(next) => Some(next),
                None => return Step::End,
            },
            Where::Behind(_) => Some(oldest),
        };
        let Some(mark) = found else {
            return Step::Seeks;
        };
        reader.at = Where::Behind(mark);
        self.read(mark, into);
        Step::Record(mark.number)
    }

    fn seek(&self, reader: &mut Reader, mut mark: Mark, back: bool, steps: usize) -> Option<Mark> {
        for _ in 0..steps {
            if back {
                if mark.at == self.oldest {
                    return Some(mark);
                }
                let len = self.before_at(mark.at);
                let before = self.mark(self.place(mark.at + self.bytes.len() - len));
                if before.number < reader.from {
                    return Some(mark);
                }
                mark = before;
            } else {
                if mark.number >= reader.from {
                    return Some(mark);
                }
                mark = self.next(mark)?;
            }
        }
        reader.at = Where::Seeks { mark, back };
        None
    }

    fn mark(&self, at: usize) -> Mark {
        Mark {
            at,
            number: self.number_at(at),
        }
    }

    fn has(&self, mark: Mark) -> bool {
        self.used > 0 && self.number_at(self.oldest) <= mark.number
    }

    /// The one behind it.
    fn next(&self, mark: Mark) -> Option<Mark> {
        let distance = self.place(mark.at + self.bytes.len() - self.oldest);
        let behind = distance + self.len_at(mark.at);
        (behind < self.used).then(|| self.mark(self.place(self.oldest + behind)))
    }

    /// Replaces what `into` holds by the contents.
    fn read(&self, mark: Mark, into: &mut Vec<u8>) {
        into.clear();
        let len = self.len_at(mark.at) - HEAD;
        let start = self.place(mark.at + HEAD);
        let first = len.min(self.bytes.len() - start);
        into.extend_from_slice(&self.bytes[start..start + first]);
        into.extend_from_slice(&self.bytes[..len - first]);
    }

    /// `at` is less than twice the length. A division would cost more than all the rest of a push.
    const fn place(&self, at: usize) -> usize {
        let len = self.bytes.len();
        if at < len { at } else { at - len }
    }

    fn write(&mut self, at: usize, part: &[u8]) -> usize {
        let first = part.len().min(self.bytes.len() - at);
        let (head, rest) = part.split_at(first);
        self.bytes[at..at + first].copy_from_slice(head);
        self.bytes[..rest.len()].copy_from_slice(rest);
        self.place(at + part.len())
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        if let Some(whole) = self.bytes[at..].first_chunk() {
            return *whole;
        }
        std::array::from_fn(|index| self.bytes[self.place(at + index)])
    }

    fn len_at(&self, at: usize) -> usize {
        u32::from_le_bytes(self.array(at)) as usize
    }

    fn before_at(&self, at: usize) -> usize {
        u32::from_le_bytes(self.array(self.place(at + 4))) as usize
    }

    fn number_at(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.array(self.place(at + 8)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(ring: &Ring, from: u64) -> Vec<(u64, Vec<u8>)> {
        let (mut reader, mut contents, mut found) = (Reader::new(from), Vec::new(), Vec::new());
        loop {
            // So few that it takes many turns.
            match ring.step(&mut reader, 3, &mut contents) {
                Step::Record(number) => found.push((number, contents.clone())),
                Step::Seeks => {}
                Step::End => return found,
            }
        }
    }

    /// The ring goes on between any two steps, by any number of records.
    #[test]
    fn who_reads_while_others_write_gets_what_is_there_in_order() {
        for pushes in 0..8 {
            for from in [0, 60, 61, 100, 139, 140, 150, 500] {
                let mut ring = Ring::new(400);
                let mut newest = 0;
                let mut push = |ring: &mut Ring| {
                    newest += 1;
                    ring.push(newest, &[&[newest as u8; 5]]);
                };
                (0..140).for_each(|_| push(&mut ring));
                let (mut reader, mut contents, mut last) = (Reader::new(from), Vec::new(), None);
                let mut turns = 0;
                loop {
                    let oldest = ring.number_at(ring.oldest);
                    match ring.step(&mut reader, 2, &mut contents) {
                        Step::Record(number) => {
                            assert_eq!(contents, [number as u8; 5]);
                            let next = last.map_or(from, |last: u64| last + 1).max(oldest);
                            assert_eq!(number, next, "{pushes} {from}");
                            last = Some(number);
                        }
                        Step::Seeks => {}
                        Step::End => break,
                    }
                    turns += 1;
                    // Who writes faster than one reads is not followed for ever.
                    if turns < 50 {
                        (0..pushes).for_each(|_| push(&mut ring));
                    }
                }
                assert!(from > 140 || last.is_some(), "{pushes} {from}");
            }
        }
    }

    #[test]
    fn the_newest_records_are_there_whole_whatever_their_lengths() {
        let mut ring = Ring::new(301);
        let mut pushed = Vec::new();
        for number in 0..400_u64 {
            let contents = vec![number as u8; (number * 7 % 61) as usize];
            ring.push(
                number * 2,
                &[
                    &contents[..contents.len() / 2],
                    &contents[contents.len() / 2..],
                ],
            );
            pushed.push((number * 2, contents));
            let found = all(&ring, 0);
            assert_eq!(found.len() as u64, ring.count);
            assert_eq!(found, pushed[pushed.len() - found.len()..]);
            let used: usize = found
                .iter()
                .map(|(_, contents)| contents.len() + HEAD)
                .sum();
            assert!(used <= 301 && used == ring.used);
            for from in 0..=number * 2 + 1 {
                let wanted: Vec<_> = found
                    .iter()
                    .filter(|(number, _)| *number >= from)
                    .cloned()
                    .collect();
                assert_eq!(all(&ring, from), wanted, "from {from}");
            }
        }
    }

    #[test]
    fn a_record_may_fill_the_ring_and_a_longer_one_is_left_out() {
        let mut ring = Ring::new(64);
        ring.push(1, &[b"x"]);
        ring.push(2, &[&[7; 64 - HEAD]]);
        assert_eq!(all(&ring, 0), [(2, vec![7; 64 - HEAD])]);
        ring.push(3, &[&[8; 65 - HEAD]]);
        assert_eq!(all(&ring, 0), [(2, vec![7; 64 - HEAD])]);
        ring.push(4, &[b""]);
        assert_eq!(all(&ring, 0), [(4, Vec::new())]);
    }
}
