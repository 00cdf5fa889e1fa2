//! The serial line as a way to the device: the escape, the set-up window, replies with and without result codes.

use std::io;
use std::time::Duration;

use crate::door::{Door, DoorError, End, Reply};
use crate::talk::{REPLY, REPLY_BYTES, clear, drain, reply};

/// A serial port, and the time.
pub trait Port {
    /// Time since some start.
    fn now(&self) -> Duration;

    /// Writes all of it.
    ///
    /// # Errors
    /// The port failed.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits for bytes; 0 of them when that time is reached.
    ///
    /// # Errors
    /// The port failed or is gone.
    fn read(&mut self, buffer: &mut [u8], until: Duration) -> io::Result<usize>;

    /// Changes the rate. A port without one does nothing.
    ///
    /// # Errors
    /// The port does not take it.
    fn set_baud(&mut self, baud: u32) -> io::Result<()>;

    /// The rate.
    fn baud(&self) -> u32;
}

/// A device on a serial port, in a command state.
#[derive(Debug)]
pub struct Serial<P> {
    port: P,
    /// How it came there, which says how it goes back.
    by: Entry,
    /// What one read brought behind the end of a reply.
    behind: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// By `+++`, or it was there: `AT+ENTM` leads back.
    Escape,
    /// In the set-up window, which was made longer.
    Window,
    /// Somebody's own command has led it out: what is sent now goes to the data center.
    Out,
}

/// Silence in front of `+++`, more than the 200 ms of manual 2.7.
pub const GUARD: Duration = Duration::from_millis(300);
/// The device answers `a` behind its own guard time; real boxes take a moment.
pub const ESCAPE_ANSWER: Duration = Duration::from_millis(1500);
/// So much silence ends a reply without result code.
const REPLY_GAP: Duration = Duration::from_millis(800);
/// A real box registers before it speaks.
const RESTART: Duration = Duration::from_secs(60);
/// A box tells of itself in several lines until it takes commands.
const BEHIND_BANNER: Duration = Duration::from_secs(8);
/// The window is made so long, in s (manual 2.8.6.40): time to read everything back at 1200 Bd.
const WINDOW: &str = "AT+CIOPTIME=120";

impl<P: Port> Serial<P> {
    /// Brings the device into its command state by `+++`. Nothing but the escape is sent: what does not become a command
    /// would go to the data center.
    ///
    /// # Errors
    /// [`DoorError::Silent`] where nothing came at all, [`DoorError::NotInCommandState`] where something did: the caller may
    /// go on with [`Serial::by_window`]. The port comes back with it.
    pub fn enter(mut port: P) -> Result<Self, (P, DoorError)> {
        match escape(&mut port) {
            Ok(()) => Ok(Self::new(port, Entry::Escape)),
            Err(error) => Err((port, error)),
        }
    }

    /// Takes the device to be in a command state: mode 2, or one that was left there. Sends `AT`.
    ///
    /// # Errors
    /// It does not answer `OK`; the port comes back.
    pub fn in_command_state(port: P) -> Result<Self, (P, DoorError)> {
        let mut this = Self::new(port, Entry::Escape);
        match this.prove() {
            Ok(()) => Ok(this),
            Err(error) => Err((this.port, error)),
        }
    }

    /// Waits until the device is switched on, and takes its set-up window.
    ///
    /// # Errors
    /// Nothing came within that time, or what came is no banner at this rate.
    pub fn by_window(port: P, within: Duration) -> Result<Self, (P, DoorError)> {
        let mut this = Self::new(port, Entry::Window);
        match this.take_window(within) {
            Ok(()) => Ok(this),
            Err(error) => Err((this.port, error)),
        }
    }

    const fn new(port: P, by: Entry) -> Self {
        Self {
            port,
            by,
            behind: Vec::new(),
        }
    }

    /// The time of the port.
    pub fn now(&self) -> Duration {
        self.port.now()
    }

    /// The port, to look at.
    pub const fn port_mut(&mut self) -> &mut P {
        &mut self.port
    }

    /// The port, for other uses.
    pub fn into_port(self) -> P {
        self.port
    }

    /// Any line means that the device has started: the banner may be anything, or empty.
    fn take_window(&mut self, within: Duration) -> Result<(), DoorError> {
        let mut until = self.port.now() + within;
        let mut heard = false;
        while self.port.now() < until {
            let mut buffer = [0; 256];
            // A device that is quick has greeted in one read with its last reply.
            if self.behind.is_empty() && self.port.read(&mut buffer, until)? == 0 {
                break;
            }
            if !heard {
                // It runs: its window is now, or it has none.
                heard = true;
                until = until.min(self.port.now() + BEHIND_BANNER);
            }
            drain(&mut self.port, Duration::from_millis(150))?;
            if self.prove().is_ok() {
                self.by = Entry::Window;
                // A box that does not know it has its 5 s.
                let _ = self.exchange(WINDOW)?;
                return Ok(());
            }
        }
        Err(if heard {
            DoorError::NotInCommandState
        } else {
            DoorError::NoRestart { within }
        })
    }

    /// Whether a plain `AT` is answered by `OK`: the echo alone proves nothing.
    fn prove(&mut self) -> Result<(), DoorError> {
        let mut noise = false;
        for _ in 0..2 {
            match self.exchange_within("AT", Duration::from_secs(1)) {
                Ok(reply) if reply.end == End::Ok => return Ok(()),
                Ok(reply) => noise |= !reply.lines.is_empty(),
                Err(DoorError::NoReply { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(if noise {
            DoorError::NotInCommandState
        } else {
            DoorError::Silent
        })
    }

    fn exchange(&mut self, line: &str) -> Result<Reply, DoorError> {
        self.exchange_within(line, REPLY)
    }

    fn exchange_within(&mut self, line: &str, first: Duration) -> Result<Reply, DoorError> {
        self.behind.clear();
        clear(&mut self.port)?;
        self.port.write(line.as_bytes())?;
        self.port.write(b"\r")?;
        let gap = REPLY_GAP.max(bytes_take(self.port.baud(), 64));
        reply(&mut self.port, &mut self.behind, line, first, gap)
    }
}

/// Whether the command state ends with this line.
fn leads_out(line: &str) -> bool {
    let last = line.rsplit(';').next().unwrap_or_default().trim();
    last.to_ascii_uppercase().trim_start_matches("AT") == "+ENTM"
}

/// How long so many bytes take on the line.
fn bytes_take(baud: u32, bytes: u32) -> Duration {
    Duration::from_millis(u64::from(bytes * 10_000 / baud.max(1)))
}

fn escape<P: Port>(port: &mut P) -> Result<(), DoorError> {
    let mut heard = Vec::new();
    let mut tried = 0;
    // What prints may be the banner: a device that was switched on a moment ago hears no +++ in its set-up window.
    while tried < 2 || tried < 4 && !heard.is_empty() && !is_noise(&heard) {
        tried += 1;
        // What the device says meanwhile is data; only what we send counts for the guard time.
        wait_for(port, GUARD, &mut heard, |_| false)?;
        port.write(b"+++")?;
        let from = heard.len();
        let answered = |heard: &[u8]| is_escape_answer(&heard[from..]);
        let within = ESCAPE_ANSWER + bytes_take(port.baud(), 8);
        if !wait_for(port, within, &mut heard, answered)? {
            continue;
        }
        port.write(b"a")?;
        let from = heard.len();
        let entered = |heard: &[u8]| heard[from..].windows(3).any(|word| word == b"+ok");
        if wait_for(port, within, &mut heard, entered)? {
            // The end of its line.
            wait_for(port, Duration::from_millis(100), &mut heard, |_| false)?;
            return Ok(());
        }
    }
    Err(match heard.as_slice() {
        [] => DoorError::Silent,
        heard if is_noise(heard) => DoorError::Noise { baud: port.baud() },
        _ => DoorError::NotInCommandState,
    })
}

/// Whether this is what a device answers to `+++`: `a`, alone or behind the echo. An `a` inside data is none.
#[must_use]
pub fn is_escape_answer(heard: &[u8]) -> bool {
    let heard = heard.trim_ascii();
    let heard = heard.strip_prefix(b"+++").unwrap_or(heard).trim_ascii();
    heard == b"a"
}

/// Bytes of a line at another rate: hardly any of them prints.
fn is_noise(heard: &[u8]) -> bool {
    let odd = heard
        .iter()
        .filter(|byte| !matches!(byte, b'\r' | b'\n' | b'\t' | b' '..=b'~'))
        .count();
    odd * 2 > heard.len()
}

fn wait_for<P: Port>(
    port: &mut P,
    time: Duration,
    heard: &mut Vec<u8>,
    enough: impl Fn(&[u8]) -> bool,
) -> Result<bool, DoorError> {
    let until = port.now() + time;
    let mut buffer = [0; 256];
    while port.now() < until {
        let count = port.read(&mut buffer, until)?;
        heard.extend_from_slice(&buffer[..count]);
        if enough(heard) {
            return Ok(true);
        }
        if heard.len() > REPLY_BYTES {
            return Ok(false);
        }
    }
    Ok(false)
}

impl<P: Port> Door for Serial<P> {
    fn command(&mut self, line: &str) -> Result<Reply, DoorError> {
        if self.by == Entry::Out {
            return Err(DoorError::NotInCommandState);
        }
        let reply = self.exchange(line)?;
        if reply.end == End::Ok && leads_out(line) {
            self.by = Entry::Out;
        }
        Ok(reply)
    }

    fn restart(&mut self, command: &str, baud: Option<u32>) -> Result<(), DoorError> {
        // Its OK may be lost with the restart.
        match self.exchange(command) {
            Ok(reply) => reply.taken(command)?,
            Err(DoorError::NoReply { .. }) => {}
            Err(error) => return Err(error),
        }
        if let Some(baud) = baud {
            self.port.set_baud(baud)?;
        }
        match self.take_window(RESTART) {
            Ok(()) => Ok(()),
            // The window was missed, or the device has none.
            Err(DoorError::NotInCommandState | DoorError::NoRestart { .. }) => {
                self.by = Entry::Escape;
                escape(&mut self.port)
            }
            Err(error) => Err(error),
        }
    }

    fn leave(&mut self) -> Result<(), DoorError> {
        let line = match self.by {
            Entry::Escape => "AT+ENTM",
            Entry::Window => "AT+CIOPTIME=0",
            Entry::Out => return Ok(()),
        };
        self.exchange(line).map(|_| ())
    }

    fn shut_by(&self) -> &[&str] {
        &["CIPR", "ICF"]
    }

    /// They take effect at the restart.
    fn is_shut_at_once(&self) -> bool {
        false
    }
}
