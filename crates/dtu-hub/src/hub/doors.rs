//! Connections of devices until they have a session.

use std::net::IpAddr;

use bytes::Bytes;

use super::{Hub, Wake};
use crate::connection::{Connection, Stage};
use crate::device::Via;
use crate::door::{Code, Rules, Seen, Told, Who};
use crate::event::{CloseReason, Door, DoorInput, Log, Output, Row};
use crate::guard::Shut;
use crate::ids::{AccountId, ConnectionId, DeviceId, SessionEpoch};
use crate::journal::Then;
use crate::registry::Rights;
use crate::stream::PARTIAL;
use crate::time::{Duration, Instant};

/// Who does not say in time who it is, is closed.
const REGISTER_WITHIN: Duration = Duration::from_secs(10);
/// A session that is not on disk by then is refused.
const CLAIM_WITHIN: Duration = Duration::from_secs(30);

/// Why a connection is not let in.
struct NotIn {
    code: Code,
    device: Option<DeviceId>,
    shut: Option<Shut>,
}

impl NotIn {
    const fn new(code: Code, device: DeviceId) -> Self {
        Self {
            code,
            device: Some(device),
            shut: None,
        }
    }
}

impl Hub {
    pub(super) fn door(&mut self, id: ConnectionId, input: DoorInput<'_>, now: Instant) {
        if let DoorInput::Opened { door, source } = input {
            self.opened(id, door, source, now);
            return;
        }
        if self.connection_of(id).is_none() {
            self.counters.late_news += 1;
            return;
        }
        match input {
            DoorInput::Opened { .. } => {}
            DoorInput::Data(bytes) => self.data(id.place, bytes, now),
            DoorInput::Sent => self.went(id.place, now),
            DoorInput::Acked(total) => self.acked(id.place, total, now),
            DoorInput::Closed(total) => {
                self.acked(id.place, total, now);
                self.closed(id.place, now);
            }
        }
    }

    fn opened(&mut self, id: ConnectionId, door: Door, source: IpAddr, now: Instant) {
        let place = id.place as usize;
        if self.connections.len() <= place {
            self.connections.resize_with(place + 1, || None);
        }
        let connection = Connection::new(id, door, source, now + REGISTER_WITHIN);
        if let Some(place) = self.connections.get_mut(place) {
            *place = Some(connection);
        }
        self.plan_connection(id.place);
    }

    fn data(&mut self, place: u32, bytes: &[u8], now: Instant) {
        let Some(connection) = self.connection(place) else {
            return;
        };
        match &mut connection.stage {
            Stage::Session(device) => {
                let device = *device;
                self.uplink(device, bytes, now);
            }
            Stage::Cloud(cloud) => match (cloud.is_empty(), cloud.feed(bytes)) {
                (_, Told::Less) => {}
                (is_first, Told::Wrong) => {
                    let first = Bytes::copy_from_slice(bytes);
                    let source = connection.source;
                    // What came may be digits of an id and the begin of a password; only what is no id is shown.
                    if is_first && !first.first().is_some_and(u8::is_ascii_digit) {
                        self.unknowns.note(&first, source, now);
                    }
                    let not_in = NotIn {
                        code: Code::Protocol,
                        device: None,
                        shut: None,
                    };
                    self.not_in(place, not_in);
                }
                (_, Told::All { id, password, used }) => {
                    connection.held = bytes[used..].to_vec();
                    match self.log_in(place, id, &password, now) {
                        Ok(device) => self.claim(
                            place,
                            device,
                            Bytes::from_static(Code::Accepted.answer().as_bytes()),
                            now,
                        ),
                        Err(not_in) => self.not_in(place, not_in),
                    }
                }
            },
            Stage::AnyDtu => {
                connection.held.extend_from_slice(bytes);
                self.register(place, false, now);
            }
            Stage::D2d(greeting) => match greeting.feed(bytes) {
                Ok(None) => {}
                Ok(Some((room, used))) => self.join(place, room, &bytes[used..], now),
                Err(()) => self.close(place, CloseReason::Refused(Code::Protocol)),
            },
            Stage::Room(room) => {
                let room = *room;
                self.in_room(place, room, bytes, now);
            }
            Stage::Claiming(..) | Stage::Newcomer(..) => connection.held.extend_from_slice(bytes),
            Stage::Closing => {}
        }
    }

    /// Who says so with its password is the device.
    fn log_in(
        &mut self,
        place: u32,
        id: DeviceId,
        password: &[u8],
        now: Instant,
    ) -> Result<u32, NotIn> {
        let source = self.connection(place).map(|connection| connection.source);
        let source = source.unwrap_or(IpAddr::from([0; 4]));
        let known = self.ids.get(&id).copied();
        let proved = known
            .and_then(|place| self.device(place))
            .and_then(|device| device.proved);
        if let Some(shut) = self.guard.check(source, id, proved, now) {
            return Err(NotIn {
                shut: Some(shut),
                ..NotIn::new(Code::NotAllowed, id)
            });
        }
        let Some(place) = known else {
            self.unknowns.note(id.as_bytes(), source, now);
            self.guard.wrong(source, id, None, now);
            return Err(NotIn::new(Code::UnknownId, id));
        };
        let tag = self.device(place).and_then(|device| device.record.password);
        let Some(tag) = tag else {
            return Err(NotIn::new(Code::NotAllowed, id));
        };
        if !self.key.check(&id, password, &tag) {
            self.guard.wrong(source, id, proved, now);
            return Err(NotIn::new(Code::WrongPassword, id));
        }
        if let Some(device) = self.device_mut(place) {
            device.proved = Some(source);
            if device.alternation.is_quarantined(now) {
                return Err(NotIn::new(Code::NotAllowed, id));
            }
        }
        if self.journal.is_failing() || !self.journal.has_room() {
            return Err(NotIn::new(Code::Unavailable, id));
        }
        Ok(place)
    }

    /// Refuses a connection. Only the cloud door has words for that.
    fn not_in(&mut self, place: u32, not_in: NotIn) {
        let Some(connection) = self.connection(place) else {
            return;
        };
        let (id, source) = (connection.id, connection.source);
        if matches!(connection.stage, Stage::Cloud(_)) {
            let answer = Bytes::from_static(not_in.code.answer().as_bytes());
            let send = connection.send(answer);
            self.outputs.push_back(Output::Door(id, send));
        }
        if not_in.code == Code::Protocol {
            // Scanners: a line each would fill the log.
            self.counters.no_registration += 1;
        } else {
            self.log(Log::Refused {
                source,
                device: not_in.device,
                code: not_in.code,
                shut: not_in.shut,
            });
        }
        self.close(place, CloseReason::Refused(not_in.code));
    }

    pub(super) fn close(&mut self, place: u32, reason: CloseReason) {
        if let Some(connection) = self.connection(place)
            && !matches!(connection.stage, Stage::Closing)
        {
            let (id, close) = (connection.id, connection.close(reason));
            self.outputs.push_back(Output::Door(id, close));
        }
    }

    /// The session of the connection is put on disk; nobody is told of it before.
    pub(super) fn claim(&mut self, place: u32, device: u32, answer: Bytes, now: Instant) {
        let Some(id) = self.connection(place).map(|connection| connection.id) else {
            return;
        };
        let Some(own) = self.device_mut(device) else {
            return;
        };
        let (epoch, name) = (own.claim(), own.record.id);
        let then = Then::Session(id, device, epoch);
        self.journal.push_then(Row::Session(name, epoch), then, now);
        if let Some(connection) = self.connection(place) {
            connection.stage = Stage::Claiming(answer);
            (connection.until, connection.ended_at) = (now + CLAIM_WITHIN, Instant::NEVER);
        }
        self.plan_connection(place);
    }

    /// It is on disk: the session begins, and who had it before is closed.
    pub(super) fn claimed(
        &mut self,
        id: ConnectionId,
        device: u32,
        epoch: SessionEpoch,
        now: Instant,
    ) {
        if self.connection_of(id).is_none() || self.device(device).is_none() {
            return;
        }
        let Some(connection) = self.connection(id.place) else {
            return;
        };
        let source = connection.source;
        let Stage::Claiming(answer) = &connection.stage else {
            return;
        };
        let answer = answer.clone();
        let has_proved = matches!(connection.door, Door::Cloud);
        let own = self.device(device);
        if !has_proved && own.is_some_and(|own| own.is_alive(now)) {
            // Another session began meanwhile, and speaks.
            self.wait_for_silence(id.place, device, answer);
            return;
        }
        // Somebody was faster: the device comes again soon. One that is quarantined need not.
        let code = if own.is_some_and(|own| epoch <= own.epoch) {
            Code::Unavailable
        } else {
            Code::NotAllowed
        };
        if !self.may_begin(device, epoch, source, now) {
            self.refuse_claim(id, code, CloseReason::Refused(code));
            return;
        }
        let Some(connection) = self.connection(id.place) else {
            return;
        };
        connection.stage = Stage::Session(device);
        connection.until = Instant::NEVER;
        let held = std::mem::take(&mut connection.held);
        if !answer.is_empty() {
            self.send(id.place, answer);
        }
        self.begin(device, epoch, Via::Tcp(id.place), source, now);
        if !held.is_empty() {
            self.uplink(device, &held, now);
        }
        self.pump(device, now);
    }

    pub(super) fn send(&mut self, place: u32, bytes: Bytes) {
        if let Some(connection) = self.connection(place) {
            let (id, send) = (connection.id, connection.send(bytes));
            self.outputs.push_back(Output::Door(id, send));
        }
    }

    /// Registration packets of the any-DTU door. `ended`: nothing more came for a moment.
    fn register(&mut self, place: u32, ended: bool, now: Instant) {
        let Some(connection) = self.connection(place) else {
            return;
        };
        let first = std::mem::take(&mut connection.held);
        let too_long = first.len() > Rules::LONGEST;
        let knows = |account, who: Who<'_>| self.whom(account, who);
        let (device, length, answer) = match self.rules.see(&first, ended || too_long, knows) {
            Seen::Partial => {
                if let Some(connection) = self.connection(place) {
                    connection.held = first;
                    connection.ended_at = now + PARTIAL;
                }
                self.plan_connection(place);
                return;
            }
            Seen::Nobody => {
                self.nobody(place, &first, now);
                return;
            }
            Seen::Packet {
                device,
                length,
                answer,
            } => (device, length, answer),
        };
        if let Some(connection) = self.connection(place) {
            connection.held = first[length..].to_vec();
        }
        let Some(own) = self.device(device) else {
            return;
        };
        if own.alternation.is_quarantined(now) {
            let not_in = NotIn::new(Code::NotAllowed, own.record.id);
            self.not_in(place, not_in);
        } else if self.journal.is_failing() || !self.journal.has_room() {
            let not_in = NotIn::new(Code::Unavailable, own.record.id);
            self.not_in(place, not_in);
        } else if own.is_alive(now) {
            self.wait_for_silence(place, device, answer);
        } else {
            self.claim(place, device, answer, now);
        }
    }

    fn nobody(&mut self, place: u32, first: &[u8], now: Instant) {
        if let Some(source) = self.connection(place).map(|connection| connection.source) {
            self.unknowns.note(first, source, now);
            self.log(Log::Unknown(source));
        }
        self.close(place, CloseReason::Refused(Code::UnknownId));
    }

    /// The device that a rule of an account means. A literal packet was written for this one device; a pattern finds
    /// any, so it is no way round a password.
    pub(super) fn whom(&self, account: AccountId, who: Who<'_>) -> Option<u32> {
        let (id, is_named) = match who {
            Who::Device(id) => (id, false),
            Who::Named(name) => {
                let alias = self.aliases.get(&(account, Bytes::copy_from_slice(name)));
                let id = alias.copied().or_else(|| DeviceId::padded(name))?;
                (id, true)
            }
        };
        let (place, rights) = self.rights(account, id)?;
        let record = &self.device(place)?.record;
        // mutant: hub-by-name
        let is_let_in = !is_named || record.by_name || record.password.is_none();
        (rights.has(Rights::ADMIN) && is_let_in).then_some(place)
    }

    /// "the session that speaks stays; a newcomer waits until it has been silent for its heartbeat time"
    fn wait_for_silence(&mut self, place: u32, device: u32, answer: Bytes) {
        let Some(connection) = self.connection(place) else {
            return;
        };
        connection.stage = Stage::Newcomer(device, answer);
        // It waits for the other's silence, which has a deadline of its own.
        (connection.until, connection.ended_at) = (Instant::NEVER, Instant::NEVER);
        let id = connection.id;
        let earlier = self
            .device_mut(device)
            .and_then(|own| own.newcomer.replace(id));
        if let Some(earlier) = earlier {
            self.drop_newcomer(earlier);
        }
    }

    pub(super) fn drop_newcomer(&mut self, id: ConnectionId) {
        if self.connection_of(id).is_some() {
            self.close(id.place, CloseReason::Busy);
        }
    }

    /// Nothing here will tell when it could be let in.
    pub(super) fn send_newcomer_away(&mut self, device: u32) {
        if let Some(id) = self.device_mut(device).and_then(|own| own.newcomer.take()) {
            self.drop_newcomer(id);
        }
    }

    /// Who waits for the silence or the end of a session has it.
    pub(super) fn let_newcomer_in(&mut self, device: u32, now: Instant) {
        let Some(id) = self.device_mut(device).and_then(|own| own.newcomer.take()) else {
            return;
        };
        let stage = self.connection_of(id).map(|connection| &connection.stage);
        if let Some(Stage::Newcomer(of, answer)) = stage
            && *of == device
        {
            let answer = answer.clone();
            self.claim(id.place, device, answer, now);
        }
    }

    pub(super) fn connection_due(&mut self, place: u32, now: Instant) {
        let Some(connection) = self.connection(place) else {
            return;
        };
        if now >= connection.until {
            let (id, is_silent) = (connection.id, connection.is_silent());
            if matches!(connection.stage, Stage::Claiming(..)) {
                let code = Code::Unavailable;
                self.refuse_claim(id, code, CloseReason::Refused(code));
            } else {
                self.counters.probes += u64::from(is_silent);
                self.close(place, CloseReason::NotRegistered);
            }
        } else if now >= connection.ended_at {
            connection.ended_at = Instant::NEVER;
            self.register(place, true, now);
        }
        self.plan_connection(place);
    }

    fn closed(&mut self, place: u32, now: Instant) {
        let connection = self.connections.get_mut(place as usize);
        let Some(mut connection) = connection.and_then(Option::take) else {
            return;
        };
        self.timers
            .forget(Wake::Connection(place), &mut connection.planned);
        if connection.is_silent() {
            self.counters.probes += 1;
        }
        match connection.stage {
            Stage::Session(device) => self.ended(device, now),
            Stage::Newcomer(device, _) => {
                if let Some(device) = self.device_mut(device) {
                    device.newcomer.take_if(|id| *id == connection.id);
                }
            }
            Stage::Room(room) => self.leave(place, room),
            Stage::Cloud(_)
            | Stage::AnyDtu
            | Stage::D2d(_)
            | Stage::Claiming(..)
            | Stage::Closing => {}
        }
    }

    /// The store does not write: who waits for a session is told code 3.
    pub(super) fn refuse_claims(&mut self) {
        let code = Code::Unavailable;
        for id in self.journal.take_sessions(None) {
            self.refuse_claim(id, code, CloseReason::Refused(code));
        }
    }

    /// A connection that waits for its session does not get it.
    pub(super) fn refuse_claim(&mut self, id: ConnectionId, code: Code, reason: CloseReason) {
        let Some(connection) = self.connection_of(id) else {
            return;
        };
        if matches!(connection.stage, Stage::Claiming(_)) {
            if matches!(connection.door, Door::Cloud) {
                self.send(id.place, Bytes::from_static(code.answer().as_bytes()));
            }
            self.close(id.place, reason);
        }
    }

    /// What was sent is out.
    pub(super) fn went(&mut self, place: u32, now: Instant) {
        let Some(connection) = self.connection(place) else {
            return;
        };
        let id = connection.id;
        if let Some(next) = connection.went() {
            self.outputs.push_back(Output::Door(id, next));
        } else if let Stage::Session(device) = connection.stage {
            self.pump(device, now);
        }
    }
}
