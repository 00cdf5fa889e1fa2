//! Frames of one queue on the disk, so that `kill -9` and a power cut lose none (`spool = "disk"`), and the file that a
//! clean stop leaves for queues that keep their frames in memory.
//!
//! ```text
//! DIR/spool/link-1/0000000000000011.frames   segment: records of frames 17 …, in order
//! DIR/spool/link-1/released                  mark: every frame below it is done with
//! DIR/undelivered-1                          frames of a queue in memory, written at a clean stop
//! ```
//! A frame is handed to the operating system before `append` returns: it survives the end of the program. What a
//! power cut costs is the matter of [`SpoolSync`]. The mark is handed over by each `release`, so after `kill -9`
//! exactly the frames not released are there; it is forced to the disk late, so after a power cut the frames released
//! since the last flush come again. A segment goes when all its frames are released. When nothing is left the mark
//! goes too, and a new run may number from the start.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use dtu_proto::event::QueueId;
use tracing::warn;

mod mark;
mod record;
mod sync;
#[cfg(test)]
mod tests;
mod undelivered;

pub use undelivered::{Left, find_undelivered, save_undelivered};

pub use crate::settings::SpoolSync;
use crate::store::{Disk, FileOps as _, named};
use mark::Mark;
use sync::Syncer;

/// The frames of one queue on the disk.
#[derive(Debug)]
pub struct Spool {
    dir: PathBuf,
    bound: u64,
    segment_size: u64,
    /// Oldest first; the last one grows if `open` is there.
    segments: VecDeque<Segment>,
    open: Option<Arc<File>>,
    mark: Mark,
    next: u64,
    used: u64,
    refused: u64,
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

/// The folder of a queue's spool, below `spool`.
pub(crate) fn folder(queue: QueueId) -> String {
    match queue {
        QueueId::Link(link) => format!("link-{link}"),
        QueueId::Httpd | QueueId::SerialCommand => queue.word().to_owned(),
    }
}

impl Spool {
    /// Opens a queue's spool below the state directory, and gives the frames that were not released, oldest first.
    /// Numbers of frames appended later must be greater.
    ///
    /// `bound`: bytes of its files at most.
    ///
    /// # Errors
    /// Of the file system, with the path.
    pub fn open(
        dir: &Path,
        queue: QueueId,
        bound: u64,
        sync: SpoolSync,
    ) -> io::Result<(Self, Vec<(u64, Bytes)>)> {
        let (state, all) = (dir, dir.join("spool"));
        let dir = all.join(folder(queue));
        let mut private = std::fs::DirBuilder::new();
        private.recursive(true).mode(0o700);
        private.create(&dir).map_err(|error| named(&dir, &error))?;
        sync::sync_dir(&all)?;
        sync::sync_dir(state)?;
        let mark = Mark::open(&dir)?;
        let mut spool = Self {
            bound,
            segment_size: (bound / SEGMENTS).min(MAX_SEGMENT),
            segments: VecDeque::new(),
            open: None,
            next: mark.released(),
            mark,
            used: 0,
            refused: 0,
            syncer: Syncer::new(sync, &dir),
            buffer: Vec::new(),
            dir,
        };
        let mut frames = spool.recover()?;
        spool.adopt(state, queue, &mut frames)?;
        Ok((spool, frames))
    }

    /// Adds a frame. When this returns `Ok` it survives the end of the program (and with `SpoolSync::Always` a
    /// power cut).
    ///
    /// # Errors
    /// There is no room within the bound (`StorageFull`; counted), the frame is too long or its number does not
    /// grow (`InvalidInput`), or the file system's, with the path. The spool stays good, without the frame.
    pub fn append(&mut self, number: u64, frame: &Bytes) -> io::Result<()> {
        let appended = self.try_append(number, frame);
        self.refused += u64::from(appended.is_err());
        appended
    }

    /// Every frame numbered below this is done with.
    ///
    /// # Errors
    /// Of the file system, with the path. The frames may then come again after a restart.
    pub fn release(&mut self, up_to: u64) -> io::Result<()> {
        if up_to <= self.mark.released() {
            return Ok(());
        }
        // On a full disk the mark may find no room: what is delivered goes all the same, for it is what fills the disk.
        let marked = self.mark.advance(up_to);
        self.next = self.next.max(up_to);
        self.syncer.dirty(self.mark.file());
        while let Some(oldest) = self.segments.front().filter(|oldest| oldest.last < up_to) {
            remove(&oldest.path)?;
            self.used -= oldest.length;
            self.segments.pop_front();
            if self.segments.is_empty() {
                self.open = None;
            }
        }
        marked
    }

    /// Frames that were not taken, for any reason.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// Bytes of its files.
    #[must_use]
    pub const fn used(&self) -> u64 {
        self.used
    }

    fn try_append(&mut self, number: u64, frame: &Bytes) -> io::Result<()> {
        if number < self.next || frame.len() > record::MAX_FRAME {
            let text = format!(
                "{}: frame {number} of {} bytes; a number must be at least {}, a length at most {}",
                self.dir.display(),
                frame.len(),
                self.next,
                record::MAX_FRAME
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        self.buffer.clear();
        record::encode(&mut self.buffer, number, frame);
        let length = self.buffer.len() as u64;
        if self.used + length > self.bound {
            let text = format!("{}: full: spool_size is {} bytes", self.dir.display(), self.bound);
            return Err(io::Error::new(io::ErrorKind::StorageFull, text));
        }
        let file = self.segment_for(number, length)?;
        self.write(&file)?;
        self.next = number + 1;
        self.used += length;
        if let Some(last) = self.segments.back_mut() {
            last.length += length;
            last.last = number;
        }
        self.syncer.appended(&file)
    }

    /// The segment that takes a record: the last one while there is room in it.
    fn segment_for(&mut self, number: u64, length: u64) -> io::Result<Arc<File>> {
        let room = self.segments.back().is_some_and(|last| last.length + length <= self.segment_size);
        if let (Some(file), true) = (&self.open, room) {
            return Ok(Arc::clone(file));
        }
        let path = self.dir.join(format!("{number:016x}.{EXTENSION}"));
        let file = Arc::new(create(&path)?);
        self.syncer.named()?;
        self.segments.push_back(Segment { path, length: 0, last: number });
        self.open = Some(Arc::clone(&file));
        Ok(file)
    }

    /// A record that was written in part would hide those behind it: the file is cut back, or not used any more.
    fn write(&mut self, file: &File) -> io::Result<()> {
        let Some(last) = self.segments.back() else { return Ok(()) };
        let written = file.write_all_at(&self.buffer, last.length);
        if let Err(error) = written {
            if file.set_len(last.length).is_err() {
                self.open = None;
            }
            return Err(named(&last.path, &error));
        }
        Ok(())
    }

    fn recover(&mut self) -> io::Result<Vec<(u64, Bytes)>> {
        let mut frames = Vec::new();
        for path in segment_paths(&self.dir)? {
            let bytes = std::fs::read(&path).map_err(|error| named(&path, &error))?;
            let (records, good) = record::decode_all(&Bytes::from(bytes.clone()), self.next_read(&frames));
            if good < bytes.len() {
                warn!("{}: {} bytes behind the last whole frame are cut", path.display(), bytes.len() - good);
                cut(&path, good as u64)?;
            }
            let last = records.last().map(|(number, _)| *number);
            match last.filter(|last| *last >= self.mark.released()) {
                None => remove(&path)?,
                Some(last) => {
                    self.used += good as u64;
                    self.segments.push_back(Segment { path, length: good as u64, last });
                }
            }
            frames.extend(records.into_iter().filter(|(number, _)| *number >= self.mark.released()));
        }
        match frames.last() {
            Some((last, _)) => self.next = last + 1,
            None => self.start_over()?,
        }
        Ok(frames)
    }

    /// Frames that a run with `spool = "memory"` left behind: on the disk here before their own file goes.
    fn adopt(&mut self, state: &Path, queue: QueueId, frames: &mut Vec<(u64, Bytes)>) -> io::Result<()> {
        let left = undelivered::read(state, queue)?;
        if left.is_empty() {
            return Ok(());
        }
        for (_, frame) in left {
            let number = self.next.max(self.next_read(frames));
            if let Err(error) = self.append(number, &frame) {
                warn!("frame {number} of an earlier run is in memory only: {error}");
            }
            frames.push((number, frame));
        }
        segment_paths(&self.dir)?.iter().try_for_each(|path| Disk.sync(path))?;
        Disk.sync_dir(&self.dir)?;
        undelivered::remove(state, queue)
    }

    fn next_read(&self, frames: &[(u64, Bytes)]) -> u64 {
        frames.last().map_or(0, |(last, _)| last + 1)
    }

    /// Nothing is left. The segments are gone for good before the mark goes, and the mark before a lower number comes.
    fn start_over(&mut self) -> io::Result<()> {
        self.next = 0;
        if self.mark.released() == 0 {
            return Ok(());
        }
        sync::sync_dir(&self.dir)?;
        self.mark.reset()
    }
}

fn segment_paths(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|error| named(dir, &error))? {
        let path = entry.map_err(|error| named(dir, &error))?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            paths.push(path);
        }
    }
    // Names are numbers of one length.
    paths.sort();
    Ok(paths)
}

fn create(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = File::options();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).map_err(|error| named(path, &error))
}

fn cut(path: &Path, length: u64) -> io::Result<()> {
    let cut = File::options().write(true).open(path).and_then(|file| file.set_len(length));
    cut.map_err(|error| named(path, &error))
}

fn remove(path: &Path) -> io::Result<()> {
    Disk.remove(path)
}

const EXTENSION: &str = "frames";
/// Space comes back in whole segments: this many make a full spool.
const SEGMENTS: u64 = 16;
const MAX_SEGMENT: u64 = 1 << 20;
