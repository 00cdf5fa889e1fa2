//! A host in virtual time: devices, programs and a store that can fail, stand still and outlive the hub.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use dtu_hub::Hub;
use dtu_hub::auth::PasswordKey;
use dtu_hub::door::{Pattern, Rules};
use dtu_hub::event::{
    CloseReason, Deliver, Door, DoorInput, DoorOutput, End, Event, Input, Log, Output,
    ProgramInput, ProgramOutput, Publish, Row, StoreInput, StoreOutput, Subscription, What,
};
use dtu_hub::ids::{
    AccountId, ConnectionId, DeviceId, MessageId, Position, ProgramId, SessionEpoch, SessionName,
};
use dtu_hub::presence::Alarms;
use dtu_hub::registry::{DeviceRecord, Registry, Rights};
use dtu_hub::time::{Duration, Instant};
use dtu_hub::topic::{Kind, Reach};

pub(crate) const ALICE: AccountId = AccountId(1);
pub(crate) const BOB: AccountId = AccountId(2);
pub(crate) const PASSWORD: &str = "12345678";

pub(crate) fn id(n: u32) -> DeviceId {
    DeviceId::padded(n.to_string().as_bytes()).unwrap()
}

pub(crate) fn ip(n: u8) -> IpAddr {
    [10, 0, 0, n].into()
}

/// The device's end of a connection.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    r#use: u32,
    is_open: bool,
    pub(crate) got: Vec<u8>,
    pub(crate) closed: Option<CloseReason>,
    /// Its TCP acknowledges nothing.
    pub(crate) is_dead: bool,
    acked: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Program {
    r#use: u32,
    is_open: bool,
    pub(crate) got: VecDeque<ProgramOutput>,
    /// It reads nothing: nothing leaves the host's hands.
    pub(crate) is_stalled: bool,
    /// It acknowledges nothing.
    pub(crate) is_mute: bool,
    unwritten: (usize, usize),
    unacked: Vec<dtu_hub::ids::Delivery>,
}

/// What is on disk.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) rows: Vec<Row>,
    pub(crate) history: BTreeMap<DeviceId, Vec<(Position, Bytes)>>,
    epochs: BTreeMap<DeviceId, SessionEpoch>,
    pub(crate) waiting: BTreeMap<MessageId, (DeviceId, Instant, Bytes, bool)>,
    sessions: BTreeMap<(AccountId, SessionName), Kept>,
    last_message: MessageId,
    pub(crate) ends: Vec<(MessageId, End)>,
    online: BTreeMap<DeviceId, bool>,
}

#[derive(Clone, Debug, Default)]
struct Kept {
    keep: Duration,
    subscriptions: Vec<Subscription>,
    cursors: BTreeMap<(DeviceId, Kind), Position>,
}

#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) hub: Hub,
    pub(crate) now: Instant,
    pub(crate) peers: Vec<Peer>,
    pub(crate) programs: Vec<Program>,
    /// All that devices got, by which place, in its order.
    pub(crate) sent: Vec<(u32, Bytes)>,
    pub(crate) disk: Disk,
    pub(crate) datagrams: Vec<(SocketAddr, Bytes)>,
    pub(crate) events: Vec<Event>,
    pub(crate) logs: Vec<Log>,
    /// A batch takes so long.
    pub(crate) disk_takes: Duration,
    /// No batch is written.
    pub(crate) disk_fails: bool,
    /// Reads of history are not answered yet.
    pub(crate) is_history_slow: bool,
    fetches: Vec<Came>,
    /// How often history was read.
    pub(crate) reads: u32,
    writing: Option<(u64, Vec<Row>, Instant)>,
    /// What the hub is to be told when its outputs are drained.
    came: VecDeque<Came>,
    records: Vec<DeviceRecord>,
    rules: Rules,
    uses: u32,
}

/// News for the hub.
#[derive(Debug)]
enum Came {
    Sent(ConnectionId, u64),
    Closed(ConnectionId, u64),
    Program(ProgramId, ProgramInput),
    Failed,
    Fetched(u64, Vec<(Position, Bytes)>),
}

fn hub(last: MessageId, now: Instant) -> Hub {
    Hub::new(PasswordKey::new(&[7; 32]), Alarms::default(), last, now)
}

impl Bench {
    pub(crate) fn empty() -> Self {
        Self {
            hub: hub(MessageId(0), Instant::ZERO),
            now: Instant::ZERO,
            peers: Vec::new(),
            programs: Vec::new(),
            sent: Vec::new(),
            disk: Disk::default(),
            datagrams: Vec::new(),
            events: Vec::new(),
            logs: Vec::new(),
            disk_takes: Duration::ZERO,
            disk_fails: false,
            is_history_slow: false,
            fetches: Vec::new(),
            reads: 0,
            writing: None,
            came: VecDeque::new(),
            records: Vec::new(),
            rules: Rules::default(),
            uses: 0,
        }
    }

    /// Devices 1 to 9 with a password; Alice has them all.
    pub(crate) fn new() -> Self {
        let mut bench = Self::empty();
        for n in 1..10 {
            bench.device(n, |_| {});
        }
        bench
    }

    pub(crate) fn device(&mut self, n: u32, change: impl FnOnce(&mut DeviceRecord)) {
        let mut record = DeviceRecord::new(id(n));
        let key = PasswordKey::new(&[7; 32]);
        record.password = Some(key.tag(&record.id, PASSWORD.as_bytes()));
        record.rights = vec![(ALICE, Rights::ALL)];
        change(&mut record);
        self.records.retain(|other| other.id != record.id);
        self.records.push(record.clone());
        self.input(Input::Registry(Registry::Device(Box::new(record))));
    }

    pub(crate) fn removes(&mut self, n: u32) -> &mut Self {
        self.records.retain(|record| record.id != id(n));
        self.input(Input::Registry(Registry::RemoveDevice(id(n))));
        self
    }

    /// "REG" and the number, and any pattern.
    pub(crate) fn rules(&mut self, literals: &[(&[u8], u32)], patterns: &[(&str, &'static str)]) {
        let mut rules = Rules::default();
        for (packet, n) in literals {
            assert!(rules.literal(ALICE, packet, id(*n), Bytes::new()));
        }
        for (pattern, answer) in patterns {
            rules.pattern(
                ALICE,
                Pattern::parse(pattern).unwrap(),
                Bytes::from_static(answer.as_bytes()),
            );
        }
        self.rules = rules.clone();
        self.input(Input::Registry(Registry::Rules(Box::new(rules))));
    }

    pub(crate) fn input(&mut self, input: Input<'_>) {
        self.hub.handle_input(input, self.now);
        self.settle();
    }

    /// Until the clock stands at so many ms, deadline by deadline.
    pub(crate) fn at(&mut self, millis: u64) -> &mut Self {
        let end = Instant::from_millis(millis);
        let mut turns = 0;
        loop {
            let disk = self.writing.as_ref().map(|(.., due)| *due);
            let disk = disk.filter(|_| !self.disk_fails);
            let due = [self.hub.poll_timeout(), disk].into_iter().flatten().min();
            let Some(due) = due.filter(|due| *due <= end) else {
                break;
            };
            turns = if due > self.now { 0 } else { turns + 1 };
            assert!(turns < 1000, "a deadline does not move");
            self.now = self.now.max(due);
            self.hub.handle_timeout(self.now);
            self.settle();
        }
        self.now = self.now.max(end);
        self
    }

    pub(crate) fn wait(&mut self, millis: u64) -> &mut Self {
        self.at(self.now.as_micros() / 1000 + millis)
    }

    fn settle(&mut self) {
        loop {
            while let Some(output) = self.hub.poll_output() {
                self.carry_out(output);
            }
            if let Some(came) = self.came.pop_front() {
                self.tell(came);
                continue;
            }
            let is_due = self
                .writing
                .as_ref()
                .is_some_and(|(.., due)| *due <= self.now);
            if !is_due {
                return;
            }
            if self.disk_fails {
                return;
            }
            if let Some((number, rows, _)) = self.writing.take() {
                rows.into_iter().for_each(|row| self.disk.take(row));
                self.hub
                    .handle_input(Input::Store(StoreInput::Committed(number)), self.now);
            }
        }
    }

    fn tell(&mut self, came: Came) {
        let now = self.now;
        match came {
            Came::Sent(id, total) => {
                self.hub.handle_input(Input::Door(id, DoorInput::Sent), now);
                self.hub
                    .handle_input(Input::Door(id, DoorInput::Acked(total)), now);
            }
            Came::Closed(id, total) => {
                self.hub
                    .handle_input(Input::Door(id, DoorInput::Closed(total)), now);
            }
            Came::Program(id, input) => self.hub.handle_input(Input::Program(id, input), now),
            Came::Failed => self.hub.handle_input(Input::Store(StoreInput::Failed), now),
            Came::Fetched(fetch, messages) => {
                let input = StoreInput::Fetched {
                    fetch,
                    messages: &messages,
                    lost: false,
                };
                self.hub.handle_input(Input::Store(input), now);
            }
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Door(id, output) => self.tell_peer(id, output),
            Output::Datagram(to, bytes) => self.datagrams.push((to, bytes)),
            Output::Program(id, output) => self.tell_program(id, output),
            Output::Store(StoreOutput::Batch(number, rows)) => {
                assert!(self.writing.is_none(), "one batch is outstanding at most");
                self.writing = Some((number, rows, self.now + self.disk_takes));
                if self.disk_fails {
                    self.came.push_back(Came::Failed);
                }
            }
            Output::Store(StoreOutput::Fetch {
                fetch,
                device,
                after,
                limit,
            }) => {
                self.reads += 1;
                let history = self.disk.history.get(&device).cloned().unwrap_or_default();
                let behind = history
                    .into_iter()
                    .filter(|(position, _)| *position > after);
                let fetched = Came::Fetched(fetch, behind.take(limit).collect());
                if self.is_history_slow {
                    self.fetches.push(fetched);
                } else {
                    self.came.push_back(fetched);
                }
            }
            Output::Log(Log::Event(event)) => self.events.push(event),
            Output::Log(log) => self.logs.push(log),
        }
    }

    fn tell_peer(&mut self, id: ConnectionId, output: DoorOutput) {
        let peer = &mut self.peers[id.place as usize];
        assert_eq!(
            peer.r#use, id.r#use,
            "an output for a connection that is over"
        );
        assert!(peer.is_open);
        match output {
            DoorOutput::Send(bytes) => {
                if !peer.is_dead {
                    peer.got.extend_from_slice(&bytes);
                    peer.acked += bytes.len() as u64;
                    self.sent.push((id.place, bytes));
                }
                let total = peer.acked;
                self.came.push_back(Came::Sent(id, total));
            }
            DoorOutput::Close(reason) => {
                peer.closed = Some(reason);
                peer.is_open = false;
                let total = peer.acked;
                self.came.push_back(Came::Closed(id, total));
            }
        }
    }

    fn tell_program(&mut self, id: ProgramId, output: ProgramOutput) {
        let program = &mut self.programs[id.place as usize];
        if program.r#use != id.r#use {
            return;
        }
        if let ProgramOutput::Deliver(Deliver {
            bytes, delivery, ..
        }) = &output
        {
            program.unwritten.0 += 1;
            program.unwritten.1 += bytes.len();
            program.unacked.extend(*delivery);
        }
        program.unwritten.0 += usize::from(matches!(output, ProgramOutput::Event(_)));
        program.got.push_back(output);
        self.read(id.place);
    }

    /// What the program reads and acknowledges.
    pub(crate) fn read(&mut self, place: u32) {
        let program = &mut self.programs[place as usize];
        let id = ProgramId {
            place,
            r#use: program.r#use,
        };
        if !program.is_stalled {
            let (messages, bytes) = std::mem::take(&mut program.unwritten);
            let acked = if program.is_mute {
                Vec::new()
            } else {
                std::mem::take(&mut program.unacked)
            };
            if messages > 0 {
                let written = ProgramInput::Written { messages, bytes };
                self.came.push_back(Came::Program(id, written));
            }
            for delivery in acked {
                self.came
                    .push_back(Came::Program(id, ProgramInput::Acked(delivery)));
            }
        }
    }

    pub(crate) fn read_on(&mut self, place: u32) {
        self.read(place);
        self.settle();
    }

    // Devices.

    pub(crate) fn connection(&self, place: u32) -> ConnectionId {
        ConnectionId {
            place,
            r#use: self.peers[place as usize].r#use,
        }
    }

    pub(crate) fn opens(&mut self, place: u32, door: Door, source: IpAddr) -> &mut Self {
        self.uses += 1;
        if self.peers.len() <= place as usize {
            self.peers.resize_with(place as usize + 1, Peer::default);
        }
        assert!(!self.peers[place as usize].is_open);
        self.peers[place as usize] = Peer {
            r#use: self.uses,
            is_open: true,
            ..Peer::default()
        };
        let id = self.connection(place);
        self.input(Input::Door(id, DoorInput::Opened { door, source }));
        self
    }

    pub(crate) fn says(&mut self, place: u32, bytes: impl AsRef<[u8]>) -> &mut Self {
        let id = self.connection(place);
        self.input(Input::Door(id, DoorInput::Data(bytes.as_ref())));
        self
    }

    pub(crate) fn closes(&mut self, place: u32) -> &mut Self {
        let id = self.connection(place);
        let peer = &mut self.peers[place as usize];
        peer.is_open = false;
        let total = peer.acked;
        self.input(Input::Door(id, DoorInput::Closed(total)));
        self
    }

    /// Device `n` comes by the cloud door, from an address of this number, and is let in.
    pub(crate) fn comes(&mut self, place: u32, n: u32, from: u8) -> &mut Self {
        self.opens(place, Door::Cloud, ip(from));
        self.says(place, format!("{}{PASSWORD}", id(n))).wait(10);
        self.hears(place, "usr_cloud_code_0\r\n")
    }

    #[track_caller]
    pub(crate) fn hears(&mut self, place: u32, expected: &str) -> &mut Self {
        let got = std::mem::take(&mut self.peers[place as usize].got);
        assert_eq!(String::from_utf8_lossy(&got), expected);
        self
    }

    #[track_caller]
    pub(crate) fn is_closed(&mut self, place: u32, reason: CloseReason) -> &mut Self {
        assert_eq!(self.peers[place as usize].closed, Some(reason));
        self
    }

    #[track_caller]
    pub(crate) fn is_open(&mut self, place: u32) -> &mut Self {
        assert_eq!(self.peers[place as usize].closed, None);
        assert!(self.peers[place as usize].is_open);
        self
    }

    /// Whether the host would read it.
    pub(crate) fn wants(&self, place: u32) -> bool {
        self.hub.wants(self.connection(place))
    }

    pub(crate) fn is_up(&self, place: u32) -> bool {
        self.peers
            .get(place as usize)
            .is_some_and(|peer| peer.is_open)
    }

    // Programs.

    pub(crate) fn program(&self, place: u32) -> ProgramId {
        ProgramId {
            place,
            r#use: self.programs[place as usize].r#use,
        }
    }

    pub(crate) fn attaches(
        &mut self,
        place: u32,
        account: AccountId,
        kept: Option<&str>,
    ) -> &mut Self {
        let keep = Duration::from_secs(if kept.is_some() { 3600 } else { 0 });
        self.attaches_as(place, account, kept, keep, false)
    }

    pub(crate) fn attaches_as(
        &mut self,
        place: u32,
        account: AccountId,
        name: Option<&str>,
        keep: Duration,
        clean: bool,
    ) -> &mut Self {
        self.uses += 1;
        if self.programs.len() <= place as usize {
            self.programs
                .resize_with(place as usize + 1, Program::default);
        }
        let old = &self.programs[place as usize];
        self.programs[place as usize] = Program {
            r#use: self.uses,
            is_open: true,
            is_mute: old.is_mute,
            ..Program::default()
        };
        let attach = ProgramInput::Attach {
            account,
            name: name.map(SessionName::from),
            keep,
            clean,
        };
        self.does(place, attach)
    }

    pub(crate) fn does(&mut self, place: u32, input: ProgramInput) -> &mut Self {
        let id = self.program(place);
        self.input(Input::Program(id, input));
        self
    }

    pub(crate) fn goes(&mut self, place: u32) -> &mut Self {
        self.programs[place as usize].is_open = false;
        self.does(place, ProgramInput::Gone)
    }

    pub(crate) fn subscribes(
        &mut self,
        place: u32,
        kind: Kind,
        reach: Reach,
        acked: bool,
    ) -> &mut Self {
        let subscription = Subscription { kind, reach, acked };
        self.does(place, ProgramInput::Subscribe(subscription))
            .wait(10);
        let granted = ProgramOutput::Subscribed(subscription);
        let got = &mut self.programs[place as usize].got;
        let at = got.iter().position(|output| *output == granted);
        got.remove(at.expect("it is granted"));
        self
    }

    /// Sends with an answer (QoS 1).
    pub(crate) fn orders(&mut self, place: u32, n: u32, tag: u32, bytes: &str) -> &mut Self {
        self.publishes(place, n, tag, bytes, true, None)
    }

    pub(crate) fn publishes(
        &mut self,
        place: u32,
        n: u32,
        tag: u32,
        bytes: &str,
        answered: bool,
        expire: Option<Duration>,
    ) -> &mut Self {
        let publish = Publish {
            tag,
            device: id(n),
            bytes: Bytes::copy_from_slice(bytes.as_bytes()),
            answered,
            expire,
        };
        self.does(place, ProgramInput::Publish(publish))
    }

    pub(crate) fn got(&mut self, place: u32) -> Vec<ProgramOutput> {
        std::mem::take(&mut self.programs[place as usize].got).into()
    }

    /// Messages that it got; `!` in front where the message is one that may have been there before.
    pub(crate) fn messages(&mut self, place: u32) -> Vec<String> {
        let got = self
            .got(place)
            .into_iter()
            .filter_map(|output| match output {
                ProgramOutput::Deliver(deliver) => Some(format!(
                    "{}{}",
                    if deliver.dup { "!" } else { "" },
                    String::from_utf8_lossy(&deliver.bytes)
                )),
                _ => None,
            });
        got.collect()
    }

    pub(crate) fn whats(&mut self) -> Vec<What> {
        let events = std::mem::take(&mut self.events).into_iter();
        events.map(|event| event.what).collect()
    }

    // The store.

    pub(crate) fn disk_works(&mut self) -> &mut Self {
        self.disk_fails = false;
        self.settle();
        self
    }

    /// What was read of history meanwhile comes.
    pub(crate) fn history_comes(&mut self) -> &mut Self {
        self.is_history_slow = false;
        self.came.extend(std::mem::take(&mut self.fetches));
        self.settle();
        self
    }

    /// `kill -9`, and a start from what is on disk.
    pub(crate) fn restarts(&mut self) -> &mut Self {
        self.writing = None;
        self.came.clear();
        self.fetches.clear();
        self.hub = hub(self.disk.last_message, self.now);
        for peer in &mut self.peers {
            peer.is_open = false;
        }
        for program in &mut self.programs {
            program.is_open = false;
        }
        self.input(Input::Registry(Registry::Rules(Box::new(
            self.rules.clone(),
        ))));
        for mut record in self.records.clone() {
            let last = self.disk.history.get(&record.id).and_then(|all| all.last());
            record.last = last.map_or(Position::default(), |(position, _)| *position);
            let epoch = self
                .disk
                .epochs
                .get(&record.id)
                .copied()
                .unwrap_or_default();
            record.epoch = epoch;
            record.was_online = self
                .disk
                .online
                .get(&record.id)
                .copied()
                .unwrap_or_default();
            self.input(Input::Registry(Registry::Device(Box::new(record))));
        }
        for ((account, name), kept) in self.disk.sessions.clone() {
            let cursors = kept.cursors.into_iter();
            self.input(Input::Registry(Registry::Session {
                account,
                name,
                keep: kept.keep,
                subscriptions: kept.subscriptions,
                cursors: cursors
                    .map(|((device, kind), at)| (device, kind, at))
                    .collect(),
            }));
        }
        for (message, (device, expires, bytes, sending)) in self.disk.waiting.clone() {
            self.input(Input::Registry(Registry::Waiting {
                message,
                device,
                expires,
                bytes,
                sending,
            }));
        }
        self
    }
}

impl Disk {
    fn take(&mut self, row: Row) {
        self.rows.push(row.clone());
        match row {
            Row::Session(device, epoch) => {
                let old = self.epochs.insert(device, epoch);
                assert!(old.is_none_or(|old| old < epoch), "epochs grow");
            }
            Row::Uplink {
                device,
                position,
                bytes,
                ..
            } => {
                let epoch = self.epochs.get(&device);
                assert!(
                    epoch.is_some_and(|epoch| position.epoch <= *epoch),
                    "its session is on disk"
                );
                let history = self.history.entry(device).or_default();
                assert!(
                    history.last().is_none_or(|(last, _)| *last < position),
                    "positions grow"
                );
                history.push((position, bytes));
            }
            Row::Accepted {
                message,
                device,
                expires,
                bytes,
                ..
            } => {
                assert!(message > self.last_message, "numbers grow");
                self.last_message = message;
                self.waiting
                    .insert(message, (device, expires, bytes, false));
            }
            Row::Sending(message) => {
                if let Some(waiting) = self.waiting.get_mut(&message) {
                    waiting.3 = true;
                }
            }
            Row::Done(message, end) => {
                assert!(self.waiting.remove(&message).is_some(), "it waited");
                self.ends.push((message, end));
            }
            Row::Event(event) => {
                if let Some(device) = event.device {
                    match event.what {
                        What::Online => drop(self.online.insert(device, true)),
                        What::Offline => drop(self.online.insert(device, false)),
                        _ => {}
                    }
                }
            }
            Row::Program(account, name, keep) => {
                self.sessions.entry((account, name)).or_default().keep = keep;
            }
            Row::Subscribed(account, name, subscription) => {
                let kept = self.sessions.entry((account, name)).or_default();
                let Subscription { kind, reach, .. } = subscription;
                kept.subscriptions
                    .retain(|own| (own.kind, own.reach) != (kind, reach));
                kept.subscriptions.push(subscription);
            }
            Row::Unsubscribed(account, name, kind, reach) => {
                let kept = self.sessions.entry((account, name)).or_default();
                kept.subscriptions
                    .retain(|own| (own.kind, own.reach) != (kind, reach));
            }
            Row::Cursor(account, name, device, kind, position) => {
                let kept = self.sessions.entry((account, name)).or_default();
                let old = kept.cursors.insert((device, kind), position);
                assert!(old.is_none_or(|old| old <= position), "a cursor moves on");
            }
            Row::CursorEnded(account, name, device, kind) => {
                let kept = self.sessions.entry((account, name)).or_default();
                kept.cursors.remove(&(device, kind));
            }
            Row::ProgramEnded(account, name) => {
                self.sessions.remove(&(account, name));
            }
            Row::Removed(device) => {
                self.history.remove(&device);
                self.epochs.remove(&device);
                self.online.remove(&device);
                for kept in self.sessions.values_mut() {
                    kept.cursors.retain(|(of, _), _| *of != device);
                }
                assert!(self.waiting.values().all(|(of, ..)| *of != device));
            }
        }
    }
}
