//! The dialogue against the simulated AT modem, in virtual time, while modem and network misbehave as a seed says; and
//! whoever gives it orders and hears its news ([`Host`]).

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt;

use cellular_sim::modem::{Dialect, Rack, RackOutput, Setup};
use cellular_sim::radio::{
    Faults, ModemFault, PhoneEvent, Settings as Network, Span, Subscriber, Verb,
};
use dtu_proto::radio::{ModemInput, ModemOutput, PhoneNumber, Registration};
use dtu_proto::time::{Duration, Instant};
use modem_proto::{Event, Input, Modem, Output, Settings};

use crate::dice::{Dice, odd};

pub(crate) const PHONE: &str = "+8613900000002";
/// Faults end then, and everything must have arrived some time later.
pub(crate) const TROUBLE: Duration = Duration::from_secs(3600);
const PEACE: Duration = Duration::from_secs(2 * 3600);

/// Who stands on the other side of the dialogue.
pub(crate) trait Host {
    /// What happens to it at some time.
    type Plan: fmt::Debug;

    fn happens(&mut self, plan: Self::Plan, pump: &mut Pump<Self::Plan>);
    fn hear(&mut self, news: ModemInput, pump: &mut Pump<Self::Plan>);
    /// The program of the host has been started anew.
    fn restarted(&mut self, _pump: &mut Pump<Self::Plan>) {}
    /// Carries out one thing that it wants; `false` = there is none.
    fn carry_out(&mut self, _pump: &mut Pump<Self::Plan>) -> bool {
        false
    }
    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
    fn handle_timeout(&mut self, _now: Instant) {}
}

#[derive(Debug)]
enum Plan<P> {
    /// The phone writes.
    Text(String),
    Fault,
    Open,
    Restart,
    Host(P),
}

pub(crate) struct Pump<P> {
    pub(crate) seed: u64,
    pub(crate) talks: bool,
    pub(crate) dice: Dice,
    pub(crate) now: Instant,
    pub(crate) rack: Rack,
    /// The texts that the phone heard.
    pub(crate) delivered: Vec<String>,
    modem: Modem,
    settings: Settings,
    open: bool,
    there: bool,
    plans: BTreeMap<(Instant, usize), Plan<P>>,
    planned: usize,
}

impl<P: fmt::Debug> Pump<P> {
    /// One modem, of a dialect and with oddities after the seed.
    pub(crate) fn new(
        seed: u64,
        talks: bool,
        network: Network,
        setup: Setup,
        settings: Settings,
    ) -> Self {
        let faults = Faults {
            lost: 8,
            answer_lost: 8,
            refused: 8,
            doubled: 10,
            ..network.faults
        };
        let submit = Span::millis(200, 9000);
        let delivery = Span::millis(200, 20_000);
        let mut rack = Rack::new(
            seed,
            Network {
                submit,
                delivery,
                faults,
                ..network
            },
        );
        let dialect = [Dialect::Generic, Dialect::Sim800, Dialect::Ec2x][seed as usize % 3];
        let odd = odd(&mut Dice(!seed));
        if talks {
            println!("odd: {odd}");
        }
        rack.add(
            Setup {
                dialect,
                odd,
                ..setup
            },
            Subscriber::default(),
            Instant::ZERO,
        );
        let mut pump = Self {
            seed,
            talks,
            dice: Dice(seed),
            now: Instant::ZERO,
            rack,
            delivered: Vec::new(),
            modem: Modem::new(settings.clone(), Instant::ZERO),
            settings,
            open: false,
            there: true,
            plans: BTreeMap::new(),
            planned: 0,
        };
        pump.insert(Duration::ZERO, Plan::Open);
        pump
    }

    pub(crate) fn plan(&mut self, after: Duration, plan: P) {
        self.insert(after, Plan::Host(plan));
    }

    /// The phone writes this at some time.
    pub(crate) fn plan_text(&mut self, text: String) {
        let at = self.dice.seconds(1..=TROUBLE.as_secs());
        self.insert(at, Plan::Text(text));
    }

    pub(crate) fn plan_faults(&mut self, count: usize) {
        for _ in 0..count {
            let at = self.dice.seconds(1..=TROUBLE.as_secs());
            self.insert(at, Plan::Fault);
        }
    }

    pub(crate) fn plan_restart(&mut self) {
        let at = self.dice.seconds(1..=TROUBLE.as_secs());
        self.insert(at, Plan::Restart);
    }

    fn insert(&mut self, after: Duration, plan: Plan<P>) {
        self.planned += 1;
        self.plans.insert((self.now + after, self.planned), plan);
    }

    pub(crate) fn order(&mut self, order: &ModemOutput) {
        self.modem.handle_input(Input::Order(order), self.now);
    }

    /// Until long after the trouble.
    pub(crate) fn run(&mut self, host: &mut impl Host<Plan = P>) {
        let end = Instant::ZERO + TROUBLE + PEACE;
        let mut calm = false;
        loop {
            self.carry_out(host);
            let plan = self.plans.first_key_value().map(|((at, _), _)| *at);
            let modem = self.modem.poll_timeout().map(|deadline| deadline.at);
            let next = [plan, modem, host.poll_timeout(), self.rack.poll_timeout()];
            let next = next.into_iter().flatten().min().unwrap_or(end);
            if next >= end {
                break;
            }
            self.now = self.now.max(next);
            if !calm && self.now >= Instant::ZERO + TROUBLE {
                calm = true;
                self.end_trouble();
            }
            self.rack.handle_timeout(self.now);
            self.carry_out(host);
            self.modem.handle_timeout(self.now);
            self.carry_out(host);
            host.handle_timeout(self.now);
            self.carry_out(host);
            while let Some(entry) = self
                .plans
                .first_entry()
                .filter(|entry| entry.key().0 <= self.now)
            {
                let plan = entry.remove();
                self.happens(plan, host);
                self.carry_out(host);
            }
        }
    }

    fn end_trouble(&mut self) {
        let none = [
            Verb::Faults(Faults::default()),
            Verb::Modem(ModemFault::Slow(Duration::ZERO)),
            Verb::Modem(ModemFault::PromptErrors(0)),
            Verb::Registration(Registration::Home, None),
        ];
        none.iter()
            .for_each(|verb| self.rack.carry_out(1, verb, self.now));
    }

    fn happens(&mut self, plan: Plan<P>, host: &mut impl Host<Plan = P>) {
        if self.talks {
            println!("{:>10.3} {plan:?}", self.seconds());
        }
        match plan {
            Plan::Text(text) => {
                let from = PhoneNumber::new(PHONE).unwrap();
                self.rack.carry_out(
                    1,
                    &Verb::Text {
                        from,
                        to: None,
                        text,
                    },
                    self.now,
                );
            }
            Plan::Fault => self.go_wrong(),
            Plan::Open if self.there => {
                self.open = true;
                self.modem.handle_input(Input::Opened, self.now);
            }
            Plan::Open => {}
            Plan::Restart => {
                self.modem = Modem::new(self.settings.clone(), self.now);
                self.open = false;
                self.insert(Duration::from_secs(2), Plan::Open);
                host.restarted(self);
            }
            Plan::Host(plan) => host.happens(plan, self),
        }
    }

    fn go_wrong(&mut self) {
        let short = self.dice.seconds(1..=80);
        let long = self.dice.seconds(100..=300);
        let on = self.dice.throw(0..=1) == 1;
        let slow = Duration::from_millis(self.dice.throw(0..=3000));
        let verb = match self.dice.throw(0..=11) {
            0 => Verb::Modem(ModemFault::Silent(short)),
            1 => Verb::Modem(ModemFault::Silent(long)),
            2 => Verb::Modem(ModemFault::Slow(slow)),
            3 => Verb::Modem(ModemFault::BlankLines(on)),
            4 => Verb::Modem(ModemFault::BarePrompt(on)),
            5 => Verb::Modem(ModemFault::PromptErrors(2)),
            6 => Verb::Modem(ModemFault::LinesInside(on)),
            7 => Verb::Registration(Registration::Searching, Some(long)),
            8 => Verb::Reset(Some(short)),
            9 => Verb::Leave(Some(short)),
            10 => return self.order(&ModemOutput::Reset),
            _ => Verb::Registration(Registration::Denied, Some(short)),
        };
        if self.talks {
            println!("{:>10.3} {verb:?}", self.seconds());
        }
        self.rack.carry_out(1, &verb, self.now);
    }

    fn carry_out(&mut self, host: &mut impl Host<Plan = P>) {
        loop {
            if let Some(output) = self.rack.poll_output() {
                self.show(output);
            } else if let Some(output) = self.modem.poll_output() {
                self.obey(output, host);
            } else if !host.carry_out(self) {
                return;
            }
        }
    }

    fn show(&mut self, output: RackOutput) {
        match output {
            RackOutput::Bytes(_, bytes) if self.open => {
                self.modem.handle_input(Input::Bytes(&bytes), self.now);
            }
            RackOutput::Vanished(_) => {
                (self.there, self.open) = (false, false);
                self.modem.handle_input(Input::Gone, self.now);
            }
            RackOutput::Appeared(_) => {
                self.there = true;
                self.insert(Duration::from_secs(1), Plan::Open);
            }
            RackOutput::Phone(PhoneEvent::Text { data, .. }) => {
                self.delivered.push(data.text().unwrap())
            }
            RackOutput::Bytes(..) | RackOutput::Phone(_) => {}
            RackOutput::Problem(problem) => panic!("seed {}: {problem}", self.seed),
        }
    }

    fn obey(&mut self, output: Output, host: &mut impl Host<Plan = P>) {
        match output {
            Output::Write(bytes) => self.rack.read(0, &bytes, self.now),
            Output::Reopen => {
                self.open = false;
                self.insert(Duration::from_secs(1), Plan::Open);
            }
            Output::Report(news) => host.hear(news, self),
            Output::Event(event) => {
                if self.talks {
                    println!("{:>10.3} {event}", self.seconds());
                }
                // What the host keeps over its restart.
                if let Event::PinState(past) = event {
                    self.settings.pin_history = past;
                }
            }
        }
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.now.as_micros() as f64 / 1e6
    }
}

/// In any order, each once.
pub(crate) fn assert_each_once(texts: &[String], word: &str, count: usize, what: &str) {
    let mut texts = texts.to_vec();
    texts.sort();
    let mut wanted: Vec<_> = (0..count)
        .map(|number| format!("{word} {number}"))
        .collect();
    wanted.sort();
    assert_eq!(texts, wanted, "{what}");
}
