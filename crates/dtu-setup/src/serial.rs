//! The serial line as a way to the device: the escape, the set-up window, replies with and without result codes.

use std::io;
use std::time::Duration;

use crate::charset::{Charset, decode, encode_line};
use crate::door::{Door, DoorError, End, Reply};
use crate::say::Sentence;
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
    /// It was entered by its set-up window, so it has one, and may not know the escape.
    has_window: bool,
    /// In mode 2, which has no data to carry: what it does not take for a command goes nowhere.
    takes_commands_alone: bool,
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
    /// It was told to restart, and has not been heard in a command state since. It may carry data.
    Restarting {
        /// It said `OK` to that.
        is_sure: bool,
    },
    /// It was looked for behind a restart, and not found.
    Lost,
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
const PROOF: Duration = Duration::from_secs(2);
/// The set-up window behind the greeting (manual 2.8.6.40), and a little: a device in it hears no `+++`, and would send it
/// to the data center when the window is over.
const WINDOW_IS_OVER: Duration = Duration::from_millis(5300);
/// So much text at one rate is no chance.
const TEXT: usize = 64;
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
        match escape(&mut port, 2) {
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
        this.has_window = true;
        match this.take_window(within, &mut Vec::new(), &Greets::Anyhow) {
            Ok(()) => Ok(this),
            Err(error) => Err((this.port, error)),
        }
    }

    const fn new(port: P, by: Entry) -> Self {
        Self {
            port,
            charset: Charset::Gbk,
            by,
            has_window: false,
            takes_commands_alone: false,
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

    /// Waits for a line that shows that the device has started. What came goes to `said`.
    fn hear(
        &mut self,
        within: Duration,
        said: &mut Vec<Vec<u8>>,
        greets: &Greets,
    ) -> Result<bool, DoorError> {
        let until = self.port.now() + within;
        // A device that is quick has greeted in one read with its last reply.
        let mut bytes = core::mem::take(&mut self.behind);
        let mut is_there = !bytes.is_empty() || !said.is_empty();
        loop {
            if !is_there {
                let mut buffer = [0; 256];
                let count = self.port.read(&mut buffer, until)?;
                bytes.extend_from_slice(&buffer[..count]);
                if count == 0 {
                    return Ok(false);
                }
            }
            is_there = false;
            bytes.extend(drain(&mut self.port, Duration::from_millis(150), GREETING)?);
            keep_lines(said, &bytes);
            bytes.clear();
            if said.iter().any(|line| greets.by(line)) {
                return Ok(true);
            }
            if self.port.now() >= until {
                return Ok(false);
            }
        }
    }

    /// Waits for a line that shows that the device has started, and takes its window. What came goes to `said`.
    fn take_window(
        &mut self,
        within: Duration,
        said: &mut Vec<Vec<u8>>,
        greets: &Greets,
    ) -> Result<(), DoorError> {
        let deadline = self.port.now() + within;
        if !self.hear(within, said, greets)? {
            return Err(DoorError::NothingCame { within });
        }
        // It runs: its window is now, or it has none.
        let until = deadline.min(self.port.now() + BEHIND_BANNER);
        loop {
            let error = match self.prove() {
                Ok(()) => break,
                Err(error) => error,
            };
            let is_end = matches!(error, DoorError::Port(_) | DoorError::Stopped(_));
            let left = until.saturating_sub(self.port.now());
            if is_end || left.is_zero() {
                return Err(error);
            }
            if !self.hear(left, &mut Vec::new(), &Greets::Anyhow)? {
                // A line came before.
                return Err(if matches!(error, DoorError::Silent) {
                    DoorError::NoOk { is_text: false }
                } else {
                    error
                });
            }
        }
        self.by = Entry::Window;
        match self.exchange(WINDOW) {
            // A box that does not know it has its 5 s.
            Ok(_) | Err(DoorError::NoReply { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What is known of a device in front of a restart by that command: how it greets behind it, and whether it carries
    /// data at all.
    fn ask_in_front(&mut self, command: &str) -> Result<Greets, DoorError> {
        // The factory's are others.
        let is_plain = command == "AT+CIRESET";
        if !is_plain {
            self.takes_commands_alone = false;
        } else if let Some(mode) = self.told("CIMOD")? {
            self.takes_commands_alone = mode == b"2";
        }
        let name = if is_plain {
            self.told("CIMODID")?
        } else {
            None
        };
        Ok(Greets::With(name))
    }

    /// The value that the device tells, as it came: it may be a text in another charset than that of the line.
    fn told(&mut self, name: &str) -> Result<Option<Vec<u8>>, DoorError> {
        let mut heard = Vec::new();
        match self.exchange_heard(&format!("AT+{name}?"), REPLY, REPLY_MOST, &mut heard) {
            Ok(_) => {}
            Err(DoorError::NoReply { .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
        let head = format!("+{name}");
        let mut values = lines_of(&heard).filter_map(|line| {
            let value = line.strip_prefix(head.as_bytes())?.trim_ascii_start();
            let value = value.strip_prefix(b":").or(value.strip_prefix(b"="))?;
            let value = value.trim_ascii();
            Some(
                value
                    .strip_prefix(b"\"")
                    .map_or(value, |value| value.strip_suffix(b"\"").unwrap_or(value)),
            )
        });
        Ok(values.next().map(<[u8]>::to_vec))
    }

    /// Finds the device in a command state behind a restart. Until it has answered `+++` it may carry data, and nothing
    /// else is sent.
    fn come_back(&mut self, said: &mut Vec<Vec<u8>>, greets: &Greets) -> Result<(), DoorError> {
        if self.has_window {
            match self.take_window(RESTART, said, greets) {
                Err(error @ (DoorError::Port(_) | DoorError::Stopped(_))) => return Err(error),
                Ok(()) => return Ok(()),
                // The window was missed.
                Err(_) => {}
            }
        } else if self.hear(RESTART, said, greets)? {
            let mut bytes = Vec::new();
            wait_for(&mut self.port, WINDOW_IS_OVER, &mut bytes, |_| false)?;
            keep_lines(said, &bytes);
        }
        let error = match escape(&mut self.port, 2) {
            Ok(()) => {
                self.by = Entry::Escape;
                return Ok(());
            }
            Err(error @ (DoorError::Port(_) | DoorError::Stopped(_))) => return Err(error),
            Err(error) => error,
        };
        if self.takes_commands_alone {
            match self.prove() {
                Ok(()) => {
                    self.by = Entry::Escape;
                    return Ok(());
                }
                Err(error @ (DoorError::Port(_) | DoorError::Stopped(_))) => return Err(error),
                Err(_) => {}
            }
        }
        self.by = Entry::Lost;
        Err(if matches!(error, DoorError::Noise { .. }) {
            error
        } else if matches!(error, DoorError::Silent) && said.is_empty() {
            DoorError::NoRestart { within: RESTART }
        } else {
            DoorError::NoEscape
        })
    }

    /// Whether commands reach the device; looks for it where that is not known.
    fn find(&mut self) -> Result<(), DoorError> {
        match self.by {
            Entry::Escape | Entry::Window => return Ok(()),
            Entry::Out => return Err(DoorError::NotInCommandState),
            Entry::Lost => return Err(DoorError::Lost),
            Entry::Restarting { .. } => {}
        }
        // Whoever stops this, too, has stopped all of it.
        self.by = Entry::Lost;
        // It may be back already, and in its window.
        if !self.has_window && escape(&mut self.port, 4).is_ok() {
            self.by = Entry::Escape;
            return Ok(());
        }
        self.come_back(&mut Vec::new(), &Greets::Anyhow)
    }

    /// Whether a plain `AT` is answered by `OK`: the echo alone proves nothing.
    fn prove(&mut self) -> Result<(), DoorError> {
        let start = self.port.now();
        let mut heard = Vec::new();
        for _ in 0..2 {
            match self.exchange_heard("AT", Duration::from_secs(1), PROOF, &mut heard) {
                Ok(reply) if reply.end == End::Ok => return Ok(()),
                Ok(_) | Err(DoorError::NoReply { .. }) => {}
                Err(error) => return Err(error),
            }
            // A line that is never silent is so the next time, too.
            if self.port.now() - start >= PROOF {
                break;
            }
        }
        let is_echo = |line: &[u8]| line.is_empty() || line == b"AT";
        Err(if lines_of(&heard).all(is_echo) {
            DoorError::Silent
        } else if is_noise(&heard) {
            DoorError::Noise {
                baud: self.port.baud(),
            }
        } else {
            let is_text = heard.len() >= TEXT && heard.iter().all(|byte| prints(*byte));
            DoorError::NoOk { is_text }
        })
    }

    fn exchange(&mut self, line: &str) -> Result<Reply, DoorError> {
        self.exchange_heard(line, REPLY, REPLY_MOST, &mut Vec::new())
    }

    /// All that came goes to `heard`, too.
    fn exchange_heard(
        &mut self,
        line: &str,
        first: Duration,
        most: Duration,
        heard: &mut Vec<u8>,
    ) -> Result<Reply, DoorError> {
        let bytes = encode_line(self.charset, line).map_err(DoorError::Other)?;
        self.behind.clear();
        clear(&mut self.port)?;
        self.port.write(&bytes)?;
        self.port.write(b"\r")?;
        let gap = REPLY_GAP.max(bytes_take(self.port.baud(), 64));
        let waits = Waits { first, gap, most };
        let mut port = Heard {
            port: &mut self.port,
            heard,
        };
        reply(&mut port, &mut self.behind, line, self.charset, waits)
    }
}

/// A port whose bytes are kept as they came.
struct Heard<'a, P> {
    port: &'a mut P,
    heard: &'a mut Vec<u8>,
}

impl<P: Port> Port for Heard<'_, P> {
    fn now(&self) -> Duration {
        self.port.now()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.port.write(bytes)
    }

    fn read(&mut self, buffer: &mut [u8], until: Duration) -> io::Result<usize> {
        let count = self.port.read(buffer, until)?;
        if self.heard.len() < REPLY_BYTES {
            self.heard.extend_from_slice(&buffer[..count]);
        }
        Ok(count)
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.port.set_baud(baud)
    }

    fn baud(&self) -> u32 {
        self.port.baud()
    }
}

/// What shows that a device has started.
enum Greets {
    /// Anything that it says.
    Anyhow,
    /// A line with its name, or what no device says in its command state. Without a name anything, too; `None`: it does
    /// not tell its name.
    With(Option<Vec<u8>>),
}

impl Greets {
    fn by(&self, line: &[u8]) -> bool {
        match self {
            Self::Anyhow => true,
            Self::With(Some(name)) if name.is_empty() => true,
            Self::With(Some(name)) => {
                line.windows(name.len()).any(|part| part == name) || is_greeting(line)
            }
            Self::With(None) => is_greeting(line),
        }
    }
}

/// Whether a line is one that a device does not say in its command state: no answer, and no report.
fn is_greeting(line: &[u8]) -> bool {
    // A greeting may be in another charset than the line's.
    let text = [Charset::Gbk, Charset::Utf8]
        .into_iter()
        .find_map(|charset| decode(charset, line));
    let Some(text) = text else {
        return false;
    };
    let is_report = text.starts_with('+') || REPORTS.contains(&text.as_str());
    let is_odd = |char: char| char.is_control() || char == char::REPLACEMENT_CHARACTER;
    !text.is_empty() && !text.contains(is_odd) && !is_report && end(&text).is_none()
}

fn lines_of(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .map(<[u8]>::trim_ascii)
}

fn keep_lines(said: &mut Vec<Vec<u8>>, bytes: &[u8]) {
    if !bytes.is_empty() {
        let room = SAID.saturating_sub(said.len());
        said.extend(lines_of(bytes).take(room).map(<[u8]>::to_vec));
    }
}

/// The mode that a line tells or sets.
fn mode_of(line: &str) -> Option<&str> {
    let at = line.find("+CIMOD:").or_else(|| line.find("+CIMOD="))?;
    let value = &line[at + "+CIMOD:".len()..];
    Some(value.split(';').next().unwrap_or_default().trim())
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

/// At least `least` tries.
fn escape<P: Port>(port: &mut P, least: u32) -> Result<(), DoorError> {
    let mut heard = Vec::new();
    let mut tried = 0;
    // What prints may be the banner: a device that was switched on a moment ago hears no +++ in its set-up window.
    while tried < least || tried < 4 && !heard.is_empty() && !is_noise(&heard) {
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
    let odd = heard.iter().filter(|byte| !prints(**byte)).count();
    odd * 2 > heard.len()
}

const fn prints(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | b'\t' | b' '..=b'~')
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
        self.find()?;
        let reply = self.exchange(line)?;
        if reply.end == End::Ok && leads_out(line) {
            self.by = Entry::Out;
        }
        // A real box may tell its mode in its dump alone.
        let is_set = reply.end == End::Ok;
        let said = reply.lines.iter().map(String::as_str);
        let mut modes = said.chain(is_set.then_some(line)).filter_map(mode_of);
        if let Some(mode) = modes.next_back() {
            self.takes_commands_alone = mode == "2";
        }
        Ok(reply)
    }

    fn restart(&mut self, command: &str, baud: Option<u32>) -> Result<(), DoorError> {
        self.find()?;
        let greets = self.ask_in_front(command)?;
        let before = self.by;
        let mut heard = Vec::new();
        self.by = Entry::Restarting { is_sure: false };
        // The manual has no answer to it (2.8.6.50), and one may be lost with the restart.
        let reply = self.exchange_heard(command, REPLY, REPLY_MOST, &mut heard);
        if let Ok(reply) = &reply
            && let Err(refused) = reply.taken(command)
        {
            self.by = before;
            return Err(refused);
        }
        if let Some(baud) = baud {
            self.port.set_baud(baud)?;
        }
        let is_sure = match reply {
            Ok(reply) => reply.end == End::Ok,
            Err(DoorError::NoReply { .. }) => false,
            Err(error) => return Err(error),
        };
        self.by = Entry::Restarting { is_sure };
        if is_sure {
            return self.come_back(&mut Vec::new(), &Greets::Anyhow);
        }
        let mut said = Vec::new();
        keep_lines(&mut said, &heard);
        said.retain(|line| line != command.as_bytes());
        let back = self.come_back(&mut said, &greets);
        if let Err(error @ (DoorError::Port(_) | DoorError::Stopped(_))) = back {
            return Err(error);
        }
        let has_no_name = matches!(&greets, Greets::With(Some(name)) if name.is_empty());
        if has_no_name || said.iter().any(|line| greets.by(line)) {
            return back;
        }
        Err(DoorError::NotRestarted {
            line: command.to_owned(),
        })
    }

    fn leave(&mut self) -> Result<(), DoorError> {
        if self.by == (Entry::Restarting { is_sure: false }) && escape(&mut self.port, 2).is_ok() {
            self.by = Entry::Escape;
        }
        let line = match self.by {
            Entry::Escape => "AT+ENTM",
            Entry::Window => "AT+CIOPTIME=0",
            // It restarts into its work by itself.
            Entry::Out | Entry::Restarting { .. } => return Ok(()),
            Entry::Lost => return Err(DoorError::Lost),
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
