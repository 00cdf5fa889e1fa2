//! A modem that brings and takes messages, and a disk that keeps the mailbox.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

use std::collections::VecDeque;

use bytes::Bytes;
use dtu_proto::config::Config;
use dtu_proto::event::{Input, ModemInput, StoreInput};
use dtu_proto::radio::{Abilities, ModemIdentity, PhoneNumber, Registration, SubmitFailure};
use sms_codec::address::Address;
use sms_codec::dcs::Dcs;
use sms_codec::pdu::{Deliver, Pdu, Status, StatusReport, Submit, Tpdu};
use sms_codec::split::split;
use sms_codec::time::{Civil, TimeStamp};
use sms_codec::udh::{Header, Reference};
use sms_codec::user_data::{Body, UserData};

use super::Bench;

/// What the modem and the disk know.
#[derive(Default)]
pub struct Post {
    /// Messages that the device said are safe.
    pub taken: Vec<u64>,
    next_id: u64,
    seconds: u32,
    /// Parts that the network took, oldest first.
    pub sent: VecDeque<Submit>,
    /// What the network answers to the next parts; behind these it takes all.
    pub answers: VecDeque<Result<u8, SubmitFailure>>,
    /// The modem keeps what it is given, and does not answer.
    pub silent: bool,
    /// What it was given and has not answered.
    pub unanswered: VecDeque<(u32, Bytes)>,
    /// All PDUs that it was ever given.
    pub given: Vec<Bytes>,
    /// What is on the disk.
    pub disk: String,
    /// Answers of the disk wait.
    pub slow_disk: bool,
    waiting: Option<(u64, String)>,
    pub sets: u32,
}

pub fn number(text: &str) -> PhoneNumber {
    PhoneNumber::new(text).unwrap()
}

pub fn submit_of(pdu: &[u8]) -> Submit {
    match Pdu::decode(pdu).unwrap().pdu.tpdu {
        Tpdu::Submit(submit) => submit,
        Tpdu::Deliver(_) | Tpdu::StatusReport(_) => panic!("not to be sent"),
    }
}

pub fn report(to: &str, reference: u8) -> Bytes {
    let (to, stamp) = (Address::number(to).unwrap(), stamp(0));
    let report = StatusReport {
        no_more: true,
        forwarded: false,
        of_command: false,
        reference,
        to,
        stamp,
        discharge: stamp,
        status: Status(0),
        pid: None,
        dcs: None,
        data: None,
    };
    Bytes::from(
        Pdu {
            smsc: None,
            tpdu: Tpdu::StatusReport(report),
        }
        .encode()
        .unwrap(),
    )
}

/// 2014-09-10, so many seconds after 15:00:00, in China.
pub fn stamp(seconds: u32) -> TimeStamp {
    let part = |value: u32| u8::try_from(value).unwrap();
    let (hour, minute, second) = (15 + seconds / 3600, seconds / 60 % 60, seconds % 60);
    let (hour, minute, second) = (part(hour), part(minute), part(second));
    TimeStamp::of(Civil {
        year: 2014,
        month: 9,
        day: 10,
        hour,
        minute,
        second,
        zone: 32,
    })
    .unwrap()
}

pub fn deliver(from: Address, data: UserData, stamp: TimeStamp) -> Bytes {
    let dcs = Dcs::of(data.body.alphabet());
    let deliver = Deliver {
        no_more: true,
        forwarded: false,
        report: false,
        reply_path: false,
        from,
        pid: 0,
        dcs,
        stamp,
        data,
    };
    Bytes::from(
        Pdu {
            smsc: None,
            tpdu: Tpdu::Deliver(deliver),
        }
        .encode()
        .unwrap(),
    )
}

/// The parts of a long text.
pub fn parts(from: &str, body: Body, reference: u8, stamp: TimeStamp) -> Vec<Bytes> {
    let parts = split(body, Header::default(), Reference::Narrow(reference), 255).unwrap();
    parts
        .into_iter()
        .map(|data| deliver(Address::number(from).unwrap(), data, stamp))
        .collect()
}

impl Bench {
    /// A device in this configuration, its modem registered.
    pub fn with_modem(config: Config) -> Self {
        let mut bench = Self::new(config);
        bench.modem_comes();
        bench
    }

    pub fn modem_comes(&mut self) -> &mut Self {
        let identity = ModemIdentity {
            imei: "135790246811220".into(),
            imsi: "460023633887978".into(),
            model: "bench".into(),
            abilities: Abilities {
                messages: true,
                calls: true,
            },
        };
        self.news(ModemInput::Present(identity));
        self.news(ModemInput::ServiceCenter(Some(number("8613800531500"))));
        self.registered(true)
    }

    pub fn registered(&mut self, is: bool) -> &mut Self {
        self.news(ModemInput::Registration(if is {
            Registration::Home
        } else {
            Registration::Searching
        }))
    }

    pub fn news(&mut self, news: ModemInput) -> &mut Self {
        self.input(Input::Modem(&news))
    }

    /// The modem brings a PDU; its number.
    pub fn brings(&mut self, pdu: &Bytes) -> u64 {
        self.post.next_id += 1;
        let id = self.post.next_id;
        self.news(ModemInput::Message {
            id,
            pdu: pdu.clone(),
        });
        id
    }

    /// A message of one or more parts, a second after the one before.
    pub fn sms_from(&mut self, from: &str, text: &str) -> &mut Self {
        self.body_from(from, Body::text(text))
    }

    pub fn body_from(&mut self, from: &str, body: Body) -> &mut Self {
        self.post.seconds += 1;
        let reference = u8::try_from(self.post.seconds % 256).unwrap();
        for part in parts(from, body, reference, stamp(self.post.seconds)) {
            self.brings(&part);
        }
        self
    }

    pub fn named_sms_from(&mut self, from: &str, text: &str) -> &mut Self {
        self.post.seconds += 1;
        let data = UserData::plain(Body::text(text));
        let pdu = deliver(Address::name(from).unwrap(), data, stamp(self.post.seconds));
        self.brings(&pdu);
        self
    }

    /// Texts and receivers of what the network took since the last look, part for part.
    pub fn submits(&mut self) -> Vec<(String, String)> {
        let told = |submit: Submit| {
            (
                submit.to.to_string(),
                submit.data.text().unwrap_or_default(),
            )
        };
        self.post.sent.drain(..).map(told).collect()
    }

    /// The network took exactly this since the last look.
    #[track_caller]
    pub fn network_takes(&mut self, expected: &[(&str, &str)]) -> &mut Self {
        let taken = self.submits();
        let taken: Vec<(&str, &str)> = taken
            .iter()
            .map(|(to, text)| (to.as_str(), text.as_str()))
            .collect();
        assert_eq!(taken, expected, "at {:?}", self.now);
        self
    }

    /// The modem answers what it has.
    pub fn modem_answers(&mut self) -> &mut Self {
        self.post.silent = false;
        while let Some((token, pdu)) = self.post.unanswered.pop_front() {
            self.answer(token, &pdu);
            self.drain();
        }
        self
    }

    /// The disk answers.
    pub fn disk_answers(&mut self) -> &mut Self {
        self.post.slow_disk = false;
        if let Some((number, text)) = self.post.waiting.take() {
            self.keep(number, text);
            self.drain();
        }
        self
    }

    pub(super) fn submit(&mut self, token: u32, pdu: Bytes) {
        assert!(self.post.unanswered.is_empty(), "two submits at once");
        self.post.given.push(pdu.clone());
        if self.post.silent {
            self.post.unanswered.push_back((token, pdu));
        } else {
            self.answer(token, &pdu);
        }
    }

    fn answer(&mut self, token: u32, pdu: &Bytes) {
        let outcome = self.post.answers.pop_front().unwrap_or(Ok(42));
        if outcome.is_ok() {
            self.post.sent.push_back(submit_of(pdu));
        }
        self.dtu.handle_input(
            Input::Modem(&ModemInput::Submitted { token, outcome }),
            self.now,
        );
    }

    pub(super) fn keep(&mut self, number: u64, text: String) {
        if self.post.slow_disk {
            self.post.waiting = Some((number, text));
            return;
        }
        self.post.sets += 1;
        let answer = if self.store_works {
            self.post.disk = text;
            StoreInput::MessagesSaved(number)
        } else {
            StoreInput::MessagesFailed("no space left on device")
        };
        self.dtu.handle_input(Input::Store(answer), self.now);
    }

    /// The program was killed and starts again with what is on the disk; the modem goes on, and so does the DTE.
    pub fn killed(&mut self, config: Config) -> &mut Self {
        let mut next = Self::new(config);
        assert_eq!(next.dtu.restore_messages(&self.post.disk), []);
        next.post = std::mem::take(&mut self.post);
        next.post.unanswered.clear();
        next.post.taken.clear();
        next.post.slow_disk = false;
        next.post.waiting = None;
        next.modem_comes();
        *self = next;
        self
    }

    pub fn days(&mut self, days: u64) -> &mut Self {
        self.wait(days * 86_400_000)
    }
}
