//! What the modem brought and is not taken yet.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;
use core::hash::{Hash, Hasher};
use sms_codec::pdu::Deliver;

use crate::time::Instant;

/// Messages of the modem that wait to be looked at: usually none, more while there is no room for them. They stay with
/// the modem meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    queue: VecDeque<UnreadPdu>,
}

/// A message of the modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnreadPdu {
    /// What the modem calls it: more than one number where it was brought again while it waited, for both may be
    /// there.
    pub(crate) ids: Vec<u64>,
    pub(crate) pdu: Bytes,
}

impl Inbox {
    /// False: there is no room to remember it; the modem brings it again after its next start.
    pub(crate) fn push(&mut self, id: u64, pdu: Bytes) -> bool {
        // After a reset the modem brings what it still has, under another number; and the network sends twice.
        if let Some(known) = self.queue.iter_mut().find(|known| known.pdu == pdu) {
            if known.ids.len() == IDS_MAX {
                known.ids.remove(0);
            }
            known.ids.push(id);
            return true;
        }
        let room = self.queue.len() < QUEUE_MAX;
        if room {
            self.queue.push_back(UnreadPdu {
                ids: Vec::from([id]),
                pdu,
            });
        }
        room
    }

    pub(crate) fn take_all(&mut self) -> VecDeque<UnreadPdu> {
        core::mem::take(&mut self.queue)
    }

    pub(crate) fn put_back(&mut self, waiting: VecDeque<UnreadPdu>) {
        self.queue = waiting;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }
}

/// A received message, or a part of one.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedPart {
    /// What the modem calls it; nothing where it is from an earlier run.
    pub(crate) ids: Vec<u64>,
    pub(crate) pdu: Bytes,
    pub(crate) deliver: Deliver,
    /// A part waits so long for its fellows.
    pub(crate) until: Instant,
}

impl PartialEq for ReceivedPart {
    /// The same content: a part that comes again may have another stamp.
    fn eq(&self, other: &Self) -> bool {
        self.deliver.data == other.deliver.data
    }
}

impl Hash for ReceivedPart {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.deliver.data.hash(state);
    }
}

/// More than a SIM holds.
const QUEUE_MAX: usize = 256;
/// Numbers of one message; the modem has forgotten older ones.
const IDS_MAX: usize = 16;
