//! Writes the spools in a thread beside the loop: a disk that is slow holds neither the serial line nor a link up.
//!
//! What comes while a write runs goes to the disk in one write; what is delivered meanwhile does not go there at all. So
//! a disk that needs 400 ms a write keeps up with any line. What waits is bounded; a frame beyond it is refused, as by a
//! disk that is full.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use dtu_proto::event::{QUEUES, QueueId};
use dtu_proto::status::Losses;
use tracing::{error, info, warn};

use super::guard::Guard;
use super::losses::LossFile;
use crate::spool::{Refusals, Spool};

/// What the thread has in its hands.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) spools: [Option<Spool>; QUEUES],
    pub(super) losses: LossFile,
    pub(super) guard: Arc<Guard>,
}

#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    state: State,
    /// Bytes of each queue that may wait.
    bounds: [usize; QUEUES],
    /// Who is woken, as the thread knows it.
    waker: Option<Waker>,
}

#[derive(Debug)]
enum State {
    /// Nothing was to be written yet.
    Idle(Box<Files>),
    Running(JoinHandle<Files>),
    /// There is no thread, or it is over.
    Over,
}

#[derive(Debug, Default)]
struct Shared {
    work: Mutex<Work>,
    news: Condvar,
    /// There are numbers in `refused`: known without the lock.
    has_refused: AtomicBool,
}

#[derive(Debug, Default)]
struct Work {
    queues: [Pending; QUEUES],
    losses: Option<Losses>,
    /// Orders that were given, and those that are carried out.
    given: u64,
    done: u64,
    stop: bool,
    /// Numbers of the frames that were refused, to be told.
    refused: [Vec<u64>; QUEUES],
    /// Below this every frame of the queue was written, or refused.
    written: [u64; QUEUES],
    /// The thread has returned, or is about to.
    is_over: bool,
    /// There is no thread, or it ended by a fault: nothing is written any more, and nobody may wait for it.
    is_dead: bool,
    /// Somebody waits for `done`.
    is_awaited: bool,
    waker: Option<Waker>,
}

/// What waits for the disk.
#[derive(Debug, Default)]
struct Pending {
    frames: VecDeque<(u64, Bytes)>,
    bytes: usize,
    release: Option<u64>,
    moved: Option<Moved>,
    sending: Option<Option<u64>>,
}

/// Frames that go to the end of the spool from where they are now. What they leave behind goes when they are safe.
#[derive(Clone, Copy, Debug)]
struct Moved {
    /// The number of the last one.
    last: u64,
    /// What is to be released then.
    release: u64,
}

impl Pending {
    /// Frames that are not on the disk yet, and need not go there.
    fn forget(&mut self, up_to: u64) {
        while self
            .frames
            .front()
            .is_some_and(|(number, _)| *number < up_to)
            && let Some((_, frame)) = self.frames.pop_front()
        {
            self.bytes -= frame.len();
        }
    }
}

impl Writer {
    /// `written`: below this every frame of a queue is on the disk.
    pub(super) fn new(files: Files, bounds: [usize; QUEUES], written: [u64; QUEUES]) -> Self {
        let shared = Shared {
            work: Mutex::new(Work {
                written,
                ..Work::default()
            }),
            ..Shared::default()
        };
        Self {
            shared: Arc::new(shared),
            state: State::Idle(Box::new(files)),
            bounds,
            waker: None,
        }
    }

    /// Keeps a frame; gives the number of the order, or `None` where it is refused.
    pub(super) fn append(&mut self, queue: QueueId, number: u64, frame: &Bytes) -> Option<u64> {
        let bound = self.bounds[queue.index()];
        self.give(|work| {
            let pending = &mut work.queues[queue.index()];
            let fits = !work.is_dead
                && pending.bytes + frame.len() <= bound
                && pending.frames.len() < FRAMES_MAX;
            if fits {
                pending.bytes += frame.len();
                pending.frames.push_back((number, frame.clone()));
            }
            fits
        })
    }

    /// Frames that are not on the disk yet need not go there.
    pub(super) fn release(&mut self, queue: QueueId, up_to: u64) {
        self.give(|work| {
            let pending = &mut work.queues[queue.index()];
            match &mut pending.moved {
                // What comes behind a move may name the old places of frames that have no new ones yet.
                Some(moved) => moved.release = moved.release.max(up_to),
                None => pending.release = pending.release.max(Some(up_to)),
            }
            pending.forget(up_to);
            true
        });
    }

    /// Appends frames again that wait, and then releases those below the first of them. False: there is nobody to do it.
    /// As many bytes as wait in the cache, and they are there already: none is refused here.
    pub(super) fn move_up(&mut self, queue: QueueId, frames: Vec<(u64, Bytes)>) -> bool {
        let (Some((first, _)), Some((last, _))) = (frames.first(), frames.last()) else {
            return true;
        };
        let moved = Moved {
            last: *last,
            release: *first,
        };
        let order = self.give(|work| {
            if work.is_dead {
                return false;
            }
            let pending = &mut work.queues[queue.index()];
            pending.forget(moved.release);
            pending.moved = Some(moved);
            pending.bytes += frames.iter().map(|(_, frame)| frame.len()).sum::<usize>();
            pending.frames.extend(frames);
            true
        });
        order.is_some()
    }

    /// Gives the number of the order.
    pub(super) fn sending(&mut self, queue: QueueId, frame: Option<u64>) -> Option<u64> {
        self.give(|work| {
            work.queues[queue.index()].sending = Some(frame);
            true
        })
    }

    /// What was lost so far, to be kept soon.
    pub(super) fn losses(&mut self, losses: Losses) {
        self.shared.lock().losses = Some(losses);
        self.run();
    }

    /// Whether the order of that number is carried out. If not, the loop is woken when it is.
    pub(super) fn has_done(&self, order: u64) -> bool {
        let mut work = self.shared.lock();
        work.is_awaited |= work.done < order;
        work.done >= order || work.is_dead
    }

    /// As where the system gives no thread.
    #[cfg(test)]
    pub(super) fn die(&self) {
        self.shared.die("a test");
    }

    /// The last order.
    #[cfg(test)]
    pub(super) fn given(&self) -> u64 {
        self.shared.lock().given
    }

    /// Frames that were refused since the last call, if any. Costs next to nothing where there are none.
    pub(super) fn refused(&mut self, waker: &Waker) -> Option<[Vec<u64>; QUEUES]> {
        if self
            .waker
            .as_ref()
            .is_none_or(|known| !known.will_wake(waker))
        {
            self.waker = Some(waker.clone());
            self.shared.lock().waker = Some(waker.clone());
        }
        let has = self.shared.has_refused.load(Ordering::Acquire);
        has.then(|| {
            let mut work = self.shared.lock();
            self.shared.has_refused.store(false, Ordering::Release);
            std::mem::take(&mut work.refused)
        })
    }

    /// Lets the thread end when everything is written.
    pub(super) fn stop(&self) {
        self.shared.lock().stop = true;
        self.shared.news.notify_one();
    }

    /// Whether a thread is still at work.
    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_)) && !self.shared.lock().is_over
    }

    /// What the thread had, when it is over; `None` where the disk hangs.
    pub(super) fn end(&mut self) -> Option<Files> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Idle(files) => Some(*files),
            State::Running(thread) if self.shared.lock().is_over => thread.join().ok(),
            State::Running(_) | State::Over => None,
        }
    }

    /// Below this every frame of the queue is on the disk, or was refused.
    pub(super) fn written(&self, queue: QueueId) -> u64 {
        self.shared.lock().written[queue.index()]
    }

    fn give(&mut self, act: impl FnOnce(&mut Work) -> bool) -> Option<u64> {
        let mut work = self.shared.lock();
        if !act(&mut work) {
            return None;
        }
        work.given += 1;
        let order = work.given;
        drop(work);
        self.run();
        Some(order)
    }

    fn run(&mut self) {
        if let State::Idle(_) = &self.state
            && let State::Idle(files) = std::mem::replace(&mut self.state, State::Over)
        {
            let shared = Arc::clone(&self.shared);
            let thread = std::thread::Builder::new().name("spool".to_owned());
            let spawned = thread.spawn(move || {
                let _alarm = Alarm(&shared);
                shared.run(*files)
            });
            match spawned {
                Ok(thread) => self.state = State::Running(thread),
                Err(error) => self.shared.die(&format!("no thread for it: {error}")),
            }
        }
        self.shared.news.notify_one();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Tells of a thread that ended by a fault.
struct Alarm<'a>(&'a Shared);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.die("its thread ended by a fault of this program");
        }
    }
}

impl Shared {
    /// Whoever waits is let go: the frames are in memory.
    fn die(&self, why: &str) {
        error!("disk: frames are kept in memory only until the next start: {why}");
        let mut work = self.lock();
        work.is_dead = true;
        if let Some(waker) = work.waker.clone() {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps while nothing is to do.
    fn run(&self, mut files: Files) -> Files {
        let mut troubles = Troubles::default();
        let mut counted: Option<Instant> = None;
        loop {
            let mut work = self.wait(counted);
            let (order, stop) = (work.given, work.stop);
            let queues = std::mem::take(&mut work.queues);
            // The first loss at once, then what a second has brought.
            let losses = work.losses.take();
            drop(work);
            if let Some(losses) = losses {
                counted = Some(Instant::now());
                troubles.note(LOSSES, files.losses.write(&losses));
            }
            let lost = files.guard.check_now_and_then().err();
            let mut refused: [Vec<u64>; QUEUES] = Default::default();
            let mut written = [0; QUEUES];
            for (queue, pending) in QueueId::ALL.into_iter().zip(queues) {
                written[queue.index()] = pending.frames.back().map_or(0, |(last, _)| last + 1);
                refused[queue.index()] = match &lost {
                    None => carry_out(
                        files.spools[queue.index()].as_mut(),
                        queue,
                        pending,
                        &mut troubles,
                    ),
                    Some(_) => pending
                        .frames
                        .into_iter()
                        .map(|(number, _)| number)
                        .collect(),
                };
            }
            let mut work = self.lock();
            work.done = order;
            let mut news = std::mem::take(&mut work.is_awaited) || stop;
            for (all, new) in work.refused.iter_mut().zip(refused) {
                if !new.is_empty() {
                    news = true;
                    self.has_refused.store(true, Ordering::Release);
                }
                all.extend(new);
            }
            for (all, new) in work.written.iter_mut().zip(written) {
                *all = new.max(*all);
            }
            let waker = work.waker.clone().filter(|_| news);
            work.is_over = stop && work.given == order && work.losses.is_none();
            let over = work.is_over;
            drop(work);
            if let Some(waker) = waker {
                waker.wake();
            }
            if over {
                return files;
            }
        }
    }

    /// Until there is work; losses are work once a second.
    fn wait(&self, counted: Option<Instant>) -> MutexGuard<'_, Work> {
        let mut work = self.lock();
        loop {
            if work.stop || work.given > work.done {
                return work;
            }
            let due = counted.map_or(Duration::ZERO, |at| {
                LOSSES_EVERY.saturating_sub(at.elapsed())
            });
            work = match &work.losses {
                None => self.news.wait(work).unwrap_or_else(PoisonError::into_inner),
                Some(_) if due.is_zero() => return work,
                Some(_) => {
                    self.news
                        .wait_timeout(work, due)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }
}

/// Gives the numbers of the frames that were refused.
fn carry_out(
    spool: Option<&mut Spool>,
    queue: QueueId,
    pending: Pending,
    troubles: &mut Troubles,
) -> Vec<u64> {
    let Pending {
        mut frames,
        release,
        moved,
        sending,
        ..
    } = pending;
    let Some(spool) = spool else {
        return frames.iter().map(|(number, _)| *number).collect();
    };
    if release.is_none() && sending.is_none() && frames.is_empty() {
        return Vec::new();
    }
    // Space comes back first.
    let mut outcome = release.map_or(Ok(()), |up_to| spool.release(up_to));
    let mut refused = Refusals::default();
    if let Some(moved) = moved {
        let later = frames.split_off(frames.partition_point(|(number, _)| *number <= moved.last));
        refused = spool.move_up(frames.make_contiguous(), moved.release);
        frames = later;
    }
    refused += spool.append_all(frames.make_contiguous());
    outcome = outcome.and(refused.why.map_or(Ok(()), Err));
    outcome = outcome.and(sending.map_or(Ok(()), |frame| spool.note_sending(frame)));
    troubles.note(queue.index(), outcome);
    refused.numbers
}

/// The last trouble with each file was told: the frames stay in memory whatever the disk says, so it is told once, and
/// when it is over.
#[derive(Debug, Default)]
struct Troubles([bool; QUEUES + 1]);

impl Troubles {
    fn note(&mut self, place: usize, outcome: std::io::Result<()>) {
        let whose = QueueId::ALL.get(place).map_or_else(
            || "disk: losses".to_owned(),
            |queue| format!("{queue}: spool"),
        );
        match (
            std::mem::replace(&mut self.0[place], outcome.is_err()),
            outcome,
        ) {
            (false, Err(error)) => warn!("{whose}: {error}"),
            (true, Ok(())) => info!("{whose}: works again"),
            (false, Ok(())) | (true, Err(_)) => {}
        }
    }
}

const LOSSES: usize = QUEUES;
const LOSSES_EVERY: Duration = Duration::from_secs(1);
/// As many as a cache holds.
const FRAMES_MAX: usize = 65_536;
