//! The commands that people of this world send, what each may change, and the watch over the device's settings.

use std::collections::{BTreeMap, VecDeque};

use cellular_sim::Rng;
use dtu_proto::config::{Config, HeartbeatTo, RegistrationWhen, WorkingMode};
use dtu_proto::event::{LINKS, Origin};

use crate::SEC;

/// What a command does when it is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Changes nothing: a query, or a command that must be refused.
    Nothing,
    Set(Change),
    Save,
    Apply,
    Restart,
    EnterMode,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    SmsNumber(String),
    Password(String),
    Banner(String),
    Timing {
        heat: u16,
        packing: u16,
        length: u16,
        restart: u16,
    },
    Heartbeat(Vec<u8>, HeartbeatTo),
    Registration(Vec<u8>, RegistrationWhen),
    NetworkGate(bool),
    SerialGate(bool),
    Link {
        index: usize,
        port: u16,
        enabled: bool,
    },
    Mode(WorkingMode),
}

impl Change {
    fn apply(&self, config: &mut Config) {
        match self {
            Self::SmsNumber(number) => config.sms_number.clone_from(number),
            Self::Password(password) => config.password.clone_from(password),
            Self::Banner(text) => config.banner.clone_from(text),
            Self::Timing {
                heat,
                packing,
                length,
                restart,
            } => {
                config.heartbeat_interval = *heat;
                config.packing_time = *packing;
                config.packing_length = *length;
                config.restart_time = *restart;
            }
            Self::Heartbeat(bytes, to) => {
                config.heartbeat.clone_from(bytes);
                config.heartbeat_to = *to;
            }
            Self::Registration(bytes, when) => {
                config.registration.clone_from(bytes);
                config.registration_when = *when;
            }
            Self::NetworkGate(open) => config.network_at = *open,
            Self::SerialGate(open) => config.serial_at = *open,
            Self::Link {
                index,
                port,
                enabled,
            } => {
                config.links[*index].port = *port;
                config.links[*index].enabled = *enabled;
            }
            Self::Mode(mode) => config.mode = *mode,
        }
    }
}

/// Draws a command: its text, and what it does when obeyed. `config` is what is in force (for the parts of a
/// command that must not change).
pub(crate) fn draw(rng: &mut Rng, config: &Config, local: bool) -> (String, Action) {
    match rng.range(0, if local { 21 } else { 15 }) {
        0..=4 => query(rng),
        5 | 6 => refused(rng),
        7 | 8 => {
            let number = format!("1{:09}", rng.range(0, 999_999_999));
            (
                format!("AT+CIPNUM={number}"),
                Action::Set(Change::SmsNumber(number)),
            )
        }
        9 => {
            let banner = format!("DTU-{}", rng.range(0, 9999));
            (
                format!("AT+CIMODID={banner}"),
                Action::Set(Change::Banner(banner)),
            )
        }
        10 => {
            let password = rng.pick(&["pass1", "x", "Q9", "zz9"]).to_owned();
            (
                format!("AT+CIPSW={password}"),
                Action::Set(Change::Password(password)),
            )
        }
        11 => heartbeat(rng, config),
        12 => gate(rng),
        13 => ("ATW".to_owned(), Action::Save),
        14 | 15 => query(rng),
        16 => registration(rng),
        17 => timing(rng, config),
        18 | 19 => link(rng, config),
        20 => ("AT+CIAPPLY".to_owned(), Action::Apply),
        _ => ("ATW".to_owned(), Action::Save),
    }
}

/// `AT+CIMOD`.
pub(crate) fn mode(mode: WorkingMode) -> (String, Action) {
    (
        format!("AT+CIMOD={}", mode as u8),
        Action::Set(Change::Mode(mode)),
    )
}

fn query(rng: &mut Rng) -> (String, Action) {
    let texts = [
        "AT",
        "AT+CIVER",
        "AT+CGSN",
        "AT+CIPCFG?",
        "AT+CINET?",
        "AT+CIPNUM?",
        "AT+CINETAT?",
        "at+cimodid?",
    ];
    (rng.pick(&texts).to_owned(), Action::Nothing)
}

fn refused(rng: &mut Rng) -> (String, Action) {
    let texts = [
        "AT+CIPCFG=1,99999,0,100,10,1800",
        "AT+CIPNUM=12x4",
        "AT+NOSUCH",
        "AT+CIPSW=toolong",
        "AT+CINETAT=7",
    ];
    (rng.pick(&texts).to_owned(), Action::Nothing)
}

fn gate(rng: &mut Rng) -> (String, Action) {
    let open = rng.chance(70);
    let bit = u8::from(open);
    if rng.chance(50) {
        (
            format!("AT+CINETAT={bit}"),
            Action::Set(Change::NetworkGate(open)),
        )
    } else {
        (
            format!("AT+CICOMAT={bit}"),
            Action::Set(Change::SerialGate(open)),
        )
    }
}

fn heartbeat(rng: &mut Rng, config: &Config) -> (String, Action) {
    let bytes = [
        0x02,
        b'N',
        b'0' + u8::try_from(rng.range(0, 9)).unwrap_or(0),
    ]
    .to_vec();
    let to = config.heartbeat_to;
    let bit = u8::from(to == HeartbeatTo::Serial);
    (
        format!("AT+CIPPACK=0,\"{}\",{bit}", hex(&bytes)),
        Action::Set(Change::Heartbeat(bytes, to)),
    )
}

fn registration(rng: &mut Rng) -> (String, Action) {
    let bytes = [&[0xFE, b'R'], rng.bytes(3).as_slice()].concat();
    let (bit, when) = rng.pick(&[
        (0, RegistrationWhen::OnConnect),
        (1, RegistrationWhen::WithData),
    ]);
    (
        format!("AT+CIPPACK=1,\"{}\",{bit}", hex(&bytes)),
        Action::Set(Change::Registration(bytes, when)),
    )
}

fn timing(rng: &mut Rng, config: &Config) -> (String, Action) {
    let heat = rng.pick(&[0, 2, 20, 30]);
    let packing = rng.pick(&[0, 10, 50, 100, 300]);
    let restart = config.restart_time;
    let text = format!("AT+CIPCFG=1,{heat},0,{packing},10,{restart}");
    (
        text,
        Action::Set(Change::Timing {
            heat,
            packing,
            length: 10,
            restart,
        }),
    )
}

fn link(rng: &mut Rng, config: &Config) -> (String, Action) {
    let index = rng.size(0, LINKS - 1);
    let port = u16::try_from(rng.range(9000, 9004)).unwrap_or(9000);
    let enabled = config.links[index].enabled;
    let link = &config.links[index];
    let (number, bit) = (index + 1, u8::from(enabled));
    let text = format!(
        "AT+CIPSCONT={number},\"{}\",\"{}\",{port},{bit}",
        link.protocol.name(),
        link.address
    );
    (
        text,
        Action::Set(Change::Link {
            index,
            port,
            enabled,
        }),
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The watch: which commands were let in, and whether each change of the settings is one of theirs.
#[derive(Debug)]
pub(crate) struct Watch {
    known: BTreeMap<Vec<u8>, Action>,
    pub(crate) expected: Config,
    pending: VecDeque<Action>,
}

impl Watch {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            known: BTreeMap::new(),
            expected: config,
            pending: VecDeque::new(),
        }
    }

    pub(crate) fn know(&mut self, text: &str, action: Action) {
        self.known.insert(text.as_bytes().to_vec(), action);
    }

    /// A command was let in from an origin; `full` = it may set things. Says what it must do.
    pub(crate) fn accept(&mut self, text: &[u8], full: bool) -> Action {
        let action = self.known.get(text).cloned().unwrap_or(Action::Nothing);
        let action = match action {
            Action::Nothing => action,
            Action::Set(_) | Action::Save | Action::Apply | Action::Restart | Action::EnterMode
                if !full =>
            {
                Action::Nothing
            }
            Action::Set(_) | Action::Save | Action::Apply | Action::Restart | Action::EnterMode => {
                action
            }
        };
        self.pending.push_back(action.clone());
        action
    }

    /// Compares the device's settings with what the commands so far may have made of them.
    pub(crate) fn check(&mut self, actual: &Config) -> Result<(), String> {
        if *actual == self.expected {
            return Ok(());
        }
        let mut step = self.expected.clone();
        for (done, action) in self.pending.iter().enumerate() {
            if let Action::Set(change) = action {
                change.apply(&mut step);
            }
            if step == *actual {
                self.pending.drain(..=done);
                self.expected = step;
                return Ok(());
            }
        }
        Err(difference(&self.expected, actual))
    }

    /// All that was let in must have been obeyed by now.
    pub(crate) fn settle(&mut self, actual: &Config) -> Result<(), String> {
        for action in std::mem::take(&mut self.pending) {
            if let Action::Set(change) = action {
                change.apply(&mut self.expected);
            }
        }
        if *actual == self.expected {
            Ok(())
        } else {
            Err(difference(&self.expected, actual))
        }
    }

    /// A restart: from what is stored.
    pub(crate) fn restart(&mut self, stored: Config) {
        self.pending.clear();
        self.expected = stored;
    }
}

fn difference(expected: &Config, actual: &Config) -> String {
    let (expected, actual) = (format!("{expected:#?}"), format!("{actual:#?}"));
    let differing = expected.lines().zip(actual.lines()).filter(|(e, a)| e != a);
    let lines: Vec<String> = differing
        .take(4)
        .map(|(e, a)| format!("{} -> {}", e.trim(), a.trim()))
        .collect();
    format!(
        "settings changed without a command that was let in (should be -> is): {}",
        lines.join("; ")
    )
}

/// One origin for `psw,AT+…`, as decisions 8.1 has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    wrong: VecDeque<u64>,
    shut_until: u64,
}

/// What a whole frame or read is at an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Data,
    Command(Vec<u8>),
    /// The right password at a locked origin: nothing is run, and the password does not go on as data.
    Ignored,
}

impl Gate {
    const WRONG_MAX: usize = 5;

    pub(crate) fn judge(&mut self, bytes: &[u8], open: bool, password: &str, now: u64) -> Verdict {
        let Some((given, command)) = split(bytes) else {
            return Verdict::Data;
        };
        if !open {
            return Verdict::Data;
        }
        let (right, shut) = (given == password.as_bytes(), now < self.shut_until);
        match (right, shut) {
            (true, false) => return Verdict::Command(command.to_vec()),
            (true, true) => return Verdict::Ignored,
            (false, true) => return Verdict::Data,
            (false, false) => {}
        }
        self.wrong.retain(|at| now - at < 60 * SEC);
        self.wrong.push_back(now);
        if self.wrong.len() >= Self::WRONG_MAX {
            self.wrong.clear();
            self.shut_until = now + 300 * SEC;
        }
        Verdict::Data
    }
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let comma = bytes.iter().position(|byte| *byte == b',')?;
    let (password, rest) = (&bytes[..comma], &bytes[comma + 1..]);
    let tail = rest
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    let (command, end) = rest.split_at(rest.len() - tail);
    let one_line = matches!(end, b"" | b"\r" | b"\n" | b"\r\n" | b"\n\r")
        && !command.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    let named = command.len() >= 2 && command[..2].eq_ignore_ascii_case(b"AT");
    let secret = (1..=5).contains(&password.len()) && password.iter().all(u8::is_ascii_graphic);
    (one_line && named && secret).then_some((password, command))
}

/// Origins for which the world keeps a ledger.
pub(crate) const fn origin_slot(origin: Origin) -> usize {
    match origin {
        Origin::Serial => 0,
        Origin::SerialFrame => 1,
        Origin::Link(link) => 2 + link.index(),
        Origin::Console | Origin::Sms(_) => 2 + LINKS,
    }
}
