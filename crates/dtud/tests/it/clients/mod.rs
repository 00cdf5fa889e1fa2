//! Programs that no one here wrote, with their own configuration, on the device's serial line: gammu, gammu-smsd,
//! smstools3, python-gsmmodem-new, ModemManager, picocom, minicom; and on its network side: nginx, Python's
//! http.server, socat.
//!
//! `scripts/clients.sh` installs them and runs this; a program that is missing is a failure, never a pass.
//!
//! The simulated radio has a number that answers each message with the same text ([`ECHO`]). So a client that sends
//! a hundred messages there has a hundred to receive, and one that is lost or doubled on either way shows.

use crate::common;

mod gammu;
mod gsmmodem;
mod mm;
mod modem_manager;
mod program;
mod relay;
mod smsd;
mod smstools;
mod socat;
mod terminal;
mod web;

use std::path::{Path, PathBuf};

use common::daemon::{Daemon, Setup};

/// The number of the simulated network that sends each text back.
pub(crate) const ECHO: &str = "10001";

/// A device whose line is always in the command state, in a folder of its own.
pub(crate) struct Device {
    folder: tempfile::TempDir,
    daemon: Daemon,
}

impl Device {
    /// In the AT mode.
    pub(crate) fn new() -> Self {
        Self::set_up(|setup| setup.at("CIMOD=2"))
    }

    pub(crate) fn set_up(with: impl FnOnce(Setup) -> Setup) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let daemon = with(Setup::new(folder.path())).start();
        // The DTE was not there when the banner was printed; it is read away as by somebody who looks on.
        drop(daemon.line());
        Self { folder, daemon }
    }

    /// The serial line.
    pub(crate) fn line(&self) -> PathBuf {
        self.folder.path().join("line")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) const fn daemon(&self) -> &Daemon {
        &self.daemon
    }
}

/// A hundred texts, each another one.
pub(crate) fn hundred_texts() -> Vec<String> {
    (1..=100)
        .map(|number| format!("reading {number:03} of the meter"))
        .collect()
}

/// Each of the texts came once, and nothing else.
#[track_caller]
pub(crate) fn assert_each_once(mut came: Vec<String>, sent: &[String]) {
    let mut sent = sent.to_vec();
    came.sort();
    sent.sort();
    assert_eq!(came, sent);
}
