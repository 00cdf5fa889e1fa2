//! Moving bytes over one non-blocking descriptor, both ways at once, in one thread with one poll.

use std::io::{Error, ErrorKind, Result};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// A raw pty never returns more than 4095 bytes a read; larger buffers buy nothing.
pub(crate) const CHUNK: usize = 4096;

/// Waits until one of `wanted` is there; false when the deadline has passed.
pub(crate) fn ready(io: impl AsFd, wanted: PollFlags, deadline: Instant) -> Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(&io, wanted)];
        match poll(&mut fds, Some(&timespec(left))) {
            Ok(0) if left.is_zero() => return Ok(false),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
}

/// A poll's time-out.
pub(crate) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}

/// One read that does not block: `None` = nothing there now, an empty slice never occurs (the end is an error).
pub(crate) fn read_now(io: impl AsFd, buffer: &mut [u8]) -> Result<Option<usize>> {
    match rustix::io::read(io, buffer) {
        Ok(0) => Err(Error::new(
            ErrorKind::UnexpectedEof,
            "the other end has closed",
        )),
        Ok(n) => Ok(Some(n)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// One write that does not block: how much went.
pub(crate) fn write_now(io: impl AsFd, bytes: &[u8]) -> Result<usize> {
    match rustix::io::write(io, bytes) {
        Ok(n) => Ok(n),
        Err(Errno::AGAIN | Errno::INTR) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// Sends what `source` fills in (0 = no more) and gives what comes to `sink`, until `expect` bytes have come and
/// the source is dry.
pub(crate) fn exchange(
    io: impl AsFd,
    mut source: impl FnMut(&mut [u8]) -> usize,
    mut expect: u64,
    mut sink: impl FnMut(&[u8]),
    deadline: Instant,
) -> Result<()> {
    let (mut out, mut input) = ([0; CHUNK], [0; CHUNK]);
    let (mut from, mut to, mut dry) = (0, 0, false);
    loop {
        if from == to && !dry {
            (from, to) = (0, source(&mut out));
            dry = to == 0;
        }
        if from < to {
            from += write_now(&io, &out[from..to])?;
        }
        if expect > 0
            && let Some(n) = read_now(&io, &mut input)?
        {
            sink(&input[..n]);
            expect = expect
                .checked_sub(n as u64)
                .ok_or_else(|| Error::other("more bytes came than were sent"))?;
            continue;
        }
        if dry && expect == 0 {
            return Ok(());
        }
        let mut wanted = PollFlags::empty();
        wanted.set(PollFlags::OUT, !dry);
        wanted.set(PollFlags::IN, expect > 0);
        if !ready(&io, wanted, deadline)? {
            let text = format!("time is up with {expect} bytes still to come, all sent: {dry}");
            return Err(Error::new(ErrorKind::TimedOut, text));
        }
    }
}

/// A source of `total` bytes of one value: costs nothing to make.
#[allow(dead_code, reason = "for the bench")]
pub(crate) fn constant(byte: u8, total: u64) -> impl FnMut(&mut [u8]) -> usize {
    let mut left = total;
    move |buffer| {
        let n = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        buffer[..n].fill(byte);
        left -= n as u64;
        n
    }
}
