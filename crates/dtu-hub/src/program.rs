//! Sessions of programs: what they get, what is on its way, how far they are.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;

use crate::event::{Deliver, Event, ProgramOutput};
use crate::ids::{AccountId, Delivery, DeviceId, Position, ProgramId, SessionName};
use crate::time::{Duration, Instant};
use crate::topic::{Kind, Reach};

/// Messages of QoS 1 that are on their way to a program.
const WINDOW: usize = 64;
/// Bytes that are in the host's hands for a program.
const IN_HANDS: usize = 64 * 1024;
/// Bytes of QoS 0 that wait for a program; what finds no room is dropped and told.
const QUEUE: usize = 256 * 1024;
/// What a delivery costs beside its payload.
const DELIVERY: usize = 64;

/// A session's place in the table of sessions, and which use of the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SessionKey(pub(crate) u32, pub(crate) u32);

/// Of what a session is how far: a device's bytes by one kind of topic.
type StreamKey = (u32, Kind);

#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    /// It has all up to here.
    acked: Position,
    /// All up to here is acknowledged or on its way.
    sent: Position,
    /// Up to here it may have had messages before.
    repeats_to: Position,
    /// There is more in history.
    behind: bool,
    /// History had nothing; up to here it never will, unless that is in this batch, which was not on disk yet.
    nothing: Option<(Position, u64)>,
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    delivery: Delivery,
    stream: StreamKey,
    position: Position,
    acked: bool,
}

/// A message of a device, as it is published.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Published<'a> {
    pub(crate) device: u32,
    pub(crate) id: DeviceId,
    pub(crate) position: Position,
    /// The one before it.
    pub(crate) before: Position,
    pub(crate) bytes: &'a Bytes,
}

/// Where a session has moved on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) device: u32,
    pub(crate) kind: Kind,
}

/// What a session wants to read of history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) device: u32,
    pub(crate) after: Position,
    pub(crate) limit: usize,
}

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) account: AccountId,
    pub(crate) name: Option<SessionName>,
    pub(crate) keep: Duration,
    pub(crate) attached: Option<ProgramId>,
    /// When it is forgotten, while nobody is attached.
    pub(crate) ends_at: Instant,
    /// Whether each is acknowledged.
    pub(crate) subscriptions: BTreeMap<(Kind, Reach), bool>,
    cursors: HashMap<StreamKey, Cursor>,
    in_flight: VecDeque<InFlight>,
    behind: VecDeque<StreamKey>,
    /// The fetch that is on its way.
    pub(crate) fetching: Option<u64>,
    /// All batches up to this one were on disk when it went out.
    pub(crate) fetched_after: u64,
    /// History has no more on disk for now.
    pub(crate) waits_for_disk: bool,
    deliveries: u64,
    /// Of QoS 0, with `Dropped` where some found no room.
    queue: VecDeque<ProgramOutput>,
    queued: usize,
    in_hands: usize,
    /// Devices whose present state it asked for.
    states: VecDeque<u32>,
}

impl Session {
    pub(crate) fn new(account: AccountId, name: Option<SessionName>, keep: Duration) -> Self {
        Self {
            account,
            name,
            keep,
            attached: None,
            ends_at: Instant::NEVER,
            subscriptions: BTreeMap::new(),
            cursors: HashMap::new(),
            in_flight: VecDeque::new(),
            behind: VecDeque::new(),
            fetching: None,
            fetched_after: 0,
            waits_for_disk: false,
            deliveries: 0,
            queue: VecDeque::new(),
            queued: 0,
            in_hands: 0,
            states: VecDeque::new(),
        }
    }

    /// Whether it outlives its connection, so that the store has it.
    pub(crate) fn is_kept(&self) -> bool {
        self.name.is_some() && self.keep > Duration::ZERO
    }

    /// Whether a message of a device comes by its filter of this reach. Filters that overlap bring it once, by the
    /// higher of their QoS.
    pub(crate) fn comes_by(&self, kind: Kind, device: DeviceId, reach: Reach) -> bool {
        let of = |reach| self.subscriptions.get(&(kind, reach)).copied();
        let (exact, all) = (of(Reach::Device(device)), of(Reach::Account));
        match reach {
            Reach::Account => exact != Some(true) || all == Some(true),
            Reach::Device(_) => all.is_none() || (exact, all) == (Some(true), Some(false)),
        }
    }

    /// A message of QoS 0: at once, or in the queue, or dropped.
    ///
    /// # Errors
    /// Where it is dropped.
    pub(crate) fn publish(
        &mut self,
        kind: Kind,
        message: Published<'_>,
    ) -> Result<Option<ProgramOutput>, ()> {
        if self.attached.is_none() {
            return Ok(None);
        }
        let deliver = Deliver {
            delivery: None,
            kind,
            device: message.id,
            position: message.position,
            dup: false,
            bytes: message.bytes.clone(),
        };
        self.offer(ProgramOutput::Deliver(deliver))
    }

    /// Something happened to a device.
    ///
    /// # Errors
    /// Where that is dropped.
    pub(crate) fn tell(&mut self, event: Event) -> Result<Option<ProgramOutput>, ()> {
        if self.attached.is_none() {
            return Ok(None);
        }
        self.offer(ProgramOutput::Event(event))
    }

    fn offer(&mut self, output: ProgramOutput) -> Result<Option<ProgramOutput>, ()> {
        let cost = cost(&output);
        if self.queue.is_empty() && self.in_hands < IN_HANDS {
            self.in_hands += cost;
            return Ok(Some(output));
        }
        if self.queued + cost > QUEUE {
            match self.queue.back_mut() {
                Some(ProgramOutput::Dropped(count)) => *count += 1,
                Some(_) | None => self.queue.push_back(ProgramOutput::Dropped(1)),
            }
            return Err(());
        }
        self.queued += cost;
        self.queue.push_back(output);
        Ok(None)
    }

    /// A message of QoS 1: at once, or the session is behind and reads history. `Moved` where the store has to know
    /// where the session begins.
    pub(crate) fn publish_acked(
        &mut self,
        kind: Kind,
        message: Published<'_>,
    ) -> (Option<Deliver>, Option<Moved>) {
        let stream = (message.device, kind);
        let mut begins = None;
        let kept = self.is_kept();
        let cursor = self.cursors.entry(stream).or_insert_with(|| {
            begins = kept.then_some(Moved {
                device: message.device,
                kind,
            });
            Cursor {
                acked: message.before,
                sent: message.before,
                ..Cursor::default()
            }
        });
        if cursor.behind {
            return (None, begins);
        }
        let is_next = cursor.sent == message.before;
        let has_room = self.in_flight.len() < WINDOW && self.in_hands < IN_HANDS;
        if self.attached.is_none() || !has_room || !is_next {
            // A hole, or no room: history has it.
            cursor.behind = true;
            self.behind.push_back(stream);
            return (None, begins);
        }
        cursor.sent = message.position;
        (
            Some(self.send(stream, message.id, message.position, message.bytes, false)),
            begins,
        )
    }

    fn send(
        &mut self,
        stream: StreamKey,
        device: DeviceId,
        position: Position,
        bytes: &Bytes,
        dup: bool,
    ) -> Deliver {
        self.deliveries += 1;
        let delivery = Delivery(self.deliveries);
        self.in_hands += DELIVERY + bytes.len();
        self.in_flight.push_back(InFlight {
            delivery,
            stream,
            position,
            acked: false,
        });
        Deliver {
            delivery: Some(delivery),
            kind: stream.1,
            device,
            position,
            dup,
            bytes: bytes.clone(),
        }
    }

    /// The program has it. What is done from the oldest on moves the session.
    pub(crate) fn acked(&mut self, delivery: Delivery) {
        let found = self
            .in_flight
            .binary_search_by_key(&delivery, |flight| flight.delivery);
        if let Some(flight) = found.ok().and_then(|at| self.in_flight.get_mut(at)) {
            flight.acked = true;
        }
    }

    /// The next position that the session has moved to.
    pub(crate) fn moved(&mut self) -> Option<Moved> {
        if !self.in_flight.front()?.acked {
            return None;
        }
        let flight = self.in_flight.pop_front()?;
        let (device, kind) = flight.stream;
        if let Some(cursor) = self.cursors.get_mut(&flight.stream) {
            cursor.acked = cursor.acked.max(flight.position);
        }
        Some(Moved { device, kind })
    }

    /// What it has had of a device, while it gets something of it.
    pub(crate) fn position(&self, device: u32, kind: Kind) -> Option<Position> {
        self.cursors.get(&(device, kind)).map(|cursor| cursor.acked)
    }

    /// So many bytes are out of the host's hands; what waits goes on.
    pub(crate) fn written(&mut self, bytes: usize, messages: usize) {
        self.in_hands = self.in_hands.saturating_sub(bytes + messages * DELIVERY);
    }

    /// The next of the queue of QoS 0 that finds room in the host's hands. What was dropped is told in its place.
    pub(crate) fn next_queued(&mut self) -> Option<ProgramOutput> {
        self.attached?;
        let cost = cost(self.queue.front()?);
        if cost > 0 && self.in_hands >= IN_HANDS {
            return None;
        }
        self.queued -= cost;
        self.in_hands += cost;
        self.queue.pop_front()
    }

    /// It wants the present states of these devices, as soon as it reads them.
    pub(crate) fn ask(&mut self, places: impl IntoIterator<Item = u32>) {
        for place in places {
            if !self.states.contains(&place) {
                self.states.push_back(place);
            }
        }
    }

    /// As [`Self::ask`], all of them anew.
    pub(crate) fn ask_all(&mut self, places: Vec<u32>) {
        self.states = places.into();
    }

    /// The next device whose state it can be told.
    pub(crate) fn next_asked(&mut self) -> Option<u32> {
        self.attached?;
        if !self.queue.is_empty() || self.in_hands >= IN_HANDS {
            return None;
        }
        let place = self.states.pop_front()?;
        self.in_hands += DELIVERY;
        Some(place)
    }

    /// The device that was asked for is no more.
    pub(crate) const fn is_not_told(&mut self) {
        self.in_hands = self.in_hands.saturating_sub(DELIVERY);
    }

    /// What it wants to read of history now.
    pub(crate) fn wants(&mut self) -> Option<Wanted> {
        let room = WINDOW - self.in_flight.len().min(WINDOW);
        let is_free = self.fetching.is_none() && !self.waits_for_disk && self.attached.is_some();
        // Not for each single place: history is read in pieces.
        if !is_free || room < WINDOW / 2 || self.in_hands >= IN_HANDS {
            return None;
        }
        let (stream, after) = loop {
            let stream = *self.behind.front()?;
            if let Some(cursor) = self.cursors.get(&stream) {
                break (stream, cursor.sent);
            }
            // It was given up while it was being read.
            self.behind.pop_front();
        };
        Some(Wanted {
            device: stream.0,
            after,
            limit: room,
        })
    }

    /// What it wanted came. `head` is the last message of the device, on disk or not; it is with this batch.
    pub(crate) fn fetched(
        &mut self,
        device: DeviceId,
        head: Position,
        batch: u64,
        messages: &[(Position, Bytes)],
        out: &mut Vec<Deliver>,
    ) {
        self.fetching = None;
        let Some(stream) = self.behind.pop_front() else {
            return;
        };
        let Some(mut cursor) = self.cursors.get(&stream).copied() else {
            return;
        };
        for (position, bytes) in messages {
            if *position > cursor.sent {
                cursor.sent = *position;
                // mutant: hub-dup
                out.push(self.send(
                    stream,
                    device,
                    *position,
                    bytes,
                    *position <= cursor.repeats_to,
                ));
            }
        }
        if messages.is_empty() {
            match cursor.nothing {
                Some((gone, batch)) if self.fetched_after >= batch => {
                    cursor.sent = cursor.sent.max(gone);
                    cursor.nothing = None;
                }
                Some(_) => {}
                None => cursor.nothing = Some((head, batch)),
            }
        } else {
            cursor.nothing = None;
        }
        cursor.behind = cursor.sent < head;
        if cursor.behind {
            if messages.is_empty() {
                self.waits_for_disk = true;
            }
            self.behind.push_back(stream);
        }
        self.cursors.insert(stream, cursor);
    }

    /// What it wanted to read is no more.
    pub(crate) fn skip(&mut self) {
        self.fetching = None;
        if let Some(stream) = self.behind.pop_front() {
            self.cursors.remove(&stream);
        }
    }

    /// The connection is gone: what was in flight comes again, with DUP. So many of QoS 0 go with it.
    pub(crate) fn detach(&mut self) -> u64 {
        self.attached = None;
        let queue = std::mem::take(&mut self.queue);
        let dropped = queue.iter().filter(|output| cost(output) > 0).count() as u64;
        self.states.clear();
        (self.queued, self.in_hands) = (0, 0);
        (self.fetching, self.waits_for_disk) = (None, false);
        for flight in std::mem::take(&mut self.in_flight) {
            let Some(cursor) = self.cursors.get_mut(&flight.stream) else {
                continue;
            };
            cursor.repeats_to = cursor.repeats_to.max(cursor.sent);
            // mutant: hub-repeats
            cursor.sent = cursor.acked;
            if !cursor.behind {
                cursor.behind = true;
                self.behind.push_back(flight.stream);
            }
        }
        dropped
    }

    /// Where it stood when the server stopped. All that history has behind it may have been sent.
    pub(crate) fn restore(&mut self, device: u32, kind: Kind, position: Position, head: Position) {
        // A position ahead is that of a device which had the id before.
        let position = position.min(head);
        let behind = position < head;
        let cursor = Cursor {
            acked: position,
            sent: position,
            repeats_to: head,
            behind,
            nothing: None,
        };
        self.cursors.insert((device, kind), cursor);
        if behind {
            self.behind.push_back((device, kind));
        }
    }

    /// It gets nothing more of this device by this kind. Whether it did.
    pub(crate) fn forget(&mut self, device: u32, kind: Kind) -> bool {
        // A fetch that is on its way is of the first: that one stays until it is answered.
        let keep_first = self.fetching.is_some();
        let mut at = 0;
        self.behind.retain(|stream| {
            at += 1;
            *stream != (device, kind) || (keep_first && at == 1)
        });
        self.cursors.remove(&(device, kind)).is_some()
    }

    /// The devices of which it has a position by this kind.
    pub(crate) fn devices(&self, kind: Kind) -> Vec<u32> {
        let keys = self.cursors.keys().filter(|(_, own)| *own == kind);
        keys.map(|(device, _)| *device).collect()
    }

    /// Whether what a device sends is acknowledged by this kind, by which filter ever: the higher of QoS counts.
    pub(crate) fn acknowledges(&self, kind: Kind, device: DeviceId) -> bool {
        let of = |reach| self.subscriptions.get(&(kind, reach)) == Some(&true);
        of(Reach::Device(device)) || of(Reach::Account)
    }
}

/// What is in the host's hands or waits for them, in bytes.
const fn cost(output: &ProgramOutput) -> usize {
    match output {
        ProgramOutput::Deliver(deliver) => DELIVERY + deliver.bytes.len(),
        ProgramOutput::Event(_) => DELIVERY,
        ProgramOutput::Attached { .. }
        | ProgramOutput::Subscribed(_)
        | ProgramOutput::NotSubscribed(_)
        | ProgramOutput::Answered(_)
        | ProgramOutput::NotTaken(..)
        | ProgramOutput::Dropped(_)
        | ProgramOutput::Lost(_)
        | ProgramOutput::TakenOver
        | ProgramOutput::TooManySessions
        | ProgramOutput::Unavailable => 0,
    }
}
