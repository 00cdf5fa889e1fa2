//! What commands of the DTE change in the mailbox.

use super::{Mailbox, Memory, State, Stored};
use crate::time::Instant;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MailboxChange {
    /// `CMGL`, `CMGR`, `CMGD`: the DTE looks after the storage itself.
    Manage,
    /// The DTE has seen the message in this place.
    Read(u8),
    Delete(u8),
    /// `CMGW`
    Write(u8, Stored),
    /// `CMSS`: the message in this place is with the network.
    Sent(u8),
    /// `CPMS`
    Names([Memory; 3]),
    /// A message of several parts was made.
    NextConcatReference,
    /// A message was made that keeps its own reference.
    NextReference,
}

impl Mailbox {
    pub(crate) fn apply(&mut self, change: MailboxChange, now: Instant) {
        match change {
            MailboxChange::Manage => self.managed(now),
            MailboxChange::Read(place) => self.mark(place, State::Read),
            MailboxChange::Sent(place) => self.mark(place, State::Sent),
            MailboxChange::Delete(place) => {
                self.storage.delete(place);
                self.changed();
            }
            MailboxChange::Write(place, stored) => {
                self.storage.put_at(place, stored);
                self.changed();
            }
            MailboxChange::Names(names) => self.names = names,
            MailboxChange::NextConcatReference => {
                self.take_concat_reference();
            }
            MailboxChange::NextReference => {
                self.outbox.take_reference();
            }
        }
    }

    fn mark(&mut self, place: u8, state: State) {
        if let Some(stored) = self.storage.get_mut(place) {
            stored.state = state;
            self.changed();
        }
    }
}
