//! What one writes and others read, a little at a time. A mutex of the system is not fair: who lets go of it and takes it
//! again at once may do so a thousand times while somebody waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Shared<T> {
    of: Mutex<T>,
    /// Writers that found it taken.
    waiting: AtomicUsize,
}

/// Writers that come one behind the other do not keep a reader for ever.
const LONGEST: Duration = Duration::from_millis(100);

impl<T> Shared<T> {
    pub(super) const fn new(of: T) -> Self {
        Self {
            of: Mutex::new(of),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Nothing is counted where it is free.
    pub(super) fn write(&self) -> MutexGuard<'_, T> {
        match self.of.try_lock() {
            Ok(held) => held,
            Err(TryLockError::Poisoned(held)) => held.into_inner(),
            Err(TryLockError::WouldBlock) => {
                self.waiting.fetch_add(1, Ordering::Relaxed);
                let held = self.read();
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                held
            }
        }
    }

    /// A writer that panicked has left nothing half done that matters.
    pub(super) fn read(&self) -> MutexGuard<'_, T> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For a reader that has let go of it: writers that wait come first.
    pub(super) fn let_writers_in(&self) {
        if !self.is_waited_for() {
            return;
        }
        let until = Instant::now() + LONGEST;
        while self.is_waited_for() && Instant::now() < until {
            thread::yield_now();
        }
    }

    pub(super) fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    #[cfg(test)]
    pub(super) fn is_free(&self) -> bool {
        self.of.try_lock().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_that_waits_comes_before_the_reader_goes_on() {
        // A mutex alone lets the reader in again nearly always.
        for turn in 0..200 {
            let shared = Shared::new(0);
            thread::scope(|scope| {
                let held = shared.read();
                scope.spawn(|| *shared.write() = 1);
                while !shared.is_waited_for() {
                    thread::yield_now();
                }
                drop(held);
                shared.let_writers_in();
                assert_eq!(*shared.read(), 1, "turn {turn}");
            });
        }
    }
}
