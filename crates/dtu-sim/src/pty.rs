//! A pseudo terminal with a symbolic link that gives it a lasting name.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;

/// What waits for a host that does not read; beyond, bytes are lost as on a wire, and counted.
const QUEUE_MAX: usize = 64 * 1024;

/// Of a program that serves it; it goes with this.
#[derive(Debug)]
pub struct Pty {
    master: OwnedFd,
    /// Without an open slave the master answers EIO, and hosts could not close and open.
    _slave: OwnedFd,
    name: PathBuf,
    link: PathBuf,
    queue: VecDeque<u8>,
    /// Bytes that found no reader.
    pub lost: u64,
}

impl Pty {
    /// Opens one, raw, with `link` leading to it.
    ///
    /// # Errors
    /// The system has none, or something else has that name.
    pub fn open(link: &Path) -> io::Result<Self> {
        check_replaceable(link)?;
        let master =
            rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let slave = rustix::fs::open(
            &*name,
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let mut attributes = rustix::termios::tcgetattr(&slave)?;
        attributes.make_raw();
        rustix::termios::tcsetattr(&slave, OptionalActions::Now, &attributes)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        let name = PathBuf::from(OsStr::from_bytes(name.as_bytes()));
        let _ = fs::remove_file(link);
        std::os::unix::fs::symlink(&name, link).map_err(|error| named(link, &error))?;
        Ok(Self {
            master,
            _slave: slave,
            name,
            link: link.to_owned(),
            queue: VecDeque::new(),
            lost: 0,
        })
    }

    /// The end of who serves it.
    #[must_use]
    pub const fn fd(&self) -> &OwnedFd {
        &self.master
    }

    /// Whether something waits to be written.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.queue.is_empty()
    }

    /// What was written to it; 0 bytes = nothing.
    ///
    /// # Errors
    /// Of the system.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match rustix::io::read(&self.master, buffer) {
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(0),
            read => Ok(read?),
        }
    }

    /// Writes, and keeps what finds no room yet.
    ///
    /// # Errors
    /// Of the system.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = QUEUE_MAX.saturating_sub(self.queue.len());
        self.lost += bytes.len().saturating_sub(room) as u64;
        self.queue.extend(bytes.iter().take(room));
        self.flush()
    }

    /// Writes what was kept.
    ///
    /// # Errors
    /// Of the system.
    pub fn flush(&mut self) -> io::Result<()> {
        while !self.queue.is_empty() {
            match rustix::io::write(&self.master, self.queue.as_slices().0) {
                Ok(0) | Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => break,
                Ok(written) => drop(self.queue.drain(..written)),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Somebody may have put something else there.
        if fs::read_link(&self.link).is_ok_and(|target| target == self.name) {
            let _ = fs::remove_file(&self.link);
        }
    }
}

/// Only a link to a pty that is no more may go.
fn check_replaceable(link: &Path) -> io::Result<()> {
    let refused = |why: &str| Err(io::Error::other(format!("{}: {why}", link.display())));
    match fs::symlink_metadata(link) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(named(link, &error)),
        Ok(found) if !found.is_symlink() => {
            refused("exists and is not a link to a pty; left alone")
        }
        Ok(_) if fs::read_link(link)?.starts_with("/dev/pts") && !link.exists() => Ok(()),
        Ok(_) => refused("leads to something that is there; remove it if no program serves it"),
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
