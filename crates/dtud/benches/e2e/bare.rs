//! The least that can carry a line over TCP: one thread, one poll, 4 KiB reads, written at once, only the rest
//! queued. Knows no frames, no escape, no acknowledgement; reconnects every 100 ms and keeps 64 KiB meanwhile.

use std::io::Result;
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::process::ExitCode;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use crate::common::pump::{CHUNK, read_now, timespec, write_now};

const CACHE: usize = 64 * 1024;
const RETRY: Duration = Duration::from_millis(100);

/// The child's whole life; ended by a signal.
pub(crate) fn run(path: &str, port: &str) -> ExitCode {
    match port
        .parse()
        .map_err(std::io::Error::other)
        .and_then(|port| forward(path, port))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bare loop: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A raw pty: the master, and one end kept open, for without one a read of the master is EIO.
pub(crate) fn raw_pty() -> Result<(OwnedFd, OwnedFd, String)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    rustix::io::ioctl_fionbio(&master, true)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?
        .into_string()
        .map_err(std::io::Error::other)?;
    let slave = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty())?;
    let mut termios = tcgetattr(&slave)?;
    termios.make_raw();
    tcsetattr(&slave, OptionalActions::Now, &termios)?;
    Ok((master, slave, name))
}

fn forward(path: &str, port: u16) -> Result<()> {
    let (master, _kept_open, name) = raw_pty()?;
    symlink(name, path)?;
    let (mut up, mut down) = (Queue::default(), Queue::default());
    let mut network = connect(port);
    loop {
        let mut fds = Vec::with_capacity(2);
        fds.push(PollFd::new(&master, wanted(&up, &down)));
        if let Some(stream) = &network {
            fds.push(PollFd::new(stream, wanted(&down, &up)));
        }
        let retry = network.is_none().then(|| timespec(RETRY));
        match poll(&mut fds, retry.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let line = fds[0].revents();
        let link = fds.get(1).map_or(PollFlags::empty(), PollFd::revents);
        drop(fds);
        if line.contains(PollFlags::IN) {
            up.take(&master)?;
        }
        if line.contains(PollFlags::OUT) {
            down.give(&master)?;
        }
        network = match network {
            Some(stream) => match serve(&stream, link, &mut up, &mut down) {
                Ok(()) => Some(stream),
                Err(_) => None,
            },
            None => connect(port),
        };
        down.give(&master)?;
    }
}

/// One line to many connections: each read goes to all of them at once, and the slowest holds the line up.
pub(crate) fn run_fan_out(path: &str, ports: &[&str]) -> ExitCode {
    let ports: std::result::Result<Vec<u16>, _> = ports.iter().map(|port| port.parse()).collect();
    match ports
        .map_err(std::io::Error::other)
        .and_then(|ports| fan_out(path, &ports))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bare fan-out: {error}");
            ExitCode::FAILURE
        }
    }
}

fn fan_out(path: &str, ports: &[u16]) -> Result<()> {
    let (master, _kept_open, name) = raw_pty()?;
    let streams: Option<Vec<TcpStream>> = ports.iter().map(|port| connect(*port)).collect();
    let streams = streams.ok_or_else(|| std::io::Error::other("a server refused"))?;
    let mut queues: Vec<Queue> = streams.iter().map(|_| Queue::default()).collect();
    symlink(name, path)?;
    let mut read = [0; CHUNK];
    loop {
        let mut line = PollFlags::empty();
        line.set(PollFlags::IN, queues.iter().all(Queue::room));
        let out = |queue: &Queue| {
            let waits = !queue.bytes.is_empty();
            if waits {
                PollFlags::OUT
            } else {
                PollFlags::empty()
            }
        };
        let links = streams.iter().zip(&queues);
        let mut fds: Vec<PollFd<'_>> = std::iter::once(PollFd::new(&master, line))
            .chain(links.map(|(stream, queue)| PollFd::new(stream, out(queue))))
            .collect();
        match poll(&mut fds, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let there = fds[0].revents().contains(PollFlags::IN);
        drop(fds);
        let count = if there {
            read_now(&master, &mut read)?
        } else {
            None
        };
        for (stream, queue) in streams.iter().zip(&mut queues) {
            queue.bytes.extend_from_slice(&read[..count.unwrap_or(0)]);
            queue.give(stream)?;
        }
    }
}

fn connect(port: u16) -> Option<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_nodelay(true).ok()?;
    stream.set_nonblocking(true).ok()?;
    Some(stream)
}

fn serve(stream: &TcpStream, events: PollFlags, up: &mut Queue, down: &mut Queue) -> Result<()> {
    if events.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) && down.room() {
        down.take(stream)?;
    }
    up.give(stream)
}

/// Read while there is room here, write while something waits to go there.
fn wanted(from: &Queue, to: &Queue) -> PollFlags {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, from.room());
    flags.set(PollFlags::OUT, !to.bytes.is_empty());
    flags
}

#[derive(Default)]
struct Queue {
    bytes: Vec<u8>,
}

impl Queue {
    fn room(&self) -> bool {
        self.bytes.len() + CHUNK <= CACHE
    }

    fn take(&mut self, from: impl AsFd) -> Result<()> {
        let have = self.bytes.len();
        self.bytes.resize(have + CHUNK, 0);
        let result = read_now(from, &mut self.bytes[have..]);
        self.bytes
            .truncate(have + *result.as_ref().ok().and_then(Option::as_ref).unwrap_or(&0));
        result.map(|_| ())
    }

    fn give(&mut self, to: impl AsFd) -> Result<()> {
        if !self.bytes.is_empty() {
            let n = write_now(to, &self.bytes)?;
            self.bytes.drain(..n);
        }
        Ok(())
    }
}
