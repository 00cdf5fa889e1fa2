//! What has come to a real modem, as a person reads it: whole messages, the newest last, and no password of a command.

use std::collections::VecDeque;

use dtu_proto::event::ModemInput;
use dtu_proto::time::Instant;
use serde_json::{Value, json};
use sms_codec::join::{Concatenation, Content, Limits, Outcome, Part, join};
use sms_codec::pdu::{Deliver, Pdu, Tpdu};
use sms_codec::time::TimeStamp;
use sms_codec::udh::Header;
use sms_codec::user_data::UserData;

use super::chat::{TEXT_MAX, now};

/// Messages that are kept.
const ITEMS_MAX: usize = 50;
/// Messages that are known when they come again, as they do after a reset of the modem.
const SEEN: usize = 128;

#[derive(Debug)]
pub(super) struct Inbox {
    phone: Option<String>,
    items: VecDeque<Item>,
    parts: Concatenation<UserData, Instant>,
    seen: VecDeque<(String, TimeStamp, UserData)>,
    /// Older ones that had to go.
    forgotten: u64,
}

#[derive(Debug)]
struct Item {
    /// Milliseconds since 1970: when it was here.
    at: u64,
    from: String,
    text: String,
    parts: usize,
    state: &'static str,
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self {
            phone: None,
            items: VecDeque::new(),
            parts: Concatenation::new(Limits {
                messages: 16,
                parts: 160,
                ..Limits::default()
            }),
            seen: VecDeque::new(),
            forgotten: 0,
        }
    }

    pub(super) fn heard(&mut self, news: &ModemInput, now: Instant) {
        if let ModemInput::OwnNumber(number) = news {
            self.phone = number.map(|number| number.to_string());
        }
        if let ModemInput::Message { pdu, .. } = news
            && let Ok(Tpdu::Deliver(deliver)) = Pdu::decode(pdu).map(|it| it.pdu.tpdu)
        {
            self.came(deliver, now);
        }
    }

    fn came(&mut self, deliver: Deliver, now: Instant) {
        let Deliver {
            from, stamp, data, ..
        } = deliver;
        while let Some(old) = self.parts.expire(now) {
            self.given_up(&old.sender.to_string(), old.parts);
        }
        let sender = from.to_string();
        let concat = data.header.as_ref().and_then(Header::concat);
        let Some(concat) = concat else {
            let news = (sender.clone(), stamp, data.clone());
            if self.seen.contains(&news) {
                return;
            }
            if self.seen.len() == SEEN {
                self.seen.pop_front();
            }
            self.seen.push_back(news);
            return self.push(&sender, &[data], RECEIVED);
        };
        let part = Part {
            sender: &from,
            concat,
            stamp,
            value: data,
        };
        let arrival = self.parts.insert(part, now);
        for broken in arrival.given_up {
            self.given_up(&broken.sender.to_string(), broken.parts);
        }
        if let Outcome::Complete(parts) = arrival.outcome {
            self.push(&sender, &parts, RECEIVED);
        }
    }

    fn given_up(&mut self, sender: &str, parts: Vec<Option<UserData>>) {
        let there: Vec<UserData> = parts.into_iter().flatten().collect();
        self.push(sender, &there, INCOMPLETE);
    }

    fn push(&mut self, from: &str, parts: &[UserData], state: &'static str) {
        let text = match join(parts) {
            Content::Text(text) => without_secrets(&text),
            Content::Octets(_) => "(data)".to_owned(),
        };
        if self.items.len() == ITEMS_MAX {
            self.items.pop_front();
            self.forgotten += 1;
        }
        self.items.push_back(Item {
            at: now(),
            from: from.to_owned(),
            text: text.chars().take(TEXT_MAX).collect(),
            parts: parts.len(),
            state,
        });
    }

    /// As `api/messages` tells it.
    pub(super) fn as_json(&self) -> Value {
        let to = self.phone.clone().unwrap_or_default();
        let item = |item: &Item| {
            json!({
                "at": item.at,
                "from": item.from,
                "to": to,
                "text": item.text,
                "parts": item.parts,
                "state": item.state,
            })
        };
        let items: Vec<Value> = self.items.iter().map(item).collect();
        json!({ "phone": self.phone, "items": items, "calls": [], "forgotten": self.forgotten })
    }
}

/// `psw,AT+CIPSW=new` shows neither.
fn without_secrets(text: &str) -> String {
    let shown = dtu_proto::shown_text(text.as_bytes());
    let shown = shown.map_or_else(
        || text.to_owned(),
        |shown| String::from_utf8_lossy(&shown).into_owned(),
    );
    let is_command = |rest: &str| {
        let head = rest.trim_start().get(..2);
        head.is_some_and(|head| head.eq_ignore_ascii_case("AT"))
    };
    match shown.split_once(',') {
        Some((_, rest)) if is_command(rest) => format!("****,{rest}"),
        Some(_) | None => shown,
    }
}

const RECEIVED: &str = "received";
const INCOMPLETE: &str = "parts missing";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sms_codec::address::Address;
    use sms_codec::split::split;
    use sms_codec::udh::Reference;
    use sms_codec::user_data::Body;

    use super::*;

    /// Its parts; the stamp tells it from others.
    fn message(from: &str, text: &str, stamp: u8) -> Vec<ModemInput> {
        let parts = split(
            Body::text(text),
            Header::default(),
            Reference::Narrow(stamp),
            10,
        );
        let of = |data| {
            let from = Address::number(from).unwrap();
            let stamp = TimeStamp([0x41, 0x90, 0x01, 0x51, 0, stamp, 0x23]);
            let tpdu = Tpdu::Deliver(Deliver::new(from, data, stamp));
            let pdu = Pdu { smsc: None, tpdu }.encode().unwrap().into();
            ModemInput::Message { id: 1, pdu }
        };
        parts.unwrap().into_iter().map(of).collect()
    }

    fn texts(inbox: &Inbox) -> Vec<String> {
        let told = inbox.as_json();
        let items = told["items"].as_array().unwrap().iter();
        items
            .map(|item| item["text"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn the_last_fifty_are_kept_and_the_others_counted() {
        let mut inbox = Inbox::new();
        for count in 0..60 {
            let news = message("10086", &count.to_string(), count);
            inbox.heard(&news[0], Instant::ZERO);
        }
        assert_eq!(texts(&inbox).len(), ITEMS_MAX);
        assert_eq!(texts(&inbox)[0], "10");
        assert_eq!(inbox.as_json()["forgotten"], 10);
        // The modem restarts, and reports what it still has.
        inbox.heard(&message("10086", "59", 59)[0], Instant::ZERO);
        assert_eq!(texts(&inbox).len(), ITEMS_MAX);
        assert_eq!(texts(&inbox).last().unwrap(), "59");
        assert_eq!(inbox.as_json()["forgotten"], 10);
    }

    #[test]
    fn a_long_message_is_one_and_one_with_a_hole_is_told_in_the_end() {
        let mut inbox = Inbox::new();
        let long = "泵".repeat(100);
        for part in message("10086", &long, 1).iter().rev() {
            inbox.heard(part, Instant::ZERO);
        }
        assert_eq!(texts(&inbox), std::slice::from_ref(&long));
        inbox.heard(&message("10086", &long, 2)[0], Instant::ZERO);
        assert_eq!(texts(&inbox).len(), 1);
        let later = Instant::ZERO + Duration::from_secs(25 * 3600);
        inbox.heard(&message("10086", "x", 9)[0], later);
        let told = inbox.as_json();
        assert_eq!(told["items"][1]["state"], "parts missing");
        assert_eq!(told["items"][0]["parts"], 2);
        assert_eq!(texts(&inbox)[2], "x");
    }

    #[test]
    fn a_command_shows_no_password() {
        assert_eq!(without_secrets("pump7,AT+CSQ"), "****,AT+CSQ");
        assert_eq!(
            without_secrets("pump7, at+cipsw=pump8"),
            "****,AT+CIPSW=****"
        );
        assert_eq!(without_secrets("pump7,ATW"), "****,ATW");
        assert_eq!(without_secrets("hello, world"), "hello, world");
        assert_eq!(without_secrets("+CSQ: 31,99"), "+CSQ: 31,99");
    }
}
