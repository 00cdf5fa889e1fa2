//! One process a state folder.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::fs::named;

/// The lock; it ends with the process, however that ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// # Errors
    /// `ResourceBusy`: another process has it. Any other: there is nothing that could be locked.
    pub(super) fn take(dir: &Path) -> io::Result<Self> {
        let path = dir.join("lock");
        let mut file = open(dir, &path).map_err(|error| named(&path, &error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(in_use(dir, &mut file)),
            Err(error) => return Err(named(&path, &error.into())),
        }
        // Only for the message of another process: a full disk must not keep the device from starting.
        let _ = file
            .set_len(0)
            .and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

/// The file, where it can be written; else as it is; else the folder: a lock needs no right to write.
fn open(dir: &Path, path: &Path) -> io::Result<File> {
    let options = || crate::fs::options().read(true).clone();
    options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .or_else(|error| options().open(path).map_err(|_| error))
        .or_else(|error| File::open(dir).map_err(|_| error))
}

fn in_use(dir: &Path, file: &mut File) -> io::Error {
    let mut pid = String::new();
    let known = file
        .take(20)
        .read_to_string(&mut pid)
        .is_ok_and(|length| length > 0);
    let who = if known {
        format!("process {pid}")
    } else {
        "another process".to_owned()
    };
    let text = format!(
        "{}: in use by {who}; a state directory serves one device (see --state)",
        dir.display()
    );
    io::Error::new(io::ErrorKind::ResourceBusy, text)
}
