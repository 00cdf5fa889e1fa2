//! The modem itself: bytes in, bytes out, news of the network in, orders to it out.

use std::collections::VecDeque;

use bytes::Bytes;
use dtu_proto::radio::{
    Cell, ModemIdentity, ModemOutput, NetworkTime, Operator, PhoneNumber, Registration, Signal,
    SubmitFailure,
};
use dtu_proto::time::{Duration, Instant};

use super::calls::Call;
use super::general::PIN_TRIES;
use super::odd::OddState;
use super::parse::{self, Command};
use super::reply::{Asked, End, Reply, meaning};
use super::settings::Settings;
use super::setup::{Quirks, Setup};
use super::store::Store;

/// Characters of a command line; a longer one is an error.
const LINE_MAX: usize = 1024;
/// Characters at a prompt.
const TEXT_MAX: usize = 4096;
/// Bytes that wait while a command runs; what comes beyond is lost, as in a real UART.
const INPUT_MAX: usize = 8192;
/// Unsolicited lines that wait for the end of a command.
const LINES_MAX: usize = 256;
/// From power-on to the first line.
const BOOT: Duration = Duration::from_millis(1500);

/// What comes out of a modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtOutput {
    /// To the host.
    Bytes(Vec<u8>),
    /// To the network.
    Order(ModemOutput),
    /// The transmitter goes on or off.
    OnAir(bool),
}

/// An AT modem. See [the module](super).
#[derive(Clone, Debug)]
pub struct AtModem {
    pub(super) setup: Setup,
    pub(super) settings: Settings,
    pub(super) quirks: Quirks,
    pub(super) store: Store,
    pub(super) known: Known,
    pub(super) lock: Lock,
    pub(super) functionality: u8,
    pub(super) call: Option<Call>,
    /// What came and found no place, or is to be acknowledged by the host.
    pub(super) unplaced: VecDeque<(u64, Bytes)>,
    /// The message that `AT+CNMA` is awaited for.
    pub(super) shown: Option<(u64, Instant)>,
    pub(super) reference: u8,
    /// Clock of the modem, where it was set: seconds ahead of the network's.
    pub(super) clock_set: Option<(NetworkTime, Instant)>,
    pub(super) doing: Doing,
    pub(super) odd_state: OddState,
    /// Bytes that came while a command was running and that found no room.
    lost: u64,
    there: bool,
    has_been_there: bool,
    line: Vec<u8>,
    last_line: String,
    todo: VecDeque<Command>,
    input: VecDeque<u8>,
    unsolicited: VecDeque<String>,
    booting: VecDeque<(Instant, String)>,
    out: VecDeque<(Instant, AtOutput)>,
    silent_until: Option<Instant>,
    token: u32,
}

/// What is known of the network.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) identity: ModemIdentity,
    pub(super) registration: Registration,
    pub(super) operator: Option<Operator>,
    pub(super) signal: Signal,
    pub(super) cell: Option<Cell>,
    pub(super) number: Option<PhoneNumber>,
    pub(super) service_center: Option<PhoneNumber>,
}

/// The SIM's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    Open,
    /// Waits for the PIN; so many attempts are left.
    Pin(u8),
    Puk,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Idle,
    /// A command line is being carried out.
    Running,
    Prompt {
        asked: Asked,
        text: Vec<u8>,
    },
    /// The network must answer the submission of this token; the word in front of the reference.
    Network {
        token: u32,
        word: &'static str,
    },
    Until {
        at: Instant,
        lines: Vec<String>,
    },
}

impl AtModem {
    /// A modem that has just booted, before any news of the network.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self {
            settings: Settings::new(setup.dialect),
            quirks: Quirks::default(),
            store: Store::new(setup.places),
            known: Known::default(),
            lock: if setup.pin.is_some() {
                Lock::Pin(PIN_TRIES)
            } else {
                Lock::Open
            },
            functionality: 1,
            call: None,
            unplaced: VecDeque::new(),
            shown: None,
            reference: 0,
            clock_set: None,
            doing: Doing::Idle,
            odd_state: OddState::default(),
            lost: 0,
            there: false,
            has_been_there: false,
            line: Vec::new(),
            last_line: String::new(),
            todo: VecDeque::new(),
            input: VecDeque::new(),
            unsolicited: VecDeque::new(),
            booting: VecDeque::new(),
            out: VecDeque::new(),
            silent_until: None,
            token: 0,
            setup,
        }
    }

    /// Bytes from the host.
    pub fn read(&mut self, bytes: &[u8], now: Instant) {
        self.handle_timeout(now);
        if !self.there || self.silent_until.is_some() || self.is_deaf(now) {
            return;
        }
        let room = INPUT_MAX.saturating_sub(self.input.len());
        self.lost += bytes.len().saturating_sub(room) as u64;
        self.input.extend(bytes.iter().take(room));
        self.pump(now);
    }

    /// What comes out, once its time has come.
    pub fn poll_output(&mut self, now: Instant) -> Option<AtOutput> {
        let held = self.silent_until.is_some_and(|until| now < until);
        let (at, output) = self.out.front()?;
        let is_bytes = matches!(output, AtOutput::Bytes(_));
        if *at > now || (held && is_bytes) {
            return None;
        }
        self.out.pop_front().map(|(_, output)| output)
    }

    /// When [`Self::handle_timeout`] or [`Self::poll_output`] is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let until = match &self.doing {
            Doing::Until { at, .. } => Some(*at),
            Doing::Idle | Doing::Running | Doing::Prompt { .. } | Doing::Network { .. } => None,
        };
        let out = self
            .out
            .front()
            .map(|(at, _)| self.silent_until.map_or(*at, |until| until.max(*at)));
        let ring = self.call.as_ref().and_then(Call::timeout);
        let boot = self.booting.front().map(|(at, _)| *at);
        [
            until,
            out,
            ring,
            boot,
            self.silent_until,
            self.shown.map(|(_, at)| at),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Time has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.silent_until.take_if(|until| *until <= now);
        while self.booting.front().is_some_and(|(at, _)| *at <= now)
            && let Some((_, line)) = self.booting.pop_front()
        {
            self.tell(line, now);
        }
        if let Doing::Until { at, lines } = &self.doing
            && *at <= now
        {
            let lines = lines.clone();
            self.finish(Reply::lines(lines), now);
        }
        self.run_call(now);
        self.forget_shown(now);
        self.pump(now);
    }

    /// It hears and says nothing for so long.
    pub fn be_silent(&mut self, during: Duration, now: Instant) {
        self.silent_until = Some(now + during);
        self.input.clear();
        self.line.clear();
    }

    /// Other bad habits from now on.
    pub const fn set_quirks(&mut self, quirks: Quirks) {
        self.quirks = quirks;
    }

    /// Its bad habits.
    #[must_use]
    pub const fn quirks(&self) -> Quirks {
        self.quirks
    }

    /// Whether a message could be stored in the memory that received messages go to.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.store.used(self.settings.memories[2]) < self.store.places()
    }

    /// Bytes that were lost because a command was running.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// The modem is off, or resets: all that was set is gone, but for what is stored.
    pub(super) fn power_off(&mut self, now: Instant) {
        self.there = false;
        self.settings = Settings::new(self.setup.dialect);
        self.doing = Doing::Idle;
        self.call = None;
        self.shown = None;
        self.clock_set = None;
        self.unplaced.clear();
        self.line.clear();
        self.todo.clear();
        self.input.clear();
        self.unsolicited.clear();
        self.booting.clear();
        self.known = Known::default();
        if self.setup.pin.is_some() {
            // It will not look for a network before it is unlocked.
            self.go_on_air(false, now);
        }
    }

    pub(super) fn power_on(&mut self, now: Instant) {
        self.there = true;
        let first = !std::mem::replace(&mut self.has_been_there, true);
        self.functionality = 1;
        self.odd_power_on(now);
        // A card that was opened is shut again; wrong PINs of before still count.
        if self.setup.pin.is_some() && self.lock == Lock::Open {
            self.lock = Lock::Pin(PIN_TRIES);
        }
        if first || self.setup.dialect == super::Dialect::Generic {
            return;
        }
        let mut at = now + BOOT;
        let pin = if self.lock == Lock::Open {
            "+CPIN: READY"
        } else {
            "+CPIN: SIM PIN"
        };
        for line in ["RDY", "+CFUN: 1", pin] {
            self.booting.push_back((at, line.to_owned()));
            at += Duration::from_millis(200);
        }
        if self.lock == Lock::Open {
            self.say_ready(at);
        }
    }

    pub(super) fn say_ready(&mut self, mut at: Instant) {
        for line in self.setup.dialect.ready_lines() {
            at += Duration::from_millis(1500);
            self.booting.push_back((at, (*line).to_owned()));
        }
    }

    pub(super) fn boot_line(&mut self, line: &str, at: Instant) {
        self.booting.push_back((at, line.to_owned()));
    }

    pub(super) const fn is_there(&self) -> bool {
        self.there
    }

    pub(super) fn order(&mut self, order: ModemOutput, now: Instant) {
        self.out.push_back((now, AtOutput::Order(order)));
    }

    pub(super) fn go_on_air(&mut self, on: bool, now: Instant) {
        self.out.push_back((now, AtOutput::OnAir(on)));
    }

    /// An unsolicited line: at once, or behind the answer that is under way.
    pub(super) fn tell(&mut self, line: impl Into<String>, now: Instant) {
        let waits = matches!(self.doing, Doing::Network { .. } | Doing::Until { .. });
        if self.doing == Doing::Idle || (self.quirks.lines_inside && waits) {
            let line = self.write_oddly(line.into());
            return self.say(&line, now);
        }
        let line = self.write_oddly(line.into());
        if self.unsolicited.len() >= LINES_MAX {
            self.unsolicited.pop_front();
        }
        self.unsolicited.push_back(line);
    }

    /// Bytes that wait are looked at as far as what is under way allows.
    pub(super) fn pump(&mut self, now: Instant) {
        loop {
            match &self.doing {
                Doing::Idle => {
                    let Some(byte) = self.input.pop_front() else {
                        return;
                    };
                    self.type_line(byte, now);
                }
                Doing::Prompt { .. } => {
                    let Some(byte) = self.input.pop_front() else {
                        return;
                    };
                    self.type_text(byte, now);
                }
                Doing::Running | Doing::Network { .. } | Doing::Until { .. } => return,
            }
        }
    }

    fn echo(&mut self, byte: u8, now: Instant) {
        if self.settings.echo {
            self.put(&[byte], now);
        }
    }

    fn type_line(&mut self, byte: u8, now: Instant) {
        self.echo(byte, now);
        match byte {
            b'\r' => {
                let line = std::mem::take(&mut self.line);
                let text = String::from_utf8_lossy(&line).into_owned();
                if line.len() > LINE_MAX {
                    return self.finish(Reply::error(), now);
                }
                self.run_line(text.trim(), now);
            }
            0x08 | 0x7F => {
                self.line.pop();
            }
            0x00 | b'\n' => {}
            _ if self.line.len() <= LINE_MAX => self.line.push(byte),
            _ => {}
        }
    }

    fn run_line(&mut self, line: &str, now: Instant) {
        let line = if line.eq_ignore_ascii_case("a/") {
            self.last_line.clone()
        } else {
            line.to_owned()
        };
        let Some(commands) = parse::commands(&line) else {
            return;
        };
        self.last_line = line;
        self.todo = commands.into();
        self.step(now);
    }

    /// The commands of the line, one by one, until one fails or has to wait.
    fn step(&mut self, now: Instant) {
        self.doing = Doing::Running;
        while let Some(command) = self.todo.pop_front() {
            let reply = self.execute(&command, now);
            if reply.end != End::Ok {
                return self.finish(reply, now);
            }
            self.print(&reply.lines, now);
        }
        self.result("OK", now);
    }

    /// A command has come to its end, or to where it has to wait.
    pub(super) fn finish(&mut self, reply: Reply, now: Instant) {
        match reply.end {
            End::Prompt(asked) => return self.prompt(asked, now),
            End::Network => return self.wait_for_network(now),
            End::After(wait) => {
                self.doing = Doing::Until {
                    at: now + wait,
                    lines: reply.lines,
                };
                return;
            }
            End::Ok | End::Error | End::Cme(_) | End::Cms(_) | End::Words(_) => {}
        }
        self.print(&reply.lines, now);
        match reply.end {
            End::Ok => self.step(now),
            End::Words(words) => self.fail(words, now),
            End::Cme(code) => self.fail(&self.error_text("CME", code), now),
            End::Cms(code) => self.fail(&self.error_text("CMS", code), now),
            End::Error | End::Prompt(_) | End::Network | End::After(_) => self.fail("ERROR", now),
        }
    }

    fn error_text(&self, kind: &str, code: u16) -> String {
        match (self.settings.errors, kind) {
            (0, "CME") => "ERROR".to_owned(),
            (2, "CME") => format!("+CME ERROR: {}", meaning(code)),
            (2, _) => format!("+CMS ERROR: {}", SubmitFailure(code).meaning()),
            _ => format!("+{kind} ERROR: {code}"),
        }
    }

    fn fail(&mut self, words: &str, now: Instant) {
        self.todo.clear();
        self.result(words, now);
    }

    fn result(&mut self, words: &str, now: Instant) {
        self.doing = Doing::Idle;
        if !self.settings.quiet {
            self.result_text(words, now);
        }
        while self.doing == Doing::Idle
            && let Some(line) = self.unsolicited.pop_front()
        {
            self.say(&line, now);
        }
    }

    fn result_text(&mut self, words: &str, now: Instant) {
        if self.settings.verbose {
            return self.say(words, now);
        }
        let short = match words {
            "OK" => "0",
            "CONNECT" => "1",
            "RING" => "2",
            "NO CARRIER" => "3",
            "ERROR" => "4",
            "BUSY" => "7",
            "NO ANSWER" => "8",
            words => words,
        };
        let text = format!("{short}\r");
        self.put(text.as_bytes(), now);
    }

    fn print(&mut self, lines: &[String], now: Instant) {
        if lines.is_empty() {
            return;
        }
        let lines: Vec<_> = lines
            .iter()
            .map(|line| self.write_oddly(line.clone()))
            .collect();
        let text = lines.join("\r\n");
        if !text.is_empty() {
            self.say(&text, now);
        }
        if self.quirks.lines_inside {
            let line = self
                .unsolicited
                .pop_front()
                .unwrap_or_else(|| "+CIEV: 2,4".to_owned());
            self.say(&line, now);
        }
    }

    fn say(&mut self, text: &str, now: Instant) {
        let end = if self.quirks.doubled_line_ends {
            "\r\n\r\n"
        } else {
            "\r\n"
        };
        let text = format!("{end}{text}{end}");
        self.put(text.as_bytes(), now);
    }

    pub(super) fn put(&mut self, bytes: &[u8], now: Instant) {
        let at = self
            .out
            .back()
            .map_or(now, |(at, _)| *at)
            .max(now + self.quirks.slow);
        match self.out.back_mut() {
            Some((last, AtOutput::Bytes(there))) if *last == at => there.extend(bytes),
            Some(_) | None => self.out.push_back((at, AtOutput::Bytes(bytes.to_vec()))),
        }
    }

    fn prompt(&mut self, asked: Asked, now: Instant) {
        let fails = self.quirks.prompt_errors > 0;
        self.quirks.prompt_errors = self.quirks.prompt_errors.saturating_sub(1);
        self.doing = Doing::Prompt {
            asked,
            text: Vec::new(),
        };
        self.put(
            if self.quirks.bare_prompt {
                b"\r\n>"
            } else {
                b"\r\n> "
            },
            now,
        );
        if fails {
            self.finish(Reply::error(), now);
        }
    }

    fn type_text(&mut self, byte: u8, now: Instant) {
        if !matches!(byte, 0x1A | 0x1B) {
            self.echo(byte, now);
        }
        let Doing::Prompt { asked, text } = &mut self.doing else {
            return;
        };
        match byte {
            0x1A => {
                let (asked, text) = (asked.clone(), std::mem::take(text));
                let reply = self.take_text(&asked, &text, now);
                self.finish(reply, now);
            }
            // 27.005 3.5.1: given up, and answered with OK.
            0x1B => self.finish(Reply::ok(), now),
            // 27.005: the end of the command line may be CR LF.
            b'\n' if text.is_empty() => {}
            0x08 | 0x7F => {
                text.pop();
            }
            _ if text.len() < TEXT_MAX => text.push(byte),
            _ => {}
        }
    }

    fn wait_for_network(&mut self, _now: Instant) {
        let word = if self.last_line.to_ascii_uppercase().contains("+CMSS") {
            "+CMSS"
        } else {
            "+CMGS"
        };
        self.doing = Doing::Network {
            token: self.token,
            word,
        };
    }

    /// The next submission.
    pub(super) fn submit(&mut self, pdu: Bytes, now: Instant) {
        self.token = self.token.wrapping_add(1);
        self.order(
            ModemOutput::Submit {
                token: self.token,
                pdu,
            },
            now,
        );
    }
}
