//! A pseudo terminal, with a symbolic link that gives it a lasting name.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::task::Context;
use std::time::Duration;

use dtu_proto::config::LineFormat;
use dtu_proto::time::Instant;
use rustix::fs::Mode;
use rustix::pty::OpenptFlags;
use rustix::termios::{LocalModes, OptionalActions, QueueSelector};
use tracing::{debug, warn};

use super::users::{self, Watch};
use crate::fs::Fs;
use crate::port::{Port, ShortRead};
use crate::store::write_whole;

pub(super) struct Pty {
    /// Without an open slave the master answers EIO, so the DTE could not close and open. `None` only while it could not be
    /// opened again.
    slave: Option<OwnedFd>,
    /// `None` = nobody can tell; it counts as open then.
    watch: Option<Watch>,
    used: bool,
    /// When to look for a DTE without any news of one.
    look_at: Option<Instant>,
    /// The own end of the line, for another [`Port`] of it.
    master: OwnedFd,
    name: PathBuf,
    link: PathBuf,
}

impl Pty {
    /// `state` is the folder where the link is noted, so that the next run knows it again after a crash.
    pub(super) fn create(link: &Path, access: Access, state: &Path) -> io::Result<(Self, Port)> {
        let note = state.join("pty");
        let before = check_replaceable(link, &note)?;
        let master =
            rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
                .map_err(|error| no_pty(&error.into()))?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let slave = users::open(&master)?;
        make_raw(&slave)?;
        access.give(&slave)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        let name = PathBuf::from(OsStr::from_bytes(name.as_bytes()));
        let port = port_of(&master)?;
        // Without the note only the start after a crash is harder: it must not fail this one.
        if let Err(error) = write_note(&note, before.as_deref(), &name, link) {
            warn!("serial: {error}");
        }
        link_atomically(&name, link)?;
        let watch = Watch::new(&name).inspect_err(|error| {
            warn!(
                "serial: nobody can tell whether a DTE has {} open: {error}",
                link.display()
            )
        });
        let watch = watch.ok();
        let used = watch.is_none();
        let link = link.to_owned();
        Ok((
            Self {
                slave: Some(slave),
                watch,
                used,
                look_at: None,
                master,
                name,
                link,
            },
            port,
        ))
    }

    /// Whether a DTE has it open, as far as anybody can tell.
    pub(super) const fn is_used(&self) -> bool {
        self.used
    }

    /// Whether a DTE has it open, where that has changed.
    pub(super) fn poll_used(&mut self, cx: &mut Context<'_>, now: Instant) -> Option<bool> {
        let seen = self.watch.as_ref()?.poll(cx);
        let is_due = self.look_at.is_some_and(|at| at <= now);
        let used = match seen {
            None if !is_due => return None,
            Some(seen) if !seen.closed() => true,
            None => self.look(now, None),
            Some(_) => self.look(now, Some(now + LOOK_AGAIN)),
        };
        (std::mem::replace(&mut self.used, used) != used).then_some(used)
    }

    /// Whether anybody is there; where nobody was seen, it is looked for again at `again`.
    #[cold]
    fn look(&mut self, now: Instant, again: Option<Instant>) -> bool {
        let Some(watch) = &self.watch else {
            return true;
        };
        let was_open = self.slave.is_some();
        match users::has_others(&mut self.slave, &self.master, watch) {
            Ok(true) => {
                self.look_at = None;
                true
            }
            Ok(false) => {
                self.tidy();
                self.look_at = again;
                false
            }
            Err(error) => {
                if was_open {
                    warn!("serial: {}: {error}; tried again", self.link.display());
                }
                self.look_at = Some(now + OPEN_AGAIN);
                self.used
            }
        }
    }

    /// Bytes came: somebody has it open, or had.
    pub(super) fn on_data(&mut self, now: Instant) {
        if !self.used {
            self.look_at = Some(now);
        }
    }

    /// When to call [`Self::poll_used`] without any news.
    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.look_at
    }

    /// After the end of the DTE could not be kept open, and the last DTE has closed it.
    pub(super) fn reopen(&mut self, now: Instant) -> io::Result<Port> {
        if self.slave.is_none() {
            self.slave = Some(users::open(&self.master)?);
        }
        self.tidy();
        self.used = self.watch.is_none();
        self.look_at = Some(now);
        port_of(&self.master)
    }

    /// The last DTE has closed it: what it set is not for the next one.
    fn tidy(&self) {
        if let Some(slave) = &self.slave
            && let Err(error) = make_raw(slave)
        {
            warn!("serial: {} is not raw: {error}", self.link.display());
        }
    }

    /// An echo would send the bytes that are about to be written back to where they come from.
    pub(super) fn silence_echo(&self) {
        let Some(slave) = &self.slave else { return };
        let Ok(mut attributes) = rustix::termios::tcgetattr(slave) else {
            return;
        };
        if attributes.local_modes.intersects(ECHOES) {
            debug!("serial: the DTE has set an echo, which is taken back");
            attributes.local_modes -= ECHOES;
            let _ = rustix::termios::tcsetattr(slave, OptionalActions::Now, &attributes);
        }
    }

    /// Bytes that wait for the DTE at the end of the pty, out of some more that are on their way there.
    pub(super) fn unread(&self) -> u64 {
        self.slave
            .as_ref()
            .and_then(|slave| rustix::io::ioctl_fionread(slave).ok())
            .unwrap_or(0)
    }

    /// What a DTE that is gone did not read reaches no later one. Gives how many bytes that was.
    pub(super) fn forget_unread(&self) -> u64 {
        let Some(slave) = &self.slave else { return 0 };
        let mut buf = [0; 4096];
        let mut count = 0;
        while let Ok(read @ 1..) = rustix::io::read(slave, &mut buf) {
            count += read as u64;
        }
        // What is still on its way there, and what a DTE that set line mode left half a line.
        let _ = rustix::termios::tcflush(&self.master, QueueSelector::OFlush);
        let _ = rustix::termios::tcflush(slave, QueueSelector::IFlush);
        count
    }

    /// When the DTE last read, in steps of 8 s: the kernel keeps it for every tty, and the writer has no other sign of a
    /// reader that is slower than the pty's buffers are large.
    pub(super) fn read_at(&self) -> i64 {
        self.slave
            .as_ref()
            .and_then(|slave| rustix::fs::fstat(slave).ok())
            .map_or(0, |stat| stat.st_atime)
    }

    /// The rate is shown to whoever asks the pty; it has no wire to set it on, and always 8 bits.
    pub(super) fn configure(&self, format: LineFormat) -> Result<(), String> {
        let set = || -> io::Result<()> {
            let Some(slave) = &self.slave else {
                return Ok(());
            };
            let mut attributes = rustix::termios::tcgetattr(slave)?;
            attributes.set_speed(format.baud)?;
            Ok(rustix::termios::tcsetattr(
                slave,
                OptionalActions::Now,
                &attributes,
            )?)
        };
        debug!("serial: a pty stays at 8 bits without parity; 7 bits are imitated");
        set().map_err(|error| error.to_string())
    }
}

#[cfg(test)]
impl Pty {
    pub(super) fn forget_events(&self) {
        if let Some(watch) = &self.watch {
            watch.look();
        }
    }

    /// As where there was no descriptor left to open it again.
    pub(super) fn close_slave(&mut self) {
        self.slave = None;
    }
}

/// Who may open it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Permissions.
    pub mode: u32,
    /// The group, if not the system's choice.
    pub group: Option<u32>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            mode: 0o600,
            group: None,
        }
    }
}

impl Access {
    fn give(self, slave: &OwnedFd) -> io::Result<()> {
        let failed = |what: &str, error: rustix::io::Errno| {
            let error = io::Error::from(error);
            io::Error::new(error.kind(), format!("{what}: {error}"))
        };
        if let Some(group) = self.group {
            let group = rustix::fs::Gid::from_raw(group);
            rustix::fs::fchown(slave, None, Some(group)).map_err(|error| {
                failed("pty_group (dtud must be root, or of that group)", error)
            })?;
        }
        rustix::fs::fchmod(slave, Mode::from_raw_mode(self.mode))
            .map_err(|error| failed("pty_mode", error))
    }
}

fn port_of(master: &OwnedFd) -> io::Result<Port> {
    Port::new(
        rustix::io::fcntl_dupfd_cloexec(master, 0)?,
        ShortRead::EmptyTty,
    )
}

fn make_raw(slave: &OwnedFd) -> io::Result<()> {
    let mut attributes = rustix::termios::tcgetattr(slave)?;
    attributes.make_raw();
    Ok(rustix::termios::tcsetattr(
        slave,
        OptionalActions::Now,
        &attributes,
    )?)
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
        return Err(refused(
            link,
            "exists and is not a link to a pty; left alone",
        ));
    }
    let target = fs::read_link(link)?;
    if !target.starts_with("/dev/pts") {
        return Err(refused(
            link,
            "is a link to something that is not in /dev/pts; left alone",
        ));
    }
    if let Ok(pty) = fs::metadata(&target)
        && !is_ours(note, &target, link)
        && !was_given_again(&found, &pty)
    {
        return Err(refused(
            link,
            "leads to a pty that another program serves; left alone",
        ));
    }
    Ok(Some(target))
}

/// An empty note is of a run of ours that died while it wrote it.
fn is_ours(note: &Path, target: &Path, link: &Path) -> bool {
    let noted = Fs::default().read(note, 1 << 16).ok().flatten();
    let noted = noted.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let wanted = noted_text(target, link);
    noted.is_some_and(|noted| {
        noted.is_empty() || noted.split_inclusive('\n').any(|line| line == wanted)
    })
}

/// A pty that came after the link that leads to it has the number of one that is gone.
fn was_given_again(link: &fs::Metadata, pty: &fs::Metadata) -> bool {
    pty.ctime() > link.ctime() + 1
}

/// Whole or not at all; with what the link leads to until it is replaced.
fn write_note(note: &Path, before: Option<&Path>, name: &Path, link: &Path) -> io::Result<()> {
    let before = before
        .map(|before| noted_text(before, link))
        .unwrap_or_default();
    let new = note.with_extension("new");
    let mut fs = Fs::default();
    write_whole(
        &mut fs,
        &new,
        format!("{}{before}", noted_text(name, link)).as_bytes(),
    )?;
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

/// A container without devpts says no more than "No such device".
fn no_pty(error: &io::Error) -> io::Error {
    let text = format!(
        "/dev/ptmx: {error}; is devpts mounted at /dev/pts? (mount -t devpts devpts /dev/pts)"
    );
    io::Error::new(error.kind(), text)
}

fn refused(link: &Path, why: &str) -> io::Error {
    io::Error::other(format!("{}: {why}", link.display()))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// After nobody was found.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// After the end of the DTE could not be opened.
const OPEN_AGAIN: Duration = Duration::from_secs(1);
const ECHOES: LocalModes = LocalModes::ECHO.union(LocalModes::ECHONL);
