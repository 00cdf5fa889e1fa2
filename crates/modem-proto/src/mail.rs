//! Messages (27.005): received ones are stored by the modem, announced, read, told, and deleted when the device has
//! them safe. A look at the whole storage every few minutes finds what no announcement told.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;

use dtu_proto::radio::ModemInput;
use dtu_proto::time::{Duration, Instant};
use dtu_proto::wire::hex;

use crate::answer::{Answer, Failure, Outcome, fields};
use crate::channel::{Headed, Request};
use crate::event::Event;
use crate::job::Job;
use crate::lack::Lack;
use crate::modem::Modem;
use crate::patience::pause;
use crate::request::{PHASE_1, PHASE_2};
use crate::submit::Submitting;

/// Messages in the modem, and the one on its way out.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    next_id: u64,
    known: BTreeMap<Place, Known>,
    /// The storage that the modem reads and deletes from now.
    current: Option<Store>,
    /// Where received messages go.
    main: Option<Store>,
    /// It has names for its storages, and says how full they are.
    has_stores: bool,
    /// Every storage that messages were announced in or are looked for.
    stores: Vec<Store>,
    /// Places that the listing under way has shown.
    listed: Vec<Place>,
    /// The announcement of messages could not be switched on: the storage is looked at more often.
    is_blind: bool,
    /// What `CPMS?` showed: where it reads, writes, and puts what it receives.
    shown: [Option<Store>; 3],
    /// `AT+CPMS` wants all three.
    names_three: bool,
    /// `AT+CSMS=1` is set.
    wants_acknowledgement: bool,
    /// Answers "busy" since the last good one.
    busy: u32,
    /// Looks in a row that showed texts.
    as_text: u32,
    /// `AT+CMGF=0` was refused so often.
    mode_refused: u32,
    is_full: bool,
    /// Delivered directly before the modem was introduced.
    early: Vec<Bytes>,
    pub(crate) submitting: Option<Submitting>,
}

/// A storage of messages: `SM`, `ME`, `MT`, `SM_P`, …
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Store([u8; 4]);

impl Store {
    /// Every SIM has it.
    const SIM: Self = Self(*b"SM\0\0");

    fn new(text: &str) -> Option<Self> {
        let mut name = [0; 4];
        name.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (is_name && !text.is_empty()).then_some(Self(name))
    }

    pub(crate) fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default().trim_end_matches('\0')
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
        *self = Self { next_id: self.next_id, submitting: self.submitting.take(), ..Self::default() };
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
            [Job::MessageService, Job::MessageMode, Job::Storages, Job::Announce(0)]
                .into_iter()
                .for_each(|job| self.agenda.push(job));
        }
    }

    pub(crate) fn announced(&mut self, number: u8, request: &Request, answer: &Answer, now: Instant) {
        let ds = request.text.strip_prefix("AT+CNMI=").map(|values| values.split(',').nth(3).unwrap_or("0"));
        match (request.text.as_str(), ds) {
            (PHASE_2, _) => {
                self.mail.wants_acknowledgement = answer.is_ok();
                // Without it the same forms need not be tried again.
                let next = if answer.is_ok() { number + 1 } else { AFTER_PHASE_2 };
                return self.agenda.push(Job::Announce(next));
            }
            (PHASE_1, _) => {
                self.mail.wants_acknowledgement &= !answer.is_ok();
                return self.agenda.push(Job::Announce(number + 1));
            }
            (_, ds) if answer.is_ok() => {
                self.lack_if(ds == Some("0"), Lack::Reports);
                return self.lack_no_more(Lack::Announcements);
            }
            (_, Some(_) | None) => {}
        }
        if answer.failure().is_some_and(Failure::is_busy) && self.is_patient() {
            return self.agenda.later(now + BUSY, Job::Announce(number));
        }
        if number < LAST_ANNOUNCE {
            return self.agenda.push(Job::Announce(number + 1));
        }
        self.lack(Lack::Announcements);
        self.lack(Lack::Reports);
        self.mail.is_blind = true;
        if let Some(store) = self.mail.main {
            self.agenda.later(now + BLIND_LOOK, Job::List(store));
        }
        self.complain(request, answer);
    }

    /// `+CPMS: "SM",3,50,"SM",3,50,"SM",3,50`: the third is where received ones go. It is left as it is, and read.
    pub(crate) fn know_storages(&mut self, answer: &Answer, now: Instant) {
        if answer.failure().is_some_and(Failure::is_busy) && self.is_patient() {
            return self.agenda.later(now + BUSY, Job::Storages);
        }
        let fields = answer.fields();
        let shown = |at: usize| fields.get(at).and_then(|field| Store::new(field.text));
        self.mail.shown = [shown(0), shown(3), shown(6)];
        let store = fields.get(6).or_else(|| fields.first()).and_then(|field| Store::new(field.text));
        match store.filter(|_| answer.is_ok()) {
            Some(store) => {
                self.mail.has_stores = true;
                self.mail.main = Some(store);
                self.mail.stores = Vec::from([store]);
                self.agenda.push(Job::List(store));
            }
            None => {
                // It has one storage, and no word for it.
                self.mail.main = Some(Store::SIM);
                self.mail.current = self.mail.main;
                self.agenda.push(Job::List(Store::SIM));
            }
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

    pub(crate) fn storage_is(&mut self, store: Store, request: &Request, answer: &Answer, now: Instant) {
        if !answer.is_ok() {
            let is_busy = answer.failure().is_some_and(Failure::is_busy);
            self.mail.current = None;
            if is_busy && self.is_patient() {
                self.agenda.cancel(|job| store_of(*job) == Some(store));
                return self.agenda.later(now + BUSY, Job::List(store));
            }
            if answer.failure().is_some() && !core::mem::replace(&mut self.mail.names_three, true) {
                return self.agenda.first(Job::Storage(store));
            }
            self.mail.names_three = false;
            self.complain(request, answer);
            let [read, _, received] = self.mail.shown;
            if answer.failure().is_some() && received == Some(store) {
                self.lack(Lack::Storage);
            }
            if answer.failure().is_some() && read == Some(store) {
                // It reads there anyway.
                self.mail.has_stores = false;
                self.mail.current = Some(store);
                return;
            }
            self.agenda.cancel(|job| store_of(*job) == Some(store));
            // It may work once the modem is less busy.
            return self.agenda.later(now + RETRY, Job::List(store));
        }
        self.mail.current = Some(store);
        self.mail.busy = 0;
        let fields = answer.fields();
        // A bare OK is an answer too. The answer to a setting has no names: `+CPMS: used,total,…`.
        let number = |at: usize| fields.get(at).and_then(|field| field.number::<u16>());
        if let Some((used, places)) = number(0).zip(number(1)) {
            self.fill_is(store, used >= places && places > 0, places);
        }
    }

    fn fill_is(&mut self, store: Store, full: bool, places: u16) {
        if full && !core::mem::replace(&mut self.mail.is_full, full) {
            let store = self.mask(store.as_str());
            self.note(Event::StorageFull { store, places });
        }
        self.mail.is_full = full;
    }

    /// A PDU with its head: part of an answer, or delivered directly.
    pub(crate) fn hear_pdu(&mut self, headed: &Headed, now: Instant) {
        let job = self.channel.job().copied();
        let Some(pdu) = hex::decode(&headed.digits).ok().filter(|_| headed.fits) else {
            self.counters.bad_messages += 1;
            return self.lack(Lack::SomeMessages);
        };
        match (headed.head.get(..5), job) {
            (Some("+CMGR"), Some(Job::Read(place))) => self.found(place, status(&headed.head, 0), pdu, now),
            (Some("+CMGL"), Some(Job::List(store))) => {
                let index = fields(&headed.head).first().and_then(|field| field.number());
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
        self.mail.known.insert(place, Known { pdu, ids, told_at: now, taken: false });
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
        let Some((place, known)) = self.mail.known.iter_mut().find(|(_, known)| known.ids.contains(&id))
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
            Outcome::Failed(_) | Outcome::Call(_) | Outcome::TimedOut => self.complain(request, answer),
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
            self.mail.known.retain(|place, _| place.store != store || listed.contains(place));
        }
        if self.mail.has_stores {
            // Named again before the next look, it says how full it is.
            self.mail.current = None;
        }
        let pause = if self.mail.is_blind { BLIND_LOOK } else { LOOK };
        let pause = if answer.is_ok() { pause } else { RETRY };
        if !as_text {
            self.agenda.later(now + pause, Job::List(store));
        }
    }

    /// Messages were shown as texts. Nothing of them was taken; they are read again in PDU mode.
    fn leave_text_mode(&mut self, store: Store, now: Instant) -> bool {
        if !core::mem::take(&mut self.channel.text_mode) {
            self.mail.as_text = 0;
            self.lack_no_more(Lack::PduMode);
            return false;
        }
        self.mail.as_text += 1;
        if self.mail.as_text >= TRIES_BEFORE_WORD {
            self.lack(Lack::PduMode);
        }
        self.agenda.first(Job::MessageMode);
        self.agenda.later(now + pause(self.mail.as_text), Job::List(store));
        true
    }

    /// The way messages are shown. A modem whose card is not ready yet refuses what it takes a moment later.
    pub(crate) fn know_message_mode(&mut self, answer: &Answer, now: Instant) {
        if answer.is_ok() {
            self.mail.mode_refused = 0;
            self.lack_no_more(Lack::Messages);
            let had = core::mem::replace(&mut self.identity.abilities.messages, true);
            if !had && self.present {
                self.agenda.push(Job::Introduce);
            }
            return;
        }
        // In front of the card's first word it says nothing about the modem.
        self.mail.mode_refused += 1;
        self.identity.abilities.messages = !answer.failure().is_some_and(Failure::is_unknown_command);
        if self.mail.mode_refused >= TRIES_BEFORE_WORD && self.present {
            self.lack(Lack::Messages);
        }
        self.agenda.later(now + pause(self.mail.mode_refused), Job::MessageMode);
    }

    /// The card says that it is ready for messages.
    pub(crate) fn messages_are_ready(&mut self, now: Instant) {
        if self.mail.mode_refused > 0 {
            self.agenda.later(now, Job::MessageMode);
        }
        if self.present {
            self.ask_card_again();
        }
    }

    /// Whether it may be asked once more at once.
    fn is_patient(&mut self) -> bool {
        self.mail.busy += 1;
        self.mail.busy <= MOST_BUSY
    }

    /// 27.005 3.2.2: the one that is read, or (for modems that want all three) the others as they are.
    pub(crate) fn storage_command(&self, store: Store) -> String {
        let name = store.as_str();
        if !self.mail.names_three {
            return format!("AT+CPMS=\"{name}\"");
        }
        let [_, written, received] = self.mail.shown.map(|shown| shown.unwrap_or(store));
        format!("AT+CPMS=\"{name}\",\"{}\",\"{}\"", written.as_str(), received.as_str())
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

fn store_of(job: Job) -> Option<Store> {
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
/// The number of the last form of `AT+CNMI`.
const LAST_ANNOUNCE: u8 = 10;
/// The number of the first form that `AT+CSMS=1` does not matter for.
const AFTER_PHASE_2: u8 = 8;
/// Answers "busy" in a row.
const MOST_BUSY: u32 = 30;
const BUSY: Duration = Duration::from_secs(1);
/// Refusals before it is said.
const TRIES_BEFORE_WORD: u32 = 4;
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
const BLIND_LOOK: Duration = Duration::from_secs(20);
/// After a look that failed.
const RETRY: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_secs(5);
/// A message that is not taken for so long is told again.
const TELL_AGAIN: Duration = Duration::from_secs(600);
/// News that the storage is full: SIM800, SIM7600, Huawei, EC2x.
const FULL: [&str; 5] = ["+SMSFULL", "*SMSFULL", "^SMMEMFULL", "+SMS FULL", "+QIND: \"smsfull\""];

#[cfg(test)]
mod tests {
    use std::string::String;

    use super::*;

    #[test]
    fn storages_are_known_by_their_names() {
        for name in ["SM", "ME", "MT", "SM_P", "SR"] {
            assert_eq!(Store::new(name).map(|store| String::from(store.as_str())), Some(name.into()));
        }
        for wrong in ["", "SM,\"", "SM_PP", "S M"] {
            assert_eq!(Store::new(wrong), None, "{wrong}");
        }
    }
}
