//! Planned failures.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::Fs;

/// What the operation that is to fail does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing, and this error.
    Error(i32),
    /// A write gets half of its bytes rid of, then the disk is full.
    Short,
    /// A write gets half of its bytes rid of, and the program ends.
    Torn,
    /// The program ends before it: this and everything later fails and does nothing.
    Crash,
}

/// The kinds that a disk has.
pub(crate) const FAULTS: [Fault; 6] = [
    Fault::Error(libc::EIO),
    Fault::Error(libc::ENOSPC),
    Fault::Error(libc::EROFS),
    Fault::Short,
    Fault::Torn,
    Fault::Crash,
];

#[derive(Debug, Default)]
pub(crate) struct Faults {
    plan: Mutex<Plan>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct Plan {
    /// Operations so far.
    count: usize,
    /// Of these, flushes that were made.
    syncs: usize,
    at: Option<(usize, Fault)>,
    /// Everything that changes something is refused: a card that is worn.
    read_only: bool,
    /// It goes on failing, as a disk that is full or broken does.
    lasts: bool,
    dead: bool,
    /// Writes wait until they may go on.
    held: bool,
    /// A write is waiting.
    waits: bool,
}

impl Fs {
    /// Fails at the operation of that index, counted from 0.
    pub(crate) fn failing(index: usize, fault: Fault, lasts: bool) -> Self {
        let plan = Plan {
            at: Some((index, fault)),
            lasts,
            ..Plan::default()
        };
        Self {
            faults: Some(Arc::new(Faults {
                plan: Mutex::new(plan),
                ..Faults::default()
            })),
        }
    }

    /// Counts operations.
    pub(crate) fn counting() -> Self {
        Self {
            faults: Some(Arc::default()),
        }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.faults
            .as_ref()
            .expect("a file system with a plan")
            .lock()
    }

    pub(crate) fn count(&self) -> usize {
        self.plan().count
    }

    /// The disk stands still, or goes on.
    pub(crate) fn hold(&self, held: bool) {
        self.plan().held = held;
        self.faults.as_ref().expect("a plan").news.notify_all();
    }

    /// Until a write stands still.
    pub(crate) fn wait_for_a_write(&self) {
        let faults = self.faults.as_ref().expect("a plan");
        drop(faults.news.wait_while(faults.lock(), |plan| !plan.waits));
    }

    /// The next operation fails so.
    pub(crate) fn fail_next(&self, fault: Fault) {
        self.fail_after(0, fault);
    }

    /// So many go well before one fails so.
    pub(crate) fn fail_after(&self, more: usize, fault: Fault) {
        let mut plan = self.plan();
        (plan.at, plan.lasts) = (Some((plan.count + more, fault)), false);
    }

    /// Flushes so far.
    pub(crate) fn syncs(&self) -> usize {
        self.plan().syncs
    }

    /// From now on it can be read only.
    pub(crate) fn fail_writing(&self) {
        self.plan().read_only = true;
    }
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Fault> {
        let mut plan = self.lock();
        if plan.dead {
            return Some(Fault::Crash);
        }
        let index = plan.count;
        plan.count += 1;
        let (at, fault) = plan.at?;
        let fails = index == at || (plan.lasts && index > at);
        plan.dead = fails && matches!(fault, Fault::Torn | Fault::Crash);
        fails.then_some(fault)
    }

    pub(super) fn step(&self, what: &'static str) -> io::Result<()> {
        if self.lock().read_only && !matches!(what, "read" | "readdir" | "open to read") {
            return Err(io::Error::from_raw_os_error(libc::EROFS));
        }
        let fault = self.next();
        self.lock().syncs += usize::from(fault.is_none() && what == "sync");
        fault.map_or(Ok(()), |fault| Err(error(fault)))
    }

    /// How many bytes of a write get written, and what it answers.
    pub(super) fn write(&self, length: usize) -> (usize, io::Result<()>) {
        let mut plan = self.lock();
        plan.waits = plan.held;
        self.news.notify_all();
        drop(self.news.wait_while(plan, |plan| plan.held));
        match self.next() {
            None => (length, Ok(())),
            Some(fault @ (Fault::Short | Fault::Torn)) => (length / 2, Err(error(fault))),
            Some(fault) => (0, Err(error(fault))),
        }
    }
}

fn error(fault: Fault) -> io::Error {
    match fault {
        Fault::Error(code) => io::Error::from_raw_os_error(code),
        Fault::Short => io::Error::from_raw_os_error(libc::ENOSPC),
        Fault::Torn | Fault::Crash => io::Error::other("the program has ended"),
    }
}
