//! The serial line, and the DTE at its other end.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem::take;

use super::{Bench, text};
use crate::config::LineFormat;
use crate::event::{Input, SerialInput, SerialOutput};

/// The serial line. The DTE reads until it is told not to.
#[derive(Default)]
pub struct Line {
    /// Each rate and format that was set.
    pub configured: Vec<LineFormat>,
    printed: Vec<u8>,
    /// Bytes printed since power-on, also where they are not kept.
    printed_bytes: u64,
    stopped: bool,
    /// Length of the write that the DTE has not taken.
    unread: Option<usize>,
    /// The device has not been told what became of its last order.
    outstanding: bool,
}

impl Line {
    /// Bytes that the DTE took since power-on.
    #[must_use]
    pub const fn printed_bytes(&self) -> u64 {
        self.printed_bytes
    }

    pub(super) fn told(&mut self, news: SerialInput<'_>) {
        if let SerialInput::Written | SerialInput::Configured(_) | SerialInput::Discarded(_) = news
        {
            self.outstanding = false;
        }
    }

    pub(super) fn forget(&mut self) {
        (self.printed, self.configured) = (Vec::new(), Vec::new());
    }

    fn write(&mut self, bytes: &[u8], lean: bool) {
        self.printed_bytes += bytes.len() as u64;
        if !lean {
            self.printed.extend_from_slice(bytes);
        }
    }

    /// What is left of the outstanding write.
    fn discard(&mut self) -> usize {
        let left = self.unread.take().unwrap_or_default();
        self.printed_bytes -= left as u64;
        self.printed
            .truncate(self.printed.len().saturating_sub(left));
        left
    }
}

impl Bench {
    /// The DTE sends, and the host reads it at once.
    #[track_caller]
    pub fn serial(&mut self, data: impl AsRef<[u8]>) -> &mut Self {
        self.input(Input::Serial(SerialInput::Data(data.as_ref())))
    }

    /// What was printed to the DTE since the last look was exactly this.
    ///
    /// # Panics
    /// It was something else.
    #[track_caller]
    pub fn prints(&mut self, data: impl AsRef<[u8]>) -> &mut Self {
        let printed = self.take_printed();
        assert_eq!(text(&printed), text(data.as_ref()), "at {:?}", self.now);
        self
    }

    /// Nothing was printed to the DTE since the last look.
    #[track_caller]
    pub fn prints_nothing(&mut self) -> &mut Self {
        self.prints("")
    }

    /// The bytes printed to the DTE since the last look.
    pub fn take_printed(&mut self) -> Vec<u8> {
        take(&mut self.line.printed)
    }

    /// What was printed to the DTE since the last look, other than graphic ASCII escaped as in a byte string.
    pub fn printed(&mut self) -> String {
        text(&self.take_printed())
    }

    /// The escape, whole, from 300 ms of silence on.
    #[track_caller]
    pub fn escape(&mut self) -> &mut Self {
        self.wait(300)
            .serial("+++")
            .wait(21)
            .prints("a")
            .serial("a")
            .wait(21)
            .prints("\r\n+ok\r\n")
    }

    /// One command in the online command state, and its answer.
    #[track_caller]
    pub fn command(&mut self, line: &str, answer: &str) -> &mut Self {
        self.serial(format!("{line}\r")).prints(answer)
    }

    /// The DTE reads nothing any more: a write stays outstanding.
    pub fn dte_stops(&mut self) -> &mut Self {
        self.line.stopped = true;
        self
    }

    /// The DTE reads again.
    #[track_caller]
    pub fn dte_reads_on(&mut self) -> &mut Self {
        self.line.stopped = false;
        if self.line.unread.take().is_some() {
            self.input(Input::Serial(SerialInput::Written));
        }
        self
    }

    /// Bytes of the write that a DTE that does not read has still to take.
    #[must_use]
    pub fn unwritten(&self) -> usize {
        self.line.unread.unwrap_or_default()
    }

    /// The DTE takes that write, and no more.
    ///
    /// # Panics
    /// There is none.
    #[track_caller]
    pub fn line_takes(&mut self) -> &mut Self {
        assert!(self.line.unread.take().is_some(), "no write waits");
        self.input(Input::Serial(SerialInput::Written))
    }

    #[track_caller]
    pub(super) fn write(&mut self, order: SerialOutput) {
        if !matches!(order, SerialOutput::Discard) {
            assert!(
                self.lean || !self.line.outstanding,
                "at {:?}: two orders at once to the serial line",
                self.now
            );
            self.line.outstanding = true;
        }
        match order {
            SerialOutput::Write(bytes) => {
                self.line.write(&bytes, self.lean);
                if self.line.stopped {
                    self.line.unread = Some(bytes.len());
                } else {
                    self.answer(Input::Serial(SerialInput::Written));
                }
            }
            SerialOutput::Discard => {
                let left = self.line.discard();
                self.answer(Input::Serial(SerialInput::Discarded(left)));
            }
            SerialOutput::Configure(format) => {
                self.line.configured.push(format);
                self.answer(Input::Serial(SerialInput::Configured(None)));
            }
        }
    }
}
