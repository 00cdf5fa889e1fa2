//! Serial traffic of a real device, out of a log that `dtud --record FILE` wrote.

use std::path::Path;
use std::sync::Arc;

use dtu_proto::record::{self, Happening, OwnedInput};

/// Bytes of one read; a longer one is cut.
const READ_MAX: usize = 4096;
/// From the last read to the first one again, in µs.
const AGAIN: u64 = 1_000_000;

/// What the equipment sent, over and over again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Time to the next one in µs, and bytes.
    reads: Arc<[(u64, Vec<u8>)]>,
}

/// Why a file is no recording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordedError {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// It is no log, or a damaged one.
    #[error("{0}")]
    NoLog(String),
    /// The equipment said nothing.
    #[error("{0}: no bytes came from the equipment in this log")]
    Silent(String),
}

impl Recorded {
    /// Reads a log.
    ///
    /// # Errors
    /// It is none, or there is nothing in it.
    pub fn load(path: &Path) -> Result<Self, RecordedError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| RecordedError::Unreadable(format!("{name}: {error}")))?;
        Self::read(&name, &text)
    }

    /// Reads its text; `name` is for errors.
    ///
    /// # Errors
    /// It is none, or there is nothing in it.
    pub fn read(name: &str, text: &str) -> Result<Self, RecordedError> {
        let wrong = |error: record::Error| {
            RecordedError::NoLog(format!("{name}:{}: {}", error.line, error.text))
        };
        let (_, entries) = record::parse(text).map_err(wrong)?;
        let mut reads: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut last = 0;
        for entry in entries {
            let entry = entry.map_err(wrong)?;
            let Happening::Input(OwnedInput::SerialData(mut bytes)) = entry.what else {
                continue;
            };
            if bytes.is_empty() {
                continue;
            }
            let at = entry.at.as_micros();
            if let Some((pause, _)) = reads.last_mut() {
                *pause = at.saturating_sub(last);
            }
            last = at;
            bytes.truncate(READ_MAX);
            reads.push((AGAIN, bytes));
        }
        if reads.is_empty() {
            return Err(RecordedError::Silent(name.to_owned()));
        }
        Ok(Self {
            reads: reads.into(),
        })
    }

    fn at(&self, number: u32) -> (u64, &[u8]) {
        let place = number as usize % self.reads.len();
        self.reads
            .get(place)
            .map_or((AGAIN, &[]), |(pause, bytes)| (*pause, bytes))
    }

    pub(super) fn bytes(&self, number: u32) -> &[u8] {
        self.at(number).1
    }

    /// From that read to the next, in µs.
    pub(super) fn pause(&self, number: u32) -> u64 {
        self.at(number).0
    }

    pub(super) fn longest(&self) -> usize {
        self.reads
            .iter()
            .map(|(_, bytes)| bytes.len())
            .max()
            .unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_equipment_sent_comes_again_in_its_time() {
        let log = include_str!("../../../dtu-proto/examples/run.log");
        let recorded = Recorded::read("run.log", log).unwrap();
        let count = recorded.reads.len() as u32;
        assert!(count > 1);
        assert_eq!(recorded.bytes(0), recorded.bytes(count));
        assert_eq!(recorded.pause(count - 1), AGAIN);
        let header = log.split_once("begin\n").unwrap().0;
        let silent = Recorded::read("x", &format!("{header}begin\n"));
        assert_eq!(silent, Err(RecordedError::Silent("x".to_owned())));
        assert!(matches!(
            Recorded::read("x", "no log"),
            Err(RecordedError::NoLog(_))
        ));
    }
}
