//! Against the simulated AT modem, in virtual time, with faults of modem and network as a seed says: every message of
//! the network comes here once, and every message of ours goes out once.
//!
//! `SEED=7 cargo test -p modem-proto --test seeds -- --nocapture` runs one seed and prints its dialogue;
//! `SEEDS=5000` runs so many.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use cellular_sim::modem::{Dialect, Rack, RackOutput, Setup};
use cellular_sim::radio::{Faults, ModemFault, PhoneNews, Settings as Network, Span, Subscriber, Verb};
use dtu_proto::radio::{ModemInput, ModemOutput, PhoneNumber, Registration, SubmitFailure};
use dtu_proto::time::{Duration, Instant};
use dtu_proto::wire::address::Address;
use dtu_proto::wire::pdu::{Pdu, Submit, Tpdu};
use dtu_proto::wire::user_data::{Body, UserData};
use modem_proto::{Input, Modem, Output, Pin, Settings};

use crate::dice;

use dice::{Dice, for_each_seed, odd};

const PHONE: &str = "+8613900000002";
const TEXTS_IN: usize = 12;
const TEXTS_OUT: usize = 10;
/// Faults end then, and everything must have arrived some time later.
const TROUBLE: Duration = Duration::from_secs(3600);
const PEACE: Duration = Duration::from_secs(2 * 3600);

#[test]
fn every_message_arrives_once_whatever_modem_and_network_do() {
    for_each_seed(200, |seed, talks| World::new(seed, talks).run());
}

/// What is going to happen.
#[derive(Clone, Debug)]
enum Plan {
    Text(usize),
    Fault,
    Open,
    Take(u64),
    Send,
    /// The program of the host is started anew.
    Restart,
}

struct World {
    seed: u64,
    talks: bool,
    dice: Dice,
    now: Instant,
    rack: Rack,
    modem: Modem,
    settings: Settings,
    open: bool,
    there: bool,
    plans: BTreeMap<(Instant, usize), Plan>,
    planned: usize,
    /// What came, by its PDU: the mailbox knows a message that comes again.
    seen: BTreeSet<Vec<u8>>,
    received: Vec<String>,
    /// The message on its way out, and whether its answer is awaited.
    sending: usize,
    awaits: bool,
    token: u32,
    delivered: Vec<String>,
}

impl World {
    fn new(seed: u64, talks: bool) -> Self {
        let mut dice = Dice(seed);
        let faults = Faults { lost: 8, answer_lost: 8, refused: 8, doubled: 10, overtaken: 5 };
        let network = Network {
            submit: Span::millis(200, 9000),
            delivery: Span::millis(200, 20_000),
            registration: Span::millis(0, 20_000),
            faults,
            ..Network::default()
        };
        let mut rack = Rack::new(seed, network);
        let dialect = [Dialect::Generic, Dialect::Sim800, Dialect::Ec2x][seed as usize % 3];
        let pin = seed.is_multiple_of(2).then(|| "1234".to_owned());
        let places = dice.throw(2..=20) as usize;
        let odd = odd(&mut Dice(!seed));
        if talks {
            println!("odd: {odd}");
        }
        rack.add(
            Setup { dialect, pin, places, odd, ..Setup::default() },
            Subscriber::default(),
            Instant::ZERO,
        );
        let settings = Settings { pin: Pin::new("1234"), ..Settings::default() };
        let modem = Modem::new(settings.clone(), Instant::ZERO);
        let mut world = Self {
            seed,
            talks,
            dice,
            now: Instant::ZERO,
            rack,
            modem,
            settings,
            open: false,
            there: true,
            plans: BTreeMap::new(),
            planned: 0,
            seen: BTreeSet::new(),
            received: Vec::new(),
            sending: 0,
            awaits: false,
            token: 0,
            delivered: Vec::new(),
        };
        world.plan_everything();
        world
    }

    fn plan_everything(&mut self) {
        self.plan(Duration::ZERO, Plan::Open);
        self.plan(Duration::from_secs(1), Plan::Send);
        let trouble = TROUBLE.as_secs();
        for number in 0..TEXTS_IN {
            let at = self.dice.seconds(0..=trouble);
            self.plan(at, Plan::Text(number));
        }
        for _ in 0..25 {
            let at = self.dice.seconds(0..=trouble);
            self.plan(at, Plan::Fault);
        }
        let at = self.dice.seconds(0..=trouble);
        self.plan(at, Plan::Restart);
    }

    fn plan(&mut self, after: Duration, plan: Plan) {
        self.planned += 1;
        self.plans.insert((self.now + after, self.planned), plan);
    }

    fn run(&mut self) {
        let end = Instant::ZERO + TROUBLE + PEACE;
        let mut calm = false;
        loop {
            self.carry_out();
            let plan = self.plans.first_key_value().map(|((at, _), _)| *at);
            let modem = self.modem.poll_timeout().map(|deadline| deadline.at);
            let next = [plan, modem, self.rack.poll_timeout()].into_iter().flatten().min().unwrap_or(end);
            if next >= end {
                break;
            }
            self.now = self.now.max(next);
            if !calm && self.now >= Instant::ZERO + TROUBLE {
                calm = true;
                self.end_trouble();
            }
            self.rack.handle_timeout(self.now);
            self.modem.handle_timeout(self.now);
            while let Some(entry) = self.plans.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let plan = entry.remove();
                self.happens(plan);
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
        if self.talks && !matches!(plan, Plan::Take(_)) {
            println!("{:>10.3} {plan:?}", self.now.as_micros() as f64 / 1e6);
        }
        match plan {
            Plan::Text(number) => {
                let from = PhoneNumber::new(PHONE).unwrap();
                let text = format!("in {number}");
                self.rack.carry_out(1, &Verb::Text { from, to: None, text }, self.now);
            }
            Plan::Fault => self.go_wrong(),
            Plan::Open if self.there => {
                self.open = true;
                self.modem.handle_input(Input::Opened, self.now);
            }
            Plan::Open => {}
            Plan::Take(id) => self.modem.handle_input(Input::Order(&ModemOutput::Taken(id)), self.now),
            Plan::Send => self.send(),
            Plan::Restart => {
                self.modem = Modem::new(self.settings.clone(), self.now);
                self.open = false;
                if std::mem::take(&mut self.awaits) {
                    self.plan(Duration::from_secs(5), Plan::Send);
                }
                self.plan(Duration::from_secs(2), Plan::Open);
            }
        }
        self.carry_out();
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
            10 => {
                let modem = &mut self.modem;
                return modem.handle_input(Input::Order(&ModemOutput::Reset), self.now);
            }
            _ => Verb::Registration(Registration::Denied, Some(short)),
        };
        if self.talks {
            println!("           {verb:?}");
        }
        self.rack.carry_out(1, &verb, self.now);
    }

    fn send(&mut self) {
        if self.awaits || self.sending >= TEXTS_OUT {
            return;
        }
        let data = UserData { header: None, body: Body::text(&format!("out {}", self.sending)) };
        let mut submit = Submit::new(Address::number(PHONE).unwrap(), data);
        // So the service centre knows a repeat.
        submit.reject_duplicates = true;
        submit.reference = self.sending as u8;
        let pdu = Pdu { smsc: None, tpdu: Tpdu::Submit(submit) }.encode().unwrap();
        self.token += 1;
        self.awaits = true;
        let order = ModemOutput::Submit { token: self.token, pdu: Bytes::from(pdu) };
        self.modem.handle_input(Input::Order(&order), self.now);
    }

    fn carry_out(&mut self) {
        loop {
            if let Some(output) = self.rack.poll_output() {
                self.show(output);
            } else if let Some(output) = self.modem.poll_output() {
                self.obey(output);
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
                self.there = false;
                self.open = false;
                self.modem.handle_input(Input::Gone, self.now);
            }
            RackOutput::Appeared(_) => {
                self.there = true;
                self.plan(Duration::from_secs(1), Plan::Open);
            }
            RackOutput::Phone(PhoneNews::Text { data, .. }) => {
                self.delivered.push(data.text().unwrap());
            }
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
            Output::News(news) => self.hear(news),
            Output::Event(event) if self.talks => {
                println!("{:>10.3} {event}", self.now.as_micros() as f64 / 1e6);
            }
            Output::Event(_) => {}
        }
    }

    fn hear(&mut self, news: ModemInput) {
        match news {
            ModemInput::Message { id, pdu } => {
                let Tpdu::Deliver(deliver) = Pdu::decode(&pdu).unwrap().pdu.tpdu else { return };
                if self.seen.insert(pdu.to_vec()) {
                    self.received.push(deliver.data.text().unwrap());
                }
                let after = self.dice.seconds(0..=20);
                self.plan(after, Plan::Take(id));
            }
            ModemInput::Submitted { token, outcome } if token == self.token => {
                self.awaits = false;
                match outcome {
                    Ok(_) | Err(SubmitFailure::DUPLICATE) => self.sending += 1,
                    Err(failure) => assert!(failure.is_temporary(), "seed {}: {failure}", self.seed),
                }
                let after = self.dice.seconds(1..=90);
                self.plan(after, Plan::Send);
            }
            _ => {}
        }
    }

    fn check(&mut self) {
        let seed = self.seed;
        let sorted = |texts: &[String]| {
            let mut texts = texts.to_vec();
            texts.sort();
            texts
        };
        let wanted = |word: &str, count: usize| {
            sorted(&(0..count).map(|number| format!("{word} {number}")).collect::<Vec<_>>())
        };
        assert_eq!(sorted(&self.delivered), wanted("out", TEXTS_OUT), "seed {seed}: sent");
        assert_eq!(sorted(&self.received), wanted("in", TEXTS_IN), "seed {seed}: received");
        // And the modem has nothing left: the storage says so when it is asked.
        let number = self.rack.number(0).unwrap();
        assert_eq!(self.rack.network().waiting_for(number), 0, "seed {seed}: waits in the network");
        self.rack.read(0, b"AT+CPMS?\r", self.now);
        self.rack.handle_timeout(self.now + Duration::from_secs(10));
        let said: Vec<u8> = std::iter::from_fn(|| self.rack.poll_output())
            .flat_map(|output| if let RackOutput::Bytes(_, bytes) = output { bytes } else { Vec::new() })
            .collect();
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("+CPMS: \"SM\",0,"), "seed {seed}: left in the modem: {said}");
    }
}
