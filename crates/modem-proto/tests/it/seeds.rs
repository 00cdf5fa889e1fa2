//! Against the simulated AT modem, in virtual time, with faults of modem and network as a seed says: every message of
//! the network comes here once, and every message of ours goes out once.
//!
//! `SEED=7 cargo test -p modem-proto --test it seeds -- --nocapture` runs one seed and prints its dialogue;
//! `SEEDS=5000` runs so many.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

use std::collections::BTreeSet;

use bytes::Bytes;
use cellular_sim::modem::{RackOutput, Setup};
use cellular_sim::radio::{Faults, Settings as Network, Span};
use dtu_proto::radio::{ModemInput, ModemOutput, SubmitFailure};
use dtu_proto::time::Duration;
use modem_proto::{Pin, Settings};
use sms_codec::address::Address;
use sms_codec::pdu::{Pdu, Submit, Tpdu};
use sms_codec::user_data::{Body, UserData};

use crate::dice::{Dice, for_each_seed};
use crate::pump::{Host, PHONE, Pump, assert_each_once};

const TEXTS_IN: usize = 12;
const TEXTS_OUT: usize = 10;

#[test]
fn every_message_arrives_once_whatever_modem_and_network_do() {
    for_each_seed(200, run);
}

fn run(seed: u64, talks: bool) {
    let network = Network {
        registration: Span::millis(0, 20_000),
        faults: Faults {
            overtaken: 5,
            ..Faults::default()
        },
        ..Network::default()
    };
    let pin = seed.is_multiple_of(2).then(|| "1234".to_owned());
    let places = Dice(seed ^ 1).throw(2..=20) as usize;
    let settings = Settings {
        pin: Pin::new("1234"),
        ..Settings::default()
    };
    let mut pump = Pump::new(
        seed,
        talks,
        network,
        Setup {
            pin,
            places,
            ..Setup::default()
        },
        settings,
    );
    pump.plan(Duration::from_secs(1), Plan::Send);
    (0..TEXTS_IN).for_each(|number| pump.plan_text(format!("in {number}")));
    pump.plan_faults(25);
    pump.plan_restart();
    let mut user = User::default();
    pump.run(&mut user);
    user.check(&mut pump);
}

#[derive(Debug)]
enum Plan {
    Take(u64),
    Send,
}

/// Takes every message, and sends some, one after the other.
#[derive(Default)]
struct User {
    /// What came, by its PDU: the mailbox knows a message that comes again.
    seen: BTreeSet<Vec<u8>>,
    received: Vec<String>,
    /// The message on its way out, and whether its answer is awaited.
    sending: usize,
    awaits: bool,
    token: u32,
}

impl Host for User {
    type Plan = Plan;

    fn happens(&mut self, plan: Plan, pump: &mut Pump<Plan>) {
        match plan {
            Plan::Take(id) => pump.order(&ModemOutput::Taken(id)),
            Plan::Send => self.send(pump),
        }
    }

    fn restarted(&mut self, pump: &mut Pump<Plan>) {
        if std::mem::take(&mut self.awaits) {
            pump.plan(Duration::from_secs(5), Plan::Send);
        }
    }

    fn hear(&mut self, news: ModemInput, pump: &mut Pump<Plan>) {
        match news {
            ModemInput::Message { id, pdu } => {
                let Tpdu::Deliver(deliver) = Pdu::decode(&pdu).unwrap().pdu.tpdu else {
                    return;
                };
                if self.seen.insert(pdu.to_vec()) {
                    self.received.push(deliver.data.text().unwrap());
                }
                let after = pump.dice.seconds(0..=20);
                pump.plan(after, Plan::Take(id));
            }
            ModemInput::Submitted { token, outcome } if token == self.token => {
                self.awaits = false;
                match outcome {
                    Ok(_) | Err(SubmitFailure::DUPLICATE) => self.sending += 1,
                    Err(failure) => {
                        assert!(failure.is_temporary(), "seed {}: {failure}", pump.seed)
                    }
                }
                let after = pump.dice.seconds(1..=90);
                pump.plan(after, Plan::Send);
            }
            _ => {}
        }
    }
}

impl User {
    fn send(&mut self, pump: &mut Pump<Plan>) {
        if self.awaits || self.sending >= TEXTS_OUT {
            return;
        }
        let data = UserData {
            header: None,
            body: Body::text(&format!("out {}", self.sending)),
        };
        let mut submit = Submit::new(Address::number(PHONE).unwrap(), data);
        // So the service centre knows a repeat.
        submit.reject_duplicates = true;
        submit.reference = self.sending as u8;
        let pdu = Pdu {
            smsc: None,
            tpdu: Tpdu::Submit(submit),
        }
        .encode()
        .unwrap();
        self.token += 1;
        self.awaits = true;
        pump.order(&ModemOutput::Submit {
            token: self.token,
            pdu: Bytes::from(pdu),
        });
    }

    fn check(&self, pump: &mut Pump<Plan>) {
        let seed = pump.seed;
        assert_each_once(
            &pump.delivered,
            "out",
            TEXTS_OUT,
            &format!("seed {seed}: sent"),
        );
        assert_each_once(
            &self.received,
            "in",
            TEXTS_IN,
            &format!("seed {seed}: received"),
        );
        // And the modem has nothing left: the storage says so when it is asked.
        let rack = &mut pump.rack;
        let number = rack.number(0).unwrap();
        assert_eq!(
            rack.network().waiting_for(number),
            0,
            "seed {seed}: waits in the network"
        );
        rack.read(0, b"AT+CPMS?\r", pump.now);
        rack.handle_timeout(pump.now + Duration::from_secs(10));
        let said: Vec<u8> = std::iter::from_fn(|| rack.poll_output())
            .flat_map(|output| {
                if let RackOutput::Bytes(_, bytes) = output {
                    bytes
                } else {
                    Vec::new()
                }
            })
            .collect();
        let said = String::from_utf8(said).unwrap();
        assert!(
            said.contains("+CPMS: \"SM\",0,"),
            "seed {seed}: left in the modem: {said}"
        );
    }
}
