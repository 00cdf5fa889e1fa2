//! The serial command mode (1): frames that name their destination (decisions 11).
//!
//! ```text
//! packets ─► pending ─► slot 1..=8, each a link with a cache ─► delivered, or dropped and counted
//! ```
//! A pending packet goes to the slot that its destination has, else to a free one, else to the one that was not
//! used for the longest time and has nothing waiting. Where there is none, it and all behind it wait: packets never
//! overtake one another, so none waits for ever behind a busy destination.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

use super::{LineView, Mode, Stop};
use crate::act::{Act, PacketReply};
use crate::config::{DropPolicy, LinkOptions, Options, WorkingMode};
use crate::cx::{Cx, View};
use crate::drops::{DropPlace, Dropped};
use crate::event::{Lost, QueueId, SocketId, SocketInput};
use crate::net::queue::{Counters, Queue};
use crate::net::{Link, Pause};
use crate::status::{Loss, Losses, SerialCommandCounters, SerialCommandStatus, Status, WaitingFor};
use crate::time::{Duration, Instant};
use crate::wire::command_frame::CommandFrame;

mod dispatch;
mod feed;
mod slot;

use feed::{Feed, Piece};
use slot::Slot;

/// A destination that takes nothing for so long, while others wait for a slot, gives its own up.
const SLOT_PATIENCE: Duration = Duration::from_secs(10 * 60);
/// A packet whose DTE waits for the full reply is given up after so long (decisions 16.17).
const REPLY_PATIENCE: Duration = Duration::from_secs(30);

/// The mode.
#[derive(Debug)]
pub(crate) struct Packets {
    feed: Feed,
    /// What is to be done once all packets are taken that the feed has.
    then: Then,
    /// Without those of the queue and of the links.
    counters: SerialCommandCounters,
    options: LinkOptions,
    running: bool,
    /// All packets that wait, in the order in which they came, wherever each one waits.
    queue: Queue,
    /// Packets without a slot, oldest first.
    pending: VecDeque<u64>,
    /// Since when the first one waits there.
    pending_since: Instant,
    /// Since when the mode runs, or the network is there, whatever was later: before, no destination could be reached.
    trying_since: Instant,
    slots: Vec<Slot>,
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
        self.slots.iter_mut().for_each(|slot| slot.link.start(cx));
        self.dispatch(cx);
    }

    fn stop(&mut self, why: Stop, cx: &mut Cx<'_>) {
        match why {
            Stop::LastFrames | Stop::Soon => {}
            Stop::Now | Stop::OtherMode => {
                self.running = false;
                self.slots
                    .iter_mut()
                    .for_each(|slot| slot.link.stop(WaitingFor::Mode, cx));
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
        let Some(slot) = index.and_then(|index| self.slots.get_mut(index)) else {
            return;
        };
        let was_up = slot.link.is_up();
        if matches!(input, SocketInput::Data(_)) && was_up {
            slot.used_at = cx.now;
        }
        slot.works(|link| link.handle(input, cx));
        self.settle_slots(cx);
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
        for slot in &mut self.slots {
            if cx.attached {
                slot.link.network_found(cx);
            } else {
                slot.link.network_lost();
            }
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Instant> {
        let links = self
            .slots
            .iter()
            .filter_map(|slot| slot.link.deadline(view.config))
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
        for (slot, socket) in self.slots.iter_mut().zip(SocketId::DESTINATIONS) {
            slot.link.line_moved(line.share(socket), now);
        }
        self.feed.line_moved(line, now);
    }

    /// What keeps the serial line from being read. One destination that takes nothing, or packets that find no slot, do
    /// not, unless the user chose that.
    fn pause(&self, now: Instant) -> Option<Pause> {
        if !self.queue.cache().is_nearly_full() {
            return None;
        }
        match self.queue.cache().policy() {
            DropPolicy::Block => Some(Pause::UntilRoom),
            DropPolicy::Auto if self.pending.is_empty() => {
                let last = self.last_delivered();
                let stalled = self.slots.iter().filter(|slot| slot.is_stalled(now, last));
                // These go first, and make room for what is read.
                let to_drop = stalled.map(|slot| slot.link.droppable_bytes()).sum();
                if !self.queue.cache().is_nearly_full_without(to_drop) {
                    return None;
                }
                let moving = self.slots.iter().filter_map(|slot| slot.moves_until(last));
                moving.filter(|until| now < *until).min().map(Pause::Until)
            }
            DropPolicy::Auto | DropPolicy::Oldest | DropPolicy::Newest => None,
        }
    }

    fn is_up(&self) -> bool {
        self.slots.iter().any(|slot| slot.link.is_up())
    }

    fn is_closing(&self) -> bool {
        self.slots
            .iter()
            .map(|slot| &slot.link)
            .any(Link::is_closing)
    }

    fn restore(&mut self, _queue: QueueId, number: u64, packet: Bytes, cx: &mut Cx<'_>) {
        // The spool brings packets that were delivered, too: these must not push out one that was not.
        if CommandFrame::decode(&packet).is_ok() {
            self.queue.restore_extra(number, packet);
            self.enqueue(number, cx.now);
        } else {
            self.queue.refuse_restored(number, &packet, cx.outputs);
        }
    }

    fn undelivered(&self, _queue: QueueId) -> Box<dyn Iterator<Item = (u64, &Bytes)> + '_> {
        Box::new(self.queue.undelivered())
    }

    fn show(&self, status: &mut Status) {
        status.serial_command = self.status();
    }

    fn drops(&self, put: &mut dyn FnMut(Dropped)) {
        let of = self.counters();
        for (place, count, bytes) in [
            (DropPlace::Packets, of.dropped_packets, of.dropped_bytes),
            (DropPlace::PacketsBad, of.bad_packets, of.garbage_bytes),
            (DropPlace::PacketsUnread, of.unread_bytes, 0),
            (DropPlace::PacketsDatagrams, of.unread_datagrams, 0),
            (DropPlace::PacketsSpool, of.spool_refused, 0),
        ] {
            put(Dropped::new(place, count, bytes));
        }
    }

    fn lost(&mut self, lost: Lost, _options: &Arc<Options>) {
        let of = &mut self.counters;
        lost.count(&mut of.unread_bytes, &mut of.unread_datagrams);
    }

    fn loss(&self, _queue: QueueId) -> Loss {
        self.queue.loss()
    }

    fn add_loss(&mut self, _queue: QueueId, loss: Loss, _options: &Arc<Options>) {
        self.queue.add_loss(loss);
    }

    fn other_losses(&mut self, look: &mut dyn FnMut(usize, &mut u64)) {
        let of = &mut self.counters;
        let counters = [
            &mut of.bad_packets,
            &mut of.garbage_bytes,
            &mut of.unread_bytes,
            &mut of.unread_datagrams,
        ];
        Losses::show(Losses::PACKETS, counters, look);
    }
}

impl Packets {
    fn with(options: &LinkOptions) -> Self {
        Self {
            feed: Feed::default(),
            then: Then::Nothing,
            counters: SerialCommandCounters::default(),
            queue: Queue::in_any_order(QueueId::SerialCommand, options),
            options: options.clone(),
            running: false,
            pending: VecDeque::new(),
            pending_since: Instant::ZERO,
            trying_since: Instant::ZERO,
            slots: Vec::new(),
            asking: VecDeque::new(),
        }
    }

    /// Takes the packets and errors that the feed has. What one of them asks for is done before the next.
    fn take_packets(&mut self, cx: &mut Cx<'_>) {
        let pending = cx.acts.len();
        while cx.acts.len() == pending {
            match self.feed.next(&mut self.counters) {
                Some(Piece::Packet(packet)) => self.take(packet, cx),
                Some(Piece::Error(text)) => self.emit(PacketReply::Error(text), cx),
                None => match self.then {
                    Then::GiveUp if self.feed.held() > 0 => self.feed.give_up(),
                    Then::Fire if self.feed.deadline().is_some_and(|at| at <= cx.now) => {
                        self.feed.give_up();
                    }
                    Then::Fire => {
                        self.then = Then::Nothing;
                        return self.fire_slots(cx);
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

    fn fire_slots(&mut self, cx: &mut Cx<'_>) {
        for slot in &mut self.slots {
            if slot.link.deadline(cx.config).is_some_and(|at| at <= cx.now) {
                slot.works(|link| link.fire(cx));
            }
        }
        if self.give_up_at(cx.attached).is_some_and(|at| at <= cx.now) {
            self.give_a_slot_up(cx);
        }
        self.give_replies_up(cx);
        self.settle_slots(cx);
    }

    /// Tells the DTE, if the mode runs.
    fn emit(&self, reply: PacketReply, cx: &mut Cx<'_>) {
        let reply = if self.running {
            reply
        } else {
            PacketReply::Nothing
        };
        cx.acts.push_back(Act::PacketReply(reply));
    }

    /// A good packet of the DTE.
    fn take(&mut self, packet: Bytes, cx: &mut Cx<'_>) {
        if self.has_room(packet.len(), cx) {
            let asks = asks_for_reply(&packet);
            let id = self.queue.push(packet, cx.outputs);
            self.queue.tidy_spool(cx.outputs);
            if asks {
                self.asking.push_back((id, cx.now + REPLY_PATIENCE));
            }
            self.enqueue(id, cx.now);
            self.dispatch(cx);
        } else {
            self.queue.refuse(&packet, cx.outputs);
            self.reply(&packet, false, cx);
        }
    }

    /// When a destination last took a packet.
    fn last_delivered(&self) -> Option<Instant> {
        self.slots.iter().filter_map(|slot| slot.delivered_at).max()
    }

    /// Without those of the links.
    const fn counters(&self) -> SerialCommandCounters {
        let Counters {
            came,
            delivered,
            dropped,
            spool_refused,
        } = *self.queue.counters();
        SerialCommandCounters {
            packets_in: came.frames,
            bytes_in: came.bytes,
            packets_out: delivered.frames,
            bytes_out: delivered.bytes,
            dropped_packets: dropped.frames,
            dropped_bytes: dropped.bytes,
            spool_refused,
            ..self.counters
        }
    }

    fn status(&self) -> SerialCommandStatus {
        let links = self.slots.iter().map(|slot| slot.link.status().counters);
        let mut counters = self.counters();
        for link in links {
            counters.resent_packets += link.resent_frames;
            counters.received_bytes += link.received_bytes;
            counters.received_reads += link.received_reads;
            counters.reconnects += link.reconnects;
        }
        SerialCommandStatus {
            running: self.running,
            counters,
            waiting_packets: self.queue.cache().frames(),
            waiting_bytes: self.queue.cache().bytes(),
            lobby_packets: self.pending.len(),
            unfinished_bytes: self.feed.held(),
            destinations: self.slots.iter().map(Slot::status).collect(),
        }
    }
}

fn asks_for_reply(packet: &[u8]) -> bool {
    CommandFrame::decode(packet).is_ok_and(|frame| frame.full_reply)
}
