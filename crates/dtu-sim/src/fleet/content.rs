//! What is in a frame: whose it is, its number, and a filling that can be told from every other. So an answer is checked
//! without keeping what was sent.
//!
//! `[00002a.0000007]` (device 42, frame 7; sixteen bytes) and letters up to its length, which follows from the seed, the
//! device and the number.

use std::ops::{Range, RangeInclusive};

use super::recorded::Recorded;
use super::script::Script;

/// The head of a frame, and the shortest frame.
pub const HEAD: usize = 16;
/// The first byte of a frame.
pub(crate) const HEAD_BEGINS: u8 = b'[';
/// The longest: what a device takes as one frame.
pub const LONGEST: usize = 1024;
/// Numbers of frames of one device.
pub(super) const NUMBERS: u32 = 1 << 28;

/// The frames of a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// How long they are.
    pub length: RangeInclusive<u16>,
    /// What the lengths are drawn from.
    pub seed: u64,
    /// Sent instead, as it is: no number is in it, and nothing can be checked.
    pub recorded: Option<Recorded>,
    /// Sent instead, each with an answer of its own.
    pub script: Option<Script>,
}

impl Content {
    /// Bytes of a frame.
    #[must_use]
    pub fn length(&self, device: u32, number: u32) -> usize {
        if let Some(recorded) = &self.recorded {
            return recorded.bytes(number).len();
        }
        if let Some(script) = &self.script {
            return script.frame(device, number).len();
        }
        let (low, high) = (*self.length.start(), *self.length.end());
        if low == high {
            return usize::from(low);
        }
        let span = u64::from(high.saturating_sub(low)) + 1;
        let drawn = mix(self.seed ^ (u64::from(device) << 32 | u64::from(number))) % span;
        usize::from(low) + usize::try_from(drawn).unwrap_or(0)
    }

    /// Bytes of the longest.
    #[must_use]
    pub fn longest(&self) -> usize {
        let longest = match (&self.recorded, &self.script) {
            (Some(recorded), _) => recorded.longest(),
            (None, Some(script)) => script.longest(),
            (None, None) => usize::from(*self.length.end()),
        };
        longest.max(1)
    }

    /// Puts a frame behind what is in `out`.
    pub fn write(&self, device: u32, number: u32, out: &mut Vec<u8>) {
        if let Some(recorded) = &self.recorded {
            return out.extend_from_slice(recorded.bytes(number));
        }
        if let Some(script) = &self.script {
            return out.extend(script.frame(device, number));
        }
        let length = self.length(device, number);
        out.extend_from_slice(&head(device, number));
        out.extend_from_slice(filling(device, number, HEAD..length));
    }
}

fn head(device: u32, number: u32) -> [u8; HEAD] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let hex = |value: u32, place: usize, digits: usize| {
        HEX[(value >> (4 * (digits - 1 - place)) & 15) as usize]
    };
    std::array::from_fn(|place| match place {
        0 => b'[',
        1..=6 => hex(device, place - 1, 6),
        7 => b'.',
        8..=14 => hex(number, place - 8, 7),
        _ => b']',
    })
}

fn read_head(head: &[u8; HEAD]) -> Option<(u32, u32)> {
    let hex = |bytes: &[u8]| {
        let (mut value, mut wrong) = (0_u32, false);
        for byte in bytes {
            let (digit, letter) = (byte.wrapping_sub(b'0'), byte.wrapping_sub(b'a'));
            wrong |= digit > 9 && letter > 5;
            let digit = if digit > 9 {
                letter.wrapping_add(10)
            } else {
                digit
            };
            value = value << 4 | u32::from(digit & 15);
        }
        (!wrong).then_some(value)
    };
    (head[0] == HEAD_BEGINS && head[7] == b'.' && head[15] == b']')
        .then(|| Some((hex(&head[1..7])?, hex(&head[8..15])?)))?
}

/// The number of the last frame of this device that begins in these bytes.
pub(super) fn last_head(device: u32, bytes: &[u8]) -> Option<u32> {
    let heads = bytes.windows(HEAD).rev();
    let mut found = heads.filter_map(|head| read_head(head.try_into().ok()?));
    found.find_map(|(whose, number)| (whose == device).then_some(number))
}

/// Letters in their order, so many that a frame finds its own in one piece.
const LETTERS: [u8; LONGEST + 26] = {
    let mut letters = [0; LONGEST + 26];
    let mut place = 0;
    while place < letters.len() {
        letters[place] = b'a' + (place % 26) as u8;
        place += 1;
    }
    letters
};

/// What is at these places of a frame.
fn filling(device: u32, number: u32, places: Range<usize>) -> &'static [u8] {
    let first = device as usize * 3 + number as usize * 7 + places.start;
    let all = LETTERS.get(first % 26..).unwrap_or_default();
    all.get(..places.len()).unwrap_or_default()
}

const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Finds frames in what comes back to one device, in pieces of any length.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    head: [u8; HEAD],
    /// Bytes of the frame that are there.
    have: u16,
    /// Of the whole frame.
    length: u16,
    number: u32,
    /// Bytes that belong to no frame, since it was last asked.
    other: u32,
}

/// What a reader found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A whole frame of this device.
    Frame(u32),
    /// A whole head of a frame of another device.
    Stranger(u32),
    /// A frame that broke off, or has other bytes in it than were sent.
    Damaged,
}

impl Reader {
    /// Takes bytes; tells what it finds in them.
    pub(super) fn feed(
        &mut self,
        content: &Content,
        device: u32,
        bytes: &[u8],
        mut tell: impl FnMut(Found),
    ) {
        let mut rest = bytes;
        while let Some(byte) = rest.first() {
            let taken = match self.take_head(content, device, rest, &mut tell) {
                0 => self.take_letters(device, rest, &mut tell),
                taken => taken,
            };
            if taken == 0 {
                self.take(content, device, *byte, &mut tell);
            }
            rest = rest.get(taken.max(1)..).unwrap_or_default();
        }
    }

    /// Bytes that belong to no frame, since this was last asked.
    pub(super) const fn take_other(&mut self) -> u32 {
        let other = self.other;
        self.other = 0;
        other
    }

    /// Takes a whole head of a frame of this device, where a frame may begin; says how many bytes that were.
    fn take_head(
        &mut self,
        content: &Content,
        device: u32,
        bytes: &[u8],
        tell: &mut impl FnMut(Found),
    ) -> usize {
        let head = bytes.first_chunk().filter(|_| self.have == 0);
        let Some((_, number)) = head
            .and_then(read_head)
            .filter(|(whose, _)| *whose == device)
        else {
            return 0;
        };
        self.begin(content, device, number, tell);
        HEAD
    }

    /// Its head is there.
    fn begin(&mut self, content: &Content, device: u32, number: u32, tell: &mut impl FnMut(Found)) {
        self.have = HEAD as u16;
        self.number = number;
        self.length = content.length(device, number) as u16;
        self.end(tell);
    }

    /// Takes as many bytes as the frame behind its head still has, if all of them are right; says how many.
    fn take_letters(&mut self, device: u32, bytes: &[u8], tell: &mut impl FnMut(Found)) -> usize {
        let place = usize::from(self.have);
        if place < HEAD {
            return 0;
        }
        let length = usize::from(self.length);
        let count = bytes.len().min(length - place);
        let wanted = filling(device, self.number, place..place + count);
        if bytes.get(..count) != Some(wanted) {
            return 0;
        }
        self.have += count as u16;
        self.end(tell);
        count
    }

    /// The frame may be whole.
    fn end(&mut self, tell: &mut impl FnMut(Found)) {
        if self.have == self.length {
            self.have = 0;
            tell(Found::Frame(self.number));
        }
    }

    fn take(&mut self, content: &Content, device: u32, byte: u8, tell: &mut impl FnMut(Found)) {
        let place = usize::from(self.have);
        if place >= HEAD {
            if filling(device, self.number, place..place + 1) != [byte] {
                self.have = 0;
                tell(Found::Damaged);
                // It may be where the next begins: the rest of this one was never sent.
                return self.take(content, device, byte, tell);
            }
            self.have += 1;
            return self.end(tell);
        }
        if byte == HEAD_BEGINS || (place > 0 && fits(place, byte)) {
            if byte == HEAD_BEGINS && place > 0 {
                self.other += u32::from(self.have);
                self.have = 0;
            }
            self.head[usize::from(self.have)] = byte;
        } else {
            self.other += u32::from(self.have) + 1;
            self.have = 0;
            return;
        }
        self.have += 1;
        if usize::from(self.have) == HEAD {
            let Some((whose, number)) = read_head(&self.head) else {
                self.other += HEAD as u32;
                self.have = 0;
                return;
            };
            if whose != device {
                self.have = 0;
                return tell(Found::Stranger(whose));
            }
            self.begin(content, device, number, tell);
        }
    }
}

fn fits(place: usize, byte: u8) -> bool {
    match place {
        7 => byte == b'.',
        15 => byte == b']',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONTENT: Content = Content {
        length: 16..=80,
        seed: 7,
        recorded: None,
        script: None,
    };

    fn frame(device: u32, number: u32) -> Vec<u8> {
        let mut frame = Vec::new();
        CONTENT.write(device, number, &mut frame);
        frame
    }

    fn found(reader: &mut Reader, bytes: &[u8]) -> Vec<Found> {
        let mut all = Vec::new();
        reader.feed(&CONTENT, 42, bytes, |found| all.push(found));
        all
    }

    #[test]
    fn a_frame_says_whose_it_is() {
        let sixteen = Content {
            length: 16..=18,
            seed: 1,
            recorded: None,
            script: None,
        };
        let mut out = Vec::new();
        sixteen.write(42, 7, &mut out);
        assert!(out.starts_with(b"[00002a.0000007]"), "{out:?}");
    }

    #[test]
    fn what_is_wrong_with_an_answer_is_told() {
        let mut reader = Reader::default();
        let good = frame(42, 1);
        assert_eq!(found(&mut reader, b"USR-GPRS232-DTU\r\n"), []);
        assert_eq!(reader.take_other(), 17);
        assert_eq!(found(&mut reader, &good), [Found::Frame(1)]);
        // A connection broke off; what is asked again comes whole.
        let long = (2..)
            .find(|number| CONTENT.length(42, *number) > 20)
            .unwrap();
        let long = (long, frame(42, long));
        assert_eq!(found(&mut reader, &long.1[..18]), []);
        assert_eq!(
            found(&mut reader, &long.1),
            [Found::Damaged, Found::Frame(long.0)]
        );
        // A byte was changed.
        let mut bent = long.1.clone();
        bent[17] = b'X';
        assert_eq!(found(&mut reader, &bent)[0], Found::Damaged);
        assert_eq!(found(&mut reader, &frame(41, 1))[0], Found::Stranger(41));
        assert_eq!(found(&mut reader, &good), [Found::Frame(1)]);
    }

    proptest! {
        #[test]
        fn frames_are_found_in_pieces_of_any_length(
            numbers in prop::collection::vec(0_u32..NUMBERS, 1..20),
            cuts in prop::collection::vec(1_usize..40, 1..60),
            noise in "[ -Z^-~]{0,20}",
        ) {
            let mut stream = Vec::new();
            for number in &numbers {
                stream.extend_from_slice(noise.as_bytes());
                stream.extend(frame(42, *number));
            }
            let mut reader = Reader::default();
            let (mut all, mut rest) = (Vec::new(), &stream[..]);
            for cut in cuts.iter().cycle() {
                let (piece, behind) = rest.split_at((*cut).min(rest.len()));
                all.extend(found(&mut reader, piece));
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
            let wanted: Vec<Found> = numbers.iter().map(|number| Found::Frame(*number)).collect();
            prop_assert_eq!(all, wanted);
            prop_assert_eq!(reader.take_other() as usize, noise.len() * numbers.len());
        }
    }
}
