//! The chunked transfer coding (RFC 9112 7.1): extensions and trailer are passed over.

use alloc::vec::Vec;
use httparse::Status;

use super::answer::{HEAD_MAX, take, take_through_line_end};
use super::fault::Fault;

/// Bytes of a line with a chunk's size and extensions at most.
const SIZE_LINE_MAX: usize = 1024;

/// A body on its way out of its chunks.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunks {
    state: State,
    /// The line with the size, so far.
    line: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Size,
    Data(u64),
    /// The line end behind a chunk: whether its CR is there.
    DataEnd {
        cr: bool,
    },
    /// Lines behind the last chunk: bytes so far, and what the line that is being received is made of.
    Trailer {
        bytes: usize,
        line: Line,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Empty,
    Cr,
    Text,
}

impl Chunks {
    /// Takes bytes in up to some of the body (an empty slice: more must come); `None`: the body is whole.
    pub(super) fn step<'d>(&mut self, data: &mut &'d [u8]) -> Result<Option<&'d [u8]>, Fault> {
        while !data.is_empty() {
            match self.state {
                State::Size => self.size(data)?,
                State::Data(left) => return Ok(Some(self.data(data, left))),
                State::DataEnd { cr } => self.data_end(data, cr)?,
                State::Trailer { bytes, line } => {
                    if self.trailer(data, bytes, line)? {
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
            0 => State::Trailer { bytes: 0, line: Line::Empty },
            size => State::Data(size),
        };
        Ok(())
    }

    fn data<'d>(&mut self, data: &mut &'d [u8], left: u64) -> &'d [u8] {
        let body = take(data, left);
        let left = left - body.len() as u64;
        self.state = if left == 0 { State::DataEnd { cr: false } } else { State::Data(left) };
        body
    }

    fn data_end(&mut self, data: &mut &[u8], cr: bool) -> Result<(), Fault> {
        self.state = match (take(data, 1), cr) {
            (b"\r", false) => State::DataEnd { cr: true },
            (b"\n", true) => State::Size,
            _ => return Err(Fault::BadChunk),
        };
        Ok(())
    }

    /// Says whether the empty line behind the trailer is there.
    fn trailer(&mut self, data: &mut &[u8], bytes: usize, line: Line) -> Result<bool, Fault> {
        let taken = take_through_line_end(data);
        let bytes = bytes + taken.len();
        if bytes > HEAD_MAX {
            return Err(Fault::TrailerTooLong);
        }
        let blank = match line {
            Line::Empty => matches!(taken, b"\n" | b"\r\n"),
            Line::Cr => taken == b"\n",
            Line::Text => false,
        };
        let line = match (taken, line) {
            (b"\r", Line::Empty) => Line::Cr,
            _ if taken.ends_with(b"\n") => Line::Empty,
            _ => Line::Text,
        };
        self.state = State::Trailer { bytes, line };
        Ok(blank)
    }
}

/// `httparse` reads a line without digits as 0; it is none.
fn read_size(line: &[u8]) -> Result<u64, Fault> {
    if !line.first().is_some_and(u8::is_ascii_hexdigit) {
        return Err(Fault::BadChunk);
    }
    match httparse::parse_chunk_size(line) {
        Ok(Status::Complete((end, size))) if end == line.len() => Ok(size),
        Ok(Status::Complete(_) | Status::Partial) | Err(_) => Err(Fault::BadChunk),
    }
}
