//! Whether a DTE has the pty open.
//!
//! This program keeps the pty's end of the DTE open itself, so the kernel does not tell when the last DTE closes it. Opening
//! and closing wake the watch; who is left is then found by closing the own descriptor for a moment, in which the kernel
//! says whether it was the last one. The pty keeps its bytes and settings meanwhile.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::task::Context;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use rustix::pty::OpenptFlags;

use crate::reactor::{Interest, Watched};
use crate::sys;

/// Wakes when somebody opens or closes a file.
pub(super) struct Watch(Watched);

/// What happened to the file since the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FileEvents {
    opens: u32,
    closes: u32,
}

impl Watch {
    pub(super) fn new(file: &std::path::Path) -> io::Result<Self> {
        let watch = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        inotify::add_watch(&watch, file, WatchFlags::OPEN | WatchFlags::CLOSE)?;
        Watched::new(watch, Interest::Readable).map(Self)
    }

    /// What has happened, if anything.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Option<FileEvents> {
        if self.0.poll_ready(cx).is_pending() {
            return None;
        }
        let seen = self.look();
        self.0.clear();
        (seen != FileEvents::default()).then_some(seen)
    }

    /// What has happened just now.
    #[cold]
    pub(super) fn look(&self) -> FileEvents {
        let mut seen = FileEvents::default();
        while seen.add(&self.0) {}
        seen
    }
}

impl FileEvents {
    /// Whether somebody is gone: else somebody has come.
    pub(super) const fn closed(self) -> bool {
        self.closes > 0
    }

    /// Reads what there is; false where there is nothing.
    fn add(&mut self, watch: &Watched) -> bool {
        let mut buf = [MaybeUninit::uninit(); 1024];
        let mut reader = inotify::Reader::new(watch, &mut buf);
        let mut any = false;
        loop {
            match reader.next() {
                Ok(event) => {
                    any = true;
                    let opened = event.events().contains(ReadFlags::OPEN);
                    self.opens += u32::from(opened);
                    self.closes += u32::from(!opened);
                }
                Err(Errno::INTR) => {}
                Err(_) => return any,
            }
            if reader.is_buffer_empty() {
                return any;
            }
        }
    }
}

/// Whether anybody but this program has the pty open. `slave` is closed and opened again.
///
/// "Nobody" can be wrong: the kernel makes one event of two openings in a row, so a DTE that opens it just beside the own
/// opening is not seen. Look once more a little later.
pub(super) fn has_others(
    slave: &mut Option<OwnedFd>,
    master: &OwnedFd,
    watch: &Watch,
) -> io::Result<bool> {
    for _ in 0..LOOKS {
        let others = has_others_now(slave, master)?;
        // The own closing and opening, and no more: else somebody came or went in that moment. Older kernels do not tell
        // of the own opening.
        let seen = watch.look();
        if seen.opens <= 1 && seen.closes == 1 {
            return Ok(others);
        }
    }
    Ok(true)
}

fn has_others_now(slave: &mut Option<OwnedFd>, master: &OwnedFd) -> io::Result<bool> {
    let exclusive = slave.as_ref().is_some_and(sys::is_exclusive);
    if let Some(slave) = slave.take() {
        // An exclusive pty could not be opened again.
        rustix::termios::ioctl_tiocnxcl(&slave)?;
    }
    let mut fds = [PollFd::new(master, PollFlags::empty())];
    let polled = rustix::event::poll(&mut fds, Some(&Timespec::default()));
    let others = !fds[0].revents().contains(PollFlags::HUP);
    let fresh = open(master)?;
    if exclusive && others {
        rustix::termios::ioctl_tiocexcl(&fresh)?;
    }
    *slave = Some(fresh);
    polled?;
    Ok(others)
}

/// The end of the DTE.
pub(super) fn open(master: impl std::os::fd::AsFd) -> io::Result<OwnedFd> {
    let slave = rustix::pty::ioctl_tiocgptpeer(
        master,
        OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC,
    )?;
    rustix::io::ioctl_fionbio(&slave, true)?;
    Ok(slave)
}

/// Looks in a row.
const LOOKS: u8 = 4;
