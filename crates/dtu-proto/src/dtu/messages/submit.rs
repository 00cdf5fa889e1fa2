//! Short messages that go: those of commands, frames of mode 4, replies to commands.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use bytes::Bytes;
use sms_codec::address::Address;
use sms_codec::pdu::{Pdu, Tpdu};
use sms_codec::user_data::Body;

use super::super::Dtu;
use crate::event::{Event, MessageLoss};
use crate::radio::{ModemOutput, PhoneNumber, SubmitFailure};
use crate::sms::{self, Progress, Template};
use crate::time::{Duration, Instant};

/// The driver answers within three minutes.
const PATIENCE: Duration = Duration::from_secs(185);

/// One message part at a time is with the modem.
#[derive(Debug, Default)]
pub(super) struct Submits {
    next_token: u32,
    outstanding: Option<Outstanding>,
    /// Parts of a command's message that are still to go.
    command: VecDeque<Bytes>,
}

impl Submits {
    /// Whether nothing is with the modem or on its way there.
    pub(super) fn rests(&self) -> bool {
        self.outstanding.is_none() && self.command.is_empty()
    }
}

#[derive(Clone, Copy, Debug)]
struct Outstanding {
    token: u32,
    whose: Whose,
    until: Instant,
    /// The modem gives it a reference, and this is its receiver.
    numbered: Option<Option<PhoneNumber>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Command,
    /// Number of the message in the outbox.
    Outbox(u64),
    /// The command has given up.
    Nobody,
}

impl Dtu {
    /// Sends the parts of a command's message; [`Self::submission_answered`] follows.
    pub(in super::super) fn submit(&mut self, parts: Vec<Bytes>) {
        self.post.submits.command = VecDeque::from(parts);
        if self.radio.modem.is_none() || self.post.submits.command.is_empty() {
            self.post.submits.command.clear();
            self.submission_answered(Err(SubmitFailure::NO_MODEM));
        }
        self.pump_submits();
    }

    /// The command waits no longer.
    pub(in super::super) fn forget_submission(&mut self) {
        self.post.submits.command.clear();
        if let Some(outstanding) = &mut self.post.submits.outstanding
            && outstanding.whose == Whose::Command
        {
            outstanding.whose = Whose::Nobody;
        }
    }

    pub(super) fn pump_submits(&mut self) {
        if self.post.submits.outstanding.is_some() {
            return;
        }
        if let Some(part) = self.post.submits.command.front() {
            let part = self.mailbox.outbox.command(part);
            self.give(Whose::Command, part);
        } else if self.can_send() {
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
            self.give(Whose::Outbox(number), part);
        }
    }

    fn give(&mut self, whose: Whose, pdu: Bytes) {
        let submits = &mut self.post.submits;
        submits.next_token = submits.next_token.wrapping_add(1);
        let token = submits.next_token;
        let numbered = (!sms::refuses_copies(&pdu)).then(|| receiver_of(&pdu));
        submits.outstanding = Some(Outstanding {
            token,
            whose,
            until: self.now + PATIENCE,
            numbered,
        });
        self.order_modem(ModemOutput::Submit { token, pdu });
    }

    /// Whether the device's own messages can go.
    fn can_send(&self) -> bool {
        let able = self
            .radio
            .modem
            .as_ref()
            .is_some_and(|modem| modem.abilities.messages);
        able && self.radio.registration.is_registered()
    }

    pub(in super::super) fn submitted(&mut self, token: u32, outcome: Result<u8, SubmitFailure>) {
        let answered = self
            .post
            .submits
            .outstanding
            .take_if(|outstanding| outstanding.token == token);
        if let (
            Some(Outstanding {
                numbered: Some(to), ..
            }),
            Ok(reference),
        ) = (answered, outcome)
        {
            self.mailbox.outbox.heard(reference, to);
            self.mailbox.changed();
        }
        match answered.map(|outstanding| outstanding.whose) {
            Some(Whose::Command) => self.command_submitted(outcome),
            Some(Whose::Outbox(number)) => self.outbox_submitted(number, outcome),
            Some(Whose::Nobody) | None => {}
        }
        self.pump_submits();
    }

    fn command_submitted(&mut self, outcome: Result<u8, SubmitFailure>) {
        self.post.submits.command.pop_front();
        if outcome.is_err() {
            self.post.submits.command.clear();
        }
        if self.post.submits.command.is_empty() {
            self.submission_answered(outcome);
        }
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
        if let Some(Outstanding { token, .. }) = self.post.submits.outstanding {
            self.submitted(token, Err(SubmitFailure::NO_MODEM));
        }
    }

    pub(super) fn submit_deadline(&self) -> Option<Instant> {
        let outstanding = self.post.submits.outstanding;
        let can_send = self.can_send() && outstanding.is_none();
        let outbox = self.mailbox.outbox.deadline(can_send, self.sending());
        [outstanding.map(|outstanding| outstanding.until), outbox]
            .into_iter()
            .flatten()
            .min()
    }

    /// The message of the outbox that is with the modem.
    const fn sending(&self) -> Option<u64> {
        match self.post.submits.outstanding {
            Some(Outstanding {
                whose: Whose::Outbox(number),
                ..
            }) => Some(number),
            Some(_) | None => None,
        }
    }

    pub(super) fn submit_due(&mut self) {
        let late = self
            .post
            .submits
            .outstanding
            .filter(|outstanding| outstanding.until <= self.now);
        if let Some(Outstanding { token, .. }) = late {
            self.submitted(token, Err(SubmitFailure::TIMED_OUT));
        }
        while let Some(message) = self.mailbox.outbox.expire(self.now, self.sending()) {
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

/// The receiver of a PDU, where it is a number.
fn receiver_of(pdu: &[u8]) -> Option<PhoneNumber> {
    match Pdu::decode(pdu).ok()?.pdu.tpdu {
        Tpdu::Submit(submit) => PhoneNumber::new(&submit.to.to_string()),
        Tpdu::Deliver(_) | Tpdu::StatusReport(_) => None,
    }
}

fn receiver(number: &str) -> Option<(PhoneNumber, Address)> {
    Some((PhoneNumber::new(number)?, Address::number(number)?))
}
