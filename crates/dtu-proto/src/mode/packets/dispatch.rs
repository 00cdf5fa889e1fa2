//! How packets get their slots, and leave them: delivered, or dropped and counted.

use alloc::vec::Vec;
use bytes::Bytes;

use super::slot::Slot;
use super::{Packets, SLOT_PATIENCE, asks_for_reply};
use crate::act::PacketReply;
use crate::config::DropPolicy;
use crate::cx::Cx;
use crate::event::SocketId;
use crate::net::queue::Fate;
use crate::time::Instant;
use crate::wire::command_frame::CommandFrame;

impl Packets {
    pub(super) fn enqueue(&mut self, id: u64, now: Instant) {
        if self.pending.is_empty() {
            self.pending_since = now;
        }
        // mutant: pending-order
        self.pending.push_back(id);
    }

    /// Packets get their slots, in the order in which they came, as far as there are some.
    pub(super) fn dispatch(&mut self, cx: &mut Cx<'_>) {
        while self.running
            && let Some(id) = self.pending.front().copied()
        {
            if let Some(packet) = self.queue.cache().get(id).cloned()
                && let Ok(frame) = CommandFrame::decode(&packet)
            {
                let Some(slot) = self.slot_for(&frame, cx) else {
                    return;
                };
                slot.give(id, &packet, &frame, cx);
            }
            self.pending.pop_front();
            self.pending_since = cx.now;
        }
    }

    pub(super) fn slot_for(
        &mut self,
        frame: &CommandFrame<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<&mut Slot> {
        // mutant: own-connection
        if let Some(index) = self.slots.iter().position(|slot| slot.is_for(frame)) {
            return self.slots.get_mut(index);
        }
        if let Some(socket) = SocketId::DESTINATIONS.get(self.slots.len()) {
            self.slots
                .push(Slot::new(*socket, &self.options, frame, cx));
            return self.slots.last_mut();
        }
        let idle = self.slots.iter_mut().filter(|slot| slot.given.is_empty());
        let slot = idle.min_by_key(|slot| (slot.link.is_open(), slot.used_at))?;
        slot.retarget(frame, cx);
        Some(slot)
    }

    /// Whether there is room for a packet, once the oldest have gone.
    pub(super) fn has_room(&mut self, len: usize, cx: &mut Cx<'_>) -> bool {
        let in_sockets = self
            .slots
            .iter()
            .map(|slot| slot.link.handed_over_bytes())
            .sum();
        let makes_room = self.queue.cache().makes_room_for(len, in_sockets);
        while self.queue.cache().is_full_for(len) {
            if !makes_room || !self.drop_oldest(cx) {
                return false;
            }
        }
        true
    }

    /// Lets go of the oldest packet that is not in a socket's hands: what is there may still arrive. Where a destination
    /// does not take what waits for it, its packets go first, so that it costs the others nothing.
    pub(super) fn drop_oldest(&mut self, cx: &mut Cx<'_>) -> bool {
        let is_auto = self.queue.cache().policy() == DropPolicy::Auto;
        let last = self.last_delivered();
        let waits = |slot: &&mut Slot| slot.link.first_to_drop().is_some();
        let stalled = self
            .slots
            .iter_mut()
            .filter(waits)
            .filter(|slot| is_auto && slot.is_stalled(cx.now, last));
        let id = match stalled.min_by_key(|slot| slot.link.first_to_drop()) {
            Some(slot) => slot.drop_first(),
            None => match self
                .slots
                .iter_mut()
                .filter(waits)
                .min_by_key(|slot| slot.link.first_to_drop())
            {
                Some(slot) => slot.drop_first(),
                None => self.pending.pop_front(),
            },
        };
        if let Some(id) = id {
            self.queue.pass_extra_on(id);
            self.done(Fate::Dropped(id), cx);
        }
        id.is_some()
    }

    /// Takes out what the links are done with; those that waited for that move up.
    pub(super) fn settle_slots(&mut self, cx: &mut Cx<'_>) {
        while let Some(fate) = self
            .slots
            .iter_mut()
            .find_map(|slot| slot.next_done(cx.now))
        {
            self.done(fate, cx);
        }
        self.dispatch(cx);
    }

    pub(super) fn done(&mut self, fate: Fate, cx: &mut Cx<'_>) {
        let Some(packet) = self.queue.take(fate, cx.outputs) else {
            return;
        };
        let id = fate.number();
        if let Ok(index) = self.asking.binary_search_by_key(&id, |(asking, _)| *asking) {
            self.asking.remove(index);
        }
        // mutant: drop-answered
        self.reply(&packet, matches!(fate, Fate::Delivered(_)), cx);
    }

    pub(super) fn reply(&self, packet: &Bytes, delivered: bool, cx: &mut Cx<'_>) {
        if asks_for_reply(packet) {
            self.emit(PacketReply::Reply { delivered }, cx);
        }
    }

    /// When somebody has waited long enough for the full reply. What a socket has may still arrive: its connection ends
    /// first, and tells.
    pub(super) fn reply_at(&self) -> Option<Instant> {
        let waits = |id: u64| {
            !self
                .slots
                .iter()
                .any(|slot| slot.link.is_closing() && slot.has(id))
        };
        self.asking
            .iter()
            .find(|(id, _)| waits(*id))
            .map(|(_, until)| *until)
    }

    pub(super) fn give_replies_up(&mut self, cx: &mut Cx<'_>) {
        let due: Vec<u64> = self
            .asking
            .iter()
            .take_while(|(_, until)| *until <= cx.now)
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let given_up = match self.slots.iter_mut().find(|slot| slot.has(id)) {
                Some(slot) => slot.give_up(id, cx),
                None => {
                    self.pending.retain(|waiting| *waiting != id);
                    true
                }
            };
            if given_up {
                self.done(Fate::Dropped(id), cx);
            }
        }
    }

    /// The slot of the longest standstill.
    pub(super) fn slowest(&self) -> Option<usize> {
        (0..self.slots.len()).min_by_key(|index| self.slots[*index].progress_at)
    }

    pub(super) fn give_up_at(&self, attached: bool) -> Option<Instant> {
        if !self.running || !attached || self.pending.is_empty() {
            return None;
        }
        let stands_since = self.slots[self.slowest()?].progress_at;
        Some(stands_since.max(self.pending_since).max(self.trying_since) + SLOT_PATIENCE)
    }

    pub(super) fn give_a_slot_up(&mut self, cx: &mut Cx<'_>) {
        let Some(index) = self.slowest() else { return };
        for id in self.slots[index].empty() {
            self.done(Fate::Dropped(id), cx);
        }
    }
}
