//! `dtu-sim modem --replay FILE`: one modem out of a log, on a pty.

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use cellular_sim::modem::{ReplayModem, Transcript};
use dtu_proto::time::{Duration, Instant};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use dtu_sim::clock;

use super::{Pty, ended, say};

pub(super) fn serve(log: &Path, ptys: &[PathBuf], ending: &mut UnixStream) -> anyhow::Result<()> {
    let [path] = ptys else {
        bail!("--replay is one modem, and wants one --pty")
    };
    let text = std::fs::read_to_string(log).with_context(|| log.display().to_string())?;
    let transcript =
        Transcript::parse(&text).map_err(|why| anyhow::anyhow!("{}: {why}", log.display()))?;
    let mut pty = Pty::open(path)?;
    say(&format!(
        "ready modem={} replay={}",
        path.display(),
        log.display()
    ))?;
    let start = clock::now();
    let now = || Instant::ZERO + clock::now().duration_since(start);
    let mut modem = ReplayModem::new(transcript, now());
    while !ended(ending) {
        while let Some(bytes) = modem.poll_output(now()) {
            pty.send(&bytes)?;
        }
        // Up to the next whole millisecond, so that it is not early.
        let wait = modem
            .poll_timeout()
            .map(|at| at.since(now()) + Duration::from_micros(500));
        let wait = wait.and_then(|wait| Timespec::try_from(wait).ok());
        let out = if pty.is_waiting() {
            PollFlags::OUT
        } else {
            PollFlags::empty()
        };
        let mut fds = [
            PollFd::from_borrowed_fd(ending.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(pty.fd().as_fd(), PollFlags::IN | out),
        ];
        match poll(&mut fds, wait.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut buffer = [0; 4096];
        pty.flush()?;
        let count = pty.read(&mut buffer)?;
        modem.read(buffer.get(..count).unwrap_or_default(), now());
    }
    for command in modem.unknown() {
        eprintln!("dtu-sim: the log has no answer to {command}");
    }
    Ok(())
}
