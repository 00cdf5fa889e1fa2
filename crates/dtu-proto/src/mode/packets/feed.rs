//! Bytes of the DTE become packets, and errors that tell it what was wrong.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use bytes::Bytes;

use crate::mode::LineView;
use crate::status::SerialCommandCounters;
use crate::time::{Duration, Instant};
use crate::wire::command_frame::{Finder, Found};

/// A packet is whole so long after its header at the latest, beside its own time on the line (decisions 16.17).
// mutant: rest-of-packet
const REST_PATIENCE: Duration = Duration::from_secs(1);

/// The serial side of the mode.
#[derive(Debug, Default)]
pub(super) struct Feed {
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
    /// No bytes wait to become a frame: what has not come yet is not on its way here.
    is_quiet: bool,
    /// What a character takes on the line.
    character: Duration,
}

/// What the bytes of the DTE are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A good packet.
    Packet(Bytes),
    /// To be told.
    Error(String),
}

impl Feed {
    pub(super) fn feed(&mut self, bytes: &[u8], now: Instant) {
        self.total += bytes.len() as u64;
        self.marks.push_back((self.total, now));
        self.finder.feed(bytes);
    }

    /// The packet that is half received will not be completed.
    pub(super) const fn give_up(&mut self) {
        self.finder.give_up();
    }

    /// The next packet or error in what has come.
    pub(super) fn next(&mut self, counters: &mut SerialCommandCounters) -> Option<Piece> {
        loop {
            let found = self.finder.next();
            let front = self.total - self.held() as u64;
            while self.marks.front().is_some_and(|(end, _)| *end <= front) {
                self.marks.pop_front();
            }
            match found? {
                Found::Frame(packet) => {
                    self.told = false;
                    return Some(Piece::Packet(packet));
                }
                Found::Bad { fault, bytes } => {
                    self.told = true;
                    counters.bad_packets += 1;
                    counters.garbage_bytes += bytes as u64;
                    return Some(Piece::Error(format!("command frame: {fault}")));
                }
                Found::Garbage { first, bytes } => {
                    counters.garbage_bytes += bytes as u64;
                    if !core::mem::replace(&mut self.told, true) {
                        return Some(Piece::Error(format!(
                            "a command frame begins with 55 AA, got {first:02X}"
                        )));
                    }
                }
            }
        }
    }

    /// What the serial line means for half a packet: while the device does not read it, no time passes.
    pub(super) fn line_moved(&mut self, line: &LineView<'_>, now: Instant) {
        self.is_quiet = line.is_quiet;
        if self.held() == 0 {
            return;
        }
        self.character = line.format.character_time();
        if self.held_up && line.is_read {
            self.reads_since = now;
        }
        self.held_up = !line.is_read;
    }

    /// Bytes that may be the beginning of a packet.
    pub(super) const fn held(&self) -> usize {
        self.finder.held()
    }

    /// Whether a packet is half received.
    pub(super) fn is_inside(&self) -> bool {
        self.finder.is_inside()
    }

    /// When the packet that is half received must be whole.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.held_up || !self.is_quiet {
            return None;
        }
        let (_, came_at) = self.marks.front()?;
        let length = u32::try_from(self.finder.awaited()).unwrap_or(u32::MAX);
        let on_line = self.character.saturating_mul(length);
        Some((*came_at).max(self.reads_since) + on_line + REST_PATIENCE)
    }
}
