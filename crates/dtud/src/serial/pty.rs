//! A pseudo terminal, with a symbolic link that gives it a lasting name.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use dtu_proto::config::LineFormat;
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;
use tracing::{debug, warn};

use crate::port::{Port, ShortRead};

pub(super) struct Pty {
    /// Without an open slave the master answers EIO and loses what is queued, so the DTE could not close and open.
    slave: OwnedFd,
    name: PathBuf,
    link: PathBuf,
}

impl Pty {
    /// `state` is the folder where the link is noted, so that the next run knows it again after a crash.
    pub(super) fn create(link: &Path, state: &Path) -> io::Result<(Self, Port)> {
        let note = state.join("pty");
        check_replaceable(link, &note)?;
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let slave = rustix::fs::open(&*name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        let mut attributes = rustix::termios::tcgetattr(&slave)?;
        attributes.make_raw();
        rustix::termios::tcsetattr(&slave, OptionalActions::Now, &attributes)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        let name = PathBuf::from(OsStr::from_bytes(name.as_bytes()));
        let port = Port::new(master, ShortRead::Unknown)?;
        // Without the note only the start after a crash is harder: it must not fail this one.
        if let Err(error) = fs::write(&note, noted_text(&name, link)) {
            warn!("{}: {error}", note.display());
        }
        link_atomically(&name, link)?;
        Ok((Self { slave, name, link: link.to_owned() }, port))
    }

    /// Bytes that wait for the DTE at the end of the pty, out of some more that are on their way there.
    pub(super) fn unread(&self) -> u64 {
        rustix::io::ioctl_fionread(&self.slave).unwrap_or(0)
    }

    /// When the DTE last read, in steps of 8 s: the kernel keeps it for every tty, and the writer has no other sign of a
    /// reader that is slower than the pty's buffers are large.
    pub(super) fn read_at(&self) -> i64 {
        rustix::fs::fstat(&self.slave).map_or(0, |stat| stat.st_atime)
    }

    /// The rate is shown to whoever asks the pty; it has no wire to set it on, and always 8 bits.
    pub(super) fn configure(&self, format: LineFormat) -> Result<(), String> {
        let set = || -> io::Result<()> {
            let mut attributes = rustix::termios::tcgetattr(&self.slave)?;
            attributes.set_speed(format.baud)?;
            Ok(rustix::termios::tcsetattr(&self.slave, OptionalActions::Now, &attributes)?)
        };
        debug!("serial: a pty stays at 8 bits without parity; 7 bits are imitated");
        set().map_err(|error| error.to_string())
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

/// Only a link that a dtud left behind may go: one to a pty that is no more, or the one that the last run with this state
/// folder made. A pty's number is given again, so a link that is left may lead to somebody else's terminal.
fn check_replaceable(link: &Path, note: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(link) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(|error| named(link, &error))?,
    };
    if !found.is_symlink() {
        return Err(refused(link, "exists and is not a link to a pty; left alone"));
    }
    let target = fs::read_link(link)?;
    if !target.starts_with("/dev/pts") {
        return Err(refused(link, "is a link to something that is not in /dev/pts; left alone"));
    }
    let ours = fs::read_to_string(note).is_ok_and(|noted| noted == noted_text(&target, link));
    if target.exists() && !ours {
        return Err(refused(link, "leads to a pty that another program serves; left alone"));
    }
    Ok(())
}

fn noted_text(target: &Path, link: &Path) -> String {
    format!("{} {}\n", target.display(), link.display())
}

fn link_atomically(target: &Path, link: &Path) -> io::Result<()> {
    let mut fresh = link.file_name().unwrap_or_default().to_owned();
    fresh.push(format!(".{}", std::process::id()));
    let fresh = link.with_file_name(fresh);
    let _ = fs::remove_file(&fresh);
    std::os::unix::fs::symlink(target, &fresh).map_err(|error| named(link, &error))?;
    fs::rename(&fresh, link).map_err(|error| {
        let _ = fs::remove_file(&fresh);
        named(link, &error)
    })
}

fn refused(link: &Path, why: &str) -> io::Error {
    io::Error::other(format!("{}: {why}", link.display()))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
