//! The HTTPD client (mode 3): frames wait in a queue, each becomes one request, one at a time (manual 2.1.3, decisions 9).
//!
//! ```text
//!          a frame waits                 Connected        request ─► Sent ─► answer whole
//! nothing ───────────────► retry ─► attempt ────► up ◄───────────────────────────┘
//!    ▲                       ▲         │          │ idle 60 s, the server closes, no answer, settings change
//!    └───────────────────────┴─────────┴──────────┘
//! ```
//! A request that the server may have got is never sent again; one that it cannot have got is.

use alloc::boxed::Box;
use alloc::sync::Arc;
use bytes::Bytes;

use super::{LineView, Mode, Stop, add_loss};
use crate::act::Act;
use crate::config::{DropPolicy, FrameKind, LinkOptions, Options, Protocol};
use crate::cx::{Cx, View};
use crate::drops::{DropPlace, Dropped};
use crate::event::{
    Connect, HttpdTrouble, LinkDownReason, Lost, Output, QueueId, SocketId, SocketInput,
    StoreOutput,
};
use crate::net::backoff::Backoff;
use crate::net::connection::{Connection, News};
use crate::net::queue::{Counters, Queue};
use crate::net::{MOVES_FOR, Pause};
use crate::status::{HttpdCounters, HttpdStatus, LinkState, Loss, Losses, Status, WaitingFor};
use crate::time::{Duration, Instant};

use exchange::Exchange;
use settings::Settings;

mod course;
mod exchange;
mod settings;

/// A connection that nothing uses closes after this time.
const IDLE: Duration = Duration::from_secs(60);

/// The client.
#[derive(Debug)]
pub(crate) struct Httpd {
    options: LinkOptions,
    /// The settings in force; `None` = the mode does not run.
    settings: Option<Settings>,
    connection: Connection,
    queue: Queue,
    /// The request under way.
    exchange: Option<Exchange>,
    /// When the next attempt is due.
    retry_at: Option<Instant>,
    backoff: Backoff,
    /// Since when there has been neither a connection nor anything to connect for.
    rests_since: Option<Instant>,
    /// So long a connection that has nothing to do stays.
    idle_until: Instant,
    /// When the attempt under way began.
    attempt_at: Instant,
    /// What it took of the time of the request that it is for.
    attempt_took: Duration,
    /// An answer must be whole within this time, whatever comes; `None` = no bound.
    answer_max: Option<Duration>,
    /// The server's last sign of life, or when the first frame of those that wait came.
    progress_at: Instant,
    /// Answers that came by the connection that is up.
    answers: u64,
    /// Where the last request of this connection ends, also where its answer is not awaited any more.
    requested: u64,
    /// The connection is not to carry another request.
    spent: bool,
    trouble: Option<HttpdTrouble>,
    /// Without those of the queue.
    counters: HttpdCounters,
}

impl Mode for Httpd {
    fn new(options: &Arc<Options>) -> Self {
        Self::with(options.modes.clone(), options.http_answer_max)
    }

    fn start(&mut self, cx: &mut Cx<'_>) {
        let settings = Settings::new(&cx.config.httpd);
        if self.settings.as_ref() != Some(&settings) {
            self.settings = Some(settings);
            self.trouble = self
                .settings
                .as_ref()
                .filter(|s| s.server().is_none())
                .map(|_| HttpdTrouble::Settings);
            self.backoff.reset();
            self.retry_at = None;
            self.spent = true;
            if self.exchange.is_none() {
                self.close(LinkDownReason::Ordered, cx);
            }
        }
        self.pump(cx);
    }

    /// Ends a connection or attempt, if there is one, and rests.
    fn stop(&mut self, why: Stop, cx: &mut Cx<'_>) {
        if why == Stop::Soon {
            return;
        }
        // mutant: client-stops
        self.settings = None;
        self.retry_at = None;
        self.trouble = None;
        self.close(LinkDownReason::Ordered, cx);
    }

    fn frame(&mut self, frame: &Bytes, cx: &mut Cx<'_>) {
        if self.queue.cache().is_empty() {
            self.progress_at = cx.now;
        }
        if let Some(since) = self.rests_since.take() {
            self.backoff
                .rested(cx.now.since(since), self.options.backoff_max);
        }
        self.queue.push(frame.clone(), cx.outputs);
        self.pump(cx);
    }

    /// What it brings is never a command (manual 2.8.6.25 speaks of the transparent mode).
    fn socket(&mut self, _socket: SocketId, input: SocketInput<'_>, cx: &mut Cx<'_>) {
        let is_data = matches!(input, SocketInput::Data(data) if !data.is_empty());
        if is_data && self.connection.is_up() {
            cx.acts.push_back(Act::Received);
        }
        let event = self.connection.handle(input, cx.outputs);
        if matches!(event, News::Data(_) | News::Acked) {
            self.progress_at = cx.now;
        }
        match event {
            News::Nothing | News::Moved => return,
            News::Up => self.up(cx),
            News::Data(data) => {
                self.backoff.heard();
                self.received(data, cx);
            }
            News::Sent => self.sent(cx),
            News::Acked => {
                self.backoff.heard();
                self.acked(cx);
            }
            News::Down(down) => self.down(down, cx),
        }
        self.pump(cx);
    }

    fn network(&mut self, cx: &mut Cx<'_>) {
        self.retry_at = None;
        if cx.attached {
            self.backoff.reset();
        }
        self.pump(cx);
    }

    fn deadline(&self, _view: &View<'_>) -> Option<Instant> {
        let up = self.connection.is_up();
        let exchange = self
            .exchange
            .as_ref()
            .filter(|_| up)
            .map(Exchange::deadline);
        let used = exchange.unwrap_or_else(|| up.then_some(self.idle_until));
        [self.retry_at, self.connection.deadline(), used]
            .into_iter()
            .flatten()
            .min()
    }

    fn fire(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now;
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_due(self.retry_at) {
            self.retry_at = None;
            self.connect(cx);
        } else if is_due(self.connection.deadline()) {
            if self.connection.is_connecting() {
                self.backoff.gave_up(now);
            }
            if let News::Down(down) = self.connection.fire(now, cx.outputs) {
                self.down(down, cx);
            }
        } else if self.exchange.is_some() {
            self.overdue(cx);
        } else {
            self.close(LinkDownReason::Idle, cx);
        }
        self.pump(cx);
    }

    /// A server that the device does not listen to is not late.
    fn line_moved(&mut self, line: &LineView<'_>, now: Instant) {
        if let Some(exchange) = &mut self.exchange {
            exchange.hold_up(!line.share(SocketId::Httpd).is_read, now);
        }
    }

    fn pause(&self, now: Instant) -> Option<Pause> {
        let until = self.progress_at + MOVES_FOR;
        // mutant: client-pauses
        match self.queue.cache().policy() {
            _ if !self.queue.cache().is_nearly_full() => None,
            DropPolicy::Block => Some(Pause::UntilRoom),
            DropPolicy::Auto => (now < until).then_some(Pause::Until(until)),
            DropPolicy::Oldest | DropPolicy::Newest => None,
        }
    }

    fn is_closing(&self) -> bool {
        self.connection.is_closing()
    }

    fn is_up(&self) -> bool {
        self.connection.is_up()
    }

    fn restore(&mut self, _queue: QueueId, number: u64, frame: Bytes, cx: &mut Cx<'_>) {
        self.queue.restore(number, frame, cx.outputs);
    }

    /// One that the server may have got is not sent again, so it does not count.
    fn undelivered(&self, _queue: QueueId) -> Box<dyn Iterator<Item = (u64, &Bytes)> + '_> {
        let sent = self.exchange.as_ref().is_some_and(|exchange| exchange.sent);
        Box::new(self.queue.cache().iter().skip(usize::from(sent)))
    }

    fn frames() -> FrameKind {
        FrameKind::Request
    }

    fn show(&self, status: &mut Status) {
        status.httpd = self.status(status.attached.is_some());
    }

    fn drops(&self, put: &mut dyn FnMut(Dropped)) {
        let of = self.counters();
        let (frames, bytes) = (of.dropped_frames, of.dropped_bytes);
        put(Dropped::new(DropPlace::Httpd, frames, bytes));
        for (place, count) in [
            (DropPlace::HttpdRequests, of.failed + of.timed_out),
            (DropPlace::HttpdUnread, of.stray_bytes + of.unread_bytes),
            (DropPlace::HttpdSpool, of.spool_refused),
        ] {
            put(Dropped::new(place, count, 0));
        }
    }

    /// HTTP is never spoken in datagrams.
    fn lost(&mut self, lost: Lost, _options: &Arc<Options>) {
        lost.count(&mut self.counters.unread_bytes, &mut 0);
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
            &mut of.failed,
            &mut of.timed_out,
            &mut of.stray_bytes,
            &mut of.unread_bytes,
        ];
        Losses::show(Losses::HTTPD, counters, look);
    }

    fn restore_losses(&mut self, others: &[u64; Losses::OTHERS], _options: &Arc<Options>) {
        self.other_losses(&mut |place, counter| add_loss(counter, others[place]));
        self.balance();
    }
}

impl Httpd {
    fn with(options: LinkOptions, answer_max: Option<Duration>) -> Self {
        Self {
            queue: Queue::new(Some(QueueId::Httpd), &options),
            options,
            settings: None,
            connection: Connection::new(SocketId::Httpd),
            exchange: None,
            retry_at: None,
            backoff: Backoff::default(),
            rests_since: None,
            idle_until: Instant::ZERO,
            attempt_at: Instant::ZERO,
            attempt_took: Duration::ZERO,
            answer_max,
            progress_at: Instant::ZERO,
            answers: 0,
            requested: u64::MAX,
            spent: false,
            trouble: None,
            counters: HttpdCounters::default(),
        }
    }

    /// Nothing but losses has been counted yet: they are of what came in.
    fn balance(&mut self) {
        self.counters.requests = self.counters.failed.saturating_add(self.counters.timed_out);
        self.counters.received_bytes = self.counters.stray_bytes;
        self.queue.balance(self.counters.requests);
    }

    fn up(&mut self, cx: &Cx<'_>) {
        self.backoff.connected(cx.now);
        (self.answers, self.requested) = (0, u64::MAX);
        self.spent = false;
        self.idle_until = cx.now + IDLE;
        self.attempt_took = cx.now.since(self.attempt_at);
    }

    /// Does what can be done: sends the next request, or connects for it.
    fn pump(&mut self, cx: &mut Cx<'_>) {
        let Some(settings) = &self.settings else {
            return;
        };
        // mutant: one-request
        if self.exchange.is_some() || self.queue.cache().is_empty() {
            if self.exchange.is_none() && self.connection.is_idle() {
                self.rests_since.get_or_insert(cx.now);
            }
            return;
        }
        if self.connection.is_up() {
            self.request(cx);
        } else if self.connection.is_idle()
            && self.retry_at.is_none()
            && cx.attached
            && settings.server().is_some()
        {
            // mutant: client-backoff
            self.retry_at =
                Some(cx.now + self.backoff.next(cx.now, self.options.backoff_max, cx.rng));
        }
    }

    fn connect(&mut self, cx: &mut Cx<'_>) {
        let Some(server) = self.settings.as_ref().and_then(Settings::server) else {
            return;
        };
        let connect = Connect {
            protocol: Protocol::Tcp,
            address: server.host.clone(),
            port: server.port,
            local_port: 0,
            tls: server.tls,
        };
        self.attempt_at = cx.now;
        let longest = self.settings.as_ref().map_or(IDLE, Settings::timeout);
        let until = cx.now + self.backoff.attempt(cx.now, cx.rng).min(longest);
        self.connection.connect(connect, until, cx.outputs);
    }

    /// Orders the end of a connection or attempt, if there is one.
    fn close(&mut self, reason: LinkDownReason, cx: &mut Cx<'_>) {
        self.connection.close(reason, cx.now, cx.outputs);
    }

    /// This frame is about to be sent, or none is: however the host ends, it is not sent again.
    fn spool_sending(&self, frame: Option<u64>, cx: &mut Cx<'_>) {
        if self.options.spool {
            cx.outputs
                .push_back(Output::Store(StoreOutput::SpoolSending(
                    QueueId::Httpd,
                    frame,
                )));
        }
    }

    const fn counters(&self) -> HttpdCounters {
        let Counters {
            came,
            dropped,
            spool_refused,
            ..
        } = *self.queue.counters();
        HttpdCounters {
            frames_in: came.frames,
            bytes_in: came.bytes,
            dropped_frames: dropped.frames,
            dropped_bytes: dropped.bytes,
            spool_refused,
            ..self.counters
        }
    }

    fn status(&self, attached: bool) -> HttpdStatus {
        HttpdStatus {
            state: self.state(attached),
            trouble: self.trouble,
            counters: self.counters(),
            waiting_frames: self.queue.cache().frames(),
            waiting_bytes: self.queue.cache().bytes(),
        }
    }

    fn state(&self, attached: bool) -> LinkState {
        match &self.connection {
            _ if self.settings.is_none() => LinkState::Off,
            connection if connection.is_up() => LinkState::Connected,
            connection if connection.is_connecting() => LinkState::Connecting,
            _ if !attached => LinkState::Waiting(WaitingFor::Network),
            _ if self.queue.cache().is_empty() => LinkState::Waiting(WaitingFor::Data),
            _ => LinkState::Waiting(WaitingFor::Retry),
        }
    }
}
