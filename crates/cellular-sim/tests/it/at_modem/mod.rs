//! Dialogues with the simulated AT modem, one command group after the other, and its faults.
#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test"
)]

use cellular_sim::modem::{Dialect, Rack, RackOutput, Setup};
use cellular_sim::radio::{PhoneEvent, Script, Settings, Subscriber};
use dtu_proto::time::{Duration, Instant};
use sms_codec::address::Address;
use sms_codec::hex;
use sms_codec::pdu::{Pdu, Submit, Tpdu};
use sms_codec::user_data::{Body, UserData};

mod calls;
mod general;
mod messages;
mod traps;

/// A host at the first modem's line.
struct Host {
    rack: Rack,
    now: Instant,
    seen: Vec<String>,
    others: Vec<RackOutput>,
}

impl Host {
    fn new(setup: Setup) -> Self {
        let mut rack = Rack::new(1, Settings::default());
        rack.add(setup, Subscriber::default(), Instant::ZERO);
        let mut host = Self {
            rack,
            now: Instant::ZERO,
            seen: vec![String::new()],
            others: Vec::new(),
        };
        host.drain();
        host
    }

    fn generic() -> Self {
        let mut host = Self::new(Setup::default());
        host.say("ATE0");
        host
    }

    fn add(&mut self) -> usize {
        self.seen.push(String::new());
        self.rack
            .add(Setup::default(), Subscriber::default(), self.now)
    }

    fn drain(&mut self) {
        while let Some(output) = self.rack.poll_output() {
            match output {
                RackOutput::Bytes(modem, bytes) => {
                    self.seen[modem] += &String::from_utf8(bytes).unwrap()
                }
                other => self.others.push(other),
            }
        }
    }

    fn run(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(at) = self.rack.poll_timeout().filter(|at| *at <= end) {
            assert!(at >= self.now, "a deadline in the past");
            self.now = at;
            self.rack.handle_timeout(at);
            self.drain();
        }
        self.now = end;
        self.rack.handle_timeout(end);
        self.drain();
    }

    /// What a modem said since it was last asked.
    fn heard_of(&mut self, modem: usize) -> String {
        std::mem::take(&mut self.seen[modem])
    }

    fn heard(&mut self) -> String {
        self.heard_of(0)
    }

    fn type_at(&mut self, modem: usize, bytes: &[u8]) -> String {
        self.rack.read(modem, bytes, self.now);
        self.drain();
        self.heard_of(modem)
    }

    /// A line, and what is said at once.
    fn say(&mut self, line: &str) -> String {
        self.type_at(0, format!("{line}\r").as_bytes())
    }

    fn does(&mut self, line: &str) {
        let (modem, verb) = Script::parse_now(line).unwrap().unwrap();
        self.rack.carry_out(modem, &verb, self.now);
        self.drain();
    }

    fn phone_texts(&self) -> Vec<String> {
        let texts = self.others.iter().filter_map(|output| match output {
            RackOutput::Phone(PhoneEvent::Text { data, .. }) => data.text(),
            _ => None,
        });
        texts.collect()
    }

    fn get_text(&mut self, text: &str) {
        self.does(&format!("sms from +8613912345678 \"{text}\""));
        self.run(1000);
    }
}

fn ok(lines: &str) -> String {
    format!("\r\n{}\r\n\r\nOK\r\n", lines.replace('\n', "\r\n"))
}

fn pdu(to: &str, text: &str, change: impl Fn(&mut Submit)) -> (usize, String) {
    let data = UserData::plain(Body::text(text));
    let mut submit = Submit::new(Address::number(to).unwrap(), data);
    change(&mut submit);
    let octets = Pdu {
        smsc: None,
        tpdu: Tpdu::Submit(submit),
    }
    .encode()
    .unwrap();
    (octets.len() - 1, hex::encode(&octets))
}
