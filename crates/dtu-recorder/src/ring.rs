//! A ring of bytes that holds records of any length. A new one takes the place of the oldest.

/// Where a record begins; good until the next push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(usize);

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

    /// The first record whose number is not below `number`.
    pub(super) fn find(&self, number: u64) -> Option<Mark> {
        if self.used == 0 {
            return None;
        }
        let newest = self.place(self.oldest + self.used - self.newest_len);
        let (first, last) = (self.number_at(self.oldest), self.number_at(newest));
        if number > last {
            return None;
        }
        // From the end that is nearer: who looks live is at the newest.
        if number <= first || number - first < last - number {
            let mut at = self.oldest;
            while self.number_at(at) < number {
                at = self.place(at + self.len_at(at));
            }
            return Some(Mark(at));
        }
        let mut at = newest;
        loop {
            let before = self.place(at + self.bytes.len() - self.before_at(at));
            if self.number_at(before) < number {
                return Some(Mark(at));
            }
            at = before;
        }
    }

    /// The one behind it.
    pub(super) fn next(&self, mark: Mark) -> Option<Mark> {
        let distance = self.place(mark.0 + self.bytes.len() - self.oldest);
        let behind = distance + self.len_at(mark.0);
        (behind < self.used).then(|| Mark(self.place(self.oldest + behind)))
    }

    pub(super) fn number(&self, mark: Mark) -> u64 {
        self.number_at(mark.0)
    }

    /// Replaces what `into` holds by the contents.
    pub(super) fn read(&self, mark: Mark, into: &mut Vec<u8>) {
        into.clear();
        let len = self.len_at(mark.0) - HEAD;
        let start = self.place(mark.0 + HEAD);
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
        let mut found = Vec::new();
        let mut mark = ring.find(from);
        while let Some(at) = mark {
            let mut contents = Vec::new();
            ring.read(at, &mut contents);
            found.push((ring.number(at), contents));
            mark = ring.next(at);
        }
        found
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
