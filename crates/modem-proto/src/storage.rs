//! How messages are looked for: PDU mode, the storage, announcements, each with what is tried where a modem refuses it
//! (27.005 3.2, 3.4.1).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use dtu_proto::time::{Duration, Instant};

use crate::backoff::pause;
use crate::command::Command;
use crate::event::Event;
use crate::exchange::Request;
use crate::limitation::Limitation;
use crate::mailbox::{BLIND_LOOK, PduMode, RETRY, Storage, store_of};
use crate::modem::Modem;
use crate::request::{ANNOUNCE, PHASE_1, PHASE_2};
use crate::response::{Failure, Response};
use crate::submit::NOT_ALLOWED;

impl Modem {
    pub(crate) fn announced(
        &mut self,
        number: u8,
        request: &Request,
        response: &Response,
        now: Instant,
    ) {
        let ds = request
            .text
            .strip_prefix("AT+CNMI=")
            .map(|values| values.split(',').nth(3).unwrap_or("0"));
        match (request.text.as_str(), ds) {
            (PHASE_2, _) => {
                self.mailbox.wants_acknowledgement = response.is_ok();
                // Without it the same forms need not be tried again.
                let next = if response.is_ok() {
                    number + 1
                } else {
                    AFTER_PHASE_2
                };
                return self.queue.push(Command::SetCnmi(next));
            }
            (PHASE_1, _) => {
                self.mailbox.wants_acknowledgement &= !response.is_ok();
                return self.queue.push(Command::SetCnmi(number + 1));
            }
            (_, ds) if response.is_ok() => {
                self.limited_if(ds == Some("0"), Limitation::Reports);
                return self.clear_limitation(Limitation::Announcements);
            }
            (_, Some(_) | None) => {}
        }
        if response.failure().is_some_and(Failure::is_busy) && self.is_patient() {
            return self.queue.schedule(now + BUSY, Command::SetCnmi(number));
        }
        if number < LAST_ANNOUNCE {
            return self.queue.push(Command::SetCnmi(number + 1));
        }
        self.add_limitation(Limitation::Announcements);
        self.add_limitation(Limitation::Reports);
        self.mailbox.is_blind = true;
        if let Some(store) = self.mailbox.main {
            self.queue
                .schedule(now + BLIND_LOOK, Command::ListMessages(store));
        }
        self.complain(request, response);
    }

    /// `+CPMS: "SM",3,50,"SM",3,50,"SM",3,50`: the third is where received ones go. It is left as it is, and read.
    pub(crate) fn on_storages(&mut self, response: &Response, now: Instant) {
        if response.failure().is_some_and(Failure::is_busy) && self.is_patient() {
            return self.queue.schedule(now + BUSY, Command::QueryStorages);
        }
        let fields = response.fields();
        let shown = |at: usize| fields.get(at).and_then(|field| Storage::new(field.text));
        self.mailbox.shown = [shown(0), shown(3), shown(6)];
        let store = fields
            .get(6)
            .or_else(|| fields.first())
            .and_then(|field| Storage::new(field.text));
        match store.filter(|_| response.is_ok()) {
            Some(store) => {
                self.mailbox.has_stores = true;
                self.mailbox.main = Some(store);
                self.mailbox.stores = Vec::from([store]);
                self.queue.push(Command::ListMessages(store));
            }
            None => {
                // It has one storage, and no word for it.
                self.mailbox.main = Some(Storage::SIM);
                self.mailbox.current = self.mailbox.main;
                self.queue.push(Command::ListMessages(Storage::SIM));
            }
        }
    }

    pub(crate) fn storage_is(
        &mut self,
        store: Storage,
        request: &Request,
        response: &Response,
        now: Instant,
    ) {
        if !response.is_ok() {
            let is_busy = response.failure().is_some_and(Failure::is_busy);
            self.mailbox.current = None;
            if is_busy && self.is_patient() {
                // What wants the storage waits behind this.
                self.quiet_until = Some(now + BUSY);
                return self.queue.push_front(Command::SelectStorage(store));
            }
            // mutant: three-storages
            if response.failure().is_some()
                && !core::mem::replace(&mut self.mailbox.names_three, true)
            {
                return self.queue.push_front(Command::SelectStorage(store));
            }
            self.mailbox.names_three = false;
            self.complain(request, response);
            let [read, _, received] = self.mailbox.shown;
            if response.failure().is_some() && received == Some(store) {
                self.add_limitation(Limitation::Storage);
            }
            if response.failure().is_some() && read == Some(store) {
                // It reads there anyway.
                self.mailbox.has_stores = false;
                self.mailbox.current = Some(store);
                return;
            }
            self.queue
                .cancel(|command| store_of(*command) == Some(store));
            // It may work once the modem is less busy.
            return self
                .queue
                .schedule(now + RETRY, Command::ListMessages(store));
        }
        self.mailbox.current = Some(store);
        self.mailbox.busy = 0;
        let fields = response.fields();
        // A bare OK is an answer too. The answer to a setting has no names: `+CPMS: used,total,…`.
        let number = |at: usize| fields.get(at).and_then(|field| field.number::<u16>());
        if let Some((used, places)) = number(0).zip(number(1)) {
            self.fill_is(store, used >= places && places > 0, places);
        }
    }

    fn fill_is(&mut self, store: Storage, full: bool, places: u16) {
        if full && !core::mem::replace(&mut self.mailbox.is_full, full) {
            let store = self.mask(store.as_str());
            self.log(Event::StorageFull { store, places });
        }
        self.mailbox.is_full = full;
    }

    /// Messages were shown as texts. Nothing of them was taken; they are read again in PDU mode.
    pub(crate) fn leave_text_mode(&mut self, store: Storage, now: Instant) -> bool {
        if !core::mem::take(&mut self.exchange.text_mode) {
            self.mailbox.as_text = 0;
            self.clear_limitation(Limitation::PduMode);
            return false;
        }
        self.mailbox.as_text += 1;
        if self.mailbox.as_text >= TRIES_BEFORE_WORD {
            self.add_limitation(Limitation::PduMode);
        }
        self.queue.push_front(Command::SetPduMode);
        self.queue.schedule(
            now + pause(self.mailbox.as_text),
            Command::ListMessages(store),
        );
        true
    }

    /// The way messages are shown. A modem whose card is not ready yet refuses what it takes a moment later.
    pub(crate) fn on_message_mode(&mut self, response: &Response, now: Instant) {
        if response.is_ok() {
            self.mailbox.mode_refused = 0;
            self.mailbox.pdu_mode = PduMode::Taken;
            self.clear_limitation(Limitation::Messages);
            let had = core::mem::replace(&mut self.identity.abilities.messages, true);
            if !had && self.present {
                self.queue.push(Command::ReportPresent);
            }
            return;
        }
        self.cannot_submit(NOT_ALLOWED);
        // In front of the card's first word it says nothing about the modem.
        self.mailbox.mode_refused += 1;
        // mutant: silence-is-no-yes
        if !self.present {
            self.identity.abilities.messages =
                !response.failure().is_some_and(Failure::is_unknown_command);
        }
        if self.mailbox.mode_refused >= TRIES_BEFORE_WORD && self.present {
            self.add_limitation(Limitation::Messages);
        }
        // mutant: pdu-mode-again
        self.queue
            .schedule(now + pause(self.mailbox.mode_refused), Command::SetPduMode);
    }

    /// The card says that it is ready for messages.
    pub(crate) fn messages_are_ready(&mut self, now: Instant) {
        // mutant: pdu-mode-when-ready
        if self.mailbox.mode_refused > 0 {
            self.queue.schedule(now, Command::SetPduMode);
        }
        if self.present {
            self.ask_card_again();
        }
    }

    /// Whether it may be asked once more at once.
    fn is_patient(&mut self) -> bool {
        self.mailbox.busy += 1;
        self.mailbox.busy <= MOST_BUSY
    }

    /// 27.005 3.2.2: the one that is read, or (for modems that want all three) the others as they are.
    pub(crate) fn storage_command(&self, store: Storage) -> String {
        let name = store.as_str();
        if !self.mailbox.names_three {
            return format!("AT+CPMS=\"{name}\"");
        }
        let [_, written, received] = self.mailbox.shown.map(|shown| shown.unwrap_or(store));
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
