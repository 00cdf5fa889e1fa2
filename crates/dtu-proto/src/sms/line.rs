//! What waits for the serial line: texts of mode 4, and messages that `CNMI` wants printed whole.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;

/// In which state of the line it may be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// Text of mode 4: the data state.
    Data,
    /// `+CMT`: the command state.
    Notice,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    kind: LineKind,
    bytes: Bytes,
    /// What the modem called its parts, where it has not been told yet that they are safe.
    ids: Vec<u64>,
}

/// The queue. One item at a time is being written; it stays until it is out.
#[derive(Debug, Default)]
pub(crate) struct LineQueue {
    queue: VecDeque<Item>,
    bytes: usize,
    writing: Option<usize>,
}

impl LineQueue {
    pub(crate) fn has_room(&self) -> bool {
        self.queue.len() < ITEMS_MAX && self.bytes < BYTES_HIGH
    }

    pub(crate) fn push(&mut self, kind: LineKind, bytes: Bytes, ids: Vec<u64>) {
        self.bytes += bytes.len();
        self.queue.push_back(Item { kind, bytes, ids });
    }

    /// Whether one waits that could be written now.
    pub(crate) fn waits(&self, kind: LineKind) -> bool {
        self.writing.is_none() && self.queue.iter().any(|item| item.kind == kind)
    }

    /// The next one to be written in this state of the line, unless one is being written.
    pub(crate) fn next(&mut self, kind: LineKind) -> Option<Bytes> {
        if self.writing.is_some() {
            return None;
        }
        let place = self.queue.iter().position(|item| item.kind == kind)?;
        self.writing = Some(place);
        self.queue.get(place).map(|item| item.bytes.clone())
    }

    /// The one that was being written is out: what the modem called its parts.
    pub(crate) fn written(&mut self) -> Option<Vec<u64>> {
        let item = self.queue.remove(self.writing.take()?)?;
        self.bytes -= item.bytes.len();
        Some(item.ids)
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = (LineKind, &Bytes)> {
        self.queue.iter().map(|item| (item.kind, &item.bytes))
    }
}

const ITEMS_MAX: usize = 64;
const BYTES_HIGH: usize = 64 * 1024;
