//! Asks a running device.

use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use super::{Report, Short};

/// What the device that keeps its state there tells: as a screen, or as JSON.
pub(crate) fn ask(state: &Path, as_json: bool) -> anyhow::Result<String> {
    let text = read_report(state).map_err(|error| explain(state, &error))?;
    let report: Report = serde_json::from_str(&text).context("the device is of another version")?;
    Ok(if as_json {
        serde_json::to_string_pretty(&report)?
    } else {
        report.to_string()
    })
}

/// The folders below `base`, and others, with a device that can be asked.
pub(crate) fn running(base: &Path, others: &[&Path]) -> Vec<PathBuf> {
    let below = std::fs::read_dir(base)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let mut found: Vec<PathBuf> = below
        .chain(others.iter().map(|path| path.to_path_buf()))
        .filter(|state| read_report(state).is_ok())
        .collect();
    found.sort();
    found
}

fn read_report(state: &Path) -> io::Result<String> {
    let socket = Short::of(state)?;
    let stream = UnixStream::connect(&socket.path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut text = String::new();
    stream.take(REPORT_MAX).read_to_string(&mut text)?;
    Ok(text)
}

fn explain(state: &Path, error: &io::Error) -> anyhow::Error {
    let (state, kind) = (state.display(), error.kind());
    if [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused].contains(&kind) {
        return anyhow::anyhow!(
            "no device runs with the state folder {state}; name its folder with --state, or its line with --serial"
        );
    }
    if [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut].contains(&kind) {
        return anyhow::anyhow!(
            "the device of {state} does not answer within {} s",
            PATIENCE.as_secs()
        );
    }
    anyhow::anyhow!("{state}: {error}")
}

const PATIENCE: Duration = Duration::from_secs(5);
const REPORT_MAX: u64 = 1 << 20;
