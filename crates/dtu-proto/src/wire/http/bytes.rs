//! Bytes taken from the front of what came.

/// At most so many bytes from the front.
pub(super) fn take<'d>(data: &mut &'d [u8], most: u64) -> &'d [u8] {
    let count = usize::try_from(most).unwrap_or(usize::MAX).min(data.len());
    let (taken, rest) = data.split_at(count);
    *data = rest;
    taken
}

/// Whether nothing but the end of a line, or of the beginning of one, stands there. A LF needs no CR; and a program that
/// writes CRLF through a text file of Windows makes CRCRLF of it.
pub(super) fn is_line_end(bytes: &[u8]) -> bool {
    // mutant: bare-lf
    bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
}

/// Bytes up to and with the next line feed, or all.
pub(super) fn take_through_line_end<'d>(data: &mut &'d [u8]) -> &'d [u8] {
    let end = data
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(data.len(), |at| at + 1);
    let (taken, rest) = data.split_at(end);
    *data = rest;
    taken
}
