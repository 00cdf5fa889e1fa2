//! What a spool holds when it is opened: everything that is whole. Nothing on the disk changes before what is lost has
//! been counted, so that a loss is counted at least once, however often the start is cut short.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use dtu_proto::event::QueueId;
use tracing::warn;

use super::mark::{Mark, RELEASED, Sending, WRITTEN};
use super::record::{self, Lost, Numbers, Reading};
use super::sync::Syncer;
use super::{MAX_SEGMENT, SEGMENTS, Segment, Spool, SpoolSync, folder, segment_paths, undelivered};
use crate::fs::{Fs, aside};
use crate::store::{make_private, write_whole};
use crate::words::Count;

/// Frames of an earlier run.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// With their numbers, oldest first.
    pub(crate) frames: Vec<(u64, Bytes)>,
    pub(crate) lost: Lost,
    /// Those that the spool had no place for: in memory only.
    pub(crate) refused: Vec<u64>,
}

/// One segment as it was read.
#[derive(Debug)]
struct Read {
    path: PathBuf,
    bytes: Bytes,
    reading: Reading,
    /// The file cannot be read.
    failed: bool,
}

impl Spool {
    /// Opens a queue's spool below the state folder, and gives the frames that were not released. Numbers of frames
    /// appended later must be greater. What is lost is told to `count` before anything on the disk changes.
    ///
    /// `bound`: bytes of its files at most.
    ///
    /// # Errors
    /// Of the file system, with the path.
    pub(crate) fn open(
        fs: &Fs,
        state: &Path,
        queue: QueueId,
        (bound, sync): (u64, SpoolSync),
        count: &mut dyn FnMut(Lost),
    ) -> io::Result<(Self, Found)> {
        let all = state.join("spool");
        let dir = all.join(folder(queue));
        make_private(fs, &all)?;
        make_private(fs, &dir)?;
        fs.sync_dir(&all)?;
        fs.sync_dir(state)?;
        let mark = Mark::open(fs, &dir, RELEASED)?;
        let sending = Sending::find(fs, &dir).unwrap_or_else(|error| {
            warn!("{queue}: {error}");
            None
        });
        let mut spool = Self {
            fs: fs.clone(),
            bound,
            segment_size: (bound / SEGMENTS).min(MAX_SEGMENT),
            segments: VecDeque::new(),
            open: None,
            next: mark.number(),
            written: Mark::open(fs, &dir, WRITTEN).ok(),
            mark,
            sending,
            used: 0,
            sync,
            syncer: Syncer::new(fs, sync, &dir),
            buffer: Vec::new(),
            dir,
        };
        let mut found = spool.recover(queue, count)?;
        spool.adopt(state, queue, &mut found, count)?;
        Ok((spool, found))
    }

    fn recover(&mut self, queue: QueueId, count: &mut dyn FnMut(Lost)) -> io::Result<Found> {
        let released = self.mark.number();
        let written = self.written.as_ref().map_or(0, Mark::number);
        let segments = read_segments(&self.fs, &self.dir, released, written)?;
        let mut found = Found {
            lost: missing(&segments, released, written),
            ..Found::default()
        };
        for segment in &segments {
            found.lost += segment.reading.lost;
            let frames = segment
                .reading
                .records
                .iter()
                .filter(|(number, _)| *number >= released);
            found.frames.extend(frames.cloned());
        }
        let went = self.take_sent(&mut found);
        if found.lost != Lost::default() {
            count(found.lost);
        }
        log_losses(queue, &segments, found.lost, went);
        for segment in segments {
            self.keep(segment);
        }
        if let Some(frame) =
            went.filter(|frame| found.frames.first().is_none_or(|(first, _)| frame < first))
        {
            self.release(frame + 1)?;
        }
        match found.frames.last() {
            Some((last, _)) => {
                self.next = last + 1;
                // What is missing is counted: not again at the next start.
                if let Some(noted) = self
                    .written
                    .as_mut()
                    .filter(|noted| noted.number() > last + 1)
                {
                    let _ = noted.reset();
                    let _ = noted.advance(last + 1);
                }
            }
            None => self.start_over()?,
        }
        Ok(found)
    }

    /// A frame that may have gone when the last run ended is not sent again.
    fn take_sent(&self, found: &mut Found) -> Option<u64> {
        let sent = self.sending.as_ref().and_then(Sending::frame)?;
        let place = found
            .frames
            .iter()
            .position(|(number, _)| *number == sent)?;
        let (number, frame) = found.frames.remove(place);
        found.lost += Lost {
            frames: 1,
            bytes: frame.len() as u64,
        };
        Some(number)
    }

    /// Goes on with a segment: what is whole of it, under its own name.
    fn keep(&mut self, segment: Read) {
        let Read {
            path,
            bytes,
            reading,
            failed,
        } = segment;
        let last = reading.records.last().map(|(number, _)| *number);
        let needed = last.filter(|last| *last >= self.mark.number());
        let mut length = bytes.len() as u64;
        let mended = if failed {
            self.fs.rename(&path, &aside(&path))
        } else if reading.is_damaged {
            self.mend(&path, &bytes, &reading)
                .map(|mended| length = mended)
        } else {
            Ok(())
        };
        if let Err(error) = mended {
            warn!("disk: {error}; left as it is");
        }
        match needed {
            Some(last) => {
                self.used += length;
                self.segments.push_back(Segment { path, length, last });
            }
            None if failed => {}
            None => {
                if let Err(error) = self.fs.remove(&path) {
                    warn!("disk: {error}");
                }
            }
        }
    }

    /// The damaged file is kept beside, and its whole records take its place; gives their length.
    fn mend(&self, path: &Path, bytes: &[u8], reading: &Reading) -> io::Result<u64> {
        let mut whole = Vec::new();
        reading
            .records
            .iter()
            .for_each(|(number, frame)| record::encode(&mut whole, *number, frame));
        keep_aside(&self.fs, path, bytes);
        let new = path.with_extension("new");
        write_whole(&mut self.fs.clone(), &new, &whole)?;
        self.fs.rename(&new, path)?;
        self.fs.sync_dir(&self.dir)?;
        Ok(whole.len() as u64)
    }

    /// Frames that a run with `spool = "memory"` left behind: on the disk here before their own file goes.
    fn adopt(
        &mut self,
        state: &Path,
        queue: QueueId,
        found: &mut Found,
        count: &mut dyn FnMut(Lost),
    ) -> io::Result<()> {
        let left = undelivered::read(&self.fs, state, queue, count)?;
        if left.frames.is_empty() {
            return Ok(());
        }
        found.lost += left.lost;
        let first = self
            .next
            .max(found.frames.last().map_or(0, |(last, _)| last + 1));
        let frames: Vec<_> = (first..)
            .zip(left.frames.into_iter().map(|(_, frame)| frame))
            .collect();
        let refused = self.append_all(&frames);
        if let Some(error) = refused.why {
            warn!(
                "{queue}: {} frames of an earlier run are in memory only: {error}",
                refused.numbers.len()
            );
        }
        found.refused = refused.numbers;
        found.frames.extend(frames);
        segment_paths(&self.fs, &self.dir)?
            .iter()
            .try_for_each(|path| self.fs.sync(path))?;
        self.fs.sync_dir(&self.dir)?;
        undelivered::remove(&self.fs, state, queue)
    }

    /// Nothing is left. The segments are gone for good before the marks go, and the marks before a lower number comes.
    fn start_over(&mut self) -> io::Result<()> {
        self.next = 0;
        if let Some(written) = self.written.as_mut().filter(|written| written.number() > 0) {
            let _ = written.reset();
        }
        if let Some(sending) = self
            .sending
            .as_mut()
            .filter(|sending| sending.frame().is_some())
        {
            sending.set(None)?;
            sending.file().sync_data()?;
        }
        if self.mark.number() == 0 {
            return Ok(());
        }
        self.fs.sync_dir(&self.dir)?;
        self.mark.reset()
    }
}

/// The frames of a spool that nothing may be written to.
pub(super) fn peek(fs: &Fs, state: &Path, queue: QueueId) -> io::Result<Found> {
    let dir = state.join("spool").join(folder(queue));
    let (released, written) = (
        Mark::peek(fs, &dir, RELEASED),
        Mark::peek(fs, &dir, WRITTEN),
    );
    let segments = read_segments(fs, &dir, released, written)?;
    let mut found = Found {
        lost: missing(&segments, released, written),
        ..Found::default()
    };
    for segment in segments {
        found.lost += segment.reading.lost;
        found.frames.extend(
            segment
                .reading
                .records
                .into_iter()
                .filter(|(number, _)| *number >= released),
        );
    }
    Ok(found)
}

/// Frames at the end of which nothing is left, not even damage: a file that was cut between two of them, or is gone.
fn missing(segments: &[Read], released: u64, written: u64) -> Lost {
    let last = segments.last();
    if last.is_some_and(|last| last.failed || last.reading.is_cut) {
        return Lost::default();
    }
    let behind = last
        .and_then(|last| last.reading.records.last())
        .map_or(0, |(number, _)| number + 1);
    let first = last
        .and_then(|last| first_number(&last.path))
        .unwrap_or(0)
        .max(behind)
        .max(released);
    Lost {
        frames: written.saturating_sub(first),
        bytes: 0,
    }
}

fn read_segments(fs: &Fs, dir: &Path, released: u64, written: u64) -> io::Result<Vec<Read>> {
    let paths = segment_paths(fs, dir)?;
    let mut from = 0;
    let mut segments = Vec::new();
    for (place, path) in paths.iter().enumerate() {
        let until = paths.get(place + 1).and_then(|next| first_number(next));
        let from_name = first_number(path).unwrap_or(0);
        let numbers = Numbers {
            from: from_name.max(from),
            until,
            written,
            released,
        };
        let segment = match fs
            .read(path, u64::MAX)
            .or_else(|_| fs.salvage(path).map(Some))
        {
            Ok(Some(bytes)) => {
                let bytes = Bytes::from(bytes);
                let reading = record::read(&bytes, numbers);
                Read {
                    path: path.clone(),
                    bytes,
                    reading,
                    failed: false,
                }
            }
            Ok(None) => continue,
            Err(error) => {
                warn!("disk: {error}");
                let reading = Reading {
                    lost: unreadable(path, numbers),
                    ..Reading::default()
                };
                Read {
                    path: path.clone(),
                    bytes: Bytes::new(),
                    reading,
                    failed: true,
                }
            }
        };
        from = segment
            .reading
            .records
            .last()
            .map_or(from, |(last, _)| last + 1);
        segments.push(segment);
    }
    Ok(segments)
}

/// The number in a segment's name: of its first frame.
fn first_number(path: &Path) -> Option<u64> {
    u64::from_str_radix(path.file_stem()?.to_str()?, 16).ok()
}

/// What a segment that cannot be read has cost, as far as names and lengths tell.
fn unreadable(path: &Path, numbers: Numbers) -> Lost {
    let length = std::fs::symlink_metadata(path).map_or(0, |data| data.len());
    numbers.end(length, numbers.from.max(numbers.released))
}

/// One line, whatever was found.
fn log_losses(queue: QueueId, segments: &[Read], lost: Lost, went: Option<u64>) {
    let mut damaged = segments
        .iter()
        .filter(|segment| segment.failed || segment.reading.is_damaged);
    if let Some(first) = damaged.next() {
        let (file, more) = (first.path.display(), damaged.count());
        let more = if more == 0 {
            String::new()
        } else {
            format!(" and {more} more files")
        };
        warn!(
            "{queue}: {file}{more}: damaged: {} lost; kept beside as .damaged-1 to -8",
            Count(lost.frames, "frame")
        );
    } else if lost.frames > u64::from(went.is_some()) {
        warn!(
            "{queue}: the end of the spool is gone: {} lost",
            Count(lost.frames, "frame")
        );
    }
    if went.is_some() {
        warn!(
            "{queue}: a frame was being sent when the last run ended; it may have arrived, and is not sent again"
        );
    }
}

/// For a look; what cannot be kept so is no reason to stop.
pub(super) fn keep_aside(fs: &Fs, path: &Path, bytes: &[u8]) {
    let aside = aside(path);
    if let Err(error) = fs.write(&aside, bytes) {
        let _ = fs.remove(&aside);
        warn!("disk: {error}");
    }
}
