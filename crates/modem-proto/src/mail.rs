//! Messages (27.005): received ones are stored by the modem, announced, read, told, and deleted when the device has
//! them safe. A look at the whole storage every few minutes finds what no announcement told.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;
use sms_codec::hex;

use dtu_proto::radio::ModemInput;
use dtu_proto::time::{Duration, Instant};

use crate::answer::{Answer, Outcome, fields};
use crate::channel::{Headed, Request};
use crate::job::Job;
use crate::lack::Lack;
use crate::modem::Modem;
use crate::patience::pause;
use crate::storage::TRIES_BEFORE_WORD;
use crate::submit::Submitting;

/// Messages in the modem, and the one on its way out.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    next_id: u64,
    known: BTreeMap<Place, Known>,
    /// The storage that the modem reads and deletes from now.
    pub(crate) current: Option<Store>,
    /// Where received messages go.
    pub(crate) main: Option<Store>,
    /// It has names for its storages, and says how full they are.
    pub(crate) has_stores: bool,
    /// Every storage that messages were announced in or are looked for.
    pub(crate) stores: Vec<Store>,
    /// Places that the listing under way has shown.
    listed: Vec<Place>,
    /// The announcement of messages could not be switched on: the storage is looked at more often.
    pub(crate) is_blind: bool,
    /// What `CPMS?` showed: where it reads, writes, and puts what it receives.
    pub(crate) shown: [Option<Store>; 3],
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
    pub(crate) submitting: Option<Submitting>,
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
pub(crate) struct Store([u8; 4]);

impl Store {
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

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a message is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    store: Store,
    pub(crate) index: u16,
}

/// A message that was told.
#[derive(Debug)]
struct Known {
    pdu: Bytes,
    /// Under these numbers; each later one because the one before was not answered for long.
    ids: Vec<u64>,
    told_at: Instant,
    taken: bool,
}

impl Mail {
    /// The modem is gone: its places mean nothing any more, for another card may be in it when it is back. What was
    /// not taken is found and told again.
    pub(crate) fn forget(&mut self) {
        *self = Self {
            next_id: self.next_id,
            submitting: self.submitting.take(),
            ..Self::default()
        };
    }

    fn waiting(&self) -> usize {
        self.known.values().filter(|known| !known.taken).count()
    }
}

impl Modem {
    pub(crate) fn open_mail(&mut self) {
        let early = core::mem::take(&mut self.mail.early);
        early.into_iter().for_each(|pdu| {
            self.tell_message(pdu);
        });
        if self.identity.abilities.messages {
            // mutant: pdu-mode-after-pin
            [
                Job::MessageService,
                Job::MessageMode,
                Job::Storages,
                Job::Announce(0),
            ]
            .into_iter()
            .for_each(|job| self.agenda.push(job));
        }
    }

    /// Reading and deleting need the right storage in front.
    pub(crate) fn with_storage(&mut self, job: Job) -> Job {
        match store_of(job).filter(|store| self.mail.current != Some(*store)) {
            None => job,
            Some(store) => {
                self.agenda.first(job);
                Job::Storage(store)
            }
        }
    }

    /// A PDU with its head: part of an answer, or delivered directly.
    pub(crate) fn hear_pdu(&mut self, headed: &Headed, now: Instant) {
        let job = self.channel.job().copied();
        // mutant: length-fits
        let Some(pdu) = hex::decode(&headed.digits).ok().filter(|_| headed.fits) else {
            self.counters.bad_messages += 1;
            return self.lack(Lack::SomeMessages);
        };
        match (headed.head.get(..5), job) {
            (Some("+CMGR"), Some(Job::Read(place))) => {
                self.found(place, status(&headed.head, 0), pdu, now)
            }
            (Some("+CMGL"), Some(Job::List(store))) => {
                let index = fields(&headed.head)
                    .first()
                    .and_then(|field| field.number());
                if let Some(index) = index {
                    self.found(Place { store, index }, status(&headed.head, 1), pdu, now);
                }
            }
            (Some("+CMT:" | "+CDS:"), _) => {
                if self.mail.wants_acknowledgement {
                    self.agenda.soon(Job::Acknowledge);
                }
                self.delivered(pdu.into());
            }
            // Broadcasts, and answers to what nobody asked.
            _ => self.counters.unknown_lines += 1,
        }
    }

    /// A stored message was seen.
    fn found(&mut self, place: Place, status: u8, pdu: Vec<u8>, now: Instant) {
        if self.mail.listed.len() < MOST_KNOWN {
            self.mail.listed.push(place);
        }
        if status > LAST_RECEIVED {
            // A message that somebody wrote into the modem. It stays as long as there is room.
            if self.mail.is_full {
                self.agenda.push(Job::Delete(place));
            }
            return;
        }
        let pdu = Bytes::from(pdu);
        match self.mail.known.get(&place) {
            Some(known) if known.pdu == pdu && known.taken => self.agenda.push(Job::Delete(place)),
            Some(known) if known.pdu == pdu && now - known.told_at < TELL_AGAIN => {}
            Some(known) if known.pdu == pdu => self.tell_stored(place, pdu, known.ids.clone(), now),
            Some(_) | None => self.tell_stored(place, pdu, Vec::new(), now),
        }
    }

    fn tell_stored(&mut self, place: Place, pdu: Bytes, mut ids: Vec<u64>, now: Instant) {
        if self.mail.waiting() >= MOST_WAITING || self.mail.known.len() >= MOST_KNOWN {
            return;
        }
        if ids.len() >= MOST_IDS {
            ids.remove(0);
        }
        ids.push(self.tell_message(pdu.clone()));
        // mutant: taken-later
        self.mail.known.insert(
            place,
            Known {
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
        } else if self.mail.early.len() < MOST_EARLY {
            self.mail.early.push(pdu);
        } else {
            self.counters.bad_messages += 1;
        }
    }

    fn tell_message(&mut self, pdu: Bytes) -> u64 {
        self.mail.next_id += 1;
        self.counters.messages += 1;
        let id = self.mail.next_id;
        self.tell(ModemInput::Message { id, pdu });
        id
    }

    /// The device has it safe. Numbers of before a restart name nothing; the message comes again, and is taken again.
    pub(crate) fn taken(&mut self, id: u64) {
        let was_crowded = self.mail.waiting() >= MOST_WAITING;
        let Some((place, known)) = self
            .mail
            .known
            .iter_mut()
            .find(|(_, known)| known.ids.contains(&id))
        else {
            return;
        };
        known.taken = true;
        let place = *place;
        self.agenda.push(Job::Delete(place));
        if was_crowded {
            self.agenda.push(Job::List(place.store));
        }
    }

    pub(crate) fn deleted(&mut self, place: Place, request: &Request, answer: &Answer) {
        match answer.outcome {
            Outcome::Ok => {
                self.counters.deleted += 1;
                self.mail.known.remove(&place);
                self.mail.is_full = false;
            }
            // The next look at the storage finds it, and tries again.
            Outcome::Failed(_) | Outcome::Call(_) | Outcome::TimedOut => {
                self.complain(request, answer)
            }
        }
    }

    pub(crate) fn was_read(&mut self, place: Place, answer: &Answer, now: Instant) {
        self.mail.listed.clear();
        if self.leave_text_mode(place.store, now) {
            return;
        }
        // Busy or lost: the next look finds it.
        if !answer.is_ok() {
            self.agenda.later(now + SOON, Job::List(place.store));
        }
    }

    pub(crate) fn listed(&mut self, store: Store, answer: &Answer, now: Instant) {
        let listed = core::mem::take(&mut self.mail.listed);
        let as_text = self.leave_text_mode(store, now);
        if answer.is_ok() && !as_text {
            // Somebody else deleted them.
            self.mail
                .known
                .retain(|place, _| place.store != store || listed.contains(place));
        }
        if self.mail.has_stores {
            // Named again before the next look, it says how full it is.
            self.mail.current = None;
        }
        let refused = if answer.failure().is_some() {
            self.mail.list_refused.saturating_add(1)
        } else {
            0
        };
        self.mail.list_refused = refused;
        self.lack_if(refused >= TRIES_BEFORE_WORD, Lack::List);
        let usual = if self.mail.is_blind { BLIND_LOOK } else { LOOK };
        let pause = if answer.is_ok() {
            usual
        } else {
            RETRY.max(pause(refused))
        };
        if !as_text {
            self.agenda.later(now + pause, Job::List(store));
        }
    }

    pub(crate) fn mail_news(&mut self, line: &str, now: Instant) -> bool {
        if line.starts_with("+CMTI:") || line.starts_with("+CDSI:") {
            let fields = fields(line);
            let store = fields.first().and_then(|field| Store::new(field.text));
            let index = fields.get(1).and_then(|field| field.number());
            if let Some((store, index)) = store.zip(index).filter(|_| self.present) {
                self.agenda.soon(Job::Read(Place { store, index }));
                self.remember(store, now);
            }
            return true;
        }
        let is_full = FULL.iter().any(|head| line.starts_with(head));
        if is_full && self.present {
            self.agenda.push(Job::Storages);
        }
        is_full
    }

    /// Messages may come into another storage than the one that was read so far.
    fn remember(&mut self, store: Store, now: Instant) {
        if !self.mail.stores.contains(&store) && self.mail.stores.len() < MOST_STORES {
            self.mail.stores.push(store);
            self.agenda.later(now + SOON, Job::List(store));
        }
    }
}

pub(crate) fn store_of(job: Job) -> Option<Store> {
    if let Job::List(store) = job {
        Some(store)
    } else if let Job::Read(place) | Job::Delete(place) = job {
        Some(place.store)
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
                Store::new(name).map(|store| String::from(store.as_str())),
                Some(name.into())
            );
        }
        for wrong in ["", "SM,\"", "SM_PP", "S M"] {
            assert_eq!(Store::new(wrong), None, "{wrong}");
        }
    }
}
