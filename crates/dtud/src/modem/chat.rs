//! What the phones of the simulated network have seen, as a person reads it: messages as a chat, and calls.

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use cellular_sim::radio::{PhoneEvent, Verb};
use dtu_proto::radio::PhoneNumber;
use serde::Serialize;
use sms_codec::pdu::{Pdu, Tpdu};

/// What somebody makes happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// A phone sends the device a text.
    Message {
        /// Its number.
        from: String,
        /// The text.
        text: String,
    },
    /// A phone calls the device.
    Call {
        /// Its number.
        from: String,
    },
    /// All phones with a call hang up.
    HangUp,
}

/// Messages and calls, the newest last; of too many the oldest goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Chat {
    /// The device's own number.
    phone: Option<String>,
    items: VecDeque<Item>,
    calls: VecDeque<Call>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Item {
    /// Milliseconds since 1970.
    at: u64,
    from: String,
    to: String,
    text: String,
    parts: usize,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Call {
    at: u64,
    number: String,
    state: &'static str,
    /// Why it is over.
    why: Option<String>,
}

impl Chat {
    pub(super) fn new(own: Option<PhoneNumber>) -> Self {
        Self {
            phone: own.map(|own| own.to_string()),
            items: VecDeque::new(),
            calls: VecDeque::new(),
        }
    }

    /// A phone has done this.
    pub(super) fn did(&mut self, verb: &Verb) {
        if let Verb::Text { from, text, .. } = verb {
            let to = self.phone.clone().unwrap_or_default();
            self.say(from.to_string(), to, text, 1, SENT);
        }
        if let Verb::Call { from, .. } = verb {
            self.call(*from, RINGING, None);
        }
    }

    /// A phone has seen this.
    pub(super) fn note(&mut self, news: &PhoneEvent) {
        match news {
            PhoneEvent::Text {
                phone,
                from,
                data,
                parts,
            } => {
                let text = data.text().unwrap_or_else(|| "(data)".to_owned());
                self.say(
                    from.to_string(),
                    phone.to_string(),
                    &text,
                    *parts,
                    "received",
                );
            }
            PhoneEvent::Rings { phone, .. } | PhoneEvent::Alerting { phone } => {
                self.call(*phone, RINGING, None);
            }
            PhoneEvent::Talking { phone } => self.call(*phone, "active", None),
            PhoneEvent::Ended { phone, why } => self.call(*phone, ENDED, Some(why.to_string())),
            PhoneEvent::Report { .. } => {}
        }
    }

    /// A message has reached the device: of a service number, or of a script. What this page's phone wrote is there.
    pub(super) fn came(&mut self, pdu: &[u8]) {
        let Ok(Tpdu::Deliver(deliver)) = Pdu::decode(pdu).map(|decoded| decoded.pdu.tpdu) else {
            return;
        };
        let text = deliver.data.text().unwrap_or_else(|| "(data)".to_owned());
        let from = deliver.from.to_string();
        let is_known = self
            .items
            .iter()
            .rev()
            .take(KNOWN)
            .any(|item| item.state == SENT && item.from == from && item.text.contains(&text));
        if !is_known {
            let to = self.phone.clone().unwrap_or_default();
            self.say(from, to, &text, 1, "delivered");
        }
    }

    /// The phones that have a call.
    pub(super) fn callers(&self) -> impl Iterator<Item = PhoneNumber> {
        self.calls
            .iter()
            .filter(|call| call.state != ENDED)
            .filter_map(|call| PhoneNumber::new(&call.number))
    }

    fn say(&mut self, from: String, to: String, text: &str, parts: usize, state: &'static str) {
        if self.items.len() >= ITEMS_MAX {
            self.items.pop_front();
        }
        self.items.push_back(Item {
            at: now(),
            from,
            to,
            text: text.chars().take(TEXT_MAX).collect(),
            parts,
            state,
        });
    }

    fn call(&mut self, number: PhoneNumber, state: &'static str, why: Option<String>) {
        let number = number.to_string();
        let known = self
            .calls
            .iter_mut()
            .find(|call| call.number == number && call.state != ENDED);
        if let Some(call) = known {
            (call.state, call.why) = (state, why);
            return;
        }
        if self.calls.len() >= CALLS_MAX {
            self.calls.pop_front();
        }
        self.calls.push_back(Call {
            at: now(),
            number,
            state,
            why,
        });
    }
}

pub(super) fn now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

const RINGING: &str = "ringing";
const SENT: &str = "sent";
/// Texts of phones that may be on their way.
const KNOWN: usize = 10;
const ENDED: &str = "ended";
const ITEMS_MAX: usize = 200;
const CALLS_MAX: usize = 20;
/// Characters of a text; ten parts have fewer.
pub(super) const TEXT_MAX: usize = 2000;

#[cfg(test)]
mod tests {
    use dtu_proto::radio::CallEnd;

    use super::*;

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::new(text).unwrap()
    }

    #[test]
    fn a_chat_keeps_the_newest_and_a_call_has_one_row() {
        let mut chat = Chat::new(Some(number("+8613800100001")));
        for count in 0..300 {
            chat.did(&Verb::Text {
                from: number("10086"),
                to: None,
                text: count.to_string(),
            });
        }
        assert_eq!(
            (chat.items.len(), chat.items[0].text.as_str()),
            (ITEMS_MAX, "100")
        );
        let phone = number("10010");
        chat.did(&Verb::Call {
            from: phone,
            to: None,
        });
        chat.note(&PhoneEvent::Alerting { phone });
        chat.note(&PhoneEvent::Talking { phone });
        assert_eq!(chat.callers().collect::<Vec<_>>(), [phone]);
        chat.note(&PhoneEvent::Ended {
            phone,
            why: CallEnd::HungUp,
        });
        assert_eq!((chat.calls.len(), chat.calls[0].state), (1, "ended"));
        assert_eq!(chat.callers().count(), 0);
        let json = serde_json::to_value(&chat).unwrap();
        assert_eq!(json["phone"], "+8613800100001");
        assert_eq!(json["items"][0]["from"], "10086");
    }
}
