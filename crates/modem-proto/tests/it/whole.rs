//! The whole way of a message in virtual time: equipment, device (mode 4), dialogue, AT modem, network, phone, and
//! back, while modem and network misbehave as a seed says. Each text arrives once.
//!
//! `SEED=7 cargo test -p modem-proto --test whole -- --nocapture` runs one seed and prints its dialogue.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

use std::collections::BTreeMap;

use cellular_sim::modem::{Dialect, Rack, RackOutput, Setup};
use cellular_sim::radio::{Faults, ModemFault, PhoneNews, Settings as Network, Span, Subscriber, Verb};
use dtu_proto::config::{Config, Options, WorkingMode};
use dtu_proto::event::{
    Input as Happens, Output as Wants, SerialInput, SerialOutput, StoreInput, StoreOutput,
};
use dtu_proto::radio::{PhoneNumber, Registration};
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};
use modem_proto::{Input, Modem, Output, Settings};

use crate::dice;

use dice::{Dice, for_each_seed, odd};

const PHONE: &str = "+8613900000002";
const TEXTS: usize = 12;
const TROUBLE: Duration = Duration::from_secs(3600);
const END: Duration = Duration::from_secs(3 * 3600);

#[test]
fn every_text_arrives_once_all_the_way() {
    for_each_seed(100, |seed, talks| World::new(seed, talks).run());
}

#[derive(Clone, Debug)]
enum Plan {
    /// The phone writes.
    Text(usize),
    /// The equipment writes.
    Frame(usize),
    Fault,
    Open,
    Saved(u64),
}

struct World {
    seed: u64,
    talks: bool,
    dice: Dice,
    now: Instant,
    dtu: Dtu,
    modem: Modem,
    rack: Rack,
    open: bool,
    there: bool,
    plans: BTreeMap<(Instant, usize), Plan>,
    planned: usize,
    printed: Vec<u8>,
    delivered: Vec<String>,
}

impl World {
    fn new(seed: u64, talks: bool) -> Self {
        let network = Network {
            submit: Span::millis(200, 9000),
            delivery: Span::millis(200, 20_000),
            faults: Faults { lost: 8, answer_lost: 8, refused: 8, doubled: 10, overtaken: 0 },
            ..Network::default()
        };
        let mut rack = Rack::new(seed, network);
        let dialect = [Dialect::Generic, Dialect::Sim800, Dialect::Ec2x][seed as usize % 3];
        let odd = odd(&mut Dice(!seed));
        if talks {
            println!("odd: {odd}");
        }
        rack.add(Setup { dialect, odd, ..Setup::default() }, Subscriber::default(), Instant::ZERO);
        let config = Config {
            mode: WorkingMode::Sms,
            sms_number: PHONE.into(),
            heartbeat_interval: 0,
            restart_time: 0,
            ..Config::default()
        };
        let options = Options { setup_window: Duration::ZERO, ..Options::default() };
        let mut world = Self {
            seed,
            talks,
            dice: Dice(seed),
            now: Instant::ZERO,
            dtu: Dtu::new(config, options, Identity::default(), seed, Instant::ZERO),
            modem: Modem::new(Settings::default(), Instant::ZERO),
            rack,
            open: false,
            there: true,
            plans: BTreeMap::new(),
            planned: 0,
            printed: Vec::new(),
            delivered: Vec::new(),
        };
        world.dtu.handle_input(Happens::Serial(SerialInput::Present), Instant::ZERO);
        world.plan_everything();
        world
    }

    fn plan_everything(&mut self) {
        self.plan(Duration::ZERO, Plan::Open);
        for number in 0..TEXTS {
            let at = self.dice.seconds(1..=TROUBLE.as_secs());
            self.plan(at, Plan::Text(number));
            // Never so close that two are packed into one.
            let slot = TROUBLE.as_secs() / TEXTS as u64 * number as u64;
            let at = self.dice.seconds(slot + 1..=slot + 200);
            self.plan(at, Plan::Frame(number));
        }
        for _ in 0..20 {
            let at = self.dice.seconds(1..=TROUBLE.as_secs());
            self.plan(at, Plan::Fault);
        }
    }

    fn plan(&mut self, after: Duration, plan: Plan) {
        self.planned += 1;
        self.plans.insert((self.now + after, self.planned), plan);
    }

    fn run(&mut self) {
        let end = Instant::ZERO + END;
        let mut calm = false;
        loop {
            self.carry_out();
            let plan = self.plans.first_key_value().map(|((at, _), _)| *at);
            let dtu = self.dtu.poll_timeout().map(|deadline| deadline.at);
            let modem = self.modem.poll_timeout().map(|deadline| deadline.at);
            let next =
                [plan, dtu, modem, self.rack.poll_timeout()].into_iter().flatten().min().unwrap_or(end);
            if next >= end {
                break;
            }
            self.now = self.now.max(next);
            if !calm && self.now >= Instant::ZERO + TROUBLE {
                calm = true;
                self.end_trouble();
            }
            self.rack.handle_timeout(self.now);
            self.carry_out();
            self.modem.handle_timeout(self.now);
            self.carry_out();
            self.dtu.handle_timeout(self.now);
            self.carry_out();
            while let Some(entry) = self.plans.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let plan = entry.remove();
                self.happens(plan);
                self.carry_out();
            }
        }
        self.check();
    }

    fn end_trouble(&mut self) {
        let none = [
            Verb::Faults(Faults::default()),
            Verb::Modem(ModemFault::Slow(Duration::ZERO)),
            Verb::Modem(ModemFault::PromptErrors(0)),
            Verb::Registration(Registration::Home, None),
        ];
        none.iter().for_each(|verb| self.rack.carry_out(1, verb, self.now));
    }

    fn happens(&mut self, plan: Plan) {
        match plan {
            Plan::Text(number) => {
                let from = PhoneNumber::new(PHONE).unwrap();
                let text = format!("<in {number}>");
                self.rack.carry_out(1, &Verb::Text { from, to: None, text }, self.now);
            }
            Plan::Frame(number) => {
                let frame = format!("out {number}");
                self.dtu.handle_input(Happens::Serial(SerialInput::Data(frame.as_bytes())), self.now);
            }
            Plan::Fault => self.go_wrong(),
            Plan::Open if self.there => {
                self.open = true;
                self.modem.handle_input(Input::Opened, self.now);
            }
            Plan::Open => {}
            Plan::Saved(number) => {
                self.dtu.handle_input(Happens::Store(StoreInput::MessagesSaved(number)), self.now);
            }
        }
    }

    fn go_wrong(&mut self) {
        let short = self.dice.seconds(1..=80);
        let long = self.dice.seconds(100..=300);
        let on = self.dice.throw(0..=1) == 1;
        let slow = Duration::from_millis(self.dice.throw(0..=3000));
        let verb = match self.dice.throw(0..=9) {
            0 => Verb::Modem(ModemFault::Silent(short)),
            1 => Verb::Modem(ModemFault::Silent(long)),
            2 => Verb::Modem(ModemFault::Slow(slow)),
            3 => Verb::Modem(ModemFault::BlankLines(on)),
            4 => Verb::Modem(ModemFault::BarePrompt(on)),
            5 => Verb::Modem(ModemFault::PromptErrors(2)),
            6 => Verb::Modem(ModemFault::LinesInside(on)),
            7 => Verb::Registration(Registration::Searching, Some(long)),
            8 => Verb::Reset(Some(short)),
            _ => Verb::Leave(Some(short)),
        };
        if self.talks {
            println!("{:>10.3} {verb:?}", self.now.as_micros() as f64 / 1e6);
        }
        self.rack.carry_out(1, &verb, self.now);
    }

    fn carry_out(&mut self) {
        loop {
            if let Some(output) = self.rack.poll_output() {
                self.show(output);
            } else if let Some(output) = self.modem.poll_output() {
                self.obey(output);
            } else if let Some(output) = self.dtu.poll_output() {
                self.host(output);
            } else {
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
                self.plan(Duration::from_secs(1), Plan::Open);
            }
            RackOutput::Phone(PhoneNews::Text { data, .. }) => self.delivered.push(data.text().unwrap()),
            RackOutput::Bytes(..) | RackOutput::Phone(_) => {}
            RackOutput::Problem(problem) => panic!("seed {}: {problem}", self.seed),
        }
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::Write(bytes) => self.rack.read(0, &bytes, self.now),
            Output::Reopen => {
                self.open = false;
                self.plan(Duration::from_secs(1), Plan::Open);
            }
            Output::News(news) => self.dtu.handle_input(Happens::Modem(&news), self.now),
            Output::Event(event) if self.talks => {
                println!("{:>10.3} {event}", self.now.as_micros() as f64 / 1e6);
            }
            Output::Event(_) => {}
        }
    }

    fn host(&mut self, output: Wants) {
        match output {
            Wants::Serial(SerialOutput::Write(bytes)) => {
                self.printed.extend_from_slice(&bytes);
                self.dtu.handle_input(Happens::Serial(SerialInput::Written), self.now);
            }
            Wants::Serial(SerialOutput::Discard) => {
                self.dtu.handle_input(Happens::Serial(SerialInput::Discarded(0)), self.now);
            }
            Wants::Serial(SerialOutput::Configure(_)) => {
                self.dtu.handle_input(Happens::Serial(SerialInput::Configured(None)), self.now);
            }
            Wants::Modem(order) => self.modem.handle_input(Input::Order(&order), self.now),
            Wants::Store(StoreOutput::Messages { number, .. }) => {
                let after = self.dice.seconds(0..=3);
                self.plan(after, Plan::Saved(number));
            }
            Wants::Event(event) if self.talks => {
                println!("{:>10.3} device: {event:?}", self.now.as_micros() as f64 / 1e6);
            }
            _ => {}
        }
    }

    fn check(&mut self) {
        let seed = self.seed;
        let mut sent = self.delivered.clone();
        sent.sort();
        let mut wanted: Vec<_> = (0..TEXTS).map(|number| format!("out {number}")).collect();
        wanted.sort();
        assert_eq!(sent, wanted, "seed {seed}: sent");
        let printed = String::from_utf8(self.printed.clone()).unwrap();
        for number in 0..TEXTS {
            assert_eq!(
                printed.matches(&format!("<in {number}>")).count(),
                1,
                "seed {seed}: {number} in {printed}"
            );
        }
    }
}
