//! Frames of one queue on the disk, so that `kill -9` and a power cut lose none (`spool = "disk"`), and the file that a
//! clean stop leaves for queues that keep their frames in memory.
//!
//! ```text
//! DIR/spool/link-1/0000000000000011.frames   segment: records of frames 17 …, in order
//! DIR/spool/link-1/released                  mark: every frame below it is done with
//! DIR/spool/link-1/written                   the number behind the last frame, so that what is missing at the end is counted
//! DIR/spool/httpd/sending                    the frame that was given to a connection, where none may go twice
//! DIR/spool/link-1/….frames.damaged-1        … -8: segments that were damaged, as they were found
//! DIR/undelivered-1                          frames of a queue in memory, written at a clean stop
//! ```
//! A frame is handed to the operating system before `append_all` returns: it survives the end of the program. What a
//! power cut costs is the matter of [`SpoolSync`]. The mark is handed over by each `release`, so after `kill -9`
//! exactly the frames not released are there; it is forced to the disk late, so after a power cut the frames released
//! since the last flush come again. A segment goes when all its frames are released. When nothing is left the mark
//! goes too, and a new run may number from the start. A damaged record costs that record alone.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;

use bytes::Bytes;
use dtu_proto::event::QueueId;

mod mark;
mod record;
mod recover;
mod sync;
#[cfg(test)]
mod tests;
mod undelivered;

pub(crate) use record::Lost;
pub(crate) use recover::Found;
pub(crate) use undelivered::path as undelivered_path;
pub(crate) use undelivered::{Left, find_undelivered, peek_undelivered, save_undelivered};

use crate::fs::{Fs, OpenFile};
pub(crate) use crate::settings::SpoolSync;
use mark::{Mark, Sending};
use sync::Syncer;

/// The frames of one queue on the disk.
#[derive(Debug)]
pub(crate) struct Spool {
    fs: Fs,
    dir: PathBuf,
    bound: u64,
    segment_size: u64,
    /// Oldest first; the last one grows if `open` is there.
    segments: VecDeque<Segment>,
    open: Option<Arc<OpenFile>>,
    mark: Mark,
    /// `None` where it cannot be kept: only the count of what a damaged disk has lost is less exact then.
    written: Option<Mark>,
    sending: Option<Sending>,
    next: u64,
    used: u64,
    sync: SpoolSync,
    syncer: Syncer,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Segment {
    path: PathBuf,
    length: u64,
    /// Number of its last frame.
    last: u64,
}

/// Frames that were not taken, and why the last of them was not.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    pub(crate) numbers: Vec<u64>,
    pub(crate) why: Option<io::Error>,
}

impl std::ops::AddAssign for Refusals {
    fn add_assign(&mut self, other: Self) {
        self.numbers.extend(other.numbers);
        self.why = other.why.or_else(|| self.why.take());
    }
}

/// The folder of a queue's spool, below `spool`.
pub(crate) fn folder(queue: QueueId) -> String {
    match queue {
        QueueId::Link(link) => format!("link-{link}"),
        QueueId::Httpd | QueueId::SerialCommand => queue.word().to_owned(),
    }
}

impl Spool {
    /// Adds frames, oldest first. Those that are not refused survive the end of the program when this returns (and with
    /// `SpoolSync::Always` a power cut). The spool stays good, whatever is refused.
    ///
    /// A frame is refused if there is no room within the bound (`StorageFull`), if it is too long or its number does not
    /// grow (`InvalidInput`), or by the file system.
    pub(crate) fn append_all(&mut self, frames: &[(u64, Bytes)]) -> Refusals {
        self.append_within(frames, self.bound)
    }

    /// Adds frames again that are here already, and then lets go of everything below `release`. They are forced to the
    /// disk between the two, whatever the policy: no moment is without them. Meanwhile there are both, so they may exceed
    /// the bound. Where one of them is refused nothing is let go of.
    pub(crate) fn move_up(&mut self, frames: &[(u64, Bytes)], release: u64) -> Refusals {
        let mut refused = self.append_within(frames, u64::MAX);
        if refused.numbers.is_empty() {
            refused.why = self
                .sync_end(frames)
                .and_then(|()| self.release(release))
                .err();
        }
        refused
    }

    /// Forces the segments that have these frames, and their names.
    fn sync_end(&self, frames: &[(u64, Bytes)]) -> io::Result<()> {
        let Some((first, _)) = frames.first() else {
            return Ok(());
        };
        self.segments
            .iter()
            .filter(|segment| segment.last >= *first)
            .try_for_each(|segment| self.fs.sync(&segment.path))?;
        self.fs.sync_dir(&self.dir)
    }

    fn append_within(&mut self, frames: &[(u64, Bytes)], bound: u64) -> Refusals {
        let (mut rest, mut refused) = (frames, Refusals::default());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(self.fitting(rest));
            rest = later;
            if now.len() > 1 && self.append(now, bound).is_ok() {
                continue;
            }
            // Where not all of them can be kept some may be.
            for frame in now {
                if let Err(error) = self.append(slice::from_ref(frame), bound) {
                    refused.numbers.push(frame.0);
                    refused.why = Some(error);
                }
            }
        }
        refused
    }

    /// Every frame numbered below this is done with.
    ///
    /// # Errors
    /// Of the file system, with the path. The frames may then come again after a restart.
    pub(crate) fn release(&mut self, up_to: u64) -> io::Result<()> {
        if up_to <= self.mark.number() {
            return Ok(());
        }
        // On a full disk the mark may find no room: what is delivered goes all the same, for it is what fills the disk.
        let marked = self.mark.advance(up_to);
        self.next = self.next.max(up_to);
        self.syncer.dirty(self.mark.file());
        while let Some(oldest) = self.segments.front().filter(|oldest| oldest.last < up_to) {
            self.fs.remove(&oldest.path)?;
            self.used -= oldest.length;
            self.segments.pop_front();
            if self.segments.is_empty() {
                self.open = None;
            }
        }
        // Without the mark what was delivered would be missed at the next start.
        if marked.is_err()
            && self.segments.is_empty()
            && let Some(written) = &mut self.written
        {
            let _ = written.reset();
        }
        marked
    }

    /// Notes the frame that is given to a connection next, where none may go twice: it does not come again, however the
    /// program ends. `None`: it did not go. With `SpoolSync::Always` a power cut does not undo it.
    ///
    /// # Errors
    /// Of the file system, with the path.
    pub(crate) fn note_sending(&mut self, frame: Option<u64>) -> io::Result<()> {
        let sending = match &mut self.sending {
            Some(sending) => sending,
            none => none.insert(Sending::make(&self.fs, &self.dir)?),
        };
        sending.set(frame)?;
        if self.sync == SpoolSync::Always {
            return sending.file().sync_data();
        }
        self.syncer.dirty(sending.file());
        Ok(())
    }

    /// Bytes of its files.
    #[cfg(test)]
    pub(crate) const fn used(&self) -> u64 {
        self.used
    }

    /// How many of the frames one write can take.
    fn fitting(&self, frames: &[(u64, Bytes)]) -> usize {
        let size = |frame: &Bytes| record::size(frame);
        let first = frames.first().map_or(0, |(_, frame)| size(frame));
        let room = self.segments.back().filter(|_| self.open.is_some());
        let room = room.map_or(0, |last| self.segment_size.saturating_sub(last.length));
        let mut room = if room < first {
            self.segment_size
        } else {
            room
        };
        let fits = |(_, frame): &&(u64, Bytes)| {
            let fits = size(frame) <= room;
            room = room.saturating_sub(size(frame));
            fits
        };
        frames.iter().take_while(fits).count().max(1)
    }

    /// All of them, or none.
    fn append(&mut self, frames: &[(u64, Bytes)], bound: u64) -> io::Result<()> {
        let mut next = self.next;
        self.buffer.clear();
        for (number, frame) in frames {
            self.check(*number, frame, next)?;
            next = number + 1;
            record::encode(&mut self.buffer, *number, frame);
        }
        let Some((first, _)) = frames.first() else {
            return Ok(());
        };
        let length = self.buffer.len() as u64;
        if self.used + length > bound {
            let text = format!(
                "{}: full: spool_size is {} bytes",
                self.dir.display(),
                self.bound
            );
            return Err(io::Error::new(io::ErrorKind::StorageFull, text));
        }
        let file = self.segment_for(*first, length)?;
        self.write(&file)?;
        self.next = next;
        if let Some(written) = &mut self.written {
            let _ = written.advance(next);
        }
        self.used += length;
        if let Some(last) = self.segments.back_mut() {
            last.length += length;
            last.last = next - 1;
        }
        self.syncer.appended(&file)
    }

    fn check(&self, number: u64, frame: &Bytes, next: u64) -> io::Result<()> {
        if number >= next && frame.len() <= record::MAX_FRAME {
            return Ok(());
        }
        let text = format!(
            "{}: frame {number} of {} bytes; a number must be at least {next}, a length at most {}",
            self.dir.display(),
            frame.len(),
            record::MAX_FRAME
        );
        Err(io::Error::new(io::ErrorKind::InvalidInput, text))
    }

    /// The segment that takes so many bytes: the last one while there is room in it.
    fn segment_for(&mut self, number: u64, length: u64) -> io::Result<Arc<OpenFile>> {
        let room = self
            .segments
            .back()
            .is_some_and(|last| last.length + length <= self.segment_size);
        if let (Some(file), true) = (&self.open, room) {
            return Ok(Arc::clone(file));
        }
        let path = self.dir.join(format!("{number:016x}.{EXTENSION}"));
        let file = Arc::new(self.fs.create(&path)?);
        self.syncer.named()?;
        self.segments.push_back(Segment {
            path,
            length: 0,
            last: number,
        });
        self.open = Some(Arc::clone(&file));
        Ok(file)
    }

    /// A record that was written in part costs the reader a look for the next one: the file is cut back, or not used
    /// any more.
    fn write(&mut self, file: &OpenFile) -> io::Result<()> {
        let Some(last) = self.segments.back() else {
            return Ok(());
        };
        let written = file.write_all_at(&self.buffer, last.length);
        if written.is_err() && file.set_len(last.length).is_err() {
            self.open = None;
        }
        written
    }
}

/// The segments in a folder, in order.
fn segment_paths(fs: &Fs, dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs.list(dir)?;
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == EXTENSION)
    });
    // Names are numbers of one length.
    paths.sort();
    Ok(paths)
}

const EXTENSION: &str = "frames";
/// Space comes back in whole segments: this many make a full spool.
const SEGMENTS: u64 = 16;
const MAX_SEGMENT: u64 = 1 << 20;
