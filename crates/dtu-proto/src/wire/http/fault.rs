//! What is wrong with an answer.

use core::fmt;

/// Bytes of an answer's head at most, and of its trailer.
pub const HEAD_MAX: usize = 16 * 1024;
/// Fields of a head at most.
pub const FIELDS_MAX: usize = 100;

/// Why what came is no answer, or not a whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The first line is no status line of HTTP/1.0 or HTTP/1.1.
    NotHttp,
    /// A line of the head is no field.
    BadField,
    /// The head has more than [`HEAD_MAX`] bytes.
    HeadTooLong,
    /// The head has more than [`FIELDS_MAX`] fields.
    TooManyFields,
    /// Too many answers of the kind 1xx, and none that ends the request.
    TooManyInterim,
    /// 101: the server goes on in a protocol that nobody asked for.
    Switching,
    /// `Content-Length` is no number, or two of them differ.
    BadLength,
    /// A transfer coding other than `chunked`.
    UnknownCoding,
    /// A chunk does not begin or end as it should.
    BadChunk,
    /// The trailer has more than [`HEAD_MAX`] bytes.
    TrailerTooLong,
    /// The connection ended before the head was whole.
    HeadCut,
    /// The connection ended before the body was whole.
    BodyCut,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::NotHttp => "the answer is not HTTP/1.0 or HTTP/1.1",
            Self::BadField => "the head of the answer has a bad line",
            Self::HeadTooLong => {
                return write!(f, "the head of the answer has more than {HEAD_MAX} bytes");
            }
            Self::TooManyFields => {
                return write!(f, "the answer has more than {FIELDS_MAX} head lines");
            }
            Self::TooManyInterim => "too many answers of the kind 1xx",
            Self::Switching => "the server changes the protocol (101)",
            Self::BadLength => "the Content-Length of the answer is bad",
            Self::UnknownCoding => "the answer has an unknown Transfer-Encoding",
            Self::BadChunk => "a chunk of the answer is bad",
            Self::TrailerTooLong => {
                return write!(
                    f,
                    "the trailer of the answer has more than {HEAD_MAX} bytes"
                );
            }
            Self::HeadCut => "the connection ended in the head of the answer",
            Self::BodyCut => "the connection ended in the body of the answer",
        };
        f.write_str(text)
    }
}

impl core::error::Error for Fault {}
