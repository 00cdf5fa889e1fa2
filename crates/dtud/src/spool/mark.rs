//! How far a queue is released and written, and which frame is being sent.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::fs::places::{Places, peek};
use crate::fs::{Fs, OpenFile};

/// A number that is noted: of the frame behind those that are released, or were written.
#[derive(Debug)]
pub(super) struct Mark(Places);

/// Every frame below it is released.
pub(super) const RELEASED: &str = "released";
/// Every frame below it was written: what is missing at the end was there. It is not forced to the disk; where it is older
/// than the frames, it says nothing.
pub(super) const WRITTEN: &str = "written";

impl Mark {
    pub(super) fn open(fs: &Fs, dir: &Path, name: &str) -> io::Result<Self> {
        Places::open(fs, &dir.join(name), 1).map(Self)
    }

    /// As it stands, where nothing may be written.
    pub(super) fn peek(fs: &Fs, dir: &Path, name: &str) -> u64 {
        peek(fs, &dir.join(name), 1)[0]
    }

    pub(super) fn number(&self) -> u64 {
        self.0.words()[0]
    }

    pub(super) fn file(&self) -> &Arc<OpenFile> {
        self.0.file()
    }

    pub(super) fn advance(&mut self, number: u64) -> io::Result<()> {
        self.0.write([number].into())
    }

    /// Back to the start, on the disk.
    pub(super) fn reset(&mut self) -> io::Result<()> {
        self.0.reset()
    }
}

/// The frame that was given to a connection and may not go twice. Made when it is first needed.
#[derive(Debug)]
pub(super) struct Sending(Places);

impl Sending {
    /// `None` where no frame was ever noted.
    pub(super) fn find(fs: &Fs, dir: &Path) -> io::Result<Option<Self>> {
        let path = dir.join("sending");
        match std::fs::symlink_metadata(&path) {
            Err(_) => Ok(None),
            Ok(_) => Places::open(fs, &path, 3).map(|places| Some(Self(places))),
        }
    }

    pub(super) fn make(fs: &Fs, dir: &Path) -> io::Result<Self> {
        Places::open(fs, &dir.join("sending"), 3).map(Self)
    }

    pub(super) fn frame(&self) -> Option<u64> {
        (self.0.words()[1] == 1).then_some(self.0.words()[2])
    }

    pub(super) fn set(&mut self, frame: Option<u64>) -> io::Result<()> {
        let age = self.0.words()[0] + 1;
        self.0
            .write([age, u64::from(frame.is_some()), frame.unwrap_or(0)].into())
    }

    pub(super) fn file(&self) -> &Arc<OpenFile> {
        self.0.file()
    }
}
