//! What waits in memory when the program ends in good order, and its way back.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use dtu_proto::event::LinkId;
use tracing::warn;

use super::record;
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

/// Takes the frames that the last clean stop left, oldest first. Once they are in memory they live as every frame
/// of a memory link does, and their file is removed, so that the next start does not send them again.
///
/// # Errors
/// Of the file system, with the path; then the file is still there.
pub fn take_undelivered(dir: &Path, link: LinkId) -> io::Result<Vec<(u64, Bytes)>> {
    let path = path(dir, link);
    let Some(bytes) = Disk.read(&path, u64::MAX)? else { return Ok(Vec::new()) };
    let bytes = Bytes::from(bytes);
    let (frames, good) = record::decode_all(&bytes, 0);
    if good < bytes.len() {
        warn!(
            "{}: damaged: {} bytes behind {} frames are lost",
            path.display(),
            bytes.len() - good,
            frames.len()
        );
    }
    Disk.remove(&path)?;
    Disk.sync_dir(dir)?;
    Ok(frames)
}

fn path(dir: &Path, link: LinkId) -> PathBuf {
    dir.join(format!("undelivered-{link}"))
}
