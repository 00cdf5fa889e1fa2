//! Programs: their sessions and their subscriptions.

use super::{Hub, SessionPlace, Wake};
use crate::device::Sub;
use crate::event::{Output, ProgramInput, ProgramOutput, Row, Subscription};
use crate::ids::{AccountId, DeviceId, ProgramId, SessionName};
use crate::journal::Then;
use crate::program::{Session, SessionKey};
use crate::registry::Rights;
use crate::time::{Duration, Instant};
use crate::topic::{Kind, Reach};

/// A session is kept so long at most.
const KEEP: Duration = Duration::from_secs(7 * 24 * 3600);
/// Kept sessions of an account, at most.
const KEPT: usize = 100;

impl Hub {
    pub(super) fn tell_program(&mut self, program: ProgramId, output: ProgramOutput) {
        self.outputs.push_back(Output::Program(program, output));
    }

    pub(super) fn program(&mut self, id: ProgramId, input: ProgramInput, now: Instant) {
        if let ProgramInput::Attach {
            account,
            name,
            keep,
            clean,
        } = input
        {
            self.attach(id, account, name, keep.min(KEEP), clean, now);
            return;
        }
        let place = self.programs.get(id.place as usize).copied().flatten();
        let Some((_, key)) = place.filter(|(r#use, _)| *r#use == id.r#use) else {
            self.counters.late_news += 1;
            return;
        };
        match input {
            ProgramInput::Attach { .. } => {}
            ProgramInput::Subscribe(subscription) => self.subscribe(id, key, subscription, now),
            ProgramInput::Unsubscribe(kind, reach) => self.unsubscribe(key, kind, reach, now),
            ProgramInput::Publish(publish) => self.take_publish(id, key, publish, now),
            ProgramInput::Acked(delivery) => {
                if let Some(session) = self.session(key) {
                    session.acked(delivery);
                }
                while let Some(moved) = self.session(key).and_then(Session::moved) {
                    self.keep_cursor(key, moved, now);
                }
                self.read_history(key);
            }
            ProgramInput::Written { messages, bytes } => {
                if let Some(session) = self.session(key) {
                    session.written(bytes, messages);
                }
                while let Some(output) = self.session(key).and_then(Session::next_queued) {
                    self.tell_program(id, output);
                }
                self.tell_states(id, key, now);
                self.read_history(key);
            }
            ProgramInput::Gone => self.detach(key, now),
        }
    }

    fn attach(
        &mut self,
        id: ProgramId,
        account: AccountId,
        name: Option<SessionName>,
        keep: Duration,
        clean: bool,
        now: Instant,
    ) {
        self.account(account);
        let place = id.place as usize;
        if self.programs.len() <= place {
            self.programs.resize(place + 1, None);
        }
        let named = name.clone().map(|name| (account, name));
        let mut found = named
            .as_ref()
            .and_then(|named| self.names.get(named).copied());
        let is_kept = named.is_some() && !keep.is_zero();
        let stored = found
            .and_then(|key| self.session(key))
            .filter(|own| own.is_kept());
        let is_new_to_store = match stored.map(|own| own.keep) {
            Some(stored) => clean || stored != keep,
            None => is_kept,
        };
        let has_room = self.journal.has_room();
        if is_new_to_store && !has_room {
            self.tell_program(id, ProgramOutput::Unavailable);
            return;
        }
        if let Some(key) = found {
            if let Some(earlier) = self.session(key).and_then(|session| session.attached) {
                self.tell_program(earlier, ProgramOutput::TakenOver);
                self.detach(key, now);
            }
            if clean || self.session(key).is_none() {
                self.end(key, now);
                found = None;
            }
        }
        let present = found.is_some();
        let was_kept = found
            .and_then(|key| self.session(key))
            .is_some_and(|own| own.is_kept());
        let account_place = self.account(account);
        if let Some(own) = self.accounts.get_mut(account_place as usize) {
            if is_kept && !was_kept && own.kept >= KEPT {
                self.tell_program(id, ProgramOutput::TooManySessions);
                return;
            }
            own.kept += usize::from(is_kept);
            own.kept -= usize::from(was_kept);
        }
        let key = found.unwrap_or_else(|| self.new_session(Session::new(account, name, keep)));
        if let Some(session) = self.session(key) {
            session.keep = keep;
            session.attached = Some(id);
            session.ends_at = Instant::NEVER;
        }
        if let Some(place) = self.programs.get_mut(place) {
            *place = Some((id.r#use, key));
        }
        if let Some((account, name)) = named {
            if is_kept && (is_new_to_store || has_room) {
                self.journal.push(Row::Program(account, name, keep), now);
            } else if was_kept && !is_kept {
                self.journal.push(Row::ProgramEnded(account, name), now);
            }
        }
        self.tell_program(id, ProgramOutput::Attached { present });
        self.read_history(key);
    }

    pub(super) fn new_session(&mut self, session: Session) -> SessionKey {
        let place = self.free_sessions.pop().unwrap_or_else(|| {
            self.sessions.push(SessionPlace::default());
            u32::try_from(self.sessions.len() - 1).unwrap_or(u32::MAX)
        });
        let named = session.name.clone().map(|name| (session.account, name));
        let own = &mut self.sessions[place as usize];
        own.r#use += 1;
        own.session = Some(session);
        let key = SessionKey(place, own.r#use);
        if let Some(named) = named {
            self.names.insert(named, key);
        }
        key
    }

    /// The connection of a program is gone.
    fn detach(&mut self, key: SessionKey, now: Instant) {
        let Some(session) = self.session(key) else {
            return;
        };
        let program = session.attached;
        let dropped = session.detach();
        let is_kept = session.is_kept();
        session.ends_at = if is_kept { now + session.keep } else { now };
        if let Some(program) = program
            && let Some(place) = self.programs.get_mut(program.place as usize)
        {
            place.take_if(|(r#use, _)| *r#use == program.r#use);
        }
        self.counters.program_messages_dropped += dropped;
        if is_kept {
            self.plan_session(key);
        } else {
            self.end(key, now);
        }
    }

    pub(super) fn plan_session(&mut self, key: SessionKey) {
        let Self {
            sessions, timers, ..
        } = self;
        if let Some(place) = sessions.get_mut(key.0 as usize)
            && let Some(session) = &place.session
        {
            timers.plan(Wake::Session(key), &mut place.planned, session.ends_at);
        }
    }

    pub(super) fn session_due(&mut self, key: SessionKey, now: Instant) {
        if self
            .session(key)
            .is_some_and(|session| session.ends_at <= now)
        {
            self.end(key, now);
        } else {
            self.plan_session(key);
        }
    }

    /// A session is over.
    fn end(&mut self, key: SessionKey, now: Instant) {
        let subscriptions = self
            .session(key)
            .map(|own| std::mem::take(&mut own.subscriptions));
        for (kind, reach) in subscriptions.unwrap_or_default().into_keys() {
            self.unlist(key, kind, reach);
        }
        let Self {
            sessions, timers, ..
        } = self;
        let Some(place) = sessions.get_mut(key.0 as usize) else {
            return;
        };
        let Some(session) = place.session.take() else {
            return;
        };
        timers.forget(Wake::Session(key), &mut place.planned);
        self.free_sessions.push(key.0);
        let is_kept = session.is_kept();
        let account = self.account(session.account);
        if let Some(name) = session.name {
            self.names.remove(&(session.account, name.clone()));
            if is_kept {
                self.journal
                    .push(Row::ProgramEnded(session.account, name), now);
            }
        }
        if let Some(own) = self.accounts.get_mut(account as usize) {
            own.kept -= usize::from(is_kept);
        }
    }

    pub(super) fn rights(&self, account: AccountId, device: DeviceId) -> Option<(u32, Rights)> {
        let place = *self.ids.get(&device)?;
        let account = *self.account_ids.get(&account)?;
        Some((place, self.device(place)?.rights_of(account)))
    }

    /// "An account sees … its own devices only."
    pub(super) fn may_read(&self, account: AccountId, subscription: Subscription) -> bool {
        // Values are not built yet: serial bytes are none.
        if subscription.kind == Kind::DeviceJson {
            return false;
        }
        match subscription.reach {
            Reach::Account => matches!(subscription.kind, Kind::AccountTx | Kind::Status),
            Reach::Device(device) => self
                .rights(account, device)
                .is_some_and(|(_, rights)| rights.has(Rights::READ)),
        }
    }

    fn subscribe(
        &mut self,
        id: ProgramId,
        key: SessionKey,
        mut subscription: Subscription,
        now: Instant,
    ) {
        let Some(account) = self.session(key).map(|session| session.account) else {
            return;
        };
        if !self.may_read(account, subscription) {
            self.tell_program(id, ProgramOutput::NotSubscribed(subscription));
            return;
        }
        subscription.acked &= subscription.kind != Kind::Status;
        let kept = self.session(key).filter(|session| session.is_kept());
        let kept = kept.and_then(|session| session.name.clone());
        if kept.is_some() && !self.journal.has_room() {
            self.tell_program(id, ProgramOutput::NotSubscribed(subscription));
            return;
        }
        self.list(key, subscription);
        self.forget_uncovered(key, subscription.kind, subscription.reach, now);
        match kept {
            Some(name) => {
                let row = Row::Subscribed(account, name, subscription);
                self.journal
                    .push_then(row, Then::Subscribed(key, subscription), now);
            }
            None => self.tell_program(id, ProgramOutput::Subscribed(subscription)),
        }
        if subscription.kind == Kind::Status {
            self.ask_states(key, account, subscription.reach);
            self.tell_states(id, key, now);
        }
    }

    /// "retained status": who asks hears how things are.
    fn ask_states(&mut self, key: SessionKey, account: AccountId, reach: Reach) {
        match reach {
            Reach::Device(device) => {
                let place = self.ids.get(&device).copied();
                if let Some(session) = self.session(key) {
                    session.ask(place);
                }
            }
            Reach::Account => {
                let account = self.account(account);
                let own = self.accounts.get(account as usize);
                let devices = own.map(|own| own.devices.clone()).unwrap_or_default();
                if let Some(session) = self.session(key) {
                    session.ask_all(devices);
                }
            }
        }
    }

    /// As many as the program reads.
    fn tell_states(&mut self, id: ProgramId, key: SessionKey, now: Instant) {
        let Some(account) = self.session(key).map(|session| session.account) else {
            return;
        };
        let account = self.account(account);
        while let Some(place) = self.session(key).and_then(Session::next_asked) {
            let device = self.device(place);
            let may_read = device.is_some_and(|own| own.rights_of(account).has(Rights::READ));
            match self.present_state(place, now).filter(|_| may_read) {
                Some(event) => self.tell_program(id, ProgramOutput::Event(event)),
                None => {
                    if let Some(session) = self.session(key) {
                        session.is_not_told();
                    }
                }
            }
        }
    }

    /// Puts a subscription where the bytes of its devices find it.
    pub(super) fn list(&mut self, key: SessionKey, subscription: Subscription) {
        let Subscription { kind, reach, acked } = subscription;
        self.unlist(key, kind, reach);
        let Some(session) = self.session(key) else {
            return;
        };
        session.subscriptions.insert((kind, reach), acked);
        let account = session.account;
        let sub = Sub {
            session: key,
            kind,
            acked,
        };
        if let Some(subs) = self.subs(account, kind, reach) {
            subs.push(sub);
        }
    }

    fn subs(&mut self, account: AccountId, kind: Kind, reach: Reach) -> Option<&mut Vec<Sub>> {
        match reach {
            Reach::Device(device) => {
                let place = *self.ids.get(&device)?;
                Some(&mut self.device_mut(place)?.subs)
            }
            Reach::Account => {
                let account = self.account(account);
                let own = self.accounts.get_mut(account as usize)?;
                Some(if kind == Kind::Status {
                    &mut own.status
                } else {
                    &mut own.bytes
                })
            }
        }
    }

    fn unlist(&mut self, key: SessionKey, kind: Kind, reach: Reach) {
        let Some(account) = self.session(key).map(|session| session.account) else {
            return;
        };
        if let Some(subs) = self.subs(account, kind, reach) {
            subs.retain(|sub| (sub.session, sub.kind) != (key, kind));
        }
    }

    fn unsubscribe(&mut self, key: SessionKey, kind: Kind, reach: Reach, now: Instant) {
        self.unlist(key, kind, reach);
        let Some(session) = self.session(key) else {
            return;
        };
        if session.subscriptions.remove(&(kind, reach)).is_none() {
            return;
        }
        let kept = session.is_kept().then(|| session.name.clone()).flatten();
        let account = session.account;
        self.forget_uncovered(key, kind, reach, now);
        if let Some(name) = kept {
            self.journal
                .push(Row::Unsubscribed(account, name, kind, reach), now);
        }
    }
}
