//! How messages are looked for: PDU mode, the storage, announcements, each with what is tried where a modem refuses it
//! (27.005 3.2, 3.4.1).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use dtu_proto::time::{Duration, Instant};

use crate::answer::{Answer, Failure};
use crate::channel::Request;
use crate::event::Event;
use crate::job::Job;
use crate::lack::Lack;
use crate::mail::{BLIND_LOOK, PduMode, RETRY, Store, store_of};
use crate::modem::Modem;
use crate::patience::pause;
use crate::request::{ANNOUNCE, PHASE_1, PHASE_2};
use crate::submit::NOT_ALLOWED;

impl Modem {
    pub(crate) fn announced(
        &mut self,
        number: u8,
        request: &Request,
        answer: &Answer,
        now: Instant,
    ) {
        let ds = request
            .text
            .strip_prefix("AT+CNMI=")
            .map(|values| values.split(',').nth(3).unwrap_or("0"));
        match (request.text.as_str(), ds) {
            (PHASE_2, _) => {
                self.mail.wants_acknowledgement = answer.is_ok();
                // Without it the same forms need not be tried again.
                let next = if answer.is_ok() {
                    number + 1
                } else {
                    AFTER_PHASE_2
                };
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
        let store = fields
            .get(6)
            .or_else(|| fields.first())
            .and_then(|field| Store::new(field.text));
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

    pub(crate) fn storage_is(
        &mut self,
        store: Store,
        request: &Request,
        answer: &Answer,
        now: Instant,
    ) {
        if !answer.is_ok() {
            let is_busy = answer.failure().is_some_and(Failure::is_busy);
            self.mail.current = None;
            if is_busy && self.is_patient() {
                // What wants the storage waits behind this.
                self.quiet_until = Some(now + BUSY);
                return self.agenda.first(Job::Storage(store));
            }
            // mutant: three-storages
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

    /// Messages were shown as texts. Nothing of them was taken; they are read again in PDU mode.
    pub(crate) fn leave_text_mode(&mut self, store: Store, now: Instant) -> bool {
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
        self.agenda
            .later(now + pause(self.mail.as_text), Job::List(store));
        true
    }

    /// The way messages are shown. A modem whose card is not ready yet refuses what it takes a moment later.
    pub(crate) fn know_message_mode(&mut self, answer: &Answer, now: Instant) {
        if answer.is_ok() {
            self.mail.mode_refused = 0;
            self.mail.pdu_mode = PduMode::Taken;
            self.lack_no_more(Lack::Messages);
            let had = core::mem::replace(&mut self.identity.abilities.messages, true);
            if !had && self.present {
                self.agenda.push(Job::Introduce);
            }
            return;
        }
        self.cannot_submit(NOT_ALLOWED);
        // In front of the card's first word it says nothing about the modem.
        self.mail.mode_refused += 1;
        // mutant: silence-is-no-yes
        if !self.present {
            self.identity.abilities.messages =
                !answer.failure().is_some_and(Failure::is_unknown_command);
        }
        if self.mail.mode_refused >= TRIES_BEFORE_WORD && self.present {
            self.lack(Lack::Messages);
        }
        // mutant: pdu-mode-again
        self.agenda
            .later(now + pause(self.mail.mode_refused), Job::MessageMode);
    }

    /// The card says that it is ready for messages.
    pub(crate) fn messages_are_ready(&mut self, now: Instant) {
        // mutant: pdu-mode-when-ready
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
        format!(
            "AT+CPMS=\"{name}\",\"{}\",\"{}\"",
            written.as_str(),
            received.as_str()
        )
    }
}

/// The number of the last form of `AT+CNMI`.
const LAST_ANNOUNCE: u8 = ANNOUNCE.len() as u8 - 1;
/// The number of the first form that `AT+CSMS=1` does not matter for.
const AFTER_PHASE_2: u8 = 8;
/// Answers "busy" in a row.
const MOST_BUSY: u32 = 30;
const BUSY: Duration = Duration::from_secs(1);
/// Refusals before it is said.
pub(crate) const TRIES_BEFORE_WORD: u32 = 4;
