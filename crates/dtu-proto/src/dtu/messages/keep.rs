//! Messages find their places: in the storage, on the line, on the disk. Then the modem may forget them.

use alloc::string::String;
use bytes::Bytes;

use super::super::Dtu;
use crate::event::{Event, MessageLoss, Output, StoreOutput};
use crate::line::{Class, LineState, Urc};
use crate::mode::Modes;
use crate::radio::ModemOutput;
use crate::sms::LineKind;

impl Dtu {
    /// Whether nobody may ever read the storage, so that a message for an application makes room there for a newer
    /// one: it must not make the device deaf.
    pub(super) fn goes_unread(&self) -> bool {
        self.messages_are_data() || self.wants_texts()
    }

    /// Messages that wait for a place get one.
    pub(super) fn fill_storage(&mut self) {
        while self
            .mailbox
            .storage
            .has_room(!self.mailbox.is_managed(self.now))
            && let Some((pdu, announced)) = self.mailbox.overflow.pop_front()
        {
            let place = self.store(pdu, announced);
            // mutant: told-by-cnmi
            let is_told = self.config.messages.notify.messages != 0;
            if let Some(place) = place.filter(|_| is_told) {
                self.indicate(Urc::Message { place });
            }
        }
    }

    /// Says where it is now.
    pub(super) fn store(&mut self, pdu: Bytes, announced: bool) -> Option<u8> {
        let (place, evicted) = self.mailbox.store(pdu, announced, self.now)?;
        if evicted {
            self.event(Event::MessageLost(MessageLoss::Evicted));
        }
        Some(place)
    }

    /// The next message for the line, when the one before is out.
    pub(super) fn print_messages(&mut self) {
        let kind = match self.line.state() {
            // mutant: prints-as-data
            LineState::OnlineData if Modes::prints_messages(self.modes.in_force()) => {
                LineKind::Data
            }
            LineState::OnlineCommand if self.direct_at().is_some_and(|at| at <= self.now) => {
                LineKind::Notice
            }
            LineState::OnlineData | LineState::OnlineCommand | LineState::Window { .. } => return,
        };
        let dialogue = self.dialogue();
        if self.line.takes(Class::Message, dialogue, &self.config)
            && let Some(bytes) = self.mailbox.line.next(kind)
        {
            self.with_line(|line, cx| line.print(Class::Message, bytes, dialogue, cx));
        }
    }

    pub(in super::super) fn message_printed(&mut self) {
        let Some(ids) = self.mailbox.line.written() else {
            return;
        };
        self.mailbox.counters.printed += 1;
        self.mailbox.changed();
        self.done_with(&ids);
    }

    /// Nothing of these has to be kept: while the disk fails the modem may forget them at once.
    pub(super) fn done_with(&mut self, ids: &[u64]) {
        self.mailbox.saving.delivered(ids);
        self.report_taken();
    }

    fn report_taken(&mut self) {
        for id in self.mailbox.saving.done_with() {
            self.message_is_safe(id);
        }
    }

    /// Gives the host what changed.
    pub(in super::super) fn store_messages(&mut self) {
        if !self.mailbox.saving.changed {
            return;
        }
        let outgoing = self.mailbox.outbox.last_change();
        if let Some(number) = self.mailbox.saving.begin(outgoing, self.now) {
            let text = self.mailbox.to_text(self.now);
            self.outputs
                .push_back(Output::Store(StoreOutput::Messages { number, text }));
        }
    }

    pub(in super::super) fn messages_saved(&mut self, number: u64) {
        let Some((taken, outgoing)) = self.mailbox.saving.saved(number) else {
            return;
        };
        self.mailbox.outbox.safe_up_to(outgoing);
        taken.into_iter().for_each(|id| self.message_is_safe(id));
    }

    pub(in super::super) fn messages_failed(&mut self, why: &str) {
        if self.mailbox.saving.failed(self.now) {
            self.event(Event::MessagesNotStored(String::from(why)));
        }
        self.report_taken();
        // Better sent than kept: a restart may send it twice or not at all.
        self.mailbox.outbox.safe_up_to(u64::MAX);
    }

    pub(super) fn message_is_safe(&mut self, id: u64) {
        self.order_modem(ModemOutput::Taken(id));
    }
}
