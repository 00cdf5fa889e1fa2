//! Whether the state folder is still the one that was opened.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use rustix::fs::inotify;
use tracing::{debug, error, info};

use crate::reactor::{Interest, Watched};
use crate::store::{Identity, identity};

/// Looks after the folder, from any thread.
#[derive(Debug)]
pub(crate) struct Guard {
    dir: PathBuf,
    /// `None` = there was none at the start, so it cannot be lost.
    opened: Option<Identity>,
    is_lost: AtomicBool,
    looked: Mutex<Instant>,
}

impl Guard {
    pub(crate) fn new(dir: &Path, opened: Option<Identity>) -> Arc<Self> {
        let looked = Mutex::new(Instant::now());
        Arc::new(Self {
            dir: dir.to_owned(),
            opened,
            is_lost: AtomicBool::new(false),
            looked,
        })
    }

    /// # Errors
    /// The folder was removed or replaced; told in the log once.
    pub(crate) fn check(&self) -> io::Result<()> {
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let now = identity(&self.dir);
        let is_lost = self.opened.is_some() && now != self.opened;
        let was_lost = self.is_lost.swap(is_lost, Ordering::AcqRel);
        match (was_lost, is_lost) {
            (false, true) => error!(
                "disk: {}; nothing is kept on the disk until then",
                self.why()
            ),
            (true, false) => info!("disk: {}: the state folder is back", self.dir.display()),
            (false, false) | (true, true) => {}
        }
        if is_lost { Err(self.why()) } else { Ok(()) }
    }

    /// For those who write often: looks now and then.
    pub(super) fn check_now_and_then(&self) -> io::Result<()> {
        let looked = *self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.elapsed() >= LOOK_EVERY || self.is_lost.load(Ordering::Acquire) {
            return self.check();
        }
        Ok(())
    }

    fn why(&self) -> io::Error {
        let text = "the state folder was removed or replaced while dtud ran: put it back, or start dtud again";
        io::Error::new(
            io::ErrorKind::NotFound,
            format!("{}: {text}", self.dir.display()),
        )
    }
}

/// Told by the system when the folder, or what is in it, goes. It costs nothing while that does not happen.
#[derive(Debug)]
pub(super) enum Watch {
    /// Not polled yet: the folder to watch.
    New(PathBuf),
    Polled(Watched),
    /// A system without any watches left is no reason to stop: the folder is looked at when it is written, too.
    None,
}

impl Watch {
    /// Ready when something has gone.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Self::New(dir) = self {
            let watched =
                watch(dir).inspect_err(|error| debug!("{}: not watched: {error}", dir.display()));
            *self = watched.map_or(Self::None, Self::Polled);
            // It may have gone before.
            return Poll::Ready(());
        }
        let Self::Polled(fd) = &*self else {
            return Poll::Pending;
        };
        loop {
            ready!(fd.poll_ready(cx));
            let mut buf = [0; 4096];
            match rustix::io::read(fd, &mut buf) {
                Ok(1..) => return Poll::Ready(()),
                Err(rustix::io::Errno::INTR) => {}
                Ok(0) | Err(_) => fd.clear(),
            }
        }
    }
}

fn watch(dir: &Path) -> io::Result<Watched> {
    let fd = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC)?;
    let gone = inotify::WatchFlags::DELETE_SELF | inotify::WatchFlags::MOVE_SELF;
    // A folder that is removed is emptied first; one that is open somewhere is not deleted till it is closed.
    let emptied = inotify::WatchFlags::DELETE | inotify::WatchFlags::MOVED_FROM;
    inotify::add_watch(&fd, dir, gone | emptied | inotify::WatchFlags::ONLYDIR)?;
    Watched::new(fd, Interest::Readable)
}

const LOOK_EVERY: Duration = Duration::from_secs(10);
