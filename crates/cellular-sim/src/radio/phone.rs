//! A phone: a subscriber without a modem here, whose owner is a test, a script or a person at the terminal.

use dtu_proto::radio::{CallEnd, PhoneNumber};
use dtu_proto::time::{Duration, Instant};
use sms_codec::address::Address;
use sms_codec::join::{Concatenation, Limits, Outcome, Part};
use sms_codec::pdu::{Deliver, StatusReport};
use sms_codec::udh::Header;
use sms_codec::user_data::{Body, UserData};

/// Phones that a network has at most; further numbers are not known.
pub(super) const PHONES_MAX: usize = 10_000;
/// The service that answers texts and calls.
pub(super) const SERVICE: &str = "10086";
/// The service that sends every text back.
pub(super) const ECHO: &str = "10001";

/// What a phone does when it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answering {
    /// It is answered after this time of ringing.
    After(Duration),
    /// It is busy.
    Busy,
    /// It rings, until [`Network::answer`](super::Network::answer).
    Rings,
    /// It is switched off: calls find nobody, and messages wait in the service centre.
    Off,
}

/// What an owner of a phone sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneEvent {
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

impl PhoneEvent {
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
    pub(super) service: Service,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
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
    pub(super) fn take(&mut self, deliver: &Deliver, now: Instant) -> Option<(UserData, usize)> {
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
