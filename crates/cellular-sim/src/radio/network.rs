//! The network: time, and who is who.

use std::collections::VecDeque;
use std::fmt;

use dtu_proto::radio::{ModemInput, NetworkTime, PhoneNumber};
use dtu_proto::time::Instant;
use sms_codec::address::Address;
use sms_codec::time::TimeStamp;

use super::call::Call;
use super::center::{Center, Counters, SubmitResult};
use super::clock;
use super::phone::{Answering, PHONES_MAX, Phone, PhoneEvent};
use super::port::Port;
use super::script_run::ScriptRun;
use super::settings::{Faults, Id, Party, Settings};
use crate::rng::Rng;

/// A network in virtual time. See [the module](super).
#[derive(Clone, Debug)]
pub struct Network {
    pub(super) settings: Settings,
    pub(super) rng: Rng,
    pub(super) ports: Vec<Port>,
    pub(super) phones: Vec<Phone>,
    pub(super) center: Center,
    pub(super) submit_results: Vec<SubmitResult>,
    pub(super) calls: Vec<Call>,
    pub(super) events: VecDeque<(Id, ModemInput)>,
    pub(super) phone_events: VecDeque<PhoneEvent>,
    pub(super) counters: Counters,
    pub(super) script: ScriptRun,
    now: Instant,
}

/// Why a phone cannot do that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerbError {
    /// More than 255 parts.
    TextTooLong,
    /// The service centre holds as many messages as it can ([`super::CENTER_MAX`]).
    CenterFull,
    /// Nobody has this number, and the network has room for no further phone.
    NoSuchNumber,
    /// The number is a modem's here, not a phone's.
    NotAPhone,
    /// It has a call already.
    Busy,
    /// There is no modem of this number.
    NoSuchModem,
    /// It has no call, or none that could be answered.
    NoCall,
}

impl fmt::Display for VerbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TextTooLong => "the text takes more than 255 parts",
            Self::CenterFull => "the service centre is full",
            Self::NoSuchNumber => "nobody has this number, and there is no room for another phone",
            Self::NotAPhone => "this number is a modem's, not a phone's",
            Self::Busy => "this phone has a call already",
            Self::NoSuchModem => "there is no modem of this number",
            Self::NoCall => "this phone has no such call",
        })
    }
}

impl std::error::Error for VerbError {}

impl Network {
    /// An empty network. Chance comes from the seed only.
    #[must_use]
    pub fn new(seed: u64, settings: Settings) -> Self {
        Self {
            settings,
            rng: Rng::new(seed),
            ports: Vec::new(),
            phones: Vec::new(),
            center: Center::default(),
            submit_results: Vec::new(),
            calls: Vec::new(),
            events: VecDeque::new(),
            phone_events: VecDeque::new(),
            counters: Counters::default(),
            script: ScriptRun::default(),
            now: Instant::ZERO,
        }
    }

    /// What a modem reports to its host, in order; `None` = nothing more for now.
    pub fn poll_event(&mut self) -> Option<(Id, ModemInput)> {
        self.events.pop_front()
    }

    /// When [`Self::handle_timeout`] is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let answers = self.submit_results.iter().map(|answer| answer.at);
        let calls = self.calls.iter().filter_map(Call::timeout);
        let ports = self.ports.iter().filter_map(Port::timeout);
        answers
            .chain(calls)
            .chain(ports)
            .chain(self.center_timeout())
            .chain(self.script.timeout())
            .min()
    }

    /// Time has come. What was due before happens first, each at its own time, however late the call.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(at) = self.poll_timeout().filter(|at| *at <= now) {
            self.now = self.now.max(at);
            self.happen(self.now);
        }
        self.now = self.now.max(now);
    }

    fn happen(&mut self, now: Instant) {
        self.run_script(now);
        for place in 0..self.ports.len() {
            self.run_port(Id(place), now);
        }
        self.run_answers(now);
        self.run_calls(now);
        self.run_center(now);
    }

    fn run_answers(&mut self, now: Instant) {
        let mut due: Vec<SubmitResult> = self
            .submit_results
            .extract_if(.., |answer| answer.at <= now)
            .collect();
        due.sort_by_key(|answer| answer.at);
        for SubmitResult {
            modem,
            token,
            outcome,
            ..
        } in due
        {
            self.emit(modem, ModemInput::Submitted { token, outcome });
        }
    }

    /// What became of messages.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// What goes wrong from now on.
    pub const fn set_faults(&mut self, faults: Faults) {
        self.settings.faults = faults;
    }

    /// What it is set to.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What it is set to, to be changed: holds for what comes from now on.
    pub const fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// All modems.
    pub fn modems(&self) -> impl Iterator<Item = Id> + use<> {
        (0..self.ports.len()).map(Id)
    }

    /// The modem that has this number.
    #[must_use]
    pub fn modem_of(&self, number: PhoneNumber) -> Option<Id> {
        match self.find(number) {
            Some(Party::Modem(id)) => Some(id),
            Some(Party::Phone(_)) | None => None,
        }
    }

    /// What a phone does from now on when it is called.
    ///
    /// # Errors
    /// A modem's number, or no room for another phone.
    pub fn set_answering(
        &mut self,
        phone: PhoneNumber,
        answering: Answering,
        now: Instant,
    ) -> Result<(), VerbError> {
        let place = self.phone(phone)?;
        if let Some(phone) = self.phones.get_mut(place) {
            phone.answering = answering;
        }
        self.run_center(now);
        Ok(())
    }

    /// The network's local time.
    #[must_use]
    pub fn clock(&self, now: Instant) -> NetworkTime {
        clock::at(self.settings.clock, now)
    }

    pub(super) fn stamp(&self, now: Instant) -> TimeStamp {
        clock::stamp(self.clock(now))
    }

    /// The service centre in front of a PDU for that modem.
    pub(super) fn center_address(&self, modem: Id) -> Option<Address> {
        let number = self.ports.get(modem.0)?.subscriber.service_center?;
        // A centre's number is international, whether or not its sign is written.
        Address::new(0x91, number.as_str().trim_start_matches('+'))
    }

    pub(super) fn find(&self, number: PhoneNumber) -> Option<Party> {
        let modem = self.ports.iter().position(|port| {
            port.subscriber
                .number
                .is_some_and(|own| is_same(own, number))
        });
        let phone = || {
            self.phones
                .iter()
                .position(|phone| is_same(phone.number, number))
        };
        modem
            .map(|place| Party::Modem(Id(place)))
            .or_else(|| phone().map(Party::Phone))
    }

    /// Who has this number; a new phone if nobody has.
    pub(super) fn party(&mut self, number: PhoneNumber) -> Result<Party, VerbError> {
        if let Some(party) = self.find(number) {
            return Ok(party);
        }
        if self.phones.len() >= PHONES_MAX {
            return Err(VerbError::NoSuchNumber);
        }
        self.phones.push(Phone::new(number));
        Ok(Party::Phone(self.phones.len() - 1))
    }

    pub(super) fn phone(&mut self, number: PhoneNumber) -> Result<usize, VerbError> {
        match self.party(number)? {
            Party::Phone(place) => Ok(place),
            Party::Modem(_) => Err(VerbError::NotAPhone),
        }
    }

    pub(super) fn number_of(&self, party: Party) -> Option<PhoneNumber> {
        match party {
            Party::Modem(id) => self.ports.get(id.0)?.subscriber.number,
            Party::Phone(place) => self.phones.get(place).map(|phone| phone.number),
        }
    }

    pub(super) fn free_number(&self) -> Option<PhoneNumber> {
        (1..=10_000)
            .filter_map(|n| PhoneNumber::new(&format!("+86138001{n:05}")))
            .find(|n| self.find(*n).is_none())
    }
}

/// `+8613912345678`, `8613912345678` and `13912345678` are one number: of long numbers the last eleven digits count.
fn is_same(a: PhoneNumber, b: PhoneNumber) -> bool {
    fn core(number: &PhoneNumber) -> &str {
        let digits = number.as_str().trim_start_matches('+');
        digits
            .get(digits.len().saturating_sub(11)..)
            .unwrap_or(digits)
    }
    core(&a) == core(&b)
}
