//! What waits for a device.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::ids::{MessageId, ProgramId};
use crate::time::Instant;

/// Bytes that wait for a device, at most.
pub(crate) const ROOM: usize = 15 * 1024;
/// Messages that wait for a device, at most.
const MESSAGES: usize = 256;

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It is not on disk yet: neither answered nor sent.
    Accepting,
    /// It waits.
    Waiting,
    /// That it is sent is being put on disk.
    Noting,
    /// That it is sent is on disk.
    Noted,
    /// It is sent; acknowledged when the device's TCP has so many bytes.
    Sent(u64),
}

#[derive(Debug)]
struct Message {
    id: MessageId,
    bytes: Bytes,
    expires: Instant,
    stage: Stage,
    /// The store has it: a program was answered.
    kept: bool,
    /// Who waits for the answer.
    answer: Option<(ProgramId, u32)>,
}

/// What is to be done with the first message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing can be sent now.
    Nothing,
    /// Put on disk that it is sent.
    Note(MessageId),
    /// Send it.
    Send(Bytes),
}

/// A message that is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Over {
    pub(crate) id: MessageId,
    /// The store has it.
    pub(crate) kept: bool,
}

/// Messages for one device, in their order.
#[derive(Debug, Default)]
pub(crate) struct Downlink {
    queue: VecDeque<Message>,
    bytes: usize,
}

impl Downlink {
    pub(crate) fn has_room(&self, length: usize) -> bool {
        // mutant: hub-room
        self.bytes + length <= ROOM && self.queue.len() < MESSAGES
    }

    /// A message of a program. One that is answered (`answer`) is kept on disk first.
    pub(crate) fn push(
        &mut self,
        id: MessageId,
        bytes: Bytes,
        expires: Instant,
        answer: Option<(ProgramId, u32)>,
    ) {
        self.bytes += bytes.len();
        self.queue.push_back(Message {
            id,
            bytes,
            expires,
            stage: if answer.is_some() {
                Stage::Accepting
            } else {
                Stage::Waiting
            },
            kept: answer.is_some(),
            answer,
        });
    }

    /// A message that waited when the server stopped.
    /// Where it was being sent, nobody knows whether the device has it.
    pub(crate) fn restore(&mut self, id: MessageId, bytes: Bytes, expires: Instant, sending: bool) {
        self.bytes += bytes.len();
        self.queue.push_back(Message {
            id,
            bytes,
            expires,
            stage: if sending {
                Stage::Sent(0)
            } else {
                Stage::Waiting
            },
            kept: true,
            answer: None,
        });
    }

    fn find(&mut self, id: MessageId) -> Option<&mut Message> {
        let at = self
            .queue
            .binary_search_by_key(&id, |message| message.id)
            .ok()?;
        self.queue.get_mut(at)
    }

    /// The message is on disk; who waits for its answer.
    pub(crate) fn accepted(&mut self, id: MessageId) -> Option<(ProgramId, u32)> {
        let message = self.find(id)?;
        message.stage = Stage::Waiting;
        message.answer.take()
    }

    /// It is on disk that the message is sent.
    pub(crate) fn noted(&mut self, id: MessageId) {
        if let Some(message) = self.find(id)
            && message.stage == Stage::Noting
        {
            message.stage = Stage::Noted;
        }
    }

    /// The first message that is not sent. What was too old by now never comes here ([`Self::expire`]).
    pub(crate) fn next(&mut self) -> Next {
        let unsent = self
            .queue
            .iter_mut()
            .find(|message| !matches!(message.stage, Stage::Sent(_)));
        let Some(message) = unsent else {
            return Next::Nothing;
        };
        match message.stage {
            // mutant: hub-noted
            Stage::Waiting if message.kept => {
                message.stage = Stage::Noting;
                Next::Note(message.id)
            }
            Stage::Waiting | Stage::Noted => Next::Send(message.bytes.clone()),
            Stage::Accepting | Stage::Noting | Stage::Sent(_) => Next::Nothing,
        }
    }

    /// What `next` gave is sent, and ends at this byte of the connection.
    pub(crate) fn sent(&mut self, end: u64) {
        let unsent = self
            .queue
            .iter_mut()
            .find(|message| !matches!(message.stage, Stage::Sent(_)));
        if let Some(message) = unsent {
            message.stage = Stage::Sent(end);
        }
    }

    /// So many bytes of the connection are acknowledged.
    pub(crate) fn acked(&mut self, total: u64) -> Option<Over> {
        match self.queue.front()?.stage {
            Stage::Sent(end) if end <= total => self.pop(0),
            Stage::Sent(_) | Stage::Accepting | Stage::Waiting | Stage::Noting | Stage::Noted => {
                None
            }
        }
    }

    /// The connection is over: a message on its way is uncertain.
    pub(crate) fn uncertain(&mut self) -> Option<Over> {
        match self.queue.front()?.stage {
            Stage::Sent(_) => self.pop(0),
            Stage::Accepting | Stage::Waiting | Stage::Noting | Stage::Noted => None,
        }
    }

    /// A message that is too old. One that is being put on disk is answered first.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Over> {
        let at = self
            .queue
            .iter()
            .position(|message| message.can_expire() && message.expires <= now)?;
        self.pop(at)
    }

    /// When the next is too old.
    pub(crate) fn deadline(&self) -> Instant {
        let waiting = self.queue.iter().filter(|message| message.can_expire());
        waiting
            .map(|message| message.expires)
            .min()
            .unwrap_or(Instant::NEVER)
    }

    /// All that is left, where the device is removed.
    pub(crate) fn remove(&mut self) -> Option<(Over, Option<(ProgramId, u32)>)> {
        let answer = self.queue.front_mut()?.answer.take();
        self.pop(0).map(|over| (over, answer))
    }

    fn pop(&mut self, at: usize) -> Option<Over> {
        let message = self.queue.remove(at)?;
        self.bytes -= message.bytes.len();
        Some(Over {
            id: message.id,
            kept: message.kept,
        })
    }

    /// Bytes that wait.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Message {
    /// What is being put on disk is answered first; what was sent is the device's.
    const fn can_expire(&self) -> bool {
        matches!(self.stage, Stage::Waiting | Stage::Noted)
    }
}
