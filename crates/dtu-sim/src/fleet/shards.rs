//! A fleet in virtual time, on several threads.
//!
//! Devices do not touch one another, so each lives its whole life alone, at the speed at which one device fits into the
//! processor's cache; only those that write texts to each other live together. What comes of a device depends on the plan
//! and its index alone: so the sums are the same on any number of threads.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::device::Shared;
use super::fault::{Edge, edges, micros};
use super::memory::Memory;
use super::{Account, Fleet, FleetError, Phase, Plan, check};
use crate::echo::Echoed;

/// Devices that a thread takes at once.
const AT_ONCE: u32 = 16;
/// Who watches is asked so often.
const LOOK: Duration = Duration::from_millis(250);
/// A fleet that has no other end ends here.
const LONGEST: u64 = 365 * 86_400 * crate::SEC;

/// A network and a server for a fleet in virtual time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// Threads.
    pub threads: usize,
    /// From a device to the server, and as long back.
    pub delay: Duration,
    /// The server has a fault: it keeps about each so many-th packet for itself.
    pub swallow: Option<u32>,
}

impl Default for Simulation {
    fn default() -> Self {
        Self {
            threads: 1,
            delay: Duration::from_millis(50),
            swallow: None,
        }
    }
}

/// How far a fleet in virtual time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Devices that are at their end.
    pub devices: u32,
    /// Of so many.
    pub count: u32,
    /// Frames of these that are answered, or acknowledged where no answer is expected.
    pub frames: u64,
}

/// What a fleet in virtual time came to.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// As the devices have it.
    pub account: Account,
    /// As the server has it.
    pub served: Echoed,
}

/// What is still to be done, for all threads.
struct Work<'a> {
    plan: &'a Plan,
    how: Simulation,
    edges: Vec<Edge>,
    /// The next device that nobody has taken.
    next: AtomicU32,
    stop: AtomicBool,
    devices: AtomicU32,
    frames: AtomicU64,
}

/// Runs a fleet to its end. `look` is asked now and then whether to go on; if not, devices that have begun come to their
/// end, and the others are left out.
///
/// # Errors
/// It cannot be as the plan says.
pub fn simulate(
    plan: &Plan,
    how: Simulation,
    mut look: impl FnMut(Progress) -> bool,
) -> Result<Simulated, FleetError> {
    check(plan)?;
    refuse(plan).map_err(FleetError::Plan)?;
    let work = Work {
        plan,
        how,
        edges: edges(&plan.faults),
        next: AtomicU32::new(0),
        stop: AtomicBool::new(false),
        devices: AtomicU32::new(0),
        frames: AtomicU64::new(0),
    };
    let (sender, ended) = channel::<()>();
    let sums = std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..how.threads.max(1))
            .map(|_| {
                let sender = sender.clone();
                scope.spawn(move || {
                    let sum = work.run();
                    drop(sender);
                    sum
                })
            })
            .collect();
        drop(sender);
        while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            let progress = Progress {
                devices: work.devices.load(Ordering::Relaxed),
                count: plan.count,
                frames: work.frames.load(Ordering::Relaxed),
            };
            if !look(progress) {
                work.stop.store(true, Ordering::Relaxed);
            }
        }
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(join).collect::<Result<Vec<_>, _>>()
    })?;
    let mut all = Simulated {
        account: Account::default(),
        served: Echoed::default(),
    };
    for sum in sums {
        all.account.add(sum.account);
        all.served.add(&sum.served);
    }
    all.account.sort();
    Ok(all)
}

/// What needs a clock, or never ends.
fn refuse(plan: &Plan) -> Result<(), String> {
    if plan.ptys.is_some() {
        return Err("in virtual time no program can have the line of a device: --pty does not go with --virtual".to_owned());
    }
    if plan.duration.is_none() && (plan.frames.is_none() || !plan.has_traffic()) {
        return Err(
            "in virtual time nobody is there to end a fleet: --duration or --frames is needed"
                .to_owned(),
        );
    }
    Ok(())
}

impl Work<'_> {
    /// What one thread does.
    fn run(&self) -> Result<Simulated, FleetError> {
        let delay = micros(self.how.delay);
        let mut shared = Shared::new(self.plan, Memory::new(self.plan, delay, self.how.swallow));
        while let Some(mut taken) = self.take() {
            // Who writes to one another is together.
            let together = self.together();
            if taken.start < together {
                shared = self.live(shared, taken.start..together)?;
                taken.start = together.min(taken.end);
            }
            for index in taken {
                shared = self.live(shared, index..index + 1)?;
            }
        }
        Ok(Simulated {
            account: shared.account,
            served: shared.host.served,
        })
    }

    /// The first so many devices are one group.
    fn together(&self) -> u32 {
        let devices = self.plan.texts.map_or(0, |texts| texts.devices);
        devices.min(self.plan.count)
    }

    /// Devices that nobody has taken.
    fn take(&self) -> Option<Range<u32>> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        let end = |start: u32| {
            let end = start.saturating_add(AT_ONCE).max(self.together());
            end.min(self.plan.count)
        };
        let next = |start: u32| (start < self.plan.count).then(|| end(start));
        let start = self
            .next
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        start.ok().map(|start| start..end(start))
    }

    /// Devices from their start to their end.
    fn live<'s>(
        &'s self,
        mut shared: Shared<'s, Memory<'s>>,
        range: Range<u32>,
    ) -> Result<Shared<'s, Memory<'s>>, FleetError> {
        shared.begin_again();
        shared.host.begin_again();
        let count = range.len() as u32;
        let before = shared.account.sent;
        let mut fleet = Fleet::new(shared, range, &self.edges);
        while fleet.phase != Phase::Over {
            let now = fleet.next().max(fleet.shared.host.now);
            if now >= LONGEST && fleet.phase == Phase::Sending {
                fleet.drain(LONGEST);
                continue;
            }
            fleet.shared.host.now = now;
            fleet.time()?;
        }
        let shared = fleet.close();
        self.devices.fetch_add(count, Ordering::Relaxed);
        let frames = shared.account.sent - before;
        self.frames.fetch_add(frames, Ordering::Relaxed);
        Ok(shared)
    }
}

#[cfg(test)]
mod tests;
