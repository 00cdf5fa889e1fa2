//! Messages of the modem: commands, texts for the line, messages for the storage.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use bytes::Bytes;
use sms_codec::address::Address;
use sms_codec::join::{Content, Outcome, Part, join};
use sms_codec::pdu::{Deliver, Pdu, StatusReport, Tpdu};
use sms_codec::udh::{Concat, Header, Ports};

use super::super::Dtu;
use super::Way;
use crate::at;
use crate::event::{Event, MessageLoss, Origin};
use crate::ids::PhoneNumber;
use crate::line::{LineState, Urc};
use crate::session;
use crate::sms::{self, LineKind, ReceivedPart, UnreadPdu};

impl Dtu {
    pub(super) fn receive(&mut self) {
        if self.mailbox.inbox.is_empty() || self.messages.looked == Some(self.conditions()) {
            return;
        }
        self.messages.blocked.clear();
        let mut waiting = VecDeque::new();
        for arrived in self.mailbox.inbox.take_all() {
            if !self.look_at(&arrived) {
                waiting.push_back(arrived);
            }
        }
        self.mailbox.inbox.put_back(waiting);
        self.messages.looked = Some(self.conditions());
    }

    /// False: it must wait.
    fn look_at(&mut self, arrived: &UnreadPdu) -> bool {
        if !self.mailbox.saving.has_room() {
            return false;
        }
        match Pdu::decode(&arrived.pdu) {
            Ok(decoded) => match decoded.pdu.tpdu {
                Tpdu::Deliver(deliver) => self.deliver(arrived, deliver),
                Tpdu::StatusReport(report) => self.report(arrived, &report),
                Tpdu::Submit(_) => {
                    self.unreadable(arrived, "it is a message to be sent".to_string())
                }
            },
            Err(error) => self.unreadable(arrived, error.to_string()),
        }
    }

    /// It stays with the modem (decisions 16.15), and is told once, however often the modem brings it.
    fn unreadable(&mut self, arrived: &UnreadPdu, why: String) -> bool {
        let digest = sms::digest_of(&arrived.pdu);
        if !self.mailbox.seen.knows(digest) {
            self.mailbox.seen.remember(digest);
            self.mailbox.changed();
            self.mailbox.counters.unreadable += 1;
            self.event(Event::MessageLost(MessageLoss::Unreadable(why)));
        }
        true
    }

    fn is_known(&mut self, arrived: &UnreadPdu, digest: u128) -> bool {
        // mutant: known-message
        let known = self.mailbox.seen.knows(digest);
        if known {
            self.mailbox.counters.received += 1;
            self.mailbox.counters.duplicates += 1;
            self.mailbox.take(&arrived.ids);
        }
        known
    }

    fn take_message(&mut self, arrived: &UnreadPdu, digest: u128) {
        self.mailbox.counters.received += 1;
        self.mailbox.seen.remember(digest);
        self.mailbox.take(&arrived.ids);
    }

    fn deliver(&mut self, arrived: &UnreadPdu, deliver: Deliver) -> bool {
        let digest = sms::digest(&deliver);
        if self.is_known(arrived, digest) {
            return true;
        }
        if !self.can_take(&deliver) {
            self.messages.blocked.push(self.way(&deliver));
            return false;
        }
        self.take_message(arrived, digest);
        // mutant: parts-join
        let concat = deliver
            .data
            .header
            .as_ref()
            .and_then(Header::concat)
            .filter(|concat| concat.total > 1);
        let until = self.now + sms::HOLD;
        let received = ReceivedPart {
            ids: arrived.ids.clone(),
            pdu: arrived.pdu.clone(),
            deliver,
            until,
        };
        match concat {
            Some(concat) => self.part(received, concat),
            None => self.whole(Vec::from([received]), true),
        }
        true
    }

    fn can_take(&self, deliver: &Deliver) -> bool {
        let is_part = deliver
            .data
            .header
            .as_ref()
            .and_then(Header::concat)
            .is_some();
        let command = !is_part
            && deliver.data.ports().is_none()
            && deliver.data.text().is_some_and(|text| {
                number_of(&deliver.from)
                    .is_some_and(|number| self.is_command(number, text.as_bytes()))
            });
        if command {
            return self.is_idle() && self.mailbox.saving.has_room();
        }
        let way = self.way(deliver);
        let room = match way {
            Way::Line | Way::Direct => self.mailbox.line.has_room(),
            Way::Storage => self.mailbox.has_room(self.now),
        };
        room && !self.messages.blocked.contains(&way)
            && self.mailbox.saving.has_room()
            && (self.is_idle() || !is_part)
    }

    fn way(&self, deliver: &Deliver) -> Way {
        let class = deliver.dcs.class();
        let direct = match self.config.messages.notify.messages {
            2 => class != Some(2),
            3 => class == Some(3),
            _ => false,
        };
        match self.messages_are_data() {
            // M12: a message to a port is for an application; the equipment could make nothing of it.
            // mutant: port-is-not-printed
            true if deliver.data.ports().is_some() => Way::Storage,
            true => Way::Line,
            false if direct && self.line.state() == LineState::OnlineCommand => Way::Direct,
            false => Way::Storage,
        }
    }

    fn part(&mut self, received: ReceivedPart, concat: Concat) {
        let (sender, stamp) = (received.deliver.from.clone(), received.deliver.stamp);
        let part = Part {
            sender: &sender,
            concat,
            stamp,
            value: received,
        };
        let arrival = self.mailbox.joiner.insert(part, self.now);
        for incomplete in arrival.given_up {
            self.incomplete(sms::in_order(incomplete.parts));
        }
        match arrival.outcome {
            Outcome::Complete(parts) => self.whole(parts, true),
            Outcome::Waiting => {}
            Outcome::Duplicate => self.mailbox.counters.duplicates += 1,
        }
    }

    /// Whether there is room for what an incomplete message has.
    pub(super) fn can_give_up(&self) -> bool {
        self.mailbox.overflow.is_empty() && self.mailbox.line.has_room()
    }

    /// Long messages whose parts did not come in time.
    pub(super) fn end_incomplete(&mut self) {
        let before = self.mailbox.joiner.counters().duplicates;
        while self.can_give_up()
            && let Some(incomplete) = self.mailbox.joiner.expire(self.now)
        {
            self.incomplete(sms::in_order(incomplete.parts));
        }
        let copies = self.mailbox.joiner.counters().duplicates - before;
        if copies > 0 {
            self.mailbox.counters.duplicates += copies;
            self.mailbox.changed();
        }
    }

    fn incomplete(&mut self, parts: Vec<ReceivedPart>) {
        self.mailbox.counters.incomplete += 1;
        self.mailbox.changed();
        let Some(first) = parts.first() else { return };
        let sender = first.deliver.from.to_string();
        self.event(Event::MessageLost(MessageLoss::Incomplete(sender)));
        self.whole(parts, false);
    }

    /// A message, put together: a command, text for the line, or for the storage.
    fn whole(&mut self, parts: Vec<ReceivedPart>, complete: bool) {
        let Some(first) = parts.first() else { return };
        let content = join(parts.iter().map(|part| &part.deliver.data));
        let (from, stamp, way) = (
            first.deliver.from.clone(),
            first.deliver.stamp,
            self.way(&first.deliver),
        );
        let ports = parts.iter().find_map(|part| part.deliver.data.ports());
        if let Some(Ports { to, .. }) = ports {
            self.event(Event::MessageToPort {
                from: from.to_string(),
                port: to,
            });
        }
        // mutant: port-is-no-command
        if let (true, None, Content::Text(text)) = (complete, ports, &content)
            && self.command_by_message(&from, text)
        {
            return self.done_with(&ids_of(&parts));
        }
        match way {
            Way::Line => self.message_for_line(&content, ids_of(&parts)),
            Way::Direct => {
                if ports.is_none() {
                    self.announce(&from, stamp, &content);
                }
                for part in parts {
                    let text = at::whole_text(&part.pdu, &self.config.messages);
                    self.messages.direct_since = self.now;
                    self.mailbox.line.push(LineKind::Notice, text, part.ids);
                }
            }
            Way::Storage => {
                let announced = match ports {
                    Some(_) => self.goes_unread(),
                    None => self.announce(&from, stamp, &content),
                };
                self.mailbox
                    .overflow
                    .extend(parts.into_iter().map(|part| (part.pdu, announced)));
                self.fill_storage();
            }
        }
    }

    fn message_for_line(&mut self, content: &Content, ids: Vec<u64>) {
        let bytes = match content {
            Content::Text(text) => sms::to_serial(text, self.options.charset),
            Content::Octets(octets) => octets.clone(),
        };
        self.last_received = self.now;
        self.led_driver.data(self.now);
        if bytes.is_empty() {
            self.mailbox.counters.printed += 1;
            self.done_with(&ids);
        } else {
            self.mailbox
                .line
                .push(LineKind::Data, Bytes::from(bytes), ids);
        }
    }

    /// Whether a message of this sender is a command with the right password, which is heard.
    fn is_command(&self, from: PhoneNumber, text: &[u8]) -> bool {
        let listed = self.options.sms_allow.is_empty() || self.options.sms_allow.contains(&from);
        listed && session::is_command(Origin::Sms(from), text, &self.config, &self.options)
    }

    fn command_by_message(&mut self, from: &Address, text: &str) -> bool {
        let Some(number) = number_of(from) else {
            return false;
        };
        if !self.options.sms_allow.is_empty() && !self.options.sms_allow.contains(&number) {
            return false;
        }
        let was_command = self.inline_command(Origin::Sms(number), text.as_bytes());
        self.mailbox.counters.commands += u64::from(was_command);
        was_command
    }

    fn report(&mut self, arrived: &UnreadPdu, report: &StatusReport) -> bool {
        let digest = sms::digest_of(&arrived.pdu);
        if self.is_known(arrived, digest) {
            return true;
        }
        let stores = self.config.messages.notify.reports == STORE_REPORTS && report.data.is_none();
        let room =
            !self.messages.blocked.contains(&Way::Storage) && self.mailbox.has_room(self.now);
        if stores && !room {
            self.messages.blocked.push(Way::Storage);
            return false;
        }
        self.take_message(arrived, digest);
        self.mailbox.counters.reports += 1;
        if stores {
            if let Some(place) = self.store(arrived.pdu.clone(), true) {
                self.indicate(Urc::Report { place });
            }
        } else if self.config.messages.notify.reports == 1 {
            let text = at::whole_text(&arrived.pdu, &self.config.messages);
            self.indicate(Urc::Text(text));
        }
        true
    }
}

/// What the modem calls the parts.
fn ids_of(parts: &[ReceivedPart]) -> Vec<u64> {
    parts.iter().flat_map(|part| &part.ids).copied().collect()
}

/// The number of a sender that has one.
fn number_of(from: &Address) -> Option<PhoneNumber> {
    if from.is_name() {
        None
    } else {
        PhoneNumber::new(&from.to_string())
    }
}

/// `CNMI` ds.
const STORE_REPORTS: u8 = 2;
