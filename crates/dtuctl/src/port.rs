//! Serial ports: devices of the operating system, ptys, and `tcp:HOST:PORT`.

use std::fs;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use dtu_setup::Sentence;
use dtu_setup::serial::Port;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{ControlModes, InputModes, OptionalActions, SpecialCodeIndex};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::say;

/// Somebody wants this program to stop.
static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on SIGINT, SIGTERM and the end of the terminal end the next wait for a port with an error, so that the device
/// is let go on with its work before this program ends.
pub(crate) fn stop_cleanly() -> io::Result<()> {
    if STOP.get().is_some() {
        return Ok(());
    }
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // Under nohup the end of the terminal is to stop nothing.
        if signal != SIGHUP || !ignores_hang_up() {
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
        }
    }
    let _ = STOP.set(flag);
    Ok(())
}

/// `SigIgn` of proc(5) has a bit for each signal.
fn ignores_hang_up() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (SIGHUP - 1) & 1 == 1)
}

/// Whether this program is to stop. Asked once, it is forgotten: what is left to do may wait again.
pub(crate) fn stops() -> bool {
    STOP.get()
        .is_some_and(|flag| flag.swap(false, Ordering::Relaxed))
}

/// An open port.
#[derive(Debug)]
pub(crate) struct OpenPort {
    fd: OwnedFd,
    is_tty: bool,
    baud: u32,
    start: Instant,
}

impl OpenPort {
    /// `tcp:HOST:PORT`, or the path of a device.
    pub(crate) fn open(name: &str, baud: u32) -> anyhow::Result<Self> {
        let (fd, is_tty) = match name.strip_prefix("tcp:") {
            Some(address) => (connect(address, CONNECT)?, false),
            None => (open_tty(Path::new(name))?, true),
        };
        let mut port = Self {
            fd,
            is_tty,
            baud,
            start: Instant::now(),
        };
        port.set_baud(baud)
            .with_context(|| format!("{name}: {baud} Bd"))?;
        Ok(port)
    }

    /// A connection.
    pub(crate) fn of_stream(fd: OwnedFd) -> Self {
        Self {
            fd,
            is_tty: false,
            baud: 115_200,
            start: Instant::now(),
        }
    }

    /// The same port on another way, with its time going on.
    pub(crate) fn replace(&mut self, new: Self) {
        self.fd = new.fd;
        self.is_tty = new.is_tty;
    }
}

/// Waits for that, at most so long; an error of the kind [`io::ErrorKind::Interrupted`] where this program is to stop.
pub(crate) fn wait(fd: impl AsFd, what: PollFlags, time: Duration) -> io::Result<bool> {
    poll(&mut [PollFd::new(&fd, what)], time)
}

fn poll(fds: &mut [PollFd<'_>], time: Duration) -> io::Result<bool> {
    if stops() {
        return Err(io::Error::new(io::ErrorKind::Interrupted, say::stopped()));
    }
    let timeout = Timespec::try_from(time).unwrap_or(Timespec {
        tv_sec: i64::MAX,
        tv_nsec: 0,
    });
    match rustix::event::poll(fds, Some(&timeout)) {
        Ok(count) => Ok(count > 0),
        // A signal: what it wants is looked at in front of the next wait.
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Does nothing for so long, unless this program is to stop.
pub(crate) fn pause(time: Duration) -> io::Result<()> {
    poll(&mut [], time).map(|_| ())
}

impl Port for OpenPort {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let until = self.now() + WRITE;
        while !bytes.is_empty() {
            match rustix::io::write(&self.fd, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let left = until.saturating_sub(self.now());
                    if left.is_zero() || !wait(&self.fd, PollFlags::OUT, left)? {
                        return Err(io::Error::other(say::takes_no_bytes()));
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], until: Duration) -> io::Result<usize> {
        loop {
            match rustix::io::read(&self.fd, &mut *buffer) {
                Ok(0) if !buffer.is_empty() => {
                    return Err(io::Error::other(say::line_closed()));
                }
                Ok(count) => return Ok(count),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let left = until.saturating_sub(self.now());
                    if left.is_zero() {
                        return Ok(0);
                    }
                    wait(&self.fd, PollFlags::IN, left)?;
                }
                // A pty whose other end is gone.
                Err(Errno::IO) => return Err(io::Error::other(say::device_gone())),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.baud = baud;
        if !self.is_tty {
            return Ok(());
        }
        let mut wanted = rustix::termios::tcgetattr(&self.fd)?;
        wanted.make_raw();
        wanted.input_modes |= InputModes::IGNBRK;
        wanted.input_modes &= !(InputModes::INPCK | InputModes::PARMRK);
        let modes = &mut wanted.control_modes;
        modes.insert(ControlModes::CREAD | ControlModes::CLOCAL | ControlModes::CS8);
        // DTR and RTS stay as they are when the port is closed: some boxes restart with them.
        modes.remove(
            ControlModes::HUPCL
                | ControlModes::CSTOPB
                | ControlModes::PARENB
                | ControlModes::CRTSCTS,
        );
        wanted.special_codes[SpecialCodeIndex::VMIN] = 1;
        wanted.special_codes[SpecialCodeIndex::VTIME] = 0;
        wanted.set_speed(baud)?;
        // What was written at the old rate leaves first.
        rustix::termios::tcsetattr(&self.fd, OptionalActions::Drain, &wanted)?;
        Ok(())
    }

    fn baud(&self) -> u32 {
        self.baud
    }
}

/// A connection to `HOST:PORT`; each of its addresses is tried for so long, or [`CONNECT`].
pub(crate) fn connect(address: &str, within: Duration) -> anyhow::Result<OwnedFd> {
    let addresses = address
        .to_socket_addrs()
        .with_context(|| format!("{address} (tcp:HOST:PORT)"))?;
    // No time at all is no timeout of the system.
    let within = within.clamp(Duration::from_millis(1), CONNECT);
    let mut last = None;
    for address in addresses {
        match TcpStream::connect_timeout(&address, within) {
            Ok(stream) => {
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                return Ok(stream.into());
            }
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(error) => Err(error).with_context(|| format!("tcp:{address}")),
        None => Err(io::Error::other(say::no_address())).with_context(|| format!("tcp:{address}")),
    }
}

/// Opens it for this program alone.
fn open_tty(path: &Path) -> anyhow::Result<OwnedFd> {
    let name = || path.display().to_string();
    // Without NONBLOCK the call would wait for the carrier of a modem.
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::BUSY) => return Err(io::Error::other(in_use(path))).with_context(name),
        Err(error) => return Err(error).with_context(name),
    };
    if !rustix::termios::isatty(&fd) {
        return Err(io::Error::other(say::no_serial_port(name())).into());
    }
    match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Err(io::Error::other(in_use(path))).with_context(name),
        Err(error) => return Err(error).with_context(name),
    }
    // A pty would stay exclusive when this program is gone.
    let major = rustix::fs::major(rustix::fs::fstat(&fd)?.st_rdev);
    if !UNIX98_SLAVES.contains(&major) {
        rustix::termios::ioctl_tiocexcl(&fd)?;
    }
    Ok(fd)
}

/// Who has it open, as far as this user may know.
fn in_use(path: &Path) -> Sentence {
    let Ok(target) = fs::canonicalize(path) else {
        return say::in_use();
    };
    let users = users(&target);
    let owner = lock_owner(&target);
    let named = users.iter().find(|(pid, _)| Some(*pid) == owner);
    match named.or(users.first()) {
        Some((pid, program)) => say::in_use_by(*pid, program),
        None => say::in_use_by_another(),
    }
}

/// Others may have it open, too: `dtud` keeps both ends of its pty.
fn lock_owner(target: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    let inode = format!(":{}", fs::metadata(target).ok()?.ino());
    let device = target.metadata().ok()?.dev();
    let device = format!(
        "{:02x}:{:02x}",
        rustix::fs::major(device),
        rustix::fs::minor(device)
    );
    let locks = fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, pid, file, ..] = words.as_slice() else {
            return None;
        };
        let is_it = *file == format!("{device}{inode}");
        is_it.then(|| pid.parse().ok()).flatten()
    })
}

fn users(target: &Path) -> Vec<(u32, String)> {
    let own = std::process::id();
    let has_it_open = |pid: &u32| {
        let fds = fs::read_dir(format!("/proc/{pid}/fd"))
            .into_iter()
            .flatten();
        fds.flatten()
            .any(|fd| fs::read_link(fd.path()).is_ok_and(|open: PathBuf| open == target))
    };
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != own)
        .filter(has_it_open)
        .map(|pid| {
            let program = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            (pid, program.trim().to_owned())
        })
        .collect()
}

impl AsFd for OpenPort {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Major numbers of the slaves of ptys (Documentation/admin-guide/devices.txt).
const UNIX98_SLAVES: std::ops::RangeInclusive<u32> = 136..=143;
pub(crate) const CONNECT: Duration = Duration::from_secs(10);
/// A command of 200 bytes takes 20 s at 110 Bd.
const WRITE: Duration = Duration::from_secs(30);
