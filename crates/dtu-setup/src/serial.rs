//! The serial line as a way to the device: the escape, the set-up window, replies with and without result codes.

use std::io;
use std::time::Duration;

use dtu_proto::shown_command;

use crate::door::{Door, DoorError, End, Reply};

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
}

/// Silence in front of `+++`, more than the 200 ms of manual 2.7.
const GUARD: Duration = Duration::from_millis(300);
/// The device answers `a` behind its own guard time; real boxes take a moment.
const ESCAPE_ANSWER: Duration = Duration::from_millis(1500);
/// The first byte of a reply.
const REPLY: Duration = Duration::from_secs(5);
/// So much silence ends a reply without result code.
const REPLY_GAP: Duration = Duration::from_millis(800);
/// A reply of many lines at 110 Bd.
const REPLY_MOST: Duration = Duration::from_secs(120);
/// A real box registers before it speaks.
const RESTART: Duration = Duration::from_secs(60);
/// A box tells of itself in several lines until it takes commands.
const BEHIND_BANNER: Duration = Duration::from_secs(8);
/// The window is made so long, in s (manual 2.8.6.40): time to read everything back at 1200 Bd.
const WINDOW: &str = "AT+CIOPTIME=120";
/// Reply bytes that are kept; beyond is no reply of a DTU.
const REPLY_BYTES: usize = 64 * 1024;

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
            self.drain(Duration::from_millis(150))?;
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

    fn drain(&mut self, silence: Duration) -> Result<(), DoorError> {
        let mut buffer = [0; 256];
        let most = self.port.now() + REPLY;
        while self.port.now() < most && self.port.read(&mut buffer, self.port.now() + silence)? > 0
        {
        }
        Ok(())
    }

    fn exchange(&mut self, line: &str) -> Result<Reply, DoorError> {
        self.exchange_within(line, REPLY)
    }

    fn exchange_within(&mut self, line: &str, first: Duration) -> Result<Reply, DoorError> {
        // What came before belongs to nothing that was asked.
        self.behind.clear();
        self.drain(Duration::ZERO)?;
        self.port.write(line.as_bytes())?;
        self.port.write(b"\r")?;
        let sent = self.port.now();
        let most = sent + REPLY_MOST.max(first);
        let mut until = sent + first;
        let mut collected = Collected::new(line);
        let mut buffer = [0; 1024];
        loop {
            let count = self.port.read(&mut buffer, until.min(most))?;
            if count == 0 || self.port.now() >= most {
                return collected.at_silence().ok_or_else(|| DoorError::NoReply {
                    line: shown_command(line),
                    within: first,
                });
            }
            if let Some((reply, behind)) = collected.take(&buffer[..count]) {
                self.behind.extend_from_slice(behind);
                return Ok(reply);
            }
            // The echo comes at once; the reply may take as long as ever.
            if collected.has_lines() {
                until = self.port.now() + REPLY_GAP.max(bytes_take(self.port.baud(), 64));
            }
        }
    }
}

/// How long so many bytes take on the line.
fn bytes_take(baud: u32, bytes: u32) -> Duration {
    Duration::from_millis(u64::from(bytes * 10_000 / baud.max(1)))
}

fn escape<P: Port>(port: &mut P) -> Result<(), DoorError> {
    let mut heard = Vec::new();
    for _ in 0..2 {
        // What the device says meanwhile is data; only what we send counts for the guard time.
        wait_for(port, GUARD, &mut heard, |_| false)?;
        port.write(b"+++")?;
        let from = heard.len();
        let answered = |heard: &[u8]| is_answer(&heard[from..]);
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

/// `a`, alone or behind the echo of `+++`: an `a` inside data is none.
fn is_answer(heard: &[u8]) -> bool {
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
        self.exchange(line)
    }

    fn restart(&mut self, command: &str, baud: Option<u32>) -> Result<(), DoorError> {
        // Its OK may be lost with the restart.
        match self.exchange(command) {
            Ok(_) | Err(DoorError::NoReply { .. }) => {}
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
        };
        self.exchange(line).map(|_| ())
    }

    fn shut_by(&self) -> &[&str] {
        &["CIPR", "ICF"]
    }
}

/// What came back so far.
struct Collected<'a> {
    line: &'a str,
    lines: Vec<String>,
    partial: Vec<u8>,
    bytes: usize,
}

impl<'a> Collected<'a> {
    const fn new(line: &'a str) -> Self {
        Self {
            line,
            lines: Vec::new(),
            partial: Vec::new(),
            bytes: 0,
        }
    }

    fn has_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    /// The reply, if it has ended, and what came behind it.
    fn take<'b>(&mut self, bytes: &'b [u8]) -> Option<(Reply, &'b [u8])> {
        self.bytes += bytes.len();
        for (place, byte) in bytes.iter().enumerate() {
            if !matches!(byte, b'\r' | b'\n') {
                if self.partial.len() < REPLY_BYTES {
                    self.partial.push(*byte);
                }
                continue;
            }
            let line = String::from_utf8_lossy(&core::mem::take(&mut self.partial))
                .trim()
                .to_owned();
            if line.is_empty() || line == self.line {
                continue;
            }
            if let Some(end) = end(&line) {
                let lines = core::mem::take(&mut self.lines);
                let behind = bytes[place + 1..].trim_ascii_start();
                return Some((Reply { lines, end }, behind));
            }
            if self.bytes < REPLY_BYTES {
                self.lines.push(line);
            }
        }
        None
    }

    /// The reply, if lines of one are there.
    fn at_silence(mut self) -> Option<Reply> {
        // Some write their last line without an end.
        let closed = self.take(b"\r").map(|(reply, _)| reply);
        closed.or_else(|| {
            (!self.lines.is_empty()).then(|| Reply {
                lines: core::mem::take(&mut self.lines),
                end: End::Silence,
            })
        })
    }
}

/// What ends a reply (V.250 5.7.1, 27.007 9.2).
fn end(line: &str) -> Option<End> {
    let upper = line.to_ascii_uppercase();
    match upper.as_str() {
        "OK" | "0" | "CLOSE OK" => Some(End::Ok),
        "ERROR" | "4" | "NO CARRIER" => Some(End::Refused(line.to_owned())),
        _ if upper.starts_with("+CME ERROR") || upper.starts_with("+CMS ERROR") => {
            let words = line.split_once(':').map_or(line, |(_, words)| words);
            Some(End::Refused(words.trim().to_owned()))
        }
        _ => None,
    }
}
