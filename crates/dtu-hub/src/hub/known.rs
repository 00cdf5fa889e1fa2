//! What exists: at the start what the store has, later each change.

use std::collections::BTreeMap;

use super::{Account, Group, Hub, Wake};
use crate::device::Device;
use crate::device::Via;
use crate::door::Code;
use crate::event::{CloseReason, End, NotTaken, ProgramOutput, Row, What};
use crate::ids::{AccountId, DeviceId};
use crate::program::Session;
use crate::registry::{DeviceRecord, GroupKind, Registry, Rights};
use crate::room::Room;
use crate::time::Instant;
use crate::topic::Reach;

impl Hub {
    pub(super) fn registry(&mut self, registry: Registry, now: Instant) {
        match registry {
            Registry::Device(record) => self.set_device(*record, now),
            Registry::RemoveDevice(id) => self.remove_device(id, now),
            Registry::Alias(account, name, device) => {
                self.aliases.insert((account, name), device);
            }
            Registry::Rules(rules) => self.rules = *rules,
            Registry::Group {
                group,
                account,
                kind,
                members,
            } => self.set_group(group, account, kind, &members),
            Registry::Room {
                room,
                account,
                members,
                rate,
            } => {
                self.evict(room, account);
                let own = self
                    .rooms
                    .entry(room)
                    .or_insert_with(|| Room::new(account, members, rate, now));
                own.set(account, members, rate);
            }
            Registry::Waiting {
                message,
                device,
                expires,
                bytes,
                sending,
            } => {
                self.last_message = self.last_message.max(message);
                let place = self.ids.get(&device).copied();
                let Some(own) = place.and_then(|place| self.device_mut(place)) else {
                    return;
                };
                own.downlink.restore(message, bytes, expires, sending);
                if let Some(place) = place {
                    while let Some(over) = self
                        .device_mut(place)
                        .and_then(|own| own.downlink.uncertain())
                    {
                        self.uncertain(place, over, now);
                    }
                    self.plan_device(place, now);
                }
            }
            Registry::Session {
                account,
                name,
                keep,
                subscriptions,
                cursors,
            } => {
                let mut session = Session::new(account, Some(name), keep);
                session.ends_at = now + keep;
                for (device, kind, position) in cursors {
                    let is_covered = subscriptions.iter().any(|own| {
                        let reaches = [Reach::Account, Reach::Device(device)].contains(&own.reach);
                        own.acked && own.kind == kind && reaches
                    });
                    // A device may be another account's by now.
                    let own = self.rights(account, device).filter(|_| is_covered);
                    if let Some((place, _)) = own.filter(|(_, own)| own.has(Rights::READ)) {
                        let head = self.device(place).map_or(position, |own| own.last);
                        session.restore(place, kind, position, head);
                    }
                }
                let key = self.new_session(session);
                for subscription in subscriptions {
                    if self.may_read(account, subscription) {
                        self.list(key, subscription);
                    }
                }
                let account = self.account(account);
                if let Some(own) = self.accounts.get_mut(account as usize) {
                    own.kept += 1;
                }
                self.plan_session(key);
            }
        }
    }

    /// The account's place in the table.
    pub(super) fn account(&mut self, id: AccountId) -> u32 {
        let Self {
            account_ids,
            accounts,
            ..
        } = self;
        *account_ids.entry(id).or_insert_with(|| {
            accounts.push(Account::default());
            u32::try_from(accounts.len() - 1).unwrap_or(u32::MAX)
        })
    }

    fn set_device(&mut self, record: DeviceRecord, now: Instant) {
        let rights: BTreeMap<_, _> = record.rights.iter().copied().collect();
        let accounts: Vec<_> = rights
            .iter()
            .map(|(id, own)| (self.account(*id), *own))
            .collect();
        let id = record.id;
        let place = match self.ids.get(&id) {
            Some(place) => *place,
            None => {
                if record.was_online {
                    self.missing += 1;
                }
                let free = u32::try_from(self.devices.len()).unwrap_or(u32::MAX);
                self.devices.push(Some(Device::new(record.clone())));
                self.ids.insert(id, free);
                free
            }
        };
        let Some(device) = self.device_mut(place) else {
            return;
        };
        device.record = record;
        let before = std::mem::replace(&mut device.accounts, accounts.clone());
        for (account, _) in &before {
            if let Some(own) = self.accounts.get_mut(*account as usize) {
                own.devices.retain(|device| *device != place);
            }
        }
        for (account, _) in accounts {
            if let Some(own) = self.accounts.get_mut(account as usize) {
                own.devices.push(place);
            }
        }
        self.drop_readers(place, id, &before, &rights, now);
        self.plan_device(place, now);
    }

    /// Who may no longer read a device hears it no longer, at once.
    fn drop_readers(
        &mut self,
        place: u32,
        id: DeviceId,
        accounts: &[(u32, Rights)],
        rights: &BTreeMap<AccountId, Rights>,
        now: Instant,
    ) {
        let subs = self
            .device(place)
            .map(|device| device.subs.clone())
            .unwrap_or_default();
        let mut kept = Vec::new();
        for sub in subs {
            let Some(session) = self.session(sub.session) else {
                continue;
            };
            if rights
                .get(&session.account)
                .is_some_and(|own| own.has(Rights::READ))
            {
                kept.push(sub);
            } else {
                let reach = Reach::Device(id);
                session.subscriptions.remove(&(sub.kind, reach));
                if let Some(name) = session.is_kept().then(|| session.name.clone()).flatten() {
                    let row = Row::Unsubscribed(session.account, name, sub.kind, reach);
                    self.journal.push(row, now);
                }
                self.forget(sub.session, place, sub.kind, now);
            }
        }
        if let Some(device) = self.device_mut(place) {
            device.subs = kept;
        }
        let of_accounts = accounts
            .iter()
            .filter_map(|(own, _)| self.accounts.get(*own as usize));
        let subs: Vec<_> = of_accounts.flat_map(|own| own.bytes.clone()).collect();
        for sub in subs {
            if let Some(own) = self.session(sub.session)
                && !rights
                    .get(&own.account)
                    .is_some_and(|rights| rights.has(Rights::READ))
            {
                self.forget(sub.session, place, sub.kind, now);
            }
        }
    }

    fn remove_device(&mut self, id: DeviceId, now: Instant) {
        let Some(place) = self.ids.remove(&id) else {
            return;
        };
        // What is left of its stream is nobody's now. Who claims it is told while the id still means something.
        for claim in self.journal.take_sessions(Some(place)) {
            self.refuse_claim(claim, Code::UnknownId, CloseReason::Removed);
        }
        if self.device(place).is_some_and(|own| own.via.is_some()) {
            self.event(place, What::Offline, now);
        }
        while let Some((over, answer)) =
            self.device_mut(place).and_then(|own| own.downlink.remove())
        {
            if over.kept {
                self.journal.push(Row::Done(over.id, End::Removed), now);
            }
            if let Some((program, tag)) = answer {
                self.tell_program(program, ProgramOutput::NotTaken(tag, NotTaken::NotAllowed));
            }
        }
        let accounts = self
            .device(place)
            .map(|own| own.accounts.clone())
            .unwrap_or_default();
        self.drop_readers(place, id, &accounts, &BTreeMap::new(), now);
        let device = self.devices.get_mut(place as usize).and_then(Option::take);
        let Some(mut device) = device else {
            return;
        };
        self.timers.forget(Wake::Device(place), &mut device.planned);
        if device.missed {
            self.missing -= 1;
        }
        if let Some(Via::Tcp(connection)) = device.via {
            self.close(connection, CloseReason::Removed);
        }
        if let Some(newcomer) = device.newcomer {
            self.drop_newcomer(newcomer);
        }
        for (account, _) in device.accounts {
            if let Some(own) = self.accounts.get_mut(account as usize) {
                own.devices.retain(|device| *device != place);
            }
        }
        for group in device.groups {
            if let Some(group) = self.groups.get_mut(&group) {
                group.members.retain(|member| *member != place);
                group.master.take_if(|master| *master == place);
            }
        }
        self.aliases.retain(|_, device| *device != id);
        // Behind all that was on its way of it.
        self.journal.push(Row::Removed(id), now);
    }

    fn set_group(&mut self, id: u32, account: AccountId, kind: GroupKind, names: &[DeviceId]) {
        for place in self
            .groups
            .remove(&id)
            .map(|group| group.members)
            .unwrap_or_default()
        {
            if let Some(device) = self.device_mut(place) {
                device.groups.retain(|group| *group != id);
            }
        }
        let places = names
            .iter()
            .filter_map(|member| self.ids.get(member).copied());
        let members: Vec<_> = places.collect();
        for place in &members {
            if let Some(device) = self.device_mut(*place) {
                device.groups.push(id);
            }
        }
        // The first that was named, not the first that there is.
        let master = names.first().and_then(|first| self.ids.get(first).copied());
        let account = self.account(account);
        if !members.is_empty() {
            let group = Group {
                account,
                kind,
                master,
                members,
            };
            self.groups.insert(id, group);
        }
    }
}
