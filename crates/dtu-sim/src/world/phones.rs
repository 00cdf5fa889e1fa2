//! Phones around the device: they write, send commands and call, and receive what frames and commands must come to.

use cellular_sim::radio::PhoneEvent;
use dtu_proto::config::{FACTORY_PASSWORD, FactoryPassword};
use dtu_proto::radio::PhoneNumber;
use encoding_rs::GBK;
use sms_codec::address::Address;
use sms_codec::pdu::{Deliver, Tpdu};
use sms_codec::time::TimeStamp;
use sms_codec::udh::{Header, Ports};
use sms_codec::user_data::{Body, UserData};

use super::{Event, Rule, World};
use crate::SEC;
use crate::commands::{Action, Change};

/// Phones that write messages, and as many that send commands.
const PHONES: usize = 3;
/// Messages that go to the storage, in parts: fewer than it has places, for nobody reads them.
const STORED_MAX: u64 = 40;
/// Messages that a modem and the device together may hold back.
const WAITING_MAX: usize = 60;
/// Messages for applications: far fewer than the storage has places.
const PUSHES_MAX: u64 = 20;

pub(super) fn number(text: &str) -> PhoneNumber {
    // Only called with digits.
    PhoneNumber::new(text).unwrap_or_else(|| unreachable!("{text} is a number"))
}

/// Phones 0.. write messages, from [`PHONES`] on they send commands.
fn phone(place: usize) -> PhoneNumber {
    number(&format!("+86139000000{place:02}"))
}

fn place_of(number: PhoneNumber) -> Option<usize> {
    (0..2 * PHONES).find(|place| phone(*place) == number)
}

impl World {
    pub(super) fn on_phone_event(&mut self, event: PhoneEvent) {
        self.note("phone", None, 0, format!("{event:?}").as_bytes());
        let PhoneEvent::Text { phone, data, .. } = event else {
            return;
        };
        let judged = match place_of(phone) {
            Some(place) => self.ledger.sms.replied(place),
            None if self.scenario.radio.sms_mode => self.ledger.sms.arrived(phone.as_str(), &data),
            None => Err(format!("{phone} gets a message that nobody sent")),
        };
        self.hold(Rule::Messages, judged);
    }

    pub(super) fn send_sms(&mut self) {
        self.radio_again(self.scenario.radio.sms_every, Event::Sms);
        if self.healed || self.radio.network.waiting_for(self.radio.own()) > WAITING_MAX {
            return;
        }
        self.radio.sms_sent += 1;
        let place = self.radio.rng.size(0, PHONES - 1);
        let body = if self.scenario.radio.sms_mode {
            self.sms_to_line(place)
        } else {
            self.sms_to_store()
        };
        if let Some(body) = body {
            self.phone_sends(place, body);
        }
        if self.scenario.radio.sms_mode
            && self.radio.sms_sent.is_multiple_of(8)
            && self.radio.sms_sent / 8 <= PUSHES_MAX
        {
            self.push_to_port();
        }
    }

    /// A message for an application, of a phone that may command, with a command in it: it is stored, and neither
    /// printed nor run (M12). No two are alike.
    fn push_to_port(&mut self) {
        let text = format!("{},AT+CSQ", self.scenario.config.password);
        let ports = Ports {
            to: 2948,
            from: u16::try_from(self.radio.sms_sent).unwrap_or(0),
        };
        let data = UserData {
            header: Some(Header::default().with_ports(ports)),
            body: Body::text(&text),
        };
        let Some(from) = Address::number(phone(PHONES).as_str()) else {
            return;
        };
        let stamp = TimeStamp([0x62, 0x10, 0x10, 0, 0, 0, 0x23]);
        let deliver = Deliver::new(from, data, stamp);
        let (modem, now) = (self.radio.modem, self.clock());
        // A full centre has none for it.
        let _ = self
            .radio
            .network
            .inject(modem, Tpdu::Deliver(deliver), now);
        self.radio_moves();
    }

    /// Each message is another: a running number, in letters of GSM, of GBK, or as octets.
    fn sms_to_line(&mut self, place: usize) -> Option<Body> {
        let radio = &mut self.radio;
        // Where the disk fails parts may come again after their message is forgotten: there all messages are short.
        let most = if self.scenario.store_fails > 0 {
            60
        } else {
            500
        };
        let (kind, length) = (radio.rng.range(0, 9), radio.rng.wait(60).min(most));
        let head = format!("L{} ", radio.sms_sent);
        let tail = usize::try_from(length).unwrap_or(0);
        let (body, bytes) = match kind {
            0..=4 => {
                let text = head + &"abc, 42 ".repeat(tail / 8);
                (Body::text(&text), text.into_bytes())
            }
            5..=7 => {
                let text = head + &"泵温度".repeat(tail / 9);
                (Body::text(&text), GBK.encode(&text).0.into_owned())
            }
            _ => {
                let bytes = [head.into_bytes(), radio.rng.bytes(tail)].concat();
                (Body::Octets(bytes.clone()), bytes)
            }
        };
        self.ledger.sms.expect_print(place, bytes);
        Some(body)
    }

    fn sms_to_store(&mut self) -> Option<Body> {
        let text = format!("note {}", self.radio.sms_sent);
        if self.ledger.sms.to_store >= STORED_MAX {
            return None;
        }
        self.ledger.sms.to_store += 1;
        Some(Body::text(&text))
    }

    fn phone_sends(&mut self, place: usize, body: Body) {
        let (own, now) = (self.radio.own(), self.clock());
        if let Err(problem) = self.radio.network.send_body(phone(place), own, body, now) {
            self.break_rule(Rule::Messages, format!("phone {place}: {problem}"));
        }
        self.radio_moves();
    }

    /// A question with the right password; who sends it gets a reply.
    pub(super) fn send_command(&mut self) {
        self.radio_again(self.scenario.radio.command_every, Event::PhoneCommand);
        let password = self.scenario.config.password.clone();
        let off = self.scenario.options.factory_password == FactoryPassword::Off;
        if self.healed || (off && password == FACTORY_PASSWORD) {
            return;
        }
        // Two that are the same in the same second are one to the device.
        let second = self.now / SEC;
        if std::mem::replace(&mut self.radio.command_second, second) == second {
            return;
        }
        let place = PHONES + self.radio.rng.size(0, PHONES - 1);
        let query = self
            .radio
            .rng
            .pick(&["AT+CSQ", "AT+CIPNUM?", "AT+CIVER", "AT+NOSUCH", "AT"]);
        self.ledger.sms.owe(place);
        self.phone_sends(place, Body::text(&format!("{password},{query}")));
    }

    /// Where phones send commands nobody changes the password, for a message with the old one could be on its way.
    pub(super) fn keep_password(&self, (text, action): (String, Action)) -> (String, Action) {
        let changes = matches!(action, Action::Set(Change::Password(_)));
        if changes && self.scenario.radio.command_every > 0 {
            ("AT+CIVER".to_owned(), Action::Nothing)
        } else {
            (text, action)
        }
    }

    pub(super) fn phone_calls(&mut self) {
        self.radio_again(self.scenario.radio.call_every, Event::Call);
        if self.healed {
            return;
        }
        let (own, now) = (self.radio.own(), self.clock());
        // A phone that has a call, or hangs up without one, does nothing.
        let caller = number("+8613900000099");
        if self.radio.network.call(caller, own, now).is_ok() {
            let wait = self.radio.rng.range(1, 20) * SEC;
            self.after(wait, Event::CallEnds);
        }
        self.radio_moves();
    }

    pub(super) fn phone_hangs_up(&mut self) {
        let now = self.clock();
        let _ = self.radio.network.hang_up(number("+8613900000099"), now);
        self.radio_moves();
    }
}
