//! One frame in a file: length (4 bytes), number (8), CRC-32 of these and the frame (4), the frame. Low byte first.

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

/// The whole records at the start of `bytes` with numbers from `next` that grow, and their length.
pub(super) fn decode_all(bytes: &Bytes, mut next: u64) -> (Vec<(u64, Bytes)>, usize) {
    let mut rest = bytes.clone();
    let mut records = Vec::new();
    while let Some((number, frame)) = decode(&rest).filter(|(number, _)| *number >= next) {
        rest.advance(HEAD + frame.len());
        next = number.saturating_add(1);
        records.push((number, frame));
    }
    (records, bytes.len() - rest.len())
}

fn decode(bytes: &Bytes) -> Option<(u64, Bytes)> {
    let mut head = bytes.get(..HEAD)?;
    let (length, number, crc) = (head.get_u32_le(), head.get_u64_le(), head.get_u32_le());
    let size = usize::try_from(length).ok().filter(|size| *size <= MAX_FRAME)?;
    let frame = bytes.get(HEAD..HEAD + size)?;
    (checksum(length, number, frame) == crc).then(|| (number, bytes.slice_ref(frame)))
}

fn checksum(length: u32, number: u64, frame: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(&number.to_le_bytes());
    hasher.update(frame);
    hasher.finalize()
}
