//! The serial line as a way to the device: the escape, the set-up window, replies with and without result codes.

use std::io;
use std::time::Duration;

use crate::charset::{Charset, decode_line, encode_line, is_text};
use crate::door::{Door, DoorError, End, Reply};
use crate::reply::told;
use crate::say::Sentence;
use crate::schema::Schema;
use crate::talk::{REPLY, REPLY_BYTES, REPLY_MOST, Waits, clear, drain, end, reply};

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
    charset: Charset,
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
/// A greeting is over by then; what goes on is noise.
const GREETING: Duration = Duration::from_secs(2);
/// Lines that are kept of it.
const SAID: usize = 256;
/// All of the answer to an `AT`, on a line that is never silent.
const PROOF: Duration = Duration::from_secs(3);
/// What it greets with (manual 2.8.6.52).
const ASKS_FOR_NAME: &str = "AT+CIMODID?";
/// What comes by itself without a `+`: calls and connections (V.250 5.7.1, manual 2.4).
const REPORTS: [&str; 8] = [
    "RING",
    "BUSY",
    "NO ANSWER",
    "CONNECT",
    "CONNECT OK",
    "CONNECT FAIL",
    "CLOSED",
    "SEND OK",
];
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
        match this.take_window(within, &mut Vec::new(), |_| true) {
            Ok(()) => Ok(this),
            Err(error) => Err((this.port, error)),
        }
    }

    const fn new(port: P, by: Entry) -> Self {
        Self {
            port,
            charset: Charset::Gbk,
            by,
            behind: Vec::new(),
        }
    }

    /// The charset of the line; without it that of a new device.
    #[must_use]
    pub const fn in_charset(mut self, charset: Charset) -> Self {
        self.charset = charset;
        self
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

    /// Waits for a line that shows that the device has started, and takes its window. What came goes to `said`.
    fn take_window(
        &mut self,
        within: Duration,
        said: &mut Vec<String>,
        shows: fn(&str) -> bool,
    ) -> Result<(), DoorError> {
        let mut until = self.port.now() + within;
        let mut heard = false;
        // A device that is quick has greeted in one read with its last reply.
        let mut bytes = core::mem::take(&mut self.behind);
        let mut is_there = !bytes.is_empty() || !said.is_empty();
        while self.port.now() < until {
            let mut buffer = [0; 256];
            if !is_there {
                let count = self.port.read(&mut buffer, until)?;
                if count == 0 {
                    break;
                }
                bytes.extend_from_slice(&buffer[..count]);
            }
            is_there = false;
            bytes.extend(drain(&mut self.port, Duration::from_millis(150), GREETING)?);
            let lines = bytes.split(|byte| matches!(byte, b'\r' | b'\n'));
            let lines = lines.map(|line| decode_line(self.charset, line.trim_ascii()));
            said.extend(lines.take(SAID.saturating_sub(said.len())));
            bytes.clear();
            if !heard && !said.iter().any(|line| shows(line)) {
                continue;
            }
            if !heard {
                // It runs: its window is now, or it has none.
                heard = true;
                until = until.min(self.port.now() + BEHIND_BANNER);
            }
            match self.prove() {
                Ok(()) => {}
                Err(error @ (DoorError::Port(_) | DoorError::Stopped(_))) => return Err(error),
                Err(_) => continue,
            }
            self.by = Entry::Window;
            return match self.exchange(WINDOW) {
                // A box that does not know it has its 5 s.
                Ok(_) | Err(DoorError::NoReply { .. }) => Ok(()),
                Err(error) => Err(error),
            };
        }
        Err(if heard {
            DoorError::NotInCommandState
        } else {
            DoorError::NoRestart { within }
        })
    }

    /// Whether one of these lines greets: the name that the device tells, or what is no line of other matters where it
    /// tells none.
    fn has_greeted(&mut self, said: &[String]) -> Result<bool, DoorError> {
        let mut greetings = said.iter().filter(|line| is_greeting(line));
        if greetings.clone().next().is_none() {
            return Ok(false);
        }
        let reply = match self.exchange(ASKS_FOR_NAME) {
            Ok(reply) => reply,
            Err(DoorError::NoReply { .. }) => return Ok(true),
            Err(error) => return Err(error),
        };
        let told = told(&Schema::new(), None, &reply.lines);
        Ok(match told.first().and_then(|(_, values)| values.first()) {
            Some(name) => greetings.any(|line| line == name.trim()),
            None => true,
        })
    }

    /// Whether a plain `AT` is answered by `OK`: the echo alone proves nothing.
    fn prove(&mut self) -> Result<(), DoorError> {
        let mut noise = false;
        for _ in 0..2 {
            match self.exchange_within("AT", Duration::from_secs(1), PROOF) {
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
        self.exchange_within(line, REPLY, REPLY_MOST)
    }

    fn exchange_within(
        &mut self,
        line: &str,
        first: Duration,
        most: Duration,
    ) -> Result<Reply, DoorError> {
        let bytes = encode_line(self.charset, line).map_err(DoorError::Other)?;
        self.behind.clear();
        clear(&mut self.port)?;
        self.port.write(&bytes)?;
        self.port.write(b"\r")?;
        let gap = REPLY_GAP.max(bytes_take(self.port.baud(), 64));
        let waits = Waits { first, gap, most };
        reply(&mut self.port, &mut self.behind, line, self.charset, waits)
    }
}

/// Whether a line may be the greeting of a device that has started: it answers nothing, and reports nothing.
fn is_greeting(line: &str) -> bool {
    let is_report = line.starts_with('+') || REPORTS.contains(&line);
    !line.is_empty() && is_text(line) && !is_report && end(line).is_none()
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
        let mut said = Vec::new();
        // The manual has no answer to it (2.8.6.50), and one may be lost with the restart.
        let is_taken = match self.exchange(command) {
            Ok(reply) => {
                reply.taken(command)?;
                let is_taken = reply.end == End::Ok;
                if !is_taken {
                    said = reply.lines;
                }
                is_taken
            }
            Err(DoorError::NoReply { .. }) => false,
            Err(error) => return Err(error),
        };
        if let Some(baud) = baud {
            self.port.set_baud(baud)?;
        }
        let shows = if is_taken {
            |_: &str| true
        } else {
            is_greeting
        };
        let back = match self.take_window(RESTART, &mut said, shows) {
            // The window was missed, or the device has none.
            Err(DoorError::NotInCommandState | DoorError::NoRestart { .. }) => {
                self.by = Entry::Escape;
                escape(&mut self.port)
            }
            back => back,
        };
        match back {
            Err(error @ (DoorError::Port(_) | DoorError::Stopped(_))) => Err(error),
            back if is_taken => back,
            // A device that was never away is in its command state just as well.
            Ok(()) if self.has_greeted(&said)? => Ok(()),
            Ok(()) | Err(_) => Err(DoorError::NotRestarted {
                line: command.to_owned(),
            }),
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

    fn fits(&self, line: &str) -> Result<(), Sentence> {
        encode_line(self.charset, line).map(|_| ())
    }
}
