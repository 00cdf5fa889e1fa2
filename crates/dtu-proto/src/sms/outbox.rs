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

/// So many numbers are remembered: more than a modem's count can lag behind by tries that never reached it.
const USED_MAX: usize = 32;

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// Grows with each message.
    pub(crate) number: u64,
    pub(crate) to: PhoneNumber,
    /// SUBMIT PDUs that the network has not taken yet. The first one gets its reference right before its first try,
    /// and asks from then on for a copy to be refused (TP-RD): so stands on the disk, and an earlier run tells a later
    /// one, what may be with the service centre already.
    pub(crate) parts: VecDeque<Bytes>,
    /// Given up then.
    pub(crate) until: Instant,
    retry_at: Instant,
    tries: u32,
    /// The first part has its reference and was not tried yet.
    is_fresh: bool,
    /// An earlier run may have tried it, or may have given its number to another message.
    unsure: bool,
    /// Grows with each message, and with each reference that is given.
    change: u64,
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
    /// The service centre says that it has this part already, and that may be another one.
    Doubtful,
    /// Tried again later.
    Later,
    /// Given up.
    Refused,
    /// There is no such message any more.
    Gone,
}

/// The messages, in the order in which they were made, and the references (TP-MR) of all that is sent.
///
/// A modem fills in the reference of a message itself, unless the message asks for copies to be refused (27.005,
/// 23.040 9.2.3.6). So what is sent the first time gets the number that the modem will give: the one behind the last,
/// which `+CMGS: n` tells; only a repeat is sent with that number and TP-RD. A first try with TP-RD would be refused
/// where the number is that of a message sent by a command.
///
/// Where the modem's count is not known (it has told no number yet, or nobody knows whether it saw a try that failed), or
/// comes to a number that a repeat has used, a guess would cost a message: its repeat is no copy of it for the service
/// centre, or one of another message. There a message goes with TP-RD from its first try on, and with a number that no
/// message of late had.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Outgoing>,
    /// Counts messages and references.
    changes: u64,
    /// TP-MR that was used last, by whomever.
    reference: u8,
    /// The modem has told one since it came.
    is_known: bool,
    /// Numbers that the service centre knows, the newest last.
    used: VecDeque<u8>,
}

impl Outbox {
    /// Takes a message. False: there is no room.
    pub(crate) fn push(
        &mut self,
        to: PhoneNumber,
        parts: Vec<Bytes>,
        now: Instant,
        safe: bool,
    ) -> bool {
        let room = self.has_room(parts.len());
        if room {
            self.add(to, VecDeque::from(parts), now, now + KEEP, safe);
        }
        room
    }

    /// Takes a message of an earlier run.
    pub(crate) fn restore(
        &mut self,
        to: PhoneNumber,
        parts: VecDeque<Bytes>,
        now: Instant,
        left: Duration,
    ) -> bool {
        let room = self.has_room(parts.len());
        if room {
            self.add(to, parts, now, now + left.min(KEEP), true);
            if let Some(message) = self.queue.back_mut() {
                message.unsure = true;
            }
        }
        room
    }

    fn has_room(&self, parts: usize) -> bool {
        self.parts() + parts <= PARTS_MAX
    }

    fn add(
        &mut self,
        to: PhoneNumber,
        parts: VecDeque<Bytes>,
        now: Instant,
        until: Instant,
        safe: bool,
    ) {
        self.changes += 1;
        let (number, change) = (self.changes, self.changes);
        let (is_fresh, unsure) = (false, false);
        let message = Outgoing {
            number,
            to,
            parts,
            until,
            retry_at: now,
            tries: 0,
            is_fresh,
            unsure,
            change,
            safe,
        };
        self.queue.push_back(message);
    }

    /// The first message that the disk holds and that could be sent now. Messages to one receiver keep their order.
    fn ready(&self, now: Instant) -> Option<usize> {
        let is_ready = |(place, message): &(usize, &Outgoing)| {
            let waits_for_another = self
                .queue
                .iter()
                .take(*place)
                .any(|earlier| earlier.to == message.to);
            // mutant: order-to-receiver
            message.safe && message.retry_at <= now && !waits_for_another
        };
        self.queue
            .iter()
            .enumerate()
            .find(is_ready)
            .map(|(place, _)| place)
    }

    /// The number of the next first try, and whether it is one of our own.
    fn upcoming(&self) -> (u8, bool) {
        let counted = self.reference.wrapping_add(1);
        let free = (0..=u8::MAX)
            .map(|ahead| counted.wrapping_add(ahead))
            .find(|number| !self.used.contains(number));
        let number = free.unwrap_or(counted);
        // mutant: reference-used
        (number, !self.is_known || number != counted)
    }

    /// The service centre has a message with this number.
    pub(crate) fn note_used(&mut self, reference: u8) {
        self.used.retain(|used| *used != reference);
        self.used.push_back(reference);
        if self.used.len() > USED_MAX {
            self.used.pop_front();
        }
    }

    /// Gives the next part its reference, if it has none or an old one; true: that must be stored before it is sent.
    pub(crate) fn prepare(&mut self, now: Instant, safe: bool) -> bool {
        let (reference, _) = self.upcoming();
        let Some(message) = self.ready(now).and_then(|place| self.queue.get_mut(place)) else {
            return false;
        };
        let Some(front) = message.parts.front_mut() else {
            return false;
        };
        let stands =
            refuses_copies(front) && (!message.is_fresh || reference_of(front) == Some(reference));
        if !stands {
            *front = numbered(front, reference, true);
            message.is_fresh = true;
            self.changes += 1;
            (message.change, message.safe) = (self.changes, safe);
        }
        !stands
    }

    /// The next part to be sent now: number of its message, and the PDU. `failing`: the disk does not have its number,
    /// so it did not have those of an earlier run either, perhaps, and that one may have used it.
    pub(crate) fn next(&mut self, now: Instant, failing: bool) -> Option<(u64, Bytes)> {
        let (_, is_own) = self.upcoming();
        let message = self
            .ready(now)
            .and_then(|place| self.queue.get_mut(place))?;
        // mutant: unsure-reference
        message.unsure |= failing && message.is_fresh;
        let part = message.parts.front()?;
        let reference = reference_of(part)?;
        if !message.is_fresh {
            if reference == self.reference.wrapping_add(1) {
                // An earlier run has used it up.
                self.reference = reference;
            }
            // mutant: repeat-refuses-copies
            return Some((message.number, part.clone()));
        }
        if is_own {
            if !self.is_known {
                self.reference = reference;
            }
            return Some((message.number, part.clone()));
        }
        self.reference = reference;
        // mutant: first-try
        Some((message.number, numbered(part, self.reference, false)))
    }

    /// A message of a command is sent: with the reference that the modem will give it. One that asks for copies to be
    /// refused keeps its own.
    pub(crate) fn command(&mut self, pdu: &Bytes) -> Bytes {
        if refuses_copies(pdu) {
            return pdu.clone();
        }
        numbered(pdu, self.take_reference(), false)
    }

    /// The next reference, for a message that keeps it.
    pub(crate) const fn take_reference(&mut self) -> u8 {
        self.reference = self.reference.wrapping_add(1);
        self.reference
    }

    /// The network has answered for the part that [`Self::next`] gave.
    pub(crate) fn answered(
        &mut self,
        number: u64,
        outcome: Result<u8, SubmitFailure>,
        now: Instant,
    ) -> Progress {
        let Some(place) = self
            .queue
            .iter()
            .position(|message| message.number == number)
        else {
            return Progress::Gone;
        };
        let used = match outcome {
            Ok(told) => Some(told),
            Err(SubmitFailure::DUPLICATE) => self.queue[place]
                .parts
                .front()
                .and_then(|part| reference_of(part)),
            Err(_) => None,
        };
        if let Some(used) = used {
            self.note_used(used);
        }
        let message = &mut self.queue[place];
        let was_fresh = core::mem::take(&mut message.is_fresh);
        // Whether a modem counts a try that failed, and whether it saw this one, nobody knows.
        // mutant: failed-try-counts
        self.is_known &= !was_fresh || outcome.is_ok();
        match outcome {
            Err(SubmitFailure::DUPLICATE) if was_fresh => {
                // Not a copy of itself: the centre still holds another one with this reference, 256 messages old.
                message.retry_at = now + RETRY_FIRST;
                message.forget_reference();
                Progress::Later
            }
            // mutant: copy-refused
            Ok(_) | Err(SubmitFailure::DUPLICATE) => {
                let doubtful = outcome.is_err() && message.unsure;
                message.parts.pop_front();
                (message.tries, message.unsure) = (0, false);
                let more = !message.parts.is_empty();
                if !more {
                    self.queue.remove(place);
                }
                match (doubtful, more) {
                    (true, _) => Progress::Doubtful,
                    (false, true) => Progress::Part,
                    (false, false) => Progress::Sent,
                }
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

    /// The modem has told the reference that it gave to a message for this receiver.
    pub(crate) fn note_reference(&mut self, reference: u8, to: Option<PhoneNumber>) {
        // mutant: reference-heard
        (self.reference, self.is_known) = (reference, true);
        self.note_used(reference);
        // A part that waits to be repeated under this number did not use it up: its repeat would be taken for a copy
        // of that message.
        for message in self
            .queue
            .iter_mut()
            .filter(|message| Some(message.to) == to && !message.is_fresh)
        {
            if message
                .parts
                .front()
                .is_some_and(|part| refuses_copies(part) && reference_of(part) == Some(reference))
            {
                message.forget_reference();
            }
        }
    }

    /// A modem comes: perhaps another one, or another SIM.
    pub(crate) const fn modem_came(&mut self) {
        self.is_known = false;
    }

    pub(crate) fn receiver(&self, number: u64) -> Option<PhoneNumber> {
        self.queue
            .iter()
            .find(|message| message.number == number)
            .map(|message| message.to)
    }

    /// Gives up the next message that has waited too long, unless it is being sent; ask until there is none.
    pub(crate) fn expire(&mut self, now: Instant, sending: Option<u64>) -> Option<Outgoing> {
        let old = |message: &Outgoing| message.until <= now && Some(message.number) != sending;
        let place = self.queue.iter().position(old)?;
        self.queue.remove(place)
    }

    /// When the next one is due, to be sent (where `can_send`) or to be given up.
    pub(crate) fn deadline(&self, can_send: bool, sending: Option<u64>) -> Option<Instant> {
        let first_of_its_kind = |place: usize, to: PhoneNumber| {
            !self
                .queue
                .iter()
                .take(place)
                .any(|earlier| earlier.to == to)
        };
        let ready = |(place, message): (usize, &Outgoing)| {
            (can_send && sending.is_none() && message.safe && first_of_its_kind(place, message.to))
                .then_some(message.retry_at)
        };
        let sends = self.queue.iter().enumerate().filter_map(ready).min();
        let ends = self
            .queue
            .iter()
            .filter(|message| Some(message.number) != sending)
            .map(|message| message.until);
        [sends, ends.min()].into_iter().flatten().min()
    }

    /// The network is there again: what waited for it goes now.
    pub(crate) fn hurry(&mut self, now: Instant) {
        for message in &mut self.queue {
            message.retry_at = message.retry_at.min(now);
        }
    }

    /// What changed up to this is on the disk.
    pub(crate) fn safe_up_to(&mut self, change: u64) {
        for message in self
            .queue
            .iter_mut()
            .filter(|message| message.change <= change)
        {
            message.safe = true;
        }
    }

    pub(crate) const fn last_change(&self) -> u64 {
        self.changes
    }

    pub(crate) const fn reference(&self) -> u8 {
        self.reference
    }

    /// Numbers that the service centre knows, the newest last.
    pub(crate) fn used(&self) -> impl ExactSizeIterator<Item = u8> {
        self.used.iter().copied()
    }

    pub(crate) const fn set_reference(&mut self, reference: u8) {
        self.reference = reference;
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

impl Outgoing {
    /// The first part gets another reference, and is tried as if for the first time.
    fn forget_reference(&mut self) {
        if let Some(front) = self.parts.front_mut() {
            *front = numbered(front, 0, false);
        }
        self.is_fresh = false;
    }
}

/// Where the first octet of the message stands, behind the service centre.
fn first_octet(pdu: &[u8]) -> Option<usize> {
    let first = usize::from(*pdu.first()?) + 1;
    (first < pdu.len()).then_some(first)
}

/// TP-RD: the service centre refuses a message with the reference and receiver of one that it has (23.040 9.2.3.25).
pub(crate) fn refuses_copies(pdu: &[u8]) -> bool {
    first_octet(pdu)
        .and_then(|first| pdu.get(first))
        .is_some_and(|octet| octet & REJECT_DUPLICATES != 0)
}

/// TP-MR.
fn reference_of(pdu: &[u8]) -> Option<u8> {
    pdu.get(first_octet(pdu)? + 1).copied()
}

/// With this TP-MR, and TP-RD or not.
pub(crate) fn numbered(pdu: &[u8], reference: u8, with_rd: bool) -> Bytes {
    let mut octets = pdu.to_vec();
    if let Some(first) = first_octet(pdu)
        && let Some([octet, number]) = octets.get_mut(first..first + 2)
    {
        *number = reference;
        *octet = if with_rd {
            *octet | REJECT_DUPLICATES
        } else {
            *octet & !REJECT_DUPLICATES
        };
    }
    Bytes::from(octets)
}

const REJECT_DUPLICATES: u8 = 1 << 2;
