//! One process a state directory.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::files::named;

/// The lock; it ends with the process, however that ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(dir: &Path) -> io::Result<Self> {
        let path = dir.join("lock");
        let mut options = File::options();
        let opened = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let mut file = opened.map_err(|error| named(&path, &error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(in_use(dir, &mut file)),
            Err(error) => return Err(named(&path, &error.into())),
        }
        // Only for the message of another process: a full disk must not keep the device from starting.
        let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

fn in_use(dir: &Path, file: &mut File) -> io::Error {
    let mut pid = String::new();
    let known = file.take(20).read_to_string(&mut pid).is_ok_and(|length| length > 0);
    let who = if known { format!("process {pid}") } else { "another process".to_owned() };
    let text =
        format!("{}: in use by {who}; a state directory serves one device (see --state)", dir.display());
    io::Error::new(io::ErrorKind::ResourceBusy, text)
}
