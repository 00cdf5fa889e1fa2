//! The few operations on whole files that safe writing needs, so that a test can stop between any two of them.

use std::io;
use std::path::Path;

use crate::fs::Fs;

/// Operations on whole files; see [`Fs`].
pub(crate) trait FileOps {
    fn read(&mut self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>>;
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    fn sync(&mut self, path: &Path) -> io::Result<()>;
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&mut self, path: &Path) -> io::Result<()>;
    fn sync_dir(&mut self, dir: &Path) -> io::Result<()>;
}

/// Writes a file and forces it to the disk; one that could not be written whole is taken away, for its space.
pub(crate) fn write_whole(files: &mut impl FileOps, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let written = files.write(path, bytes).and_then(|()| files.sync(path));
    if written.is_err() {
        let _ = files.remove(path);
    }
    written
}

impl FileOps for Fs {
    fn read(&mut self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
        Self::read(self, path, limit)
    }

    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        Self::write(self, path, bytes)
    }

    fn sync(&mut self, path: &Path) -> io::Result<()> {
        Self::sync(self, path)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        Self::rename(self, from, to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        Self::remove(self, path)
    }

    fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        Self::sync_dir(self, dir)
    }
}
