//! The short message centre: holds messages until their receiver has them.

use std::collections::VecDeque;

use bytes::Bytes;
use dtu_proto::radio::{ModemInput, PhoneNumber};
use dtu_proto::time::{Duration, Instant};
use sms_codec::address::Address;
use sms_codec::pdu::{Pdu, Status, StatusReport, Tpdu};
use sms_codec::time::TimeStamp;

use super::network::{Network, Party};
use super::phone::Answering;
use super::settings::Id;

/// Messages that the centre holds; beyond, it is busy (192).
pub const CENTER_MAX: usize = 2000;
/// Submissions of one sender by which a duplicate is known. Far fewer than the reference can count, for one that comes
/// round must not be taken for an old one, though some are given and never used.
const KNOWN_MAX: usize = 150;

/// What became of messages, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages (parts) that the centre took.
    pub accepted: u64,
    /// Messages (parts) that their receiver took.
    pub delivered: u64,
    /// Submissions that were lost, refused, or not possible.
    pub refused: u64,
    /// Submissions refused as duplicates (197).
    pub duplicates: u64,
    /// Messages that were too old when their receiver could be reached.
    pub expired: u64,
    /// Messages given to a modem once more.
    pub repeated: u64,
    /// News of phones that nobody looked at and that found no room.
    pub unheard: u64,
}

/// A message on its way to its receiver.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) from: Party,
    pub(super) to: Party,
    pub(super) tpdu: Tpdu,
    pub(super) due: Instant,
    pub(super) until: Instant,
    /// What the sender wants to hear.
    pub(super) report: Option<Wanted>,
    /// By which numbers a modem was given it.
    told: Vec<u64>,
    /// Out of the order of its sender: held up, or there twice.
    loose: bool,
    /// When a modem that does not take it is given it again; `None` = it does not have it.
    again: Option<Instant>,
}

/// A report that the sender asked for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) reference: u8,
    pub(super) to: Address,
    pub(super) stamp: TimeStamp,
}

/// What the centre remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct Center {
    held: Vec<Held>,
    /// The last submissions of each sender: reference and receiver.
    known: Vec<(Party, VecDeque<(u8, Address)>)>,
    next_id: u64,
}

impl Held {
    pub(super) const fn new(
        from: Party,
        to: Party,
        tpdu: Tpdu,
        (due, until): (Instant, Instant),
        report: Option<Wanted>,
    ) -> Self {
        Self {
            from,
            to,
            tpdu,
            due,
            until,
            report,
            told: Vec::new(),
            loose: false,
            again: None,
        }
    }

    pub(super) fn loose(self) -> Self {
        Self {
            loose: true,
            ..self
        }
    }
}

impl Center {
    pub(super) fn has_room(&self, messages: usize) -> bool {
        self.held.len() + messages <= CENTER_MAX
    }

    pub(super) fn is_known(&self, from: Party, reference: u8, to: &Address) -> bool {
        let mut of_sender = self.known.iter().filter(|(sender, _)| *sender == from);
        of_sender.any(|(_, known)| {
            known
                .iter()
                .any(|(number, receiver)| *number == reference && receiver == to)
        })
    }

    pub(super) fn remember(&mut self, from: Party, reference: u8, to: Address) {
        if !self.known.iter().any(|(sender, _)| *sender == from) {
            self.known.push((from, VecDeque::new()));
        }
        let Some((_, known)) = self.known.iter_mut().find(|(sender, _)| *sender == from) else {
            return;
        };
        known.push_back((reference, to));
        if known.len() > KNOWN_MAX {
            known.pop_front();
        }
    }

    /// Not before the last one of the same sender, so that their order stays.
    pub(super) fn not_before(&self, from: Party, to: Party) -> Instant {
        let same = self
            .held
            .iter()
            .filter(|held| held.from == from && held.to == to && !held.loose);
        same.map(|held| held.due).max().unwrap_or(Instant::ZERO)
    }

    pub(super) fn hold(&mut self, held: Held) {
        self.held.push(held);
    }

    /// The modem is away: what it did not take is given to it again when it is back.
    pub(super) fn forget_told(&mut self, modem: Id) {
        for held in self
            .held
            .iter_mut()
            .filter(|held| held.to == Party::Modem(modem))
        {
            held.again = None;
        }
    }

    fn told(&self, modem: Id) -> usize {
        self.held
            .iter()
            .filter(|held| held.to == Party::Modem(modem) && held.again.is_some())
            .count()
    }
}

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
        let at = held.position(|held| held.to == Party::Modem(modem) && held.told.contains(&id));
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
        self.center.hold(Held::new(
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
    fn due_of(&self, held: &Held) -> Option<Instant> {
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
                    None => (self.center.told(modem) < port.subscriber.room).then_some(held.due),
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
        if !held.told.is_empty() {
            self.counters.repeated += 1;
        }
        held.told.push(id);
        held.again = Some(again);
        // What it was given is always what a centre could have sent, so this does not fail.
        let pdu = Pdu {
            smsc,
            tpdu: held.tpdu.clone(),
        }
        .encode()
        .unwrap_or_default();
        self.news.push_back((
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
