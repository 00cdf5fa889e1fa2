//! What the end-to-end tests and the bench share: the daemon as a child process, the DTE's end of its line, a
//! server that can die like a machine, and the pump that moves bytes over either end.
//!
//! Every wait has a deadline, and a wait that runs out says what was awaited.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[allow(dead_code, reason = "the unit tests of TLS use the rest of it")]
pub(crate) mod authority;
pub(crate) mod daemon;
pub(crate) mod http;
pub(crate) mod httpd;
pub(crate) mod line;
pub(crate) mod packet;
pub(crate) mod pump;
pub(crate) mod radio;
pub(crate) mod random;
pub(crate) mod server;
pub(crate) mod usage;

/// How long a thing that should happen at once may take on a loaded machine.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// The time `wait` from now.
pub(crate) fn within(wait: Duration) -> Instant {
    Instant::now() + wait
}

/// Looks until `look` finds something, every 2 ms. For conditions that cannot wake anybody: files, counters of
/// another process.
pub(crate) fn eventually<T>(what: &str, wait: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = within(wait);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {wait:?}: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The contents of all files below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let contents = |path: PathBuf| {
        if path.is_dir() {
            files_below(&path)
        } else {
            std::fs::read(path).into_iter().collect()
        }
    };
    entries
        .flatten()
        .flat_map(|entry| contents(entry.path()))
        .collect()
}
