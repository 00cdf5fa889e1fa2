//! What the modem brought and is not taken yet.

use alloc::collections::VecDeque;
use bytes::Bytes;

use crate::time::Instant;
use crate::wire::pdu::Deliver;

/// Messages of the modem that wait to be looked at: usually none, more while there is no room for them. They stay with
/// the modem meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    queue: VecDeque<Arrived>,
}

/// A message of the modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) id: u64,
    pub(crate) pdu: Bytes,
}

impl Inbox {
    /// False: there is no room to remember it; the modem brings it again after its next start.
    pub(crate) fn push(&mut self, id: u64, pdu: Bytes) -> bool {
        // After a reset the modem brings what it still has, under another number.
        if let Some(known) = self.queue.iter_mut().find(|known| known.pdu == pdu) {
            known.id = id;
            return true;
        }
        let room = self.queue.len() < QUEUE_MAX;
        if room {
            self.queue.push_back(Arrived { id, pdu });
        }
        room
    }

    pub(crate) fn take_all(&mut self) -> VecDeque<Arrived> {
        core::mem::take(&mut self.queue)
    }

    pub(crate) fn put_back(&mut self, waiting: VecDeque<Arrived>) {
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
pub(crate) struct Received {
    pub(crate) pdu: Bytes,
    pub(crate) deliver: Deliver,
    /// A part waits so long for its fellows.
    pub(crate) until: Instant,
}

impl PartialEq for Received {
    /// The same content: a part that comes again may have another stamp.
    fn eq(&self, other: &Self) -> bool {
        self.deliver.data == other.deliver.data
    }
}

/// More than a SIM holds.
const QUEUE_MAX: usize = 256;
