//! How far a queue is released, and which frame is being sent.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::fs::places::{Places, peek};
use crate::fs::{Fs, OpenFile};

/// The mark: every frame below it is released.
#[derive(Debug)]
pub(super) struct Mark(Places);

impl Mark {
    pub(super) fn open(fs: &Fs, dir: &Path) -> io::Result<Self> {
        Places::open(fs, &dir.join("released"), 1).map(Self)
    }

    /// As it stands, where nothing may be written.
    pub(super) fn peek(fs: &Fs, dir: &Path) -> u64 {
        peek(fs, &dir.join("released"), 1)[0]
    }

    pub(super) fn released(&self) -> u64 {
        self.0.words()[0]
    }

    pub(super) fn file(&self) -> &Arc<OpenFile> {
        self.0.file()
    }

    pub(super) fn advance(&mut self, released: u64) -> io::Result<()> {
        self.0.write([released].into())
    }

    /// Back to the start, on the disk.
    pub(super) fn reset(&mut self) -> io::Result<()> {
        self.0.reset()
    }
}

/// How far a queue was written: what is missing at its end was there. It is not forced to the disk; where it is older than
/// the frames, it says nothing.
#[derive(Debug)]
pub(super) struct Written(Places);

impl Written {
    /// `None` where it cannot be kept: only the count of what a damaged disk has lost is less exact then.
    pub(super) fn open(fs: &Fs, dir: &Path) -> Option<Self> {
        Places::open(fs, &dir.join("written"), 1).ok().map(Self)
    }

    pub(super) fn peek(fs: &Fs, dir: &Path) -> u64 {
        peek(fs, &dir.join("written"), 1)[0]
    }

    /// The number behind the last frame.
    pub(super) fn next(&self) -> u64 {
        self.0.words()[0]
    }

    pub(super) fn advance(&mut self, next: u64) {
        let _ = self.0.write([next].into());
    }

    pub(super) fn reset(&mut self) {
        let _ = self.0.reset();
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
        self.0.write([age, u64::from(frame.is_some()), frame.unwrap_or(0)].into())
    }

    pub(super) fn file(&self) -> &Arc<OpenFile> {
        self.0.file()
    }
}
