//! A connection with a cache: a network link, or a destination of the serial command mode; when it connects, what it
//! sends and when (decisions 6 and 7).
//!
//! While it has no connection it waits: not at all (it is off), for something ([`Plan::Wait`]), or for its next attempt.
//! One `Send` is outstanding at most; what goes next is chosen when it is confirmed: registration, then replies to
//! commands, then a heartbeat, then frames.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;

use crate::config::{Config, LinkConfig, LinkOptions};
use crate::cx::Cx;
use crate::event::{Connect, LinkDownReason, Output, QueueId, SocketId, SocketInput};
use crate::seen::Sent;
use crate::status::{LinkCounters, Loss, WaitingFor};
use crate::time::Instant;

use super::backoff::Backoff;
use super::connection::{self, Connection, Down};
use super::queue::Queue;
use super::up::{LineShare, Up};

/// Replies to commands that wait at most.
const REPLIES_MAX: usize = 8;

/// Why the serial line is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pause {
    /// The servers pace the line; until then, if they take nothing more.
    Until(Instant),
    /// The user has chosen that a full cache blocks.
    UntilRoom,
}

/// What an input meant for the rest of the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// The link came up.
    pub(crate) up: bool,
    /// The link was lost, or an attempt failed.
    pub(crate) down: bool,
    /// The data was looked through for an expected reply: what goes on is in [`Link::take_released`].
    pub(crate) filtered: bool,
}

/// A link.
#[derive(Debug)]
pub(crate) struct Link {
    pub(super) options: LinkOptions,
    /// The settings in force; `None` = not enabled.
    pub(super) settings: Option<LinkConfig>,
    pub(super) long: bool,
    pub(super) connection: Connection,
    /// What is known of the connection while it is up, beyond what every connection knows.
    pub(super) up: Option<Box<Up>>,
    /// What it does while it has no connection.
    pub(super) plan: Plan,
    pub(super) queue: Queue,
    pub(super) replies: VecDeque<Bytes>,
    pub(super) backoff: Backoff,
    /// Without those of the queue.
    pub(super) counters: LinkCounters,
    pub(super) last_down: Option<LinkDownReason>,
    /// When the link was last up, or was started.
    pub(super) alive_at: Instant,
    /// When it began to have nothing to do.
    pub(super) rests_since: Instant,
    /// What keeps the link from working; `None` = it works.
    pub(super) resting: Option<WaitingFor>,
    /// A short link is to come up though it has nothing to send: its backup stands in for it.
    pub(super) failed_over: bool,
    /// Counts connections.
    pub(super) connections: u64,
    /// Received bytes that go on after all, or again: what might have been an expected reply.
    pub(super) released: Vec<u8>,
}

/// What a link without a connection does. While it has one, or an attempt, it is `Off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    Off,
    Wait(WaitingFor),
    Retry { at: Instant },
}

impl Link {
    /// A link that nobody has used yet.
    pub(crate) const fn new(socket: SocketId, options: LinkOptions) -> Self {
        let id = match socket {
            SocketId::Link(link) => Some(QueueId::Link(link)),
            SocketId::AtMode | SocketId::Httpd | SocketId::Destination(_) => None,
        };
        Self {
            connection: Connection::new(socket),
            up: None,
            plan: Plan::Off,
            queue: Queue::new(id, &options),
            options,
            settings: None,
            long: true,
            replies: VecDeque::new(),
            backoff: Backoff::NEW,
            counters: LinkCounters::ZERO,
            last_down: None,
            alive_at: Instant::ZERO,
            rests_since: Instant::ZERO,
            resting: Some(WaitingFor::Mode),
            failed_over: false,
            connections: 0,
            released: Vec::new(),
        }
    }

    /// Whether there is nothing to remember of the link but what it [rests](Self::resting) for.
    pub(crate) fn is_unused(&self) -> bool {
        self.is_off()
            && self.settings.is_none()
            && self.last_down.is_none()
            && self.connections == 0
            && self.queue.is_unused()
            && self.counters == LinkCounters::ZERO
    }

    /// What keeps the link from working; `None` = it works.
    pub(crate) const fn resting(&self) -> Option<WaitingFor> {
        self.resting
    }

    /// The link is made, and rests as it did when it was not there.
    pub(crate) const fn rests_for(mut self, resting: Option<WaitingFor>) -> Self {
        self.resting = resting;
        self
    }

    /// Brings settings into force. A link that is used already with the same settings is left alone.
    pub(crate) fn apply(&mut self, settings: Option<LinkConfig>, long: bool, cx: &mut Cx<'_>) {
        if self.settings == settings && self.long == long && !self.is_off() {
            return;
        }
        let enabled = settings.is_some();
        self.settings = settings;
        self.long = long;
        self.backoff.reset();
        self.alive_at = cx.now;
        if enabled {
            self.close(LinkDownReason::Ordered, cx);
            self.rest(cx);
        } else {
            self.switch_off(cx);
        }
    }

    fn switch_off(&mut self, cx: &mut Cx<'_>) {
        self.replies.clear();
        if !self.queue.cache().is_empty() {
            self.queue.discard(cx.outputs);
        }
        self.close(LinkDownReason::Ordered, cx);
        self.plan = Plan::Off;
    }

    /// Ends a connection or attempt, if there is one, and rests.
    pub(crate) fn stop(&mut self, resting: WaitingFor, cx: &mut Cx<'_>) {
        self.resting = Some(resting);
        self.close(LinkDownReason::Ordered, cx);
        self.rest(cx);
    }

    /// Begins to work.
    pub(crate) fn start(&mut self, cx: &mut Cx<'_>) {
        if self.resting.take().is_some() {
            self.alive_at = cx.now;
            self.backoff.reset();
            self.rest(cx);
        }
    }

    /// The network is there: links that waited for it go on.
    pub(crate) fn network_found(&mut self, cx: &mut Cx<'_>) {
        if self.plan == Plan::Wait(WaitingFor::Network) {
            self.backoff.reset();
            self.rest(cx);
        }
    }

    /// The network is gone: there is no sense in trying.
    pub(crate) fn network_lost(&mut self) {
        if matches!(self.plan, Plan::Retry { .. }) {
            self.plan = Plan::Wait(WaitingFor::Network);
        }
    }

    /// Chooses what to wait for when nothing is under way.
    fn rest(&mut self, cx: &mut Cx<'_>) {
        if !self.connection.is_idle() {
            return;
        }
        if self.plan != Plan::Wait(WaitingFor::Data) {
            self.rests_since = cx.now;
        }
        self.plan = if self.settings.is_none() {
            Plan::Off
        } else if let Some(waiting) = self.resting {
            Plan::Wait(waiting)
        } else if !cx.attached {
            Plan::Wait(WaitingFor::Network)
        } else if self.has_nothing_to_do() {
            Plan::Wait(WaitingFor::Data)
        } else {
            // mutant: retry-pause
            Plan::Retry {
                at: cx.now + self.backoff.next(cx.now, self.options.backoff_max, cx.rng),
            }
        };
    }

    /// Gives the link a frame of the DTE.
    pub(crate) fn push(&mut self, frame: Bytes, cx: &mut Cx<'_>) {
        self.queue.push(frame, cx.outputs);
        self.wake(cx);
        self.pump(cx);
    }

    /// A short link that rests has something to send.
    pub(super) fn wake(&mut self, cx: &mut Cx<'_>) {
        if self.plan == Plan::Wait(WaitingFor::Data) {
            self.backoff
                .rested(cx.now.since(self.rests_since), self.options.backoff_max);
            self.alive_at = cx.now;
            self.rest(cx);
        }
    }

    /// A frame of an earlier run.
    pub(crate) fn restore(&mut self, number: u64, frame: Bytes, outputs: &mut VecDeque<Output>) {
        self.queue.restore(number, frame, outputs);
    }

    /// What left undelivered, or found no place on the spool.
    pub(crate) const fn loss(&self) -> Loss {
        self.queue.loss()
    }

    pub(crate) const fn add_loss(&mut self, loss: Loss) {
        self.queue.add_loss(loss);
    }

    /// Moves everything that waits here to another link.
    pub(crate) fn move_to(&mut self, other: &mut Self, cx: &mut Cx<'_>) {
        let moved = self
            .queue
            .move_to(&mut other.queue, other.options.resend, cx.outputs);
        self.counters.moved_out_frames += moved.frames;
        self.counters.moved_out_bytes += moved.bytes;
        other.counters.moved_in_frames += moved.frames;
        other.counters.moved_in_bytes += moved.bytes;
        other.wake(cx);
        other.pump(cx);
    }

    /// Sends the answer to a command that came from this link.
    pub(crate) fn reply(&mut self, reply: Bytes, connection: u64, cx: &mut Cx<'_>) {
        if reply.is_empty() {
            return;
        }
        if self.replies.len() >= REPLIES_MAX || !self.is_up() || self.connections != connection {
            self.counters.dropped_replies += 1;
            return;
        }
        self.replies.push_back(reply);
        self.pump(cx);
    }

    /// Takes news of the socket in. Data is only counted here; the device routes it.
    pub(crate) fn handle(&mut self, input: SocketInput<'_>, cx: &mut Cx<'_>) -> News {
        if matches!(input, SocketInput::Closed { .. }) {
            self.release_held();
        }
        let mut news = News::default();
        match self.connection.handle(input, cx.outputs) {
            connection::News::Nothing => {}
            connection::News::Up => {
                self.connected(cx);
                news.up = true;
            }
            connection::News::Moved => {
                self.moved(cx);
                news.up = true;
            }
            connection::News::Data(data) => news.filtered = self.received(data, cx),
            connection::News::Sent => self.sent(cx),
            connection::News::Acked => self.acked(cx),
            connection::News::Down(down) => news.down = self.ended(down, cx),
        }
        news
    }

    fn connected(&mut self, cx: &mut Cx<'_>) {
        self.alive_at = cx.now;
        self.backoff.connected(cx.now);
        self.connections += 1;
        // mutant: registers-again
        self.up = Some(Box::new(Up::new(cx.now, self.registers(cx.config))));
        self.pump(cx);
    }

    /// The name of a UDP peer has another address by now, and who is there has never heard of this device.
    fn moved(&mut self, cx: &mut Cx<'_>) {
        let registers = self.registers(cx.config);
        if self.is_udp()
            && let Some(up) = &mut self.up
        {
            up.registration_due = registers;
            self.pump(cx);
        }
    }

    /// Counts what came, and takes expected replies out of it. Whether it did look for one.
    fn received(&mut self, data: &[u8], cx: &Cx<'_>) -> bool {
        let Some(up) = &mut self.up else { return false };
        up.note_received(cx.now);
        self.backoff.heard();
        self.counters.received_bytes += data.len() as u64;
        self.counters.received_reads += 1;
        let (registration, heartbeat) = (&mut up.registration_reply, &mut up.heartbeat_reply);
        if !registration.is_awaited() && !heartbeat.is_awaited() {
            return false;
        }
        let mut rest = Vec::new();
        registration.take_out(
            data,
            self.options.expect_registration.as_deref(),
            cx.now,
            &mut rest,
        );
        heartbeat.take_out(
            &rest,
            self.options.expect_heartbeat.as_deref(),
            cx.now,
            &mut self.released,
        );
        true
    }

    /// What goes on of the received bytes that were looked through.
    pub(crate) fn take_released(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.released)
    }

    pub(crate) const fn has_released(&self) -> bool {
        !self.released.is_empty()
    }

    /// What the serial line means for the clocks of a connection that is up.
    pub(crate) fn line_moved(&mut self, share: LineShare, now: Instant) {
        if let Some(up) = &mut self.up {
            up.line_moved(share, now);
        }
    }

    fn sent(&mut self, cx: &mut Cx<'_>) {
        let is_udp = self.is_udp();
        // A connection that is closing is done with.
        let Some(up) = &mut self.up else { return };
        up.note_sent(cx.now);
        // mutant: datagram-acked
        if is_udp {
            self.connection.acknowledge_all();
            let end = self.connection.acked();
            up.note_acked(end, cx.now);
            self.backoff.heard();
            if matches!(up.sending, Sent::Frame { .. }) {
                self.queue.delivered(end, cx.outputs);
            }
        }
        self.pump(cx);
    }

    fn acked(&mut self, cx: &mut Cx<'_>) {
        let total = self.connection.acked();
        if let Some(up) = &mut self.up {
            up.note_acked(total, cx.now);
        }
        self.backoff.heard();
        self.queue.delivered(total, cx.outputs);
        self.pump(cx);
    }

    /// A connection or attempt is over for good. True: it was not ordered.
    fn ended(&mut self, down: Down, cx: &mut Cx<'_>) -> bool {
        let Down {
            reason,
            was_up,
            acked,
        } = down;
        self.up = None;
        if was_up && !self.is_udp() {
            self.queue.delivered(acked, cx.outputs);
        }
        if was_up {
            self.alive_at = cx.now;
            if acked > 0 {
                self.backoff.heard();
            }
            self.backoff.ended(cx.now, self.has_nothing_to_do());
        }
        if is_ordered(reason) {
            self.backoff.reset();
        } else {
            self.counters.reconnects += 1;
        }
        self.last_down = Some(reason);
        self.forget_connection(cx);
        cx.outputs.push_back(self.connection.event(&down));
        // mutant: rests
        self.rest(cx);
        !is_ordered(reason)
    }

    fn forget_connection(&mut self, cx: &mut Cx<'_>) {
        self.counters.dropped_replies += self.replies.len() as u64;
        self.replies.clear();
        self.queue.rewind(self.options.resend, cx.outputs);
    }

    /// The connection ends: what might have become an expected reply is data.
    fn release_held(&mut self) {
        if let Some(up) = &mut self.up {
            // In the order in which it came: the heartbeat's was looked through for the other before.
            up.heartbeat_reply.give_up(&mut self.released);
            up.registration_reply.give_up(&mut self.released);
        }
    }

    /// Orders the end of a connection or attempt, if there is one.
    pub(crate) fn close(&mut self, reason: LinkDownReason, cx: &mut Cx<'_>) {
        self.release_held();
        self.up = None;
        self.connection.close(reason, cx.now, cx.outputs);
    }

    /// The nearest deadline.
    pub(crate) fn deadline(&self, config: &Config) -> Option<Instant> {
        match (&self.up, self.plan) {
            (Some(up), _) => self.up_deadline(up, config),
            (None, Plan::Retry { at }) => Some(at),
            (None, Plan::Off | Plan::Wait(_)) => self.connection.deadline(),
        }
    }

    /// A deadline has come.
    pub(crate) fn fire(&mut self, cx: &mut Cx<'_>) -> News {
        let mut news = News::default();
        if self.up.is_some() {
            self.fire_up(cx);
        } else if matches!(self.plan, Plan::Retry { .. }) {
            self.connect(cx);
        } else {
            if self.connection.is_connecting() {
                self.backoff.gave_up(cx.now);
                news.down = true;
            }
            if let connection::News::Down(down) = self.connection.fire(cx.now, cx.outputs) {
                news.down = self.ended(down, cx);
            }
        }
        news
    }

    fn connect(&mut self, cx: &mut Cx<'_>) {
        let Some(settings) = &self.settings else {
            return;
        };
        let connect = Connect {
            protocol: settings.protocol,
            address: settings.address.clone(),
            port: settings.port,
            local_port: settings.local_port,
            tls: false,
        };
        self.plan = Plan::Off;
        let until = cx.now + self.backoff.attempt(cx.now, cx.rng);
        self.connection.connect(connect, until, cx.outputs);
    }

    pub(crate) fn set_failed_over(&mut self, failed_over: bool, cx: &mut Cx<'_>) {
        self.failed_over = failed_over;
        self.wake(cx);
    }
}

/// Whether the device ended the connection without anything being wrong.
const fn is_ordered(reason: LinkDownReason) -> bool {
    matches!(reason, LinkDownReason::Ordered | LinkDownReason::Idle)
}
