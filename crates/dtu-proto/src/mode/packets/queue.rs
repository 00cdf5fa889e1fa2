//! All packets that wait, in the order in which they came, wherever each one waits.

use alloc::collections::{BTreeMap, VecDeque};
use bytes::Bytes;

use crate::config::{DropPolicy, LinkOptions};
use crate::event::{Output, QueueId, StoreOutput};

/// Waiting that wait at most, whatever their size.
const PACKETS_MAX: usize = 65_536;
/// Where a full queue stops the reading it does so this early: one read and one packet still fit.
const BLOCK_HEADROOM: usize = 5 * 1024;
/// The spool may grow to so many caches behind a packet that cannot be delivered.
const SPOOL_CACHES: u64 = 4;
/// Below this it is not worth while to move what waits.
const SPOOL_LEAST: u64 = 64 * 1024;

/// The packets.
#[derive(Debug)]
pub(super) struct Waiting {
    waiting: BTreeMap<u64, Packet>,
    bytes: usize,
    /// Of these, bytes of an earlier run: the limit is not for them. The spool has a bound of its own, and brings packets
    /// that were delivered, too; these must not push out one that was not.
    restored: usize,
    limit: usize,
    policy: DropPolicy,
    spool: bool,
    next: u64,
    /// The number that the next one has in the spool.
    next_number: u64,
    /// Bytes given to the spool.
    spooled: u64,
}

#[derive(Debug)]
struct Packet {
    bytes: Bytes,
    /// In the spool; in the order of the packets.
    number: u64,
    /// What `spooled` was.
    spooled_at: u64,
    /// Of an earlier run.
    restored: bool,
}

impl Waiting {
    pub(super) const fn new(options: &LinkOptions) -> Self {
        Self {
            waiting: BTreeMap::new(),
            bytes: 0,
            restored: 0,
            limit: options.cache,
            policy: options.drop_policy,
            spool: options.spool,
            next: 0,
            next_number: 0,
            spooled: 0,
        }
    }

    /// Keeps a packet of the DTE.
    pub(super) fn add(&mut self, packet: Bytes, outputs: &mut VecDeque<Output>) -> u64 {
        let number = self.next_number;
        self.append(number, &packet, outputs);
        let id = self.keep(number, packet, false);
        self.tidy_spool(outputs);
        id
    }

    /// Keeps a packet that the spool has already.
    pub(super) fn restore(&mut self, number: u64, packet: Bytes) -> u64 {
        self.restored += packet.len();
        self.keep(number, packet, true)
    }

    fn keep(&mut self, number: u64, packet: Bytes, restored: bool) -> u64 {
        let id = self.next;
        self.next += 1;
        self.pass(number);
        self.bytes += packet.len();
        self.waiting.insert(
            id,
            Packet {
                bytes: packet,
                number,
                spooled_at: self.spooled,
                restored,
            },
        );
        id
    }

    /// This number was used.
    pub(super) fn pass(&mut self, number: u64) {
        self.next_number = self.next_number.max(number + 1);
    }

    pub(super) fn get(&self, id: u64) -> Option<&Bytes> {
        self.waiting.get(&id).map(|packet| &packet.bytes)
    }

    /// Lets a packet go.
    pub(super) fn remove(&mut self, id: u64, outputs: &mut VecDeque<Output>) -> Option<Bytes> {
        let was_first = self
            .waiting
            .first_key_value()
            .is_some_and(|(first, _)| *first == id);
        let packet = self.waiting.remove(&id)?;
        self.bytes -= packet.bytes.len();
        if packet.restored {
            self.restored -= packet.bytes.len();
        }
        if was_first {
            self.release(outputs);
        }
        Some(packet.bytes)
    }

    fn append(&mut self, number: u64, packet: &Bytes, outputs: &mut VecDeque<Output>) {
        if self.spool {
            self.spooled += packet.len() as u64;
            let append = StoreOutput::SpoolAppend(QueueId::SerialCommand, number, packet.clone());
            outputs.push_back(Output::Store(append));
        }
    }

    fn release(&self, outputs: &mut VecDeque<Output>) {
        if self.spool {
            let first = self
                .waiting
                .first_key_value()
                .map_or(self.next_number, |(_, packet)| packet.number);
            outputs.push_back(Output::Store(StoreOutput::SpoolRelease(
                QueueId::SerialCommand,
                first,
            )));
        }
    }

    /// The spool ends at its oldest packet. Where that one cannot be delivered and much was since, what waits moves to
    /// the spool's other end.
    fn tidy_spool(&mut self, outputs: &mut VecDeque<Output>) {
        let Some((_, first)) = self.waiting.first_key_value() else {
            return;
        };
        let most = SPOOL_LEAST.max(SPOOL_CACHES * self.limit as u64);
        if self.spooled - first.spooled_at <= most {
            return;
        }
        let mut waiting = core::mem::take(&mut self.waiting);
        for packet in waiting.values_mut() {
            packet.number = self.next_number;
            self.next_number += 1;
            self.append(packet.number, &packet.bytes, outputs);
            packet.spooled_at = self.spooled;
        }
        self.waiting = waiting;
        self.release(outputs);
    }

    /// Whether a packet of this length finds no room.
    pub(super) fn is_full_for(&self, len: usize) -> bool {
        self.policy != DropPolicy::Block
            && (self.bytes - self.restored + len > self.limit || self.waiting.len() >= PACKETS_MAX)
    }

    /// Whether the oldest go for a packet of this length, where the sockets have so many bytes that cannot go.
    pub(super) fn makes_room_for(&self, len: usize, in_sockets: usize) -> bool {
        matches!(self.policy, DropPolicy::Auto | DropPolicy::Oldest)
            && len + in_sockets <= self.limit
    }

    /// Whether there is no room left for what one read may bring.
    pub(super) fn is_nearly_full(&self) -> bool {
        self.is_nearly_full_without(0)
    }

    /// The same, were so many bytes of them gone.
    pub(super) fn is_nearly_full_without(&self, bytes: usize) -> bool {
        let headroom = BLOCK_HEADROOM.min(self.limit / 2);
        (self.bytes - self.restored).saturating_sub(bytes) + headroom > self.limit
            || self.waiting.len() + headroom > PACKETS_MAX
    }

    pub(super) const fn policy(&self) -> DropPolicy {
        self.policy
    }

    /// All that wait, oldest first, with their numbers in the spool.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Bytes)> {
        self.waiting
            .values()
            .map(|packet| (packet.number, &packet.bytes))
    }

    pub(super) fn count(&self) -> usize {
        self.waiting.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}
