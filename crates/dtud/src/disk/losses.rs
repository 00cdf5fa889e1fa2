//! The counters of what was lost, over the end of the program.

use std::io;
use std::path::Path;

use dtu_proto::event::{QUEUES, QueueId};
use dtu_proto::status::{Loss, Losses};

use crate::fs::Fs;
use crate::fs::places::{Places, peek};
use crate::spool::Lost;

/// `DIR/losses`. Its room is there from the first start on: a full disk, which is what loses frames, can still count.
#[derive(Debug)]
pub(super) struct LossFile {
    places: Option<Places>,
    pub(super) losses: Losses,
}

impl LossFile {
    pub(super) fn open(fs: &Fs, dir: &Path) -> io::Result<Self> {
        let places = Places::open(fs, &dir.join("losses"), WORDS)?;
        let losses = decode(places.words());
        Ok(Self {
            places: Some(places),
            losses,
        })
    }

    /// As it stands; nothing is written later either.
    pub(super) fn peek(fs: &Fs, dir: &Path) -> Self {
        Self {
            places: None,
            losses: decode(&peek(fs, &dir.join("losses"), WORDS)),
        }
    }

    /// # Errors
    /// Of the file system, with the path.
    pub(super) fn write(&mut self, losses: &Losses) -> io::Result<()> {
        self.losses = *losses;
        let Some(places) = &mut self.places else {
            return Ok(());
        };
        let age = places.words().first().map_or(0, |age| age + 1);
        places.write(encode(age, losses))
    }

    /// Frames of an earlier run that are not there any more.
    pub(super) fn count(&mut self, queue: QueueId, lost: Lost) -> io::Result<()> {
        let mut losses = self.losses;
        let of = &mut losses.queues[queue.index()];
        of.frames += lost.frames;
        of.bytes += lost.bytes;
        self.write(&losses)
    }

    /// On the disk, not only with the system.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.places
            .as_ref()
            .map_or(Ok(()), |places| places.file().sync_data())
    }
}

fn encode(age: u64, losses: &Losses) -> Vec<u64> {
    let all = losses.queues.iter().chain([&losses.line]);
    let figures = all.flat_map(|loss| [loss.frames, loss.bytes, loss.spool_refused]);
    [age]
        .into_iter()
        .chain(figures)
        .chain(losses.others)
        .collect()
}

fn decode(words: &[u64]) -> Losses {
    let mut all = words[1..WORDS - Losses::OTHERS]
        .chunks_exact(3)
        .map(|of| Loss {
            frames: of[0],
            bytes: of[1],
            spool_refused: of[2],
        });
    let mut losses = Losses::default();
    losses
        .queues
        .iter_mut()
        .chain([&mut losses.line])
        .for_each(|loss| *loss = all.next().unwrap_or_default());
    losses
        .others
        .copy_from_slice(&words[WORDS - Losses::OTHERS..]);
    losses
}

/// Its age, three figures of each queue and of the line, and the others.
const WORDS: usize = 1 + 3 * (QUEUES + 1) + Losses::OTHERS;
