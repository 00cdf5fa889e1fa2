//! The file system as the state folder needs it: every call that can fail goes through here, so that a test can let
//! each of them fail. No symbolic link is followed below the state folder, and every error names its file.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
#[cfg(test)]
use std::sync::Arc;

#[cfg(test)]
pub(crate) mod faults;
pub(crate) mod places;

/// The file system; in tests one that fails as planned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fs {
    #[cfg(test)]
    pub(crate) faults: Option<Arc<faults::Faults>>,
}

/// An error that says which file.
pub(crate) fn named(path: &Path, error: &io::Error) -> io::Error {
    if error.raw_os_error() == Some(libc::ELOOP) {
        return io::Error::other(format!(
            "{}: is a symbolic link, and none is followed here",
            path.display()
        ));
    }
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Whether the file system, or its rights, allow no change at all.
pub(crate) fn is_read_only(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
    )
}

/// For a file of its owner alone, and no link to one.
pub(crate) fn options() -> std::fs::OpenOptions {
    let mut options = File::options();
    // A FIFO in the place of a file must not stop the start: O_NONBLOCK means nothing to files.
    options
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

impl Fs {
    /// The file's bytes, at most `limit` and one; `None` where there is no file.
    pub(crate) fn read(&self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let read = || -> io::Result<Vec<u8>> {
            self.step("read")?;
            let mut bytes = Vec::new();
            options()
                .read(true)
                .open(path)?
                .take(limit.saturating_add(1))
                .read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(named(path, &error)),
        }
    }

    /// What can be read of a file: zeros where it cannot.
    pub(crate) fn salvage(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.open_to_read(path)?;
        let data = file.file.metadata().map_err(|error| named(path, &error))?;
        if !data.is_file() {
            return Err(io::Error::other(format!("{}: is no file", path.display())));
        }
        let length = usize::try_from(data.len()).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        for (block, offset) in bytes.chunks_mut(BLOCK).zip((0..).step_by(BLOCK)) {
            if file.read_exact_at(block, offset).is_err() {
                block.fill(0);
            }
        }
        Ok(bytes)
    }

    /// A new file of these bytes, in place of whatever had the name; nothing is forced to the disk.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // Removed first: a link that somebody left there is not written through.
        self.remove(path)?;
        self.create(path)?.write_all_at(bytes, 0)
    }

    /// Forces the file's bytes to the disk.
    pub(crate) fn sync(&self, path: &Path) -> io::Result<()> {
        let sync = || {
            self.step("sync")?;
            self.force(|| options().read(true).open(path)?.sync_all())
        };
        sync().map_err(|error| named(path, &error))
    }

    /// Gives the file another name, in place of a file that has it.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step("rename")
            .and_then(|()| std::fs::rename(from, to))
            .map_err(|error| named(to, &error))
    }

    /// Removes the file if it is there.
    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        match self
            .step("remove")
            .and_then(|()| std::fs::remove_file(path))
        {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(path, &error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Forces the names in the folder to the disk. The state folder itself may be a link: systemd makes one.
    pub(crate) fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let sync = || {
            self.step("sync")?;
            self.force(|| {
                File::options()
                    .read(true)
                    .custom_flags(libc::O_DIRECTORY)
                    .open(dir)?
                    .sync_all()
            })
        };
        sync().map_err(|error| named(dir, &error))
    }

    /// Makes a folder for its owner only, and those above it; one that is there is left as it is.
    pub(crate) fn make_dir(&self, dir: &Path) -> io::Result<()> {
        let make = || {
            self.step("mkdir")?;
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir)
        };
        make().map_err(|error| named(dir, &error))
    }

    /// What is in a folder.
    pub(crate) fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let list = || -> io::Result<Vec<PathBuf>> {
            self.step("readdir")?;
            std::fs::read_dir(dir)?
                .map(|entry| Ok(entry?.path()))
                .collect()
        };
        list().map_err(|error| named(dir, &error))
    }

    /// An empty file, also where there was another.
    pub(crate) fn create(&self, path: &Path) -> io::Result<OpenFile> {
        self.open_with(
            "open",
            path,
            options().write(true).create(true).truncate(true),
        )
    }

    /// A file to read and write in places; made if it is missing.
    pub(crate) fn open(&self, path: &Path) -> io::Result<OpenFile> {
        self.open_with(
            "open",
            path,
            options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false),
        )
    }

    /// A file to read only.
    pub(crate) fn open_to_read(&self, path: &Path) -> io::Result<OpenFile> {
        self.open_with("open to read", path, options().read(true))
    }

    fn open_with(
        &self,
        what: &'static str,
        path: &Path,
        options: &std::fs::OpenOptions,
    ) -> io::Result<OpenFile> {
        let file = self.step(what).and_then(|()| options.open(path));
        let file = file.map_err(|error| named(path, &error))?;
        Ok(OpenFile {
            file,
            path: path.to_owned(),
            fs: self.clone(),
        })
    }

    #[cfg(not(test))]
    #[allow(clippy::unused_self, reason = "the seam of the tests")]
    fn force(&self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        sync()
    }

    /// Nobody cuts the power of a test with a plan.
    #[cfg(test)]
    fn force(&self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        if self.faults.is_some() {
            Ok(())
        } else {
            sync()
        }
    }

    #[cfg(not(test))]
    #[allow(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "the seam of the tests"
    )]
    const fn step(&self, _what: &'static str) -> io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    fn step(&self, what: &'static str) -> io::Result<()> {
        self.faults
            .as_ref()
            .map_or(Ok(()), |faults| faults.step(what))
    }
}

/// A file that stays open.
#[derive(Debug)]
pub(crate) struct OpenFile {
    file: File,
    path: PathBuf,
    fs: Fs,
}

impl OpenFile {
    pub(crate) fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_part(bytes, offset)
            .map_err(|error| named(&self.path, &error))
    }

    #[cfg(not(test))]
    fn write_part(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    /// A write that is to fail may get a part done.
    #[cfg(test)]
    fn write_part(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let Some(faults) = &self.fs.faults else {
            return self.file.write_all_at(bytes, offset);
        };
        let (part, outcome) = faults.write(bytes.len());
        self.file.write_all_at(&bytes[..part], offset)?;
        outcome
    }

    pub(crate) fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.run("read", |file| file.read_exact_at(bytes, offset))
    }

    pub(crate) fn set_len(&self, length: u64) -> io::Result<()> {
        self.run("truncate", |file| file.set_len(length))
    }

    pub(crate) fn sync_data(&self) -> io::Result<()> {
        self.run("sync", |file| self.fs.force(|| file.sync_data()))
    }

    pub(crate) fn len(&self) -> io::Result<u64> {
        Ok(self
            .file
            .metadata()
            .map_err(|error| named(&self.path, &error))?
            .len())
    }

    fn run(&self, what: &'static str, act: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
        self.fs
            .step(what)
            .and_then(|()| act(&self.file))
            .map_err(|error| named(&self.path, &error))
    }
}

/// Gives a file one of eight names beside it (`NAME.damaged-1` …), for a look; the last name is used again.
pub(crate) fn aside(path: &Path) -> PathBuf {
    let named = |number: usize| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".damaged-{number}"));
        PathBuf::from(name)
    };
    let free = (1..MAX_DAMAGED)
        .map(named)
        .find(|aside| std::fs::symlink_metadata(aside).is_err());
    free.unwrap_or_else(|| named(MAX_DAMAGED))
}

/// What a disk reads as one, or not at all.
const BLOCK: usize = 4096;
/// Files set aside are kept for a look, but not without end.
pub(crate) const MAX_DAMAGED: usize = 8;
