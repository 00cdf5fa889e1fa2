//! Bytes of the DTE become packets, and errors that tell it what was wrong.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use bytes::Bytes;

use crate::status::SerialCommandCounters;
use crate::time::{Duration, Instant};
use crate::wire::command_frame::{Finder, Found};

/// A packet is whole so long after its header at the latest, beside its own time on the line (decisions 16.17).
// mutant: rest-of-packet
const REST_PATIENCE: Duration = Duration::from_secs(1);

/// The serial side of the mode.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    finder: Finder,
    /// Bytes that have come.
    total: u64,
    /// When bytes came, and with which of all they ended; of those that are held.
    marks: VecDeque<(u64, Instant)>,
    /// Since the last good packet it was told already that something is wrong: what follows a bad packet is mostly its
    /// own rest.
    told: bool,
    /// The device does not read the serial line: the DTE cannot be blamed that nothing comes.
    held_up: bool,
    reads_since: Instant,
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// A good packet.
    Packet(Bytes),
    /// To be told.
    Error(String),
}

impl Feed {
    pub(crate) fn feed(&mut self, bytes: &[u8], now: Instant) {
        self.total += bytes.len() as u64;
        self.marks.push_back((self.total, now));
        self.finder.feed(bytes);
    }

    /// The packet that is half received will not be completed.
    pub(crate) const fn give_up(&mut self) {
        self.finder.give_up();
    }

    /// The next packet or error in what has come.
    pub(crate) fn next(&mut self, counters: &mut SerialCommandCounters) -> Option<Came> {
        loop {
            let found = self.finder.next();
            let front = self.total - self.held() as u64;
            while self.marks.front().is_some_and(|(end, _)| *end <= front) {
                self.marks.pop_front();
            }
            match found? {
                Found::Frame(packet) => {
                    self.told = false;
                    return Some(Came::Packet(packet));
                }
                Found::Bad { fault, bytes } => {
                    self.told = true;
                    counters.bad_packets += 1;
                    counters.garbage_bytes += bytes as u64;
                    return Some(Came::Error(format!("command frame: {fault}")));
                }
                Found::Garbage { first, bytes } => {
                    counters.garbage_bytes += bytes as u64;
                    if !core::mem::replace(&mut self.told, true) {
                        return Some(Came::Error(format!(
                            "a command frame begins with 55 AA, got {first:02X}"
                        )));
                    }
                }
            }
        }
    }

    /// Whether the device reads the serial line; while it does not, no time passes.
    pub(crate) fn hold_up(&mut self, held_up: bool, now: Instant) {
        if self.held_up && !held_up {
            self.reads_since = now;
        }
        self.held_up = held_up;
    }

    /// Bytes that may be the beginning of a packet.
    pub(crate) const fn held(&self) -> usize {
        self.finder.held()
    }

    /// Whether a packet is half received.
    pub(crate) fn is_inside(&self) -> bool {
        self.finder.is_inside()
    }

    /// When the packet that is half received must be whole, on a line where a character takes so long.
    pub(crate) fn deadline(&self, character: Duration) -> Option<Instant> {
        let (_, came_at) = self.marks.front().filter(|_| !self.held_up)?;
        let length = u32::try_from(self.finder.awaited()).unwrap_or(u32::MAX);
        Some((*came_at).max(self.reads_since) + character.saturating_mul(length) + REST_PATIENCE)
    }
}
