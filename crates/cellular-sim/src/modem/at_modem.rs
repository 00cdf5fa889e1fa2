//! The modem itself: bytes in, bytes out, events of the network in, orders to it out.

use std::collections::VecDeque;

use bytes::Bytes;
use dtu_proto::radio::{
    Cell, ModemIdentity, ModemOutput, NetworkTime, Operator, PhoneNumber, Registration, Signal,
};
use dtu_proto::time::{Duration, Instant};

use super::call::Call;
use super::oddity::OddState;
use super::parse::Command;
use super::reply::{PromptKind, Reply};
use super::settings::Settings;
use super::setup::{Quirks, Setup};
use super::store::Store;

/// Bytes that wait while a command runs; what comes beyond is lost, as in a real UART.
const INPUT_MAX: usize = 8192;

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
    pub(super) view: NetworkView,
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
    pub(super) activity: Activity,
    pub(super) odd_state: OddState,
    /// Bytes that came while a command was running and that found no room.
    pub(super) lost: u64,
    pub(super) there: bool,
    pub(super) has_been_there: bool,
    pub(super) line: Vec<u8>,
    pub(super) last_line: String,
    pub(super) todo: VecDeque<Command>,
    pub(super) input: VecDeque<u8>,
    pub(super) urcs: VecDeque<String>,
    pub(super) booting: VecDeque<(Instant, String)>,
    pub(super) out: VecDeque<(Instant, AtOutput)>,
    pub(super) silent_until: Option<Instant>,
    pub(super) token: u32,
}

/// What is known of the network.
#[derive(Clone, Debug, Default)]
pub(super) struct NetworkView {
    pub(super) identity: ModemIdentity,
    pub(super) registration: Registration,
    pub(super) operator: Option<Operator>,
    pub(super) signal: Signal,
    pub(super) cell: Option<Cell>,
    pub(super) number: Option<PhoneNumber>,
    pub(super) service_center: Option<PhoneNumber>,
}

/// TS 31.101.
pub(super) const PIN_TRIES: u8 = 3;

/// The SIM's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    Open,
    /// Waits for the PIN; so many attempts are left.
    Pin(u8),
    Puk,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Activity {
    Idle,
    /// A command line is being carried out.
    Running,
    Prompt {
        asked: PromptKind,
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
    /// A modem that has just booted, before any event of the network.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self {
            settings: Settings::new(setup.dialect),
            quirks: Quirks::default(),
            store: Store::new(setup.places),
            view: NetworkView::default(),
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
            activity: Activity::Idle,
            odd_state: OddState::default(),
            lost: 0,
            there: false,
            has_been_there: false,
            line: Vec::new(),
            last_line: String::new(),
            todo: VecDeque::new(),
            input: VecDeque::new(),
            urcs: VecDeque::new(),
            booting: VecDeque::new(),
            out: VecDeque::new(),
            silent_until: None,
            token: 0,
            setup,
        }
    }

    /// Bytes from the host. 8192 wait while a command runs; those beyond are lost, as in a UART.
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
        let until = match &self.activity {
            Activity::Until { at, .. } => Some(*at),
            Activity::Idle
            | Activity::Running
            | Activity::Prompt { .. }
            | Activity::Network { .. } => None,
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
            self.emit_urc(line, now);
        }
        if let Activity::Until { at, lines } = &self.activity
            && *at <= now
        {
            let lines = lines.clone();
            self.finish(Reply::lines(lines), now);
        }
        self.run_call(now);
        self.forget_shown(now);
        self.pump(now);
    }

    /// It reads and writes nothing for so long: what comes meanwhile is lost.
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

    pub(super) const fn is_there(&self) -> bool {
        self.there
    }
}
