//! One frame in a file: length (4 bytes), number (8), CRC-32 of these and the frame (4), the frame. Low byte first.
//!
//! Damage costs the records that it touches: the reader goes on with the next whole one.

use bytes::{Buf as _, Bytes};

/// Bytes of a frame at most: the biggest datagram. A longer one in a file is damage.
pub(super) const MAX_FRAME: usize = 65_536;
const HEAD: usize = 16;

pub(super) fn encode(out: &mut Vec<u8>, number: u64, frame: &[u8]) {
    let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&checksum(length, number, frame).to_le_bytes());
    out.extend_from_slice(frame);
}

/// Bytes of a frame's record.
pub(super) const fn size(frame: &Bytes) -> u64 {
    (HEAD + frame.len()) as u64
}

/// Frames that were there and are not any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Their number.
    pub(crate) frames: u64,
    /// Their bytes, as far as can be known.
    pub(crate) bytes: u64,
}

impl std::ops::AddAssign for Lost {
    fn add_assign(&mut self, other: Self) {
        self.frames += other.frames;
        self.bytes += other.bytes;
    }
}

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// The whole records; their numbers grow.
    pub(super) records: Vec<(u64, Bytes)>,
    pub(super) lost: Lost,
    /// Something in the file belongs to no whole record.
    pub(super) is_damaged: bool,
    /// The damage reaches to its end; what that cost is in `lost`.
    pub(super) is_cut: bool,
}

/// The numbers that a file may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    /// The least.
    pub(super) from: u64,
    /// Below this; `None` where nobody knows.
    pub(super) until: Option<u64>,
    /// The number behind the last record that was written, where anybody noted it. There may be more.
    pub(super) written: u64,
    /// Those below this are done with: their loss is none.
    pub(super) released: u64,
}

impl Numbers {
    /// What damage of so many bytes at the end of a file has cost, where the next number was `first`.
    pub(super) fn end(&self, gap: u64, first: u64) -> Lost {
        match self.written.checked_sub(first) {
            Some(frames @ 1..) if self.until.is_none() => Lost {
                frames,
                bytes: gap.saturating_sub(frames * HEAD as u64),
            },
            _ => lost(gap, first, self.until),
        }
    }
}

/// Reads a file, over damage.
pub(super) fn read(bytes: &Bytes, numbers: Numbers) -> Reading {
    let mut reading = Reading::default();
    let (mut rest, mut next) = (bytes.clone(), numbers.from);
    let fits =
        |number: u64, next: u64| number >= next && numbers.until.is_none_or(|until| number < until);
    while !rest.is_empty() {
        let found = next_whole(&rest, |number| fits(number, next));
        let gap = found.as_ref().map_or(rest.len(), |(at, ..)| *at);
        if gap > 0 {
            reading.is_damaged = true;
            let first = next.max(numbers.released);
            reading.lost += match &found {
                Some((_, number, _)) => lost(gap as u64, first, Some(*number)),
                None => numbers.end(gap as u64, first),
            };
            reading.is_cut = found.is_none();
        }
        let Some((at, number, frame)) = found else {
            break;
        };
        rest.advance(at + HEAD + frame.len());
        next = number.saturating_add(1);
        reading.records.push((number, frame));
    }
    reading
}

/// The next whole record of an allowed number, and where it begins. A record whose frame is damaged says itself where
/// the next one begins; so something inside a frame is hardly ever taken for a record.
fn next_whole(bytes: &Bytes, allowed: impl Fn(u64) -> bool) -> Option<(usize, u64, Bytes)> {
    let whole = |at: usize| {
        let (number, frame) = decode(bytes, at, &allowed)?;
        Some((at, number, frame))
    };
    if let Some(first) = whole(0) {
        return Some(first);
    }
    let behind = length_at(bytes, 0).and_then(|length| whole(HEAD + length));
    // Where the length itself is damaged, it may name a record behind the next.
    let (end, below) = behind
        .as_ref()
        .map_or((bytes.len(), None), |(at, number, _)| (*at, Some(*number)));
    let between = (1..end)
        .filter_map(whole)
        .find(|(_, number, _)| below.is_none_or(|below| *number < below));
    between.or(behind)
}

fn length_at(bytes: &Bytes, at: usize) -> Option<usize> {
    let length = bytes.get(at..at.checked_add(HEAD)?)?.get_u32_le();
    usize::try_from(length)
        .ok()
        .filter(|length| *length <= MAX_FRAME)
}

/// The number is looked at first: a checksum at each byte of a damaged file would take seconds.
fn decode(bytes: &Bytes, at: usize, allowed: impl Fn(u64) -> bool) -> Option<(u64, Bytes)> {
    let size = length_at(bytes, at)?;
    let (mut head, begin) = (bytes.get(at..at + HEAD)?, at + HEAD);
    let (length, number, crc) = (head.get_u32_le(), head.get_u64_le(), head.get_u32_le());
    if !allowed(number) {
        return None;
    }
    let frame = bytes.get(begin..begin.checked_add(size)?)?;
    (checksum(length, number, frame) == crc).then(|| (number, bytes.slice_ref(frame)))
}

/// What a gap of so many bytes has cost: the numbers that are missing, but no more records than it can have held. Where
/// the numbers do not tell, it was one.
pub(super) fn lost(gap: u64, first: u64, behind: Option<u64>) -> Lost {
    let most = (gap / HEAD as u64).max(1);
    let frames = behind.map_or(1, |behind| behind.saturating_sub(first).min(most));
    let bytes = if frames == 0 {
        0
    } else {
        gap.saturating_sub(frames * HEAD as u64)
    };
    Lost { frames, bytes }
}

fn checksum(length: u32, number: u64, frame: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(&number.to_le_bytes());
    hasher.update(frame);
    hasher.finalize()
}
