//! Messages that the device itself sends: those of mode 4, and replies to commands that came as messages.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;

use crate::radio::{PhoneNumber, SubmitFailure};
use crate::time::{Duration, Instant};

/// Parts that wait at most, of all messages together.
pub(crate) const PARTS_MAX: usize = 256;
/// A message is given up so long after it was made.
pub(crate) const KEEP: Duration = Duration::from_secs(24 * 3600);
/// Pauses after a temporary failure: doubled each time, between these.
const RETRY_FIRST: Duration = Duration::from_secs(5);
const RETRY_LAST: Duration = Duration::from_secs(300);

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// Grows with each message.
    pub(crate) number: u64,
    pub(crate) to: PhoneNumber,
    /// SUBMIT PDUs that the network has not taken yet, each with its own reference.
    pub(crate) parts: VecDeque<Bytes>,
    /// Given up then.
    pub(crate) until: Instant,
    retry_at: Instant,
    tries: u32,
    /// It comes from an earlier run, which may have sent it: each part asks the service centre to refuse a second
    /// copy.
    restored: bool,
    /// It is on the disk (or the disk fails), so a restart does not lose it.
    pub(crate) safe: bool,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// A part of it is with the network; more are to go.
    Part,
    /// All of it is with the network.
    Sent,
    /// Tried again later.
    Later,
    /// Given up.
    Refused,
    /// There is no such message any more.
    Gone,
}

/// The messages, in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Outgoing>,
    next_number: u64,
    /// TP-MR of the next part.
    next_reference: u8,
}

impl Outbox {
    /// Takes a message; each part gets its reference. False: there is no room.
    pub(crate) fn push(&mut self, to: PhoneNumber, parts: Vec<Bytes>, now: Instant, safe: bool) -> bool {
        if self.parts() + parts.len() > PARTS_MAX {
            return false;
        }
        let parts = parts.into_iter().map(|part| self.with_reference(&part)).collect();
        self.add(to, parts, now, now + KEEP, false, safe);
        true
    }

    /// Takes a message of an earlier run.
    pub(crate) fn restore(
        &mut self,
        to: PhoneNumber,
        parts: VecDeque<Bytes>,
        now: Instant,
        left: Duration,
    ) -> bool {
        let room = self.parts() + parts.len() <= PARTS_MAX;
        if room {
            self.add(to, parts, now, now + left.min(KEEP), true, true);
        }
        room
    }

    fn add(
        &mut self,
        to: PhoneNumber,
        parts: VecDeque<Bytes>,
        now: Instant,
        until: Instant,
        restored: bool,
        safe: bool,
    ) {
        self.next_number += 1;
        let number = self.next_number;
        self.queue.push_back(Outgoing { number, to, parts, until, retry_at: now, tries: 0, restored, safe });
    }

    fn with_reference(&mut self, part: &Bytes) -> Bytes {
        self.next_reference = self.next_reference.wrapping_add(1);
        let mut octets = part.to_vec();
        if let Some(reference) = first_octet(&octets).and_then(|first| octets.get_mut(first + 1)) {
            *reference = self.next_reference;
        }
        Bytes::from(octets)
    }

    /// The next part of that message gets another reference.
    fn renumber(&mut self, place: usize) {
        let part = self.queue.get(place).and_then(|message| message.parts.front()).cloned();
        let Some(part) = part.map(|part| self.with_reference(&part)) else { return };
        if let Some(front) = self.queue.get_mut(place).and_then(|message| message.parts.front_mut()) {
            *front = part;
        }
    }

    /// The next part to be sent now: number of its message, and the PDU. Messages to one receiver keep their order.
    pub(crate) fn next(&self, now: Instant) -> Option<(u64, Bytes)> {
        let ready = |(place, message): &(usize, &Outgoing)| {
            let waits_for_another = self.queue.iter().take(*place).any(|earlier| earlier.to == message.to);
            message.safe && message.retry_at <= now && !waits_for_another
        };
        let (_, message) = self.queue.iter().enumerate().find(ready)?;
        let part = message.parts.front()?;
        // From the first try: a modem that is not asked for it puts a reference of its own into the message (27.005),
        // and the service centre would not know the repeat.
        Some((message.number, refusing_copies(part)))
    }

    /// The network has answered for the part that [`Self::next`] gave.
    pub(crate) fn answered(
        &mut self,
        number: u64,
        outcome: Result<u8, SubmitFailure>,
        now: Instant,
    ) -> Progress {
        let Some(place) = self.queue.iter().position(|message| message.number == number) else {
            return Progress::Gone;
        };
        let message = &mut self.queue[place];
        let is_first_try = message.tries == 0 && !message.restored;
        match outcome {
            Err(SubmitFailure::DUPLICATE) if is_first_try => {
                // Not a copy of itself: the centre still holds another one with this reference, 256 messages old.
                message.retry_at = now + RETRY_FIRST;
                self.renumber(place);
                Progress::Later
            }
            Ok(_) | Err(SubmitFailure::DUPLICATE) => {
                message.parts.pop_front();
                message.tries = 0;
                if !message.parts.is_empty() {
                    return Progress::Part;
                }
                self.queue.remove(place);
                Progress::Sent
            }
            Err(failure) if failure.is_temporary() => {
                let pause = RETRY_FIRST * 2_u32.saturating_pow(message.tries.min(16));
                message.retry_at = now + pause.min(RETRY_LAST);
                message.tries += 1;
                Progress::Later
            }
            Err(_) => {
                self.queue.remove(place);
                Progress::Refused
            }
        }
    }

    pub(crate) fn receiver(&self, number: u64) -> Option<PhoneNumber> {
        self.queue.iter().find(|message| message.number == number).map(|message| message.to)
    }

    /// Gives up the next message that has waited too long, unless it is being sent; ask until there is none.
    pub(crate) fn expire(&mut self, now: Instant, sending: Option<u64>) -> Option<Outgoing> {
        let old = |message: &Outgoing| message.until <= now && Some(message.number) != sending;
        let place = self.queue.iter().position(old)?;
        self.queue.remove(place)
    }

    /// When the next one is due, to be sent (where `can_send`) or to be given up.
    pub(crate) fn deadline(&self, can_send: bool, sending: Option<u64>) -> Option<Instant> {
        let first_of_its_kind =
            |place: usize, to: PhoneNumber| !self.queue.iter().take(place).any(|earlier| earlier.to == to);
        let ready = |(place, message): (usize, &Outgoing)| {
            (can_send && sending.is_none() && message.safe && first_of_its_kind(place, message.to))
                .then_some(message.retry_at)
        };
        let sends = self.queue.iter().enumerate().filter_map(ready).min();
        let ends =
            self.queue.iter().filter(|message| Some(message.number) != sending).map(|message| message.until);
        [sends, ends.min()].into_iter().flatten().min()
    }

    /// The network is there again: what waited for it goes now.
    pub(crate) fn hurry(&mut self, now: Instant) {
        for message in &mut self.queue {
            message.retry_at = message.retry_at.min(now);
        }
    }

    /// Messages up to this number are on the disk.
    pub(crate) fn safe_up_to(&mut self, number: u64) {
        for message in self.queue.iter_mut().filter(|message| message.number <= number) {
            message.safe = true;
        }
    }

    pub(crate) const fn last_number(&self) -> u64 {
        self.next_number
    }

    pub(crate) const fn reference(&self) -> u8 {
        self.next_reference
    }

    pub(crate) const fn set_reference(&mut self, reference: u8) {
        self.next_reference = reference;
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn parts(&self) -> usize {
        self.queue.iter().map(|message| message.parts.len()).sum()
    }

    pub(crate) fn messages(&self) -> impl Iterator<Item = &Outgoing> {
        self.queue.iter()
    }
}

/// Where the first octet of the message stands, behind the service centre.
fn first_octet(pdu: &[u8]) -> Option<usize> {
    let first = usize::from(*pdu.first()?) + 1;
    (first < pdu.len()).then_some(first)
}

/// TP-RD: the service centre refuses a message with the reference and receiver of one that it has (23.040 9.2.3.25).
fn refusing_copies(pdu: &Bytes) -> Bytes {
    let mut octets = pdu.to_vec();
    if let Some(octet) = first_octet(&octets).and_then(|first| octets.get_mut(first)) {
        *octet |= 1 << 2;
    }
    Bytes::from(octets)
}
