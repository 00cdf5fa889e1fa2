//! That a PIN was sent, and its success not told yet. Three wrong ones lock the card, and a program that is started
//! again and again would send them.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use tracing::warn;

/// A file of the state folder. Another PIN in the settings makes another note.
#[derive(Clone, Debug)]
pub(super) struct Note {
    path: PathBuf,
    text: String,
}

impl Note {
    pub(super) fn new(state: &Path, pin: Option<&str>) -> Self {
        let digest = pin.map_or(0, |pin| crc32fast::hash(pin.as_bytes()));
        Self { path: state.join("modem-pin"), text: format!("{digest:08x}\n") }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn exists(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|text| text == self.text)
    }

    pub(super) fn write(&self) {
        let write = || -> io::Result<()> {
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&self.path)?;
            file.write_all(self.text.as_bytes())?;
            file.sync_all()
        };
        if let Err(error) = write() {
            warn!("{}: {error}; a wrong PIN may be sent once more after a restart", self.path.display());
        }
    }

    pub(super) fn remove(&self) {
        if let Err(error) = fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            warn!("{}: {error}; the PIN will not be sent after a restart", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_of_one_pin() {
        let folder = tempfile::tempdir().unwrap();
        let of = |pin| Note::new(folder.path(), Some(pin));
        assert!(!of("1234").exists());
        of("1234").write();
        assert!(of("1234").exists() && !of("4321").exists());
        of("1234").remove();
        assert!(!of("1234").exists());
        of("1234").remove();
    }
}
