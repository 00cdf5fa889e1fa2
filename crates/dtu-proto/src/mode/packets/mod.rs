//! The serial command mode (1): frames that name their destination (decisions 11).
//!
//! ```text
//! packets ─► lobby ─► place 1..=8, each a link with a cache ─► delivered, or dropped and counted
//! ```
//! A packet goes from the lobby to the place that its destination has, else to a free one, else to the one that was not
//! used for the longest time and has nothing waiting. Where there is none, it and all behind it wait: packets never
//! overtake one another, so none waits for ever behind a busy destination.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

use super::{LineView, Mode, Stop};
use crate::act::{Act, Told};
use crate::config::{DropPolicy, LinkOptions, Options, WorkingMode};
use crate::cx::{Cx, View};
use crate::event::{Event, Output, QueueId, SocketId, SocketInput};
use crate::net::queue::Fate;
use crate::net::{Link, Pause};
use crate::status::{Loss, SerialCommandCounters, SerialCommandStatus, WaitingFor};
use crate::time::{Duration, Instant};
use crate::wire::command_frame::CommandFrame;

mod feed;
mod place;
mod queue;

use feed::{Feed, Piece};
use place::Place;
use queue::Waiting;

/// A destination that takes nothing for so long, while others wait for a place, gives its own up.
const PLACE_PATIENCE: Duration = Duration::from_secs(10 * 60);
/// A packet whose DTE waits for the full reply is given up after so long (decisions 16.17).
const REPLY_PATIENCE: Duration = Duration::from_secs(30);

/// The mode.
#[derive(Debug)]
pub(crate) struct Packets {
    feed: Feed,
    /// What is to be done once all packets are taken that the feed has.
    then: Then,
    counters: SerialCommandCounters,
    options: LinkOptions,
    running: bool,
    waiting: Waiting,
    /// Packets without a place, oldest first.
    lobby: VecDeque<u64>,
    /// Since when the first one waits there.
    lobby_since: Instant,
    /// Since when the mode runs, or the network is there, whatever was later: before, no destination could be reached.
    trying_since: Instant,
    places: Vec<Place>,
    /// Packets whose DTE waits for the full reply, oldest first, and until when.
    asking: VecDeque<(u64, Instant)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Nothing,
    /// The mode has stopped: what is left becomes no packet any more.
    GiveUp,
    /// A deadline has come.
    Fire,
}

impl Mode for Packets {
    fn new(options: &Arc<Options>) -> Self {
        Self::with(&options.modes)
    }

    fn start(&mut self, cx: &mut Cx<'_>) {
        if !core::mem::replace(&mut self.running, true) {
            self.trying_since = cx.now;
        }
        self.places
            .iter_mut()
            .for_each(|place| place.link.start(cx));
        self.move_in(cx);
    }

    fn stop(&mut self, why: Stop, cx: &mut Cx<'_>) {
        match why {
            Stop::LastFrames | Stop::Soon => {}
            Stop::Now | Stop::OtherMode => {
                self.running = false;
                self.places
                    .iter_mut()
                    .for_each(|place| place.link.stop(WaitingFor::Mode, cx));
                self.then = Then::GiveUp;
                self.take_packets(cx);
            }
        }
    }

    /// Packets, whole or in parts.
    fn frame(&mut self, frame: &Bytes, cx: &mut Cx<'_>) {
        self.feed.feed(frame, cx.last_from_dte);
        self.take_packets(cx);
    }

    fn is_inside(&self) -> bool {
        self.feed.is_inside()
    }

    fn socket(&mut self, socket: SocketId, input: SocketInput<'_>, cx: &mut Cx<'_>) {
        let index = SocketId::DESTINATIONS.iter().position(|own| *own == socket);
        let Some(place) = index.and_then(|index| self.places.get_mut(index)) else {
            return;
        };
        let was_up = place.link.is_up();
        if matches!(input, SocketInput::Data(_)) && was_up {
            place.used_at = cx.now;
        }
        place.works(|link| link.handle(input, cx));
        self.settle_places(cx);
        if let SocketInput::Data(data) = input
            && was_up
            && !data.is_empty()
        {
            cx.acts.push_back(Act::Received);
            let data = Bytes::copy_from_slice(data);
            cx.acts.push_back(Act::Print { socket, data });
        }
    }

    fn network(&mut self, cx: &mut Cx<'_>) {
        if cx.attached {
            self.trying_since = cx.now;
        }
        for place in &mut self.places {
            if cx.attached {
                place.link.network_found(cx);
            } else {
                place.link.network_lost();
            }
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Instant> {
        let links = self
            .places
            .iter()
            .filter_map(|place| place.link.deadline(view.config))
            .min();
        let give_up_at = self.give_up_at(view.attached);
        [links, give_up_at, self.reply_at(), self.feed.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    fn fire(&mut self, cx: &mut Cx<'_>) {
        self.then = Then::Fire;
        self.take_packets(cx);
    }

    fn go_on(&mut self, cx: &mut Cx<'_>) {
        self.take_packets(cx);
    }

    fn line_moved(&mut self, line: &LineView<'_>, now: Instant) {
        for (place, socket) in self.places.iter_mut().zip(SocketId::DESTINATIONS) {
            place.link.line_moved(line.shares[socket.index()], now);
        }
        self.feed.line_moved(line, now);
    }

    /// One destination that takes nothing, or packets that find no place, do
    /// not, unless the user chose that.
    fn pause(&self, now: Instant) -> Option<Pause> {
        if !self.waiting.is_nearly_full() {
            return None;
        }
        match self.waiting.policy() {
            DropPolicy::Block => Some(Pause::UntilRoom),
            DropPolicy::Auto if self.lobby.is_empty() => {
                let last = self.last_delivered();
                let stalled = self
                    .places
                    .iter()
                    .filter(|place| place.is_stalled(now, last));
                // These go first, and make room for what is read.
                let to_drop = stalled.map(|place| place.link.droppable_bytes()).sum();
                if !self.waiting.is_nearly_full_without(to_drop) {
                    return None;
                }
                let moving = self
                    .places
                    .iter()
                    .filter_map(|place| place.moves_until(last));
                moving.filter(|until| now < *until).min().map(Pause::Until)
            }
            DropPolicy::Auto | DropPolicy::Oldest | DropPolicy::Newest => None,
        }
    }

    fn is_up(&self) -> bool {
        self.places.iter().any(|place| place.link.is_up())
    }

    fn is_closing(&self) -> bool {
        self.places
            .iter()
            .map(|place| &place.link)
            .any(Link::is_closing)
    }

    fn restore(&mut self, _queue: QueueId, number: u64, packet: Bytes, cx: &mut Cx<'_>) {
        self.count_in(&packet);
        if CommandFrame::decode(&packet).is_ok() {
            let id = self.waiting.restore(number, packet);
            self.enter_lobby(id, cx.now);
        } else {
            self.waiting.pass(number);
            self.lost(&packet, cx);
        }
    }

    fn undelivered(&self, _queue: QueueId) -> Box<dyn Iterator<Item = (u64, &Bytes)> + '_> {
        Box::new(self.waiting.iter())
    }
}

impl Packets {
    fn with(options: &LinkOptions) -> Self {
        Self {
            feed: Feed::default(),
            then: Then::Nothing,
            counters: SerialCommandCounters::default(),
            waiting: Waiting::new(options),
            options: options.clone(),
            running: false,
            lobby: VecDeque::new(),
            lobby_since: Instant::ZERO,
            trying_since: Instant::ZERO,
            places: Vec::new(),
            asking: VecDeque::new(),
        }
    }

    /// Takes the packets and errors that the feed has. What one of them asks for is done before the next.
    fn take_packets(&mut self, cx: &mut Cx<'_>) {
        let pending = cx.acts.len();
        while cx.acts.len() == pending {
            match self.feed.next(&mut self.counters) {
                Some(Piece::Packet(packet)) => self.take(packet, cx),
                Some(Piece::Error(text)) => self.tell(Told::Error(text), cx),
                None => match self.then {
                    Then::GiveUp if self.feed.held() > 0 => self.feed.give_up(),
                    Then::Fire if self.feed.deadline().is_some_and(|at| at <= cx.now) => {
                        self.feed.give_up();
                    }
                    Then::Fire => {
                        self.then = Then::Nothing;
                        return self.fire_places(cx);
                    }
                    Then::GiveUp | Then::Nothing => {
                        self.then = Then::Nothing;
                        return;
                    }
                },
            }
        }
        cx.acts.push_back(Act::GoOn(WorkingMode::SerialCommand));
    }

    fn fire_places(&mut self, cx: &mut Cx<'_>) {
        for place in &mut self.places {
            if place
                .link
                .deadline(cx.config)
                .is_some_and(|at| at <= cx.now)
            {
                place.works(|link| link.fire(cx));
            }
        }
        if self.give_up_at(cx.attached).is_some_and(|at| at <= cx.now) {
            self.give_a_place_up(cx);
        }
        self.give_replies_up(cx);
        self.settle_places(cx);
    }

    /// Tells the DTE, if the mode runs.
    fn tell(&self, told: Told, cx: &mut Cx<'_>) {
        let told = if self.running { told } else { Told::Nothing };
        cx.acts.push_back(Act::Tell(told));
    }

    /// A good packet of the DTE.
    fn take(&mut self, packet: Bytes, cx: &mut Cx<'_>) {
        self.count_in(&packet);
        if self.has_room(packet.len(), cx) {
            let asks = asks_for_reply(&packet);
            let id = self.waiting.add(packet, cx.outputs);
            if asks {
                self.asking.push_back((id, cx.now + REPLY_PATIENCE));
            }
            self.enter_lobby(id, cx.now);
            self.move_in(cx);
        } else {
            self.lost(&packet, cx);
        }
    }

    /// What left undelivered, or found no place on the spool.
    pub(crate) const fn loss(&self) -> Loss {
        let of = &self.counters;
        Loss {
            frames: of.dropped_packets,
            bytes: of.dropped_bytes,
            spool_refused: of.spool_refused,
        }
    }

    pub(crate) const fn add_loss(&mut self, loss: Loss) {
        self.counters.packets_in += loss.frames;
        self.counters.bytes_in += loss.bytes;
        self.counters.dropped_packets += loss.frames;
        self.counters.dropped_bytes += loss.bytes;
        self.counters.spool_refused += loss.spool_refused;
    }

    fn count_in(&mut self, packet: &Bytes) {
        self.counters.packets_in += 1;
        self.counters.bytes_in += packet.len() as u64;
    }

    fn enter_lobby(&mut self, id: u64, now: Instant) {
        if self.lobby.is_empty() {
            self.lobby_since = now;
        }
        // mutant: lobby-order
        self.lobby.push_back(id);
    }

    /// Packets get their places, in the order in which they came, as far as there are some.
    fn move_in(&mut self, cx: &mut Cx<'_>) {
        while self.running
            && let Some(id) = self.lobby.front().copied()
        {
            if let Some(packet) = self.waiting.get(id).cloned()
                && let Ok(frame) = CommandFrame::decode(&packet)
            {
                let Some(place) = self.place_for(&frame, cx) else {
                    return;
                };
                place.give(id, &packet, &frame, cx);
            }
            self.lobby.pop_front();
            self.lobby_since = cx.now;
        }
    }

    fn place_for(&mut self, frame: &CommandFrame<'_>, cx: &mut Cx<'_>) -> Option<&mut Place> {
        // mutant: own-connection
        if let Some(index) = self.places.iter().position(|place| place.is_for(frame)) {
            return self.places.get_mut(index);
        }
        if let Some(socket) = SocketId::DESTINATIONS.get(self.places.len()) {
            self.places
                .push(Place::new(*socket, &self.options, frame, cx));
            return self.places.last_mut();
        }
        let idle = self
            .places
            .iter_mut()
            .filter(|place| place.given.is_empty());
        let place = idle.min_by_key(|place| (place.link.is_open(), place.used_at))?;
        place.turn_to(frame, cx);
        Some(place)
    }

    /// Whether there is room for a packet, once the oldest have gone.
    fn has_room(&mut self, len: usize, cx: &mut Cx<'_>) -> bool {
        let in_sockets = self
            .places
            .iter()
            .map(|place| place.link.handed_over_bytes())
            .sum();
        let makes_room = self.waiting.makes_room_for(len, in_sockets);
        while self.waiting.is_full_for(len) {
            if !makes_room || !self.drop_oldest(cx) {
                return false;
            }
        }
        true
    }

    /// Lets go of the oldest packet that is not in a socket's hands: what is there may still arrive. Where a destination
    /// does not take what waits for it, its packets go first, so that it costs the others nothing.
    fn drop_oldest(&mut self, cx: &mut Cx<'_>) -> bool {
        let is_auto = self.waiting.policy() == DropPolicy::Auto;
        let last = self.last_delivered();
        let waits = |place: &&mut Place| place.link.first_to_drop().is_some();
        let stalled = self
            .places
            .iter_mut()
            .filter(waits)
            .filter(|place| is_auto && place.is_stalled(cx.now, last));
        let id = match stalled.min_by_key(|place| place.link.first_to_drop()) {
            Some(place) => place.drop_first(),
            None => match self
                .places
                .iter_mut()
                .filter(waits)
                .min_by_key(|place| place.link.first_to_drop())
            {
                Some(place) => place.drop_first(),
                None => self.lobby.pop_front(),
            },
        };
        id.map(|id| self.done(id, Fate::Dropped, cx)).is_some()
    }

    /// Takes out what the links are done with; those that waited for that move up.
    fn settle_places(&mut self, cx: &mut Cx<'_>) {
        while let Some((id, fate)) = self
            .places
            .iter_mut()
            .find_map(|place| place.next_done(cx.now))
        {
            self.done(id, fate, cx);
        }
        self.move_in(cx);
    }

    fn done(&mut self, id: u64, fate: Fate, cx: &mut Cx<'_>) {
        let Some(packet) = self.waiting.remove(id, cx.outputs) else {
            return;
        };
        if let Ok(index) = self.asking.binary_search_by_key(&id, |(asking, _)| *asking) {
            self.asking.remove(index);
        }
        if fate == Fate::Delivered {
            self.counters.packets_out += 1;
            self.counters.bytes_out += packet.len() as u64;
            self.reply(&packet, true, cx);
        } else {
            self.lost(&packet, cx);
        }
    }

    fn lost(&mut self, packet: &Bytes, cx: &mut Cx<'_>) {
        self.counters.dropped_packets += 1;
        self.counters.dropped_bytes += packet.len() as u64;
        let event = Event::FrameDropped {
            queue: QueueId::SerialCommand,
            bytes: packet.len(),
        };
        cx.outputs.push_back(Output::Event(event));
        // mutant: drop-answered
        self.reply(packet, false, cx);
    }

    fn reply(&self, packet: &Bytes, delivered: bool, cx: &mut Cx<'_>) {
        if asks_for_reply(packet) {
            self.tell(Told::Reply { delivered }, cx);
        }
    }

    /// When somebody has waited long enough for the full reply. What a socket has may still arrive: its connection ends
    /// first, and tells.
    fn reply_at(&self) -> Option<Instant> {
        let waits = |id: u64| {
            !self
                .places
                .iter()
                .any(|place| place.link.is_closing() && place.has(id))
        };
        self.asking
            .iter()
            .find(|(id, _)| waits(*id))
            .map(|(_, until)| *until)
    }

    fn give_replies_up(&mut self, cx: &mut Cx<'_>) {
        let due: Vec<u64> = self
            .asking
            .iter()
            .take_while(|(_, until)| *until <= cx.now)
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let given_up = match self.places.iter_mut().find(|place| place.has(id)) {
                Some(place) => place.give_up(id, cx),
                None => {
                    self.lobby.retain(|waiting| *waiting != id);
                    true
                }
            };
            if given_up {
                self.done(id, Fate::Dropped, cx);
            }
        }
    }

    /// The place of the longest standstill.
    fn slowest(&self) -> Option<usize> {
        (0..self.places.len()).min_by_key(|index| self.places[*index].progress_at)
    }

    fn give_up_at(&self, attached: bool) -> Option<Instant> {
        if !self.running || !attached || self.lobby.is_empty() {
            return None;
        }
        let stands_since = self.places[self.slowest()?].progress_at;
        Some(stands_since.max(self.lobby_since).max(self.trying_since) + PLACE_PATIENCE)
    }

    fn give_a_place_up(&mut self, cx: &mut Cx<'_>) {
        let Some(index) = self.slowest() else { return };
        for id in self.places[index].empty() {
            self.done(id, Fate::Dropped, cx);
        }
    }

    /// When a destination last took a packet.
    fn last_delivered(&self) -> Option<Instant> {
        self.places
            .iter()
            .filter_map(|place| place.delivered_at)
            .max()
    }

    pub(crate) const fn counters(&self) -> &SerialCommandCounters {
        &self.counters
    }

    pub(crate) const fn counters_mut(&mut self) -> &mut SerialCommandCounters {
        &mut self.counters
    }

    pub(crate) fn status(&self) -> SerialCommandStatus {
        let links = self.places.iter().map(|place| place.link.status().counters);
        let mut counters = self.counters;
        for link in links {
            counters.resent_packets += link.resent_frames;
            counters.received_bytes += link.received_bytes;
            counters.received_reads += link.received_reads;
            counters.reconnects += link.reconnects;
        }
        SerialCommandStatus {
            running: self.running,
            counters,
            waiting_packets: self.waiting.count(),
            waiting_bytes: self.waiting.bytes(),
            lobby_packets: self.lobby.len(),
            unfinished_bytes: self.feed.held(),
            destinations: self.places.iter().map(Place::status).collect(),
        }
    }
}

fn asks_for_reply(packet: &[u8]) -> bool {
    CommandFrame::decode(packet).is_ok_and(|frame| frame.full_reply)
}
