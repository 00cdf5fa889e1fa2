//! A pseudo terminal, with a symbolic link that gives it a lasting name.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use dtu_proto::config::LineFormat;
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;
use tracing::{debug, warn};

use crate::fs::Fs;
use crate::port::{Port, ShortRead};
use crate::store::write_whole;

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
        let before = check_replaceable(link, &note)?;
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
        if let Err(error) = write_note(&note, before.as_deref(), &name, link) {
            warn!("{error}");
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
/// Gives where it leads to.
fn check_replaceable(link: &Path, note: &Path) -> io::Result<Option<PathBuf>> {
    let found = match fs::symlink_metadata(link) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found.map_err(|error| named(link, &error))?,
    };
    if !found.is_symlink() {
        return Err(refused(link, "exists and is not a link to a pty; left alone"));
    }
    let target = fs::read_link(link)?;
    if !target.starts_with("/dev/pts") {
        return Err(refused(link, "is a link to something that is not in /dev/pts; left alone"));
    }
    if let Ok(pty) = fs::metadata(&target)
        && !is_ours(note, &target, link)
        && !was_given_again(&found, &pty)
    {
        return Err(refused(link, "leads to a pty that another program serves; left alone"));
    }
    Ok(Some(target))
}

/// An empty note is of a run of ours that died while it wrote it.
fn is_ours(note: &Path, target: &Path, link: &Path) -> bool {
    let noted = Fs::default().read(note, 1 << 16).ok().flatten();
    let noted = noted.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let wanted = noted_text(target, link);
    noted.is_some_and(|noted| noted.is_empty() || noted.split_inclusive('\n').any(|line| line == wanted))
}

/// A pty that came after the link that leads to it has the number of one that is gone.
fn was_given_again(link: &fs::Metadata, pty: &fs::Metadata) -> bool {
    pty.ctime() > link.ctime() + 1
}

/// Whole or not at all; with what the link leads to until it is replaced.
fn write_note(note: &Path, before: Option<&Path>, name: &Path, link: &Path) -> io::Result<()> {
    let before = before.map(|before| noted_text(before, link)).unwrap_or_default();
    let new = note.with_extension("new");
    let mut fs = Fs::default();
    write_whole(&mut fs, &new, format!("{}{before}", noted_text(name, link)).as_bytes())?;
    fs.rename(&new, note)
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
