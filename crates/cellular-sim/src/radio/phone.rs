//! Phones: subscribers without a modem here, whose owner is a test, a script or a person at the terminal.

use dtu_proto::radio::{CallEnd, PhoneNumber};
use dtu_proto::time::{Duration, Instant};
use sms_codec::address::Address;
use sms_codec::join::{Concatenation, Limits, Outcome, Part};
use sms_codec::pdu::{Deliver, StatusReport, Tpdu};
use sms_codec::udh::Header;
use sms_codec::user_data::{Body, UserData};

use super::network::Network;

/// Phones that a network has at most; further numbers are not known.
pub(super) const PHONES_MAX: usize = 10_000;
/// News that wait to be looked at; beyond, the oldest is forgotten and counted.
const HEARD_MAX: usize = 4096;
/// The service that answers texts and calls.
const SERVICE: &str = "10086";
/// The service that sends every text back.
const ECHO: &str = "10001";

/// What a phone does when it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answering {
    /// It is answered after this time of ringing.
    After(Duration),
    /// It is busy.
    Busy,
    /// It rings, until [`Network::answer`].
    Rings,
    /// It is switched off: calls find nobody, and messages wait in the service centre.
    Off,
}

/// What an owner of a phone sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneNews {
    /// A message, its parts joined.
    Text {
        /// Whose phone.
        phone: PhoneNumber,
        /// The sender.
        from: Address,
        /// The content, in the units of its alphabet.
        data: UserData,
        /// Parts that it came in.
        parts: usize,
    },
    /// What became of a message that the phone had sent.
    Report {
        /// Whose phone.
        phone: PhoneNumber,
        /// The report.
        report: StatusReport,
    },
    /// It rings.
    Rings {
        /// Whose phone.
        phone: PhoneNumber,
        /// The caller.
        from: PhoneNumber,
    },
    /// The phone's owner has called, and the other side rings.
    Alerting {
        /// Whose phone.
        phone: PhoneNumber,
    },
    /// A call stands.
    Talking {
        /// Whose phone.
        phone: PhoneNumber,
    },
    /// A call is over.
    Ended {
        /// Whose phone.
        phone: PhoneNumber,
        /// Why.
        why: CallEnd,
    },
}

impl PhoneNews {
    /// Whose phone.
    #[must_use]
    pub const fn phone(&self) -> PhoneNumber {
        match self {
            Self::Text { phone, .. }
            | Self::Report { phone, .. }
            | Self::Rings { phone, .. }
            | Self::Alerting { phone }
            | Self::Talking { phone }
            | Self::Ended { phone, .. } => *phone,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Phone {
    pub(super) number: PhoneNumber,
    pub(super) answering: Answering,
    /// The 8-bit reference of its next long message.
    pub(super) reference: u8,
    parts: Concatenation<UserData, Instant>,
    service: Service,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    None,
    Answers,
    Echo,
}

impl Phone {
    pub(super) fn new(number: PhoneNumber) -> Self {
        let (service, answering) = match number.as_str() {
            SERVICE => (Service::Answers, Duration::from_secs(2)),
            ECHO => (Service::Echo, Duration::from_secs(2)),
            _ => (Service::None, Duration::from_secs(5)),
        };
        Self {
            number,
            answering: Answering::After(answering),
            reference: 0,
            parts: Concatenation::new(Limits::default()),
            service,
        }
    }

    /// The whole message, once its last part is there.
    fn take(&mut self, deliver: &Deliver, now: Instant) -> Option<(UserData, usize)> {
        while self.parts.expire(now).is_some() {}
        let Some(concat) = deliver.data.header.as_ref().and_then(Header::concat) else {
            return Some((deliver.data.clone(), 1));
        };
        let part = Part {
            sender: &deliver.from,
            concat,
            stamp: deliver.stamp,
            value: deliver.data.clone(),
        };
        match self.parts.insert(part, now).outcome {
            Outcome::Complete(parts) => {
                let count = parts.len();
                joined(parts).map(|data| (data, count))
            }
            Outcome::Waiting | Outcome::Duplicate => None,
        }
    }
}

/// The parts' content in one; the header of the first part tells the alphabet's tables.
fn joined(parts: Vec<UserData>) -> Option<UserData> {
    parts.into_iter().reduce(|whole, part| UserData {
        header: whole.header,
        body: append(whole.body, part.body),
    })
}

fn append(whole: Body, part: Body) -> Body {
    match (whole, part) {
        (Body::Septets(a), Body::Septets(b)) => Body::Septets([a, b].concat()),
        (Body::Ucs2(a), Body::Ucs2(b)) => Body::Ucs2([a, b].concat()),
        (Body::Octets(a), Body::Octets(b)) => Body::Octets([a, b].concat()),
        (whole, _) => whole,
    }
}

impl Network {
    /// News of phones, in their order.
    pub fn poll_phone(&mut self) -> Option<PhoneNews> {
        self.heard.pop_front()
    }

    pub(super) fn hear(&mut self, news: PhoneNews) {
        if self.heard.len() >= HEARD_MAX {
            self.heard.pop_front();
            self.counters.unheard += 1;
        }
        self.heard.push_back(news);
    }

    /// A message has reached a phone.
    pub(super) fn phone_takes(&mut self, phone: usize, tpdu: &Tpdu, now: Instant) {
        let Some(owner) = self.phones.get_mut(phone) else {
            return;
        };
        let number = owner.number;
        match tpdu {
            Tpdu::Deliver(deliver) => {
                let Some((data, parts)) = owner.take(deliver, now) else {
                    return;
                };
                let service = owner.service;
                self.serve(number, service, deliver, &data, now);
                self.hear(PhoneNews::Text {
                    phone: number,
                    from: deliver.from.clone(),
                    data,
                    parts,
                });
            }
            Tpdu::StatusReport(report) => {
                self.hear(PhoneNews::Report {
                    phone: number,
                    report: report.clone(),
                });
            }
            Tpdu::Submit(_) => {}
        }
    }

    /// What a service number does with a text.
    fn serve(
        &mut self,
        own: PhoneNumber,
        service: Service,
        deliver: &Deliver,
        data: &UserData,
        now: Instant,
    ) {
        let Some(asker) = PhoneNumber::new(&deliver.from.to_string()) else {
            return;
        };
        if [SERVICE, ECHO].contains(&asker.as_str()) {
            // Two services would talk without end.
            return;
        }
        let reply = match service {
            Service::None => return,
            Service::Echo => data.body.clone(),
            Service::Answers => {
                let text = data.text().unwrap_or_else(|| "(data)".to_owned());
                Body::text(&format!("{SERVICE}: received \"{}\"", text.trim_end()))
            }
        };
        // A service whose centre is full stays silent.
        let _ = self.send_body(own, asker, reply, now);
    }
}
