//! The whole way of a message in virtual time: equipment, device (mode 4), dialogue, AT modem, network, phone, and
//! back, while modem and network misbehave as a seed says. Each text arrives once.
//!
//! `SEED=7 cargo test -p modem-proto --test it whole -- --nocapture` runs one seed and prints its dialogue.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

use cellular_sim::modem::Setup;
use cellular_sim::radio::Settings as Network;
use dtu_proto::config::{Config, Options, WorkingMode};
use dtu_proto::event::{Input, SerialInput};
use dtu_proto::radio::ModemInput;
use dtu_proto::testing::Bench;
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};
use modem_proto::Settings;

use crate::dice::for_each_seed;
use crate::pump::{Host, PHONE, Pump, TROUBLE, assert_each_once};

const TEXTS: usize = 12;

#[test]
fn every_text_arrives_once_all_the_way() {
    for_each_seed(100, run);
}

fn run(seed: u64, talks: bool) {
    let mut pump = Pump::new(
        seed,
        talks,
        Network::default(),
        Setup::default(),
        Settings::default(),
    );
    for number in 0..TEXTS {
        pump.plan_text(format!("<in {number}>"));
        // Never so close that two are packed into one.
        let slot = TROUBLE.as_secs() / TEXTS as u64 * number as u64;
        let at = pump.dice.seconds(slot + 1..=slot + 200);
        pump.plan(at, Plan::Frame(number));
    }
    pump.plan_faults(20);
    let mut device = Device::new(seed);
    pump.run(&mut device);
    assert_each_once(&pump.delivered, "out", TEXTS, &format!("seed {seed}: sent"));
    let printed = device.dev.printed();
    for number in 0..TEXTS {
        let count = printed.matches(&format!("<in {number}>")).count();
        assert_eq!(count, 1, "seed {seed}: {number} in {printed}");
    }
}

#[derive(Debug)]
enum Plan {
    /// The equipment writes.
    Frame(usize),
    /// The disk has the messages.
    Saved,
}

struct Device {
    dev: Bench,
    /// `Plan::Saved` is planned.
    saves: bool,
}

impl Device {
    fn new(seed: u64) -> Self {
        let config = Config {
            mode: WorkingMode::Sms,
            sms_number: PHONE.into(),
            heartbeat_interval: 0,
            restart_time: 0,
            ..Config::default()
        };
        let options = Options {
            setup_window: Duration::ZERO,
            ..Options::default()
        };
        let dtu = Dtu::new(config, options, Identity::default(), seed, Instant::ZERO);
        let mut dev = Bench::off(dtu);
        (dev.modem.outside, dev.store.slow) = (true, true);
        dev.input(Input::Serial(SerialInput::Present));
        Self { dev, saves: false }
    }
}

impl Host for Device {
    type Plan = Plan;

    fn happens(&mut self, plan: Plan, pump: &mut Pump<Plan>) {
        self.dev.until(pump.now);
        match plan {
            Plan::Frame(number) => self.dev.serial(format!("out {number}")),
            Plan::Saved => {
                self.saves = false;
                self.dev.disk_answers()
            }
        };
        self.dev.store.slow = true;
    }

    fn hear(&mut self, news: ModemInput, pump: &mut Pump<Plan>) {
        self.dev.until(pump.now).news(news);
    }

    fn carry_out(&mut self, pump: &mut Pump<Plan>) -> bool {
        let orders = std::mem::take(&mut self.dev.modem.orders);
        orders.iter().for_each(|order| pump.order(order));
        if self.dev.store.waits() && !self.saves {
            self.saves = true;
            let after = pump.dice.seconds(0..=3);
            pump.plan(after, Plan::Saved);
        }
        for event in self.dev.events.drain(..).filter(|_| pump.talks) {
            println!("{:>10.3} device: {event:?}", pump.seconds());
        }
        !orders.is_empty()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.dev.dtu.poll_timeout().map(|deadline| deadline.at)
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.dev.until(now);
    }
}
