//! A whole scene in one process.
use std::process::ExitCode;
use std::time::Duration;
pub(crate) fn run(_seconds: Option<Duration>) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not yet")
}
