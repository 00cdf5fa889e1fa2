//! What has become of the PIN. Three wrong ones lock the card, and a program that is started again and again would
//! send them.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use modem_proto::PinPast;
use rustix::fs::OFlags;
use tracing::warn;

/// A file of the state folder. Another PIN in the settings makes another note.
#[derive(Clone, Debug)]
pub(super) struct Note {
    path: PathBuf,
    digest: String,
}

impl Note {
    pub(super) fn new(state: &Path, pin: Option<&str>) -> Self {
        let digest = pin.map_or(0, |pin| crc32fast::hash(pin.as_bytes()));
        Self { path: state.join("modem-pin"), digest: format!("{digest:08x}") }
    }

    /// Of this PIN.
    pub(super) fn past(&self) -> PinPast {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        let mut words = text.split_whitespace();
        if words.next() != Some(&self.digest) {
            return PinPast::Unsent;
        }
        match words.next() {
            None => PinPast::Sent,
            Some(TWICE) => PinPast::SentTwice,
            // Also a word of a later version: what is not understood sends no PIN.
            Some(_) => PinPast::Refused,
        }
    }

    /// Why it may not be sent, and what a person can do about it.
    pub(super) fn trouble(&self) -> Option<String> {
        let past = match self.past() {
            PinPast::Unsent => return None,
            PinPast::Sent => "was sent before, and the SIM did not open",
            PinPast::SentTwice => "was sent twice before, and the SIM did not open",
            PinPast::Refused => "was refused by the SIM before",
        };
        Some(format!("this PIN {past}; remove {} to try it again", self.path.display()))
    }

    pub(super) fn keep(&self, past: PinPast) {
        let kept = match past {
            PinPast::Unsent => self.remove(),
            PinPast::Sent => self.write(""),
            PinPast::SentTwice => self.write(TWICE),
            PinPast::Refused => self.write(REFUSED),
        };
        if let Err(error) = kept {
            let (path, sent) = (self.path.display(), past != PinPast::Unsent);
            let costs = if sent { "a wrong PIN may be sent once more" } else { "the PIN will not be sent" };
            warn!("{path}: {error}; {costs} after a restart");
        }
    }

    fn write(&self, word: &str) -> io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(&self.path)?;
        file.write_all(format!("{} {word}\n", self.digest).as_bytes())?;
        file.sync_all()
    }

    fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

const TWICE: &str = "twice";
const REFUSED: &str = "refused";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k6_a_note_is_of_one_pin_and_knows_all_that_became_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let of = |pin| Note::new(folder.path(), Some(pin));
        let pasts = [PinPast::Sent, PinPast::SentTwice, PinPast::Refused, PinPast::Unsent, PinPast::Unsent];
        for past in pasts {
            of("1234").keep(past);
            assert_eq!((of("1234").past(), of("4321").past()), (past, PinPast::Unsent));
            assert_eq!(of("1234").trouble().is_some(), past != PinPast::Unsent);
        }
        assert!(!of("1234").path.exists());
    }

    #[test]
    fn k6_the_note_of_an_earlier_version_is_a_pin_in_doubt_and_an_unknown_word_a_refusal() {
        let folder = tempfile::tempdir().unwrap();
        let note = Note::new(folder.path(), Some("1234"));
        for (text, past) in [
            (format!("{}\n", note.digest), PinPast::Sent),
            (format!("{} thrice\n", note.digest), PinPast::Refused),
            (String::new(), PinPast::Unsent),
        ] {
            fs::write(&note.path, text).unwrap();
            assert_eq!(note.past(), past);
        }
    }

    #[test]
    fn k6_a_note_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        fs::write(&victim, "theirs").unwrap();
        let note = Note::new(folder.path(), Some("1234"));
        std::os::unix::fs::symlink(&victim, &note.path).unwrap();
        note.keep(PinPast::Refused);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "theirs");
    }
}
