//! `dtud status`: how a running device is, asked over a socket of its state folder.

mod ask;
mod more;
mod report;
mod server;

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

pub(crate) use ask::{ask, running};
#[cfg(feature = "console")]
pub(crate) use more::differing_keys;
pub(crate) use report::{Around, Report};
pub(crate) use server::Server;

/// The socket's name in the state folder.
const SOCKET: &str = "status";

/// The socket by a name that fits into its address.
struct Short {
    path: PathBuf,
    /// Lends the name to a folder whose own is too long.
    _folder: Option<OwnedFd>,
}

impl Short {
    fn of(state: &Path) -> io::Result<Self> {
        let path = state.join(SOCKET);
        if path.as_os_str().len() < ADDRESS {
            return Ok(Self {
                path,
                _folder: None,
            });
        }
        let folder = rustix::fs::open(
            state,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()));
        Ok(Self {
            path,
            _folder: Some(folder),
        })
    }
}

/// Bytes of the address of a socket, with the one that ends it (unix(7)).
const ADDRESS: usize = 108;
