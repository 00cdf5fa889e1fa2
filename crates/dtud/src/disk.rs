//! What is kept on disk, as the loop sees it: everything is written beside it.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use dtu_proto::config::{Config, Problem};
use dtu_proto::event::{QUEUES, QueueId, StoreOutput};
use dtu_proto::status::Losses;
use tracing::{error, warn};

use crate::fs::Fs;
use crate::settings::{Settings, SpoolSync};
use crate::spool::{Left, save_undelivered};
use crate::store::{MessageStore, ParameterStore, Saver, State};
pub(crate) use guard::Guard;
use guard::Watch;
use open::Opening;
use writer::{Files, Writer};

mod guard;
mod losses;
mod open;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) struct Disk {
    state: State,
    guard: Arc<Guard>,
    watch: Watch,
    parameters: Saver<ParameterStore>,
    messages: Saver<MessageStore>,
    /// The last set of messages could not be stored, and that was told.
    messages_told: bool,
    writer: Writer,
    queues: [Queue; QUEUES],
    /// What was lost, as last handed on.
    losses: Losses,
}

/// What the loop knows of a queue with `spool = "disk"`.
#[derive(Debug, Default)]
struct Queue {
    /// `None` = its frames are to be in memory.
    sync: Option<SpoolSync>,
    /// Whether there is a spool.
    is_open: bool,
    /// What a send has to wait for: the note that it goes.
    order: u64,
    /// `always`: frames that are perhaps not on the disk yet, each with its order.
    unwritten: VecDeque<(u64, Bytes)>,
    /// Frames that are in memory only; their numbers grow. Bounded as a cache is.
    refused: VecDeque<u64>,
    /// Of these, so many are still to be told to the device.
    untold: u64,
    /// That the disk is too slow was told.
    is_slow: bool,
}

/// What the last run left.
pub(crate) struct StoredState {
    pub(crate) config: Config,
    /// The mailbox, as the core wrote it.
    pub(crate) messages: String,
    pub(crate) frames: Vec<(QueueId, u64, Bytes)>,
    /// What all runs before lost.
    pub(crate) losses: Losses,
    /// Still on the disk, though no spool keeps them.
    pub(crate) to_forget: Vec<Left>,
}

/// News of the disk.
#[derive(Debug)]
pub(crate) enum DiskEvent {
    Parameters(Result<(), String>),
    Messages(Result<u64, String>),
    /// So many frames of the queue are in memory only.
    Refused(QueueId, u64),
}

impl StoredState {
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
    pub(crate) fn open(
        fs: &Fs,
        dir: &Path,
        settings: &Settings,
    ) -> anyhow::Result<(Self, StoredState)> {
        let (state, mut problems) = State::open(fs, dir)?;
        let guard = Guard::new(dir, state.identity());
        let (parameters, config, of_parameters) = ParameterStore::open(&state)?;
        let (mailbox, messages, of_messages) = MessageStore::open(&state)?;
        problems.extend(of_parameters.into_iter().chain(of_messages));
        for problem in problems {
            warn!("store: {problem}");
        }
        let Opening {
            spools,
            losses: file,
            frames,
            to_forget,
            written,
            refused,
        } = open::queues(&state, settings);
        let options = settings.options();
        let bounds = QueueId::ALL.map(|queue| match queue {
            QueueId::Link(link) => options.links[link.index()].cache,
            QueueId::Httpd | QueueId::SerialCommand => options.modes.cache,
        });
        let mut queues = QueueId::ALL.map(|queue| Queue {
            sync: settings.spool_settings(queue).map(|wanted| wanted.sync),
            is_open: spools[queue.index()].is_some(),
            ..Queue::default()
        });
        for (queue, numbers) in queues.iter_mut().zip(refused) {
            queue.refuse(numbers);
        }
        let losses = file.losses;
        let files = Files {
            spools,
            losses: file,
            guard: Arc::clone(&guard),
        };
        let writer = Writer::new(files, bounds.map(|cache| cache.max(LEAST_BOUND)), written);
        let (parameters, mailbox) = (
            Saver::new(parameters, Arc::clone(&guard)),
            Saver::new(mailbox, Arc::clone(&guard)),
        );
        let watch = Watch::New(dir.to_owned());
        let (messages_told, kept) = (
            false,
            StoredState {
                config,
                messages,
                frames,
                losses,
                to_forget,
            },
        );
        let disk = Self {
            state,
            guard,
            watch,
            parameters,
            messages: mailbox,
            messages_told,
            writer,
            queues,
            losses,
        };
        Ok((disk, kept))
    }

    /// What the core could not use of the messages that were kept.
    pub(crate) fn log_skipped_lines(&self, problems: &[Problem]) {
        for problem in problems {
            warn!(
                "store: {}",
                MessageStore::passed_over(self.state.dir(), problem)
            );
        }
    }

    pub(crate) fn order(&mut self, order: StoreOutput) {
        match order {
            StoreOutput::Save(text) => self.parameters.save(0, text),
            StoreOutput::Messages { number, text } => self.messages.save(number, text),
            StoreOutput::SpoolAppend(queue, number, frame) => self.append(queue, number, &frame),
            StoreOutput::SpoolMove(queue, frames) => self.move_up(queue, frames),
            StoreOutput::SpoolRelease(queue, up_to) => self.release(queue, up_to),
            StoreOutput::SpoolSending(queue, frame) => {
                let Some(place) = self.open_queue(queue) else {
                    return;
                };
                if let Some(order) = self.writer.sending(queue, frame) {
                    self.queues[place].order = order;
                }
            }
        }
    }

    /// The place of a queue that has a spool.
    fn open_queue(&self, queue: QueueId) -> Option<usize> {
        Some(queue.index()).filter(|place| self.queues[*place].is_open)
    }

    fn append(&mut self, queue: QueueId, number: u64, frame: &Bytes) {
        let place = queue.index();
        if self.queues[place].is_open {
            if let Some(order) = self.writer.append(queue, number, frame) {
                if self.queues[place].sync == Some(SpoolSync::Always) {
                    self.forget_written(place);
                    self.queues[place]
                        .unwritten
                        .push_back((order, frame.clone()));
                }
                return;
            }
            if !std::mem::replace(&mut self.queues[place].is_slow, true) {
                warn!(
                    "{queue}: spool: the disk is too slow, or stands still; frames are kept in memory only"
                );
            }
        }
        self.queues[place].refuse([number]);
    }

    fn move_up(&mut self, queue: QueueId, frames: Vec<(u64, Bytes)>) {
        let Some(first) = frames.first().map(|(number, _)| *number) else {
            return;
        };
        let numbers: Vec<u64> = frames.iter().map(|(number, _)| *number).collect();
        let is_open = self.open_queue(queue).is_some();
        let known = &mut self.queues[queue.index()];
        known.forget_refused(first);
        if !is_open || !self.writer.move_up(queue, frames) {
            // In memory only, as before, and that was told.
            self.queues[queue.index()].refused = numbers.into();
        }
    }

    fn release(&mut self, queue: QueueId, up_to: u64) {
        self.queues[queue.index()].forget_refused(up_to);
        if self.open_queue(queue).is_some() {
            self.writer.release(queue, up_to);
        }
    }

    /// What the send of these bytes by this queue's connection has to wait for; `None` = nothing. They are a frame, or a
    /// part of one, and wait for its own write, not for those of later frames.
    pub(crate) fn holds(&mut self, queue: QueueId, body: &Bytes) -> Option<u64> {
        self.forget_written(queue.index());
        let queue = &self.queues[queue.index()];
        let of = |frame: &Bytes| frame.as_ptr_range().contains(&body.as_ptr());
        let own = queue
            .unwritten
            .iter()
            .find(|(_, frame)| of(frame))
            .map_or(0, |(order, _)| *order);
        let order = own.max(queue.order);
        Some(order).filter(|order| *order > 0 && !self.writer.has_done(*order))
    }

    fn forget_written(&mut self, place: usize) {
        let unwritten = &mut self.queues[place].unwritten;
        while unwritten
            .front()
            .is_some_and(|(order, _)| self.writer.has_done(*order))
        {
            unwritten.pop_front();
        }
    }

    /// Whether what had to be waited for is done.
    pub(crate) fn has_done(&self, order: u64) -> bool {
        self.writer.has_done(order)
    }

    /// Whether the counters were handed on as they are.
    pub(crate) fn knows(&self, losses: &Losses) -> bool {
        self.losses == *losses
    }

    /// Keeps the counters of what was lost.
    pub(crate) fn note_losses(&mut self, losses: Losses) {
        if losses != self.losses {
            self.losses = losses;
            self.writer.losses(losses);
        }
    }

    pub(crate) fn is_saving(&self) -> bool {
        self.parameters.is_saving() || self.messages.is_saving() || self.writer.is_running()
    }

    /// Lets the writer end when everything is written.
    pub(crate) fn stop(&self) {
        self.writer.stop();
    }

    /// News, if there are any.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<DiskEvent> {
        while self.watch.poll(cx).is_ready() {
            let _ = self.guard.check();
        }
        if let Some(refused) = self.writer.refused(cx.waker()) {
            for (queue, numbers) in self.queues.iter_mut().zip(refused) {
                queue.refuse(numbers);
            }
        }
        for queue in QueueId::ALL {
            let untold = std::mem::take(&mut self.queues[queue.index()].untold);
            if untold > 0 {
                return Poll::Ready(DiskEvent::Refused(queue, untold));
            }
        }
        if let Poll::Ready(saved) = self.parameters.poll(cx) {
            return Poll::Ready(DiskEvent::Parameters(saved.map(drop)));
        }
        let saved = std::task::ready!(self.messages.poll(cx));
        // A disk that is full fails each set: told once until it is over.
        let told = std::mem::replace(&mut self.messages_told, saved.is_err());
        if let (Err(why), false) = (&saved, told) {
            error!("store: messages: {why}");
        }
        Poll::Ready(DiskEvent::Messages(saved))
    }

    /// At a clean stop, when nothing else is to be written: keeps what waits for the next start, `waiting(queue)` with
    /// numbers, oldest first. Gives how many frames were lost, because nothing could be written; they are counted.
    pub(crate) fn keep_undelivered<'a, F>(&mut self, waiting: impl Fn(QueueId) -> F) -> u64
    where
        F: Iterator<Item = (u64, &'a Bytes)>,
    {
        let mut files = self.writer.end();
        let mut losses = self.losses;
        let mut all = 0;
        for queue in QueueId::ALL {
            let spool = files
                .as_mut()
                .and_then(|files| files.spools[queue.index()].as_mut());
            let frames: Vec<_> = waiting(queue).collect();
            let only_in_memory = self.only_in_memory(queue, &frames);
            if only_in_memory.is_empty() {
                // An older file goes.
                if !self.queues[queue.index()].is_open && self.state.read_only().is_none() {
                    let _ = save_undelivered(&self.state.fs, self.state.dir(), queue, []);
                }
                continue;
            }
            // All of them, for their order; the spool may let go of its own then.
            let kept = self.guard.check().and_then(|()| {
                save_undelivered(
                    &self.state.fs,
                    self.state.dir(),
                    queue,
                    frames.iter().copied(),
                )
            });
            match (kept, spool, frames.last()) {
                (Ok(()), Some(spool), Some((last, _))) => {
                    if let Err(error) = spool.release(last + 1) {
                        warn!("{queue}: {error}; frames may come twice");
                    }
                }
                (Ok(()), ..) => {}
                (Err(error), ..) => {
                    let count = only_in_memory.len() as u64;
                    error!("{queue}: {count} frames that waited are lost: {error}");
                    let of = &mut losses.queues[queue.index()];
                    of.frames += count;
                    of.bytes += only_in_memory
                        .iter()
                        .map(|frame| frame.len() as u64)
                        .sum::<u64>();
                    all += count;
                }
            }
        }
        if let Some(files) = &mut files
            && let Err(error) = files
                .losses
                .write(&losses)
                .and_then(|()| files.losses.sync())
        {
            warn!("disk: {error}");
        }
        all
    }

    /// Those of the frames that no spool has.
    fn only_in_memory<'a>(&self, queue: QueueId, frames: &[(u64, &'a Bytes)]) -> Vec<&'a Bytes> {
        let known = &self.queues[queue.index()];
        let written = self.writer.written(queue);
        let is_kept = |number: &u64| {
            known.is_open && *number < written && known.refused.binary_search(number).is_err()
        };
        frames
            .iter()
            .filter(|(number, _)| !is_kept(number))
            .map(|(_, frame)| *frame)
            .collect()
    }
}

impl Queue {
    fn forget_refused(&mut self, up_to: u64) {
        while self.refused.front().is_some_and(|number| *number < up_to) {
            self.refused.pop_front();
        }
    }

    fn refuse(&mut self, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            self.untold += u64::from(self.sync.is_some());
            if self.refused.len() >= REFUSED_MAX {
                self.refused.pop_front();
            }
            // Those that the loop refuses can overtake those of the disk.
            let place = self.refused.partition_point(|known| *known < number);
            self.refused.insert(place, number);
        }
    }
}

/// Bytes of a queue that may wait for the disk: as many as its cache has, and this at least.
const LEAST_BOUND: usize = 1 << 20;
/// As many frames as a cache holds.
const REFUSED_MAX: usize = 65_536;
