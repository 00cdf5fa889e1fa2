//! A network with AT modems in it: everything that `dtu-sim modem` is, but for the ptys and the clock.

use std::collections::VecDeque;

use dtu_proto::radio::PhoneNumber;
use dtu_proto::time::Instant;

use super::at_modem::{AtModem, AtOutput};
use super::setup::{Dialect, Setup};
use crate::radio::{Id, ModemFault, Network, PhoneEvent, Script, Settings, Subscriber, Verb};

/// What comes out of a rack; modems are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RackOutput {
    /// Bytes of a modem to its host.
    Bytes(usize, Vec<u8>),
    /// A modem was pulled out: its device goes.
    Vanished(usize),
    /// It was plugged in again: its device comes.
    Appeared(usize),
    /// What the owner of a phone sees.
    Phone(PhoneEvent),
    /// What a script wanted and could not be done.
    Problem(String),
}

/// A network and its AT modems.
#[derive(Clone, Debug)]
pub struct Rack {
    network: Network,
    modems: Vec<AtModem>,
    vanished: Vec<bool>,
    out: VecDeque<RackOutput>,
}

impl Rack {
    /// An empty one.
    #[must_use]
    pub fn new(seed: u64, settings: Settings) -> Self {
        Self {
            network: Network::new(seed, settings),
            modems: Vec::new(),
            vanished: Vec::new(),
            out: VecDeque::new(),
        }
    }

    /// Another modem. Its clock is the network's; without a model of its own it has its dialect's.
    pub fn add(&mut self, setup: Setup, mut subscriber: Subscriber, now: Instant) -> usize {
        subscriber.on_air &= setup.pin.is_none();
        if setup.dialect != Dialect::Generic {
            subscriber.model = setup.dialect.model().to_owned();
        }
        let clock = self.network.settings().clock;
        self.modems.push(AtModem::new(Setup { clock, ..setup }));
        self.vanished.push(false);
        self.network.add(subscriber, now);
        self.settle(now);
        self.modems.len() - 1
    }

    /// The network, to look at it.
    #[must_use]
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// One modem, to look at it.
    #[must_use]
    pub fn modem(&self, number: usize) -> Option<&AtModem> {
        self.modems.get(number)
    }

    /// The number of a modem.
    #[must_use]
    pub fn number(&self, modem: usize) -> Option<PhoneNumber> {
        let id = self.network.modems().nth(modem)?;
        self.network.subscriber(id).number
    }

    /// The script's times count from the start of time.
    pub fn play(&mut self, script: Script) {
        self.network.play(script);
    }

    /// Bytes from the host of a modem.
    pub fn read(&mut self, modem: usize, bytes: &[u8], now: Instant) {
        self.handle_timeout(now);
        if let Some(modem) = self.modems.get_mut(modem) {
            modem.read(bytes, now);
        }
        self.settle(now);
    }

    /// Makes something happen to a modem (1 and up) or around it.
    pub fn carry_out(&mut self, modem: usize, verb: &Verb, now: Instant) {
        self.handle_timeout(now);
        if let Err(problem) = self.network.carry_out(modem, verb, now) {
            self.out.push_back(RackOutput::Problem(problem.to_string()));
        }
        self.settle(now);
    }

    /// What comes out.
    pub fn poll_output(&mut self) -> Option<RackOutput> {
        self.out.pop_front()
    }

    /// When [`Self::handle_timeout`] is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let modems = self.modems.iter().filter_map(AtModem::poll_timeout);
        modems.chain(self.network.poll_timeout()).min()
    }

    /// Time has come; each thing that was due happens at its own time, however late the call.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(at) = self.poll_timeout().filter(|at| *at <= now) {
            self.network.handle_timeout(at);
            for modem in &mut self.modems {
                modem.handle_timeout(at);
            }
            self.settle(at);
        }
        self.network.handle_timeout(now);
        self.settle(now);
    }

    /// Events to the modems and orders to the network, until neither has any.
    fn settle(&mut self, now: Instant) {
        loop {
            let mut quiet = true;
            while let Some((id, fault)) = self.network.poll_fault() {
                self.show_fault(id, fault, now);
            }
            while let Some((id, event)) = self.network.poll_event() {
                quiet = false;
                if let Some(modem) = self.modems.get_mut(id.index()) {
                    modem.handle_network(&event, now);
                }
                self.note_presence(id.index());
            }
            for place in 0..self.modems.len() {
                quiet &= !self.drain(place, now);
            }
            if quiet {
                break;
            }
        }
        while let Some(event) = self.network.poll_phone_event() {
            self.out.push_back(RackOutput::Phone(event));
        }
        while let Some(problem) = self.network.poll_problem() {
            self.out.push_back(RackOutput::Problem(problem));
        }
    }

    /// Whether it had orders.
    fn drain(&mut self, place: usize, now: Instant) -> bool {
        let mut ordered = false;
        let Some(id) = self.network.modems().nth(place) else {
            return false;
        };
        while let Some(output) = self
            .modems
            .get_mut(place)
            .and_then(|modem| modem.poll_output(now))
        {
            match output {
                AtOutput::Bytes(bytes) => self.out.push_back(RackOutput::Bytes(place, bytes)),
                AtOutput::Order(order) => {
                    ordered = true;
                    self.network.handle_order(id, &order, now);
                }
                AtOutput::OnAir(on) => {
                    ordered = true;
                    self.network.set_on_air(id, on, now);
                }
            }
        }
        ordered
    }

    fn note_presence(&mut self, place: usize) {
        let is_there = self.modems.get(place).is_some_and(AtModem::is_there);
        if let Some(vanished) = self.vanished.get_mut(place)
            && *vanished
            && is_there
        {
            *vanished = false;
            self.out.push_back(RackOutput::Appeared(place));
        }
    }

    fn show_fault(&mut self, id: Id, fault: ModemFault, now: Instant) {
        let place = id.index();
        if fault == ModemFault::Vanish {
            if let Some(vanished) = self.vanished.get_mut(place)
                && !std::mem::replace(vanished, true)
            {
                self.out.push_back(RackOutput::Vanished(place));
            }
            return;
        }
        let Some(modem) = self.modems.get_mut(place) else {
            return;
        };
        let mut quirks = modem.quirks();
        match fault {
            ModemFault::Silent(during) => modem.be_silent(during, now),
            ModemFault::Slow(by) => quirks.slow = by,
            ModemFault::BlankLines(on) => quirks.doubled_line_ends = on,
            ModemFault::BarePrompt(on) => quirks.bare_prompt = on,
            ModemFault::PromptErrors(count) => quirks.prompt_errors = count,
            ModemFault::LinesInside(on) => quirks.lines_inside = on,
            ModemFault::PinUnheeded(on) => quirks.pin_unheeded = on,
            ModemFault::TriesStay(on) => quirks.tries_stay = on,
            ModemFault::Vanish => {}
        }
        modem.set_quirks(quirks);
    }
}
