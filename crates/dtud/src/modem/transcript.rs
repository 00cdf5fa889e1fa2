//! `--modem-log FILE`: the dialogue with the modem, secrets masked, as `dtu-sim modem --replay` reads it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use dtu_proto::time::Instant;
use modem_proto::Event;
use tracing::warn;

use crate::words::is_unseen;

/// A file of 8 MiB at most, and one before it (`FILE.1`). Its owner alone reads it: messages and numbers stand in it.
pub(super) struct Transcript {
    path: PathBuf,
    /// `None` = it could not be written; that was said.
    file: Option<File>,
    written: u64,
    most: u64,
}

impl Transcript {
    pub(super) fn new(path: &Path) -> Self {
        let mut log = Self {
            path: path.to_owned(),
            file: None,
            written: 0,
            most: MOST,
        };
        let opened = log.open();
        log.note_result(opened);
        log
    }

    fn open(&mut self) -> io::Result<()> {
        let mut file = crate::fs::options()
            .append(true)
            .create(true)
            .open(&self.path)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::other("is no file"));
        }
        // One that was there before may be open to others.
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        self.written = found.len() + HEAD.len() as u64;
        file.write_all(HEAD.as_bytes())?;
        self.file = Some(file);
        Ok(())
    }

    pub(super) fn note(&mut self, event: &Event, now: Instant) {
        let (way, line) = if let Event::Sent(line) = event {
            ("->", line)
        } else if let Event::Received(line) = event {
            ("<-", line)
        } else {
            return self.write(&format!("# {event}\n"));
        };
        let seconds = now.as_micros() as f64 / 1e6;
        // What a confused modem sends may be anything.
        let line: String = line
            .chars()
            .map(|sign| if is_unseen(sign) { '?' } else { sign })
            .collect();
        self.write(&format!("{seconds:.3} {way} {line}\n"));
    }

    fn write(&mut self, line: &str) {
        let written = self.try_write(line);
        self.note_result(written);
    }

    fn try_write(&mut self, line: &str) -> io::Result<()> {
        if self.file.is_some() && self.written + line.len() as u64 > self.most {
            let mut old = self.path.clone().into_os_string();
            old.push(".1");
            fs::rename(&self.path, old)?;
            self.file = None;
            self.open()?;
        }
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        file.write_all(line.as_bytes())?;
        self.written += line.len() as u64;
        Ok(())
    }

    fn note_result(&mut self, done: io::Result<()>) {
        if let Err(error) = done {
            warn!(
                "{}: {error}; the dialogue with the modem is not written any more",
                self.path.display()
            );
            self.file = None;
        }
    }
}

const HEAD: &str =
    "# dtud: the dialogue with the modem, secrets masked. Numbers and messages are not.\n";
const MOST: u64 = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn what_is_written_can_be_played_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("modem.log");
        let mut log = Transcript::new(&path);
        log.note(&Event::Sent("AT+CPIN=\"****\"".into()), at(1500));
        log.note(&Event::Silent, at(1500));
        log.note(&Event::Received("O\x1bK".into()), at(2001));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.ends_with("\n1.500 -> AT+CPIN=\"****\"\n# silent in the middle of the dialogue; asked until it answers\n2.001 <- O?K\n"), "{text}");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_log_is_bounded_with_one_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("modem.log");
        let mut log = Transcript::new(&path);
        log.most = 500;
        (0..100).for_each(|n| log.note(&Event::Received(format!("line {n}")), at(n)));
        let (new, old) = (
            fs::read_to_string(&path).unwrap(),
            fs::read_to_string(folder.path().join("modem.log.1")).unwrap(),
        );
        assert!(new.len() <= 500 && old.len() <= 500 && new.contains("line 99"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_log_that_was_open_to_others_is_shut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("modem.log");
        fs::write(&path, "older\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        Transcript::new(&path).note(&Event::Silent, at(1));
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(
            fs::read_to_string(&path)
                .unwrap()
                .starts_with("older\n# dtud")
        );
    }

    #[test]
    fn m_a_full_disk_ends_the_log_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Transcript::new(&folder.path().join("modem.log"));
        log.file = Some(File::options().write(true).open("/dev/full").unwrap());
        log.note(&Event::Silent, at(1));
        assert!(log.file.is_none());
        log.note(&Event::Received("OK".into()), at(2));
        // Where it cannot even be made.
        let mut none = Transcript::new(&folder.path().join("no/such/folder/log"));
        none.note(&Event::Silent, at(3));
        assert!(none.file.is_none());
    }

    #[test]
    fn a_log_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let (victim, path) = (folder.path().join("victim"), folder.path().join("log"));
        fs::write(&victim, "theirs").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        Transcript::new(&path).note(&Event::Silent, at(1));
        assert_eq!(fs::read_to_string(&victim).unwrap(), "theirs");
    }
}
