//! What the queues find on the disk at the start.

use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use dtu_proto::event::{QUEUES, QueueId};
use tracing::{info, warn};

use super::losses::LossFile;
use crate::fs::aside;
use crate::settings::Settings;
use crate::spool::{
    Found, Left, Spool, find_undelivered, folder, peek_undelivered, undelivered_path,
};
use crate::store::State;
use crate::words::plain;

/// Of all queues.
pub(super) struct Opening {
    pub(super) spools: [Option<Spool>; QUEUES],
    pub(super) losses: LossFile,
    pub(super) frames: Vec<(QueueId, u64, Bytes)>,
    pub(super) to_forget: Vec<Left>,
    /// Below this every frame of a queue is on the disk.
    pub(super) written: [u64; QUEUES],
    /// Frames that are in memory only, though their queue has a spool.
    pub(super) refused: [Vec<u64>; QUEUES],
}

/// What is wrong, each cause once for all queues.
#[derive(Default)]
struct Faults {
    causes: Vec<String>,
    /// Queues that are to have a spool, and have none.
    without: Vec<String>,
}

impl Faults {
    fn note(&mut self, error: &io::Error) {
        let cause = plain(error);
        if !self.causes.contains(&cause) {
            warn!("disk: {cause}");
            self.causes.push(cause);
        }
    }

    /// What follows from the causes.
    fn sum_up(&self) {
        if !self.without.is_empty() {
            let queues = self.without.join(", ");
            warn!(
                "disk: spool = \"disk\" cannot be had now: frames wait in memory only ({queues})"
            );
        }
    }
}

/// Of one queue.
struct OpenedQueue {
    spool: Option<Spool>,
    found: Found,
    to_forget: Option<Left>,
}

pub(super) fn queues(state: &State, settings: &Settings) -> Opening {
    let (losses, mut faults) = (open_losses(state), Faults::default());
    let mut all = Opening {
        spools: [const { None }; QUEUES],
        losses,
        frames: Vec::new(),
        to_forget: Vec::new(),
        written: [0; QUEUES],
        refused: [const { Vec::new() }; QUEUES],
    };
    for queue in QueueId::ALL {
        let OpenedQueue {
            spool,
            found,
            to_forget,
        } = open_queue(state, settings, queue, &mut all.losses, &mut faults);
        if !found.frames.is_empty() {
            let kept = if spool.is_some() {
                spool_path(state, queue)
            } else {
                undelivered_path(state.dir(), queue)
            };
            let (count, path) = (found.frames.len(), kept.display());
            info!(
                "{queue}: {count} frames of the last run wait (to drop them: stop dtud, remove {path})"
            );
        }
        all.written[queue.index()] = found.frames.last().map_or(0, |(last, _)| last + 1);
        all.refused[queue.index()] = found.refused;
        all.spools[queue.index()] = spool;
        all.to_forget.extend(to_forget);
        all.frames.extend(
            found
                .frames
                .into_iter()
                .map(|(number, frame)| (queue, number, frame)),
        );
    }
    faults.sum_up();
    all
}

fn open_losses(state: &State) -> LossFile {
    if state.read_only().is_some() {
        return LossFile::peek(&state.fs, state.dir());
    }
    LossFile::open(&state.fs, state.dir()).unwrap_or_else(|error| {
        warn!("disk: {error}; what is lost is counted in this run only");
        LossFile::peek(&state.fs, state.dir())
    })
}

fn open_queue(
    state: &State,
    settings: &Settings,
    queue: QueueId,
    losses: &mut LossFile,
    faults: &mut Faults,
) -> OpenedQueue {
    if state.read_only().is_some() {
        return look_at(state, settings, queue, losses, faults);
    }
    let mut open = || -> io::Result<OpenedQueue> {
        let mut count = |lost| {
            if let Err(error) = losses.count(queue, lost) {
                warn!("disk: {error}");
            }
        };
        match settings.spool_settings(queue) {
            Some(wanted) => {
                let kind = (wanted.size, wanted.sync);
                let (spool, found) = Spool::open(&state.fs, state.dir(), queue, kind, &mut count)?;
                Ok(OpenedQueue {
                    spool: Some(spool),
                    found,
                    to_forget: None,
                })
            }
            None => {
                let left = find_undelivered(&state.fs, state.dir(), queue, &mut count)?;
                let found = Found {
                    frames: left.found.frames.clone(),
                    lost: left.found.lost,
                    ..Found::default()
                };
                Ok(OpenedQueue {
                    spool: None,
                    found,
                    to_forget: Some(left),
                })
            }
        }
    };
    // What is in the place of a folder or file is set aside: it must not stop the device for ever.
    let opened = open().or_else(|error| {
        faults.note(&error);
        set_aside(state, queue);
        open()
    });
    opened.unwrap_or_else(|error| {
        faults.note(&error);
        look_at(state, settings, queue, losses, faults)
    })
}

/// Where nothing can be written: the frames that are there are sent, and stay there.
fn look_at(
    state: &State,
    settings: &Settings,
    queue: QueueId,
    losses: &mut LossFile,
    faults: &mut Faults,
) -> OpenedQueue {
    let left = peek_undelivered(&state.fs, state.dir(), queue).map(|left| left.found);
    let mut found = left.unwrap_or_else(|error| {
        faults.note(&error);
        Found::default()
    });
    if found.lost.frames > 0 {
        let _ = losses.count(queue, found.lost);
    }
    let count = found.frames.len();
    if queue == QueueId::Httpd && count > 0 {
        // What goes once at most must be noted before it goes.
        warn!(
            "{queue}: {count} frames of the last run stay on the disk: that they are sent could not be noted"
        );
        found.frames.clear();
    } else if count > 0 {
        warn!(
            "{queue}: {count} frames of the last run are sent, and again at each start: they cannot be removed"
        );
    }
    if settings.spool_settings(queue).is_some() {
        faults.without.push(queue.to_string());
    }
    OpenedQueue {
        spool: None,
        found,
        to_forget: None,
    }
}

fn spool_path(state: &State, queue: QueueId) -> PathBuf {
    state.dir().join("spool").join(folder(queue))
}

/// Only what is of the wrong kind: a spool or file that fails for another reason may be read at the next start.
fn set_aside(state: &State, queue: QueueId) {
    for (path, is_folder) in [
        (spool_path(state, queue), true),
        (undelivered_path(state.dir(), queue), false),
    ] {
        let wrong = std::fs::symlink_metadata(&path).is_ok_and(|data| {
            if is_folder {
                !data.is_dir()
            } else {
                !data.is_file()
            }
        });
        if wrong {
            let aside = aside(&path);
            match state.fs.rename(&path, &aside) {
                Ok(()) => warn!("disk: {}: set aside as {}", path.display(), aside.display()),
                Err(error) => warn!("disk: {error}"),
            }
        }
    }
}
