//! The socket at which the device tells how it is. Whoever connects gets one report, and the connection closes.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};
use std::time::Duration;

use dtu_proto::time::Instant;
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::{UnixListener, UnixStream};
use tracing::{debug, warn};

use super::{Report, SOCKET, Short};

#[derive(Default)]
pub(crate) struct Server {
    listener: Option<UnixListener>,
    path: PathBuf,
    /// Nobody can come in, which was said: when to look again.
    again_at: Option<Instant>,
    /// Somebody may have come: the loop has slept, or somebody had come at the last look.
    look: bool,
}

impl Server {
    /// A device without it runs all the same: nobody can ask.
    pub(crate) fn open(state: &Path) -> Self {
        let path = state.join(SOCKET);
        let listener = listen(state, &path)
            .inspect_err(|error| {
                warn!(
                    "device: dtud status cannot ask: {}: {error}",
                    path.display()
                )
            })
            .ok();
        Self {
            listener,
            path,
            again_at: None,
            look: true,
        }
    }

    /// The loop has slept.
    pub(crate) const fn woken(&mut self) {
        self.look = true;
    }

    /// Answers who came. One at a time; the report is far smaller than what a socket takes at once.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        report: impl FnOnce() -> Report,
    ) -> bool {
        if self.again_at.map_or(!self.look, |at| now < at) {
            return false;
        }
        let stream = match self.listener.as_ref().map(|server| server.poll_accept(cx)) {
            Some(Poll::Ready(Ok((stream, _)))) => stream,
            Some(Poll::Ready(Err(error))) => {
                // Nothing wakes the loop when it would go again.
                if self.again_at.replace(now + LOOK_AGAIN).is_none() {
                    warn!("device: dtud status is not answered: {error}");
                }
                return false;
            }
            Some(Poll::Pending) | None => {
                self.again_at = None;
                self.look = false;
                return false;
            }
        };
        self.again_at = None;
        if let Err(error) = write_report(stream, &report()) {
            debug!("device: dtud status: {error}");
        }
        true
    }

    /// When to look without any news.
    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.again_at
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.listener.is_some() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn write_report(stream: UnixStream, report: &Report) -> io::Result<()> {
    use std::io::Write as _;
    let text = serde_json::to_string(report)?;
    stream.into_std()?.write_all(text.as_bytes())
}

/// Its owner alone may connect, from the first moment. The lock of the state folder is held: a socket that is there is of a
/// run that died.
fn listen(state: &Path, path: &Path) -> io::Result<UnixListener> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        fs::remove_file(path)?;
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let short = Short::of(state)?;
    socket.bind(&SockAddr::unix(&short.path)?)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    UnixListener::from_std(std::os::unix::net::UnixListener::from(
        std::os::fd::OwnedFd::from(socket),
    ))
}

const BACKLOG: i32 = 8;
const LOOK_AGAIN: Duration = Duration::from_secs(1);
