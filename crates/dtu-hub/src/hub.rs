//! Routes: each input goes to the part that it is for, and what the parts return goes on to others.

use std::collections::{BTreeSet, HashMap, VecDeque};

use bytes::Bytes;

use crate::auth::PasswordKey;
use crate::connection::Connection;
use crate::counters::Counters;
use crate::device::{Device, Sub};
use crate::door::{Rules, Unknown, Unknowns};
use crate::event::{Input, Output, StoreInput};
use crate::guard::Guard;
use crate::ids::{AccountId, ConnectionId, DeviceId, MessageId, SessionEpoch, SessionName};
use crate::journal::Journal;
use crate::presence::{Alarms, GRACE, State};
use crate::program::{Session, SessionKey};
use crate::registry::GroupKind;
use crate::room::Room;
use crate::time::Instant;
use crate::timers::{Planned, Timers};
use crate::topic::Kind;

mod datagrams;
mod delivery;
mod doors;
mod events;
mod known;
mod live;
mod messages;
mod programs;
mod sessions;

/// Who wants to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wake {
    Device(u32),
    Connection(u32),
    Session(SessionKey),
}

/// What an account gets of all its devices, and which they are.
#[derive(Debug, Default)]
struct Account {
    devices: Vec<u32>,
    bytes: Vec<Sub>,
    status: Vec<Sub>,
    /// Sessions that outlive their connections.
    kept: usize,
}

#[derive(Debug)]
struct Group {
    /// The place of its account.
    account: u32,
    kind: GroupKind,
    /// Of slaves; they have none where it is not there.
    master: Option<u32>,
    members: Vec<u32>,
}

#[derive(Debug, Default)]
struct SessionPlace {
    r#use: u32,
    session: Option<Session>,
    planned: Planned,
}

/// The hub of one node.
#[derive(Debug)]
pub struct Hub {
    key: PasswordKey,
    alarms: Alarms,
    outputs: VecDeque<Output>,
    timers: Timers<Wake>,
    journal: Journal,
    counters: Counters,

    guard: Guard,
    rules: Rules,
    unknowns: Unknowns,
    connections: Vec<Option<Connection>>,

    ids: HashMap<DeviceId, u32>,
    /// What devices call themselves, by account.
    aliases: HashMap<(AccountId, Bytes), DeviceId>,
    devices: Vec<Option<Device>>,
    groups: HashMap<u32, Group>,
    rooms: HashMap<crate::ids::RoomId, Room>,

    account_ids: HashMap<AccountId, u32>,
    accounts: Vec<Account>,
    programs: Vec<Option<(u32, SessionKey)>>,
    sessions: Vec<SessionPlace>,
    free_sessions: Vec<u32>,
    names: HashMap<(AccountId, SessionName), SessionKey>,
    /// Kept sessions that have moved on since the last batch, and in what.
    moved: BTreeSet<(SessionKey, u32, Kind)>,
    /// Sessions that read history as soon as it has more.
    wait_for_disk: Vec<SessionKey>,
    fetches: HashMap<u64, (SessionKey, u32)>,
    last_fetch: u64,
    last_message: MessageId,

    /// Until then alarms wait; then one summary tells who did not come back.
    grace_until: Instant,
    summary_due: bool,
    back: u32,
    missing: u32,

    /// Messages of one read, on their way.
    scratch: Vec<Bytes>,
}

impl Hub {
    /// A hub that knows nothing yet. `last_message`: the highest number of a message that the store has.
    #[must_use]
    pub fn new(key: PasswordKey, alarms: Alarms, last_message: MessageId, now: Instant) -> Self {
        Self {
            key,
            alarms,
            outputs: VecDeque::new(),
            timers: Timers::default(),
            journal: Journal::default(),
            counters: Counters::default(),
            guard: Guard::default(),
            rules: Rules::default(),
            unknowns: Unknowns::default(),
            connections: Vec::new(),
            ids: HashMap::new(),
            aliases: HashMap::new(),
            devices: Vec::new(),
            groups: HashMap::new(),
            rooms: HashMap::new(),
            account_ids: HashMap::new(),
            accounts: Vec::new(),
            programs: Vec::new(),
            sessions: Vec::new(),
            free_sessions: Vec::new(),
            names: HashMap::new(),
            moved: BTreeSet::new(),
            wait_for_disk: Vec::new(),
            fetches: HashMap::new(),
            last_fetch: 0,
            last_message,
            grace_until: now + GRACE,
            summary_due: true,
            back: 0,
            missing: 0,
            scratch: Vec::new(),
        }
    }

    /// Something happened. What is due fires first.
    pub fn handle_input(&mut self, input: Input<'_>, now: Instant) {
        self.handle_timeout(now);
        match input {
            Input::Door(connection, input) => self.door(connection, input, now),
            Input::Datagram(from, bytes) => self.datagram(from, bytes, now),
            Input::Program(program, input) => self.program(program, input, now),
            Input::Store(input) => self.store(input, now),
            Input::Registry(registry) => self.registry(registry, now),
        }
    }

    /// When the hub wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let first = self.next_due();
        (first < Instant::NEVER).then_some(first)
    }

    fn next_due(&self) -> Instant {
        let grace = if self.summary_due {
            self.grace_until
        } else {
            Instant::NEVER
        };
        let timer = self.timers.next().unwrap_or(Instant::NEVER);
        timer.min(self.journal.deadline()).min(grace)
    }

    /// Time has passed. Each deadline fires at its own time, however late the host is.
    pub fn handle_timeout(&mut self, now: Instant) {
        loop {
            let due = self.next_due();
            if due > now {
                return;
            }
            if due == self.journal.deadline() {
                self.note_cursors(due);
                if let Some(batch) = self.journal.batch(due) {
                    self.outputs.push_back(Output::Store(batch));
                }
            } else if self.summary_due && due == self.grace_until {
                self.summary(due);
            } else if let Some((at, wake)) = self.timers.due(due) {
                self.wake(wake, at);
            }
        }
    }

    fn wake(&mut self, wake: Wake, at: Instant) {
        match wake {
            Wake::Device(place) => {
                let device = self
                    .devices
                    .get_mut(place as usize)
                    .and_then(Option::as_mut);
                if device.is_some_and(|device| device.planned.take(at)) {
                    self.device_due(place, at);
                }
            }
            Wake::Connection(place) => {
                let connection = self
                    .connections
                    .get_mut(place as usize)
                    .and_then(Option::as_mut);
                if connection.is_some_and(|connection| connection.planned.take(at)) {
                    self.connection_due(place, at);
                }
            }
            Wake::Session(key) => {
                let place = self.sessions.get_mut(key.0 as usize);
                if place.is_some_and(|place| place.r#use == key.1 && place.planned.take(at)) {
                    self.session_due(key, at);
                }
            }
        }
    }

    /// What it wants done, in this order. The host drains it after each call.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether the connection is to be read.
    #[must_use]
    pub fn wants(&self, connection: ConnectionId) -> bool {
        self.connection_of(connection)
            .is_some_and(|own| own.is_read(self.journal.has_room()))
    }

    /// What a device is, and in which session.
    #[must_use]
    pub fn state(&self, device: DeviceId) -> Option<(State, SessionEpoch)> {
        let device = self.device(*self.ids.get(&device)?)?;
        Some((device.presence.state(), device.epoch))
    }

    /// Bytes that wait for a device.
    #[must_use]
    pub fn waiting(&self, device: DeviceId) -> usize {
        let place = self.ids.get(&device).copied();
        place
            .and_then(|place| self.device(place))
            .map_or(0, |device| device.downlink.bytes())
    }

    /// Who came that nobody knows, the latest last.
    pub fn unknown(&self) -> impl Iterator<Item = &Unknown> {
        self.unknowns.iter()
    }

    /// Sums since the start.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    fn store(&mut self, input: StoreInput<'_>, now: Instant) {
        match input {
            StoreInput::Committed(batch) => self.committed(batch, now),
            StoreInput::Failed => self.store_failed(),
            StoreInput::Fetched {
                fetch,
                messages,
                lost,
            } => self.fetched(fetch, messages, lost),
            StoreInput::Epoch(device, epoch) => self.epoch_elsewhere(device, epoch, now),
        }
    }

    fn device(&self, place: u32) -> Option<&Device> {
        self.devices.get(place as usize)?.as_ref()
    }

    fn device_mut(&mut self, place: u32) -> Option<&mut Device> {
        self.devices.get_mut(place as usize)?.as_mut()
    }

    fn connection_of(&self, id: ConnectionId) -> Option<&Connection> {
        let connection = self.connections.get(id.place as usize)?.as_ref()?;
        (connection.id == id).then_some(connection)
    }

    fn connection(&mut self, place: u32) -> Option<&mut Connection> {
        self.connections.get_mut(place as usize)?.as_mut()
    }

    fn session(&mut self, key: SessionKey) -> Option<&mut Session> {
        let place = self.sessions.get_mut(key.0 as usize)?;
        place.session.as_mut().filter(|_| place.r#use == key.1)
    }

    fn plan_device(&mut self, place: u32, now: Instant) {
        let Self {
            devices, timers, ..
        } = self;
        if let Some(device) = devices.get_mut(place as usize).and_then(Option::as_mut) {
            let at = device.deadline(now);
            timers.plan(Wake::Device(place), &mut device.planned, at);
        }
    }

    fn plan_connection(&mut self, place: u32) {
        let Self {
            connections,
            timers,
            ..
        } = self;
        if let Some(connection) = connections.get_mut(place as usize).and_then(Option::as_mut) {
            let at = connection.until.min(connection.ended_at);
            timers.plan(Wake::Connection(place), &mut connection.planned, at);
        }
    }
}
