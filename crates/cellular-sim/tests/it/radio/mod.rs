//! The simulated network at its ports: registration, messages, calls.
#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test"
)]

use bytes::Bytes;
use cellular_sim::radio::{Answering, Faults, Id, Network, PhoneEvent, Settings, Subscriber};
use dtu_proto::radio::{
    CallEnd, CallNews, Cell, ModemInput, ModemOutput, Operator, PhoneNumber, Registration, Signal,
    SimState, SubmitFailure,
};
use dtu_proto::time::{Duration, Instant};
use sms_codec::address::Address;
use sms_codec::pdu::{Outcome, Pdu, Submit, Tpdu};
use sms_codec::user_data::{Body, UserData};

mod calls;
mod faults;
mod messages;

const FRIEND: &str = "+8613912345678";

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::new(text).unwrap()
}

/// A network, its clock, and everything that it said.
struct Bench {
    network: Network,
    now: Instant,
    modem: Id,
    news: Vec<(Id, ModemInput)>,
    heard: Vec<PhoneEvent>,
    /// Whether messages are taken as they come.
    takes: bool,
}

impl Bench {
    fn new(settings: Settings) -> Self {
        let mut network = Network::new(1, settings);
        let modem = network.add(Subscriber::default(), Instant::ZERO);
        let mut bench = Self {
            network,
            now: Instant::ZERO,
            modem,
            news: Vec::new(),
            heard: Vec::new(),
            takes: true,
        };
        bench.run(0);
        bench
    }

    fn own(&self) -> PhoneNumber {
        self.network.subscriber(self.modem).number.unwrap()
    }

    fn run(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        loop {
            self.drain();
            let Some(at) = self.network.poll_timeout().filter(|at| *at <= end) else {
                break;
            };
            assert!(
                at >= self.now,
                "a deadline in the past: {at:?} at {:?}",
                self.now
            );
            self.now = at;
            self.network.handle_timeout(at);
        }
        self.now = end;
        self.network.handle_timeout(end);
    }

    fn drain(&mut self) {
        while let Some((id, news)) = self.network.poll_event() {
            if let (true, ModemInput::Message { id: number, .. }) = (self.takes, &news) {
                self.network
                    .handle_order(id, &ModemOutput::Taken(*number), self.now);
            }
            self.news.push((id, news));
        }
        while let Some(news) = self.network.poll_phone_event() {
            self.heard.push(news);
        }
    }

    fn order(&mut self, order: ModemOutput) {
        self.network.handle_order(self.modem, &order, self.now);
        self.drain();
    }

    fn submit(&mut self, token: u32, to: &str, text: &str, change: impl Fn(&mut Submit)) {
        let data = UserData::plain(Body::text(text));
        let mut submit = Submit::new(Address::number(to).unwrap(), data);
        submit.reference = u8::try_from(token).unwrap();
        change(&mut submit);
        let pdu = Pdu {
            smsc: None,
            tpdu: Tpdu::Submit(submit),
        }
        .encode()
        .unwrap();
        self.order(ModemOutput::Submit {
            token,
            pdu: Bytes::from(pdu),
        });
    }

    fn submitted(&self) -> Vec<(u32, Result<u8, SubmitFailure>)> {
        let answers = self.news.iter().filter_map(|(_, news)| match news {
            ModemInput::Submitted { token, outcome } => Some((*token, *outcome)),
            _ => None,
        });
        answers.collect()
    }

    /// Messages at the modem: how many times told, what they say.
    fn messages(&self) -> Vec<(u64, Tpdu)> {
        let messages = self.news.iter().filter_map(|(_, news)| match news {
            ModemInput::Message { id, pdu } => Some((*id, Pdu::decode(pdu).unwrap().pdu.tpdu)),
            _ => None,
        });
        messages.collect()
    }

    fn texts(&self) -> Vec<String> {
        self.messages()
            .iter()
            .filter_map(|(_, tpdu)| tpdu.data()?.text())
            .collect()
    }

    fn phone_texts(&self) -> Vec<String> {
        let texts = self.heard.iter().filter_map(|news| match news {
            PhoneEvent::Text { data, .. } => data.text(),
            _ => None,
        });
        texts.collect()
    }

    fn calls(&self) -> Vec<CallNews> {
        let calls = self.news.iter().filter_map(|(id, news)| match news {
            ModemInput::Call(news) if *id == self.modem => Some(*news),
            _ => None,
        });
        calls.collect()
    }
}
