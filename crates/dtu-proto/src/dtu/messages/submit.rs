//! Short messages that go: those of commands, frames of mode 4, replies to commands.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use bytes::Bytes;
use sms_codec::address::Address;
use sms_codec::user_data::Body;

use super::super::Dtu;
use crate::cellular::{Outstanding, Owner};
use crate::event::{Event, MessageLoss};
use crate::ids::PhoneNumber;
use crate::radio::SubmitFailure;
use crate::sms::{self, Progress, Template};
use crate::time::Instant;

impl Dtu {
    /// Sends the parts of a command's message; [`Self::submission_answered`] follows.
    pub(in super::super) fn submit(&mut self, parts: Vec<Bytes>) {
        let impossible = self.cellular.radio.modem.is_none() || parts.is_empty();
        if impossible {
            self.forget_submission();
            self.submission_answered(Err(SubmitFailure::NO_MODEM));
        } else {
            self.cellular.submitter.begin(parts);
        }
        self.pump_submits();
    }

    /// The command waits no longer.
    pub(in super::super) fn forget_submission(&mut self) {
        self.cellular.submitter.forget_command();
    }

    pub(super) fn pump_submits(&mut self) {
        let submitter = &self.cellular.submitter;
        if !submitter.is_free() {
            return;
        }
        if let Some(part) = submitter.command_part() {
            let part = self.mailbox.outbox.command(part);
            self.give(Owner::Command, part);
        } else if self.cellular.can_submit() {
            self.pump_outbox();
        }
    }

    /// A part is sent when the disk holds its reference.
    fn pump_outbox(&mut self) {
        let failing = self.mailbox.saving.is_failing();
        while self.mailbox.outbox.prepare(self.now, failing) {
            self.mailbox.changed();
        }
        if let Some((number, part)) = self.mailbox.outbox.next(self.now, failing) {
            self.give(Owner::Outbox(number), part);
        }
    }

    fn give(&mut self, owner: Owner, pdu: Bytes) {
        let order = self.cellular.submitter.give(owner, pdu, self.now);
        self.order_modem(order);
    }

    pub(in super::super) fn submitted(&mut self, token: u32, outcome: Result<u8, SubmitFailure>) {
        let answered = self.cellular.submitter.answered(token);
        if let (
            Some(Outstanding {
                numbered: Some(to), ..
            }),
            Ok(reference),
        ) = (answered, outcome)
        {
            self.mailbox.outbox.note_reference(reference, to);
            self.mailbox.changed();
        }
        match answered.map(|outstanding| outstanding.owner) {
            Some(Owner::Command) => {
                if self.cellular.submitter.command_answered(outcome.is_ok()) {
                    self.submission_answered(outcome);
                }
            }
            Some(Owner::Outbox(number)) => self.outbox_submitted(number, outcome),
            Some(Owner::Nobody) | None => {}
        }
        self.pump_submits();
    }

    fn outbox_submitted(&mut self, number: u64, outcome: Result<u8, SubmitFailure>) {
        let to = self.mailbox.outbox.receiver(number);
        let progress = self.mailbox.outbox.answered(number, outcome, self.now);
        self.mailbox.changed();
        match (progress, to, outcome) {
            (Progress::Sent, ..) => self.mailbox.counters.sent += 1,
            (Progress::Doubtful, Some(to), _) => {
                self.mailbox.counters.sent +=
                    u64::from(self.mailbox.outbox.receiver(number).is_none());
                self.event(Event::MessageLost(MessageLoss::Doubtful(to)));
            }
            (Progress::Later, ..) => self.mailbox.counters.retried += 1,
            (Progress::Refused, Some(to), Err(failure)) => {
                self.mailbox.counters.refused += 1;
                self.event(Event::MessageLost(MessageLoss::Refused(to, failure)));
            }
            (Progress::Refused | Progress::Doubtful | Progress::Part | Progress::Gone, ..) => {}
        }
    }

    /// The modem is gone: what it had is not answered any more.
    pub(in super::super) fn submit_lost(&mut self) {
        if let Some(token) = self.cellular.submitter.token() {
            self.submitted(token, Err(SubmitFailure::NO_MODEM));
        }
    }

    pub(super) fn submit_deadline(&self) -> Option<Instant> {
        let submitter = &self.cellular.submitter;
        let can_send = self.cellular.can_submit() && submitter.is_free();
        let outbox = self
            .mailbox
            .outbox
            .deadline(can_send, submitter.outbox_message());
        [submitter.deadline(), outbox].into_iter().flatten().min()
    }

    pub(super) fn submit_due(&mut self) {
        if let Some(token) = self.cellular.submitter.late(self.now) {
            self.submitted(token, Err(SubmitFailure::TIMED_OUT));
        }
        let sending = |dtu: &Self| dtu.cellular.submitter.outbox_message();
        while let Some(message) = self.mailbox.outbox.expire(self.now, sending(self)) {
            self.mailbox.counters.expired += 1;
            self.mailbox.changed();
            self.event(Event::MessageLost(MessageLoss::Expired(message.to)));
        }
    }

    /// A message goes to the number that is set.
    pub(in super::super) fn send_message(&mut self, body: Body) {
        let Some((to, address)) = receiver(&self.config.sms_number) else {
            return self.message_impossible("there is no number to send to".to_string());
        };
        let reference = self.mailbox.take_concat_reference();
        let template = self.template(&address, reference);
        match sms::compose(body, &template) {
            Ok(parts) => self.put_out(to, parts),
            Err(why) => self.message_impossible(why),
        }
    }

    /// Answers a command that came as a message.
    pub(in super::super) fn reply_by_message(&mut self, to: PhoneNumber, reply: &[u8]) {
        let reply = String::from_utf8_lossy(reply);
        let reply = reply.trim();
        let Some((to, address)) = receiver(to.as_str()).filter(|_| !reply.is_empty()) else {
            return;
        };
        let reference = self.mailbox.take_concat_reference();
        let (parts, cut) = sms::parts_of_reply(reply, &self.template(&address, reference));
        self.mailbox.counters.cut += u64::from(cut);
        self.put_out(to, parts);
    }

    fn template<'t>(&self, to: &'t Address, reference: u8) -> Template<'t> {
        Template {
            to,
            center: self.config.messages.service_center,
            parameters: None,
            reference,
        }
    }

    fn put_out(&mut self, to: PhoneNumber, parts: Vec<Bytes>) {
        let safe = self.mailbox.saving.is_failing();
        if self.mailbox.outbox.push(to, parts, self.now, safe) {
            self.mailbox.changed();
        } else {
            self.mailbox.counters.dropped += 1;
            // mutant: no-room-said
            self.event(Event::MessageLost(MessageLoss::NoRoom(to)));
        }
    }

    fn message_impossible(&mut self, why: String) {
        self.mailbox.counters.dropped += 1;
        self.event(Event::MessageLost(MessageLoss::Impossible(why)));
    }
}

fn receiver(number: &str) -> Option<(PhoneNumber, Address)> {
    Some((PhoneNumber::new(number)?, Address::number(number)?))
}
