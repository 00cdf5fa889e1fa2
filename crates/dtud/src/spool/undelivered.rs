//! What waits in memory when the program ends in good order, and its way back.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use dtu_proto::event::QueueId;
use tracing::warn;

use super::record::{self, Lost, Numbers};
use super::recover::{self, Found, keep_aside};
use super::{Spool, SpoolSync, folder};
use crate::fs::Fs;
use crate::store::write_whole;
use crate::words::Count;

/// Keeps the frames of a queue in memory for the next start: whole or not at all, over a power cut too. No frames, no file.
///
/// # Errors
/// Of the file system, with the path.
pub(crate) fn save_undelivered<'a>(
    fs: &Fs,
    dir: &Path,
    queue: QueueId,
    frames: impl IntoIterator<Item = (u64, &'a Bytes)>,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    frames
        .into_iter()
        .for_each(|(number, frame)| record::encode(&mut bytes, number, frame));
    if bytes.is_empty() {
        return fs.remove(&path(dir, queue));
    }
    replace(fs, dir, &path(dir, queue), &bytes)
}

fn replace(fs: &Fs, dir: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    write_whole(&mut fs.clone(), &new, bytes)?;
    fs.rename(&new, path)?;
    // They are there; only a power cut could still take them.
    if let Err(error) = fs.sync_dir(dir) {
        warn!("disk: {error}");
    }
    Ok(())
}

/// The frames that the last run left, oldest first: at its clean stop, or in a spool when it had `spool = "disk"`. They
/// stay on the disk until [`Left::forget`], for a start may still fail.
///
/// # Errors
/// Of the file system, with the path.
pub(crate) fn find_undelivered(
    fs: &Fs,
    dir: &Path,
    queue: QueueId,
    count: &mut dyn FnMut(Lost),
) -> io::Result<Left> {
    if dir.join("spool").join(folder(queue)).is_dir() {
        let (spool, found) = Spool::open(fs, dir, queue, (u64::MAX, SpoolSync::Never), count)?;
        return Ok(Left {
            found,
            place: Place::Spool(Box::new(spool)),
        });
    }
    let found = read(fs, dir, queue, count)?;
    Ok(Left {
        found,
        place: Place::File(fs.clone(), dir.to_owned(), queue),
    })
}

/// The same where nothing may be written: they cannot be forgotten.
///
/// # Errors
/// Of the file system, with the path.
pub(crate) fn peek_undelivered(fs: &Fs, dir: &Path, queue: QueueId) -> io::Result<Left> {
    let mut found = Found::default();
    if dir.join("spool").join(folder(queue)).is_dir() {
        found = recover::peek(fs, dir, queue)?;
    }
    if let Some(bytes) = fs.read(&path(dir, queue), u64::MAX)? {
        let first = found.frames.last().map_or(0, |(last, _)| last + 1);
        let reading = record::read(&Bytes::from(bytes), ANY);
        found
            .frames
            .extend((first..).zip(reading.records.into_iter().map(|(_, frame)| frame)));
        found.lost += reading.lost;
    }
    Ok(Left {
        found,
        place: Place::Nowhere,
    })
}

/// What a run left for a queue that keeps its frames in memory.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) found: Found,
    place: Place,
}

#[derive(Debug)]
enum Place {
    File(Fs, PathBuf, QueueId),
    Spool(Box<Spool>),
    Nowhere,
}

impl Left {
    /// Removes them from the disk: once they are in the device they live as every frame in memory does, and the
    /// next start must not send them again.
    ///
    /// # Errors
    /// Of the file system, with the path.
    pub(crate) fn forget(self) -> io::Result<()> {
        let Some((last, _)) = self.found.frames.last() else {
            return Ok(());
        };
        match self.place {
            Place::File(fs, dir, queue) => remove(&fs, &dir, queue),
            Place::Spool(mut spool) => spool.release(last + 1),
            Place::Nowhere => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
        }
    }
}

/// A file that is damaged is kept beside, and its whole records take its place, so that the loss is counted once.
pub(super) fn read(
    fs: &Fs,
    dir: &Path,
    queue: QueueId,
    count: &mut dyn FnMut(Lost),
) -> io::Result<Found> {
    let path = path(dir, queue);
    let Some(bytes) = fs.read(&path, u64::MAX)? else {
        return Ok(Found::default());
    };
    let reading = record::read(&Bytes::from(bytes.clone()), ANY);
    if reading.is_damaged {
        count(reading.lost);
        let lost = Count(reading.lost.frames, "frame");
        warn!(
            "disk: {}: damaged: {lost} lost; kept beside as .damaged-1 to -8",
            path.display()
        );
        keep_aside(fs, &path, &bytes);
        let mut whole = Vec::new();
        reading
            .records
            .iter()
            .for_each(|(number, frame)| record::encode(&mut whole, *number, frame));
        if let Err(error) = replace(fs, dir, &path, &whole) {
            warn!("disk: {error}; left as it is");
        }
    }
    Ok(Found {
        frames: reading.records,
        lost: reading.lost,
        ..Found::default()
    })
}

pub(super) fn remove(fs: &Fs, dir: &Path, queue: QueueId) -> io::Result<()> {
    fs.remove(&path(dir, queue))?;
    fs.sync_dir(dir)
}

pub(crate) fn path(dir: &Path, queue: QueueId) -> PathBuf {
    dir.join(format!("undelivered-{}", queue.word()))
}

const ANY: Numbers = Numbers {
    from: 0,
    until: None,
    written: 0,
    released: 0,
};
