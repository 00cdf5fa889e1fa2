//! The short message centre delivers: each message when it is due and its receiver is there, and again until it is taken.

use bytes::Bytes;
use dtu_proto::radio::{ModemInput, PhoneNumber};
use dtu_proto::time::{Duration, Instant};
use sms_codec::pdu::{Pdu, Status, StatusReport, Tpdu};

use super::center::HeldMessage;
use super::network::Network;
use super::phone::Answering;
use super::settings::{Id, Party};

impl Network {
    /// Messages that wait for that number, whether or not it was given them.
    #[must_use]
    pub fn waiting_for(&self, number: PhoneNumber) -> usize {
        let party = self.find(number);
        self.center
            .held
            .iter()
            .filter(|held| Some(held.to) == party)
            .count()
    }

    /// Messages and reports that the centre holds, for whomever.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.center.held.len()
    }

    /// A modem has taken a message.
    pub(super) fn taken(&mut self, modem: Id, id: u64, now: Instant) {
        let mut held = self.center.held.iter();
        let at = held.position(|held| held.to == Party::Modem(modem) && held.given.contains(&id));
        if let Some(at) = at {
            self.done(at, Status(0), now);
        }
        self.run_center(now);
    }

    /// The message at that place is done with.
    fn done(&mut self, at: usize, status: Status, now: Instant) {
        let held = self.center.held.remove(at);
        match status {
            Status(0) => self.counters.delivered += 1,
            Status(_) => self.counters.expired += 1,
        }
        let Some(wanted) = held.report else { return };
        let report = StatusReport {
            no_more: true,
            forwarded: false,
            of_command: false,
            reference: wanted.reference,
            to: wanted.to,
            stamp: wanted.stamp,
            discharge: self.stamp(now),
            status,
            pid: None,
            dcs: None,
            data: None,
        };
        let due = now + self.settings.delivery.draw(&mut self.rng);
        let times = (due, now + self.settings.keeps);
        self.center.hold(HeldMessage::new(
            held.to,
            held.from,
            Tpdu::StatusReport(report),
            times,
            None,
        ));
    }

    /// Everything that is due and whose receiver is there.
    pub(super) fn run_center(&mut self, now: Instant) {
        while let Some(at) = self.center.held.iter().position(|held| held.until <= now) {
            // 0x46: 23.040 9.2.3.15, the validity period has expired.
            self.done(at, Status(0x46), now);
        }
        while let Some(at) = self.next_due(now) {
            match self.center.held.get(at).map(|held| held.to) {
                Some(Party::Modem(modem)) => self.give(modem, at, now),
                Some(Party::Phone(phone)) => {
                    let tpdu = self.center.held.get(at).map(|held| held.tpdu.clone());
                    self.done(at, Status(0), now);
                    if let Some(tpdu) = tpdu {
                        self.phone_takes(phone, &tpdu, now);
                    }
                }
                None => return,
            }
        }
    }

    fn next_due(&self, now: Instant) -> Option<usize> {
        self.center
            .held
            .iter()
            .position(|held| self.due_of(held).is_some_and(|due| due <= now))
    }

    /// When it can be given to its receiver, as things are.
    fn due_of(&self, held: &HeldMessage) -> Option<Instant> {
        match held.to {
            Party::Phone(phone) => self
                .phones
                .get(phone)
                .filter(|phone| phone.answering != Answering::Off)
                .map(|_| held.due),
            Party::Modem(modem) => {
                let port = self
                    .ports
                    .get(modem.0)
                    .filter(|port| port.takes_messages())?;
                match held.again {
                    Some(again) => Some(again),
                    None => {
                        (self.center.count_given(modem) < port.subscriber.room).then_some(held.due)
                    }
                }
            }
        }
    }

    fn give(&mut self, modem: Id, at: usize, now: Instant) {
        let smsc = self.center_address(modem);
        let id = self.center.next_id;
        let again = now + self.settings.repeat_after.max(Duration::from_secs(1));
        let Some(held) = self.center.held.get_mut(at) else {
            return;
        };
        self.center.next_id += 1;
        if !held.given.is_empty() {
            self.counters.repeated += 1;
        }
        held.given.push(id);
        held.again = Some(again);
        // What it was given is always what a centre could have sent, so this does not fail.
        let pdu = Pdu {
            smsc,
            tpdu: held.tpdu.clone(),
        }
        .encode()
        .unwrap_or_default();
        self.events.push_back((
            modem,
            ModemInput::Message {
                id,
                pdu: Bytes::from(pdu),
            },
        ));
    }

    pub(super) fn center_timeout(&self) -> Option<Instant> {
        let due = self.center.held.iter().filter_map(|held| self.due_of(held));
        let until = self.center.held.iter().map(|held| held.until);
        due.chain(until).min()
    }
}
