//! A modem that brings and takes messages.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

use alloc::collections::VecDeque;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use bytes::Bytes;
use core::mem::take;
use sms_codec::address::Address;
use sms_codec::pdu::Submit;
use sms_codec::user_data::{Body, UserData};

use super::Bench;
use super::pdu::{deliver, number, parts, stamp, submit_of};
use crate::config::Config;
use crate::event::{ModemInput, ModemOutput};
use crate::radio::{Abilities, ModemIdentity, Registration, SubmitFailure};
use crate::record::OwnedInput;

/// The modem, and the network that takes its messages.
#[derive(Default)]
pub struct Modem {
    /// How often it was reset.
    pub resets: u32,
    /// Orders other than those of messages; all orders, where `outside` is set.
    pub orders: Vec<ModemOutput>,
    /// The test has a modem of its own, and carries the orders out.
    pub outside: bool,
    /// Messages that the device said are safe.
    pub taken: Vec<u64>,
    /// Parts that the network took, oldest first.
    pub sent: VecDeque<Submit>,
    /// What the network answers to the next parts; behind these it takes all.
    pub answers: VecDeque<Result<u8, SubmitFailure>>,
    /// It keeps what it is given, and does not answer.
    pub silent: bool,
    /// What it was given and has not answered.
    pub unanswered: VecDeque<(u32, Bytes)>,
    /// All PDUs that it was ever given.
    pub given: Vec<Bytes>,
    next_id: u64,
    seconds: u32,
}

impl Bench {
    /// A device in this configuration, its modem registered.
    #[must_use]
    pub fn with_modem(config: Config) -> Self {
        let mut bench = Self::new(config);
        bench.modem_comes();
        bench
    }

    /// A modem that is registered is there.
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

    /// The modem has a network, or looks for one.
    pub fn registered(&mut self, is: bool) -> &mut Self {
        self.news(ModemInput::Registration(if is {
            Registration::Home
        } else {
            Registration::Searching
        }))
    }

    /// The modem brings a PDU; its number.
    pub fn brings(&mut self, pdu: &Bytes) -> u64 {
        self.modem.next_id += 1;
        let id = self.modem.next_id;
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

    /// The same of any alphabet.
    ///
    /// # Panics
    /// `from` is no number.
    pub fn body_from(&mut self, from: &str, body: Body) -> &mut Self {
        let seconds = self.next_second();
        let reference = u8::try_from(seconds % 256).unwrap();
        for part in parts(from, body, reference, stamp(seconds)) {
            self.brings(&part);
        }
        self
    }

    /// A message of a sender that has a name for a number.
    ///
    /// # Panics
    /// `from` cannot be such a name.
    pub fn named_sms_from(&mut self, from: &str, text: &str) -> &mut Self {
        let stamp = stamp(self.next_second());
        let data = UserData::plain(Body::text(text));
        self.brings(&deliver(Address::name(from).unwrap(), data, stamp));
        self
    }

    /// Receivers and texts of what the network took since the last look, part for part.
    pub fn submits(&mut self) -> Vec<(String, String)> {
        let told = |submit: Submit| {
            (
                submit.to.to_string(),
                submit.data.text().unwrap_or_default(),
            )
        };
        self.modem.sent.drain(..).map(told).collect()
    }

    /// The network took exactly this since the last look.
    ///
    /// # Panics
    /// It took something else.
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
    #[track_caller]
    pub fn modem_answers(&mut self) -> &mut Self {
        self.modem.silent = false;
        while let Some((token, pdu)) = self.modem.unanswered.pop_front() {
            self.submitted(token, &pdu);
            self.drain();
        }
        self
    }

    /// The program was killed and starts again with what is on the disk; the modem goes on, and so does the DTE.
    ///
    /// # Panics
    /// The device does not understand the messages that it had stored itself.
    #[track_caller]
    pub fn killed(&mut self, config: Config) -> &mut Self {
        let mut next = Self::new(config);
        assert_eq!(next.dtu.restore_messages(&self.store.messages), []);
        next.modem = Modem {
            unanswered: VecDeque::new(),
            taken: Vec::new(),
            ..take(&mut self.modem)
        };
        next.store.messages = take(&mut self.store.messages);
        next.store.sets = self.store.sets;
        next.modem_comes();
        *self = next;
        self
    }

    /// Goes on by so many days.
    #[track_caller]
    pub fn days(&mut self, days: u64) -> &mut Self {
        self.wait(days * 86_400_000)
    }

    fn next_second(&mut self) -> u32 {
        self.modem.seconds += 1;
        self.modem.seconds
    }

    #[track_caller]
    pub(super) fn submit(&mut self, token: u32, pdu: Bytes) {
        assert!(self.modem.unanswered.is_empty(), "two submits at once");
        self.modem.given.push(pdu.clone());
        if self.modem.silent {
            self.modem.unanswered.push_back((token, pdu));
        } else {
            self.submitted(token, &pdu);
        }
    }

    fn submitted(&mut self, token: u32, pdu: &Bytes) {
        let outcome = self.modem.answers.pop_front().unwrap_or(Ok(42));
        if outcome.is_ok() {
            self.modem.sent.push_back(submit_of(pdu));
        }
        self.answers
            .push_back(OwnedInput::Modem(ModemInput::Submitted { token, outcome }));
    }
}
