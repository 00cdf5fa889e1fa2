//! What a process has used, from /proc.

use std::fs;
use std::io::{Error, Result};
use std::path::PathBuf;
use std::time::Duration;

/// Used since its start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// On a CPU, all threads. From schedstat: utime ticks in 10 ms.
    pub(crate) cpu: Duration,
    /// Voluntary context switches, all threads: how often it went to sleep, so how often it was woken.
    pub(crate) wake_ups: u64,
}

impl Usage {
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let mut sum = Self::default();
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let task = task?.path();
            sum.cpu += Duration::from_nanos(first_number(task.join("schedstat"), "")?);
            sum.wake_ups += first_number(task.join("status"), "voluntary_ctxt_switches:")?;
        }
        Ok(sum)
    }

    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            wake_ups: self.wake_ups.saturating_sub(earlier.wake_ups),
        }
    }
}

/// Resident memory of the process's own, KiB.
pub(crate) fn rss_anon_kib(pid: u32) -> Result<u64> {
    first_number(PathBuf::from(format!("/proc/{pid}/status")), "RssAnon:")
}

/// Resident memory that is mapped of files, KiB: code above all, which comes and goes.
pub(crate) fn rss_file_kib(pid: u32) -> Result<u64> {
    first_number(PathBuf::from(format!("/proc/{pid}/status")), "RssFile:")
}

/// The first number in the line that begins with `key`.
fn first_number(path: PathBuf, key: &str) -> Result<u64> {
    let text = fs::read_to_string(&path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line
        .and_then(|line| line.split_whitespace().next())
        .and_then(|word| word.parse().ok());
    number.ok_or_else(|| Error::other(format!("{}: no number behind {key:?}", path.display())))
}
