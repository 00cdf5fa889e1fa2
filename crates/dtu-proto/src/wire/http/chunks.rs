//! The chunked transfer coding (RFC 9112 7.1), as tolerant as clients are: extensions and trailer are passed over, and a
//! LF ends a line with or without its CR.

use alloc::vec::Vec;

use super::bytes::{is_line_end, take, take_through_line_end};
use super::fault::{Fault, HEAD_MAX};

/// Bytes of a line with a chunk's size and extensions at most.
const SIZE_LINE_MAX: usize = 1024;

/// A body on its way out of its chunks.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunks {
    state: State,
    /// The line with the size, or the one behind a chunk, so far.
    line: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Size,
    Data(u64),
    /// The line end behind a chunk.
    DataEnd,
    /// Lines behind the last chunk: bytes so far, and whether the line that is being received has a text.
    Trailer {
        bytes: usize,
        text: bool,
    },
}

impl Chunks {
    /// Takes bytes in up to some of the body (an empty slice: more must come); `None`: the body is whole.
    pub(super) fn step<'d>(&mut self, data: &mut &'d [u8]) -> Result<Option<&'d [u8]>, Fault> {
        while !data.is_empty() {
            match self.state {
                State::Size => self.size(data)?,
                State::Data(left) => return Ok(Some(self.data(data, left))),
                State::DataEnd => self.data_end(data)?,
                State::Trailer { bytes, text } => {
                    if self.trailer(data, bytes, text)? {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(Some(&[]))
    }

    fn size(&mut self, data: &mut &[u8]) -> Result<(), Fault> {
        let line = take_through_line_end(data);
        if self.line.len() + line.len() > SIZE_LINE_MAX {
            return Err(Fault::BadChunk);
        }
        self.line.extend_from_slice(line);
        if !self.line.ends_with(b"\n") {
            return Ok(());
        }
        let size = read_size(&self.line)?;
        self.line.clear();
        self.state = match size {
            0 => State::Trailer {
                bytes: 0,
                text: false,
            },
            size => State::Data(size),
        };
        Ok(())
    }

    fn data<'d>(&mut self, data: &mut &'d [u8], left: u64) -> &'d [u8] {
        let body = take(data, left);
        let left = left - body.len() as u64;
        self.state = if left == 0 {
            State::DataEnd
        } else {
            State::Data(left)
        };
        body
    }

    fn data_end(&mut self, data: &mut &[u8]) -> Result<(), Fault> {
        let end = take_through_line_end(data);
        if !is_line_end(end) || self.line.len() + end.len() > SIZE_LINE_MAX {
            return Err(Fault::BadChunk);
        }
        self.line.extend_from_slice(end);
        if end.ends_with(b"\n") {
            self.line.clear();
            self.state = State::Size;
        }
        Ok(())
    }

    /// Says whether the empty line behind the trailer is there.
    fn trailer(&mut self, data: &mut &[u8], bytes: usize, text: bool) -> Result<bool, Fault> {
        let taken = take_through_line_end(data);
        let bytes = bytes + taken.len();
        if bytes > HEAD_MAX {
            return Err(Fault::TrailerTooLong);
        }
        let (ends, text) = (taken.ends_with(b"\n"), text || !is_line_end(taken));
        self.state = State::Trailer {
            bytes,
            text: text && !ends,
        };
        Ok(ends && !text)
    }
}

/// The digits in front; a blank or a `;` ends them, and what stands behind it is passed over.
fn read_size(line: &[u8]) -> Result<u64, Fault> {
    let digits = line
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let (digits, behind) = line.split_at(digits);
    if behind
        .first()
        .is_some_and(|byte| byte.is_ascii_graphic() && *byte != b';')
    {
        return Err(Fault::BadChunk);
    }
    let digits = core::str::from_utf8(digits).map_err(|_| Fault::BadChunk)?;
    u64::from_str_radix(digits, 16).map_err(|_| Fault::BadChunk)
}
