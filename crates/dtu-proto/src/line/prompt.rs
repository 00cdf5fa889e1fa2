//! A prompt: the DTE types the text of a message, or a frame for the connection of the AT mode (27.005 3.5.1, manual
//! 2.8.6.35).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::assembler::{BACKSPACE, DELETE};
use super::{Line, LineEvent};
use crate::config::Config;
use crate::cx::Cx;
use crate::time::{Duration, Instant};

/// Without packing, a frame at a prompt ends with this silence: reads alone tell nothing there.
const SILENCE_MIN: Duration = Duration::from_millis(10);
/// A prompt waits so long for the next byte of its text (decisions 16.12).
const PATIENCE: Duration = Duration::from_secs(60);
/// Ctrl-Z ends the text at a prompt, ESC gives it up (27.005 3.5.1).
const END: u8 = 0x1A;
const CANCEL: u8 = 0x1B;

/// What ends the text at a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// 0x1A; ESC gives it up (27.005 3.5.1).
    Mark,
    /// Silence, as it ends a frame.
    Silence,
    /// Its last byte: it has exactly `max`.
    Count,
}

/// What the DTE did at the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// The text, without the 0x1A that ended it.
    Text(Vec<u8>),
    /// More than the prompt takes: so many bytes.
    TooLong(usize),
    /// ESC.
    Cancelled,
    /// Nothing more for too long, after so many bytes.
    Abandoned(usize),
}

/// The text that the DTE types.
#[derive(Debug)]
pub(crate) struct Prompt {
    ends: Ends,
    /// Bytes of text at most.
    max: usize,
    /// What has come so far, as far as the prompt takes it.
    text: Vec<u8>,
    /// Bytes that have come.
    len: usize,
    /// When silence ends it.
    until: Instant,
}

impl Prompt {
    pub(super) fn new(ends: Ends, max: usize, now: Instant) -> Self {
        Self {
            ends,
            max,
            text: Vec::new(),
            len: 0,
            until: now + PATIENCE,
        }
    }

    /// Takes a byte of the DTE. Says how the text ended, if it did.
    pub(super) fn push(&mut self, byte: u8, now: Instant, silence: Duration) -> Option<Entry> {
        self.until = now + PATIENCE;
        match (self.ends, byte) {
            (Ends::Mark, END) => return Some(self.entry()),
            (Ends::Mark, CANCEL) => return Some(Entry::Cancelled),
            (Ends::Mark, BACKSPACE | DELETE) => {
                self.len = self.len.saturating_sub(1);
                self.text.truncate(self.len);
                return None;
            }
            (Ends::Mark | Ends::Count, _) => {}
            (Ends::Silence, _) => self.until = now + silence,
        }
        self.len += 1;
        if self.len <= self.max {
            self.text.push(byte);
        }
        let complete = self.ends == Ends::Count && self.text.len() == self.max;
        complete.then(|| self.entry())
    }

    /// Whether the byte that ends the text is part of it.
    pub(super) fn ends_with_its_last_byte(&self) -> bool {
        self.ends == Ends::Count
    }

    /// Whether a LF that comes now still belongs to the command line (decisions 16.10).
    pub(super) fn skips_a_line_end(&self) -> bool {
        self.len == 0 && self.ends != Ends::Count
    }

    /// Whether it is one of `CISEND`.
    pub(crate) fn is_for_connection(&self) -> bool {
        matches!(self.ends, Ends::Silence | Ends::Count)
    }

    /// Bytes that have come.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn deadline(&self) -> Instant {
        self.until
    }

    /// The text as it is.
    fn entry(&mut self) -> Entry {
        let text = core::mem::take(&mut self.text);
        if self.len > self.max {
            Entry::TooLong(self.len)
        } else {
            Entry::Text(text)
        }
    }

    /// What a silence means.
    pub(super) fn fall_silent(&mut self) -> Entry {
        if self.ends == Ends::Silence && self.len > 0 {
            self.entry()
        } else {
            Entry::Abandoned(self.len)
        }
    }
}

impl Line {
    /// Asks the DTE for a text.
    pub(crate) fn open_prompt(&mut self, ends: Ends, max: usize, now: Instant) {
        self.prompt = Some(Box::new(Prompt::new(ends, max, now)));
    }

    pub(crate) fn prompt(&self) -> Option<&Prompt> {
        self.prompt.as_deref()
    }

    pub(crate) fn prompt_deadline(&self) -> Option<Instant> {
        self.prompt.as_deref().map(Prompt::deadline)
    }

    pub(super) fn prompt_bytes(&mut self, data: &mut &[u8], cx: &mut Cx<'_>) -> Option<LineEvent> {
        self.escape.note_byte(cx.now);
        let silence = self.prompt_silence(cx.config);
        while let Some((&byte, rest)) = data.split_first() {
            *data = rest;
            self.counters.command_bytes += 1;
            let prompt = self.prompt.as_deref_mut()?;
            let entry = prompt.push(byte, cx.now, silence);
            if entry.is_none() || prompt.ends_with_its_last_byte() {
                self.echo(&[byte], cx);
            }
            if let Some(entry) = entry {
                self.prompt = None;
                return Some(LineEvent::Text(entry));
            }
        }
        None
    }

    /// Silence that ends a frame at a prompt.
    fn prompt_silence(&self, config: &Config) -> Duration {
        // On a slow line the bytes of a run are a character apart.
        self.packing(config)
            .silence
            .max(SILENCE_MIN)
            .max(self.format.character_time() * 3 / 2)
    }

    /// Nobody types any more.
    pub(crate) fn prompt_due(&mut self) -> Option<LineEvent> {
        let entry = self.prompt.take()?.fall_silent();
        Some(LineEvent::Text(entry))
    }

    /// The DTE that was asked is gone, or the device starts over.
    pub(crate) fn drop_prompt(&mut self) -> Option<Box<Prompt>> {
        self.prompt.take()
    }
}
