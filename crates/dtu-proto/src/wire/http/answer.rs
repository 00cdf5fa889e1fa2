//! An answer, taken in as it comes.

use alloc::vec::Vec;

use super::bytes::{is_line_end, take, take_through_line_end};
use super::chunks::Chunks;
use super::fault::{Fault, HEAD_MAX};
use super::framing::{Framing, Head};

/// Answers of the kind 1xx, and empty lines, before the answer that counts.
const INTERIM_MAX: u8 = 16;

/// One answer. [`Answer::step`] takes bytes in until [`Step::End`].
#[derive(Clone, Debug, Default)]
pub struct Answer {
    state: State,
    /// The head so far, then the whole head, as received.
    head: Vec<u8>,
    /// Where the line that is being received begins in `head`.
    line: usize,
    interim: u8,
    known: Option<Head>,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Head,
    Chunked(Chunks),
    Counted(u64),
    UntilClose,
    Ended,
}

/// What [`Answer::step`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'d> {
    /// All bytes are taken in; more must come.
    More,
    /// The head is whole: [`Answer::head`], [`Answer::status`].
    Head,
    /// Bytes of the body, without the marks of chunks; never empty.
    Body(&'d [u8]),
    /// The answer is whole. Bytes that are left do not belong to it.
    End,
}

impl Answer {
    /// Nothing of it has come.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes from the front of `data`, up to the next thing to tell. How the bytes were cut into reads changes
    /// nothing but where bodies are cut.
    ///
    /// # Errors
    ///
    /// The bytes are no answer. There is no way to go on.
    pub fn step<'d>(&mut self, data: &mut &'d [u8]) -> Result<Step<'d>, Fault> {
        match &mut self.state {
            State::Head => self.head_step(data),
            State::Counted(0) => Ok(self.end()),
            State::Counted(left) => {
                let body = take(data, *left);
                *left -= body.len() as u64;
                Ok(told(body))
            }
            State::UntilClose => Ok(told(take(data, u64::MAX))),
            State::Chunked(chunks) => match chunks.step(data)? {
                Some(body) => Ok(told(body)),
                None => Ok(self.end()),
            },
            State::Ended => Ok(Step::End),
        }
    }

    /// The server has closed the connection in good order.
    ///
    /// # Errors
    ///
    /// That was no end of the answer.
    pub const fn closed(&self) -> Result<(), Fault> {
        match self.state {
            State::UntilClose | State::Ended | State::Counted(0) => Ok(()),
            State::Head => Err(Fault::HeadCut),
            State::Counted(_) | State::Chunked(_) => Err(Fault::BodyCut),
        }
    }

    /// The status, once the head is whole.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.known.as_ref().map(|head| head.status)
    }

    /// Where the server wants the client to go, if it says so.
    #[must_use]
    pub fn location(&self) -> Option<&[u8]> {
        self.known
            .as_ref()
            .and_then(|head| head.location.as_deref())
    }

    /// Status line and fields as received, to the empty line, once they are whole.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        if self.known.is_some() {
            &self.head
        } else {
            &[]
        }
    }

    /// Whether the connection can carry another request behind this answer: it has an end of its own, and the server
    /// does not close.
    #[must_use]
    pub fn may_go_on(&self) -> bool {
        self.known
            .as_ref()
            .is_some_and(|head| head.keeps && head.framing != Framing::UntilClose)
    }

    /// `Keep-Alive: timeout`: so many seconds after this answer the server closes a connection that is idle.
    #[must_use]
    pub fn keeps_for(&self) -> Option<u64> {
        self.known.as_ref().and_then(|head| head.keeps_for)
    }

    fn end(&mut self) -> Step<'static> {
        self.state = State::Ended;
        Step::End
    }

    fn head_step<'d>(&mut self, data: &mut &'d [u8]) -> Result<Step<'d>, Fault> {
        while let Some(whole) = self.take_line(data)? {
            if whole && self.head_line()? {
                return Ok(Step::Head);
            }
        }
        Ok(Step::More)
    }

    /// Takes bytes up to the end of a line. Whether the line is whole; `None` = there is nothing to take.
    fn take_line(&mut self, data: &mut &[u8]) -> Result<Option<bool>, Fault> {
        let line = take_through_line_end(data);
        if line.is_empty() {
            return Ok(None);
        }
        if self.head.len() + line.len() > HEAD_MAX {
            return Err(Fault::HeadTooLong);
        }
        self.head.extend_from_slice(line);
        Ok(Some(line.ends_with(b"\n")))
    }

    /// A line of the head is whole. Says whether the head is.
    fn head_line(&mut self) -> Result<bool, Fault> {
        let begin = core::mem::replace(&mut self.line, self.head.len());
        let blank = is_line_end(&self.head[begin..]);
        match (begin, blank) {
            // Empty lines in front of the status line mean nothing (RFC 9112 2.2).
            (0, true) => self.forget_interim().map(|()| false),
            // A fault in the status line is found as soon as it is whole.
            (0, false) => Head::parse(&self.head).map(|_| false),
            (_, false) => Ok(false),
            (_, true) => self.head_end(),
        }
    }

    fn head_end(&mut self) -> Result<bool, Fault> {
        let head = Head::parse(&self.head)?.ok_or(Fault::BadField)?;
        if head.is_interim() {
            return self.forget_interim().map(|()| false);
        }
        self.begin_body(head);
        Ok(true)
    }

    fn forget_interim(&mut self) -> Result<(), Fault> {
        self.head.clear();
        self.line = 0;
        self.interim += 1;
        if self.interim > INTERIM_MAX {
            Err(Fault::TooManyInterim)
        } else {
            Ok(())
        }
    }

    fn begin_body(&mut self, head: Head) {
        self.state = match head.framing {
            Framing::Chunked => State::Chunked(Chunks::default()),
            Framing::Counted(length) => State::Counted(length),
            Framing::UntilClose => State::UntilClose,
        };
        self.known = Some(head);
    }
}

/// Body bytes, if there are any.
const fn told(body: &[u8]) -> Step<'_> {
    if body.is_empty() {
        Step::More
    } else {
        Step::Body(body)
    }
}
