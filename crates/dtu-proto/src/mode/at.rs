//! The AT mode (2): commands open its connection, send by it and close it (manual 2.8.6.34 to .36, decisions 12).

use alloc::sync::Arc;
use bytes::Bytes;

use super::{Mode, Stop, add_loss};
use crate::act::{Act, Progress};
use crate::config::{Options, WorkingMode};
use crate::cx::{Cx, View};
use crate::drops::{DropPlace, Dropped};
use crate::event::{
    CloseReason, Connect, Event, LinkDownReason, Lost, Output, Payload, SocketId, SocketInput,
};
use crate::net::connection::{Connection, Down, News};
use crate::status::{AtConnectionCounters, AtConnectionStatus, LinkState, Losses, Status};
use crate::time::{Duration, Instant};

/// The host gives an attempt up after 30 s; the device waits a little longer for its word.
const PATIENCE: Duration = Duration::from_secs(40);

/// The connection.
#[derive(Debug)]
pub(crate) struct AtConnection {
    connection: Connection,
    /// Where `CIOPEN` wants to go; it begins behind the reply, and not before an earlier connection is closed.
    ordered: Option<Connect>,
    last_down: Option<LinkDownReason>,
    counters: AtConnectionCounters,
    /// Bytes of the frame that is being sent.
    sending: Option<usize>,
}

impl Default for AtConnection {
    fn default() -> Self {
        Self {
            connection: Connection::new(SocketId::AtMode),
            ordered: None,
            last_down: None,
            counters: AtConnectionCounters::default(),
            sending: None,
        }
    }
}

impl AtConnection {
    /// `CIOPEN`. Only where [`AtConnection::is_used`] says that nothing is open.
    pub(crate) fn order(&mut self, connect: Connect) {
        self.ordered = Some(connect);
    }

    /// Opens what was ordered, once nothing is open any more.
    pub(crate) fn open(&mut self, cx: &mut Cx<'_>) {
        if !self.connection.is_idle() {
            return;
        }
        let Some(connect) = self.ordered.take() else {
            return;
        };
        if cx.attached {
            let until = cx.now + PATIENCE;
            self.connection.connect(connect, until, cx.outputs);
            return;
        }
        let reason = LinkDownReason::Network(CloseReason::Unreachable);
        self.last_down = Some(reason);
        self.counters.failed += 1;
        let event = Event::Disconnected {
            socket: SocketId::AtMode,
            reason,
            was_up: false,
        };
        cx.outputs.push_back(Output::Event(event));
        tell(Progress::NotOpened, cx);
    }

    /// `CISEND`: the DTE has typed its frame.
    pub(crate) fn send(&mut self, frame: Bytes, cx: &mut Cx<'_>) {
        self.begin_send(frame.len());
        if !self.connection.is_free() {
            return self.sent(false, cx);
        }
        cx.acts.push_back(Act::Passes);
        let payload = Payload {
            prefix: Bytes::new(),
            body: frame,
        };
        // mutant: send-ok
        self.connection.send(payload, cx.outputs);
    }

    fn sent(&mut self, sent: bool, cx: &mut Cx<'_>) {
        self.end_send(sent);
        tell(Progress::Sent(sent), cx);
    }

    /// The socket takes nothing: what it has of the frame nobody knows, so the stream is spoilt.
    pub(crate) fn send_is_late(&mut self, cx: &mut Cx<'_>) {
        let reason = LinkDownReason::Network(CloseReason::TimedOut);
        self.connection.close(reason, cx.now, cx.outputs);
        self.sent(false, cx);
    }

    /// `CICLOSE`
    pub(crate) fn close(&mut self, cx: &mut Cx<'_>) {
        self.connection
            .close(LinkDownReason::Ordered, cx.now, cx.outputs);
        if !self.connection.is_closing() {
            tell(Progress::Closed, cx);
        }
    }

    fn handle(&mut self, event: News<'_>, cx: &mut Cx<'_>) {
        match event {
            News::Up => {
                self.counters.opened += 1;
                tell(Progress::Opened, cx);
            }
            // A datagram without a byte is nothing to print, and would take room in what is held.
            News::Data([]) | News::Nothing | News::Acked | News::Moved => {}
            News::Data(data) => self.received(data, cx),
            News::Sent => self.sent(true, cx),
            News::Down(down) => self.ended(&down, cx),
        }
    }

    fn received(&mut self, data: &[u8], cx: &mut Cx<'_>) {
        self.counters.received_bytes += data.len() as u64;
        self.counters.received_reads += 1;
        cx.acts.push_back(Act::Received);
        let (socket, data) = (SocketId::AtMode, Bytes::copy_from_slice(data));
        cx.acts.push_back(Act::Print { socket, data });
    }

    fn ended(&mut self, down: &Down, cx: &mut Cx<'_>) {
        cx.outputs.push_back(self.connection.event(down));
        self.count_end(down);
        self.sent(false, cx);
        tell(Progress::Closed, cx);
        // mutant: closed-told
        if down.reason != LinkDownReason::Ordered {
            let what = if down.was_up {
                Progress::Ended
            } else {
                Progress::NotOpened
            };
            tell(what, cx);
        }
        // What a command has ordered meanwhile begins behind all that.
        cx.acts.push_back(Act::GoOn(WorkingMode::AtCommand));
    }

    /// `CICLOSE`, or the mode ends: what has not begun does not begin.
    pub(crate) fn forget_order(&mut self) {
        self.ordered = None;
    }

    /// Whether a connection is open, being opened, or about to be.
    pub(crate) const fn is_used(&self) -> bool {
        self.ordered.is_some() || self.connection.is_connecting() || self.connection.is_up()
    }

    /// Takes note of a frame of the DTE.
    const fn begin_send(&mut self, bytes: usize) {
        self.counters.frames_in += 1;
        self.counters.bytes_in += bytes as u64;
        self.sending = Some(bytes);
    }

    /// Takes note of a frame that could not be one.
    pub(crate) fn dropped(&mut self, bytes: usize) {
        if bytes > 0 {
            self.begin_send(bytes);
            self.end_send(false);
        }
    }

    /// Takes note of what became of it.
    fn end_send(&mut self, sent: bool) {
        let Some(bytes) = self.sending.take() else {
            return;
        };
        let counters = &mut self.counters;
        let (frames, total) = if sent {
            (&mut counters.frames_out, &mut counters.bytes_out)
        } else {
            (&mut counters.dropped_frames, &mut counters.dropped_bytes)
        };
        *frames += 1;
        *total += bytes as u64;
    }

    /// Takes note of the end of a connection or attempt.
    const fn count_end(&mut self, down: &Down) {
        self.last_down = Some(down.reason);
        match (down.was_up, down.reason) {
            (_, LinkDownReason::Ordered) => {}
            (true, _) => self.counters.lost += 1,
            (false, _) => self.counters.failed += 1,
        }
    }

    #[cfg(test)]
    pub(crate) const fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    pub(crate) const fn is_up(&self) -> bool {
        self.connection.is_up()
    }

    pub(crate) const fn status(&self) -> AtConnectionStatus {
        let state = if self.connection.is_up() {
            LinkState::Connected
        } else if self.ordered.is_some() || self.connection.is_connecting() {
            LinkState::Connecting
        } else {
            LinkState::Off
        };
        AtConnectionStatus {
            state,
            last_down: self.last_down,
            counters: self.counters,
        }
    }
}

fn tell(what: Progress, cx: &mut Cx<'_>) {
    cx.acts.push_back(Act::Connection(what));
}

impl Mode for AtConnection {
    fn new(_options: &Arc<Options>) -> Self {
        Self::default()
    }

    fn start(&mut self, _cx: &mut Cx<'_>) {}

    /// Without a word.
    fn stop(&mut self, why: Stop, cx: &mut Cx<'_>) {
        match why {
            Stop::LastFrames | Stop::Soon => {}
            Stop::Now | Stop::OtherMode => {
                self.forget_order();
                self.connection
                    .close(LinkDownReason::Ordered, cx.now, cx.outputs);
            }
        }
    }

    /// Of the set-up window: there is nobody to send it to.
    fn frame(&mut self, frame: &Bytes, cx: &mut Cx<'_>) {
        let bytes = frame.len();
        cx.acts.push_back(Act::Untaken { bytes });
    }

    fn socket(&mut self, _socket: SocketId, input: SocketInput<'_>, cx: &mut Cx<'_>) {
        let event = self.connection.handle(input, cx.outputs);
        self.handle(event, cx);
    }

    fn deadline(&self, _view: &View<'_>) -> Option<Instant> {
        self.connection.deadline()
    }

    fn fire(&mut self, cx: &mut Cx<'_>) {
        let event = self.connection.fire(cx.now, cx.outputs);
        self.handle(event, cx);
    }

    fn go_on(&mut self, cx: &mut Cx<'_>) {
        self.open(cx);
    }

    fn is_closing(&self) -> bool {
        self.connection.is_closing()
    }

    fn is_up(&self) -> bool {
        self.connection.is_up()
    }

    fn show(&self, status: &mut Status) {
        status.at_connection = self.status();
    }

    fn drops(&self, put: &mut dyn FnMut(Dropped)) {
        let of = &self.counters;
        for (place, count, bytes) in [
            (DropPlace::AtConnection, of.dropped_frames, of.dropped_bytes),
            (DropPlace::AtUnread, of.unread_bytes, 0),
            (DropPlace::AtDatagrams, of.unread_datagrams, 0),
        ] {
            put(Dropped::new(place, count, bytes));
        }
    }

    fn lost(&mut self, lost: Lost, _options: &Arc<Options>) {
        let of = &mut self.counters;
        lost.count(&mut of.unread_bytes, &mut of.unread_datagrams);
    }

    fn other_losses(&mut self, look: &mut dyn FnMut(usize, &mut u64)) {
        let of = &mut self.counters;
        let counters = [
            &mut of.dropped_frames,
            &mut of.dropped_bytes,
            &mut of.unread_bytes,
            &mut of.unread_datagrams,
        ];
        Losses::show(Losses::AT, counters, look);
    }

    fn restore_losses(&mut self, others: &[u64; Losses::OTHERS], _options: &Arc<Options>) {
        self.other_losses(&mut |place, counter| add_loss(counter, others[place]));
        let of = &mut self.counters;
        (of.frames_in, of.bytes_in) = (of.dropped_frames, of.dropped_bytes);
    }
}
