//! Messages (27.005): received ones are stored by the modem, announced, read, told, and deleted when the device has
//! them safe. A look at the whole storage every few minutes finds what no announcement told.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;
use sms_codec::hex;

use dtu_proto::radio::ModemInput;
use dtu_proto::time::{Duration, Instant};

use crate::backoff::pause;
use crate::command::Command;
use crate::exchange::{AnnouncedPdu, Request};
use crate::limitation::Limitation;
use crate::modem::Modem;
use crate::response::{Outcome, Response, fields};
use crate::storage::TRIES_BEFORE_WORD;
use crate::submit::Submission;

/// Messages in the modem, and the one on its way out.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    next_id: u64,
    known: BTreeMap<Slot, StoredMessage>,
    /// The storage that the modem reads and deletes from now.
    pub(crate) current: Option<Storage>,
    /// Where received messages go.
    pub(crate) main: Option<Storage>,
    /// It has names for its storages, and says how full they are.
    pub(crate) has_stores: bool,
    /// Every storage that messages were announced in or are looked for.
    pub(crate) stores: Vec<Storage>,
    /// Places that the listing under way has shown.
    listed: Vec<Slot>,
    /// The announcement of messages could not be switched on: the storage is looked at more often.
    pub(crate) is_blind: bool,
    /// What `CPMS?` showed: where it reads, writes, and puts what it receives.
    pub(crate) shown: [Option<Storage>; 3],
    /// `AT+CPMS` wants all three.
    pub(crate) names_three: bool,
    /// `AT+CSMS=1` is set.
    pub(crate) wants_acknowledgement: bool,
    /// Answers "busy" since the last good one.
    pub(crate) busy: u32,
    /// Looks in a row that showed texts.
    pub(crate) as_text: u32,
    /// `AT+CMGF=0` was refused so often.
    pub(crate) mode_refused: u32,
    /// `AT+CMGL` was refused so often in a row.
    list_refused: u32,
    pub(crate) is_full: bool,
    /// Delivered directly before the modem was introduced.
    early: Vec<Bytes>,
    pub(crate) submission: Option<Submission>,
    /// What the last command made known of PDU mode.
    pub(crate) pdu_mode: PduMode,
}

/// Whether messages go as PDUs now. It holds for the next command only.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum PduMode {
    #[default]
    Unknown,
    /// `AT+CMGF=0` was taken a moment ago.
    Taken,
    /// And `AT+CMGF?` does not show text mode.
    Shown,
}

/// A storage of messages: `SM`, `ME`, `MT`, `SM_P`, …
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Storage([u8; 4]);

impl Storage {
    /// Every SIM has it.
    pub(crate) const SIM: Self = Self(*b"SM\0\0");

    pub(crate) fn new(text: &str) -> Option<Self> {
        let mut name = [0; 4];
        name.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        let is_name = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (is_name && !text.is_empty()).then_some(Self(name))
    }

    pub(crate) fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0)
            .unwrap_or_default()
            .trim_end_matches('\0')
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a message is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot {
    store: Storage,
    pub(crate) index: u16,
}

/// A message that was told.
#[derive(Debug)]
struct StoredMessage {
    pdu: Bytes,
    /// Under these numbers; each later one because the one before was not answered for long.
    ids: Vec<u64>,
    told_at: Instant,
    taken: bool,
}

impl Mailbox {
    /// The modem is gone: its places mean nothing any more, for another card may be in it when it is back. What was
    /// not taken is found and told again.
    pub(crate) fn forget(&mut self) {
        *self = Self {
            next_id: self.next_id,
            submission: self.submission.take(),
            ..Self::default()
        };
    }

    fn waiting(&self) -> usize {
        self.known.values().filter(|known| !known.taken).count()
    }
}

impl Modem {
    pub(crate) fn open_mailbox(&mut self) {
        let early = core::mem::take(&mut self.mailbox.early);
        early.into_iter().for_each(|pdu| {
            self.tell_message(pdu);
        });
        if self.identity.abilities.messages {
            // mutant: pdu-mode-after-pin
            [
                Command::SelectMessageService,
                Command::SetPduMode,
                Command::QueryStorages,
                Command::SetCnmi(0),
            ]
            .into_iter()
            .for_each(|command| self.queue.push(command));
        }
    }

    /// Reading and deleting need the right storage in front.
    pub(crate) fn with_storage(&mut self, command: Command) -> Command {
        match store_of(command).filter(|store| self.mailbox.current != Some(*store)) {
            None => command,
            Some(store) => {
                self.queue.push_front(command);
                Command::SelectStorage(store)
            }
        }
    }

    /// A PDU with its head: part of an answer, or delivered directly.
    pub(crate) fn on_pdu(&mut self, announced: &AnnouncedPdu, now: Instant) {
        let command = self.exchange.command().copied();
        // mutant: length-fits
        let Some(pdu) = hex::decode(&announced.digits)
            .ok()
            .filter(|_| announced.fits)
        else {
            self.counters.bad_messages += 1;
            return self.add_limitation(Limitation::SomeMessages);
        };
        match (announced.head.get(..5), command) {
            (Some("+CMGR"), Some(Command::ReadMessage(slot))) => {
                self.found(slot, status(&announced.head, 0), pdu, now)
            }
            (Some("+CMGL"), Some(Command::ListMessages(store))) => {
                let index = fields(&announced.head)
                    .first()
                    .and_then(|field| field.number());
                if let Some(index) = index {
                    self.found(Slot { store, index }, status(&announced.head, 1), pdu, now);
                }
            }
            (Some("+CMT:" | "+CDS:"), _) => {
                if self.mailbox.wants_acknowledgement {
                    self.queue.push_urgent(Command::Acknowledge);
                }
                self.delivered(pdu.into());
            }
            // Broadcasts, and answers to what nobody asked.
            _ => self.counters.unknown_lines += 1,
        }
    }

    /// A stored message was seen.
    fn found(&mut self, slot: Slot, status: u8, pdu: Vec<u8>, now: Instant) {
        if self.mailbox.listed.len() < MOST_KNOWN {
            self.mailbox.listed.push(slot);
        }
        if status > LAST_RECEIVED {
            // A message that somebody wrote into the modem. It stays as long as there is room.
            if self.mailbox.is_full {
                self.queue.push(Command::DeleteMessage(slot));
            }
            return;
        }
        let pdu = Bytes::from(pdu);
        match self.mailbox.known.get(&slot) {
            Some(known) if known.pdu == pdu && known.taken => {
                self.queue.push(Command::DeleteMessage(slot))
            }
            Some(known) if known.pdu == pdu && now - known.told_at < TELL_AGAIN => {}
            Some(known) if known.pdu == pdu => self.tell_stored(slot, pdu, known.ids.clone(), now),
            Some(_) | None => self.tell_stored(slot, pdu, Vec::new(), now),
        }
    }

    fn tell_stored(&mut self, slot: Slot, pdu: Bytes, mut ids: Vec<u64>, now: Instant) {
        if self.mailbox.waiting() >= MOST_WAITING || self.mailbox.known.len() >= MOST_KNOWN {
            return;
        }
        if ids.len() >= MOST_IDS {
            ids.remove(0);
        }
        ids.push(self.tell_message(pdu.clone()));
        // mutant: taken-later
        self.mailbox.known.insert(
            slot,
            StoredMessage {
                pdu,
                ids,
                told_at: now,
                taken: false,
            },
        );
    }

    /// Delivered directly: the modem has nothing of it any more. Before the modem is introduced it waits here.
    fn delivered(&mut self, pdu: Bytes) {
        if self.present {
            self.tell_message(pdu);
        } else if self.mailbox.early.len() < MOST_EARLY {
            self.mailbox.early.push(pdu);
        } else {
            self.counters.bad_messages += 1;
        }
    }

    fn tell_message(&mut self, pdu: Bytes) -> u64 {
        self.mailbox.next_id += 1;
        self.counters.messages += 1;
        let id = self.mailbox.next_id;
        self.emit(ModemInput::Message { id, pdu });
        id
    }

    /// The device has it safe. Numbers of before a restart name nothing; the message comes again, and is taken again.
    pub(crate) fn taken(&mut self, id: u64) {
        let was_crowded = self.mailbox.waiting() >= MOST_WAITING;
        let Some((slot, known)) = self
            .mailbox
            .known
            .iter_mut()
            .find(|(_, known)| known.ids.contains(&id))
        else {
            return;
        };
        known.taken = true;
        let slot = *slot;
        self.queue.push(Command::DeleteMessage(slot));
        if was_crowded {
            self.queue.push(Command::ListMessages(slot.store));
        }
    }

    pub(crate) fn deleted(&mut self, slot: Slot, request: &Request, response: &Response) {
        match response.outcome {
            Outcome::Ok => {
                self.counters.deleted += 1;
                self.mailbox.known.remove(&slot);
                self.mailbox.is_full = false;
            }
            // The next look at the storage finds it, and tries again.
            Outcome::Failed(_) | Outcome::Call(_) | Outcome::TimedOut => {
                self.complain(request, response)
            }
        }
    }

    pub(crate) fn was_read(&mut self, slot: Slot, response: &Response, now: Instant) {
        self.mailbox.listed.clear();
        if self.leave_text_mode(slot.store, now) {
            return;
        }
        // Busy or lost: the next look finds it.
        if !response.is_ok() {
            self.queue
                .schedule(now + SOON, Command::ListMessages(slot.store));
        }
    }

    pub(crate) fn listed(&mut self, store: Storage, response: &Response, now: Instant) {
        let listed = core::mem::take(&mut self.mailbox.listed);
        let as_text = self.leave_text_mode(store, now);
        if response.is_ok() && !as_text {
            // Somebody else deleted them.
            self.mailbox
                .known
                .retain(|slot, _| slot.store != store || listed.contains(slot));
        }
        if self.mailbox.has_stores {
            // Named again before the next look, it says how full it is.
            self.mailbox.current = None;
        }
        let refused = if response.failure().is_some() {
            self.mailbox.list_refused.saturating_add(1)
        } else {
            0
        };
        self.mailbox.list_refused = refused;
        self.limited_if(refused >= TRIES_BEFORE_WORD, Limitation::List);
        let usual = if self.mailbox.is_blind {
            BLIND_LOOK
        } else {
            LOOK
        };
        let pause = if response.is_ok() {
            usual
        } else {
            RETRY.max(pause(refused))
        };
        if !as_text {
            self.queue
                .schedule(now + pause, Command::ListMessages(store));
        }
    }

    pub(crate) fn on_message_urc(&mut self, line: &str, now: Instant) -> bool {
        if line.starts_with("+CMTI:") || line.starts_with("+CDSI:") {
            let fields = fields(line);
            let store = fields.first().and_then(|field| Storage::new(field.text));
            let index = fields.get(1).and_then(|field| field.number());
            if let Some((store, index)) = store.zip(index).filter(|_| self.present) {
                self.queue
                    .push_urgent(Command::ReadMessage(Slot { store, index }));
                self.remember(store, now);
            }
            return true;
        }
        let is_full = FULL.iter().any(|head| line.starts_with(head));
        if is_full && self.present {
            self.queue.push(Command::QueryStorages);
        }
        is_full
    }

    /// Messages may come into another storage than the one that was read so far.
    fn remember(&mut self, store: Storage, now: Instant) {
        if !self.mailbox.stores.contains(&store) && self.mailbox.stores.len() < MOST_STORES {
            self.mailbox.stores.push(store);
            self.queue
                .schedule(now + SOON, Command::ListMessages(store));
        }
    }
}

pub(crate) fn store_of(command: Command) -> Option<Storage> {
    if let Command::ListMessages(store) = command {
        Some(store)
    } else if let Command::ReadMessage(slot) | Command::DeleteMessage(slot) = command {
        Some(slot.store)
    } else {
        None
    }
}

/// 0 = not read, 1 = read, 2 = not sent, 3 = sent; some give the word in quotes.
fn status(head: &str, at: usize) -> u8 {
    let fields = fields(head);
    fields.get(at).map_or(0, |field| match field.text {
        "STO UNSENT" => 2,
        "STO SENT" => 3,
        text => text.parse().unwrap_or(0),
    })
}

/// 27.005 3.1: states of received messages are 0 and 1.
const LAST_RECEIVED: u8 = 1;
/// Places that are remembered; a SIM has up to 255.
const MOST_KNOWN: usize = 512;
/// Messages told and not taken; the others stay in the storage until there is room.
const MOST_WAITING: usize = 64;
const MOST_IDS: usize = 8;
const MOST_STORES: usize = 4;
const MOST_EARLY: usize = 16;
/// Between two looks at the storage.
const LOOK: Duration = Duration::from_secs(300);
/// The same, where messages are not announced.
pub(crate) const BLIND_LOOK: Duration = Duration::from_secs(20);
/// After a look that failed.
pub(crate) const RETRY: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_secs(5);
/// A message that is not taken for so long is told again.
const TELL_AGAIN: Duration = Duration::from_secs(600);
/// News that the storage is full: SIM800, SIM7600, Huawei, EC2x.
const FULL: [&str; 5] = [
    "+SMSFULL",
    "*SMSFULL",
    "^SMMEMFULL",
    "+SMS FULL",
    "+QIND: \"smsfull\"",
];

#[cfg(test)]
mod tests {
    use std::string::String;

    use super::*;

    #[test]
    fn storages_are_known_by_their_names() {
        for name in ["SM", "ME", "MT", "SM_P", "SR"] {
            assert_eq!(
                Storage::new(name).map(|store| String::from(store.as_str())),
                Some(name.into())
            );
        }
        for wrong in ["", "SM,\"", "SM_PP", "S M"] {
            assert_eq!(Storage::new(wrong), None, "{wrong}");
        }
    }
}
