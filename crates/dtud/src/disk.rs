//! What is kept on disk, as the loop sees it: saving parameters in the background, spooling at once.

use std::path::{Path, PathBuf};
use std::task::{Context, Poll};

use bytes::Bytes;
use dtu_proto::config::{Config, Problem};
use dtu_proto::event::{QUEUES, QueueId, StoreOutput};
use tracing::{error, info, warn};

use crate::settings::Settings;
use crate::spool::{Left, Spool, find_undelivered, folder, save_undelivered};
use crate::store::{MessageStore, ParameterStore, Saver};

pub(crate) struct Disk {
    dir: PathBuf,
    parameters: Saver<ParameterStore>,
    messages: Saver<MessageStore>,
    /// The last set of messages could not be stored, and that was told.
    messages_told: bool,
    /// Of the queues with `spool = "disk"`.
    spools: [Option<Spool>; QUEUES],
    /// The last trouble with a spool was told.
    told: [bool; QUEUES],
}

/// What the last run left.
pub(crate) struct Kept {
    pub(crate) config: Config,
    /// The mailbox, as the core wrote it.
    pub(crate) messages: String,
    pub(crate) frames: Vec<(QueueId, u64, Bytes)>,
    /// Still on the disk, though no spool keeps them.
    pub(crate) to_forget: Vec<Left>,
}

/// The outcome of a save.
pub(crate) enum Saved {
    Parameters(Result<(), String>),
    Messages(Result<u64, String>),
}

impl Kept {
    /// Called when nothing can stop the start any more.
    pub(crate) fn forget(to_forget: Vec<Left>) {
        for left in to_forget {
            if let Err(error) = left.forget() {
                warn!("frames of the last run may come twice: {error}");
            }
        }
    }
}

impl Disk {
    pub(crate) fn open(dir: &Path, settings: &Settings) -> anyhow::Result<(Self, Kept)> {
        let (parameters, config, mut problems) = ParameterStore::open(dir)?;
        let (mailbox, messages, of_messages) = MessageStore::open(&parameters)?;
        problems.extend(of_messages);
        for problem in problems {
            warn!("store: {problem}");
        }
        let mut spools = [const { None }; QUEUES];
        let (mut frames, mut to_forget) = (Vec::new(), Vec::new());
        for queue in QueueId::ALL {
            let Opened { spool, frames: left, to_forget: file } = open_queue(dir, settings, queue);
            spools[queue.index()] = spool;
            to_forget.extend(file);
            if !left.is_empty() {
                info!("{queue}: {} frames of the last run wait", left.len());
            }
            frames.extend(left.into_iter().map(|(number, frame)| (queue, number, frame)));
        }
        let (parameters, mailbox) = (Saver::new(parameters), Saver::new(mailbox));
        let (dir, told) = (dir.to_owned(), [false; QUEUES]);
        let disk = Self { dir, parameters, messages: mailbox, messages_told: false, spools, told };
        Ok((disk, Kept { config, messages, frames, to_forget }))
    }

    /// What the core could not use of the messages that were kept.
    pub(crate) fn tell_passed_over(&self, problems: &[Problem]) {
        for problem in problems {
            warn!("store: {}", MessageStore::passed_over(&self.dir, problem));
        }
    }

    pub(crate) fn order(&mut self, order: StoreOutput) {
        match order {
            StoreOutput::Save(text) => self.parameters.save(0, text),
            StoreOutput::Messages { number, text } => self.messages.save(number, text),
            StoreOutput::SpoolAppend(queue, number, frame) => {
                self.spool(queue, |spool| spool.append(number, &frame));
            }
            StoreOutput::SpoolRelease(queue, up_to) => self.spool(queue, |spool| spool.release(up_to)),
        }
    }

    /// The frame stays in memory whatever the disk says, so trouble is told, once until it is over.
    fn spool(&mut self, queue: QueueId, act: impl FnOnce(&mut Spool) -> std::io::Result<()>) {
        let Some(spool) = &mut self.spools[queue.index()] else { return };
        let outcome = act(spool);
        let told = std::mem::replace(&mut self.told[queue.index()], outcome.is_err());
        if let (Err(error), false) = (outcome, told) {
            warn!("{queue}: spool: {error}");
        }
    }

    pub(crate) const fn is_saving(&self) -> bool {
        self.parameters.is_saving() || self.messages.is_saving()
    }

    /// The outcome of a save.
    pub(crate) fn poll_saved(&mut self, cx: &mut Context<'_>) -> Poll<Saved> {
        if let Poll::Ready(saved) = self.parameters.poll(cx) {
            return Poll::Ready(Saved::Parameters(saved.map(drop).inspect_err(|why| error!("store: {why}"))));
        }
        let saved = std::task::ready!(self.messages.poll(cx));
        // A disk that is full fails each set: told once until it is over.
        let told = std::mem::replace(&mut self.messages_told, saved.is_err());
        if let (Err(why), false) = (&saved, told) {
            error!("store: messages: {why}");
        }
        Poll::Ready(Saved::Messages(saved))
    }

    /// At a clean stop; the queues with a spool have theirs there.
    pub(crate) fn keep_undelivered<'a>(
        &self,
        queue: QueueId,
        frames: impl Iterator<Item = (u64, &'a Bytes)>,
    ) {
        if self.spools[queue.index()].is_some() {
            return;
        }
        if let Err(error) = save_undelivered(&self.dir, queue, frames) {
            warn!("{queue}: the undelivered frames are lost: {error}");
        }
    }
}

/// What a queue finds on the disk.
#[derive(Default)]
struct Opened {
    spool: Option<Spool>,
    frames: Vec<(u64, Bytes)>,
    to_forget: Option<Left>,
}

/// Opens what a queue left. What cannot be read is set aside: one bad file must not stop the device for ever.
fn open_queue(dir: &Path, settings: &Settings, queue: QueueId) -> Opened {
    let open = || match settings.spool_settings(queue) {
        Some(wanted) => {
            let (spool, frames) = Spool::open(dir, queue, wanted.size, wanted.sync)?;
            Ok(Opened { spool: Some(spool), frames, to_forget: None })
        }
        None => {
            let left = find_undelivered(dir, queue)?;
            Ok(Opened { spool: None, frames: left.frames.clone(), to_forget: Some(left) })
        }
    };
    let told = |error: std::io::Error| {
        warn!("{queue}: {error}; set aside");
        set_aside(dir, queue);
    };
    open().map_err(told).or_else(|()| open()).unwrap_or_else(|error: std::io::Error| {
        warn!("{queue}: its frames are kept in memory only: {error}");
        Opened::default()
    })
}

fn set_aside(dir: &Path, queue: QueueId) {
    for name in [format!("undelivered-{}", queue.word()), format!("spool/{}", folder(queue))] {
        let path = dir.join(&name);
        let free = (1..=SET_ASIDE_MAX)
            .map(|n| dir.join(format!("{name}.damaged-{n}")))
            .find(|aside| !aside.exists());
        if let (true, Some(aside)) = (path.exists(), free)
            && let Err(error) = std::fs::rename(&path, &aside)
        {
            warn!("{}: {error}", path.display());
        }
    }
}

/// Files set aside are kept for a look, but not without end.
const SET_ASIDE_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_stored_beside_the_loop_and_come_back_and_the_newest_wins() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let dir = tempfile::tempdir().unwrap();
        runtime.block_on(async {
            let (mut disk, kept) = Disk::open(dir.path(), &Settings::default()).unwrap();
            assert_eq!(kept.messages, "");
            let mut saved = Vec::new();
            for number in 1..=3 {
                disk.order(StoreOutput::Messages { number, text: format!("set {number}\n") });
            }
            while disk.is_saving() {
                let Saved::Messages(outcome) = std::future::poll_fn(|cx| disk.poll_saved(cx)).await else {
                    panic!("only messages were saved")
                };
                saved.push(outcome.unwrap());
            }
            assert_eq!(saved, [1, 3]);
            drop(disk);
            let (_, kept) = Disk::open(dir.path(), &Settings::default()).unwrap();
            assert_eq!(kept.messages, "set 3\n");
        });
    }

    #[test]
    fn what_cannot_be_read_is_set_aside_and_the_device_starts() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("undelivered-3")).unwrap();
        let (_, kept) = Disk::open(dir.path(), &Settings::default()).unwrap();
        assert!(kept.frames.is_empty());
        assert!(dir.path().join("undelivered-3.damaged-1").is_dir());
    }

    #[test]
    fn a_file_in_the_place_of_a_spool_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("spool")).unwrap();
        std::fs::write(dir.path().join("spool/link-1"), "no folder").unwrap();
        let settings = dir.path().join("s.toml");
        std::fs::write(&settings, "[link.1]\nspool = \"disk\"").unwrap();
        let (disk, _) = Disk::open(dir.path(), &Settings::load(&settings).unwrap()).unwrap();
        assert!(disk.spools[0].is_some());
        assert!(dir.path().join("spool/link-1.damaged-1").is_file());
    }
}
