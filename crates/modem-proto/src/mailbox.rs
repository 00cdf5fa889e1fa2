//! Received messages, SMS-DELIVER and SMS-STATUS-REPORT (27.005): stored by the modem, announced, read, reported, and
//! deleted when the device has them safe. A look at the whole storage every few minutes finds what was not announced.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use bytes::Bytes;
use sms_codec::hex;

use dtu_proto::radio::ModemInput;
use dtu_proto::time::{Duration, Instant};

use crate::backoff::pause;
use crate::command::Command;
use crate::cx::Cx;
use crate::exchange::{AnnouncedPdu, Request};
use crate::limitation::{Limitation, REFUSALS_BEFORE_LIMITATION};
use crate::response::{Outcome, Response, fields};
use crate::slot::{Slot, Storage};
use crate::storage::{BLIND_LOOK, RETRY, Storages};

/// Messages in the modem.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    pub(crate) storages: Storages,
    next_id: u64,
    reported: BTreeMap<Slot, StoredMessage>,
    /// Every storage that messages were announced in or are looked for.
    watched: Vec<Storage>,
    /// Slots that the listing under way has shown.
    seen: Vec<Slot>,
    /// Looks in a row that showed texts.
    as_text: u32,
    /// `AT+CMGL` was refused so often in a row.
    list_refused: u32,
    /// Delivered directly before the modem was reported.
    early: Vec<Bytes>,
}

/// A message that was reported.
#[derive(Debug)]
struct StoredMessage {
    pdu: Bytes,
    /// Under these numbers; each later one because the one before was not answered for long.
    ids: Vec<u64>,
    reported_at: Instant,
    taken: bool,
}

impl Mailbox {
    /// The modem is gone: its slots mean nothing any more, for another card may be in it when it is back. What was
    /// not taken is found and reported again.
    pub(crate) fn forget(&mut self) {
        *self = Self {
            next_id: self.next_id,
            ..Self::default()
        };
    }

    fn untaken(&self) -> usize {
        self.reported
            .values()
            .filter(|message| !message.taken)
            .count()
    }

    pub(crate) fn on_present(&mut self, cx: &mut Cx) {
        let early = core::mem::take(&mut self.early);
        early.into_iter().for_each(|pdu| {
            self.report(cx, pdu);
        });
        if cx.identity.abilities.messages {
            // mutant: pdu-mode-after-pin
            [
                Command::SelectMessageService,
                Command::SetPduMode,
                Command::QueryStorages,
                Command::SetCnmi(0),
            ]
            .into_iter()
            .for_each(|command| cx.queue.push(command));
        }
    }

    /// A PDU with its header: part of an answer, or delivered directly.
    pub(crate) fn on_pdu(&mut self, cx: &mut Cx, announced: &AnnouncedPdu) {
        let command = cx.exchange.command().copied();
        // mutant: length-fits
        let Some(pdu) = hex::decode(&announced.digits)
            .ok()
            .filter(|_| announced.length_matches)
        else {
            cx.counters.bad_messages += 1;
            return cx.add_limitation(Limitation::SomeMessages);
        };
        match (announced.header.get(..5), command) {
            (Some("+CMGR"), Some(Command::ReadMessage(slot))) => {
                self.on_stored(cx, slot, status(&announced.header, 0), pdu)
            }
            (Some("+CMGL"), Some(Command::ListMessages(storage))) => {
                let index = fields(&announced.header)
                    .first()
                    .and_then(|field| field.number());
                if let Some(index) = index {
                    self.on_stored(
                        cx,
                        Slot { storage, index },
                        status(&announced.header, 1),
                        pdu,
                    );
                }
            }
            (Some("+CMT:" | "+CDS:"), _) => {
                if self.storages.wants_acknowledgement() {
                    cx.queue.push_urgent(Command::Acknowledge);
                }
                self.on_delivered(cx, pdu.into());
            }
            // Broadcasts, and answers to what nobody asked.
            _ => cx.counters.unknown_lines += 1,
        }
    }

    /// A stored message was seen.
    fn on_stored(&mut self, cx: &mut Cx, slot: Slot, status: u8, pdu: Vec<u8>) {
        if self.seen.len() < MAX_REPORTED {
            self.seen.push(slot);
        }
        if status > LAST_RECEIVED_STATUS {
            // A message that somebody wrote into the modem. It stays as long as there is room.
            if self.storages.is_full() {
                cx.queue.push(Command::DeleteMessage(slot));
            }
            return;
        }
        let pdu = Bytes::from(pdu);
        match self.reported.get(&slot) {
            Some(message) if message.pdu == pdu && message.taken => {
                cx.queue.push(Command::DeleteMessage(slot))
            }
            Some(message) if message.pdu == pdu && cx.now - message.reported_at < REPORT_AGAIN => {}
            Some(message) if message.pdu == pdu => {
                self.report_stored(cx, slot, pdu, message.ids.clone())
            }
            Some(_) | None => self.report_stored(cx, slot, pdu, Vec::new()),
        }
    }

    fn report_stored(&mut self, cx: &mut Cx, slot: Slot, pdu: Bytes, mut ids: Vec<u64>) {
        if self.untaken() >= MAX_UNTAKEN || self.reported.len() >= MAX_REPORTED {
            return;
        }
        if ids.len() >= MAX_IDS {
            ids.remove(0);
        }
        ids.push(self.report(cx, pdu.clone()));
        // mutant: taken-later
        self.reported.insert(
            slot,
            StoredMessage {
                pdu,
                ids,
                reported_at: cx.now,
                taken: false,
            },
        );
    }

    /// Delivered directly: the modem has nothing of it any more. Before the modem is reported it waits here.
    fn on_delivered(&mut self, cx: &mut Cx, pdu: Bytes) {
        if cx.present {
            self.report(cx, pdu);
        } else if self.early.len() < MAX_EARLY {
            self.early.push(pdu);
        } else {
            cx.counters.bad_messages += 1;
        }
    }

    fn report(&mut self, cx: &mut Cx, pdu: Bytes) -> u64 {
        self.next_id += 1;
        cx.counters.messages += 1;
        let id = self.next_id;
        cx.emit(ModemInput::Message { id, pdu });
        id
    }

    /// The device has it safe. Numbers of before a restart name nothing; the message comes again, and is taken again.
    pub(crate) fn on_taken(&mut self, cx: &mut Cx, id: u64) {
        let was_crowded = self.untaken() >= MAX_UNTAKEN;
        let Some((slot, message)) = self
            .reported
            .iter_mut()
            .find(|(_, message)| message.ids.contains(&id))
        else {
            return;
        };
        message.taken = true;
        let slot = *slot;
        cx.queue.push(Command::DeleteMessage(slot));
        if was_crowded {
            cx.queue.push(Command::ListMessages(slot.storage));
        }
    }

    pub(crate) fn on_deleted(
        &mut self,
        cx: &mut Cx,
        slot: Slot,
        request: &Request,
        response: &Response,
    ) {
        match response.outcome {
            Outcome::Ok => {
                cx.counters.deleted += 1;
                self.reported.remove(&slot);
                self.storages.on_deleted();
            }
            // The next look at the storage finds it, and tries again.
            Outcome::Failed(_) | Outcome::Call(_) | Outcome::TimedOut => {
                cx.log_refusal(request, response)
            }
        }
    }

    pub(crate) fn on_read(&mut self, cx: &mut Cx, slot: Slot, response: &Response) {
        self.seen.clear();
        if self.leave_text_mode(cx, slot.storage) {
            return;
        }
        // Busy or lost: the next look finds it.
        if !response.is_ok() {
            cx.queue
                .schedule(cx.now + SOON, Command::ListMessages(slot.storage));
        }
    }

    pub(crate) fn on_listed(&mut self, cx: &mut Cx, storage: Storage, response: &Response) {
        let seen = core::mem::take(&mut self.seen);
        let as_text = self.leave_text_mode(cx, storage);
        if response.is_ok() && !as_text {
            // Somebody else deleted them.
            self.reported
                .retain(|slot, _| slot.storage != storage || seen.contains(slot));
        }
        self.storages.on_listed();
        let refused = if response.failure().is_some() {
            self.list_refused.saturating_add(1)
        } else {
            0
        };
        self.list_refused = refused;
        cx.limited_if(refused >= REFUSALS_BEFORE_LIMITATION, Limitation::List);
        let usual = if self.storages.is_blind() {
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
            cx.queue
                .schedule(cx.now + pause, Command::ListMessages(storage));
        }
    }

    pub(crate) fn on_urc(&mut self, cx: &mut Cx, line: &str) -> bool {
        if line.starts_with("+CMTI:") || line.starts_with("+CDSI:") {
            let fields = fields(line);
            let storage = fields.first().and_then(|field| Storage::new(field.text));
            let index = fields.get(1).and_then(|field| field.number());
            if let Some((storage, index)) = storage.zip(index).filter(|_| cx.present) {
                cx.queue
                    .push_urgent(Command::ReadMessage(Slot { storage, index }));
                self.watch(cx, storage);
            }
            return true;
        }
        let is_full = FULL.iter().any(|head| line.starts_with(head));
        if is_full && cx.present {
            cx.queue.push(Command::QueryStorages);
        }
        is_full
    }

    /// Messages were shown as texts. Nothing of them was taken; they are read again in PDU mode.
    fn leave_text_mode(&mut self, cx: &mut Cx, storage: Storage) -> bool {
        if !core::mem::take(&mut cx.exchange.text_mode) {
            self.as_text = 0;
            cx.clear_limitation(Limitation::PduMode);
            return false;
        }
        self.as_text += 1;
        if self.as_text >= REFUSALS_BEFORE_LIMITATION {
            cx.add_limitation(Limitation::PduMode);
        }
        cx.queue.push_front(Command::SetPduMode);
        cx.queue
            .schedule(cx.now + pause(self.as_text), Command::ListMessages(storage));
        true
    }

    pub(crate) fn on_storages(&mut self, cx: &mut Cx, response: &Response) {
        if let Some(storage) = self.storages.on_storages(cx, response) {
            self.watched = Vec::from([storage]);
        }
    }

    /// Messages may come into another storage than the one that was read so far.
    fn watch(&mut self, cx: &mut Cx, storage: Storage) {
        if !self.watched.contains(&storage) && self.watched.len() < MAX_WATCHED {
            self.watched.push(storage);
            cx.queue
                .schedule(cx.now + SOON, Command::ListMessages(storage));
        }
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
const LAST_RECEIVED_STATUS: u8 = 1;
/// Slots that are remembered; a SIM has up to 255.
const MAX_REPORTED: usize = 512;
/// Messages reported and not taken; the others stay in the storage until there is room.
const MAX_UNTAKEN: usize = 64;
const MAX_IDS: usize = 8;
const MAX_WATCHED: usize = 4;
const MAX_EARLY: usize = 16;
/// Between two looks at the storage.
const LOOK: Duration = Duration::from_secs(300);
const SOON: Duration = Duration::from_secs(5);
/// A message that is not taken for so long is reported again.
const REPORT_AGAIN: Duration = Duration::from_secs(600);
/// URCs that say that the storage is full: SIM800, SIM7600, Huawei, EC2x.
const FULL: [&str; 5] = [
    "+SMSFULL",
    "*SMSFULL",
    "^SMMEMFULL",
    "+SMS FULL",
    "+QIND: \"smsfull\"",
];
