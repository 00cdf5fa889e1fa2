//! The mark: every frame below it is released. Two places in one file are written in turn, so that a torn write
//! leaves the other; the greater good one counts.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::named;

#[derive(Debug)]
pub(super) struct Mark {
    path: PathBuf,
    file: Arc<File>,
    released: u64,
    /// The place that is written next: not the one that holds `released`.
    place: usize,
}

impl Mark {
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        let path = dir.join("released");
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.map_err(|error| named(&path, &error))?;
        let marks = PLACES.map(|offset| read(&file, offset).unwrap_or(0));
        let place = usize::from(marks[0] >= marks[1]);
        // Room for both places now: a full disk must not keep delivered frames from being marked. If it is full
        // already, `advance` tells.
        if file.metadata().is_ok_and(|data| data.len() == 0) {
            let _ = clear(&file);
        }
        Ok(Self { path, file: Arc::new(file), released: marks[0].max(marks[1]), place })
    }

    /// As on a disk that is full.
    #[cfg(test)]
    pub(super) fn unwritable() -> Self {
        let path = PathBuf::from("/dev/full");
        let file = File::options().write(true).open(&path).expect("the device is there");
        Self { path, file: Arc::new(file), released: 0, place: 0 }
    }

    pub(super) const fn released(&self) -> u64 {
        self.released
    }

    pub(super) const fn file(&self) -> &Arc<File> {
        &self.file
    }

    pub(super) fn advance(&mut self, released: u64) -> io::Result<()> {
        let mut bytes = [0; LENGTH];
        bytes[..8].copy_from_slice(&released.to_le_bytes());
        bytes[8..].copy_from_slice(&crc32fast::hash(&released.to_le_bytes()).to_le_bytes());
        self.file.write_all_at(&bytes, PLACES[self.place]).map_err(|error| named(&self.path, &error))?;
        self.place = 1 - self.place;
        self.released = released;
        Ok(())
    }

    /// Back to the start, on the disk.
    pub(super) fn reset(&mut self) -> io::Result<()> {
        let reset = clear(&self.file).and_then(|()| self.file.sync_all());
        reset.map_err(|error| named(&self.path, &error))?;
        self.released = 0;
        Ok(())
    }
}

/// Neither place holds a mark (the sum of a zero is not zero), and both keep their room.
fn clear(file: &File) -> io::Result<()> {
    PLACES.iter().try_for_each(|offset| file.write_all_at(&[0; LENGTH], *offset))
}

fn read(file: &File, offset: u64) -> Option<u64> {
    let mut bytes = [0; LENGTH];
    file.read_exact_at(&mut bytes, offset).ok()?;
    let (released, crc) = bytes.split_at(8);
    (crc32fast::hash(released).to_le_bytes() == crc).then_some(())?;
    Some(u64::from_le_bytes(released.try_into().ok()?))
}

/// In different sectors of the disk.
const PLACES: [u64; 2] = [0, 4096];
const LENGTH: usize = 12;
