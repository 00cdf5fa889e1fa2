//! What waits in memory when the program ends in good order, and its way back.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use dtu_proto::event::LinkId;
use tracing::warn;

use super::{Spool, SpoolSync, record};
use crate::store::{Disk, FileOps as _, write_whole};

/// Keeps the frames of a memory link for the next start: whole or not at all, over a power cut too. No frames, no file.
///
/// # Errors
/// Of the file system, with the path.
pub fn save_undelivered<'a>(
    dir: &Path,
    link: LinkId,
    frames: impl IntoIterator<Item = (u64, &'a Bytes)>,
) -> io::Result<()> {
    let path = path(dir, link);
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

/// Takes the frames that the last run left, oldest first: at its clean stop, or in a spool when it had
/// `spool = "disk"`. Once they are in memory they live as every frame of a memory link does, and their file is
/// removed, so that the next start does not send them again.
///
/// # Errors
/// Of the file system, with the path; then the files are still there.
pub fn take_undelivered(dir: &Path, link: LinkId) -> io::Result<Vec<(u64, Bytes)>> {
    if dir.join("spool").join(format!("link-{link}")).is_dir() {
        let (mut spool, frames) = Spool::open(dir, link, u64::MAX, SpoolSync::Never)?;
        frames.last().map_or(Ok(()), |(last, _)| spool.release(last + 1))?;
        return Ok(frames);
    }
    let frames = read(dir, link)?;
    if !frames.is_empty() {
        remove(dir, link)?;
    }
    Ok(frames)
}

pub(super) fn read(dir: &Path, link: LinkId) -> io::Result<Vec<(u64, Bytes)>> {
    let path = path(dir, link);
    let Some(bytes) = Disk.read(&path, u64::MAX)? else { return Ok(Vec::new()) };
    let bytes = Bytes::from(bytes);
    let (frames, good) = record::decode_all(&bytes, 0);
    if good < bytes.len() {
        let (lost, kept) = (bytes.len() - good, frames.len());
        warn!("{}: damaged: {lost} bytes behind {kept} frames are lost", path.display());
    }
    Ok(frames)
}

pub(super) fn remove(dir: &Path, link: LinkId) -> io::Result<()> {
    Disk.remove(&path(dir, link))?;
    Disk.sync_dir(dir)
}

fn path(dir: &Path, link: LinkId) -> PathBuf {
    dir.join(format!("undelivered-{link}"))
}
