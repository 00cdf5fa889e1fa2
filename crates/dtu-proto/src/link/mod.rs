//! One connection with a cache: a network link, or a destination of the serial command mode; its states, what it sends and when (decisions 6 and 7).
//!
//! ```text
//! Off ─► Idle ─► Retry ─► Connecting ─► Up ─► Closing ─┐
//!         ▲        ▲                                   │
//!         └────────┴───────────────────────────────────┘
//! ```
//!
//! A state owns its deadlines, so leaving it cancels them. One `Send` is outstanding at most; what goes next is
//! chosen when it is confirmed: registration, then replies to commands, then a heartbeat, then frames.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;

use crate::config::{Config, DropPolicy, LinkConfig, LinkOptions, Protocol, Role};
use crate::event::{
    CloseReason, Connect, Event, LinkDownReason, Output, QueueId, SocketId, SocketInput, SocketOutput,
    StoreOutput,
};
use crate::status::{LinkCounters, LinkState, LinkStatus, Loss, WaitingFor};
use crate::time::{Duration, Instant};

use backoff::{Backoff, Rng};
use cache::{Cache, Tally};
pub(crate) use up::{LineShare, MOVES_FOR};
use up::{Sending, Up};

pub(crate) mod backoff;
pub(crate) mod cache;
mod destination;
mod expect;
mod up;

/// The host closes at once.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);
/// Replies to commands that wait at most.
const REPLIES_MAX: usize = 8;

/// What a link needs of the device while it works.
pub(crate) struct LinkContext<'a> {
    pub(crate) now: Instant,
    pub(crate) config: &'a Config,
    pub(crate) outputs: &'a mut VecDeque<Output>,
    pub(crate) rng: &'a mut Rng,
    pub(crate) attached: bool,
}

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
    socket: SocketId,
    options: LinkOptions,
    /// The settings in force; `None` = not enabled.
    settings: Option<LinkConfig>,
    long: bool,
    state: State,
    cache: Cache,
    replies: VecDeque<Bytes>,
    backoff: Backoff,
    counters: LinkCounters,
    last_down: Option<LinkDownReason>,
    /// When the link was last up, or was started.
    alive_at: Instant,
    /// When it began to have nothing to do.
    rests_since: Instant,
    /// What keeps the link from working; `None` = it works.
    resting: Option<WaitingFor>,
    /// A short link is to come up though it has nothing to send: its backup stands in for it.
    missed: bool,
    /// Counts connections.
    connection: u64,
    /// Received bytes that go on after all, or again: what might have been an expected reply.
    released: Vec<u8>,
}

#[derive(Debug)]
enum State {
    Off,
    Idle(WaitingFor),
    Retry { at: Instant },
    Connecting { until: Instant },
    Up(Box<Up>),
    Closing { reason: LinkDownReason, was_up: bool, until: Instant },
}

impl Link {
    pub(crate) fn new(socket: SocketId, options: LinkOptions) -> Self {
        Self {
            socket,
            cache: Cache::new(options.cache, options.drop_policy),
            options,
            settings: None,
            long: true,
            state: State::Off,
            replies: VecDeque::new(),
            backoff: Backoff::default(),
            counters: LinkCounters::default(),
            last_down: None,
            alive_at: Instant::ZERO,
            rests_since: Instant::ZERO,
            resting: Some(WaitingFor::Mode),
            missed: false,
            connection: 0,
            released: Vec::new(),
        }
    }

    /// Brings settings into force. A link that is used already with the same settings is left alone.
    pub(crate) fn apply(&mut self, settings: Option<LinkConfig>, long: bool, cx: &mut LinkContext<'_>) {
        if self.settings == settings && self.long == long && !matches!(self.state, State::Off) {
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

    fn switch_off(&mut self, cx: &mut LinkContext<'_>) {
        self.replies.clear();
        if !self.cache.is_empty() {
            self.discard(cx);
        }
        if !self.close(LinkDownReason::Ordered, cx) && !self.is_closing() {
            self.state = State::Off;
        }
    }

    /// Lets go of everything that waits, counted.
    fn discard(&mut self, cx: &mut LinkContext<'_>) {
        let drop_it = dropper(&mut self.counters, self.socket, cx.outputs);
        self.cache.take_all().iter().map(|entry| &entry.bytes).for_each(drop_it);
        self.spool_release(cx.outputs);
    }

    /// Ends a connection or attempt, if there is one, and rests.
    pub(crate) fn stop(&mut self, resting: WaitingFor, cx: &mut LinkContext<'_>) {
        self.resting = Some(resting);
        self.close(LinkDownReason::Ordered, cx);
        self.rest(cx);
    }

    /// Begins to work.
    pub(crate) fn start(&mut self, cx: &mut LinkContext<'_>) {
        if self.resting.take().is_some() {
            self.alive_at = cx.now;
            self.backoff.reset();
            self.rest(cx);
        }
    }

    /// The network is there: links that waited for it go on.
    pub(crate) fn network_found(&mut self, cx: &mut LinkContext<'_>) {
        if matches!(self.state, State::Idle(WaitingFor::Network)) {
            self.backoff.reset();
            self.rest(cx);
        }
    }

    /// The network is gone: there is no sense in trying.
    pub(crate) fn network_lost(&mut self) {
        if matches!(self.state, State::Retry { .. }) {
            self.state = State::Idle(WaitingFor::Network);
        }
    }

    /// Chooses what to wait for when nothing is under way.
    fn rest(&mut self, cx: &mut LinkContext<'_>) {
        if !matches!(self.state, State::Off | State::Idle(_) | State::Retry { .. }) {
            return;
        }
        if !matches!(self.state, State::Idle(WaitingFor::Data)) {
            self.rests_since = cx.now;
        }
        self.state = if self.settings.is_none() {
            State::Off
        } else if let Some(waiting) = self.resting {
            State::Idle(waiting)
        } else if !cx.attached {
            State::Idle(WaitingFor::Network)
        } else if self.has_nothing_to_do() {
            State::Idle(WaitingFor::Data)
        } else {
            // mutant: retry-pause
            State::Retry { at: cx.now + self.backoff.next(cx.now, self.options.backoff_max, cx.rng) }
        };
    }

    /// Gives the link a frame of the DTE.
    pub(crate) fn push(&mut self, frame: Bytes, cx: &mut LinkContext<'_>) {
        self.counters.frames_in += 1;
        self.counters.bytes_in += frame.len() as u64;
        let dropped_before = self.counters.dropped_frames;
        let kept = self.cache.push(frame.clone(), dropper(&mut self.counters, self.socket, cx.outputs));
        // mutant: spool-append
        if self.options.spool
            && let Some(seq) = kept
        {
            self.spool_append(seq, frame, cx);
            if self.counters.dropped_frames > dropped_before {
                self.spool_release(cx.outputs);
            }
        }
        self.wake(cx);
        self.pump(cx);
    }

    /// A short link that rests has something to send.
    fn wake(&mut self, cx: &mut LinkContext<'_>) {
        if matches!(self.state, State::Idle(WaitingFor::Data)) {
            self.backoff.rested(cx.now.since(self.rests_since), self.options.backoff_max);
            self.alive_at = cx.now;
            self.rest(cx);
        }
    }

    /// A frame of an earlier run.
    pub(crate) fn restore(&mut self, seq: u64, frame: Bytes, outputs: &mut VecDeque<Output>) {
        self.counters.frames_in += 1;
        self.counters.bytes_in += frame.len() as u64;
        let dropped_before = self.counters.dropped_frames;
        self.cache.insert(frame, seq, 0, dropper(&mut self.counters, self.socket, outputs));
        // Else the next run would find it on the spool, and drop and count it again.
        if self.counters.dropped_frames > dropped_before {
            self.spool_release(outputs);
        }
    }

    /// What left undelivered, or found no place on the spool.
    pub(crate) const fn loss(&self) -> Loss {
        let of = &self.counters;
        Loss { frames: of.dropped_frames, bytes: of.dropped_bytes, spool_refused: of.spool_refused }
    }

    pub(crate) const fn add_loss(&mut self, loss: Loss) {
        self.counters.frames_in += loss.frames;
        self.counters.bytes_in += loss.bytes;
        self.counters.dropped_frames += loss.frames;
        self.counters.dropped_bytes += loss.bytes;
        self.counters.spool_refused += loss.spool_refused;
    }

    /// Moves everything that waits here to another link.
    pub(crate) fn move_to(&mut self, other: &mut Self, cx: &mut LinkContext<'_>) {
        for entry in self.cache.take_all() {
            let len = entry.bytes.len() as u64;
            self.counters.moved_out_frames += 1;
            self.counters.moved_out_bytes += len;
            other.counters.moved_in_frames += 1;
            other.counters.moved_in_bytes += len;
            let seq = other.cache.next_seq();
            let frame = entry.bytes.clone();
            // A link that does not resend drops what it sent itself, not what another link sent.
            let sends = if other.options.resend { entry.sends } else { 0 };
            let drop_it = dropper(&mut other.counters, other.socket, cx.outputs);
            // mutant: backup-spool
            if other.cache.insert(entry.bytes, seq, sends, drop_it) && other.options.spool {
                other.spool_append(seq, frame, cx);
            }
        }
        self.spool_release(cx.outputs);
        other.spool_release(cx.outputs);
        other.wake(cx);
        other.pump(cx);
    }

    /// Sends the answer to a command that came from this link.
    pub(crate) fn reply(&mut self, reply: Bytes, connection: u64, cx: &mut LinkContext<'_>) {
        if reply.is_empty() {
            return;
        }
        if self.replies.len() >= REPLIES_MAX || !self.is_up() || self.connection != connection {
            self.counters.dropped_replies += 1;
            return;
        }
        self.replies.push_back(reply);
        self.pump(cx);
    }

    /// Takes news of the socket in. Data is only counted here; the device routes it.
    pub(crate) fn handle(&mut self, input: SocketInput<'_>, cx: &mut LinkContext<'_>) -> News {
        let mut filtered = false;
        match input {
            SocketInput::Connected { .. } => self.connected(cx),
            SocketInput::Data(data) => filtered = self.received(data, cx),
            SocketInput::Sent => self.sent(cx),
            SocketInput::Acked(total) => self.acked(total, cx),
            SocketInput::Closed { reason, acked } => return self.closed(reason, acked, cx),
        }
        let up = matches!(input, SocketInput::Connected { .. }) && self.is_up();
        News { up, down: false, filtered }
    }

    fn connected(&mut self, cx: &mut LinkContext<'_>) {
        let (registers, is_udp) = (self.registers(cx.config), self.is_udp());
        if let (State::Up(up), true) = (&mut self.state, is_udp) {
            // The name has another address by now, and who is there has never heard of this device.
            up.registration_due = registers;
            self.pump(cx);
            return;
        }
        if !matches!(self.state, State::Connecting { .. }) {
            return;
        }
        self.alive_at = cx.now;
        self.backoff.connected(cx.now);
        self.connection += 1;
        // mutant: registers-again
        self.state = State::Up(Box::new(Up::new(cx.now, registers)));
        cx.outputs.push_back(Output::Event(Event::Connected(self.socket)));
        self.pump(cx);
    }

    /// Counts what came, and takes expected replies out of it. Whether it did look for one.
    fn received(&mut self, data: &[u8], cx: &LinkContext<'_>) -> bool {
        let State::Up(up) = &mut self.state else { return false };
        up.note_received(cx.now);
        self.backoff.heard();
        self.counters.received_bytes += data.len() as u64;
        self.counters.received_reads += 1;
        let (registration, heartbeat) = (&mut up.registration_reply, &mut up.heartbeat_reply);
        if !registration.is_awaited() && !heartbeat.is_awaited() {
            return false;
        }
        let mut rest = Vec::new();
        registration.take_out(data, self.options.expect_registration.as_ref(), cx.now, &mut rest);
        heartbeat.take_out(&rest, self.options.expect_heartbeat.as_ref(), cx.now, &mut self.released);
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
        if let State::Up(up) = &mut self.state {
            up.line_moved(share, now);
        }
    }

    fn sent(&mut self, cx: &mut LinkContext<'_>) {
        let is_udp = self.is_udp();
        let State::Up(up) = &mut self.state else { return };
        let Some(sending) = up.sending.take() else { return };
        up.note_sent(cx.now);
        // mutant: datagram-acked
        if is_udp {
            // Nobody acknowledges a datagram: that the kernel took it is all that is known.
            let end = up.sent;
            up.note_acked(end, cx.now);
            self.backoff.heard();
            if sending == Sending::Frame {
                self.delivered(end, cx);
            }
        }
        self.pump(cx);
    }

    fn acked(&mut self, total: u64, cx: &mut LinkContext<'_>) {
        let State::Up(up) = &mut self.state else { return };
        if total <= up.acked {
            return;
        }
        up.note_acked(total, cx.now);
        self.backoff.heard();
        self.delivered(total, cx);
        self.pump(cx);
    }

    /// The peer has everything up to this place of the stream.
    fn delivered(&mut self, end: u64, cx: &mut LinkContext<'_>) {
        let Tally { frames, bytes } = self.cache.acked(end);
        self.counters.frames_out += frames;
        self.counters.bytes_out += bytes;
        if frames > 0 {
            self.spool_release(cx.outputs);
        }
    }

    fn closed(&mut self, reason: CloseReason, acked: u64, cx: &mut LinkContext<'_>) -> News {
        self.release_held();
        let (reason, was_up) = match &self.state {
            State::Closing { reason, was_up, .. } => (*reason, *was_up),
            State::Connecting { .. } => (LinkDownReason::Network(reason), false),
            State::Up(_) => (LinkDownReason::Network(reason), true),
            State::Off | State::Idle(_) | State::Retry { .. } => return News::default(),
        };
        self.ended(reason, was_up, acked, cx);
        News { down: !is_ordered(reason), ..News::default() }
    }

    /// A connection or attempt is over for good.
    fn ended(&mut self, reason: LinkDownReason, was_up: bool, acked: u64, cx: &mut LinkContext<'_>) {
        if was_up && !self.is_udp() {
            self.delivered(acked, cx);
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
        cx.outputs.push_back(Output::Event(Event::Disconnected { socket: self.socket, reason, was_up }));
        self.state = State::Off;
        // mutant: rests
        self.rest(cx);
    }

    fn forget_connection(&mut self, cx: &mut LinkContext<'_>) {
        self.counters.dropped_replies += self.replies.len() as u64;
        self.replies.clear();
        self.cache.rewind();
        if !self.options.resend {
            self.cache.take_sent(dropper(&mut self.counters, self.socket, cx.outputs));
            self.spool_release(cx.outputs);
        }
    }

    /// The connection ends: what might have become an expected reply is data.
    fn release_held(&mut self) {
        if let State::Up(up) = &mut self.state {
            // In the order in which it came: the heartbeat's was looked through for the other before.
            up.heartbeat_reply.give_up(&mut self.released);
            up.registration_reply.give_up(&mut self.released);
        }
    }

    /// Orders the end of a connection or attempt; false if there was none.
    pub(crate) fn close(&mut self, reason: LinkDownReason, cx: &mut LinkContext<'_>) -> bool {
        let was_up = match &self.state {
            State::Up(_) => true,
            State::Connecting { .. } => false,
            State::Off | State::Idle(_) | State::Retry { .. } | State::Closing { .. } => return false,
        };
        self.release_held();
        let until = cx.now + CLOSE_PATIENCE;
        self.state = State::Closing { reason, was_up, until };
        cx.outputs.push_back(Output::Socket(self.socket, SocketOutput::Close));
        true
    }

    fn spool_append(&self, seq: u64, frame: Bytes, cx: &mut LinkContext<'_>) {
        let append = own_queue(self.socket).map(|queue| StoreOutput::SpoolAppend(queue, seq, frame));
        cx.outputs.extend(append.map(Output::Store));
    }

    fn spool_release(&self, outputs: &mut VecDeque<Output>) {
        if self.options.spool {
            let first = self.cache.first_seq();
            let release = own_queue(self.socket).map(|queue| StoreOutput::SpoolRelease(queue, first));
            outputs.extend(release.map(Output::Store));
        }
    }

    /// The nearest deadline of the state.
    pub(crate) fn deadline(&self, config: &Config) -> Option<Instant> {
        match &self.state {
            State::Off | State::Idle(_) => None,
            State::Retry { at } => Some(*at),
            State::Connecting { until } | State::Closing { until, .. } => Some(*until),
            State::Up(up) => self.up_deadline(up, config),
        }
    }

    /// A deadline has come.
    pub(crate) fn fire(&mut self, cx: &mut LinkContext<'_>) -> News {
        match &mut self.state {
            State::Off | State::Idle(_) => News::default(),
            State::Retry { .. } => {
                self.connect(cx);
                News::default()
            }
            State::Connecting { .. } => {
                self.backoff.gave_up(cx.now);
                self.close(LinkDownReason::Network(CloseReason::TimedOut), cx);
                News { down: true, ..News::default() }
            }
            State::Closing { reason, was_up, .. } => {
                let (reason, was_up) = (*reason, *was_up);
                self.ended(reason, was_up, 0, cx);
                News { down: !is_ordered(reason), ..News::default() }
            }
            State::Up(_) => {
                self.fire_up(cx);
                News::default()
            }
        }
    }

    fn connect(&mut self, cx: &mut LinkContext<'_>) {
        let Some(settings) = &self.settings else { return };
        let connect = Connect {
            protocol: settings.protocol,
            address: settings.address.clone(),
            port: settings.port,
            local_port: settings.local_port,
            tls: false,
        };
        self.state = State::Connecting { until: cx.now + self.backoff.attempt(cx.now, cx.rng) };
        cx.outputs.push_back(Output::Socket(self.socket, SocketOutput::Connect(connect)));
    }

    pub(crate) const fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    /// The role in force.
    pub(crate) fn role(&self) -> Role {
        self.settings.as_ref().map_or(Role::Always, |settings| settings.role)
    }

    /// The number of the connection that is up, or was last.
    pub(crate) const fn connection(&self) -> u64 {
        self.connection
    }

    /// Whether a backup stands in for this link.
    pub(crate) const fn is_missed(&self) -> bool {
        self.missed
    }

    pub(crate) fn set_missed(&mut self, missed: bool, cx: &mut LinkContext<'_>) {
        self.missed = missed;
        self.wake(cx);
    }

    /// A short link without data, unless it is to come up all the same; a destination without data.
    fn has_nothing_to_do(&self) -> bool {
        (self.is_short() || self.is_destination()) && self.cache.is_empty() && !self.missed
    }

    pub(crate) const fn is_resting(&self) -> bool {
        self.resting.is_some()
    }

    pub(crate) const fn is_enabled(&self) -> bool {
        self.settings.is_some()
    }

    /// Since when the link has been up.
    pub(crate) const fn up_since(&self) -> Option<Instant> {
        match &self.state {
            State::Up(up) => Some(up.since),
            State::Off
            | State::Idle(_)
            | State::Retry { .. }
            | State::Connecting { .. }
            | State::Closing { .. } => None,
        }
    }

    /// Whether a socket or an attempt still stands.
    pub(crate) const fn is_closing(&self) -> bool {
        matches!(self.state, State::Closing { .. })
    }

    /// An enabled TCP link that should be up and is not: since when.
    pub(crate) fn down_since(&self) -> Option<Instant> {
        match self.state {
            State::Retry { .. } | State::Connecting { .. } | State::Closing { .. } => Some(self.alive_at),
            State::Idle(WaitingFor::Network) => Some(self.alive_at),
            State::Off | State::Idle(_) | State::Up(_) => None,
        }
    }

    /// Whether the last reply to a command has left.
    pub(crate) fn replies_sent(&self) -> bool {
        match &self.state {
            State::Up(up) => self.replies.is_empty() && up.sending != Some(Sending::Other),
            State::Off
            | State::Idle(_)
            | State::Retry { .. }
            | State::Connecting { .. }
            | State::Closing { .. } => true,
        }
    }

    /// Whether its full cache keeps the serial line from being read, whatever the server does.
    pub(crate) fn blocks(&self) -> bool {
        self.settings.is_some() && self.cache.policy() == DropPolicy::Block && self.cache.is_nearly_full()
    }

    /// Whether a server that takes bytes paces the serial line by this link.
    pub(crate) fn can_pace(&self, now: Instant) -> bool {
        let moves = self.moves_until().is_none_or(|until| now < until);
        self.is_up() && moves && self.cache.policy() == DropPolicy::Auto
    }

    /// Until when the peer counts as one that takes bytes; `None` = nothing waits for it, or there is no connection.
    pub(crate) fn moves_until(&self) -> Option<Instant> {
        match &self.state {
            State::Up(up) => up.moves_until(),
            State::Off
            | State::Idle(_)
            | State::Retry { .. }
            | State::Connecting { .. }
            | State::Closing { .. } => None,
        }
    }

    /// Whether it takes no more of a line that it paces, alone or with others.
    pub(crate) fn has_enough(&self, alone: bool) -> bool {
        self.cache.is_nearly_full() || (!alone && self.cache.is_half_full())
    }

    /// A destination gets the data of the DTE and nothing else, and is connected only where there is some.
    const fn is_destination(&self) -> bool {
        self.socket.link().is_none()
    }

    pub(crate) fn is_udp(&self) -> bool {
        self.settings.as_ref().is_some_and(|settings| settings.protocol == Protocol::Udp)
    }

    const fn is_short(&self) -> bool {
        !self.long
    }

    pub(crate) fn undelivered(&self) -> impl Iterator<Item = (u64, &Bytes)> {
        self.cache.iter()
    }

    pub(crate) const fn counters(&self) -> &LinkCounters {
        &self.counters
    }

    pub(crate) const fn counters_mut(&mut self) -> &mut LinkCounters {
        &mut self.counters
    }

    pub(crate) fn status(&self) -> LinkStatus {
        let state = match &self.state {
            State::Off => LinkState::Off,
            State::Idle(waiting) => LinkState::Waiting(*waiting),
            State::Retry { .. } | State::Closing { .. } => LinkState::Waiting(WaitingFor::Retry),
            State::Connecting { .. } => LinkState::Connecting,
            State::Up(_) => LinkState::Connected,
        };
        LinkStatus {
            state,
            last_down: self.last_down,
            counters: self.counters,
            waiting_frames: self.cache.frames(),
            waiting_bytes: self.cache.bytes(),
        }
    }
}

/// Whether the device ended the connection without anything being wrong.
const fn is_ordered(reason: LinkDownReason) -> bool {
    matches!(reason, LinkDownReason::Ordered | LinkDownReason::Idle)
}

/// Whose frames wait here. A destination keeps none: its packets have numbers and losses of their own.
fn own_queue(socket: SocketId) -> Option<QueueId> {
    socket.link().map(QueueId::Link)
}

/// Counts a frame that left undelivered, and says so.
fn dropper<'a>(
    counters: &'a mut LinkCounters,
    socket: SocketId,
    outputs: &'a mut VecDeque<Output>,
) -> impl FnMut(&Bytes) + 'a {
    move |frame| {
        // mutant: drops-counted
        counters.dropped_frames += 1;
        counters.dropped_bytes += frame.len() as u64;
        let event = own_queue(socket).map(|queue| Event::FrameDropped { queue, bytes: frame.len() });
        outputs.extend(event.map(Output::Event));
    }
}
