//! Short messages: what they have to do now, and what they wait for.

use alloc::vec::Vec;
use bytes::Bytes;

use super::Dtu;
use crate::config::WorkingMode;
use crate::mode::Modes;
use crate::time::Instant;

mod keep;
mod receive;
mod submit;
mod urc;

/// What of messages does not outlive a restart of the host.
#[derive(Debug, Default)]
pub(super) struct MessageQueues {
    /// When the last `+CMT` came.
    direct_since: Instant,
    /// What held when messages that wait were last looked at.
    looked: Option<Conditions>,
    /// Where a message found no room: those behind it that go there wait too.
    blocked: Vec<Way>,
}

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Mode 4: to the serial line.
    Line,
    /// `+CMT`
    Direct,
    /// The storage.
    Storage,
}

/// What messages may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Conditions {
    mode: WorkingMode,
    idle: bool,
    line: bool,
    storage: bool,
    saving: bool,
}

impl Dtu {
    /// A message of the modem. It is looked at when the device settles.
    pub(super) fn message_came(&mut self, id: u64, pdu: &Bytes) {
        self.messages.looked = None;
        let kept = self.mailbox.inbox.push(id, pdu.clone());
        // mutant: stored-first
        self.mailbox.counters.turned_away += u64::from(!kept);
    }

    /// Whatever messages have to do now.
    pub(super) fn tend_messages(&mut self) {
        if self.messages_rest() {
            return;
        }
        self.end_incomplete();
        self.receive();
        self.fill_storage();
        self.print_messages();
        self.pump_submits();
    }

    /// Whether messages have nothing to do and wait for nothing: the usual case, found at once.
    pub(super) fn messages_rest(&self) -> bool {
        self.mailbox.rests() && self.cellular.submitter.rests()
    }

    pub(super) fn message_deadline(&self) -> Option<Instant> {
        if self.messages_rest() {
            return None;
        }
        let joiner = self
            .mailbox
            .joiner
            .poll_timeout()
            .filter(|_| self.can_give_up());
        let own = [
            joiner,
            self.direct_at(),
            self.mailbox.saving.deadline(),
            self.mailbox.room_deadline(),
            self.submit_deadline(),
        ];
        own.into_iter().flatten().min()
    }

    pub(super) fn message_due(&mut self) {
        if self.mailbox.saving.is_late(self.now) {
            self.messages_failed("no answer");
        }
        self.mailbox.end_managed(self.now);
        self.submit_due();
    }

    fn conditions(&self) -> Conditions {
        Conditions {
            mode: self.mode_of_messages(),
            idle: self.is_idle(),
            line: self.mailbox.line.has_room(),
            storage: self.mailbox.has_room(self.now),
            saving: self.mailbox.saving.has_room(),
        }
    }

    /// The mode that is in force, or will be when the set-up window ends.
    fn mode_of_messages(&self) -> WorkingMode {
        if self.modes.is_started() {
            self.modes.in_force()
        } else {
            self.config.mode
        }
    }

    /// Whether messages are data for the DTE.
    fn messages_are_data(&self) -> bool {
        Modes::prints_messages(self.mode_of_messages())
    }

    /// Whether a command can be run.
    const fn is_idle(&self) -> bool {
        !self.is_answering() && self.ending.is_none()
    }
}
