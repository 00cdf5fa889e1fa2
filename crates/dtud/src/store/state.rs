//! The state folder: whose it is, whether it can be written, and whether it is still there.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD};

use super::lock::Lock;
use crate::fs::{Fs, is_read_only, named};

/// The open state folder. While it lives no other process can open it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) fs: Fs,
    dir: PathBuf,
    /// Why nothing can be written.
    read_only: Option<String>,
    identity: Option<Identity>,
    _lock: Option<Lock>,
}

/// Which folder it is, whatever its name, and which lock lies in it: one that is emptied is lost, too.
pub(crate) type Identity = ((u64, u64), Option<(u64, u64)>);

impl State {
    /// Opens the folder, which is made if it is missing. One that cannot be written is used as it is: a card that is
    /// worn must not end the device. The messages say what was not in order.
    ///
    /// # Errors
    /// Others may write the folder, or another process uses it; the text names it.
    pub(crate) fn open(fs: &Fs, dir: &Path) -> io::Result<(Self, Vec<String>)> {
        let mut messages = Vec::new();
        let made = fs.make_dir(dir);
        let read_only = match &made {
            Err(error) if cannot_write(error) => Some(error.to_string()),
            Err(_) => return Err(made.expect_err("it failed")),
            Ok(()) => {
                refuse_foreign(
                    dir,
                    &std::fs::metadata(dir).map_err(|error| named(dir, &error))?,
                )?;
                unwritable(dir)
            }
        };
        let lock = match Lock::take(dir) {
            Ok(lock) => Some(lock),
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => return Err(error),
            Err(error) => {
                // Nobody can lock a folder that is not there.
                messages.extend(
                    made.is_ok()
                        .then(|| format!("{error}; it is used without a lock")),
                );
                None
            }
        };
        if let Some(why) = &read_only {
            messages.push(format!(
                "{why}: nothing can be kept; the device runs with what is stored there"
            ));
        }
        let (identity, dir) = (identity(dir), dir.to_owned());
        Ok((
            Self {
                fs: fs.clone(),
                dir,
                read_only,
                identity,
                _lock: lock,
            },
            messages,
        ))
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Why nothing can be written, if that was so at the start.
    pub(crate) fn read_only(&self) -> Option<&str> {
        self.read_only.as_deref()
    }

    /// Which folder it was at the start.
    pub(crate) const fn identity(&self) -> Option<Identity> {
        self.identity
    }
}

/// Which folder has the name now.
pub(crate) fn identity(dir: &Path) -> Option<Identity> {
    let of = |data: std::fs::Metadata| (data.dev(), data.ino());
    let folder = std::fs::metadata(dir).ok().map(of)?;
    Some((
        folder,
        std::fs::symlink_metadata(dir.join("lock")).ok().map(of),
    ))
}

/// A folder of the state, below it: no link, and nobody else's.
pub(crate) fn make_private(fs: &Fs, dir: &Path) -> io::Result<()> {
    fs.make_dir(dir)?;
    let data = std::fs::symlink_metadata(dir).map_err(|error| named(dir, &error))?;
    if !data.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::NotADirectory,
            format!("{}: is no folder", dir.display()),
        ));
    }
    refuse_foreign(dir, &data)
}

/// Who may write the folder could put links and files of his choice into it, for a program that may be root's.
fn refuse_foreign(dir: &Path, data: &std::fs::Metadata) -> io::Result<()> {
    let (name, own) = (dir.display(), rustix::process::geteuid().as_raw());
    let (mode, owner) = (data.mode() & 0o7777, data.uid());
    let (what, cure) = if mode & 0o022 != 0 {
        (
            format!("others may write it (mode {mode:04o})"),
            format!("chmod go-w {name}"),
        )
    } else if owner != own && owner != 0 {
        let text = format!("it belongs to user {owner}, dtud runs as user {own} (mode {mode:04o})");
        (text, format!("chown {own} {name}"))
    } else {
        return Ok(());
    };
    let text = format!(
        "{name}: not used as a state folder: {what}; cure: {cure}, or another folder with --state"
    );
    Err(io::Error::other(text))
}

/// A disk that is full takes nothing new, too.
fn cannot_write(error: &io::Error) -> bool {
    is_read_only(error) || error.kind() == io::ErrorKind::StorageFull
}

fn unwritable(dir: &Path) -> Option<String> {
    let error = rustix::fs::accessat(CWD, dir, Access::WRITE_OK, AtFlags::empty()).err()?;
    Some(named(dir, &error.into()).to_string())
}
