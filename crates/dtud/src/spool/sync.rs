//! Forcing files to the disk: at once, in a thread beside the main loop, or never.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing::error;

use super::SpoolSync;
use crate::fs::{Fs, OpenFile};

/// Carries out one link's policy.
#[derive(Debug)]
pub(super) struct Syncer {
    policy: SpoolSync,
    fs: Fs,
    dir: PathBuf,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    work: Mutex<Work>,
    news: Condvar,
}

/// What is to be forced. Bounded: files are named once, and a second's worth of segments.
#[derive(Debug, Default)]
struct Work {
    files: Vec<Arc<OpenFile>>,
    dir: bool,
    stop: bool,
}

impl Syncer {
    pub(super) fn new(fs: &Fs, policy: SpoolSync, dir: &Path) -> Self {
        Self {
            policy,
            fs: fs.clone(),
            dir: dir.to_owned(),
            shared: Arc::default(),
            thread: None,
        }
    }

    /// A frame was written.
    pub(super) fn appended(&mut self, file: &Arc<OpenFile>) -> io::Result<()> {
        if self.policy == SpoolSync::Always {
            return file.sync_data();
        }
        self.dirty(file);
        Ok(())
    }

    /// A file was made.
    pub(super) fn named(&mut self) -> io::Result<()> {
        match self.policy {
            SpoolSync::Always => self.fs.sync_dir(&self.dir),
            SpoolSync::EverySecond => {
                self.shared.lock().dir = true;
                self.wake();
                Ok(())
            }
            SpoolSync::Never => Ok(()),
        }
    }

    /// A file was written that can wait a second.
    pub(super) fn dirty(&mut self, file: &Arc<OpenFile>) {
        if self.policy == SpoolSync::Never {
            return;
        }
        let mut work = self.shared.lock();
        if work.files.iter().any(|known| Arc::ptr_eq(known, file)) {
            return;
        }
        work.files.push(Arc::clone(file));
        drop(work);
        self.wake();
    }

    fn wake(&mut self) {
        if self.thread.is_none() {
            let (shared, fs, dir) = (Arc::clone(&self.shared), self.fs.clone(), self.dir.clone());
            let thread = std::thread::Builder::new().name("spool-sync".to_owned());
            match thread.spawn(move || shared.run(&fs, &dir)) {
                Ok(thread) => self.thread = Some(thread),
                Err(error) => error!(
                    "disk: {}: no thread for flushing: {error}",
                    self.dir.display()
                ),
            }
        }
        self.shared.news.notify_one();
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.news.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps while nothing is to do; gathers a second's work; forces it outside the lock.
    fn run(&self, fs: &Fs, dir: &Path) {
        loop {
            let idle = |work: &mut Work| work.files.is_empty() && !work.dir && !work.stop;
            let work = self
                .news
                .wait_while(self.lock(), idle)
                .unwrap_or_else(PoisonError::into_inner);
            let gathered = self
                .news
                .wait_timeout_while(work, PERIOD, |work| !work.stop);
            let mut work = gathered.unwrap_or_else(PoisonError::into_inner).0;
            let (files, named, stop) = (
                std::mem::take(&mut work.files),
                std::mem::take(&mut work.dir),
                work.stop,
            );
            drop(work);
            if let Err(error) = force(fs, &files, named.then_some(dir)) {
                error!(
                    "disk: {}: frames could not be forced to the disk: {error}",
                    dir.display()
                );
            }
            if stop {
                return;
            }
        }
    }
}

fn force(fs: &Fs, files: &[Arc<OpenFile>], dir: Option<&Path>) -> io::Result<()> {
    files.iter().try_for_each(|file| file.sync_data())?;
    dir.map_or(Ok(()), |dir| fs.sync_dir(dir))
}

const PERIOD: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn syncer(policy: SpoolSync) -> (tempfile::TempDir, Syncer, Arc<OpenFile>) {
        let dir = tempfile::tempdir().unwrap();
        let file = Arc::new(Fs::default().create(&dir.path().join("a")).unwrap());
        let syncer = Syncer::new(&Fs::default(), policy, dir.path());
        (dir, syncer, file)
    }

    #[test]
    fn what_waits_is_forced_before_the_thread_ends() {
        let (_dir, mut syncer, file) = syncer(SpoolSync::EverySecond);
        syncer.named().unwrap();
        (0..1000).for_each(|_| syncer.appended(&file).unwrap());
        let shared = Arc::clone(&syncer.shared);
        assert!(shared.lock().files.len() <= 1, "a file waits once");
        assert!(syncer.thread.is_some());
        drop(syncer);
        let work = shared.lock();
        assert!(work.files.is_empty() && !work.dir);
        assert_eq!(
            Arc::strong_count(&file),
            1,
            "nobody holds the file any more"
        );
    }

    #[test]
    fn never_and_always_need_no_thread_for_frames() {
        for policy in [SpoolSync::Never, SpoolSync::Always] {
            let (_dir, mut syncer, file) = syncer(policy);
            syncer.named().unwrap();
            syncer.appended(&file).unwrap();
            assert!(syncer.thread.is_none());
        }
    }
}
