//! A pseudo terminal, with a symbolic link that gives it a lasting name.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};

use dtu_proto::config::LineFormat;
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;
use tracing::debug;

use crate::port::{Port, ShortRead};

pub(super) struct Pty {
    /// Without an open slave the master answers EIO and loses what is queued, so the DTE could not close and open.
    slave: OwnedFd,
    name: PathBuf,
    link: PathBuf,
    /// Held while this process serves the link; the kernel lets go of it at any kind of end.
    _owner: UnixDatagram,
}

impl Pty {
    pub(super) fn create(link: &Path) -> io::Result<(Self, Port)> {
        let owner = claim(link)?;
        check_replaceable(link)?;
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
        link_atomically(&name, link)?;
        Ok((Self { slave, name, link: link.to_owned(), _owner: owner }, port))
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

/// Takes the right to serve `link`, by a name in the kernel that dies with this process.
fn claim(link: &Path) -> io::Result<UnixDatagram> {
    let folder = link.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().map_err(|error| named(folder, &error))?;
    let whole = folder.join(link.file_name().ok_or_else(|| refused(link, "is not a file name"))?);
    // Names of this kind hold 107 bytes, paths more.
    let name = format!(
        "dtud-pty-{:08x}-{:x}",
        crc32fast::hash(whole.as_os_str().as_bytes()),
        whole.as_os_str().len()
    );
    UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name)?).map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            refused(link, "is served by another dtud that runs")
        } else {
            named(link, &error)
        }
    })
}

/// Only a link that some dtud left behind may go.
fn check_replaceable(link: &Path) -> io::Result<()> {
    match fs::symlink_metadata(link) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(named(link, &error)),
        Ok(found) if !found.is_symlink() => {
            Err(refused(link, "exists and is not a link to a pty; left alone"))
        }
        Ok(_) if fs::read_link(link)?.starts_with("/dev/pts") => Ok(()),
        Ok(_) => Err(refused(link, "is a link to something that is not in /dev/pts; left alone")),
    }
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
