//! The few file operations that safe writing needs, so that a test can stop between any two of them.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Operations on whole files.
pub(crate) trait FileOps {
    /// The file's bytes, at most `limit` and one; `None` where there is no file.
    fn read(&mut self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>>;
    /// Makes or empties the file (mode 0600) and writes it; nothing is on the disk yet.
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Forces the file's bytes to the disk.
    fn sync(&mut self, path: &Path) -> io::Result<()>;
    /// Gives the file another name, in place of a file that has it.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes the file if it is there.
    fn remove(&mut self, path: &Path) -> io::Result<()>;
    /// Forces the names in the folder to the disk.
    fn sync_dir(&mut self, dir: &Path) -> io::Result<()>;
}

/// An error that says which file.
pub(crate) fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Writes a file and forces it to the disk; one that could not be written whole is taken away, for its space.
pub(crate) fn write_whole(files: &mut impl FileOps, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let written = files.write(path, bytes).and_then(|()| files.sync(path));
    if written.is_err() {
        let _ = files.remove(path);
    }
    written
}

/// The real ones.
#[derive(Debug)]
pub(crate) struct Disk;

impl FileOps for Disk {
    fn read(&mut self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        match File::open(path).and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes)) {
            Ok(_) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(named(path, &error)),
        }
    }

    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut options = File::options();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
        file.and_then(|mut file| file.write_all(bytes)).map_err(|error| named(path, &error))
    }

    fn sync(&mut self, path: &Path) -> io::Result<()> {
        File::open(path).and_then(|file| file.sync_all()).map_err(|error| named(path, &error))
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to).map_err(|error| named(to, &error))
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(path, &error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        self.sync(dir)
    }
}
