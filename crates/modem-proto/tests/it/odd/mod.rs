//! Modems that nobody would believe: each oddity of the field as a script, by its row.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

use crate::common;
use bytes::Bytes;
use cellular_sim::modem::{Oddities, Rack, RackOutput, Setup};
use cellular_sim::radio::{PhoneEvent, Verb};
use common::{Bench, PDU};
use dtu_proto::config::Apn;
use dtu_proto::radio::{
    CallEnd, CallNews, Cell, ModemInput, ModemOutput, PhoneNumber, Registration, SubmitFailure,
};
use dtu_proto::time::{Duration, Instant};
use modem_proto::{Event, Input, Limitation, Modem, Output, Settings};
use sms_codec::address::Address;
use sms_codec::pdu::{Pdu, Submit, Tpdu};
use sms_codec::user_data::{Body, UserData};

mod calls;
mod sending;
mod storage;
mod text_mode;
mod whole;

fn bench(change: impl FnOnce(&mut Bench)) -> Bench {
    let mut bench = Bench::new(Settings::default());
    change(&mut bench);
    bench.open();
    bench.run(30);
    bench
}

fn lacks(bench: &Bench) -> Vec<Limitation> {
    let one = |event: &Event| {
        if let Event::Limitation(lack) = event {
            Some(*lack)
        } else {
            None
        }
    };
    bench.events.iter().filter_map(one).collect()
}

fn stored(bench: &mut Bench) {
    bench.device.storage.insert(2, (0, PDU.into()));
    bench.says("+CMTI: \"SM\",2");
    bench.run(40);
}

const PHONE: &str = "+8613900000002";

const SM: &str = "AT+CPMS=\"SM\"";

/// The dialogue with the simulated modem.
struct Sim {
    rack: Rack,
    modem: Modem,
    now: Instant,
    news: Vec<ModemInput>,
    events: Vec<Event>,
    commands: usize,
    /// The phones that a message has reached.
    delivered: Vec<PhoneNumber>,
}

impl Sim {
    /// The dialogue of so many seconds.
    fn run(odd: &str, seconds: u64) -> Self {
        let mut rack = Rack::new(1, cellular_sim::radio::Settings::default());
        let odd = Oddities::parse(odd).unwrap();
        rack.add(
            Setup {
                odd,
                ..Setup::default()
            },
            cellular_sim::radio::Subscriber::default(),
            Instant::ZERO,
        );
        let mut modem = Modem::new(Settings::default(), Instant::ZERO);
        modem.handle_input(Input::Opened, Instant::ZERO);
        let (news, events) = (Vec::new(), Vec::new());
        let mut sim = Self {
            rack,
            modem,
            now: Instant::ZERO,
            news,
            events,
            commands: 0,
            delivered: Vec::new(),
        };
        sim.run_on(seconds);
        sim
    }

    fn run_on(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while self.now < end {
            self.carry_out();
            let modem = self.modem.poll_timeout().map(|deadline| deadline.at);
            let next = [modem, self.rack.poll_timeout()]
                .into_iter()
                .flatten()
                .min()
                .unwrap_or(end);
            self.now = next.clamp(self.now, end);
            self.rack.handle_timeout(self.now);
            self.modem.handle_timeout(self.now);
        }
        self.carry_out();
    }

    fn carry_out(&mut self) {
        loop {
            if let Some(output) = self.modem.poll_output() {
                self.obey(output);
            } else if let Some(output) = self.rack.poll_output() {
                match output {
                    RackOutput::Bytes(_, bytes) => {
                        self.modem.handle_input(Input::Bytes(&bytes), self.now)
                    }
                    RackOutput::Phone(PhoneEvent::Text { phone, .. }) => self.delivered.push(phone),
                    _ => {}
                }
            } else {
                return;
            }
        }
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::Write(bytes) => {
                self.commands += 1;
                self.rack.read(0, &bytes, self.now);
            }
            Output::Report(news) => {
                if let ModemInput::Message { id, .. } = &news {
                    self.order(&ModemOutput::Taken(*id));
                }
                self.news.push(news);
            }
            Output::Event(event) => self.events.push(event),
            Output::Reopen => self.modem.handle_input(Input::Opened, self.now),
        }
    }

    fn order(&mut self, order: &ModemOutput) {
        self.modem.handle_input(Input::Order(order), self.now);
    }

    fn submit(&mut self, token: u32) -> Option<Result<u8, SubmitFailure>> {
        let data = UserData {
            header: None,
            body: Body::text("out"),
        };
        let submit = Submit::new(Address::number(PHONE).unwrap(), data);
        let pdu = Pdu {
            smsc: None,
            tpdu: Tpdu::Submit(submit),
        }
        .encode()
        .unwrap();
        self.order(&ModemOutput::Submit {
            token,
            pdu: Bytes::from(pdu),
        });
        self.run_on(60);
        self.news.iter().find_map(|news| match news {
            ModemInput::Submitted { token: of, outcome } if *of == token => Some(*outcome),
            _ => None,
        })
    }

    fn lacks(&self) -> Vec<Limitation> {
        self.modem.limitations().collect()
    }
}
