//! `--record FILE`: everything that happens to the device, as text that `dtu-sim replay` runs again.
//!
//! The log holds all data that crosses the line, and all passwords; it is readable for its owner only. A full disk
//! ends the recording with one log line, never the device.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use dtu_proto::event::Input;
use dtu_proto::record::{Header, encode_header, encode_input, encode_timeout};
use dtu_proto::time::{Duration, Instant};
use tracing::error;

use crate::fs::named;

/// The log that is being written.
#[derive(Debug)]
pub struct Recorder<W: Write = File> {
    path: PathBuf,
    /// `None` = it has failed.
    out: Option<BufWriter<W>>,
    line: String,
    /// Time of the first entry that may still be in the buffer.
    waiting_since: Option<Instant>,
}

impl Recorder {
    /// Starts a log; a file of that name is written over.
    ///
    /// # Errors
    /// Of the file system, with the path.
    pub fn create(path: &Path, header: &Header) -> io::Result<Self> {
        let mut options = File::options();
        let file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path);
        let file = file.map_err(|error| named(path, &error))?;
        // One that was there already may be open to everybody; a device such as /dev/stdout is not ours to change.
        if file.metadata().is_ok_and(|data| data.is_file()) {
            file.set_permissions(Permissions::from_mode(0o600))
                .map_err(|error| named(path, &error))?;
        }
        Self::start(path, file, header)
    }
}

impl<W: Write> Recorder<W> {
    fn start(path: &Path, to: W, header: &Header) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(BUFFER, to);
        let begun = out
            .write_all(encode_header(header).as_bytes())
            .and_then(|()| out.flush());
        begun.map_err(|error| named(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            out: Some(out),
            line: String::new(),
            waiting_since: None,
        })
    }

    /// To be called just before `Dtu::handle_input`.
    pub fn input(&mut self, at: Instant, input: &Input<'_>) {
        self.add(at, |line| encode_input(line, at, input));
    }

    /// To be called just before `Dtu::handle_timeout`.
    pub fn timeout(&mut self, at: Instant) {
        self.add(at, |line| encode_timeout(line, at));
    }

    /// When `tick` should be called at the latest; `None` = everything is in the file.
    #[must_use]
    pub fn flush_due(&self) -> Option<Instant> {
        self.waiting_since.map(|since| since + FLUSH_PERIOD)
    }

    /// Writes out what has waited for a second.
    pub fn tick(&mut self, now: Instant) {
        if self.flush_due().is_some_and(|due| due <= now) {
            self.flush();
        }
    }

    /// Writes out what waits. Also done when the recorder is dropped.
    pub fn flush(&mut self) {
        self.waiting_since = None;
        let flushed = self.out.as_mut().map_or(Ok(()), Write::flush);
        self.stop_on(flushed);
    }

    /// Whether the log is still being written.
    #[must_use]
    pub const fn is_recording(&self) -> bool {
        self.out.is_some()
    }

    fn add(&mut self, at: Instant, encode: impl FnOnce(&mut String)) {
        let Some(out) = &mut self.out else { return };
        self.line.clear();
        encode(&mut self.line);
        let written = out.write_all(self.line.as_bytes());
        self.waiting_since = self.waiting_since.or(Some(at));
        self.stop_on(written);
        self.tick(at);
    }

    fn stop_on(&mut self, written: io::Result<()>) {
        if let Err(error) = written {
            error!("{}: recording stops: {error}", self.path.display());
            self.waiting_since = None;
            // Not dropped as it is: that would try to write the rest once more.
            drop(self.out.take().map(BufWriter::into_parts));
        }
    }
}

impl<W: Write> Drop for Recorder<W> {
    fn drop(&mut self) {
        self.flush();
    }
}

const BUFFER: usize = 64 * 1024;
const FLUSH_PERIOD: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use dtu_proto::event::SerialInput;
    use dtu_proto::record::{Happening, OwnedInput, parse};

    const HELLO: Input<'static> = Input::Serial(SerialInput::Data(b"hello"));

    fn entries(path: &Path) -> usize {
        let text = std::fs::read_to_string(path).unwrap();
        parse(&text).unwrap().1.map(Result::unwrap).count()
    }

    fn recorder(dir: &tempfile::TempDir) -> (PathBuf, Recorder) {
        let path = dir.path().join("log");
        let recorder = Recorder::create(&path, &Header::default()).unwrap();
        (path, recorder)
    }

    #[test]
    fn a_log_is_read_by_the_codec_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let header = Header {
            seed: 9,
            stored: "AT+CIPR=9600\n".to_owned(),
            ..Header::default()
        };
        let path = dir.path().join("log");
        std::fs::write(&path, "an older log").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let mut recorder = Recorder::create(&path, &header).unwrap();
        recorder.input(Instant::from_millis(1), &HELLO);
        recorder.timeout(Instant::from_millis(2));
        drop(recorder);
        let text = std::fs::read_to_string(&path).unwrap();
        let (read, entries) = parse(&text).unwrap();
        assert_eq!(read, header);
        let what: Vec<_> = entries.map(|entry| entry.unwrap().what).collect();
        let hello = Happening::Input(OwnedInput::SerialData(b"hello".to_vec()));
        assert_eq!(what, [hello, Happening::Timeout]);
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn what_has_waited_a_second_is_written_out() {
        let dir = tempfile::tempdir().unwrap();
        let (path, mut recorder) = recorder(&dir);
        assert_eq!(recorder.flush_due(), None);
        recorder.input(Instant::from_millis(500), &HELLO);
        recorder.input(Instant::from_millis(900), &HELLO);
        assert_eq!(
            (entries(&path), recorder.flush_due()),
            (0, Some(Instant::from_millis(1500)))
        );
        recorder.tick(Instant::from_millis(1499));
        assert_eq!(entries(&path), 0);
        recorder.tick(Instant::from_millis(1500));
        assert_eq!((entries(&path), recorder.flush_due()), (2, None));
    }

    #[test]
    fn a_full_disk_ends_the_recording_and_nothing_else() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let said = Recorder::start(Path::new("log"), full, &Header::default())
            .unwrap_err()
            .to_string();
        assert!(said.starts_with("log: "), "{said}");

        /// Takes the header, then is full.
        struct Full(bool);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut recorder =
            Recorder::start(Path::new("log"), Full(false), &Header::default()).unwrap();
        recorder.input(Instant::ZERO, &HELLO);
        assert!(recorder.is_recording());
        recorder.tick(Instant::from_millis(1000));
        assert!(!recorder.is_recording());
        recorder.input(Instant::from_millis(2000), &HELLO);
        assert_eq!(recorder.flush_due(), None);
    }
}
