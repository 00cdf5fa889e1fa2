//! What waits in memory when the program ends in good order, and its way back.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use dtu_proto::event::QueueId;
use tracing::warn;

use super::{Spool, SpoolSync, folder, record};
use crate::store::{Disk, FileOps as _, write_whole};

/// Keeps the frames of a queue in memory for the next start: whole or not at all, over a power cut too. No frames, no file.
///
/// # Errors
/// Of the file system, with the path.
pub fn save_undelivered<'a>(
    dir: &Path,
    queue: QueueId,
    frames: impl IntoIterator<Item = (u64, &'a Bytes)>,
) -> io::Result<()> {
    let path = path(dir, queue);
    let mut bytes = Vec::new();
    frames.into_iter().for_each(|(number, frame)| record::encode(&mut bytes, number, frame));
    if bytes.is_empty() {
        return Disk.remove(&path);
    }
    let new = path.with_extension("new");
    write_whole(&mut Disk, &new, &bytes)?;
    Disk.rename(&new, &path)?;
    Disk.sync_dir(dir)
}

/// The frames that the last run left, oldest first: at its clean stop, or in a spool when it had `spool = "disk"`. They
/// stay on the disk until [`Left::forget`], for a start may still fail.
///
/// # Errors
/// Of the file system, with the path.
pub fn find_undelivered(dir: &Path, queue: QueueId) -> io::Result<Left> {
    if dir.join("spool").join(folder(queue)).is_dir() {
        let (spool, frames) = Spool::open(dir, queue, u64::MAX, SpoolSync::Never)?;
        return Ok(Left { frames, place: Place::Spool(Box::new(spool)) });
    }
    Ok(Left { frames: read(dir, queue)?, place: Place::File(dir.to_owned(), queue) })
}

/// What a run left for a queue that keeps its frames in memory.
#[derive(Debug)]
pub struct Left {
    /// With their numbers, oldest first.
    pub frames: Vec<(u64, Bytes)>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    File(PathBuf, QueueId),
    Spool(Box<Spool>),
}

impl Left {
    /// Removes them from the disk: once they are in the device they live as every frame in memory does, and the
    /// next start must not send them again.
    ///
    /// # Errors
    /// Of the file system, with the path.
    pub fn forget(self) -> io::Result<()> {
        let Some((last, _)) = self.frames.last() else { return Ok(()) };
        match self.place {
            Place::File(dir, queue) => remove(&dir, queue),
            Place::Spool(mut spool) => spool.release(last + 1),
        }
    }
}

pub(super) fn read(dir: &Path, queue: QueueId) -> io::Result<Vec<(u64, Bytes)>> {
    let path = path(dir, queue);
    let Some(bytes) = Disk.read(&path, u64::MAX)? else { return Ok(Vec::new()) };
    let bytes = Bytes::from(bytes);
    let (frames, good) = record::decode_all(&bytes, 0);
    if good < bytes.len() {
        let (lost, kept) = (bytes.len() - good, frames.len());
        warn!("{}: damaged: {lost} bytes behind {kept} frames are lost", path.display());
    }
    Ok(frames)
}

pub(super) fn remove(dir: &Path, queue: QueueId) -> io::Result<()> {
    Disk.remove(&path(dir, queue))?;
    Disk.sync_dir(dir)
}

fn path(dir: &Path, queue: QueueId) -> PathBuf {
    dir.join(format!("undelivered-{}", queue.word()))
}
