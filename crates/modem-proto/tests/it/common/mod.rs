//! A dialogue in virtual time with a modem that tests can bend: timed scripts.
#![allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use dtu_proto::radio::{CallNews, ModemIdentity, ModemInput, ModemOutput, SubmitFailure};
use dtu_proto::time::{Duration, Instant};
use modem_proto::{Event, Input, Limitation, Modem, Output, PinHistory, Settings};

/// A DELIVER PDU of 27 octets behind its service centre.
pub const PDU: &str = "0891683108504405F0240D91688159142058F700004190015160012307743A9DAE3FA301";
/// Another one, `hello` to the same from the same a second later.
pub const PDU2: &str = "0891683108504405F0240D91688159142058F700004190015160112305E8329BFD06";
/// A SUBMIT of 13 octets behind a service centre that is the SIM's own.
pub const SUBMIT: &[u8] = &[
    0, 0x11, 0, 5, 0x81, 0x01, 0x80, 0xF6, 0, 0, 0xAA, 2, 0x41, 0xE1,
];

/// What the modem does with one command.
#[derive(Clone, Debug)]
pub enum Reply {
    /// These lines and then a result, framed as the modem frames.
    Lines(Vec<String>),
    /// Exactly these bytes.
    Raw(Vec<u8>),
    /// Nothing.
    Silence,
}

/// The modem.
pub struct Device {
    /// Commands that it answers so; the first replies go first, the last one stays.
    pub replies: BTreeMap<String, VecDeque<Reply>>,
    /// Commands that begin so are refused with this, unless `replies` has them.
    pub refused: Vec<(String, String)>,
    pub echo: bool,
    pub silent: bool,
    pub delay: Duration,
    /// What stands around lines.
    pub frame: (&'static str, &'static str),
    pub prompt: &'static str,
    /// Its answers come in pieces of so many bytes.
    pub chunk: usize,
    /// Index, state, PDU.
    pub storage: BTreeMap<u16, (u8, String)>,
    pub places: u16,
    pub pin: Option<&'static str>,
    pub pin_tries: u8,
    /// What the SIM was sent as PIN.
    pub pins: Vec<String>,
    pub submitted: Vec<String>,
    /// The answer to a message; `None` = never.
    pub submit_reply: Option<Vec<String>>,
    pub registration: String,
    /// Lines of `+CLCC`.
    pub calls: Vec<String>,
    /// Commands in the order they came.
    pub commands: Vec<(Instant, String)>,
    /// Bytes on their way to the host.
    out: VecDeque<(Instant, Vec<u8>)>,
    line: Vec<u8>,
    /// A prompt waits for its text.
    text: Option<Vec<u8>>,
    next_reference: u8,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            replies: BTreeMap::new(),
            refused: Vec::new(),
            echo: true,
            silent: false,
            delay: Duration::from_millis(20),
            frame: ("\r\n", "\r\n"),
            prompt: "\r\n> ",
            chunk: usize::MAX,
            storage: BTreeMap::new(),
            places: 20,
            pin: None,
            pin_tries: 3,
            pins: Vec::new(),
            submitted: Vec::new(),
            submit_reply: Some(vec![]),
            registration: "1,\"00C3\",\"1A2B\"".into(),
            calls: Vec::new(),
            commands: Vec::new(),
            out: VecDeque::new(),
            line: Vec::new(),
            text: None,
            next_reference: 0,
        }
    }
}

impl Device {
    /// Settles the answers to one command, one after the other; the last one stays.
    pub fn on(&mut self, command: &str, replies: &[&[&str]]) {
        let lines =
            |lines: &&[&str]| Reply::Lines(lines.iter().map(|line| (*line).into()).collect());
        self.replies
            .insert(command.into(), replies.iter().map(lines).collect());
    }

    pub fn refuse(&mut self, head: &str, why: &str) {
        self.refused.push((head.into(), why.into()));
    }

    pub fn never_answers(&mut self, command: &str) {
        self.replies
            .insert(command.into(), VecDeque::from([Reply::Silence]));
    }

    pub fn answers_raw(&mut self, command: &str, bytes: &str) {
        self.replies
            .insert(command.into(), VecDeque::from([Reply::Raw(bytes.into())]));
    }

    /// A former host asked for a prompt and went away.
    pub fn leave_in_prompt(&mut self) {
        self.text = Some(Vec::new());
    }

    /// It sends this by itself.
    pub fn says(&mut self, now: Instant, line: &str) {
        let (before, behind) = self.frame;
        self.send(now, format!("{before}{line}{behind}").into_bytes());
    }

    pub fn send(&mut self, now: Instant, bytes: Vec<u8>) {
        if self.chunk >= bytes.len() {
            return self.out.push_back((now, bytes));
        }
        for piece in bytes.chunks(self.chunk) {
            self.out.push_back((now, piece.into()));
        }
    }

    /// What has come by then, one write after the other.
    fn heard(&mut self, now: Instant) -> Option<Vec<u8>> {
        let (at, _) = self.out.front()?;
        (*at <= now)
            .then(|| self.out.pop_front())?
            .map(|(_, bytes)| bytes)
    }

    fn takes(&mut self, bytes: &[u8], now: Instant) {
        if self.silent {
            return;
        }
        for byte in bytes {
            if self.echo {
                self.send(now, vec![*byte]);
            }
            self.takes_byte(*byte, now);
        }
    }

    fn takes_byte(&mut self, byte: u8, now: Instant) {
        if let Some(text) = &mut self.text {
            match byte {
                0x1A => {
                    let text = self.text.take().unwrap();
                    self.takes_message(String::from_utf8(text).unwrap(), now);
                }
                0x1B => {
                    self.text = None;
                    self.answer(now, &["OK"]);
                }
                _ => text.push(byte),
            }
        } else if byte == b'\r' {
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8(line).unwrap();
            // V.250 5.2.1: what stands before the prefix is nothing.
            let at = if line.starts_with("AT") {
                0
            } else {
                line.rfind("AT").unwrap_or(0)
            };
            self.takes_line(line[at..].trim().to_owned(), now);
        } else if byte >= b' ' {
            self.line.push(byte);
        }
    }

    fn takes_message(&mut self, digits: String, now: Instant) {
        self.submitted.push(digits);
        self.next_reference = self.next_reference.wrapping_add(1);
        let reference = format!("+CMGS: {}", self.next_reference);
        match self.submit_reply.clone() {
            None => {}
            Some(lines) if lines.is_empty() => self.answer(now, &[&reference, "OK"]),
            Some(lines) => self.answer(now, &lines.iter().map(String::as_str).collect::<Vec<_>>()),
        }
    }

    fn answer(&mut self, now: Instant, lines: &[&str]) {
        let (before, behind) = self.frame;
        let text: String = lines
            .iter()
            .map(|line| format!("{before}{line}{behind}"))
            .collect();
        self.send(now + self.delay, text.into_bytes());
    }

    fn takes_line(&mut self, command: String, now: Instant) {
        self.commands.push((now, command.clone()));
        if let Some(replies) = self.replies.get_mut(&command) {
            let reply = if replies.len() > 1 {
                replies.pop_front()
            } else {
                replies.front().cloned()
            };
            match reply.unwrap() {
                Reply::Lines(lines) => {
                    self.answer(now, &lines.iter().map(String::as_str).collect::<Vec<_>>());
                }
                Reply::Raw(bytes) => self.send(now + self.delay, bytes),
                Reply::Silence => {}
            }
            return;
        }
        if let Some((_, why)) = self
            .refused
            .iter()
            .find(|(head, _)| command.starts_with(head.as_str()))
        {
            let why = why.clone();
            return self.answer(now, &[&why]);
        }
        self.answer_by_itself(&command, now);
    }

    fn answer_by_itself(&mut self, command: &str, now: Instant) {
        let lines = match command {
            "AT+CGMI" => vec!["ACME".to_owned()],
            "AT+CGMM" => vec!["M1".into()],
            "AT+CGSN" => vec!["867459041234567".into()],
            "AT+CIMI" => vec!["460001234567890".into()],
            "AT+CPIN?" if self.pin.is_some() => vec!["+CPIN: SIM PIN".into()],
            "AT+CPIN?" => vec!["+CPIN: READY".into()],
            "AT+CFUN?" => vec!["+CFUN: 1".into()],
            "AT+CREG?" => vec![format!("+CREG: 2,{}", self.registration)],
            "AT+CSQ" => vec!["+CSQ: 20,0".into()],
            "AT+CPMS?" => vec!["+CPMS: \"SM\",0,20,\"SM\",0,20,\"SM\",0,20".into()],
            "AT+CPMS=\"SM\"" => vec![format!(
                "+CPMS: {},{},0,20,0,20",
                self.storage.len(),
                self.places
            )],
            "AT+COPS?" => vec!["+COPS: 0,2,\"46000\"".into()],
            "AT+CSCA?" => vec!["+CSCA: \"+8613800531500\",145".into()],
            "AT+CNUM" => vec!["+CNUM: \"\",\"13800138000\",129".into()],
            "AT+CLCC" => self.calls.clone(),
            "AT+CCLK?" => vec!["+CCLK: \"26/11/22,16:40:00+32\"".into()],
            "AT+CPINR=\"SIM PIN\"" => vec![format!("+CPINR: SIM PIN,{},3", self.pin_tries)],
            "AT+CMGL=4" => self.list(),
            _ if command.starts_with("AT+CGREG") || command.starts_with("AT+CEREG") => {
                return self.answer(now, &["ERROR"]);
            }
            _ if command.starts_with("AT+CPIN=") => return self.takes_pin(command, now),
            _ if command.starts_with("AT+CMGR=") => return self.read(command, now),
            _ if command.starts_with("AT+CMGD=") => {
                self.storage.remove(&command[8..].parse().unwrap());
                vec![]
            }
            _ if command.starts_with("AT+CMGS=") => {
                self.text = Some(Vec::new());
                return self.send(now + self.delay, self.prompt.into());
            }
            _ if command.starts_with("AT") => vec![],
            // Garbage, as +++ outside the data state.
            _ => return,
        };
        if command == "ATE0" || command == "ATQ0V1E0" {
            self.echo = false;
        }
        let lines: Vec<_> = lines.iter().map(String::as_str).chain(["OK"]).collect();
        self.answer(now, &lines);
    }

    fn takes_pin(&mut self, command: &str, now: Instant) {
        let pin = command[8..].trim_matches('"').to_owned();
        let right = self.pin == Some(pin.as_str());
        self.pins.push(pin);
        if right {
            self.pin = None;
            self.answer(now, &["OK"]);
        } else {
            self.pin_tries = self.pin_tries.saturating_sub(1);
            self.answer(now, &["+CME ERROR: 16"]);
        }
    }

    fn list(&self) -> Vec<String> {
        let of = |(index, (state, pdu)): (&u16, &(u8, String))| {
            [
                format!("+CMGL: {index},{state},,{}", length(pdu)),
                pdu.clone(),
            ]
        };
        self.storage.iter().flat_map(of).collect()
    }

    fn read(&mut self, command: &str, now: Instant) {
        match self.storage.get(&command[8..].parse().unwrap()).cloned() {
            Some((state, pdu)) => {
                let head = format!("+CMGR: {state},,{}", length(&pdu));
                self.answer(now, &[&head, &pdu, "OK"]);
            }
            None => self.answer(now, &["+CMS ERROR: 321"]),
        }
    }
}

/// Octets of the TPDU.
pub fn length(pdu: &str) -> usize {
    pdu.len() / 2 - 1 - usize::from_str_radix(&pdu[..2], 16).unwrap()
}

pub struct Bench {
    pub modem: Modem,
    pub device: Device,
    pub now: Instant,
    /// The device's connection: false = nothing gets through, either way.
    pub open: bool,
    /// The host takes every message at once.
    pub takes: bool,
    pub news: Vec<ModemInput>,
    pub events: Vec<Event>,
    pub reopens: Vec<Instant>,
    /// The host opens it again at once.
    pub can_open: bool,
    /// The host can write the note of the PIN.
    pub keeps_notes: bool,
}

impl Bench {
    pub fn new(settings: Settings) -> Self {
        Self {
            modem: Modem::new(settings, Instant::ZERO),
            device: Device::default(),
            now: Instant::ZERO,
            open: false,
            takes: true,
            news: Vec::new(),
            events: Vec::new(),
            reopens: Vec::new(),
            can_open: true,
            keeps_notes: true,
        }
    }

    /// A modem that is up, with nothing told yet that the caller wants to see.
    pub fn ready() -> Self {
        let mut bench = Self::new(Settings::default());
        bench.open();
        bench.run(20);
        assert!(bench.identity().is_some(), "{:?}", bench.events);
        bench.news.clear();
        bench
    }

    pub fn open(&mut self) {
        self.open = true;
        self.modem.handle_input(Input::Opened, self.now);
        self.drain();
    }

    pub fn pull(&mut self) {
        self.open = false;
        self.device.out.clear();
        self.modem.handle_input(Input::Gone, self.now);
        self.drain();
    }

    pub fn order(&mut self, order: ModemOutput) {
        self.modem.handle_input(Input::Order(&order), self.now);
        self.drain();
    }

    pub fn submit(&mut self, token: u32) {
        self.order(ModemOutput::Submit {
            token,
            pdu: Bytes::from_static(SUBMIT),
        });
    }

    /// It sends this line by itself, now.
    pub fn says(&mut self, line: &str) {
        let now = self.now;
        self.device.says(now, line);
    }

    /// So many seconds pass.
    pub fn run(&mut self, seconds: u64) {
        self.run_for(Duration::from_secs(seconds));
    }

    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        let mut steps = 0;
        loop {
            steps += 1;
            assert!(steps < 200_000, "runs in circles at {:?}", self.now);
            let heard = self.device.out.front().map(|(at, _)| *at);
            let due = self.modem.poll_timeout().map(|deadline| deadline.at);
            assert!(due.is_some() || !self.open, "open, and waits for nothing");
            let next = [heard, due]
                .into_iter()
                .flatten()
                .min()
                .filter(|next| *next <= end);
            let Some(next) = next else { break };
            self.now = self.now.max(next);
            if heard == Some(next) {
                let (_, bytes) = self.device.out.pop_front().unwrap();
                self.modem.handle_input(Input::Bytes(&bytes), self.now);
            } else {
                self.modem.handle_timeout(self.now);
            }
            self.drain();
        }
        self.now = end;
    }

    /// The same with a host that wakes so much too late each time, and then reads all that has come.
    pub fn run_late(&mut self, time: Duration, late: Duration) {
        let end = self.now + time;
        while self.now < end {
            let heard = self.device.out.front().map(|(at, _)| *at);
            let due = self.modem.poll_timeout().map(|deadline| deadline.at);
            let Some(next) = [heard, due].into_iter().flatten().min() else {
                break;
            };
            self.now = self.now.max(next) + late;
            while let Some(bytes) = self.device.heard(self.now) {
                self.modem.handle_input(Input::Bytes(&bytes), self.now);
                self.drain();
            }
            self.modem.handle_timeout(self.now);
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.modem.poll_output() {
            match output {
                Output::Write(bytes) => {
                    assert!(self.open, "wrote to a closed device");
                    self.device.takes(&bytes, self.now);
                }
                Output::Report(news) => self.hear(news),
                Output::Reopen => {
                    self.reopens.push(self.now);
                    self.device.out.clear();
                    self.open = false;
                    if self.can_open {
                        self.open = true;
                        self.modem.handle_input(Input::Opened, self.now);
                    }
                }
                Output::Event(event) => {
                    let refused =
                        matches!(event, Event::PinState(PinHistory::Sent)) && !self.keeps_notes;
                    self.events.push(event);
                    if refused {
                        self.modem.handle_input(Input::PinNotSaved, self.now);
                    }
                }
            }
        }
    }

    fn hear(&mut self, news: ModemInput) {
        if let (ModemInput::Message { id, .. }, true) = (&news, self.takes) {
            self.modem
                .handle_input(Input::Order(&ModemOutput::Taken(*id)), self.now);
        }
        self.news.push(news);
    }

    pub fn identity(&self) -> Option<&ModemIdentity> {
        self.news.iter().rev().find_map(|news| match news {
            ModemInput::Present(identity) => Some(identity),
            _ => None,
        })
    }

    pub fn has(&self, wanted: &ModemInput) -> bool {
        self.news.contains(wanted)
    }

    pub fn messages(&self) -> Vec<(u64, String)> {
        let message = |news: &ModemInput| match news {
            ModemInput::Message { id, pdu } => Some((*id, sms_codec::hex::encode(pdu))),
            _ => None,
        };
        self.news.iter().filter_map(message).collect()
    }

    pub fn submitted(&self) -> Vec<(u32, Result<u8, SubmitFailure>)> {
        let one = |news: &ModemInput| match news {
            ModemInput::Submitted { token, outcome } => Some((*token, *outcome)),
            _ => None,
        };
        self.news.iter().filter_map(one).collect()
    }

    pub fn calls(&self) -> Vec<CallNews> {
        let one = |news: &ModemInput| match news {
            ModemInput::Call(news) => Some(*news),
            _ => None,
        };
        self.news.iter().filter_map(one).collect()
    }

    pub fn gone(&self) -> usize {
        self.news
            .iter()
            .filter(|news| **news == ModemInput::Gone)
            .count()
    }

    pub fn commands(&self) -> Vec<&str> {
        self.device
            .commands
            .iter()
            .map(|(_, command)| command.as_str())
            .collect()
    }

    pub fn count(&self, command: &str) -> usize {
        self.commands()
            .iter()
            .filter(|sent| **sent == command)
            .count()
    }
}

/// One that is opened with a change of its modem, and runs so many seconds.
pub fn opened(seconds: u64, change: impl FnOnce(&mut Bench)) -> Bench {
    started(Settings::default(), seconds, change)
}

pub fn started(settings: Settings, seconds: u64, change: impl FnOnce(&mut Bench)) -> Bench {
    let mut bench = Bench::new(settings);
    change(&mut bench);
    bench.open();
    bench.run(seconds);
    bench
}

pub fn limitations(bench: &Bench) -> Vec<Limitation> {
    bench.modem.limitations().collect()
}

/// Whole seconds between one time that a command was sent and the next, for a response takes its milliseconds.
pub fn seconds(bench: &Bench, command: &str) -> Vec<u64> {
    let sent = bench.device.commands.iter();
    let times: Vec<_> = sent
        .filter(|(_, sent)| sent == command)
        .map(|(at, _)| *at)
        .collect();
    let pairs = times.windows(2);
    pairs
        .map(|pair| u64::try_from(((pair[1] - pair[0]).as_millis() + 500) / 1000).unwrap())
        .collect()
}
