//! What has become of the PIN. Three wrong ones lock the card, and a program that is started again and again would
//! send them.

use std::io;
use std::path::{Path, PathBuf};

use modem_proto::PinHistory;
use tracing::warn;

use crate::fs::Fs;
use crate::store::write_whole;

/// A file of the state folder. Another PIN in the settings makes another note.
#[derive(Clone, Debug)]
pub(super) struct Note {
    path: PathBuf,
    digest: String,
    fs: Fs,
}

impl Note {
    pub(super) fn new(state: &Path, pin: Option<&str>) -> Self {
        let digest = pin.map_or(0, |pin| crc32fast::hash(pin.as_bytes()));
        Self {
            path: state.join("modem-pin"),
            digest: format!("{digest:08x}"),
            fs: Fs::default(),
        }
    }

    /// Of this PIN.
    pub(super) fn history(&self) -> PinHistory {
        match self.word().as_deref() {
            None => PinHistory::Unsent,
            Some(ACCEPTED) => PinHistory::Accepted,
            Some(AGAIN) => PinHistory::SentAgain,
            Some("") => PinHistory::Sent,
            Some(TWICE) => PinHistory::SentTwice,
            // Also a word of a later version: what is not understood sends no PIN.
            Some(_) => PinHistory::Refused,
        }
    }

    /// What is noted of it; `None` = nothing.
    fn word(&self) -> Option<String> {
        let bytes = self.fs.read(&self.path, LENGTH_MAX).ok().flatten()?;
        let text = String::from_utf8_lossy(&bytes);
        let mut words = text.split_whitespace();
        (words.next() == Some(&self.digest)).then(|| words.next().unwrap_or_default().to_owned())
    }

    /// Why it may not be sent, and what a person can do about it.
    pub(super) fn trouble(&self) -> Option<String> {
        let history = match self.history() {
            PinHistory::Unsent | PinHistory::Accepted => return None,
            PinHistory::Sent => "was sent before, and the SIM did not open",
            PinHistory::SentTwice => "was sent twice before, and the SIM did not open",
            PinHistory::SentAgain => {
                "opened the SIM once, was sent again, and the SIM did not open"
            }
            PinHistory::Refused => "was refused by the SIM before",
        };
        Some(format!(
            "this PIN {history}; remove {} to try it again",
            self.path.display()
        ))
    }

    /// To be called before the PIN is sent.
    ///
    /// # Errors
    /// Why it must not be sent: no later start would know of it. One that the card took before goes without a note: a
    /// device whose state cannot be written on purpose has to come back, too.
    pub(super) fn keep_before_sending(&self, history: PinHistory) -> Result<(), String> {
        let Err(error) = self.write(history) else {
            return Ok(());
        };
        // Once a run, for the next one must be noted.
        if self.word().as_deref() == Some(ACCEPTED) && history == PinHistory::SentAgain {
            return Ok(());
        }
        Err(format!(
            "the PIN is not sent: {error}; without this note each start would send it, and three wrong ones lock the SIM. \
             Make the folder writable for one start"
        ))
    }

    /// What became of it.
    pub(super) fn keep(&self, history: PinHistory) {
        if let Err(error) = self.write(history) {
            let taken = history == PinHistory::Accepted;
            let costs = if taken {
                "the PIN will not be sent"
            } else {
                "a wrong PIN may be sent once more"
            };
            warn!("modem: {error}; {costs} after a restart");
        }
    }

    fn write(&self, history: PinHistory) -> io::Result<()> {
        let word = match history {
            // Nothing has become of it.
            PinHistory::Unsent => return Ok(()),
            PinHistory::Accepted => ACCEPTED,
            PinHistory::SentAgain => AGAIN,
            PinHistory::Sent => "",
            PinHistory::SentTwice => TWICE,
            PinHistory::Refused => REFUSED,
        };
        if self.word().as_deref() == Some(word) {
            return Ok(());
        }
        // Beside it first: a full disk must not take the note that is there.
        let new = self.path.with_extension("new");
        let line = format!("{} {word}\n", self.digest);
        write_whole(&mut self.fs.clone(), &new, line.as_bytes())?;
        self.fs.rename(&new, &self.path)?;
        self.path
            .parent()
            .map_or(Ok(()), |folder| self.fs.sync_dir(folder))
    }
}

/// The card took it.
const ACCEPTED: &str = "accepted";
/// It took it once, and was given it again since.
const AGAIN: &str = "again";
const TWICE: &str = "twice";
const REFUSED: &str = "refused";
/// Much more than any note has.
const LENGTH_MAX: u64 = 256;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::fs::faults::Fault;

    #[test]
    fn k6_a_note_is_of_one_pin_and_knows_all_that_became_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let of = |pin| Note::new(folder.path(), Some(pin));
        let histories = [
            PinHistory::Sent,
            PinHistory::SentTwice,
            PinHistory::Refused,
            PinHistory::SentAgain,
            PinHistory::Accepted,
            PinHistory::Accepted,
        ];
        for history in histories {
            of("1234").keep(history);
            assert_eq!(
                (of("1234").history(), of("4321").history()),
                (history, PinHistory::Unsent)
            );
            assert_eq!(
                of("1234").trouble().is_some(),
                history != PinHistory::Accepted
            );
        }
        assert_eq!(of("1234").word().as_deref(), Some(ACCEPTED));
    }

    /// Four starts with a folder that was read-only, full or gone sent a wrong PIN three times.
    #[test]
    fn k6_without_a_note_no_pin_is_sent_unless_the_card_took_this_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let failing = |pin: &str| Note {
            fs: Fs::failing(0, Fault::Error(libc::EROFS), true),
            ..Note::new(folder.path(), Some(pin))
        };
        let why = failing("9999")
            .keep_before_sending(PinHistory::Sent)
            .unwrap_err();
        assert!(
            why.starts_with("the PIN is not sent: ") && why.contains("modem-pin"),
            "{why}"
        );
        let gone = Note::new(&folder.path().join("gone"), Some("9999"));
        assert!(gone.keep_before_sending(PinHistory::Sent).is_err());

        let good = Note::new(folder.path(), Some("1234"));
        good.keep_before_sending(PinHistory::Sent).unwrap();
        good.keep(PinHistory::Accepted);
        // From now on the folder cannot be written: a folder is in the place of the new note.
        fs::create_dir_all(folder.path().join("modem-pin.new").join("full")).unwrap();
        good.keep_before_sending(PinHistory::SentAgain).unwrap();
        assert_eq!(good.history(), PinHistory::Accepted);
        assert!(
            good.keep_before_sending(PinHistory::SentTwice).is_err(),
            "one a run"
        );
        let other = Note::new(folder.path(), Some("9999"));
        assert!(other.keep_before_sending(PinHistory::Sent).is_err());
        assert_eq!(
            good.word().as_deref(),
            Some(ACCEPTED),
            "the note that is there stays"
        );
    }

    #[test]
    fn k6_the_note_of_an_earlier_version_is_a_pin_in_doubt_and_an_unknown_word_a_refusal() {
        let folder = tempfile::tempdir().unwrap();
        let note = Note::new(folder.path(), Some("1234"));
        for (text, history) in [
            (format!("{}\n", note.digest), PinHistory::Sent),
            (format!("{} thrice\n", note.digest), PinHistory::Refused),
            (String::new(), PinHistory::Unsent),
        ] {
            fs::write(&note.path, text).unwrap();
            assert_eq!(note.history(), history);
        }
    }

    #[test]
    fn k6_a_note_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        fs::write(&victim, "theirs").unwrap();
        let note = Note::new(folder.path(), Some("1234"));
        std::os::unix::fs::symlink(&victim, &note.path).unwrap();
        note.keep(PinHistory::Refused);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "theirs");
    }
}
