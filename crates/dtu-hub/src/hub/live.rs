//! Bytes from device to device, which never wait: rooms and groups.

use bytes::Bytes;

use super::Hub;
use crate::connection::Stage;
use crate::device::{UDP_WINDOW, Via};
use crate::event::{CloseReason, Output};
use crate::ids::{AccountId, RoomId};
use crate::registry::{GroupKind, Rights};
use crate::time::Instant;

impl Hub {
    pub(super) fn join(&mut self, place: u32, id: RoomId, rest: &[u8], now: Instant) {
        let Some(room) = self
            .rooms
            .get_mut(&id)
            .filter(|room| room.members.len() < room.limit)
        else {
            self.close(place, CloseReason::NoRoom);
            return;
        };
        room.members.push(place);
        if let Some(connection) = self.connection(place) {
            connection.stage = Stage::Room(id);
            connection.until = Instant::NEVER;
        }
        if !rest.is_empty() {
            self.in_room(place, id, rest, now);
        }
    }

    /// A room that becomes another account's is empty first.
    pub(super) fn evict(&mut self, id: RoomId, owner: AccountId) {
        let room = self.rooms.get_mut(&id);
        let Some(room) = room.filter(|room| room.account != owner) else {
            return;
        };
        for member in std::mem::take(&mut room.members) {
            self.close(member, CloseReason::NoRoom);
        }
    }

    pub(super) fn leave(&mut self, place: u32, id: RoomId) {
        if let Some(room) = self.rooms.get_mut(&id) {
            room.members.retain(|member| *member != place);
        }
    }

    /// "everyone with the same id hears everyone else"
    pub(super) fn in_room(&mut self, from: u32, id: RoomId, bytes: &[u8], now: Instant) {
        let Some(room) = self.rooms.get_mut(&id) else {
            return;
        };
        if !room.takes(bytes.len(), now) {
            self.counters.room_bytes_dropped += bytes.len() as u64;
            return;
        }
        let bytes = Bytes::copy_from_slice(bytes);
        let members = std::mem::take(&mut room.members);
        for member in members.iter().filter(|member| **member != from) {
            if !self.live(*member, &bytes) {
                self.counters.room_bytes_dropped += bytes.len() as u64;
            }
        }
        if let Some(room) = self.rooms.get_mut(&id) {
            room.members = members;
        }
    }

    /// False where the bytes found no room.
    fn live(&mut self, place: u32, bytes: &Bytes) -> bool {
        let Some(connection) = self.connection(place) else {
            return false;
        };
        let id = connection.id;
        match connection.push_live(bytes) {
            Ok(Some(send)) => self.outputs.push_back(Output::Door(id, send)),
            Ok(None) => {}
            Err(()) => return false,
        }
        true
    }

    /// "what one device of a group sends, the others get: all-to-all, or master-to-slaves"
    pub(super) fn tell_groups(&mut self, from: u32, bytes: &Bytes, now: Instant) {
        let count = self.device(from).map_or(0, |device| device.groups.len());
        for at in 0..count {
            let group = self
                .device(from)
                .and_then(|device| device.groups.get(at).copied());
            let Some(group) = group.and_then(|id| self.groups.get_mut(&id)) else {
                continue;
            };
            let (kind, master, account) = (group.kind, group.master, group.account);
            let members = std::mem::take(&mut group.members);
            let may = |hub: &Self, place: u32, right: Rights| {
                let device = hub.device(place);
                device.is_some_and(|device| device.rights_of(account).has(right))
            };
            let speaks = may(self, from, Rights::READ);
            for member in members.iter().copied().filter(|member| *member != from) {
                let hears = match kind {
                    GroupKind::AllToAll => true,
                    GroupKind::MasterToSlaves => master == Some(from) || master == Some(member),
                };
                let hears = hears && speaks && may(self, member, Rights::SEND);
                if hears && !self.live_device(member, bytes, now) {
                    self.counters.group_bytes_dropped += bytes.len() as u64;
                }
            }
            let id = self
                .device(from)
                .and_then(|device| device.groups.get(at).copied());
            if let Some(group) = id.and_then(|id| self.groups.get_mut(&id)) {
                group.members = members;
            }
        }
    }

    fn live_device(&mut self, place: u32, bytes: &Bytes, now: Instant) -> bool {
        let Some(device) = self.device(place) else {
            return false;
        };
        match device.via {
            Some(Via::Tcp(connection)) => self.live(connection, bytes),
            Some(Via::Udp(to)) if now.since(device.presence.heard_at()) <= UDP_WINDOW => {
                self.outputs.push_back(Output::Datagram(to, bytes.clone()));
                true
            }
            Some(Via::Udp(_)) | None => false,
        }
    }
}
