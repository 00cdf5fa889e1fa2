//! Messages of programs to devices, and of devices to programs.

use bytes::Bytes;

use super::Hub;
use crate::device::Sub;
use crate::downlink;
use crate::event::{NotTaken, Output, ProgramOutput, Publish, Row, StoreOutput};
use crate::ids::{DeviceId, MessageId, Position, ProgramId};
use crate::journal::Then;
use crate::program::{Moved, Published, Session, SessionKey};
use crate::registry::Rights;
use crate::time::{Duration, Instant};
use crate::topic::{Kind, Reach};

/// A message waits so long for its device, unless told.
const WAITS: Duration = Duration::from_secs(60);

impl Hub {
    /// A message for a device. What cannot be kept is refused now, before it is answered.
    pub(super) fn take_publish(
        &mut self,
        id: ProgramId,
        key: SessionKey,
        publish: Publish,
        now: Instant,
    ) {
        let tag = publish.tag;
        match self.take(id, key, publish, now) {
            Ok(place) => self.pump(place, now),
            Err(reason) => self.tell_program(id, ProgramOutput::NotTaken(tag, reason)),
        }
    }

    fn take(
        &mut self,
        id: ProgramId,
        key: SessionKey,
        publish: Publish,
        now: Instant,
    ) -> Result<u32, NotTaken> {
        let account = self.session(key).map(|session| session.account);
        let account = account.ok_or(NotTaken::NotAllowed)?;
        let rights = self.rights(account, publish.device);
        // mutant: hub-rights
        let place = match rights {
            Some((place, rights)) if rights.has(Rights::SEND) => place,
            Some(_) | None => return Err(NotTaken::NotAllowed),
        };
        if publish.bytes.is_empty() || publish.bytes.len() > downlink::ROOM {
            return Err(NotTaken::Size);
        }
        // One that is not answered can end as an event.
        if !self.journal.has_room() {
            return Err(NotTaken::Unavailable);
        }
        let message = MessageId(self.last_message.0 + 1);
        let expires = now + publish.expire.unwrap_or(WAITS);
        let device = self.device_mut(place).ok_or(NotTaken::NotAllowed)?;
        if !device.downlink.has_room(publish.bytes.len()) {
            return Err(NotTaken::Full);
        }
        let answer = publish.answered.then_some((id, publish.tag));
        device
            .downlink
            .push(message, publish.bytes.clone(), expires, answer);
        self.last_message = message;
        if publish.answered {
            let row = Row::Accepted {
                message,
                device: publish.device,
                account,
                expires,
                bytes: publish.bytes,
            };
            self.journal
                .push_then(row, Then::Accepted(place, message), now);
        }
        Ok(place)
    }

    /// A message of a device, to all who hear it.
    pub(super) fn publish(
        &mut self,
        place: u32,
        id: DeviceId,
        before: Position,
        position: Position,
        bytes: &Bytes,
        now: Instant,
    ) {
        let published = Published {
            device: place,
            id,
            position,
            before,
            bytes,
        };
        let mut begins = Vec::new();
        let Self {
            devices,
            accounts,
            sessions,
            outputs,
            counters,
            ..
        } = self;
        let Some(device) = devices.get(place as usize).and_then(Option::as_ref) else {
            return;
        };
        let mut give = |sub: Sub, reach: Reach| {
            let own = sessions.get_mut(sub.session.0 as usize);
            let Some(session) = own.and_then(|own| own.session.as_mut()) else {
                return;
            };
            if !session.comes_by(sub.kind, id, reach) {
                return;
            }
            let output = if sub.acked {
                let (deliver, begin) = session.publish_acked(sub.kind, published);
                begins.extend(begin.map(|begin| (sub.session, begin)));
                deliver.map(ProgramOutput::Deliver)
            } else {
                session.publish(sub.kind, published).unwrap_or_else(|()| {
                    counters.program_messages_dropped += 1;
                    None
                })
            };
            if let (Some(output), Some(program)) = (output, session.attached) {
                outputs.push_back(Output::Program(program, output));
            }
        };
        let exact = device.subs.iter().filter(|sub| sub.kind != Kind::Status);
        exact.for_each(|sub| give(*sub, Reach::Device(id)));
        for (account, rights) in &device.accounts {
            if rights.has(Rights::READ)
                && let Some(account) = accounts.get(*account as usize)
            {
                account
                    .bytes
                    .iter()
                    .for_each(|sub| give(*sub, Reach::Account));
            }
        }
        // mutant: hub-cursor
        for (session, begin) in begins {
            self.keep_cursor(session, begin, now);
        }
    }

    /// How far a kept session is goes to the store with the next batch: once, however often it moves until then.
    pub(super) fn keep_cursor(&mut self, key: SessionKey, moved: Moved, now: Instant) {
        if self.session(key).is_some_and(|session| session.is_kept()) {
            self.moved.insert((key, moved.device, moved.kind));
            self.journal.touch(now);
        }
    }

    /// The batch goes out now.
    pub(super) fn note_cursors(&mut self, now: Instant) {
        for (key, place, kind) in std::mem::take(&mut self.moved) {
            let device = self.device(place).map(|device| device.record.id);
            let Some(session) = self.session(key) else {
                continue;
            };
            let kept = session.is_kept().then(|| session.name.clone()).flatten();
            let (account, position) = (session.account, session.position(place, kind));
            if let (Some(name), Some(device)) = (kept, device) {
                self.journal.push(
                    match position {
                        Some(position) => Row::Cursor(account, name, device, kind, position),
                        None => Row::CursorEnded(account, name, device, kind),
                    },
                    now,
                );
            }
        }
    }

    /// A session gets nothing more of a device: where it was is no more, also on disk, else it would get what came
    /// meanwhile after a restart.
    pub(super) fn forget(&mut self, key: SessionKey, place: u32, kind: Kind, now: Instant) {
        if let Some(session) = self.session(key)
            && session.forget(place, kind)
            && session.is_kept()
        {
            self.moved.insert((key, place, kind));
            self.journal.touch(now);
        }
    }

    /// Subscriptions of this kind have changed: positions that none needs any more are forgotten.
    pub(super) fn forget_uncovered(
        &mut self,
        key: SessionKey,
        kind: Kind,
        reach: Reach,
        now: Instant,
    ) {
        let places = match reach {
            Reach::Device(device) => self.ids.get(&device).copied().into_iter().collect(),
            Reach::Account => {
                let session = self.session(key);
                session.map(|own| own.devices(kind)).unwrap_or_default()
            }
        };
        for place in places {
            let device = self.device(place).map(|own| own.record.id);
            let is_covered = self
                .session(key)
                .zip(device)
                .is_some_and(|(session, device)| session.acknowledges(kind, device));
            if !is_covered {
                self.forget(key, place, kind, now);
            }
        }
    }

    /// What a session is behind of is read from history, a piece at a time.
    pub(super) fn read_history(&mut self, key: SessionKey) {
        let Some(wanted) = self.session(key).and_then(Session::wants) else {
            return;
        };
        let Some(device) = self.device(wanted.device).map(|device| device.record.id) else {
            return;
        };
        self.last_fetch += 1;
        let fetch = self.last_fetch;
        let on_disk = self.journal.on_disk();
        if let Some(session) = self.session(key) {
            session.fetching = Some(fetch);
            session.fetched_after = on_disk;
        }
        self.fetches.insert(fetch, (key, wanted.device));
        self.outputs.push_back(Output::Store(StoreOutput::Fetch {
            fetch,
            device,
            after: wanted.after,
            limit: wanted.limit,
        }));
    }

    pub(super) fn fetched(&mut self, fetch: u64, messages: &[(Position, Bytes)], lost: bool) {
        let Some((key, place)) = self.fetches.remove(&fetch) else {
            return;
        };
        let batch = self.journal.next_batch();
        let device = self
            .device(place)
            .map(|device| (device.record.id, device.last));
        let Some(session) = self
            .session(key)
            .filter(|session| session.fetching == Some(fetch))
        else {
            return;
        };
        let Some((id, head)) = device else {
            // It was removed meanwhile.
            session.skip();
            self.read_history(key);
            return;
        };
        let mut deliveries = Vec::new();
        session.fetched(id, head, batch, messages, &mut deliveries);
        let (program, waits) = (session.attached, session.waits_for_disk);
        if let Some(program) = program {
            if lost {
                self.tell_program(program, ProgramOutput::Lost(id));
            }
            for deliver in deliveries {
                self.tell_program(program, ProgramOutput::Deliver(deliver));
            }
        }
        if waits {
            self.wait_for_disk.push(key);
        }
        self.read_history(key);
    }
}
